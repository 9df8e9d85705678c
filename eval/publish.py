"""Keeps a run where people look for it: its files, its report, and what it is measured against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic_core import to_json

from copilot.errors import InputError
from eval import expected
from eval.compare import Comparison, compare
from eval.expected import Expected, Recorded
from eval.gate import Failure, gate
from eval.record import CaseRecord, Run, Score, read, write
from eval.report import render
from eval.suite import Suite, load
from eval.worst import Fault, Finding, findings

ASKED = 300


def publish(run: Run, folder: Path, records: Path | None = None) -> Path:
    """The run's files, its findings and its report, beside what `records` holds of its suite, if anything; the path of the report."""
    write(run, folder)
    (folder / "findings.json").write_bytes(to_json([_listed(one) for one in findings(run)]) + b"\n")
    before, bands = expected.load(run.protocol.suite, records) if records else (None, None)
    comparison = _against(run, before, bands) if before and bands else None
    marks = {name: mark.value for name, mark in bands.metrics.items()} if bands else None
    earlier = {name: before.rows(name) for name in before.statistics} if before else None
    report = folder / "report.html"
    report.write_text(render(run, marks, comparison, earlier), encoding="utf-8")
    return report


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A case in a list, worst first: what was asked, what came of it, and what is wrong with that, gravest first."""

    id: str
    asked: str
    channel: str
    status: str
    badness: float
    grave: bool
    verdict: str
    faults: tuple[Fault, ...]


def _listed(found: Finding) -> Listed:
    return Listed(
        id=found.case.id, asked=found.case.text[:ASKED], channel=found.case.conversation.channel, status=found.suggestion.status,
        badness=round(found.badness, 3), grave=found.grave, verdict=found.verdict, faults=found.faults,
    )  # fmt: skip


def gated(folder: Path, name: str | None = None) -> list[Failure]:
    """What the run in this folder broke; nothing where it may ship. Raises InputError where there is no run, or no suite of the name."""
    run, suite = _run_of(folder, name)
    return gate(run, *expected.load(suite.name, suite.records), suite.gates)


def recorded(folder: Path, readme: Path | None, name: str | None = None) -> list[Path]:
    """Make the run in this folder the recorded one of its suite; the files written. Raises InputError."""
    run, suite = _run_of(folder, name)
    where = suite.records
    expected.record(run, suite.gates, datetime.now(UTC).date(), where)
    if readme is not None:
        expected.write_table(readme, expected.table(expected.load_all(where)))
    return [where / "expected.yaml", where / "data" / f"{suite.name}.recorded.json", *([readme] if readme else [])]


def _run_of(folder: Path, name: str | None) -> tuple[Run, Suite]:
    """The run and its suite: a shipped one knows its name, another's file must be given."""
    run = read(folder)
    suite, _ = load(name or run.protocol.suite)
    if suite.name != run.protocol.suite:
        raise InputError(
            f"{folder} is a run of the suite {run.protocol.suite}, not of {suite.name}. Give its file with --suite."
        )
    return run, suite


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
