"""What the shipped model promises beyond the embedders' contract."""

from __future__ import annotations

from copilot.ports import Embedder


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
