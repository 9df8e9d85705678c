from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, brier_score_loss, f1_score, roc_auc_score

from copilot.domain import Tag
from eval.metrics import Outcome
from eval.stats import STATISTICS
from eval.triage import triage, unknown_labels
from tests.eval_cases import by_name, case, outcome, rows, suggestion, tag
from tests.eval_cases import triage as tags

LABELS = ("billing", "login", "other")


def read(given: Tag | None = None, mood: tuple[str, float] = ("neutral", 0.8), **known: Any) -> Outcome:
    return outcome(case(**known), suggestion(triage_=tags(given, mood)))


def test_an_intent_by_hand() -> None:
    found = rows(triage([read(tag("billing", 0.6, login=0.2, other=0.15, refund=0.05), intent="login")]))
    assert found == {
        "triage.intent.accuracy": 0,
        "triage.intent.macro_f1": ("billing", "login"),
        "triage.intent.top3": 1,
        "triage.intent.ece": (0.6, 0),
        "triage.intent.brier": pytest.approx(0.36),
        "triage.other.auroc": (0.15, 0),
        "triage.other.fpr95": (0.85, 1),
    }


def test_only_the_first_three_labels_are_the_top_three() -> None:
    given = tag("billing", 0.6, login=0.2, other=0.15, refund=0.05)
    assert rows(triage([read(given, intent="other")]))["triage.intent.top3"] == 1
    assert rows(triage([read(given, intent="refund")]))["triage.intent.top3"] == 0


def test_a_label_that_the_taxonomy_does_not_know_is_wrong_and_named() -> None:
    outcomes = [
        read(tag("billing", 0.6, login=0.4), id="1", intent="astrology"),
        read(tag("billing", 0.6), id="2", intent="login"),
        read(id="3"),
    ]
    assert unknown_labels(outcomes) == ("astrology",)
    assert by_name(triage(outcomes))["triage.intent.accuracy"].rows == {"1": 0, "2": 0}


def test_a_mood_by_hand() -> None:
    found = rows(triage([read(mood=("negative", 0.6), sentiment="very_negative")]))
    assert found == {
        "triage.sentiment.accuracy": 0,
        "triage.sentiment.macro_f1": ("negative", "very_negative"),
        "triage.sentiment.within_one": 1,
        "triage.sentiment.negative_auroc": (pytest.approx(0.7), 1),  # 0.6 and a quarter of the rest
        "triage.sentiment.ece": (0.6, 0),
    }


def test_what_a_calm_tag_leaves_is_spread_over_the_other_moods() -> None:
    found = rows(triage([read(mood=("neutral", 0.6), sentiment="positive")]))
    assert found["triage.sentiment.negative_auroc"] == (pytest.approx(0.2), 0)
    assert found["triage.sentiment.within_one"] == 1


def test_two_steps_off_or_a_mood_that_is_none_is_not_near() -> None:
    assert rows(triage([read(mood=("neutral", 0.9), sentiment="very_positive")]))["triage.sentiment.within_one"] == 0
    assert rows(triage([read(mood=("neutral", 0.9), sentiment="angry")]))["triage.sentiment.within_one"] == 0


def test_urgency_is_read_from_its_label_or_from_yes_and_no() -> None:
    given = tag("normal", 0.5, high=0.3, low=0.2)
    labelled = outcome(case(urgency="high"), suggestion(triage_=tags(urgency=given)))
    assert rows(triage([labelled])) == {
        "triage.urgency.accuracy": 0,
        "triage.urgency.macro_f1": ("normal", "high"),
        "triage.urgency.high_auroc": (0.3, 1),
    }
    answered = outcome(case(urgent=False), suggestion(triage_=tags(urgency=given)))
    assert rows(triage([answered])) == {"triage.urgency.high_auroc": (0.3, 0)}


def test_what_fits_no_label_is_told_by_the_chance_of_other() -> None:
    outcomes = [
        read(tag("other", 0.9), id="odd", intent="other"),
        read(tag("billing", 0.8, other=0.1), id="plain", intent="billing"),
        read(tag("billing", 0.8), id="plainer", intent="billing"),
    ]
    metrics = by_name(triage(outcomes))
    assert metrics["triage.other.auroc"].rows == {"odd": (0.9, 1), "plain": (0.1, 0), "plainer": (0, 0)}
    assert _value(metrics, "other.auroc") == 1
    assert _value(metrics, "other.fpr95") == 0


def test_nothing_is_said_without_labels() -> None:
    assert triage([read()]) == []


def test_the_scores_agree_with_scikit_learn_on_random_labels() -> None:
    rng = random.Random(6)
    outcomes = [_random(rng, str(number)) for number in range(300)]
    metrics = by_name(triage(outcomes))
    said, gold = [one.suggestion.triage.intent for one in outcomes], [one.case.intent for one in outcomes]
    labels, sure = [one.label for one in said], np.array([one.confidence for one in said])
    right = np.array([label == true for label, true in zip(labels, gold, strict=True)])
    other = [next(c for name, c in _all(one) if name == "other") for one in said]
    assert _value(metrics, "intent.accuracy") == pytest.approx(accuracy_score(gold, labels))
    assert _value(metrics, "intent.macro_f1") == pytest.approx(f1_score(gold, labels, average="macro"))
    assert _value(metrics, "intent.brier") == pytest.approx(brier_score_loss(right, sure))
    assert _value(metrics, "other.auroc") == pytest.approx(roc_auc_score([one == "other" for one in gold], other))
    accuracy, confidence = calibration_curve(right, sure, n_bins=15)
    sizes = np.histogram(sure, bins=15, range=(0, 1))[0]
    expected = (np.abs(accuracy - confidence) * sizes[sizes > 0]).sum() / len(outcomes)
    assert _value(metrics, "intent.ece") == pytest.approx(expected)


def _random(rng: random.Random, id: str) -> Outcome:
    """Confidences that fall on no border of a bin, where libraries differ in the side they take."""
    weights = [rng.uniform(0.05, 1) for _ in LABELS]
    ranked = sorted(((weight / sum(weights), name) for weight, name in zip(weights, LABELS, strict=True)), reverse=True)
    (first, label), *rest = ranked
    return read(tag(label, first, **{name: value for value, name in rest}), id=id, intent=rng.choice(LABELS))


def _all(one: Tag) -> list[tuple[str, float]]:
    return [(one.label, one.confidence), *((other.label, other.confidence) for other in one.alternatives)]


def _value(metrics: dict[str, Any], name: str) -> float:
    metric = metrics[f"triage.{name}"]
    return STATISTICS[metric.statistic](list(metric.rows.values()))
