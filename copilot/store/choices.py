"""What agents decided, read back: labelled messages, judged evidence, and counts. Of several verdicts on one suggestion the last counts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from copilot.choices import Corrected, Fate, Outcome
from copilot.domain import Conversation, Verdict
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.records import CONVERSATION

SEARCHED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A message that an agent labelled: the conversation as it stood when it was answered, and what it is really about."""

    suggestion: str
    conversation: Conversation
    corrected: Corrected
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A decision on a draft: the conversation as it stood, and what became of each cited statement, document by document."""

    suggestion: str
    conversation: Conversation
    verdict: Verdict
    fates: tuple[Fate, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A decision without its words: what acceptance is counted from."""

    suggestion: str
    verdict: Verdict
    edit_distance: float
    shown_at: datetime | None
    decided_at: datetime
    copied: bool
    intent: str | None
    generator: str | None
    prompt_version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What became of one statement that a document supported, in which suggestion, by whom and when."""

    document_id: str
    revision: int
    outcome: Outcome
    suggestion: str
    conversation: str
    principal: str
    verdict: Verdict
    at: datetime
    clicked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """A suggestion whose draft cites a document."""

    suggestion: str
    conversation: str
    at: datetime


class Choices:
    """Reads what agents decided, each within its workspace. `until` leaves out what was decided later."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def corrections(self, workspace: str, until: datetime | None = None) -> list[Correction]:
        """Every message that an agent labelled, oldest first; of two labels for one thing the later counts."""
        f = t.feedback.c
        said = or_(f.corrected_intent.is_not(None), f.corrected_mood.is_not(None), f.corrected_escalation.is_not(None))
        query = _threads(workspace, until, f.corrected_intent, f.corrected_mood, f.corrected_escalation).where(said)
        found: dict[str, Correction] = {}
        with self._db.read() as connection:
            for row in connection.execute(query.order_by(f.id)):
                one = Corrected(
                    intent=row.corrected_intent, mood=row.corrected_mood, escalation=row.corrected_escalation
                )
                before = found.pop(row.suggestion, None)
                merged = _merged(before.corrected, one) if before else one
                found[row.suggestion] = Correction(
                    suggestion=row.suggestion, conversation=_as_it_stood(row.body, row.turns), corrected=merged, at=row.decided_at
                )  # fmt: skip
        return sorted(found.values(), key=lambda one: (one.at, one.suggestion))

    def choices(self, workspace: str, until: datetime | None = None) -> list[Choice]:
        """Every decision on a draft that cited something, oldest first."""
        f = t.feedback.c
        query = _threads(workspace, until, f.id, f.verdict).where(f.id.in_(_last(workspace, until)))
        with self._db.read() as connection:
            judged = _fates(connection, workspace, until)
            rows = connection.execute(query.order_by(f.decided_at, f.suggestion)).all()
        return [
            Choice(
                suggestion=row.suggestion, conversation=_as_it_stood(row.body, row.turns), verdict=row.verdict,
                fates=judged[row.id], at=row.decided_at,
            )
            for row in rows if row.id in judged
        ]  # fmt: skip

    def decisions(
        self, workspace: str, document_ids: Collection[str] | None = None, until: datetime | None = None, *, current: bool = False
    ) -> list[Decision]:  # fmt: skip
        """What became of each statement that these documents (None: all) supported, oldest first; `current`: that their text of today did."""
        f, s, fate, d = t.feedback.c, t.suggestions.c, t.fates.c, t.documents.c
        query = select(
            fate.document_id, fate.revision, fate.outcome, fate.clicked_at, f.suggestion, s.conversation, f.principal, f.verdict,
            f.decided_at.label("at"),
        ).select_from(t.fates)  # fmt: skip
        query = query.join(t.feedback, f.id == fate.feedback).join(t.suggestions, s.id == f.suggestion)
        query = query.where(f.id.in_(_last(workspace, until)))
        if document_ids is not None:
            query = query.where(fate.document_id.in_(sorted(document_ids)))
        if current:
            mine = and_(d.workspace == workspace, d.id == fate.document_id, d.active_revision == fate.revision)
            query = query.join(t.documents, mine)
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(f.decided_at, f.id, fate.statement, fate.document_id)).mappings()
            return [Decision(**row) for row in rows]

    def citing(self, workspace: str, document_id: str, limit: int) -> list[Cited]:
        """The newest suggestions that cite the document, of the newest few that show it."""
        s, m = t.suggestions.c, t.mentions.c
        query = select(s.id, s.conversation, s.created_at, s.body["draft"].label("draft"))
        query = query.join(t.mentions, m.suggestion == s.id).where(
            s.workspace == workspace, m.document_id == document_id
        )
        query = query.order_by(s.created_at.desc(), s.id).limit(SEARCHED * limit)
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        cited = (row for row in rows if _cites(row.draft, document_id))
        return [
            Cited(suggestion=row.id, conversation=row.conversation, at=row.created_at) for row in islice(cited, limit)
        ]

    def judgements(self, workspace: str, since: datetime | None = None) -> list[Judgement]:
        """Every decision since then, oldest first."""
        f = t.feedback.c
        columns = [f[name] for name in Judgement.__dataclass_fields__]
        query = select(*columns).where(f.id.in_(_last(workspace, None)))
        if since is not None:
            query = query.where(f.decided_at >= since)
        with self._db.read() as connection:
            return [
                Judgement(**row) for row in connection.execute(query.order_by(f.decided_at, f.suggestion)).mappings()
            ]


