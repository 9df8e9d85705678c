"""What `benchmarks.speed` measures, a function a stage; each is run in a process of its own, so that its memory is its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
from pydantic import TypeAdapter

from benchmarks.embedders import Recorder, StandIn, derive
from benchmarks.load import Load, load
from benchmarks.pipelines.measure import disk_mb, peak_mb
from copilot.adapters.chroma import ChromaIndex
from copilot.build import Parts, build
from copilot.domain import Conversation, Principal
from copilot.ports import Shelf, Vectors
from copilot.query import search_text
from copilot.retrieve import Query
from copilot.settings import Settings
from ingest.load import Reading
from ingest.pipeline import Indexer
from ingest.summary import Summary, total

AGENT = Principal(id="bench", workspace="default", roles=frozenset({"agent"}))
WARM = 10
NEAREST = 10
BATCH = 256
READY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Times:
    """How many were timed, and their percentiles in milliseconds."""

    n: int
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Ingested:
    """An ingest of real text, all of it embedded, beside the embedding of the same texts alone."""

    documents: int
    chunks: int
    embedded: int
    tokens: int
    seconds: float
    embedding_seconds: float
    again_seconds: float
    peak_mb: float

    @property
    def ratio(self) -> float:
        """The whole ingest as a multiple of its floor."""
        return self.seconds / self.embedding_seconds


@dataclass(frozen=True, slots=True)
class Grown:
    """An index of about the size asked for; `derived` of its vectors were not made by the model."""

    chunks: int
    derived: int
    documents: int
    seconds: float
    embedding_seconds: float
    again_seconds: float
    disk_mb: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Latency:
    """A search and a suggestion, its steps and the whole, each on distinct messages, with the embedding of those messages alone."""

    search: Times
    search_floor: Times
    steps: dict[str, Times]
    suggest: Times
    suggest_floor: Times
    drafted: float


@dataclass(frozen=True, slots=True)
class Cold:
    """Seconds from the start of a process to its first suggestion, all files in the disk cache."""

    command_seconds: float
    server_seconds: float


@dataclass(frozen=True, slots=True)
class Served:
    """What a server did under load, and what it took of memory."""

    loads: tuple[Load, ...]
    memory_mb: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Recall:
    """How many of the ten nearest the approximate index finds, and at what speed it does."""

    vectors: int
    recall: float
    lowest: float
    search_ms: float
    exact_ms: float
    build_seconds: float


# ---- ingest ----


def ingesting(home: Path, paths: Sequence[Path]) -> Ingested:
    """Bring real text in, then again, then embed the same chunks and nothing else."""
    with opened(home) as parts:
        recorder = Recorder(parts.embedder)
        parts.embedder.embed(["warm"], "document")
        first, seconds = bring_in(replace(parts, embedder=recorder), paths)
        _, again = bring_in(parts, paths)
        started = perf_counter()
        parts.embedder.embed(recorder.texts, "document")
        alone = perf_counter() - started
        tokens = sum(parts.embedder.count_tokens(text) for text in recorder.texts)
    return Ingested(first.added, first.chunks, len(recorder.texts), tokens, seconds, alone, again, peak_mb())


def growing(home: Path, paths: Sequence[Path], real: int) -> Grown:
    """Bring a grown corpus in through the whole of ingest, all but the first `real` vectors derived."""
    with opened(home) as parts:
        stand_in = StandIn(parts.embedder, real)
        with_it = replace(parts, embedder=stand_in)
        first, seconds = bring_in(with_it, paths)
        _, again = bring_in(with_it, paths)
        if first.failed:
            raise SystemExit(f"{first.failed} grown documents were not taken: {first.problems[:3]}")
    return Grown(
        first.embedded, stand_in.derived, first.added, seconds, stand_in.seconds, again, disk_mb(home), peak_mb()
    )


def bring_in(parts: Parts, paths: Sequence[Path]) -> tuple[Summary, float]:
    """One ingest of the paths, and its seconds."""
    indexer, started = Indexer(parts), perf_counter()
    summary = total([indexer.ingest(AGENT.workspace, path, Reading()) for path in paths])
    return summary, perf_counter() - started


@contextmanager
def opened(home: Path) -> Iterator[Parts]:
    """The product on this home."""
    with closing(build(Settings(home=home, queries_kept=0))) as parts:
        yield parts


# ---- one at a time ----


class Clock:
    """Milliseconds by name."""

    def __init__(self) -> None:
        self.laps: defaultdict[str, list[float]] = defaultdict(list)

    @contextmanager
    def lap(self, name: str) -> Iterator[None]:
        """Time the block under this name."""
        started = perf_counter()
        yield
        self.laps[name].append((perf_counter() - started) * 1e3)

    def times(self, name: str) -> Times:
        """The percentiles under this name."""
        laps = self.laps[name]
        p50, p95, p99 = np.percentile(laps, [50, 95, 99])
        return Times(len(laps), float(p50), float(p95), float(p99))


def asking(home: Path, asked: Sequence[Conversation]) -> Latency:
    """Half of the messages searched for, half answered; each time the same text is embedded alone right after."""
    clock, steps = Clock(), Clock()
    with opened(home) as parts:
        for conversation in asked[:WARM]:
            parts.copilot.suggest(AGENT, conversation)
            _search(parts, conversation)
        for conversation in asked[WARM::2]:
            with clock.lap("search"):
                _search(parts, conversation)
            _embed(parts, conversation, clock, "search floor")
        drafted = []
        for conversation in asked[WARM + 1 :: 2]:
            with clock.lap("suggest"):
                suggestion = parts.copilot.suggest(AGENT, conversation)
            _embed(parts, conversation, clock, "suggest floor")
            drafted.append(suggestion.draft is not None)
            for step, milliseconds in suggestion.timings_ms.items():
                steps.laps[step].append(milliseconds)
    return Latency(
        search=clock.times("search"), search_floor=clock.times("search floor"), steps={step: steps.times(step) for step in steps.laps},
        suggest=clock.times("suggest"), suggest_floor=clock.times("suggest floor"), drafted=sum(drafted) / len(drafted),
    )  # fmt: skip


def _search(parts: Parts, conversation: Conversation) -> None:
    parts.copilot.search(AGENT, Query(text=search_text(conversation)))


def _embed(parts: Parts, conversation: Conversation, clock: Clock, name: str) -> None:
    text = search_text(conversation)
    with clock.lap(name):
        parts.embedder.embed([text], "query")


def cold(home: Path, asked: Sequence[Conversation]) -> Cold:
    """Start a process per message, by the command and as a server; the median of each, the first (a cold disk) left out."""
    command = [_command_seconds(home, one) for one in asked]
    server = [_server_seconds(home, one) for one in asked]
    return Cold(float(np.median(command[1:])), float(np.median(server[1:])))


def _command_seconds(home: Path, conversation: Conversation) -> float:
    words = ["--json", "--subject", conversation.subject, "--", conversation.messages[-1].text]
    started = perf_counter()
    subprocess.run(
        [sys.executable, "-m", "copilot", "suggest", *words],
        env=environment(home),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return perf_counter() - started


def _server_seconds(home: Path, conversation: Conversation) -> float:
    started = perf_counter()
    with served(home) as (url, _):
        if load(url, bodies([conversation]), 1).failed:
            raise SystemExit("The server's first answer was an error.")
        return perf_counter() - started


# ---- many at a time ----


def threaded(home: Path, asked: Sequence[Conversation], threads: int) -> Load:
    """Suggestions in this process, by so many threads."""
    with opened(home) as parts, ThreadPoolExecutor(threads) as pool:
        clock = Clock()

        def suggest(conversation: Conversation) -> None:
            with clock.lap("suggest"):
                parts.copilot.suggest(AGENT, conversation)

        list(pool.map(suggest, asked[:WARM]))
        clock.laps.clear()
        cpu, started = time.process_time(), perf_counter()
        list(pool.map(suggest, asked[WARM:]))
        seconds = perf_counter() - started
    times = clock.times("suggest")
    return Load(threads, times.n, 0, seconds, times.p50, times.p99, time.process_time() - cpu)


def serving(home: Path, asked: Sequence[Conversation], levels: Sequence[int]) -> Served:
    """The same over HTTP at each level of concurrency, each with messages of its own; this process is the client."""
    import psutil

    share = (len(asked) - WARM) // len(levels)
    with served(home) as (url, pid):
        load(url, bodies(asked[:WARM]), 2)
        parts = [asked[WARM + at * share : WARM + (at + 1) * share] for at in range(len(levels))]
        loads = tuple(load(url, bodies(some), level) for some, level in zip(parts, levels, strict=True))
        memory = psutil.Process(pid).memory_info().rss / 2**20
        return Served(loads, memory, peak_mb(pid))


def bodies(asked: Sequence[Conversation]) -> list[str]:
    """The requests' bodies."""
    shape = TypeAdapter(Conversation)
    return [json.dumps({"conversation": shape.dump_python(one, mode="json", exclude_none=True)}) for one in asked]


