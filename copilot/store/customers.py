"""Whose words are where: what erasing and exporting one customer looks for."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select, update

from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.unlearn import forget_untaught
from copilot.store.values import parts
from copilot.store.withdraw import LEARNED
from copilot.text import normalise

BEFORE = "before"
"""Stands beside a stored conversation's fields where its customer was another or known otherwise before: by which ids and names."""
LONGEST = 500
"""Fewer letters than the audit log cuts an id at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What is kept of a customer: ids of tickets, conversations and suggestions, and how many verdicts were given on those."""

    tickets: tuple[str, ...]
    conversations: tuple[str, ...]
    suggestions: tuple[str, ...]
    feedback: int


def spelt(customer: str) -> str:
    """An id, address or name in the one spelling by which people are told apart: case, accents' encoding and spacing do not count."""
    return " ".join(unicodedata.normalize("NFC", normalise(customer).casefold()).split())


def is_one(known: Mapping[str, str | None], said: Mapping[str, str | None]) -> bool:
    """Whether both are of one person: an id tells, else a name; so an id never comes to stand beside the name of somebody else."""
    for name in ("id", "name"):
        one, other = known.get(name), said.get(name)
        if one is not None and other is not None:
            return spelt(one) == spelt(other)
    return any(one.get("id") is None and one.get("name") is None for one in (known, said))


def pseudonym(workspace: str, customer: str) -> str:
    """The hash under which the ledger notes a customer's tickets."""
    return _hashed(workspace, spelt(customer))


def pseudonyms(workspace: str, customer: str) -> tuple[str, ...]:
    """All hashes under which the ledger may know the customer: rows of an earlier version hold the hash of the words as they were written."""
    return tuple(dict.fromkeys((pseudonym(workspace, customer), _hashed(workspace, customer.strip()))))


def _hashed(workspace: str, words: str) -> str:
    return hashlib.sha256(f"{workspace}\n{words}".encode()).hexdigest()


def note_customers(connection: Connection, workspace: str, of: Iterable[tuple[int, Collection[str]]]) -> None:
    """Remember whose tickets these documents, by key, are; one that changes hands is everybody's who had it."""
    c = t.customers.c
    named = {(key, pseudonym(workspace, one)) for key, customers in of for one in customers if spelt(one)}
    for some in parts({key for key, _ in named}):
        known = connection.execute(select(c.document, c.customer).where(c.document.in_(some)))
        named -= {(row.document, row.customer) for row in known}
    if named:
        connection.execute(insert(t.customers), [{"document": key, "customer": one} for key, one in sorted(named)])


class Customers:
    """Finds and forgets one customer's data within a workspace."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def traces(self, workspace: str, customer: str) -> Traces:
        """What is kept of the customer."""
        with self._db.read() as connection:
            return traces(connection, workspace, customer)

    def is_erased(self, workspace: str, customers: Collection[str]) -> bool:
        """Whether one of them asked to be forgotten."""
        c = t.erased.c
        names = [known for one in customers for known in pseudonyms(workspace, one)]
        if not names:
            return False
        with self._db.read() as connection:
            return (
                connection.execute(select(c.customer).where(c.workspace == workspace, c.customer.in_(names))).first()
                is not None
            )

    def forget(self, workspace: str, customer: str, at: datetime | None = None) -> Traces:
        """Delete their conversations with all suggestions and feedback, and bar their tickets from coming back; tickets are told, not deleted."""
        s, e, v, j, a = t.suggestions.c, t.erased.c, t.conversations.c, t.jobs.c, t.audit.c
        with self._db.write() as connection:
            found = traces(connection, workspace, customer)
            for id in found.suggestions:
                connection.execute(delete(t.suggestions).where(s.id == id))
            both = sorted({*found.tickets, *found.conversations})
            made = t.learned.c
            connection.execute(delete(t.learned).where(made.workspace == workspace, made.document_id.in_(both)))
            for id in found.conversations:
                connection.execute(delete(t.conversations).where(v.workspace == workspace, v.id == id))
            known = pseudonyms(workspace, customer)  # a document that does not change keeps its former hash
            connection.execute(delete(t.erased).where(e.workspace == workspace, e.customer.in_(known)))
            rows = [{"workspace": workspace, "customer": one, "at": at or datetime.now(UTC)} for one in known]
            connection.execute(insert(t.erased), rows)
            forget_untaught(connection, workspace)
            looked = select(a.id, a.object).where(a.workspace == workspace, a.action == "customer.read")
            theirs = [
                row.id for row in connection.execute(looked) if row.object and _is_cut(spelt(row.object), customer)
            ]
            for some in parts(theirs):
                connection.execute(update(t.audit).where(a.id.in_(some)).values(object=None))
            connection.execute(update(t.jobs).where(j.kind == "erase", j.state != "queued").values(payload={}))
        return found


def _is_cut(noted: str, customer: str) -> bool:
    """Whether the log names this customer; it notes the beginning of a very long id."""
    return noted == spelt(customer) or (len(noted) >= LONGEST and spelt(customer).startswith(noted))


def traces(connection: Connection, workspace: str, customer: str, *, alone: bool = False) -> Traces:
    """What this database keeps of the customer: their tickets by the hashes of id, address and name, their conversations by id and name.

    `alone`: without the conversations that somebody else had too, and what came of those.
    """
    d, c, s, f = t.documents.c, t.customers.c, t.suggestions.c, t.feedback.c
    owned = select(d.id).join(t.customers, c.document == d.key)
    owned = owned.where(d.workspace == workspace, c.customer.in_(pseudonyms(workspace, customer)))
    found = _threads(connection, workspace, spelt(customer))
    shared = {id for id, is_shared in found.items() if alone and is_shared}
    threads = [id for id in found if id not in shared]
    made: list[str] = []
    verdicts = 0
    for thread in threads:
        ids = connection.execute(select(s.id).where(s.workspace == workspace, s.conversation == thread)).scalars().all()
        verdicts += len(connection.execute(select(f.id).where(f.suggestion.in_(ids))).all())
        made += ids
    tickets = {*connection.execute(owned).scalars(), *_made_of(connection, workspace, threads)} - shared
    return Traces(
        tickets=tuple(sorted(tickets)), conversations=tuple(threads), suggestions=tuple(sorted(made)), feedback=verdicts
    )


def _made_of(connection: Connection, workspace: str, threads: Collection[str]) -> Iterator[str]:
    """The tickets that were made of replies in these conversations: whose those are may have become known later."""
    d = t.documents.c
    for some in parts(threads):
        made = select(d.id).where(d.workspace == workspace, d.root == LEARNED, d.id.in_(some))
        yield from connection.execute(made).scalars()


def _threads(connection: Connection, workspace: str, customer: str) -> dict[str, bool]:
    """The conversations that are, or were, of whoever is spelt so, by id or by name, and whether each was of more than one person."""
    v = t.conversations.c
    query = select(v.id, v.body["customer"], v.body[BEFORE]).where(v.workspace == workspace).order_by(v.id)
    rows = connection.execute(query.execution_options(yield_per=1000))
    return {
        id: any(not is_one(one, now) for one in before or ())
        for id, now, before in rows
        if customer and customer in _names((now, *(before or ())))
    }


def _names(people: Iterable[Mapping[str, str | None]]) -> set[str]:
    return {spelt(known) for one in people for name in ("id", "name") if (known := one.get(name))}
