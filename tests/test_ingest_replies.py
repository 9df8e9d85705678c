"""A reply that solved a conversation becomes a ticket; and every way in which that ticket goes again."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from copilot.build import Parts
from copilot.choices import Feedback
from copilot.domain import Conversation, Customer, Message
from copilot.errors import NotFound
from copilot.ports import Raw
from copilot.store import schema as t
from copilot.store.learned import Learned
from copilot.store.withdraw import LEARNED
from ingest import embed
from ingest.erase import erase, export
from ingest.pipeline import Indexer
from ingest.replies import learn, learn_job
from ingest.summary import Summary
from ingest.tickets import distil
from ingest.verify import verify
from tests.conftest import AGENT, TICKETS, client_of, ingest, write_tickets
from tests.test_ingest_repair import found

ASK = "How do I compact a folder to free disk space? I am Brunhilde Sandvik, brunhilde@example.com."
NEW = "My disk is full, how can I compact the folder?"


def closed(parts: Parts, given: Feedback, id: str = "closed-1", text: str = ASK) -> str:
    """A conversation with one decision on it, resolved; returns the suggestion's id."""
    who = Customer(id="c-9", name="Brunhilde Sandvik")
    note = Message(author="agent", visibility="private", text="PRIVATE-OBELISK do not tell them")
    conversation = Conversation(id=id, customer=who, messages=(Message(text=text), note))
    parts.records.put_conversation("default", conversation)
    made = parts.copilot.suggest(AGENT, conversation)
    parts.records.keep_feedback("default", made.id, "agent-7", given, 0.0)
    parts.records.resolve("default", id)
    return made.id


def learned(parts: Parts, given: Feedback | None = None, id: str = "closed-1") -> Summary:
    closed(parts, given or Feedback(verdict="accepted"), id)
    return learn(parts, "default", id)


def test_an_accepted_reply_becomes_a_redacted_ticket_that_the_next_question_finds(filled: Parts) -> None:
    made = closed(filled, Feedback(verdict="accepted"))
    assert learn(filled, "default", "closed-1").added == 1
    text = filled.library.text("default", "closed-1")
    assert (text.document.kind, text.document.audience, text.document.solution_by) == ("ticket", "public", "agent")
    assert "Choose Compact" in text.text[text.answer_start :]
    for private in ("Brunhilde", "brunhilde@example.com", "PRIVATE-OBELISK"):
        assert private not in text.text
    assert "closed-1" in found(filled, NEW)
    assert filled.library.links("default")["closed-1"] == ("compact-folders",)
    (origin,) = Learned(filled.database).list("default")
    assert (origin.suggestion, origin.principal, origin.in_force) == (made, "agent-7", True)
    assert learn(filled, "default", "closed-1").unchanged == 1
    assert verify(filled).problems == []


def test_an_edited_reply_is_learned_as_it_was_sent(filled: Parts) -> None:
    learned(filled, Feedback(verdict="edited", final_text="Dear Brunhilde, please ring us and we compact it for you."))
    text = filled.library.text("default", "closed-1").text
    assert "ring us" in text
    assert "Brunhilde" not in text
    assert "closed-1" not in filled.library.links("default"), "nothing of the article is left in it"


@pytest.mark.parametrize("given", [Feedback(verdict="rejected"), None])
def test_what_was_not_sent_or_not_resolved_is_not_learned(filled: Parts, given: Feedback | None) -> None:
    closed(filled, given or Feedback(verdict="accepted"))
    if given is None:
        filled.records.add_message("default", "closed-1", Message(text="It does not work."))
    assert learn(filled, "default", "closed-1").skipped == 1
    with pytest.raises(NotFound):
        filled.library.text("default", "closed-1")


def test_the_setting_keeps_it_inside_or_leaves_it(filled: Parts) -> None:
    staff = replace(filled, settings=filled.settings.model_copy(update={"learned_tickets": "internal"}))
    off = replace(filled, settings=filled.settings.model_copy(update={"learned_tickets": "off"}))
    closed(filled, Feedback(verdict="accepted"))
    assert learn(off, "default", "closed-1").skipped == 1
    learn(staff, "default", "closed-1")
    assert filled.library.text("default", "closed-1").document.audience == "internal"


def test_a_ticket_of_the_help_desk_is_never_replaced_and_takes_the_place_of_ours(filled: Parts, folder: Path) -> None:
    assert learned(filled, id="t-1").skipped == 1
    assert "Repair Folder" in filled.library.text("default", "t-1").text
    assert learned(filled, id="t-9").added == 1
    write_tickets(folder / "tickets.jsonl", [*TICKETS, {**TICKETS[0], "ticket_id": "t-9"}])
    ingest(filled, folder)
    assert "Repair Folder" in filled.library.text("default", "t-9").text
    assert learn(filled, "default", "t-9").skipped == 1


