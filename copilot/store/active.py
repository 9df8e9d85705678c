"""What is active in a workspace, read from the ledger into columns: documents ordered by key, their chunks one after the other."""

from __future__ import annotations

import gc
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Select, Text, and_, cast, func, select, type_coerce

from copilot.domain import Author, Kind, Use
from copilot.ports import Vectors
from copilot.store import schema as t

Places = NDArray[np.int64]
Objects = NDArray[np.object_]
Floats = NDArray[np.float64]

EVER = float("inf")
TIMES = ("resolved_at", "known_since", "valid_from", "valid_until")
AT_ONCE = 1000
"""Vectors on their way from the database."""
BY_CHUNK = ("ids", "starts", "ends", "headings", "vectors")


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


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """What is known of many documents, by column, so that all are read and compared at once; a Head is put together when it is asked for.

    Times are timestamps, NaN where there is none.
    """

    key: Places
    id: Objects
    revision: Places
    kind: Objects
    use: Objects
    title: Objects
    url: Objects
    audience: Objects
    language: Objects
    solution_by: Objects
    resolved_at: Floats
    known_since: Floats
    valid_from: Floats
    valid_until: Floats
    links: Objects
    products: Objects
    _made: dict[int, Head] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.key)

    def __getitem__(self, at: int) -> Head:
        made = self._made.get(at)
        if made is None:
            made = self._made[at] = Head(*(_plain(name, getattr(self, name)[at]) for name in Head._fields))
        return made

    def __iter__(self) -> Iterator[Head]:
        return (self[at] for at in range(len(self)))

    def taken(self, documents: Places) -> Self:
        """These documents alone, in this order."""
        return type(self)(*(column[documents] for column in self.columns()))

    def joined(self, other: Self) -> Self:
        """Both, one behind the other."""
        return type(self)(*(np.concatenate(both) for both in zip(self.columns(), other.columns(), strict=True)))

    def columns(self) -> list[NDArray[Any]]:
        """All of them, in order."""
        return [getattr(self, one.name) for one in fields(self)[:-1]]


def _plain(name: str, value: Any) -> Any:
    """A value as a Head has it."""
    if name in TIMES:
        return None if np.isnan(value) else datetime.fromtimestamp(value, UTC)
    return int(value) if name in ("key", "revision") else value


