"""A thread that its help desk sends again: as it is there now, and with what was added here."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Any

from copilot.store.customers import BEFORE, is_one

Json = dict[str, Any]
ADDED = "added"
"""Stands beside the fields of a stored message that came by `POST …/messages`: the help desk may not know of it, and so leave it out."""


def with_message(body: Json, message: Json) -> Json:
    """The stored conversation with a message at its end that was added here."""
    return {**body, "messages": [*body["messages"], {**message, ADDED: True}]}


def sent_again(kept: Json, now: Json) -> Json:
    """The conversation as the help desk sends it now, with the messages that were added here and what is known of the customer."""
    messages = _joined(kept["messages"], now["messages"])
    body = {**now, "messages": messages, "subject": now["subject"] or kept["subject"], "customer": _customer(kept, now)}
    before = _owners_before(kept, body["customer"])
    return {**body, BEFORE: before} if before else body


def asks_again(before: Json, after: Json) -> bool:
    """Whether the customer has written since: a message more, or another one at the end."""
    old, new = ([one for one in body["messages"] if one["author"] == "customer"] for body in (before, after))
    return len(new) > len(old) or bool(new and not _same(new[-1], old[-1]))


def _joined(kept: list[Json], now: list[Json]) -> list[Json]:
    """The help desk's messages, each of ours behind as many of them as it had before it.

    Where there are fewer now, what is sent is no whole thread: ours come before the first that is new.
    """
    fresh, told = _Fresh(now), set[int]()
    for one in kept:
        if ADDED not in one:
            fresh.take(one)
    left, before = list[tuple[int, Json]](), 0
    for one in kept:
        at = fresh.take(one) if ADDED in one else None
        if at is not None:
            told.add(at)
        if ADDED in one and at is None:
            left.append((before, one))
        else:
            before += 1
    ours, new, place = defaultdict[int, deque[Json]](deque), fresh.first(), len(now)
    for before, one in reversed(left):
        place = min(place, before if before <= len(now) else new)  # none comes behind one that was behind it
        ours[place].appendleft(one)
    messages = list[Json]()
    for at, one in enumerate(now):
        messages += (*ours[at], {**one, ADDED: True} if at in told else one)
    return [*messages, *ours[len(now)]]


class _Fresh:
    """The messages of the help desk that none of ours is matched with yet, found by their ids and words."""

    def __init__(self, now: list[Json]) -> None:
        self._free = [True] * len(now)
        self._named, self._nameless, self._said = (defaultdict[Any, deque[int]](deque) for _ in range(3))
        for at, one in enumerate(now):
            words, id = _words(one), one["id"]
            self._said[words].append(at)
            (self._nameless[words] if id is None else self._named[id]).append(at)

    def take(self, one: Json) -> int | None:
        """Where the first stands that is the same message, which is matched now; None where there is none."""
        words, id = _words(one), one["id"]
        same = (self._said[words],) if id is None else (self._named[id], self._nameless[words])
        for places in same:
            while places and not self._free[places[0]]:
                places.popleft()
        at = min((places[0] for places in same if places), default=None)
        if at is not None:
            self._free[at] = False
        return at

    def first(self) -> int:
        """Where the first of them stands; the end where there is none."""
        return next((at for at, free in enumerate(self._free) if free), len(self._free))


def _same(one: Json, other: Json) -> bool:
    if one["id"] is not None and other["id"] is not None:
        return bool(one["id"] == other["id"])
    return _words(one) == _words(other)


def _words(one: Json) -> tuple[str, str, str]:
    return one["author"], one["text"], one["visibility"]


def _customer(kept: Json, now: Json) -> Json:
    """What is said of the customer now, and where that leaves something out what was known of the same one."""
    known, said = kept["customer"], now["customer"]
    if not is_one(known, said):
        return dict(said)
    return {name: known[name] if value is None else value for name, value in said.items()}


def _owners_before(kept: Json, now: Json) -> list[Json]:
    """Whose the thread was before: it may hold their words still, so erasing them finds it."""
    before = list[Json](kept.get(BEFORE, ()))
    known = {name: value for name in ("id", "name") if (value := kept["customer"][name]) is not None}
    left = any(value != now[name] for name, value in known.items())
    return [*before, known] if left and known not in before else before
