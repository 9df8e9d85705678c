"""What of one source goes into a reply: whole steps and conditions in their order, each with the exact words that it is made of."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import dropwhile, pairwise

from copilot.clauses import content
from copilot.domain import Evidence
from copilot.facts import facts
from copilot.fit import USUAL, Telling
from copilot.kept import bare, label, told
from copilot.openings import BANS, CASE, HANGS, PROVIDES, REFERS, leads
from copilot.ports import Piece, Proposed
from copilot.reading import ANCHOR, CELLS, ITEM, NUMBERED, OURS, Block, Reading, read, whole
from copilot.sayable import WARNS, says
from copilot.scripts import COLONS, QUESTIONS, wide
from copilot.variants import MARK, Known

ENOUGH = 260
SHORT_SECTION = 750
HEADING_CHARS = 80
FOUND = 0.15
"""What it counts, in shares of the message, that a block was found by its meaning. Set by hand."""
LATER = 0.02
"""What counts against each block or sentence that comes before: the first ones say the main thing."""
JOINT, WIDE_JOINT, STOP, WIDE_STOP = "; ", "；", ". ", "。"
STOPS = ".;,。；，、"
HEAD_ENDS = ":.：。"
LABEL, NAMED, MOST_NAMED = 60, 0.5, 2
"""An item's label is at most so long, and named where the message has this share of its words; of more items than that the list is told whole."""
INNER = "   "
"""What stands before an item of a list inside a list."""
CAPITAL = re.compile(r"(?<!\w)[B-HJ-Z](?!\w)")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many statements and characters a body may have."""

    statements: int
    characters: int
    tight: bool = False
    """Whether a list must be told in one sentence."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an excerpt is made for: the message, what is known of the customer, the company's hosts; the words, and each sentence's figures, said."""

    telling: Telling
    known: Known
    own: frozenset[str]
    said: frozenset[str] = frozenset()
    figures: tuple[frozenset[str], ...] = ()

    def after(self, lines: Sequence[Proposed]) -> Wanted:
        """The same once these lines are said."""
        said = content(" ".join(line.text for line in lines))
        return replace(self, said=frozenset(said), figures=tuple(_figures(line.text) for line in lines))

    def told(self, words: str) -> bool:
        """Whether the words say nothing new: all stand in what is said, and their figures together in one sentence of it."""
        figures = _figures(words)
        return content(words) <= self.said and (not figures or any(figures <= one for one in self.figures))


@dataclass(frozen=True, slots=True)
class Opened:
    """A source as this customer should read it, and what of it may be told."""

    source: Evidence
    number: int
    reading: Reading
    among: Sequence[Block]

    @classmethod
    def of(cls, source: Evidence, number: int, wanted: Wanted) -> Opened:
        """Source `number`, read."""
        reading = read(source.text, 0, len(source.text), wanted.known, wanted.own, source.within, source.cut)
        return cls(source, number, reading, list(told(source, reading, wanted.telling, wanted.known)))


def excerpt(opened: Opened, wanted: Wanted, room: Bounds) -> list[Proposed]:
    """The statements of a source that fit the room, the heading in front where they hang in the air without it."""
    source, number, reading, among = opened.source, opened.number, opened.reading, opened.among
    picked = _picked(source, reading, among, wanted, room)
    head = _heading(source, reading, picked)
    lines = (
        [Proposed(text=head.rstrip(HEAD_ENDS), evidence=(number,), pieces=(_head_piece(number, source, head),))]
        if head
        else []
    )
    spans = [span for block in picked for span in block.spans]
    if source.kind == "ticket":
        spans = list(dropwhile(lambda span: bool(HANGS.match(reading.text[slice(*span)])), spans))
    folds = room.tight and sum(bool(ITEM.match(reading.text, a)) for a, _ in spans) > 1
    groups = _folded(reading, spans) if folds else [(span,) for span in spans]
    groups = _with_bans(reading, groups) if room.tight else groups
    labels = {block.spans[-1] for block in picked if block.leads_on and label(reading.text[slice(*block.spans[-1])])}
    body = list(_body(source, number, reading, groups, labels, wanted, room))
    while body and body[-1].text.endswith((*COLONS, *QUESTIONS)):
        body.pop()  # what it announces found no room
    if head and body:
        body[0] = replace(body[0], lead="\n" if head.endswith(QUESTIONS) else "：\n" if wide(head) else ":\n")
    return [*lines, *body] if body else []


