"""Fits the weights that insights decide by, on pairs and groups written for it (`benchmarks/insights`) and the odd rows of both corpora of
`tests/insights`.

`python -m benchmarks.insights_heads` prints what goes into `ingest/insights/weights.yaml`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import ingest.demo
from copilot.build import build
from copilot.domain import Document, Kind, Principal
from copilot.ports import Embedder
from copilot.settings import Settings
from ingest.insights import contradictions, duplicates, gaps
from ingest.insights.material import Entry, of_kinds
from ingest.insights.report import Insights
from ingest.load import Reading
from ingest.pipeline import Indexer
from tests.planted import Sample, entries, owner, rows, sides

FOLDER = Path(__file__).parent / "insights"
OLD, NEW = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
STRENGTH = {"gaps": 0.3, "duplicates": 1.0, "contradictions": 0.1}
UNJUDGED = {"gaps": 0.3, "contradictions": 0.3}
"""How much a pair or a group of several rows weighs, which nobody labelled."""
CORPORA = ("", "second")
ADMIN = Principal(id="benchmark", workspace="default", roles=frozenset({"admin"}))
ROUNDS, EVERY = 6, 1_000_000


def blocks(name: str) -> Iterator[tuple[str, list[str]]]:
    """Each block of a file: its head line, `+ …` or `- …`, and its lines."""
    head, lines = "", list[str]()
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line[:2].strip() in ("+", "-"):
            if head:
                yield head, lines
            head, lines = line, []
        elif line and line[0] not in "#=":
            lines.append(line)
    yield head, lines


@cache
def company() -> list[Entry]:
    """The demo company's articles and solved tickets, in which nothing is said twice and next to nothing contradicts."""
    with TemporaryDirectory() as home:
        parts = build(Settings(home=Path(home)))
        for folder in ("articles", "tickets"):
            Indexer(parts).ingest("default", ingest.demo.FOLDER / folder, Reading())
        found = Insights.of(parts, ADMIN).entries
        parts.close()
    return found


# ---- what is fitted on: features, whether it is one, and how much it weighs ----


def of_gaps(embedder: Embedder) -> Iterator[Sample]:
    """Every branch of each writer's messages, and of the odd rows."""
    for file in ("gaps.txt", "gaps_2.txt"):
        told = [(f"{head[0]}{at}.x", lines) for at, (head, lines) in enumerate(blocks(file))]
        yield from _branches(told, embedder)
    for corpus in CORPORA:
        yield from _branches([(f"{_sign(row)}{row['id']}", row["messages"]) for row in rows("gaps", corpus)], embedder)


def _branches(told: Sequence[tuple[str, Sequence[str]]], embedder: Embedder) -> Iterator[Sample]:
    texts = [(f"{name}", text) for name, lines in told for text in lines]
    vectors = embedder.embed([text for _, text in texts], "query")
    asked = [
        gaps.Unanswered(suggestion_id=f"{at:05}", conversation_id=f"{at:05}", message=0, text=text, at=NEW + timedelta(minutes=at),
                        vector=vectors[at])
        for at, (_, text) in enumerate(texts)
    ]  # fmt: skip
    likeness = gaps.Likeness.over(asked, lambda some: embedder.embed(some, "query"))
    for group in likeness.branches():
        names = [texts[at][0] for at in group]
        if sum(_tuned(name) for name in names) >= len(names) / 2:
            whose = owner(names, len(names))
            one = bool(whose and whose.startswith("+"))
            yield Sample(likeness.features(group), one, 1.0 if whose else UNJUDGED["gaps"], whose or "")


def _tuned(name: str) -> bool:
    return name.endswith(".x") or int(name[-2:]) % 2 == 1


def of_duplicates(embedder: Embedder) -> Iterator[Sample]:
    """Every pair that comes near, of each writer's documents on their own."""
    for told in (*map(_written, ("duplicates.txt", "duplicates_2.txt")), *map(_odd_pairs, CORPORA)):
        documents = [(Document(id=f"{name}/{at}", kind="article", title=title.strip()), text.strip(), 0) for name, both in told
                     for at, (title, text) in enumerate(both)]  # fmt: skip
        for one, other in duplicates.candidates(entries(embedder, documents)):
            first, second = one.entry.id.partition("/")[0], other.entry.id.partition("/")[0]
            yield Sample(duplicates.features(one, other), first == second and first[0] == "+", 1.0, first)
    for one, other in duplicates.candidates(of_kinds(company(), ("article",))):
        yield Sample(duplicates.features(one, other), False, 1.0, "")


Told = list[tuple[str, list[tuple[str, str]]]]
"""Rows by their names, each with the titles and texts of its two documents."""


def _written(file: str) -> Told:
    told = enumerate(blocks(file))
    return [
        (f"{head[0]}{at}", [(line.split(" | ", 1)[0], line.split(" | ", 1)[1]) for line in lines])
        for at, (head, lines) in told
    ]


def _odd_pairs(corpus: str) -> Told:
    odd = [row for row in rows("duplicates", corpus) if _tuned(row["id"])]
    return [(f"{_sign(row)}{row['id']}", [(row[side]["title"], row[side]["text"]) for side in "ab"]) for row in odd]


