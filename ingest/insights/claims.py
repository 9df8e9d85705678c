"""The hard facts of one statement, each with its exact place: amounts with their unit, dates and times, versions, menu paths, and negations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from copilot.clauses import MARKER, content
from copilot.facts import ADDRESS, ARROW, NEGATION, PATH, UNITS

FactType = str
"""`amount:UNIT`, `date`, `time`, `weekday`, `version:OF` or `path`: only facts of one type can differ."""

_SPELT = {
    word: value
    for value, words in enumerate(
        "one,a single,ein,eine,einen,einem,einer,une,un two,twice,zwei,deux,dos three,drei,trois,tres four,vier,quatre,cuatro "
        "five,fünf,cinq,cinco six,sechs,seis seven,sieben,siete eight,acht,huit,ocho nine,neun,nueve ten,zehn,dix,diez "
        "eleven,elf,onze twelve,zwölf,douze,doce".replace("a single", "single").split(),
        1,
    )
    for word in words.split(",")
} | {"fourteen": 14, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "forty-five": 45, "fifty": 50, "sixty": 60, "ninety": 90,
     "hundred": 100, "vierzehn": 14, "zwanzig": 20, "dreißig": 30}  # fmt: skip
_AMOUNT = re.compile(
    r"(?P<before>[€$£])\s?(?P<money>\d{1,9}(?:[.,]\d{1,3}){0,3})"
    rf"|(?<![\w.,:/-])(?P<number>\d{{1,9}}(?:[.,]\d{{1,3}}){{0,3}}|(?i:{'|'.join(sorted(_SPELT, key=len, reverse=True))})(?![\w-]))"
    r"(?:[  -]?(?:(?:working|business|calendar|full|whole|consecutive|more) )?(?P<unit>[%€$£°]C?|[^\W\d_]{1,14}))?(?![\d])"
)
_HALF = re.compile(r"\b(?:half an? hour|halbe Stunde|demi-heure)\b", re.I)
_FORTNIGHT = re.compile(r"\b(?:an? )?fortnight\b", re.I)
_DAY_OF_MONTH = re.compile(r"\b(?:the|by|on|until) (?P<day>[0-3]?\d)(?:st|nd|rd|th)\b(?! (?:floor|time|of))", re.I)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january januar januari janvier janeiro enero gennaio jan",
            "february februar februari février febrero febbraio fevereiro feb févr",
            "march märz maart mars marzo março mar",
            "april avril abril aprile apr avr",
            "may mai mei mayo maio maggio",
            "june juni juin junio junho giugno jun",
            "july juli juillet julio julho luglio jul juil",
            "august augustus août agosto aug",
            "september septembre septiembre setiembre settembre setembro sep sept",
            "october oktober octobre octubre ottobre outubro oct okt",
            "november novembre noviembre novembro nov",
            "december dezember décembre diciembre dicembre dezembro dec dez déc",
        ),
        1,
    )
    for name in names.split()
}
"""The months as English, German, French, Spanish, Dutch, Italian and Portuguese call them."""
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_YEAR = r"(?:,? (?:del? |do )?(?P<year>(?:19|20)\d\d))?"
_DATES = (
    re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)-(?P<number>\d\d)-(?P<day>\d\d)(?!\d)"),
    re.compile(r"(?<![\d.])(?P<day>\d{1,2})[./](?P<number>\d{1,2})[./](?P<year>(?:19|20)\d\d)(?!\d)"),
    re.compile(rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|\.|[º°])? (?:of |de )?{_MONTH}{_YEAR}", re.I),
    re.compile(rf"\b{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,? (?P<year>(?:19|20)\d\d))?", re.I),
    re.compile(rf"\b{_MONTH} (?:del? |do )?(?P<year>(?:19|20)\d\d)(?!\d)", re.I),
    re.compile(r"\b(?:in|since|from|until|by|before|after|end of|year) (?P<year>20\d\d)(?!\d)", re.I),
    re.compile(
        r"(?<=[\w,] )(?P<month>January|February|March|April|May|June|July|August|September|October|November|December|Januar|Februar|März|Mai|"
        r"Juni|Juli|Oktober|Dezember)\b(?! \d)"
    ),
)
_WEEKDAY = re.compile(
    r"\b(mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag)s?\b",
    re.I,
)
_TIME = re.compile(
    r"(?<![\d:.])(?P<hour>\d{1,2})(?:[:.](?P<minute>[0-5]\d))?\s?(?P<half>a\.?m\b|p\.?m\b|o'clock|Uhr)|"
    r"(?<![\d:.])(?P<hour24>[012]?\d):(?P<minute24>[0-5]\d)(?![\d:])", re.I,
)  # fmt: skip
_VERSION = re.compile(
    r"\b(?P<of>versions?|firmware|release|build|software|app|ios|ipados|watchos|android|macos|windows|bluetooth|usb|tls|python|java|v)"
    r"[ .]?(?:version |v)?(?P<number>\d{1,4}(?:\.\d{1,4}){0,3})(?![\d%])"
    r"(?! ?(?:days?|hours?|minutes?|seconds?|times|%|percent|weeks?|months?|users?|devices?)\b)",
    re.I,
)
_BASE = {"s": ("s", 1.0), "min": ("s", 60.0), "h": ("s", 3600.0), "d": ("s", 86400.0), "week": ("s", 604800.0), "month": ("s", 2592000.0),
         "y": ("s", 31104000.0), "kb": ("mb", 0.001), "gb": ("mb", 1000.0), "tb": ("mb", 1e6), "cm": ("mm", 10.0), "m": ("mm", 1000.0),
         "km": ("mm", 1e6), "kg": ("g", 1000.0)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that another statement can contradict: its type, its value in one spelling, and its place in the statement."""

    type: FactType
    value: str
    start: int
    end: int


