"""Two runs, case by case: what changed, by how much, and whether chance explains it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, fields
from math import isnan
from typing import Literal

from copilot.errors import InputError
from eval.metrics import Better, Value
from eval.record import Protocol, Run, Score
from eval.stats import Paired, holm, paired

Verdict = Literal["better", "worse", "same"]
Change = tuple[str, Value, Value]
"""Case id, row in a, row in b."""
LEVEL = 0.05
RESAMPLES = 10_000
"""More than an interval needs: to stay below .05 in a family of sixty, a p must be below .001."""
_LABELLED = ("macro_f1", "precision", "recall", "f1")
_ERRING = ("aurc", "coverage_at_5_risk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One metric of two runs over the cases that both have: `difference` is b − a, with its 95 % interval."""

    name: str
    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    """p, corrected for all metrics of the comparison."""
    n: int
    better: Better
    verdict: Verdict | None
    """On b: `same` where chance explains the difference, None where no direction is good."""
    wins: int
    """Cases on which b does better (is higher, where no direction is good)."""
    losses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Run b measured against run a."""

    a: str
    b: str
    cases: int
    """How many cases both runs asked."""
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    """How the protocols differ, and what could not be compared."""

    def difference(self, name: str) -> Difference | None:
        """The metric's difference, None where it was not compared."""
        return next((one for one in self.differences if one.name == name), None)


def compare(a: Run, b: Run, *, seed: int = 0, resamples: int = RESAMPLES) -> Comparison:
    """Every metric that both runs have, paired over their common cases. Raises InputError where they share no case."""
    asked = [{record.id for record in run.records} for run in (a, b)]
    if not asked[0] & asked[1]:
        raise InputError(
            f"The runs {a.name} and {b.name} share no case, so there is nothing to compare. Give two runs of one suite."
        )
    scores = {score.name: score for score in a.scores}
    reasons = {name: reason for name in scores if (reason := _incomparable(a, b, name))}
    found = {
        name: paired(rows(a, name), rows(b, name), score.statistic, seed, resamples)
        for name, score in scores.items()
        if name not in reasons
    }
    reasons |= {name: "it is undefined on the common cases" for name, one in found.items() if isnan(one.difference)}
    reasons |= {score.name: "the first run does not measure it" for score in b.scores if score.name not in scores}
    compared = {name: one for name, one in found.items() if name not in reasons}
    corrected = zip(compared.items(), holm([one.p for one in compared.values()]), strict=True)
    left_out = (f"{name} is not compared: {reason}." for name, reason in reasons.items())
    return Comparison(
        a=a.name,
        b=b.name,
        cases=len(asked[0] & asked[1]),
        differences=tuple(_difference(scores[name], one, p, cases(a, b, name)) for (name, one), p in corrected),
        notes=(*_protocols(a.protocol, b.protocol), *_alone(*asked), *left_out),
    )


def cases(a: Run, b: Run, name: str) -> list[Change]:
    """The cases on which the two runs differ by this metric, b's worst losses first. Raises InputError where one run lacks it."""
    if reason := _incomparable(a, b, name):
        raise InputError(f"{name} cannot be compared: {reason}.")
    score, first, second = next(score for score in a.scores if score.name == name), rows(a, name), rows(b, name)
    moved = [
        (case, first[case], second[case])
        for case in sorted(first.keys() & second.keys())
        if first[case] != second[case]
    ]
    return sorted(moved, key=lambda change: gain(score, change))


def gain(score: Score, change: Change) -> float:
    """How much better the case went in b: above 0 is a win, below 0 a loss."""
    return _merit(score, change[2]) - _merit(score, change[1])


def rows(run: Run, name: str) -> dict[str, Value]:
    """The metric's row of each case that it applies to."""
    return {record.id: record.rows[name] for record in run.records if name in record.rows}


def _merit(score: Score, row: Value) -> float:
    """How well one case went: a number by its good direction, a label by being right, a confidence counting against itself if wrong."""
    if not isinstance(row, tuple):
        return -row if score.better == "lower" else row
    if score.statistic in _LABELLED:
        return float(row[0] == row[1])
    sure, truth = map(float, row)
    good = 1 - truth if score.statistic in _ERRING else truth
    return sure * (2 * good - 1)


def _incomparable(a: Run, b: Run, name: str) -> str | None:
    """Why the metric cannot be paired, None where it can."""
    first, second = a.score(name), b.score(name)
    if first is None or second is None:
        return f"the {'first' if first is None else 'second'} run does not measure it"
    if first.statistic != second.statistic:
        return f"it is {first.statistic} in the first run and {second.statistic} in the second"
    if not rows(a, name).keys() & rows(b, name).keys():
        return "it applies to no case of both runs"
    return None


def _difference(score: Score, found: Paired, p_holm: float, changes: list[Change]) -> Difference:
    gains = [gain(score, change) for change in changes]
    return Difference(
        name=score.name, a=found.a, b=found.b, difference=found.difference, low=found.low, high=found.high, p=found.p, p_holm=p_holm,
        n=found.n, better=score.better, verdict=_verdict(score.better, found.difference, p_holm),
        wins=sum(one > 0 for one in gains), losses=sum(one < 0 for one in gains),
    )  # fmt: skip


def _verdict(better: Better, difference: float, p: float) -> Verdict | None:
    if better == "neither":
        return None
    if p >= LEVEL or difference == 0:
        return "same"
    return "better" if (difference > 0) == (better == "higher") else "worse"


def _protocols(a: Protocol, b: Protocol) -> Iterator[str]:
    """A line for each field on which the protocols differ."""
    for field in fields(Protocol):
        first, second = getattr(a, field.name), getattr(b, field.name)
        if first != second:
            yield f"{field.name.replace('_', ' ')}: {_shown(first)} in the first run, {_shown(second)} in the second"


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        value = ", ".join(f"{name}={one}" for name, one in sorted(value.items()))
    return "none" if value in (None, "") else str(value)


def _alone(a: Set[str], b: Set[str]) -> Iterator[str]:
    """How many cases only one of the runs asked."""
    for which, number in (("first", len(a - b)), ("second", len(b - a))):
        if number:
            yield f"{number} cases are in the {which} run alone and are left out"
