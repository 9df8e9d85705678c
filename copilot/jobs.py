"""Who owns the indexes, and the thread in which the owner does the work that others ask for."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from threading import Event, Thread
from typing import Any

from filelock import FileLock, Timeout

from copilot.build import Parts
from copilot.disk import storage_failure
from copilot.errors import Cancelled, CopilotError, IndexesOwned
from copilot.settings import Settings
from copilot.store.jobs import STOPPABLE, Job
from copilot.store.uploads import drop_idle

log = logging.getLogger(__name__)

Progress = Callable[[dict[str, Any]], None]
Handler = Callable[[Parts, Job, Progress], dict[str, Any]]
POLL_SECONDS = 0.2
WAIT_SECONDS = 5.0


@contextmanager
def owning(settings: Settings, address: str | None = None) -> Iterator[None]:
    """Own the indexes of `settings.home` for as long as the block runs; `address` is where others can reach the owner.

    Raises IndexesOwned: an embedded Chroma does not see what another process writes, and tantivy has one writer.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.home / "owner.lock", timeout=0):
            card = _card(settings)
            card.write_text(json.dumps({"address": address}), encoding="utf-8")
            try:
                yield
            finally:
                card.unlink(missing_ok=True)
    except Timeout as error:
        raise IndexesOwned(
            f"Another process owns {settings.home}. Wait until it is done, or stop it, or give this one a COPILOT_HOME of its own."
        ) from error


def owner_address(settings: Settings) -> str | None:
    """The base URL of the server that owns the indexes, None where nobody serves."""
    lock = FileLock(settings.home / "owner.lock", timeout=0)
    try:
        with lock:
            return None
    except (Timeout, FileNotFoundError):
        pass
    try:
        address = json.loads(_card(settings).read_text(encoding="utf-8"))["address"]
        return str(address) if address else None
    except (OSError, ValueError, KeyError):
        return None


def _card(settings: Settings) -> Path:
    return settings.home / "owner.json"


class JobThread:
    """Claims job rows one by one and runs their handlers (entry-point group `copilot.jobs`)."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._stopping = parts, Event()
        self._handlers: dict[str, Handler] = {point.name: point.load() for point in entry_points(group="copilot.jobs")}
        self._thread = Thread(target=self._work, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin; what a crash left running starts again."""
        self._parts.jobs.requeue()
        drop_idle(self._parts.settings, self._parts.database)
        self._thread.start()

    def stop(self) -> None:
        """Let the running job end its document, then stop; the next start goes on with it."""
        self._stopping.set()
        self._thread.join(timeout=30)

    def _work(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            try:
                while not self._stopping.is_set() and (job := self._parts.jobs.claim()):
                    self._run(job)
                    drop_idle(self._parts.settings, self._parts.database)
            except Exception:  # a busy or restarted database: the next round tries again
                log.exception("the job thread could not reach the database")

    def _run(self, job: Job) -> None:
        handler = self._handlers.get(job.kind)
        if handler is None:
            return self._finish(job, None, f"nothing handles jobs of kind {job.kind!r}")
        try:
            result = handler(self._parts, job, lambda progress: self._tell(job, progress))
        except Cancelled:
            return self._parts.jobs.stopped(job.id)
        except CopilotError as error:
            return self._finish(job, None, str(error))
        except Exception as error:
            log.exception("job %s failed", job.id)
            said = storage_failure(error) or f"internal error ({type(error).__name__}); the server's log has it"
            return self._finish(job, None, str(said))
        return self._finish(job, result, None)

    def _finish(self, job: Job, result: dict[str, Any] | None, error: str | None) -> None:
        """Close the job; while the disk is too full for that, wait for room."""
        while not self._stopping.is_set():
            try:
                return self._parts.jobs.finish(job.id, result, error)
            except Exception as failed:
                if storage_failure(failed) is None:
                    raise
                log.warning("job %s ended and cannot be closed: %s", job.id, storage_failure(failed))
                self._stopping.wait(WAIT_SECONDS)
        return None

    def _tell(self, job: Job, progress: dict[str, Any]) -> None:
        """Note how far the job is. Raises Cancelled where it is to stop, by somebody's wish or because the server ends."""
        told = self._parts.jobs.progress(job.id, progress)
        if job.kind in STOPPABLE and (told or self._stopping.is_set()):
            raise Cancelled("The job was told to stop.")
