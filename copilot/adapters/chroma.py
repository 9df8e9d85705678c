"""Vectors in an embedded Chroma: one collection a shelf, ids and vectors only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from copilot.adapters import generations
from copilot.memory import BLANK_MEMORY
from copilot.ports import Shelf, Vectors

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

EF_SEARCH = 4000
"""So many are looked at. Only workspaces of a million chunks are searched here, where time is saved still; at 500,000, 400 missed six in a
hundred of the ten nearest and 4,000 one in two hundred."""
PAGE = 5000
WORN = 2000
"""So many deletions are let be, however little there is beside them."""


class ChromaIndex:
    """Approximate nearest neighbours by cosine. Its own embedding function is never used: it would need a network."""

    def __init__(self, folder: Path) -> None:
        generations.sweep(folder)
        self._folder, self._lock = folder, RLock()
        self._place, self._opened = generations.current(folder), _Opened()

    @property
    def _now(self) -> _Opened:
        """Opened by whoever asks first: it takes a second, and small workspaces are searched without it. Raises IndexBroken."""
        opened = self._opened
        if opened.client is None:
            with self._lock, BLANK_MEMORY, generations.opening("vector", self._folder):
                if self._opened.client is None:
                    self._opened = _open(self._place)
                opened = self._opened
        return opened

    def upsert(self, shelf: Shelf, ids: Sequence[str], vectors: Vectors) -> None:
        """Put the vectors in; durable when it returns."""
        with self._writing():
            collection = self._collection(shelf)
            size = self._now.most
            for at in range(0, len(ids), size):
                collection.upsert(ids=list(ids[at : at + size]), embeddings=cast("Any", vectors[at : at + size]))

    def delete(self, shelf: Shelf, ids: Sequence[str]) -> None:
        """Take the ids out; unknown ids are no error."""
        with self._writing():
            collection = self._now.collections.get(shelf)
            for at in range(0, len(ids) if collection else 0, PAGE):
                assert collection is not None
                collection.delete(ids=list(ids[at : at + PAGE]))
            if collection and ids:
                collection.modify(metadata={**collection.metadata, "deleted": _deleted(collection) + len(ids)})

    def worn(self) -> bool:
        """Whether half of what a collection holds, in memory and on disk, is vectors that were deleted: Chroma keeps those in its graph."""
        collections = self._now.collections.values()
        return any(_deleted(one) >= WORN and _deleted(one) >= one.count() for one in collections)

    def search(self, shelf: Shelf, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """The nearest ids with their cosine, best first; an unknown shelf is empty."""
        while True:
            opened = self._now
            try:
                with BLANK_MEMORY:
                    return _search(opened.collections.get(shelf), vector, limit)
            except Exception:
                if opened is self._opened:
                    raise  # else a twin was adopted meanwhile: it has the answer

    def ids(self, shelf: Shelf) -> set[str]:
        """Every id on the shelf."""
        collection = self._now.collections.get(shelf)
        if collection is None:
            return set()
        with BLANK_MEMORY:
            pages = range(0, collection.count(), PAGE)
            return {id for at in pages for id in collection.get(limit=PAGE, offset=at, include=[])["ids"]}

    def vectors(self, shelf: Shelf) -> Iterator[tuple[str, Vectors]]:
        """Every id on the shelf with its vector as it stands there."""
        collection = self._now.collections.get(shelf)
        for at in range(0, collection.count() if collection else 0, PAGE):
            assert collection is not None
            with BLANK_MEMORY:
                page = collection.get(limit=PAGE, offset=at, include=["embeddings"])
            yield from zip(page["ids"], np.asarray(page["embeddings"], dtype=np.float32), strict=True)

    def shelves(self) -> list[Shelf]:
        """Every shelf that has a collection."""
        return sorted(self._now.collections, key=lambda s: (s.workspace, s.kind, s.side))

    def twin(self) -> Self:
        """An empty index beside this one."""
        made = type(self).__new__(type(self))
        made._folder, made._lock = self._folder, RLock()
        made._place, made._opened = generations.begin(self._folder), _Opened()
        return made

    def adopt(self, twin: Self) -> None:
        """Answer from the twin, and remove the old generation's files."""
        with self._lock:
            generations.switch(self._folder, twin._place)
            opened = twin._now
            self._opened, twin._opened = opened, self._opened
            self._place, twin._place = twin._place, self._place
        twin.close()
        generations.sweep(self._folder)

    def close(self) -> None:
        """Let go of files and memory; another index over the same folder in this process is not disturbed."""
        opened, self._opened = self._opened, _Opened()
        opened.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """After a write that failed Chroma's client waits for ever at the next: it is given up, and whoever asks next opens another."""
        try:
            with BLANK_MEMORY:
                yield
        except Exception:
            with self._lock:
                self.close()
            raise

    def _collection(self, shelf: Shelf) -> Collection:
        with self._lock:
            opened = self._now
            assert opened.client is not None
            if shelf not in opened.collections:
                opened.collections[shelf] = opened.client.create_collection(
                    name=_name(shelf),
                    metadata={"workspace": shelf.workspace, "kind": shelf.kind, "side": shelf.side},
                    configuration={"hnsw": {"space": "cosine", "ef_search": EF_SEARCH, "ef_construction": 200}},
                    embedding_function=None,
                )
            return opened.collections[shelf]


@dataclass(frozen=True, slots=True)
class _Opened:
    """A generation's client and collections, and how much it takes at once; without a client it was not opened yet."""

    client: Client | None = None
    collections: dict[Shelf, Collection] = field(default_factory=dict)
    most: int = 0

    def close(self) -> None:
        """Let go of files and memory."""
        if self.client is not None:
            self.client.close()


def _open(place: Path) -> _Opened:
    import chromadb
    from chromadb.config import Settings

    place.mkdir(parents=True, exist_ok=True)
    settings = Settings(anonymized_telemetry=False, allow_reset=False)
    try:
        client = cast("Client", chromadb.PersistentClient(path=str(place), settings=settings))
    except Exception:
        _forget(place)
        raise
    try:
        collections = {_shelf(collection.metadata): collection for collection in client.list_collections()}
        return _Opened(client, collections, client.get_max_batch_size())
    except Exception:
        client.close()
        raise


def _forget(place: Path) -> None:
    """Chroma keeps what failed to start, and gives that to whoever opens the folder next: it has to let go of it."""
    from chromadb.api.shared_system_client import SharedSystemClient

    if str(place) not in SharedSystemClient._identifier_to_refcount:
        SharedSystemClient._identifier_to_system.pop(str(place), None)


def _search(collection: Collection | None, vector: Vectors, limit: int) -> list[tuple[str, float]]:
    if collection is None or limit < 1:
        return []
    found = collection.query(query_embeddings=cast("Any", [vector]), n_results=limit, include=["distances"])
    distances = (found["distances"] or [[]])[0]
    return [(id, 1.0 - float(distance)) for id, distance in zip(found["ids"][0], distances, strict=True)]


def _deleted(collection: Collection) -> int:
    """How many vectors were ever deleted from it."""
    return int(cast("Any", collection.metadata or {}).get("deleted", 0))


def _name(shelf: Shelf) -> str:
    """Chroma allows few characters in a name: the workspace goes in as a hash."""
    workspace = hashlib.sha256(shelf.workspace.encode()).hexdigest()[:16]
    return f"{workspace}-{shelf.kind}-{shelf.side}"


def _shelf(metadata: Any) -> Shelf:
    return Shelf(workspace=str(metadata["workspace"]), kind=str(metadata["kind"]), side=metadata["side"])
