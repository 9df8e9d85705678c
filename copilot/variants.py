"""Texts for several platforms, plans or versions at once, `[win,mac: …] [linux: …]`: what of them is for this customer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from copilot.scripts import COLONS, MARKED, STOPS, count_words

MARK = re.compile(r"\[(not )?([a-z][a-z0-9+]{1,15}(?:, ?[a-z][a-z0-9+]{1,15}){0,7}):[ \n]")
PLATFORMS = {
    "win": re.compile(r"\b(?:windows|win ?(?:xp|7|8|10|11)|pc)\b", re.I),
    "mac": re.compile(r"\b(?:mac|macs|macos|macbook|imac|os ?x|sonoma|sequoia|ventura)\b", re.I),
    "linux": re.compile(r"\b(?:linux|ubuntu|debian|fedora|mint|arch|opensuse|manjaro|kde|gnome)\b", re.I),
    "android": re.compile(r"\b(?:android|samsung|pixel)\b", re.I),
    "ios": re.compile(r"\b(?:ios|iphone|ipad|ipados)\b", re.I),
}
SPOKEN = {"win": "Windows", "mac": "Mac", "linux": "Linux", "android": "Android", "ios": "iPhone"}
VERSION = re.compile(
    r"(?:\b[Vv]|\b(?i:version|release|update) |\b(?!(?i:win|windows|android|ios|macos|ubuntu|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))"
    r"[A-Z][A-Za-z]{1,19} )(\d{2,3})(?=\.\d|\b)(?![:/%])"
)
VERSIONED = re.compile(r"([a-z]{1,10}?)(\d{1,4})")
_PLAN = (
    r"(?:plan|account|subscription|tier|membership|edition|licen[cs]e|package|abo|tarif|konto|abonnement|cuenta|compte)"
)
PLAN = re.compile(rf"\b([\w+]+)[ -]{_PLAN}\b|\b{_PLAN}(?: is|:)? \W?([\w+]+)|(?<=[a-z,] )(?-i:([A-Z][\w+]+))", re.I)
"""A word that may name somebody's plan: beside that word, or with a capital letter inside a sentence."""
REMARKS = frozenset(
    "note tip hint info warning important caution danger attention example error hinweis warnung achtung wichtig beispiel".split()
)
"""What stands before a colon in brackets and is nobody's plan."""
INLINE_WORDS = 12
DEEPEST = 4
BRACKET = re.compile(r"[\[\]]")
ENDS = re.compile(rf"\n(?=\n|[ ]*{MARKED}|[^\n]*[ ]\|[ ])|\Z")
"""Where a paragraph, an item or a row ends."""
BEGINS = re.compile(rf"\s*(?:#{{1,6}} [^\n]*\n\s*)*(?:{MARKED})?")


@dataclass(frozen=True, slots=True)
class Known:
    """What the conversation tells of platform, version and plan (`words` that may name one); empty where it tells nothing."""

    platforms: frozenset[str]
    versions: tuple[int, ...]
    words: frozenset[str]

    @classmethod
    def of(cls, text: str, tier: str | None = None) -> Known:
        """Read off the customer's own words and plan."""
        platforms = frozenset(name for name, shape in PLATFORMS.items() if shape.search(text))
        named = (word for found in PLAN.finditer(text) for word in found.groups() if word)
        words = frozenset(word.lower() for word in (*named, *(tier or "").split()))
        return cls(platforms, tuple(int(number) for number in VERSION.findall(text)), words)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the source that is kept, or words of ours (`label`) that say for whom the next stretch is."""

    start: int
    end: int
    label: str = ""


def parts(
    text: str, start: int, end: int, known: Known, within: Sequence[str] = (), cut: Collection[int] = ()
) -> Iterator[Part]:
    """The stretch without what is for others; where it is open who asks, each variant with the name of its platform.

    `within` are the marks of the variants that it begins inside of, the outermost first; one that does not end in it goes on to its end,
    and so does one at a place in `cut`.
    """
    plans, closes = _plans("".join((*within, text))), _closes(text, start, end, len(within), cut)
    return _inside(text, start, end, known, plans, closes, within)


def open_at(text: str, place: int) -> tuple[str, ...]:
    """The marks of the variants that a place of a text stands in, the outermost first; one that nothing closes holds nothing."""
    return tuple(mark[0] for at in _around(text, place) if (mark := MARK.match(text, at)))


def cut_off(text: str, start: int, end: int) -> tuple[int, ...]:
    """The places, counted from its start, at which variants begin in a stretch of a text that end behind it."""
    return tuple(at - start for at in _around(text, end) if at >= start)


def _around(text: str, place: int) -> list[int]:
    marks = {mark.start() for mark in MARK.finditer(text, 0, place)}
    opened, around = list[int](), list[int]()
    for bracket in BRACKET.finditer(text, min(marks)) if marks else ():
        if bracket[0] == "[":
            opened.append(bracket.start())
        elif opened and (at := opened.pop()) in marks and bracket.start() >= place:
            around.append(at)
    return sorted(around)


def _inside(
    text: str, start: int, end: int, known: Known, plans: frozenset[str], closes: Mapping[int, int], within: Sequence[str]
) -> Iterator[Part]:  # fmt: skip
    mark = MARK.match(within[0]) if within else None
    if mark is None:
        yield from _parts(text, start, end, known, plans, closes, 0)
        return
    close = min(closes.get(-len(within), end), end)
    inside, fits = list(_inside(text, start, close, known, plans, closes, within[1:])), _fits(mark, known, plans)
    if fits is None:
        yield from _named(text, inside, mark, start, close, few=False, beside=False)
    elif fits:
        yield from inside
    yield from _parts(text, min(close + 1, end), end, known, plans, closes, 0)


def _parts(
    text: str, start: int, end: int, known: Known, plans: frozenset[str], closes: Mapping[int, int], depth: int
) -> Iterator[Part]:
    beside = False  # a few words with their platform stand right before
    while (mark := MARK.search(text, start, end)) and depth < DEEPEST:
        close, after = (min(place, end) for place in _ends(text, mark, closes))
        yield Part(start, mark.start())
        fits = _fits(mark, known, plans)
        inside = list(_parts(text, mark.end(), close, known, plans, closes, depth + 1))
        words = "".join(text[part.start : part.end] for part in inside).strip()
        few = fits is None and bool(words) and _few(words)
        if fits is None and words:
            gap = text[start : mark.start()]
            yield from _named(text, inside, mark, mark.start(), close, few, few and beside and not gap.strip(" "))
        elif fits:
            yield from inside
        beside, start = few, after
    yield Part(start, end)


def undecided(text: str, known: Known) -> tuple[str, ...]:
    """The platforms between which the text differs and the conversation does not decide, as they are spoken of."""
    plans = _plans(text)
    open_marks = [mark for mark in MARK.finditer(text) if _fits(mark, known, plans) is None]
    return tuple(
        dict.fromkeys(SPOKEN[name] for name in PLATFORMS for mark in open_marks if name in map(_family, _names(mark)))
    )


def undecided_plan(text: str, known: Known) -> bool:
    """Whether the text differs by plan and the conversation does not name one of them."""
    return bool((plans := _plans(text)) and not plans & known.words)


def _plans(text: str) -> frozenset[str]:
    """The names that the text's variants have beside platforms and versions."""
    names = {name for mark in MARK.finditer(text) for name in _names(mark)}
    return frozenset(
        name
        for name in names
        if _family(name) not in PLATFORMS and not VERSIONED.fullmatch(name) and name not in REMARKS
    )


