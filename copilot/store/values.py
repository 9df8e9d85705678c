"""What rows and statements are made with everywhere: the present, a text's digest, lists short enough."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

MANY = 900  # SQLite takes 32,766 parameters, but its planner likes short lists better


def digest(text: str) -> str:
    """SHA-256 in hex of the text."""
    return hashlib.sha256(text.encode()).hexdigest()


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def parts(values: Iterable[Any], size: int = MANY) -> list[list[Any]]:
    """The values in lists short enough for one statement."""
    listed = list(values)
    return [listed[at : at + size] for at in range(0, len(listed), size)]