Group = tuple[tuple[int, int], ...]
"""Spans that make one statement: a sentence, or the steps of a list told in one."""


def _folded(reading: Reading, spans: Sequence[tuple[int, int]]) -> list[Group]:
    """A list's items as one statement, each by its first sentence, and the next one where that only asks or announces or says in which case."""
    groups: list[Group] = []
    inside = False
    for span in spans:
        item = bool(ITEM.match(reading.text, span[0]))
        same = inside and "\n" not in reading.text[groups[-1][-1][1] : span[0]]
        announced = same and (
            reading.text[groups[-1][-1][1] - 1] in (*COLONS, *QUESTIONS)
            or _for_some(reading, span)
            or bool(PROVIDES.match(reading.text, span[0]))
        )
        if inside and (item or announced):
            groups[-1] = (*groups[-1], span)
        elif not same:
            groups.append((span,))
        inside = item or (inside and same)
    return groups


def _with_bans(reading: Reading, groups: Sequence[Group]) -> list[Group]:
    """Where there is little room, what must not be done is said with the sentence before it, and not left out behind it."""
    made: list[Group] = []
    for group in groups:
        joined = made and "\n" not in reading.text[made[-1][-1][1] : group[0][0]]
        if joined and BANS.match(reading.text, group[0][0]):
            made[-1] = (*made[-1], *group)
        else:
            made.append(group)
    return made


def _for_some(reading: Reading, span: tuple[int, int]) -> bool:
    """Whether the sentence names the platforms or plans that it is for: told without its sisters, it would be for everybody."""
    return any(reading.at[i] == OURS and reading.text[i].isalpha() for i in range(*span))


def _body(
    source: Evidence,
    number: int,
    reading: Reading,
    groups: Sequence[Group],
    labels: Collection[tuple[int, int]],
    wanted: Wanted,
    room: Bounds,
) -> Iterator[Proposed]:
    left, used, end, listing, before = room.characters, 0, 0, False, (0, 0)
    outermost = min((_indent(reading, group[0][0]) for group in groups), default=0)
    for group in groups:
        group = _within(group, left) if used or len(group) > 1 else group
        if used >= room.statements or not group:
            return
        listed = ITEM.match(reading.text, group[0][0]) is not None
        said = _unmarked(reading, group) if room.tight else group
        words = _joined([reading.text[slice(*span)] for span in said])
        if wanted.said and not listed and wanted.told(words):
            continue  # a list stays whole
        ends = [a + len(reading.text[a:b].rstrip(STOPS)) for a, b in said[:-1]] + [said[-1][1]]
        pieces = tuple(
            Piece(evidence=number, start=x, end=y)
            for (a, _), b in zip(said, ends, strict=True)
            for x, y in _trimmed(source.text, reading.pieces(a, b))
        )
        lead = _between(reading.text[end : group[0][0]]) if used else ""
        if listed and lead.endswith("\n") and _indent(reading, group[0][0]) > outermost:
            lead += INNER
        if lead == "\n\n" and not listing and before in labels:
            lead = ":\n"
        listing = listed or (listing and lead == "\n")
        lead += "" if listing or lead != "\n" else _spaces_before(source.text, reading.at[group[0][0]])
        yield Proposed(text=words, evidence=(number,), lead=lead, pieces=pieces)
        left, used, end, before = left - len(words), used + 1, group[-1][1], group[-1]


def _figures(words: str) -> frozenset[str]:
    """Numbers, dates, addresses and single capital letters, which `content` has not all."""
    return frozenset((*facts(bare(words)), *CAPITAL.findall(words)))


def _joined(words: Sequence[str]) -> str:
    """In one sentence, what must not be done in one of its own; what asks or announces is followed by what it does."""
    leads = (one.rstrip(STOPS) + _joint(one, following) for one, following in pairwise(words))
    return "".join((*leads, words[-1]))


def _joint(words: str, following: str) -> str:
    """What stands between these words and the following ones."""
    if words.endswith((*COLONS, *QUESTIONS)):
        return "" if wide(words) else " "
    if BANS.match(following):
        return WIDE_STOP if wide(words) else STOP
    return WIDE_JOINT if wide(words) else JOINT


def _unmarked(reading: Reading, group: Group) -> Group:
    """The items without their bullets and numbers, which have no place inside a sentence."""
    marks = (ITEM.match(reading.text, a) for a, _ in group)
    return tuple((mark.end() if mark else a, b) for mark, (a, b) in zip(marks, group, strict=True))


