"""What a measurement is made of: what was asked and answered, and the metrics that a group of cases gives.

Each metric keeps one row per case, so that intervals, paired tests and slices are all computed from the same record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from copilot.domain import Suggestion
from eval.cases import Case

Value = float | tuple[float | str, ...]
"""One case's row: a number, or what a set-level statistic reads, such as (predicted label, true label) or (score, truth)."""
Better = Literal["higher", "lower", "neither"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One case and everything that the copilot said to it.

    `ranked` holds the document ids that search found by kind (`article`, `ticket`), best first; `texts` the stored text of each
    (document, revision) that the suggestion cites or shows, as the product hands it out after the suggestion was made; `by_words` the
    solved tickets that BM25 alone finds, where the case names one like it.
    """

    case: Case
    suggestion: Suggestion
    ranked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    texts: Mapping[tuple[str, int], str] = field(default_factory=dict)
    by_words: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A measured quantity: its row for each case that it applies to, and the statistic (see `eval.stats.STATISTICS`) that sums them up."""

    name: str
    rows: Mapping[str, Value]
    statistic: str = "mean"
    better: Better = "higher"
    invariant: bool = False
    """A promise rather than a score: it must be 1 on every case, and the gate is red where it is not."""
    about: str = ""
    """One sentence for the report: what it says, and what a good value is."""