def _names(mark: re.Match[str]) -> list[str]:
    return [name.strip() for name in mark[2].split(",")]


def _closes(text: str, start: int, end: int, around: int, cut: Collection[int]) -> dict[int, int]:
    """Where each bracket that opens in a stretch closes; by -1, -2, … where those `around` it do, the innermost first.

    In `[win: Ctrl + ]]` the first is a key.
    """
    opened, closes, last = list(range(-around, 0)), {start + place: end for place in cut}, 0
    for bracket in BRACKET.finditer(text, start, end):
        place = bracket.start()
        if bracket[0] == "[":
            opened.append(place)
        elif opened:
            last = opened.pop()
            closes[last] = place
        elif closes.get(last) == place - 1 and last >= 0 and MARK.match(text, last):
            closes[last] = place
    return closes


def _ends(text: str, mark: re.Match[str], closes: Mapping[int, int]) -> tuple[int, int]:
    """Where a variant ends and where what follows it begins.

    One that nothing closes ends with its paragraph, item or row, or, as `[mac: Cmd + []`, behind a bracket that is a key.
    """
    if (close := closes.get(mark.start())) is not None:
        return close, close + 1
    begin = mark.end()
    while text[begin : begin + 1].isspace():
        begin += 1
    found = ENDS.search(text, begin)
    stop = found.start() if found else len(text)
    key = text.find("[]", begin, stop)
    return (key + 1, key + 2) if key >= 0 else (stop, stop)


def _fits(mark: re.Match[str], known: Known, plans: frozenset[str]) -> bool | None:
    """Whether the variant is for this customer; None where nothing tells. The newest version counts where none is named."""
    told = [_told(name, known, plans) for name in _names(mark)]
    fits = True if True in told else None if None in told else False
    return fits if fits is None or not mark[1] else not fits


def _told(name: str, known: Known, plans: frozenset[str]) -> bool | None:
    if (family := _family(name)) in PLATFORMS:
        return family in known.platforms if known.platforms else None
    if versioned := VERSIONED.fullmatch(name):
        return not known.versions or max(known.versions) >= int(versioned[2])
    if name in REMARKS:
        return True
    return name in known.words if plans & known.words else None


def _family(name: str) -> str:
    """The platform that a kind of it, as `win10` or `winxp`, belongs to."""
    return re.sub(r"\d+$|xp$|vista$", "", name)


def _few(words: str) -> bool:
    """Whether they are part of a sentence, not one of their own."""
    return count_words(words) <= INLINE_WORDS and "\n" not in words and not words.endswith((*STOPS, ".)"))


def _named(
    text: str, inside: Sequence[Part], mark: re.Match[str], start: int, close: int, few: bool, beside: bool
) -> Iterator[Part]:
    """A sentence gets its platforms in front, a few words get them behind, and a stroke before them where they stand beside others.

    Headings and a list's first mark stay in front of them.
    """
    spoken = ("not " if mark[1] else "") + ", ".join(
        dict.fromkeys(SPOKEN.get(_family(name), name.capitalize()) for name in _names(mark))
    )
    if beside:
        yield Part(start, start, " / ")
    if not few:
        apart = " " if text[:start].endswith((*STOPS, *COLONS)) else ""
        head, inside = _headed(text, inside)
        yield from head
        yield Part(close, close, f"{'' if head else apart}{spoken}: ")
    yield from inside
    if few:
        yield Part(close, close, f" ({spoken})")


def _headed(text: str, inside: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """The headings and the mark of an item that a variant begins with, and the rest of it."""
    first = inside[0]
    found = None if first.label else BEGINS.match(text, first.start, first.end)
    if found is None or not found[0].strip():
        return [], list(inside)
    return [Part(first.start, found.end())], [Part(found.end(), first.end), *inside[1:]]
