"""The figures of `benchmarks.speed` as one record, as tables, and beside the bars that they have to clear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from benchmarks.load import Load
from benchmarks.machine import Machine
from benchmarks.stages import Cold, Grown, Ingested, Latency, Recall, Served, Times

K = 1000
WIDTH = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """All that was measured on an index of one size."""

    asked_for: int
    grown: Grown
    latency: Latency
    cold: Cold
    threads: Load
    served: Served


@dataclass(slots=True, kw_only=True)
class Report:
    """One run."""

    machine: Machine
    ingests: dict[str, Ingested] = field(default_factory=dict)
    sizes: list[Size] = field(default_factory=list)
    recalls: list[Recall] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Bar:
    """What was asked, what was measured, and whether it is enough."""

    name: str
    figure: float
    limit: float
    at_most: bool = True

    @property
    def holds(self) -> bool:
        """Whether the figure clears the bar."""
        return self.figure <= self.limit if self.at_most else self.figure >= self.limit


def show(report: Report) -> None:
    """Print everything."""
    console = Console(width=WIDTH)
    for table in (ingest_table(report), *map(latency_table, report.sizes), size_table(report), load_table(report)):
        console.print(table)
    if report.recalls:
        console.print(recall_table(report.recalls))
    console.print(bar_table(list(bars(report))))
    console.print(report.machine.line(), style="dim")


def ingest_table(report: Report) -> Table:
    """Ingest beside embedding alone."""
    heads = (
        "documents",
        "chunks",
        "embedded",
        "ingest, chunks/s",
        "embedding alone",
        "ingest / embedding",
        "tokens/s",
        "first / unchanged",
    )
    table = Table("ingest of real text", *heads)
    for name, one in report.ingests.items():
        table.add_row(
            name, f"{one.documents:,}", f"{one.chunks:,}", f"{one.embedded:,}", f"{one.embedded / one.seconds:.1f}",
            f"{one.embedded / one.embedding_seconds:.1f}", f"{one.ratio:.2f}", f"{one.tokens / one.seconds:,.0f}",
            f"{one.seconds / one.again_seconds:.0f} x",
        )  # fmt: skip
    return table


def latency_table(size: Size) -> Table:
    """Each step of a suggestion and the whole, beside the embedding of the same messages alone."""
    grown, latency = size.grown, size.latency
    table = Table(
        f"{grown.chunks:,} chunks, {grown.derived:,} of their vectors derived", "n", "p50 ms", "p95", "p99", "p50 / embedding",
        caption=f"distinct messages; {latency.drafted:.0%} drafted",
    )  # fmt: skip
    floor = latency.suggest_floor.p50
    table.add_row(*cells("search, embedding included", latency.search, latency.search_floor.p50))
    table.add_row(
        *cells("  embedding of the same alone", latency.search_floor, latency.search_floor.p50), end_section=True
    )
    table.add_row(*cells("suggest, stored", latency.suggest, floor))
    for step, times in latency.steps.items():
        table.add_row(*cells(f"  {step}", times, floor))
    table.add_row(*cells("  embedding of the same alone", latency.suggest_floor, floor))
    return table


def cells(name: str, times: Times, floor: float) -> tuple[str, ...]:
    """A row of the latency table."""
    return name, str(times.n), f"{times.p50:.1f}", f"{times.p95:.1f}", f"{times.p99:.1f}", f"{times.p50 / floor:.2f}"


def size_table(report: Report) -> Table:
    """What an index of each size takes."""
    table = Table(
        "size", "documents", "all but embedding, chunks/s", "unchanged, s", "ingest peak MB", "disk MB / 1,000 chunks",
        "server MB", "first answer, command", "first answer, server",
    )  # fmt: skip
    for size in report.sizes:
        grown = size.grown
        writing = f"{grown.chunks / (grown.seconds - grown.embedding_seconds):,.0f}"
        table.add_row(
            f"{grown.chunks:,}", f"{grown.documents:,}", writing, f"{grown.again_seconds:.2f}", f"{grown.peak_mb:,.0f}",
            f"{grown.disk_mb / grown.chunks * K:.1f}", f"{size.served.memory_mb:,.0f}", f"{size.cold.command_seconds:.2f} s",
            f"{size.cold.server_seconds:.2f} s",
        )  # fmt: skip
    if len(report.sizes) > 1:
        table.caption = f"server memory grows by {memory_growth(report):.1f} MB per 1,000 chunks"
    return table


def load_table(report: Report) -> Table:
    """Throughput in the process and over HTTP."""
    table = Table(
        "load",
        "asked at once",
        "requests",
        "failed",
        "a second",
        "of in-process",
        "p50 ms",
        "p99 ms",
        "p99 / p50",
        "client CPU s",
    )
    for size in report.sizes:
        for name, load in (("in process, threads", size.threads), *(("HTTP", one) for one in size.served.loads)):
            table.add_row(
                f"{size.grown.chunks:,} chunks, {name}", str(load.concurrency), str(load.requests), str(load.failed), f"{load.rate:.1f}",
                f"{load.rate / size.threads.rate:.0%}", f"{load.p50_ms:.1f}", f"{load.p99_ms:.1f}", f"{load.p99_ms / load.p50_ms:.1f}",
                f"{load.client_cpu_seconds:.1f} of {load.seconds:.1f}" if name == "HTTP" else "",
            )  # fmt: skip
    return table


def recall_table(recalls: Sequence[Recall]) -> Table:
    """The approximate search beside the full scan."""
    table = Table("vectors (derived)", "recall@10", "worst query", "search p50 ms", "full scan p50 ms", "built in, s")
    for one in recalls:
        table.add_row(
            f"{one.vectors:,}",
            f"{one.recall:.4f}",
            f"{one.lowest:.1f}",
            f"{one.search_ms:.2f}",
            f"{one.exact_ms:.2f}",
            f"{one.build_seconds:.0f}",
        )
    return table


def bar_table(found: Sequence[Bar]) -> Table:
    """Each bar and whether it holds."""
    table = Table("bar", "measured", "asked", "holds")
    for bar in found:
        asked = f"{'≤' if bar.at_most else '≥'} {bar.limit:g}"
        table.add_row(bar.name, f"{bar.figure:.2f}", asked, "yes" if bar.holds else "[red]no[/red]")
    return table


# ---- bars ----


def bars(report: Report) -> Iterator[Bar]:
    """Every bar that this run can speak of."""
    for name, one in report.ingests.items():
        yield Bar(f"first ingest / embedding alone, {name}", one.ratio, 1.15)
        yield Bar(f"first ingest / unchanged ingest, {name}", one.seconds / one.again_seconds, 50, at_most=False)
    for size in report.sizes:
        yield from size_bars(size)
    if len(report.sizes) > 1:
        smallest, largest = report.sizes[0], report.sizes[-1]
        span = f"{smallest.asked_for:,} to {largest.asked_for:,} chunks"
        yield Bar(f"suggest p50, {span}", largest.latency.suggest.p50 / smallest.latency.suggest.p50, 3)
        yield Bar(f"search p50, {span}", largest.latency.search.p50 / smallest.latency.search.p50, 3)
    for recall in report.recalls:
        yield Bar(
            f"recall@10 of the approximate search, {recall.vectors:,} vectors", recall.recall, 0.99, at_most=False
        )


def size_bars(size: Size) -> Iterator[Bar]:
    """Latency, start and load at one size."""
    latency, name = size.latency, f"{size.asked_for:,} chunks"
    yield Bar(
        f"search p50 / embedding, {name}",
        latency.search.p50 / latency.search_floor.p50,
        1.5 if size.asked_for <= 10_000 else 2.5,
    )
    if size.asked_for <= 10_000:
        yield Bar(f"suggest p50 / embedding, {name}", latency.suggest.p50 / latency.suggest_floor.p50, 3)
    yield Bar(
        f"start to first answer (the slower door), {name}", max(size.cold.command_seconds, size.cold.server_seconds), 3
    )
    busiest = size.served.loads[-1]
    at = f"HTTP at {busiest.concurrency}, {name}"
    yield Bar(f"{at}: throughput / two threads in process", busiest.rate / size.threads.rate, 0.75, at_most=False)
    yield Bar(f"{at}: p99 / p50", busiest.p99_ms / busiest.p50_ms, 10)
    yield Bar(f"{at}: failed", sum(load.failed for load in size.served.loads), 0)


def memory_growth(report: Report) -> float:
    """Megabytes that the server takes more for 1,000 chunks more, from the smallest to the largest index."""
    small, large = report.sizes[0], report.sizes[-1]
    return (large.served.memory_mb - small.served.memory_mb) / (large.grown.chunks - small.grown.chunks) * K
