"""What nothing answered: noted by an abstention or reported by an agent, with the suggestion, and gone with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from copilot.domain import Suggestion
from copilot.errors import NotFound
from copilot.ports import Vectors
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.values import now

REASON = "an agent says that the knowledge lacks it"
REASON_CHARS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A message that the knowledge does not answer: why, what an agent noted, and when one reported it (null: the copilot alone did)."""

    suggestion_id: str
    reason: str
    note: str | None
    reported_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """The vector of a message and what made it: what gaps are clustered by."""

    embedder: str
    vector: Vectors


def note_gap(connection: Connection, workspace: str, made: Suggestion, asked: Asked | None) -> None:
    """Keep what an abstention says of the knowledge, with the vector of what was asked."""
    if made.abstention:
        row: dict[str, Any] = {"suggestion": made.id, "workspace": workspace, "created_at": made.created_at}
        row |= {"embedder": asked.embedder, "vector": asked.vector.astype("<f4").tobytes()} if asked else {}
        connection.execute(insert(t.gaps).values(reason=made.abstention.reason[:REASON_CHARS], **row))


class Gaps:
    """Keeps what agents report."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def report(self, workspace: str, suggestion: str, note: str | None) -> Gap:
        """Note that the knowledge lacks an answer; said again, only a new note changes anything. Raises NotFound."""
        g, s, at = t.gaps.c, t.suggestions.c, now()
        with self._db.write() as connection:
            mine = select(s.id).where(s.workspace == workspace, s.id == suggestion).with_for_update()
            if connection.execute(mine).first() is None:
                raise NotFound(f"There is no suggestion {suggestion!r}.")
            known = connection.execute(select(g.reported_at).where(g.suggestion == suggestion)).first()
            if known is None:
                made = {"suggestion": suggestion, "workspace": workspace, "reason": REASON, "created_at": at}
                connection.execute(insert(t.gaps).values(made))
            changed: dict[str, str | datetime] = {"note": note} if note is not None else {}
            if known is None or known.reported_at is None:
                changed["reported_at"] = at
            if changed:
                connection.execute(update(t.gaps).where(g.suggestion == suggestion).values(changed))
            row = connection.execute(select(t.gaps).where(g.suggestion == suggestion)).mappings().one()
        return Gap(
            suggestion_id=suggestion, reason=row["reason"], note=row["note"], reported_at=row["reported_at"],
            created_at=row["created_at"],
        )  # fmt: skip
