"""What of one source goes into a reply: whole steps and conditions in their order, each with the exact words that it is made of."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import dropwhile

from copilot.domain import Evidence
from copilot.ground import content
from copilot.ports import Piece, Proposed
from copilot.reading import CELLS, ITEM, OURS, Block, Reading, blocks, read, whole
from copilot.sayable import CUT_OFF, says
from copilot.variants import Known

ENOUGH = 260
SHORT_SECTION = 750
HEADING_CHARS = 80
ROWS = 3
REACH = 12
HANGS = re.compile(
    r"^(?:[-*•] |\d{1,3}[.)] )?"
    r"(?:this|that|these|those|it|they|then|also|instead|alternatively|otherwise|"
    r"however|but|and|so|if so|if not|in that case|such|yes|no|here|both)\b",
    re.I,
)
CASE = re.compile(
    r"^(?:if|when|where|after|before|unless|in case|only|still|no |not |my |i |what if|wenn|falls)\b|\?$", re.I
)


@dataclass(frozen=True, slots=True)
class Room:
    """How many statements and characters a body may have."""

    statements: int
    characters: int


@dataclass(frozen=True, slots=True)
class Telling:
    """How much each word of the message tells: the fewer sources have it, the more; words that none has tell nothing."""

    weights: dict[str, float]
    words: tuple[frozenset[str], ...] = ()
    """The content words of each source, title included."""

    @classmethod
    def of(cls, message: str, evidence: Sequence[Evidence]) -> Telling:
        """Weighed over the sources at hand."""
        among = [content(f"{one.title} {one.text}") for one in evidence]
        seen = Counter(word for words in among for word in words)
        weights = {word: math.log(1 + len(among) / seen[word]) for word in content(message) if word in seen}
        return cls(weights, tuple(map(frozenset, among)))

    def share(self, words: Collection[str]) -> float:
        """The share of the message, by weight, that these words hold."""
        whole = sum(self.weights.values())
        return sum(weight for word, weight in self.weights.items() if word in words) / whole if whole else 0.0

    def without(self, words: Collection[str]) -> Telling:
        """What is left to be said once these words are."""
        return replace(self, weights={word: weight for word, weight in self.weights.items() if word not in words})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an excerpt is made for: the message, what is known of the customer, the company's hosts, and the words already said."""

    telling: Telling
    known: Known
    own: frozenset[str]
    said: frozenset[str] = frozenset()


def excerpt(source: Evidence, number: int, wanted: Wanted, room: Room) -> list[Proposed]:
    """The statements of source `number` that fit the room, the heading in front where they hang in the air without it."""
    reading = read(source.text, 0, len(source.text), wanted.known, wanted.own)
    among = [
        kept for block in _after_summary(source, blocks(reading)) if (kept := _kept(source, reading, block, wanted))
    ]
    picked = _fitting(_picked(source, among), reading, among, wanted, room)
    head = _heading(source, reading, [among[i] for i in picked])
    lines = (
        [Proposed(text=head.rstrip(":."), evidence=(number,), pieces=(_head_piece(number, source, head),))]
        if head
        else []
    )
    spans = [span for i in picked for span in among[i].spans]
    if source.kind == "ticket":
        spans = list(dropwhile(lambda span: bool(HANGS.match(reading.text[slice(*span)])), spans))
    body = list(_body(source, number, reading, spans, wanted, room))
    while body and body[-1].text.endswith(":"):
        body.pop()  # what it announces found no room
    if head and body:
        body[0] = replace(body[0], lead="\n" if head.endswith("?") else ":\n")
    return [*lines, *body] if body else []


def _body(
    source: Evidence, number: int, reading: Reading, spans: Sequence[tuple[int, int]], wanted: Wanted, room: Room
) -> Iterator[Proposed]:
    left, used, end = room.characters, 0, 0
    for a, b in spans:
        words = reading.text[a:b]
        if used >= room.statements or (used and len(words) > left):
            return
        if wanted.said and content(words) <= wanted.said:
            continue
        pieces = tuple(Piece(evidence=number, start=x, end=y) for x, y in _trimmed(source.text, reading.pieces(a, b)))
        yield Proposed(
            text=words, evidence=(number,), lead=_between(reading.text[end:a]) if used else "", pieces=pieces
        )
        left, used, end = left - len(words), used + 1, b


def _after_summary(source: Evidence, among: list[Block]) -> list[Block]:
    """An article begins with its summary, which says what it is about and not what to do."""
    summary = source.kind == "article" and not source.start and len(among) > 1 and len(among[0].spans) == 1
    return among[1:] if summary and not source.text.startswith("#") else among


