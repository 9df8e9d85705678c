"""A thread that its help desk sends again: as it is there now, and with what was added here."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
ADDED = "added"
"""Stands beside the fields of a stored message that came by `POST …/messages`: the help desk may not know of it, and so leave it out."""


def with_message(body: Json, message: Json) -> Json:
    """The stored conversation with a message at its end that was added here."""
    return {**body, "messages": [*body["messages"], {**message, ADDED: True}]}


def sent_again(kept: Json, now: Json) -> Json:
    """The conversation as the help desk sends it now, with the messages that were added here and what is known of the customer."""
    messages = _joined(kept["messages"], now["messages"])
    return {**now, "messages": messages, "subject": now["subject"] or kept["subject"], "customer": _customer(kept, now)}


def asks_again(before: Json, after: Json) -> bool:
    """Whether the customer has written since: a message more, or another one at the end."""
    old, new = ([one for one in body["messages"] if one["author"] == "customer"] for body in (before, after))
    return len(new) > len(old) or bool(new and not _same(new[-1], old[-1]))


def _joined(kept: list[Json], now: list[Json]) -> list[Json]:
    """The help desk's messages, each of ours behind as many of them as it had before it.

    Where there are fewer now, what is sent is no whole thread: ours come before the first that is new.
    """
    messages, fresh = list(now), list(range(len(now)))
    for one in (one for one in kept if ADDED not in one):
        _take(fresh, now, one)
    left, before = list[tuple[int, Json]](), 0
    for one in kept:
        at = _take(fresh, now, one) if ADDED in one else None
        if at is not None:
            messages[at] = {**now[at], ADDED: True}
        if ADDED in one and at is None:
            left.append((before, one))
        else:
            before += 1
    new = min(fresh, default=len(now))
    for before, one in reversed(left):
        messages.insert(before if before <= len(now) else new, one)
    return messages


def _take(fresh: list[int], now: list[Json], one: Json) -> int | None:
    """Where the message stands among those that none is matched with yet; None where it does not."""
    at = next((at for at in fresh if _same(now[at], one)), None)
    if at is not None:
        fresh.remove(at)
    return at


def _same(one: Json, other: Json) -> bool:
    if one["id"] is not None and other["id"] is not None:
        return bool(one["id"] == other["id"])
    return all(one[name] == other[name] for name in ("author", "text", "visibility"))


def _customer(kept: Json, now: Json) -> Json:
    """What is said of the customer now, and where that leaves something out what was known of the same one."""
    known, said = kept["customer"], now["customer"]
    if known["id"] is not None and said["id"] not in (None, known["id"]):
        return dict(said)
    return {name: known[name] if value is None else value for name, value in said.items()}
