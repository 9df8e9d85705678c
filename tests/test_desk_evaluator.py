"""The evaluator's day in a real browser: start a run and follow it, open its worst case, compare it, and see what agents chose."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser import Desk, look
from tests.test_api_evaluations import suites as suites

pytestmark = pytest.mark.filterwarnings("default")
SLOW = 120_000
HOSTILE = "<img src=x onerror=alert(1)> \u202egnp.exe javascript:alert(2)"


@pytest.fixture
def shipped(suites: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny suite in place of the shipped ones; one of its cases is hostile."""
    lines = (suites / "cases.jsonl").read_text(encoding="utf-8")
    row = f'{{"id": "hostile", "message": "{HOSTILE}", "gold_docs": ["compact-folders"]}}\n'
    (suites / "cases.jsonl").write_text(lines + row, encoding="utf-8")
    monkeypatch.setattr("eval.suite.FOLDER", suites)


@pytest.mark.usefixtures("shipped")
def test_a_run_is_started_followed_opened_at_its_worst_case_and_compared(page: Page) -> None:
    page.goto("/desk/evaluations")
    for number in range(2):
        page.get_by_label("Suite", exact=True).fill("small")
        page.get_by_label("Change", exact=True).select_option("resamples")
        page.get_by_label("to", exact=True).fill("200")
        page.get_by_role("button", name="Start run").click()
        expect(page.get_by_role("progressbar").first).to_be_visible()
        runs = page.get_by_role("table", name="Runs and comparisons").get_by_role("link", name=re.compile("^small"))
        expect(runs).to_have_count(number + 1, timeout=SLOW)
    expect(page.get_by_role("img", name=re.compile("over 2 runs"))).to_be_visible()
    look(page, "evaluations")

    runs.first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("small")
    expect(page.get_by_role("table", name="Scores of retrieval")).to_contain_text("retrieval.article.hit@1")
    look(page, "evaluation-scores")
    page.get_by_role("tab", name=re.compile("^Cases")).click()
    page.get_by_role("tabpanel").get_by_role("listitem").first.get_by_role("button").press("Enter")
    panel = page.get_by_role("complementary", name=re.compile("^Case "))
    expect(panel.get_by_role("heading", name="What is wrong")).to_be_visible()
    expect(panel.get_by_role("heading", name=re.compile("^The message"))).to_be_visible()
    look(page, "evaluation-case")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)

    page.get_by_label("Search the cases").fill("hostile")
    page.get_by_role("tabpanel").get_by_role("listitem").get_by_role("button").click()
    expect(panel).to_contain_text("<img src=x onerror=alert(1)>")
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Report").click()
    expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_be_visible()

    page.goto("/desk/evaluations")
    boxes = page.get_by_role("checkbox")
    expect(boxes).to_have_count(2)
    for box in boxes.all():
        box.check()
    page.get_by_role("button", name="Compare the two").click()
    expect(page.get_by_role("table", name="Differences")).to_contain_text("retrieval.article.hit@1", timeout=SLOW)
    look(page, "evaluation-compared")


def test_the_acceptance_page_shows_what_agents_chose(page: Page, desk: Desk) -> None:
    with httpx.Client(base_url=desk.url, timeout=60) as agent:
        for number, verdict in enumerate(("accepted", "edited", "rejected", "accepted")):
            decide(agent, f"chosen-{number}", verdict)
    page.goto("/desk/acceptance")
    expect(page.get_by_role("img", name=re.compile("^Decisions over"))).to_be_visible()
    expect(page.locator(".figure", has_text="Sent as it was").locator("strong")).to_have_text(re.compile(r"^\d+$"))
    expect(page.get_by_role("table", name="Decisions by intent")).to_be_visible()
    look(page, "acceptance")
    page.get_by_role("tab", name="Generator").press("Enter")
    expect(page.get_by_role("table", name="Decisions by generator")).to_contain_text("extractive")
    page.get_by_role("tab", name="Numbers").click()
    expect(page.get_by_role("table", name="Decisions over time")).to_be_visible()
    page.get_by_label("Step").select_option("week")
    expect(page).to_have_url(re.compile("period=week"))


def decide(agent: httpx.Client, id: str, verdict: str) -> None:
    """A suggestion of the demo company with a decision on it."""
    asked = {"conversation": {"id": id, "messages": [{"text": "How do I send a parcel back and get my money?"}]}}
    made: dict[str, Any] = agent.post("/v1/suggestions", json=asked).raise_for_status().json()
    told = {"verdict": verdict, "shown_at": made["created_at"], "copied": verdict == "accepted"}
    if verdict == "edited":
        told["final_text"] = made["draft"]["text"] + "\nPlease ring us."
    agent.post(f"/v1/suggestions/{made['id']}/feedback", json=told).raise_for_status()
