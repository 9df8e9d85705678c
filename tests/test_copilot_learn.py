"""Heads: what they promise about confidences, files and `other`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot import learn
from copilot.errors import ConfigurationError
from copilot.learn import OTHER, Example, Head, fit, fit_texts, head, key_of, word_features
from copilot.ports import Embedder, Vectors

DATA = [
    Example("where is my parcel", "delivery"),
    Example("the package has not arrived yet", "delivery"),
    Example("when will my order be delivered", "delivery"),
    Example("parcels and their way", "delivery", anchor=True),
    Example("I forgot my password", "account"),
    Example("cannot sign in to my account", "account"),
    Example("the login page refuses my password", "account"),
    Example("signing in", "account", anchor=True),
    Example("what is the capital of Mongolia", OTHER),
    Example("tell me a joke about penguins", OTHER),
]


class Counting:
    """The shipped model, counting what it is asked."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder, self.texts = embedder, 0

    @property
    def fingerprint(self) -> str:
        return self._embedder.fingerprint

    @property
    def dimensions(self) -> int:
        return self._embedder.dimensions

    def embed(self, texts: Sequence[str], kind: Literal["query", "document"]) -> Vectors:
        self.texts += len(texts)
        return self._embedder.embed(texts, kind)

    def count_tokens(self, text: str) -> int:
        return self._embedder.count_tokens(text)


def clouds(count: int = 40, spread: float = 0.8, names: Sequence[str] = "abc") -> tuple[Vectors, list[str]]:
    """Unit vectors around one direction a label; with this spread they overlap."""
    random = np.random.default_rng(0)
    rows = np.vstack([np.eye(16)[i] + spread * random.normal(size=(count, 16)) / 4 for i in range(len(names))])
    return unit(rows), [name for name in names for _ in range(count)]


def unit(rows: np.ndarray) -> Vectors:
    scaled: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def test_a_fitted_head_tells_its_labels_apart_and_its_chances_add_up_to_one() -> None:
    vectors, labels = clouds()
    fitted = fit(vectors, labels)
    chances = np.array([fitted.probabilities(row) for row in vectors])
    assert np.allclose(chances.sum(axis=1), 1)
    assert np.mean([fitted.labels[row.argmax()] == label for row, label in zip(chances, labels, strict=True)]) > 0.95


def test_two_labels_are_enough() -> None:
    vectors, labels = clouds(names="ab")
    fitted = fit(vectors, labels)
    assert fitted.probabilities(vectors[0]).argmax() == 0
    assert fitted.probabilities(vectors[-1]).argmax() == 1


def test_the_same_input_gives_the_same_head_to_the_last_digit() -> None:
    vectors, labels = clouds()
    first, second = fit(vectors, labels), fit(vectors, labels)
    assert first.temperature == second.temperature
    assert np.array_equal(first.weights, second.weights)
    assert np.array_equal(first.bias, second.bias)


def test_confidences_are_calibrated_where_the_labels_overlap() -> None:
    vectors, labels = clouds(count=400, spread=3.0)
    half = np.arange(len(labels)) % 2 == 0
    fitted = fit(vectors[half], [label for label, kept in zip(labels, half, strict=True) if kept])
    chances = np.array([fitted.probabilities(row) for row in vectors[~half]])
    truth = [label for label, kept in zip(labels, half, strict=True) if not kept]
    right = np.mean([fitted.labels[row.argmax()] == label for row, label in zip(chances, truth, strict=True)])
    assert 0.4 < right < 0.95, "the labels must overlap, else there is nothing to calibrate"
    assert abs(chances.max(axis=1).mean() - right) < 0.05


def test_a_rare_label_is_not_forgotten() -> None:
    vectors, labels = clouds()
    kept = [*range(80), 80, 81, 82]
    fitted = fit(vectors[kept], [labels[i] for i in kept])
    found = [fitted.labels[fitted.probabilities(row).argmax()] for row in vectors[83:]]
    assert found.count("c") > 30


