"""What agents' decisions tell: how suggestions are taken, and how one document fares in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from api.auth import Guarded
from api.deps import PartsOf, Who
from api.routes.documents import Id
from api.visible import readable
from copilot.acceptance import Acceptance, Period, acceptance
from copilot.choices import Outcome, Tally, tallied
from copilot.domain import Verdict
from copilot.store.choices import Choices, Decision
from copilot.store.values import now

router = APIRouter(prefix="/v1/insights", tags=["insights"], route_class=Guarded)

SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A suggestion that cites the document, with what became of each statement that rests on it; no verdict: nobody has decided."""

    suggestion_id: str
    conversation_id: str
    created_at: datetime
    verdict: Verdict | None
    principal: str | None
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentUse:
    """How a document fares: its statements' outcomes with its text of today and ever, who looked it up, and the newest uses.

    `disputed` is the share of sent statements that agents changed or left out, at least (95 %), with its text of today.
    """

    document_id: str
    title: str
    today: Tally
    ever: Tally
    disputed: float
    looked_up: int
    uses: tuple[Use, ...]


@router.get("/acceptance")
def taken(
    parts: PartsOf, who: Who, days: Annotated[int, Query(ge=1, le=3650, description="How far back.")] = 90, period: Period = "day"
) -> Acceptance:  # fmt: skip
    """How suggestions were taken: sent as they were, with changes, or not; over time, by edit distance, by time to decide, by what was suggested."""
    return acceptance(Choices(parts.database).judgements(who.workspace, now() - timedelta(days=days)), period)


@router.get("/documents/{document_id:path}")
def document(document_id: Id, parts: PartsOf, who: Who) -> DocumentUse:
    """Who cited the document, and how often what rests on it was kept, changed, removed or not sent."""
    head = readable(parts.library, who, document_id).document
    choices = Choices(parts.database)
    ever = choices.decisions(who.workspace, [document_id])
    today = _tally(document_id, choices.decisions(who.workspace, [document_id], current=True))
    return DocumentUse(
        document_id=document_id, title=head.title, today=today, ever=_tally(document_id, ever), disputed=today.disputed,
        looked_up=sum(one.clicked_at is not None for one in ever),
        uses=tuple(_uses(choices, who.workspace, document_id, ever)),
    )  # fmt: skip


def _tally(document_id: str, decisions: list[Decision]) -> Tally:
    return tallied((one.document_id, one.outcome) for one in decisions).get(document_id, Tally())


def _uses(choices: Choices, workspace: str, document_id: str, decisions: list[Decision]) -> list[Use]:
    decided: dict[str, list[Decision]] = {}
    for one in decisions:
        decided.setdefault(one.suggestion, []).append(one)
    return [
        Use(
            suggestion_id=cited.suggestion, conversation_id=cited.conversation, created_at=cited.at,
            verdict=some[0].verdict if some else None, principal=some[0].principal if some else None,
            outcomes=tuple(one.outcome for one in some),
        )
        for cited in choices.citing(workspace, document_id, SHOWN)
        for some in [decided.get(cited.suggestion, [])]
    ]  # fmt: skip
