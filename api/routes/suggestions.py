"""Suggestions: made, shown again, made anew."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Body, Header, Request
from starlette.responses import Response

from api.auth import Guarded
from api.bodies import RegenerateBody, SuggestBody, within
from api.deps import MetricsOf, PartsOf, PathId, TurnsOf, WantsEvents, Who
from api.errors import id_of
from api.examples import REGENERATE, SUGGEST
from api.metrics import Metrics
from api.stream import EventStream, documented, frames, replayed
from api.turns import Turns
from api.visible import seen_by
from copilot.assist import Event
from copilot.build import Parts
from copilot.domain import Conversation, Options, Principal, Suggestion
from copilot.draft import retold
from copilot.ports import Rewrite
from copilot.query import search_text
from copilot.store.values import now

router = APIRouter(prefix="/v1/suggestions", tags=["suggestions"], route_class=Guarded)

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{1,255}$",
        description="The same request with the same key is answered once.",
    ),
]
STEPS = ("triage", "escalation", "passages", "statement", "done", "error")
STREAMED = documented(
    "The suggestion, or with `Accept: text/event-stream` its steps, one `statement` event for each statement.", STEPS
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request for a suggestion: the conversation, whether it is to be stored, when it was read, and what tells the same request from another."""

    conversation: Conversation
    new: bool
    options: Options
    key: str | None
    hash: str
    at: datetime
    rewrite: Rewrite | None = None


@router.post("", response_model=Suggestion, responses=STREAMED)
def suggest(
    body: Annotated[SuggestBody, Body(openapi_examples=SUGGEST)],
    request: Request, parts: PartsOf, metrics: MetricsOf, turns: TurnsOf, who: Who, events: WantsEvents, key: Key = None,
) -> Suggestion | Response:  # fmt: skip
    """A suggestion for the latest message of a conversation, given here or by the id of a stored one."""
    at = now()
    if body.conversation is None:
        conversation = parts.records.conversation(who.workspace, body.conversation_id or "").conversation
    else:
        told = body.conversation
        conversation = parts.records.rejoined(who.workspace, told.noun(), keeps_channel=told.channel is None)
    within((message.text for message in conversation.messages), parts.settings.max_message_chars)
    asked = Asked(
        conversation=replace(conversation, id=conversation.id or uuid.uuid4().hex), new=body.conversation is not None,
        options=body.options.noun(), key=key, hash=_hash(who, request, body.model_dump_json()), at=at,
    )  # fmt: skip
    return _answer(parts, metrics, turns, who, asked, request if events else None)


@router.get("/{suggestion_id}", response_model=Suggestion)
def show(suggestion_id: PathId, parts: PartsOf, who: Who) -> Suggestion:
    """The suggestion with the same evidence again, but for what was deleted since and what the reader may not see."""
    return seen_by(who, parts.library, parts.records.suggestion(who.workspace, suggestion_id))


@router.post("/{suggestion_id}/regenerate", response_model=Suggestion, responses=STREAMED)
def regenerate(
    suggestion_id: PathId, body: Annotated[RegenerateBody, Body(openapi_examples=REGENERATE)],
    request: Request, parts: PartsOf, metrics: MetricsOf, turns: TurnsOf, who: Who, events: WantsEvents, key: Key = None,
) -> Suggestion | Response:  # fmt: skip
    """Another suggestion for the same conversation, as it stands now, or the reply in other words."""
    at, before = now(), seen_by(who, parts.library, parts.records.suggestion(who.workspace, suggestion_id))
    conversation = parts.records.conversation(who.workspace, before.conversation_id).conversation
    asked = Asked(
        conversation=conversation, new=False, options=_options(body, before), key=key,
        hash=_hash(who, request, body.model_dump_json()), at=at, rewrite=_rewrite(body, before),
    )  # fmt: skip
    within([asked.rewrite.text if asked.rewrite else ""], parts.settings.max_message_chars)
    return _answer(parts, metrics, turns, who, asked, request if events else None)


def _options(body: RegenerateBody, before: Suggestion) -> Options:
    """What is wanted, and whose sources are left out: those of drafts that this one was to replace still are."""
    passed = before.provenance.instead_of
    return replace(body.options.noun(), instead_of=(*passed, before.id) if body.otherwise else passed)


def _rewrite(body: RegenerateBody, before: Suggestion) -> Rewrite | None:
    """What is to be done with which words: the agent's, or the statements of the suggestion's draft."""
    if body.rewrite is None:
        return None
    wanted = body.rewrite.model_dump(exclude={"text"})
    return Rewrite(text=body.rewrite.text or _claims(before), **wanted)


def _claims(made: Suggestion) -> str:
    """What the draft says without its frame; statements whose source is gone are not said again."""
    if made.draft is None:
        return ""
    return "".join(
        said.lead + said.text for said in retold(made.draft) if said.support in ("supported", "partial")
    ).strip()


def _hash(who: Principal, request: Request, body: str) -> str:
    """The same principal asking the same of the same address."""
    return hashlib.sha256("\n".join((who.id, request.url.path, body)).encode()).hexdigest()


def _answer(
    parts: Parts, metrics: Metrics, turns: Turns, who: Principal, asked: Asked, request: Request | None
) -> Suggestion | Response:
    """The suggestion, as a stream where a request is given; a key that was used before gets what was made then."""
    if asked.key is not None:
        made = parts.records.claim(who.workspace, asked.key, asked.hash)
        if made is not None:
            shown = seen_by(who, parts.library, made)
            return EventStream(frames(replayed(shown), id_of(request.scope))) if request else shown
    steps = _events(parts, metrics, who, _stored(parts, who, asked) if asked.new else asked)
    if request is None:
        with turns.one:
            *_, done = steps
        assert isinstance(done.data, Suggestion)
        return done.data
    events = turns.each(steps)
    first = next(events)  # what cannot be answered is refused as a problem, not as a stream that breaks off
    return EventStream(frames(chain([first], events), id_of(request.scope)), steps.close)


def _stored(parts: Parts, who: Principal, asked: Asked) -> Asked:
    """The request with its conversation as it is stored from now on: before it waits for its turn, so that what came last is what is kept."""
    try:
        parts.library.clock(who.workspace)
        search_text(asked.conversation)  # what cannot be answered is not kept
        kept, at = parts.records.put_conversation(who.workspace, asked.conversation)
    except Exception:
        if asked.key is not None:
            parts.records.release(who.workspace, asked.key)
        raise
    return replace(asked, conversation=kept, at=at)


def _events(parts: Parts, metrics: Metrics, who: Principal, asked: Asked) -> Generator[Event, None, None]:
    """The steps; a key whose request came to nothing is free again."""
    steps = parts.copilot.stream(
        who, asked.conversation, asked.options, key=asked.key, rewrite=asked.rewrite, stored=True, at=asked.at
    )
    try:
        for event in steps:
            if isinstance(event.data, Suggestion):
                metrics.suggestion(event.data)
            yield event
    finally:
        if asked.key is not None:
            parts.records.release(who.workspace, asked.key)
