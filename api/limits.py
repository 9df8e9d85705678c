"""How a request's body may come: not compressed, and not too long, told by its headers or counted as it comes, before anything is parsed."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import answer
from copilot.settings import Settings

UPLOAD = ("POST", "/v1/documents")
MULTIPART_EXTRA = 16_384
"""What a multipart body holds beside its file."""


class BodyLimit:
    """Answers 415 to a compressed body, and 413 to one above the settings' limit.

    That is `max_file_bytes` for uploads, `max_body_bytes` for all else.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if _coded(scope):
            return await answer(Request(scope), compressed())(scope, receive, send)
        limit = self._limit(scope)
        if _declared(scope) > limit:
            return await answer(Request(scope), too_long(limit))(scope, receive, send)
        await self.app(scope, _counted(receive, limit), send)

    def _limit(self, scope: Scope) -> int:
        if (scope["method"], scope["path"]) == UPLOAD:
            return self.settings.max_file_bytes + MULTIPART_EXTRA
        return self.settings.max_body_bytes


def too_long(limit: int) -> HTTPException:
    """The refusal. No CopilotError: FastAPI lets only its own through while it reads a body."""
    return HTTPException(
        413, f"The body is longer than the {limit} bytes that are taken here. Send less, or raise the server's limit."
    )


def compressed() -> HTTPException:
    """The refusal of a body that would have to be unpacked, to nobody knows what length."""
    said = "The body is compressed, and that is not taken here. Send it as it is, without Content-Encoding."
    return HTTPException(415, said, {"Accept-Encoding": "identity"})


def _coded(scope: Scope) -> bool:
    return Headers(scope=scope).get("content-encoding", "").strip().lower() not in ("", "identity")


def _declared(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length[:20]) if length.isascii() and length.isdigit() else 0


def _counted(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise too_long(limit)
        return message

    return counted
