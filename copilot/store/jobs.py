"""Job rows: written by whoever wants work done, claimed by the process that owns the indexes."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from copilot.domain import JobState
from copilot.errors import NotFound
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.ledger import now


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of long work, how far it is, and what came of it."""

    id: str
    workspace: str
    kind: str
    payload: dict[str, Any]
    state: JobState
    progress: dict[str, Any]
    result: dict[str, Any] | None
    error: str | None
    created_at: datetime
    finished_at: datetime | None


class Jobs:
    """Writes, claims and follows job rows."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, workspace: str, kind: str, payload: dict[str, Any]) -> Job:
        """A new queued job."""
        row = {"id": uuid.uuid4().hex, "workspace": workspace, "kind": kind, "payload": payload, "state": "queued"}
        with self._db.write() as connection:
            connection.execute(insert(t.jobs).values(progress={}, created_at=now(), **row))
        return self.get(workspace, row["id"])  # type: ignore[arg-type]

    def get(self, workspace: str, id: str) -> Job:
        """The job. Raises NotFound."""
        with self._db.read() as connection:
            query = select(t.jobs).where(t.jobs.c.workspace == workspace, t.jobs.c.id == id)
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFound(f"There is no job {id!r}.")
        return Job(**row)

    def list(self, workspace: str, limit: int = 50, kinds: Collection[str] | None = None) -> list[Job]:
        """The newest jobs first, of all kinds or of some."""
        query = select(t.jobs).where(t.jobs.c.workspace == workspace).order_by(t.jobs.c.created_at.desc(), t.jobs.c.id)
        if kinds is not None:
            query = query.where(t.jobs.c.kind.in_(kinds))
        with self._db.read() as connection:
            return [Job(**row) for row in connection.execute(query.limit(limit)).mappings()]

    def claim(self) -> Job | None:
        """The oldest queued job, now running; None where there is none."""
        c = t.jobs.c
        with self._db.write() as connection:
            query = select(t.jobs).where(c.state == "queued").order_by(c.created_at, c.id).limit(1)
            query = query.with_for_update(skip_locked=True)  # SQLite holds the write lock already and ignores this
            row = connection.execute(query).mappings().first()
            if row is None:
                return None
            connection.execute(update(t.jobs).where(c.id == row["id"]).values(state="running"))
        return Job(**{**row, "state": "running"})

    def progress(self, id: str, progress: dict[str, Any]) -> None:
        """Note how far the job is."""
        with self._db.write() as connection:
            connection.execute(update(t.jobs).where(t.jobs.c.id == id).values(progress=progress))

    def finish(self, id: str, result: dict[str, Any] | None, error: str | None) -> None:
        """Close the job with its result, or with what went wrong."""
        state = "failed" if error else "done"
        with self._db.write() as connection:
            values = {"state": state, "result": result, "error": error, "finished_at": now()}
            connection.execute(update(t.jobs).where(t.jobs.c.id == id).values(values))

    def requeue(self) -> None:
        """After a crash: what was running starts again; ingest is idempotent."""
        with self._db.write() as connection:
            connection.execute(update(t.jobs).where(t.jobs.c.state == "running").values(state="queued"))
