"""A second look at the best documents by a model that reads question and passage together, within its own time."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from numbers import Real
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Thread

from copilot.domain import Hit
from copilot.ports import Reranker

log = logging.getLogger(__name__)

LOOKED_AT = 20
AT_ONCE = 4
"""So many looks may be under way. One that hangs keeps its place, so that they do not pile up."""
_PLACES = BoundedSemaphore(AT_ONCE)


def reranked(reranker: Reranker, question: str, hits: Sequence[Hit], seconds: float) -> tuple[Hit, ...]:
    """The hits, whose passages have their texts, with the first ones in the reranker's order; as they were where its time ran out or it failed.

    The places keep their scores, so that documents of several kinds can still be put together; ties stay as they were.
    """
    first, rest = list(hits[:LOOKED_AT]), tuple(hits[LOOKED_AT:])
    passages = [f"{hit.title}\n{hit.passages[0].text}" for hit in first]
    scores = _scores(reranker, question, passages, seconds) if len(first) > 1 else None
    if scores is None:
        return tuple(hits)
    order = sorted(range(len(first)), key=lambda n: -round(scores[n], 6))
    moved = (
        replace(first[n], score=place.score, scores={**first[n].scores, "reranker": round(scores[n], 6)})
        for n, place in zip(order, first, strict=True)
    )
    return (*moved, *rest)


def _scores(reranker: Reranker, question: str, passages: Sequence[str], seconds: float) -> list[float] | None:
    """A finite number for each passage; None where the reranker fails, says anything else or has not answered in time: the log tells why.

    It runs in a thread that nobody waits for longer than that, not even the end of the process.
    """
    if not _PLACES.acquire(blocking=False):
        log.warning("the reranker %s is busy with %d searches: the order stays as it was", reranker.name, AT_ONCE)
        return None
    said = SimpleQueue[list[float] | Exception | None]()

    def look() -> None:
        try:
            said.put(_checked(reranker.score(question, passages, seconds), len(passages)))
        except Exception as error:
            said.put(error)
        finally:
            _PLACES.release()

    Thread(target=look, name="reranker", daemon=True).start()
    try:
        found = said.get(timeout=seconds)
    except Empty:
        log.warning("the reranker %s took longer than %s s: the order stays as it was", reranker.name, seconds)
        return None
    if isinstance(found, Exception):
        log.warning(
            "the reranker %s failed, the order stays as it was: %s: %s", reranker.name, type(found).__name__, found
        )
        return None
    return found


def _checked(scores: Sequence[float] | None, count: int) -> list[float] | None:
    """The scores. Raises ValueError where they are not so many finite numbers."""
    if scores is None:
        return None
    if len(scores) != count:
        raise ValueError(f"{len(scores)} scores for {count} passages")
    if not all(isinstance(score, Real) and isfinite(score) for score in scores):
        raise ValueError("a score is no finite number")
    return [float(score) for score in scores]
