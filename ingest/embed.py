"""Documents on their way into the index: gathered into batches, each batch given the vectors of its chunks."""

from __future__ import annotations

from collections import ChainMap, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from copilot.crash import point
from copilot.linear_map import get_ready
from copilot.mapping import FEWEST
from copilot.ports import Embedder, Vectors
from copilot.store.arrivals import Arrival
from copilot.store.ledger import Ledger
from copilot.store.values import digest

BATCH_CHUNKS = 512
FEWEST_CHUNKS = 32
"""So many are enough for the first batch where the model waits for it, and twice as many each time that it waits again."""
STAGES = 4
"""More batches than stand between the stage that embeds and the one that stores."""


@dataclass(frozen=True, slots=True)
class Ready(Arrival):
    """A document that was read and split, and the key of the one that it replaces."""

    replaces: int | None


@dataclass(frozen=True, slots=True)
class Embedded:
    """A batch with the vectors of its chunks by the hash of their embedded text, and how many of them were made for it."""

    batch: tuple[Ready, ...]
    vectors: dict[str, Vectors]
    fresh: int


def in_batches(ready: Iterable[Ready], awaited: Callable[[], bool]) -> Iterator[list[Ready]]:
    """Whole documents, gathered until they have enough chunks to be worth a transaction; fewer are enough while they are awaited."""
    batch: list[Ready] = []
    chunks, enough = 0, FEWEST_CHUNKS
    for one in ready:
        batch.append(one)
        chunks += len(one.chunks)
        if chunks >= BATCH_CHUNKS or (chunks >= enough and awaited()):
            yield batch
            enough *= 1 if chunks >= BATCH_CHUNKS else 2
            batch, chunks = [], 0
    if batch:
        yield batch


def embedded(batches: Iterable[list[Ready]], ledger: Ledger, embedder: Embedder) -> Iterator[Embedded]:
    """Each batch with its vectors; only texts that neither the ledger nor a batch on its way has pass the model."""
    on_their_way: deque[dict[str, Vectors]] = deque(maxlen=STAGES)
    teaching = 0
    for batch in batches:
        few, teaching = teaching < FEWEST, teaching + sum(bool(ready.source.links) for ready in batch)
        if few and teaching >= FEWEST:
            get_ready()  # the map is learned at the end, where the model has nothing more to do
        chunks = [chunk for ready in batch for chunk, searchable in ready.chunks if searchable]
        texts = {digest(chunk.embedded): chunk.embedded for chunk in chunks}
        recent = ChainMap(*on_their_way)
        known = {hash: recent[hash] for hash in texts if hash in recent} | ledger.vectors(texts)
        missing = [hash for hash in texts if hash not in known]
        point("embed.before")
        made = embedder.embed([texts[hash] for hash in missing], "document")
        fresh = dict(zip(missing, made, strict=True))
        yield Embedded(tuple(batch), known | fresh, len(fresh))
        on_their_way.append(fresh)
