"""Contradictions: an article and something newer on the same matter that cannot both be right."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ingest.insights.claims import Claim, Fact, claim
from ingest.insights.material import Entry, of_kinds, stacked
from ingest.insights.nouns import Contradiction, Difference, Differing, Sides, Words, name

NEAR = 0.3
MOST = 12
"""How many documents are compared with each article."""
ALIKE = 0.33
COSINE = 0.2
SAYS_NO_ALIKE = 0.5
STEM = 5
"""Letters that two forms of a word share: enough for inflections in English and German."""
FEW = 3
POINTS_BACK = re.compile(r"(?:it|it's|they|that|this|these|those|he|she|es|sie|das|dies\w*)\b", re.I)
CHANGED = re.compile(
    r"\b(?:no longer|not any ?more|any ?more|now|since then|instead|has changed|have changed|nowadays|nicht mehr|kein\w* mehr|inzwischen|jetzt|"
    r"mittlerweile|neuerdings|leider)\b", re.I,
)  # fmt: skip
EXCEPTION = re.compile(
    r"\b(?:example|e\.g|for instance|exception\w*|gesture|goodwill|normally|usually|one-off|in your case|in that case|in this case|as a courtesy|"
    r"Beispiel|ausnahmsweise|Kulanz|normalerweise|i see that|your order|your parcel|you are on|you're on)\b", re.I,
)  # fmt: skip
FIRST = re.compile(r"\b(?:first|zuerst|before|bevor|only when|only after|only once|erst wenn|erst nach|then|dann|after that|danach)\b", re.I)
CLAUSE = re.compile(r"[,;.!?\n]+|\b(?:and then|then|before|after|once|when)\b", re.I)
KINDS: tuple[tuple[str, Difference], ...] = (("version", "version"), ("date", "date"), ("time", "date"), ("weekday", "date"), ("path", "step"), ("amount", "number"))  # fmt: skip


def contradictions(entries: Sequence[Entry]) -> list[Contradiction]:
    """Articles against newer articles and tickets, one finding a pair of documents, likeliest first."""
    sides = [Side(entry) for entry in of_kinds(entries, ("article", "ticket"))]
    weights = Weights.over(sides)
    found = [
        made for article, other, cosine in _candidates(sides) if (made := _judged(article, other, cosine, weights))
    ]
    return sorted(found, key=lambda made: (-made.score, made.id))


@dataclass(frozen=True)
class Weights:
    """How much a word tells: the fewer documents have it, the more."""

    of: Mapping[str, float]
    most: float

    @classmethod
    def over(cls, sides: Sequence[Side]) -> Weights:
        """Weighed over these documents."""
        seen = Counter(word for side in sides for word in side.words)
        count = len(sides)
        return cls({word: math.log(1 + count / times) for word, times in seen.items()}, math.log(1 + count))

    def sum(self, words: frozenset[str]) -> float:
        """Of all these words together; added in order, so that the same words weigh the same."""
        return sum(self.of.get(word, self.most) for word in sorted(words))

    def share(self, words: frozenset[str], among: frozenset[str]) -> float:
        """The share of the words, by weight, that the others hold."""
        whole = self.sum(words)
        return self.sum(words & among) / whole if whole else 0.0


@dataclass(frozen=True)
class Said:
    """A statement of a document, read."""

    start: int
    end: int
    claim: Claim
    before: Claim | None = None

    @cached_property
    def words(self) -> frozenset[str]:
        """Its words by their first letters; where it only points back, those of what stands before it too."""
        words = _stems(self.claim.words)
        back = self.before is not None and (len(words) < FEW or POINTS_BACK.match(self.claim.text))
        return words | _stems(self.before.words) if back and self.before else words


@dataclass(frozen=True)
class Side:
    """A document as it is compared."""

    entry: Entry

    @cached_property
    def said(self) -> tuple[Said, ...]:
        """Its statements; of a ticket those of the resolution."""
        claims = [claim(self.entry.text[a:b]) for a, b in self.entry.statements]
        spans = zip(self.entry.statements, claims, [None, *claims], strict=False)
        return tuple(Said(a, b, one, before) for (a, b), one, before in spans)

    @cached_property
    def whole(self) -> Claim:
        """Title and text as one claim."""
        return claim(f"{self.entry.document.title}\n{self.entry.text}")

    @cached_property
    def words(self) -> frozenset[str]:
        """All words of title and text by their first letters."""
        return _stems(self.whole.words)

    @cached_property
    def values(self) -> frozenset[tuple[str, str]]:
        """The facts that it states without denying them."""
        return frozenset((fact.type, fact.value) for one in self.said if not one.claim.denials for fact in one.claim.facts)

    @cached_property
    def low(self) -> str:
        """Title and text in small letters."""
        return self.whole.text.lower()


def _stems(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word[:STEM] for word in words)


# ---- which documents to compare ----


def _candidates(sides: Sequence[Side]) -> Iterator[tuple[Side, Side, float]]:
    """Each article with the nearest documents that are not older; two articles meet once."""
    articles = [side for side in sides if side.entry.document.kind == "article"]
    if not articles:
        return
    means = stacked([side.entry for side in sides])
    met: set[tuple[str, str]] = set()
    for article in articles:
        cosines = np.round((article.entry.vectors @ means.T).max(axis=0).astype(np.float64), 6)
        for at in np.lexsort((np.arange(len(sides)), -cosines))[: MOST + 1]:
            other = sides[at]
            pair = (min(article.entry.id, other.entry.id), max(article.entry.id, other.entry.id))
            if cosines[at] < NEAR or other is article or pair in met or not _newer(other.entry, article.entry):
                continue
            met.add(pair)
            yield article, other, float(cosines[at])


def _newer(one: Entry, than: Entry) -> bool:
    """Whether it may correct the other: a ticket must be younger, of two articles either may be undated."""
    if one.at is None or than.at is None:
        return one.document.kind == "article"
    return one.at >= than.at


# ---- whether they contradict ----


def _judged(article: Side, other: Side, cosine: float, weights: Weights) -> Contradiction | None:
    found = [
        made for ours in article.said for theirs in other.said
        if (made := _compared(article, ours, other, theirs, cosine, weights)) is not None
    ]  # fmt: skip
    if order := _reversed(article, other, weights):
        found.append(order)
    best = max(found, key=lambda one: (one.score, -one.ours.start, -one.theirs.start), default=None)
    return None if best is None or best.score < ENOUGH else _made(article.entry, other.entry, best)


ENOUGH = 0.36


@dataclass(frozen=True, slots=True)
class Clash:
    """Two statements that differ in something, and how likely it is that they speak of the same."""

    score: float
    what: Difference
    ours: Said
    theirs: Said
    facts: tuple[tuple[Fact | None, Fact | None], ...]


def _compared(
    article: Side, ours: Said, other: Side, theirs: Said, cosine: float, weights: Weights
) -> Clash | None:
    """How the statements clash, if they do; cheap questions first, since most pairs have nothing to do with each other."""
    facts = _differing(article, ours.claim, other, theirs.claim)
    no = bool(ours.claim.denials) != bool(theirs.claim.denials)
    if not facts and not no:
        return None
    same = _alike(article, ours, other, theirs, weights) + COSINE * (cosine - 0.5)
    if same < ALIKE or EXCEPTION.search(theirs.claim.text) or _other_subject(article, ours, other, theirs):
        return None
    bonus = 0.12 if CHANGED.search(theirs.claim.text) else 0.0
    if facts:
        return Clash(round(same + bonus + 0.05, 6), _what(facts), ours, theirs, facts)
    if same + bonus < SAYS_NO_ALIKE or _agree(ours.claim, theirs.claim):
        return None
    return Clash(round(same + bonus - 0.1, 6), "negation", ours, theirs, _denying(ours.claim, theirs.claim))


def _alike(article: Side, ours: Said, other: Side, theirs: Said, weights: Weights) -> float:
    """How much of each statement stands in the other document, and in the other statement."""
    mutual = weights.sum(ours.words & theirs.words) / max(min(weights.sum(ours.words), weights.sum(theirs.words)), 1e-9)
    there, here = weights.share(ours.words, other.words), weights.share(theirs.words, article.words)
    return (mutual + there + here) / 3 if ours.words & theirs.words or min(there, here) > 0.5 else 0.0


def _differing(article: Side, ours: Claim, other: Side, theirs: Claim) -> tuple[tuple[Fact | None, Fact | None], ...]:
    """Facts of the same type with other values, where neither document names the other's value elsewhere as its own."""
    found = []
    for type in sorted({fact.type for fact in ours.facts} & {fact.type for fact in theirs.facts}):
        mine, its = ours.of(type), theirs.of(type)
        if type == "amount:" or {fact.value for fact in mine} & {fact.value for fact in its}:
            continue
        if any((type, fact.value) in other.values for fact in mine) or any((type, fact.value) in article.values for fact in its):
            continue
        if type == "date" and any(a.value.endswith(b.value) or b.value.endswith(a.value) for a in mine for b in its):
            continue
        found.append((mine[0], its[0]))
    return tuple(found)


