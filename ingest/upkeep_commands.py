"""`copilot verify | repair | compact | reembed | backup | restore | erase | export`: the ledger proved, mended, made small, kept and handed over."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from copilot.errors import CopilotError, IndexesOwned
from copilot.settings import Settings
from ingest.handover import progress_bar, tell

console = Console()
errors = Console(stderr=True)
WORKSPACE = Annotated[str | None, typer.Option("--workspace", "-w", help="COPILOT_WORKSPACE where not given.")]
JSON = Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")]
POLL_SECONDS = 0.1


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (verify, repair, compact, reembed, backup, restore, erase, export):
        app.command()(command)


def verify(as_json: JSON = False) -> None:
    """Prove that ledger, vectors and lexical index agree. Exit code 1 where they do not. Example: copilot verify."""
    from copilot.build import build

    result = _do("verify", {}, build)
    _print(result, as_json, _verdict)
    _exit(result)


def repair(as_json: JSON = False) -> None:
    """Make both indexes right from the database, without embedding anything. Exit code 1 where that is not enough. Example: copilot repair."""
    from ingest.repair import build_anyway

    result = _do("repair", {}, build_anyway)
    _print(result, as_json, _repaired)
    _exit(result)


def compact(as_json: JSON = False) -> None:
    """Give the space of deleted and replaced text back; after it no file holds what was deleted before. Example: copilot compact."""
    from copilot.build import build

    result = _do("compact", {}, build)
    _print(result, as_json, _compacted)


def reembed(as_json: JSON = False) -> None:
    """Make every vector anew with the model that COPILOT_EMBEDDER names, then switch to it. Example: copilot reembed.

    Readers are served all the while. Stopped at any moment, it goes on from there when it runs again.
    """
    from copilot.build import build, model_of

    result = _do("reembed", asdict(model_of(Settings())), build)
    _print(result, as_json, _reembedded)


def backup(folder: Annotated[Path, typer.Argument(help="A new or empty folder.")], as_json: JSON = False) -> None:
    """Copy the database as it stands now, beside a running server too. Example: copilot backup /backups/monday."""
    from ingest.backup import backup as copy

    _print(asdict(copy(Settings(), folder)), as_json, lambda made: _backed_up(made, folder))


def restore(
    folder: Annotated[Path, typer.Argument(help="What `copilot backup` made.")],
    replace: Annotated[bool, typer.Option("--replace", help="Lose what COPILOT_HOME holds now.")] = False,
    as_json: JSON = False,
) -> None:
    """Put a backup in place and make both indexes from it, without embedding. Example: copilot restore /backups/monday."""
    from copilot.jobs import owning
    from ingest.backup import restore as load
    from ingest.repair import build_anyway

    settings = Settings()
    with owning(settings):
        load(settings, folder, replace)
        with closing(build_anyway(settings)) as parts:
            result = _here(parts, "repair", {})
    _print(result, as_json, _repaired)
    _exit(result)


def erase(
    customer: Annotated[str, typer.Option(help="Their id, as the help desk has it.")],
    workspace: WORKSPACE = None,
    as_json: JSON = False,
) -> None:
    """Forget a customer: tickets, conversations, suggestions, feedback; backups that hold them are listed. Example: copilot erase --customer c-77."""
    from copilot.build import build

    result = _do("erase", {"customer": customer}, build, workspace)
    _print(result, as_json, _erased)


def export(
    file: Annotated[Path, typer.Argument(help="The JSONL file to write.")],
    customer: Annotated[str | None, typer.Option(help="Only what is kept of this customer.")] = None,
    workspace: WORKSPACE = None,
    as_json: JSON = False,
) -> None:
    """Write what a workspace holds, or all that is kept of one customer. Example: copilot export all.jsonl."""
    from ingest.erase import SHARED
    from ingest.erase import export as write

    settings = Settings()
    counts = write(settings, workspace or settings.workspace, file, customer)
    _print(dict(counts), as_json, lambda done: console.print(_listing(done) or "nothing is kept", highlight=False))
    if SHARED in counts:
        errors.print(
            f"Other customers had {counts[SHARED]} of the conversations too: read those and hand over what is theirs."
        )


def _do(
    kind: str, payload: dict[str, Any], build: Callable[[Settings], Any], workspace: str | None = None
) -> dict[str, Any]:
    """Run the job's handler here, or have the server that owns the indexes run it."""
    from copilot.jobs import owner_address, owning
    from ingest.upkeep import refit_waiting

    settings = Settings() if workspace is None else Settings(workspace=workspace)
    if owner_address(settings) is not None:
        return _follow(settings, kind, payload)
    with owning(settings), closing(build(settings)) as parts:
        result = _here(parts, kind, payload)
        if kind == "erase":
            refit_waiting(parts, settings.workspace)
        return result


