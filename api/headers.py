"""Headers that tell a browser what a response may do: nothing, but for the pages that need more."""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
SWAGGER = f"{NOTHING}; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
REPORT = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
)
"""An evaluation's report holds customers' words and a script of its own: it runs as a stranger to this server, and loads nothing."""
DESK = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types desk"
)
"""Nothing inline, nothing of others, and no text becomes markup but through the desk's one parser (js/dom.js)."""
PAGES = {"/": f"{NOTHING}; style-src 'self'", "/docs": SWAGGER}
_REPORTS = re.compile(r"/v1/evaluations/[0-9a-f]{32}/report")
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityHeaders:
    """Puts them on every response, and `no-store` on all that holds data."""

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
    if _REPORTS.fullmatch(path):
        return {
            **ALWAYS,
            "Content-Security-Policy": REPORT,
            "X-Frame-Options": "SAMEORIGIN",
            "Cache-Control": "no-store",
        }
    policy = DESK if _in_desk(path) else PAGES.get(path, NOTHING)
    return {**ALWAYS, "Content-Security-Policy": policy, **_caching(path)}


def _in_desk(path: str) -> bool:
    return path == "/desk" or path.startswith("/desk/")


def _caching(path: str) -> dict[str, str]:
    """Data and pages are kept nowhere; the desk's own files are asked for again each time, which costs a 304."""
    if path.startswith("/desk/assets/"):
        return {"Cache-Control": "no-cache"}
    return {"Cache-Control": "no-store"} if path.startswith("/v1/") or _in_desk(path) else {}