@contextmanager
def served(home: Path) -> Iterator[tuple[str, int]]:
    """`copilot serve` on a free port: its address, once it is ready, and its process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "copilot", "serve", "--port", str(port)]
    server = subprocess.Popen(command, env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(server, f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}", server.pid
    finally:
        server.terminate()
        server.wait(timeout=30)


def _await(server: subprocess.Popen[bytes], url: str) -> None:
    import httpx

    with httpx.Client(base_url=url, trust_env=False) as client:
        until = perf_counter() + READY_SECONDS
        while perf_counter() < until and server.poll() is None:
            try:
                if client.get("/readyz").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
    raise SystemExit(f"The server was not ready after {READY_SECONDS} seconds.")


def environment(home: Path) -> dict[str, str]:
    """The shipped settings on this home, but that no query is remembered."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COPILOT_")}
    return {**kept, "COPILOT_HOME": str(home), "COPILOT_QUERIES_KEPT": "0"}


# ---- the approximate index ----


def recalling(folder: Path, bank: Sequence[str], asked: Sequence[Conversation], size: int) -> Recall:
    """Fill an index with vectors as ingest does, batch by batch, and compare what it finds with what a full scan finds."""
    with opened(folder / "home") as parts:
        real = parts.embedder.embed(bank, "document")
        queries = np.stack([parts.embedder.embed([search_text(one)], "query")[0] for one in asked])
    vectors = np.concatenate([real, derive(real, [str(number) for number in range(size - len(real))])])
    index, shelf = ChromaIndex(folder / "chroma"), Shelf(AGENT.workspace, "article", "public")
    started = perf_counter()
    for at in range(0, size, BATCH):
        index.upsert(shelf, [str(id) for id in range(at, min(at + BATCH, size))], vectors[at : at + BATCH])
    built, clock = perf_counter() - started, Clock()
    shares = [_share(index, shelf, vectors, query, clock) for query in queries]
    search, exact = clock.times("search"), clock.times("exact")
    return Recall(size, float(np.mean(shares)), min(shares), search.p50, exact.p50, built)


def _share(index: ChromaIndex, shelf: Shelf, vectors: Vectors, query: Vectors, clock: Clock) -> float:
    with clock.lap("search"):
        found = {int(id) for id, _ in index.search(shelf, query, NEAREST)}
    with clock.lap("exact"):
        near = np.argpartition(-(vectors @ query), NEAREST)[:NEAREST]
    return len(found & set(near.tolist())) / NEAREST
