"""Suggestions over HTTP, so many at a time: `python -m benchmarks.load http://127.0.0.1:8000 MESSAGES.jsonl --concurrency 16`.

MESSAGES.jsonl holds a request's `conversation` a line. The client's own processor time is told: on a shared machine it is taken from the server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import numpy as np

WORKSPACE = "default"


@dataclass(frozen=True, slots=True)
class Load:
    """What so many askers at once got."""

    concurrency: int
    requests: int
    failed: int
    seconds: float
    p50_ms: float
    p99_ms: float
    client_cpu_seconds: float

    @property
    def rate(self) -> float:
        """Suggestions a second."""
        return self.requests / self.seconds


def main() -> None:
    """Ask and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("messages", type=Path)
    parser.add_argument("--concurrency", type=int, default=16)
    given = parser.parse_args()
    bodies = [json.loads(line) for line in given.messages.read_text(encoding="utf-8").splitlines()]
    print(
        json.dumps(asdict(load(given.url, [json.dumps({"conversation": body}) for body in bodies], given.concurrency)))
    )


def load(url: str, bodies: Sequence[str], concurrency: int) -> Load:
    """Post every body once, `concurrency` at a time."""
    return asyncio.run(_load(url, bodies, concurrency))


async def _load(url: str, bodies: Sequence[str], concurrency: int) -> Load:
    times: list[float] = []
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    headers = {"X-Workspace": WORKSPACE, "Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=120, limits=limits, trust_env=False) as client:
        waiting = iter(bodies)
        cpu, started = time.process_time(), time.perf_counter()
        failed = await asyncio.gather(*(_ask(client, waiting, times) for _ in range(concurrency)))
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    p50, p99 = np.percentile(times, [50, 99])
    return Load(concurrency, len(bodies), sum(failed), seconds, float(p50), float(p99), cpu)


async def _ask(client: httpx.AsyncClient, waiting: Iterator[str], times: list[float]) -> int:
    """One asker, who sends the next message when the last is answered; how many were not answered well."""
    failed = 0
    for body in waiting:
        started = time.perf_counter()
        answer = await client.post("/v1/suggestions", content=body)
        times.append((time.perf_counter() - started) * 1e3)
        failed += not answer.is_success
    return failed


if __name__ == "__main__":
    main()
