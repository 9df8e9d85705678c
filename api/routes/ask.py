"""The agent's own question, and where a caller belongs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from api.auth import Guarded
from api.bodies import AskBody, RouteBody
from api.deps import PartsOf, WantsEvents, Who
from api.errors import id_of
from api.examples import ASK, ROUTE
from api.stream import EventStream, documented, frames
from copilot.ask import Answer, told
from copilot.route import Route

router = APIRouter(prefix="/v1", tags=["search"], route_class=Guarded)

STEPS = ("passages", "statement", "done", "error")
STREAMED = documented("The answer, or with `Accept: text/event-stream` its statements one by one.", STEPS)


@router.post("/ask", response_model=Answer, responses=STREAMED)
def ask(
    body: Annotated[AskBody, Body(openapi_examples=ASK)], request: Request, parts: PartsOf, who: Who, events: WantsEvents
) -> Answer | Response:  # fmt: skip
    """What the documents that the caller may see say to a question; internal ones included, so it is for no customer."""
    answer = parts.asker.answer(who, body.noun())
    return EventStream(frames(told(answer), id_of(request.scope))) if events else answer


@router.post("/route")
def route(body: Annotated[RouteBody, Body(openapi_examples=ROUTE)], parts: PartsOf, who: Who) -> Route:
    """The department that a caller's words belong to, how sure that is, and one question where it is not."""
    return parts.copilot.route(who, body.noun())
