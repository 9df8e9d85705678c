"""Proves that ledger, vectors and lexical index agree, or says where they do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy import Connection, and_, func, or_, select, text

from copilot.build import Parts
from copilot.ports import Embedder, Shelf, VectorIndex, Vectors
from copilot.store import schema as t
from copilot.store.contents import Contents, Held
from copilot.store.ledger import Ledger
from copilot.store.makers import SWITCHED, filling
from copilot.store.values import digest

SAME = 1e-6
UNIT = 1e-3
PAGE = 2000


@dataclass(slots=True)
class Report:
    """What was counted, and every disagreement in a sentence."""

    documents: int = 0
    chunks: int = 0
    vectors: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether everything agrees."""
        return not self.problems


def verify(parts: Parts) -> Report:
    """Check the ledger against itself, then both indexes against it: counts, hashes, orphans, size and value of every vector."""
    report = Report()
    with parts.writing:
        with parts.database.read() as connection:
            for check in (_file, _unfinished, _revisions, _texts, _workspaces):
                report.problems += check(connection)
            report.problems += _makers(connection, parts.embedder)
            report.problems += [f"chunk {id}: {what}" for id, what in damaged(connection, parts.embedder)]
            _count(connection, report)
        held = Contents(parts.database, parts.embedder.fingerprint).held()
        _ids("the vector index", held, parts.vectors.shelves(), parts.vectors.ids, report)
        lexical = {shelf: ids for shelf, ids in held.items() if shelf.side != "ranking"}
        _ids("the lexical index", lexical, parts.lexical.shelves(), parts.lexical.ids, report)
        _values(held, parts.vectors, parts.ledger, report)
    return report


# -- the ledger ----------------------------------------------------------------------------------------------------------


def _file(connection: Connection) -> Iterator[str]:
    """What SQLite itself finds wrong with its file."""
    if connection.dialect.name != "sqlite":
        return
    found = connection.execute(text("PRAGMA quick_check")).scalars().all()
    yield from (f"the database file is damaged ({line}): restore a backup" for line in found if line != "ok")
    if connection.execute(text("PRAGMA foreign_key_check")).first():
        yield "the database has rows whose owner is gone: restore a backup"


def _unfinished(connection: Connection) -> Iterator[str]:
    pending = _total(connection, select(t.revisions.c.number).where(t.revisions.c.status == "pending"))
    if pending:
        yield f"{pending} revisions are pending: an ingest was cut off (the next one clears them)"
    if doomed := _total(connection, select(t.doomed.c.id)):
        yield f"{doomed} chunks wait to leave the indexes (the next ingest clears them)"


def _revisions(connection: Connection) -> Iterator[str]:
    """Each document has one active revision, and only that one has chunks."""
    d, r, c = t.documents.c, t.revisions.c, t.chunks.c
    in_force = and_(r.document == d.key, r.number == d.active_revision, r.status == "active")
    for id in connection.execute(select(d.id).outerjoin(t.revisions, in_force).where(r.number.is_(None))).scalars():
        yield f"{id}: it has no revision in force"
    stray = select(d.id, r.number).join(t.documents, r.document == d.key)
    for id, number in connection.execute(stray.where(r.status == "active", r.number != d.active_revision)):
        yield f"{id}: revision {number} is marked active beside the one in force"
    left = select(func.count()).select_from(t.chunks).join(
        t.revisions, and_(r.document == c.document, r.number == c.revision)
    ).where(r.status == "retired")  # fmt: skip
    if count := connection.execute(left).scalar():
        yield f"{count} chunks of retired revisions are still in the ledger"


def _texts(connection: Connection) -> Iterator[str]:
    """Every stored text is the one that was stored: old revisions are cited too."""
    d, r, c = t.documents.c, t.revisions.c, t.chunks.c
    texts = select(d.id, r.number, r.text, r.content_hash).join(t.documents, r.document == d.key)
    for row in connection.execute(texts.execution_options(yield_per=100)):
        if digest(row.text) != row.content_hash:
            yield f"{row.id}: the text of revision {row.number} differs from its hash"
    outside = select(c.id).join(t.revisions, and_(r.document == c.document, r.number == c.revision))
    outside = outside.where(or_(c.start < 0, c.start >= c.end, c.end > func.length(r.text)))
    for id in connection.execute(outside).scalars():
        yield f"chunk {id} lies outside its text"


