"""Puts the HTTP interface together: `create_app` is handed the parts and keeps nothing outside the app that it returns."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from api import errors, pages
from api.deps import Retire
from api.headers import SecurityHeaders
from api.limits import BodyLimit
from api.metrics import Counted, Metrics
from api.routes import (
    acceptance,
    ask,
    audit,
    check,
    conversations,
    desk,
    documents,
    evaluations,
    feedback,
    health,
    inbox,
    insights,
    jobs,
    learned,
    proposals,
    revisions,
    search,
    sources,
    suggestions,
)
from api.turns import Turns
from copilot.build import Parts

ABOUT = """
A customer's message goes in, a suggestion comes out: a reply whose every statement is linked to the words that it rests on, what the
customer wants and how they feel, and whether a person should step in. Errors are problem+json (RFC 9457).
""".strip()
ROUTES = (
    suggestions, check, feedback, inbox, conversations, learned, acceptance, search, ask, revisions, documents, sources, jobs, evaluations,
    insights, proposals, audit, health,
)  # fmt: skip
"""In the order of the description; `inbox` before `conversations`, whose ids would take its addresses."""
PROBLEM = {
    "description": "What is wrong, and what to do about it.",
    "content": {errors.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class Described(FastAPI):
    """An app whose OpenAPI description knows what every error looks like."""

    def openapi(self) -> dict[str, Any]:
        """The description, with the shape of a problem in it."""
        described = super().openapi()
        schema = errors.PROBLEM.json_schema(ref_template="#/components/schemas/{model}")
        described["components"]["schemas"] |= {**schema.pop("$defs"), "Problem": schema}
        return described


def create_app(parts: Parts, retire: Retire) -> FastAPI:
    """The app over these parts; `retire(workspace, document_ids)` deletes documents for good."""
    app = Described(
        title="Support Copilot", version="1", description=ABOUT, docs_url=None, redoc_url=None,
        responses={"4XX": PROBLEM, "5XX": PROBLEM},
    )  # fmt: skip
    metrics = Metrics()
    app.state.parts, app.state.retire, app.state.metrics = parts, retire, metrics
    app.state.turns = Turns(parts.settings)
    errors.install(app)
    for middleware, options in _layers(parts, metrics):
        app.add_middleware(middleware, **options)
    for module in ROUTES:
        app.include_router(module.router)
    pages.install(app)
    desk.install(app)
    return app


def _layers(parts: Parts, metrics: Metrics) -> list[tuple[Any, dict[str, Any]]]:
    """What each request passes, from the inside out."""
    return [
        (BodyLimit, {"settings": parts.settings}),
        (errors.Unforeseen, {}),
        (Counted, {"metrics": metrics}),
        (SecurityHeaders, {}),
    ]
