"""`copilot eval run | compare | gate | record | replay | sweep`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic_core import to_json
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column, Table

from copilot.settings import Settings

if TYPE_CHECKING:
    from eval.compare import Comparison
    from eval.desk import Step
    from eval.record import Run, Score

console = Console()
errors = Console(stderr=True)
SHOWN = 12

JSON = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Changes = Annotated[
    list[str] | None, typer.Option("--set", help="A setting for this run: lexical_weight=0.3; may be repeated.")
]
Folder = Annotated[Path, typer.Argument(help="The folder that `copilot eval run --out` wrote.")]
Own = Annotated[
    str | None, typer.Option("--suite", help="The YAML file of a suite of your own; shipped ones are known.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Measure answer quality, compare runs, hold what was reached.", no_args_is_help=True)
    group.command("run")(run)
    group.command("compare")(compare)
    group.command("gate")(gate)
    group.command("record")(record)
    group.command("replay")(replay)
    group.command("sweep")(sweep)
    app.add_typer(group, name="eval")


def run(
    suite: Annotated[
        str, typer.Argument(help="A shipped suite (demo, thunderbird, retrieval-dev) or a YAML file of your own.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Where the run goes; COPILOT_HOME/eval/runs/SUITE where not given.")
    ] = None,
    changes: Changes = None,
    door: Annotated[
        Literal["process", "http"], typer.Option(help="Ask in this process, or a server of its own.")
    ] = "process",
    judge: Annotated[str | None, typer.Option(help="A chat model as provider:model that reads the drafts too.")] = None,
    as_json: JSON = False,
) -> None:
    """Ask every case of a suite and score the answers. Example: copilot eval run demo --out runs/demo."""
    from eval.publish import publish
    from eval.run import run as measure
    from eval.suite import load

    chosen, overrides = load(suite, changes or ())
    with _bar(chosen.name, quiet=as_json) as step:
        made = measure(chosen, overrides, step, door)
        if judge:
            from eval.judge import judged

            made = judged(made, judge, Settings(), step)
        folder = out or Settings().home / "eval" / "runs" / chosen.name
        report = publish(made, folder, chosen.records)
    if as_json:
        _print_json(
            {"folder": str(folder), "protocol": made.protocol.line(), "scores": made.scores, "notes": made.notes}
        )
        return
    _show(made)
    console.print(f"Report: {report}", markup=False, highlight=False, soft_wrap=True)


def compare(
    a: Folder, b: Folder,
    metric: Annotated[str | None, typer.Option(help="Show this metric case by case.")] = None,
    as_json: JSON = False,
) -> None:  # fmt: skip
    """What changed from run A to run B, metric by metric. Example: copilot eval compare runs/before runs/after."""
    from eval.compare import cases
    from eval.compare import compare as differ
    from eval.record import read

    first, second = read(a), read(b)
    found = differ(first, second)
    if as_json:
        _print_json(found)
        return
    _show_comparison(found)
    if metric:
        table = Table("case", "A", "B")
        for id, before, after in cases(first, second, metric):
            table.add_row(escape(id), f"{before}", f"{after}")
        console.print(table)


def gate(run_folder: Folder, suite: Own = None) -> None:
    """Exit code 1 where a promise is broken or a gated score fell below what is recorded. Example: copilot eval gate runs/demo."""
    from eval.publish import gated

    failures = gated(run_folder, suite)
    for failure in failures:
        console.print(
            f"[red]red[/red]   {escape(failure.metric)}: {escape(failure.words)}", highlight=False, soft_wrap=True
        )
    if failures:
        raise typer.Exit(1)
    console.print("[green]green[/green] every promise holds, nothing gated fell", highlight=False)


def record(
    run_folder: Folder,
    suite: Own = None,
    readme: Annotated[Path | None, typer.Option(help="A README whose results table is written anew.")] = None,
) -> None:
    """Make a run the one that gates and reports compare with. Example: copilot eval record runs/demo --readme README.md."""
    from eval.publish import recorded

    for path in recorded(run_folder, readme, suite):
        console.print(f"written: {path}", markup=False, highlight=False, soft_wrap=True)


def replay(
    since: Annotated[datetime, typer.Option(help="Tickets solved from this day on.", formats=["%Y-%m-%d"])],
    index: Annotated[
        Path | None, typer.Option(help="Another COPILOT_HOME, such as an index that is not live yet.")
    ] = None,
    workspace: Annotated[
        str | None, typer.Option("--workspace", "-w", help="COPILOT_WORKSPACE where not given.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many tickets at random.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the run goes; COPILOT_HOME/eval/runs/replay where not given.")
    ] = None,
    as_json: JSON = False,
) -> None:
    """Ask the workspace's own solved tickets again, each with only what existed before it. Example: copilot eval replay --since 2026-06-01."""
    from eval.publish import publish
    from eval.replay import replay as ask_again

    settings = Settings()
    if workspace:
        settings = settings.model_copy(update={"workspace": workspace})
    with _bar("replay", quiet=as_json) as step:
        made = ask_again(settings, since.replace(tzinfo=UTC), step, index=index, limit=limit)
        folder = out or settings.home / "eval" / "runs" / "replay"
        report = publish(made, folder)
    if as_json:
        _print_json({"folder": str(folder), "protocol": made.protocol.line(), "scores": made.scores})
        return
    _show(made)
    console.print(f"Report: {report}", markup=False, highlight=False, soft_wrap=True)


