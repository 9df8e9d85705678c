"""What all of triage costs beyond the embedding: `python -m benchmarks.triage DATA` with DATA a folder of `thunderbird/`.

CPU time of one thread over 500 real first messages, each read three times, of which the fastest counts: tags, several wishes, facts,
critical codes and escalation; and what the rules take the first time that they see each message, as those of an inbox are. All vectors,
those of clauses too, are remembered from a first reading; how many messages had clauses embedded is told.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from copilot.adapters.onnx import minilm
from copilot.adapters.remembering import Remembering
from copilot.critical import critical
from copilot.domain import Conversation, Message
from copilot.escalate import Policy, escalate
from copilot.moods import moods
from copilot.ports import Embedder
from copilot.probe import Probes
from copilot.query import search_text
from copilot.settings import DEFAULTS, Settings
from copilot.triage import Triager
from copilot.wishes import clauses

MESSAGES = 500
TIMES = 3
LIMIT = 150.0


def main() -> None:
    """Measure and print."""
    from threadpoolctl import threadpool_limits

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    asked = conversations(arguments.parse_args().data)
    settings = Settings()
    embedder = Remembering(minilm(settings.models, 1, settings.window), 10 * MESSAGES)
    policy = Policy.load(DEFAULTS / "policy.yaml")
    with TemporaryDirectory() as models, threadpool_limits(1):
        triager = Triager(embedder, DEFAULTS / "taxonomy.yaml", Path(models))
        probes = Probes(moods(embedder, Path(models)).probe, critical(embedder, Path(models)).probe)
        times = [costs(one, triager, policy, embedder, probes) for one in asked]
    tags, rules, first = (list(column) for column in zip(*times, strict=True))
    print(
        f"tags {shown(tags)}; escalation {shown(rules)}; together {shown(np.add(tags, rules).tolist())}; n {len(asked)}"
    )
    print(f"escalation the first time: {shown(first)}")
    print(f"messages of which clauses were embedded: {sum(bool(clauses(one)) for one in asked)}")


def costs(
    asked: Conversation, triager: Triager, policy: Policy, embedder: Embedder, probes: Probes
) -> tuple[float, float, float]:
    """The time of the tags, the probes' in it, of the escalation, and of the escalation the first time."""
    given, states = triager.encoded(search_text(asked)), embedder.probed(search_text(asked), np.copy)[1]
    triage = triager.read(asked, given)
    first = fastest(lambda: escalate(policy, asked, triage, False, LIMIT), 1)
    return (
        fastest(lambda: triager.read(asked, given)) + fastest(lambda: probes(states)),
        fastest(lambda: escalate(policy, asked, triage, False, LIMIT)),
        first,
    )


def conversations(data: Path) -> list[Conversation]:
    """The newest first messages of the forum, each as a conversation."""
    lines = (data / "thunderbird" / "dev" / "intent_train.jsonl").read_text(encoding="utf-8").splitlines()
    rows = sorted(map(json.loads, lines), key=lambda row: int(row["ticket_id"].split("-")[1]))[-MESSAGES:]
    return [Conversation(subject=row["subject"], messages=(Message(text=row["message"]),)) for row in rows]


def fastest(work: Callable[[], object], runs: int = TIMES) -> float:
    """The least CPU time of some runs, in milliseconds."""
    times = []
    for _ in range(runs):
        begun = time.process_time()
        work()
        times.append((time.process_time() - begun) * 1000)
    return min(times)


def shown(times: list[float]) -> str:
    """Median and 95th percentile."""
    return f"{np.median(times):.2f} ms, p95 {np.percentile(times, 95):.2f} ms"


if __name__ == "__main__":
    main()
