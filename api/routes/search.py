"""Search: the agent's own question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import StringConstraints

from api.auth import Guarded
from api.bodies import Time, Words
from api.deps import PartsOf, Who
from copilot import retrieve
from copilot.cuts import Cut
from copilot.domain import Hit
from copilot.errors import EmptyMessage

router = APIRouter(prefix="/v1/search", tags=["search"], route_class=Guarded)

Sought = Literal["article", "ticket", "macro"]
Language = Annotated[str, StringConstraints(pattern="^[A-Za-z-]{2,16}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """The documents found, best first, and what it cost; with `explain` also what came near and was cut, and by which filters."""

    results: tuple[Hit, ...]
    timings_ms: dict[str, float]
    index_revision: str
    cut: tuple[Cut, ...] | None


@router.get("")
def search(
    parts: PartsOf,
    who: Who,
    q: Annotated[
        Words, Query(max_length=4000, description="A question or some words.", examples=["how do I reset it?"])
    ],
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
    kind: Annotated[list[Sought], Query(max_length=3, description="Articles and tickets where left out.")] = [],  # noqa: B006
    before: Annotated[Time | None, Query(description="Only what was known before this time.")] = None,
    language: Annotated[Language | None, Query(description="Only documents in this language or in none.")] = None,
    audience: Annotated[
        str | None, Query(max_length=64, description="Only public, internal or team:NAME documents.")
    ] = None,
    explain: Annotated[bool, Query(description="Also tell what came near and which filter cut it.")] = False,
) -> Searched:
    """Documents with their best passages, scores by arm, and offsets into the revision's text."""
    if not q.strip():
        raise EmptyMessage("There is nothing to search for. Send some words in q.")
    kinds = tuple(dict.fromkeys(kind)) or retrieve.KINDS
    asked = retrieve.Query(text=q, limit=limit, kinds=kinds, language=language, audience=audience, before=before)
    found = parts.copilot.search(who, asked)
    cut = parts.retriever.cuts(who, asked, found) if explain else None
    return Searched(results=found.results, timings_ms=found.timings_ms, index_revision=found.index_revision, cut=cut)
