"""Harms that are plainly denied, as "no data was lost": what calls for a person is read without them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from copilot import yaml_file
from copilot.settings import DEFAULTS
from copilot.words import HIDDEN, Clauses, Words, fold

DENIED = DEFAULTS / "denied.yaml"
_ASKS = (
    r"(?:(?:please|(?:can|could|would|will) you|bitte|(?:konnen|konnten|wurden) sie|pouvez|pourriez|(?:kunt|kun) (?:u|je)|(?:puede|podria)s?n?)\b"
    r"|(?:how|where|why|wie|wo|comment|hoe|waar|como|donde)\b[^.!\n]*\?)"
)
_BUT = re.compile(
    rf"[\s,;.–—-]*(?:(?:but|aber|mais|maar|pero)\b(?!\W+{_ASKS})|(?:yet|however|still|(?:even )?though|although|sondern|doch|sino|someone|somebody"
    r"|except|besides|apart from|other than|auss?er|sauf|behalve|excepto|salvo"
    r"|(?:nur|lediglich|alleen|solo) (?:mein|unser|die|der|das|all|mijn|onze|de|het|mis?|las?|los|el|tod[ao]s?)\w*"
    r"|(?:only|just) (?:my|our|his|her|their|the|one|two|three|\d+)|my (?:child|kid|baby|son|daughter|husband|wife|mother|father|mum|mom|dad)"
    r" (?:is|was|has|did|does))\b)",
    re.I,
)
"""What a harm may follow: of "no money was stolen from us, but from a customer" nothing learned is taken back; what is asked behind a "but" names
what it is about."""

_BREAK = re.compile(
    r"[^\w\s'’-]|\n|\s-|-\s|^no\s+(?:my|our|your|his|her|their|the|this|that|it|i|we|he|she|they|everything|some\w+)\b",
    re.I,
)
"""What no denial has inside: "No, my card was stolen" answers a question, and tells of a harm."""

_DOUBTED = re.compile(
    r"[.!…]*\s*\?|[\s,–—-]*(?:really|seriously|right|(?:you|they) (?:say|said|claim|claimed|insist|insisted|think))\b",
    re.I,
)
"""What stands at the end of a clause, or after a denial, that repeats another's words: "No data was lost? Then where is it?"."""

_SENTENCE = re.compile(rf"[.!?…]+(?:\s+|$)|\n\s*\n|{HIDDEN}+")


@dataclass(frozen=True, slots=True)
class Denials:
    """What denies a harm, what in the same clause lets it stand, and who else's claim it may be that stands before it in the sentence."""

    words: Words
    unless: Words
    claims: Words

    @classmethod
    def load(cls, path: Path) -> Denials:
        """The patterns of a YAML file."""
        raw = yaml_file.read(path)
        return cls(*(Words(raw[name], raw["terms"]) for name in ("words", "unless", "claims")))

    def find(self, text: str, plainly: bool = False) -> list[tuple[int, int]]:
        """Where a folded text denies a harm: up to the word for the harm, since what follows may be another; `plainly` where no "but" follows."""
        found = [(start, end) for start, end in self.words.find(text) if not _BREAK.search(text[start:end])]
        if not found:
            return []
        clauses, standing, claimed = Clauses(text), list(self.unless.find(text)), self._claimed(text)
        around = [clauses.around(*span) for span in found]
        return [
            span
            for span, (left, right) in zip(found, around, strict=True)
            if not _DOUBTED.match(text, right)
            and not _DOUBTED.match(text, span[1])
            and not any(left < end and start < right for start, end in standing)
            and not claimed(span[0])
            and not (plainly and _BUT.match(text, right))
        ]

    def _claimed(self, text: str) -> Callable[[int], bool]:
        """Tells of a place whether somebody else's claim stands before it in its sentence."""
        claims = [start for start, _ in self.claims.find(text)]
        ends = [match.end() for match in _SENTENCE.finditer(text)] if claims else []

        def claimed(place: int) -> bool:
            before, ended = bisect_left(claims, place), bisect_right(ends, place)
            return before > 0 and (not ended or claims[before - 1] >= ends[ended - 1])

        return claimed


def hidden(text: str, plainly: bool = False) -> str:
    """A folded text with the harms that it denies blanked out in place."""
    for start, end in _denials().find(text, plainly):
        text = f"{text[:start]}{HIDDEN * (end - start)}{text[end:]}"
    return text


def left(text: str) -> str:
    """The text without the harms that it plainly denies, each a line's end; the text itself where it denies none."""
    shown = hidden(fold(text), plainly=True)
    if HIDDEN not in shown:
        return text
    return "".join("\n" if hides == HIDDEN else letter for letter, hides in zip(text, shown, strict=True))


@cache
def _denials() -> Denials:
    return Denials.load(DENIED)