_NAME = re.compile(r"(?<=[^\W\d_][ ,] )[A-Z][\w'-]+|(?<=[\w,;)] )[A-Z][\w'-]+")
_CODE = re.compile(
    r"(?<![\w./-])(?=[\w/-]*\d)(?=[\w/-]*[A-Z])[A-Za-z][\w/-]{1,15}(?![\w-])|\b[A-Z]{2,8}\b|\b[A-Za-z]?[a-z]+[A-Z]\w{1,20}"
)


@dataclass(frozen=True)
class Claim:
    """A statement read for what it claims."""

    text: str

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """Its facts in order; no two overlap."""
        return tuple(_facts(self.text))

    @cached_property
    def words(self) -> frozenset[str]:
        """The words that carry meaning, without those that belong to a fact or only deny."""
        rest = list(self.text)
        for fact in self.facts:
            rest[fact.start : fact.end] = " " * (fact.end - fact.start)
        return frozenset(content(NEGATION.sub(" ", "".join(rest))))

    @cached_property
    def codes(self) -> frozenset[str]:
        """Model numbers, abbreviations and formats: what is told apart by its very letters."""
        return frozenset(found[0] for found in _CODE.finditer(self.text) if found[0].lower() not in UNITS)

    @cached_property
    def names(self) -> frozenset[str]:
        """Words that begin with a capital although no sentence begins there."""
        return frozenset(found[0] for found in _NAME.finditer(self.text))

    @cached_property
    def denials(self) -> tuple[tuple[int, int], ...]:
        """Where it says no."""
        return tuple(found.span() for found in NEGATION.finditer(self.text))

    def of(self, type: FactType) -> tuple[Fact, ...]:
        """Its facts of one type."""
        return tuple(fact for fact in self.facts if fact.type == type)


@lru_cache(maxsize=50_000)
def claim(text: str) -> Claim:
    """The statement, read; kept, since each is compared with many."""
    return Claim(text)


def dates(text: str) -> Iterator[tuple[str, int, int]]:
    """The dates that a text names, `2025-06-30`, `2025-06` or `06-30`, with their places."""
    covered = bytearray(len(text))
    for pattern in _DATES:
        for found in pattern.finditer(text):
            if covered.find(1, *found.span()) < 0 and (value := _date(found.groupdict())):
                covered[found.start() : found.end()] = b"\1" * len(found[0])
                yield value, *found.span()


def _date(parts: dict[str, str | None]) -> str | None:
    month = parts.get("number") or ""
    if name := parts.get("month"):
        month = f"{_MONTHS[name.lower()]}"
    day = parts.get("day")
    if (month and not 1 <= int(month) <= 12) or (day and not 1 <= int(day) <= 31):
        return None
    return "-".join(filter(None, (parts.get("year"), month and f"{int(month):02}", day and f"{int(day):02}")))