def _cites(draft: Any, document_id: str) -> bool:
    statements = draft["statements"] if draft else ()
    return any(citation["document_id"] == document_id for one in statements for citation in one["citations"])


def _last(workspace: str, until: datetime | None) -> Select[tuple[int]]:
    """The id of the last verdict on each suggestion."""
    f, s = t.feedback.c, t.suggestions.c
    query = select(func.max(f.id)).join(t.suggestions, s.id == f.suggestion)
    query = query.where(s.workspace == workspace, *_known(until))
    return query.group_by(f.suggestion)


def _threads(workspace: str, until: datetime | None, *columns: ColumnElement[object]) -> Select[tuple[object, ...]]:
    """Verdicts with the conversations that they belong to, where those are still kept."""
    f, s, v = t.feedback.c, t.suggestions.c, t.conversations.c
    query = select(f.suggestion, f.decided_at, s.turns, v.body, *columns).select_from(t.feedback)
    query = query.join(t.suggestions, s.id == f.suggestion)
    query = query.join(t.conversations, and_(v.workspace == s.workspace, v.id == s.conversation))
    return query.where(s.workspace == workspace, *_known(until))


def _known(until: datetime | None) -> Iterator[ColumnElement[bool]]:
    if until is not None:
        yield t.feedback.c.decided_at <= until


def _fates(connection: Connection, workspace: str, until: datetime | None) -> dict[int, tuple[Fate, ...]]:
    """What became of the statements, by verdict."""
    c = t.fates.c
    query = select(t.fates).where(c.feedback.in_(_last(workspace, until)))
    found: dict[int, tuple[Fate, ...]] = {}
    for row in connection.execute(query.order_by(c.feedback, c.statement, c.document_id)).mappings():
        fate = Fate(**{name: value for name, value in row.items() if name != "feedback"})
        found[row["feedback"]] = (*found.get(row["feedback"], ()), fate)
    return found


def _as_it_stood(body: object, turns: int | None) -> Conversation:
    """The conversation without what was said after the suggestion was made."""
    conversation = CONVERSATION.validate_python(body)
    return replace(conversation, messages=conversation.messages[:turns])


def _merged(earlier: Corrected, later: Corrected) -> Corrected:
    return Corrected(
        intent=later.intent or earlier.intent, mood=later.mood or earlier.mood,
        escalation=earlier.escalation if later.escalation is None else later.escalation,
    )  # fmt: skip