def _within(group: Group, characters: int) -> Group:
    """As many of the spans as there is room for."""
    kept = list(group)
    while kept and sum(b - a + len(JOINT) for a, b in kept) > characters:
        kept.pop()
    return tuple(kept)


def _picked(source: Evidence, reading: Reading, among: Sequence[Block], wanted: Wanted, room: Bounds) -> list[Block]:
    """A short section whole; of a long one, or in little room, what answers, with the lists and lead-ins that belong to it."""
    size = [sum(b - a for a, b in block.spans) for block in among]
    short = source.kind == "ticket" or (sum(size) <= SHORT_SECTION and not room.tight)
    if not among or (short and sum(len(block.spans) for block in among) <= room.statements):
        return _without_tail(among)
    telling = _telling(source, reading, among, wanted)
    best = max(range(len(among)), key=lambda i: (telling[i], -i))
    if room.tight:
        return _tight(reading, among, best, wanted)
    picked = _whole_steps(reading, among, whole([best, *_matched(source, among)], among))
    if sum(len(among[i].spans) for i in picked) > room.statements or sum(size[i] for i in picked) > room.characters:
        picked = _whole_steps(reading, among, [i for i in whole([best], among) if i <= best + 1])
    following = picked[-1] + 1
    while following < len(among) and sum(size[i] for i in picked) < ENOUGH:
        picked = _whole_steps(reading, among, whole([*picked, following], among))
        following = max(following, picked[-1]) + 1
    return _without_tail([among[i] for i in picked])


def _whole_steps(reading: Reading, among: Sequence[Block], picked: Sequence[int]) -> list[int]:
    """With the steps before and behind those picked, and what stands between them; without those whose first step is not there."""
    numbers = [_numbers(reading, block) for block in among]
    wanted = set(picked)
    for i in picked:
        if numbers[i][:1] > [1]:
            begin = next((j for j in range(i - 1, -1, -1) if 1 in numbers[j]), None)
            wanted |= set(range(i if begin is None else begin, i))
            wanted -= {i} if begin is None else set()
    for i in range(len(among)):
        following = next((j for j in range(i + 1, len(among)) if numbers[j]), None)
        if i in wanted and numbers[i] and following and numbers[following][0] == numbers[i][-1] + 1:
            wanted |= set(range(i, following + 1))
    warnings = {i for i, block in enumerate(among) if i + 1 in wanted and WARNS.match(reading.text, block.spans[0][0])}
    return whole((wanted or set(picked)) | warnings, among)


def _numbers(reading: Reading, block: Block) -> list[int]:
    """The numbers of the block's steps."""
    found = (NUMBERED.match(reading.text, a) for a, _ in block.spans)
    return [int(one[1]) for one in found if one and one[1]]


def _matched(source: Evidence, among: Sequence[Block]) -> list[int]:
    """The blocks that the passage which was found stands in."""
    start, end = source.focus or (0, 0)
    return [i for i, block in enumerate(among) if block.start < end and block.end > start]


def _telling(source: Evidence, reading: Reading, among: Sequence[Block], wanted: Wanted) -> list[float]:
    """How well each block answers: what it shares with the message and with the best-answered thing asked, and whether it was found."""
    matched, made = set(_matched(source, among)), list[float]()
    for i, block in enumerate(among):
        words = content(" ".join(reading.text[slice(*span)] for span in block.spans))
        if not block.listed and CELLS.search(source.text, block.start, block.end):
            words |= content(source.text[block.start : block.end].partition("\n")[0])  # the names of its columns
        shared = _answers(words, wanted.telling) / (1 + math.log(1 + len(words) / USUAL))
        made.append(shared + FOUND * (i in matched) - LATER * i)
    return made


def _answers(words: Collection[str], telling: Telling) -> float:
    """What words share with the message and with the best-answered thing asked."""
    return telling.share(words) + max((telling.share(words, ask) for ask in telling.asks), default=0.0)


