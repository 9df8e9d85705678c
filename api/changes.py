"""What changed from one text to another: lines, and within changed lines the words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

CONTEXT = 3
MOST_LINES = 4_000
MOST_WORDS = 600
"""Beyond these a block is shown as replaced whole: matching takes time that grows with the square."""
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a line."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the old text, of the new one, or of both, with its number in each, counted from 1."""

    op: Literal["same", "removed", "added"]
    old: int | None
    new: int | None
    pieces: tuple[Piece, ...]


Block = tuple[Line, ...]


def changes(old: str, new: str) -> tuple[Block, ...]:
    """The changed places, each with a few lines around it; nothing where the texts are the same."""
    before, after = old.splitlines(), new.splitlines()
    return tuple(tuple(_lines(group, before, after)) for group in _groups(before, after))


Step = tuple[str, int, int, int, int]


def _groups(before: Sequence[str], after: Sequence[str]) -> list[list[Step]]:
    start = _shared(before, after)
    end = _shared(before[start:][::-1], after[start:][::-1])
    if before == after:
        return []
    if max(len(before), len(after)) - start - end <= MOST_LINES:
        return [
            list(group) for group in SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(CONTEXT)
        ]
    a, b, first = len(before) - end, len(after) - end, max(start - CONTEXT, 0)
    tail = min(end, CONTEXT)
    return [[
        ("equal", first, start, first, start), ("replace", start, a, start, b), ("equal", a, a + tail, b, b + tail),
    ]]  # fmt: skip


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines both begin with."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _lines(steps: list[Step], before: Sequence[str], after: Sequence[str]) -> Iterator[Line]:
    for op, a, b, c, d in steps:
        if op == "equal":
            for at in range(b - a):
                yield Line(
                    op="same", old=a + at + 1, new=c + at + 1, pieces=(Piece(text=before[a + at], changed=False),)
                )
            continue
        removed, added = _worded(before[a:b], after[c:d])
        yield from (Line(op="removed", old=a + at + 1, new=None, pieces=pieces) for at, pieces in enumerate(removed))
        yield from (Line(op="added", old=None, new=c + at + 1, pieces=pieces) for at, pieces in enumerate(added))


def _worded(before: Sequence[str], after: Sequence[str]) -> tuple[list[tuple[Piece, ...]], list[tuple[Piece, ...]]]:
    """Each line in pieces; where as many lines went as came, what changed within each is marked."""
    if len(before) != len(after):
        return [_whole(line) for line in before], [_whole(line) for line in after]
    pairs = [_within(old, new) for old, new in zip(before, after, strict=True)]
    return [old for old, _ in pairs], [new for _, new in pairs]


def _whole(line: str) -> tuple[Piece, ...]:
    return (Piece(text=line, changed=True),)


def _within(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    a, b = _WORD.findall(old), _WORD.findall(new)
    if max(len(a), len(b)) > MOST_WORDS:
        return _whole(old), _whole(new)
    left, right = list[Piece](), list[Piece]()
    for op, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        changed = op != "equal"
        left += [Piece(text="".join(a[i:j]), changed=changed)] if j > i else []
        right += [Piece(text="".join(b[k:m]), changed=changed)] if m > k else []
    return tuple(left), tuple(right)
