"""`copilot sources add | list | remove` and `copilot sync`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from copilot.errors import CopilotError, InputError
from copilot.settings import Settings
from ingest.handover import hand_over, progress_bar, served, tell, telling_of_a_stop

if TYPE_CHECKING:
    from copilot.store.sources import Sources

console = Console()
errors = Console(stderr=True)
Workspace = Annotated[str | None, typer.Option("--workspace", "-w", help="COPILOT_WORKSPACE where not given.")]
JSON = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    sources = typer.Typer(help="Where knowledge comes from: folders, help desks, web sites.", no_args_is_help=True)
    sources.command("add")(add)
    sources.command("list")(show)
    sources.command("remove")(remove)
    app.add_typer(sources, name="sources")
    app.command()(sync)


def add(
    id: Annotated[str, typer.Argument(help="A short name of your own.")],
    connector: Annotated[str, typer.Argument(help="What reads it; docs/sources.md lists them with their options.")],
    address: Annotated[str, typer.Argument(help="A path, or a web address.")],
    credentials: Annotated[
        str | None, typer.Option(help="Where the secret is: env:NAME or file:/path. It is never stored.")
    ] = None,
    audience: Annotated[
        str | None, typer.Option(help="public, internal or team:NAME; of this and a document's own the narrower one counts.")
    ] = None,
    option: Annotated[list[str] | None, typer.Option(help="An option of the connector: name=value; may be repeated.")] = None,
    every: Annotated[int | None, typer.Option(min=1, max=525_600, help="Minutes between two syncs that the server starts by itself.")] = None,
    workspace: Workspace = None,
) -> None:  # fmt: skip
    """Add a source; nothing is read yet. Example: copilot sources add docs files ./docs."""
    from copilot.store.sources import Upstream
    from ingest.connect import LOCAL, check_new

    settings = Settings()
    upstream = Upstream(
        workspace=workspace or settings.workspace, id=id, connector=connector, credentials=credentials, audience=audience,
        address=str(Path(address).resolve()) if connector in LOCAL else address, options=_options(option or ()), every_minutes=every,
    )  # fmt: skip
    check_new(upstream)
    with _sources(settings) as sources:
        sources.add(upstream)
    console.print(f"Source {id} is added. Look at what it would bring: copilot sync {id} --dry-run", highlight=False)


def show(workspace: Workspace = None, as_json: JSON = False) -> None:
    """List the sources with what came of their last sync. Example: copilot sources list."""
    settings = Settings()
    with _sources(settings) as sources:
        rows = [(one, sources.progress(one.workspace, one.id)) for one in sources.list(workspace or settings.workspace)]
    if as_json:
        data = [{**asdict(one), "finished_at": far.finished_at, "outcome": far.outcome} for one, far in rows]
        console.print_json(data=data, default=str)
        return
    table = Table("source", "connector", "address", "audience", "minutes", "last sync", "outcome")
    for one, far in rows:
        last = f"{far.finished_at:%Y-%m-%d %H:%M}" if far.finished_at else "never"
        cells = (
            one.id,
            one.connector,
            one.address,
            one.audience or "",
            str(one.every_minutes or ""),
            last,
            _outcome(far.outcome),
        )
        table.add_row(*(escape(cell) for cell in cells))
    console.print(table)


def remove(id: Annotated[str, typer.Argument()], workspace: Workspace = None) -> None:
    """Remove a source and retire its documents. Example: copilot sources remove docs."""
    settings = Settings()
    place = workspace or settings.workspace
    with _sources(settings) as sources:
        sources.get(place, id)
    with progress_bar("remove", errors, quiet=False) as bar:
        retired = _remove(settings, place, id, bar)
    console.print(f"Source {id} is removed, {retired} documents retired.", highlight=False)


def sync(
    source: Annotated[str | None, typer.Argument(help="One source; all of them where left out.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen and change nothing.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Ask for everything again, not only for what changed.")] = False,
    allow_mass_delete: Annotated[
        bool, typer.Option("--allow-mass-delete", help="Retire as much as is gone, however much it is.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on, and sync again whenever its files change, until Ctrl-C.")
    ] = False,
    workspace: Workspace = None,
    as_json: JSON = False,
) -> None:
    """Bring the documents of sources up to date. Example: copilot sync docs --dry-run.

    Exit code 1 where something failed; everything else was taken all the same.
    """
    settings = Settings()
    place = workspace or settings.workspace
    payload = {"source": source, "dry_run": dry_run, "full": full, "allow_mass_delete": allow_mass_delete}
    if watch:
        _watch(settings, place, payload, as_json)
    else:
        _sync_once(settings, place, payload, as_json)


def _sync_once(settings: Settings, workspace: str, payload: dict[str, Any], as_json: bool) -> None:
    from ingest.commands import report

    with progress_bar("sync", errors, quiet=as_json) as bar:
        run = (
            hand_over(settings, workspace, "sync", payload, bar)
            if served(settings)
            else _sync(settings, workspace, payload, bar)
        )
    report(run, dry_run=payload["dry_run"], as_json=as_json)


def _watch(settings: Settings, workspace: str, payload: dict[str, Any], as_json: bool) -> None:
    """Sync at each burst of changes; what fails is told, and the next change tries again."""
    from threading import Event

    from ingest.connect import LOCAL
    from ingest.watch import bursts

    with _sources(settings) as sources:
        upstream = sources.get(workspace, payload["source"] or "")
    if upstream.connector not in LOCAL:
        raise InputError(f"{upstream.id} is not on this machine's disk. Give it an interval: --every MINUTES.")
    errors.print(f"watching {upstream.address}; Ctrl-C ends it", highlight=False, markup=False)
    for _ in bursts(Path(upstream.address), Event()):
        try:
            _sync_once(settings, workspace, payload, as_json)
        except typer.Exit:
            pass  # its failures were printed
        except CopilotError as error:
            errors.print(f"[red]failed[/red] {escape(str(error))}", highlight=False)


def _sync(settings: Settings, workspace: str, payload: dict[str, Any], bar: Progress) -> dict[str, Any]:
    from copilot.build import build
    from copilot.jobs import owning
    from ingest.sync import sync_payload

    with owning(settings), closing(build(settings)) as parts, telling_of_a_stop():
        return sync_payload(parts, workspace, payload, tell(bar))


def _remove(settings: Settings, workspace: str, id: str, bar: Progress) -> int:
    from copilot.build import build
    from copilot.jobs import owning
    from ingest.sync import Syncer
    from ingest.upkeep import refit_waiting

    if served(settings):
        return int(hand_over(settings, workspace, "remove-source", {"source": id}, bar)["retired"])
    with owning(settings), closing(build(settings)) as parts:
        retired = Syncer(parts).remove(workspace, id)
        refit_waiting(parts, workspace)
        return retired


@contextmanager
def _sources(settings: Settings) -> Iterator[Sources]:
    """The source rows, without the rest of the product: this works beside a running server."""
    from copilot.store.database import Database
    from copilot.store.sources import Sources

    database = Database(settings.database_url())
    try:
        yield Sources(database)
    finally:
        database.close()


def _options(pairs: Sequence[str]) -> dict[str, str]:
    if wrong := [pair for pair in pairs if "=" not in pair]:
        raise InputError(f"--option {wrong[0]} has no '='. Write name=value.")
    return dict(pair.split("=", 1) for pair in pairs)


def _outcome(outcome: dict[str, Any] | None) -> str:
    if outcome is None:
        return ""
    counts = ", ".join(f"{outcome[name]} {name}" for name in ("added", "changed", "retired", "failed") if outcome[name])
    return str(outcome["error"] or counts or "nothing new")
