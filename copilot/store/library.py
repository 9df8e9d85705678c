"""Reading side of the ledger: documents, their revisions and texts, as seen through a view."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select

from copilot.domain import Document, Kind
from copilot.errors import NotFound
from copilot.store import schema as t
from copilot.store.arrivals import HEAD
from copilot.store.customers import pseudonyms
from copilot.store.database import Database
from copilot.store.frames import CLOCK, View, clock, unknown
from copilot.store.values import now, parts

TEXTS = (
    select(
        t.documents.c.id, t.revisions.c.number, t.revisions.c.text, t.revisions.c.answer_start, CLOCK.scalar_subquery()
    )
    .join(t.documents, t.documents.c.key == t.revisions.c.document)
    .where(t.documents.c.workspace == bindparam("workspace"), t.documents.c.id.in_(bindparam("ids", expanding=True)))
)
"""Put together once, as all that every suggestion asks: with the index revision in the same breath."""
MOMENT = select(
    t.workspaces.c.clock,
    t.workspaces.c.created_at,
    *(
        select(func.max(column))
        .where(t.documents.c.workspace == t.workspaces.c.id, column <= bindparam("now"))
        .scalar_subquery()
        for column in (t.documents.c.valid_from, t.documents.c.valid_until)
    ),
).where(t.workspaces.c.id == bindparam("workspace"))
DATES = select(t.documents.c.id, t.documents.c.updated_at, t.documents.c.resolved_at, t.documents.c.known_since).where(
    t.documents.c.workspace == bindparam("workspace"), t.documents.c.id.in_(bindparam("ids", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Text:
    """A revision's whole text; a ticket's resolution begins at `answer_start`."""

    document: Document
    number: int
    text: str
    content_hash: str
    status: str
    answer_start: int


class Library:
    """Looks things up in the ledger, as seen through a view."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def clock(self, workspace: str) -> str:
        """The workspace's index revision: it moves with each switch or deletion. Raises NotFound for an unknown workspace."""
        with self._db.read() as connection:
            return clock(connection, workspace)

    def moment(self, workspace: str) -> tuple[str, datetime]:
        """The index revision, and the last moment at which a document became valid or ceased to be: what is seen at it is what is seen
        now, to the byte. Raises NotFound for an unknown workspace."""
        with self._db.read() as connection:
            row = connection.execute(MOMENT, {"workspace": workspace, "now": now()}).first()
        if row is None:
            raise unknown(workspace)
        revision, *times = row
        return str(revision), max(time for time in times if time is not None)

    def census(self, workspace: str) -> tuple[int, str]:
        """How many documents are active, and one hash over their ids, kinds and texts: equal corpora have equal hashes."""
        d, r = t.documents.c, t.revisions.c
        query = select(d.id, d.use, r.content_hash).join(
            t.revisions, and_(d.key == r.document, d.active_revision == r.number)
        )
        with self._db.read() as connection:
            rows = sorted(tuple(row) for row in connection.execute(query.where(d.workspace == workspace)))
        return len(rows), hashlib.sha256(repr(rows).encode()).hexdigest()

    def links(self, workspace: str) -> dict[str, tuple[str, ...]]:
        """Ticket id -> the articles that its agents sent, for evaluation: nothing here is shown."""
        d, sent = t.documents.c, defaultdict[str, list[str]](list)
        query = (
            select(d.id, t.links.c.target).join(t.links, t.links.c.document == d.key).where(d.workspace == workspace)
        )
        with self._db.read() as connection:
            for row in connection.execute(query.order_by(d.id, t.links.c.target)):
                sent[row.id].append(row.target)
        return {id: tuple(targets) for id, targets in sent.items()}

    def text(self, workspace: str, document_id: str, number: int | None = None) -> Text:
        """A revision (the active one by default) with its text. Raises NotFound. A ranking-only question is never found."""
        d, r = t.documents.c, t.revisions.c
        query = select(t.revisions).join(t.documents, d.key == r.document)
        query = query.where(d.workspace == workspace, d.id == document_id, r.use == "answers", r.status != "pending")
        query = query.where(r.number == (d.active_revision if number is None else number))
        with self._db.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFound(f"There is no document {document_id!r}" + (f" with revision {number}." if number else "."))
        head = HEAD.validate_python(row["head"])
        return Text(head, row["number"], row["text"], row["content_hash"], row["status"], row["answer_start"])

    def texts(
        self, workspace: str, revisions: Collection[tuple[str, int]]
    ) -> tuple[dict[tuple[str, int], tuple[str, int]], str]:
        """Text and start of the answer of each (document id, revision number), and the index revision at which they were read."""
        with self._db.read() as connection:
            rows = [
                row for ids in parts(sorted({id for id, _ in revisions}))
                for row in connection.execute(TEXTS, {"workspace": workspace, "ids": ids})
            ]  # fmt: skip
            read_at = str(rows[0][-1]) if rows else clock(connection, workspace)
        found = {(id, number): (text, start) for id, number, text, start, _ in rows if (id, number) in revisions}
        return found, read_at

    def dates(self, workspace: str, ids: Collection[str]) -> dict[str, str]:
        """The day on which each of the documents was last changed or resolved, as ISO writes it; those without one are left out."""
        with self._db.read() as connection:
            rows = connection.execute(DATES, {"workspace": workspace, "ids": sorted(ids)}).all()
        days = {id: next((at.date().isoformat() for at in times if at is not None), None) for id, *times in rows}
        return {id: day for id, day in days.items() if day}

    def audiences(self, workspace: str, ids: Collection[str]) -> dict[str, set[str]]:
        """Every audience that each of the documents has had, in any revision."""
        d, r = t.documents.c, t.revisions.c
        found: dict[str, set[str]] = {}
        with self._db.read() as connection:
            for some in parts(ids):
                query = select(d.id, r.head).join(t.documents, d.key == r.document).where(d.workspace == workspace)
                for row in connection.execute(query.where(d.id.in_(some))):
                    found.setdefault(row.id, set()).add(row.head["audience"])
        return found

    def revisions(self, workspace: str, document_id: str) -> list[tuple[int, str, datetime]]:
        """Number, status and time of each revision, oldest first."""
        d, r = t.documents.c, t.revisions.c
        query = select(r.number, r.status, r.created_at).join(t.documents, d.key == r.document)
        query = query.where(d.workspace == workspace, d.id == document_id, r.use == "answers", r.status != "pending")
        with self._db.read() as connection:
            return [(row.number, row.status, row.created_at) for row in connection.execute(query.order_by(r.number))]

    def of_customer(self, view: View, customer: str, limit: int) -> list[Document]:
        """The visible tickets that came from a customer, the latest first."""
        d, r, c = t.documents.c, t.revisions.c, t.customers.c
        query = select(r.head).join(t.documents, and_(d.key == r.document, d.active_revision == r.number))
        theirs = select(c.document).where(c.customer.in_(pseudonyms(view.workspace, customer)))
        query = query.where(*_visible(view), d.key.in_(theirs))
        query = query.order_by(d.known_since.desc(), d.id).limit(limit)
        with self._db.read() as connection:
            return [HEAD.validate_python(head) for head in connection.execute(query).scalars()]

    def documents(self, view: View, *, kind: Kind | None, after: str | None, limit: int) -> list[tuple[Document, int]]:
        """Visible documents with their active revision's number, by id; `after` is the last id of the page before."""
        d, r = t.documents.c, t.revisions.c
        query = select(r.head, r.number).join(t.documents, and_(d.key == r.document, d.active_revision == r.number))
        query = query.where(*_visible(view), *([d.kind == kind] if kind else []), *([d.id > after] if after else []))
        with self._db.read() as connection:
            return [
                (HEAD.validate_python(row.head), row.number)
                for row in connection.execute(query.order_by(d.id).limit(limit))
            ]


def _visible(view: View) -> list[ColumnElement[bool]]:
    """The conditions under which a document's row is seen through the view."""
    d = t.documents.c
    conditions = [d.workspace == view.workspace, d.use == "answers", d.active_revision.is_not(None)]
    conditions.append(or_(d.valid_from.is_(None), d.valid_from <= view.as_of))
    conditions.append(or_(d.valid_until.is_(None), d.valid_until > view.as_of))
    if view.audiences is not None:
        conditions.append(d.audience.in_(sorted(view.audiences)))
    if view.before is not None:
        conditions.append(or_(d.known_since.is_(None), d.known_since <= view.before))
    if view.language is not None:
        conditions.append(or_(d.language.is_(None), d.language == view.language))
    return conditions
