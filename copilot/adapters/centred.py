"""Models whose vectors all point much the same way, as E5's do, seen from their middle.

What is found is weighed by cosines beside words, votes and thresholds; where unrelated texts have a cosine of .8, all else would count several
times as much. Taking off the mean of unrelated texts helps such vectors (Mu, Bhat and Viswanath, "All-but-the-Top", ICLR 2018).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from copilot.ports import Embedder, Vectors

CROWDED = 0.5
"""The length of the mean of unrelated texts' unit vectors from which they are crowded: .3 for the shipped model, .9 for E5."""
UNRELATED = (
    "How do I change the delivery address of my order?",
    "The screen stays black after the update.",
    "I was charged twice for the same ticket.",
    "Your colleague was very kind, thank you!",
    "Which vaccine do I need for a trip to Kenya?",
    "The dishwasher leaks from below the door.",
    "Is breakfast included in the price of the room?",
    "My password is refused although I have just set it.",
    "Please send me the invoice for October.",
    "The train was forty minutes late and I missed my flight.",
    "Can I pay my phone bill in instalments?",
    "How long may cooked rice be kept in the fridge?",
    "Open the menu, choose Settings and switch notifications off.",
    "Returns are free within thirty days of delivery.",
    "The warranty covers faults of material for two years.",
    "Opening hours: Monday to Friday, nine to five.",
    "Sensors report the temperature of each room every minute.",
    "The museum shows paintings of the nineteenth century.",
    "Press both buttons for six seconds until the lamp blinks.",
    "Members choose a board of seven every spring.",
    "The contract ends with the month that follows the notice.",
    "Wie kann ich meinen Vertrag kündigen?",
    "Où se trouve le bureau le plus proche ?",
    "La batería no carga desde ayer.",
)


class Centred:
    """The given model's vectors, turned to unit length again after the mean of unrelated questions, or documents, was taken off."""

    def __init__(self, inner: Embedder, query: Vectors, document: Vectors) -> None:
        self._inner, self._middle = inner, {"query": query, "document": document}

    @property
    def fingerprint(self) -> str:
        """The given one's, and that it is centred."""
        return f"{self._inner.fingerprint}-centred"

    @property
    def dimensions(self) -> int:
        """That of the given one."""
        return self._inner.dimensions

    def embed(self, texts: Sequence[str], kind: Literal["query", "document"]) -> Vectors:
        """One unit row a text."""
        return self._centred(self._inner.embed(texts, kind), kind)

    def probed(self, text: str, probe: Callable[[Vectors], Vectors]) -> tuple[Vectors, Vectors]:
        """A question's unit vector, and what the probe makes of the given model's token states."""
        vector, told = self._inner.probed(text, probe)
        return self._centred(vector[None], "query")[0], told

    def _centred(self, rows: Vectors, kind: Literal["query", "document"]) -> Vectors:
        moved = rows - self._middle[kind]
        lengths = np.linalg.norm(moved, axis=1, keepdims=True)
        units: Vectors = (moved / np.maximum(lengths, 1e-12)).astype(np.float32)
        return units

    def count_tokens(self, text: str) -> int:
        """The given one's count."""
        return self._inner.count_tokens(text)


def centred(embedder: Embedder, cache: Path) -> Embedder:
    """The embedder itself, or where its vectors are crowded what centres them; found out once, and kept in `cache`."""
    file = cache / f"{embedder.fingerprint}.middle.npy"
    if not file.exists():
        kinds: tuple[Literal["query", "document"], ...] = ("query", "document")
        rows = np.stack([embedder.embed(UNRELATED, kind).mean(axis=0) for kind in kinds])
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            np.save(Path(folder) / "middle.npy", rows)
            os.replace(Path(folder) / "middle.npy", file)
    query, document = np.load(file)
    crowded = max(np.linalg.norm(query), np.linalg.norm(document)) > CROWDED
    return Centred(embedder, query, document) if crowded else embedder
