"""What of a source's paragraphs, lists and tables may stand in a reply: no pointers, no links' remains, of a table the rows that matter."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from copilot.clauses import content
from copilot.domain import Evidence
from copilot.facts import says_no
from copilot.fit import Telling
from copilot.pointers import ABOVE, LINKS, POINTER, elsewhere
from copilot.reading import CELLS, ITEM, NUMBERED, OURS, Block, Reading, blocks
from copilot.sayable import CUT_OFF, DOES, WARNS, brief, says
from copilot.scripts import COLONS, QUESTIONS, STOPS, count_words
from copilot.variants import PLATFORMS, Known

TITLE = 14
"""More words has no title of a page."""
ROWS = 3
REACH, CUT_REACH = 12, 40
FORBIDS = re.compile(r"(?:do not|don['’]t|never|no|not) ", re.I)
ADDRESS = re.compile(r"^\[name-\d{1,6}\],? |,? ?\[name-\d{1,6}\](?=[.!?]*$)")

LABEL = re.compile(r"(?=[^\W_a-z]|[a-z]{1,3}[A-Z])[\w \-–&+,'’()/]*[\w)]")
LABEL_CHARS, LABEL_WORDS = 60, 6
PLATFORM_HEAD = re.compile(r"([\w /]{2,50}?)(:|,| [–—-] )")
MOST_NAMED = 6
"""So many words has what names platforms, at most: `On Windows 11 or Linux`."""
THINGS = re.compile(r"\b(?:windows|pc|arch|mint|pixel)\b")
"""Without a capital they are no names of platforms: `Close all other windows`."""
EXCEPT = re.compile(r"\b(?:except|but|excluding|other than|außer|sauf|behalve|excepto|salvo)\b", re.I)
GOES_ON = re.compile(
    r"(?:then|next|after that|now|finally|dann|danach|jetzt|puis|ensuite|daarna|\w{3,20}en sie|\w{3,20}ez)\b", re.I
)
"""How a paragraph begins that tells what to do next, beside English verbs: `Klicken Sie`, `Cliquez`."""

Span = tuple[int, int]


def told(source: Evidence, reading: Reading, telling: Telling, known: Known) -> Iterator[Block]:
    """The blocks in order without what cannot be said or is for other platforms, and without a list of pages to go to."""
    announced = False
    opened = source.text.partition("\n")[0].endswith(QUESTIONS)  # a heading that asks
    among = blocks(reading)
    if source.kind == "article":
        among = _after_summary(source, reading, _labelled(reading, among))
        among = [_own_items(reading, block, known) for block in _own_blocks(reading, among, known)]
    for block, following in pairwise((*among, None)):
        if block is None or (announced and _titles(reading, block)):
            continue
        before_list = following is not None and following.listed and not block.listed
        last = bare(reading.text[slice(*block.spans[-1])])
        announced = before_list and bool(POINTER.search(last) or LINKS.search(last))
        links = announced and following is not None and _titles(reading, following)
        shown = replace(block, spans=block.spans[:-1], leads_on=False) if links else block
        if kept := _kept(source, reading, shown, telling, before_list and not links, opened):
            yield kept
        opened = last.endswith((*COLONS, *QUESTIONS))


def label(words: str) -> bool:
    """Whether a paragraph is but a few words that name what follows, as bold ones do: `macOS`, `For your accountant (DATEV)`."""
    return len(words) <= LABEL_CHARS and LABEL.fullmatch(words) is not None and count_words(words) <= LABEL_WORDS


def _labelled(reading: Reading, among: Sequence[Block]) -> list[Block]:
    """The blocks, those that are but a label bound to what follows."""
    return [
        replace(block, leads_on=True) if following and _names(reading, block, following) else block
        for block, following in pairwise((*among, None))
        if block
    ]


def _names(reading: Reading, block: Block, following: Block) -> bool:
    """Whether a block is a label of the one that follows: that is a list or whole sentences, and this one is no command; or it names platforms."""
    words = reading.text[slice(*block.spans[0])]
    if block.listed or len(block.spans) > 1 or not label(words) or DOES.match(words):
        return False
    return (
        following.listed
        or bool(_platforms(words))
        or reading.text[slice(*following.spans[-1])].endswith((*STOPS, *COLONS))
    )


def _own_blocks(reading: Reading, among: Sequence[Block], known: Known) -> Iterator[Block]:
    """Without what stands below the name of another platform, where one has the customer's."""
    heads = [_platforms(reading.text[slice(*block.spans[-1])]) if block.leads_on else frozenset() for block in among]
    last = max((i for i, named in enumerate(heads) if named), default=0)
    others = listing = False
    for i, (block, named) in enumerate(zip(among, heads, strict=True)):
        if block.leads_on and not block.listed:
            others, listing = bool(named) and not named & known.platforms, False
        elif not block.listed and (listing or (i > last + 1 and _for_all(reading, block))):
            others = False  # what stands below the list, or below all platforms, is for all
        listing = listing or (others and block.listed)
        if not (others and any(one & known.platforms for one in heads)):
            yield block


