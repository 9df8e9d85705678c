"""Steps that one document does in another order than the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest.insights.claims import claim
from ingest.insights.sides import Said, Side, Weights, stems

FEWEST, SAME_STEP = 2, 0.5
"""Words that two clauses share at least, and the share of each that the other holds, for them to be one step."""
FIRST = re.compile(
    r"\b(?:first|zuerst|before|bevor|only when|only after|only once|erst wenn|erst nach|then|dann|after that|danach)\b",
    re.I,
)
CLAUSE = re.compile(r"[,;.!?\n]+|\b(?:and then|then|before|after|once|when)\b", re.I)


def other_order(article: Side, other: Side, weights: Weights) -> tuple[Said, Said] | None:
    """The statements of two neighbouring steps that the other document does in the other order, where both say what comes first."""
    ours, theirs = _steps(article), _steps(other)
    matched = (
        [(step, best) for step in ours if (best := _match(step, theirs, weights)) is not None]
        if ours and theirs
        else []
    )
    for (one, p), (after, q) in pairwise(matched):
        if p.at > q.at and p.place - q.place <= 1 and after.place - one.place <= 1:
            return one.said, p.said
    return None


@dataclass(frozen=True, slots=True)
class Step:
    """A clause of a statement that says, or stands beside one that says, what comes first."""

    at: int
    place: int
    said: Said
    words: frozenset[str]


def _steps(side: Side) -> list[Step]:
    """The clauses near a word of order, as they stand."""
    ordered = {
        near for at, one in enumerate(side.said) if FIRST.search(one.claim.text) for near in (at - 1, at, at + 1)
    }
    clauses = [
        (place, one, words) for place, one in enumerate(side.said) if place in ordered for clause in CLAUSE.split(one.claim.text)
        if len(words := stems(claim(clause).words)) >= FEWEST
    ]  # fmt: skip
    return [Step(at, *clause) for at, clause in enumerate(clauses)]


def _match(step: Step, others: Sequence[Step], weights: Weights) -> Step | None:
    """The clause of the other document that says the same step."""
    shared = [other for other in others if len(step.words & other.words) >= FEWEST]
    likely = [
        (min(weights.share(step.words, other.words), weights.share(other.words, step.words)), -other.at, other)
        for other in shared
    ]
    best = max(likely, key=lambda one: one[:2], default=None)
    return best[2] if best and best[0] >= SAME_STEP else None
