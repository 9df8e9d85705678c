"""What is in force of all that was learned, and how it goes with whatever taught it, in the deletion's own transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from copilot.store import schema as t
from copilot.store.queue import queued


def forget_untaught(connection: Connection, workspace: str) -> None:
    """Destroy what was learned from anything that is gone; the newest that is left comes into force, else what is shipped."""
    c = t.trained.c
    query = select(c.kind, c.number, c.basis, c.state).where(
        c.workspace == workspace, c.state.in_(("active", "undone"))
    )
    for row in connection.execute(query.order_by(c.kind, c.number)).all():
        if missing(connection, workspace, row.basis):
            before = in_force(connection, workspace, row.kind)
            emptied = update(t.trained).where(is_one(workspace, row.kind, row.number))
            connection.execute(emptied.values(state="dropped", payload=b"", basis=[]))
            if before == row.number:
                record(connection, workspace, row.kind, "deleted")
                if row.kind == "embedder":  # all vectors are its: they are made anew by the model before it
                    queued(connection, workspace, "train", {"what": "go back"})
            elif row.state == "active":  # it may have been in force for want of one that fits
                _tick(connection, workspace)


def record(connection: Connection, workspace: str, kind: str, why: str, fits: str | None = None) -> int | None:
    """Note what is in force from now on, and move the clock; its number, None for what is shipped."""
    number = in_force(connection, workspace, kind, fits)
    values = {"workspace": workspace, "kind": kind, "number": number, "why": why, "at": datetime.now(UTC)}
    connection.execute(insert(t.switches).values(values))
    _tick(connection, workspace)
    return number


def _tick(connection: Connection, workspace: str) -> None:
    """Move the clock: what runs reads anew what is in force."""
    c = t.workspaces.c
    connection.execute(update(t.workspaces).where(c.id == workspace).values(clock=c.clock + 1))


def missing(connection: Connection, workspace: str, basis: Collection[str]) -> set[str]:
    """What of a basis ("document/KEY", "suggestion/ID") is not there any more."""
    if not basis:
        return set()
    d, s = t.documents.c, t.suggestions.c
    documents = connection.execute(select(d.key).where(d.workspace == workspace)).scalars()
    suggestions = connection.execute(select(s.id).where(s.workspace == workspace)).scalars()
    return set(basis) - {f"document/{key}" for key in documents} - {f"suggestion/{id}" for id in suggestions}


def in_force(connection: Connection, workspace: str, kind: str, fits: str | None = None) -> int | None:
    """The highest active number of the kind, of those that fit this and the vectors; an embedding model is in force where it made them."""
    c, w = t.trained.c, t.workspaces.c
    query = select(func.max(c.number)).where(c.workspace == workspace, c.kind == kind, c.state == "active")
    query = query.join(t.workspaces, w.id == c.workspace)
    if kind == "embedder":
        query = query.where(w.embedder == c.fits)
    if fits is not None:
        query = query.where(c.fits == fits, or_(w.embedder.is_(None), w.embedder == c.embedder))
    return connection.execute(query).scalar()


def is_one(workspace: str, kind: str, number: int) -> ColumnElement[bool]:
    """The condition that picks one row."""
    c = t.trained.c
    return and_(c.workspace == workspace, c.kind == kind, c.number == number)
