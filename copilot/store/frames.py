"""A workspace's active chunks in memory, as columns: what every search scores exactly, brought up to date by the workspace's clock.

A frame is never changed: when the clock has moved, a new one is made from what is still in force of the old and from what the
ledger has besides. It holds no text, and what was deleted is in no frame whose clock is the workspace's.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from threading import RLock
from time import monotonic

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, select

from copilot.domain import INTERNAL, PUBLIC
from copilot.errors import NotFound
from copilot.letters import Letters
from copilot.ports import Vectors
from copilot.signals import Titles, about, counted
from copilot.store import schema as t
from copilot.store.active import EVER, Columns, Places, Span, read, run
from copilot.store.ahead import Ahead
from copilot.store.database import Database
from copilot.store.makers import Makers
from copilot.store.maps import LearnedMap, newest
from copilot.store.mismatch import mismatch
from copilot.store.values import parts
from copilot.versions import is_for, named, ranges

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

CLOCK = select(t.workspaces.c.clock).where(t.workspaces.c.id == bindparam("workspace"))
BY_TWO = 5000
"""From so many chunks on two threads score them."""
_OTHER = ThreadPoolExecutor(1, thread_name_prefix="cosines")
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
    """What the customer says: where it names a product's version, documents for others of it are not shown."""
    own: str | None = None
    """A ticket that is not shown: what the conversation that is asked about became."""


class Frame:
    """Active documents ordered by key, their chunks one after the other: document `d` has the chunks `first[d]:first[d + 1]`."""

    def __init__(self, revision: str, columns: Columns, learned: LearnedMap | None) -> None:
        self.revision, self.columns, self.learned = revision, columns, learned
        self.heads, self.ids, self.vectors = columns.heads, columns.ids, columns.vectors
        self.first: Places = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(columns.sizes)])
        self.owner: Places = np.repeat(np.arange(len(self.heads)), columns.sizes)
        self.place = {id: at for at, id in enumerate(self.ids)}
        heads = self.heads
        self._documents = {id: at for at, id in enumerate(heads.id)}
        self.asked = np.flatnonzero(np.fromiter(map(len, heads.links), dtype=np.int64))
        self.answered: Floats = np.full(len(heads), EVER)
        self.answered[self.asked] = [min(link.at for link in heads.links[at]) for at in self.asked]
        answers = heads.use == "answers"
        self.articles: Places = np.flatnonzero(answers & (heads.kind == "article"))
        self._kinds = _Codes(np.where(answers, heads.kind, ""))
        self._audiences = _Codes(heads.audience)
        self._languages = _Codes(language or "" for language in heads.language)
        self.known = np.nan_to_num(heads.known_since, nan=-EVER, posinf=EVER, neginf=-EVER)
        self._from = np.nan_to_num(heads.valid_from, nan=-EVER, posinf=EVER, neginf=-EVER)
        self._until = np.nan_to_num(heads.valid_until, nan=EVER, posinf=EVER, neginf=-EVER)

        bound = ((at, ranges(products)) for at, products in enumerate(heads.products) if products)
        self._bound = {at: some for at, some in bound if some}
        self._products = {one.product for some in self._bound.values() for one in some}

    def span(self, chunk: int) -> Span:
        """Where a chunk stands in its revision, and under which headings."""
        c = self.columns
        return Span(int(c.starts[chunk]), int(c.ends[chunk]), c.headings[chunk])

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
        seen[self.own(view)] = False
        return seen if view.language is None else seen & self._languages.among((view.language, ""))

    def own(self, view: View) -> Places:
        """The ticket that the view's conversation became, where it is there."""
        found = self.find([view.own] if view.own else ())
        mine: Places = found[self.heads.kind[found] == "ticket"]
        return mine

    def open_to(self, audiences: frozenset[str] | None) -> Mask:
        """Which documents these audiences may see; None means all."""
        return np.ones(len(self.heads), dtype=np.bool_) if audiences is None else self._audiences.among(audiences)

    def chunks(self, documents: Places) -> Places:
        """The places of all chunks of these documents, in order."""
        return run(self.first, self.columns.sizes, documents)

    def cosines(self, vector: Vectors) -> Vectors:
        """Each chunk's cosine with a unit vector; many of them by two threads, which the memory serves twice as fast as one."""
        found = np.zeros(len(self.vectors), dtype=np.float32)
        if len(found) < BY_TWO:
            return np.dot(self.vectors, vector, found) if len(found) else found
        half = len(found) // 2
        other = _OTHER.submit(np.dot, self.vectors[:half], vector, found[:half])
        np.dot(self.vectors[half:], vector, found[half:])
        other.result()
        return found

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
    def sent(self) -> tuple[Places, Places, Floats]:
        """Each time that a case was sent a document which is there: the case's place, the document's, and when."""
        rows = [
            (case, self._documents[link.target], link.at)
            for case in self.asked.tolist()
            for link in self.heads.links[case]
            if link.target in self._documents
        ]
        cases, sent = (np.array([row[n] for row in rows], dtype=np.int64) for n in (0, 1))
        return cases, sent, np.array([row[2] for row in rows], dtype=np.float64)

    @cached_property
    def topics(self) -> Vectors:
        """The means of all articles, in the order of `articles`."""
        return self.means(self.articles)

    @cached_property
    def titles(self) -> Titles:
        """What the documents' titles say."""
        return Titles.of(self.heads.title.tolist())

    @cached_property
    def about(self) -> tuple[dict[int, tuple[str, ...]], frozenset[str]]:
        """What products and platforms each article that all agents may see is about, and all of them."""
        open = self.open_to(frozenset({PUBLIC, INTERNAL}))
        places = self.articles[open[self.articles]].tolist()
        found = {at: about(self.heads.title[at], self.heads.products[at]) for at in places}
        return found, frozenset(word for words in found.values() for word in words)

    @cached_property
    def words(self) -> Counter[str]:
        """How often the articles' titles have each plain word."""
        return self.words_by(EVER)

    def words_by(self, time: float) -> Counter[str]:
        """The same among the articles that were there at a time (as a timestamp); undated ones always were."""
        return counted(self.heads.title[at] for at in self.articles.tolist() if self.known[at] <= time)

    @cached_property
    def letters(self) -> Letters:
        """How the articles' titles are spelt, in the order of `articles`."""
        return Letters.of(self.heads.title[self.articles].tolist())

    @cached_property
    def by_agent(self) -> Floats:
        """1 where an agent solved the ticket."""
        return np.array(self.heads.solution_by == "agent", dtype=np.float64)


