"""The main path on real messages, over HTTP: `python -m benchmarks.main_path DATA` with DATA a folder that holds `thunderbird/`.

Ingests the knowledge base and the solved tickets twice, serves them on a local port, asks for a suggestion for each incoming message with
only the evidence that existed before it, checks every citation against the stored revision, and compares the articles found with plain BM25
over whole pages.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np

WORKSPACE = "thunderbird"


def main() -> None:
    """Measure and print; the exit code says whether every bar holds."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--home", type=Path, default=Path("/tmp/copilot-main-path"))
    arguments.add_argument("--keep", action="store_true", help="use the index of an earlier run")
    given = arguments.parse_args()
    data = given.data / "thunderbird"
    os.environ["COPILOT_HOME"] = str(given.home)
    if not given.keep:
        shutil.rmtree(given.home, ignore_errors=True)
        ingest_twice(data)
    cases = [json.loads(line) for line in (data / "dev" / "incoming.jsonl").read_text(encoding="utf-8").splitlines()]
    with served() as client:
        answers = [suggest(client, case) for case in cases]
        found = {case["ticket_id"]: articles(client, case) for case in cases if case["gold_docs"]}
        wrong, citations = check_citations(client, answers)
    report(cases, answers, found, bm25(data / "kb", cases), wrong, citations)


def ingest_twice(data: Path) -> None:
    """The first run and the unchanged one, with their share."""
    seconds = []
    for _ in range(2):
        paths = [data / "kb", data / "dev" / "resolved_tickets.jsonl", data / "dev" / "answered_with_kb.jsonl"]
        command = [sys.executable, "-m", "copilot", "ingest", "--json", "-w", WORKSPACE, *map(str, paths)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        summary = json.loads(done.stdout)
        seconds.append(summary["seconds"])
        print(
            "ingest:", {name: value for name, value in summary.items() if name != "problems"}, summary["problems"][:5]
        )
    print(f"second / first: {seconds[1] / seconds[0]:.2%}")


@contextmanager
def served() -> Iterator[httpx.Client]:
    """A server of its own process on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "copilot", "serve", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    headers = {"X-Workspace": WORKSPACE}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60, trust_env=False) as client:
            for _ in range(300):
                try:
                    if client.get("/readyz").status_code == 200:
                        break
                except httpx.HTTPError:
                    pass
                time.sleep(0.1)
            yield client
    finally:
        server.terminate()
        server.wait(timeout=30)


def suggest(client: httpx.Client, case: dict[str, Any]) -> httpx.Response:
    """The suggestion for a case, with the evidence of its time."""
    conversation = {
        "channel": "form", "subject": case["subject"], "messages": [{"author": "customer", "text": case["message"]}],
    }  # fmt: skip
    body = {"conversation": conversation, "options": {"before": when(case)}}
    return client.post("/v1/suggestions", json=body)


def when(case: dict[str, Any]) -> str:
    """The case's time as ISO 8601."""
    day, clock, zone = case["created"].split()
    return f"{day}T{clock}{zone[:3]}:{zone[3:]}"


def articles(client: httpx.Client, case: dict[str, Any]) -> list[str]:
    """The articles that search finds, best first."""
    params: dict[str, str | int] = {
        "q": f"{case['subject']}\n\n{case['message']}"[:4000],
        "kind": "article",
        "limit": 10,
        "before": when(case),
    }
    return [hit["document_id"] for hit in client.get("/v1/search", params=params).json()["results"]]


def check_citations(client: httpx.Client, answers: Iterable[httpx.Response]) -> tuple[int, int]:
    """How many citations do not equal the stored slice, of how many."""
    wrong = total = 0
    texts: dict[tuple[str, int], str] = {}
    for answer in answers:
        draft = answer.json().get("draft") or {"statements": []}
        for citation in (c for statement in draft["statements"] for c in statement["citations"]):
            key = (citation["document_id"], citation["revision"])
            if key not in texts:
                texts[key] = client.get(f"/v1/documents/{key[0]}", params={"revision": key[1]}).json()["text"]
            total += 1
            wrong += texts[key][citation["start"] : citation["end"]] != citation["quote"]
    return wrong, total


def bm25(kb: Path, cases: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Plain BM25 (tantivy's k1 1.2, b 0.75, English stems) over whole pages, the message as it is."""
    import frontmatter
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw")
    builder.add_text_field("page", tokenizer_name="en_stem")
    index = tantivy.Index(builder.build())
    writer = index.writer()
    for file in sorted(kb.rglob("*.md")):
        post = frontmatter.load(file)
        writer.add_document(tantivy.Document(id=post["doc_id"], page=f"{post['title']}\n{post.content}"))
    writer.commit()
    index.reload()
    searcher = index.searcher()

    def find(case: dict[str, Any]) -> list[str]:
        query, _ = index.parse_query_lenient(" ".join(plain_words(f"{case['subject']} {case['message']}")), ["page"])
        return [searcher.doc(address)["id"][0] for _, address in searcher.search(query, 10).hits]

    return {case["ticket_id"]: find(case) for case in cases if case["gold_docs"]}


def plain_words(text: str) -> list[str]:
    """Letters and digits only, so that nothing is query syntax."""
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()


def report(
    cases: list[dict[str, Any]], answers: list[httpx.Response], found: dict[str, list[str]], plain: dict[str, list[str]],
    wrong: int, citations: int,
) -> None:  # fmt: skip
    """Print the figures and leave with 1 where a bar is missed."""
    gold = {case["ticket_id"]: set(case["gold_docs"]) for case in cases if case["gold_docs"]}
    statuses = Counter(answer.status_code for answer in answers)
    drafted = [
        bool(a.json().get("draft")) for a, c in zip(answers, cases, strict=True) if c["gold_docs"] and a.is_success
    ]
    shown = {
        c["ticket_id"]: [p["document_id"] for p in a.json()["passages"]]
        for a, c in zip(answers, cases, strict=True) if c["gold_docs"] and a.is_success
    }  # fmt: skip
    print("HTTP:", dict(statuses))
    print(f"drafted of those with gold_docs: {sum(drafted)}/{len(drafted)} = {np.mean(drafted):.3f}")
    print(f"drafted of all: {sum(bool(a.json().get('draft')) for a in answers)}/{len(answers)}")
    print(f"citations wrong: {wrong} of {citations}")
    for name, lists in (("suggest", shown), ("search", found), ("plain BM25", plain)):
        print(f"{name:>10}: hit@1 {hit(lists, gold, 1):.3f}  hit@5 {hit(lists, gold, 5):.3f}  n {len(gold)}")
    totals = [answer.json()["timings_ms"]["total"] for answer in answers if answer.is_success]
    print("suggest ms p50/p95/max:", *(f"{value:.1f}" for value in np.percentile(totals, [50, 95, 100])))
    better = hit(found, gold, 5) >= hit(plain, gold, 5)
    bars = (max(statuses) < 500, bool(np.mean(drafted) >= 0.6), wrong == 0, better)
    print("bars:", bars)
    sys.exit(0 if all(bars) else 1)


def hit(lists: dict[str, list[str]], gold: dict[str, set[str]], k: int) -> float:
    """Share of cases with a gold article in the first k."""
    return float(np.mean([bool(gold[id] & set(lists[id][:k])) for id in gold]))


if __name__ == "__main__":
    main()
