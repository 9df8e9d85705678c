"""Who is asking, and who may do what. Every route of `/v1` stands in ROLES, or the server does not start."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Coroutine
from typing import Any, get_args
from urllib.parse import urlsplit

from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from api.errors import Misdirected, Unauthenticated
from api.sessions import COOKIE, require_own_page, same_origin, session_of
from copilot.build import Parts
from copilot.domain import Principal, Role
from copilot.errors import NotAllowed, NotFound
from copilot.store.audit import Audit

EVERY_ROLE: frozenset[Role] = frozenset(get_args(Role))
DESK: frozenset[Role] = frozenset({"agent", "admin"})
SUGGESTERS: frozenset[Role] = DESK | {"evaluator"}
KNOWLEDGE: frozenset[Role] = frozenset({"knowledge_manager", "admin"})
EVALUATION: frozenset[Role] = frozenset({"evaluator", "admin"})

ROLES: dict[str, frozenset[Role]] = {
    "POST /v1/suggestions": SUGGESTERS,
    "GET /v1/suggestions/{suggestion_id}": SUGGESTERS,
    "POST /v1/suggestions/{suggestion_id}/check": DESK,
    "GET /v1/suggestions/{suggestion_id}/feedback": DESK,
    "POST /v1/suggestions/{suggestion_id}/feedback": DESK,
    "POST /v1/suggestions/{suggestion_id}/regenerate": SUGGESTERS,
    "GET /v1/conversations": DESK,
    "POST /v1/conversations": DESK,
    "GET /v1/conversations/events": DESK,
    "GET /v1/conversations/{conversation_id}": DESK,
    "GET /v1/conversations/{conversation_id}/glance": DESK,
    "GET /v1/conversations/{conversation_id}/suggestion": DESK,
    "GET /v1/customers/{customer_id}/timeline": DESK,
    "POST /v1/conversations/{conversation_id}/messages": DESK,
    "POST /v1/conversations/{conversation_id}/resolve": DESK,
    "GET /v1/tags": EVERY_ROLE,
    "POST /v1/conversations/{conversation_id}/summary": DESK,
    "POST /v1/suggestions/{suggestion_id}/gap": DESK,
    "GET /v1/learned": DESK | KNOWLEDGE,
    "DELETE /v1/learned/{conversation_id}": DESK | KNOWLEDGE,
    "GET /v1/insights/acceptance": EVALUATION | KNOWLEDGE,
    "GET /v1/insights/documents/{document_id}": KNOWLEDGE,
    "GET /v1/search": EVERY_ROLE,
    "POST /v1/ask": EVERY_ROLE,
    "POST /v1/route": SUGGESTERS,
    "GET /v1/documents": EVERY_ROLE,
    "POST /v1/documents": KNOWLEDGE,
    "GET /v1/documents/{document_id}": EVERY_ROLE,
    "GET /v1/documents/{document_id}/rendered": EVERY_ROLE,
    "GET /v1/documents/{document_id}/chunks": EVERY_ROLE,
    "GET /v1/documents/{document_id}/changes": EVERY_ROLE,
    "DELETE /v1/documents/{document_id}": KNOWLEDGE,
    "POST /v1/evaluations": EVALUATION,
    "GET /v1/evaluations": EVALUATION,
    "POST /v1/evaluations/compare": EVALUATION,
    "GET /v1/evaluations/{evaluation_id}": EVALUATION,
    "GET /v1/evaluations/{evaluation_id}/cases": EVALUATION,
    "GET /v1/evaluations/{evaluation_id}/cases/{case_id}": EVALUATION,
    "GET /v1/evaluations/{evaluation_id}/events": EVALUATION,
    "GET /v1/evaluations/{evaluation_id}/report": EVALUATION,
    "GET /v1/evaluations/{evaluation_id}/results": EVALUATION,
    "GET /v1/sources": KNOWLEDGE,
    "POST /v1/sources": KNOWLEDGE,
    "GET /v1/sources/{source_id}": KNOWLEDGE,
    "DELETE /v1/sources/{source_id}": KNOWLEDGE,
    "POST /v1/sources/{source_id}/sync": KNOWLEDGE,
    "GET /v1/audit": frozenset({"admin"}),
    "GET /v1/insights": KNOWLEDGE,
    "GET /v1/insights/gaps": KNOWLEDGE,
    "GET /v1/insights/duplicates": KNOWLEDGE,
    "GET /v1/insights/contradictions": KNOWLEDGE,
    "GET /v1/insights/stale": KNOWLEDGE,
    "GET /v1/insights/unused": KNOWLEDGE,
    "GET /v1/proposals": KNOWLEDGE,
    "POST /v1/proposals": KNOWLEDGE,
    "POST /v1/proposals/{proposal_id}/approve": KNOWLEDGE,
    "POST /v1/proposals/{proposal_id}/reject": KNOWLEDGE,
    "POST /v1/proposals/{proposal_id}/withdraw": KNOWLEDGE,
    "GET /v1/jobs": KNOWLEDGE,
    "GET /v1/jobs/{job_id}": KNOWLEDGE,
    "GET /v1/jobs/{job_id}/events": KNOWLEDGE,
    "POST /v1/jobs/{job_id}/cancel": KNOWLEDGE,
    "POST /v1/jobs/{job_id}/resume": KNOWLEDGE,
}

AUDITED: dict[str, str] = {
    "POST /v1/suggestions": "suggest",
    "GET /v1/suggestions/{suggestion_id}": "suggestion.read",
    "GET /v1/suggestions/{suggestion_id}/feedback": "suggestion.read",
    "POST /v1/suggestions/{suggestion_id}/feedback": "suggestion.judge",
    "POST /v1/suggestions/{suggestion_id}/regenerate": "suggestion.regenerate",
    "GET /v1/conversations/{conversation_id}/suggestion": "suggestion.read",
    "GET /v1/customers/{customer_id}/timeline": "customer.read",
    "POST /v1/conversations": "conversation.add",
    "GET /v1/conversations/{conversation_id}": "conversation.read",
    "POST /v1/conversations/{conversation_id}/messages": "conversation.write",
    "POST /v1/conversations/{conversation_id}/resolve": "conversation.resolve",
    "DELETE /v1/learned/{conversation_id}": "learned.undo",
    "POST /v1/conversations/{conversation_id}/summary": "conversation.read",
    "POST /v1/suggestions/{suggestion_id}/gap": "suggestion.gap",
    "POST /v1/ask": "ask",
    "POST /v1/documents": "document.upload",
    "GET /v1/documents/{document_id}": "document.read",
    "GET /v1/documents/{document_id}/rendered": "document.read",
    "GET /v1/documents/{document_id}/changes": "document.read",
    "DELETE /v1/documents/{document_id}": "document.delete",
    "POST /v1/evaluations": "evaluation.start",
    "GET /v1/evaluations/{evaluation_id}/cases/{case_id}": "evaluation.read",
    "GET /v1/evaluations/{evaluation_id}/report": "evaluation.read",
    "GET /v1/evaluations/{evaluation_id}/results": "evaluation.read",
    "POST /v1/sources": "source.add",
    "DELETE /v1/sources/{source_id}": "source.delete",
    "POST /v1/sources/{source_id}/sync": "source.sync",
    "GET /v1/audit": "audit.read",
}
"""What is written into the audit log, with the id in the route's address. Lists and searches name nobody, so they are not."""

