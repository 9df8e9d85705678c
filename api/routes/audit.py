"""The audit log: who saw and did what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query

from api.auth import Guarded
from api.bodies import Words
from api.deps import PartsOf, Who
from copilot.store.audit import Audit, Entry

router = APIRouter(prefix="/v1/audit", tags=["audit"], route_class=Guarded)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """Entries, newest first; `next` is what to send as `before` for the page that follows, null at the end."""

    entries: tuple[Entry, ...]
    next: int | None


@router.get("")
def page(
    parts: PartsOf, who: Who,
    principal: Annotated[Words | None, Query(max_length=64, description="A key's or user's id.")] = None,
    before: Annotated[int | None, Query(ge=1, lt=2**31, description="The last id of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AuditPage:  # fmt: skip
    """Who saw and did what in this workspace."""
    found = Audit(parts.database).list(who.workspace, principal=principal, before=before, limit=limit + 1)
    shown = tuple(found[:limit])
    return AuditPage(entries=shown, next=shown[-1].id if len(found) > limit else None)
