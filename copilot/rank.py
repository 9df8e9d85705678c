"""Orders documents by what every arm says of them: the words, the meaning, the solved cases near the message, and the learned map.

The scores are absolute, so a document's does not depend on what else was found: the mean cosine of its best chunks, plus each arm's
weighted say, divided by the weights in force. A workspace may have weights of its own, learned from its cases: see `Ranking`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from copilot.domain import PUBLIC, Hit, Passage
from copilot.ports import Vectors
from copilot.store.active import Places
from copilot.store.frames import Frame

Floats = NDArray[np.float64]

PASSAGES = 3
"""So many of a document's passages are shown."""
READ_WHOLE, READ = 6, 60
"""So many articles are read whole for the section that answers, and of each so many passages are told."""
NEARLY = 0.8
"""Two resolutions that share so much of their words say the same."""
WORDS_ALONE = 3.0
"""The weight of the words counts so often where a question is in Chinese, Japanese or the like, of which the shipped model reads little. By hand."""
ROUNDED = 1e-6
"""Scores that differ by less may be the same once they are rounded."""


ARMS = ("lexical", "votes", "map", "letters", "covered", "recency", "agent", "title", "named", "about")
"""What may add to a document's cosine, each from 0 to 1 (`about` from -1); how `disliked` it is takes away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each arm may add, beside the cosine's 1, and how many of a document's chunks and lexical matches speak for it."""

    lexical: float
    votes: float = 0.0
    map: float = 0.0
    letters: float = 0.0
    covered: float = 0.0
    recency: float = 0.0
    agent: float = 0.0
    title: float = 0.0
    named: float = 0.0
    about: float = 0.0
    disliked: float = 0.0
    chunks: int = 3
    matches: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """What is said for documents and chunks besides their cosine; `words` is each chunk's BM25, as a share of the best.

    `turned`, where there is a map, is each document's cosine after it; `more` has further arms' say for each document, by name; `trust` is how
    much of its weight an arm gets, all where it is not named.
    """

    words: Floats
    votes: Mapping[str, float] = field(default_factory=dict)
    turned: Floats | None = None
    more: Mapping[str, Floats] = field(default_factory=dict)
    trust: Mapping[str, float] = field(default_factory=dict)


def rank(
    frame: Frame, documents: Places, vector: Vectors, arms: Arms, weights: Weights, limit: int, whole: int = 0
) -> list[Hit]:  # fmt: skip
    """The best of these documents, each with its best passages, without their texts; ties by id, scores rounded to 1e-6, every cosine exact.

    So many as are read `whole`, the first ones and the first that are public, come with nearly all of their passages.
    """
    if not len(documents):
        return []
    scored = Scored.of(frame, documents, vector, arms, weights)
    said = said_for(frame, documents, scored, arms)
    weight = {arm: getattr(weights, arm) * arms.trust.get(arm, 1.0) for arm in ARMS}
    above = scored.near - weights.disliked * said["disliked"] + sum(weight[arm] * said[arm] for arm in ARMS)
    scale = 1 + sum(weight[arm] for arm in ARMS if _speaks(arm, arms))
    exact = above / scale
    scores = {n: _round(float(exact[n])) for n in _first(exact, limit)}
    order = sorted(scores, key=lambda n: (-scores[n], frame.heads.id[documents[n]]))
    best = [(n, int(documents[n])) for n in order[:limit]]
    public = [n for n, at in best if whole and frame.heads.audience[at] == PUBLIC]
    read = {n for n, _ in best[:whole]} | set(public[:whole])
    return [
        _hit(
            frame, at, scored, n, scores[n], {"votes": said["votes"][n], "map": said["map"][n]},
            READ if n in read else PASSAGES,
        )
        for n, at in best
    ]  # fmt: skip


def _first(scores: Floats, limit: int) -> list[int]:
    """The places of the greatest scores, with all that rounding may make equal to the last of them."""
    if not 0 < limit < len(scores):
        return list(range(len(scores)))
    least = np.partition(scores, len(scores) - limit)[len(scores) - limit] - ROUNDED
    return np.flatnonzero(scores >= least).tolist()


def top(places: Places, values: NDArray[np.floating], count: int) -> Places:
    """The places with the greatest values; equals to the last of them are all taken, so that the choice has no chance in it."""
    if len(places) <= count:
        return places
    wanted = np.round(values[places].astype(np.float64), 6)
    edge = np.partition(wanted, len(wanted) - count)[len(wanted) - count]
    kept: Places = places[wanted >= edge]
    return kept


