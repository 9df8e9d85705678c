"""Texts to chunks: passages of about the aimed-at size that keep to their section, cut where a reader would cut."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from copilot.domain import Chunk
from copilot.text import sentences
from ingest.plain import HEADING

Count = Callable[[str], int]

# An embedder counts a long string of letters as one unknown word: a token is never taken for more characters than this.
_CHARS_A_TOKEN = 16
_USUAL_CHARS_A_TOKEN = 4
_BETWEEN = re.compile(r"\n[^\S\n]*\n\s*|\n(?= {0,40}(?:- |\d{1,9}\. ))")  # paragraphs, list items


def split(text: str, title: str, *, count: Count, target: int, window: int) -> tuple[Chunk, ...]:
    """The chunks of an article in order: every word outside heading lines in exactly one, each within the window."""
    return tuple(
        chunk
        for headings, start, end in _sections(text)
        for chunk in _Splitter(text, title, headings, count, target, window).chunks(start, end)
    )


def split_ticket(
    text: str, title: str, answer_start: int, *, count: Count, target: int, window: int
) -> tuple[tuple[Chunk, ...], tuple[Chunk, ...]]:
    """The chunks of a ticket's problem and those of its resolution; without an answer all is problem."""
    splitter = _Splitter(text, title, (), count, target, window)
    border = answer_start or len(text)
    return tuple(splitter.chunks(0, border)), tuple(splitter.chunks(border, len(text)))


def embedded(title: str, headings: tuple[str, ...], words: str, *, count: Count, window: int) -> str:
    """What the model reads of a chunk: its words under the title and headings above them."""
    return _under(_head(title, headings, count, window), words)


def _sections(text: str) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """What stands under each heading, with the path of headings above it."""
    path: list[tuple[int, str]] = []
    start = 0
    for heading in HEADING.finditer(text):
        yield tuple(name for _, name in path), start, heading.start()
        level = len(heading[1])
        path = [*((above, name) for above, name in path if above < level), (level, heading[2].strip())]
        start = heading.end()
    yield tuple(name for _, name in path), start, len(text)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of text that is cut no further, and what it takes of a chunk's room."""

    start: int
    end: int
    cost: int


class _Splitter:
    """Cuts one section. `count` is called a few times for each piece, never for what was counted already."""

    def __init__(
        self, text: str, title: str, headings: tuple[str, ...], count: Count, target: int, window: int
    ) -> None:
        self._text, self._headings, self._count, self._window = text, headings, count, window
        self._head = _head(title, headings, count, window)
        self._base = count("")  # what a text costs besides its words
        above = count(self._head)
        self._room = max(1, min(target, window - above))
        self._surely = window * 3 // 4 - above

    def chunks(self, start: int, end: int) -> Iterator[Chunk]:
        """The chunks of this stretch of the text."""
        pieces = (piece for a, b in self._units(start, end) for piece in self._pieces(a, b))
        for together in self._packed(self._with_intros(pieces)):
            yield from self._fitting(together)

    def _units(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Paragraphs, tables and list items."""
        for between in _BETWEEN.finditer(self._text, start, end):
            yield from self._stripped(start, between.start())
            start = between.end()
        yield from self._stripped(start, end)

    def _pieces(self, start: int, end: int) -> Iterator[_Piece]:
        """A unit whole where a chunk has room for it, else cut into pieces for which one has."""
        size = end - start
        cost = self._cost(start, end) if size <= self._room * _CHARS_A_TOKEN else size
        if cost <= self._room or size == 1:
            yield _Piece(start, end, cost)
            return
        step = min(self._room * _USUAL_CHARS_A_TOKEN, (size + 1) // 2)
        while start < end:
            stop = self._cut(start, end, step)
            for a, b in self._stripped(start, stop):
                yield from self._pieces(a, b)
            start = stop

    def _cost(self, start: int, end: int) -> int:
        return max(1, self._count(self._text[start:end]) - self._base, (end - start) // _CHARS_A_TOKEN)

    def _cut(self, start: int, end: int, size: int) -> int:
        """Where to end a piece of at most this size: after a sentence, else at a space, else anywhere."""
        if end - start <= size:
            return end
        window = self._text[start : start + size]
        begun = [begin for begin, _ in sentences(window)]
        at = begun[-1] if begun else 0  # the last one may go on beyond the window
        if at < size // 4:
            at = max(window.rfind(" "), window.rfind("\n")) + 1
        return start + (at or size)

    def _stripped(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The stretch without white space around it; nothing where nothing else is in it."""
        words = self._text[start:end]
        if left := words.lstrip():
            yield end - len(left), start + len(words.rstrip())

    def _with_intros(self, pieces: Iterable[_Piece]) -> Iterator[_Piece]:
        """`To do so:` is one piece with the first item after it."""
        intro: _Piece | None = None
        for piece in pieces:
            if intro and intro.cost + piece.cost <= self._room:
                piece = _Piece(intro.start, piece.end, intro.cost + piece.cost)
            elif intro:
                yield intro
            intro = piece if self._text[piece.end - 1] in ":：" else None
            if intro is None:
                yield piece
        if intro:
            yield intro

    def _packed(self, pieces: Iterable[_Piece]) -> Iterator[_Piece]:
        """As many pieces in a row as there is room for, as one."""
        held: list[_Piece] = []
        cost = 0
        for piece in pieces:
            if held and cost + piece.cost > self._room:
                yield _Piece(held[0].start, held[-1].end, cost)
                held, cost = [], 0
            held.append(piece)
            cost += piece.cost
        if held:
            yield _Piece(held[0].start, held[-1].end, cost)

    def _fitting(self, piece: _Piece) -> Iterator[Chunk]:
        """The chunk; halved where the pieces together take more of the window than they did alone, which is counted where it may be."""
        start, end = piece.start, piece.end
        words = self._text[start:end]
        read = _under(self._head, words)
        if piece.cost <= self._surely or end - start == 1 or self._count(read) <= self._window:
            yield Chunk(start=start, end=end, text=words, headings=self._headings, embedded=read)
            return
        middle = self._cut(start, end, (end - start + 1) // 2)
        for half in (start, middle), (middle, end):
            for a, b in self._stripped(*half):
                yield from self._fitting(_Piece(a, b, self._window))


def _head(title: str, headings: tuple[str, ...], count: Count, window: int) -> str:
    """`Title > Heading > Heading:`, its names shortened until it leaves the chunk half of the window."""
    names = [name for name in (title, *headings) if name]
    for longest in (1000, 200, 100, 50, 25, 12):
        head = " > ".join(name if len(name) <= longest else name[: longest - 1] + "…" for name in names)
        if count(head) < window // 2:
            break
    return f"{head}:" if head else ""


def _under(head: str, words: str) -> str:
    return f"{head}\n{words}" if head else words
