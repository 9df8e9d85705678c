"""What a workspace's past messages teach without a label: those that the labelled ones make clear are taken as further examples.

A head is fitted, past messages are given its labels, the surest ones join its examples, and so on for a few rounds. They teach as anchors
do: never asked when confidences are fitted, so that a mistake among them does not look like knowledge.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from copilot.intents import IntentHead, closeness, fit, unit_rows, word_rows
from copilot.learn import OTHER, Example
from copilot.ports import Vectors

ROUNDS = (0.4, 0.7, 1.0)
"""How many of the past messages are taken, round by round, the surest first."""
MOST = 3000
"""As many past messages are read, the newest: more make fitting slower and hardly teach more."""
ENOUGH = 20
"""Labelled messages for each label from which on past ones are not asked: they teach less than they mislead."""


def helps(data: Sequence[Example]) -> bool:
    """Whether there are few enough labelled messages that past ones are worth asking."""
    labels = {example.label for example in data} - {OTHER}
    asked = sum(not example.anchor and example.label != OTHER for example in data)
    return asked < ENOUGH * len(labels)


def with_past(
    vectors: Vectors, data: Sequence[Example], past: Vectors, texts: Sequence[str]
) -> tuple[Vectors, list[Example]]:
    """The examples and their vectors, with the past messages behind them as anchors of the labels that they most likely have."""
    rows, examples = vectors, list(data)
    for share in ROUNDS:
        head = fit(rows, examples)
        scores = scored(head, past, texts)
        kept = surest(scores, share)
        names = [head.labels[code] for code in scores[kept].argmax(axis=1).tolist()]
        found = [Example(texts[i], name, anchor=True) for i, name in zip(kept.tolist(), names, strict=True)]
        rows, examples = np.vstack([vectors, past[kept]]), [*data, *found]
    return rows, examples


def scored(head: IntentHead, vectors: Vectors, texts: Sequence[str]) -> NDArray[np.float32]:
    """What speaks for each label, for many messages at once."""
    said = unit_rows(word_rows(texts), head.rarity) @ head.words
    found: NDArray[np.float32] = closeness(vectors @ head.examples.T) @ head.weights + said + head.prior
    return found


def surest(scores: NDArray[np.float32], share: float) -> NDArray[np.intp]:
    """The rows whose best label is the furthest ahead of the second, as many as this share, in their order."""
    ordered = np.sort(scores, axis=1)
    lead = ordered[:, -1] - ordered[:, -2]
    return np.sort(np.argsort(-lead, kind="stable")[: round(share * len(scores))])
