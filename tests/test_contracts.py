"""Each seam's promises, on every adapter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any, Literal, cast

import numpy as np
import pytest

from copilot.adapters.chroma import ChromaIndex
from copilot.adapters.onnx import minilm, package_folder
from copilot.adapters.remembering import Remembering
from copilot.adapters.rerankers import CrossEncoderReranker, WordReranker
from copilot.adapters.sbert import SentenceTransformerEmbedder
from copilot.adapters.tantivy import TantivyIndex
from copilot.errors import ConfigurationError
from copilot.ports import Embedder, LexicalEntry, LexicalIndex, Reranker, Shelf, VectorIndex, Vectors
from copilot.settings import Settings

PUBLIC = Shelf("default", "article", "public")
INTERNAL = Shelf("default", "article", "internal")
OTHER = Shelf("other", "article", "public")
PROBED = "My hub blinks red since the storm, please help."


@pytest.fixture(scope="session")
def reference() -> Embedder:
    return SentenceTransformerEmbedder(str(package_folder()), threads=2, window=256)


@pytest.fixture(scope="session")
def small(embedder: Embedder) -> Embedder:
    return minilm(Settings().models, 2, 256, "int8")


@pytest.fixture(scope="session")
def remembering(embedder: Embedder) -> Embedder:
    return Remembering(embedder, 2)


@pytest.fixture(scope="session")
def layers() -> list[Vectors]:
    """The token states of one text: what goes into the first layer, then what each of the six makes of it."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(package_folder(), local_files_only=True).eval()
    words = AutoTokenizer.from_pretrained(package_folder(), local_files_only=True)(PROBED, return_tensors="pt")
    with torch.no_grad():
        made = model(**words, output_hidden_states=True).hidden_states
    return [one[0].numpy() for one in made]


@pytest.fixture(params=["embedder", "reference", "small", "remembering"])
def any_embedder(request: pytest.FixtureRequest) -> Embedder:
    found: Embedder = request.getfixturevalue(request.param)
    return found


class TestEmbedder:
    def test_rows_are_unit_vectors_of_the_stated_size(self, any_embedder: Embedder) -> None:
        rows = any_embedder.embed(["one", "two words", "x " * 2000], "document")
        assert rows.shape == (3, any_embedder.dimensions)
        assert rows.dtype == np.float32
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)

    def test_order_is_kept_whatever_the_lengths(self, any_embedder: Embedder) -> None:
        texts = ["a long text " * 30, "short", "a text of middling length, not more"]
        together = any_embedder.embed(texts, "document")
        for text, row in zip(texts, together, strict=True):
            near = 0.98 if "int8" in any_embedder.fingerprint else 0.9999
            assert float(any_embedder.embed([text], "document")[0] @ row) > near

    def test_the_same_query_gives_the_same_bytes(self, any_embedder: Embedder) -> None:
        alone = any_embedder.embed(["where is my order"], "query")
        assert any_embedder.embed(["something else", "where is my order"], "query")[1].tobytes() == alone[0].tobytes()

    def test_a_probe_reads_the_states_two_thirds_up_in_the_pass_that_makes_the_vector(
        self, any_embedder: Embedder, layers: list[Vectors]
    ) -> None:
        vector, states = any_embedder.probed(PROBED, np.copy)
        assert float(any_embedder.embed([PROBED], "query")[0] @ vector) > 0.99999
        assert states.shape == (any_embedder.count_tokens(PROBED) + 2, any_embedder.dimensions)
        nearest = min(range(len(layers)), key=lambda number: float(np.abs(layers[number] - states).max()))
        assert nearest == 4
        assert np.abs(layers[4] - states).max() < (1.0 if "int8" in any_embedder.fingerprint else 1e-3)

    def test_near_meanings_are_nearer_than_far_ones(self, any_embedder: Embedder) -> None:
        a, b, c = any_embedder.embed(
            ["I forgot my password", "cannot sign in any more", "the parcel arrived broken"], "query"
        )
        assert a @ b > a @ c + 0.2

    @pytest.mark.parametrize("text", ["", " ", "\x00", "🧪" * 50, "ẞ\u0301" * 9])
    def test_odd_text_has_a_vector_too(self, any_embedder: Embedder, text: str) -> None:
        assert np.isfinite(any_embedder.embed([text], "query")).all()

    def test_no_texts_give_no_rows(self, any_embedder: Embedder) -> None:
        assert any_embedder.embed([], "document").shape == (0, any_embedder.dimensions)

    def test_tokens_are_counted_beyond_the_window(self, any_embedder: Embedder) -> None:
        assert any_embedder.count_tokens("word " * 1000) == 1000

    def test_one_thread_counts_tokens_while_another_embeds(self, any_embedder: Embedder) -> None:
        """An ingest reads one batch while another is embedded."""
        texts = [" ".join(["a charger that hums"] * times) for times in (1, 5, 2, 9)]
        over = Event()

        def count() -> None:
            while not over.is_set():
                any_embedder.count_tokens(texts[1])

        with ThreadPoolExecutor(1) as pool:
            counting = pool.submit(count)
            try:
                rows = [any_embedder.embed(texts, "document") for _ in range(8)]
            finally:
                over.set()
            counting.result()
        assert all(np.array_equal(rows[0], one) for one in rows)