def _other_subject(article: Side, ours: Said, other: Side, theirs: Said) -> bool:
    """Whether each speaks of a model, plan or place that the other document never names."""
    codes, others = ours.claim.codes | claim(article.entry.document.title).codes, theirs.claim.codes | claim(other.entry.document.title).codes
    if _strange(codes, other) and _strange(others, article):
        return True
    if _template(article.entry.document.title, other.entry.document.title):
        return True
    german = len(ours.claim.names) > 0.3 * len(ours.claim.text.split())
    return not german and bool(_strange(ours.claim.names, other) and _strange(theirs.claim.names, article))


def _strange(names: frozenset[str], side: Side) -> set[str]:
    """The names that the document does not hold."""
    return {one for one in names if one.lower() not in side.low}


def _template(one: str, other: str) -> bool:
    """Whether two titles are the same but for a word or two in one place: `Summer course 2026`, `Winter course 2026`."""
    first, second = one.lower().split(), other.lower().split()
    common = sum(a == b for a, b in zip(first, second, strict=False))
    return len(first) == len(second) and 2 <= common < len(first)


def _agree(ours: Claim, theirs: Claim) -> bool:
    """Whether they share a fact that a denial would not leave standing, or one merely asks."""
    return ours.text.rstrip().endswith("?") or theirs.text.rstrip().endswith("?")


