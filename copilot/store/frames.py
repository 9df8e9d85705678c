"""A workspace's active chunks in memory, as columns: what every search scores exactly, brought up to date by the workspace's clock.

A frame is never changed: when the clock has moved, a new one is made from what is still in force of the old and from what the
ledger has besides. It holds no text, and what was deleted is in no frame whose clock is the workspace's.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from threading import RLock
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, and_, bindparam, select

from copilot.domain import Author, Kind, Use
from copilot.errors import NotFound
from copilot.letters import Letters
from copilot.ports import Vectors
from copilot.signals import Titles
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.ledger import parts
from copilot.store.makers import Makers
from copilot.store.maps import LearnedMap, newest
from copilot.store.mismatch import mismatch
from copilot.versions import is_for, named, ranges

Mask = NDArray[np.bool_]
Places = NDArray[np.int64]
Floats = NDArray[np.float64]

EVER = float("inf")
CLOCK = select(t.workspaces.c.clock).where(t.workspaces.c.id == bindparam("workspace"))
GRACE_SECONDS = 60.0
"""So long those who began with a model that was replaced meanwhile are served what stood when it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a reader may see: a workspace, its audiences (None: all), and the state of knowledge at a time."""

    workspace: str
    audiences: frozenset[str] | None
    as_of: datetime
    before: datetime | None = None
    language: str | None = None
    whenever: bool = False
    said: str = ""
    """What is asked: where it names a product's version, documents for others of it are not shown."""


@dataclass(frozen=True, slots=True)
class Linked:
    """An article that an agent's reply sent to a customer, and when (as a timestamp)."""

    target: str
    at: float


@dataclass(frozen=True, slots=True)
class Head:
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
class Part:
    """A document's head with its searchable chunks, as the ledger has them."""

    head: Head
    ids: tuple[str, ...]
    spans: tuple[Span, ...]
    vectors: Vectors


class Frame:
    """Active documents ordered by key, their chunks one after the other: document `d` has the chunks `first[d]:first[d + 1]`."""

    def __init__(self, revision: str, parts: Sequence[Part], learned: LearnedMap | None) -> None:
        self.revision, self.learned = revision, learned
        self.heads = tuple(part.head for part in parts)
        self.ids = [id for part in parts for id in part.ids]
        self.spans = [span for part in parts for span in part.spans]
        self.vectors = _stacked([part.vectors for part in parts])
        sizes = np.array([len(part.ids) for part in parts], dtype=np.int64)
        self.first: Places = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
        self.owner: Places = np.repeat(np.arange(len(parts)), sizes)
        self.place = {id: at for at, id in enumerate(self.ids)}
        self._documents = {head.id: at for at, head in enumerate(self.heads)}
        self.asked = _places(head.links for head in self.heads)
        self.articles = _places(head.kind == "article" and head.use == "answers" for head in self.heads)
        self._kinds = _Codes(head.kind if head.use == "answers" else "" for head in self.heads)
        self._audiences = _Codes(head.audience for head in self.heads)
        self._languages = _Codes(head.language or "" for head in self.heads)
        self.known = _times((head.known_since for head in self.heads), -EVER)
        self._from = _times((head.valid_from for head in self.heads), -EVER)
        self._until = _times((head.valid_until for head in self.heads), EVER)

        bound = ((at, ranges(head.products)) for at, head in enumerate(self.heads) if head.products)
        self._bound = {at: some for at, some in bound if some}
        self._products = {one.product for some in self._bound.values() for one in some}

    def parts(self) -> Iterator[Part]:
        """The frame, document by document."""
        for at, head in enumerate(self.heads):
            a, b = int(self.first[at]), int(self.first[at + 1])
            yield Part(head, tuple(self.ids[a:b]), tuple(self.spans[a:b]), self.vectors[a:b])

    def find(self, ids: Collection[str]) -> Places:
        """Where the documents of these ids stand; those that are not there are left out."""
        return np.array([self._documents[id] for id in ids if id in self._documents], dtype=np.int64)

    def visible(self, view: View, kinds: Collection[str]) -> Mask:
        """Which documents of these kinds the view shows."""
        now = view.as_of.timestamp()
        seen = self._kinds.among(kinds) & self.open_to(view.audiences)
        if not view.whenever:
            seen &= (self._from <= now) & (self._until > now)
        if view.before is not None:
            seen &= self.known <= view.before.timestamp()
        if self._bound and not view.whenever and (versions := named(view.said, self._products)):
            seen[[at for at, some in self._bound.items() if not is_for(some, versions)]] = False
        return seen if view.language is None else seen & self._languages.among((view.language, ""))

    def open_to(self, audiences: frozenset[str] | None) -> Mask:
        """Which documents these audiences may see; None means all."""
        return np.ones(len(self.heads), dtype=np.bool_) if audiences is None else self._audiences.among(audiences)

    def chunks(self, documents: Places) -> Places:
        """The places of all chunks of these documents, in order."""
        sizes = self.first[documents + 1] - self.first[documents]
        offsets = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return np.asarray(np.repeat(self.first[documents], sizes) + offsets, dtype=np.int64)

    def best(self, chunks: Vectors) -> Vectors:
        """The best of its chunks' values for each document."""
        best: Vectors = np.maximum.reduceat(chunks, self.first[:-1]) if len(self.heads) else chunks
        return best

    def means(self, documents: Places) -> Vectors:
        """For each of these documents the unit vector in the direction of its chunks taken together."""
        if not len(documents):
            return self.vectors[:0]
        sizes = self.first[documents + 1] - self.first[documents]
        sums = np.add.reduceat(
            self.vectors[self.chunks(documents)].astype(np.float64), np.cumsum(sizes) - sizes, axis=0
        )
        unit: Vectors = (sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)).astype(np.float32)
        return unit

    @cached_property
    def topics(self) -> Vectors:
        """The means of all articles, in the order of `articles`."""
        return self.means(self.articles)

    @cached_property
    def titles(self) -> Titles:
        """What the documents' titles say."""
        return Titles.of([head.title for head in self.heads])

    @cached_property
    def letters(self) -> Letters:
        """How the articles' titles are spelt, in the order of `articles`."""
        return Letters.of([self.heads[at].title for at in self.articles.tolist()])

    @cached_property
    def by_agent(self) -> Floats:
        """1 where an agent solved the ticket."""
        return np.array([head.solution_by == "agent" for head in self.heads], dtype=np.float64)


