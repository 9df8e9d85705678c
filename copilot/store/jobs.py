"""Job rows: written by whoever wants work done, claimed by the process that owns the indexes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select, update

from copilot.errors import Conflict, InputError, NotFound
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.queue import queued
from copilot.store.values import now

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
OPEN: tuple[JobState, ...] = ("queued", "running")
STOPPABLE = frozenset({"ingest", "sync", "evaluate", "compare"})
"""Kinds that can be told to stop while they run; the others do one thing, and do it to the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of long work, how far it is, and what came of it; `cancelling` while it runs on to the next place where it can stop."""

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
    cancelling: bool = False

    @property
    def finished(self) -> bool:
        """Whether nothing more comes of it unless it is resumed."""
        return self.state not in OPEN


class Jobs:
    """Writes, claims and follows job rows."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, workspace: str, kind: str, payload: dict[str, Any]) -> Job:
        """A new queued job."""
        with self._db.write() as connection:
            id = queued(connection, workspace, kind, payload)
        return self.get(workspace, id)

    def add_once(self, workspace: str, kind: str, payload: dict[str, Any]) -> Job:
        """The job that waits or runs already and wants the same, else a new one."""
        c = t.jobs.c
        query = select(c.id, c.payload).where(
            c.workspace == workspace, c.kind == kind, c.state.in_(OPEN), ~c.cancelling
        )
        with self._db.write() as connection:
            same = [row.id for row in connection.execute(query.order_by(c.created_at, c.id)) if row.payload == payload]
            id = same[0] if same else queued(connection, workspace, kind, payload)
        return self.get(workspace, id)

    def get(self, workspace: str, id: str) -> Job:
        """The job. Raises NotFound."""
        with self._db.read() as connection:
            query = select(t.jobs).where(t.jobs.c.workspace == workspace, t.jobs.c.id == id)
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFound(f"There is no job {id!r}. `copilot jobs` lists the newest.")
        return Job(**row)

    def find(self, workspace: str, beginning: str) -> Job:
        """The one job whose id begins so. Raises NotFound, InputError where several do."""
        c = t.jobs.c
        query = select(c.id).where(c.workspace == workspace, c.id.startswith(beginning, autoescape=True)).limit(2)
        with self._db.read() as connection:
            found = list(connection.execute(query).scalars())
        if len(found) > 1:
            raise InputError(f"Several jobs begin with {beginning!r}. Give more of the id.")
        return self.get(workspace, found[0] if found else beginning)

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

    def progress(self, id: str, progress: dict[str, Any]) -> bool:
        """Note how far the job is; whether it was told to stop."""
        c = t.jobs.c
        with self._db.write() as connection:
            connection.execute(update(t.jobs).where(c.id == id).values(progress=progress))
            return bool(connection.execute(select(c.cancelling).where(c.id == id)).scalar())

    def finish(self, id: str, result: dict[str, Any] | None, error: str | None) -> None:
        """Close the job with its result, or with what went wrong."""
        self._set(
            id, state="failed" if error else "done", result=result, error=error, finished_at=now(), cancelling=False
        )

    def cancel(self, workspace: str, id: str) -> Job:
        """Tell a job to stop: one that waits is cancelled at once, one that runs stops at its next whole document.

        Raises NotFound, Conflict for one that is finished, or that runs and cannot be left half done.
        """
        job = self.get(workspace, id)
        if job.state in ("done", "failed"):
            raise Conflict(f"The job {id!r} is {job.state} already.")
        if job.state == "running" and job.kind not in STOPPABLE:
            raise Conflict(f"A {job.kind} that has begun runs to its end: half of it would help nobody.")
        c, told = t.jobs.c, {"state": "cancelled", "error": _cancelled(id), "finished_at": now()}
        with self._db.write() as connection:
            if not connection.execute(update(t.jobs).where(c.id == id, c.state == "queued").values(told)).rowcount:
                connection.execute(update(t.jobs).where(c.id == id, c.state == "running").values(cancelling=True))
            # As it was told, read before anybody else sees it: a job that stops at once would be cancelled by now.
            return Job(**connection.execute(select(t.jobs).where(c.id == id)).mappings().one())

    def resume(self, workspace: str, id: str) -> Job:
        """Queue a job again that was cancelled or failed: what it committed is there, and is passed over. Raises NotFound, Conflict."""
        job = self.get(workspace, id)
        if job.state not in ("cancelled", "failed"):
            raise Conflict(f"The job {id!r} is {job.state}: only a cancelled or failed one is resumed.")
        self._set(id, state="queued", error=None, finished_at=None, cancelling=False)
        return self.get(workspace, id)

    def stopped(self, id: str) -> None:
        """Close a job that stopped half-way: cancelled where it was told to, else waiting for the next start."""
        c = t.jobs.c
        told = {"state": "cancelled", "error": _cancelled(id), "finished_at": now(), "cancelling": False}
        with self._db.write() as connection:
            if not connection.execute(update(t.jobs).where(c.id == id, c.cancelling).values(told)).rowcount:
                connection.execute(update(t.jobs).where(c.id == id).values(state="queued"))

    def requeue(self) -> None:
        """After a crash: what was running starts again and passes over what it had committed, unless it had been told to stop."""
        with self._db.read() as connection:
            running = list(connection.execute(select(t.jobs.c.id).where(t.jobs.c.state == "running")).scalars())
        for id in running:
            self.stopped(id)

    def _set(self, id: str, **values: Any) -> None:
        with self._db.write() as connection:
            connection.execute(update(t.jobs).where(t.jobs.c.id == id).values(**values))


def _cancelled(id: str) -> str:
    return f"It was cancelled. What was committed stays; `copilot jobs resume {id[:12]}` goes on from there."
