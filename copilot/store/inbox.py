"""What each stored conversation says at a glance, kept beside it so that an inbox can be sorted, filtered and searched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select

from copilot.domain import Channel, Customer, Escalation, Triage
from copilot.errors import NotFound
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.records import CONVERSATION, Stored
from copilot.text import normalise

State = Literal["open", "resolved", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What is read of a conversation: its triage (none where no customer's message has words), since when the customer waits
    (none where the last word is ours), its latest customer message cut short, and the place in the queue (`rank`, the higher the sooner)."""

    channel: Channel
    subject: str
    customer: Customer
    snippet: str
    messages: int
    last_at: datetime
    waiting_since: datetime | None
    triage: Triage | None
    escalation: Escalation | None
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A conversation as the inbox shows it."""

    conversation_id: str
    created_at: datetime
    changed_at: datetime
    resolved_at: datetime | None
    glance: Glance


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which conversations are wanted; every word of `words` must occur in them."""

    state: State = "open"
    intent: str | None = None
    mood: str | None = None
    language: str | None = None
    escalated: bool | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """How many conversations of a state there are, by what can be filtered for."""

    conversations: int
    escalated: int
    urgent: int
    intents: dict[str, int]
    moods: dict[str, int]
    languages: dict[str, int]


GLANCE = TypeAdapter(Glance)
HIGHEST = 1000
"""Above every rank."""
_i, _v = t.inbox.c, t.conversations.c
_LISTED = (_v.id, _v.created_at, _v.changed_at, _v.resolved_at, _i.body)
_BOTH = t.inbox.join(t.conversations, and_(_i.workspace == _v.workspace, _i.conversation == _v.id))


class Glances:
    """Keeps and lists them, each within its workspace; with a conversation its glance is gone."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def unread(
        self, workspace: str, limit: int, since: datetime | None = None, *, id: str | None = None, customer: str | None = None
    ) -> list[Stored]:  # fmt: skip
        """Stored conversations whose present state has not been read yet, the newest first.

        Only those that changed `since`, the one of an `id`, or those of a `customer`, where given.
        """
        both = t.conversations.outerjoin(t.inbox, and_(_i.workspace == _v.workspace, _i.conversation == _v.id))
        query = select(t.conversations).select_from(both).where(_v.workspace == workspace)
        query = query.where(or_(_i.read_of.is_(None), _i.read_of != _v.changed_at)).order_by(
            _v.changed_at.desc(), _v.id
        )
        if since is not None:
            query = query.where(_v.changed_at >= since)
        if id is not None:
            query = query.where(_v.id == id)
        if customer is not None:
            query = query.where(_v.body["customer"]["id"].as_string() == customer)
        with self._db.read() as connection:
            rows = connection.execute(query.limit(limit)).all()
        return [
            Stored(CONVERSATION.validate_python(row.body), row.created_at, row.resolved_at, row.changed_at)
            for row in rows
        ]

    def keep(self, workspace: str, stored: Stored, glance: Glance, words: str) -> None:
        """Store what was read of the conversation; one that changed or went meanwhile is left for the next reading."""
        id, tags = stored.conversation.id, glance.triage
        row = {
            "workspace": workspace, "conversation": id, "read_of": stored.changed_at, "customer": glance.customer.id,
            "rank": glance.rank, "since": glance.waiting_since or glance.last_at,
            "escalated": bool(glance.escalation and glance.escalation.recommended),
            "urgency": tags.urgency.label if tags else None, "intent": tags.intent.label if tags else None,
            "mood": tags.sentiment.label if tags else None, "language": tags.language.label if tags else None,
            "words": words, "body": GLANCE.dump_python(glance, mode="json"),
        }  # fmt: skip
        state = select(_v.changed_at).where(_v.workspace == workspace, _v.id == id)
        with self._db.write() as connection:
            if connection.execute(state.with_for_update()).scalar() == stored.changed_at:
                connection.execute(delete(t.inbox).where(_i.workspace == workspace, _i.conversation == id))
                connection.execute(insert(t.inbox).values(row))

    def page(self, workspace: str, wanted: Filter, after: str | None, limit: int) -> list[Entry]:
        """The wanted conversations: who waits first, then by urgency, escalation and waiting time; from the place `after` on.

        Raises NotFound for a place that is none.
        """
        query = select(*_LISTED).select_from(_BOTH).where(*_conditions(workspace, wanted))
        with self._db.read() as connection:
            if after is not None:
                query = query.where(_behind(connection, workspace, after))
            found = connection.execute(query.order_by(_i.rank.desc(), _i.since, _i.conversation).limit(limit))
            return [_entry(row) for row in found]

    def one(self, workspace: str, id: str) -> Entry:
        """The conversation as the inbox shows it. Raises NotFound."""
        query = select(*_LISTED).select_from(_BOTH).where(_i.workspace == workspace, _i.conversation == id)
        with self._db.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFound(f"There is no conversation {id!r}.")
        return _entry(row)

    def facets(self, workspace: str, state: State) -> Facets:
        """What there is in that state."""
        query = select(_i.intent, _i.mood, _i.language, _i.urgency, _i.escalated).select_from(_BOTH)
        with self._db.read() as connection:
            rows = connection.execute(query.where(*_conditions(workspace, Filter(state=state)))).all()
        return Facets(
            conversations=len(rows), escalated=sum(row.escalated for row in rows),
            urgent=sum(row.urgency == "high" for row in rows), intents=_counts([row.intent for row in rows]),
            moods=_counts([row.mood for row in rows]), languages=_counts([row.language for row in rows]),
        )  # fmt: skip

    def changed(self, workspace: str, since: datetime) -> list[Entry]:
        """What arrived, was continued, resolved or opened again from that time on, the latest last."""
        query = select(*_LISTED).select_from(_BOTH).where(_i.workspace == workspace)
        query = query.where(or_(_v.changed_at >= since, _v.resolved_at >= since))
        with self._db.read() as connection:
            return [_entry(row) for row in connection.execute(query.order_by(_v.changed_at, _v.id))]

    def of_customer(self, workspace: str, customer: str, limit: int) -> list[Entry]:
        """A customer's conversations over all channels, the latest first."""
        query = select(*_LISTED).select_from(_BOTH).where(_i.workspace == workspace, _i.customer == customer)
        with self._db.read() as connection:
            found = connection.execute(query.order_by(_i.since.desc(), _i.conversation).limit(limit))
            return [_entry(row) for row in found]


