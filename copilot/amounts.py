"""Whether a question asks for a price or a time, and whether a text gives one: what kind of answer is wanted, whatever its words."""

from __future__ import annotations

import re
from collections.abc import Mapping

ASKED: Mapping[str, re.Pattern[str]] = {
    "price": re.compile(
        r"\b(?:how much|costs?|pric\w{1,5}|charg\w{1,4}|fees?|pay(?:ing)?|free|refund\w{0,3}|money|"
        r"penalt\w{1,3}|expensive|cheap\w{0,3}|extra|bill\w{0,3}|"
        r"kost\w{1,5}|wie ?viel|gebühr\w{0,2}|geld|combien|prix|frais|cuánto|precio|dinero|hoeveel|prijs|porto)\b|[£$€]",
        re.I,
    ),
    "time": re.compile(
        r"\b(?:how (?:long|soon|late|early|often)|when|until|till|too late|deadline|days?|weeks?|hours?|still|yet|last|expires?|time|waiting|"
        r"by (?:mon|tues|wednes|thurs|fri|satur|sun)day|"
        r"wie lange|wann|combien de temps|quand|hoe lang|wanneer|cuándo|cuánto tiempo)\b",
        re.I,
    ),
}
GIVEN: Mapping[str, re.Pattern[str]] = {
    "price": re.compile(
        r"[£$€] ?\d|\d ?(?:€|%|euros?\b|pounds?\b|dollars?\b|p\b|cents?\b|per cent\b)|"
        r"\b(?:free|no (?:charge|fee|cost)|charged?|costs?|refund\w{0,3})\b",
        re.I,
    ),
    "time": re.compile(
        r"\b\d{1,4}(?: ?(?:to|-|–) ?\d{1,4})? (?:working |business |full |calendar )?(?:second|minute|hour|day|night|week|month|year)s?\b|"
        r"\b\d{1,2}(?::\d\d)? ?(?:am|pm)\b|\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|midnight|noon)s?\b",
        re.I,
    ),
}


def wants(text: str) -> frozenset[str]:
    """What a question asks for: a price, a time, both or neither."""
    return frozenset(kind for kind, words in ASKED.items() if words.search(text))


def gives(text: str, wanted: frozenset[str]) -> frozenset[str]:
    """Which of these a text tells: a price, a time, both or neither."""
    return frozenset(kind for kind in wanted if GIVEN[kind].search(text))
