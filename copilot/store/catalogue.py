"""The knowledge as its keepers see it: every readable document with its state, where it came from, and the parts that it was cut into."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, func, or_, select

from copilot.domain import Document, Kind
from copilot.errors import NotFound
from copilot.store import schema as t
from copilot.store.arrivals import HEAD
from copilot.store.database import Database
from copilot.text import normalise

DocumentState = Literal["in_force", "waiting", "expired"]
"""Whether it may be found and cited: now, from a later time on, or not any more."""
SOURCE = "source:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A document's head, what it came from (a source's id; null for files and uploads), and what is in force of it."""

    document: Document
    revision: int
    state: DocumentState
    source: str | None
    ingested_at: datetime
    chunks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A chunk of a revision: where it stands, and whether search finds it (a ticket is found by its problem alone)."""

    start: int
    end: int
    headings: tuple[str, ...]
    searchable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries are asked for; None is any. `words` stand in the title or the id."""

    audiences: frozenset[str] | None
    at: datetime
    kind: Kind | None = None
    state: DocumentState | None = None
    source: str | None = None
    words: str | None = None


class Catalogue:
    """Lists documents and their parts."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def entries(self, workspace: str, wanted: Wanted, after: str | None, limit: int) -> list[Entry]:
        """Entries by id, from after one's id."""
        d, r, c = t.documents.c, t.revisions.c, t.chunks.c
        count = select(func.count()).where(c.document == d.key, c.revision == d.active_revision).scalar_subquery()
        query = select(r.head, r.number, r.created_at, d.root, count.label("chunks"))
        query = query.join(t.documents, and_(d.key == r.document, d.active_revision == r.number))
        query = query.where(d.workspace == workspace, *_conditions(wanted), *([d.id > after] if after else []))
        with self._db.read() as connection:
            return [_entry(row, wanted.at) for row in connection.execute(query.order_by(d.id).limit(limit))]

    def counts(self, workspace: str) -> dict[str, int]:
        """How many documents each root has brought, those that only inform ranking included."""
        d = t.documents.c
        query = select(d.root, func.count().label("many")).where(
            d.workspace == workspace, d.active_revision.is_not(None)
        )
        with self._db.read() as connection:
            return {row.root: row.many for row in connection.execute(query.group_by(d.root))}

    def pieces(self, workspace: str, document_id: str, revision: int) -> tuple[Piece, ...]:
        """The chunks of a revision, in order. Raises NotFound."""
        d, r, c = t.documents.c, t.revisions.c, t.chunks.c
        known = select(d.key).join(t.revisions, r.document == d.key)
        known = known.where(d.workspace == workspace, d.id == document_id, r.number == revision, r.use == "answers")
        with self._db.read() as connection:
            key = connection.execute(known).scalar()
            if key is None:
                raise NotFound(f"There is no document {document_id!r} with revision {revision}.")
            query = select(c.start, c.end, c.headings, c.searchable).where(c.document == key, c.revision == revision)
            rows = connection.execute(query.order_by(c.start, c.end, c.id))
            return tuple(
                Piece(start=row.start, end=row.end, headings=tuple(row.headings), searchable=row.searchable)
                for row in rows
            )


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    d = t.documents.c
    waiting, expired = d.valid_from > wanted.at, d.valid_until <= wanted.at
    stands = {
        "waiting": waiting, "expired": expired,
        "in_force": and_(or_(d.valid_from.is_(None), ~waiting), or_(d.valid_until.is_(None), ~expired)),
    }  # fmt: skip
    conditions: list[ColumnElement[bool]] = [d.use == "answers", *([stands[wanted.state]] if wanted.state else [])]
    if wanted.audiences is not None:
        conditions.append(d.audience.in_(sorted(wanted.audiences)))
    if wanted.kind:
        conditions.append(d.kind == wanted.kind)
    if wanted.source:
        conditions.append(d.root == SOURCE + wanted.source)
    if wanted.words:
        words = normalise(wanted.words)
        conditions.append(or_(d.title.icontains(words, autoescape=True), d.id.icontains(words, autoescape=True)))
    return conditions


def _entry(row: Any, at: datetime) -> Entry:
    document = HEAD.validate_python(row.head)
    return Entry(
        document=document, revision=row.number, state=state_of(document, at), ingested_at=row.created_at, chunks=row.chunks,
        source=row.root.removeprefix(SOURCE) if row.root.startswith(SOURCE) else None,
    )  # fmt: skip


def state_of(document: Document, at: datetime) -> DocumentState:
    """Whether the document may be found and cited at this time."""
    if document.valid_until is not None and document.valid_until <= at:
        return "expired"
    return "waiting" if document.valid_from is not None and document.valid_from > at else "in_force"
