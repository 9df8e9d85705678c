"""Insights: what keeps knowledge true, each finding with the words that show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from api.auth import Guarded
from api.deps import PartsOf, Who
from ingest.insights.nouns import Contradiction, Duplicate, Findings, Gap, Stale, Unused
from ingest.insights.proposals import Proposals
from ingest.insights.report import REPORTS, Insights

router = APIRouter(prefix="/v1/insights", tags=["insights"], route_class=Guarded)

Limit = Annotated[int, Query(ge=1, le=200, description="How many findings to show; `total` counts all.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many findings of each kind there are."""

    counts: dict[str, int]
    index_revision: str
    as_of: datetime


@router.get("")
def overview(parts: PartsOf, who: Who) -> Counts:
    """How many findings of each kind there are, and how many proposals wait."""
    insights = Insights.of(parts, who)
    found: dict[str, int] = {kind: report(insights, 1).total for kind, report in REPORTS.items()}
    waiting = len(Proposals(parts).list(who, "waiting"))
    revision = parts.library.clock(who.workspace)
    return Counts(counts={**found, "proposals": waiting}, index_revision=revision, as_of=insights.as_of)


@router.get("/gaps")
def gaps(parts: PartsOf, who: Who, limit: Limit = 50) -> Findings[Gap]:
    """Matters that customers asked about and that no answer was found for, the most asked first; personal data is taken out."""
    return Insights.of(parts, who).gaps(limit)


@router.get("/duplicates")
def duplicates(parts: PartsOf, who: Who, limit: Limit = 50) -> Findings[Duplicate]:
    """Pairs of articles, or of macros, that say the same."""
    return Insights.of(parts, who).duplicates(limit)


@router.get("/contradictions")
def contradictions(parts: PartsOf, who: Who, limit: Limit = 50) -> Findings[Contradiction]:
    """Articles against newer articles and tickets on the same matter: other numbers, dates, versions, steps, or a denial."""
    return Insights.of(parts, who).contradictions(limit)


@router.get("/stale")
def stale(parts: PartsOf, who: Who, limit: Limit = 50) -> Findings[Stale]:
    """Articles and macros past their validity, often edited away by agents, or old and heavily cited."""
    return Insights.of(parts, who).stale(limit)


@router.get("/unused")
def unused(parts: PartsOf, who: Who, limit: Limit = 50) -> Findings[Unused]:
    """Articles and macros that neither a suggestion nor an agent's reply has ever used."""
    return Insights.of(parts, who).unused(limit)
