"""Tables as sources: a row a document, columns as the source has them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from copilot.build import Parts
from copilot.errors import InputError, MassDeletion, SourceFailed
from copilot.retrieve import Query
from copilot.store.sources import Sources, Upstream
from copilot.store.values import now
from ingest.connect import connector_of
from ingest.summary import Summary
from ingest.sync import Syncer, Wish
from tests.conftest import ADMIN, AGENT, TICKETS, write_tickets

W = "default"


def source(path: Path, **options: str) -> Upstream:
    return Upstream(workspace=W, id="faq", connector="table", address=str(path), options=options)


def sync(parts: Parts, upstream: Upstream, **wish: bool) -> Summary:
    if not Sources(parts.database).list(W):
        Sources(parts.database).add(upstream)
    return Syncer(parts).sync(upstream, Wish(**wish))


def ids(parts: Parts) -> list[str]:
    return sorted(one.id for one in parts.ledger.known(W, "source:faq").values())


CSV = """Key;Question;Answer;Who;Until
1;How do I reset the kettle?;"Press the **button** under the base, for five seconds.";public;
2;What may I refund?;Up to 40 euro without asking. KRAKATOA.;internal;
3;Is the old lamp sold?;It was sold until last year. VESUVIUS.;public;2020-01-01
4;What does legal say?;Nothing in writing. STROMBOLI.;team:legal;
"""
MAPPED = {
    "kind": "article", "map.doc_id": "Key", "map.title": "Question", "map.text": "Answer", "map.audience": "Who",
    "map.valid_until": "Until",
}  # fmt: skip


@pytest.fixture
def faq(tmp_path: Path) -> Path:
    file = tmp_path / "faq.csv"
    file.write_text(CSV, encoding="utf-8")
    return file


def test_a_row_is_an_article_with_its_audience_and_its_time(parts: Parts, faq: Path) -> None:
    made = sync(parts, source(faq, **MAPPED))
    assert (made.added, made.failed, ids(parts)) == (4, 0, [f"faq/{n}" for n in (1, 2, 3, 4)])
    found = parts.library.text(W, "faq/1")
    assert (found.document.title, found.text) == (
        "How do I reset the kettle?",
        "Press the button under the base, for five seconds.",
    )
    for word, whom, seen in (
        ("KRAKATOA", AGENT, True), ("VESUVIUS", ADMIN, False), ("STROMBOLI", AGENT, False), ("STROMBOLI", ADMIN, True),
    ):  # fmt: skip
        results = parts.copilot.search(whom, Query(text=word, kinds=("article",))).results
        assert any(word in passage.text for hit in results for passage in hit.passages) is seen, word


def test_rows_are_changed_added_and_retired(parts: Parts, faq: Path) -> None:
    upstream = source(faq, **MAPPED)
    sync(parts, upstream)
    faq.write_text(CSV.replace("five seconds", "nine seconds").replace("\n3;", "\n33;"), encoding="utf-8")
    made = sync(parts, upstream)
    assert (made.changed, made.added, made.retired) == (1, 1, 1)
    assert "nine seconds" in parts.library.text(W, "faq/1").text


def test_json_rows_with_lists_and_html_are_read(parts: Parts, tmp_path: Path) -> None:
    file = tmp_path / "faq.jsonl"
    row = {"doc_id": "lamp", "title": "The lamp", "text": "<p>Turn the <b>switch</b>.</p>", "topics": ["light"], "products": ["lamp"],
           "url": "https://help.example/lamp", "updated_at": "2026-01-31", "valid_from": (now() + timedelta(days=1)).isoformat()}  # fmt: skip
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert sync(parts, source(file, kind="macro", format="html")).added == 1
    found = parts.library.text(W, "faq/lamp")
    assert (found.text, found.document.kind, found.document.products) == ("Turn the switch.", "macro", ("lamp",))
    assert found.document.updated_at == datetime(2026, 1, 31, tzinfo=UTC)
    hits = parts.copilot.search(ADMIN, Query(text="turn the switch", kinds=("macro",))).results
    assert hits == (), "it is not valid yet"


def test_broken_rows_are_named_and_cost_no_document_that_is_known(parts: Parts, faq: Path) -> None:
    upstream = source(faq, **MAPPED)
    sync(parts, upstream)
    faq.write_text(
        CSV.split("\n4;")[0] + "\n;No key;x;public;\n1;Twice;x;public;\n5;Bad audience;x;everybody;\n", encoding="utf-8"
    )
    made = sync(parts, upstream)
    assert (made.failed, made.retired, ids(parts)) == (3, 0, [f"faq/{n}" for n in (1, 2, 3, 4)])
    reasons = " ".join(problem.reason for problem in made.problems)
    assert "has no Key" in reasons
    assert "the same doc_id again: 1" in reasons
    assert "public, internal or team:NAME" in reasons


def test_an_emptied_table_asks(parts: Parts, faq: Path) -> None:
    sync(parts, source(faq, **MAPPED))
    faq.write_text(CSV.splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(MassDeletion):
        sync(parts, source(faq, **MAPPED))


def test_a_table_of_tickets_is_read_with_its_own_names(parts: Parts, tmp_path: Path) -> None:
    file = tmp_path / "tickets.jsonl"
    write_tickets(
        file, [{("Nr" if key == "ticket_id" else key): value for key, value in row.items()} for row in TICKETS]
    )
    assert sync(parts, source(file, **{"map.ticket_id": "Nr"})).added == 2
    assert "OBELISK" not in parts.library.text(W, "t-1").text


@pytest.mark.parametrize(
    ("options", "name", "advice"),
    [
        ({"kind": "memo"}, "x.csv", "kind is 'memo'"),
        ({"format": "pdf"}, "x.csv", "format is 'pdf'"),
        ({}, "x.xlsx", "is no table"),
    ],
)
def test_what_cannot_be_a_table_is_said(
    parts: Parts, tmp_path: Path, options: dict[str, str], name: str, advice: str
) -> None:
    with pytest.raises(InputError, match=advice):
        connector_of(source(tmp_path / name, **options), parts.settings)


@pytest.mark.parametrize("kind", ["article", "ticket"])
def test_a_table_that_is_gone_retires_nothing(parts: Parts, faq: Path, kind: str) -> None:
    upstream = source(faq, **{**MAPPED, "kind": kind} if kind == "article" else {})
    sync(parts, upstream)
    known = ids(parts)
    faq.unlink()
    with pytest.raises(SourceFailed):
        sync(parts, upstream, allow_mass_delete=True)
    assert ids(parts) == known
