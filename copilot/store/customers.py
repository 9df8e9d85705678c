"""Whose words are where: what erasing and exporting one customer looks for."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select, update

from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.unlearn import forget_untaught
from copilot.store.values import parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What is kept of a customer: ids of tickets, conversations and suggestions, and how many verdicts were given on those."""

    tickets: tuple[str, ...]
    conversations: tuple[str, ...]
    suggestions: tuple[str, ...]
    feedback: int


def pseudonym(workspace: str, customer: str) -> str:
    """The hash under which the ledger knows a customer's tickets."""
    return hashlib.sha256(f"{workspace}\n{customer.strip()}".encode()).hexdigest()


def note_customers(connection: Connection, workspace: str, of: Iterable[tuple[int, Collection[str]]]) -> None:
    """Remember whose tickets these documents, by key, are; one that changes hands is everybody's who had it."""
    c = t.customers.c
    named = {(key, pseudonym(workspace, one)) for key, customers in of for one in customers if one.strip()}
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
        names = [pseudonym(workspace, one) for one in customers]
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
            row = {"workspace": workspace, "customer": pseudonym(workspace, customer)}
            connection.execute(delete(t.erased).where(e.workspace == workspace, e.customer == row["customer"]))
            connection.execute(insert(t.erased).values(at=at or datetime.now(UTC), **row))
            forget_untaught(connection, workspace)
            read = (a.workspace == workspace) & (a.action == "customer.read") & (a.object == customer.strip())
            connection.execute(update(t.audit).where(read).values(object=None))
            connection.execute(update(t.jobs).where(j.kind == "erase", j.state != "queued").values(payload={}))
        return found


def traces(connection: Connection, workspace: str, customer: str) -> Traces:
    """What this database keeps of the customer."""
    d, c, v, s, f = t.documents.c, t.customers.c, t.conversations.c, t.suggestions.c, t.feedback.c
    owned = select(d.id).join(t.customers, c.document == d.key)
    owned = owned.where(d.workspace == workspace, c.customer == pseudonym(workspace, customer)).order_by(d.id)
    theirs = v.body["customer"]["id"].as_string() == customer.strip()
    threads = connection.execute(select(v.id).where(v.workspace == workspace, theirs).order_by(v.id)).scalars().all()
    made: list[str] = []
    verdicts = 0
    for thread in threads:
        ids = connection.execute(select(s.id).where(s.workspace == workspace, s.conversation == thread)).scalars().all()
        verdicts += len(connection.execute(select(f.id).where(f.suggestion.in_(ids))).all())
        made += ids
    tickets = tuple(connection.execute(owned).scalars())
    return Traces(tickets=tickets, conversations=tuple(threads), suggestions=tuple(sorted(made)), feedback=verdicts)
