from pathlib import Path

import numpy as np
import pytest

from benchmarks.embedders import Recorder, StandIn, derive
from benchmarks.grow import conversations, demo_pool, grow
from benchmarks.stages import asking, growing, recalling
from copilot.ports import Embedder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_seed_grows_the_same_files_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("one", 0), ("two", 0), ("three", 1)):
        grow(demo_pool(), 40, tmp_path / name, seed)
    one, two, three = (contents(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two
    assert one.keys() == three.keys()
    assert one != three


def test_every_message_is_another_and_another_seed_gives_others() -> None:
    one, two = ({message.messages[0].text for message in conversations(demo_pool(), 200, seed=seed)} for seed in (1, 2))
    assert len(one) == 200
    assert len(one & two) < 10


def test_a_grown_corpus_has_about_the_chunks_asked_for_and_every_question_finds_it(tmp_path: Path) -> None:
    corpus = grow(demo_pool(), 80, tmp_path)
    grown = growing(tmp_path / "home", corpus.paths, real=20)
    assert 70 <= grown.chunks <= 100
    assert grown.derived == grown.chunks - 20
    assert grown.documents == 10 + 40
    latency = asking(tmp_path / "home", conversations(demo_pool(), 16, seed=0))
    assert (latency.search.n, latency.suggest.n) == (3, 3)
    assert latency.suggest.p50 >= latency.steps["embed"].p50 > 0


def test_derived_vectors_are_unit_near_a_real_one_and_the_same_for_the_same_text() -> None:
    bank = np.eye(8, 384, dtype=np.float32)
    one, again = derive(bank, ["a", "b"]), derive(bank, ["a", "b"])
    assert np.array_equal(one, again)
    assert not np.array_equal(one[0], one[1])
    assert np.allclose(np.linalg.norm(one, axis=1), 1, atol=1e-5)
    assert (one @ bank.T).max(axis=1).min() > 0.6


def test_a_stand_in_embeds_queries_and_the_first_documents_as_the_model_does(embedder: Embedder) -> None:
    stand_in, texts = StandIn(embedder, real=2), ["one", "two", "three", "four"]
    made = np.concatenate([stand_in.embed(texts[:3], "document"), stand_in.embed(texts[3:], "document")])
    model = embedder.embed(texts, "document")
    assert np.allclose(made[:2], model[:2], atol=1e-5)
    assert not np.allclose(made[2:], model[2:], atol=1e-2)
    assert np.allclose(stand_in.embed(["four"], "query"), embedder.embed(["four"], "query"))
    assert (stand_in.derived, stand_in.texts) == (2, ["one", "two"])


def test_a_recorder_remembers_documents_and_not_queries(embedder: Embedder) -> None:
    recorder = Recorder(embedder)
    recorder.embed(["a page"], "document")
    recorder.embed(["a question"], "query")
    assert recorder.texts == ["a page"]


def test_the_approximate_search_of_a_small_index_finds_all(tmp_path: Path) -> None:
    recall = recalling(tmp_path, demo_pool().paragraphs[:20], conversations(demo_pool(), 3, seed=0), 60)
    assert recall.vectors == 60
    assert recall.recall == pytest.approx(1.0)
