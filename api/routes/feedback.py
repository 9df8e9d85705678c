"""Feedback: what the agent did with a suggestion, and what the knowledge lacks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body

from api.auth import Guarded
from api.bodies import FeedbackBody, GapBody, within
from api.deps import PartsOf, PathId, Who
from api.examples import FEEDBACK, GAP
from api.routes.learned import teach
from api.visible import seen_by
from copilot.choices import Corrected, Outcome, edit_distance
from copilot.domain import Suggestion, Verdict
from copilot.errors import InputError
from copilot.store.gaps import Gap
from copilot.store.mentioned import mentions

router = APIRouter(prefix="/v1/suggestions", tags=["suggestions"], route_class=Guarded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What became of a statement of the draft, for one of the documents that it cites."""

    statement: int
    document_id: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict as stored: how far what was sent is from the draft, 0 the same to 1 nothing left, and what became of each cited statement."""

    verdict: Verdict
    edit_distance: float
    statements: tuple[Decided, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The verdict that counts, as it was given."""

    verdict: Verdict
    final_text: str | None
    reason: str | None
    copied: bool
    corrected: Corrected
    decided_at: datetime | None


@router.get("/{suggestion_id}/feedback")
def latest(suggestion_id: PathId, parts: PartsOf, who: Who) -> Latest | None:
    """The last verdict on the suggestion, null where none was given; without its words where a source of theirs is gone or not for this reader."""
    found = parts.records.feedback(who.workspace, suggestion_id)
    if found is None:
        return None
    made = parts.records.suggestion(who.workspace, suggestion_id)
    shown = seen_by(who, parts.library, made) == made
    return Latest(
        verdict=found.verdict, final_text=found.final_text if shown else None, reason=found.reason if shown else None, copied=found.copied,
        corrected=found.corrected, decided_at=found.decided_at,
    )  # fmt: skip


@router.post("/{suggestion_id}/feedback")
def feedback(
    suggestion_id: PathId, body: Annotated[FeedbackBody, Body(openapi_examples=FEEDBACK)], parts: PartsOf, who: Who
) -> Judged:
    """Say what became of the suggestion: sent as it was, sent with changes, or not sent; and what it got wrong."""
    within([body.final_text or ""], parts.settings.max_message_chars)
    _require_known(body.corrected.intent, parts.copilot.intents(who.workspace))
    suggestion = parts.records.suggestion(who.workspace, suggestion_id)
    distance = _distance(suggestion, body)
    found = parts.records.keep_feedback(who.workspace, suggestion_id, who.id, body.noun(), distance)
    teach(parts, who.workspace, suggestion.conversation_id)
    shown = mentions(seen_by(who, parts.library, suggestion))
    statements = tuple(
        Decided(statement=fate.statement, document_id=fate.document_id, outcome=fate.outcome)
        for fate in found
        if fate.document_id in shown
    )
    return Judged(verdict=body.verdict, edit_distance=distance, statements=statements)


def _require_known(intent: str | None, labels: tuple[str, ...]) -> None:
    if intent is not None and intent not in labels:
        raise InputError(f"The taxonomy has no intent {intent!r}. It has: {', '.join(labels)}.")


@router.post("/{suggestion_id}/gap")
def gap(suggestion_id: PathId, body: Annotated[GapBody, Body(openapi_examples=GAP)], parts: PartsOf, who: Who) -> Gap:
    """Say that the knowledge lacks the answer; saying it again changes nothing but the note."""
    return parts.gaps.report(who.workspace, suggestion_id, body.note)


def _distance(suggestion: Suggestion, body: FeedbackBody) -> float:
    if body.verdict == "rejected":
        return 1.0
    if body.verdict == "accepted" and suggestion.draft is None:
        raise InputError(
            "There is no draft to accept: the suggestion abstained. Send `edited` with final_text, or `rejected`."
        )
    return (
        edit_distance(suggestion.draft.text if suggestion.draft else "", body.final_text or "")
        if body.verdict == "edited"
        else 0.0
    )
