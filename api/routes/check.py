"""Checking an edited reply while it is written."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body

from api.auth import Guarded
from api.bodies import CheckBody
from api.deps import PartsOf, PathId, Who
from api.examples import CHECK
from api.visible import seen_by
from copilot.build import Parts
from copilot.check import Checked, check
from copilot.domain import PUBLIC, Evidence, Principal, Suggestion
from copilot.errors import NotFound

router = APIRouter(prefix="/v1/suggestions", tags=["suggestions"], route_class=Guarded)


@router.post("/{suggestion_id}/check")
def check_reply(
    suggestion_id: PathId, body: Annotated[CheckBody, Body(openapi_examples=CHECK)], parts: PartsOf, who: Who
) -> Checked:
    """How each stretch of an edited reply stands against the suggestion's sources; nothing is kept of it."""
    made = seen_by(who, parts.library, parts.records.suggestion(who.workspace, suggestion_id))
    return check(body.text, made.draft, _sources(parts, who, made), _said(parts, who, made))


def _sources(parts: Parts, who: Principal, made: Suggestion) -> list[Evidence]:
    """The public articles that were found for the suggestion, and whatever it cites, each as the revision that was shown."""
    heads = {(hit.document_id, hit.revision): (hit.title, hit.url) for hit in made.passages if hit.audience == PUBLIC}
    cited = {
        (one.document_id, one.revision): (one.title, one.url)
        for statement in (made.draft.statements if made.draft else ())
        for one in statement.citations
    }
    heads = {**cited, **heads}
    texts, _ = parts.library.texts(who.workspace, set(heads))
    return [
        Evidence(
            document_id=id, revision=number, start=start, end=len(text), text=text[start:], title=heads[id, number][0],
            url=heads[id, number][1], kind="ticket" if start else "article",
        )
        for (id, number), (text, start) in sorted(texts.items())
    ]  # fmt: skip


def _said(parts: Parts, who: Principal, made: Suggestion) -> str:
    """What the conversation holds already; nothing where it is gone."""
    try:
        conversation = parts.records.conversation(who.workspace, made.conversation_id).conversation
    except NotFound:
        return ""
    return "\n".join([conversation.customer.name or "", conversation.subject, *(m.text for m in conversation.messages)])