class Frames:
    """The newest frame of each workspace, for as many chunks as memory is given; what was not asked for longest goes first."""

    def __init__(self, database: Database, embedder: str, most: int, *, shadow: bool = False) -> None:
        self._db, self._embedder, self._most, self._shadow = database, embedder, most, shadow
        self._lock = RLock()
        self._kept: OrderedDict[str, Frame] = OrderedDict()
        self._replaced_at: float | None = None
        self._ahead: Ahead | None = None

    def expect(self, ahead: Ahead | None) -> None:
        """Take a workspace's columns from there when it is first asked for, if they are of that moment."""
        self._ahead = ahead

    def at(self, workspace: str, revision: str | None = None) -> Frame:
        """The workspace as it is now, or as it was when whoever asks has just read its `revision`.

        Raises NotFound for an unknown workspace, IndexMismatch where another embedder made its vectors.
        """
        if revision is None:
            with self._db.read() as connection:
                revision = clock(connection, workspace)
        kept = self._kept.get(workspace)
        return kept if kept is not None and kept.revision == revision else self._newer(workspace)

    def held(self, workspace: str) -> Frame:
        """The frame that was asked for last, without a look at the clock: for who asked for it a moment ago. Raises as `at` does."""
        return self._kept.get(workspace) or self.at(workspace)

    def _newer(self, workspace: str) -> Frame:
        with self._lock, self._db.read() as connection:
            revision, old = clock(connection, workspace), self._kept.get(workspace)
            if self._foreign(connection, workspace):
                return self._last(connection, workspace)
            if old is None or old.revision != revision:
                columns = self._columns(connection, workspace, old)
                self._kept[workspace] = Frame(revision, columns, newest(connection, workspace, self._embedder))
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

    def _columns(self, connection: Connection, workspace: str, old: Frame | None) -> Columns:
        """What is in force: kept from the old frame where it says the same, else read."""
        if old is None:
            return self._read_ahead(connection, workspace) or read(connection, workspace, self._embedder, None)
        d = t.documents.c
        active = select(d.key, d.active_revision).where(d.workspace == workspace, d.active_revision.is_not(None))
        now = {(key, number) for key, number in connection.execute(active)}
        versions = zip(old.heads.key.tolist(), old.heads.revision.tolist(), strict=True)
        kept = [at for at, version in enumerate(versions) if version in now]
        known = set(old.heads.key[kept].tolist())
        columns = old.columns.taken(np.array(kept, dtype=np.int64)) if len(kept) < len(old.heads) else old.columns
        for some in parts(sorted(key for key, _ in now if key not in known)):
            columns = columns.joined(read(connection, workspace, self._embedder, some))
        return columns

    def _read_ahead(self, connection: Connection, workspace: str) -> Columns | None:
        if self._ahead is None or self._ahead.workspace != workspace:
            return None
        ahead, self._ahead = self._ahead, None
        return ahead.columns(clock(connection, workspace), self._embedder)


def clock(connection: Connection, workspace: str) -> str:
    """The workspace's index revision: it moves with each switch or deletion. Raises NotFound for an unknown workspace."""
    row = connection.execute(CLOCK, {"workspace": workspace}).scalar()
    if row is None:
        raise unknown(workspace)
    return str(row)


def unknown(workspace: str) -> NotFound:
    """The error for a workspace that nothing was ingested into."""
    return NotFound(
        f"There is no workspace {workspace!r}. Ingest something into it first: copilot ingest PATH --workspace {workspace}."
    )


class _Codes:
    """Few different words many times, as numbers."""

    def __init__(self, words: Iterable[str]) -> None:
        listed = list(words)
        self._numbers = {word: at for at, word in enumerate(sorted(set(listed)))}
        self._codes = np.array([self._numbers[word] for word in listed], dtype=np.int64)

    def among(self, words: Collection[str]) -> Mask:
        """Where one of these words stands."""
        return np.array([word in words for word in self._numbers], dtype=np.bool_)[self._codes]
