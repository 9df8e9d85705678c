"""What the shipped model promises beyond the embedders' contract."""

from __future__ import annotations

from pathlib import Path

from copilot.adapters.onnx import minilm
from copilot.ports import Embedder
from copilot.settings import Settings


def test_a_text_has_the_same_vector_whatever_is_embedded_beside_it(embedder: Embedder) -> None:
    texts = [
        "The lamp blinks.",
        "The lamp blinks twice when its battery is low: charge it for an hour.",
        "Reset",
        "x " * 400,
    ]
    together = embedder.embed(texts, "document")
    for text, vector in zip(texts, together, strict=True):
        assert embedder.embed([text], "document").tobytes() == vector.tobytes()
        assert embedder.embed([text], "query").tobytes() == vector.tobytes()


def test_who_embeds_documents_alone_loads_the_weights_once(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    embedder = minilm(settings.models, threads=2, window=settings.window)
    assert embedder.embed(["a"], "document").shape == (1, embedder.dimensions)
    assert "_session" not in vars(embedder)
