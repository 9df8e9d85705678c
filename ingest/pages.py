"""The pages of a PDF, and what runs along through them at their heads and feet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from statistics import median, multimode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypdf import PageObject

_EDGE = 4
"""So many lines at the top and at the bottom of a page may run along through the document."""
_FAR = 2.2
"""So many times the usual step from line to line parts what runs along from the text; a blank line is two."""
_OF = r"\W{1,3}(?:of|von|de|sur|di|van|/)\W{1,3}\d{1,4}"
_PAGE_NUMBER = re.compile(
    rf"\W*(?:(?:page|seite|pagina|página|pág|pag|p|s)\W{{1,3}}\d{{1,4}}(?:{_OF})?|\d{{1,4}}{_OF})\W*"
)
_CARRIED = re.compile(r"(?<![.!?:;])\n\n(?=[a-zäöüßéèà])")
_NUMBERED = "\0"


@dataclass(frozen=True, slots=True)
class Page:
    """A page's text and how high each of its lines stands; lines without words are not counted."""

    text: str
    heights: tuple[float, ...] = ()

    @classmethod
    def of(cls, page: PageObject) -> Page:
        """The page, read; without heights where its lines do not tell them."""
        pieces: list[tuple[str, float]] = []

        def met(words: str, place: Sequence[float], line: Sequence[float], *_: object) -> None:
            pieces.append((words, line[4] * place[1] + line[5] * place[3] + place[5]))

        text = page.extract_text(visitor_text=met)
        return cls(text, _heights(pieces) if "".join(words for words, _ in pieces) == text else ())

    @property
    def lines(self) -> list[str]:
        """Its lines that have words."""
        return [line for line in self.text.split("\n") if line.strip()]


def _heights(pieces: Iterable[tuple[str, float]]) -> tuple[float, ...]:
    heights: list[float] = []
    begun = False
    for words, height in pieces:
        for number, part in enumerate(words.split("\n")):
            begun = begun and not number
            if part.strip() and not begun:
                heights.append(height)
                begun = True
    return tuple(heights)


def without_running(pages: Sequence[Page]) -> list[str]:
    """The pages without their numbers; a line that heads many of them is on the first alone, one that foots them on the last."""
    lines = [page.lines for page in pages]
    keys = [[_key(line, at) for line in page] for at, page in enumerate(lines)]
    seen = Counter(key for page in keys for key in {*page[:_EDGE], *page[-_EDGE:]})
    running = frozenset(
        key
        for key, count in seen.items()
        if count >= max(3, (0.8 if key.endswith((".", "!", "?")) else 0.4) * len(pages))
    )
    most = max(2, median(map(len, lines)) // 6) if lines else 2
    steps = [round(abs(a - b)) for page in pages for a, b in pairwise(page.heights) if abs(a - b) > 1]
    step = min(multimode(steps), default=0)
    sheets = [_Sheet(page, tell.heights, running, most, step) for page, tell in zip(keys, pages, strict=True)]
    above: set[str] = set()
    below: set[str] = set()
    for sheet in sheets:
        sheet.drop(range(len(sheet.keys))[:_EDGE], above)
    for sheet in reversed(sheets):  # what is at the foot stays at the end
        sheet.drop(range(len(sheet.keys))[: -_EDGE - 1 : -1], below)
    return [
        "\n".join(line for number, line in enumerate(page) if number not in sheet.gone) if sheet.gone else whole.text
        for page, sheet, whole in zip(lines, sheets, pages, strict=True)
    ]


class _Sheet:
    """A page by its lines' keys, of which those that run along are dropped."""

    def __init__(
        self, keys: Sequence[str], heights: Sequence[float], running: frozenset[str], most: float, step: int
    ) -> None:
        self.keys, self.gone = keys, set[int]()
        self._heights = heights if len(heights) == len(keys) else ()
        self._running, self._most, self._step = running, most, step

    def drop(self, edge: Sequence[int], told: set[str]) -> None:
        """From the edge of the page on, as long as lines run along: those that were told, and numbers.

        More lines than `most` are what the page says, as on sheets that are filled in alike: of these only numbers go.
        """
        along = list(takewhile(lambda number: self.keys[number] in self._running, edge))
        outer = along[: self._outside(along)]
        content = sum(_NUMBERED not in self.keys[number] for number in outer) > self._most
        for number in along:
            key = self.keys[number]
            if _NUMBERED in key or (number in outer and key in told and not content):
                self.gone.add(number)
            if number in outer:
                told.add(key)

    def _outside(self, along: Sequence[int]) -> int:
        """How many of these lines stand apart from the text.

        On a short page the distance tells it; where all lines are as far from each other, only a page with a number has heads and feet.
        """
        if self._most > 2:
            return len(along)
        inward = -1 if along and along[0] else 1
        for count in range(len(along), 0, -1):
            if self._far(along[count - 1], along[count - 1] + inward):
                return count
        even = not any(self._far(line, line + 1) for line in range(len(self.keys)))
        numbered = any(_NUMBERED in key and key in self._running for key in self.keys)
        return len(along) if even and numbered else 0

    def _far(self, line: int, other: int) -> bool:
        there = 0 <= other < len(self._heights)
        return there and abs(self._heights[line] - self._heights[other]) > _FAR * self._step > 0


def _key(line: str, page: int) -> str:
    """What a line has in common with its like on other pages: the number at its beginning or end that goes with the page's is blanked."""
    said = " ".join(line.replace(_NUMBERED, "").split()).casefold()
    if _PAGE_NUMBER.fullmatch(said):
        return _NUMBERED
    number = re.match(r"\d{1,4}\b", said) or re.search(r"\b\d{1,4}\Z", said)
    rest = said.replace(number[0], "", 1) if number else said
    if number is None or 0 < len(rest.split()) < 3:  # "Step 3" heads its page by right
        return said
    return f"{rest.strip()}{_NUMBERED}{int(number[0]) - page}"


def joined(pages: Sequence[str]) -> str:
    """Page after page; a sentence that goes on over the edge stays in one paragraph."""
    return _CARRIED.sub("\n", "\n\n".join(page.strip("\n") for page in pages))
