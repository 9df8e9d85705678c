"""The workspace's own cases as lessons: what was asked, what solved it, and which articles an agent's reply sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select

from copilot.domain import INTERNAL, PUBLIC
from copilot.store import schema as t
from copilot.store.arrivals import HEAD
from copilot.store.database import Database

STAFF = (PUBLIC, INTERNAL)
"""What is learned bears on everybody's results, so only what every agent may see teaches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question and what it was answered with: its articles, and of a solved ticket the resolution. `asked` is before any of that was known."""

    key: int
    id: str
    question: str
    resolution: str
    sent: tuple[str, ...]
    known: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article with what it says it is about."""

    key: int
    id: str
    title: str
    text: str
    products: tuple[str, ...]


class Cases:
    """Reads a workspace's cases and articles."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def tickets(self, workspace: str) -> list[Case]:
        """Every ticket that has a resolution or was sent an article, oldest first; those without a date come first."""
        d, r, link = t.documents.c, t.revisions.c, t.links.c
        mine = and_(d.workspace == workspace, d.kind == "ticket", d.audience.in_(STAFF))
        query = select(d.key, d.id, d.title, d.use, d.known_since, r.text, r.answer_start).where(mine)
        query = query.join(t.revisions, and_(d.key == r.document, d.active_revision == r.number))
        targets = select(link.document, link.target, link.at).join(t.documents, d.key == link.document).where(mine)
        sent: defaultdict[int, list[tuple[str, datetime | None]]] = defaultdict(list)
        with self._db.read() as connection:
            for row in connection.execute(targets.order_by(link.document, link.target)):
                sent[row.document].append((row.target, row.at))
            rows = connection.execute(query.order_by(d.known_since, d.id)).all()
        return [
            Case(
                key=row.key, id=row.id, sent=tuple(id for id, _ in sent[row.key]),
                known=_first([at for _, at in sent[row.key]]) if sent[row.key] else row.known_since,
                question=f"{row.title}\n\n{row.text[: row.answer_start] if row.use == 'answers' else row.text}".strip(),
                resolution=row.text[row.answer_start :].strip() if row.use == "answers" else "",
            )
            for row in rows
        ]  # fmt: skip

    def articles(self, workspace: str, ids: Collection[str] | None = None) -> list[Article]:
        """Every article that all agents may see (of these), by id."""
        d, r = t.documents.c, t.revisions.c
        query = select(d.key, d.id, d.title, r.text, r.head).join(
            t.revisions, and_(d.key == r.document, d.active_revision == r.number)
        )
        query = query.where(d.workspace == workspace, d.kind == "article", d.audience.in_(STAFF))
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(d.id)).all()
        return [
            Article(
                key=row.key, id=row.id, title=row.title, text=row.text, products=HEAD.validate_python(row.head).products
            )
            for row in rows
            if ids is None or row.id in ids
        ]


def _first(times: Collection[datetime | None]) -> datetime | None:
    known = [time for time in times if time is not None]
    return min(known) if len(known) == len(times) else None
