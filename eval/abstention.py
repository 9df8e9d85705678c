"""Whether the copilot keeps silent where it should, and only there; and whether its confidence could tell."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from copilot.domain import Suggestion
from eval.metrics import Metric, Outcome
from eval.rates import Kind, Rows, rates
from eval.retrieval import finds

KINDS = (
    Kind(
        "false_abstain", "Share of the cases that have an answer for which none was written; 0 is best.", better="lower"
    ),
    Kind("correct_refusal", "Share of the cases without an answer for which none was written; 1 is best."),
    Kind(
        "aurc",
        "Errors among the most confident cases, averaged over all cuts (area under the risk-coverage curve); 0 is best.",
        "aurc",
        "lower",
    ),
    Kind(
        "coverage_at_5_risk",
        "Largest share of cases that a confidence threshold lets through with at most 5 % errors; 1 is best.",
        "coverage_at_5_risk",
    ),
    Kind(
        "answerability_auroc",
        "Chance that a case with an answer gets more confidence than one without; 1 is best, 0.5 is guessing.",
        "auroc",
    ),
)


def abstention(outcomes: Sequence[Outcome]) -> list[Metric]:
    """Silence against what is known to be answerable; a case of which nothing is known does not count.

    false_abstain = silent answerable / answerable; correct_refusal = silent unanswerable / unanswerable, where a draft that claims nothing (a
    holding reply) counts as silent. Risk at coverage c = error rate of the share c of cases with most confidence; AURC = its mean over all
    c; coverage_at_5_risk = the largest c with risk ≤ 0.05 (El-Yaniv and
    Wiener 2010; Geifman et al. 2019). An error is a case without an answer, or one whose gold documents are all missing from the first five
    found: what drafting from the top would get wrong, whatever was decided.
    """
    return rates("abstention", KINDS, outcomes, _row)


def confidence(suggestion: Suggestion) -> float:
    """How sure the copilot is that its documents answer: `answerability` where it says so, else the best cosine that it shows.

    The score of a similar ticket is left out: it is fused, the best of each query near 1, and does not compare between queries.
    """
    said = getattr(suggestion, "answerability", None)
    if said is not None:
        return float(said)
    shown = [hit.scores["dense"] for hit in suggestion.passages if "dense" in hit.scores]
    near = [one.score for one in suggestion.abstention.nearest] if suggestion.abstention else []
    return max(shown + near, default=0.0)


def risk_coverage(rows: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """(coverage, risk) at each confidence threshold, for rows of (confidence, error): coverage rises, equal confidence stays together.

    Coverage = share of rows at or above the threshold; risk = share of errors among them (El-Yaniv and Wiener 2010).
    """
    points, covered, errors = list[tuple[float, float]](), 0, 0.0
    for _, tied in groupby(sorted(rows, key=lambda row: -row[0]), key=lambda row: row[0]):
        some = [error for _, error in tied]
        covered, errors = covered + len(some), errors + sum(some)
        points.append((covered / len(rows), errors / covered))
    return points


def _row(outcome: Outcome) -> Rows:
    known = outcome.case.expects_answer
    if known is None:
        return {}
    silent, sure, risk = (
        float(_silent(outcome.suggestion, known)),
        confidence(outcome.suggestion),
        _risk(outcome, known),
    )
    return {
        "false_abstain" if known else "correct_refusal": silent,
        "aurc": risk,
        "coverage_at_5_risk": risk,
        "answerability_auroc": (sure, float(known)),
    }


def _silent(suggestion: Suggestion, known: bool) -> bool:
    """Whether nothing was answered; a reply that only says who takes over answers nothing of what has no answer."""
    if suggestion.draft is None:
        return True
    return not known and all(one.support == "no_claim" for one in suggestion.draft.statements)


def _risk(outcome: Outcome, known: bool) -> tuple[float, float] | None:
    """(confidence, error); None for a case that has an answer nobody has pointed to."""
    if known and not outcome.case.answers:
        return None
    return confidence(outcome.suggestion), float(not (known and finds(outcome)))
