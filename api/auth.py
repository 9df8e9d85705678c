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
from copilot.build import Parts
from copilot.domain import Principal, Role
from copilot.errors import NotAllowed, NotFound
from copilot.settings import Settings

EVERY_ROLE: frozenset[Role] = frozenset(get_args(Role))
DESK: frozenset[Role] = frozenset({"agent", "admin"})
SUGGESTERS: frozenset[Role] = DESK | {"evaluator"}
KNOWLEDGE: frozenset[Role] = frozenset({"knowledge_manager", "admin"})
EVALUATION: frozenset[Role] = frozenset({"evaluator", "admin"})

ROLES: dict[str, frozenset[Role]] = {
    "POST /v1/suggestions": SUGGESTERS,
    "GET /v1/suggestions/{suggestion_id}": SUGGESTERS,
    "POST /v1/suggestions/{suggestion_id}/feedback": DESK,
    "POST /v1/suggestions/{suggestion_id}/regenerate": SUGGESTERS,
    "POST /v1/conversations": DESK,
    "GET /v1/conversations/{conversation_id}": DESK,
    "POST /v1/conversations/{conversation_id}/messages": DESK,
    "POST /v1/conversations/{conversation_id}/resolve": DESK,
    "GET /v1/search": EVERY_ROLE,
    "GET /v1/documents": EVERY_ROLE,
    "POST /v1/documents": KNOWLEDGE,
    "GET /v1/documents/{document_id}": EVERY_ROLE,
    "DELETE /v1/documents/{document_id}": KNOWLEDGE,
    "POST /v1/evaluations": EVALUATION,
    "GET /v1/evaluations": EVALUATION,
    "POST /v1/evaluations/compare": EVALUATION,
    "GET /v1/evaluations/{evaluation_id}": EVALUATION,
    "GET /v1/evaluations/{evaluation_id}/events": EVALUATION,
    "GET /v1/evaluations/{evaluation_id}/report": EVALUATION,
    "GET /v1/evaluations/{evaluation_id}/results": EVALUATION,
    "GET /v1/sources": KNOWLEDGE,
    "POST /v1/sources": KNOWLEDGE,
    "GET /v1/sources/{source_id}": KNOWLEDGE,
    "DELETE /v1/sources/{source_id}": KNOWLEDGE,
    "POST /v1/sources/{source_id}/sync": KNOWLEDGE,
    "GET /v1/jobs": KNOWLEDGE,
    "GET /v1/jobs/{job_id}": KNOWLEDGE,
    "GET /v1/jobs/{job_id}/events": KNOWLEDGE,
    "POST /v1/jobs/{job_id}/cancel": KNOWLEDGE,
    "POST /v1/jobs/{job_id}/resume": KNOWLEDGE,
}

MAKE_A_KEY = "Create a key with `copilot keys create` and send it as `Authorization: Bearer sc_…`."
_WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Guarded(APIRoute):
    """A route that knows who is asking, and whether they may, before it reads a byte of the body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler behind the door."""
        handle = super().get_route_handler()
        allowed = frozenset[Role]().union(*(ROLES[f"{method} {self.path_format}"] for method in self.methods or ()))

        async def guarded(request: Request) -> Response:
            request.state.principal = await run_in_threadpool(admit, request, allowed)
            return await handle(request)

        return guarded


def admit(request: Request, allowed: frozenset[Role]) -> Principal:
    """The one who asks. Raises Unauthenticated, Misdirected, NotFound, and NotAllowed where no role of theirs is among these."""
    parts: Parts = request.app.state.parts
    if parts.accounts.any():
        who = _by_key(parts, request.headers)
    else:
        who = _local(parts.settings, request.client.host if request.client else "", request.headers)
    if not who.roles & allowed:
        raise NotAllowed(f"This takes one of the roles {_listed(allowed)}; the key has {_listed(who.roles)}.")
    return who


def _by_key(parts: Parts, headers: Headers) -> Principal:
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    who = parts.accounts.who(secret.strip()) if scheme.lower() == "bearer" else None
    if who is None:
        raise Unauthenticated(f"This needs a key that is in force. {MAKE_A_KEY}")
    if headers.get("x-workspace", who.workspace) != who.workspace:
        raise NotFound(
            "There is no workspace of this name for this key. Leave X-Workspace out: the key names its workspace."
        )
    return who


def _local(settings: Settings, client: str, headers: Headers) -> Principal:
    """While there is no key, whoever sits at this machine may do everything; no web page in their browser may."""
    if not is_loopback(client):
        raise NotAllowed(f"While there is no key, only this machine is served. {MAKE_A_KEY}")
    host = headers.get("host", "")
    if _name(host) not in {_name(allowed) for allowed in settings.allowed_hosts}:
        raise Misdirected(
            f"While there is no key, only the host names in COPILOT_ALLOWED_HOSTS are answered to. {MAKE_A_KEY}"
        )
    if not _same_origin(headers.get("origin"), host):
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


def _same_origin(origin: str | None, host: str) -> bool:
    return origin is None or origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")


def _listed(roles: frozenset[Role]) -> str:
    return ", ".join(sorted(roles)) or "none"
