"""Personal data to typed placeholders, before a ticket is stored and before a model reads a message.

A pipeline: first what has a shape, a checksum or a telling place; then, where one is configured, what a library's recogniser finds besides.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from copilot import names as people
from copilot.finders import Finder, Traits, may, plain
from copilot.personal import KINDS, ORDERS
from copilot.ports import Recogniser

REDACTOR = "2"
"""The version of the rules: another one makes every redacted text anew."""

PLACEHOLDER = re.compile(r"\[[a-z]{2,9}-\d{1,6}\]")


@dataclass(frozen=True, slots=True)
class Span:
    """Personal data as it stood in the text, and the placeholder that stands there now."""

    kind: str
    start: int
    end: int
    text: str
    placeholder: str


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without its personal data, and what was taken out, in order."""

    text: str
    found: tuple[Span, ...]

    def restore(self, text: str) -> str:
        """The given text with this text's placeholders turned back into what they stood for."""
        originals = {span.placeholder: span.text for span in self.found}
        return PLACEHOLDER.sub(lambda found: originals.get(found[0], found[0]), text)

    def offset(self, original: int) -> int:
        """Where a place of the original text is in the redacted one; a place within personal data is at its placeholder's start."""
        moved = 0
        for span in self.found:
            if span.end > original:
                return min(original, span.start) + moved
            moved += len(span.placeholder) - (span.end - span.start)
        return original + moved


KEEPABLE = frozenset({"name", "place", *(kind for kind, _ in (*KINDS, *ORDERS))} - {"secret", "card", "iban"})
"""The kinds that may be kept: secrets and what money can be taken with never are."""


@dataclass(frozen=True, slots=True)
class Redactor:
    """A pipeline: our own patterns, then a library's recogniser where there is one; kinds in `keep` stay in the text."""

    keep: frozenset[str] = frozenset()
    recogniser: Recogniser | None = None

    @property
    def fingerprint(self) -> str:
        """What decides how a text is redacted: a change reads every ticket anew."""
        found_by = [self.recogniser.fingerprint] if self.recogniser else []
        return "|".join((REDACTOR, *sorted(self.keep), *found_by))

    def redact(self, text: str, names: Collection[str] = (), *, orders: bool = False) -> Redacted:
        """The text with personal data replaced; `names` are found wherever they stand, order numbers only with `orders`.

        Placeholders are numbered a kind by first occurrence; the same words have the same one.
        """
        taken = {found.group() for found in PLACEHOLDER.finditer(text)}
        numbers = Counter[str]()
        placeholders: dict[tuple[str, str], str] = {}
        found = []
        for start, end, kind in sorted(self._find(text, names, orders)):
            if kind in self.keep:
                continue
            known = (kind, text[start:end])
            placeholders[known] = placeholders.get(known) or _next_free(kind, numbers, taken)
            found.append(Span(kind, start, end, text[start:end], placeholders[known]))
        return Redacted(_replaced(text, found), tuple(found))

    def _find(self, text: str, names: Collection[str], orders: bool) -> list[tuple[int, int, str]]:
        """Spans that do not overlap; the kind that is looked for earlier wins, and what is kept is no other kind's."""
        spans, covered = _found(text, names, orders)
        for start, end, kind in self.recogniser.find(text) if self.recogniser else ():
            if covered.find(1, start, end) < 0:
                spans.append((start, end, kind))
        return spans


OURS = Redactor()
"""Our own patterns alone."""


def redact(text: str, names: Collection[str] = (), *, orders: bool = False) -> Redacted:
    """The text as our own patterns redact it."""
    return OURS.redact(text, names, orders=orders)


def _next_free(kind: str, numbers: Counter[str], taken: Collection[str]) -> str:
    """The next number of this kind; one that the writer typed in brackets is left to the writer."""
    while True:
        numbers[kind] += 1
        if (placeholder := f"[{kind}-{numbers[kind]}]") not in taken:
            return placeholder


def _replaced(text: str, found: list[Span]) -> str:
    parts, at = [], 0
    for span in found:
        parts += [text[at : span.start], span.placeholder]
        at = span.end
    return "".join([*parts, text[at:]])


def _found(text: str, names: Collection[str], orders: bool) -> tuple[list[tuple[int, int, str]], bytearray]:
    """What our own patterns find in the text's plain letters, and which characters are taken by that or are placeholders already."""
    text = plain(text)
    covered = bytearray(len(text))
    for found in PLACEHOLDER.finditer(text):
        covered[found.start() : found.end()] = b"\1" * len(found.group())
    spans: list[tuple[int, int, str]] = []

    def names_above(text: str) -> Iterator[tuple[int, int]]:
        return people.above(text, [start for start, _, kind in spans if kind == "address"])

    traits = Traits.of(text)
    finders: list[tuple[str, Finder]] = [*KINDS, *(ORDERS if orders else ())]
    finders += [
        ("name", finder)
        for finder in (names_above, *people.GREETED, *people.INTRODUCED, people.given(names, text, traits))
    ]
    for kind, finder in finders:
        for start, end in finder(text) if may(finder, traits) else ():
            if covered.find(1, start, end) < 0:
                covered[start:end] = b"\1" * (end - start)
                spans.append((start, end, kind))
    return spans, covered
