"""Contradictions: an article and something newer on the same matter that cannot both be right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from copilot.ports import Vectors
from copilot.variants import PLATFORMS
from ingest.insights.claims import Claim, Fact, claim
from ingest.insights.material import Entry, of_kinds
from ingest.insights.nouns import Contradiction, Difference, Differing, Sides, Words, name
from ingest.insights.order import other_order
from ingest.insights.sides import Said, Side, Weights, candidates, stems

Embed = Callable[[Sequence[str]], Vectors]

LIKELIEST = 300
"""Pairs of statements, one a pair of documents, that are also compared by meaning, which takes the model."""
FEWEST, SHARED = 2, 0.09
"""Words that two statements share at least, and their share of all words of both, rare ones counting more."""
ENOUGH = 0.45
CHANGED = re.compile(
    r"\b(?:no longer|not any ?more|n['’]t any ?more|any ?more|now|since then|has changed|have changed|nowadays|nicht mehr|kein\w* mehr|inzwischen|"
    r"jetzt|mittlerweile|neuerdings|leider)\b", re.I,
)  # fmt: skip
DENIES = re.compile(r"\b(?:not|cannot|never|no longer|[a-z]{2,8}n['’]t|nicht|nie|niemals|nunca|jamais)\b", re.I)
"""A verb denied; "no" and "without" deny things, which the other statement may leave out."""
SUPPOSED = re.compile(r"\b(?:if|unless|in case|whether|should|wenn|falls|ob|si)\b[^,.;:]*\Z", re.I)
AROUND = 40
IN_ORDER = 0.4
EXCEPTION = re.compile(
    r"\b(?:example|e\.g|for instance|exception\w*|gesture|goodwill|normally|usually|one-off|in your case|in that case|in this case|as a courtesy|"
    r"Beispiel|ausnahmsweise|Kulanz|normalerweise|i see that|your order|your parcel|you are on|you're on)\b", re.I,
)  # fmt: skip
KINDS: tuple[tuple[str, Difference], ...] = (
    ("version", "version"), ("date", "date"), ("time", "date"), ("weekday", "date"), ("path", "step"), ("amount", "number"),
    ("negation", "negation"),
)  # fmt: skip


def contradictions(entries: Sequence[Entry], embed: Embed) -> list[Contradiction]:
    """Articles against newer articles and tickets, one finding a pair of documents, likeliest first.

    Words decide which pairs are likely; `embed` is asked about the likeliest of them alone.
    """
    sides = [Side(entry) for entry in of_kinds(entries, ("article", "ticket"))]
    weights = Weights.over(sides)
    clashes = [made for article, other in candidates(sides) if (made := _clash(article, other, weights))]
    likely = sorted(clashes, key=lambda one: (-one.score, one.article.entry.id, one.other.entry.id))[:LIKELIEST]
    found = [_made(one) for one in _weighed(likely, embed) if one.score >= ENOUGH]
    return sorted(found, key=lambda made: (-made.score, made.id))


# ---- whether they contradict ----


@dataclass(frozen=True, slots=True)
class Clash:
    """Two statements that differ in something, and how likely it is that they speak of the same."""

    article: Side
    other: Side
    score: float
    what: Difference
    ours: Said
    theirs: Said
    facts: tuple[tuple[Fact | None, Fact | None], ...]


def _clash(article: Side, other: Side, weights: Weights) -> Clash | None:
    """The likeliest clash of two documents by their words, if there is one."""
    found = [
        made for ours in article.said for theirs in other.said
        if (made := _compared(article, ours, other, theirs, weights)) is not None
    ]  # fmt: skip
    if steps := other_order(article, other, weights):
        found.append(Clash(article, other, IN_ORDER, "step", *steps, ()))
    return max(found, key=lambda one: (one.score, -one.ours.start, -one.theirs.start), default=None)


def _compared(article: Side, ours: Said, other: Side, theirs: Said, weights: Weights) -> Clash | None:
    """How the statements clash, if they do; cheap questions first, since most pairs have nothing to do with each other."""
    corrects = bool(CHANGED.search(theirs.told))
    shared = len(ours.words & theirs.words)
    if not shared:
        return None
    facts = _differing(article, ours.claim, other, theirs.claim)
    if shared < FEWEST and not facts:
        return None
    facts = facts or _denied(ours.claim, theirs.claim, corrects)
    if not facts or _other_subject(article, ours, other, theirs):
        return None
    if EXCEPTION.search(theirs.claim.text) or ours.claim.text.endswith("?") or theirs.claim.text.endswith("?"):
        return None
    score = _alike(ours, theirs, weights)
    return Clash(article, other, score, _what(facts), ours, theirs, facts) if score else None


def _alike(ours: Said, theirs: Said, weights: Weights) -> float:
    """How much of the statements' words is the same; 0 where it is too little to speak of one matter."""
    shared = weights.sum(ours.words & theirs.words)
    either = shared / max(weights.sum(ours.words | theirs.words), 1e-9)
    if either < SHARED:
        return 0.0
    mutual = shared / max(min(weights.sum(ours.words), weights.sum(theirs.words)), 1e-9)
    return 0.3 * mutual + 0.2 * either + (0.1 if CHANGED.search(theirs.told) else 0.0)


