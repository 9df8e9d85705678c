"""From what was said to a case to its rows: what the metric groups share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from eval.metrics import Better, Metric, Outcome, Value

Rows = Mapping[str, Value | None]
"""Short name of a metric -> one case's row; missing or None where the metric does not apply to the case."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A metric before it is measured: its name within the group, how it is summed up, and its sentence for the report."""

    name: str
    about: str
    statistic: str = "mean"
    better: Better = "higher"
    invariant: bool = False


def rates(
    group: str, kinds: Iterable[Kind], outcomes: Sequence[Outcome], row: Callable[[Outcome], Rows]
) -> list[Metric]:
    """A metric of each kind, named `group.name`, with the rows of the cases that it applies to; without rows it is left out."""
    found = {outcome.case.id: row(outcome) for outcome in outcomes}
    metrics = (_metric(group, kind, found) for kind in kinds)
    return [metric for metric in metrics if metric.rows]


def _metric(group: str, kind: Kind, found: Mapping[str, Rows]) -> Metric:
    rows = {case: value for case, rows in found.items() if (value := rows.get(kind.name)) is not None}
    return Metric(
        name=f"{group}.{kind.name}", rows=rows, statistic=kind.statistic, better=kind.better, invariant=kind.invariant,
        about=kind.about,
    )  # fmt: skip


def share(truths: Collection[bool]) -> float | None:
    """How many of them are true, from 0 to 1; None where there are none."""
    return sum(truths) / len(truths) if truths else None


def harmonic(precision: float, recall: float) -> float:
    """F1: the harmonic mean 2PR / (P + R), 0 where both are 0 (van Rijsbergen 1979)."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
