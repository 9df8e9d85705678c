"""Tickets made of sent replies: which reply a conversation was closed with, and where each such ticket comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, delete, func, insert, select, update

from copilot.domain import Suggestion
from copilot.errors import NotFound
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.mentioned import SUGGESTION
from copilot.store.values import now
from copilot.store.withdraw import LEARNED

SENT = ("accepted", "edited")
USED = ("kept", "changed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What an agent sent: its words, the suggestion that it came from, and the documents, by revision, that it still rests on."""

    suggestion: Suggestion
    turns: int | None
    text: str
    intent: str
    rests_on: tuple[tuple[str, int], ...]
    principal: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a ticket comes from: its conversation (whose id it has), the suggestion, who sent the reply, and when it was undone."""

    document_id: str
    suggestion: str
    principal: str
    at: datetime
    undone_at: datetime | None
    in_force: bool
    """Whether it is still there: it also goes with what it rests on."""


class Learned:
    """Keeps where the tickets came from, each within its workspace."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def reply(self, workspace: str, conversation: str) -> Reply | None:
        """The last reply that was accepted or edited in the conversation; None where there is none, or a source of it was deleted since."""
        f, s, fate = t.feedback.c, t.suggestions.c, t.fates.c
        mine = and_(s.workspace == workspace, s.conversation == conversation)
        last = select(func.max(f.id)).join(t.suggestions, s.id == f.suggestion).where(mine).group_by(f.suggestion)
        query = select(f.id, f.final_text, f.principal, f.verdict, f.decided_at, f.corrected_intent, s.body, s.turns)
        query = query.join(t.suggestions, s.id == f.suggestion).where(f.id.in_(last), f.verdict.in_(SENT))
        with self._db.read() as connection:
            row = connection.execute(query.order_by(f.id.desc()).limit(1)).first()
            if row is None:
                return None
            used = select(fate.document_id, fate.revision).where(fate.feedback == row.id, fate.outcome.in_(USED))
            rests_on = tuple(
                (id, number) for id, number in connection.execute(used.distinct().order_by(*used.selected_columns))
            )
        made = SUGGESTION.validate_python(row.body)
        statements = made.draft.statements if made.draft else ()
        text = row.final_text if row.verdict == "edited" else made.draft and made.draft.text
        if not text or any(one.support == "withdrawn" for one in statements):
            return None
        return Reply(
            suggestion=made, turns=row.turns, text=text, intent=row.corrected_intent or made.triage.intent.label, rests_on=rests_on,
            principal=row.principal, at=row.decided_at,
        )  # fmt: skip

    def list(self, workspace: str, limit: int = 100) -> list[Origin]:
        """The newest first."""
        c = t.learned.c
        query = _origins(workspace).order_by(c.at.desc(), c.document_id).limit(limit)
        with self._db.read() as connection:
            return [Origin(**row) for row in connection.execute(query).mappings()]

    def get(self, workspace: str, document_id: str) -> Origin:
        """Where the ticket comes from. Raises NotFound."""
        query = _origins(workspace).where(t.learned.c.document_id == document_id)
        with self._db.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise NotFound(f"No ticket was made of a reply in the conversation {document_id!r}.")
        return Origin(**row)

    def came_of(self, workspace: str, document_id: str, suggestion: str) -> bool:
        """Whether this suggestion's reply was made a ticket before: what was undone or went with its sources does not come back."""
        c = t.learned.c
        query = select(c.at).where(c.workspace == workspace, c.document_id == document_id, c.suggestion == suggestion)
        with self._db.read() as connection:
            return connection.execute(query).first() is not None

    def note(self, workspace: str, document_id: str, reply: Reply) -> None:
        """Remember where the ticket comes from."""
        c = t.learned.c
        row = {"workspace": workspace, "document_id": document_id, "principal": reply.principal}
        with self._db.write() as connection:
            connection.execute(delete(t.learned).where(c.workspace == workspace, c.document_id == document_id))
            connection.execute(insert(t.learned).values(suggestion=reply.suggestion.id, at=now(), **row))

    def undone(self, workspace: str, document_id: str) -> None:
        """Remember that the ticket was taken back."""
        c = t.learned.c
        mine = and_(c.workspace == workspace, c.document_id == document_id)
        with self._db.write() as connection:
            connection.execute(update(t.learned).where(mine).values(undone_at=now()))


def _origins(workspace: str) -> Select[Any]:
    c, d = t.learned.c, t.documents.c
    there = and_(d.workspace == c.workspace, d.id == c.document_id, d.root == LEARNED, d.active_revision.is_not(None))
    columns = (c.document_id, c.suggestion, c.principal, c.at, c.undone_at, d.key.is_not(None).label("in_force"))
    return select(*columns).select_from(t.learned).outerjoin(t.documents, there).where(c.workspace == workspace)