def test_the_exported_model_equals_the_original(embedder: Embedder, reference: Embedder) -> None:
    texts = ["How do I reset it?", "Ein kurzer Satz.", "long " * 400, "Settings > Notifications, version 6.4"]
    cosines = (embedder.embed(texts, "document") * reference.embed(texts, "document")).sum(axis=1)
    assert (cosines > 0.9999).all()
    assert embedder.fingerprint != reference.fingerprint


def test_int8_comes_near_and_is_never_taken_for_fp32(embedder: Embedder, small: Embedder) -> None:
    texts = ["How do I reset my password?", "The parcel arrived broken, I want my money back.", "Version 6.4 is slow"]
    cosines = (embedder.embed(texts, "document") * small.embed(texts, "document")).sum(axis=1)
    assert ((cosines > 0.97) & (cosines < 0.99999)).all()
    assert small.fingerprint != embedder.fingerprint


def test_a_query_that_comes_again_passes_the_model_once(embedder: Embedder) -> None:
    recorder = Counted(embedder)
    remembering = Remembering(cast("Embedder", recorder), 2)
    first = remembering.embed(["one", "two"], "query")
    assert (remembering.embed(["two", "one"], "query")[::-1] == first).all()
    assert recorder.asked == ["one", "two"]
    remembering.embed(["three", "one"], "query")
    assert recorder.asked == ["one", "two", "three"]


def test_a_probed_query_passes_the_model_once_whatever_is_asked_of_it_next(embedder: Embedder) -> None:
    recorder, passes = Counted(embedder), list[str]()

    def first_state(states: Vectors) -> Vectors:
        passes.append("probed")
        first: Vectors = states[0]
        return first

    remembering = Remembering(cast("Embedder", recorder), 4)
    vector, said = remembering.probed("one", first_state)
    again = remembering.probed("one", first_state)
    assert passes == ["probed"]
    assert (again[0] == vector).all()
    assert (again[1] == said).all()
    assert (remembering.embed(["one"], "query")[0] == vector).all()
    assert recorder.asked == []
    assert remembering.probed("one", np.copy)[1].shape != said.shape, "another probe says something else"
    forgetting = Remembering(embedder, 0)
    for _ in range(2):
        assert (forgetting.probed("one", first_state)[0] == vector).all()
    assert passes == ["probed"] * 3, "nothing is kept where nothing may be"


