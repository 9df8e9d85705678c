"""Whether search finds what answers the case: per query by ir-measures, which asks trec_eval's own code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from eval.cases import Case
from eval.metrics import Metric, Outcome
from eval.rates import Kind, rates

CUTS = (1, 3, 5, 10)
DEEPEST = max(CUTS)
NOUNS = {"article": "articles", "ticket": "solved tickets"}
Found = dict[str, dict[str, float]]


def retrieval(outcomes: Sequence[Outcome]) -> list[Metric]:
    """How well articles and solved tickets are ranked; a case counts at a level where it has gold documents of that level.

    With G the gold documents and rank r from 1: hit@k = 1 if some of G is in the top k; recall@k = |G ∩ top k| / |G|; all_gold@k = 1 if
    G ⊆ top k; mrr@10 = 1 / rank of the first of G, 0 past rank 10; ndcg@10 = DCG / DCG of the best order, DCG = Σ_{r≤10} grade_r / log2(r + 1)
    with the grade itself as gain (1 where the case has no grades). Source: trec_eval 9 (`success`, `recall`, `recip_rank`,
    `ndcg_cut`), by ir-measures and pytrec_eval; nDCG is Järvelin and Kekäläinen 2002.
    """
    return [*(metric for level in NOUNS for metric in _level(level, outcomes)), *_beside_bm25(outcomes)]


def _beside_bm25(outcomes: Sequence[Outcome]) -> list[Metric]:
    """The same of BM25 alone, on the cases that name a ticket like theirs, and how far the product is ahead of it, case by case.

    The mean of the differences has the interval of a paired comparison.
    """
    asked = [outcome for outcome in outcomes if outcome.by_words is not None]
    ours = _measured("ticket", asked)
    alone = _measured("ticket", [replace(one, ranked={"ticket": one.by_words or ()}) for one in asked])
    over = {id: {name: ours[id][name] - value for name, value in row.items()} for id, row in alone.items()}
    kinds = [
        *(
            Kind(f"hit@{k}", f"Share of cases with a right one among the first {k} that BM25 alone finds.")
            for k in CUTS
        ),
        Kind("mrr@10", "1 / place of the first right one among the first 10 that BM25 alone finds."),
    ]
    ahead = [
        replace(kind, about=f"The product's less BM25's own, case by case: above 0 it is ahead. {kind.about}")
        for kind in kinds
    ]
    return [
        *rates("retrieval.ticket.bm25", kinds, asked, lambda one: alone.get(one.case.id, {})),
        *rates("retrieval.ticket.over_bm25", ahead, asked, lambda one: over.get(one.case.id, {})),
    ]


def finds(outcome: Outcome, within: int = 5) -> bool:
    """Whether a gold document is among the first that search found, of either level."""
    top = {id for ranked in outcome.ranked.values() for id in ranked[:within]}
    return not top.isdisjoint(outcome.case.answers)


def _level(level: str, outcomes: Sequence[Outcome]) -> list[Metric]:
    found = _measured(level, outcomes)
    return rates(f"retrieval.{level}", _kinds(NOUNS[level]), outcomes, lambda outcome: found.get(outcome.case.id, {}))


def _kinds(noun: str) -> Iterator[Kind]:
    for k in CUTS:
        yield Kind(f"hit@{k}", f"Share of cases with a right one among the first {k} {noun} found; 1 is best.")
    for k in CUTS:
        yield Kind(f"recall@{k}", f"Share of a case's right {noun} that stand among the first {k} found; 1 is best.")
    yield Kind(
        "mrr@10", f"1 / place of the first right one among the first 10 {noun}, 0 where there is none; 1 is best."
    )
    yield Kind("ndcg@10", f"How near the order of the first 10 {noun} comes to the best possible one; 1 is best.")
    for k in (5, 10):
        yield Kind(f"all_gold@{k}", f"Share of cases with all the right ones among the first {k} {noun}; 1 is best.")


def _measured(level: str, outcomes: Sequence[Outcome]) -> Found:
    """Case id -> metric -> value."""
    import ir_measures
    from ir_measures import RR, R, Success, nDCG

    wanted = {nDCG @ DEEPEST: "ndcg@10", RR: "mrr@10"}
    wanted |= {Success @ k: f"hit@{k}" for k in CUTS} | {R @ k: f"recall@{k}" for k in CUTS}
    judged = {outcome.case.id: _gold(level, outcome.case) for outcome in outcomes if _gold(level, outcome.case)}
    runs = {
        outcome.case.id: _scored(outcome.ranked.get(level, ())) for outcome in outcomes if outcome.case.id in judged
    }
    found: Found = {id: {} for id in judged}
    if judged:
        for one in ir_measures.pytrec_eval.iter_calc(list(wanted), judged, runs):
            found[one.query_id][wanted[one.measure]] = float(one.value)
    return {id: {**values, **_all_gold(values)} for id, values in found.items()}


def _gold(level: str, case: Case) -> Mapping[str, int]:
    """Document id -> grade, at least 1."""
    ids = case.gold_docs if level == "article" else case.gold_tickets
    return {id: max(1, case.grades.get(id, 1)) for id in ids or ()}


def _scored(ranked: Sequence[str]) -> Mapping[str, float]:
    """Scores that fall with the rank: trec_eval sorts by score and breaks ties by id, so it must see none. Cut where RR@10 ends."""
    return {id: float(DEEPEST - rank) for rank, id in enumerate(list(dict.fromkeys(ranked))[:DEEPEST])}


def _all_gold(values: Mapping[str, float]) -> Mapping[str, float]:
    return {f"all_gold@{k}": float(values[f"recall@{k}"] == 1) for k in (5, 10)}
