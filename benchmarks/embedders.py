"""Embedders that stand between ingest and the real one: one remembers what it was given, one saves the time of embedding a large corpus."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Literal

import numpy as np

from copilot.ports import Embedder, Vectors

NEIGHBOURS = 3
MAIN_SHARE = 0.75
ASIDE = 0.35
TINY = 1e-9


class Recorder:
    """The given embedder; the texts of documents that passed it are kept, in order."""

    def __init__(self, inner: Embedder) -> None:
        self.inner, self.texts = inner, list[str]()

    @property
    def fingerprint(self) -> str:
        """That of the given one."""
        return self.inner.fingerprint

    @property
    def dimensions(self) -> int:
        """That of the given one."""
        return self.inner.dimensions

    def embed(self, texts: Sequence[str], kind: Literal["query", "document"]) -> Vectors:
        """The given one's vectors."""
        if kind == "document":
            self.texts.extend(texts)
        return self.inner.embed(texts, kind)

    def probed(self, text: str, probe: Callable[[Vectors], Vectors]) -> tuple[Vectors, Vectors]:
        """The given one's."""
        return self.inner.probed(text, probe)

    def count_tokens(self, text: str) -> int:
        """The given one's count."""
        return self.inner.count_tokens(text)


class StandIn(Recorder):
    """Embeds the first `real` documents; those after them get a derived vector, since 100,000 would take a quarter of an hour."""

    def __init__(self, inner: Embedder, real: int) -> None:
        super().__init__(inner)
        self.real, self.bank = real, np.zeros((0, inner.dimensions), dtype=np.float32)
        self.derived, self.seconds = 0, 0.0

    def embed(self, texts: Sequence[str], kind: Literal["query", "document"]) -> Vectors:
        """Real vectors for queries and for the first documents, derived ones for the rest; `seconds` is what documents took."""
        if kind == "query":
            return self.inner.embed(texts, kind)
        started = perf_counter()
        room = max(0, self.real - len(self.bank))
        if room and texts:
            self.bank = np.concatenate([self.bank, super().embed(texts[:room], kind)])
        made, rest = self.bank[len(self.bank) - len(texts[:room]) :], texts[room:]
        self.derived += len(rest)
        vectors = np.concatenate([made, derive(self.bank, rest)]) if rest else made
        self.seconds += perf_counter() - started
        return vectors


def derive(bank: Vectors, texts: Sequence[str]) -> Vectors:
    """Unit vectors near the real ones: each mixes three of them, one most, and goes some way as two others differ; the same text gives the same.

    Text differs in a few directions. Noise in all of them alike makes clusters that are unlike text, in which approximate search gets lost.
    """
    rows = [_mixture(bank, np.random.default_rng(_seed(text))) for text in texts]
    return np.stack(rows).astype(np.float32)


def _mixture(bank: Vectors, random: np.random.Generator) -> Vectors:
    chosen = bank[random.integers(len(bank), size=NEIGHBOURS)]
    shares = np.array([MAIN_SHARE, *np.full(NEIGHBOURS - 1, (1 - MAIN_SHARE) / (NEIGHBOURS - 1))], dtype=np.float32)
    one, other = bank[random.integers(len(bank), size=2)]
    mixed: Vectors = shares @ chosen + ASIDE * (one - other) / max(float(np.linalg.norm(one - other)), TINY)
    return mixed / np.linalg.norm(mixed)


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
