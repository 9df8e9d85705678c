"""Syncs as jobs: asked for, due by the source's own interval, or because its files changed; one of a source waits or runs at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from copilot.build import Parts
from copilot.store.jobs import Job, Jobs
from copilot.store.sources import Sources, Timed, Upstream
from copilot.store.values import now
from ingest.connect import is_watched
from ingest.watch import bursts

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

log = logging.getLogger(__name__)

LOOK_SECONDS = 15
ASKED = {"dry_run": False, "full": False, "allow_mass_delete": False}


def enqueue(jobs: Jobs, workspace: str, source: str, **wish: bool) -> Job:
    """A job that syncs the source; the one that waits or runs already, where it wants the same."""
    return jobs.add_once(workspace, "sync", {"source": source, **wish})


class Schedule:
    """Has each source synced when it is due. What was missed while nobody served is caught up once."""

    def __init__(self, parts: Parts) -> None:
        self._jobs, self._sources = parts.jobs, Sources(parts.database)
        self.clock = _clock()
        self._watches: dict[tuple[str, str], Watch] = {}
        self._untimed: dict[str, Timed] = {}
        """Rows that cannot be timed, each told once."""

    def start(self) -> None:
        """Begin."""
        self.clock.add_job(self.look, "interval", seconds=LOOK_SECONDS, id="look", next_run_time=now())
        self.clock.start()

    def stop(self) -> None:
        """End at once; jobs that wait stay."""
        if self.clock.running:
            self.clock.shutdown()
        for key in list(self._watches):
            self._watches.pop(key).stop()

    def look(self) -> None:
        """Bring the clock to what the source rows say now: other processes add, change and remove them."""
        try:
            self._set_clock()
        except Exception:  # a busy database: files are watched all the same, and the next look tries again
            log.exception("the clock of the sources cannot be set")
        self._set_watches()

    def _set_clock(self) -> None:
        timed = {f"{one.upstream.workspace}/{one.upstream.id}": one for one in self._sources.timed()}
        for job in self.clock.get_jobs():
            if job.id != "look" and job.id not in timed:
                job.remove()
        for id, one in timed.items():
            try:
                self._set(id, one)
            except Exception as error:  # a row that cannot be timed stops no other
                if self._untimed.get(id) != one:
                    log.error("source %s cannot be synced at its interval: %s", id, error)
                self._untimed[id] = one

    def _set(self, id: str, one: Timed) -> None:
        due, known = _due(one), self.clock.get_job(id)
        if known is None or known.args[1:] != (one.upstream.every_minutes, one.started_at):
            self.clock.add_job(
                self._ask, "interval", minutes=one.upstream.every_minutes, id=id, replace_existing=True,
                args=(one.upstream, one.upstream.every_minutes, one.started_at), next_run_time=due,
            )  # fmt: skip

    def _ask(self, upstream: Upstream, every_minutes: int, started_at: datetime | None) -> None:
        enqueue(self._jobs, upstream.workspace, upstream.id, **ASKED)

    def _set_watches(self) -> None:
        wanted = {(one.workspace, one.id): one for one in self._sources.all() if is_watched(one)}
        for key in [key for key, watch in self._watches.items() if wanted.get(key) != watch.upstream]:
            self._watches.pop(key).stop()
        for key, one in wanted.items():
            if key not in self._watches:
                self._watches[key] = Watch(one, partial(enqueue, self._jobs, one.workspace, one.id, **ASKED))


class Watch:
    """Watches one source's files in a thread of its own."""

    def __init__(self, upstream: Upstream, changed: Callable[[], object]) -> None:
        self.upstream, self._changed, self._stopping = upstream, changed, Event()
        self._thread = Thread(target=self._work, name=f"watch {upstream.id}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                for _ in bursts(Path(self.upstream.address), self._stopping):
                    self._changed()
            except Exception:  # too many folders for the system, or a busy database: the next round tries again
                log.exception("the files of source %s cannot be watched", self.upstream.id)
                self._stopping.wait(LOOK_SECONDS)


def _clock() -> BackgroundScheduler:
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler

    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    defaults = {
        "coalesce": True,
        "max_instances": 1,
        "misfire_grace_time": None,
    }  # missed runs are one run, however late
    return BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(1)}, job_defaults=defaults)


def _due(one: Timed) -> datetime:
    """When the source's next sync is due: at once where it never ran, or should have run by now."""
    present = now()
    if one.started_at is None:
        return present
    return max(present, one.started_at + timedelta(minutes=one.upstream.every_minutes or 0))
