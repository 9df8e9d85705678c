"""Strings as they come over the wire, made safe to store and to send back."""

from __future__ import annotations

import re
from typing import Any

_UNSPEAKABLE = re.compile("[\ud800-\udfff\x00]")


def clean(text: str) -> str:
    """The text with each lone surrogate and NUL, which no database or UTF-8 takes, as U+FFFD: offsets stay what they were."""
    return _UNSPEAKABLE.sub("\ufffd", text)


def cleaned(value: Any) -> Any:
    """The same for every string in a JSON value."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): cleaned(one) for key, one in value.items()}
    return [cleaned(one) for one in value] if isinstance(value, list) else value
