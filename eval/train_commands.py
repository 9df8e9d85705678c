"""`copilot train intents | ranking | embedder | list | undo`, `copilot taxonomy show | set`: what a workspace learns, checked, switched, undone."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from copilot.errors import InputError
from copilot.settings import Settings
from ingest.handover import hand_over, progress_bar, served, tell

if TYPE_CHECKING:
    from copilot.build import Parts
    from copilot.store.jobs import Job
    from copilot.store.trained import TrainedStore

console = Console()
errors = Console(stderr=True)
Workspace = Annotated[
    str | None, typer.Option("--workspace", "-w", help="The workspace; COPILOT_WORKSPACE where not given.")
]
JSON = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Until = Annotated[str | None, typer.Option(help="Learn only from what was known by then: 2025-04-01.")]
Told = Callable[[int, int], None]
SHOWN = (
    "held_out.before",
    "held_out.after",
    "shipped.after",
    "cases.before",
    "cases.after",
    "choices.after",
    "labelled",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    train = typer.Typer(help="Learn from the workspace's own tickets and choices.", no_args_is_help=True)
    train.command("intents")(intents)
    train.command("ranking")(ranking)
    train.command("embedder")(embedder)
    train.command("list")(list_)
    train.command("undo")(undo)
    app.add_typer(train, name="train")
    taxonomy = typer.Typer(help="The intents that a workspace knows.", no_args_is_help=True)
    taxonomy.command("show")(taxonomy_show)
    taxonomy.command("set")(taxonomy_set)
    app.add_typer(taxonomy, name="taxonomy")


def intents(
    labelled: Annotated[
        Path | None, typer.Option(help="Labelled messages as JSONL: id, message, intent, and created where known.")
    ] = None,
    until: Until = None, workspace: Workspace = None, as_json: JSON = False,
) -> None:  # fmt: skip
    """Learn intents from labelled messages and agents' corrections. Example: copilot train intents --labelled march.jsonl.

    Exit code 1 where what was learned is not put in force.
    """
    if labelled is not None and not labelled.is_file():
        raise InputError(f"There is no file {labelled}. Give a JSONL file of labelled messages.")
    _train(
        {"what": "intents", "labelled": labelled and str(labelled.resolve()), "until": _time(until)}, workspace, as_json
    )


def ranking(until: Until = None, workspace: Workspace = None, as_json: JSON = False) -> None:
    """Learn how articles are ranked from solved cases and verdicts. Example: copilot train ranking.

    Exit code 1 where what was learned is not put in force.
    """
    _train({"what": "ranking", "until": _time(until)}, workspace, as_json)


def embedder(
    until: Until = None,
    shared: Annotated[
        bool, typer.Option("--shared", help="All workspaces here are one company's: the model may serve them all.")
    ] = False,
    workspace: Workspace = None, as_json: JSON = False,
) -> None:  # fmt: skip
    """Teach the embedding model with solved cases; takes up to an hour. Example: copilot train embedder.

    Exit code 1 where the taught model does not win: then everything stays as it was.
    """
    _train({"what": "embedder", "until": _time(until), "shared": shared}, workspace, as_json)


def list_(workspace: Workspace = None, as_json: JSON = False) -> None:
    """List what was learned, what of it is in force, and each switch. Example: copilot train list."""
    settings = Settings()
    store, name = _store(settings), workspace or settings.workspace
    found, switches = store.all(name), store.switches(name)
    if as_json:
        _print_json({"trained": to_jsonable_python(found), "switches": to_jsonable_python(switches)})
        return
    table = Table("what", "state", "figures", "learned until", "made")
    for one in found:
        state = "in force" if one.in_force else one.state
        figures = ", ".join(f"{key} {one.figures[key]}" for key in SHOWN if key in one.figures)
        table.add_row(one.name, state, figures, _day(one.trained_until), _day(one.created_at))
    console.print(table)
    for switch in switches:
        now = f"{switch.kind} {switch.number}" if switch.number else f"{switch.kind} as shipped"
        console.print(f"{_day(switch.at)}  {now} in force ({switch.why})", highlight=False)


def undo(
    kind: Annotated[str, typer.Argument(help="taxonomy, intents, ranking or embedder.")], workspace: Workspace = None
) -> None:
    """Take back what is in force; what was before it is in force again at once, an embedding model when it has read everything.

    Example: copilot train undo ranking.
    """
    from copilot.store.trained import KINDS

    settings = Settings()
    if kind not in KINDS:
        raise InputError(f"{kind!r} is nothing that is trained. Give one of {', '.join(KINDS)}.")
    name = workspace or settings.workspace
    number = _undone(settings, name) if kind == "embedder" else _store(settings).undo(name, kind)
    console.print(f"{kind} {number} is in force." if number else f"{kind} is as shipped.", highlight=False)


def taxonomy_show(workspace: Workspace = None) -> None:
    """Print the taxonomy in force, as YAML to edit. Example: copilot taxonomy show > intents.yaml."""
    settings = Settings()
    store, name = _store(settings), workspace or settings.workspace
    own = next((one for one in store.all(name, "taxonomy") if one.in_force), None)
    payload = store.payload(name, own) if own else None
    words = payload.decode() if payload else settings.taxonomy_file().read_text(encoding="utf-8")
    console.print(words, markup=False, highlight=False, soft_wrap=True, end="")


def taxonomy_set(file: Annotated[Path, typer.Argument(help="A YAML file.")], workspace: Workspace = None) -> None:
    """Give the workspace a taxonomy of its own, which `train undo taxonomy` takes back. Example: copilot taxonomy set intents.yaml."""
    from copilot.build import embedder_of
    from copilot.intents import intent_head
    from copilot.store.trained import Lesson
    from copilot.taxonomy import checked

    settings = Settings()
    try:
        words = file.read_text(encoding="utf-8")
        found = checked(words)
    except (OSError, UnicodeDecodeError, InputError) as error:
        raise InputError(f"The taxonomy {file} cannot be used: {error}") from error
    intent_head(found.examples(), embedder_of(settings), settings.models / "none", settings.models)
    name = workspace or settings.workspace
    figures = {"labels": len(found.intents), "examples": sum(len(one.examples) for one in found.intents)}
    kept = _store(settings).keep(name, Lesson(kind="taxonomy", payload=words.encode(), figures=figures), active=True)
    console.print(f"{kept.name} is in force: {len(found.intents)} intents. `copilot train intents` learns more.", highlight=False)  # fmt: skip


# ---- the work ----


def train_job(parts: Parts, job: Job, progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Handler of `train` jobs: the same as the commands, in the process that owns the indexes."""
    return trained(
        parts, job.workspace, job.payload, lambda done, all: progress({"done": done, "total": all, "rate": 0.0})
    )


