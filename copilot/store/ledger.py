"""The ledger of documents: what is true, which revision is in force, and what the indexes still have to let go of."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from copilot.crash import point
from copilot.errors import InputError
from copilot.ports import Shelf, Vectors
from copilot.store import arrivals as a
from copilot.store import schema as t
from copilot.store.arrivals import HEAD, Arrival, Staged, shelves
from copilot.store.customers import note_customers
from copilot.store.database import Database
from copilot.store.mismatch import mismatch
from copilot.store.values import now, parts
from copilot.store.withdraw import (
    drop_empty,
    falling,
    has_learned,
    release,
    requeue,
    resting_on,
    unlearn,
    unsay,
    withdraw,
)

WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
VISIBILITY = "audience", "valid_from", "valid_until"
EXISTING = select(t.documents.c.key, t.documents.c.audience, t.documents.c.root, t.documents.c.origin).where(
    t.documents.c.workspace == bindparam("workspace"), t.documents.c.id == bindparam("id")
)
"""Put together once: it is asked of every document that is read."""


@dataclass(frozen=True, slots=True)
class Known:
    """A document as the ledger has it."""

    key: int
    id: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Existing:
    """The document under an id, if there is one, who may see it, and where it comes from."""

    key: int | None
    audiences: tuple[str, ...]
    root: str | None = None
    origin: str = ""


class Ledger:
    """Writes documents, revisions, chunks and vectors; the indexes follow it."""

    def __init__(self, database: Database, embedder: str) -> None:
        self._db, self._embedder = database, embedder

    def open(self, workspace: str) -> None:
        """Make the workspace if it is new. Raises IndexMismatch where another embedder made its vectors, InputError for a bad name."""
        if not WORKSPACE.fullmatch(workspace):
            raise InputError(
                f"{workspace!r} is no name for a workspace. Use up to 64 letters, digits, dots, dashes and underscores."
            )
        with self._db.write() as connection:
            made_by = connection.execute(select(t.workspaces.c.embedder).where(t.workspaces.c.id == workspace)).scalar()
            if made_by is None:
                values = {"id": workspace, "clock": 0, "embedder": self._embedder, "created_at": now()}
                connection.execute(insert(t.workspaces).values(values))
            elif made_by != self._embedder:
                raise mismatch(connection, workspace, self._embedder)

    def require_maker(self) -> None:
        """Raise IndexMismatch where another embedder made a workspace's vectors: whoever rewrites an index must not drop them."""
        c = t.workspaces.c
        with self._db.read() as connection:
            query = select(c.id).where(c.embedder.is_not(None), c.embedder != self._embedder).order_by(c.id)
            other = connection.execute(query.limit(1)).scalar()
        if other is not None:
            self.open(other)

    def known(self, workspace: str, root: str) -> dict[str, Known]:
        """What is in force from this root, by origin."""
        c = t.documents.c
        query = select(c.key, c.id, c.origin, c.fingerprint).where(c.workspace == workspace, c.root == root)
        with self._db.read() as connection:
            rows = connection.execute(query.where(c.active_revision.is_not(None)))
            return {r.origin: Known(r.key, r.id, r.fingerprint) for r in rows}

    def stage(self, workspace: str, arrivals: Sequence[Arrival]) -> list[Staged]:
        """Write pending revisions with their chunks, all in one transaction."""
        point("stage.before")
        with self._db.write() as connection:
            staged = a.numbered(connection, workspace, arrivals)
            a.insert_revisions(connection, staged)
            point("stage.inside")
            note_customers(connection, workspace, [(one.key, one.arrival.source.customers) for one in staged])
            a.insert_chunks(connection, staged)
        point("stage.after")
        return staged

    def switch(self, workspace: str, staged: Sequence[Staged]) -> Collection[int]:
        """Make the pending revisions the active ones, all in one transaction, and doom the chunks of those they replace.

        A ticket made of a reply goes when what the reply rests on says something else now, or to others, and with it what was made of it: the
        keys of all that went. What arrives in this batch is replaced instead. What was public and is not any more leaves the stored drafts.
        """
        fallen: dict[int, str] = {}
        point("switch.before")
        with self._db.write() as connection:
            if has_learned(connection, workspace):
                changed = {one.document.id for one in staged if _says_otherwise(connection, one)}
                arrived = {one.key for one in staged}
                resting = resting_on(connection, workspace, changed, arrived)
                fallen = falling(connection, workspace, resting, arrived)
                _remove(connection, workspace, fallen)
            newest = {one.key: one for one in staged}
            for id in a.narrowed(connection, newest):
                unsay(connection, workspace, id)
            passed = {(one.key, one.number) for one in staged if newest[one.key] is not one}
            olds = passed | a.in_force(connection, newest)
            for key, number in sorted(olds):
                _clear(connection, workspace, key, number)
            a.mark(connection, olds, "retired")
            a.mark(connection, {(key, one.number) for key, one in newest.items()}, "active")
            point("switch.inside")
            a.take_heads(connection, newest)
            _tick(connection, workspace)
        point("switch.after")
        return fallen.keys()

    def retire(self, workspace: str, keys: Collection[int]) -> None:
        """Delete documents for good: texts, revisions, chunks, the articles put together from them, and what stored suggestions quote."""
        if not keys:
            return
        point("retire.before")
        with self._db.write() as connection:
            _remove(connection, workspace, falling(connection, workspace, keys))
            _tick(connection, workspace)
        point("retire.after")
        self._db.forget()
        point("retire.forgotten")

    def key(self, workspace: str, id: str) -> int | None:
        """The document's key, or None."""
        c = t.documents.c
        with self._db.read() as connection:
            return connection.execute(select(c.key).where(c.workspace == workspace, c.id == id)).scalar()

    def head(self, workspace: str, id: str) -> Existing:
        """What is known of the document under this id; nothing where there is none."""
        with self._db.read() as connection:
            row = connection.execute(EXISTING, {"workspace": workspace, "id": id}).first()
        return Existing(row.key, (row.audience,), row.root, row.origin) if row else Existing(None, ())

    def recover(self) -> None:
        """After a crash: drop pending revisions, whose chunks may have reached an index, as if they had never begun."""
        with self._db.write() as connection:
            c = t.revisions.c
            for key, number in connection.execute(select(c.document, c.number).where(c.status == "pending")).all():
                mine = select(t.documents.c.workspace).where(t.documents.c.key == key)
                workspace = connection.execute(mine).scalar_one()
                _clear(connection, workspace, key, number)
                connection.execute(delete(t.revisions).where(c.document == key, c.number == number))
                point("recover.inside")
            connection.execute(delete(t.documents).where(t.documents.c.active_revision.is_(None)))
            used = select(t.chunks.c.id).where(t.chunks.c.vector == t.vectors.c.hash).exists()
            connection.execute(delete(t.vectors).where(~used))
        point("recover.after")

    def doomed(self) -> dict[Shelf, list[str]]:
        """Chunk ids that the indexes still hold though nothing stands behind them."""
        found: dict[Shelf, list[str]] = {}
        with self._db.read() as connection:
            for row in connection.execute(select(t.doomed).order_by(t.doomed.c.id)):
                found.setdefault(Shelf(row.workspace, row.kind, row.side), []).append(row.id)
        return found

    def gone(self, shelf: Shelf, ids: Iterable[str]) -> None:
        """The indexes have let go of these."""
        c = t.doomed.c
        with self._db.write() as connection:
            for some in parts(ids):
                connection.execute(delete(t.doomed).where(c.side == shelf.side, c.id.in_(some)))

    def vectors(self, hashes: Collection[str]) -> dict[str, Vectors]:
        """The stored vectors of these embedded texts, by hash."""
        c = t.vectors.c
        found: dict[str, Vectors] = {}
        with self._db.read() as connection:
            for some in parts(hashes):
                rows = connection.execute(
                    select(c.hash, c.vector).where(c.embedder == self._embedder, c.hash.in_(some))
                )
                found.update({row.hash: np.frombuffer(row.vector, dtype="<f4") for row in rows})
        return found

    def keep_vectors(self, vectors: dict[str, Vectors]) -> None:
        """Store new vectors; known hashes are left alone."""
        with self._db.write() as connection:
            known: set[str] = set()
            for some in parts(vectors):
                query = select(t.vectors.c.hash).where(
                    t.vectors.c.embedder == self._embedder, t.vectors.c.hash.in_(some)
                )
                known |= set(connection.execute(query).scalars())
            rows = [
                {"embedder": self._embedder, "hash": hash, "vector": vector.astype("<f4").tobytes()}
                for hash, vector in vectors.items()
                if hash not in known
            ]
            if rows:
                connection.execute(insert(t.vectors), rows)


