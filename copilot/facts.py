"""The hard facts of a sentence: numbers with their units, dates, versions, addresses, menu paths, names, and whether it says no."""

from __future__ import annotations

import re
from collections.abc import Iterator

ADDRESS = re.compile(
    r"https?://[^\s<>\"')\]]{1,500}"  # URLs
    r"|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"  # e-mail addresses
    r"|\bwww\.[\w.-]{1,200}"
)
NUMBER = re.compile(
    r"(?P<number>\d+(?:[.,:/-]\d+)*)(?P<unit>\s?(?:[%€$£°]|[^\W\d_]{1,12}))?|(?P<currency>[€$£])\s?(?P<amount>\d+(?:[.,]\d+)*)"
)
MONTH = re.compile(
    r"\b(jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec)(?:uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)?\b|"
    r"\b(mon|tues|wednes|thurs|fri|satur|sun)day\b", re.I,
)  # fmt: skip
PATH = re.compile(
    r"[^\s>→»|,;:.()]{1,30}(?: [^\s>→»|,;:.()]{1,30}){0,3}(?: ?[>→»] ?[^\s>→»|,;:.()]{1,30}(?: [^\s>→»|,;:.()]{1,30}){0,3}){1,6}"
)
NAME = re.compile(r"(?<=[^\W\d_.!?:][ ,] )[A-Z][\w-]+|(?<=[^\W\d_.!?:] )[A-Z][\w-]+|\b[A-Z][a-z]*[A-Z]\w*")
ARROW = re.compile(r" ?[>→»] ?")
NEGATION = re.compile(
    r"\b(?:not|never|no|none|cannot|without|neither|nor|[a-z]{2,8}n['’]t|nicht|kein\w{0,2}|nie|ohne|pas|jamais|aucune?|sans|niet|geen|nooit|zonder|nunca|sin)\b",
    re.I,
)
WORDS = dict(
    zip("two three four five six seven eight nine ten eleven twelve".split(), map(str, range(2, 13)), strict=True)
)
SPELT = re.compile(rf"\b(?:{'|'.join(WORDS)})\b", re.I)
FILLER = re.compile(r"(?<= )(?:working|business|calendar|full|whole) (?=\w)", re.I)
UNITS = {
    spelling: unit
    for unit, spellings in {
        "s": "s sec secs second seconds sekunde sekunden seconde secondes segundo segundos seconden",
        "min": "min mins minute minutes minuten minuto minutos minuut",
        "h": "h hr hrs hour hours stunde stunden heure heures uur hora horas",
        "d": "day days tag tage tagen jour jours dag dagen día días",
        "week": "week weeks woche wochen semaine semaines weken semana semanas",
        "month": "month months monat monate monaten mois maand maanden mes meses",
        "y": "year years jahr jahre jahren an ans jaar jaren año años",
        "€": "€ eur euro euros", "$": "$ usd dollar dollars", "£": "£ gbp pound pounds", "%": "% percent prozent",
        "kb": "kb", "mb": "mb megabyte megabytes", "gb": "gb gigabyte gigabytes", "tb": "tb",
        "mm": "mm", "cm": "cm", "m": "m metre metres meter meters", "km": "km", "g": "g gram grams", "kg": "kg", "°": "° °c c",
        "v": "v volt volts", "w": "w watt watts", "bar": "bar", "l": "l litre litres liter liters",
    }.items()
    for spelling in spellings.split()
}  # fmt: skip


def missing(text: str, words: str, about: str = "") -> tuple[str, ...]:
    """The facts of the text that these words do not hold, and a negation that one of the two lacks; `about` may lend names."""
    held, low = set(facts(words)), f" {about} {words} ".lower()
    absent = {fact for fact in facts(text) if fact not in held}
    absent |= {name for name in NAME.findall(text) if name.lower() not in low}
    absent |= {path for path in PATH.findall(text) if _path(path) not in ARROW.sub(">", words.lower())}
    return (*sorted(absent), *(("a negation",) if says_no(text) != says_no(words) else ()))


def says_no(text: str) -> bool:
    """Whether the text holds a negation."""
    return bool(NEGATION.search(text))


def facts(text: str) -> Iterator[str]:
    """Addresses as they stand, numbers with the unit that they are followed by, numbers in words as digits, months and days."""
    rest = SPELT.sub(lambda word: WORDS[word[0].lower()], FILLER.sub("", ADDRESS.sub(" ", text)))
    yield from (found.rstrip(".,;") for found in ADDRESS.findall(text))
    for found in NUMBER.finditer(rest):
        number, unit = found["number"] or found["amount"], (found["unit"] or found["currency"] or "").strip().lower()
        yield number
        if unit in UNITS:
            yield f"{number} {UNITS[unit]}"
    for month, day in MONTH.findall(rest):
        yield (month or day).lower()


def has_facts(text: str) -> bool:
    """Whether the text names an address, a number or a date."""
    return bool(ADDRESS.search(text) or NUMBER.search(text) or MONTH.search(text))


def _path(path: str) -> str:
    """The last step before the first arrow belongs to the sentence too, so only its last word is compared."""
    first, *rest = ARROW.split(path.lower())
    return ">".join([first.rpartition(" ")[2], *rest])
