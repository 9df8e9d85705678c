import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.load import Load, load
from benchmarks.machine import machine
from benchmarks.report import Report, Size, bars, show
from benchmarks.stages import Cold, Grown, Ingested, Latency, Recall, Served, Times


def times(p50: float) -> Times:
    return Times(100, p50, 2 * p50, 3 * p50)


def size(chunks: int, suggest: float = 25.0, search: float = 13.0) -> Size:
    loads = tuple(Load(many, 100, 0, 4.0, 50.0, 200.0, 0.4) for many in (1, 4, 16))
    return Size(
        asked_for=chunks,
        grown=Grown(chunks, chunks - 1000, 500, 30.0, 20.0, 0.2, 90.0, 500.0),
        latency=Latency(
            times(search), times(10.0), {"embed": times(10.0), "total": times(24.0)}, times(suggest), times(10.0), 0.9
        ),
        cold=Cold(2.5, 2.0),
        threads=Load(2, 100, 0, 4.0, 60.0, 90.0, 8.0),
        served=Served(loads, 300.0 + chunks / 1000, 400.0),
    )


def report(*sizes: Size, recall: float = 0.995) -> Report:
    ingested = Ingested(227, 877, 587, 47_000, 11.0, 10.0, 0.1, 400.0)
    return Report(
        machine=machine(()), ingests={"the demo company": ingested}, sizes=list(sizes),
        recalls=[Recall(10_000, recall, 0.9, 1.0, 0.5, 9.0)],
    )  # fmt: skip


def missed(one: Report) -> set[str]:
    return {bar.name for bar in bars(one) if not bar.holds}


def test_a_run_within_every_bar_misses_none() -> None:
    assert missed(report(size(1_000), size(10_000), size(100_000, suggest=60.0, search=24.0))) == set()


@pytest.mark.parametrize(
    ("slow", "name"),
    [
        (size(10_000, search=16.0), "search p50 / embedding, 10,000 chunks"),
        (size(10_000, suggest=31.0), "suggest p50 / embedding, 10,000 chunks"),
        (size(100_000, search=26.0), "search p50 / embedding, 100,000 chunks"),
        (replace(size(10_000), cold=Cold(1.0, 3.1)), "start to first answer (the slower door), 10,000 chunks"),
        (
            replace(size(10_000), threads=Load(2, 100, 0, 2.9, 60.0, 90.0, 8.0)),
            "HTTP at 16, 10,000 chunks: throughput / two threads in process",
        ),
        (
            replace(size(10_000), served=Served((Load(16, 100, 2, 4.0, 50.0, 200.0, 0.4),), 300.0, 400.0)),
            "HTTP at 16, 10,000 chunks: failed",
        ),
    ],
)
def test_what_is_too_slow_is_named(slow: Size, name: str) -> None:
    assert missed(report(slow)) == {name}


def test_a_search_that_misses_neighbours_is_named() -> None:
    assert missed(report(recall=0.98)) == {"recall@10 of the approximate search, 10,000 vectors"}


def test_the_tables_show_the_ratios_and_the_memory_of_a_thousand_chunks(capsys: pytest.CaptureFixture[str]) -> None:
    show(report(size(1_000), size(10_000)))
    shown = capsys.readouterr().out
    assert "1.10" in shown
    assert "2.50" in shown
    assert "grows by 1.0 MB" in " ".join(shown.split())


class Slow(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(500 if b"fail" in body else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_message_is_sent_once_and_errors_are_counted(url: str) -> None:
    got = load(url, ["{}"] * 9 + ['{"fail": 1}'], 4)
    assert (got.requests, got.failed, got.concurrency) == (10, 1, 4)
    assert got.p99_ms >= got.p50_ms > 0
    assert got.rate == pytest.approx(10 / got.seconds)