def said_for(frame: Frame, documents: Places, scored: Scored, arms: Arms) -> dict[str, Floats]:
    """What each arm says for these documents."""
    none = np.zeros(len(documents))
    said = {arm: arms.more[arm][documents] if arm in arms.more else none for arm in (*ARMS, "disliked")}
    said["lexical"] = scored.said
    said["votes"] = (
        np.array([arms.votes.get(frame.heads.id[at], 0.0) for at in documents.tolist()]) if arms.votes else none
    )
    said["map"] = none if arms.turned is None else arms.turned[documents]
    return said


def _speaks(arm: str, arms: Arms) -> bool:
    """Whether an arm has anything to say in this search."""
    return {"lexical": True, "votes": bool(arms.votes), "map": arms.turned is not None}.get(arm, arm in arms.more)


@dataclass(frozen=True, slots=True)
class Scored:
    """The chunks of some documents, one document after the other, with their cosine and their words' share of the best."""

    first: Places
    chunks: Places
    dense: Floats
    lexical: Floats
    near: Floats
    said: Floats

    @classmethod
    def of(cls, frame: Frame, documents: Places, vector: Vectors, arms: Arms, weights: Weights) -> Scored:
        """Scores in double precision, so that neither order nor neighbours show in the sixth decimal."""
        chunks = frame.chunks(documents)
        sizes = frame.first[documents + 1] - frame.first[documents]
        first = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
        dense = np.round(frame.vectors[chunks].astype(np.float64) @ vector.astype(np.float64), 6)
        lexical = arms.words[chunks]
        near, said = _mean_of_best(dense, first, weights.chunks), _mean_of_best(lexical, first, weights.matches)
        return cls(first, chunks, dense, lexical, near, said)


def _mean_of_best(values: Floats, first: Places, count: int) -> Floats:
    """The mean of each run's greatest values."""
    sizes = np.diff(first)
    runs = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((-values, runs))
    rank_in_run = np.arange(len(values)) - first[runs]
    kept = rank_in_run < count
    sums = np.bincount(runs[kept], weights=values[order][kept], minlength=len(sizes))
    return np.asarray(sums / np.minimum(sizes, count), dtype=np.float64)


def _hit(
    frame: Frame, at: int, scored: Scored, n: int, score: float, more: Mapping[str, float], passages: int
) -> Hit:  # fmt: skip
    head, own = frame.heads[at], slice(int(scored.first[n]), int(scored.first[n + 1]))
    dense, lexical = scored.dense[own], scored.lexical[own]
    scores = {"dense": float(dense.max()), "lexical": float(lexical.max()), **more}
    return Hit(
        document_id=head.id, kind=head.kind, title=head.title, url=head.url, audience=head.audience, revision=head.revision,
        score=score, scores={arm: _round(float(value)) for arm, value in scores.items()},
        passages=_passages(frame, scored.chunks[own].tolist(), dense.tolist(), lexical.tolist(), passages),
        language=head.language, resolved_at=head.resolved_at, solution_by=head.solution_by,
    )  # fmt: skip


def _passages(
    frame: Frame, chunks: list[int], dense: list[float], lexical: list[float], count: int
) -> tuple[Passage, ...]:  # fmt: skip
    """The passages that tell most. All are about the same matter, so the words decide more here than between documents."""
    best = max(dense)
    telling = [
        _round(((near / best if best > 0 else 0.0) + said) / 2) for near, said in zip(dense, lexical, strict=True)
    ]
    most = sorted(range(len(chunks)), key=lambda n: (-telling[n], frame.columns.starts[chunks[n]]))[:count]
    return tuple(
        Passage(
            start=span.start, end=span.end, text="", headings=span.headings, score=telling[n],
            scores={"dense": _round(dense[n]), "lexical": _round(lexical[n])},
        )
        for n, span in ((n, frame.span(chunks[n])) for n in most)
    )  # fmt: skip


def distinct(tickets: tuple[Hit, ...], texts: Mapping[tuple[str, int], tuple[str, int]]) -> tuple[Hit, ...]:
    """Of tickets whose resolutions say nearly the same, the best one: the others tell the agent nothing more."""
    kept: list[tuple[Hit, frozenset[str]]] = []
    for hit in tickets:
        text, answer = texts[hit.document_id, hit.revision]
        words = frozenset(text[answer:].casefold().split())
        if not any(len(words & other) >= NEARLY * len(words | other) for _, other in kept):
            kept.append((hit, words))
    return tuple(hit for hit, _ in kept)


def shown(hit: Hit) -> Hit:
    """The hit with as many passages as an agent is shown."""
    return replace(hit, passages=hit.passages[:PASSAGES])


def _round(score: float) -> float:
    return round(score, 6)
