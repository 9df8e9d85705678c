"""Near-duplicates: two documents that say the same, told from two that only follow the same template by the facts in which those differ."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from copilot.domain import Citation
from copilot.ground import content
from ingest.insights.claims import claim
from ingest.insights.material import Entry, near, of_kinds, stacked
from ingest.insights.nouns import Duplicate, PairOfPassages, name

KINDS = ("article", "macro")
NEAR = 0.58
MOST = 20
"""Neighbours that are looked at for each document."""
SHOWN = 3


def duplicates(entries: Sequence[Entry]) -> list[Duplicate]:
    """The pairs of articles, or of macros, that say the same, likeliest first."""
    found = [
        made
        for kind in KINDS
        for one, other, cosine in _candidates(of_kinds(entries, (kind,)))
        if (made := _judged(one, other, cosine))
    ]
    return sorted(found, key=lambda made: (-made.score, made.id))


def _candidates(entries: Sequence[Entry]) -> Iterator[tuple[Reading, Reading, float]]:
    """Each document with its nearest, every pair once."""
    readings = [Reading(entry) for entry in entries]
    means = stacked(entries)
    around: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
    for one, other, cosine in near(means, means, NEAR):
        if one < other:
            around[one].append((-cosine, other))
    for one, others in sorted(around.items()):
        for cosine, other in sorted(others)[:MOST]:
            yield readings[one], readings[other], -cosine


@dataclass(frozen=True)
class Reading:
    """A document as it is compared: its words and its facts."""

    entry: Entry

    @cached_property
    def words(self) -> frozenset[str]:
        """The words that carry meaning, of title and text."""
        return frozenset(content(f"{self.entry.document.title} {self.entry.text}"))

    @cached_property
    def facts(self) -> frozenset[tuple[str, str]]:
        """Every fact that it names, by type and value."""
        claims = [claim(self.entry.text[a:b]) for a, b in self.entry.statements]
        return frozenset(
            (fact.type, fact.value) for one in claims for fact in one.facts if fact.type not in ("path", "amount:")
        )

    @cached_property
    def codes(self) -> frozenset[str]:
        """The model numbers and abbreviations of its title."""
        return frozenset(code for code in claim(self.entry.document.title).codes if re.search(r"\d", code))


def _judged(one: Reading, other: Reading, cosine: float) -> Duplicate | None:
    if (
        one.entry.document.language != other.entry.document.language
        and one.entry.document.language
        and other.entry.document.language
    ):
        return None
    if _different(one, other):
        return None
    overlap = len(one.words & other.words) / max(min(len(one.words), len(other.words)), 1)
    agreed = _agreed(one, other)
    score = round(cosine * 0.5 + overlap * 0.3 + agreed * 0.2, 6)
    return _made(one.entry, other.entry, score, overlap) if score >= ENOUGH else None


ENOUGH = 0.58


def _different(one: Reading, other: Reading) -> bool:
    """Whether each holds facts that the other contradicts, or they are of two models."""
    if (one.codes - other.codes) and (other.codes - one.codes):
        return True
    only, theirs = one.facts - other.facts, other.facts - one.facts
    return min(len(only), len(theirs)) > 0.34 * min(len(one.facts), len(other.facts))


def _agreed(one: Reading, other: Reading) -> float:
    """The share of the facts of whoever has fewer that the other names too; half where there are none."""
    fewest = min(len(one.facts), len(other.facts))
    if not one.facts and not other.facts:
        return 0.5
    return len(one.facts & other.facts) / fewest if fewest else 0.0


def _made(one: Entry, other: Entry, score: float, overlap: float) -> Duplicate:
    first, second = sorted((one, other), key=lambda entry: (entry.at.timestamp() if entry.at else 0.0, entry.id))
    return Duplicate(
        id=name("d", first.id, second.id), score=score, overlap=round(overlap, 6), first=first.named, second=second.named,
        evidence=tuple(_evidence(first, second)),
    )  # fmt: skip


def _evidence(first: Entry, second: Entry) -> list[PairOfPassages]:
    """The statements that are most alike, each used once."""
    ours, theirs = _cited(first), _cited(second)
    pairs = [
        (len(a & b) / len(a | b), i, j)
        for i, (a, _) in enumerate(ours)
        for j, (b, _) in enumerate(theirs)
        if a and b and a & b
    ]
    taken: list[tuple[float, int, int]] = []
    for score, i, j in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if len(taken) < SHOWN and all(i != x and j != y for _, x, y in taken):
            taken.append((score, i, j))
    return [PairOfPassages(first=ours[i][1], second=theirs[j][1], score=round(score, 6)) for score, i, j in taken]


def _cited(entry: Entry) -> list[tuple[set[str], Citation]]:
    return [(content(entry.text[a:b]), entry.cite(a, b)) for a, b in entry.statements]
