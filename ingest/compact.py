"""Gives space back: both indexes made anew beside the old ones and switched, then the database vacuumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from copilot.build import Parts
from copilot.crash import point
from copilot.memory import give_back
from copilot.ports import LexicalIndex, VectorIndex
from copilot.store.contents import Contents
from copilot.store.history import forget_uncited
from copilot.store.makers import Makers
from copilot.store.uploads import drop_idle
from copilot.store.values import now
from ingest.repair import Repaired, mend_lexical, mend_vectors, twin_of

Progress = Callable[[int, int], None]
WRITTEN_BY_THEN = timedelta(minutes=3)
"""A suggestion that quotes a revision is stored within this time after it was replaced: a model may take two minutes at most."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """What was carried over, and the bytes of `COPILOT_HOME` before and after."""

    chunks: int
    before: int
    after: int


def compact(parts: Parts, progress: Progress = lambda done, all: None) -> Compacted:
    """Carry what is in force into new indexes and switch to them; of what was deleted before, no file holds text or vector any more.

    Former revisions that no stored suggestion quotes are deleted with it, and uploaded files that no job waits for.

    Readers are answered all the while, and writers but for the last moment: what they changed meanwhile is carried over then.
    Raises IndexMismatch where the settings name another embedder than the one that made the vectors.
    """
    parts.ledger.require_maker()
    before, contents = size(parts.settings.home), Contents(parts.database, parts.embedder.fingerprint)
    with twin_of(parts.vectors) as vectors, twin_of(parts.lexical) as lexical:
        point("compact.begun")
        held, done = contents.held(), Repaired()
        total = sum(len(ids) * (1 if shelf.side == "ranking" else 2) for shelf, ids in held.items())

        def tick(count: int, all: int = total) -> None:
            progress(done.added + count, max(all, done.added + count))

        mend_vectors(parts, vectors, held, done, tick)
        mend_lexical(parts, lexical, held, done, tick)
        point("compact.filled")
        with parts.writing:
            kept = _switch(parts, vectors, lexical)
    drop_idle(parts.settings, parts.database)
    point("compact.vacuumed")
    give_back()
    return Compacted(kept, before, size(parts.settings.home))


def _switch(parts: Parts, vectors: VectorIndex, lexical: LexicalIndex) -> int:
    """Carry over what changed meanwhile and answer from the new indexes; how many chunks there are."""
    parts.ledger.recover()
    held, done = Contents(parts.database, parts.embedder.fingerprint).held(), Repaired()
    mend_vectors(parts, vectors, held, done)
    mend_lexical(parts, lexical, held, done)
    parts.vectors.adopt(vectors)
    Makers(parts.database).arrived(parts.embedder.fingerprint)
    point("compact.half")
    parts.lexical.adopt(lexical)
    for shelf, ids in parts.ledger.doomed().items():
        parts.ledger.gone(shelf, ids)
    point("compact.adopted")
    forget_uncited(parts.database, now() - WRITTEN_BY_THEN)
    parts.database.vacuum()
    return len({id for ids in held.values() for id in ids})


def size(home: Path) -> int:
    """The bytes of all files under a folder."""
    return sum(file.stat().st_size for file in home.rglob("*") if file.is_file())