@pytest.mark.parametrize("at_once", [512, 1])
def test_it_does_so_too_with_the_same_words_where_the_article_changes_in_the_same_breath(
    filled: Parts, folder: Path, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed, "BATCH_CHUNKS", at_once)
    all_read = lambda ready, awaited: iter(list(embed.in_batches(ready, awaited)))  # noqa: E731
    monkeypatch.setattr("ingest.pipeline.in_batches", all_read)
    row = {**TICKETS[0], "ticket_id": "t-9", "cited_docs": ["compact-folders"]}
    indexer, summary = Indexer(filled), Summary()
    run = indexer.begin("default", LEARNED, summary)
    rests = {**row, "ticket_id": "t-10", "cited_docs": ["t-9"]}
    for id, made in (("t-9", row), ("t-10", rests)):
        indexer.take(run, [Raw(id, "1", partial(distil, made, {}, "public", filled.redactor))])
    assert (summary.added, filled.library.links("default")["t-9"]) == (2, ("compact-folders",))
    write_tickets(folder / "tickets.jsonl", [*TICKETS, row])
    file = folder / "compact-folders.md"
    file.write_text(file.read_text(encoding="utf-8").replace("Choose Compact", "Choose Squeeze"), encoding="utf-8")
    assert ingest(filled, folder, audience="public").failed == 0
    assert "Repair Folder" in filled.library.text("default", "t-9").text
    assert "Squeeze" in filled.library.text("default", "compact-folders").text
    assert (filled.ledger.key("default", "t-10") is not None) == (at_once == 512), "nothing of what it rests on changed"
    assert verify(filled).problems == []


def test_an_edited_or_deleted_article_takes_the_replies_with_it_that_rest_on_it(filled: Parts, folder: Path) -> None:
    learned(filled)
    file = folder / "compact-folders.md"
    file.write_text(file.read_text(encoding="utf-8").replace("Choose Compact", "Choose Squeeze"), encoding="utf-8")
    ingest(filled, folder)
    assert "closed-1" not in found(filled, NEW)
    assert learn(filled, "default", "closed-1").skipped == 1, "what it rested on has changed"
    assert learned(filled, id="closed-2").added == 1
    learned(filled, id="closed-3")
    Indexer(filled).retire("default", ["compact-folders"])
    assert not {"closed-2", "closed-3"} & set(found(filled, NEW))
    assert verify(filled).problems == []
    with filled.database.read() as connection:
        assert "Squeeze" not in str(connection.execute(select(t.revisions.c.text)).all())


def test_a_new_revision_with_the_same_words_leaves_them(filled: Parts, folder: Path) -> None:
    learned(filled)
    file = folder / "compact-folders.md"
    file.write_text(
        file.read_text(encoding="utf-8").replace("url: https://help", "url: https://docs"), encoding="utf-8"
    )
    assert ingest(filled, folder).changed == 1
    assert "closed-1" in found(filled, NEW)


def test_an_article_that_becomes_internal_takes_public_replies_with_it(filled: Parts, folder: Path) -> None:
    learned(filled)
    file = folder / "compact-folders.md"
    file.write_text(file.read_text(encoding="utf-8").replace("url:", "audience: internal\nurl:"), encoding="utf-8")
    ingest(filled, folder)
    assert "closed-1" not in found(filled, NEW)


def test_erasing_the_customer_takes_the_ticket_and_where_it_came_from(filled: Parts) -> None:
    learned(filled)
    erase(filled, "default", "c-9")
    assert "closed-1" not in found(filled, NEW)
    assert Learned(filled.database).list("default") == []


def test_so_does_erasing_a_customer_who_became_known_after_the_reply_was_learned(filled: Parts, tmp_path: Path) -> None:
    learned(filled)
    thread = filled.records.conversation("default", "closed-1").conversation
    filled.records.put_conversation("default", replace(thread, customer=Customer(id="c-77")))
    told = export(filled.settings, "default", tmp_path / "theirs.jsonl", "c-77")
    assert told == {"shared_conversation": 1}, "the ticket was made of the words of c-9"
    assert erase(filled, "default", "c-77").tickets == 1
    assert "closed-1" not in found(filled, NEW)


def test_another_reply_in_the_reopened_conversation_is_its_next_revision(filled: Parts) -> None:
    learned(filled)
    learned(filled, Feedback(verdict="edited", final_text="Please ring us."))
    text = filled.library.text("default", "closed-1")
    assert text.number == 2
    assert "ring us" in text.text


def work(parts: Parts) -> list[dict[str, Any]]:
    """What the job thread does, here and now."""
    done = []
    while job := parts.jobs.claim():
        assert job.kind == "learn"
        done.append(learn_job(parts, job, lambda progress: None))
        parts.jobs.finish(job.id, None, None)
    return done


def test_over_http_resolving_teaches_and_one_call_takes_it_back(filled: Parts) -> None:
    with client_of(filled) as client:
        asked = {"conversation": {"id": "h-1", "messages": [{"text": ASK}]}}
        made = client.post("/v1/suggestions", json=asked).json()
        client.post("/v1/conversations/h-1/resolve")
        assert work(filled) == [], "nothing was sent yet"
        client.post(f"/v1/suggestions/{made['id']}/feedback", json={"verdict": "accepted"})
        assert [one["added"] for one in work(filled)] == [1]
        (origin,) = client.get("/v1/learned").json()["learned"]
        assert (origin["document_id"], origin["suggestion"], origin["in_force"]) == ("h-1", made["id"], True)
        assert client.delete("/v1/learned/h-1").status_code == 204
        assert client.get("/v1/documents/h-1").status_code == 404
        (origin,) = client.get("/v1/learned").json()["learned"]
        assert not origin["in_force"]
        assert origin["undone_at"]
        client.post("/v1/conversations/h-1/resolve")
        assert [one["skipped"] for one in work(filled)] == [1], "undone stays undone"
        assert client.delete("/v1/learned/unknown").status_code == 404
