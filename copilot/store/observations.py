"""What insights are drawn from: documents with their words, what suggestions used of them, and what found no answer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import and_, func, select, update

from copilot.domain import Conversation, Document, Nearest
from copilot.ports import Vectors
from copilot.store import schema as t
from copilot.store.arrivals import HEAD
from copilot.store.database import Database
from copilot.store.records import CONVERSATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A document in force with its words, and when its first revision was stored."""

    key: int
    document: Document
    revision: int
    text: str
    answer_start: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstained:
    """A suggestion that gave no answer and that no later one took the place of, with its conversation as it stood."""

    suggestion_id: str
    conversation: Conversation
    at: datetime
    vector: Vectors | None
    nearest: tuple[Nearest, ...]


class Observations:
    """Reads them, each within its workspace."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def documents(self, workspace: str, audiences: frozenset[str] | None) -> list[Standing]:
        """What these audiences (None: all) may see, by id, documents past their validity too."""
        d, r = t.documents.c, t.revisions.c
        first = select(r.document, func.min(r.created_at).label("since")).group_by(r.document).subquery()
        query = select(d.key, r.head, r.number, r.text, r.answer_start, first.c.since).select_from(t.documents)
        query = query.join(t.revisions, and_(r.document == d.key, r.number == d.active_revision)).join(
            first, first.c.document == d.key
        )
        query = query.where(d.workspace == workspace, d.use == "answers")
        if audiences is not None:
            query = query.where(d.audience.in_(sorted(audiences)))
        with self._db.read() as connection:
            return [
                Standing(
                    key=row.key, document=HEAD.validate_python(row.head), revision=row.number, text=row.text,
                    answer_start=row.answer_start, since=row.since,
                )
                for row in connection.execute(query.order_by(d.id))
            ]  # fmt: skip

    def used(self, workspace: str) -> list[tuple[str, datetime]]:
        """Each time that a suggestion rested on a document or recommended it."""
        m, s = t.mentions.c, t.suggestions.c
        query = select(m.document_id, s.created_at).join(t.suggestions, s.id == m.suggestion)
        query = query.where(s.workspace == workspace, m.used).order_by(m.document_id, s.created_at)
        with self._db.read() as connection:
            return [(row.document_id, row.created_at) for row in connection.execute(query)]

    def made(self, workspace: str) -> list[datetime]:
        """When each suggestion was made."""
        s = t.suggestions.c
        with self._db.read() as connection:
            return list(
                connection.execute(
                    select(s.created_at).where(s.workspace == workspace).order_by(s.created_at)
                ).scalars()
            )

    def linked(self, workspace: str) -> frozenset[str]:
        """The articles that agents' replies in tickets sent."""
        d = t.documents.c
        query = select(t.links.c.target).join(t.documents, d.key == t.links.c.document).where(d.workspace == workspace)
        with self._db.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def unanswered(self, workspace: str, embedder: str, limit: int) -> list[Abstained]:
        """The newest suggestions without an answer, where their conversations are still kept; no vector where another embedder made it."""
        g, s, v = t.gaps.c, t.suggestions.c, t.conversations.c
        query = select(
            g.suggestion, g.created_at, g.embedder, g.vector, s.turns, s.body["abstention"].label("abstention"), v.body
        )
        query = query.select_from(t.gaps).join(t.suggestions, s.id == g.suggestion)
        query = query.join(t.conversations, and_(v.workspace == s.workspace, v.id == s.conversation))
        query = query.where(g.workspace == workspace, s.body["superseded_by"].as_string().is_(None))
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(g.created_at.desc(), g.suggestion).limit(limit)).all()
        return [
            Abstained(
                suggestion_id=row.suggestion, conversation=_as_it_stood(row.body, row.turns), at=row.created_at,
                vector=np.frombuffer(row.vector, dtype="<f4") if row.vector and row.embedder == embedder else None,
                nearest=tuple(Nearest(**one) for one in row.abstention["nearest"]) if row.abstention else (),
            )
            for row in rows
        ]  # fmt: skip

    def keep_vectors(self, embedder: str, vectors: dict[str, Vectors]) -> None:
        """Store the vectors of messages by their suggestion, so that they are made once."""
        with self._db.write() as connection:
            for id, vector in vectors.items():
                values = {"embedder": embedder, "vector": vector.astype("<f4").tobytes()}
                connection.execute(update(t.gaps).where(t.gaps.c.suggestion == id).values(**values))


def _as_it_stood(body: object, turns: int | None) -> Conversation:
    conversation = CONVERSATION.validate_python(body)
    return Conversation(
        id=conversation.id, channel=conversation.channel, subject=conversation.subject, customer=conversation.customer,
        messages=conversation.messages[:turns],
    )  # fmt: skip


def seen(nearest: tuple[Nearest, ...], ids: Collection[str]) -> tuple[Nearest, ...]:
    """Those of the documents that are among these."""
    return tuple(one for one in nearest if one.document_id in ids)
