"""What is active in a workspace, read from the ledger into columns: documents ordered by key, their chunks one after the other."""

from __future__ import annotations

import gc
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, Text, and_, cast, select

from copilot.domain import Author, Kind, Use
from copilot.ports import Vectors
from copilot.store import schema as t

Places = NDArray[np.int64]
Objects = NDArray[np.object_]

EVER = float("inf")


class Linked(NamedTuple):
    """An article that an agent's reply sent to a customer, and when (as a timestamp)."""

    target: str
    at: float


class Head(NamedTuple):
    """What is known of a document without its text."""

    key: int
    id: str
    revision: int
    kind: Kind
    use: Use
    title: str
    url: str | None
    audience: str
    language: str | None
    resolved_at: datetime | None
    known_since: datetime | None
    valid_from: datetime | None
    valid_until: datetime | None
    solution_by: Author | None
    links: tuple[Linked, ...] = ()
    products: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """Key and revision: what the document said at one time."""
        return f"{self.key}.{self.revision}"


@dataclass(frozen=True, slots=True)
class Span:
    """Where a chunk stands in its revision."""

    start: int
    end: int
    headings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """Documents ordered by key, and their searchable chunks one after the other, as the ledger has them."""

    heads: list[Head]
    sizes: Places
    ids: Objects
    starts: Places
    ends: Places
    headings: Objects
    vectors: Vectors

    @classmethod
    def none(cls) -> Columns:
        """No documents."""
        places, objects = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.object_)
        return cls([], places, objects, places, places, objects, np.zeros((0, 1), dtype=np.float32))

    def taken(self, documents: Places) -> Columns:
        """These documents alone, in this order."""
        chunks = run(np.cumsum(self.sizes) - self.sizes, self.sizes, documents)
        return Columns(
            [self.heads[at] for at in documents.tolist()], self.sizes[documents], self.ids[chunks], self.starts[chunks],
            self.ends[chunks], self.headings[chunks], self.vectors[chunks],
        )  # fmt: skip

    def joined(self, other: Columns) -> Columns:
        """Both, ordered by key."""
        if not self.heads or not other.heads:
            return self if self.heads else other
        both = Columns(
            [*self.heads, *other.heads],
            *(np.concatenate([getattr(self, name), getattr(other, name)]) for name in Columns.__slots__[1:]),
        )
        order = np.argsort([head.key for head in both.heads], kind="stable")
        return both.taken(order)


def run(first: Places, sizes: Places, documents: Places) -> Places:
    """The places of all chunks of these documents, one document after the other."""
    many = sizes[documents]
    offsets = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
    return np.asarray(np.repeat(first[documents], many) + offsets, dtype=np.int64)


def read(connection: Connection, workspace: str, embedder: str, keys: Collection[int] | None) -> Columns:
    """The active documents under these keys (None: all of the workspace) that have a searchable chunk.

    Its rows are many: the collector, which would walk through them time and again, waits.
    """
    c, v = t.chunks.c, t.vectors.c
    columns = select(c.document, c.id, c.start, c.end, cast(c.headings, Text), v.vector).select_from(t.chunks)
    query = _of(columns, workspace, keys).where(c.searchable)
    query = query.join(t.vectors, and_(v.hash == c.vector, v.embedder == embedder))
    with collector_waiting():
        heads = _heads(connection, workspace, keys)
        # by document, start and id: sorted here, since the database would move the vectors about
        rows = sorted(connection.execute(query).all(), key=itemgetter(0, 2, 1))
        if not rows:
            return Columns.none()
        owners, ids, starts, ends, headings, vectors = zip(*rows, strict=True)
        documents, sizes = np.unique(_numbers(owners), return_counts=True)
        return Columns(
            [heads[key] for key in documents.tolist()], sizes, _objects(ids), _numbers(starts), _numbers(ends), _objects(_parsed(headings)),
            np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(ids), -1),
        )  # fmt: skip


def _heads(connection: Connection, workspace: str, keys: Collection[int] | None) -> dict[int, Head]:
    d, links = t.documents.c, _links(connection, workspace, keys)
    active = [d.workspace == workspace, d.active_revision.is_not(None), *([] if keys is None else [d.key.in_(keys)])]
    bound = select(d.key, d.products).where(*active, cast(d.products, Text) != "null")
    products = {key: tuple(some) for key, some in connection.execute(bound) if some}
    query = select(
        d.key, d.id, d.active_revision, d.kind, d.use, d.title, d.url, d.audience, d.language, d.resolved_at, d.known_since,
        d.valid_from, d.valid_until, d.solution_by,
    ).where(*active)  # fmt: skip
    return {
        head[0]: Head._make((*head, tuple(links.get(head[0], ())), products.get(head[0], ())))
        for head in connection.execute(query).all()
    }


def _links(connection: Connection, workspace: str, keys: Collection[int] | None) -> dict[int, list[Linked]]:
    link = t.links.c
    query = select(link.document, link.target, link.at).join(t.documents, t.documents.c.key == link.document)
    query = query.where(t.documents.c.workspace == workspace)
    query = query if keys is None else query.where(link.document.in_(keys))
    found: defaultdict[int, list[Linked]] = defaultdict(list)
    for document, target, at in connection.execute(query.order_by(link.document, link.target)).all():
        found[document].append(Linked(target, at.timestamp() if at else EVER))
    return found


def _of(query: Select[Any], workspace: str, keys: Collection[int] | None) -> Select[Any]:
    d, c = t.documents.c, t.chunks.c
    query = query.join(t.documents, and_(d.key == c.document, d.active_revision == c.revision))
    return query.where(d.workspace == workspace) if keys is None else query.where(d.key.in_(keys))


def _parsed(headings: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Lists of JSON as tuples, each different one parsed once."""
    known = {written: tuple(json.loads(written)) for written in set(headings)}
    return (known[written] for written in headings)


def _objects(values: Iterable[object]) -> Objects:
    return np.fromiter(values, dtype=object)


def _numbers(values: Sequence[int]) -> Places:
    return np.array(values, dtype=np.int64)


@contextmanager
def collector_waiting() -> Iterator[None]:
    """Leave the garbage where it is for the while."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
