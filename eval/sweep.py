"""Tries settings on a grid: the suite run once for each combination, the table kept."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic_core import to_json

from copilot.errors import InputError
from eval.desk import Step
from eval.record import Run, Score
from eval.run import run
from eval.suite import load

MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One combination of settings, and what the suite's gated metrics were with it."""

    settings: tuple[str, ...]
    scores: tuple[Score, ...]


def sweep(name: str, grid: Sequence[str], step: Step) -> Iterator[Row]:
    """A row for each combination of `key=value,value,…`, as it is done. Raises InputError."""
    for changes in combinations(grid):
        suite, overrides = load(name, changes)
        yield Row(settings=changes, scores=_gated(run(suite, overrides, step), suite.gates))


def combinations(grid: Sequence[str]) -> list[tuple[str, ...]]:
    """Every combination of the values. Raises InputError where there is none, or more than anybody waits for."""
    choices = [_choices(one) for one in grid]
    if not choices:
        raise InputError("There is nothing to try. Give --set key=value,value, as in --set lexical_weight=0,0.2,0.4.")
    made = list(itertools.product(*choices))
    if len(made) > MOST:
        raise InputError(f"That is {len(made)} runs. Give fewer values: {MOST} combinations are the most.")
    return made


def keep(rows: Sequence[Row], path: Path) -> None:
    """The table as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_json(rows, indent=1) + b"\n")


def _choices(one: str) -> list[str]:
    name, equals, values = one.partition("=")
    found = [value for value in values.split(",") if value]
    if not (name and equals and found):
        raise InputError(f"--set {one} is no key=value,value.")
    return [f"{name}={value}" for value in found]


def _gated(made: Run, gates: Sequence[str]) -> tuple[Score, ...]:
    return tuple(score for name in gates if (score := made.score(name)) is not None)
