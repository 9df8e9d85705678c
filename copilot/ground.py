"""Decides which proposed statements stand, on which exact words they rest, and drops the rest.

A statement is supported where it is word for word in its evidence, or where enough of its content words stand together in one
stretch of it. In either case each number, address and negation of the statement must occur in those very words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from copilot.domain import Citation, Dropped, Evidence, Support
from copilot.ports import Proposed
from copilot.text import sentences

SUPPORTED = 0.75
PARTIAL = 0.55
WIDEST = 3

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
FACT = re.compile(
    r"https?://[^\s<>\"')\]]{1,500}"  # URLs
    r"|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"  # e-mail addresses
    r"|\d+(?:[.,:/-]\d+)*"  # numbers, dates, versions, times
)
NEGATION = re.compile(
    r"\b(?:not|never|no|none|cannot|without|neither|nor|[a-z]{2,8}n['’]t|nicht|kein\w{0,2}|nie|ohne|pas|jamais|aucune?|sans|niet|geen|nooit|zonder|nunca|sin)\b",
    re.I,
)
QUESTION = re.compile(
    r"(?:what|which|who|when|where|how|could you|can you|do you|did you|have you|is it|are you|would you|was|welche[rs]?|wie|wann|wo|"
    r"können sie|haben sie|quelle?s?|quand|comment|pouvez-vous|avez-vous|welke|hoe|wanneer|waar|kun je|kunt u|heb je|qué|cuál|cuándo|"
    r"cómo|puede|tiene)\b[^,;:.]{1,200}\?$",
    re.I,
)
STOP = frozenset(
    "a an and are as at be but by can do for from has have how i if in is it its may of on or our so that the their then there these "
    "they this to was we were what when where which will with you your please just also more".split()
)


@dataclass(frozen=True, slots=True)
class Grounded:
    """A statement that stands, its text, what goes in front of it, and its citations."""

    text: str
    lead: str
    support: Support
    citations: tuple[Citation, ...]


def ground(proposed: Iterable[Proposed], evidence: Sequence[Evidence]) -> Iterator[Grounded | Dropped]:
    """Each proposed statement in order: grounded, or dropped with the reason."""
    for one in proposed:
        yield _judge(one, evidence)


def _judge(one: Proposed, evidence: Sequence[Evidence]) -> Grounded | Dropped:
    text = one.text.strip()
    cited = [evidence[index] for index in one.evidence if 0 <= index < len(evidence)]
    if len(cited) < len(one.evidence):
        return Dropped(text=text, reason="it cites a source that was not given")
    if claims_nothing(text):
        return Grounded(text, one.lead, "no_claim", ())
    if not cited:
        return Dropped(text=text, reason="it cites no source")
    best = max((_support(text, source) for source in cited), key=lambda found: found.score)
    if best.score < PARTIAL or best.missing:
        missing = f": {', '.join(best.missing)}" if best.missing else ""
        return Dropped(text=text, reason=f"its source does not say so{missing}")
    return Grounded(text, one.lead, "supported" if best.score >= SUPPORTED else "partial", (best.citation,))


def claims_nothing(text: str) -> bool:
    """A question to the customer that names no fact; an assertion does not become one by a question mark."""
    return bool(QUESTION.match(text)) and not FACT.search(text) and len(sentences(text)) == 1


@dataclass(frozen=True, slots=True)
class Found:
    """How well the best stretch of one source carries a statement, and which of its facts are absent there."""

    score: float
    missing: tuple[str, ...]
    citation: Citation


def _support(text: str, source: Evidence) -> Found:
    spans = sentences(source.text) or [(0, len(source.text))]
    at = _whole_sentences(text, source.text, spans)
    if at is not None:
        return Found(1.0, (), cite(source, at, at + len(text)))
    wanted = _content(text)
    candidates = []
    for first in range(len(spans)):
        for last in range(first, min(first + WIDEST, len(spans))):
            start, end = spans[first][0], spans[last][1]
            score = len(wanted & _content(source.text[start:end])) / len(wanted) if wanted else 0.0
            candidates.append((score, first - last, -start, start, end))
    score, _, _, start, end = max(candidates)
    return Found(round(score, 6), _missing(text, source.text[start:end]), cite(source, start, end))


def _whole_sentences(text: str, words: str, spans: Sequence[tuple[int, int]]) -> int | None:
    """Where the text stands word for word as whole sentences: a part of one may have lost its "not"."""
    starts, ends = {start for start, _ in spans}, {end for _, end in spans}
    at = words.find(text)
    while at >= 0:
        if at in starts and at + len(text) in ends:
            return at
        at = words.find(text, at + 1)
    return None


def _missing(text: str, words: str) -> tuple[str, ...]:
    """Facts of the statement that its evidence does not hold, and a negation that one of the two lacks."""
    facts = tuple(sorted(set(FACT.findall(text)) - set(FACT.findall(words))))
    if bool(NEGATION.search(text)) != bool(NEGATION.search(words)):
        facts += ("a negation",)
    return facts


def _content(text: str) -> set[str]:
    return {_stem(word) for word in WORD.findall(text.lower()) if word not in STOP and len(word) > 1}


def _stem(word: str) -> str:
    """Enough of a stem to match plural and tense."""
    for ending in ("ing", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def cite(source: Evidence, start: int, end: int) -> Citation:
    """The citation of `source.text[start:end]`, with offsets into the whole revision."""
    return Citation(
        document_id=source.document_id, revision=source.revision, start=source.start + start, end=source.start + end,
        quote=source.text[start:end], title=source.title, url=source.url, kind=source.kind,
    )  # fmt: skip
