"""The planted corpus of `tests/insights`: 30 of each kind and 30 near misses, written from descriptions by somebody who had not seen a detector."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from copilot.domain import Document
from copilot.ports import Embedder
from ingest.insights.material import Entry
from ingest.split import split, split_ticket

FOLDER = Path(__file__).parent / "insights"


@dataclass(frozen=True)
class Verdict:
    """Which of the planted were found, and which near misses were taken for one."""

    found: frozenset[str]
    planted: frozenset[str]

    @property
    def precision(self) -> float:
        return len(self.found & self.planted) / max(len(self.found), 1)

    @property
    def recall(self) -> float:
        return len(self.found & self.planted) / len(self.planted)


@dataclass(frozen=True)
class Sample:
    """What a fit learns from: features, whether it is one, how much it weighs, and which row it comes from."""

    features: Mapping[str, float]
    planted: bool
    weight: float
    owner: str


def owner(ids: Sequence[str], size: int) -> str | None:
    """Whose messages most of a group are: at least three of them, and half of the group."""
    id, count = Counter(ids).most_common(1)[0]
    return id if count >= 3 and count >= size / 2 else None


def rows(kind: str, corpus: str = "") -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = yaml.safe_load((FOLDER / corpus / f"{kind}.yaml").read_text(encoding="utf-8"))
    return loaded


def planted(kind: str, corpus: str = "") -> frozenset[str]:
    return frozenset(row["id"] for row in rows(kind, corpus) if row["planted"])


def moment(words: str | None) -> datetime | None:
    if not words:
        return None
    time = datetime.fromisoformat(words)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def entries(embedder: Embedder, documents: Sequence[tuple[Document, str, int]]) -> list[Entry]:
    """The documents as the index would hold them, all embedded in one call."""
    chunked = []
    for document, text, answer in documents:
        sizes = {"count": embedder.count_tokens, "target": 128, "window": 256}
        found = (
            split_ticket(text, document.title, answer, **sizes)[0] if answer else split(text, document.title, **sizes)  # type: ignore[arg-type]
        )
        chunked.append(found)
    vectors = iter(embedder.embed([chunk.embedded for chunks in chunked for chunk in chunks], "document"))
    return [
        Entry(
            document=document, revision=1, text=text, spans=tuple((chunk.start, chunk.end) for chunk in chunks),
            vectors=np.stack([next(vectors) for _ in chunks]), answer_start=answer, since=document.updated_at,
        )
        for (document, text, answer), chunks in zip(documents, chunked, strict=True)
    ]  # fmt: skip


def sides(row: dict[str, Any]) -> list[tuple[Document, str, int]]:
    """An article and what stands against it; a ticket's question and answer as ingest would store them."""
    mine, other = row["article"], row["other"]
    ours = Document(id=f"{row['id']}.a", kind="article", title=mine["title"], updated_at=moment(mine["updated_at"]))
    theirs = Document(id=f"{row['id']}.b", kind=other["kind"], title=other["title"], updated_at=moment(other["at"]))
    if other["kind"] != "ticket":
        return [(ours, mine["text"], 0), (theirs, other["text"], 0)]
    thread = re.fullmatch(r"Customer: (.*?)\n\nAgent: (.*)", other["text"], re.DOTALL)
    assert thread is not None
    asked = f"{other['title']}\n\n{thread[1]}\n\n"
    return [(ours, mine["text"], 0), (theirs, asked + thread[2], len(asked))]
