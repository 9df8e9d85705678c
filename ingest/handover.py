"""Work of a command that needs the indexes: done here, or handed over to the server that owns them and followed to its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from copilot.errors import IndexesOwned, InputError
from copilot.settings import Settings
from ingest.progress import Progress as Told

if TYPE_CHECKING:
    from copilot.store.jobs import Job, Jobs


def progress_bar(title: str, console: Console, *, quiet: bool) -> Progress:
    """A bar with counts, rate and remaining time; nothing where no person looks on."""
    return Progress(
        TextColumn(title), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeElapsedColumn(),
        TimeRemainingColumn(), console=console, transient=True, disable=quiet or not console.is_terminal,
    )  # fmt: skip


def tell(bar: Progress) -> Told:
    """What moves the bar on; a total of 0 is unknown."""
    task, started = bar.add_task("", total=None, rate=""), time.monotonic()

    def told(done: int, total: int) -> None:
        rate = f"{done / max(time.monotonic() - started, 1e-6):.0f} a second"
        bar.update(task, completed=done, total=total or None, rate=rate)

    return told


@contextmanager
def telling_of_a_stop() -> Iterator[None]:
    """Say what Ctrl-C leaves behind, before it ends the command."""
    try:
        yield
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopped. What was committed stays; run it again to go on.")
        raise


def served(settings: Settings) -> bool:
    """Whether a server owns the indexes."""
    from copilot.jobs import owner_address

    return owner_address(settings) is not None


def hand_over(settings: Settings, workspace: str, kind: str, payload: dict[str, Any], bar: Progress) -> dict[str, Any]:
    """The result of a job of the server that owns the indexes, followed to its end. Raises InputError where it failed."""
    from copilot.store.database import Database
    from copilot.store.jobs import Jobs

    with closing(Database(settings.database_url())) as database:
        jobs = Jobs(database)
        job = jobs.add(workspace, kind, payload)
        try:
            job = _followed(settings, jobs, job, bar)
        except KeyboardInterrupt:
            raise InputError(f"The server goes on with it. `copilot jobs cancel {job.id[:12]}` stops it.") from None
    if job.error or job.result is None:
        raise InputError(job.error or "the job ended without a result")
    return job.result


def _followed(settings: Settings, jobs: Jobs, job: Job, bar: Progress) -> Job:
    """The job at its end. Raises IndexesOwned where the server goes before it."""
    task = bar.add_task("", total=None, rate="")
    while not job.finished:
        time.sleep(0.1)
        job = jobs.get(job.workspace, job.id)
        if not job.finished and not served(settings):
            raise IndexesOwned(
                f"The server stopped before the job was done. It goes on when `copilot serve` runs again (job {job.id})."
            )
        if job.progress:
            rate = f"{job.progress['rate']:.0f} a second"
            bar.update(task, completed=job.progress["done"], total=job.progress["total"], rate=rate)
    return job
