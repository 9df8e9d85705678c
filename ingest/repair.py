"""Makes damaged indexes right from the ledger, without embedding anything."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from sqlalchemy import delete, select, update

from copilot.build import Parts, build, empty_indexes
from copilot.crash import point
from copilot.errors import IndexBroken
from copilot.ports import LexicalIndex, VectorIndex
from copilot.settings import Settings
from copilot.store import schema as t
from copilot.store.contents import Contents, Held
from copilot.store.makers import Makers
from copilot.store.values import digest
from copilot.store.values import parts as lists
from ingest.verify import altered, damaged

log = logging.getLogger(__name__)

Tick = Callable[[int], None]
Index = TypeVar("Index", VectorIndex, LexicalIndex)


@dataclass(slots=True)
class Repaired:
    """What a repair put right; `reread` are documents whose own rows are damaged: the next ingest reads them again."""

    added: int = 0
    removed: int = 0
    rebuilt: list[str] = field(default_factory=list)
    reread: list[str] = field(default_factory=list)


def build_anyway(settings: Settings) -> Parts:
    """The parts, with empty indexes where the old ones cannot be opened; the caller owns them and repairs next."""
    try:
        parts = build(settings)
        parts.vectors.shelves()  # the vector index opens when it is first asked
    except IndexBroken as error:
        log.warning("%s", error)
        empty_indexes(settings)
        parts = build(settings)
    return parts


def build_repaired(settings: Settings) -> Parts:
    """The parts; indexes that cannot be opened, as those of an older version, made again first. The caller owns them."""
    try:
        return build(settings)
    except IndexBroken:
        parts = build_anyway(settings)
        repair(parts)
        return parts


def repair(parts: Parts) -> Repaired:
    """Clear what a crash left, then bring both indexes to what the ledger says; an index that cannot be read is made anew.

    Raises IndexMismatch where the settings name another embedder than the one that made the vectors.
    """
    parts.ledger.require_maker()
    done = Repaired()
    with parts.writing:
        parts.ledger.recover()
        done.reread = _distrust(parts)
        held = Contents(parts.database, parts.embedder.fingerprint).held()
        _mend(
            "vector",
            lambda: mend_vectors(parts, parts.vectors, held, done),
            lambda: _anew_vectors(parts, held, done),
            done,
        )
        _mend(
            "lexical",
            lambda: mend_lexical(parts, parts.lexical, held, done),
            lambda: _anew_lexical(parts, held, done),
            done,
        )
        for shelf, ids in parts.ledger.doomed().items():
            parts.ledger.gone(shelf, ids)
        Makers(parts.database).arrived(parts.embedder.fingerprint)
    return done


def put_in_step(parts: Parts) -> None:
    """End a change of the embedding model that was cut off between the ledger and the vector index: until then that index is not asked."""
    makers, fingerprint = Makers(parts.database), parts.embedder.fingerprint
    if makers.in_step(fingerprint):
        return
    _anew_vectors(parts, Contents(parts.database, fingerprint).held(), Repaired())
    makers.arrived(fingerprint)


def renew_worn(parts: Parts) -> None:
    """Make the vector index anew where half of it is what was deleted; readers are answered meanwhile, writers wait for the last moment.

    Never beside compact or another of these: they are jobs, and jobs run one after the other.
    """
    if not parts.vectors.worn():
        return
    contents = Contents(parts.database, parts.embedder.fingerprint)
    with twin_of(parts.vectors) as twin:
        mend_vectors(parts, twin, contents.held(), Repaired())
        with parts.writing:
            mend_vectors(parts, twin, contents.held(), Repaired())
            parts.vectors.adopt(twin)


def _mend(name: str, mend: Callable[[], None], anew: Callable[[], None], done: Repaired) -> None:
    try:
        mend()
    except Exception:
        log.warning("the %s index cannot be mended and is made anew", name, exc_info=True)
        done.rebuilt.append(name)
        anew()


def mend_vectors(parts: Parts, index: VectorIndex, held: Held, done: Repaired, tick: Tick = lambda count: None) -> None:
    """Take out of the index what the ledger does not have, and put in what it lacks or has wrong."""
    for shelf in sorted({*held, *index.shelves()}, key=str):
        wanted = held.get(shelf, {})
        there = index.ids(shelf)
        wrong = set(altered(shelf, wanted, index, parts.ledger))
        index.delete(shelf, sorted((there - wanted.keys()) | wrong))
        for page in Contents(parts.database, parts.embedder.fingerprint).standing((wanted.keys() - there) | wrong):
            if page:
                index.upsert(shelf, list(page), np.stack([one.vector for one in page.values()]))
            point("compact.vectors")
            tick(len(page))
            done.added += len(page)
        done.removed += len(there - wanted.keys())


def mend_lexical(
    parts: Parts, index: LexicalIndex, held: Held, done: Repaired, tick: Tick = lambda count: None
) -> None:
    """The same for the words."""
    spoken = {shelf: ids for shelf, ids in held.items() if shelf.side != "ranking"}
    for shelf in sorted({*spoken, *index.shelves()}, key=str):
        wanted, there = spoken.get(shelf, {}).keys(), index.ids(shelf)
        index.delete(shelf, sorted(there - wanted))
        for page in Contents(parts.database, parts.embedder.fingerprint).standing(wanted - there):
            if page:
                index.upsert(shelf, [one.entry for one in page.values()])
            point("compact.lexical")
            tick(len(page))
            done.added += len(page)
        done.removed += len(there - wanted)


def _anew_vectors(parts: Parts, held: Held, done: Repaired) -> None:
    with twin_of(parts.vectors) as twin:
        mend_vectors(parts, twin, held, done)
        parts.vectors.adopt(twin)


def _anew_lexical(parts: Parts, held: Held, done: Repaired) -> None:
    with twin_of(parts.lexical) as twin:
        mend_lexical(parts, twin, held, done)
        parts.lexical.adopt(twin)


@contextmanager
def twin_of(index: Index) -> Iterator[Index]:
    """An empty index beside this one, to be adopted before the block ends; where it is not, its files are let go of, so that the next can be made."""
    twin = index.twin()
    try:
        yield twin
    except BaseException:
        twin.close()
        raise


def _distrust(parts: Parts) -> list[str]:
    """Forget vectors that are no vectors, and the fingerprints of documents that lack one or whose text is not what was stored."""
    c, d, r = t.chunks.c, t.documents.c, t.revisions.c
    with parts.database.write() as connection:
        bad = [id for id, _ in damaged(connection, parts.embedder)]
        for some in lists(bad):
            hashes = select(c.vector).where(c.id.in_(some))
            connection.execute(delete(t.vectors).where(t.vectors.c.hash.in_(hashes)))
        texts = select(d.key, r.text, r.content_hash).join(
            t.revisions, (r.document == d.key) & (r.number == d.active_revision)
        )
        keys = {row.key for row in connection.execute(texts) if digest(row.text) != row.content_hash}
        for some in lists(bad):
            keys |= set(connection.execute(select(c.document).where(c.id.in_(some))).scalars())
        names = connection.execute(select(d.id).where(d.key.in_(keys)).order_by(d.id)).scalars().all()
        connection.execute(update(t.documents).where(d.key.in_(keys)).values(fingerprint=""))
    return list(names)
