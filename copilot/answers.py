"""What a chat model wrote, read as the JSON objects in it: one a line, as it is asked to write, or in an array or over several lines all the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

UNREAD = 4_000
"""So many characters that are no whole object yet are kept."""
FUTILE = 200_000
"""So many characters are read for each line, and behind each object, at places where an object may begin and none does."""
_BEGINS = re.compile(r'\{\s*"')
NUMBER = re.compile(r"\s*\[?\s*(\d{1,4})\s*\]?\s*")
_DECODER = json.JSONDecoder()


def objects(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Each object that has a `text`, as soon as it is whole; what stands around it, and what a model thinks aloud before, is passed over."""
    rest, thinking = "", False
    for line in lines:
        thinking = thinking or line.lstrip().startswith("<think>")
        if thinking:
            thinking = "</think>" not in line
            line = line.partition("</think>")[2]
        rest, at = f"{rest}{line}\n", 0
        left = FUTILE if "}" in line else 0
        while left > 0 and (begun := _BEGINS.search(rest, at)):
            at = begun.start()
            try:
                value, end = _DECODER.raw_decode(rest, at)
            except (ValueError, RecursionError) as error:
                value, end = {}, getattr(error, "pos", len(rest))
            if "text" in value:
                yield value
                rest, at, left = rest[end:], 0, FUTILE
            else:
                left -= end - at + 1
                at += 1  # what holds the objects is none of them
        first = rest.find("{")
        rest = rest[first:][-UNREAD:] if first >= 0 else ""


def numbers(given: object) -> list[int]:
    """The numbers that a model gave, as `[1]`, `1`, `"1"` or `"[1]"`; what is no number is left out."""
    listed = given if isinstance(given, list) else [given]
    found = (NUMBER.fullmatch(str(one)) for one in listed if isinstance(one, int | str) and not isinstance(one, bool))
    return [int(one[1]) for one in found if one]
