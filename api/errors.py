"""Errors as HTTP shows them: one map from the error tree to status codes, and problem+json (RFC 9457) for whatever goes wrong."""

from __future__ import annotations

import logging
import traceback
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.words import clean
from copilot import errors as e
from copilot.disk import storage_failure
from copilot.store.records import KeyReused

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
OURS = "urn:support-copilot:"
SHOWN = 20


class Unauthenticated(e.NotAllowed):
    """No key came with the request, or none that is in force."""


class Misdirected(e.NotAllowed):
    """The request was meant for another host name than this server answers to."""


STATUS: dict[type[e.CopilotError], int] = {
    e.CopilotError: 500,
    e.InputError: 422,
    e.EmptyMessage: 422,
    e.NeedsModel: 422,
    e.TooLarge: 413,
    e.UnreadableFile: 422,
    e.Overrun: 422,
    e.NotKnowledge: 422,
    e.NotFound: 404,
    e.NotAllowed: 403,
    Unauthenticated: 401,
    Misdirected: 421,
    e.Conflict: 409,
    e.MassDeletion: 409,
    KeyReused: 422,
    e.Cancelled: 409,
    e.SourceFailed: 503,
    e.Refused: 503,
    e.ForbiddenAddress: 422,
    e.DrafterFailed: 503,
    e.IndexesOwned: 503,
    e.IndexMismatch: 503,
    e.IndexBroken: 503,
    e.StorageFailed: 507,
    e.ConfigurationError: 500,
}
ADVICE = {
    400: "The body cannot be read as what its Content-Type says.",
    404: "There is nothing at this address. /docs lists what there is.",
    405: "This address does not take this method. /docs lists what it takes.",
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong with a request: where, and what."""

    where: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What every error looks like (RFC 9457); `errors` lists what is wrong with a request, field by field."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: tuple[Flaw, ...] | None = None

    def json(self) -> bytes:
        """As JSON, without the fields that say nothing."""
        return PROBLEM.dump_json(self, exclude_none=True)

    def response(self, headers: Mapping[str, str] | None = None) -> Response:
        """As an HTTP response."""
        return Response(self.json(), self.status, headers, MEDIA_TYPE)


PROBLEM = TypeAdapter(Problem)


def problem_of(error: Exception, request_id: str) -> Problem:
    """What the caller may know of an error. Whatever is the server's fault is logged, and told apart by the request's id alone."""
    error = storage_failure(error) or error
    if isinstance(error, e.CopilotError):
        found = _ours(error)
    elif isinstance(error, RequestValidationError):
        found = _invalid(error)
    elif isinstance(error, HTTPException):
        found = _plain(error.status_code, ADVICE.get(error.status_code, str(error.detail)))
    else:
        found = _plain(500, "")
    hidden = found if found.status < 500 else _hidden(found, error, request_id)
    return replace(hidden, detail=found.detail) if isinstance(error, e.StorageFailed) else hidden


def _ours(error: e.CopilotError) -> Problem:
    status = next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)
    slug = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in type(error).__name__).lstrip("-")
    return replace(_plain(status, str(error)), type=OURS + slug)


def _invalid(error: RequestValidationError) -> Problem:
    found = error.errors()
    if found and found[0]["type"] == "json_invalid":
        return _plain(400, f"The body is not JSON: {found[0]['ctx']['error']} at character {found[0]['loc'][1]}.")
    flaws = tuple(Flaw(_place(one["loc"]), clean(one["msg"])) for one in found[:SHOWN])
    listed = f"{len(found)} thing{'s are' if len(found) > 1 else ' is'} wrong with the request; `errors` says where and what."
    return replace(_plain(422, listed), type=OURS + "invalid-request", errors=flaws)


def _place(loc: Sequence[int | str]) -> str:
    return ".".join(clean(str(part))[:100] for part in loc[:20])


def _plain(status: int, detail: str) -> Problem:
    return Problem(type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=clean(detail))


def _hidden(found: Problem, error: Exception, request_id: str) -> Problem:
    """An unforeseen error's message may hold a customer's words, so only its kind and the lines of code are logged."""
    said = str(error) if isinstance(error, e.CopilotError) else "".join(traceback.format_tb(error.__traceback__))
    log.error("request %s failed: %s: %s", request_id, type(error).__name__, said)
    detail = f"This failed on the server's side. Its log says more about request {request_id}."
    return replace(found, detail=detail, instance=f"urn:request:{request_id}")


def id_of(scope: Scope) -> str:
    """The id that this request has in the log and in `X-Request-ID`."""
    return str(scope["state"]["request_id"])


def answer(request: Request, error: Exception) -> Response:
    """The problem as the response to a request."""
    headers = getattr(error, "headers", None) or {}
    if isinstance(error, Unauthenticated):
        headers = {"WWW-Authenticate": "Bearer"}
    return problem_of(error, id_of(request.scope)).response(headers)


def install(app: FastAPI) -> None:
    """Make the app answer every error that a route raises with a problem."""
    for kind in (e.CopilotError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)


class Unforeseen:
    """Gives each request its id, and turns an error that nothing else caught into a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        scope.setdefault("state", {})["request_id"] = uuid.uuid4().hex[:12]
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["X-Request-ID"] = id_of(scope)
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except ClientDisconnect:
            pass  # nobody is left to be told
        except Exception as error:
            problem = problem_of(error, id_of(scope))
            if not started:  # else the server drops the connection, which is all that can be said by now
                await problem.response()(scope, receive, noted)
