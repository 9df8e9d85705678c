"""What a search finds and in which order, through the retriever's own door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

import pytest

import copilot.retrieve
from copilot.adapters.rerankers import WordReranker
from copilot.build import Parts, build
from copilot.errors import ConfigurationError
from copilot.rerank import reranked
from copilot.retrieve import Query
from copilot.settings import Settings
from ingest.pipeline import Indexer
from tests.conftest import ADMIN, AGENT, TICKETS, asks, ingest, write_tickets

EMPTY = "My Sent folder is empty since the update, where are my messages?"


def test_the_approximate_index_finds_what_looking_at_every_chunk_finds(
    filled: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = [Query(text=text) for text in (EMPTY, "disk full", "refund more than 40 euro", "reset the password")]
    scanned = [filled.copilot.search(ADMIN, query).results for query in queries]
    monkeypatch.setattr(copilot.retrieve, "SCANNED", 0)
    assert [filled.copilot.search(ADMIN, query).results for query in queries] == scanned


def test_a_document_s_score_does_not_depend_on_what_else_may_be_seen(filled: Parts) -> None:
    query = Query(text="how long is the link in the e-mail valid?", kinds=("article",))
    for agent, admin in zip(*(_public(filled, who, query) for who in (AGENT, ADMIN)), strict=True):
        assert agent == admin


def _public(parts: Parts, who: object, query: Query) -> list[tuple[str, float]]:
    hits = parts.copilot.search(who, query).results  # type: ignore[arg-type]
    return [(hit.document_id, hit.scores["dense"]) for hit in hits if hit.audience == "public"]


def test_a_draft_is_told_all_passages_of_the_first_articles_and_an_agent_three(parts: Parts, tmp_path: Path) -> None:
    sections = [
        f"## Apples {n}\n\n" + f"Apples of kind {n} keep for {n} weeks in a cool cellar. " * 12 for n in range(1, 7)
    ]
    for number in range(8):
        (tmp_path / f"apples-{number}.md").write_text(f"# Apples, part {number}\n\n" + "\n\n".join(sections))
    ingest(parts, tmp_path)
    query = Query(text="How long do apples keep in the cellar?")
    vector = parts.embedder.embed([query.text], "query")[0]
    told = [len(hit.passages) for hit in parts.retriever.kinds(AGENT, query, vector, {"article": 8}).hits["article"]]
    assert min(told[:6]) > 3
    assert told[6:] == [3, 3]
    assert {len(hit.passages) for hit in parts.copilot.search(AGENT, query).results} == {3}


def test_of_two_like_tickets_the_later_one_comes_first(parts: Parts, tmp_path: Path) -> None:
    rows = [
        {**TICKETS[0], "ticket_id": f"like-{year}", "created": f"{year}-02-01 10:00:00 +0000"}
        for year in (2023, 2024, 2025)
    ]
    for row in rows:
        row["thread"] = [{**row["thread"][1], "created": row["created"]}]
    write_tickets(tmp_path / "tickets.jsonl", rows)
    ingest(parts, tmp_path)
    moment = datetime(2025, 6, 1, tzinfo=UTC)
    hits = parts.copilot.search(ADMIN, Query(text=EMPTY, kinds=("ticket",), as_of=moment)).results
    assert [hit.document_id for hit in hits] == ["like-2025", "like-2024", "like-2023"]
    then = parts.copilot.search(
        ADMIN, Query(text=EMPTY, kinds=("ticket",), before=moment - timedelta(days=365))
    ).results
    assert [hit.document_id for hit in then] == ["like-2024", "like-2023"]


def test_tickets_with_the_same_resolution_are_shown_once(parts: Parts, tmp_path: Path) -> None:
    write_tickets(tmp_path / "tickets.jsonl", [{**TICKETS[0], "ticket_id": f"same-{n}"} for n in range(3)])
    ingest(parts, tmp_path)
    similar = parts.copilot.suggest(AGENT, asks(EMPTY)).similar_tickets
    assert [ticket.document_id for ticket in similar] == ["same-0"]


def test_a_resolution_that_was_given_often_does_not_hide_the_others(parts: Parts, tmp_path: Path) -> None:
    rows = [{**TICKETS[0], "ticket_id": f"same-{n:02}"} for n in range(14)]
    for id, solution in (
        ("other-1", "Replace the cable; the old one is torn."),
        ("other-2", "Wait an hour, the server is slow today."),
    ):
        turn = {**TICKETS[0]["thread"][1], "text": solution}
        rows.append({**TICKETS[0], "ticket_id": id, "subject": "Sent folder", "solution": solution, "thread": [turn]})
    write_tickets(tmp_path / "tickets.jsonl", rows)
    ingest(parts, tmp_path)
    similar = parts.copilot.suggest(AGENT, asks(EMPTY)).similar_tickets
    assert [ticket.document_id[:5] for ticket in similar] == ["same-", "other", "other"]


def test_tickets_with_nearly_the_same_resolution_are_shown_once_with_who_solved_them(
    parts: Parts, tmp_path: Path
) -> None:
    rows = []
    for n, wish in enumerate(("Good luck!", "All the best!", "")):
        solution = f"{TICKETS[0]['solution']} {wish}".strip()
        turn = {**TICKETS[0]["thread"][1], "text": solution}
        rows.append({**TICKETS[0], "ticket_id": f"near-{n}", "solution": solution, "thread": [turn]})
    write_tickets(tmp_path / "tickets.jsonl", rows)
    ingest(parts, tmp_path)
    similar = parts.copilot.suggest(AGENT, asks(EMPTY)).similar_tickets
    assert [(ticket.document_id[:5], ticket.solution_by) for ticket in similar] == [("near-", "agent")]


def test_words_of_a_resolution_find_the_ticket(filled: Parts) -> None:
    hits = filled.copilot.search(ADMIN, Query(text="Repair Folder button in Properties", kinds=("ticket",))).results
    assert hits[0].scores["lexical"] == 1


def test_a_reranker_orders_the_best_articles_anew_and_out_of_time_leaves_them(folder: Path, tmp_path: Path) -> None:
    query = Query(text="compact folders password", kinds=("article",))
    with closing(build(Settings(home=tmp_path / "home"))) as parts:
        ingest(parts, folder)
        plain = parts.copilot.search(AGENT, query).results
    with closing(build(Settings(home=tmp_path / "home", reranker="words"))) as parts:
        again = parts.copilot.search(AGENT, query).results
    said = [hit.scores["reranker"] for hit in again]
    assert said == sorted(said, reverse=True)
    assert {hit.document_id for hit in again} == {hit.document_id for hit in plain}
    assert [hit.score for hit in again] == [hit.score for hit in plain], "the places keep their scores"
    assert reranked(WordReranker(), query.text, plain, seconds=0) == plain


def test_what_is_deleted_or_changed_between_two_searches_is_not_found_from_memory(filled: Parts, folder: Path) -> None:
    query = Query(text="compact a folder, how many minutes", kinds=("article",))
    assert filled.copilot.search(AGENT, query).results[0].document_id == "compact-folders"
    file = folder / "compact-folders.md"
    file.write_text(file.read_text(encoding="utf-8").replace("3 minutes", "8 minutes"), encoding="utf-8")
    ingest(filled, folder)
    best = filled.copilot.search(AGENT, query).results[0]
    assert best.revision == 2
    assert "8 minutes" in " ".join(passage.text for passage in best.passages)
    Indexer(filled).retire("default", ["compact-folders"])
    assert "compact-folders" not in {hit.document_id for hit in filled.copilot.search(AGENT, query).results}


def test_an_article_that_only_solved_cases_speak_for_is_found(filled: Parts) -> None:
    hits = filled.copilot.search(AGENT, Query(text=EMPTY, kinds=("article",))).results
    assert hits[0].scores["votes"] == 1
    assert {*hits[0].scores} == {"dense", "lexical", "votes", "map"}


def test_of_two_like_tickets_the_one_that_an_agent_solved_comes_first(parts: Parts, tmp_path: Path) -> None:
    solved = TICKETS[0]["thread"][1]
    rows = [
        {
            **TICKETS[0],
            "ticket_id": "a-customer",
            "solution_by": "customer",
            "thread": [{**solved, "role": "customer"}],
        },
        {**TICKETS[0], "ticket_id": "b-agent", "solution_by": "agent", "thread": [solved]},
    ]
    write_tickets(tmp_path / "tickets.jsonl", rows)
    ingest(parts, tmp_path)
    hits = parts.copilot.search(ADMIN, Query(text=EMPTY, kinds=("ticket",))).results
    assert [hit.document_id for hit in hits] == ["b-agent", "a-customer"]


def test_what_did_not_help_a_customer_is_not_told_the_same_customer_again(filled: Parts) -> None:
    assert [one.document_id for one in filled.copilot.suggest(AGENT, asks(EMPTY)).similar_tickets] == ["t-1"]
    again = filled.copilot.suggest(AGENT, asks(EMPTY, id="t-1"))
    assert again.similar_tickets == ()
    assert "t-1" not in str(replace(again, conversation_id=""))
    other = filled.copilot.suggest(AGENT, asks(EMPTY, id="another"))
    assert [one.document_id for one in other.similar_tickets] == ["t-1"]


def test_a_conversation_s_own_ticket_does_not_vote(filled: Parts) -> None:
    full = "my disk is full, the mail file has grown"
    found = filled.copilot.suggest(AGENT, asks(full)).passages
    assert [hit.document_id for hit in found if hit.scores["votes"] == 1] == ["compact-folders"]
    assert {hit.scores["votes"] for hit in filled.copilot.suggest(AGENT, asks(full, id="t-2")).passages} == {0}


class _Odd:
    name = "odd"

    def __init__(self, says: Callable[[int], Any]) -> None:
        self.says = says

    def score(self, question: str, passages: Sequence[str], seconds: float) -> Any:
        return self.says(len(passages))


def _crashes(count: int) -> list[float]:
    raise RuntimeError("the model crashed")


@pytest.mark.parametrize(
    "says",
    [
        _crashes, lambda count: [1.0] * (count - 1), lambda count: [float(n) for n in range(count + 5)], lambda count: [],
        lambda count: [float("nan") if n else 1.0 for n in range(count)], lambda count: [float("inf")] * count, lambda count: ["1"] * count,
        lambda count: 7,
    ],
)  # fmt: skip
def test_a_reranker_that_fails_or_says_no_scores_leaves_the_order_and_a_line_in_the_log(
    filled: Parts, caplog: pytest.LogCaptureFixture, says: Callable[[int], Any]
) -> None:
    plain = filled.copilot.search(AGENT, Query(text="compact folders password", kinds=("article",))).results
    assert reranked(_Odd(says), "compact folders password", plain, seconds=5) == plain
    assert len(caplog.messages) == 1
    assert "reranker odd failed, the order stays" in caplog.text


def test_a_reranker_that_hangs_costs_its_time_and_no_more(filled: Parts, caplog: pytest.LogCaptureFixture) -> None:
    plain = filled.copilot.search(AGENT, Query(text="compact folders password", kinds=("article",))).results
    free, begun, asked = Event(), perf_counter(), list[int]()

    def hangs(count: int) -> list[float]:
        asked.append(count)
        free.wait(20)
        return [float(n) for n in range(count)]

    for _ in range(6):
        assert reranked(_Odd(hangs), "compact folders password", plain, seconds=0.05) == plain
    free.set()
    assert perf_counter() - begun < 10
    assert len(asked) == 4, "those that hang do not pile up"
    assert len(caplog.messages) == 6


def test_a_reranker_that_cannot_be_loaded_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="COPILOT_RERANKER is the folder"):
        build(Settings(home=tmp_path / "home", reranker=str(tmp_path / "nothing")))
