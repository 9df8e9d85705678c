"""Whether a question asks for a price or a time, and whether a text gives one: what kind of answer is wanted, whatever its words."""

from __future__ import annotations

import re
from collections.abc import Mapping

ASKED: Mapping[str, re.Pattern[str]] = {
    "price": re.compile(
        r"\b(?:how much|costs?|pric\w{1,5}|charg\w{1,4}|fees?|pay(?:ing)?|free|refund\w{0,3}|money|"
        r"penalt\w{1,3}|expensive|cheap\w{0,3}|extra|bill\w{0,3}|"
        r"kost\w{1,5}|wie ?viel|gebühr\w{0,2}|geld|combien|prix|frais|cuánto|precio|dinero|hoeveel|prijs|porto)\b|[£$€¥￥]|"
        r"多少钱|多少錢|价格|價格|费|費|いくら|料金|値段|送料|얼마|요금|가격|ราคา|เท่าไ",
        re.I,
    ),
    "time": re.compile(
        r"\b(?:how (?:long|soon|late|early|often)|when|until|till|too late|deadline|days?|weeks?|hours?|still|yet|last|expires?|time|waiting|"
        r"by (?:mon|tues|wednes|thurs|fri|satur|sun)day|"
        r"wie lange|wann|combien de temps|quand|hoe lang|wanneer|cuándo|cuánto tiempo)\b|"
        r"多久|多长时间|多長時間|几天|幾天|什么时候|什麼時候|何时|いつ|何日|日数|期間|언제|며칠|เมื่อไ|กี่วัน|นานเท่า",
        re.I,
    ),
}
GIVEN: Mapping[str, re.Pattern[str]] = {
    "price": re.compile(
        r"[£$€] ?\d|\d ?(?:€|%|euros?\b|pounds?\b|dollars?\b|p\b|cents?\b|per cent\b)|"
        r"\b(?:free|no (?:charge|fee|cost)|charged?|costs?|refund\w{0,3})\b|[¥￥] ?\d|\d ?(?:元|円|원|บาท)|免费|免費|無料|무료|ฟรี",
        re.I,
    ),
    "time": re.compile(
        r"\b\d{1,4}(?: ?(?:to|-|–) ?\d{1,4})? (?:working |business |full |calendar )?(?:second|minute|hour|day|night|week|month|year)s?\b|"
        r"\b\d{1,2}(?::\d\d)? ?(?:am|pm)\b|\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|midnight|noon)s?\b|"
        r"\d ?(?:[个個か] ?)?(?:工作|営業|영업)?(?:秒|分|小时|小時|時間|天|日|周|週|月|年|초|시간|일|주|개월|วัน|ชั่วโมง|นาที|เดือน|ปี)",
        re.I,
    ),
}


def wants(text: str) -> frozenset[str]:
    """What a question asks for: a price, a time, both or neither."""
    return frozenset(kind for kind, words in ASKED.items() if words.search(text))


def gives(text: str, wanted: frozenset[str]) -> frozenset[str]:
    """Which of these a text tells: a price, a time, both or neither."""
    return frozenset(kind for kind in wanted if GIVEN[kind].search(text))