class Frames:
    """The newest frame of each workspace, for as many chunks as memory is given; what was not asked for longest goes first."""

    def __init__(self, database: Database, embedder: str, most: int, *, shadow: bool = False) -> None:
        self._db, self._embedder, self._most, self._shadow = database, embedder, most, shadow
        self._lock = RLock()
        self._kept: OrderedDict[str, Frame] = OrderedDict()
        self._replaced_at: float | None = None

    def at(self, workspace: str) -> Frame:
        """The workspace as it is now. Raises NotFound for an unknown workspace, IndexMismatch where another embedder made its vectors."""
        with self._db.read() as connection:
            revision = clock(connection, workspace)
        kept = self._kept.get(workspace)
        return kept if kept is not None and kept.revision == revision else self._newer(workspace)

    def _newer(self, workspace: str) -> Frame:
        with self._lock, self._db.read() as connection:
            revision, old = clock(connection, workspace), self._kept.get(workspace)
            if self._foreign(connection, workspace):
                return self._last(connection, workspace)
            if old is None or old.revision != revision:
                self._kept[workspace] = Frame(
                    revision, self._parts(connection, workspace, old), newest(connection, workspace, self._embedder)
                )
            self._kept.move_to_end(workspace)
            while len(self._kept) > 1 and sum(len(frame.ids) for frame in self._kept.values()) > self._most:
                self._kept.popitem(last=False)
            return self._kept[workspace]

    def in_step(self, workspace: str) -> bool:
        """Whether the vector index holds what this embedder made of the workspace, and nothing of another's."""
        with self._db.read() as connection:
            foreign = self._foreign(connection, workspace)
        return not foreign and Makers(self._db).in_step(self._embedder)

    def _foreign(self, connection: Connection, workspace: str) -> bool:
        made_by = connection.execute(select(t.workspaces.c.embedder).where(t.workspaces.c.id == workspace)).scalar()
        return not self._shadow and made_by not in (None, self._embedder)

    def _last(self, connection: Connection, workspace: str) -> Frame:
        """What stood when another embedder took over, for those who began before; nobody else gets vectors that are not theirs."""
        self._replaced_at = self._replaced_at or monotonic()
        if workspace not in self._kept or monotonic() - self._replaced_at > GRACE_SECONDS:
            raise mismatch(connection, workspace, self._embedder)
        return self._kept[workspace]

    def _parts(self, connection: Connection, workspace: str, old: Frame | None) -> list[Part]:
        """What is in force: kept from the old frame where it says the same, else read."""
        d = t.documents.c
        active = select(d.key, d.active_revision).where(d.workspace == workspace, d.active_revision.is_not(None))
        now = {(key, number) for key, number in connection.execute(active)}
        kept = [part for part in old.parts() if (part.head.key, part.head.revision) in now] if old else []
        known = {part.head.key for part in kept}
        missing = sorted(key for key, _ in now if key not in known)
        lists = [None] if not known else parts(missing)
        read = [part for some in lists for part in _read(connection, workspace, self._embedder, some)]
        return sorted((*kept, *read), key=lambda part: part.head.key)