def _sign(row: Mapping[str, Any]) -> str:
    return "+" if row["planted"] else "-"


def of_contradictions(embedder: Embedder) -> list[Sample]:
    """The likeliest pairs of statements of every two documents; of a planted row its likeliest alone counts.

    A passage that stands in several rows is one article.
    """
    found = [Sample(one.features, False, UNJUDGED["contradictions"], "") for one in _likely(company(), embedder)]
    files = ("contradictions.txt", "contradictions_2.txt", "contradictions_3.txt")
    for told in (*map(_passages, files), *map(_odd_sides, CORPORA)):
        articles = {(document.title, text): name for name, (document, text, _), _ in reversed(told)}
        rows_of = {(articles[ours[0].title, ours[1]], name): name for name, ours, _ in told}
        named = [(replace(ours[0], id=f"{name}/a"), *ours[1:]) for name, ours, _ in told if (name, name) in rows_of]
        others = [(replace(theirs[0], id=f"{name}/b"), *theirs[1:]) for name, _, theirs in told]
        for one in _likely(entries(embedder, named + others), embedder):
            pair = (one.article.entry.id.partition("/")[0], one.other.entry.id.partition("/")[0])
            row = rows_of.get(pair, "")
            found.append(Sample(one.features, row[:1] == "+", 1.0 if row else UNJUDGED["contradictions"], row))
    return found


def _likely(found: list[Entry], embedder: Embedder) -> list[contradictions.Clash]:
    likely = contradictions.clashes(found, EVERY)
    return contradictions.weighed(likely, lambda texts: embedder.embed(texts, "query"))


Text = tuple[Document, str, int]
"""A document, its words, and where its answer begins."""


def _passages(file: str) -> list[tuple[str, Text, Text]]:
    """Rows by their names, each with the article and what stands against it."""
    found = []
    for at, (head, lines) in enumerate(blocks(file)):
        made = [_passage(line, when) for line, when in zip(lines, (OLD, NEW), strict=True)]
        found.append((f"{head[0]}{file}{at}", made[0], made[1]))
    return found


def _passage(line: str, when: datetime) -> Text:
    title, _, text = line[3:].partition(" | ")
    kind: Kind = "ticket" if line[0] == "T" else "article"
    before = f"{title.strip()}\n\n" if kind == "ticket" else ""
    return Document(id="", kind=kind, title=title.strip(), updated_at=when), before + text, len(before)


def _odd_sides(corpus: str) -> list[tuple[str, Text, Text]]:
    odd = [row for row in rows("contradictions", corpus) if _tuned(row["id"])]
    return [(f"{_sign(row)}{row['id']}", *sides(row)) for row in odd]  # type: ignore[misc]


# ---- the fit ----


def fitted(
    samples: Sequence[Sample], strength: float, several: bool, balanced: bool
) -> tuple[Mapping[str, float], float]:
    """Weights and bias of a logistic regression. With `several`, only the likeliest of a planted row's samples has to be one; with
    `balanced`, both answers weigh the same together however often each occurs."""
    from sklearn.linear_model import LogisticRegression

    names = sorted(samples[0].features)
    table = np.array([[one.features[name] for name in names] for one in samples])
    middle, spread = table.mean(axis=0), table.std(axis=0) + 1e-9
    scaled, labels = (table - middle) / spread, np.array([one.planted for one in samples])
    weights, keep = np.array([one.weight for one in samples]), np.ones(len(samples), dtype=bool)
    for _ in range(ROUNDS if several else 1):
        model = LogisticRegression(C=strength, max_iter=5000, class_weight="balanced" if balanced else None).fit(
            scaled[keep], labels[keep], sample_weight=weights[keep]
        )
        if several:
            keep = _likeliest(samples, model.decision_function(scaled))
    by_name = model.coef_[0] / spread
    bias = float(model.intercept_[0] - (by_name * middle).sum())
    return {name: round(float(weight), 4) for name, weight in zip(names, by_name, strict=True)}, round(bias, 4)


def _likeliest(samples: Sequence[Sample], scores: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    best: dict[str, int] = {}
    for at, one in enumerate(samples):
        if one.planted and (one.owner not in best or scores[at] > scores[best[one.owner]]):
            best[one.owner] = at
    return np.array([not one.planted or best[one.owner] == at for at, one in enumerate(samples)])


KINDS: dict[str, Callable[[Embedder], Iterator[Sample] | list[Sample]]] = {
    "gaps": of_gaps, "duplicates": of_duplicates, "contradictions": of_contradictions,
}  # fmt: skip


def main(kinds: Sequence[str]) -> None:
    """Print the weights of these kinds, or of all."""
    from copilot.adapters.onnx import minilm

    settings = Settings()
    embedder = minilm(settings.models, settings.threads, settings.window)
    for kind in kinds or KINDS:
        weights, bias = fitted(
            list(KINDS[kind](embedder)), STRENGTH[kind], kind == "contradictions", kind != "duplicates"
        )
        shown = ", ".join(f"{name}: {weight}" for name, weight in weights.items())
        print(f"{kind}:\n  weights: {{{shown}}}\n  bias: {bias}")


if __name__ == "__main__":
    main(sys.argv[1:])
