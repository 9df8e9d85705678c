"""Articles proposed from solved tickets: looked for, read, decided, taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from fastapi import Body as Content
from pydantic import Field

from api.auth import Guarded
from api.bodies import Body, Words
from api.deps import PartsOf, PathId, Who
from api.examples import APPROVE, REJECT
from api.routes.documents import Audience, require_theirs
from api.routes.jobs import JobView, view
from copilot.store.proposals import State
from ingest.insights.proposals import Proposal, Proposals

router = APIRouter(prefix="/v1/proposals", tags=["proposals"], route_class=Guarded)


class ApproveBody(Body):
    """How the article is to be called, and who may see it at most."""

    title: Annotated[Words, Field(min_length=1, max_length=300)] | None = Field(
        None, description="The first ticket's where left out."
    )
    audience: Audience | None = Field(None, description="Of this and its tickets' the narrower one counts.")


class RejectBody(Body):
    """Why it is not wanted."""

    reason: Annotated[Words, Field(max_length=2000)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalList:
    """What the reader may see of the queue, what waits first."""

    total: int
    items: tuple[Proposal, ...]


@router.get("")
def listed(parts: PartsOf, who: Who, state: State | None = None) -> ProposalList:
    """The proposals whose tickets the reader may see."""
    parts.library.clock(who.workspace)
    found = tuple(Proposals(parts).list(who, state))
    return ProposalList(total=len(found), items=found)


@router.post("", status_code=202)
def propose(parts: PartsOf, who: Who) -> JobView:
    """Look for clusters of solved tickets that no article covers; the job's result counts what is new in the queue."""
    parts.library.clock(who.workspace)
    return view(parts.jobs.add(who.workspace, "propose", {}))


@router.post("/{proposal_id}/approve")
def approve(
    proposal_id: PathId, body: Annotated[ApproveBody, Content(openapi_examples=APPROVE)], parts: PartsOf, who: Who
) -> Proposal:
    """Make it an article: when this answers it is found and cited."""
    require_theirs(who, body.audience)
    return Proposals(parts).approve(who, proposal_id, body.title, body.audience)


@router.post("/{proposal_id}/reject")
def reject(
    proposal_id: PathId, body: Annotated[RejectBody, Content(openapi_examples=REJECT)], parts: PartsOf, who: Who
) -> Proposal:
    """Take it out of the queue; it is not proposed again."""
    return Proposals(parts).reject(who, proposal_id, body.reason)


@router.post("/{proposal_id}/withdraw")
def withdraw(proposal_id: PathId, parts: PartsOf, who: Who) -> Proposal:
    """Take a decision back: the article is deleted, and the proposal waits again."""
    return Proposals(parts).withdraw(who, proposal_id)
