"""The hard facts of a sentence: numbers with their units, dates, versions, addresses, menu paths, names, and whether it says no."""

from __future__ import annotations

import re
from collections.abc import Iterator

ADDRESS = re.compile(
    r"https?://[^\s<>\"')\]]{1,500}"  # URLs
    r"|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}"  # e-mail addresses
    r"|\bwww\.[\w.-]{1,200}"
    # bare domains with what follows, and file names
    r"|(?<![\w@%./-])(?:[\w-]{1,63}\.){0,4}(?=[\w-]{0,62}[^\W\d_])[\w-]{1,63}\.(?:[a-z]{2,24}|[A-Z]{2,24})(?![\w@-])(?:/[^\s<>\"')\]]{0,200})?"
)
SCHEME = re.compile(r"https?://(?:www\.)?|www\.", re.I)
NUMBER = re.compile(
    r"(?P<number>\d+(?:[.,:/-]\d+)*)(?P<unit>\s?(?:[%€$£]|°(?:\s?[CFcf]\b)?|[^\W\d_]{1,12}))?"
    r"|(?P<currency>[€$£])\s?(?P<amount>\d+(?:[.,]\d+)*)"
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
    r"\b(?:not|never|no|none|cannot|without|neither|nor|[a-z]{2,8}n['’]t|nicht|kein\w{0,2}|nie|ohne|pas|jamais|aucune?|sans|niet|geen|nooit|zonder|nunca|sin)\b|"
    r"[不没沒無无未勿禁]|ない|ません|なく|せず|않|없|못|마세요|마십시오|ไม่|ห้าม|อย่า",
    re.I,
)
UNITS = {
    spelling: unit
    for unit, spellings in {
        "s": "s sec secs second seconds sekunde sekunden seconde secondes segundo segundos seconden",
        "min": "min mins minute minutes minuten minuto minutos minuut",
        "h": "h hr hrs hour hours stunde stunden heure heures uur hora horas",
        "working h": "workhour workhours",
        "working d": "workday workdays werktag werktage werktagen arbeitstag arbeitstage arbeitstagen werkdag werkdagen",
        "d": "day days tag tage tagen jour jours dag dagen día días",
        "week": "week weeks woche wochen semaine semaines weken semana semanas",
        "month": "month months monat monate monaten mois maand maanden mes meses",
        "y": "year years jahr jahre jahren an ans jaar jaren año años",
        "€": "€ eur euro euros", "$": "$ usd dollar dollars", "£": "£ gbp pound pounds", "chf": "chf", "%": "% percent prozent",
        "kb": "kb", "mb": "mb megabyte megabytes", "gb": "gb gigabyte gigabytes", "tb": "tb",
        "mm": "mm", "cm": "cm", "m": "m metre metres meter meters", "km": "km", "g": "g gram grams", "kg": "kg", "°": "°",
        "°c": "°c c celsius", "°f": "°f fahrenheit", "khz": "khz", "mhz": "mhz", "ghz": "ghz", "mah": "mah",
        "v": "v volt volts", "w": "w watt watts", "bar": "bar", "l": "l litre litres liter liters",
    }.items()
    for spelling in spellings.split()
}  # fmt: skip


_TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
_ONES = dict(zip("one two three four five six seven eight nine".split(), range(1, 10), strict=True))
WORDS = {
    word: str(value)
    for language, first in (
        ("two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen", 2),
        ("zwei drei vier fünf sechs sieben acht neun zehn - zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn", 2),
        ("twee drie vier vijf zes zeven acht negen tien - twaalf dertien veertien vijftien zestien zeventien achttien negentien", 2),
        ("deux trois quatre cinq six - huit - dix onze douze treize quatorze quinze", 2),
        ("dos tres cuatro cinco seis siete ocho nueve diez - doce trece catorce quince", 2),
    )
    for value, word in enumerate(language.split(), first)
    if word != "-"
} | {
    word: str(value)
    for language in (
        " ".join(_TENS), "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig hundert",
        "twintig dertig veertig vijftig zestig zeventig tachtig negentig honderd", "vingt trente quarante cinquante soixante",
        "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa cien",
    )
    for value, word in zip(range(20, 110, 10), language.split(), strict=False)
}  # fmt: skip
"""Numbers in words; left out is what is also a word of another language (`once`, `elf`, `sept`, `neuf`, `cent`)."""
SPELT = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})[ -](?P<ones>{'|'.join(_ONES)})|(?:(?P<times>an?|{'|'.join(_ONES)}) )?hundred|"
    rf"{'|'.join(sorted(WORDS, key=len, reverse=True))}|"
    rf"one(?= (?:{'|'.join(spelling for spelling in UNITS if len(spelling) > 3)})\b))\b",
    re.I,
)
_NUMERALS = frozenset({*_TENS, *WORDS, "hundred", "one"})
_WORD = re.compile(r"\w+")
WORKING = re.compile(r"\b(?:working|business)[ -](?=(?:day|hour)s?\b)", re.I)
WORKING_AFTER = re.compile(r"\b(?:jours? ouvr(?:é|able)s?|d[ií]as? (?:h[áa]bil|laborabl)es?)\b", re.I)
FILLER = re.compile(r"(?<= )(?:calendar|full|whole|consecutive) (?=\w)", re.I)
OPPOSITES = tuple(
    (re.compile(rf"\b(?:{one})\b", re.I), re.compile(rf"\b(?:{other})\b", re.I))
    for one, other in (
        ("at least|minimum|mindestens|au moins|al menos|minstens", "at most|maximum|höchstens|au plus|como máximo|hoogstens"),
        ("below|unterhalb|au-dessous|debajo", "above|oberhalb|au-dessus|encima"),
        ("before|bevor|avant|antes", "after|nachdem|après|después"),
        ("less than|fewer than|weniger als|moins de|minder dan|menos de", "more than|mehr als|plus de|meer dan|más de"),
        ("always|immer|toujours|altijd|siempre", "never|nie|niemals|jamais|nooit|nunca"),
        ("everybody|everyone|anybody|anyone", "nobody|no one"), ("everything|anything", "nothing"),
        ("enable[sd]?", "disable[sd]?"), ("earliest|frühestens", "latest|spätestens"),
    )
)  # fmt: skip
"""Words of which one in place of the other turns a sentence round."""
FREE = re.compile(
    r"\b(?:free of charge|(?:is|are|for|always|completely|entirely) free|costs? (?:you )?nothing|at no (?:extra )?(?:cost|charge)|"
    r"without charge|gratis|kostenlos|kostenfrei|umsonst|gratuit\w{0,6})\b",
    re.I,
)
PRICED_FREE = re.compile(rf"\bfree\b|\bno (?:cost|charge|fee)|[€$£]\s?0\b|{FREE.pattern}", re.I)


