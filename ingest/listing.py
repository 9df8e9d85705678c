"""Listings in numbered pages, from servers that repeat pages, miscount, and have rows added and deleted while they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from copilot.errors import Refused, SourceFailed

Row = Mapping[str, Any]
MOST_PAGES = 5000
BARREN = 5
"""After so many pages in a row with nothing new, the server is taken to send the same for ever."""


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page; how many there are on all of them, and whether more pages follow, as far as the server says."""

    rows: Sequence[Row]
    total: int | None = None
    more: bool = False


@dataclass(slots=True)
class Listing:
    """Reads page after page until one is empty; no count that a server gives is trusted for anything but the progress bar."""

    name: str
    ask: Callable[[int], Page]
    totals: set[int] = field(default_factory=set)
    seen: dict[str, str] = field(default_factory=dict)  # id -> what its row said

    @property
    def whole(self) -> bool:
        """Whether the count stayed as it was: while rows come and go, one may slip from a page to the one that was read before."""
        return len(self.totals) <= 1

    @property
    def total(self) -> int:
        """How many there are, as the server says; 0 where it does not."""
        return max(self.totals, default=0)

    def rows(self) -> Iterator[Row]:
        """Each row once, by its `id`, and again where it comes changed. Raises SourceFailed for what is no listing, or never ends."""
        barren = 0
        for number in range(1, MOST_PAGES + 1):
            page = self.ask(number)
            if page.total is not None:
                self.totals.add(page.total)
            if not page.rows:
                if page.more:
                    raise SourceFailed(f"The pages of {self.name} do not add up: sync again later.")
                return
            fresh = [row for row in page.rows if self._is_fresh(row)]
            barren = 0 if fresh else barren + 1
            if barren == BARREN:
                break
            yield from fresh
        raise SourceFailed(f"The pages of {self.name} have no end: sync again later.")

    def _is_fresh(self, row: Row) -> bool:
        id, said = identifier(row, self.name), repr(sorted(row.items(), key=repr))
        before = self.seen.get(id)
        self.seen[id] = sha256(said.encode("utf-8", "replace")).hexdigest()
        return before != self.seen[id]


def identifier(row: Row, name: str) -> str:
    """A row's id. Raises SourceFailed where it has none."""
    id = row.get("id")
    if not isinstance(id, str | int) or isinstance(id, bool) or not str(id).strip():
        raise SourceFailed(f"A row of {name} has no id: is the address right?")
    return str(id)


def rows(found: Mapping[str, Any], key: str, name: str) -> list[dict[str, Any]]:
    """The list of objects under a key. Raises Refused for what is none."""
    listed = found.get(key)
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        raise Refused(f"{name} answered without a list of {key}: is the address right?")
    return listed


def inner(found: Mapping[str, Any], key: str) -> Row:
    """The object under a key; an empty one where there is none."""
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def several_of(found: Mapping[str, Any], key: str) -> list[Any]:
    """The list under a key; an empty one where there is none."""
    value = found.get(key)
    return value if isinstance(value, list) else []


def count(value: object) -> int | None:
    """A count, where it is one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
