"""What taught a head of intents, kept beside it without the texts: the next training begins with it, and is measured against it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from copilot.intents import latest, word_grams
from copilot.learn import Example, Grams, Remembered
from copilot.ports import Vectors

CORRECTION = "suggestion/"
"""What the basis of an agent's correction begins with. It is read anew at each training, so that it is kept nowhere else."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A message with the intent that a person gave it, when, and what it came from; `key` is a hash of its words."""

    key: str
    said: str | Grams
    label: str
    at: datetime | None
    basis: str | None

    @classmethod
    def of(cls, text: str, label: str, at: datetime | None, basis: str | None) -> Labelled:
        """A message whose text is at hand."""
        return cls(key_of(text), text, label, at, basis)

    @property
    def example(self) -> Example:
        """As a head learns it."""
        if isinstance(self.said, str):
            return Example(self.said, self.label)
        return Remembered("", self.label, grams=self.said)

    @property
    def answer(self) -> str:
        """What the answer to it is kept under: with another label it is another one."""
        return f"{self.key} {self.label}"


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """What taught a head: messages of files as numbers, the label of all, and what it would answer unseen: right (1) or wrong (0)."""

    messages: tuple[Labelled, ...] = ()
    vectors: Vectors = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))
    labels: Mapping[str, str] | None = None
    right: Mapping[str, float] | None = None

    @classmethod
    def kept(cls, messages: Sequence[Labelled], vectors: Vectors, right: Mapping[str, float]) -> Memory:
        """What is kept of all messages that taught a head: of files the last of each label, as many as a head can hold."""
        lasting = np.array([not (one.basis or "").startswith(CORRECTION) for one in messages], dtype=bool)
        names = sorted({one.label for one in messages})
        codes = np.array([names.index(one.label) for one in messages], dtype=np.intp)[lasting]
        places = np.flatnonzero(lasting)[latest(codes, np.zeros(len(codes), dtype=bool))]
        return cls(
            tuple(messages[i] for i in places), vectors[places], {one.key: one.label for one in messages}, dict(right)
        )

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """As arrays, to stand beside the head's own."""
        grams = [word_grams(one.said) for one in self.messages]
        facts = [[one.key, one.label, one.at and one.at.isoformat(), one.basis] for one in self.messages]
        words = json.dumps({"messages": facts, "labels": self.labels, "right": self.right})
        return {
            "taught": np.frombuffer(words.encode(), dtype=np.uint8), "taught_vectors": self.vectors.astype(np.float16),
            "taught_grams": np.concatenate([np.zeros(0, dtype=np.intp), *grams]).astype(np.uint16),
            "taught_ends": np.cumsum([len(one) for one in grams], dtype=np.int64),
        }  # fmt: skip

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Memory:
        """What these arrays keep; nothing where they are a head's alone."""
        if "taught" not in arrays:
            return cls()
        read: dict[str, Any] = json.loads(arrays["taught"].tobytes())
        ends = arrays["taught_ends"].astype(int)
        grams = np.split(arrays["taught_grams"].astype(np.intp), ends[:-1]) if len(ends) else []
        messages = (
            Labelled(key, said, label, at and datetime.fromisoformat(at), basis)
            for (key, label, at, basis), said in zip(read["messages"], grams, strict=True)
        )
        return cls(tuple(messages), arrays["taught_vectors"].astype(np.float32), read["labels"], read["right"])


def key_of(text: str) -> str:
    """A hash by which the same words are known again."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:24]
