"""A source as this customer should read it: what is for others, foreign links and pictures cut, and every character's place kept."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from urllib.parse import SplitResult, urlsplit

from copilot.pointers import ASIDE, ASIDE_REACH, THERE, TURNS
from copilot.scripts import COLONS, LETTERED, LETTERS, MARKED
from copilot.text import sentences
from copilot.variants import Known, parts

OURS = -1
LINK = re.compile(
    rf"[(<\[]?(?<![a-z0-9_])https?://[^\s<>\"')\]、。，；：！？（）【】「」『』《》{LETTERS}]{{1,2000}}[)>\]]?/?", re.I
)
"""It ends where words begin that no space parts from it."""
PICTURE = re.compile(r"!\[[^\]\n]{0,300}\](?:\([^)\n]{0,500}\))?|<[a-z/!][^>\n]{0,500}>", re.I)
ANCHOR = re.compile(r" ?\{#[\w.:-]{1,80}\}")
ADDRESSED = re.compile(
    r"(?:^|(?<=\n))(?i:hi|hello|hey|dear) (?:\[name-\d{1,6}\][,!.]?|[A-Z][\w-]{1,30}[,!.]) ?|,? ?\[name-\d{1,6}\](?=[,.!?])"
)
CELL, CELLS = re.compile(r"\| "), re.compile(r" \| ")
SHARED = frozenset(
    "atlassian.net crisp.help custhelp.com desk.com document360.io elevio.help freshdesk.com freshservice.com github.com gitlab.com "
    "gorgias.help happyfox.com helpdocs.io helpjuice.com helpscoutdocs.com intercom.help kayako.com livehelpnow.net notion.so readme.io "
    "sharepoint.com statuspage.io tawk.help uservoice.com web.com wordpress.com zammad.com zendesk.com zohodesk.com".split()
)
"""Providers under whose name many companies have their pages, as far as the list of public suffixes does not name them."""
MANY_COLUMNS = 2
"""Bars in a table's head from which on each cell is read with its column's name."""
ITEM = re.compile(rf"{MARKED}|\d{{1,3}}[、．](?!\d)")
NUMBERED = re.compile(rf"(\d{{1,3}})(?:[.)] |[、．](?!\d))|{LETTERED} ")
SPECIAL = re.compile(r"\||(?<= )[ ,.;:!?)]")
"""Letters that may be read otherwise than they are, wherever they stand."""
WORD_END = re.compile(r"[\w.!?:;]")
NO_SPACE_BEFORE = frozenset(",.;:!?)")


@dataclass(frozen=True, slots=True)
class Reading:
    """A text to be shown and, for each of its characters, the place in the source that it comes from, or OURS."""

    text: str
    at: tuple[int, ...]

    def pieces(self, start: int, end: int) -> tuple[tuple[int, int], ...]:
        """The stretches of the source that the text between these is put together from; white space and bare punctuation need none."""
        runs: list[list[int]] = []
        for place in range(start, end):
            here = self.at[place]
            if here != OURS and runs and here == runs[-1][1]:
                runs[-1][1] = here + 1
            elif here != OURS:
                runs.append([here, here + 1])
        return tuple((a, b) for a, b in runs)


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or a list: its statements' spans in the reading, and where it stands in the source."""

    spans: tuple[tuple[int, int], ...]
    start: int
    end: int
    listed: bool
    leads_on: bool
    """It ends in a colon: what it announces follows."""


def hosts(urls: Collection[str | None]) -> frozenset[str]:
    """The hosts of these addresses and their siblings: the company's own, to which a reply may send a customer."""
    return frozenset(_domain(url) for url in urls if url and _host(url))


def is_own(url: str, own: Collection[str]) -> bool:
    """Whether the address is on one of the company's hosts."""
    host = _host(url)
    return _domain(url) in own or any(host == domain or host.endswith(f".{domain}") for domain in own)


def _domain(url: str) -> str:
    """`help.company.example` is of `company.example`; nobody else is of `company.zendesk.com`, nor of `intercom.help/company`."""
    host = _host(url)
    if _is_shared(host):
        return f"{host}/{_split(url).path.strip('/').partition('/')[0].rstrip('.,;:!?').lower()}"
    parent = host.partition(".")[2]
    return host if "." not in parent or host[-1].isdigit() or _is_shared(parent) else parent


@lru_cache(10_000)
def _is_shared(domain: str) -> bool:
    """Whether its hosts and pages are of different companies."""
    from tld import is_tld  # only who meets a link waits for the list of public suffixes

    return domain in SHARED or is_tld(domain)


def _host(url: str) -> str:
    return (_split(url).hostname or "").rstrip(".,;:!?*_")  # what ends the clause or the bold words around it


def _split(url: str) -> SplitResult:
    """As a browser reads the address, to which a backslash is a slash."""
    try:
        return urlsplit(url.strip("()<>[]").replace("\\", "/"))
    except ValueError:
        return urlsplit("")


def read(
    text: str, start: int, end: int, known: Known, own: Collection[str], within: Sequence[str] = (), open_ended: Collection[int] = ()
) -> Reading:  # fmt: skip
    """The stretch as one customer should read it; links lead to the company's `own` hosts only.

    `within`: marks of variants around its begin; `open_ended`: places of those in it that end behind it.
    """
    cut = bytearray(len(text))
    for span in _unwanted(text, start, end, own):
        cut[span[0] : span[1]] = b"\1" * (span[1] - span[0])
    shown: list[str] = []
    at: list[int] = []
    for part in parts(text, start, end, known, within, open_ended):
        label = part.label.lstrip(" ") if shown[-1:] == [" "] else part.label
        shown += label
        at += [OURS] * len(label)
        place = part.start
        while place < part.end:
            if cut[place]:
                place = _until(cut.find(b"\0", place, part.end), part.end)
                continue
            _letter(text, place, shown, at)
            if text[place] == "|":
                place += 1
                continue
            found = SPECIAL.search(text, place + 1, part.end)
            stop = found.start() if found else part.end
            stop = _until(cut.find(b"\1", place + 1, stop), stop)
            shown += text[place + 1 : stop]
            at += range(place + 1, stop)
            place = stop
    return Reading("".join(shown), tuple(at))


