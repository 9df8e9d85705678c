"""An embedder that remembers the latest queries: an agent opens a conversation more than once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Literal

import numpy as np
from cachetools import LRUCache

from copilot.ports import Embedder, Vectors
from copilot.store.values import digest


class Remembering:
    """Another embedder's vectors; those of up to `most` queries, and what a probe said of each, are kept in memory, by a hash: what a customer
    wrote is not."""

    def __init__(self, embedder: Embedder, most: int) -> None:
        self._embedder, self._lock = embedder, Lock()
        self._kept: LRUCache[str, Vectors] = LRUCache(most)
        self._said: LRUCache[tuple[str, Callable[[Vectors], Vectors]], tuple[Vectors, Vectors]] = LRUCache(most)

    @property
    def fingerprint(self) -> str:
        """The other's."""
        return self._embedder.fingerprint

    @property
    def dimensions(self) -> int:
        """The length of one vector."""
        return self._embedder.dimensions

    def embed(self, texts: Sequence[str], kind: Literal["query", "document"]) -> Vectors:
        """One unit row a text."""
        if kind == "document" or not self._kept.maxsize:
            return self._embedder.embed(texts, kind)
        return np.stack([self._query(text) for text in texts]) if texts else self._embedder.embed(texts, kind)

    def probed(self, text: str, probe: Callable[[Vectors], Vectors]) -> tuple[Vectors, Vectors]:
        """A question's unit vector, and what the probe makes of its token states."""
        if not self._said.maxsize:
            return self._embedder.probed(text, probe)
        key = digest(text), probe
        with self._lock:
            kept = self._said.get(key)
        if kept is None:
            kept = self._embedder.probed(text, probe)
            for one in kept:
                one.flags.writeable = False
            with self._lock:
                self._said[key] = kept
                self._kept[key[0]] = kept[0]
        return kept

    def count_tokens(self, text: str) -> int:
        """Tokens of the text without the two that frame it."""
        return self._embedder.count_tokens(text)

    def _query(self, text: str) -> Vectors:
        key = digest(text)
        with self._lock:
            kept = self._kept.get(key)
        if kept is None:
            kept = self._embedder.embed([text], "query")[0]
            kept.flags.writeable = False
            with self._lock:
                self._kept[key] = kept
        return kept
