"""What insights are drawn from: the documents that a reader may see, with their texts and the vectors that the index has of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import islice

import numpy as np

from copilot.domain import Citation, Document
from copilot.ports import Vectors
from copilot.text import sentences
from ingest.insights.nouns import Named
from ingest.plain import HEADING

STATEMENTS, LONGEST = 300, 1000
"""How many statements of a document are compared, and how many characters one may have: a pasted log claims nothing."""
Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Entry:
    """A document in force: its head, its words, and its searchable chunks with their vectors."""

    document: Document
    revision: int
    text: str
    spans: Spans
    vectors: Vectors = field(repr=False)
    answer_start: int = 0
    since: datetime | None = None
    """When its first revision was stored."""
    key: int = 0
    """Its row in the ledger."""

    @property
    def id(self) -> str:
        """The document's id."""
        return self.document.id

    @property
    def at(self) -> datetime | None:
        """The time of its words: when it was changed, else solved or written."""
        return self.document.updated_at or self.document.known_since

    def holds(self, at: datetime) -> bool:
        """Whether it is valid at a time."""
        starts, ends = self.document.valid_from, self.document.valid_until
        return (starts is None or starts <= at) and (ends is None or ends > at)

    @cached_property
    def mean(self) -> Vectors:
        """The unit vector in the direction of its chunks taken together."""
        total = self.vectors.astype(np.float64).sum(axis=0)
        unit: Vectors = (total / max(float(np.linalg.norm(total)), 1e-9)).astype(np.float32)
        return unit

    @cached_property
    def statements(self) -> Spans:
        """Its first sentences and list items without headings and endless lines; of a ticket those of its resolution."""
        heads = [heading.span() for heading in HEADING.finditer(self.text)]
        found = sentences(self.text)
        kept = (
            (a, b) for a, b in found
            if a >= self.answer_start and b - a <= LONGEST and not any(start <= a < end for start, end in heads)
        )  # fmt: skip
        return tuple(islice(kept, STATEMENTS))

    def cite(self, start: int, end: int) -> Citation:
        """The citation of these words."""
        return Citation(
            document_id=self.id, revision=self.revision, start=start, end=end, quote=self.text[start:end],
            title=self.document.title, url=self.document.url, kind=self.document.kind,
        )  # fmt: skip

    def opening(self) -> tuple[Citation, ...]:
        """Its first statement."""
        return tuple(self.cite(a, b) for a, b in self.statements[:1])

    @property
    def named(self) -> Named:
        """The document without its words."""
        d = self.document
        return Named(
            document_id=d.id, revision=self.revision, kind=d.kind, title=d.title, url=d.url, audience=d.audience, changed_at=self.at
        )  # fmt: skip


def near(left: Vectors, right: Vectors, least: float, block: int = 2048) -> list[tuple[int, int, float]]:
    """The pairs of rows whose cosine is at least this, as (left, right, cosine rounded to 1e-6), in order; computed in blocks."""
    found: list[tuple[int, int, float]] = []
    for start in range(0, len(left), block):
        cosines = left[start : start + block] @ right.T
        rows, columns = np.nonzero(cosines >= least)
        values = np.round(cosines[rows, columns].astype(np.float64), 6)
        found += zip((rows + start).tolist(), columns.tolist(), values.tolist(), strict=True)
    return found


def stacked(entries: Sequence[Entry]) -> Vectors:
    """The means of all, one a row."""
    return np.stack([entry.mean for entry in entries]) if entries else np.zeros((0, 1), dtype=np.float32)


def of_kinds(entries: Sequence[Entry], kinds: Collection[str]) -> list[Entry]:
    """Those of these kinds, by id."""
    return sorted((entry for entry in entries if entry.document.kind in kinds), key=lambda entry: entry.id)
