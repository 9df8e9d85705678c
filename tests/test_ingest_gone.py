"""Deleted means gone: from the return of the call through no door, and after compact in no file."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from copilot.build import Parts
from copilot.store.quarantine import Quarantine, Tried
from ingest import reembed
from ingest.compact import compact
from ingest.erase import erase, export
from ingest.pipeline import Indexer
from ingest.verify import verify
from tests.conftest import client_of, ingest, write_tickets
from tests.test_ingest_compact import held_by
from tests.test_ingest_reembed import Killed, alive, killed_at, other_of

assert alive
CANARY = "quokkadrome"
ARTICLE = f"""---
doc_id: wheel
title: Turn the {CANARY} wheel
---

# Turn the {CANARY} wheel

Turn the {CANARY} wheel to the left until it clicks. The {CANARY} wheel clicks 17 times.
"""
TICKET = {
    "ticket_id": "t-9", "created": "2025-02-01 10:00:00 +0000", "customer": "c-9", "subject": "The wheel is stuck",
    "message": f"My {CANARY} wheel is stuck and does not turn at all", "status": "solved",
    "solution": f"Hold the {CANARY} wheel with both hands and turn it slowly to the right until it gives way.",
}  # fmt: skip
PLAIN = "How do I turn the wheel until it clicks?"
QUESTION = f"How do I turn the {CANARY} wheel to the left until it clicks?"
ASKED = {
    "conversation": {
        "id": "conv-9",
        "customer": {"id": "c-8"},
        "messages": [{"text": PLAIN}],
    }
}
ONCE = {"Idempotency-Key": "once"}


@pytest.fixture
def mine(filled: Parts, folder: Path) -> Iterator[TestClient]:
    """A server that knows the canaries, in an article and in a customer's ticket, and has shown them."""
    (folder / "wheel.md").write_text(ARTICLE)
    write_tickets(folder / "more.jsonl", [TICKET])
    ingest(filled, folder)
    killed_at("reembed.filled")
    with pytest.raises(Killed):
        reembed.reembed(filled, other_of(filled))  # a shadow holds vectors of it too
    killed_at("no point")
    Quarantine(filled.database).note("default", str(folder.resolve()), "wheel.md", "f", Tried(2, f"{CANARY} overran"))
    with client_of(filled) as client:
        yield client


def shown(client: TestClient, parts: Parts, folder: Path) -> list[str]:
    """The doors through which the canary can be seen."""
    made = client.post("/v1/suggestions", json=ASKED, headers=ONCE)
    export(parts.settings, "default", folder / "all.jsonl")
    doors = {
        "replay": made.text,
        "stored": client.get(f"/v1/suggestions/{made.json()['id']}").text,
        "search": client.get("/v1/search", params={"q": QUESTION.replace(CANARY, "")}).text,
        "words": client.get("/v1/search", params={"q": CANARY}).text.replace(f'"q":"{CANARY}"', ""),
        "draft": client.post("/v1/suggestions", json={"conversation": {"messages": [{"text": f"{PLAIN} Now."}]}}).text,
        "documents": client.get("/v1/documents").text,
        "document": client.get("/v1/documents/wheel").text + client.get("/v1/documents/t-9").text,
        "revision": client.get("/v1/documents/wheel", params={"revision": 1}).text,
        "jobs": client.get("/v1/jobs").text,
        "export": (folder / "all.jsonl").read_text(),
        "rows": json.dumps([repr(row) for row in rows(parts)]),
    }
    return sorted(name for name, text in doors.items() if CANARY in text.lower())


def rows(parts: Parts) -> Iterator[object]:
    """Every row of every table."""
    from copilot.store.schema import metadata

    with parts.database.read() as connection:
        for table in metadata.sorted_tables:
            yield from connection.execute(table.select())


def test_what_was_deleted_and_erased_is_in_no_door_no_log_and_after_compact_in_no_file(
    mine: TestClient, filled: Parts, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # the client of this test, which asks with the word
    before = shown(mine, filled, tmp_path)
    assert held_by(filled.settings.home, CANARY[:-1].encode())
    assert {"replay", "stored", "search", "words", "draft", "documents", "document", "revision", "export", "rows"} <= {
        *before
    }
    Indexer(filled).retire("default", ["wheel"])
    erase(filled, "default", "c-9")
    assert shown(mine, filled, tmp_path) == []
    needle = CANARY[:-1].encode()  # its stem, as the lexical index has it
    compact(filled)
    assert held_by(filled.settings.home, needle, CANARY.title().encode()) == []
    assert CANARY not in caplog.text
    assert verify(filled).problems == []


def test_memory_that_held_deleted_words_is_not_written_by_compact(filled: Parts) -> None:
    for _ in range(3):
        freed = [f"{CANARY} {at} ".encode() * 300 for at in range(2000)]
        del freed
        compact(filled)
        assert held_by(filled.settings.home, CANARY.encode()) == []


def test_an_upload_whose_job_failed_leaves_no_file(filled: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingest.pipeline import ingest_job
    from tests.test_ingest_reembed import job

    place = filled.settings.uploads() / "u1"
    place.mkdir(parents=True)
    (place / "wheel.md").write_text(ARTICLE)
    monkeypatch.setattr(filled.ledger, "stage", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ingest_job(filled, job(paths=[str(place / "wheel.md")]), lambda progress: None)
    assert list(filled.settings.uploads().iterdir()) == []