def sweep(
    suite: Annotated[str, typer.Argument(help="A shipped suite or a YAML file of your own.")],
    changes: Changes = None,
    out: Annotated[Path | None, typer.Option(help="Keep the table here as JSON.")] = None,
    as_json: JSON = False,
) -> None:
    """Try settings on a grid. Example: copilot eval sweep retrieval-dev --set lexical_weight=0,0.2,0.4 --set votes_weight=0,0.4."""
    from eval.sweep import combinations, keep
    from eval.sweep import sweep as try_all

    grid, rows = changes or [], []
    count = len(combinations(grid))
    with _bar(f"{suite}, {count} runs", quiet=as_json) as step:
        for row in try_all(suite, grid, step):
            rows.append(row)
            if out:
                keep(rows, out)
    if as_json:
        _print_json(rows)
        return
    table = Table("settings", *(score.name for score in rows[0].scores))
    for row in rows:
        table.add_row(escape(" ".join(row.settings)), *(_interval(score) for score in row.scores))
    console.print(table)


# ---- the terminal ----


@contextmanager
def _bar(name: str, quiet: bool) -> Iterator[Step]:
    """A progress bar with one line a stage."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
        console=errors, transient=True, disable=quiet or not errors.is_terminal,
    )  # fmt: skip
    tasks = {}
    with bar:

        def step(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(f"{name}: {stage}", total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield step


def _show(made: Run) -> None:
    table = Table(
        Column("metric", no_wrap=True),
        "value",
        Column("95 % interval", no_wrap=True),
        "n",
        title=f"{made.name}",
        title_justify="left",
    )
    for score in made.scores:
        wrong = score.invariant and score.value < 1
        style = "red" if wrong else ""
        table.add_row(
            score.name, f"{score.value:.3f}", f"{score.low:.3f} – {score.high:.3f}", str(score.n), style=style
        )
    console.print(table)
    if made.times and made.times.steps:
        steps = "  ".join(f"{name} {p['p50']:.1f}/{p['p95']:.1f}" for name, p in made.times.steps.items())
        console.print(f"ms p50/p95: {steps}", highlight=False, soft_wrap=True)
    for note in made.notes:
        console.print(f"- {note}", markup=False, highlight=False, soft_wrap=True)
    console.print(made.protocol.line(), style="dim", markup=False, highlight=False, soft_wrap=True)


def _interval(score: Score) -> str:
    return f"{score.value:.3f} ({score.low:.3f}–{score.high:.3f})"


def _show_comparison(found: Comparison) -> None:
    whole = partial(Column, no_wrap=True)
    name = Column("metric", overflow="fold")  # in a narrow terminal a name is broken, and no figure cut
    table = Table(
        name, whole("A"), whole("B"), whole("B − A, 95 % interval"), whole("p"), whole("verdict"), box=None, padding=(0, 1, 0, 0)
    )  # fmt: skip
    for one in found.differences:
        style = {"better": "green", "worse": "red"}.get(one.verdict or "", "")
        change = f"{one.difference:+.3f} ({one.low:+.3f} … {one.high:+.3f})"
        table.add_row(one.name, f"{one.a:.3f}", f"{one.b:.3f}", change, f"{one.p_holm:.3f}", one.verdict, style=style)
    console.print(table)
    for line in found.notes:
        console.print(f"- {line}", markup=False, highlight=False, soft_wrap=True)


def _print_json(value: object) -> None:
    text = json.dumps(json.loads(to_json(value, inf_nan_mode="constants")), ensure_ascii=False, indent=2)
    console.print(text, markup=False, highlight=False, soft_wrap=True)
