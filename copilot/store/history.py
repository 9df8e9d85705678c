"""Former revisions: those that a stored suggestion quotes stay, so that its citations can be read; the rest may go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, select

from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.values import parts

Revision = tuple[int, int]
"""A document's key, and the revision's number."""


def forget_uncited(database: Database, replaced_before: datetime) -> int:
    """Delete the former revisions that were replaced before then and that no stored suggestion quotes; how many those were."""
    with database.write() as connection:
        gone = _replaced(connection, replaced_before)
        gone -= _cited(connection, {key for key, _ in gone})
        r, by_number = t.revisions.c, dict[int, list[int]]()
        for key, number in gone:
            by_number.setdefault(number, []).append(key)
        for number, keys in by_number.items():
            for some in parts(keys):
                connection.execute(delete(t.revisions).where(r.number == number, r.document.in_(some)))
    return len(gone)


def _replaced(connection: Connection, before: datetime) -> set[Revision]:
    """Retired revisions whose successor came before then."""
    r, later = t.revisions.c, t.revisions.alias("later")
    successor = select(func.min(later.c.created_at))
    successor = successor.where(and_(later.c.document == r.document, later.c.number > r.number))
    query = select(r.document, r.number).where(r.status == "retired", successor.scalar_subquery() < before)
    return {(row.document, row.number) for row in connection.execute(query)}


def _cited(connection: Connection, keys: set[int]) -> set[Revision]:
    """The revisions of these documents that stored suggestions name."""
    found, d, s, m = set[Revision](), t.documents.c, t.suggestions.c, t.mentions.c
    for some in parts(sorted(keys)):
        query = select(d.key, d.id, s.body).join(t.mentions, m.document_id == d.id)
        query = query.join(t.suggestions, and_(s.id == m.suggestion, s.workspace == d.workspace)).where(d.key.in_(some))
        for row in connection.execute(query.execution_options(yield_per=100)):
            found |= {(row.key, number) for id, number in _named(row.body) if id == row.id}
    return found


def _named(body: Any) -> Iterator[tuple[str, int]]:
    """Every (document id, revision number) in a stored suggestion."""
    if isinstance(body, list):
        for one in body:
            yield from _named(one)
    elif isinstance(body, dict):
        if "document_id" in body and isinstance(body.get("revision"), int):
            yield body["document_id"], body["revision"]
        for one in body.values():
            yield from _named(one)
