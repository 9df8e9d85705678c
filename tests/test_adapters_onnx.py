"""What models on ONNX Runtime promise beyond the embedders' contract."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from time import sleep
from typing import Any, Literal

import numpy as np
import pytest

from copilot.adapters import onnx
from copilot.adapters.centred import centred
from copilot.adapters.onnx import GRAPH, OnnxEmbedder, export, from_folder, minilm, package_folder
from copilot.adapters.sbert import SentenceTransformerEmbedder
from copilot.errors import ConfigurationError
from copilot.ports import Embedder, Vectors
from copilot.settings import Settings

WORDS = [
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "<mask>",
    *"the lamp blinks twice when its battery is low query passage : .".split(),
]
REACH = 20
"""So many tokens fit into the tiny models beside a prompt."""
TEXTS = ["The lamp blinks.", "the battery is low . " * 9, "Reset"]
ENCODERS: dict[str, dict[str, Any]] = {
    "bert": {}, "mpnet": {}, "xlm-roberta": {"type_vocab_size": 1}, "roberta": {"type_vocab_size": 1},
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64},
}  # fmt: skip


def test_a_text_has_the_same_vector_whatever_is_embedded_beside_it(embedder: Embedder) -> None:
    texts = [
        "The lamp blinks.",
        "The lamp blinks twice when its battery is low: charge it for an hour.",
        "Reset",
        "x " * 200,
    ]
    together = embedder.embed(texts, "document")
    for text, vector in zip(texts, together, strict=True):
        assert embedder.embed([text], "document").tobytes() == vector.tobytes()
        assert embedder.embed([text], "query").tobytes() == vector.tobytes()


def written(folder: Path, kind: str = "bert", pooling: str = "mean", prompts: dict[str, str] | None = None) -> Path:
    """A tiny untrained encoder, as sentence-transformers writes it."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

    torch.manual_seed(7)
    sizes = {
        "vocab_size": len(WORDS),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    }
    config = AutoConfig.for_model(kind, max_position_embeddings=80, pad_token_id=1, **{**sizes, **ENCODERS[kind]})
    raw = folder / "raw"
    AutoModel.from_config(config).eval().save_pretrained(raw)  # type: ignore[no-untyped-call]
    words = Tokenizer(models.WordLevel({word: id for id, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.normalizer, words.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.BertPreTokenizer()
    words.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    names = {"bos": "<s>", "cls": "<s>", "eos": "</s>", "sep": "</s>", "pad": "<pad>", "unk": "<unk>"}
    special = {f"{name}_token": word for name, word in names.items()}
    PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=64, **special).save_pretrained(raw)  # type: ignore[no-untyped-call]
    encoder = Transformer(str(raw), max_seq_length=REACH + 4)
    model = SentenceTransformer(modules=[encoder, Pooling(32, pooling), Normalize()], prompts=prompts, device="cpu")
    model.save(str(folder / "model"))
    return folder / "model"


def loaded(model: Path) -> OnnxEmbedder:
    return from_folder(model, model.parent / "cache", 1, 64)


@pytest.mark.parametrize(
    ("kind", "pooling", "prompts"),
    [
        ("bert", "cls", {"query": "query: "}), ("bert", "mean", {"query": "query: ", "passage": "passage: "}), ("mpnet", "mean", None),
        ("xlm-roberta", "mean", {"query": "query: ", "document": "passage: "}), ("roberta", "cls", None), ("distilbert", "mean", None),
    ],
)  # fmt: skip
def test_a_model_in_a_folder_gives_the_vectors_of_sentence_transformers(
    tmp_path: Path, kind: str, pooling: str, prompts: dict[str, str] | None
) -> None:
    from sentence_transformers import SentenceTransformer

    folder = written(tmp_path, kind, pooling, prompts)
    mine, theirs = loaded(folder), SentenceTransformer(str(folder), device="cpu")
    for asked, encode in (("query", theirs.encode_query), ("document", theirs.encode_document)):
        texts = [
            text for text in TEXTS if asked == "document" or mine.count_tokens(text) < REACH
        ]  # longer questions are read to their end
        assert len(texts) > 1
        expected = np.stack([encode(text, normalize_embeddings=True, show_progress_bar=False) for text in texts])
        assert (mine.embed(texts, asked) * expected).sum(axis=1) == pytest.approx(1, abs=1e-5)  # type: ignore[arg-type]


def test_other_prompts_or_another_pooling_make_another_index(tmp_path: Path) -> None:
    prompts = [None, {"query": "query: "}, {"query": "query: ", "document": "passage: "}]
    seen = {loaded(written(tmp_path / str(at), prompts=words)).fingerprint for at, words in enumerate(prompts)}
    assert len(seen | {loaded(written(tmp_path / "first", pooling="cls")).fingerprint}) == 4


def test_what_cannot_run_here_says_which_engine_can(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds no sentence-transformers model"):
        loaded(tmp_path)
    with pytest.raises(ConfigurationError, match="COPILOT_ENGINE=torch"):
        loaded(written(tmp_path / "max", pooling="max"))
    dense = written(tmp_path / "dense")
    modules = json.loads((dense / "modules.json").read_text())
    modules.append({"idx": 3, "name": "3", "path": "3_Dense", "type": "sentence_transformers.models.Dense"})
    (dense / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ConfigurationError, match="COPILOT_ENGINE=torch"):
        loaded(dense)


def test_the_shipped_model_is_read_from_its_folder_alike(tmp_path: Path, embedder: Embedder) -> None:
    """The package has no prompts, so the plain fingerprint stands: an index made by it stays valid."""
    found = from_folder(package_folder(), tmp_path, 1, 256)
    assert found.fingerprint == embedder.fingerprint


def test_who_embeds_documents_alone_loads_the_weights_once(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    embedder = minilm(settings.models, threads=2, window=settings.window)
    assert embedder.embed(["a"], "document").shape == (1, embedder.dimensions)
    assert "_session" not in vars(embedder)


ASIDE = "The weather was fine and we walked along the canal with the dog for an hour or so. "


@pytest.mark.parametrize("sentences", [16, 80])
def test_a_question_is_read_to_its_end_and_a_document_up_to_the_window(embedder: Embedder, sentences: int) -> None:
    letters = [ASIDE * sentences + end for end in ("How do I reset my password?", "Where is my parcel?")]
    assert embedder.count_tokens(letters[0]) > 256
    asked, told = embedder.embed(letters, "query"), embedder.embed(letters, "document")
    assert asked[0] @ asked[1] < 0.999
    assert (told[0] == told[1]).all()
    end = embedder.embed(["How do I reset my password?"], "query")[0]
    assert asked[0] @ end > asked[1] @ end


class Crowded:
    """The given model's vectors, drawn together as some models' are."""

    def __init__(self, inner: Embedder) -> None:
        self.inner, self.dimensions, self.fingerprint, self.asked = inner, inner.dimensions, "0123-crowded", 0

    def embed(self, texts: Sequence[str], kind: Literal["query", "document"]) -> Vectors:
        self.asked += len(texts)
        rows = self.inner.embed(texts, kind)
        rows = rows + (3.0 if kind == "query" else 2.5) * np.eye(1, self.dimensions, dtype=np.float32)
        together: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return together

    def probed(self, text: str, probe: Callable[[Vectors], Vectors]) -> tuple[Vectors, Vectors]:
        return self.embed([text], "query")[0], self.inner.probed(text, probe)[1]

    def count_tokens(self, text: str) -> int:
        return self.inner.count_tokens(text)


def test_a_model_whose_vectors_all_point_one_way_is_seen_from_their_middle(tmp_path: Path, embedder: Embedder) -> None:
    texts = ["How do I reset the lamp?", "Hold the button to reset the lamp.", "Trains run on Sundays."]
    crowded = Crowded(embedder)
    seen = centred(crowded, tmp_path)
    asked, answer, other = seen.embed(texts[:1], "query")[0], *seen.embed(texts[1:], "document")
    assert np.linalg.norm(asked) == pytest.approx(1, abs=1e-5)
    assert float(asked @ answer) > 0.5
    assert abs(float(asked @ other)) < 0.3
    assert seen.fingerprint != crowded.fingerprint
    once = crowded.asked
    assert centred(crowded, tmp_path).embed(texts[:1], "query").tobytes() == asked.tobytes()
    assert crowded.asked == once + 1  # the middle was kept


def test_the_shipped_model_is_left_as_it_is(tmp_path: Path, embedder: Embedder) -> None:
    assert centred(embedder, tmp_path) is embedder


def test_what_a_former_version_exported_goes_and_nothing_else(tmp_path: Path) -> None:
    folder = written(tmp_path)
    cache, own = folder.parent / "cache", loaded(folder).fingerprint[:16]
    cache.mkdir()
    kept = [cache / name for name in (f"{own}-{GRAPH}.int8.onnx", f"{own}-{GRAPH + 1}.onnx", "0123456789abcdef.onnx")]
    for file in (*kept, cache / f"{own}-1.int8.onnx", cache / f"{own}.int8.onnx"):
        file.write_bytes(b"a graph")
    (cache / f"{own}.onnx").mkdir()  # what cannot be removed stops nobody
    assert loaded(folder).embed(["the lamp"], "document").shape == (1, 32)
    there = {file.name for file in cache.iterdir()}
    assert there == {f"{own}.onnx", f"{own}-{GRAPH}.onnx", *(file.name for file in kept)}


@pytest.mark.parametrize("kind", ["bert", "mpnet", "distilbert"])
def test_torch_and_onnx_probe_the_same_layer_of_any_model(tmp_path: Path, kind: str) -> None:
    folder = written(tmp_path, kind)
    ours, theirs = loaded(folder), SentenceTransformerEmbedder(str(folder), 1, 64)
    one, other = (model.probed(TEXTS[0], np.copy)[1] for model in (ours, theirs))
    assert one == pytest.approx(other, abs=1e-4)


def test_a_question_and_documents_that_come_first_together_export_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, made, together = written(tmp_path), list[Path](), Barrier(2)

    def exported(model: Path, target: Path) -> None:
        made.append(target)
        sleep(0.2)  # long enough for the other thread to ask
        export(model, target)

    monkeypatch.setattr(onnx, "export", exported)
    embedder = from_folder(folder, folder.parent / "cache", 2, 64)

    def embed(kind: Literal["query", "document"]) -> Vectors:
        together.wait()
        return embedder.embed(["the lamp"], kind)

    with ThreadPoolExecutor(2) as threads:
        asked, told = threads.map(embed, ("query", "document"))
    assert len(made) == 1
    assert float(asked[0] @ told[0]) > 0.9999
