"""Whether a person is called where one should step in, for the right reason, and how much of a reviewer's time it takes."""

from __future__ import annotations

from collections.abc import Sequence

from eval.metrics import Metric, Outcome
from eval.rates import Kind, Rows, rates

ASKS = "asks_for_person"
"""The code that `copilot/defaults/policy.yaml` gives to a customer's wish for a person."""

KINDS = (
    Kind("precision", "Share of the recommended escalations that were right; 1 is best.", "precision"),
    Kind("recall", "Share of the cases that need a person for which one was recommended; 1 is best.", "recall"),
    Kind("f1", "Precision and recall of escalations in one number; 1 is best.", "f1"),
    Kind(
        "average_precision",
        "Precision of the escalation score averaged over its thresholds; the share of cases that need a person is guessing.",
        "average_precision",
    ),
    Kind(
        "recall_at_10_budget",
        "Share of the cases that need a person that a reviewer of the highest-scored 10 % sees; 1 is best.",
        "recall_at_10_budget",
    ),
    Kind(
        "recall_at_20_budget",
        "Share of the cases that need a person that a reviewer of the highest-scored 20 % sees; 1 is best.",
        "recall_at_20_budget",
    ),
    Kind(
        "asks_for_person_recall", "Share of the customers who ask for a person for whom one was recommended; 1 is best."
    ),
    Kind("reason_accuracy", "Share of the right escalations whose labelled reason is among those given; 1 is best."),
)


def escalation(outcomes: Sequence[Outcome]) -> list[Metric]:
    """The hint against the label `escalate`, and the reasons against `escalate_reason`.

    precision = TP / (TP + FP), recall = TP / (TP + FN), f1 = 2PR / (P + R) (van Rijsbergen 1979); average precision = Σ (R_k - R_{k-1}) P_k
    over thresholds of the score; recall at a budget of b % = share of true cases among the b % with the highest scores. reason_accuracy counts
    the true cases that were recommended; one that was missed already costs recall.
    """
    return rates("escalation", KINDS, outcomes, lambda outcome: {**_hint(outcome), **_reason(outcome)})


def _hint(outcome: Outcome) -> Rows:
    if outcome.case.escalate is None:
        return {}
    truth, hint = float(outcome.case.escalate), outcome.suggestion.escalation
    decided = dict.fromkeys(("precision", "recall", "f1"), (float(hint.recommended), truth))
    ranked = dict.fromkeys(("average_precision", "recall_at_10_budget", "recall_at_20_budget"), (hint.score, truth))
    return {**decided, **ranked}


def _reason(outcome: Outcome) -> Rows:
    code, hint = outcome.case.escalate_reason, outcome.suggestion.escalation
    given = {reason.code for reason in hint.reasons}
    told = code is not None and outcome.case.escalate is True and hint.recommended
    return {
        "asks_for_person_recall": float(hint.recommended) if code == ASKS else None,
        "reason_accuracy": float(code in given) if told else None,
    }
