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

HEADLINES = {
    "retrieval.article.hit@5": "Right article among the first five found",
    "citations.gold_recall": "Right documents that the drafts cite",
    "abstention.false_abstain": "No draft though there is an answer",
    "abstention.correct_refusal": "No draft where there is no answer",
    "abstention.coverage_at_5_risk": "Cases it could answer with 5 % errors at most",
    "triage.intent.accuracy": "Intent right",
    "drafts.token_f1": "Words shared with the reference reply",
    "escalation.recall": "Needed escalations seen",
    "triage.sentiment.within_one": "Mood right, or one step off",
    "claims.faithfulness": "Statements that their sources bear out",
    "abstention.aurc": "Errors among the surest cases",
    "claims.recall": "Facts of the reference reply that drafts hold",
    "retrieval.ticket.hit@5": "Right ticket among the first five found",
    "retrieval.article.mrr@10": "How near the top the right article is",
    "citations.recall.lexical": "Statements that their citations support",
    "triage.urgency.accuracy": "Urgency right",
    "drafts.answered": "Cases with a draft",
    "escalation.average_precision": "Escalation ranking",
}
"""What the scores that people read first are called; those that a run has head its report, in this order."""


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
