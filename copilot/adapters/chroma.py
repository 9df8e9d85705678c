"""Vectors in an embedded Chroma: one collection a shelf, ids and vectors only."""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from copilot.adapters import generations
from copilot.ports import Shelf, Vectors

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

EF_SEARCH = 100
PAGE = 5000
M_PERTURB = -6


class ChromaIndex:
    """Approximate nearest neighbours by cosine. Its own embedding function is never used: it would need a network."""

    def __init__(self, folder: Path) -> None:
        generations.sweep(folder)
        self._folder, self._lock, self._failed = folder, RLock(), False
        self._open_at(generations.current(folder))

    def _open_at(self, place: Path) -> None:
        import chromadb
        from chromadb.config import Settings

        place.mkdir(parents=True, exist_ok=True)
        settings = Settings(anonymized_telemetry=False, allow_reset=False)
        self._place = place
        self._client = cast("Client", chromadb.PersistentClient(path=str(place), settings=settings))
        self._collections: dict[Shelf, Collection] = {_shelf(c.metadata): c for c in self._client.list_collections()}

    def upsert(self, shelf: Shelf, ids: Sequence[str], vectors: Vectors) -> None:
        """Put the vectors in; durable when it returns."""
        with self._writing():
            collection = self._open(shelf)
            size = self._client.get_max_batch_size()
            for at in range(0, len(ids), size):
                collection.upsert(ids=list(ids[at : at + size]), embeddings=cast("Any", vectors[at : at + size]))

    def delete(self, shelf: Shelf, ids: Sequence[str]) -> None:
        """Take the ids out; unknown ids are no error."""
        with self._writing():
            if shelf not in self._collections:
                return
            for at in range(0, len(ids), PAGE):
                self._collections[shelf].delete(ids=list(ids[at : at + PAGE]))

    def search(self, shelf: Shelf, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """The nearest ids with their cosine, best first; an unknown shelf is empty."""
        self._ready()
        while True:
            collections = self._collections
            try:
                return _search(collections.get(shelf), vector, limit)
            except Exception:
                if collections is self._collections:
                    raise  # else a twin was adopted meanwhile: it has the answer

    def ids(self, shelf: Shelf) -> set[str]:
        """Every id on the shelf."""
        self._ready()
        collection = self._collections.get(shelf)
        if collection is None:
            return set()
        pages = range(0, collection.count(), PAGE)
        return {id for at in pages for id in collection.get(limit=PAGE, offset=at, include=[])["ids"]}

    def vectors(self, shelf: Shelf) -> Iterator[tuple[str, Vectors]]:
        """Every id on the shelf with its vector as it stands there."""
        self._ready()
        collection = self._collections.get(shelf)
        for at in range(0, collection.count() if collection else 0, PAGE):
            assert collection is not None
            page = collection.get(limit=PAGE, offset=at, include=["embeddings"])
            yield from zip(page["ids"], np.asarray(page["embeddings"], dtype=np.float32), strict=True)

    def shelves(self) -> list[Shelf]:
        """Every shelf that has a collection."""
        return sorted(self._collections, key=lambda s: (s.workspace, s.kind, s.side))

    def twin(self) -> Self:
        """An empty index beside this one."""
        made = type(self).__new__(type(self))
        made._folder, made._lock, made._failed = self._folder, RLock(), False
        made._open_at(generations.begin(self._folder))
        _blank_memory(True)
        return made

    def adopt(self, twin: Self) -> None:
        """Answer from the twin, and remove the old generation's files."""
        with self._lock:
            generations.switch(self._folder, twin._place)
            self._place, twin._place = twin._place, self._place
            self._client, twin._client = twin._client, self._client
            self._collections, twin._collections = twin._collections, {}
        _blank_memory(False)
        twin.close()
        generations.sweep(self._folder)

    def close(self) -> None:
        """Let go of files and memory; another index over the same folder in this process is not disturbed."""
        client, self._client = self._client, cast("Client", None)
        if client is not None:
            client.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """After a write that failed Chroma's client waits for ever at the next: it is given up, and the next call opens another."""
        self._ready()
        try:
            yield
        except Exception:
            self._failed = True
            raise

    def _ready(self) -> None:
        with self._lock:
            if self._failed:
                self.close()
                self._open_at(self._place)
                self._failed = False

    def _open(self, shelf: Shelf) -> Collection:
        with self._lock:
            if shelf not in self._collections:
                self._collections[shelf] = self._client.create_collection(
                    name=_name(shelf),
                    metadata={"workspace": shelf.workspace, "kind": shelf.kind, "side": shelf.side},
                    configuration={"hnsw": {"space": "cosine", "ef_search": EF_SEARCH, "ef_construction": 200}},
                    embedding_function=None,
                )
            return self._collections[shelf]


def _search(collection: Collection | None, vector: Vectors, limit: int) -> list[tuple[str, float]]:
    if collection is None or limit < 1:
        return []
    found = collection.query(query_embeddings=cast("Any", [vector]), n_results=limit, include=["distances"])
    distances = (found["distances"] or [[]])[0]
    return [(id, 1.0 - float(distance)) for id, distance in zip(found["ids"][0], distances, strict=True)]


def _blank_memory(on: bool) -> None:
    """Have the C library hand out zeroed memory meanwhile: Chroma writes some of it to its files unused, with whatever words stood there before."""
    try:
        ctypes.CDLL(None).mallopt(M_PERTURB, 255 if on else 0)
    except (AttributeError, OSError, TypeError):
        return  # another C library: nothing of the kind is known there


def _name(shelf: Shelf) -> str:
    """Chroma allows few characters in a name: the workspace goes in as a hash."""
    workspace = hashlib.sha256(shelf.workspace.encode()).hexdigest()[:16]
    return f"{workspace}-{shelf.kind}-{shelf.side}"


def _shelf(metadata: Any) -> Shelf:
    return Shelf(workspace=str(metadata["workspace"]), kind=str(metadata["kind"]), side=metadata["side"])