def _denying(ours: Claim, theirs: Claim) -> tuple[tuple[Fact | None, Fact | None], ...]:
    mine, its = (next(iter(one.denials), None) for one in (ours, theirs))
    return ((Fact("negation", "", *mine) if mine else None, Fact("negation", "", *its) if its else None),)


def _what(facts: tuple[tuple[Fact | None, Fact | None], ...]) -> Difference:
    types = {fact.type.partition(":")[0] for pair in facts for fact in pair if fact}
    return next(what for type, what in KINDS if type in types)


# ---- steps in another order ----


def _reversed(article: Side, other: Side, weights: Weights) -> Clash | None:
    """Two steps that one does in the other order, where at least one of the two says which comes first."""
    ours, theirs = _steps(article), _steps(other)
    if not (any(FIRST.search(one.claim.text) for one in article.said) and any(FIRST.search(one.claim.text) for one in other.said)):
        return None
    matched = [(i, best) for i, one in enumerate(ours) if (best := _match(one, theirs, weights)) is not None]
    for (i, p), (j, q) in zip(matched, matched[1:], strict=False):
        if i < j and p > q:
            return Clash(0.6, "step", ours[i][0], theirs[p][0], ())
    return None


Step = tuple[Said, frozenset[str]]


def _steps(side: Side) -> list[Step]:
    """The clauses in the order in which they stand, each with its statement; of `after A, B` and `B before A` only the spoken order counts."""
    return [
        (one, words) for one in side.said for clause in CLAUSE.split(one.claim.text)
        if len(words := _stems(claim(clause).words)) >= 2
    ]  # fmt: skip


def _match(step: Step, others: Sequence[Step], weights: Weights) -> int | None:
    best = max(((min(weights.share(step[1], other[1]), weights.share(other[1], step[1])), -at) for at, other in enumerate(others)), default=(0.0, 0))
    return -best[1] if best[0] >= 0.5 else None


# ---- what is shown ----


def _made(article: Entry, other: Entry, clash: Clash) -> Contradiction:
    sides = Sides(article=article.cite(clash.ours.start, clash.ours.end), against=other.cite(clash.theirs.start, clash.theirs.end))
    differs = tuple(
        Differing(what=clash.what, article=_words(article, clash.ours, mine), against=_words(other, clash.theirs, its))
        for mine, its in clash.facts
    )
    return Contradiction(
        id=name("c", article.id, other.id), score=min(clash.score, 1.0), what=clash.what, article=article.named, against=other.named,
        evidence=sides, differs=differs or (Differing(what=clash.what, article=_words(article, clash.ours, None), against=None),),
    )  # fmt: skip


def _words(entry: Entry, said: Said, fact: Fact | None) -> Words | None:
    if fact is None:
        return None
    start, end = said.start + fact.start, said.start + fact.end
    return Words(start=start, end=end, quote=entry.text[start:end])
