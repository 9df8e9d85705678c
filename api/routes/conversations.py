"""Conversations: kept, continued, resolved."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Body

from api.auth import Guarded
from api.bodies import MAX_MESSAGES, ConversationBody, MessageBody, within
from api.deps import PartsOf, PathId, Who
from api.examples import MESSAGE, START
from api.routes.learned import teach
from copilot.errors import TooLarge
from copilot.handoff import HandOff
from copilot.store.records import Stored

router = APIRouter(prefix="/v1/conversations", tags=["conversations"], route_class=Guarded)


@router.post("", status_code=201)
def start(body: Annotated[ConversationBody, Body(openapi_examples=START)], parts: PartsOf, who: Who) -> Stored:
    """Keep a conversation; without an id it is given one."""
    parts.library.clock(who.workspace)
    within((message.text for message in body.messages), parts.settings.max_message_chars)
    conversation = body.noun()
    id = conversation.id or uuid.uuid4().hex
    parts.records.keep_conversation(who.workspace, replace(conversation, id=id))
    parts.inbox.read(who.workspace)
    return parts.records.conversation(who.workspace, id)


@router.get("/{conversation_id}")
def show(conversation_id: PathId, parts: PartsOf, who: Who) -> Stored:
    """The conversation as kept."""
    return parts.records.conversation(who.workspace, conversation_id)


@router.post("/{conversation_id}/messages", status_code=201)
def add(
    conversation_id: PathId, body: Annotated[MessageBody, Body(openapi_examples=MESSAGE)], parts: PartsOf, who: Who
) -> Stored:
    """Add a message at the end; a resolved conversation is open again."""
    within([body.text], parts.settings.max_message_chars)
    stored = parts.records.conversation(who.workspace, conversation_id)
    if len(stored.conversation.messages) >= MAX_MESSAGES:
        raise TooLarge(f"The conversation has {MAX_MESSAGES} messages, which is the most. Start a new one.")
    parts.records.add_message(who.workspace, conversation_id, body.noun())
    parts.inbox.read(who.workspace)
    return parts.records.conversation(who.workspace, conversation_id)


@router.post("/{conversation_id}/resolve")
def resolve(conversation_id: PathId, parts: PartsOf, who: Who) -> Stored:
    """Mark the conversation as resolved. A reply that was accepted or edited in it becomes a solved ticket, as the settings say."""
    stored = parts.records.resolve(who.workspace, conversation_id)
    teach(parts, who.workspace, conversation_id)
    return stored


@router.post("/{conversation_id}/summary")
def summary(conversation_id: PathId, parts: PartsOf, who: Who) -> HandOff:
    """What the next agent should know, in four sections, each line with the words that it rests on."""
    return parts.summariser.summary(parts.records.conversation(who.workspace, conversation_id).conversation)
