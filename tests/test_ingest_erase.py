"""A customer who asks to be forgotten is forgotten everywhere, and stays so."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from copilot import crash
from copilot.build import Parts
from copilot.choices import Feedback
from copilot.domain import Conversation, Customer, Message
from copilot.errors import NotFound
from copilot.jobs import JobThread
from copilot.store import schema as t
from copilot.store.audit import Audit
from copilot.store.customers import Customers
from copilot.store.trained import Lesson
from ingest.backup import backup
from ingest.compact import compact
from ingest.erase import erase, export
from ingest.verify import verify
from tests.conftest import AGENT, TICKETS, ingest, write_tickets
from tests.test_copilot_commands import copilot
from tests.test_ingest_compact import held_by
from tests.test_ingest_repair import found

SENT = "Sent folder is empty after the update"


def talk(parts: Parts, id: str, customer: str) -> str:
    """A stored conversation of the customer, with a suggestion and a verdict on it; returns the suggestion's id."""
    words = f"My Sent folder is empty since the update, QUETZALCOATL-{customer}"
    conversation = Conversation(id=id, customer=Customer(id=customer), messages=(Message(text=words),))
    parts.records.keep_conversation("default", conversation)
    made = parts.copilot.suggest(AGENT, conversation)
    given = Feedback(verdict="edited", final_text=f"Dear QUETZALCOATL-{customer}")
    parts.records.keep_feedback("default", made.id, "agent", given, 0.5)
    return made.id


def test_an_erased_customer_is_in_no_door_and_after_compact_in_no_file(filled: Parts, tmp_path: Path) -> None:
    theirs, others = talk(filled, "conv-1", "c-1"), talk(filled, "conv-2", "c-9")
    assert "t-1" in found(filled, SENT)
    done = erase(filled, "default", "c-1")
    assert (done.tickets, done.conversations, done.suggestions, done.feedback, done.backups) == (1, 1, 1, 1, [])
    assert "t-1" not in found(filled, SENT)
    for gone in (
        lambda: filled.records.suggestion("default", theirs),
        lambda: filled.records.conversation("default", "conv-1"),
    ):
        with pytest.raises(NotFound):
            gone()
    assert filled.records.suggestion("default", others).id == others
    assert export(filled.settings, "default", tmp_path / "theirs.jsonl", "c-1") == {}
    compact(filled)
    assert held_by(filled.settings.home, b"QUETZALCOATL-c-1") == []
    assert held_by(filled.settings.home, b"QUETZALCOATL-c-9") != []
    assert verify(filled).problems == []


def test_an_erased_customers_ticket_does_not_come_back_with_the_next_ingest(filled: Parts, folder: Path) -> None:
    erase(filled, "default", "c-1")
    changed = {**TICKETS[0], "message": "Since the update my Sent folder is quite empty, what can I do about it?"}
    write_tickets(folder / "tickets.jsonl", [changed, TICKETS[1]])
    summary = ingest(filled, folder)
    assert (summary.skipped, summary.added) == (1, 0)
    assert "t-1" not in found(filled, SENT)


def test_a_customer_written_as_an_object_is_found_by_id_mail_and_name(parts: Parts, tmp_path: Path) -> None:
    person = {"id": 77, "name": "Ana Sousa", "email": "ana@example.com"}
    write_tickets(tmp_path / "tickets.jsonl", [{**TICKETS[0], "customer": person}])
    ingest(parts, tmp_path / "tickets.jsonl")
    for known_as in ("77", "ana@example.com", "Ana Sousa"):
        assert export(parts.settings, "default", tmp_path / "out.jsonl", known_as) == {"revision": 1}
    assert held_by(parts.settings.home, b"ana@example.com", b"Ana Sousa") == [], "the ledger keeps hashes alone"
    assert erase(parts, "default", "77").tickets == 1


