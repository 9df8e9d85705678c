"""The desk: its pages, signing in and out, and errors as pages."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from api.desk import HOME, PAGES, WEB, DeskPage, first_page, open_page, own_address, render, visitor
from api.errors import Unauthenticated, id_of, problem_of
from api.sessions import COOKIE, require_own_page, same_origin, session_of, sessions, signed_in, signed_out
from copilot.build import Parts
from copilot.errors import CopilotError
from copilot.store.attempts import Attempts
from copilot.store.audit import Audit
from copilot.store.people import People, folded

FIELD = 2000
SIGN_IN = f"{HOME}/sign-in"
WRONG = "The name or the password is not right, or the user was disabled."


class Paged(APIRoute):
    """A route whose errors are pages; whoever is not signed in is led to where they can be."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler with that."""
        handle = super().get_route_handler()

        async def paged(request: Request) -> Response:
            try:
                return await handle(request)
            except Unauthenticated:
                asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                return RedirectResponse(f"{SIGN_IN}?next={quote(own_address(asked))}", 303)
            except (CopilotError, HTTPException) as error:
                problem = problem_of(error, id_of(request.scope))
                return render("error.html", problem.status, problem=problem)

        return paged


router = APIRouter(prefix=HOME, route_class=Paged, include_in_schema=False, default_response_class=Response)


@router.get("")
def home(request: Request) -> Response:
    """On to where the visitor's day begins."""
    return RedirectResponse(first_page(visitor(request)), 303)


@router.get("/sign-in")
def sign_in(request: Request, next: str = HOME) -> Response:
    """The form; nobody has to sign in where that is not needed."""
    parts: Parts = request.app.state.parts
    if not parts.accounts.any() or session_of(request):
        return RedirectResponse(own_address(next), 303)
    return _form(parts, next)


@router.post("/sign-in")
async def check(request: Request) -> Response:
    """Open a session for the right password; a name that was tried too often waits."""
    async with request.form(max_files=0, max_fields=4, max_part_size=10_000) as form:
        given = {name: str(form.get(name, ""))[:FIELD] for name in ("name", "password", "next")}
    return await run_in_threadpool(_checked, request, **given)


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session."""
    async with request.form(max_files=0, max_fields=2) as form:
        token = str(form.get("csrf", ""))
    return await run_in_threadpool(_ended, request, token)


def _checked(request: Request, name: str, password: str, next: str) -> Response:
    parts: Parts = request.app.state.parts
    if not same_origin(request.headers):
        return _form(parts, next, name, "The form came from another site. Sign in here.", 403)
    name, address, attempts = folded(name), request.client.host if request.client else "", Attempts(parts.database)
    wait = attempts.wait(name, address)
    if wait:
        response = _form(parts, next, name, f"Too many tries. Wait {_spoken(wait)}, then try again.", 429)
        response.headers["Retry-After"] = str(wait)
        return response
    user = People(parts.database).check(name, password)
    if user is None:
        attempts.failed(name, address)
        return _form(parts, next, name, WRONG, 401)
    attempts.passed(name, address)
    Audit(parts.database).note(user.workspace, user.id, "sign-in")
    return signed_in(request, RedirectResponse(own_address(next), 303), sessions(parts).open(user.id))


def _ended(request: Request, token: str) -> Response:
    session = session_of(request)
    if session:
        require_own_page(request, session, token)
        sessions(request.app.state.parts).end(request.cookies[COOKIE])
    return signed_out(RedirectResponse(SIGN_IN, 303))


def _form(parts: Parts, next: str, name: str = "", error: str = "", status: int = 200) -> Response:
    nobody = not People(parts.database).list()
    return render("sign-in.html", status, next=own_address(next), name=name, error=error, nobody=nobody)


def _spoken(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 100 else f"{round(seconds / 60)} minutes"


def _opener(page: DeskPage) -> Callable[[Request], Response]:
    def opened(request: Request) -> Response:
        return open_page(request, page)

    return opened


for one in PAGES:
    router.add_api_route(one.path, _opener(one), methods=["GET"])


@router.get("/{rest:path}")
def unknown(rest: str) -> Response:
    """Nothing else is here."""
    raise HTTPException(404)


def install(app: FastAPI) -> None:
    """Add the desk to the app."""
    app.mount(f"{HOME}/assets", StaticFiles(directory=WEB / "assets"), name="desk-assets")
    app.include_router(router)
