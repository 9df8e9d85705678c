"""The inbox: conversations in the order in which they should be answered, news of them as it comes, and a customer's history."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Annotated

import anyio
from fastapi import APIRouter, Header, Query
from pydantic import StringConstraints
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from api.auth import Guarded
from api.bodies import Words
from api.deps import PartsOf, PathId, Who
from api.stream import KEEP_ALIVE, EventStream, documented, frame
from api.visible import seen_by
from copilot.domain import Document, Suggestion
from copilot.inbox import Inbox
from copilot.labelled import MOODS
from copilot.retrieve import visible_to
from copilot.store.frames import View
from copilot.store.inbox import Entry, Facets, Filter, State, place
from copilot.store.values import now

router = APIRouter(prefix="/v1", tags=["conversations"], route_class=Guarded)

LOOK_SECONDS = 0.7
QUIET_LOOKS = 20  # then a comment keeps proxies from closing the stream
STREAM_SECONDS = 600.0
"""After so long a stream ends and a browser asks again, so that whoever may no longer look does not."""
MISSED = timedelta(hours=1)
"""Of a stream that broke off, what was missed is told for so long; after that its list is out of date anyway."""
MOST_WORDS = 8
TIMELINE = 100

Label = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]{1,64}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPage:
    """Conversations, the one to answer first on top; `next` is what to send as `after` for the page that follows, null at the end."""

    conversations: tuple[Entry, ...]
    next: str | None
    facets: Facets


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What a customer has had with us: conversations over all channels and the solved tickets that became knowledge, the latest first."""

    customer_id: str
    conversations: tuple[Entry, ...]
    tickets: tuple[Document, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """The labels of intents, `other` included, and of moods from the worst to the best."""

    intents: tuple[str, ...]
    moods: tuple[str, ...]


@router.get("/conversations")
def page(
    parts: PartsOf, who: Who, state: State = "open", intent: Label | None = None, mood: Label | None = None,
    language: Label | None = None, escalated: bool | None = None,
    q: Annotated[Words, Query(max_length=200, description="Words that must all occur in the conversation.")] = "",
    after: Annotated[Words | None, Query(max_length=200, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> InboxPage:  # fmt: skip
    """The conversations: who waits first, then by urgency, escalation and waiting time."""
    words = tuple(q.split()[:MOST_WORDS])
    wanted = Filter(state=state, intent=intent, mood=mood, language=language, escalated=escalated, words=words)
    found = parts.inbox.page(who.workspace, wanted, after, limit + 1)
    shown = tuple(found[:limit])
    return InboxPage(
        conversations=shown, next=place(shown[-1]) if len(found) > limit else None,
        facets=parts.inbox.facets(who.workspace, state),
    )  # fmt: skip


EVENTS = documented(
    "`ready` at once, then `changed` with the conversation at each arrival, continuation or resolution.",
    ("ready", "changed"),
)
LastSeen = Annotated[
    str | None,
    Header(alias="Last-Event-ID", description="The last id that was seen: what changed since then comes first."),
]


@router.get("/conversations/events", response_class=StreamingResponse, responses=EVENTS)
def events(parts: PartsOf, who: Who, seen: LastSeen = None) -> Response:
    """News of conversations as server-sent events, for ten minutes; a browser's EventSource then asks again by itself."""
    return EventStream(followed(parts.inbox, who.workspace, _until(seen)))


async def followed(inbox: Inbox, workspace: str, seen: datetime | None = None) -> AsyncGenerator[bytes, None]:
    """A frame for each change, since what was `seen`. Between two looks it waits without a thread, so that many may follow."""
    since, ends, quiet = seen or now(), monotonic() + STREAM_SECONDS, 0
    shown: set[tuple[str, datetime, datetime | None]] = set()
    if seen is None:
        shown = {_state(one) for one in await run_in_threadpool(inbox.changed, workspace, since)}
    yield frame("ready", b"{}", since.isoformat())
    while monotonic() < ends:
        await anyio.sleep(LOOK_SECONDS)
        look = now()
        found = await run_in_threadpool(inbox.changed, workspace, since)
        fresh = [one for one in found if _state(one) not in shown]
        for number, one in enumerate(fresh, 1):
            yield frame("changed", to_json(one), look.isoformat() if number == len(fresh) else "")
        quiet = 0 if fresh else quiet + 1
        if quiet and quiet % QUIET_LOOKS == 0:
            yield KEEP_ALIVE
        shown, since = {_state(one) for one in found}, look


def _until(seen: str | None) -> datetime | None:
    """Until when all was seen, as an id of these events tells; None where it is none of them or too long ago."""
    try:
        at = datetime.fromisoformat(seen or "")
    except ValueError:
        return None
    return at if at.tzinfo and now() - MISSED < at <= now() else None


def _state(entry: Entry) -> tuple[str, datetime, datetime | None]:
    """What tells a conversation that changed from one that was shown."""
    return entry.conversation_id, entry.changed_at, entry.resolved_at


@router.get("/conversations/{conversation_id}/glance")
def glance(conversation_id: PathId, parts: PartsOf, who: Who) -> Entry:
    """One conversation as the inbox lists it."""
    return parts.inbox.one(who.workspace, conversation_id)


@router.get("/conversations/{conversation_id}/suggestion")
def latest(conversation_id: PathId, parts: PartsOf, who: Who) -> Suggestion | None:
    """The newest suggestion for the conversation, as this reader may see it; null where none was made."""
    made = parts.records.latest(who.workspace, conversation_id)
    return seen_by(who, parts.library, made) if made else None


@router.get("/tags")
def tags(parts: PartsOf, who: Who) -> Tags:
    """The labels that a message may have: what an agent can correct a tag to."""
    return Tags(intents=parts.copilot.intents(who.workspace), moods=MOODS)


@router.get("/customers/{customer_id:path}/timeline")
def timeline(customer_id: PathId, parts: PartsOf, who: Who) -> Timeline:
    """The customer's history; one who never wrote has none."""
    view = View(workspace=who.workspace, audiences=visible_to(who), as_of=now())
    return Timeline(
        customer_id=customer_id,
        conversations=tuple(parts.inbox.of_customer(who.workspace, customer_id, TIMELINE)),
        tickets=tuple(parts.library.of_customer(view, customer_id, TIMELINE)),
    )
