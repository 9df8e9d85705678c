"""Headers that tell a browser what a response may do: nothing, but for the pages that need more."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
SWAGGER = f"{NOTHING}; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
PAGES = {"/": f"{NOTHING}; style-src 'self'", "/docs": SWAGGER}
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityHeaders:
    """Puts them on every response, and `no-store` on all of `/v1`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_headers(scope["path"]))
            await send(message)

        await self.app(scope, receive, dressed)


def _headers(path: str) -> dict[str, str]:
    headers = {**ALWAYS, "Content-Security-Policy": PAGES.get(path, NOTHING)}
    return headers | ({"Cache-Control": "no-store"} if path.startswith("/v1/") else {})