def _workspaces(connection: Connection) -> Iterator[str]:
    """No vector is without a chunk, none of a maker that no workspace has."""
    v, c = t.vectors.c, t.chunks.c
    used = select(c.id).where(c.vector == v.hash).exists()
    if orphans := _total(connection, select(v.hash).where(~used)):
        yield f"{orphans} stored vectors belong to no chunk"
    makers = select(t.workspaces.c.embedder).where(t.workspaces.c.embedder.is_not(None))
    made = select(v.embedder).where(v.embedder.not_in(makers), v.embedder.not_in(filling()))
    for maker in connection.execute(made.distinct()).scalars():
        yield f"there are vectors of {maker}, which made no workspace's index"


def _makers(connection: Connection, embedder: Embedder) -> Iterator[str]:
    """Vectors of two makers are never compared."""
    c = t.workspaces.c
    query = select(c.id, c.embedder).where(c.embedder != embedder.fingerprint).order_by(c.id)
    for id, maker in connection.execute(query):
        yield f"the index of workspace {id!r} was made by {maker}, the model at hand is {embedder.fingerprint}: `copilot reembed`"
    if connection.execute(select(t.makers.c.fingerprint).where(t.makers.c.state == SWITCHED)).first():
        yield "a change of the embedding model was cut off before the vector index followed (the next ingest or repair ends it)"


def damaged(connection: Connection, embedder: Embedder) -> Iterator[tuple[str, str]]:
    """Chunk ids whose vector is missing, or not a unit vector of the embedder's size, and what is wrong."""
    c, v, d, w = t.chunks.c, t.vectors.c, t.documents.c, t.workspaces.c
    query = select(c.id, v.vector).select_from(t.chunks)
    query = query.join(t.documents, d.key == c.document).join(t.workspaces, w.id == d.workspace)
    query = query.outerjoin(t.vectors, (v.hash == c.vector) & (v.embedder == w.embedder))
    query = query.where(c.searchable, w.embedder == embedder.fingerprint)
    for id, vector in connection.execute(query.execution_options(yield_per=1000)):
        if vector is None:
            yield id, f"it has no vector of {embedder.fingerprint}"
        elif not _is_unit(vector, embedder.dimensions):
            yield id, "its vector is of the wrong size or length"


def _is_unit(vector: bytes, dimensions: int) -> bool:
    return len(vector) == 4 * dimensions and abs(float(np.linalg.norm(np.frombuffer(vector, dtype="<f4"))) - 1) <= UNIT


def _count(connection: Connection, report: Report) -> None:
    report.documents = _total(connection, select(t.documents.c.key).where(t.documents.c.active_revision.is_not(None)))
    report.chunks = _total(connection, select(t.chunks.c.id))
    report.vectors = _total(connection, select(t.chunks.c.id).where(t.chunks.c.searchable))


def _total(connection: Connection, query: Any) -> int:
    return int(connection.execute(select(func.count()).select_from(query.subquery())).scalar_one())


# -- the indexes ---------------------------------------------------------------------------------------------------------


def _ids(name: str, held: Held, present: list[Shelf], ids: Callable[[Shelf], set[str]], report: Report) -> None:
    for shelf in sorted({*held, *present}, key=str):
        where, wanted = f"{name} ({shelf.workspace}, {shelf.kind}, {shelf.side})", held.get(shelf, {}).keys()
        try:
            there = ids(shelf)
        except Exception as error:
            report.problems.append(f"{where} cannot be read ({error})")
            continue
        if missing := wanted - there:
            report.problems.append(f"{where} lacks {len(missing)} chunks, {min(missing)} first")
        if orphans := there - wanted:
            report.problems.append(f"{where} holds {len(orphans)} orphans, {min(orphans)} first")


def _values(held: Held, index: VectorIndex, ledger: Ledger, report: Report) -> None:
    for shelf in sorted(held, key=str):
        where = f"the vector index ({shelf.workspace}, {shelf.kind}, {shelf.side})"
        try:
            wrong = altered(shelf, held[shelf], index, ledger)
        except Exception as error:
            report.problems.append(f"{where} cannot be read ({error})")
            continue
        if wrong:
            report.problems.append(f"{where} has {len(wrong)} vectors that are not the ledger's, {wrong[0]} first")


def altered(shelf: Shelf, held: dict[str, str], index: VectorIndex, ledger: Ledger) -> list[str]:
    """Ids on the shelf whose vector there has another size or value than the ledger's."""
    there, wrong = index.vectors(shelf), list[str]()
    while page := list(islice(there, PAGE)):
        expected = [(id, vector) for id, vector in page if id in held]
        known = ledger.vectors({held[id] for id, _ in expected})
        wrong += [id for id, vector in expected if not _same(vector, known.get(held[id]))]
    return sorted(wrong)


def _same(one: Vectors, other: Vectors | None) -> bool:
    return other is None or (one.shape == other.shape and bool(np.abs(one - other).max() <= SAME))
