"""Forgets one customer everywhere, or hands over all that is kept."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, select

from copilot.build import Parts
from copilot.crash import point
from copilot.settings import Settings
from copilot.store import schema as t
from copilot.store.customers import Customers, traces
from copilot.store.database import Database
from copilot.store.uploads import drop_idle
from ingest.backup import Held, held_by_backups, writing_to
from ingest.pipeline import Indexer

SHARED = "shared_conversation"
"""The type of a line that only names a conversation: a person must tell whose words are whose."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was destroyed, and which backups still hold something of the customer."""

    tickets: int
    conversations: int
    suggestions: int
    feedback: int
    unclaimed: int = 0
    """Suggestions of no kept conversation: whose words they held could not be told."""
    backups: list[Held] = field(default_factory=list)


def erase(parts: Parts, workspace: str, customer: str) -> Erased:
    """Destroy the customer's tickets, conversations, suggestions and feedback; no ingest brings their tickets back.

    When this returns no door shows any of it. Traces in the indexes' files go with the next compact; backups are listed, not changed.
    """
    with parts.writing:
        found = Customers(parts.database).traces(workspace, customer)
        if found.tickets:
            Indexer(parts).retire(workspace, found.tickets)
        point("erase.retired")
        Customers(parts.database).forget(workspace, customer)
        unclaimed = parts.records.forget_orphans(workspace)
        parts.database.forget()
        drop_idle(parts.settings, parts.database)  # whose words are in a raw file nobody has read
        point("erase.done")
    backups = held_by_backups(parts.settings, workspace, customer)
    counts = (len(found.tickets), len(found.conversations), len(found.suggestions), found.feedback, unclaimed)
    return Erased(*counts, backups)


def export(settings: Settings, workspace: str, file: Path, customer: str | None = None) -> dict[str, int]:
    """Write everything of the workspace, or of one customer, as JSONL, each line with its `type`; counts by type. A consistent snapshot.

    A conversation that more than one customer had is only named in the export of one of them: who wrote which message is not kept.
    Raises InputError where the file cannot be written.
    """
    counts: dict[str, int] = {}
    with (
        writing_to(file),
        closing(Database(settings.database_url())) as database,
        database.read() as connection,
        open(file, "w", encoding="utf-8", opener=_own) as out,
    ):
        for type, row in _rows(connection, workspace, customer):
            out.write(json.dumps({"type": type, **row}, ensure_ascii=False, default=_text) + "\n")
            counts[type] = counts.get(type, 0) + 1
    return counts


def _own(path: str, flags: int) -> int:
    """Opened so that a new file is its owner's alone: customers' words are in it."""
    return os.open(path, flags, 0o600)


def _rows(connection: Connection, workspace: str, customer: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    d, r, v, s, f, fate = t.documents.c, t.revisions.c, t.conversations.c, t.suggestions.c, t.feedback.c, t.fates.c
    texts = select(d.id.label("document_id"), r.number, r.status, r.head, r.text, r.links, r.created_at)
    texts = texts.join(t.documents, r.document == d.key).where(d.workspace == workspace, r.status != "pending")
    threads = select(v.id, v.body, v.created_at, v.resolved_at).where(v.workspace == workspace)
    made = select(s.id, s.conversation, s.body, s.created_at).where(s.workspace == workspace)
    verdicts = select(t.feedback).join(t.suggestions, s.id == f.suggestion).where(s.workspace == workspace)
    g = t.gaps.c
    lacking = select(g.suggestion, g.reason, g.note, g.created_at, g.reported_at).where(g.workspace == workspace)
    became = select(t.fates).join(t.feedback, f.id == fate.feedback).join(t.suggestions, s.id == f.suggestion)
    became = became.where(s.workspace == workspace)
    if customer is not None:
        theirs = traces(connection, workspace, customer, alone=True)
        shared = set(traces(connection, workspace, customer).conversations) - set(theirs.conversations)
        for id in sorted(shared):
            yield SHARED, {"id": id}
        texts, threads = texts.where(d.id.in_(theirs.tickets)), threads.where(v.id.in_(theirs.conversations))
        made, verdicts, became = (query.where(s.id.in_(theirs.suggestions)) for query in (made, verdicts, became))
        lacking = lacking.where(g.suggestion.in_(theirs.suggestions))
    queries: tuple[tuple[str, Select[Any]], ...] = (
        ("revision", texts.order_by(d.id, r.number)), ("conversation", threads.order_by(v.id)),
        ("suggestion", made.order_by(s.id)), ("feedback", verdicts.order_by(f.id)),
        ("fate", became.order_by(fate.feedback, fate.statement, fate.document_id)), ("gap", lacking.order_by(g.suggestion)),
    )  # fmt: skip
    for type, query in queries:
        for row in connection.execution_options(yield_per=100).execute(query).mappings():
            yield type, dict(row)


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
