"""Many rounds of edits: `python -m benchmarks.rounds FOLDER [--rounds 200] [--pause N]` edits a tenth of 1,000 articles in each and ingests them.

What the last round, `compact` and a fresh index of the same articles take in disk and search time, and what memory and open files do over the
rounds. It goes on where an earlier call with the same folder ended (`--pause N`: after N rounds it ends). Vectors are derived from the first
1,000, which the model makes (see `embedders.py`), since what is measured here does not depend on what they mean; latency is that of ranking with
the query's vector given.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from time import perf_counter
from unittest.mock import patch

import numpy as np
import psutil

from benchmarks.embedders import StandIn
from benchmarks.grow import Pool, conversations, demo_pool, grow
from benchmarks.machine import machine
from copilot import build as building
from copilot.build import Parts, build
from copilot.domain import Principal
from copilot.ports import Embedder
from copilot.query import search_text
from copilot.retrieve import Query
from copilot.settings import Settings
from ingest.compact import WRITTEN_BY_THEN, compact, size
from ingest.load import Reading
from ingest.pipeline import Indexer
from ingest.verify import verify

DOCUMENTS, SHARE, ASKED, REAL, EVERY = 1000, 0.1, 60, 1000, 10
READER = Principal(id="reader", workspace="default", roles=frozenset({"agent"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The state after a round: megabytes, open files, milliseconds."""

    round: int
    disk: float
    memory: float
    files: int
    search: float
    pid: int


def main() -> None:
    """Go on from the last round; after the last of all, print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--rounds", type=int, default=200)
    arguments.add_argument("--pause", type=int, default=10_000, help="end after so many rounds of this call")
    given = arguments.parse_args()
    pool = demo_pool()
    begin(given.folder, pool)
    done = len(log(given.folder)) - 1
    last = min(given.rounds, done + given.pause)
    with opened(given.folder / "home", given.folder / "bank.npy") as parts:
        for number in range(done + 1, last + 1):
            edit(given.folder / "docs", pool, number)
            bring_in(parts, given.folder / "docs")
            note(given.folder, parts, number)
        if done < last == given.rounds:
            time.sleep(WRITTEN_BY_THEN.total_seconds() + 5)  # a revision is kept so long after it was replaced
        if last == given.rounds:
            report(given.folder, parts)


def begin(folder: Path, pool: Pool) -> None:
    """The articles as they are at first, ingested; nothing where that was done before."""
    if (folder / "log.jsonl").exists():
        return
    grown = grow(pool, DOCUMENTS * 8, folder / "grown")
    grown.articles.rename(folder / "docs")
    with opened(folder / "home", folder / "bank.npy") as parts:
        bring_in(parts, folder / "docs")
        note(folder, parts, 0)


@contextmanager
def opened(home: Path, bank: Path) -> Iterator[Parts]:
    """The product with a stand-in for the model, whose bank of real vectors is kept in a file."""

    def stand_in(settings: Settings) -> Embedder:
        made = StandIn(real_embedder(settings), REAL)
        if bank.exists():
            made.bank = np.load(bank)
        return made

    real_embedder = building.embedder_of
    with patch.object(building, "embedder_of", stand_in), closing(build(Settings(home=home))) as parts:
        yield parts
        if isinstance(parts.embedder, StandIn) and not bank.exists():
            np.save(bank, parts.embedder.bank)


def edit(docs: Path, pool: Pool, number: int) -> None:
    """Write one section of a tenth of the articles anew."""
    random = Random(f"round {number}")
    for file in random.sample(sorted(docs.rglob("*.md")), round(DOCUMENTS * SHARE)):
        parts = file.read_text(encoding="utf-8").split("\n\n## ")
        words = "\n\n".join(random.sample(pool.paragraphs, 3))
        parts[random.randrange(1, len(parts))] = f"Section of round {number}\n\n{words}"
        file.write_text("\n\n## ".join(parts), encoding="utf-8")


def bring_in(parts: Parts, docs: Path) -> None:
    """Ingest the folder."""
    summary = Indexer(parts).ingest("default", docs, Reading())
    assert not summary.failed, summary.problems[:3]


def note(folder: Path, parts: Parts, number: int) -> None:
    """Keep the state after this round; every tenth with its search time, the others with that of the last."""
    before = log(folder)
    search = latency(parts) if number % EVERY == 0 or not before else before[-1].search
    gc.collect()
    me = psutil.Process()
    sample = Sample(
        round=number, disk=size(parts.settings.home) / 1e6, memory=me.memory_info().rss / 1e6, files=me.num_fds(),
        search=search, pid=os.getpid(),
    )  # fmt: skip
    with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(sample)) + "\n")


def log(folder: Path) -> list[Sample]:
    """The samples so far."""
    if not (folder / "log.jsonl").exists():
        return []
    return [Sample(**json.loads(line)) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def latency(parts: Parts) -> float:
    """Median milliseconds of ranking the same messages, the best of three passes: noise only adds."""
    asked = [Query(text=search_text(one)) for one in conversations(demo_pool(), ASKED, seed=1)]
    vectors = [parts.embedder.embed([one.text], "query")[0] for one in asked]
    passes = []
    for _ in range(3):
        took = []
        for query, vector in zip(asked, vectors, strict=True):
            started = perf_counter()
            parts.retriever.rank(READER, query, vector)
            took.append((perf_counter() - started) * 1e3)
        passes.append(float(np.median(took)))
    return min(passes)


def report(folder: Path, parts: Parts) -> None:
    """Compact, build a fresh index of the same articles, and print both beside the rounds."""
    samples = log(folder)
    compact(parts)
    problems = verify(parts).problems
    with opened(folder / "fresh", folder / "bank.npy") as fresh:
        bring_in(fresh, folder / "docs")
        compact(fresh)
        times = [(latency(parts), latency(fresh)) for _ in range(3)]  # in turns, so that both meet the same noise
        disks = size(parts.settings.home) / 1e6, size(fresh.settings.home) / 1e6
    ours, theirs = (min(one[at] for one in times) for at in (0, 1))
    print(f"{samples[-1].round} rounds, each with {SHARE:.0%} of {DOCUMENTS} articles; verify: {problems or 'clean'}")
    print(
        f"disk: {samples[-1].disk:.1f} MB before compact, {disks[0]:.1f} after; fresh {disks[1]:.1f}: {disks[0] / disks[1]:.2f} x"
    )
    print(f"search: {ours:.2f} ms, fresh {theirs:.2f}: {ours / theirs:.2f} x")
    print("| rounds | memory MB | open files | disk MB |\n|---|---|---|---|")
    for one in samples:
        if one.round % 20 == 0:
            print(f"| {one.round} | {one.memory:.0f} | {one.files} | {one.disk:.1f} |")
    for pid, first, last in spans(samples):
        grown = (last.memory - first.memory) / max(1, last.round - first.round) * 1e3
        print(
            f"process {pid}, rounds {first.round} to {last.round}: {grown:+.0f} kB a round, {last.files - first.files:+} files"
        )
    print(machine().line())


def spans(samples: list[Sample]) -> Iterator[tuple[int, Sample, Sample]]:
    """Each process's first settled sample (its tenth) and its last."""
    for pid in dict.fromkeys(one.pid for one in samples):
        mine = [one for one in samples if one.pid == pid]
        if len(mine) > 2 * EVERY:
            yield pid, mine[EVERY], mine[-1]


if __name__ == "__main__":
    main()
