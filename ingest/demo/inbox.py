"""Fills the demo company's inbox: its incoming messages as if they had come over the last day, and what some of their writers had before."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from copilot.build import Parts
from copilot.domain import Conversation, Message
from copilot.errors import Conflict
from copilot.store.records import CONVERSATION
from ingest.demo import FOLDER

LATEST = timedelta(minutes=3)
APART = timedelta(minutes=23)


def fill(parts: Parts, workspace: str, at: datetime) -> int:
    """Put in what is not there yet; how many conversations that were."""
    parts.library.clock(workspace)
    earlier, waiting = list(_read("earlier.jsonl")), list(_read("incoming.jsonl"))
    newest = max(_last(one) for one in waiting)
    recent = (_moved(one, at - LATEST - APART * n - _last(one)) for n, one in enumerate(reversed(waiting)))
    added = sum(_add(parts, workspace, _moved(one, at - newest), resolved=True) for one in earlier)
    added += sum(_add(parts, workspace, one, resolved=False) for one in recent)
    parts.inbox.read(workspace)
    return added


def _read(name: str) -> Iterator[Conversation]:
    """A file's conversations; whoever writes has an id made of their name, so that their conversations are found together."""
    for line in (FOLDER / "incoming" / name).read_text(encoding="utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        customer = {"id": re.sub(r"\W+", "-", row["customer"]["name"].lower()).strip("-"), **row["customer"]}
        fields = {name: row[name] for name in ("id", "channel", "subject", "messages")}
        yield CONVERSATION.validate_python({**fields, "customer": customer})


def _add(parts: Parts, workspace: str, conversation: Conversation, *, resolved: bool) -> bool:
    try:
        parts.records.keep_conversation(workspace, conversation)
    except Conflict:
        return False
    if resolved:
        parts.records.resolve(workspace, conversation.id or "")
    return True


def _last(conversation: Conversation) -> datetime:
    return max(message.at for message in conversation.messages if message.at)


def _moved(conversation: Conversation, by: timedelta) -> Conversation:
    """The same at another time; the gaps between its messages stay."""
    messages = tuple(_later(message, by) for message in conversation.messages)
    return replace(conversation, messages=messages)


def _later(message: Message, by: timedelta) -> Message:
    return replace(message, at=message.at + by if message.at else None)
