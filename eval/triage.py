"""Whether what the customer wants, feels and how soon is read rightly, and whether the confidences mean what they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from copilot.domain import Sentiment, Tag
from copilot.labelled import MOODS
from copilot.learn import OTHER
from eval.metrics import Metric, Outcome
from eval.rates import Kind, Rows, rates

BAD_MOODS = ("very_negative", "negative")


def _label_kinds(field: str, noun: str) -> Iterator[Kind]:
    yield Kind(f"{field}.accuracy", f"Share of messages whose {noun} is read as labelled; 1 is best.")
    yield Kind(
        f"{field}.macro_f1", f"F1 of each {noun}, averaged so that rare ones count in full; 1 is best.", "macro_f1"
    )


def _ece(field: str, noun: str) -> Kind:
    about = f"How far the confidence in the {noun} lies from how often it is right (15 bins); 0 is best."
    return Kind(f"{field}.ece", about, "ece15", "lower")


KINDS = (
    *_label_kinds("intent", "intent"),
    Kind("intent.top3", "Share of messages whose intent is among the three likeliest; 1 is best."),
    _ece("intent", "intent"),
    Kind(
        "intent.brier", "Squared gap between the confidence in the intent and its being right; 0 is best.", better="lower"
    ),
    *_label_kinds("sentiment", "mood"),
    Kind("sentiment.within_one", "Share of messages whose mood is read at most one step off on the scale of five; 1 is best."),
    Kind(
        "sentiment.negative_auroc",
        "Chance that an unhappy message looks unhappier than another one; 1 is best, 0.5 is guessing.",
        "auroc",
    ),
    _ece("sentiment", "mood"),
    *_label_kinds("urgency", "urgency"),
    Kind("urgency.high_auroc", "Chance that an urgent message looks more urgent than another one; 1 is best, 0.5 is guessing.", "auroc"),
    Kind("other.auroc", "Chance that a message of no known intent looks more like `other` than one of a known intent; 1 is best.", "auroc"),
    Kind(
        "other.fpr95",
        "Share of messages of no known intent that pass for known ones when 95 % of the known pass; 0 is best.",
        "fpr95",
        "lower",
    ),
)  # fmt: skip


def triage(outcomes: Sequence[Outcome]) -> list[Metric]:
    """The tags against their labels; a label that the taxonomy does not know counts as wrong.

    Accuracy; macro-F1; top3 = truth among label and first two alternatives; ECE = Σ_b |B_b|/n · |acc(B_b) - conf(B_b)| over 15 bins (Guo et
    al. 2017); brier = (confidence - right)² of the chosen label (Brier 1950, binary). negative_auroc ranks by P(negative or very negative), as
    far as the tag tells: what its confidence leaves is spread evenly over the other four moods. AUROC: Hanley and McNeil 1982. fpr95 = share of
    out-of-scope messages accepted at the threshold that accepts 95 % of those in scope (Liang et al. 2018): its rows are
    (1 - P(other), in scope).
    """
    return rates(
        "triage", KINDS, outcomes, lambda outcome: {**_intent(outcome), **_sentiment(outcome), **_urgency(outcome)}
    )


def unknown_labels(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Gold intents that the copilot never gave any message, not even as an alternative: its taxonomy hardly knows them."""
    given = {label for outcome in outcomes for label in _chances(outcome.suggestion.triage.intent)}
    gold = {outcome.case.intent for outcome in outcomes if outcome.case.intent is not None}
    return tuple(sorted(gold - given))


def _intent(outcome: Outcome) -> Rows:
    gold, tag = outcome.case.intent, outcome.suggestion.triage.intent
    if gold is None:
        return {}
    right, other = float(tag.label == gold), _chances(tag).get(OTHER, 0.0)
    return {
        "intent.accuracy": right,
        "intent.macro_f1": (tag.label, gold),
        "intent.top3": float(gold in list(_chances(tag))[:3]),
        "intent.ece": (tag.confidence, right),
        "intent.brier": (tag.confidence - right) ** 2,
        "other.auroc": (other, float(gold == OTHER)),
        "other.fpr95": (1 - other, float(gold != OTHER)),
    }


def _sentiment(outcome: Outcome) -> Rows:
    gold, tag = outcome.case.sentiment, outcome.suggestion.triage.sentiment
    if gold is None:
        return {}
    right = float(tag.label == gold)
    return {
        "sentiment.accuracy": right,
        "sentiment.macro_f1": (tag.label, gold),
        "sentiment.within_one": float(_near(tag.label, gold)),
        "sentiment.negative_auroc": (_unhappy(tag), float(gold in BAD_MOODS)),
        "sentiment.ece": (tag.confidence, right),
    }


def _urgency(outcome: Outcome) -> Rows:
    gold, tag = outcome.case.urgency, outcome.suggestion.triage.urgency
    urgent = gold == "high" if gold is not None else outcome.case.urgent
    return {
        "urgency.accuracy": None if gold is None else float(tag.label == gold),
        "urgency.macro_f1": None if gold is None else (tag.label, gold),
        "urgency.high_auroc": None if urgent is None else (_chances(tag).get("high", 0.0), float(urgent)),
    }


def _chances(tag: Tag) -> dict[str, float]:
    """Label -> confidence, as far as the tag tells, likeliest first."""
    return {tag.label: tag.confidence} | {one.label: one.confidence for one in tag.alternatives}


def _near(label: str, gold: str) -> bool:
    known = label in MOODS and gold in MOODS
    return known and abs(MOODS.index(label) - MOODS.index(gold)) <= 1


def _unhappy(tag: Sentiment) -> float:
    """P(negative or very negative), what the confidence leaves spread evenly over the other four moods."""
    left = (1 - tag.confidence) / (len(MOODS) - 1)
    return tag.confidence + left if tag.label in BAD_MOODS else 2 * left
