"""What int8 costs and gains: `python -m benchmarks.dtypes`. The demo company's paragraphs and messages, embedded in fp32 and in int8.

Recall is the share of fp32's ten nearest paragraphs that int8 finds too; seconds are of one process, one engine after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np
from rich.console import Console

from benchmarks.grow import Pool, conversations, demo_pool
from copilot.adapters.onnx import Dtype, minilm
from copilot.ports import Vectors
from copilot.query import search_text
from copilot.settings import Settings

NEAREST = 10
MESSAGES = 100


@dataclass(frozen=True, slots=True)
class Made:
    """What one engine made of the paragraphs and of the messages, and in what time."""

    paragraphs: Vectors
    messages: Vectors
    seconds: float

    def nearest(self) -> list[set[int]]:
        """The paragraphs nearest to each message."""
        order = np.argsort(-(self.messages @ self.paragraphs.T), axis=1, kind="stable")
        return [set(row[:NEAREST].tolist()) for row in order]


def made(pool: Pool, dtype: Dtype) -> Made:
    """The vectors of this engine; its first call, which loads it, is not counted."""
    settings = Settings()
    embedder = minilm(settings.models, settings.threads, settings.window, dtype)
    embedder.embed(["warm"], "query")
    asked = [search_text(one) for one in conversations(pool, MESSAGES, seed=6)]
    started = perf_counter()
    paragraphs, messages = embedder.embed(pool.paragraphs, "document"), embedder.embed(asked, "query")
    return Made(paragraphs, messages, perf_counter() - started)


def main() -> None:
    """Print both beside each other."""
    pool = demo_pool()
    exact, small = made(pool, "fp32"), made(pool, "int8")
    shared = [len(a & b) / NEAREST for a, b in zip(exact.nearest(), small.nearest(), strict=True)]
    cosines = (exact.paragraphs * small.paragraphs).sum(axis=1)
    Console(width=160).print(
        f"{len(exact.paragraphs)} paragraphs, {len(exact.messages)} messages. int8 beside fp32: recall@{NEAREST} {np.mean(shared):.3f} "
        f"(worst message {min(shared):.1f}), cosine {cosines.mean():.4f} (worst {cosines.min():.4f}), "
        f"seconds {small.seconds:.1f} / {exact.seconds:.1f} = {small.seconds / exact.seconds:.2f}",
        highlight=False,
    )


if __name__ == "__main__":
    main()
