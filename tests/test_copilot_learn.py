"""What every head needs: files tied to what they were fitted on, and temperatures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from copilot.learn import OTHER, Example, calibrate, key_of, read_arrays, softmax, write_arrays
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

    def probed(self, text: str, probe: Callable[[Vectors], Vectors]) -> tuple[Vectors, Vectors]:
        self.texts += 1
        return self._embedder.probed(text, probe)

    def count_tokens(self, text: str) -> int:
        return self._embedder.count_tokens(text)


def test_an_array_comes_back_from_its_file_and_nothing_else_is_left_beside_it(tmp_path: Path) -> None:
    write_arrays(tmp_path / "deep" / "head.npz", key=np.array("k"), weights=np.arange(3))
    arrays = read_arrays(tmp_path / "deep" / "head.npz", "k")
    assert arrays is not None
    assert arrays["weights"].tolist() == [0, 1, 2]
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["head.npz"]


def test_a_file_of_another_key_or_of_none_is_not_used(tmp_path: Path) -> None:
    write_arrays(tmp_path / "head.npz", key=np.array("k"))
    write_arrays(tmp_path / "bare.npz", weights=np.arange(3))
    assert read_arrays(tmp_path / "head.npz", "another") is None
    assert read_arrays(tmp_path / "bare.npz", "k") is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"\x80\x04\x95pickle", b"\x93NUMPY\x01\x00"])
def test_a_damaged_file_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "head.npz").write_bytes(content)
    assert read_arrays(tmp_path / "head.npz", "k") is None
    assert read_arrays(tmp_path / "absent.npz", "k") is None


def test_a_file_with_pickled_objects_is_not_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "head.npz", key=np.array("k"), labels=np.array([{"a": 1}], dtype=object))
    assert read_arrays(tmp_path / "head.npz", "k") is None


def test_the_key_changes_with_everything_that_a_head_depends_on(embedder: Embedder) -> None:
    class OtherModel(Counting):
        @property
        def fingerprint(self) -> str:
            return "another model"

    keys = {
        key_of(DATA, embedder, "recipe"),
        key_of(DATA, embedder, "another recipe"),
        key_of(DATA[:-1], embedder, "recipe"),
        key_of([*DATA[:-1], replace(DATA[-1], text="changed")], embedder, "recipe"),
        key_of([*DATA[:-1], replace(DATA[-1], anchor=True)], embedder, "recipe"),
        key_of(DATA, OtherModel(embedder), "recipe"),
    }
    assert len(keys) == 6


def test_the_temperature_undoes_a_known_overconfidence() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(4000, 3)) * 2
    codes = np.array([random.choice(3, p=softmax(row)) for row in logits])
    assert calibrate(logits * 5, codes)[1] == pytest.approx(5, rel=0.1)
