"""What both indexes should hold, read from the ledger: the yardstick of verify, and the source of repair and compact."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Row, Select, and_, select

from copilot.domain import Chunk, Source
from copilot.ports import LexicalEntry, Shelf, Vectors
from copilot.store import schema as t
from copilot.store.arrivals import HEAD, Staged, shelves
from copilot.store.database import Database
from copilot.store.values import parts

Held = dict[Shelf, dict[str, str]]
"""Chunk id -> hash of its embedded text, by shelf."""
PAGE = 500
WHOLE_CHARS = 20_000
"""So much of a ticket the lexical index reads."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A chunk as the indexes should have it."""

    vector: Vectors
    entry: LexicalEntry


class Contents:
    """Reads the searchable chunks of active revisions that have a vector of the embedder in force."""

    def __init__(self, database: Database, embedder: str) -> None:
        self._db, self._embedder = database, embedder

    def held(self) -> Held:
        """Every chunk that a search may find, by the shelves that it stands on."""
        d, r, c = t.documents.c, t.revisions.c, t.chunks.c
        found: Held = {}
        with self._db.read() as connection:
            heads = select(d.key, d.workspace, r.head, r.use, r.links).join(
                t.revisions, and_(r.document == d.key, r.number == d.active_revision)
            )
            places = {
                row.key: shelves(row.workspace, HEAD.validate_python(row.head), row.use, bool(row.links))
                for row in connection.execute(heads)
            }
            for row in connection.execute(self._found(select(c.id, c.document, c.vector.label("hash")))):
                for shelf in places[row.document]:
                    found.setdefault(shelf, {})[row.id] = row.hash
        return found

    def standing(self, ids: Collection[str]) -> Iterator[dict[str, Standing]]:
        """These chunks with vector and words, a page at a time; what was deleted meanwhile is left out."""
        d, r, c, v = t.documents.c, t.revisions.c, t.chunks.c, t.vectors.c
        query = self._found(select(c.id, c.start, c.end, c.headings, d.title, d.kind, d.use, r.text, v.vector)).join(
            t.revisions, and_(r.document == d.key, r.number == d.active_revision)
        )
        for some in parts(sorted(ids), PAGE):
            with self._db.read() as connection:
                rows = connection.execute(query.where(c.id.in_(some)).order_by(c.id)).all()
            yield {row.id: _standing(row) for row in rows}

    def _found(self, query: Select[Any]) -> Select[Any]:
        d, c, v = t.documents.c, t.chunks.c, t.vectors.c
        query = query.select_from(t.chunks)
        query = query.join(t.documents, and_(d.key == c.document, d.active_revision == c.revision))
        query = query.join(t.vectors, and_(v.hash == c.vector, v.embedder == self._embedder))
        return query.where(c.searchable)


def _standing(row: Row[Any]) -> Standing:
    whole = row.text if row.kind == "ticket" and row.use == "answers" else None
    words = entry(row.id, row.title, row.headings, row.text[row.start : row.end], whole)
    return Standing(np.frombuffer(row.vector, dtype="<f4"), words)


def entry(id: str, title: str, headings: Sequence[str], words: str, whole: str | None) -> LexicalEntry:
    """What the lexical index reads of a chunk. A solved ticket's problem and resolution stand there as one text, under its first chunk."""
    if whole is None:
        return LexicalEntry(id=id, title=title, headings=" ".join(headings), body=words)
    body = f"{title}\n{whole[:WHOLE_CHARS]}" if id.endswith(".0") else ""  # the title weighs no more than other words
    return LexicalEntry(id=id, title="", headings="", body=body)


def is_case(source: Source) -> bool:
    """Whether it is a solved ticket, with problem and resolution."""
    return source.use == "answers" and source.document.kind == "ticket"


def by_shelf(staged: Iterable[tuple[Staged, Source]]) -> dict[Shelf, list[tuple[Chunk, LexicalEntry]]]:
    """Chunks and their words, by the shelf that they go to."""
    shelves: dict[Shelf, list[tuple[Chunk, LexicalEntry]]] = {}
    for one, source in staged:
        title, whole = one.document.title, source.text if is_case(source) else None
        some = [(chunk, entry(id, title, chunk.headings, chunk.text, whole)) for id, chunk in one.chunks]
        for shelf in one.shelves:
            shelves.setdefault(shelf, []).extend(some)
    return {shelf: some for shelf, some in shelves.items() if some}
