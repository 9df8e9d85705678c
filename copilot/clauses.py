"""Whether what a text says stands together in its source too: numbers, names and negations clause by clause, with the words beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from copilot.facts import NAME, NEGATION, NUMBER, UNITS, figure, plain
from copilot.scripts import MARKED, parts, without
from copilot.text import sentences

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
MARKER = re.compile(rf"^{MARKED}")
STOP = frozenset(
    "a an and are as at be but by can do for from has have how i if in is it its may of on or our so that the their then there these "
    "they this to was we were what when where which will with you your please just also more "
    "my me he him his she her am".split()
)
CUT = re.compile(
    r"(\s*[;|(){}\[\]]\s*|:\s+|,\s+|\s[–—-]\s|\s+(?:and|but|or|nor|while|whereas|which|und|oder|aber|sondern|et|ou|mais|maar|pero)\s+)",
    re.I,
)
CARRIES = frozenset({"or", "nor", "oder", "ou"})
"""Words behind which a negation goes on."""
BESIDE = frozenset("least most below above before after under over within less up minimum maximum until".split())
"""Words that belong to the number right behind them, not to all numbers of the sentence."""
SIDES = frozenset("below above before after".split())
"""Words that tell on which side of a number something is."""
KINDS = {
    unit: number
    for number, units in enumerate(
        (
            ("s", "min", "h", "working h", "d", "working d", "week", "month", "y"), ("€", "$", "£", "chf"), ("kb", "mb", "gb", "tb"),
            ("mm", "cm", "m", "km"), ("g", "kg"), ("°", "°c", "°f"), ("khz", "mhz", "ghz"),
        )
    )
    for unit in units
}  # fmt: skip
"""Units of one kind: only their numbers can be taken for one another."""
DO = frozenset({"doe", "did"})
HELD = 2 / 3
"""The share of a denied clause that a clause must hold to say the same without the denial."""
CLEARER = 2
"""So many more words must stand beside another name."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause's content words, with and without those that its sentence begins with, its figures, its names, and what it denies."""

    own: frozenset[str]
    words: frozenset[str]
    figures: frozenset[tuple[str, str]]
    names: frozenset[str]
    denied: frozenset[str] | None
    sentence: frozenset[str]


def misplaced(text: str, words: str, about: str = "") -> tuple[str, ...]:
    """What these words say of something else: numbers beside other words, names, and negations of another clause."""
    known = frozenset(NAME.findall(text)) | frozenset(NAME.findall(words))
    known -= frozenset(WORD.findall(about))
    said, held = clauses(text, known), clauses(words, known)
    moved = [*_numbers(said, held), *_names(said, held)]
    return (*(f"{one} of something else" for one in dict.fromkeys(moved)), *_negations(said, held))


def clauses(text: str, known: Collection[str]) -> list[Clause]:
    """The clauses of a text in order; `known` are the words that are names."""
    text = plain(text)
    return [clause for start, end in sentences(text) for clause in _clauses(MARKER.sub("", text[start:end]), known)]


def _clauses(sentence: str, known: Collection[str]) -> Iterator[Clause]:
    pieces = CUT.split(sentence)
    whole, head, counted = _meant(sentence), frozenset[str](), False
    denied: frozenset[str] | None = None
    for joint, piece in zip(["", *pieces[1::2]], pieces[::2], strict=True):
        own, numbers = _meant(piece), list(NUMBER.finditer(piece))
        figures = frozenset(map(figure, numbers))
        if no := NEGATION.search(piece):
            denied = _meant(piece[no.end() :]) or own
        else:
            denied = own if denied is not None and joint.strip().lower() in CARRIES else None
        if own or figures:
            named = frozenset(word for word in WORD.findall(piece) if word in known)
            yield Clause(own, own | head, figures, named, denied, whole)
        if not counted:
            head |= _meant(piece[: numbers[0].start()] if numbers else piece) - BESIDE
            counted = bool(numbers)


def _meant(text: str) -> frozenset[str]:
    """The content words and single capitals of a text without numbers and their units."""
    rest = NUMBER.sub(_unitless, text)
    return frozenset(content(NEGATION.sub(" ", rest)) - DO) | frozenset(re.findall(r"\b[B-HJ-Z]\b", rest))


def _unitless(found: re.Match[str]) -> str:
    unit = (found["unit"] or "").strip()
    return " " if unit.lower() in UNITS else f" {unit} "


def _numbers(said: Sequence[Clause], held: Sequence[Clause]) -> Iterator[str]:
    """The numbers that stand, in the source, beside words with which the text has less in common than with those beside another number."""
    for clause in said:
        for word in sorted(clause.own & SIDES) if clause.figures else ():
            if not any(word in one.sentence for one in held):
                yield word
        for number, unit in sorted(clause.figures):
            mine = [one for one in held if any(number == n and unit in ("", u) for n, u in one.figures)]
            others = [
                one
                for one in held
                if one not in mine
                and any(number != n and KINDS.get(u, u) == KINDS.get(unit, unit) for n, u in one.figures)
            ]
            if mine and _most(clause, others, _shared) > _most(clause, mine, _shared):
                yield f"{number} {unit}".strip()


def _shared(one: Clause, other: Clause) -> int:
    return len(one.own & other.words)


def _names(said: Sequence[Clause], held: Sequence[Clause]) -> Iterator[str]:
    """The names in whose place the source has another one beside the same words."""
    for clause in said:
        for name in sorted(clause.names):
            mine = [one for one in held if name in one.names]
            others = [one for one in held if one.names and not one.names & clause.names]
            if mine and _most(clause, others, _alike) >= _most(clause, mine, _alike) + CLEARER:
                yield name


def _alike(one: Clause, other: Clause) -> int:
    """Shared words but for the names, and shared numbers, which count twice."""
    named = frozenset(content(" ".join((*one.names, *other.names))))
    return len((one.own & other.own) - named) + 2 * len(one.figures & other.figures)


def _most(clause: Clause, others: Sequence[Clause], alike: Callable[[Clause, Clause], int]) -> int:
    return max((alike(clause, one) for one in others), default=0)


def _negations(said: Sequence[Clause], held: Sequence[Clause]) -> Iterator[str]:
    """A denial of what the source does not deny, and what it denies said without the denial."""
    denying = [one for one in held if one.denied is not None]
    plainly = [one for one in held if one.denied is None]
    refused = frozenset[str]().union(*(one.sentence for one in denying))
    for clause in said:
        if clause.denied is not None:
            wrong = bool(clause.own) and not clause.own & refused
        else:
            wrong = any(_says_of(clause, one) for one in denying) and _most(clause, denying, _own) > _most(
                clause, plainly, _own
            )
        if wrong:
            yield "a negation of that"
            return


def _own(one: Clause, other: Clause) -> int:
    return len(one.own & other.own)


def _says_of(clause: Clause, denying: Clause) -> bool:
    """Whether the clause says what the other one denies: most of its words, and each number and name."""
    denied = denying.denied or frozenset()
    if not denying.figures <= clause.figures or not denying.names <= clause.names:
        return False
    return bool(denied) and len(denied & clause.own) >= HELD * len(denied)


def content(text: str) -> set[str]:
    """The words that carry meaning, stemmed; where no space parts them, each two letters in a row and each Chinese one."""
    words = {*WORD.findall(without(text).lower())} - STOP  # each looked at once, however often it is said
    return {_stem(word) for word in words if len(word) > 1} | parts(text)


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    """Enough of a stem to match plural and tense."""
    for ending in ("ing", "ies", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
