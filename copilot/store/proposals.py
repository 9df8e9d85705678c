"""Articles proposed from solved tickets: which stretches of which tickets they are made of, and what was decided. Their text is the tickets'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

from copilot.domain import Document
from copilot.errors import Conflict, NotFound
from copilot.store import schema as t
from copilot.store.arrivals import HEAD
from copilot.store.database import Database
from copilot.store.values import now

State = Literal["waiting", "approved", "rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of a ticket's revision."""

    document: Document
    key: int
    revision: int
    start: int
    end: int
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A proposal as it is stored, its stretches with their words."""

    id: str
    state: State
    title: str | None
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None
    document_id: str | None
    stretches: tuple[Stretch, ...]


class ProposalStore:
    """Keeps and finds proposals, each within its workspace."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, workspace: str, id: str, stretches: Sequence[Stretch]) -> bool:
        """Put a proposal into the queue; False where it is known, or a ticket of it was deleted meanwhile."""
        p = t.proposals.c
        with self._db.write() as connection:
            known = connection.execute(select(p.id).where(p.workspace == workspace, p.id == id)).first()
            if known or not _all_there(connection, {one.key for one in stretches}):
                return False
            connection.execute(
                insert(t.proposals).values(workspace=workspace, id=id, state="waiting", created_at=now())
            )
            connection.execute(insert(t.proposal_parts), [
                {"workspace": workspace, "proposal": id, "position": at, "document": one.key, "revision": one.revision,
                 "start": one.start, "end": one.end}
                for at, one in enumerate(stretches)
            ])  # fmt: skip
        return True

    def list(self, workspace: str, state: State | None = None) -> list[Kept]:
        """Those in one state, or all: what waits first, the newest first."""
        p = t.proposals.c
        wanted = [p.workspace == workspace, *([p.state == state] if state else [])]
        with self._db.read() as connection:
            found = _kept(connection, wanted)
        return sorted(found, key=lambda one: (one.state != "waiting", -one.created_at.timestamp(), one.id))

    def get(self, workspace: str, id: str) -> Kept:
        """One proposal. Raises NotFound."""
        p = t.proposals.c
        with self._db.read() as connection:
            found = _kept(connection, [p.workspace == workspace, p.id == id])
        if not found:
            raise NotFound(f"There is no proposal {id!r}.")
        return found[0]

    def decide(self, workspace: str, id: str, before: tuple[State, ...], state: State, **values: Any) -> None:
        """Move the proposal on, with who decided and why. Raises Conflict where it is in none of the states `before`."""
        p = t.proposals.c
        mine = and_(p.workspace == workspace, p.id == id, p.state.in_(sorted(before)))
        with self._db.write() as connection:
            if not connection.execute(update(t.proposals).where(mine).values(state=state, **values)).rowcount:
                raise Conflict(f"The proposal is not {' or '.join(sorted(before))} any more. Look at it again.")

    def sources(self, workspace: str) -> set[int]:
        """The keys of all tickets that a proposal was made of."""
        with self._db.read() as connection:
            c = t.proposal_parts.c
            return set(connection.execute(select(c.document).where(c.workspace == workspace).distinct()).scalars())


def _all_there(connection: Connection, keys: set[int]) -> bool:
    d = t.documents.c
    found = connection.execute(
        select(d.key).where(d.key.in_(sorted(keys)), d.active_revision.is_not(None)).with_for_update(read=True)
    )
    return set(found.scalars()) == keys


def _kept(connection: Connection, wanted: Sequence[ColumnElement[bool]]) -> list[Kept]:
    p, part, r, d = t.proposals.c, t.proposal_parts.c, t.revisions.c, t.documents.c
    query = select(part.proposal, part.document, part.revision, part.start, part.end, r.head, r.text).select_from(
        t.proposal_parts
    )
    query = query.join(t.proposals, and_(p.workspace == part.workspace, p.id == part.proposal))
    query = query.join(t.revisions, and_(r.document == part.document, r.number == part.revision))
    query = query.join(t.documents, d.key == part.document).where(*wanted).order_by(part.proposal, part.position)
    stretches: dict[str, list[Stretch]] = {}
    for row in connection.execute(query):
        one = Stretch(
            document=HEAD.validate_python(row.head), key=row.document, revision=row.revision, start=row.start, end=row.end,
            text=row.text[row.start : row.end],
        )  # fmt: skip
        stretches.setdefault(row.proposal, []).append(one)
    heads = connection.execute(select(t.proposals).where(*wanted).order_by(p.id)).mappings()
    return [
        Kept(
            id=row["id"], state=row["state"], title=row["title"], created_at=row["created_at"], decided_at=row["decided_at"],
            decided_by=row["decided_by"], reason=row["reason"], document_id=row["document_id"], stretches=tuple(stretches.get(row["id"], ())),
        )
        for row in heads
    ]  # fmt: skip
