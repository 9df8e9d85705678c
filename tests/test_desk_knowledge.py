"""A knowledge manager's change, and the agent's next draft: in a real browser, on one desk."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

ARTICLE = """---
doc_id: limescale
title: Remove limescale from the Sluice strainer
audience: public
---

# Remove limescale from the Sluice strainer

Unscrew the strainer cap and soak the strainer in citric acid for {minutes} minutes. Rinse it and screw the cap on again.
"""
ASKED = "How do I remove limescale from the strainer of my Sluice, and how long must it soak?"


def test_an_edited_article_is_in_the_next_draft(page: Page, tmp_path: Path) -> None:
    taken_in(page, tmp_path, 25)
    assert "25 minutes" in drafted(page)
    taken_in(page, tmp_path, 55)
    draft = drafted(page)
    assert "55 minutes" in draft
    assert "25 minutes" not in draft


def taken_in(page: Page, folder: Path, minutes: int) -> None:
    """Upload the article as it is now, and wait until it was taken in."""
    file = folder / "limescale.md"
    file.write_text(ARTICLE.format(minutes=minutes), encoding="utf-8")
    page.goto("/desk/sources")
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_role("list", name="Uploads").locator("> li .notice")).to_have_count(1)


def drafted(page: Page) -> str:
    """What the desk drafts for a pasted question."""
    page.goto("/desk/paste")
    page.get_by_role("textbox", name="Message").fill(ASKED)
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/desk/conversations/*")
    expect(page.get_by_role("button", name="Accept")).to_be_enabled()
    return page.locator(".reply").inner_text()
