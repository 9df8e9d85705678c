"""What a reader of drafts stumbles over: half lists, lost headings, wrong versions, code out of shape, remains of the page."""

from __future__ import annotations

import pytest

from copilot.versions import headed, spoken
from tests.test_copilot_compose import article, text


def test_a_list_with_bullets_is_told_to_its_end_in_a_mail() -> None:
    items = "\n".join(f"- have the column number {n} with a name of its own, in letters" for n in range(1, 18))
    made = text(article(f"## Requirements\n\nThe file must:\n\n{items}"), message="What must the file have?")
    assert made.count("have the column number") == 17


def test_one_word_that_announces_what_follows_is_told() -> None:
    page = "## Restart\n\nWindows:\n\n1. Open the menu.\n2. Choose Restart.\n\nMac:\n\n1. Open the apple.\n2. Choose Restart."
    made = text(article(page), message="How do I restart the box?")
    assert "Windows:\n\n1. Open the menu." in made
    assert "Mac:\n\n1. Open the apple." in made


@pytest.mark.parametrize(
    "heading", ["In the web app", "On the phone", "For teams", "With a scanner", "Auf dem Telefon"]
)
def test_a_heading_that_says_where_or_for_whom_is_told(heading: str) -> None:
    made = text(article(f"## {heading}\n\nPress the picture, then press Invoices."), message="Where are my invoices?")
    assert f"{heading}:\nPress the picture" in made


def test_of_sections_for_versions_only_the_customers_is_told() -> None:
    four = article("## Version 4\n\n1. Close the app.\n2. Delete the cache.", start=10, fit=2.0)
    five = article("## Version 5\n\n1. Open Sync.\n2. Turn Sync off.", start=90, fit=2.1)
    assert "Open Sync" not in text(five, four, message="Sync fails in version 4.")
    assert "Delete the cache" in text(five, four, message="Sync fails in version 4.")
    assert "Delete the cache" not in text(five, four, message="Sync fails in version 5.2.")
    assert "Open Sync" in text(five, four, message="Sync fails in version 9.")  # the page has none for it
    assert "Open Sync" in text(five, four, message="Sync fails.")


@pytest.mark.parametrize(
    ("heading", "holds", "not_"),
    [
        ("Version 5", (5, 1), (4,)),
        ("Version 4 and later", (7,), (3,)),
        ("In v4.2+", (4, 3), (4, 1)),
        ("Versions 3 and 4", (4,), (5,)),
        ("Before version 6", (5,), (6,)),
        ("Version 3 oder älter", (2,), (4,)),
    ],
)
def test_a_heading_tells_for_which_versions_it_is(heading: str, holds: tuple[int, ...], not_: tuple[int, ...]) -> None:
    assert any(one.holds(holds) for one in headed(heading))
    assert not any(one.holds(not_) for one in headed(heading))


def test_what_is_no_version_is_none() -> None:
    assert headed("Conversion 5 explained") == headed("5 versions") == ()
    assert spoken("I am on version 4, and v5.1 at work; 3 users") == ((4,), (5, 1))


def test_code_keeps_its_shape() -> None:
    page = "## Limits\n\nWait for the limit to end:\n\nif limit reached now:\n    wait for it()\ngo on then()"
    assert "if limit reached now:\n    wait for it()\ngo on then()" in text(article(page), message="What is the limit?")


@pytest.mark.parametrize(
    "line", ["Last updated: 3 March 2026", "Updated on 2026-03-03.", "Zuletzt aktualisiert am 3. März 2026"]
)
def test_the_day_of_a_pages_last_change_is_not_told(line: str) -> None:
    made = text(
        article(f"## Keep\n\nWe keep invoices for ten years.\n\n{line}"), message="How long do you keep invoices?"
    )
    assert "ten years" in made
    assert "2026" not in made


def test_a_sentence_about_an_update_stays() -> None:
    words = "Updated apps start in 2026 with a new look for everybody."
    assert words in text(article(f"## Look\n\nThe look changes. {words}"), message="When does the look change?")