@pytest.mark.parametrize("said", ["zora@example.com", " ZORA@Example.com", "zora  kova\u010d", "Zora Kovac\u030c"])
def test_however_a_person_is_spelt_all_of_theirs_goes(parts: Parts, tmp_path: Path, said: str) -> None:
    person = {"email": "ZORA@example.com", "name": "Zora Kova\u010d"}
    write_tickets(tmp_path / "tickets.jsonl", [{**TICKETS[0], "customer": person}])
    ingest(parts, tmp_path / "tickets.jsonl")
    customer = Customer(id="Zora@example.com", name="ZORA KOVA\u010c")
    thread = Conversation(id="conv-1", customer=customer, messages=(Message(text="My Sent folder is empty"),))
    parts.records.keep_conversation("default", thread)
    other = Customer(id="zora@example.org", name="Zora")
    parts.records.keep_conversation("default", replace(thread, id="conv-2", customer=other))
    done = erase(parts, "default", said)
    assert (done.tickets, done.conversations) == (1, 1)
    parts.records.conversation("default", "conv-2")
    again = {
        **TICKETS[0],
        "message": "Once more: my Sent folder is empty.",
        "customer": {**person, "email": "zora@EXAMPLE.com"},
    }
    write_tickets(tmp_path / "tickets.jsonl", [again])
    assert ingest(parts, tmp_path / "tickets.jsonl").skipped == 1


def test_a_conversation_that_is_known_by_name_alone_is_found_by_it(parts: Parts) -> None:
    thread = Conversation(id="conv-1", customer=Customer(name="Zora Kovac"), messages=(Message(text="It leaks"),))
    parts.records.keep_conversation("default", thread)
    assert erase(parts, "default", "").conversations == 0
    assert erase(parts, "default", "zora kovac").conversations == 1


@pytest.mark.parametrize("known_as", ["c-1", "Ada", "c-2", "Bob"])
def test_a_conversation_that_changed_hands_is_found_by_all_who_had_it(parts: Parts, known_as: str) -> None:
    thread = Conversation(id="conv-1", messages=(Message(text="It leaks"),))
    for customer in (Customer(id="c-1", name="Ada"), Customer(id="c-2"), Customer(name="Bob")):
        parts.records.put_conversation("default", replace(thread, customer=customer))
    kept = parts.records.conversation("default", "conv-1").conversation
    assert (kept.customer.id, kept.customer.name) == (None, "Bob")
    assert erase(parts, "default", known_as).conversations == 1


@pytest.mark.parametrize("known_as", ["c-1", "Ada", "c-2"])
def test_the_export_of_one_customer_holds_no_words_of_another(filled: Parts, tmp_path: Path, known_as: str) -> None:
    talk(filled, "conv-1", "c-1")
    talk(filled, "conv-2", "c-2")
    thread = filled.records.conversation("default", "conv-1").conversation
    named, other = Customer(id="c-1", name="Ada"), Customer(id="c-2", name="Bob")
    for customer in (named, other):
        told = (*thread.messages, Message(text=f"{customer.name} leaks"))
        filled.records.put_conversation("default", replace(thread, customer=customer, messages=told))
    file = tmp_path / "theirs.jsonl"
    counts = export(filled.settings, "default", file, known_as)
    assert counts["shared_conversation"] == 1
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["id"] for row in rows if row["type"] == "shared_conversation"] == ["conv-1"]
    assert "leaks" not in file.read_text()
    assert [row["id"] for row in rows if row["type"] == "conversation"] == (["conv-2"] if known_as == "c-2" else [])
    assert {row["conversation"] for row in rows if row["type"] == "suggestion"} <= {"conv-2"}
    assert counts.get("feedback", 0) == (1 if known_as == "c-2" else 0)


def test_a_customer_of_the_same_id_under_another_name_is_exported_whole(parts: Parts, tmp_path: Path) -> None:
    thread = Conversation(id="conv-1", messages=(Message(text="It leaks"),))
    for name in ("Ada", "Ada Okafor", "Ada"):
        parts.records.put_conversation("default", replace(thread, customer=Customer(id="c-1", name=name)))
    for known_as in ("c-1", "Ada", "ada okafor"):
        assert export(parts.settings, "default", tmp_path / "theirs.jsonl", known_as) == {"conversation": 1}