def _kept(source: Evidence, reading: Reading, block: Block, wanted: Wanted) -> Block | None:
    """The block without what cannot be said; of a table the rows that the message is about."""
    spans = [
        span
        for span in block.spans
        if says(source, _bare(reading.text[slice(*span)])) and not _maimed(source, reading, *span)
    ]
    if CELLS.search(source.text, block.start, block.end):
        spans = _rows(reading, spans[1:] if block.spans[0] in spans else spans, wanted.telling)
    if not spans:
        return None
    return replace(block, spans=tuple(spans), leads_on=reading.text[slice(*spans[-1])].endswith(":"))


def _maimed(source: Evidence, reading: Reading, start: int, end: int) -> bool:
    """Whether the sentence ended in a link that was taken out, and points at nothing now."""
    places = [place for place in reading.at[start:end] if place != OURS]
    if not places or not CUT_OFF.search(reading.text[start:end]):
        return False
    return "http" in source.text[places[0] : places[-1] + REACH]


def _rows(reading: Reading, spans: Sequence[tuple[int, int]], telling: Telling) -> list[tuple[int, int]]:
    share = {span: telling.share(content(reading.text[slice(*span)])) for span in spans}
    best = max(share.values(), default=0.0)
    return [span for span in spans if share[span] > 0.6 * best][:ROWS] if best else []


def _bare(words: str) -> str:
    found = ITEM.match(words)
    return words[found.end() :] if found else words


def _picked(source: Evidence, among: Sequence[Block]) -> list[int]:
    """A short section whole; of a long one what matched, with the lists and lead-ins that belong to it, and more until it is enough."""
    size = [sum(b - a for a, b in block.spans) for block in among]
    if source.focus is None or sum(size) <= SHORT_SECTION or source.kind == "ticket":
        return _without_tail(range(len(among)), among)
    start, end = source.focus
    picked = whole([i for i, block in enumerate(among) if block.start < end and block.end > start], among)
    following = (picked[-1] + 1) if picked else 0
    while following < len(among) and sum(size[i] for i in picked) < ENOUGH:
        picked = whole([*picked, following], among)
        following = picked[-1] + 1
    return _without_tail(picked, among)


def _fitting(picked: list[int], reading: Reading, among: Sequence[Block], wanted: Wanted, room: Room) -> list[int]:
    """From the block that tells most, where there is no room for all."""
    if sum(len(among[i].spans) for i in picked) <= room.statements:
        return picked
    share = {
        i: wanted.telling.share(content(" ".join(reading.text[slice(*span)] for span in among[i].spans)))
        for i in picked
    }
    best = max(picked, key=lambda i: (share[i], -i), default=0)
    first = best - 1 if best - 1 in share and among[best - 1].leads_on else best
    return [i for i in picked if i >= first]


def _without_tail(picked: Collection[int], among: Sequence[Block]) -> list[int]:
    """Without a last line that announces what does not follow."""
    kept = list(picked)
    while kept and among[kept[-1]].leads_on:
        kept.pop()
    return kept


def _heading(source: Evidence, reading: Reading, picked: Sequence[Block]) -> str:
    """The section's heading where its first sentence hangs in the air without it, or where it says for which case the section is."""
    line = source.text.partition("\n")[0]
    if not line.startswith("#") or not picked:
        return ""
    head = line.lstrip("# ").strip()
    first = reading.text[slice(*picked[0].spans[0])]
    needed = (
        CASE.search(head)
        or HANGS.match(first)
        or picked[0].listed
        or CELLS.search(source.text, picked[0].start, picked[0].end)
    )
    return head if needed and says(source, head) and len(head) <= HEADING_CHARS else ""


def _head_piece(number: int, source: Evidence, head: str) -> Piece:
    words = head.rstrip(":.")
    at = source.text.index(words)
    return Piece(evidence=number, start=at, end=at + len(words))


def _trimmed(text: str, pieces: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The pieces without outer white space; those without a letter or digit are no evidence."""
    for start, end in pieces:
        words = text[start:end]
        start += len(words) - len(words.lstrip())
        words = words.strip()
        if any(letter.isalnum() for letter in words):
            yield start, start + len(words)


def _between(gap: str) -> str:
    """Paragraphs stay paragraphs, lines lines, and sentences follow one another."""
    return "\n\n" if gap.count("\n") > 1 else "\n" if "\n" in gap else " "
