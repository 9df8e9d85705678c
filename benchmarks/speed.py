"""How fast the shipped defaults are, beside their floors: `python -m benchmarks.speed`.

Absolute times depend on the machine and on what else it does; what should hold anywhere is how far each thing is from its floor, the
embedding model's forward pass on the same texts in the same run. `--full` adds an index of 100,000 chunks, `--huge` the recall of the
approximate search at 500,000, `--data DIR` (with DIR/thunderbird) a real help centre, `--json FILE` writes all numbers.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter
from rich.console import Console

import ingest.demo
from benchmarks.grow import Pool, conversations, demo_pool, grow, thunderbird_pool
from benchmarks.machine import machine
from benchmarks.report import Report, Size, show
from benchmarks.stages import Recall, asking, cold, growing, ingesting, recalling, serving, threaded
from copilot.memory import collect_rarely

R = TypeVar("R")
SIZES, FULL, HUGE = (1_000, 10_000), 100_000, 500_000
RECALL_FROM = 10_000
REAL_VECTORS = 8_000
"""So many texts are embedded for the approximate search, at most; its other vectors are derived from them."""
LEVELS = (1, 4, 16)
THREADS = 2
DEMO = [ingest.demo.FOLDER / name for name in ("articles", "macros", "tickets")]
STARTS = 4
console = Console(stderr=True)


def main() -> None:
    """Measure, print, and write where asked."""
    given = arguments()
    about = machine()
    pool = demo_pool().with_text(thunderbird_pool(given.data)) if given.data else demo_pool()
    with tempfile.TemporaryDirectory(prefix="speed-") as folder:
        report = measured(given, pool, Path(folder), Report(machine=about))
    show(report)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=_sizes, default=SIZES, help="chunks, as 1000,10000")
    parser.add_argument("--full", action="store_true", help=f"add {FULL:,} chunks")
    parser.add_argument("--huge", action="store_true", help=f"add the approximate search at {HUGE:,} vectors")
    parser.add_argument("--data", type=Path, help="a folder that holds thunderbird/")
    parser.add_argument("--json", type=Path, help="where to write all numbers")
    parser.add_argument("--messages", type=int, default=160, help="distinct messages of each stage")
    parser.add_argument("--real", type=int, default=1_000, help="vectors that the model makes; the rest are derived")
    given = parser.parse_args()
    given.sizes = sorted({*given.sizes, FULL} if given.full else {*given.sizes})
    if given.data and not (given.data / "thunderbird").is_dir():
        parser.error(f"there is no {given.data / 'thunderbird'}: give the folder that holds thunderbird/")
    return given


def _sizes(words: str) -> tuple[int, ...]:
    return tuple(int(word) for word in words.replace("_", "").split(","))


def measured(given: argparse.Namespace, pool: Pool, folder: Path, report: Report) -> Report:
    """Every stage, one after the other."""
    report.ingests["the demo company"] = apart(ingesting, folder / "demo", DEMO)
    if given.data:
        report.ingests["Thunderbird's help centre"] = apart(
            ingesting, folder / "kb", [given.data / "thunderbird" / "kb"]
        )
    real = report.ingests["the demo company"].embedded
    for size in given.sizes:
        report.sizes.append(sized(size, real, given, pool, folder / str(size)))
        keep(report, given.json)
    for size in (*given.sizes, *([HUGE] if given.huge else [])):
        if size >= RECALL_FROM:
            report.recalls.append(recalled(size, given, pool, folder / f"vectors-{size}"))
            keep(report, given.json)
    return report


def keep(report: Report, file: Path | None) -> None:
    """Write what is measured so far, so that a run that is stopped has not been for nothing."""
    if file:
        file.write_bytes(TypeAdapter(Report).dump_json(report, indent=1))


def sized(size: int, real: int, given: argparse.Namespace, pool: Pool, folder: Path) -> Size:
    """The demo company, `real` chunks, with as many grown ones as are missing, and all that is asked of it; no file is left."""
    corpus, home, n = grow(pool, max(0, size - real), folder), folder / "home", given.messages
    grown = apart(growing, home, (*DEMO, *corpus.paths), given.real)
    measures = Size(
        asked_for=size, grown=grown,
        latency=apart(asking, home, conversations(pool, n, seed=1)),
        cold=apart(cold, home, conversations(pool, STARTS, seed=2)),
        threads=apart(threaded, home, conversations(pool, n, seed=3), THREADS),
        served=apart(serving, home, conversations(pool, n * len(LEVELS), seed=4), LEVELS),
    )  # fmt: skip
    shutil.rmtree(folder)
    return measures


def recalled(size: int, given: argparse.Namespace, pool: Pool, folder: Path) -> Recall:
    """The approximate search at this size, on real queries."""
    bank = [*pool.paragraphs, *pool.asks][:REAL_VECTORS]
    result = apart(recalling, folder, bank, conversations(pool, given.messages, seed=6), size)
    shutil.rmtree(folder)
    return result


def apart(stage: Callable[..., R], *args: object) -> R:
    """The stage's result, from a new process with the shipped settings."""
    console.print(f"{stage.__name__} …", style="dim")
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), collect_rarely) as pool:
        return pool.submit(stage, *args).result()


if __name__ == "__main__":
    for name in [name for name in os.environ if name.startswith("COPILOT_")]:
        del os.environ[name]
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a warm start finds its modules compiled
    os.environ |= {"HF_HUB_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False"}
    main()
