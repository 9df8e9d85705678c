"""Syncs as jobs: asked for, or due by the source's own interval; one of a source waits or runs at a time."""

from __future__ import annotations

import logging
from threading import Event, Thread
from typing import Any

from copilot.build import Parts
from copilot.store.jobs import Job, Jobs
from copilot.store.ledger import now
from copilot.store.sources import Sources

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
RECENT = 200


def enqueue(jobs: Jobs, workspace: str, source: str, **wish: bool) -> Job:
    """A job that syncs the source; the one that waits or runs already, where it wants the same."""
    payload: dict[str, Any] = {"source": source, **wish}
    recent = jobs.list(workspace, RECENT, ("sync",))
    open_ones = [job for job in recent if job.state in ("queued", "running") and job.payload == payload]
    return open_ones[-1] if open_ones else jobs.add(workspace, "sync", payload)


class Schedule:
    """Looks now and then which sources are due. What was missed while nobody served is caught up once."""

    def __init__(self, parts: Parts) -> None:
        self._jobs, self._sources, self._stopping = parts.jobs, Sources(parts.database), Event()
        self._thread = Thread(target=self._work, name="schedule", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End at once; jobs that wait stay."""
        self._stopping.set()
        self._thread.join(timeout=10)

    def look(self) -> list[Job]:
        """Write a job for each source that is due."""
        return [
            enqueue(self._jobs, one.workspace, one.id, dry_run=False, full=False, allow_mass_delete=False)
            for one in self._sources.due(now())
        ]

    def _work(self) -> None:
        while True:
            try:
                self.look()
            except Exception:  # a busy or restarted database: the next round tries again
                log.exception("the schedule could not reach the database")
            if self._stopping.wait(LOOK_SECONDS):
                return