def trained(parts: Parts, workspace: str, payload: dict[str, Any], tell: Told) -> dict[str, Any]:
    """What came of the training that a payload asks for, as JSON. Raises InputError, NotFound."""
    from eval import train_embedder
    from eval.train_intents import train_intents
    from eval.train_ranking import train_ranking

    until = datetime.fromisoformat(payload["until"]) if payload.get("until") else None
    if payload["what"] == "intents":
        labelled = Path(payload["labelled"]) if payload.get("labelled") else None
        found = train_intents(parts, workspace, labelled, until)
    elif payload["what"] == "embedder":
        shared = bool(payload.get("shared"))
        found = train_embedder.train_embedder(parts, workspace, tell, until, shared=shared)
    elif payload["what"] == "undo embedder":
        return {"number": train_embedder.undo(parts, workspace, tell)}
    elif payload["what"] == "go back":
        return {"went": train_embedder.go_back(parts, tell)}
    else:
        found = train_ranking(parts, workspace, tell, until)
    made: dict[str, Any] = to_jsonable_python(asdict(found))
    return {**made, "name": found.trained.name, "words": [one.words for one in found.checks]}


def _train(payload: dict[str, Any], workspace: str | None, as_json: bool) -> None:
    settings = Settings()
    result = _do(settings, workspace or settings.workspace, payload, quiet=as_json)
    if as_json:
        _print_json(result)
    else:
        for words in result["words"]:
            console.print(escape(words), highlight=False, soft_wrap=True)
        verdict = "in force" if result["switched"] else "kept as a candidate, not in force"
        console.print(f"{result['name']} is {verdict}: {escape(result['why'])}", highlight=False, soft_wrap=True)
    if not result["switched"]:
        raise typer.Exit(1)


def _undone(settings: Settings, workspace: str) -> int | None:
    number: int | None = _do(settings, workspace, {"what": "undo embedder"}, quiet=False)["number"]
    return number


def _do(settings: Settings, workspace: str, payload: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    """What came of it, done here or by the server that owns the indexes."""
    with progress_bar("train", errors, quiet=quiet) as bar:
        if served(settings):
            return hand_over(settings, workspace, "train", payload, bar)
        return _here(settings, workspace, payload, tell(bar))


def _here(settings: Settings, workspace: str, payload: dict[str, Any], tell: Told) -> dict[str, Any]:
    from copilot.build import build
    from copilot.jobs import owning

    with owning(settings), closing(build(settings)) as parts:
        return trained(parts, workspace, payload, tell)


def _store(settings: Settings) -> TrainedStore:
    """What undoing and listing need: the database alone, beside a running server too."""
    from copilot.learned import wanted
    from copilot.store.database import Database
    from copilot.store.trained import TrainedStore

    return TrainedStore(Database(settings.database_url()), "", wanted(settings.taxonomy_file()))


def _time(written: str | None) -> str | None:
    from ingest.tickets import moment

    if written is None:
        return None
    try:
        found = moment(written)
    except ValueError as error:
        raise InputError(f"--until {written} is no time. Write 2025-04-01 or 2025-04-01T12:00:00Z.") from error
    return found.isoformat() if isinstance(found, datetime) else None


def _day(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M}" if time else "-"


def _print_json(value: object) -> None:
    console.print(json.dumps(value, ensure_ascii=False, indent=2), markup=False, highlight=False, soft_wrap=True)
