"""What agents sent becomes knowledge: the reply that a conversation was resolved with, as a solved ticket under the conversation's id.

It goes the way of every ticket (redacted, distilled, indexed) and counts as sent with the articles that it rests on, so that the next such
question finds them. It is gone when it is undone, when its customer is erased, and as soon as a document that it rests on is changed or deleted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from typing import Any

from copilot.build import Parts
from copilot.domain import PUBLIC, Document, Message, Source
from copilot.errors import EmptyMessage, NotFound, NotKnowledge
from copilot.ports import Raw
from copilot.query import search_text
from copilot.redact import REDACTOR
from copilot.store.jobs import Job
from copilot.store.learned import Learned, Reply
from copilot.store.library import Library
from copilot.store.records import Stored
from copilot.store.withdraw import LEARNED
from ingest.load import PIPELINE
from ingest.pipeline import Indexer
from ingest.summary import Summary
from ingest.tickets import distil


def learn(parts: Parts, workspace: str, conversation: str) -> Summary:
    """Make a solved ticket of the reply that this resolved conversation was closed with; what cannot become one is counted as skipped.

    A ticket of this id that came from elsewhere stays as it is: the help desk knows better.
    """
    summary, learned = Summary(), Learned(parts.database)
    with parts.writing:  # so that nothing is undone or deleted half-way
        row = _row(parts, workspace, conversation)
        if row is None:
            summary.skipped += 1
            return summary
        reply, ticket = row
        indexer = Indexer(parts)
        run = indexer.begin(workspace, LEARNED, summary)
        if conversation not in run.known and (
            parts.ledger.key(workspace, conversation) is not None
            or learned.came_of(workspace, conversation, reply.suggestion.id)
        ):
            summary.skipped += 1
            return summary
        indexer.take(run, [_raw(parts, workspace, ticket, reply)])
        indexer.let_go(run, ())
        if conversation in parts.ledger.known(workspace, LEARNED):
            learned.note(workspace, conversation, reply)
    return summary


def learn_job(parts: Parts, job: Job, progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Handler of `learn` jobs."""
    return asdict(learn(parts, job.workspace, job.payload["conversation"]))


def _row(parts: Parts, workspace: str, conversation: str) -> tuple[Reply, dict[str, Any]] | None:
    """The reply, and the conversation as a help desk's row; None where there is nothing to learn (any more)."""
    if parts.settings.learned_tickets == "off":
        return None
    try:
        stored = parts.records.conversation(workspace, conversation)
    except NotFound:  # erased meanwhile
        return None
    reply = Learned(parts.database).reply(workspace, conversation)
    return (reply, _ticket(stored, reply)) if reply is not None and stored.resolved_at is not None else None


def _ticket(stored: Stored, reply: Reply) -> dict[str, Any]:
    thread = stored.conversation
    asked = replace(thread, subject="", messages=thread.messages[: reply.turns])
    try:
        message = search_text(asked)
    except EmptyMessage:
        message = ""
    sent = Message(author="agent", text=reply.text, at=reply.at)
    return {
        "ticket_id": thread.id, "created": stored.created_at.isoformat(), "status": "solved", "subject": thread.subject,
        "message": message, "thread": [_turn(one, thread.customer.name) for one in (*thread.messages, sent)],
        "solution": reply.text, "solution_by": "agent", "resolved": _iso(stored.resolved_at), "topic": reply.intent,
        "customer": {"id": thread.customer.id, "name": thread.customer.name},
        "language": reply.suggestion.triage.language.label, "cited_docs": [id for id, _ in reply.rests_on],
    }  # fmt: skip


def _turn(message: Message, customer: str | None) -> dict[str, Any]:
    author = customer if message.author == "customer" else None
    return {
        "role": message.author, "text": message.text, "created": _iso(message.at), "visibility": message.visibility, "author": author,
    }  # fmt: skip


def _raw(parts: Parts, workspace: str, ticket: dict[str, Any], reply: Reply) -> Raw:
    audience = parts.settings.learned_tickets
    made = hashlib.sha256(json.dumps([PIPELINE, REDACTOR, audience, ticket], sort_keys=True).encode()).hexdigest()
    return Raw(ticket["ticket_id"], made, partial(_distilled, parts, workspace, ticket, audience, reply.rests_on))


def _distilled(
    parts: Parts, workspace: str, ticket: dict[str, Any], audience: str, rests_on: Iterable[tuple[str, int]]
) -> Source:
    """The ticket, valid no longer than what it rests on. Raises NotKnowledge where some of that says something else by now."""
    documents = [_unchanged(parts.library, workspace, id, revision) for id, revision in rests_on]
    if audience == PUBLIC and any(one.audience != PUBLIC for one in documents):
        raise NotKnowledge("a document that the reply rests on is not public any more")
    ends = [one.valid_until for one in documents if one.valid_until]
    source = distil(ticket, {}, audience, parts.redactor)
    return replace(source, document=replace(source.document, valid_until=min(ends, default=None)))


def _unchanged(library: Library, workspace: str, id: str, revision: int) -> Document:
    try:
        then, now = library.text(workspace, id, revision), library.text(workspace, id)
    except NotFound:
        raise NotKnowledge("a document that the reply rests on is gone") from None
    if then.content_hash != now.content_hash:
        raise NotKnowledge("a document that the reply rests on has changed")
    return now.document


def _iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""
