"""Who saw and did what: the principal, the action, the object's id and the time; never a word of anybody's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.values import now


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that somebody saw or did; `name` is the user's, where it was one."""

    id: int
    principal: str
    name: str | None
    action: str
    object: str | None
    at: datetime


class Audit:
    """Notes, lists and forgets entries."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def note(self, workspace: str, principal: str, action: str, object: str | None = None) -> None:
        """Write it down."""
        row = {"workspace": workspace, "principal": principal, "action": action, "at": now()}
        with self._db.write() as connection:
            connection.execute(insert(t.audit).values(object=object[:512] if object else None, **row))

    def list(self, workspace: str, *, principal: str | None, before: int | None, limit: int) -> list[Entry]:
        """The newest entries first, from before one's id, of everybody or of one principal."""
        c = t.audit.c
        columns = (c.id, c.principal, t.users.c.name, c.action, c.object, c.at)
        query = select(*columns).select_from(t.audit.outerjoin(t.users, t.users.c.id == c.principal))
        query = query.where(c.workspace == workspace, *([c.id < before] if before else []))
        query = query.where(*([c.principal == principal] if principal else [])).order_by(c.id.desc()).limit(limit)
        with self._db.read() as connection:
            return [Entry(**row) for row in connection.execute(query).mappings()]

    def forget_older_than(self, days: int) -> None:
        """Forget entries of so many days ago."""
        with self._db.write() as connection:
            connection.execute(delete(t.audit).where(t.audit.c.at < now() - timedelta(days=days)))
