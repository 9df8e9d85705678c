"""Which embedding model made the vectors, how to load it, and the shadow that a new one fills before it takes over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, insert, select, update

from copilot.crash import point
from copilot.errors import Conflict
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.values import now

WHOLE, FILLING, SWITCHED = "whole", "filling", "switched"


@dataclass(frozen=True, slots=True)
class Model:
    """How to load an embedding model: what COPILOT_EMBEDDER, COPILOT_ENGINE and COPILOT_WINDOW say."""

    embedder: str
    engine: Literal["onnx", "onnx-int8", "torch"]
    window: int

    def __str__(self) -> str:
        return f"{self.embedder} on {self.engine}, {self.window} tokens"


@dataclass(frozen=True, slots=True)
class Maker:
    """The model in force, and what the settings said when it took over: while they say the same, nobody wants another."""

    model: Model
    wished: str


@dataclass(frozen=True, slots=True)
class Lacking:
    """A chunk in force that the shadow has no vector for, with what its embedded text is made of."""

    hash: str
    document_id: str
    title: str
    headings: tuple[str, ...]
    words: str


class Makers:
    """Keeps the shadow: vectors of a new model beside those in force, under the same hashes, until one transaction makes them the truth."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def in_force(self) -> Maker | None:
        """What made this index; None where it is empty or was made before models were noted."""
        m, w = t.makers.c, t.workspaces.c
        query = select(m.embedder, m.engine, m.window, m.wished).join(t.workspaces, w.embedder == m.fingerprint)
        with self._db.read() as connection:
            row = connection.execute(query.order_by(w.id).limit(1)).first()
        return Maker(Model(row.embedder, row.engine, row.window), row.wished) if row else None

    def workspaces(self) -> list[str]:
        """The workspaces that have vectors: all by one model."""
        w = t.workspaces.c
        with self._db.read() as connection:
            return list(connection.execute(select(w.id).where(w.embedder.is_not(None)).order_by(w.id)).scalars())

    def note(self, fingerprint: str, model: Model) -> None:
        """Remember how this model is loaded."""
        known = select(t.makers.c.fingerprint).where(t.makers.c.fingerprint == fingerprint)
        with self._db.read() as connection:
            if connection.execute(known).first():
                return
        with self._db.write() as connection:
            if not connection.execute(known).first():
                connection.execute(insert(t.makers).values(_row(fingerprint, model, str(model), WHOLE)))

    def begin(self, fingerprint: str, model: Model, wished: str) -> None:
        """Start a shadow, or go on with the one of this model; a shadow of any other is dropped."""
        self.abandon(but=fingerprint)
        with self._db.write() as connection:
            connection.execute(delete(t.makers).where(t.makers.c.fingerprint == fingerprint))
            connection.execute(insert(t.makers).values(_row(fingerprint, model, wished, FILLING)))
        point("reembed.begun")

    def abandon(self, but: str | None = None) -> None:
        """Drop every shadow, or every other one, with its vectors."""
        m = t.makers.c
        stale = select(m.fingerprint).where(m.state == FILLING, m.fingerprint != (but or ""))
        with self._db.write() as connection:
            names = connection.execute(stale).scalars().all()
            connection.execute(delete(t.vectors).where(t.vectors.c.embedder.in_(names)))
            connection.execute(delete(t.makers).where(m.fingerprint.in_(names)))

    def made_all(self, fingerprint: str) -> bool:
        """Whether this model made the vectors of every workspace that has any."""
        w = t.workspaces.c
        with self._db.read() as connection:
            other = select(w.id).where(w.embedder.is_not(None), w.embedder != fingerprint)
            return connection.execute(other.limit(1)).first() is None

    def size(self, fingerprint: str) -> tuple[int, int]:
        """How many texts the shadow has a vector for, of how many."""
        with self._db.read() as connection:
            all = _count(connection, _chunks(t.chunks.c.vector))
            return all - _count(connection, _without(fingerprint, t.chunks.c.vector)), all

    def lacking(self, fingerprint: str, page: int) -> Iterator[list[Lacking]]:
        """What the shadow lacks, a page at a time, in the order of the hashes; each text once."""
        c, d, r, last = t.chunks.c, t.documents.c, t.revisions.c, ""
        columns = (c.vector, d.id, d.title, c.headings, c.start, c.end, r.text)
        query = _without(fingerprint, *columns).join(t.revisions, and_(r.document == d.key, r.number == c.revision))
        while True:
            with self._db.read() as connection:
                rows = connection.execute(query.where(c.vector > last).order_by(c.vector, c.id).limit(page)).all()
            if not rows:
                return
            last = rows[-1].vector
            texts = {row.vector: row for row in reversed(rows)}
            yield [
                Lacking(hash, row.id, row.title, tuple(row.headings), row.text[row.start : row.end])
                for hash, row in sorted(texts.items())
            ]

    def switch(self, fingerprint: str) -> None:
        """Make the shadow the truth of every workspace, in one transaction, and drop what the former models made.

        Raises Conflict where the shadow is not whole.
        """
        w = t.workspaces.c
        with self._db.write() as connection:
            if missing := _count(connection, _without(fingerprint, t.chunks.c.vector)):
                raise Conflict(f"{missing} texts came in while the new model took over. Run `copilot reembed` again.")
            old = and_(w.embedder.is_not(None), w.embedder != fingerprint)
            former = connection.execute(select(w.embedder).where(old).distinct()).scalars().all()
            connection.execute(update(t.workspaces).where(old).values(embedder=fingerprint, clock=w.clock + 1))
            point("reembed.inside")
            connection.execute(delete(t.vectors).where(t.vectors.c.embedder.in_(former)))
            connection.execute(delete(t.maps).where(t.maps.c.embedder.in_(former)))
            _state(connection, fingerprint, SWITCHED)
        point("reembed.switched")

    def arrived(self, fingerprint: str) -> None:
        """The vector index holds this model's vectors and no others."""
        with self._db.write() as connection:
            _state(connection, fingerprint, WHOLE)

    def in_step(self, fingerprint: str) -> bool:
        """Whether the vector index holds the vectors of this model: between a switch and its end it does not, and is not asked."""
        with self._db.read() as connection:
            return connection.execute(_at(fingerprint, SWITCHED)).first() is None


