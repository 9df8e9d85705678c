"""Keeps a run where people look for it: its files, its report, and what it is measured against."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from eval import expected
from eval.compare import Comparison, compare
from eval.expected import Expected, Recorded
from eval.gate import Failure, gate
from eval.record import CaseRecord, Run, Score, read, write
from eval.report import render
from eval.suite import FOLDER, load

REPLAY = "replay"


def publish(run: Run, folder: Path) -> Path:
    """The run's files and its report, beside what is recorded of its suite; the path of the report."""
    write(run, folder)
    before, bands = _recorded(run.protocol.suite)
    comparison = _against(run, before, bands) if before and bands else None
    marks = {name: mark.value for name, mark in bands.metrics.items()} if bands else None
    report = folder / "report.html"
    earlier = {name: before.rows(name) for name in before.statistics} if before else None
    report.write_text(render(run, marks, comparison, earlier), encoding="utf-8")
    return report


def gated(folder: Path) -> list[Failure]:
    """What the run in this folder broke; nothing where it may ship. Raises InputError where the folder holds no run."""
    run = read(folder)
    suite, _ = load(run.protocol.suite)
    return gate(run, *_recorded(suite.name), suite.gates)


def recorded(folder: Path, readme: Path | None, where: Path = expected.FOLDER) -> list[Path]:
    """Make the run in this folder the recorded one of its suite; the files written. Raises InputError."""
    run = read(folder)
    suite, _ = load(run.protocol.suite)
    expected.record(run, suite.gates, datetime.now(UTC).date(), where)
    if readme is not None:
        expected.write_table(readme, expected.table(expected.load_all(where)))
    return [where / "expected.yaml", where / "data" / f"{suite.name}.recorded.json", *([readme] if readme else [])]


def _recorded(suite: str) -> tuple[Recorded | None, Expected | None]:
    """What is recorded of a shipped suite; a suite of one's own and a replay have nothing yet."""
    return expected.load(suite) if (FOLDER / f"{suite}.yaml").exists() else (None, None)


def _against(run: Run, before: Recorded, bands: Expected) -> Comparison | None:
    """The run beside the recorded rows, over the cases that both have."""
    names = [name for name in before.statistics if name in bands.metrics]
    rows = {name: before.rows(name) for name in names}
    scores = tuple(
        Score(
            name=name, value=mark.value, low=mark.low, high=mark.high, n=mark.n, statistic=before.statistics[name],
            better=mark.better, invariant=False, about="",
        )
        for name in names if (mark := bands.metrics[name])
    )  # fmt: skip
    records = tuple(
        CaseRecord(
            id=id, rows={name: rows[name][id] for name in names if id in rows[name]}, case={}, suggestion={}, ranked={}
        )
        for id in before.cases
    )
    if not {record.id for record in records} & {record.id for record in run.records}:
        return None
    was = Run(name=f"recorded {bands.date}", protocol=run.protocol, scores=scores, slices=(), notes=(), records=records)
    return compare(was, run)
