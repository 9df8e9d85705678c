from __future__ import annotations

import random
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sklearn.metrics import roc_auc_score

from copilot.domain import Draft, Suggestion
from eval.abstention import abstention, confidence, risk_coverage
from eval.cases import Span
from eval.metrics import Outcome
from eval.stats import STATISTICS
from tests.eval_cases import by_name, case, draft, hit, outcome, rows, suggestion, ticket


def asked(drafted: bool, sure: float = 0.5, found: tuple[str, ...] = (), **known: Any) -> Outcome:
    answer = suggestion(draft(("Wait.", ())) if drafted else None, passages=[hit("p", "Wait.", sure)])
    return outcome(case(**known), answer, {"article": found})


def test_silence_is_counted_against_what_is_answerable() -> None:
    outcomes = [
        asked(False, id="should speak", gold_docs=("a",)),
        asked(True, id="speaks", answerable=True),
        asked(False, id="rightly silent", answerable=False),
        asked(True, id="makes it up", answerable=False),
        asked(True, id="nobody knows"),
        asked(True, id="nobody knows either", gold_docs=()),
    ]
    found = by_name(abstention(outcomes))
    assert found["abstention.false_abstain"].rows == {"should speak": 1, "speaks": 0}
    assert found["abstention.correct_refusal"].rows == {"rightly silent": 1, "makes it up": 0}
    assert found["abstention.false_abstain"].better == "lower"


def test_a_reply_that_only_says_who_takes_over_answers_nothing() -> None:
    held = outcome(case(id="held", answerable=False), suggestion(held_reply()), {"article": ()})
    own = outcome(case(id="own", answerable=True), suggestion(held_reply()), {"article": ()})
    found = by_name(abstention([held, own]))
    assert found["abstention.correct_refusal"].rows == {"held": 1}
    assert found["abstention.false_abstain"].rows == {"own": 0}


def held_reply() -> Draft:
    made = draft(("Our safety team takes over.", ()))
    return replace(made, statements=tuple(replace(one, support="no_claim") for one in made.statements))


def test_an_error_is_what_drafting_from_the_top_five_would_get_wrong() -> None:
    five = ("v", "w", "x", "y", "z")
    outcomes = [
        asked(True, 0.9, found=("a",), id="found", gold_docs=("a",)),
        asked(True, 0.8, found=(*five, "a"), id="sixth", gold_docs=("a",)),
        asked(False, 0.7, found=("a",), id="silent", gold_docs=("a",)),
        asked(True, 0.6, id="foreign", answerable=False),
        asked(True, 0.5, id="no gold named", answerable=True),
        asked(True, 0.4, found=("s",), id="span", gold_spans=(Span(document_id="s", start=0, end=1),)),
    ]
    found = by_name(abstention(outcomes))
    expected = {"found": (0.9, 0), "sixth": (0.8, 1), "silent": (0.7, 0), "foreign": (0.6, 1), "span": (0.4, 0)}
    assert found["abstention.aurc"].rows == expected
    assert found["abstention.coverage_at_5_risk"].rows == expected
    assert found["abstention.answerability_auroc"].rows["foreign"] == (0.6, 0)
    assert STATISTICS["coverage_at_5_risk"](list(expected.values())) == 1 / 5
    assert STATISTICS["aurc"](list(expected.values())) == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4 + 2 / 5) / 5)


def test_confidence_is_the_best_cosine_shown() -> None:
    assert confidence(suggestion(draft(("Wait.", ())), passages=[hit("a", "", 0.3), hit("b", "", 0.7)])) == 0.7
    assert confidence(suggestion(passages=[hit("a", "", 0.1)], nearest=[("a", 0.1), ("t", 0.2)])) == 0.2
    assert confidence(suggestion()) == 0


def test_a_similar_tickets_fused_score_is_not_read_as_a_cosine() -> None:
    assert confidence(suggestion(passages=[hit("a", "", 0.3)], tickets=[ticket("t", "Done.")])) == 0.3


def test_the_copilots_own_estimate_comes_first() -> None:
    said = suggestion(passages=[hit("a", "", 0.3)])
    fields = {"passages": said.passages, "similar_tickets": (), "abstention": None}
    assert confidence(cast(Suggestion, SimpleNamespace(**fields, answerability=0.8))) == 0.8
    assert confidence(cast(Suggestion, SimpleNamespace(**fields, answerability=None))) == 0.3


def test_the_risk_coverage_curve_by_hand() -> None:
    assert risk_coverage([(0.5, 1), (0.9, 0), (0.5, 0), (0.1, 1)]) == [(0.25, 0.0), (0.75, 1 / 3), (1.0, 0.5)]
    assert risk_coverage([]) == []


def test_the_curve_does_not_depend_on_the_order_of_ties() -> None:
    rng = random.Random(2)
    rows = [(rng.choice([0.1, 0.2, 0.3]), float(rng.random() < 0.4)) for _ in range(50)]
    shuffled = rng.sample(rows, len(rows))
    assert risk_coverage(rows) == risk_coverage(shuffled)
    for coverage, risk in risk_coverage(rows):
        accepted = sorted(rows, key=lambda row: -row[0])[: round(coverage * len(rows))]
        assert risk == pytest.approx(sum(error for _, error in accepted) / len(accepted))


def test_answerability_agrees_with_scikit_learn() -> None:
    rng = random.Random(4)
    outcomes = [asked(True, rng.choice([0.2, 0.4, 0.6]), id=str(n), answerable=rng.random() < 0.6) for n in range(80)]
    metric = by_name(abstention(outcomes))["abstention.answerability_auroc"]
    truths, scores = [one.case.answerable for one in outcomes], [confidence(one.suggestion) for one in outcomes]
    assert STATISTICS[metric.statistic](list(metric.rows.values())) == pytest.approx(roc_auc_score(truths, scores))


def test_a_case_of_which_nothing_is_known_has_no_row() -> None:
    assert rows(abstention([asked(True)])) == {}
