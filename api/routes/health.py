"""Whether the server is alive, whether it can suggest, and its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter
from sqlalchemy import select
from starlette.responses import Response

from api.deps import MetricsOf, PartsOf
from api.errors import Problem
from copilot.build import Parts
from copilot.store import schema as t

router = APIRouter(tags=["operations"])

NOTHING_YET = "Nothing is ingested yet. Run `copilot ingest PATH`, or upload a file with POST /v1/documents."
NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {
        "description": "Not yet, and why.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """That it works."""

    status: Literal["ok", "ready"]


@router.get("/healthz")
async def alive() -> Health:
    """200 while the server runs."""
    return Health(status="ok")


@router.get("/readyz", response_model=Health, responses=NOT_READY)
def ready(parts: PartsOf) -> Health | Response:
    """200 once suggestions can be made: the model runs and there is a workspace with an index; else 503 with why."""
    why = _why_not(parts)
    if why is None:
        return Health(status="ready")
    return Problem(type="about:blank", title="Service Unavailable", status=503, detail=why).response(
        {"Retry-After": "5"}
    )


@router.get(
    "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
)
def numbers(metrics: MetricsOf) -> Response:
    """Counts and times in Prometheus' text format."""
    return Response(metrics.text(), media_type="text/plain; version=0.0.4")


def _why_not(parts: Parts) -> str | None:
    with parts.database.read() as connection:
        if connection.execute(select(t.workspaces.c.id).limit(1)).first() is None:
            return NOTHING_YET
    parts.embedder.embed(["ready"], "query")
    return None