def _for_all(reading: Reading, block: Block) -> bool:
    """Whether a paragraph may close a page: it warns, forbids or tells something, and is no further thing to do."""
    words = reading.text[slice(*block.spans[0])]
    return bool(WARNS.match(words)) or says_no(words) or not (DOES.match(words) or GOES_ON.match(words))


def _own_items(reading: Reading, block: Block, known: Known) -> Block:
    """Without the items that begin with the name of another platform, where one begins with the customer's; steps stay."""
    named = {
        i: _begins_with(bare(reading.text[slice(*span)]))
        for i, span in enumerate(block.spans)
        if ITEM.match(reading.text, span[0])
    }
    if not any(one & known.platforms for one in named.values()):
        return block
    kept, others = list[Span](), False
    for i, span in enumerate(block.spans):
        if ITEM.match(reading.text, span[0]):
            others = not NUMBERED.match(reading.text, span[0]) and bool(named.get(i)) and not named[i] & known.platforms
        kept += [] if others else [span]
    return replace(block, spans=tuple(kept))


def _begins_with(words: str) -> frozenset[str]:
    """The platforms that an item names in front of what it says: `On a PC, Mac or Linux computer: …`, `On a Mac, drag it …`."""
    named, at = frozenset[str](), 0
    while (found := PLATFORM_HEAD.match(words, at)) and (platforms := _platforms(found[1])):
        named, at = named | platforms, found.end()
        if found[2] != ",":
            break
    return named


def _platforms(words: str) -> frozenset[str]:
    """The platforms that a few words name; none where there are more words, or such as `not` and `except`."""
    if count_words(words.strip(" :")) > MOST_NAMED or says_no(words) or EXCEPT.search(words):
        return frozenset()
    names = THINGS.sub("", words)
    return frozenset(name for name, shape in PLATFORMS.items() if shape.search(names))


def bare(words: str) -> str:
    """Without the mark of a list's item."""
    found = ITEM.match(words)
    return words[found.end() :] if found else words


def _after_summary(source: Evidence, reading: Reading, among: list[Block]) -> list[Block]:
    """An article begins with its summary, which says what it is about and not what to do."""
    head = reading.text[slice(*among[0].spans[-1])] if among else ""
    summary = (
        source.kind == "article"
        and not source.start
        and len(among) > 1
        and len(among[0].spans) == 1
        and not (among[0].leads_on and (head.endswith(COLONS) or _platforms(head)))
        and not WARNS.match(source.text)
        and not says_no(source.text[among[0].start : among[0].end])
    )
    return among[1:] if summary and not source.text.startswith("#") else among


def _titles(reading: Reading, block: Block) -> bool:
    """Whether a list's items are no steps and no sentences, as those of links are not."""
    items = [bare(reading.text[slice(*span)]) for span in block.spans]
    numbered = NUMBERED.match(reading.text, block.spans[0][0])
    return (
        block.listed
        and not numbered
        and all(
            count_words(item) <= TITLE
            and not item.endswith((*STOPS, *COLONS))
            and not (DOES.match(item) or FORBIDS.match(item))
            for item in items
        )
    )


