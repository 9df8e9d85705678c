"""Solved tickets are measured beside plain BM25, and only a ticket that was solved when the question was asked counts as gold."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from copilot.build import Parts
from copilot.errors import InputError
from copilot.settings import Settings
from eval.bm25 import by_words, timely
from eval.cases import Case, load_jsonl
from eval.retrieval import retrieval
from eval.run import run
from eval.suite import load
from tests.eval_cases import case, outcome, rows

LATER, BEFORE = datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 1, 15, tzinfo=UTC)


def asked(id: str, text: str, at: datetime, *gold: str) -> Case:
    made = case(id, gold_tickets=gold)
    message = replace(made.conversation.messages[0], text=text)
    return replace(made, created=at, conversation=replace(made.conversation, messages=(message,)))


def test_a_ticket_that_was_not_solved_by_then_is_no_gold(filled: Parts) -> None:
    late, early = (
        asked("late", "My Sent folder is empty", LATER, "t-1"),
        asked("early", "My Sent folder", BEFORE, "t-1"),
    )
    unlabelled = replace(asked("none", "anything", LATER), gold_tickets=None)
    assert timely(filled, "default", [late, early, unlabelled]) == [late, unlabelled]
    assert timely(filled, "default", [asked("gone", "My Sent folder", LATER, "no-such-ticket")]) == []


def test_bm25_finds_by_words_what_was_known_then(filled: Parts) -> None:
    cases = [asked("c-1", "the Sent folder needs a Repair", LATER, "t-1"), asked("c-2", "Sent folder", BEFORE, "t-1")]
    assert by_words(filled, "default", cases) == {"c-1": ("t-1",), "c-2": ()}
    assert by_words(filled, "default", [asked("c-3", "quite other words", LATER, "t-1")]) == {"c-3": ()}


def test_how_far_the_product_is_ahead_is_counted_case_by_case() -> None:
    one = replace(outcome(case("a", gold_tickets=("t",)), ranked={"ticket": ["t"]}), by_words=("x", "t"))
    two = replace(outcome(case("b", gold_tickets=("t",)), ranked={"ticket": []}), by_words=("t",))
    found = {metric.name: metric.rows for metric in retrieval([one, two, outcome(case("c", gold_docs=("d",)))])}
    assert found["retrieval.ticket.over_bm25.hit@1"] == {"a": 1.0, "b": -1.0}
    assert found["retrieval.ticket.over_bm25.mrr@10"] == {"a": 0.5, "b": -1.0}
    assert found["retrieval.ticket.bm25.hit@5"] == {"a": 1.0, "b": 1.0}
    assert not [name for name in rows(retrieval([outcome(case(gold_tickets=("t",)), ranked={})])) if "bm25" in name]


def test_a_file_of_tickets_gives_the_cases_that_name_one_like_theirs(tmp_path: Path) -> None:
    row = {"ticket_id": "q", "message": "words", "similar_tickets": ["t-9"], "cited_docs": ["an-article"]}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    (similar,) = load_jsonl(tmp_path / "rows.jsonl", similar=True)
    (plain,) = load_jsonl(tmp_path / "rows.jsonl")
    assert (similar.gold_tickets, similar.gold_docs) == (("t-9",), None)
    assert (plain.gold_tickets, plain.gold_docs) == (None, ("an-article",))


def test_a_run_prints_solved_tickets_beside_bm25(folder: Path, tmp_path: Path) -> None:
    row = {
        "ticket_id": "q-1",
        "subject": "",
        "message": "my Sent folder is empty since the update",
        "similar_tickets": ["t-1"],
    }
    (tmp_path / "asked.jsonl").write_text(json.dumps({**row, "created": LATER.isoformat()}) + "\n", encoding="utf-8")
    suite = tmp_path / "mine.yaml"
    suite.write_text(
        f"name: mine\nabout: x\ncorpus: [{folder}]\ncases:\n  - {{path: asked.jsonl, similar: true, labelled: true}}\n"
        "metrics: [retrieval]\n"
    )
    made = run(load(str(suite))[0], {}, lambda stage, done, total: None, base=Settings(home=tmp_path / "home"))
    scores = {score.name: score.value for score in made.scores}
    assert (scores["retrieval.ticket.hit@1"], scores["retrieval.ticket.bm25.hit@1"]) == (1.0, 1.0)
    assert scores["retrieval.ticket.over_bm25.hit@1"] == 0.0


def test_the_shipped_suites_load_and_name_the_data_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    languages = load("languages")[0].load_cases()
    own = [one for one in languages if one.slices["said"] == "own words"]
    assert sorted({one.locale or "" for one in own}) == ["de", "es", "fr", "nl"]
    twins = {one.id.removesuffix("-en"): one.gold_docs for one in languages if one.locale == "en"}
    assert twins == {one.id: one.gold_docs for one in own}
    articles = {path.stem for path in (load("languages")[0].find("demo:articles")).glob("*.md")}
    assert {id for one in own for id in one.gold_docs or ()} <= articles
    monkeypatch.delenv("COPILOT_EVAL_DATA", raising=False)
    with pytest.raises(InputError, match="COPILOT_EVAL_DATA"):
        load("similar-tickets")[0].load_cases()