def folded(words: str) -> str:
    """The words as they are compared: neither case nor the encoding of accents counts."""
    return normalise(words).casefold()


def _conditions(workspace: str, wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [_i.workspace == workspace]
    if wanted.state != "all":
        conditions.append(_v.resolved_at.is_(None) if wanted.state == "open" else _v.resolved_at.is_not(None))
    tags = ((_i.intent, wanted.intent), (_i.mood, wanted.mood), (_i.language, wanted.language))
    conditions += [column == label for column, label in tags if label is not None]
    if wanted.escalated is not None:
        conditions.append(_i.escalated.is_(wanted.escalated))
    return conditions + [_i.words.contains(folded(word), autoescape=True) for word in wanted.words]


def place(entry: Entry) -> str:
    """Where the conversation stands in the list's order, for `after`: it stays so when somebody answers it before the next page is asked for."""
    glance = entry.glance
    since = (glance.waiting_since or glance.last_at).astimezone(UTC).isoformat()
    in_address = since.replace("+00:00", "Z")  # where a plus is a space
    return f"{glance.rank}/{in_address}/{entry.conversation_id}"


def _behind(connection: Connection, workspace: str, after: str) -> ColumnElement[bool]:
    """Comes after this place in the list's order, or after where the conversation of this id stands now."""
    rank, since, id = _placed(after) or _standing(connection, workspace, after)
    later = or_(_i.since > since, and_(_i.since == since, _i.conversation > id))
    return or_(_i.rank < rank, and_(_i.rank == rank, later))


def _placed(after: str) -> tuple[int, datetime, str] | None:
    rank, _, rest = after.partition("/")
    since, _, id = rest.partition("/")
    try:
        at = datetime.fromisoformat(since)
        return (int(rank), at.astimezone(UTC), id) if at.tzinfo and abs(int(rank)) < HIGHEST else None
    except (ValueError, OverflowError):
        return None


def _standing(connection: Connection, workspace: str, id: str) -> tuple[int, datetime, str]:
    query = select(_i.rank, _i.since).where(_i.workspace == workspace, _i.conversation == id)
    last = connection.execute(query).first()
    if last is None:
        raise NotFound(f"There is no place {id!r} to go on after. Ask for the first page again.")
    return last.rank, last.since, id


def _counts(labels: Sequence[str | None]) -> dict[str, int]:
    """How often each label occurs, the most frequent first, equals by name."""
    counted = Counter(label for label in labels if label)
    return dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))


def _entry(row: Any) -> Entry:
    return Entry(
        conversation_id=row.id, created_at=row.created_at, changed_at=row.changed_at, resolved_at=row.resolved_at,
        glance=GLANCE.validate_python(row.body),
    )  # fmt: skip
