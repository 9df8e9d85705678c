"""What every pipeline is put through, by the standard library alone: ingest, queries, the same ingest again, an edit, a deletion.

`python -m benchmarks.pipelines.with_NAME JOB.json` prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any, Protocol

Meter = Callable[[], int]
"""Tokens of text embedded so far."""
DEPTH = 50
KEPT = 10
DEEP = 500
"""How deep words are looked for: far enough to say whether they are there at all."""


@dataclass(frozen=True)
class Found:
    """One thing that a pipeline found: the page that it is from, and its text."""

    page: str
    text: str


class Pipeline(Protocol):
    """A quick start. A new object on the same store is what a second run of the script is."""

    def ingest(self, folder: Path) -> None:
        """What running the quick start on the folder does, the store left as it was before."""
        ...

    def search(self, query: Query, depth: int) -> Sequence[Found]:
        """The nearest entries, best first."""
        ...

    def entries(self) -> int:
        """How many entries can be found now."""
        ...


@dataclass(frozen=True)
class Query:
    """A customer's message, the pages that helpers answered it with, and when it came."""

    id: str
    split: str
    subject: str
    message: str
    gold: tuple[str, ...]
    created: str

    @property
    def text(self) -> str:
        """Subject and message, as every pipeline is asked."""
        return f"{self.subject}\n\n{self.message}"


@dataclass(frozen=True)
class Job:
    """Where the pages and queries are, where to store, which model; and the pages to edit and to delete, with tell-tale words of each."""

    folder: Path
    store: Path
    model: Path
    queries: Path
    edited: Path
    old_words: str
    new_words: str
    deleted: Path
    deleted_words: str
    tickets: tuple[Path, ...] = ()


@dataclass
class Again:
    """What another ingest did."""

    seconds: float = 0.0
    entries: int = 0
    tokens: int = 0
    error: str = ""
    still_found: bool = False
    """Words that are in no page any more are found."""
    new_found: bool = False


@dataclass
class Result:
    """All that was measured of one pipeline."""

    ranks: dict[str, dict[str, int]] = field(default_factory=dict)
    """Split -> query -> rank of the first gold page, 0 where it is not among the first ten."""
    ingest_seconds: float = 0.0
    tokens: int = 0
    entries: int = 0
    query_ms: dict[str, float] = field(default_factory=dict)
    peak_mb: float = 0.0
    disk_mb: float = 0.0
    again: Again = field(default_factory=Again)
    edit: Again = field(default_factory=Again)
    deletion: Again = field(default_factory=Again)
    finds_words: bool = False
    """The words that are to vanish were found while they stood there: else their absence later would say nothing."""
    versions: dict[str, str] = field(default_factory=dict)


class TorchMeter:
    """Counts the tokens of text that pass a BERT model in this process, the two that frame each text left out."""

    def __init__(self) -> None:
        from transformers import BertModel

        self._tokens, forward, meter = 0, BertModel.forward, self

        def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
            mask = kwargs["attention_mask"] if "attention_mask" in kwargs else args[1]
            meter._tokens += int((mask > 0).sum()) - 2 * len(mask)
            return forward(self, *args, **kwargs)

        BertModel.forward = counted  # type: ignore[method-assign]

    def __call__(self) -> int:
        """Tokens so far."""
        return self._tokens


def run(make: Callable[[Job], Pipeline], meter: Meter, packages: Sequence[str]) -> None:
    """Put the pipeline through everything and print what was measured."""
    job = read_job()
    result = Result(versions=versions(packages))
    first, pipeline = ingest(make, job, meter)
    result.ingest_seconds, result.tokens, result.entries = first.seconds, first.tokens, first.entries
    if first.error:
        raise SystemExit(f"the first ingest failed: {first.error}")
    ask(pipeline, job, result)
    result.peak_mb, result.disk_mb = peak_mb(), disk_mb(job.store)
    result.finds_words = all(finds(pipeline, words) for words in (job.old_words, job.deleted_words))
    result.again, pipeline = ingest(make, job, meter)
    change(job)
    result.edit, pipeline = ingest(make, job, meter)
    result.edit.still_found = finds(pipeline, job.old_words)
    result.edit.new_found = finds(pipeline, job.new_words)
    job.deleted.unlink()
    result.deletion, pipeline = ingest(make, job, meter)
    result.deletion.still_found = finds(pipeline, job.deleted_words)
    print(json.dumps(asdict(result)), flush=True)


def read_job() -> Job:
    """The job in the file that the command line names."""
    row = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for name in ("folder", "store", "model", "queries", "edited", "deleted"):
        row[name] = Path(row[name])
    return Job(**{**row, "tickets": tuple(map(Path, row["tickets"]))})


def ingest(make: Callable[[Job], Pipeline], job: Job, meter: Meter) -> tuple[Again, Pipeline]:
    """One run of the quick start; loading the model is no part of its time."""
    pipeline, before, error = make(job), meter(), ""
    started = perf_counter()
    try:
        pipeline.ingest(job.folder)
    except Exception as problem:  # the finding, not a fault: some refuse to ingest twice
        error = f"{type(root := problem.__cause__ or problem).__name__}: {root}"[:200]
    seconds = perf_counter() - started
    return Again(round(seconds, 2), pipeline.entries(), meter() - before, error), pipeline


def ask(pipeline: Pipeline, job: Job, result: Result) -> None:
    """The rank of the first gold page for each query, and the times of asking one by one."""
    queries = [Query(**{**row, "gold": tuple(row["gold"])}) for row in rows(job.queries)]
    pipeline.search(queries[0], DEPTH)  # warm
    times = []
    for query in queries:
        started = perf_counter()
        found = pipeline.search(query, DEPTH)
        times.append((perf_counter() - started) * 1e3)
        pages = list(dict.fromkeys(one.page for one in found))[:KEPT]
        rank = next((at for at, page in enumerate(pages, 1) if page in query.gold), 0)
        result.ranks.setdefault(query.split, {})[query.id] = rank
    cuts = quantiles(times, n=100)
    result.query_ms = {"p50": round(cuts[49], 2), "p95": round(cuts[94], 2), "p99": round(cuts[98], 2)}


def change(job: Job) -> None:
    """Replace the old words by the new ones in the page to be edited."""
    text = job.edited.read_text(encoding="utf-8")
    job.edited.write_text(text.replace(job.old_words, job.new_words), encoding="utf-8")


def finds(pipeline: Pipeline, words: str) -> bool:
    """Whether a search for these very words shows them."""
    query = Query(id="words", split="", subject="", message=words, gold=(), created="")
    return any(words in found.text for found in pipeline.search(query, DEEP))


def pages(folder: Path) -> Iterator[Path]:
    """The Markdown files of the folder, in a fixed order."""
    return iter(sorted(folder.rglob("*.md")))


def rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a JSON-lines file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def versions(packages: Sequence[str]) -> dict[str, str]:
    """The installed version of each package."""
    from importlib.metadata import version

    return {name: version(name) for name in packages}


def disk_mb(folder: Path) -> float:
    """What the folder takes on disk; nothing where there is none."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return round(sum(path.stat().st_size for path in files) / 1e6, 1)


def peak_mb(pid: int | None = None) -> float:
    """The most memory that a process (this one by default) has held: not `ru_maxrss`, which a child takes over from its parent."""
    status = Path(f"/proc/{pid or 'self'}/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return round(int(lines["VmHWM"].split()[0]) / 1024, 1)
    import resource

    return round(
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / (1024 if os.uname().sysname == "Darwin" else 1), 1
    )