def _kept(
    source: Evidence, reading: Reading, block: Block, telling: Telling, announces: bool, opened: bool
) -> Block | None:
    """The block without what cannot be said. What points down may announce a list; `opened` if the line before announces or asks."""
    words = {span: bare(reading.text[slice(*span)]) for span in block.spans}
    last = block.spans[-1] if announces else None
    leads_on = bool(last and elsewhere(words[last]) and not ABOVE.search(words[last]))
    spans = [
        span
        for at, span in enumerate(block.spans)
        if (says(source, words[span]) or _part(source, reading, block, at, opened))
        and not _theirs(source, reading, span)
        and not _maimed(source, reading, *span)
        and ((span == last and leads_on) or not _elsewhere(reading, span, words[span]))
    ]
    if spans and not block.listed and CELLS.search(source.text, block.start, block.end):
        heads = content(reading.text[slice(*block.spans[0])])
        spans = _rows(reading, [span for span in spans if span != block.spans[0]], telling, heads)
    if not spans:
        return None
    leads_on = reading.text[slice(*spans[-1])].endswith(COLONS) or (
        spans[-1] == block.spans[-1] and (leads_on or block.leads_on)
    )
    return replace(block, spans=tuple(spans), leads_on=leads_on)


def _part(source: Evidence, reading: Reading, block: Block, at: int, opened: bool) -> bool:
    """Whether it says something only where it stands: one word as an item, a step, what a colon announces, `Windows:`, a question's `No.`."""
    if source.kind == "ticket":
        return False
    span = block.spans[at]
    after_colon = opened if at == 0 else reading.text[slice(*block.spans[at - 1])].endswith((*COLONS, *QUESTIONS))
    numbered = bool(NUMBERED.match(reading.text, span[0]))
    item = numbered or bool(ITEM.match(reading.text, span[0]))
    announces = span == block.spans[-1] and block.leads_on
    return (item or after_colon or announces) and brief(bare(reading.text[slice(*span)]), numbered)


def _theirs(source: Evidence, reading: Reading, span: Span) -> bool:
    """Whether a name was cut from the middle of a solved ticket's sentence: it is about that customer, not addressed to them."""
    if source.kind != "ticket" or "[name-" not in source.text:
        return False
    places = [place for place in reading.at[slice(*span)] if place != OURS]
    return bool(places) and "[name-" in ADDRESS.sub("", source.text[places[0] : places[-1] + 1])


def _elsewhere(reading: Reading, span: Span, words: str) -> bool:
    """Whether the sentence sends the reader to another part of the page; a step does not go for that, since the list would have a hole."""
    if words.endswith(COLONS) or ITEM.match(reading.text, span[0]):
        return False
    return elsewhere(words) and not says_no(words)  # what must not be done is told all the same


def _maimed(source: Evidence, reading: Reading, start: int, end: int) -> bool:
    """Whether the sentence ended in a link that was taken out, and points at nothing now."""
    if "http" not in source.text or not CUT_OFF.search(reading.text[max(start, end - CUT_REACH) : end]):
        return False
    places = [place for place in reading.at[start:end] if place != OURS]
    return bool(places) and "http" in source.text[places[0] : places[-1] + REACH]


def _rows(reading: Reading, spans: Sequence[Span], telling: Telling, heads: Collection[str]) -> list[Span]:
    """The rows that the message says most of, the names of their columns left out; a short table whole where it names no row.

    A message may name only a column ("how long is the big one") or none, and a short table is told then as a short section is.
    """
    share = {span: telling.share(content(reading.text[slice(*span)]) - set(heads)) for span in spans}
    best = max(share.values(), default=0.0)
    named = any(telling.share(content(_row(reading, span)) - set(heads)) for span in spans)
    if len(spans) <= ROWS and not named:
        return list(spans)
    return [span for span in spans if share[span] > 0.6 * best][:ROWS] if best else []


def _row(reading: Reading, span: Span) -> str:
    """What a row is about: its first cell, up to what is read for the bar behind it."""
    bar = next((i for i in range(*span) if reading.at[i] == OURS), span[1])
    return reading.text[span[0] : bar]
