"""Past messages without a label: the clear ones teach, and only where few are labelled."""

from __future__ import annotations

import numpy as np

from copilot.intents import IntentHead, fit
from copilot.learn import OTHER, Example
from copilot.ports import Vectors
from copilot.unlabelled import ENOUGH, helps, surest, with_past

WORDS = {"a": "parcel", "b": "invoice"}


def drawn(label: str, count: int, seed: int, spread: float) -> Vectors:
    """Unit vectors round the label's own direction."""
    centre = np.eye(16, dtype=np.float32)["ab".index(label)]
    rows = centre + spread * np.random.default_rng(seed).standard_normal((count, 16)).astype(np.float32)
    unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def few() -> tuple[Vectors, list[Example]]:
    """Two labelled messages of each label, far from their centre."""
    rows = np.vstack([drawn(label, 2, seed, 0.6) for seed, label in enumerate(WORDS)])
    return rows, [Example(f"about it {label}", label) for label in WORDS for _ in range(2)]


def test_past_messages_make_a_head_better_where_few_are_labelled() -> None:
    rows, data = few()
    past = np.vstack([drawn(label, 40, 10 + seed, 0.35) for seed, label in enumerate(WORDS)])
    asked = np.vstack([drawn(label, 100, 20 + seed, 0.5) for seed, label in enumerate(WORDS)])
    truth = [label for label in WORDS for _ in range(100)]
    alone, helped = fit(rows, data), fit(*with_past(rows, data, past, ["so and so"] * len(past)))

    def right(head: IntentHead) -> int:
        said = [head.labels[int(head.probabilities(row, "x").argmax())] for row in asked]
        return sum(a == b for a, b in zip(said, truth, strict=True))

    assert right(helped) > right(alone)


def test_they_stand_behind_the_examples_as_anchors_and_none_is_called_other() -> None:
    rows, data = few()
    data = [*data, Example("what is the weather", OTHER)]
    rows = np.vstack([rows, np.eye(16, dtype=np.float32)[5:6]])
    past = drawn("a", 10, 3, 0.3)
    made, examples = with_past(rows, data, past, [f"message {i}" for i in range(10)])
    assert examples[: len(data)] == data
    assert len(made) == len(examples) == len(data) + 10
    assert all(one.anchor and one.label != OTHER for one in examples[len(data) :])


def test_with_enough_labelled_messages_past_ones_are_not_asked() -> None:
    many = [Example(str(i), label) for label in WORDS for i in range(ENOUGH)]
    assert helps(few()[1])
    assert not helps(many)


def test_the_surest_are_those_furthest_ahead_in_their_order() -> None:
    scores = np.array([[0.1, 0.9], [0.5, 0.4], [0.8, 0.1], [0.3, 0.3]], dtype=np.float32)
    assert surest(scores, 0.5).tolist() == [0, 2]
