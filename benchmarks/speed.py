"""Speeds of the shipped defaults on the demo company, as ratios within one run: `python -m benchmarks.speed`.

Absolute times depend on the machine and on what else it does; what should hold anywhere is how far each thing is from its floor, the
embedding model's forward pass on the same texts.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import ingest.demo
from copilot.build import Parts, build
from copilot.domain import Conversation, Message, Principal
from copilot.query import search_text
from copilot.settings import Settings
from ingest.load import Reading, scan
from ingest.pipeline import Indexer, Summary, total

ROUNDS = 5
AGENT = Principal(id="bench", workspace="default", roles=frozenset({"agent"}))
PATHS = [ingest.demo.FOLDER / name for name in ("articles", "macros", "tickets")]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        parts = build(Settings(home=Path(folder), taxonomy=ingest.demo.FOLDER / "taxonomy.yaml"))
        parts.embedder.embed(["warm"], "query")
        ingesting(parts)
        suggesting(parts)
        parts.close()


def ingesting(parts: Parts) -> None:
    """First and unchanged ingest beside the embedding of the same chunks alone."""
    first, again = bring_in(parts), bring_in(parts)
    indexer = Indexer(parts)
    sources = [raw.parse() for path in PATHS[:2] for raw in scan(path, Reading())]  # type: ignore[union-attr]
    texts = [chunk.embedded for source in sources for chunk, searchable in indexer._split(source) if searchable]
    started = perf_counter()
    parts.embedder.embed(texts, "document")
    each = (perf_counter() - started) / len(texts)
    print(f"ingest: {first.added} documents, {first.embedded} chunks embedded, {first.seconds:.1f} s")
    print(f"  first ingest / embedding alone      {first.seconds / (each * first.embedded):.2f}")
    print(f"  unchanged ingest / first            {again.seconds / first.seconds:.4f}")


def bring_in(parts: Parts) -> Summary:
    """One ingest of the demo company."""
    indexer = Indexer(parts)
    return total(indexer.ingest("default", path, Reading()) for path in PATHS)


def suggesting(parts: Parts) -> None:
    """Each step of a suggestion beside the embedding of the same message alone."""
    rows = (ingest.demo.FOLDER / "incoming" / "incoming.jsonl").read_text(encoding="utf-8").splitlines()
    conversations = [conversation_of(row) for row in map(json.loads, rows)]
    steps: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for conversation in conversations:
            text = search_text(conversation)
            started = perf_counter()
            parts.embedder.embed([text], "query")
            steps["embedding alone"].append((perf_counter() - started) * 1e3)
            for step, milliseconds in parts.copilot.suggest(AGENT, conversation).timings_ms.items():
                steps[step].append(milliseconds)
    floor = float(np.median(steps["embedding alone"]))
    print(f"suggest: {len(conversations)} messages, {ROUNDS} rounds")
    for step, times in steps.items():
        p50, p95 = np.percentile(times, [50, 95])
        print(f"  {step:<16} p50 {p50:6.1f} ms   p95 {p95:6.1f} ms   p50 / embedding {p50 / floor:.2f}")


def conversation_of(row: dict[str, Any]) -> Conversation:
    """A labelled incoming message of the demo company as a conversation."""
    messages = tuple(Message(author=turn["author"], text=turn["text"]) for turn in row["messages"])
    return Conversation(channel=row["channel"], subject=row["subject"], messages=messages)


if __name__ == "__main__":
    main()