def _weighed(likely: Sequence[Clash], embed: Embed) -> list[Clash]:
    """The clashes with the likeness of their statements' meaning in their score."""
    texts = sorted({text for one in likely for text in (one.ours.claim.text, one.theirs.claim.text)})
    vectors = dict(zip(texts, embed(texts), strict=True)) if texts else {}
    return [
        replace(
            one, score=round(one.score + 0.5 * float(vectors[one.ours.claim.text] @ vectors[one.theirs.claim.text]), 6)
        )
        for one in likely
    ]


def _differing(article: Side, ours: Claim, other: Side, theirs: Claim) -> tuple[tuple[Fact | None, Fact | None], ...]:
    """Facts of the same type with other values, where neither document names the other's value elsewhere as its own."""
    found = []
    for type in sorted({fact.type for fact in ours.facts} & {fact.type for fact in theirs.facts}):
        mine, its = ours.of(type), theirs.of(type)
        if type == "amount:" or {fact.value for fact in mine} & {fact.value for fact in its}:
            continue
        if any((type, fact.value) in other.values for fact in mine) or any(
            (type, fact.value) in article.values for fact in its
        ):
            continue
        if type == "path" and any(
            a.value.startswith(b.value) or b.value.startswith(a.value) for a in mine for b in its
        ):
            continue
        if type == "date" and any(a.value.endswith(b.value) or b.value.endswith(a.value) for a in mine for b in its):
            continue
        found.append((mine[0], its[0]))
    return tuple(found)


def _other_subject(article: Side, ours: Said, other: Side, theirs: Said) -> bool:
    """Whether each speaks of a model, plan or place that the other document never names."""
    codes, others = (
        ours.claim.codes | claim(article.entry.document.title).codes,
        theirs.claim.codes | claim(other.entry.document.title).codes,
    )
    if _strange(codes, other) and _strange(others, article):
        return True
    if _template(article.entry.document.title, other.entry.document.title):
        return True
    spoken, told = _platforms(ours.claim.text), _platforms(theirs.claim.text)
    if spoken and told and not spoken & told:
        return True
    german = len(ours.claim.names) > 0.3 * len(ours.claim.text.split())
    return not german and bool(_strange(ours.claim.names, other) and _strange(theirs.claim.names, article))


def _platforms(text: str) -> set[str]:
    return {name for name, shape in PLATFORMS.items() if shape.search(text)}


def _strange(names: frozenset[str], side: Side) -> set[str]:
    """The names that the document does not hold."""
    return {one for one in names if one.lower() not in side.low}


def _template(one: str, other: str) -> bool:
    """Whether two titles are the same but for a word or two in one place: `Summer course 2026`, `Winter course 2026`."""
    first, second = one.lower().split(), other.lower().split()
    common = sum(a == b for a, b in zip(first, second, strict=False))
    return len(first) == len(second) and 2 <= common < len(first)


def _denied(ours: Claim, theirs: Claim, corrects: bool) -> tuple[tuple[Fact | None, Fact | None], ...]:
    """What one of the two denies and the other says, where it is the denied words that both have, or a change is told."""
    mine, its = list(_denials(ours.text)), list(_denials(theirs.text))
    if bool(mine) == bool(its):
        return ()
    one, (start, end), other = (ours, mine[0], theirs) if mine else (theirs, its[0], ours)
    if corrects and its:
        return ((None, Fact("negation", "", start, end)),)
    around = stems(claim(one.text[max(0, start - AROUND) : end + AROUND]).words)
    if len(around & stems(other.words)) < max(FEWEST, 0.4 * len(around)):
        return ()
    denial = Fact("negation", "", start, end)
    return ((denial, None),) if mine else ((None, denial),)


def _denials(text: str) -> Iterator[tuple[int, int]]:
    """Where a verb is denied and not only supposed to be."""
    return (
        found.span()
        for found in DENIES.finditer(text)
        if not SUPPOSED.search(text[max(0, found.start() - 2 * AROUND) : found.start()])
    )


def _what(facts: tuple[tuple[Fact | None, Fact | None], ...]) -> Difference:
    types = {fact.type.partition(":")[0] for pair in facts for fact in pair if fact}
    return next(what for type, what in KINDS if type in types)


# ---- what is shown ----


def _made(clash: Clash) -> Contradiction:
    article, other = clash.article.entry, clash.other.entry
    sides = Sides(
        article=article.cite(clash.ours.start, clash.ours.end), against=other.cite(clash.theirs.start, clash.theirs.end)
    )
    differs = tuple(
        Differing(what=clash.what, article=_words(article, clash.ours, mine), against=_words(other, clash.theirs, its))
        for mine, its in clash.facts
    )
    return Contradiction(
        id=name("c", article.id, other.id), score=min(clash.score, 1.0), what=clash.what, article=article.named, against=other.named,
        evidence=sides, differs=differs or (Differing(what=clash.what, article=None, against=None),),
    )  # fmt: skip


def _words(entry: Entry, said: Said, fact: Fact | None) -> Words | None:
    if fact is None:
        return None
    start, end = said.start + fact.start, said.start + fact.end
    return Words(start=start, end=end, quote=entry.text[start:end])
