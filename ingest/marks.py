"""What stands in front of the items of numbered lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bs4.element import Tag

_COUNTED = {
    "lowerLetter": "a", "upperLetter": "A", "lowerRoman": "i", "upperRoman": "I", "a": "a", "A": "A", "i": "i", "I": "I", "lower-alpha": "a",
    "upper-alpha": "A", "lower-latin": "a", "upper-latin": "A", "lower-roman": "i", "upper-roman": "I",
}  # fmt: skip
"""How Word, HTML and CSS name what a list counts in, by its first mark."""
_MOST_COUNTED = 26  # more letters than that are two, which few read as a number
_LIST_STYLE = re.compile(r"\blist-style(?:-type)?\s*:[^;]{0,40}?\b((?:lower|upper)-(?:alpha|latin|roman))\b", re.I)


def counted(number: int, kind: str) -> str:
    """The mark of an item: `2. `, or `b) ` and `ii) ` where its list counts in letters or Roman numbers."""
    if kind not in _COUNTED or not 0 < number <= _MOST_COUNTED:
        return f"{number}. "
    first = _COUNTED[kind]
    words = _roman(number) if first in "iI" else chr(ord("a") + number - 1)
    return f"{words.upper() if first.isupper() else words}) "


def _roman(number: int) -> str:
    return "x" * (number // 10) + ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")[number % 10]


def first_number(tag: Tag) -> int:
    """The number that an `<ol>` begins with."""
    start = str(tag.get("start", "1")).strip()
    return int(start) if re.fullmatch(r"[0-9]{1,9}", start) else 1


def counts_in(tag: Tag) -> str:
    """What an `<ol>` says that it counts in, as HTML or CSS name it; nothing where it does not say."""
    style = _LIST_STYLE.search(str(tag.get("style", "")))
    return style[1].lower() if style else str(tag.get("type", ""))