class Counted:
    def __init__(self, inner: Embedder) -> None:
        self._inner, self.asked = inner, list[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def embed(self, texts: Sequence[str], kind: Literal["query", "document"]) -> Vectors:
        self.asked += texts
        return self._inner.embed(texts, kind)


def vectors(*axes: int) -> Vectors:
    return np.eye(8, dtype=np.float32)[list(axes)]


@pytest.fixture
def open_vectors(tmp_path: Path) -> Callable[[], VectorIndex]:
    return lambda: ChromaIndex(tmp_path / "vectors")


class TestVectorIndex:
    def test_the_nearest_come_first_with_their_cosine(self, open_vectors: Callable[[], VectorIndex]) -> None:
        index = open_vectors()
        index.upsert(PUBLIC, ["a", "b"], vectors(0, 1))
        (first, second) = index.search(PUBLIC, vectors(1)[0], 5)
        assert first[0] == "b"
        assert first[1] == pytest.approx(1)
        assert second[0] == "a"
        assert second[1] == pytest.approx(0, abs=1e-6)

    def test_what_is_written_is_there_after_a_restart(self, open_vectors: Callable[[], VectorIndex]) -> None:
        open_vectors().upsert(PUBLIC, ["a", "b"], vectors(0, 1))
        again = open_vectors()
        assert again.shelves() == [PUBLIC]
        assert again.ids(PUBLIC) == {"a", "b"}
        assert again.search(PUBLIC, vectors(0)[0], 1)[0][0] == "a"

    def test_a_second_upsert_replaces(self, open_vectors: Callable[[], VectorIndex]) -> None:
        index = open_vectors()
        index.upsert(PUBLIC, ["a"], vectors(0))
        index.upsert(PUBLIC, ["a"], vectors(3))
        assert index.ids(PUBLIC) == {"a"}
        assert index.search(PUBLIC, vectors(3)[0], 1)[0][1] == pytest.approx(1)

    def test_deleted_ids_are_found_no_more_and_unknown_ones_are_no_error(
        self, open_vectors: Callable[[], VectorIndex]
    ) -> None:
        index = open_vectors()
        index.upsert(PUBLIC, ["a", "b"], vectors(0, 1))
        index.delete(PUBLIC, ["a", "never"])
        index.delete(OTHER, ["a"])
        assert index.ids(PUBLIC) == {"b"}
        assert [id for id, _ in index.search(PUBLIC, vectors(0)[0], 5)] == ["b"]

    def test_shelves_are_apart(self, open_vectors: Callable[[], VectorIndex]) -> None:
        index = open_vectors()
        index.upsert(PUBLIC, ["a"], vectors(0))
        index.upsert(INTERNAL, ["b"], vectors(0))
        assert index.ids(PUBLIC) == {"a"}
        assert index.search(OTHER, vectors(0)[0], 5) == []
        assert set(index.shelves()) == {PUBLIC, INTERNAL}

    def test_a_twin_is_seen_by_nobody_until_it_is_adopted(self, open_vectors: Callable[[], VectorIndex]) -> None:
        index = open_vectors()
        index.upsert(PUBLIC, ["old"], vectors(0))
        twin = index.twin()
        twin.upsert(INTERNAL, ["new"], vectors(1))
        assert (index.ids(PUBLIC), index.ids(INTERNAL)) == ({"old"}, set())
        index.adopt(twin)
        assert (index.ids(PUBLIC), index.ids(INTERNAL)) == (set(), {"new"})
        assert [id for id, _ in index.search(INTERNAL, vectors(1)[0], 5)] == ["new"]
        assert open_vectors().shelves() == [INTERNAL]

    def test_one_that_is_mostly_deletions_says_so_until_it_is_made_anew(
        self, open_vectors: Callable[[], VectorIndex], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("copilot.adapters.chroma.WORN", 3)
        index = open_vectors()
        index.upsert(PUBLIC, ["a", "b", "c", "d", "e"], vectors(0, 1, 2, 3, 4))
        index.delete(PUBLIC, ["a", "b"])
        assert not index.worn()
        index.delete(PUBLIC, ["c"])
        assert index.worn()
        assert open_vectors().worn(), "after a restart too"
        twin = index.twin()
        twin.upsert(PUBLIC, ["d", "e"], vectors(3, 4))
        index.adopt(twin)
        assert not index.worn()

    def test_the_vectors_that_stand_there_can_be_read(self, open_vectors: Callable[[], VectorIndex]) -> None:
        index = open_vectors()
        index.upsert(PUBLIC, ["a", "b"], vectors(0, 1))
        assert {id: vector.tolist() for id, vector in index.vectors(PUBLIC)} == {
            "a": vectors(0)[0].tolist(),
            "b": vectors(1)[0].tolist(),
        }
        assert list(index.vectors(OTHER)) == []


@pytest.fixture
def open_lexical(tmp_path: Path) -> Callable[[], LexicalIndex]:
    return lambda: TantivyIndex(tmp_path / "words")


def entry(id: str, body: str, title: str = "", headings: str = "") -> LexicalEntry:
    return LexicalEntry(id=id, title=title, headings=headings, body=body)


class TestLexicalIndex:
    def test_words_match_by_their_stems_and_accents_do_not_matter(
        self, open_lexical: Callable[[], LexicalIndex]
    ) -> None:
        index = open_lexical()
        index.upsert(PUBLIC, [entry("a", "compacting folders"), entry("b", "a café in Zürich")])
        assert [id for id, _ in index.search(PUBLIC, "compact the FOLDER", 5)] == ["a"]
        assert [id for id, _ in index.search(PUBLIC, "cafe zurich", 5)] == ["b"]

    def test_words_that_no_space_parts_are_found_by_a_part_of_them(
        self, open_lexical: Callable[[], LexicalIndex]
    ) -> None:
        index = open_lexical()
        index.upsert(
            PUBLIC, [entry("a", "忘记密码怎么办"), entry("b", "返金にかかる日数"), entry("c", "เราจะคืนเงินภายใน 5 วัน")]
        )
        found = [index.search(PUBLIC, words, 1) for words in ("密码", "返金の日数", "คืนเงิน")]
        assert [id for hits in found for id, _ in hits] == ["a", "b", "c"]
        assert index.ids(PUBLIC) == {"a", "b", "c"}

    def test_a_title_weighs_more_than_a_body(self, open_lexical: Callable[[], LexicalIndex]) -> None:
        index = open_lexical()
        index.upsert(
            PUBLIC,
            [
                entry("a", "refund and other words", title="parcels"),
                entry("b", "parcels and other words", title="refund"),
            ],
        )
        assert [id for id, _ in index.search(PUBLIC, "refund", 5)] == ["b", "a"]

    @pytest.mark.parametrize(
        "text", ['title:"', "AND OR NOT", "((((", "*", "", " ", "\x00", "a" * 100_000, "[x TO y]", "-", "🧪"]
    )
    def test_any_text_is_a_valid_query(self, open_lexical: Callable[[], LexicalIndex], text: str) -> None:
        index = open_lexical()
        index.upsert(PUBLIC, [entry("a", "some words")])
        assert index.search(PUBLIC, text, 5) == []

    def test_what_is_written_is_there_after_a_restart(self, open_lexical: Callable[[], LexicalIndex]) -> None:
        open_lexical().upsert(PUBLIC, [entry("a", "some words")])
        again = open_lexical()
        assert again.shelves() == [PUBLIC]
        assert again.ids(PUBLIC) == {"a"}

    def test_deleted_ids_are_found_no_more_and_unknown_ones_are_no_error(
        self, open_lexical: Callable[[], LexicalIndex]
    ) -> None:
        index = open_lexical()
        index.upsert(PUBLIC, [entry("a", "some words"), entry("b", "some words")])
        index.delete(PUBLIC, ["a", "never"])
        index.delete(OTHER, ["a"])
        assert index.ids(PUBLIC) == {"b"}
        assert [id for id, _ in index.search(PUBLIC, "words", 5)] == ["b"]

    def test_shelves_are_apart_in_answers_and_in_scores(self, open_lexical: Callable[[], LexicalIndex]) -> None:
        index = open_lexical()
        index.upsert(PUBLIC, [entry("a", "refund")])
        alone = index.search(PUBLIC, "refund", 5)
        index.upsert(OTHER, [entry(str(i), "refund refund") for i in range(50)])
        assert index.search(PUBLIC, "refund", 5) == alone

    def test_no_text_is_stored(self, open_lexical: Callable[[], LexicalIndex], tmp_path: Path) -> None:
        open_lexical().upsert(PUBLIC, [entry("a", "CANARYWORD stands beside OTHERWORD in this order")])
        stored = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
        assert b"stands beside" not in stored

    def test_a_twin_is_seen_by_nobody_until_it_is_adopted(self, open_lexical: Callable[[], LexicalIndex]) -> None:
        index = open_lexical()
        index.upsert(PUBLIC, [entry("old", "some words")])
        twin = index.twin()
        twin.upsert(INTERNAL, [entry("new", "some words")])
        assert (index.ids(PUBLIC), index.ids(INTERNAL)) == ({"old"}, set())
        index.adopt(twin)
        assert (index.ids(PUBLIC), index.ids(INTERNAL)) == (set(), {"new"})
        assert open_lexical().shelves() == [INTERNAL]


@pytest.fixture(scope="session")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A cross-encoder of one tiny layer with weights by chance: what it says means nothing, how it is run is the same."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    torch.manual_seed(7)
    folder = str(tmp_path_factory.mktemp("cross"))
    AutoTokenizer.from_pretrained(package_folder(), local_files_only=True).save_pretrained(folder)
    sizes: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "num_labels": 1}
    BertForSequenceClassification(BertConfig(intermediate_size=16, **sizes)).save_pretrained(folder)
    return folder


@pytest.fixture(params=["words", "cross-encoder"])
def reranker(request: pytest.FixtureRequest) -> Reranker:
    if request.param == "words":
        return WordReranker()
    return CrossEncoderReranker(request.getfixturevalue("cross_encoder"), threads=1, window=64)


class TestReranker:
    PASSAGES = ("Where the parcel is", "Reset your password", "x " * 500, "", "Parcels and where they are now")

    def test_every_passage_has_a_score(self, reranker: Reranker) -> None:
        scores = reranker.score("where is my parcel", self.PASSAGES, seconds=60)
        assert scores is not None
        assert len(scores) == len(self.PASSAGES)
        assert np.isfinite(scores).all()

    def test_the_same_question_gives_the_same_scores(self, reranker: Reranker) -> None:
        first = reranker.score("where is my parcel", self.PASSAGES, seconds=60)
        assert reranker.score("where is my parcel", self.PASSAGES, seconds=60) == first

    def test_out_of_time_it_says_nothing(self, reranker: Reranker) -> None:
        assert reranker.score("where is my parcel", self.PASSAGES, seconds=0) is None

    def test_no_passages_have_no_scores(self, reranker: Reranker) -> None:
        assert reranker.score("where is my parcel", (), seconds=60) == []


def test_the_words_that_the_question_shares_decide() -> None:
    scores = WordReranker().score("where is my parcel", ("Reset your password", "Your parcel, and where it is"), 1.0)
    assert scores is not None
    assert scores[1] > scores[0]


def test_a_model_that_cannot_be_loaded_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="COPILOT_EMBEDDER"):
        SentenceTransformerEmbedder(str(tmp_path / "nothing"), threads=1, window=256).embed(["a"], "query")
