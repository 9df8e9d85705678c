"""A second look at the best documents by a model that reads question and passage together, within its own time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from copilot.domain import Hit
from copilot.ports import Reranker

LOOKED_AT = 20


def reranked(reranker: Reranker, question: str, hits: Sequence[Hit], seconds: float) -> tuple[Hit, ...]:
    """The hits, whose passages have their texts, with the first ones in the reranker's order; as they were where its time ran out.

    The places keep their scores, so that documents of several kinds can still be put together; ties stay as they were.
    """
    first, rest = list(hits[:LOOKED_AT]), tuple(hits[LOOKED_AT:])
    passages = [f"{hit.title}\n{hit.passages[0].text}" for hit in first]
    scores = reranker.score(question, passages, seconds) if len(first) > 1 else None
    if scores is None:
        return tuple(hits)
    order = sorted(range(len(first)), key=lambda n: -round(scores[n], 6))
    moved = (
        replace(first[n], score=place.score, scores={**first[n].scores, "reranker": round(scores[n], 6)})
        for n, place in zip(order, first, strict=True)
    )
    return (*moved, *rest)