def _tight(reading: Reading, among: Sequence[Block], best: int, wanted: Wanted) -> list[Block]:
    """A list with the line that announces it, or the sentence of a paragraph that answers and what follows it."""
    if best and _provides(reading, among[best - 1], among[best]):
        best -= 1  # the list comes first
    block = among[best]
    if block.listed or block.leads_on:
        near = [i for i in whole([best], among) if best - 1 <= i <= best + 1]
        near += [i for i in (near[-1] + 1,) if i < len(among) and _provides(reading, among[near[-1]], among[i])]
        told = [_announcing(among[i]) for i in _whole_steps(reading, among, near)]
        return [_named(reading, one, wanted.telling) if one.listed else one for one in told]
    words = [reading.text[slice(*span)] for span in block.spans]
    share = [_answers(content(one), wanted.telling) - LATER * i for i, one in enumerate(words)]
    first = max(range(len(share)), key=lambda i: (share[i], -i))
    if not first and best and HANGS.match(words[0]) and not among[best - 1].listed:
        return [*_tight(reading, among[:best], best - 1, wanted), block]  # what it goes on from
    while first and (HANGS.match(words[first]) or leads(words[first - 1])):
        first -= 1
    return [replace(block, spans=block.spans[first:])]


def _provides(reading: Reading, before: Block, block: Block) -> bool:
    """Whether a paragraph behind a list says in which case the list does not hold or is not enough."""
    return before.listed and not block.listed and PROVIDES.match(reading.text, block.spans[0][0]) is not None


def _named(reading: Reading, block: Block, telling: Telling) -> Block:
    """Of a list whose items begin with what they are about, those that the message names; steps, and a list that it names nothing of, whole."""
    items = [i for i, (a, _) in enumerate(block.spans) if ITEM.match(reading.text, a)]
    ends = [*items[1:], len(block.spans)]
    heads = [content(_label(bare(reading.text[slice(*block.spans[i])]))) for i in items]
    kept = [at for at, head in zip(zip(items, ends, strict=True), heads, strict=True) if _names(telling, head)]
    if not kept or len(kept) > MOST_NAMED or NUMBERED.match(reading.text, block.spans[0][0]):
        return block
    return replace(block, spans=tuple(span for first, end in kept for span in block.spans[first:end]))


def _names(telling: Telling, head: Collection[str]) -> bool:
    """Whether the message says enough of a label, or its number."""
    said = [word for word in head if word in telling.weights]
    return len(said) >= NAMED * max(1, len(head)) or any(word.isdigit() for word in said)


def _label(item: str) -> str:
    """What an item says it is about, before its colon; nothing where it has none."""
    head, colon, _ = item.partition(": ")
    return head if colon and len(head) <= LABEL else ""


def _announcing(block: Block) -> Block:
    """Of a paragraph that leads on to a list, the sentence that announces it."""
    return replace(block, spans=block.spans[-1:]) if block.leads_on and not block.listed else block


def _without_tail(picked: Sequence[Block]) -> list[Block]:
    """Without a last line that announces what does not follow."""
    kept = list(picked)
    while kept and kept[-1].leads_on:
        kept.pop()
    return kept


def _heading(source: Evidence, reading: Reading, picked: Sequence[Block]) -> str:
    """The section's heading where its first sentence hangs in the air without it, or where it says for which case the section is."""
    line = source.text.partition("\n")[0]
    if not line.startswith("#") or not picked:
        return ""
    head = bare(ANCHOR.sub("", line).lstrip("# ").strip())
    if head not in line or MARK.search(head):
        return ""  # it is put together from pieces, or for some only
    first = reading.text[slice(*picked[0].spans[0])]
    needed = (
        CASE.search(head)
        or HANGS.match(first)
        or REFERS.match(first)
        or picked[0].listed
        or CELLS.search(source.text, picked[0].start, picked[0].end)
    )
    return head if needed and says(source, head) and len(head) <= HEADING_CHARS else ""


def _head_piece(number: int, source: Evidence, head: str) -> Piece:
    words = head.rstrip(HEAD_ENDS)
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


def _spaces_before(text: str, place: int) -> str:
    """The spaces that a line of code begins with."""
    before = text[text.rfind("\n", 0, place) + 1 : place] if place != OURS else ""
    return "" if before.strip() else before


def _indent(reading: Reading, start: int) -> int:
    """How far a statement stands from the beginning of its line, if nothing but spaces is before it."""
    before = reading.text[reading.text.rfind("\n", 0, start) + 1 : start]
    return 0 if before.strip() else len(before)


def _between(gap: str) -> str:
    """Paragraphs stay paragraphs, lines lines, and sentences follow one another."""
    return "\n\n" if gap.count("\n") > 1 else "\n" if "\n" in gap else " "