def _here(parts: Any, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    from importlib.metadata import entry_points

    from copilot.store.jobs import Job
    from copilot.store.values import now

    job = Job(
        id="", workspace=parts.settings.workspace, kind=kind, payload=payload, state="running", progress={}, result=None, error=None,
        created_at=now(), finished_at=None,
    )  # fmt: skip
    (handler,) = entry_points(group="copilot.jobs", name=kind)
    with progress_bar(kind, errors, quiet=False) as bar:
        show = tell(bar)
        result: dict[str, Any] = handler.load()(parts, job, lambda told: show(told["done"], told["total"] or 0))
    return result


def _follow(settings: Settings, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    from copilot.jobs import owner_address
    from copilot.store.database import Database
    from copilot.store.jobs import Jobs

    bar = progress_bar(f"{kind}, by the server", errors, quiet=False)
    with closing(Database(settings.database_url())) as database, bar:
        jobs, show = Jobs(database), tell(bar)
        job = jobs.add(settings.workspace, kind, payload)
        while job.state in ("queued", "running"):
            if owner_address(settings) is None:
                raise IndexesOwned(
                    f"The server stopped before the job was done. It goes on when `copilot serve` runs again (job {job.id})."
                )
            time.sleep(POLL_SECONDS)
            job = jobs.get(settings.workspace, job.id)
            if job.progress:
                show(job.progress["done"], job.progress["total"] or 0)
    if job.error or job.result is None:
        raise CopilotError(job.error or "The job ended without a result; the server's log has more.")
    return job.result


def _print(result: dict[str, Any], as_json: bool, show: Callable[[dict[str, Any]], None]) -> None:
    if as_json:
        console.print(json.dumps(result, ensure_ascii=False, indent=2), markup=False, highlight=False, soft_wrap=True)
    else:
        show(result)


def _exit(result: dict[str, Any]) -> None:
    if not result["clean"]:
        raise typer.Exit(1)


def _verdict(result: dict[str, Any]) -> None:
    for problem in result["problems"]:
        console.print(f"[red]wrong[/red] {escape(problem)}", highlight=False)
    verdict = "clean" if result["clean"] else f"{len(result['problems'])} problems; `copilot repair` mends the indexes"
    counts = f"{result['documents']} documents, {result['chunks']} chunks, {result['vectors']} vectors"
    console.print(f"{counts}: {verdict}", highlight=False)


def _repaired(result: dict[str, Any]) -> None:
    for name in result["rebuilt"]:
        console.print(f"the {name} index could not be read and was made anew", highlight=False)
    for id in result["reread"]:
        console.print(f"[yellow]damaged[/yellow] {escape(id)}: ingest its source again", highlight=False)
    console.print(f"{result['added']} chunks put in, {result['removed']} taken out", highlight=False)
    _verdict(result)


def _compacted(result: dict[str, Any]) -> None:
    before, after = (f"{result[name] / 1e6:.1f} MB" for name in ("before", "after"))
    console.print(f"{result['chunks']} chunks carried over: {before} before, {after} after", highlight=False)


def _reembedded(result: dict[str, Any]) -> None:
    console.print(
        f"{result['model']} is in force: {result['texts']} texts, {result['embedded']} embedded now", highlight=False
    )
    if result["recut"]:
        console.print(
            f"{result['recut']} chunks are longer than it reads at once: the next ingest cuts them anew",
            highlight=False,
        )


def _backed_up(made: dict[str, Any], folder: Path) -> None:
    console.print(
        f"{made['documents']} documents, {made['conversations']} conversations, {made['suggestions']} suggestions, "
        f"{made['bytes'] / 1e6:.1f} MB in {folder}. Keep it as safe as the original: it holds the same.",
        markup=False, highlight=False,
    )  # fmt: skip


def _erased(result: dict[str, Any]) -> None:
    backups, unclaimed = result.pop("backups"), result.pop("unclaimed")
    console.print(f"destroyed: {_listing(result)}", highlight=False)
    if unclaimed:
        console.print(
            f"and {unclaimed} suggestions of no kept conversation: whose they were cannot be told", highlight=False
        )
    if not (result["tickets"] or result["conversations"]):
        console.print(
            "[yellow]note[/yellow] no ticket and no conversation is known by that: give each id, e-mail address and name that you know",
            highlight=False,
        )
    for held in backups:
        what = (
            f"{held['tickets']} tickets, {held['conversations']} conversations"
            if held["tickets"] >= 0
            else "cannot be read"
        )
        console.print(
            f"[yellow]backup[/yellow] {escape(held['folder'])} of {held['made_at']} holds {what}: delete it",
            highlight=False,
        )
    console.print("`copilot compact` takes the last traces out of the indexes' files.", highlight=False)


def _listing(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())
