"""Near-duplicates: two documents that say the same, told from two that only follow the same template by the facts in which those differ."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from copilot.clauses import content
from copilot.domain import Citation
from ingest.insights.claims import claim
from ingest.insights.heads import head
from ingest.insights.material import Entry, near, of_kinds, stacked
from ingest.insights.nouns import Duplicate, PairOfPassages, name

KINDS = ("article", "macro")
NEAR = 0.4
MOST = 20
"""Neighbours that are looked at for each document."""
SHOWN = 3


def duplicates(entries: Sequence[Entry]) -> list[Duplicate]:
    """The pairs of articles, or of macros, that say the same, likeliest first."""
    found = [
        made for kind in KINDS for one, other in candidates(of_kinds(entries, (kind,))) if (made := _judged(one, other))
    ]
    return sorted(found, key=lambda made: (-made.score, made.id))


def candidates(entries: Sequence[Entry]) -> Iterator[tuple[Reading, Reading]]:
    """Each document with its nearest, every pair once."""
    readings = [Reading(entry) for entry in entries]
    means = stacked(entries)
    around: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
    for one, other, cosine in near(means, means, NEAR):
        if one < other:
            around[one].append((-cosine, other))
    for one, others in sorted(around.items()):
        for _, other in sorted(others)[:MOST]:
            yield readings[one], readings[other]


@dataclass(frozen=True)
class Reading:
    """A document as it is compared: its words and its facts."""

    entry: Entry

    @cached_property
    def words(self) -> frozenset[str]:
        """The words that carry meaning, of title and text."""
        return frozenset(content(f"{self.entry.document.title} {self.entry.text}"))

    @cached_property
    def titled(self) -> frozenset[str]:
        """The words that carry meaning, of the title."""
        return frozenset(content(self.entry.document.title))

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


def _judged(one: Reading, other: Reading) -> Duplicate | None:
    if (
        one.entry.document.language != other.entry.document.language
        and one.entry.document.language
        and other.entry.document.language
    ):
        return None
    judge, asked = head("duplicates"), features(one, other)
    score = judge.score(asked)
    return _made(one.entry, other.entry, score, asked["overlap"]) if score >= judge.enough else None


def features(one: Reading, other: Reading) -> dict[str, float]:
    """What tells a copy from a second document after the same template, or on the next matter of the same product."""
    overlap = len(one.words & other.words) / max(min(len(one.words), len(other.words)), 1)
    fewest, same = min(len(one.facts), len(other.facts)), len(one.facts & other.facts)
    only = min(len(one.facts - other.facts), len(other.facts - one.facts))
    return {
        "covered": _covered(one.entry, other.entry), "overlap": overlap, "agreed": same / fewest if fewest else 0.5,
        "apart": only / max(fewest, 1), "no_facts": float(not fewest),
        "models": float(bool(one.codes - other.codes and other.codes - one.codes)), "template": _template(one.titled, other.titled),
        "titles": len(one.titled & other.titled) / max(min(len(one.titled), len(other.titled)), 1),
    }  # fmt: skip


def _covered(one: Entry, other: Entry) -> float:
    """How near the passages of each come to one of the other's, of the document that is covered less: one shared section is no copy."""
    cosines = one.vectors @ other.vectors.T
    return round(float(min(cosines.max(axis=0).mean(), cosines.max(axis=1).mean())), 6)


def _template(one: frozenset[str], other: frozenset[str]) -> float:
    """How much of two titles is the same where each has a word of its own; 0 for the same title."""
    if not (one - other and other - one):
        return 0.0
    return len(one & other) / min(len(one), len(other))


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
