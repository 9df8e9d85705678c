"""How long a request's body may be: told by its header or counted as it comes, before anything is parsed."""

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
    """Answers 413 to a body above the settings' limit: `max_file_bytes` for uploads, `max_body_bytes` for all else."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
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
