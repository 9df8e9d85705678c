"""Reads an agent's edited reply: which statements stand as they were, and where a number, date, address or name contradicts its source."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Literal

from copilot.clauses import MARKER, content
from copilot.domain import Citation, Draft, Evidence, Statement
from copilot.facts import ADDRESS, MONTH, NAME, NEGATION, SPELT, UNITS, facts, says_no
from copilot.ground import PARTIAL, SUPPORTED, best_stretch, cite, support
from copilot.questions import claims_nothing
from copilot.scripts import LETTERED
from copilot.text import sentences

RELATED = 0.5
"""The share of content words that a sentence must have in common with a statement to be taken for an edit of it."""
FEWEST_WORDS = 3
MOST_SOURCES = 12
MOST_NEW = 60
"""So many sentences of the agent's own are looked up; a reply has fewer."""

Standing = Literal["kept", "supported", "partial", "no_claim", "own_words", "contradicts"]
Fact = Literal["number", "date", "address", "name", "negation"]
_DAY = r"\d{1,2}(?:st|nd|rd|th|\.)?"
_UNIT = rf"(?: (?:working|business|calendar|full|whole))?[ ]?(?:{'|'.join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))})(?!\w)"
KINDS: tuple[tuple[Fact, re.Pattern[str]], ...] = (
    ("address", ADDRESS),
    ("date", re.compile(rf"(?:\b{_DAY} (?:of )?)?(?:{MONTH.pattern})(?:\.? {_DAY}(?!\w))?(?:,? (?:19|20)\d\d)?|\b\d{{4}}-\d\d-\d\d\b"
                       rf"|\b{_DAY} (?:of )?may\b(?:,? (?:19|20)\d\d)?|\bmay {_DAY}(?!\w)", re.I)),
    ("number", re.compile(rf"[€$£]\s?\d+(?:[.,]\d+)*|\d+(?:[.,:/-]\d+)*(?:{_UNIT})?|{SPELT.pattern}(?:{_UNIT})?", re.I)),
    ("name", re.compile(rf"(?:{NAME.pattern})(?: [A-Z][\w-]+)*")),
)  # fmt: skip
_LIST = re.compile(rf"(?:^|\n)[ \t]*(?:[-*•+]|\d{{1,3}}[.)]|{LETTERED})[ \t]+\Z")
CAPITALISED = frozenset({"de"})
"""Languages in which a capital says nothing about a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Words of the edited text that its source does not hold, and the source's own words of that kind."""

    start: int
    end: int
    text: str
    kind: Fact
    instead: tuple[str, ...]
    citation: Citation


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of the edited text and how it stands: as it was, on a source of its own, in the agent's own words, or against its source."""

    start: int
    end: int
    standing: Standing
    statement: int | None = None
    citations: tuple[Citation, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An edited reply, stretch by stretch."""

    stretches: tuple[Stretch, ...]
    conflicts: int


def check(text: str, draft: Draft | None, sources: Sequence[Evidence], said: str) -> Checked:
    """How each stretch of the text stands; `said` is what the conversation holds already: names and plain numbers of it are nobody's claim."""
    statements = draft.statements if draft else ()
    original = [draft.text[one.start : one.end] for one in statements] if draft else []
    kept = dict(_kept(text, original))
    gone = [
        (number, one, content(original[number]))
        for number, one in enumerate(statements)
        if one.citations and number not in kept.values()
    ]
    judge = _Judge(gone, sources[:MOST_SOURCES], said, draft is None or draft.language not in CAPITALISED)
    stretches = [_as_it_was(span, statements[number], number) for span, number in kept.items()]
    stretches += [judge.stretch(text, start, end) for start, end in islice(_rest(text, kept), MOST_NEW)]
    ordered = tuple(sorted(stretches, key=lambda one: one.start))
    return Checked(stretches=ordered, conflicts=sum(len(one.conflicts) for one in ordered))


def _as_it_was(span: tuple[int, int], statement: Statement, number: int) -> Stretch:
    standing: Standing = "no_claim" if statement.support == "no_claim" else "kept"
    return Stretch(start=span[0], end=span[1], standing=standing, statement=number, citations=statement.citations)


def _kept(text: str, original: Sequence[str]) -> Iterator[tuple[tuple[int, int], int]]:
    """Where a statement stands untouched, wherever it was moved to: as whole sentences, since a part of one may have lost its "not"."""
    spans = sentences(text)
    starts, ends = {start for start, _ in spans}, {end for _, end in spans}
    taken: list[tuple[int, int]] = []
    for number in sorted(range(len(original)), key=lambda one: (-len(original[one]), one)):
        words = original[number]
        at = text.find(words) if words else -1
        while at >= 0:
            span = at, at + len(words)
            whole = span[1] in ends and (at in starts or _LIST.search(text, 0, at) is not None)
            if whole and all(span[1] <= start or end <= span[0] for start, end in taken):
                taken.append(span)
                yield span, number
                break
            at = text.find(words, at + 1)


def _rest(text: str, kept: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The sentences, and parts of them, between what is kept, without list markers."""
    bounds = [(0, 0), *sorted(kept), (len(text), len(text))]
    for (_, end), (start, _) in pairwise(bounds):
        for a, b in sentences(text[end:start]):
            marker = MARKER.match(text[end + a : end + b] + " ")
            a += min(marker.end(), b - a) if marker else 0
            if any(map(str.isalnum, text[end + a : end + b])):
                yield end + a, end + b


@dataclass(frozen=True, slots=True)
class _Judge:
    """Judges sentences that are not the draft's own any more: `gone` are the cited statements that the text holds no longer."""

    gone: Collection[tuple[int, Statement, set[str]]]
    sources: Sequence[Evidence]
    said: str
    names: bool

    def stretch(self, text: str, start: int, end: int) -> Stretch:
        """How this sentence of the text stands."""
        words = text[start:end]
        edited = self._edit_of(content(words))
        if edited is not None:
            return self._edited(words, start, *edited)
        if claims_nothing(words) or len(content(words)) < FEWEST_WORDS:
            return Stretch(start=start, end=end, standing="no_claim")
        return self._new(words, start)

    def _edit_of(self, wanted: set[str]) -> tuple[int, Statement] | None:
        """The statement that these words are an edit of."""
        if len(wanted) < 2:
            return None
        shares = [(len(wanted & had) / min(len(wanted), len(had) or 1), -at, one) for at, one, had in self.gone]
        share, at, one = max(shares, key=lambda found: found[:2], default=(0.0, 0, None))
        return (-at, one) if one is not None and share >= RELATED else None

    def _edited(self, words: str, start: int, number: int, statement: Statement) -> Stretch:
        """An edit of a statement is held against the very words that the statement rests on."""
        quotes = "\n".join(citation.quote for citation in statement.citations)
        about = " ".join(citation.title for citation in statement.citations)
        conflicts = tuple(self._conflicts(words, start, quotes, about, statement.citations[0]))
        score = support(words, quotes)
        standing: Standing = "supported" if score >= SUPPORTED else "partial" if score >= PARTIAL else "own_words"
        return Stretch(
            start=start, end=start + len(words), standing="contradicts" if conflicts else standing, statement=number,
            citations=statement.citations, conflicts=conflicts,
        )  # fmt: skip

    def _new(self, words: str, start: int) -> Stretch:
        """A sentence of the agent's own is held against whatever of the sources comes nearest to it."""
        end = start + len(words)
        near = [_near(words, source) for source in self.sources]
        score, citation = max(near, key=lambda one: one[0], default=(0.0, None))
        if citation is None or score < PARTIAL:
            return Stretch(start=start, end=end, standing="own_words")
        conflicts = tuple(self._conflicts(words, start, citation.quote, citation.title, citation))
        standing: Standing = "contradicts" if conflicts else "supported" if score >= SUPPORTED else "partial"
        return Stretch(start=start, end=end, standing=standing, citations=(citation,), conflicts=conflicts)

    def _conflicts(self, words: str, start: int, quotes: str, about: str, citation: Citation) -> Iterator[Conflict]:
        held, low = set(facts(quotes)), f"{about} {quotes}".casefold()
        for kind, a, b in self._absent(words, held, low):
            instead = _instead(quotes, words, kind)
            yield Conflict(
                start=start + a, end=start + b, text=words[a:b], kind=kind, instead=instead, citation=citation
            )
        if says_no(words) != says_no(quotes):
            found = NEGATION.search(words)
            a, b = found.span() if found else (0, len(words))
            instead = () if found else (NEGATION.findall(quotes)[0],)
            yield Conflict(
                start=start + a, end=start + b, text=words[a:b], kind="negation", instead=instead, citation=citation
            )

    def _absent(self, words: str, held: set[str], low: str) -> Iterator[tuple[Fact, int, int]]:
        """The facts that neither the source holds nor, where it is a name or a plain number, the conversation."""
        heard = set(facts(self.said))
        for kind, a, b in _named(words):
            named, mine = words[a:b].casefold(), set(facts(words[a:b]))
            if kind == "name":
                absent = self.names and named not in low and named not in self.said.casefold()
            elif "may" in named:  # a month that is also a word is no fact by itself
                absent = named not in low
            else:
                absent = not mine <= held and not (kind == "number" and len(mine) == 1 and mine <= heard)
            if absent:
                yield kind, a, b


def _near(words: str, source: Evidence) -> tuple[float, Citation]:
    start, end = best_stretch(words, source)
    return support(words, source.text[start:end]), cite(source, start, end)


def _named(text: str) -> Iterator[tuple[Fact, int, int]]:
    """The facts that a text names, each with its place, none within another."""
    taken: list[tuple[int, int]] = []
    for kind, pattern in KINDS:
        for found in pattern.finditer(text):
            start, end = found.start(), found.start() + len(found[0].rstrip(".,; "))
            if all(end <= a or b <= start for a, b in taken):
                taken.append((start, end))
                yield kind, start, end


def _instead(quotes: str, words: str, kind: Fact) -> tuple[str, ...]:
    """The source's own facts of that kind which the text does not name."""
    mine, low = set(facts(words)), words.casefold()
    found = [quotes[a:b] for other, a, b in _named(quotes) if other == kind]
    absent = (one for one in found if (one.casefold() not in low if kind == "name" else not set(facts(one)) <= mine))
    return tuple(dict.fromkeys(absent))[:3]