def test_who_was_erased_by_an_earlier_version_stays_erased_and_its_notes_are_found(
    parts: Parts, tmp_path: Path
) -> None:
    def former(customer: str) -> str:
        return hashlib.sha256(f"default\n{customer}".encode()).hexdigest()

    write_tickets(tmp_path / "tickets.jsonl", [{**TICKETS[0], "customer": "ZORA"}])
    ingest(parts, tmp_path / "tickets.jsonl")
    with parts.database.write() as connection:
        connection.execute(update(t.customers).values(customer=former("ZORA")))
        connection.execute(insert(t.erased).values(workspace="default", customer=former("Adam"), at=datetime.now(UTC)))
    customers = Customers(parts.database)
    assert customers.is_erased("default", ["Adam"])
    assert customers.traces("default", "ZORA").tickets == ("t-1",)
    erase(parts, "default", "ZORA")
    assert customers.is_erased("default", ["zora"])
    assert customers.is_erased("default", ["ZORA"])


def test_another_workspaces_customer_of_that_id_stays(filled: Parts, folder: Path) -> None:
    ingest(filled, folder, workspace="other")
    erase(filled, "other", "c-1")
    assert "t-1" in found(filled, SENT)


def test_backups_that_still_hold_them_are_listed(filled: Parts, tmp_path: Path) -> None:
    talk(filled, "conv-1", "c-1")
    backup(filled.settings, tmp_path / "monday")
    backup(filled.settings, tmp_path / "deleted")
    for file in (tmp_path / "deleted").iterdir():
        file.unlink()
    done = erase(filled, "default", "c-1")
    assert [(Path(held.folder).name, held.tickets, held.conversations) for held in done.backups] == [("monday", 1, 1)]
    backup(filled.settings, tmp_path / "tuesday")
    assert len(erase(filled, "default", "c-1").backups) == 1, "what was backed up after it holds nothing"


@pytest.mark.parametrize("moment", ["backup.copied", "backup.written"])
def test_a_backup_that_was_cut_off_once_its_copy_was_made_is_listed(filled: Parts, tmp_path: Path, moment: str) -> None:
    def die(at: str) -> None:
        if at == moment:
            raise KeyboardInterrupt

    (filled.settings.home / "backups.jsonl").write_text('{"folder": "/cut/o', encoding="utf-8")
    crash.install(die)
    try:
        with pytest.raises(KeyboardInterrupt):
            backup(filled.settings, tmp_path / "killed")
    finally:
        crash.install(None)
    assert [Path(held.folder).name for held in erase(filled, "default", "c-1").backups] == ["killed"]


def test_a_raw_file_whose_job_was_cancelled_is_erased_and_compacted_away(filled: Parts) -> None:
    for act in (lambda: erase(filled, "default", "c-1"), lambda: compact(filled)):
        file = filled.settings.uploads() / "w" / "u" / "tickets.jsonl"
        file.parent.mkdir(parents=True)
        file.write_text("CANARY of c-1", encoding="utf-8")
        job = filled.jobs.add("default", "ingest", {"paths": [str(file)]})
        act()
        assert file.exists(), "its job waits"
        filled.jobs.cancel("default", job.id)
        act()
        assert not file.exists()


def test_the_job_row_that_asked_for_it_forgets_the_name_too(filled: Parts) -> None:
    job = filled.jobs.add("default", "erase", {"customer": "c-1"})
    thread = JobThread(filled)
    thread.start()
    while filled.jobs.get("default", job.id).state in ("queued", "running"):
        pass
    thread.stop()
    after = filled.jobs.get("default", job.id)
    assert (after.state, after.payload, after.result and after.result["tickets"]) == ("done", {}, 1)