def filling() -> Select[tuple[str]]:
    """The models whose shadow is being filled."""
    return select(t.makers.c.fingerprint).where(t.makers.c.state == FILLING)


def _at(fingerprint: str, state: str) -> Select[tuple[str]]:
    return select(t.makers.c.fingerprint).where(t.makers.c.fingerprint == fingerprint, t.makers.c.state == state)


def _state(connection: Connection, fingerprint: str, state: str) -> None:
    connection.execute(update(t.makers).where(t.makers.c.fingerprint == fingerprint).values(state=state))


def _row(fingerprint: str, model: Model, wished: str, state: str) -> dict[str, Any]:
    return {
        "fingerprint": fingerprint, "embedder": model.embedder, "engine": model.engine, "window": model.window,
        "wished": wished, "state": state, "at": now(),
    }  # fmt: skip


def _chunks(*columns: ColumnElement[Any]) -> Select[Any]:
    """The chunks in force that a search may find."""
    c, d = t.chunks.c, t.documents.c
    query = select(*columns).select_from(t.chunks)
    query = query.join(t.documents, and_(d.key == c.document, d.active_revision == c.revision))
    return query.where(c.searchable)


def _without(fingerprint: str, *columns: ColumnElement[Any]) -> Select[Any]:
    """Those that have no vector of this model."""
    v = t.vectors.c
    made = select(v.hash).where(v.hash == t.chunks.c.vector, v.embedder == fingerprint).exists()
    return _chunks(*columns).where(~made)


def _count(connection: Connection, query: Select[Any]) -> int:
    return int(connection.execute(select(func.count()).select_from(query.distinct().subquery())).scalar_one())