@dataclass(frozen=True, slots=True)
class Span:
    """Where a chunk stands in its revision."""

    start: int
    end: int
    headings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Documents ordered by key, and their searchable chunks, `sizes` of them each, one document after the other, as the ledger has them."""

    heads: Heads
    sizes: Places
    ids: Objects
    starts: Places
    ends: Places
    headings: Objects
    vectors: Vectors

    def taken(self, documents: Places) -> Columns:
        """These documents alone, in this order."""
        chunks = run(np.cumsum(self.sizes) - self.sizes, self.sizes, documents)
        taken = {name: getattr(self, name)[chunks] for name in BY_CHUNK}
        return Columns(heads=self.heads.taken(documents), sizes=self.sizes[documents], **taken)

    def joined(self, other: Columns) -> Columns:
        """Both, ordered by key."""
        if not len(self.heads) or not len(other.heads):
            return self if len(self.heads) else other
        joined = {name: np.concatenate([getattr(one, name) for one in (self, other)]) for name in ("sizes", *BY_CHUNK)}
        both = Columns(heads=self.heads.joined(other.heads), **joined)
        return both.taken(np.argsort(both.heads.key, kind="stable"))


def run(first: Places, sizes: Places, documents: Places) -> Places:
    """The places of all chunks of these documents, one document after the other."""
    many = sizes[documents]
    offsets = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
    return np.asarray(np.repeat(first[documents], many) + offsets, dtype=np.int64)


def read(connection: Connection, workspace: str, embedder: str, keys: Collection[int] | None) -> Columns:
    """The active documents under these keys (None: all of the workspace) that have a searchable chunk, with the embedder's vectors.

    Its rows are many: the collector, which would walk through them time and again, waits.
    """
    c = t.chunks.c
    chunks = _searchable(workspace, keys, c.document, c.id, c.start, c.end, cast(c.headings, Text), c.vector)
    with collector_waiting():
        heads = _heads(connection, workspace, keys)
        rows = sorted(connection.execute(chunks).all(), key=itemgetter(0, 2, 1))  # by document, start and id
        owners, ids, starts, ends, headings, hashes = zip(*rows, strict=True) if rows else [()] * 6
        wanted = _searchable(workspace, keys, c.vector)
        vectors, made = _vectors(connection, embedder, hashes, wanted, scan=keys is None)
        documents, sizes = np.unique(_numbers(owners)[made], return_counts=True)
        return Columns(
            heads=heads.taken(np.searchsorted(heads.key, documents)), sizes=sizes, ids=_objects(ids)[made],
            starts=_numbers(starts)[made], ends=_numbers(ends)[made], headings=_objects(_parsed(headings))[made],
            vectors=vectors if made.all() else vectors[made],
        )  # fmt: skip


def _vectors(
    connection: Connection, embedder: str, hashes: Sequence[str], wanted: Select[Any], *, scan: bool
) -> tuple[Vectors, NDArray[np.bool_]]:
    """The embedder's vectors under these hashes, which `wanted` selects, and which of them it has made.

    Put in their places as they come: held as rows besides, they would take twice the memory and the time. All of the table is read from end
    to end (`scan`) where most of it is wanted: to look up each row, as an index would even for the embedder alone, takes five times as long.
    """
    v, place = t.vectors.c, {hash: at for at, hash in enumerate(hashes)}
    query = select(v.embedder, v.hash, v.vector).execution_options(yield_per=AT_ONCE)
    if not scan or 2 * len(place) < connection.execute(select(func.count()).select_from(t.vectors)).scalar_one():
        query = query.where(v.embedder == embedder, v.hash.in_(wanted))
    vectors, made = np.zeros((len(hashes), 1), dtype=np.float32), np.zeros(len(hashes), dtype=np.bool_)
    for rows in connection.execute(query).partitions():
        found = [(place[hash], vector) for by, hash, vector in rows if by == embedder and hash in place]
        if not found:
            continue
        at, bytes = zip(*found, strict=True)
        some = np.frombuffer(b"".join(bytes), dtype="<f4").reshape(len(at), -1)
        if not made.any():
            vectors = np.empty((len(hashes), some.shape[1]), dtype=np.float32)
        vectors[list(at)], made[list(at)] = some, True
    alike = _numbers([place[hash] for hash in hashes])
    twice = np.flatnonzero(alike != np.arange(len(hashes)))
    vectors[twice], made[twice] = vectors[alike[twice]], made[alike[twice]]
    return vectors, made


def _searchable(workspace: str, keys: Collection[int] | None, *columns: ColumnElement[Any]) -> Select[Any]:
    """Of the chunks in force that a search may find."""
    d, c = t.documents.c, t.chunks.c
    query = select(*columns).select_from(t.chunks)
    query = query.join(t.documents, and_(d.key == c.document, d.active_revision == c.revision)).where(c.searchable)
    return query.where(d.workspace == workspace) if keys is None else query.where(d.key.in_(keys))


def _heads(connection: Connection, workspace: str, keys: Collection[int] | None) -> Heads:
    """All of them, ordered by key."""
    d, links = t.documents.c, _links(connection, workspace, keys)
    active = [d.workspace == workspace, d.active_revision.is_not(None), *([] if keys is None else [d.key.in_(keys)])]
    bound = select(d.key, d.products).where(*active, cast(d.products, Text) != "null")
    products = {key: tuple(some) for key, some in connection.execute(bound) if some}
    times = (type_coerce(d[name], Text) for name in TIMES)  # as the database gives them: they are many
    query = select(
        d.key, d.id, d.active_revision, d.kind, d.use, d.title, d.url, d.audience, d.language, d.solution_by, *times,
    ).where(*active).order_by(d.key)  # fmt: skip
    return _headed(connection.execute(query).all(), links, products)


def _headed(
    rows: Sequence[Any], links: dict[int, list[Linked]], products: dict[int, tuple[str, ...]]
) -> Heads:  # fmt: skip
    many = len(fields(Heads)) - 3
    key, id, revision, *words = zip(*rows, strict=True) if rows else [()] * many
    words, times = words[: -len(TIMES)], words[-len(TIMES) :]
    columns: list[NDArray[Any]] = [_numbers(key), _objects(id), _numbers(revision)]
    columns += [_objects(_shared(column)) for column in words]
    columns += [_timestamps(column) for column in times]
    columns.append(_objects(tuple(links.get(one, ())) for one in key))
    columns.append(_objects(products.get(one, ()) for one in key))
    return Heads(*columns)


def _shared(column: Sequence[Any]) -> Iterator[Any]:
    """The same words, equal ones once in memory."""
    known: dict[Any, Any] = {}
    return (known.setdefault(one, one) for one in column)


def _timestamps(times: Sequence[str | datetime | None]) -> Floats:
    """SQLite keeps times as text in UTC, other databases give them whole."""
    if any(isinstance(one, datetime) for one in times):
        return np.array([np.nan if one is None else one.timestamp() for one in times], dtype=np.float64)  # type: ignore[union-attr]
    read = np.array(times, dtype="datetime64[us]")
    return np.where(np.isnat(read), np.nan, read.astype(np.int64) / 1e6)


def _links(connection: Connection, workspace: str, keys: Collection[int] | None) -> dict[int, list[Linked]]:
    link = t.links.c
    query = select(link.document, link.target, link.at).join(t.documents, t.documents.c.key == link.document)
    query = query.where(t.documents.c.workspace == workspace)
    query = query if keys is None else query.where(link.document.in_(keys))
    found: defaultdict[int, list[Linked]] = defaultdict(list)
    for document, target, at in connection.execute(query.order_by(link.document, link.target)).all():
        found[document].append(Linked(target, at.timestamp() if at else EVER))
    return found


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
