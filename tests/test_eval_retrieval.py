from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from math import log2

import pytest

from eval.metrics import Outcome
from eval.retrieval import finds, retrieval
from tests.eval_cases import by_name, case, outcome, rows


def test_a_hand_worked_ranking_of_two_right_articles() -> None:
    one = outcome(case(gold_docs=("a", "b")), ranked={"article": ["x", "a", "y", "z", "b"]})
    found = rows(retrieval([one]))
    assert [found[f"retrieval.article.hit@{k}"] for k in (1, 3, 5, 10)] == [0, 1, 1, 1]
    assert [found[f"retrieval.article.recall@{k}"] for k in (1, 3, 5, 10)] == [0, 0.5, 1, 1]
    assert [found[f"retrieval.article.all_gold@{k}"] for k in (5, 10)] == [1, 1]
    assert found["retrieval.article.mrr@10"] == 0.5
    best = 1 + 1 / log2(3)
    assert found["retrieval.article.ndcg@10"] == pytest.approx((1 / log2(3) + 1 / log2(6)) / best)


def test_tickets_are_measured_apart_from_articles() -> None:
    one = outcome(case(gold_tickets=("t",)), ranked={"article": ["t"], "ticket": ["u", "t"]})
    found = rows(retrieval([one]))
    assert found["retrieval.ticket.mrr@10"] == 0.5
    assert not any(name.startswith("retrieval.article.") for name in found)


def test_a_case_without_gold_does_not_count() -> None:
    empty, unknown, known = (outcome(case(id, gold_docs=gold)) for id, gold in (("1", ()), ("2", None), ("3", ("a",))))
    assert retrieval([empty, unknown]) == []
    assert set(by_name(retrieval([empty, unknown, known]))["retrieval.article.hit@1"].rows) == {"3"}


def test_nothing_found_is_a_miss_at_every_depth() -> None:
    found = rows(retrieval([outcome(case(gold_docs=("a",)), ranked={})]))
    assert len(found) == 12
    assert set(found.values()) == {0.0}


def test_the_better_grade_should_stand_first() -> None:
    known = case(gold_docs=("a", "b"), grades={"a": 1, "b": 3})
    found = rows(retrieval([outcome(known, ranked={"article": ["a", "b"]})]))
    assert found["retrieval.article.ndcg@10"] == pytest.approx((1 + 3 / log2(3)) / (3 + 1 / log2(3)))


def test_a_document_found_at_rank_eleven_is_not_found() -> None:
    ranked = [f"x{number}" for number in range(10)] + ["a"]
    assert set(rows(retrieval([outcome(case(gold_docs=("a",)), ranked={"article": ranked})])).values()) == {0.0}


def test_a_gold_document_of_either_level_within_five_is_found() -> None:
    known = case(gold_docs=("a",), gold_tickets=("t",))
    assert finds(outcome(known, ranked={"article": list("vwxyz"), "ticket": list("uvwxt")}))
    assert not finds(outcome(known, ranked={"article": [*"vwxyz", "a"]}))


def test_it_agrees_with_the_textbook_on_random_rankings() -> None:
    rng = random.Random(7)
    outcomes = [_random(rng, f"case {number}") for number in range(150)]
    found = by_name(retrieval(outcomes))
    for one in outcomes:
        for name, value in _textbook(one).items():
            assert found[f"retrieval.article.{name}"].rows[one.case.id] == pytest.approx(value), (one, name)


def _random(rng: random.Random, id: str) -> Outcome:
    """Ids in an order that neither falls nor rises, so that ties broken by id would show."""
    ids = [f"d{number}" for number in range(30)]
    gold = rng.sample(ids, rng.randint(1, 12))
    grades = {one: rng.randint(1, 3) for one in gold} if rng.random() < 0.5 else {}
    return outcome(
        case(id, gold_docs=tuple(gold), grades=grades), ranked={"article": rng.sample(ids, rng.randint(0, 20))}
    )


def _textbook(one: Outcome) -> dict[str, float]:
    gold, ranked = one.case.gold_docs or (), one.ranked["article"]
    values: dict[str, float] = {}
    for k in (1, 3, 5, 10):
        hits = 0
        for id in ranked[:k]:
            hits += id in gold
        values |= {f"hit@{k}": min(hits, 1), f"recall@{k}": hits / len(gold)}
        if k in (5, 10):
            values[f"all_gold@{k}"] = float(hits == len(gold))
    values["mrr@10"] = next((1 / rank for rank, id in enumerate(ranked[:10], 1) if id in gold), 0.0)
    grade = {id: one.case.grades.get(id, 1) for id in gold}
    best = sorted(grade.values(), reverse=True)[:10]
    values["ndcg@10"] = _dcg([grade.get(id, 0) for id in ranked[:10]]) / _dcg(best)
    return values


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))


def test_every_metric_lies_between_nothing_and_perfect() -> None:
    perfect: Mapping[str, float] = rows(retrieval([outcome(case(gold_docs=("a",)), ranked={"article": ["a"]})]))
    assert set(perfect.values()) == {1.0}
