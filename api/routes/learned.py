"""Tickets made of sent replies: listed with where they come from, and taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.auth import Guarded
from api.deps import PartsOf, PathId, RetireOf, Who
from copilot.build import Parts
from copilot.errors import NotFound
from copilot.store.learned import Learned, Origin

router = APIRouter(prefix="/v1/learned", tags=["learned"], route_class=Guarded)


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedList:
    """The newest first."""

    learned: tuple[Origin, ...]


@router.get("")
def newest(parts: PartsOf, who: Who, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> LearnedList:
    """The solved tickets that were made of sent replies, each with its suggestion, who sent the reply, and when."""
    return LearnedList(learned=tuple(Learned(parts.database).list(who.workspace, limit)))


@router.delete("/{conversation_id}", status_code=204, response_class=Response)
def undo(conversation_id: PathId, parts: PartsOf, who: Who, retire: RetireOf) -> None:
    """Take back the ticket that was made of this conversation's reply: when this answers, nothing finds, quotes or shows it."""
    learned = Learned(parts.database)
    with parts.writing:  # so that no job makes it meanwhile
        found = learned.get(who.workspace, conversation_id)
        if found.in_force:
            retire(who.workspace, [conversation_id])
        learned.undone(who.workspace, conversation_id)


def teach(parts: Parts, workspace: str, conversation_id: str) -> None:
    """Ask for a ticket to be made of the conversation's reply, where it is resolved, has one, and the settings want it."""
    if parts.settings.learned_tickets == "off":
        return
    try:
        stored = parts.records.conversation(workspace, conversation_id)
    except NotFound:  # suggested for a conversation that nobody keeps
        return
    if stored.resolved_at is not None and Learned(parts.database).reply(workspace, conversation_id) is not None:
        parts.jobs.add(workspace, "learn", {"conversation": conversation_id})