def test_an_erase_within_a_suggestion_leaves_none_of_their_words(filled: Parts) -> None:
    words = "My Sent folder is empty since the update, QUETZALCOATL"
    conversation = Conversation(id="conv-1", customer=Customer(id="c-1"), messages=(Message(text=words),))
    filled.records.keep_conversation("default", conversation)
    steps = filled.copilot.stream(AGENT, conversation)
    assert next(steps).name == "triage"
    erase(filled, "default", "c-1")
    with pytest.raises(NotFound):
        list(steps)
    assert held_by(filled.settings.home, b"QUETZALCOATL") == []


def test_suggestions_whose_conversation_is_not_kept_go_with_the_next_erase(filled: Parts) -> None:
    kept = talk(filled, "conv-2", "c-9")
    loose = filled.copilot.suggest(AGENT, Conversation(id="conv-3", messages=(Message(text=SENT),)))
    erase(filled, "default", "c-1")
    assert filled.records.suggestion("default", kept).id == kept
    with pytest.raises(NotFound):
        filled.records.suggestion("default", loose.id)


def test_erasing_one_takes_nothing_that_others_taught(filled: Parts) -> None:
    """A suggestion goes with its conversation at the end of the retention; left alone, the next erase would take it for anybody's."""
    old, other, theirs = talk(filled, "conv-2", "c-2"), talk(filled, "conv-3", "c-3"), talk(filled, "conv-1", "c-1")
    v = t.conversations.c
    with filled.database.write() as connection:
        past = update(t.conversations).where(v.id == "conv-2").values(changed_at=datetime.now(UTC) - timedelta(days=31))
        connection.execute(past)
    for taught_by in ({other}, {other, old}):
        basis = frozenset(f"suggestion/{id}" for id in taught_by)
        filled.trained.keep("default", Lesson(kind="ranking", payload=b"-", figures={}, basis=basis), active=True)

    def in_force() -> list[int]:
        return [one.number for one in filled.trained.all("default", "ranking") if one.state == "active"]

    filled.records.forget_older_than(30)
    with pytest.raises(NotFound):
        filled.records.suggestion("default", old)
    assert in_force() == [1]
    erase(filled, "default", "c-1")
    with pytest.raises(NotFound):
        filled.records.suggestion("default", theirs)
    assert in_force() == [1], "nothing of c-1's taught it"
    erase(filled, "default", "c-3")
    assert in_force() == []


def test_what_agents_noted_of_a_customers_gap_is_exported_with_the_rest(filled: Parts, tmp_path: Path) -> None:
    for id, customer in (("conv-1", "c-1"), ("conv-2", "c-9")):
        filled.gaps.report("default", talk(filled, id, customer), f"the gap of {customer}")
    file = tmp_path / "theirs.jsonl"
    assert export(filled.settings, "default", file, "c-1")["gap"] == 1
    assert "the gap of c-1" in file.read_text()
    assert "c-9" not in file.read_text()
    assert export(filled.settings, "default", file)["gap"] == 2


def test_the_audit_log_forgets_whose_history_was_read(filled: Parts) -> None:
    audit = Audit(filled.database)
    for workspace, customer in (("default", "c-1"), ("default", "C-1 "), ("default", "c-9"), ("other", "c-1")):
        audit.note(workspace, "agent", "customer.read", customer)
    erase(filled, "default", "c-1")
    assert [one.object for one in audit.list("default", principal=None, before=None, limit=9)] == ["c-9", None, None]
    assert [one.object for one in audit.list("other", principal=None, before=None, limit=9)] == ["c-1"]


def test_everything_of_a_workspace_can_be_exported(filled: Parts, tmp_path: Path) -> None:
    talk(filled, "conv-1", "c-1")
    home, file = filled.settings.home, tmp_path / "all.jsonl"
    done = copilot(home, "export", str(file), "--json")
    kept = json.loads(done.stdout)
    assert kept.pop("fate") >= 1, done.stderr  # one for each sentence of the draft
    assert kept == {"revision": 5, "conversation": 1, "suggestion": 1, "feedback": 1}
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    texts = {row["document_id"]: row["text"] for row in rows if row["type"] == "revision"}
    assert "30 minutes" in texts["reset-password"]
    assert copilot(home, "export", str(file), "--workspace", "other").stdout.strip() == "nothing is kept"
