"""What a chat model wrote, read as the JSON objects in it: one a line, as it is asked to write, or in an array or over several lines all the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

UNREAD = 4_000
"""So many characters that are no whole object yet are kept."""
TRIES = 50
"""So many places where an object may begin are looked at for each line and behind each object."""
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
        tries = TRIES if "}" in line else 0
        while tries and (at := rest.find("{", at)) >= 0:
            tries -= 1
            try:
                value, end = _DECODER.raw_decode(rest, at)
            except (ValueError, RecursionError):
                end = 0
            if end and "text" in value:
                yield value
                rest, at, tries = rest[end:], 0, TRIES
            else:
                at += 1  # what holds the objects is none of them
        begun = rest.find("{")
        rest = rest[begun:][-UNREAD:] if begun >= 0 else ""


def numbers(given: object) -> list[int]:
    """The numbers that a model gave, as `[1]`, `1`, `"1"` or `"[1]"`; what is no number is left out."""
    listed = given if isinstance(given, list) else [given]
    found = (NUMBER.fullmatch(str(one)) for one in listed if isinstance(one, int | str) and not isinstance(one, bool))
    return [int(one[1]) for one in found if one]
