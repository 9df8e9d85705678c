"""`copilot jobs`, `copilot jobs cancel | resume`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import TypeAdapter
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from copilot.settings import Settings

if TYPE_CHECKING:
    from copilot.store.jobs import Job, Jobs

JSON = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Workspace = Annotated[
    str | None, typer.Option("--workspace", "-w", help="The workspace; COPILOT_WORKSPACE where not given.")
]
Id = Annotated[str, typer.Argument(help="As `copilot jobs` shows it; its beginning is enough.")]

console = Console()


def register(app: typer.Typer) -> None:
    """Add the commands."""
    jobs = typer.Typer()
    jobs.callback(invoke_without_command=True)(show)
    jobs.command("cancel")(cancel)
    jobs.command("resume")(resume)
    app.add_typer(jobs, name="jobs")


def show(context: typer.Context, workspace: Workspace = None, as_json: JSON = False) -> None:
    """List the newest jobs and how far they are, cancel one, or resume it. Example: copilot jobs."""
    if context.invoked_subcommand is not None:
        return
    from copilot.store.jobs import Job

    with _jobs() as (jobs, place):
        rows = jobs.list(workspace or place)
    if as_json:
        data = TypeAdapter(list[Job]).dump_python(rows, mode="json")
        console.print(json.dumps(data, ensure_ascii=False, indent=2), markup=False, highlight=False, soft_wrap=True)
        return
    table = Table("job", "kind", "state", "progress", "error")
    for job in rows:
        state = "cancelling" if job.cancelling else job.state
        table.add_row(job.id[:12], job.kind, state, _far(job), escape(job.error or ""))
    console.print(table)


def cancel(id: Id, workspace: Workspace = None) -> None:
    """Stop a job; what it has committed stays. Example: copilot jobs cancel 1f0c9a7be2d3."""
    with _jobs() as (jobs, place):
        found = jobs.find(workspace or place, id)
        _say(jobs.cancel(found.workspace, found.id), "stops at its next whole document")


def resume(id: Id, workspace: Workspace = None) -> None:
    """Go on with a job that was cancelled or failed, where it stopped. Example: copilot jobs resume 1f0c9a7be2d3."""
    with _jobs() as (jobs, place):
        found = jobs.find(workspace or place, id)
        _say(jobs.resume(found.workspace, found.id), "goes on as soon as `copilot serve` runs and is free")


def _say(job: Job, otherwise: str) -> None:
    what = "is cancelled" if job.state == "cancelled" else otherwise
    console.print(f"Job {job.id[:12]} {what}.", highlight=False)


def _far(job: Job) -> str:
    """How far a job is. One that is done may have told less: it tells at intervals."""
    far = job.progress
    if not far or (job.state == "done" and far["done"] != far["total"]):
        return ""
    left = f", {far['eta_seconds']} s left" if job.state == "running" and far.get("eta_seconds") is not None else ""
    return f"{far['done']}/{far['total'] or '?'}{left}"


@contextmanager
def _jobs() -> Iterator[tuple[Jobs, str]]:
    """The job rows, and the workspace in force; this works beside a running server."""
    from copilot.store.database import Database
    from copilot.store.jobs import Jobs

    settings = Settings()
    database = Database(settings.database_url())
    try:
        yield Jobs(database), settings.workspace
    finally:
        database.close()
