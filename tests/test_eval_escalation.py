from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from eval.escalation import escalation
from eval.metrics import Metric, Outcome
from eval.stats import STATISTICS
from tests.eval_cases import by_name, case, hint, outcome, suggestion


def hinted(
    id: str,
    truth: bool | None,
    recommended: bool,
    score: float = 0.0,
    reason: str | None = None,
    codes: Sequence[str] = (),
) -> Outcome:
    known = case(id, escalate=truth, escalate_reason=reason)
    return outcome(known, suggestion(escalation=hint(recommended, score, codes)))


def value(metrics: Sequence[Metric], name: str) -> float:
    metric = by_name(metrics)[f"escalation.{name}"]
    return STATISTICS[metric.statistic](list(metric.rows.values()))


def test_the_hint_by_hand() -> None:
    found = escalation(
        [
            hinted("hit", True, True, 0.9),
            hinted("miss", True, False, 0.3),
            hinted("second miss", True, False, 0.1),
            hinted("false alarm", False, True, 0.6),
            *(hinted(f"calm {number}", False, False, 0.0) for number in range(6)),
            hinted("nobody knows", None, True, 1.0),
        ]
    )
    assert value(found, "precision") == 1 / 2
    assert value(found, "recall") == pytest.approx(1 / 3)
    assert value(found, "f1") == pytest.approx(2 / 5)
    assert value(found, "average_precision") == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert value(found, "recall_at_10_budget") == pytest.approx(1 / 3)
    assert value(found, "recall_at_20_budget") == pytest.approx(1 / 3)
    assert all("nobody knows" not in metric.rows for metric in found)


def test_a_wish_for_a_person_is_followed_up_by_itself() -> None:
    found = by_name(
        escalation(
            [
                hinted("heard", True, True, reason="asks_for_person", codes=["asks_for_person"]),
                hinted("missed", True, False, reason="asks_for_person"),
                hinted("other", True, True, reason="legal_threat", codes=["press"]),
            ]
        )
    )
    assert found["escalation.asks_for_person_recall"].rows == {"heard": 1, "missed": 0}


def test_a_reason_is_asked_of_right_escalations_only() -> None:
    found = by_name(
        escalation(
            [
                hinted("right", True, True, reason="legal_threat", codes=["press", "legal_threat"]),
                hinted("wrong", True, True, reason="legal_threat", codes=["press"]),
                hinted("missed", True, False, reason="legal_threat"),
                hinted("unlabelled", True, True, codes=["press"]),
            ]
        )
    )
    assert found["escalation.reason_accuracy"].rows == {"right": 1, "wrong": 0}


def test_nothing_is_said_without_labels() -> None:
    assert escalation([hinted("a", None, True)]) == []


def test_it_agrees_with_scikit_learn_on_random_hints() -> None:
    rng = random.Random(8)
    outcomes = [
        hinted(str(n), rng.random() < 0.3, rng.random() < 0.4, rng.choice([0, 0.2, 0.5, 0.9])) for n in range(200)
    ]
    found = escalation(outcomes)
    truths = [bool(one.case.escalate) for one in outcomes]
    hints = [one.suggestion.escalation for one in outcomes]
    expected = precision_recall_fscore_support(truths, [one.recommended for one in hints], average="binary")[:3]
    assert [value(found, name) for name in ("precision", "recall", "f1")] == pytest.approx(list(expected))
    assert value(found, "average_precision") == pytest.approx(
        average_precision_score(truths, [one.score for one in hints])
    )