def _until(found: int, end: int) -> int:
    return end if found < 0 else found


def _letter(text: str, place: int, shown: list[str], at: list[int]) -> None:
    """Put one letter of the source behind what is shown: a table's bars as words, one space for two, none before a comma after a cut."""
    letter = text[place]
    if letter == "|" and (text[place + 1 : place + 2] in ("", "\n") or shown[-1:] == [":"]):
        return
    if letter == "|" and CELL.match(text, place):
        lead, head = _between_cells(text, place, "".join(shown).rpartition("\n")[2])
        while shown[-1:] == [" "]:
            shown.pop()
            at.pop()
        shown += (*lead, *text[head.start : head.stop], *": ") if head else lead
        at += (*(OURS for _ in lead), *head, OURS, OURS) if head else (OURS,)
        return
    if letter == " " and shown[-1:] == [" "]:
        return
    if letter in NO_SPACE_BEFORE and len(shown) > 1 and shown[-1] == " " and _cut_before(text, at[-1], place):
        shown.pop()
        at.pop()
    if letter.isalnum() and shown and WORD_END.match(shown[-1]) and at[-1] not in (place - 1, OURS):
        shown.append(" ")  # a variant's mark stood between two words
        at.append(OURS)
    shown.append(letter)
    at.append(place)


def _between_cells(text: str, bar: int, before: str) -> tuple[str, range]:
    """What is read for the bar between two cells of a table, and where the head of the column behind it stands, if several columns have one."""
    begin = _line(text, bar)[0]
    top = begin
    while top and "|" in text[_line(text, top - 1)[0] : top]:
        top = _line(text, top - 1)[0]
    column = text.count("|", begin, bar + 1)
    bars = [i for i in range(*_line(text, top)) if text[i] == "|"]
    if top == begin or len(bars) < MANY_COLUMNS or column > len(bars):
        return (":" if ":" not in before else ";"), range(0)
    head = range(bars[column - 1] + 1, [*bars, _line(text, top)[1]][column])
    words = text[head.start : head.stop]
    head = range(head.start + len(words) - len(words.lstrip()), head.start + len(words.rstrip()))
    return ("; " if column > 1 else " – "), head


def _line(text: str, place: int) -> tuple[int, int]:
    end = text.find("\n", place)
    return text.rfind("\n", 0, place) + 1, len(text) if end < 0 else end


def _cut_before(text: str, space: int, place: int) -> bool:
    """Whether something was cut or put in around the space that stands before this place."""
    return space + 1 != place or text.endswith("] ", 0, place)


def _unwanted(text: str, start: int, end: int, own: Collection[str]) -> Iterator[tuple[int, int]]:
    for link in LINK.finditer(text, start, end):
        if not is_own(link.group(), own):
            yield link.span()
    for hit in THERE.finditer(text, start, end):
        begin = max(start, text.rfind("\n", start, hit.start()) + 1, hit.start() - ASIDE_REACH)
        for found in ASIDE.finditer(text, begin, min(end, hit.end() + ASIDE_REACH)):
            before = text[max(begin, text.rfind(". ", begin, found.start()) + 1) : found.start()]
            if found[0].lstrip().startswith("(") or not TURNS.search(before):
                yield found.span()
    for shape in (PICTURE, ANCHOR, ADDRESSED):
        for found in shape.finditer(text, start, end):
            yield found.span()


def blocks(reading: Reading) -> list[Block]:
    """Paragraphs and lists in order; a list goes on over blank lines, a heading is left out."""
    groups: list[list[tuple[int, int]]] = []
    heading = 0
    for span in sentences(reading.text):
        if reading.text.startswith("#", span[0]):
            heading = reading.text.find("\n", span[0])
            groups.append([])
        elif span[0] < heading:
            continue  # "## 1. Close the tap" is no sentence of its own
        elif groups and groups[-1] and _together(reading.text, groups[-1], span):
            groups[-1].append(span)
        else:
            groups.append([span])
    return [_block(reading, group) for group in groups if group]


def _together(text: str, group: Sequence[tuple[int, int]], span: tuple[int, int]) -> bool:
    gap = text[group[-1][1] : span[0]]
    listed = bool(ITEM.match(text, group[0][0]))
    if ITEM.match(text, span[0]):
        return listed and (gap.count("\n") < 2 or text[group[0][0]].isdigit() == text[span[0]].isdigit())
    return "\n" not in gap or (gap.count("\n") == 1 and (not listed or gap.endswith("  ")))


def _block(reading: Reading, spans: Sequence[tuple[int, int]]) -> Block:
    places = [place for a, b in spans for place in reading.at[a:b] if place != OURS]
    first, last = min(places, default=0), max(places, default=0) + 1
    words = reading.text[spans[-1][0] : spans[-1][1]]
    return Block(tuple(spans), first, last, bool(ITEM.match(reading.text, spans[0][0])), words.endswith(COLONS))


def whole(picked: Collection[int], among: Sequence[Block]) -> list[int]:
    """The picked blocks with what belongs to them: the list that a colon announces, and the line that announces a list."""
    wanted = set(picked)
    for before, after in pairwise(range(len(among))):
        if among[before].leads_on and (before in wanted or after in wanted):
            wanted |= {before, after}
    return sorted(wanted)