def test_a_head_with_a_gate_says_other_far_from_every_example_and_only_then() -> None:
    vectors, labels = clouds(spread=0.4)
    outside = unit(np.eye(16)[8:] + 0.05)
    fitted = fit(np.vstack([vectors, outside]), labels + [OTHER] * len(outside))
    assert fitted.labels[-1] == OTHER
    far = unit(np.eye(16)[7:8] + np.eye(16)[15:16])[0]
    assert fitted.labels[fitted.probabilities(far).argmax()] == OTHER
    assert fitted.labels[fitted.probabilities(vectors[0]).argmax()] == "a"
    assert fitted.probabilities(far, gated=False)[-1] == 0
    assert fitted.probabilities(far, gated=False).sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("labels", "anchors", "says"),
    [
        (["a", "a", "a"], [], "at least two labels"),
        (["a", "a", "b"], [], "'b' has one example"),
        (["a", "a", "b", "b"], [False, False, False, True], "'b' has one example"),
    ],
)
def test_too_little_data_is_refused_with_what_to_do(labels: list[str], anchors: list[bool], says: str) -> None:
    vectors = unit(np.random.default_rng(0).normal(size=(len(labels), 16)))
    with pytest.raises(ConfigurationError, match=says):
        fit(vectors, labels, anchors=anchors)


def test_a_head_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    vectors, labels = clouds(spread=0.4)
    outside = unit(np.eye(16)[8:])
    fitted = replace(fit(np.vstack([vectors, outside]), labels + [OTHER] * len(outside)), key="k")
    fitted.save(tmp_path / "deep" / "head.npz")
    loaded = Head.load(tmp_path / "deep" / "head.npz", "k")
    assert loaded is not None
    assert loaded.labels == fitted.labels
    for row in vectors[::10]:
        assert np.array_equal(loaded.probabilities(row), fitted.probabilities(row))
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["head.npz"]


def test_a_head_of_other_data_is_not_used(tmp_path: Path) -> None:
    replace(fit(*clouds()), key="k").save(tmp_path / "head.npz")
    assert Head.load(tmp_path / "head.npz", "another") is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"\x80\x04\x95pickle", b"\x93NUMPY\x01\x00"])
def test_a_damaged_file_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "head.npz").write_bytes(content)
    assert Head.load(tmp_path / "head.npz", "k") is None
    assert Head.load(tmp_path / "absent.npz", "k") is None


def test_a_file_with_pickled_objects_is_not_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "head.npz", key=np.array("k"), labels=np.array([{"a": 1}], dtype=object))
    assert Head.load(tmp_path / "head.npz", "k") is None


def test_the_key_changes_with_everything_that_a_head_depends_on(
    embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OtherModel(Counting):
        @property
        def fingerprint(self) -> str:
            return "another model"

    keys = {
        key_of(DATA, embedder),
        key_of(DATA, embedder, words=True),
        key_of(DATA[:-1], embedder),
        key_of([*DATA[:-1], replace(DATA[-1], text="changed")], embedder),
        key_of([*DATA[:-1], replace(DATA[-1], anchor=True)], embedder),
        key_of(DATA, OtherModel(embedder)),
    }
    monkeypatch.setattr(learn, "RECIPE", learn.RECIPE + 1)
    keys.add(key_of(DATA, embedder))
    assert len(keys) == 7


def test_a_head_is_fitted_once_and_then_found(embedder: Embedder, tmp_path: Path) -> None:
    counting = Counting(embedder)
    first = head("small", DATA, counting, tmp_path / "shipped.npz", tmp_path / "cache")
    assert counting.texts == len(DATA)
    again = head("small", DATA, counting, tmp_path / "shipped.npz", tmp_path / "cache")
    assert counting.texts == len(DATA)
    assert np.array_equal(first.weights, again.weights)
    asked = embedder.embed(["my package is late"], "query")[0]
    assert first.labels[first.probabilities(asked, gated=False).argmax()] == "delivery"


def test_a_shipped_head_that_fits_is_used_and_nothing_is_cached(embedder: Embedder, tmp_path: Path) -> None:
    fit_texts(DATA, embedder).save(tmp_path / "shipped.npz")
    counting = Counting(embedder)
    head("small", DATA, counting, tmp_path / "shipped.npz", tmp_path / "cache")
    assert counting.texts == 0
    assert not (tmp_path / "cache").exists()


def test_words_say_what_an_embedding_leaves_out() -> None:
    calm, loud = word_features("please help me"), word_features("PLEASE HELP ME!!!")
    assert float(calm @ loud) < 0.8
    assert np.array_equal(calm, word_features("Please help me"))


@given(st.text(max_size=400))
def test_any_text_gives_a_unit_row_of_words_or_an_empty_one(text: str) -> None:
    length = float(np.linalg.norm(word_features(text)))
    assert length == pytest.approx(1) or length == 0