def missing(text: str, words: str, about: str = "") -> tuple[str, ...]:
    """The facts of the text that these words do not hold, and a sense that they turn round; `about` may lend names."""
    known = f"{about} {words}"
    absent = (set(facts(text)) - set(facts(words))) | (set(amounts(text)) - set(amounts(words)))
    absent |= {name for name in NAME.findall(text) if not names(name, known)}
    absent |= {path for path in PATH.findall(text) if _path(path) not in ARROW.sub(">", words.lower())}
    absent |= set(_turned(text, words))
    return (*sorted(absent), *(("a negation",) if says_no(text) != says_no(words) else ()))


def names(name: str, words: str) -> bool:
    """Whether the words hold the name as a word of its own, in any case, or its plural."""
    return bool(re.search(rf"(?<!\w){re.escape(name)}(?:['’]?s|es|e|n|en)?(?!\w)", words, re.I))


def _turned(text: str, words: str) -> Iterator[str]:
    """The words of the text that say the opposite of what stands there, and a price of nothing where none is told."""
    for pair in OPPOSITES:
        for one, other in (pair, pair[::-1]):
            if (found := one.search(text)) and other.search(words) and not one.search(words):
                yield found[0].lower()
    if (found := FREE.search(text)) and not PRICED_FREE.search(words):
        yield found[0].lower()


def says_no(text: str) -> bool:
    """Whether the text holds a negation."""
    return bool(NEGATION.search(text))


def amounts(text: str) -> Iterator[str]:
    """Numbers with their units, working days apart from days, which `facts` takes for the same."""
    for number, unit in map(figure, NUMBER.finditer(plain(text))):
        if unit:
            yield f"{number} {unit}"


def facts(text: str) -> Iterator[str]:
    """Addresses without their scheme, numbers with the unit that they are followed by, numbers in words as digits, months and days."""
    yield from (SCHEME.sub("", found.rstrip(".,;")) for found in ADDRESS.findall(text))
    rest = plain(text)
    for found in NUMBER.finditer(rest):
        number, unit = figure(found)
        yield number
        if unit:
            yield f"{number} {unit.removeprefix('working ')}"
    for month, day in MONTH.findall(rest):
        yield (month or day).lower()


def plain(text: str) -> str:
    """The text without addresses, its numbers in digits and `working days` in one word, ready for `NUMBER`."""
    text = FILLER.sub("", WORKING.sub("work", WORKING_AFTER.sub("workdays", ADDRESS.sub(" ", text))))
    # Most sentences have no number in words, and to look for each of so many takes longer than all the rest.
    return text if _NUMERALS.isdisjoint(_WORD.findall(text.lower())) else SPELT.sub(_digits, text)


def figure(found: re.Match[str]) -> tuple[str, str]:
    """A number that `NUMBER` found and its unit, empty where the word behind it is none."""
    unit = (found["unit"] or found["currency"] or "").replace(" ", "").lower()
    return found["number"] or found["amount"], UNITS.get(unit, "")


def _digits(found: re.Match[str]) -> str:
    """A number in words as digits."""
    word = found[0].lower()
    if found["tens"]:
        return str(_TENS[found["tens"].lower()] + _ONES[found["ones"].lower()])
    if word.endswith("hundred"):
        return str(100 * _ONES.get((found["times"] or "").lower(), 1))
    return "1" if word == "one" else WORDS[word]


def has_facts(text: str) -> bool:
    """Whether the text names an address, a number or a date."""
    return bool(ADDRESS.search(text) or NUMBER.search(text) or MONTH.search(text))


def menus(text: str) -> Iterator[str]:
    """The labels of its menu paths in lower case, each by the word next to the arrow: where a label ends no rule can tell."""
    for path in PATH.findall(text):
        first, *rest = ARROW.split(path.casefold())
        yield first.rpartition(" ")[2]
        yield from (label.partition(" ")[0] for label in rest)


def _path(path: str) -> str:
    """The last step before the first arrow belongs to the sentence too, so only its last word is compared."""
    first, *rest = ARROW.split(path.lower())
    return ">".join([first.rpartition(" ")[2], *rest])
