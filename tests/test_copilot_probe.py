"""The attention probe: one telling token among many, weights that come back from a file, and what it costs nothing to leave out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from copilot.adapters.probing import fit_probe
from copilot.learn import read_arrays, write_arrays
from copilot.ports import Embedder, Vectors
from copilot.probe import Probe, Probes
from tests.test_copilot_learn import Counting

DIMENSIONS = 12


def texts(count: int, seed: int) -> tuple[list[Vectors], NDArray[np.bool_]]:
    """Token states of which one in half of the texts is of a kind of its own; the second target holds where the text is long."""
    chance = np.random.default_rng(seed)
    made, truth = [], []
    for at in range(count):
        states = chance.normal(size=(int(chance.integers(20, 60)), DIMENSIONS)).astype(np.float32)
        if at % 2:
            states[chance.integers(len(states)), :3] = 3.0
        made.append(states)
        truth.append((bool(at % 2), len(states) > 40))
    return made, np.array(truth)


def test_one_telling_token_is_found_where_the_mean_hides_it() -> None:
    states, truth = texts(600, 1)
    probe = fit_probe(states, truth, np.ones(len(states)))
    unseen, holds = texts(300, 2)
    found = roc_auc_score(holds[:, 0], [probe(one)[0] for one in unseen])
    means = LogisticRegression().fit([one.mean(axis=0) for one in states], truth[:, 0])
    by_mean = roc_auc_score(holds[:, 0], means.decision_function([one.mean(axis=0) for one in unseen]))
    assert found > 0.97 > by_mean


def test_what_weighs_nothing_teaches_nothing() -> None:
    states, truth = texts(300, 3)
    lied = np.concatenate([truth, ~truth])
    probe = fit_probe([*states, *states], lied, np.repeat([1.0, 0.0], len(states)))
    unseen, holds = texts(200, 4)
    assert roc_auc_score(holds[:, 0], [probe(one)[0] for one in unseen]) > 0.9


def test_the_same_texts_give_the_same_probe_and_it_comes_back_from_its_file(tmp_path: Path) -> None:
    states, truth = texts(80, 5)
    first, again = (fit_probe(states, truth, np.ones(len(states))) for _ in range(2))
    write_arrays(tmp_path / "weights.npz", key=np.array("k"), **first.arrays())
    kept = Probe.of(read_arrays(tmp_path / "weights.npz", "k") or {})
    assert kept is not None
    for one in states[:5]:
        assert first(one).tobytes() == again(one).tobytes() == kept(one).tobytes()
    assert Probe.of({"key": np.array("k")}) is None
    some = {name: array for name, array in first.arrays().items() if name != "probe_value"}
    with pytest.raises(ValueError, match="alone"):
        Probe.of(some)


def test_probes_asked_together_say_what_each_says_alone_in_one_forward_pass(embedder: Embedder) -> None:
    chance = np.random.default_rng(6)
    states = [chance.normal(size=(9, embedder.dimensions)).astype(np.float32) for _ in range(40)]
    two, three = (fit_probe(states, chance.random((40, targets)) > 0.5, np.ones(40)) for targets in (2, 3))
    counted, text = Counting(embedder), "The kettle hisses."
    first, none, last = Probes(two, None, three).encoded(counted, text)
    assert counted.texts == 1
    assert none.told is None
    for given, probe in ((first, two), (last, three)):
        vector, alone = embedder.probed(text, probe)
        assert given.told is not None
        assert given.told.tobytes() == alone.tobytes()
        assert given.vector.tobytes() == none.vector.tobytes() == vector.tobytes()


def test_weights_without_a_probe_are_given_the_vector_alone(embedder: Embedder) -> None:
    given = Probes(None, None).encoded(embedder, "The kettle hisses.")
    assert [one.told for one in given] == [None, None]
    assert given[0].vector.tobytes() == embedder.embed(["The kettle hisses."], "query")[0].tobytes()
