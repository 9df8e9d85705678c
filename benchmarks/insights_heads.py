"""Fits the weights that insights decide by, on pairs and groups written for it (`benchmarks/insights`) and the odd rows of `tests/insights`.

`python -m benchmarks.insights_heads` prints what goes into `ingest/insights/weights.yaml`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from copilot.domain import Document, Kind
from copilot.ports import Embedder
from ingest.insights import contradictions, duplicates, gaps
from tests.planted import Sample, entries, owner, rows, sides

FOLDER = Path(__file__).parent / "insights"
OLD, NEW = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
STRENGTH = {"gaps": 0.3, "duplicates": 1.0, "contradictions": 0.3}
UNJUDGED = 0.3
"""How much a pair of two rows weighs, which nobody labelled."""
ROUNDS, EVERY = 6, 1_000_000


def blocks(name: str) -> Iterator[tuple[str, list[str]]]:
    """Each block of a file: its head line, `+ …` or `- …`, and its lines."""
    head, lines = "", list[str]()
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line[:2].strip() in ("+", "-"):
            if head:
                yield head, lines
            head, lines = line, []
        elif line and not line.startswith("#"):
            lines.append(line)
    yield head, lines


# ---- what is fitted on: features, whether it is one, and how much it weighs ----


def of_gaps(embedder: Embedder) -> Iterator[Sample]:
    """Every branch of the messages written for it, and of the odd rows."""
    own = [(f"{head[0]}{at}.x", lines) for at, (head, lines) in enumerate(blocks("gaps.txt"))]
    test = [(f"{'+' if row['planted'] else '-'}{row['id']}", row["messages"]) for row in rows("gaps")]
    for told in (own, test):
        yield from _branches(told, embedder)


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
            yield Sample(likeness.features(group), one, 1.0 if whose else UNJUDGED, whose or "")


def _tuned(name: str) -> bool:
    return name.endswith(".x") or int(name[-2:]) % 2 == 1


def of_duplicates(embedder: Embedder) -> Iterator[Sample]:
    """Every pair that comes near."""
    own = [
        (f"{head[0]}{at}.x", [line.split(" | ", 1) for line in lines])
        for at, (head, lines) in enumerate(blocks("duplicates.txt"))
    ]
    test = [(f"{'+' if row['planted'] else '-'}{row['id']}", [(row[s]["title"], row[s]["text"]) for s in "ab"])
            for row in rows("duplicates") if int(row["id"][-2:]) % 2]  # fmt: skip
    for pairs in (own, test):
        documents = [(Document(id=f"{name}/{at}", kind="article", title=two[0].strip()), two[1].strip(), 0) for name, both in pairs
                     for at, two in enumerate(both)]  # fmt: skip
        for one, other, cosine in duplicates.candidates(entries(embedder, documents)):
            first, second = one.entry.id.partition("/")[0], other.entry.id.partition("/")[0]
            if first == second:
                yield Sample(duplicates.features(one, other, cosine), first[0] == "+", 1.0, first)


def of_contradictions(embedder: Embedder) -> list[Sample]:
    """Every pair of statements that differ in something; of a planted row its likeliest alone counts."""
    documents = []
    for at, (head, lines) in enumerate(blocks("contradictions.txt")):
        for line, when in zip(lines, (OLD, NEW), strict=True):
            title, _, text = line[3:].partition(" | ")
            kind: Kind
            kind, begin = ("ticket", len(f"{title}\n\n")) if line[0] == "T" else ("article", 0)
            words = f"{title}\n\n{text}" if begin else text
            documents.append(
                (
                    Document(id=f"{head[0]}{at}.x/{line[0]}", kind=kind, title=title.strip(), updated_at=when),
                    words,
                    begin,
                )
            )
    test = []
    for row in rows("contradictions"):
        if int(row["id"][-2:]) % 2:
            sign = "+" if row["planted"] else "-"
            test += [
                (_named(one, f"{sign}{row['id']}/{side}"), text, begin)
                for side, (one, text, begin) in zip("ab", sides(row), strict=True)
            ]
    found = []
    for some in (documents, test):
        likely = contradictions.clashes(entries(embedder, some), EVERY, EVERY)
        for one in contradictions.weighed(likely, lambda texts: embedder.embed(texts, "query")):
            first, second = one.article.entry.id.partition("/")[0], one.other.entry.id.partition("/")[0]
            same = first == second
            found.append(
                Sample(
                    one.features,
                    same and first[0] == "+",
                    1.0 if same else UNJUDGED,
                    first if same else f"{first}{second}",
                )
            )
    return found


def _named(document: Document, id: str) -> Document:
    return replace(document, id=id)


# ---- the fit ----


def fitted(samples: Sequence[Sample], strength: float, several: bool) -> tuple[Mapping[str, float], float]:
    """Weights and bias of a logistic regression. With `several`, only the likeliest of a planted row's samples has to be one."""
    from sklearn.linear_model import LogisticRegression

    names = sorted(samples[0].features)
    table = np.array([[one.features[name] for name in names] for one in samples])
    middle, spread = table.mean(axis=0), table.std(axis=0) + 1e-9
    scaled, labels = (table - middle) / spread, np.array([one.planted for one in samples])
    weights, keep = np.array([one.weight for one in samples]), np.ones(len(samples), dtype=bool)
    for _ in range(ROUNDS if several else 1):
        model = LogisticRegression(C=strength, max_iter=5000, class_weight="balanced").fit(
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
    from copilot.settings import Settings

    settings = Settings()
    embedder = minilm(settings.models, settings.threads, settings.window)
    for kind in kinds or KINDS:
        weights, bias = fitted(list(KINDS[kind](embedder)), STRENGTH[kind], kind == "contradictions")
        shown = ", ".join(f"{name}: {weight}" for name, weight in weights.items())
        print(f"{kind}:\n  weights: {{{shown}}}\n  bias: {bias}")


if __name__ == "__main__":
    main(sys.argv[1:])
