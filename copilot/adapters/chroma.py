"""Vectors in an embedded Chroma: one collection a shelf, ids and vectors only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, cast

from copilot.ports import Shelf, Vectors

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

EF_SEARCH = 100
PAGE = 5000


class ChromaIndex:
    """Approximate nearest neighbours by cosine. Its own embedding function is never used: it would need a network."""

    def __init__(self, folder: Path) -> None:
        import chromadb
        from chromadb.config import Settings

        folder.mkdir(parents=True, exist_ok=True)
        settings = Settings(anonymized_telemetry=False, allow_reset=False)
        self._client: ClientAPI = chromadb.PersistentClient(path=str(folder), settings=settings)
        self._collections: dict[Shelf, Collection] = {_shelf(c.metadata): c for c in self._client.list_collections()}
        self._lock = RLock()

    def upsert(self, shelf: Shelf, ids: Sequence[str], vectors: Vectors) -> None:
        """Put the vectors in; durable when it returns."""
        collection = self._open(shelf)
        size = self._client.get_max_batch_size()
        for at in range(0, len(ids), size):
            collection.upsert(ids=list(ids[at : at + size]), embeddings=cast("Any", vectors[at : at + size]))

    def delete(self, shelf: Shelf, ids: Sequence[str]) -> None:
        """Take the ids out; unknown ids are no error."""
        if shelf not in self._collections:
            return
        for at in range(0, len(ids), PAGE):
            self._collections[shelf].delete(ids=list(ids[at : at + PAGE]))

    def search(self, shelf: Shelf, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """The nearest ids with their cosine, best first; an unknown shelf is empty."""
        collection = self._collections.get(shelf)
        if collection is None or limit < 1:
            return []
        found = collection.query(query_embeddings=cast("Any", [vector]), n_results=limit, include=["distances"])
        distances = (found["distances"] or [[]])[0]
        return [(id, 1.0 - float(distance)) for id, distance in zip(found["ids"][0], distances, strict=True)]

    def ids(self, shelf: Shelf) -> set[str]:
        """Every id on the shelf."""
        collection = self._collections.get(shelf)
        if collection is None:
            return set()
        pages = range(0, collection.count(), PAGE)
        return {id for at in pages for id in collection.get(limit=PAGE, offset=at, include=[])["ids"]}

    def shelves(self) -> list[Shelf]:
        """Every shelf that has a collection."""
        return sorted(self._collections, key=lambda s: (s.workspace, s.kind, s.side))

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


def _name(shelf: Shelf) -> str:
    """Chroma allows few characters in a name: the workspace goes in as a hash."""
    workspace = hashlib.sha256(shelf.workspace.encode()).hexdigest()[:16]
    return f"{workspace}-{shelf.kind}-{shelf.side}"


def _shelf(metadata: Any) -> Shelf:
    return Shelf(workspace=str(metadata["workspace"]), kind=str(metadata["kind"]), side=metadata["side"])
