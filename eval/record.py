"""A run on disk: `results.json` (scores and protocol), `cases.jsonl` (everything said, case by case) and `times.json` (all that the clock made).

The first two are the same bytes for the same input; whatever depends on the machine's speed stands in the third alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from copilot.errors import InputError
from eval.metrics import Better, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """What a number needs beside it to mean anything."""

    suite: str
    corpus: str
    """Hash of the stored documents (ids and texts), so that two runs over one corpus can be told."""
    documents: int
    index_revision: str
    cases: str
    """Hash of the cases as they were asked."""
    split: str
    unit: str
    model: str
    llm: str | None
    prompts: str
    settings: str
    overrides: Mapping[str, str]
    seed: int
    resamples: int
    commit: str
    door: str
    """`process` or `http`: how the copilot was asked."""

    def line(self) -> str:
        """The protocol on one line, as it stands under every table."""
        set_to = ", ".join(f"{name}={value}" for name, value in sorted(self.overrides.items()))
        return (
            f"{self.suite}: {self.split}; corpus {self.corpus[:12]} ({self.documents} documents, revision {self.index_revision}), "
            f"cases {self.cases[:12]}; unit {self.unit}; model {self.model}, llm {self.llm or 'none'}, prompts {self.prompts}, "
            f"settings {self.settings}{f' ({set_to})' if set_to else ''}; seed {self.seed}, {self.resamples} resamples; "
            f"asked by {self.door}; commit {self.commit}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A metric's value over a run, with its 95 % interval (bootstrap over cases)."""

    name: str
    value: float
    low: float
    high: float
    n: int
    statistic: str
    better: Better
    invariant: bool
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceScore:
    """A metric's value over the cases of one slice, such as channel: chat."""

    slice: str
    value: str
    name: str
    score: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecord:
    """One case as it was asked and answered, in wire shape, with its row of each metric that applies to it."""

    id: str
    rows: Mapping[str, Value]
    case: dict[str, Any]
    suggestion: dict[str, Any]
    ranked: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What the clock and the machine made of the run: never part of a comparison."""

    ended: str
    seconds: float
    machine: str
    steps: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Step of a suggestion (`embed`, `search`, … `total`) -> p50, p95, p99 in milliseconds."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """start_up_seconds, suggestions_per_second, peak_memory_mb."""
    totals_ms: tuple[float, ...] = ()
    """Each suggestion's whole time, in the order of the cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything that a run found."""

    name: str
    protocol: Protocol
    scores: tuple[Score, ...]
    slices: tuple[SliceScore, ...]
    notes: tuple[str, ...]
    """What a reader must know: skipped metrics and why, signatures, how the judge agrees with labels."""
    records: tuple[CaseRecord, ...]
    times: Times | None = None

    def score(self, name: str) -> Score | None:
        """The metric's score, None where the run has none of it."""
        return next((one for one in self.scores if one.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Results:
    name: str
    protocol: Protocol
    scores: tuple[Score, ...]
    slices: tuple[SliceScore, ...]
    notes: tuple[str, ...]


def write(run: Run, folder: Path) -> None:
    """Keep the run in this folder; cases are in the order in which they were asked."""
    folder.mkdir(parents=True, exist_ok=True)
    results = _Results(name=run.name, protocol=run.protocol, scores=run.scores, slices=run.slices, notes=run.notes)
    (folder / "results.json").write_bytes(to_json(results, indent=1) + b"\n")
    (folder / "cases.jsonl").write_bytes(b"".join(to_json(record) + b"\n" for record in run.records))
    if run.times is not None:
        (folder / "times.json").write_bytes(to_json(run.times, indent=1) + b"\n")


def read(folder: Path) -> Run:
    """The run kept in this folder. Raises InputError where there is none, or it cannot be read."""
    try:
        results = TypeAdapter(_Results).validate_json((folder / "results.json").read_bytes())
        lines = (folder / "cases.jsonl").read_bytes().splitlines()
        records = tuple(TypeAdapter(CaseRecord).validate_json(line) for line in lines)
        kept = folder / "times.json"
        times = TypeAdapter(Times).validate_json(kept.read_bytes()) if kept.exists() else None
    except FileNotFoundError as error:
        raise InputError(
            f"{folder} holds no run: {error.filename} is missing. Give the folder that `copilot eval run --out` wrote."
        ) from error
    except (ValidationError, OSError) as error:
        raise InputError(
            f"The run in {folder} cannot be read; make it again with `copilot eval run`. {error}"
        ) from error
    return Run(
        name=results.name, protocol=results.protocol, scores=results.scores, slices=results.slices, notes=results.notes,
        records=records, times=times,
    )  # fmt: skip
