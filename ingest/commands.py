"""`copilot ingest`."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from copilot.domain import Kind
from copilot.errors import IndexesOwned, InputError
from copilot.settings import Settings
from ingest.load import Reading

console = Console()
errors = Console(stderr=True)
SHOWN = 20
COUNTS = ("added", "changed", "unchanged", "retired", "skipped", "failed")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(ingest)


def ingest(
    paths: Annotated[
        list[Path], typer.Argument(help="Folders or files: md, html, txt, pdf, docx; tickets as jsonl or csv.")
    ],
    workspace: Annotated[
        str | None, typer.Option("--workspace", "-w", help="COPILOT_WORKSPACE where not given.")
    ] = None,
    kind: Annotated[
        Kind | None, typer.Option(help="What the files hold: article, ticket or macro; it counts before what they say.")
    ] = None,
    audience: Annotated[
        str | None,
        typer.Option(help="public, internal or team:NAME; of this and a file's own the narrower one counts."),
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--map", help="A table's column for a field: ticket_id=ID; may be repeated.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen and change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Bring documents and tickets into the index; what is unchanged costs nothing. Example: copilot ingest docs/ tickets.jsonl.

    Exit code 1 where a file failed; everything else was taken all the same.
    """
    settings = Settings()
    payload = {
        "paths": [str(_existing(path)) for path in paths], "kind": kind, "audience": _audience(audience), "dry_run": dry_run,
        "columns": _columns(columns or []),
    }  # fmt: skip
    workspace = workspace or settings.workspace
    bar = Progress(
        TextColumn("ingest"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeElapsedColumn(),
        TimeRemainingColumn(), console=errors, transient=True, disable=as_json or not errors.is_terminal,
    )  # fmt: skip
    with bar:
        summary = (
            _hand_over(settings, workspace, payload, bar)
            if _served(settings)
            else _run(settings, workspace, payload, bar)
        )
    if as_json:
        console.print(json.dumps(summary, ensure_ascii=False, indent=2), markup=False, highlight=False, soft_wrap=True)
    else:
        _show(summary, dry_run)
    if summary["failed"]:
        raise typer.Exit(1)


def _run(settings: Settings, workspace: str, payload: dict[str, Any], bar: Progress) -> dict[str, Any]:
    """In this process, which owns the indexes meanwhile."""
    from copilot.build import build
    from copilot.jobs import owning
    from ingest.pipeline import Indexer, total

    reading = Reading(
        kind=payload["kind"],
        audience=payload["audience"],
        columns=payload["columns"],
        max_bytes=settings.max_file_bytes,
    )
    with owning(settings):
        parts = build(settings)
        indexer, summaries = Indexer(parts), []
        for path in payload["paths"]:
            task, started = bar.add_task("ingest", total=None, rate=""), time.monotonic()

            def report(done: int, all: int, task: Any = task, started: float = started) -> None:
                bar.update(
                    task, completed=done, total=all, rate=f"{done / max(time.monotonic() - started, 1e-6):.0f} a second"
                )

            summaries.append(
                indexer.ingest(workspace, Path(path), reading, dry_run=payload["dry_run"], progress=report)
            )
        parts.close()
    return asdict(total(summaries))


def _hand_over(settings: Settings, workspace: str, payload: dict[str, Any], bar: Progress) -> dict[str, Any]:
    """As a job of the server that owns the indexes, followed to its end."""
    from copilot.store.database import Database
    from copilot.store.jobs import Jobs

    jobs = Jobs(Database(settings.database_url()))
    job = jobs.add(workspace, "ingest", payload)
    task = bar.add_task("ingest", total=None, rate="")
    while job.state in ("queued", "running"):
        time.sleep(0.1)
        job = jobs.get(workspace, job.id)
        if job.state in ("queued", "running") and not _served(settings):
            raise IndexesOwned(
                f"The server stopped before the job was done. It goes on when `copilot serve` runs again (job {job.id})."
            )
        if job.progress:
            rate = f"{job.progress['rate']:.0f} a second"
            bar.update(task, completed=job.progress["done"], total=job.progress["total"], rate=rate)
    if job.error or job.result is None:
        raise InputError(job.error or "the job ended without a result")
    return job.result


def _served(settings: Settings) -> bool:
    from copilot.jobs import owner_address

    return owner_address(settings) is not None


def _show(summary: dict[str, Any], dry_run: bool) -> None:
    for problem in summary["problems"][:SHOWN]:
        errors.print(f"[red]failed[/red] {escape(problem['origin'])}: {escape(problem['reason'])}", highlight=False)
    if len(summary["problems"]) > SHOWN:
        errors.print(f"… and {len(summary['problems']) - SHOWN} more; --json lists them all")
    counts = ", ".join(f"{summary[name]} {name}" for name in COUNTS)
    would = "would be: " if dry_run else ""
    work = f"{summary['chunks']} chunks ({summary['embedded']} embedded), {summary['seconds']:.1f} seconds"
    console.print(f"{would}{counts}; {work}", highlight=False)


def _existing(path: Path) -> Path:
    if not path.exists():
        raise InputError(f"There is nothing at {path}. Give a folder or a file.")
    return path.resolve()


def _audience(audience: str | None) -> str | None:
    if audience is None or audience in ("public", "internal") or audience.startswith("team:"):
        return audience
    raise InputError(f"--audience {audience} is not known. Give public, internal or team:NAME.")


def _columns(pairs: Sequence[str]) -> dict[str, str]:
    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise InputError(f"--map {wrong[0]} has no '='. Write field=column, for example ticket_id=ID.")
    return dict(pair.split("=", 1) for pair in pairs)