def _facts(text: str) -> Iterator[Fact]:
    """The surest kinds first; what one has taken no other takes."""
    covered = bytearray(len(text))
    begin = marker.end() if (marker := MARKER.match(text)) else 0
    covered[:begin] = b"\1" * begin
    for found in ADDRESS.finditer(text):
        covered[found.start() : found.end()] = b"\1" * len(found[0])
    taken = [fact for fact in _all(text) if _take(covered, fact)]
    yield from sorted(taken, key=lambda fact: fact.start)


def _take(covered: bytearray, fact: Fact) -> bool:
    free = covered.find(1, fact.start, fact.end) < 0
    if free:
        covered[fact.start : fact.end] = b"\1" * (fact.end - fact.start)
    return free


def _all(text: str) -> Iterator[Fact]:
    for path in PATH.finditer(text):
        yield from _path(path)
    for value, start, end in dates(text):
        yield Fact("date", value, start, end)
    for found in _VERSION.finditer(text):
        of = found["of"].lower().rstrip("s")
        yield Fact(f"version:{'' if of in _ANY_VERSION else of}", found["number"].rstrip("."), *found.span())
    for found in _TIME.finditer(text):
        yield Fact("time", _clock(found), *found.span())
    for found in _WEEKDAY.finditer(text):
        yield Fact("weekday", (found[1] or _WEEKDAYS[found[2].lower()]).lower(), *found.span())
    for found in _DAY_OF_MONTH.finditer(text):
        yield Fact("date", f"{int(found['day']):02}", *found.span())
    for found in _FORTNIGHT.finditer(text):
        yield Fact("amount:s", _number(14 * 86400), *found.span())
    for found in _HALF.finditer(text):
        yield Fact("amount:s", _number(1800), *found.span())
    yield from _amounts(text)


def _path(found: re.Match[str]) -> Iterator[Fact]:
    """A menu path without the words of the sentence around it."""
    first, *rest = ARROW.split(found[0])
    after = _AFTER_PATH.search(rest[-1])
    length = len(found[0]) - (len(rest[-1]) - after.start() if after else 0)
    steps = [first.rpartition(" ")[2], *rest[:-1], rest[-1][: after.start()] if after else rest[-1]]
    yield Fact("path", ">".join(steps).lower(), found.start() + len(first) - len(steps[0]), found.start() + length)


_AFTER_PATH = re.compile(r" (?:and|then|to|in|on|or|und|dann|where|there|so|is|the)\b")
_ANY_VERSION = frozenset("version firmware release build software app v".split())
_WEEKDAYS = dict(
    zip(
        "montag dienstag mittwoch donnerstag freitag samstag sonntag".split(),
        "mon tues wednes thurs fri satur sun".split(),
        strict=True,
    )
)


def _clock(found: re.Match[str]) -> str:
    hour, minute = int(found["hour"] or found["hour24"]), int(found["minute"] or found["minute24"] or 0)
    if (found["half"] or "").lower().startswith("p") and hour < 12:
        hour += 12
    return f"{hour:02}:{minute:02}"


def _amounts(text: str) -> Iterator[Fact]:
    """Numbers with the unit or the thing that they count."""
    for found in _AMOUNT.finditer(text):
        yield from _amount(found)


def _amount(found: re.Match[str]) -> Iterator[Fact]:
    if found["money"]:
        yield Fact(f"amount:{found['before']}", _number(_value(found["money"])), *found.span())
        return
    word, unit = found["number"].lower(), (found["unit"] or "").lower()
    spelt = word in _SPELT
    known = UNITS.get(unit)
    if spelt and known is None and _SPELT[word] == 1:
        return  # "one of the lights": a pronoun, not a count
    value = float(_SPELT[word]) if spelt else _value(word)
    if known in _BASE:
        base, factor = _BASE[known]
        yield Fact(f"amount:{base}", _number(value * factor), *found.span())
    elif known or unit:
        thing = known or "".join(sorted(content(unit))) or unit
        end = found.end() if known else found.end("number")
        yield Fact(f"amount:{thing}", _number(value), found.start(), end)
    else:
        yield Fact("amount:", _number(value), *found.span("number"))


def _value(number: str) -> float:
    """1,500 and 1.500 are thousands, 1.50 and 1,5 are not."""
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", number):
        return float(re.sub(r"[.,]", "", number))
    whole, _, rest = number.replace(",", ".").rpartition(".")
    return float(f"{whole.replace('.', '')}.{rest}" if whole else rest)


def _number(value: float) -> str:
    return f"{value:.6g}"