def clock(connection: Connection, workspace: str) -> str:
    """The workspace's index revision: it moves with each switch or deletion. Raises NotFound for an unknown workspace."""
    row = connection.execute(CLOCK, {"workspace": workspace}).scalar()
    if row is None:
        raise NotFound(
            f"There is no workspace {workspace!r}. Ingest something into it first: copilot ingest PATH --workspace {workspace}."
        )
    return str(row)


def _read(connection: Connection, workspace: str, embedder: str, keys: Collection[int] | None) -> Iterator[Part]:
    """The documents under these keys (None: all of the workspace) that have a searchable chunk."""
    c, v = t.chunks.c, t.vectors.c
    links, heads = _links(connection, workspace, keys), _heads(connection, workspace, keys)
    query = _of(select(c.id, c.document, c.start, c.end, c.headings, v.vector).select_from(t.chunks), workspace, keys)
    query = query.join(t.vectors, and_(v.hash == c.vector, v.embedder == embedder)).where(c.searchable)
    rows: defaultdict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(query.order_by(c.document, c.start, c.id)):
        rows[row.document].append(row)
    for key, some in rows.items():
        spans = tuple(Span(row.start, row.end, tuple(row.headings)) for row in some)
        vectors = np.frombuffer(b"".join(row.vector for row in some), dtype="<f4").reshape(len(some), -1)
        head = Head(**heads[key], links=tuple(links.get(key, ())))
        yield Part(head, tuple(row.id for row in some), spans, vectors)


def _heads(connection: Connection, workspace: str, keys: Collection[int] | None) -> dict[int, dict[str, Any]]:
    d = t.documents.c
    query = select(
        d.key, d.id, d.active_revision.label("revision"), d.kind, d.use, d.title, d.url, d.audience, d.language, d.resolved_at,
        d.known_since, d.valid_from, d.valid_until, d.solution_by, d.products,
    ).where(d.workspace == workspace, d.active_revision.is_not(None))  # fmt: skip
    query = query if keys is None else query.where(d.key.in_(keys))
    return {row.key: {**row._mapping, "products": tuple(row.products or ())} for row in connection.execute(query)}


def _links(connection: Connection, workspace: str, keys: Collection[int] | None) -> dict[int, list[Linked]]:
    link = t.links.c
    query = select(link.document, link.target, link.at).join(t.documents, t.documents.c.key == link.document)
    query = query.where(t.documents.c.workspace == workspace)
    query = query if keys is None else query.where(link.document.in_(keys))
    found: defaultdict[int, list[Linked]] = defaultdict(list)
    for row in connection.execute(query.order_by(link.document, link.target)):
        found[row.document].append(Linked(row.target, row.at.timestamp() if row.at else EVER))
    return found


def _of(query: Select[Any], workspace: str, keys: Collection[int] | None) -> Select[Any]:
    d, c = t.documents.c, t.chunks.c
    query = query.join(t.documents, and_(d.key == c.document, d.active_revision == c.revision))
    return query.where(d.workspace == workspace) if keys is None else query.where(d.key.in_(keys))


class _Codes:
    """Few different words many times, as numbers."""

    def __init__(self, words: Iterable[str]) -> None:
        listed = list(words)
        self._numbers = {word: at for at, word in enumerate(sorted(set(listed)))}
        self._codes = np.array([self._numbers[word] for word in listed], dtype=np.int64)

    def among(self, words: Collection[str]) -> Mask:
        """Where one of these words stands."""
        return np.array([word in words for word in self._numbers], dtype=np.bool_)[self._codes]


def _places(holds: Iterable[object]) -> Places:
    return np.array([at for at, yes in enumerate(holds) if yes], dtype=np.int64)


def _times(times: Iterable[datetime | None], unset: float) -> Floats:
    return np.array([unset if time is None else time.timestamp() for time in times], dtype=np.float64)


def _stacked(vectors: Sequence[Vectors]) -> Vectors:
    return np.concatenate(vectors) if vectors else np.zeros((0, 1), dtype=np.float32)
