"""The browser's session: its cookie, and how a request of one of our own pages is told from one that another site made it send."""

from __future__ import annotations

import hmac
from datetime import timedelta

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from copilot.build import Parts
from copilot.errors import NotAllowed
from copilot.store.sessions import Session, Sessions

COOKIE = "copilot_session"
CSRF = "x-csrf-token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def sessions(parts: Parts) -> Sessions:
    """The sessions with the ends that the settings give them."""
    settings = parts.settings
    idle, most = timedelta(hours=settings.session_idle_hours), timedelta(days=settings.session_days)
    return Sessions(parts.database, idle, most)


def session_of(request: Request) -> Session | None:
    """Whose session's cookie came with the request, if it is in force."""
    token = request.cookies.get(COOKIE, "")
    return sessions(request.app.state.parts).find(token) if token else None


def require_own_page(request: Request, session: Session, sent: str | None = None) -> None:
    """Raise NotAllowed for an unsafe request without the session's token, which only our own pages know: in a form or else in a header."""
    if request.method in SAFE:
        return
    sent = request.headers.get(CSRF, "") if sent is None else sent
    if not hmac.compare_digest(sent.encode(), session.csrf.encode()) or not same_origin(request.headers):
        raise NotAllowed(
            "The request did not come from a page of the desk, or from one of an older session. Reload the page."
        )


def same_origin(headers: Headers) -> bool:
    """Whether the request comes from a page of this server, or from no page at all."""
    origin, host = headers.get("origin"), headers.get("host", "").lower()
    return origin is None or origin.lower() in (f"http://{host}", f"https://{host}")


def signed_in(request: Request, response: Response, token: str) -> Response:
    """The response with the session's cookie: out of scripts' reach, not sent along with other sites' requests."""
    longest = int(request.app.state.parts.settings.session_days * 86400)
    response.set_cookie(
        COOKIE, token, max_age=longest, path="/", secure=request.url.scheme == "https", httponly=True, samesite="lax"
    )
    return response


def signed_out(response: Response) -> Response:
    """The response that makes the browser forget its cookie."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return response
