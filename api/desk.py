"""The desk's pages: each stands in PAGES with who may open it. A page is a shell; its data comes over `/v1`, into a module of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.auth import DESK, EVALUATION, EVERY_ROLE, KNOWLEDGE, listed, local
from api.errors import Unauthenticated
from api.sessions import session_of
from copilot.build import Parts
from copilot.domain import Principal, Role
from copilot.errors import NotAllowed

WEB = Path(__file__).parent / "web" / "desk"
HOME = "/desk"
ADMIN: frozenset[Role] = frozenset({"admin"})
_templates = Environment(
    loader=FileSystemLoader(WEB / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip
_NEXT = re.compile(r"/desk(?:[/?][!-~]{0,500})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskPage:
    """One page: `templates/pages/NAME.html` and `assets/js/pages/NAME.js`, at an address. In the navigation it has a group, an icon and a key."""

    name: str
    path: str
    title: str
    roles: frozenset[Role]
    group: str | None = None
    icon: str = "file"
    key: str | None = None
    under: str | None = None
    """The page of the navigation that this one belongs to."""


PAGES: tuple[DeskPage, ...] = (
    DeskPage(name="inbox", path="/inbox", title="Inbox", roles=DESK, group="Conversations", icon="inbox", key="g i"),
    DeskPage(name="conversation", path="/conversations/{conversation_id:path}", title="Conversation", roles=DESK, under="inbox"),
    DeskPage(name="ask", path="/ask", title="Ask", roles=DESK, group="Conversations", icon="ask", key="g a"),
    DeskPage(name="paste", path="/paste", title="Paste a message", roles=DESK, group="Conversations", icon="paste", key="g p"),
    DeskPage(name="sources", path="/sources", title="Sources", roles=KNOWLEDGE, group="Knowledge", icon="source", key="g s"),
    DeskPage(name="source", path="/sources/{source_id}", title="Source", roles=KNOWLEDGE, under="sources"),
    DeskPage(name="documents", path="/documents", title="Documents", roles=EVERY_ROLE, group="Knowledge", icon="file", key="g d"),
    DeskPage(name="document", path="/documents/{document_id:path}", title="Document", roles=EVERY_ROLE, under="documents"),
    DeskPage(name="retrieval", path="/retrieval", title="Retrieval test", roles=EVERY_ROLE, group="Knowledge", icon="search", key="g r"),
    DeskPage(name="insights", path="/insights", title="Insights", roles=KNOWLEDGE, group="Knowledge", icon="bulb", key="g k"),
    DeskPage(name="evaluations", path="/evaluations", title="Evaluations", roles=EVALUATION, group="Quality", icon="chart", key="g e"),
    DeskPage(name="evaluation", path="/evaluations/{evaluation_id}", title="Evaluation", roles=EVALUATION, under="evaluations"),
    DeskPage(name="acceptance", path="/acceptance", title="Acceptance", roles=EVALUATION, group="Quality", icon="check", key="g c"),
    DeskPage(name="audit", path="/audit", title="Audit log", roles=ADMIN, group="Admin", icon="log", key="g l"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who looks at a page, and the token that it sends along with what it does; `alone` is single-user mode."""

    principal: Principal
    name: str
    csrf: str = ""
    alone: bool = False


def visitor(request: Request) -> Visitor:
    """Who looks. Raises Unauthenticated where they must sign in first, NotAllowed and Misdirected where single-user mode does not serve them."""
    parts: Parts = request.app.state.parts
    if not parts.accounts.any():
        return Visitor(principal=local(request), name="You", alone=True)
    session = session_of(request)
    if session is None:
        raise Unauthenticated("Sign in first.")
    return Visitor(principal=session.principal, name=session.name, csrf=session.csrf)


def open_page(request: Request, page: DeskPage) -> Response:
    """The page for its visitor. Raises NotAllowed where it is not for their roles."""
    who = visitor(request)
    if not who.principal.roles & page.roles:
        raise NotAllowed(
            f"This page is for the roles {listed(page.roles)}; you have {listed(who.principal.roles)}. An admin can add a role to you."
        )
    parts: Parts = request.app.state.parts
    shown: dict[str, Any] = {"menu": menu(who), "params": request.path_params, "model": parts.settings.llm is not None}
    return render(f"pages/{page.name}.html", page=page, who=who, **shown)


def menu(who: Visitor) -> dict[str, list[DeskPage]]:
    """The navigation: the pages that the visitor may open, by group."""
    groups: dict[str, list[DeskPage]] = {}
    for page in PAGES:
        if page.group and page.roles & who.principal.roles:
            groups.setdefault(page.group, []).append(page)
    return groups


def first_page(who: Visitor) -> str:
    """Where the visitor's day begins."""
    return HOME + next(page.path for pages in menu(who).values() for page in pages)


def own_address(given: str) -> str:
    """An address of the desk to go on to; whatever is none becomes its first page."""
    return given if _NEXT.fullmatch(given) else HOME


def render(template: str, status: int = 200, **context: Any) -> Response:
    """A template as a response."""
    return HTMLResponse(_templates.get_template(template).render(home=HOME, **context), status)