MAKE_A_KEY = "Create a key with `copilot keys create` and send it as `Authorization: Bearer sc_…`."
_WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Guarded(APIRoute):
    """A route that knows who is asking, and whether they may, before it reads a byte of the body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler behind the door."""
        handle = super().get_route_handler()
        operation = " ".join((*sorted(self.methods or ()), self.path_format))
        allowed = ROLES[operation]

        async def guarded(request: Request) -> Response:
            request.state.principal = await run_in_threadpool(admit, request, allowed)
            response = await handle(request)
            action = AUDITED.get(operation)
            if action and response.status_code < 400:
                await run_in_threadpool(note, request, action)
            return response

        return guarded


def note(request: Request, action: str) -> None:
    """Into the audit log: who did this, to which id."""
    who: Principal = request.state.principal
    object = next(iter(request.path_params.values()), None)
    Audit(request.app.state.parts.database).note(who.workspace, who.id, action, object)


def admit(request: Request, allowed: frozenset[Role]) -> Principal:
    """The one who asks. Raises Unauthenticated, Misdirected, NotFound, and NotAllowed where no role of theirs is among these."""
    who = asker(request)
    if not who.roles & allowed:
        raise NotAllowed(f"This takes one of the roles {listed(allowed)}; you have {listed(who.roles)}.")
    return who


def asker(request: Request) -> Principal:
    """Whose key or session came with the request; while there are neither keys nor users, whoever sits at this machine."""
    parts: Parts = request.app.state.parts
    if not parts.accounts.any():
        return local(request)
    by_key = "authorization" in request.headers or COOKIE not in request.cookies
    who = _by_key(parts, request.headers) if by_key else _by_session(request)
    if request.headers.get("x-workspace", who.workspace) != who.workspace:
        raise NotFound("There is no workspace of this name for you. Leave X-Workspace out: who asks names it.")
    return who


def _by_key(parts: Parts, headers: Headers) -> Principal:
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    who = parts.accounts.who(secret.strip()) if scheme.lower() == "bearer" else None
    if who is None:
        raise Unauthenticated(f"This needs a key that is in force. {MAKE_A_KEY}")
    return who


def _by_session(request: Request) -> Principal:
    session = session_of(request)
    if session is None:
        raise Unauthenticated("The session is over. Sign in again at /desk/sign-in.")
    require_own_page(request, session)
    return session.principal


def local(request: Request) -> Principal:
    """While there are no keys and no users, whoever sits at this machine may do everything; no web page in their browser may."""
    settings, headers = request.app.state.parts.settings, request.headers
    if not is_loopback(request.client.host if request.client else ""):
        raise NotAllowed(f"While there is no key, only this machine is served. {MAKE_A_KEY}")
    host = headers.get("host", "")
    if _name(host) not in {_name(allowed) for allowed in settings.allowed_hosts}:
        raise Misdirected(
            f"While there is no key, only the host names in COPILOT_ALLOWED_HOSTS are answered to. {MAKE_A_KEY}"
        )
    if not same_origin(headers):
        raise NotAllowed(f"While there is no key, pages of other origins are not served. {MAKE_A_KEY}")
    workspace = headers.get("x-workspace", settings.workspace)
    if not _WORKSPACE.fullmatch(workspace):
        raise NotFound(
            "There is no workspace of this name: names are letters, digits, dots, dashes and underscores, 64 at most."
        )
    return Principal(id="local", workspace=workspace, roles=EVERY_ROLE)


def is_loopback(host: str) -> bool:
    """Whether the address or name is this machine's own, reachable from nowhere else."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _name(host: str) -> str | None:
    """A Host header's name without its port."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def listed(roles: frozenset[Role]) -> str:
    """Roles for a person to read."""
    return ", ".join(sorted(roles)) or "none"
