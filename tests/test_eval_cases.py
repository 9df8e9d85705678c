from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import ingest.demo
from copilot.errors import InputError
from eval.cases import beir_corpus, load_beir, load_jsonl


def jsonl(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_every_gold_field_is_optional(tmp_path: Path) -> None:
    (case,) = load_jsonl(jsonl(tmp_path / "cases.jsonl", {"id": "a", "message": "Where is my order?"}))
    assert case.text == "Where is my order?"
    assert case.answers == frozenset()
    assert case.expects_answer is None
    gold = (case.gold_docs, case.gold_tickets, case.gold_spans, case.intent, case.escalate, case.reference_reply)
    assert gold == (None,) * 6


def test_a_help_desks_export_is_taken_as_it_is(tmp_path: Path) -> None:
    row = {
        "ticket_id": "tb-1", "created": "2025-04-01 03:15:56 +0200", "customer": "u1", "subject": "Sent", "message": "Gone.",
        "gold_docs": [], "env": {"os": "Linux"}, "engineering_bug": False,
    }  # fmt: skip
    (case,) = load_jsonl(jsonl(tmp_path / "cases.jsonl", row))
    assert case.id == "tb-1"
    assert case.created == datetime(2025, 4, 1, 1, 15, 56, tzinfo=UTC)
    assert case.conversation.customer.id == "u1"
    assert case.gold_docs is None  # an empty list says that nobody labelled it


def test_all_fields_arrive(tmp_path: Path) -> None:
    row = {
        "id": "a", "conversation": {"subject": "S", "channel": "chat", "messages": [{"author": "agent", "text": "Hi"}, {"text": "Hello"}]},
        "workspace": "w", "locale": "de-AT", "gold_docs": ["d"], "gold_tickets": ["t"], "answerable": True, "reference_reply": "R",
        "gold_spans": [{"document_id": "s", "start": 1, "end": 4}], "intent": "i", "sentiment": "negative", "urgent": True,
        "urgency": "high", "escalate": True, "escalate_reason": "legal",
    }  # fmt: skip
    (case,) = load_jsonl(jsonl(tmp_path / "cases.jsonl", row))
    assert case.answers == {"d", "t", "s"}
    assert [message.author for message in case.conversation.messages] == ["agent", "customer"]
    assert case.text == "S\n\nHello"
    assert (case.conversation.channel, case.locale, case.workspace) == ("chat", "de-AT", "w")
    assert (case.intent, case.sentiment, case.urgent, case.urgency) == ("i", "negative", True, "high")
    assert (case.escalate, case.escalate_reason, case.reference_reply) == (True, "legal", "R")
    assert case.slices == {"channel": "chat", "locale": "de-AT"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 2"),
        ('{"message": "no id"}', "id"),
        ('{"id": "b", "message": "x", "sentiment": "grumpy"}', "sentiment"),
        ('{"id": "b", "message": "x", "created": "yesterday"}', "created"),
        ('{"id": "a", "message": "x"}', "twice"),
        ('{"id": "b\\u0000c", "message": "x"}', "id"),
        ('{"id": "b", "message": "x", "gold_spans": [{"document_id": "d", "start": 9, "end": 4}]}', "after it starts"),
        ('{"id": "b", "message": "x", "gold_spans": [{"document_id": "d", "start": -1, "end": 4}]}', "gold_spans"),
    ],
)
def test_a_broken_line_is_named_with_what_is_wrong(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"id": "a", "message": "fine"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=words):
        load_jsonl(path)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_jsonl(tmp_path / "none.jsonl")


def test_the_demo_companys_inbox_is_read_whole() -> None:
    cases = load_jsonl(ingest.demo.FOLDER / "incoming" / "incoming.jsonl")
    assert len(cases) == 60
    assert all(case.created and case.intent and case.sentiment and case.escalate is not None for case in cases)


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    jsonl(tmp_path / "corpus.jsonl", {"_id": "d1", "title": "One", "text": "First."}, {"_id": "d2", "text": "Second."})
    jsonl(tmp_path / "queries.jsonl", {"_id": "q1", "text": "what?"}, {"_id": "q2", "text": "unjudged"})
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n", encoding="utf-8")
    return tmp_path


def test_a_beir_folder_gives_its_judged_queries_with_grades(beir: Path) -> None:
    (case,) = load_beir(beir)
    assert (case.id, case.text, case.gold_docs, case.grades) == ("q1", "what?", ("d1",), {"d1": 2, "d2": 0})
    assert list(beir_corpus(beir)) == [("d1", "One", "First."), ("d2", "d2", "Second.")]


def test_a_beir_folder_whose_files_do_not_fit_says_which(beir: Path) -> None:
    (beir / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq9\td1\t1\n", encoding="utf-8")
    with pytest.raises(InputError, match="q9"):
        load_beir(beir)
    (beir / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\tmany\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"test\.tsv"):
        load_beir(beir)


def test_a_beir_folder_as_people_have_it_is_read_too(beir: Path) -> None:
    jsonl(beir / "corpus.jsonl", {"_id": 1, "title": "A title", "text": ""}, {"_id": 2, "title": " ", "text": " "})
    jsonl(beir / "queries.jsonl", {"_id": 7, "text": "what?"})
    (beir / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n\n7\t1\t1\n\n", encoding="utf-8")
    assert [(case.id, case.gold_docs) for case in load_beir(beir)] == [("7", ("1",))]
    assert list(beir_corpus(beir)) == [("1", "A title", "A title")]


def test_a_byte_order_mark_is_no_part_of_a_case(tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_text('{"id": "a", "message": "x"}', encoding="utf-8-sig")
    assert [case.id for case in load_jsonl(tmp_path / "cases.jsonl")] == ["a"]
