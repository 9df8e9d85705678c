"""Intent heads: what they promise about confidences, levels, words, files and `other`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot import intents
from copilot.errors import ConfigurationError
from copilot.intents import IntentHead, fit, fit_intents, intent_head, intent_key, latest, word_grams
from copilot.learn import OTHER, Example, stretch, write_arrays
from copilot.ports import Embedder, Vectors
from copilot.taxonomy import intent_examples
from copilot.text import own_words
from ingest.demo import FOLDER
from tests.test_copilot_learn import DATA, Counting


def unit(rows: np.ndarray) -> Vectors:
    scaled: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def clouds(count: int = 40, spread: float = 0.8, names: Sequence[str] = "abc") -> tuple[Vectors, list[Example]]:
    """Unit vectors around one direction a label, without a word; with this spread they overlap."""
    random = np.random.default_rng(0)
    rows = np.vstack([np.eye(16)[i] + spread * random.normal(size=(count, 16)) / 4 for i in range(len(names))])
    return unit(rows), [Example("", name) for name in names for _ in range(count)]


def said(fitted: IntentHead, vectors: Vectors) -> list[str]:
    return [fitted.labels[int(fitted.probabilities(row, "").argmax())] for row in vectors]


def share_right(fitted: IntentHead, vectors: Vectors, data: Sequence[Example]) -> float:
    return float(np.mean([a == b.label for a, b in zip(said(fitted, vectors), data, strict=True)]))


def with_outside(spread: float = 0.4) -> tuple[IntentHead, Vectors]:
    vectors, data = clouds(spread=spread)
    outside = unit(np.eye(16)[8:] + 0.05)
    return fit(np.vstack([vectors, outside]), data + [Example("", OTHER)] * len(outside)), vectors


def test_a_fitted_head_tells_its_labels_apart_and_its_chances_add_up_to_one() -> None:
    vectors, data = clouds()
    fitted = fit(vectors, data)
    assert np.allclose([fitted.probabilities(row, "").sum() for row in vectors], 1)
    assert share_right(fitted, vectors, data) > 0.95


def test_two_labels_are_enough() -> None:
    vectors, data = clouds(names="ab")
    assert said(fit(vectors, data), vectors[[0, -1]]) == ["a", "b"]


def test_words_decide_where_vectors_do_not() -> None:
    vectors = unit(np.ones((8, 16)))
    data = [Example("reset my password", "account"), Example("where is my parcel", "delivery")] * 4
    fitted = fit(vectors, data)
    labels = [fitted.labels[int(fitted.probabilities(vectors[0], text).argmax())] for text in ("PASSWORD!", "a parcel")]
    assert labels == ["account", "delivery"]


def test_the_same_input_gives_the_same_head_to_the_last_digit() -> None:
    first, second = fit(*clouds()), fit(*clouds())
    assert (first.temperature, first.cuts) == (second.temperature, second.cuts)
    for name in ("weights", "words", "rarity", "prior"):
        assert np.array_equal(getattr(first, name), getattr(second, name))


def test_an_answer_left_out_is_what_a_head_without_that_example_would_say() -> None:
    vectors, data = clouds(count=6)
    codes = np.array(["abc".index(example.label) for example in data])
    words = intents.unit_rows(
        intents.word_rows([str(i % 5) for i in range(18)]), np.ones(intents.BUCKETS, dtype=np.float32)
    )
    rows = intents.Rows(vectors, words, codes, np.zeros(18, dtype=bool))
    whole = intents.solve(rows, 0.3, 0.1)
    at = 7
    kept = np.flatnonzero(np.arange(18) != at)
    near = (
        intents.closeness(vectors[kept] @ vectors[kept].T).astype(float)
        + 0.1 * (words @ words.T).toarray()[kept][:, kept]
    )
    weights = np.linalg.solve(near + 0.3 * np.eye(17), np.eye(3)[codes[kept]] - whole.prior)
    asked = intents.closeness(vectors[kept] @ vectors[at]) + 0.1 * (words @ words.T).toarray()[at, kept]
    assert np.allclose(asked @ weights + whole.prior, whole.left_out[at], atol=1e-6)


def test_confidences_are_calibrated_where_the_labels_overlap() -> None:
    vectors, data = clouds(count=400, spread=3.0)
    half = np.arange(len(data)) % 2 == 0
    fitted = fit(vectors[half], data[::2])
    right = share_right(fitted, vectors[~half], data[1::2])
    confidence = np.mean([fitted.probabilities(row, "").max() for row in vectors[~half]])
    assert 0.4 < right < 0.95, "the labels must overlap, else there is nothing to calibrate"
    assert abs(confidence - right) < 0.05


def test_answers_of_high_level_are_right_more_often_than_those_of_medium_and_low() -> None:
    vectors, data = clouds(count=400, spread=3.0)
    half = np.arange(len(data)) % 2 == 0
    fitted = fit(vectors[half], data[::2])
    right: dict[str, list[bool]] = {"high": [], "medium": [], "low": []}
    for row, example in zip(vectors[~half], data[1::2], strict=True):
        chances = fitted.probabilities(row, "")
        right[fitted.level(float(chances.max()))].append(fitted.labels[int(chances.argmax())] == example.label)
    assert all(right.values())
    assert np.mean(right["high"]) > intents.RIGHT_HIGH - 0.08
    assert np.mean(right["high"]) > np.mean(right["medium"]) > np.mean(right["low"])


def test_a_level_is_never_reached_where_too_few_answers_were_right() -> None:
    assert stretch(np.array([True, True]), 0.85) == 0
    assert stretch(np.array([True] * 9 + [False] * 5), 0.85) == 9
    assert stretch(np.array([], dtype=bool), 0.6) == 0


def test_a_rare_label_is_not_forgotten() -> None:
    vectors, data = clouds()
    kept = [*range(80), 80, 81, 82]
    fitted = fit(vectors[kept], [data[i] for i in kept])
    assert said(fitted, vectors[83:]).count("c") > 30


def test_where_there_are_too_many_examples_the_oldest_of_the_most_frequent_labels_go() -> None:
    codes = np.array([0, 0, 0, 0, 1, 1, 0])
    anchors = np.array([True] + [False] * 6)
    assert latest(codes, anchors, most=5).tolist() == [0, 3, 4, 5, 6]
    assert latest(codes, anchors, most=9).tolist() == list(range(7))


def test_a_head_with_a_gate_says_other_far_from_every_example_and_only_then() -> None:
    fitted, vectors = with_outside()
    assert fitted.labels[-1] == OTHER
    far = unit(np.eye(16)[7:8] + np.eye(16)[15:16])
    assert said(fitted, far) == [OTHER]
    assert said(fitted, vectors[:1]) == ["a"]
    ungated = fitted.probabilities(far[0], "", gated=False)
    assert ungated[-1] == 0
    assert ungated.sum() == pytest.approx(1)


def test_what_was_never_seen_is_less_familiar_even_to_a_head_without_a_gate() -> None:
    vectors, data = clouds(spread=0.4)
    fitted = fit(vectors, data)
    far = unit(np.eye(16)[8:])
    assert max(fitted.familiarity(row, "") for row in far) < min(fitted.familiarity(row, "") for row in vectors)


@pytest.mark.parametrize(
    ("labels", "anchors", "says"),
    [
        (["a", "a", "a"], [False] * 3, "at least two labels"),
        (["a", "a", "b"], [False] * 3, "'b' has one example"),
        (["a", "a", "b", "b"], [False, False, False, True], "'b' has one example"),
    ],
)
def test_too_little_data_is_refused_with_what_to_do(labels: list[str], anchors: list[bool], says: str) -> None:
    vectors = unit(np.random.default_rng(0).normal(size=(len(labels), 16)))
    data = [Example("", label, anchor) for label, anchor in zip(labels, anchors, strict=True)]
    with pytest.raises(ConfigurationError, match=says):
        fit(vectors, data)


def test_a_head_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    fitted, vectors = with_outside()
    write_arrays(tmp_path / "head.npz", **replace(fitted, key="k").arrays())
    loaded = IntentHead.load(tmp_path / "head.npz", "k")
    assert loaded is not None
    assert (loaded.labels, loaded.cuts) == (fitted.labels, fitted.cuts)
    for row in vectors[::10]:
        assert np.array_equal(loaded.probabilities(row, "a parcel"), fitted.probabilities(row, "a parcel"))


def test_a_head_of_other_data_or_without_its_parts_is_not_used(tmp_path: Path) -> None:
    write_arrays(tmp_path / "head.npz", **replace(fit(*clouds()), key="k").arrays())
    assert IntentHead.load(tmp_path / "head.npz", "another") is None
    np.savez(tmp_path / "half.npz", key=np.array("k"), labels=np.array(["a", "b"]))
    assert IntentHead.load(tmp_path / "half.npz", "k") is None
    assert IntentHead.load(tmp_path / "absent.npz", "k") is None


def test_the_key_changes_with_data_model_and_recipe(embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {intent_key(DATA, embedder), intent_key([*DATA[:-1], replace(DATA[-1], text="changed")], embedder)}
    monkeypatch.setattr(intents, "RECIPE", "another")
    keys.add(intent_key(DATA, embedder))
    assert len(keys) == 3


def test_a_head_is_fitted_once_and_then_found(embedder: Embedder, tmp_path: Path) -> None:
    counting = Counting(embedder)
    first = intent_head(DATA, counting, tmp_path / "shipped.npz", tmp_path / "cache")
    assert counting.texts == len(DATA)
    again = intent_head(DATA, counting, tmp_path / "shipped.npz", tmp_path / "cache")
    assert counting.texts == len(DATA)
    assert np.array_equal(first.weights, again.weights)
    asked = embedder.embed(["my package is late"], "query")[0]
    assert first.labels[int(first.probabilities(asked, "my package is late", gated=False).argmax())] == "delivery"


def test_a_shipped_head_that_fits_is_used_and_nothing_is_cached(embedder: Embedder, tmp_path: Path) -> None:
    write_arrays(tmp_path / "shipped.npz", **fit_intents(DATA, embedder).arrays())
    counting = Counting(embedder)
    intent_head(DATA, counting, tmp_path / "shipped.npz", tmp_path / "cache")
    assert counting.texts == 0
    assert not (tmp_path / "cache").exists()


@cache
def small() -> IntentHead:
    return fit(*clouds(count=3))


@given(st.text(max_size=300))
def test_any_text_has_words_whatever_their_case_and_any_answer_adds_up_to_one(text: str) -> None:
    fitted = small()
    assert fitted.probabilities(np.eye(16, dtype=np.float32)[0], text).sum() == pytest.approx(1)
    if text.isascii():
        assert np.array_equal(word_grams(text), word_grams(text.upper()))


# ---- the same ask in another dress ----


def swapped(text: str) -> str:
    """Two neighbouring letters change places in every twelfth long word, the first one included."""
    words = text.split(" ")
    long = [at for at, word in enumerate(words) if len(word) > 5][::12]
    for at in long:
        words[at] = words[at][:2] + words[at][3] + words[at][2] + words[at][4:]
    return " ".join(words)


DRESSES: dict[str, Callable[[str], str]] = {
    "typos": swapped,
    "capitals": str.upper,
    "a signature": lambda text: f"{text}\n\nKind regards,\nAnna Smith\nHead of Sales\n+31 20 123 4567",
    "a quoted thread": lambda text: (
        f"{text}\n\nOn Tue, 3 Mar 2026 at 09:14, Support wrote:\n> Your parcel was refunded."
    ),
}


KEPT = {"typos": 0.9}
"""Below the .95 that is aimed at: a typo in the word that carries the ask turns .08 of the messages."""


@pytest.mark.parametrize("dress", DRESSES)
def test_the_same_ask_in_another_dress_has_the_same_intent(embedder: Embedder, dress: str) -> None:
    lines = (FOLDER / "incoming" / "incoming.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["messages"][-1]["text"] for line in lines]
    fitted = IntentHead.load(FOLDER / "intents.npz", intent_key(intent_examples(FOLDER / "taxonomy.yaml"), embedder))
    assert fitted is not None

    def intents_of(messages: Sequence[str]) -> list[int]:
        asked = [own_words(message) for message in messages]
        vectors = embedder.embed(asked, "query")
        return [int(fitted.probabilities(v, text).argmax()) for v, text in zip(vectors, asked, strict=True)]

    dressed = [DRESSES[dress](text) for text in texts]
    assert dressed != texts
    assert np.mean(np.equal(intents_of(texts), intents_of(dressed))) >= KEPT.get(dress, 0.95)
