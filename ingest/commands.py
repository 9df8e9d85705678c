"""`copilot ingest`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from copilot.domain import Kind
from copilot.errors import InputError
from copilot.settings import Settings
from ingest import source_commands
from ingest.handover import hand_over, progress_bar, served, tell, telling_of_a_stop

console = Console()
errors = Console(stderr=True)
SHOWN = 20
COUNTS = ("added", "changed", "unchanged", "retired", "skipped", "failed")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(ingest)
    source_commands.register(app)


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
    allow_mass_delete: Annotated[
        bool, typer.Option("--allow-mass-delete", help="Retire as much as is gone from a folder, however much it is.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Bring documents and tickets into the index; what is unchanged costs nothing. Example: copilot ingest docs/ tickets.jsonl.

    Exit code 1 where a file failed; everything else was taken all the same.
    """
    settings = Settings()
    payload = {
        "paths": [str(_existing(path, allow_mass_delete)) for path in paths], "kind": kind, "audience": _audience(audience), "dry_run": dry_run,
        "columns": _columns(columns or []), "allow_mass_delete": allow_mass_delete,
    }  # fmt: skip
    workspace = workspace or settings.workspace
    bar = progress_bar("ingest", errors, quiet=as_json)
    with bar:
        summary = (
            hand_over(settings, workspace, "ingest", payload, bar)
            if served(settings)
            else _run(settings, workspace, payload, bar)
        )
    report(summary, dry_run=dry_run, as_json=as_json)


def _run(settings: Settings, workspace: str, payload: dict[str, Any], bar: Progress) -> dict[str, Any]:
    """In this process, which owns the indexes meanwhile."""
    from copilot.build import build
    from copilot.jobs import owning
    from ingest.brake import one_by_one
    from ingest.load import Reading
    from ingest.pipeline import Indexer

    reading = Reading(
        kind=payload["kind"],
        audience=payload["audience"],
        columns=payload["columns"],
        max_bytes=settings.max_file_bytes,
    )
    wish = {name: payload[name] for name in ("dry_run", "allow_mass_delete")}
    with owning(settings), closing(build(settings)) as parts:
        indexer, paths = Indexer(parts), [Path(path) for path in payload["paths"]]
        with telling_of_a_stop():
            made = one_by_one(lambda path: indexer.ingest(workspace, path, reading, **wish, progress=tell(bar)), paths)
    return asdict(made)


def report(summary: dict[str, Any], *, dry_run: bool, as_json: bool) -> None:
    """Print what was done; exit code 1 where something failed."""
    if as_json:
        console.print(json.dumps(summary, ensure_ascii=False, indent=2), markup=False, highlight=False, soft_wrap=True)
    else:
        _show(summary, dry_run)
    if summary["failed"]:
        raise typer.Exit(1)


def _show(summary: dict[str, Any], dry_run: bool) -> None:
    for problem in summary["problems"][:SHOWN]:
        errors.print(f"[red]failed[/red] {escape(problem['origin'])}: {escape(problem['reason'])}", highlight=False)
    if len(summary["problems"]) > SHOWN:
        errors.print(f"… and {len(summary['problems']) - SHOWN} more; --json lists them all")
    for note in summary.get("notes", ())[:SHOWN]:
        errors.print(f"[yellow]note[/yellow] {escape(note['origin'])}: {escape(note['reason'])}", highlight=False)
    counts = ", ".join(f"{summary[name]} {name}" for name in COUNTS)
    would = "would be: " if dry_run else ""
    work = f"{summary['chunks']} chunks ({summary['embedded']} embedded), {summary['seconds']:.1f} seconds"
    console.print(f"{would}{counts}; {work}", highlight=False)


def _existing(path: Path, or_gone: bool) -> Path:
    from ingest.brake import NOTHING

    if not (or_gone or path.exists()):
        raise InputError(NOTHING.format(path=path))
    return path.resolve()


def _audience(audience: str | None) -> str | None:
    if audience is None or audience in ("public", "internal") or audience.startswith("team:"):
        return audience
    raise InputError(f"--audience {audience} is not known. Give public, internal or team:NAME.")


def _columns(pairs: Sequence[str]) -> dict[str, str]:
    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise InputError(f"--map {wrong[0]} has no '='. Write field=column, for example ticket_id=ID.")
    columns = dict(pair.split("=", 1) for pair in pairs)
    if columns:
        from ingest.connectors.table import TICKET_FIELDS

        if unknown := columns.keys() - TICKET_FIELDS:
            raise InputError(
                f"--map {min(unknown)}: a ticket has no such field. It has: {', '.join(sorted(TICKET_FIELDS))}."
            )
    return columns