def _says_otherwise(connection: Connection, staged: Staged) -> bool:
    """Whether the pending revision differs from the active one in its words, in who may see it or in how long it holds."""
    c = t.revisions.c
    active = select(t.documents.c.active_revision).where(t.documents.c.key == staged.key).scalar_subquery()
    query = select(c.content_hash, c.head).where(c.document == staged.key)
    old = connection.execute(query.where(c.number == active)).first()
    if old is None:
        return False
    new = connection.execute(query.where(c.number == staged.number)).one()
    return old.content_hash != new.content_hash or any(old.head.get(name) != new.head.get(name) for name in VISIBILITY)


def _remove(connection: Connection, workspace: str, known: Mapping[int, str]) -> None:
    """Delete documents, by key and id, with what was made of them."""
    for key, id in known.items():
        numbers = connection.execute(select(t.revisions.c.number).where(t.revisions.c.document == key)).scalars()
        for number in list(numbers):
            _clear(connection, workspace, key, number)
        withdraw(connection, workspace, id)
        requeue(connection, workspace, id)
        release(connection, key)
        connection.execute(delete(t.documents).where(t.documents.c.key == key))
        point("retire.inside")
    unlearn(connection, workspace, known)
    drop_empty(connection, workspace)


def _doom(connection: Connection, workspace: str, key: int, number: int) -> None:
    c = t.revisions.c
    row = (
        connection.execute(select(c.head, c.use, c.links).where(c.document == key, c.number == number)).mappings().one()
    )
    places = shelves(workspace, HEAD.validate_python(row["head"]), row["use"], bool(row["links"]))
    chunks = select(t.chunks.c.id).where(
        t.chunks.c.document == key, t.chunks.c.revision == number, t.chunks.c.searchable
    )
    rows = [
        {"id": id, "side": shelf.side, "workspace": workspace, "kind": shelf.kind}
        for id in connection.execute(chunks).scalars()
        for shelf in places
    ]
    if rows:
        connection.execute(insert(t.doomed), rows)


def _clear(connection: Connection, workspace: str, key: int, number: int) -> None:
    """Doom the revision's chunks and delete their rows, and the vectors that no other chunk shares: a vector tells much about its text."""
    _doom(connection, workspace, key, number)
    c = t.chunks.c
    mine = (c.document == key) & (c.revision == number)
    hashes = connection.execute(select(c.vector).where(mine).distinct()).scalars().all()
    connection.execute(delete(t.chunks).where(mine))
    shared = select(c.vector).where(c.vector == t.vectors.c.hash).exists()
    for some in parts(hashes):
        connection.execute(delete(t.vectors).where(t.vectors.c.hash.in_(some), ~shared))


def _tick(connection: Connection, workspace: str) -> None:
    w = t.workspaces
    connection.execute(update(w).where(w.c.id == workspace).values(clock=w.c.clock + 1))
