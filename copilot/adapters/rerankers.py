"""Rerankers: a cross-encoder of sentence-transformers, and one without a model that counts the question's words."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING

from copilot.errors import ConfigurationError

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

BATCH = 4
LINE = "\n"
_WORD = re.compile(r"[^\W_]{3,40}")


class CrossEncoderReranker:
    """The cross-encoder with this path or name, run on torch. What is not on this machine is not fetched."""

    def __init__(self, name: str, threads: int, window: int) -> None:
        self.name, self._threads, self._window = name, threads, window

    def load(self) -> None:
        """Load the model and try it. Raises ConfigurationError."""
        try:
            self.score("Does it load?", ["It does."], 60)
        except Exception as error:
            raise ConfigurationError(
                f"The reranker {self.name} cannot be loaded ({str(error).strip().partition(LINE)[0]}). COPILOT_RERANKER is the folder of a "
                "sentence-transformers cross-encoder, or a name that its cache holds; unset it to do without."
            ) from error

    def score(self, question: str, passages: Sequence[str], seconds: float) -> list[float] | None:
        """The model's scores; None once the time is over, which is looked at after each few passages."""
        model, begun, found = self._model, perf_counter(), list[float]()
        for at in range(0, len(passages), BATCH):
            pairs = [(question, passage) for passage in passages[at : at + BATCH]]
            found += [float(score) for score in model.predict(pairs, batch_size=BATCH, show_progress_bar=False)]
            if perf_counter() - begun > seconds:
                return None
        return found

    @cached_property
    def _model(self) -> CrossEncoder:
        import torch
        from sentence_transformers import CrossEncoder

        torch.set_num_threads(self._threads)
        model: CrossEncoder = CrossEncoder(
            self.name, device="cpu", max_length=self._window, trust_remote_code=False, local_files_only=True
        )
        return model


class WordReranker:
    """Scores a passage by the share of the question's words in it, rare ones among the passages counting more."""

    name = "words"

    def score(self, question: str, passages: Sequence[str], seconds: float) -> list[float] | None:
        """From 0 to 1; None where there is no time at all."""
        if seconds <= 0:
            return None
        texts = [_words(passage) for passage in passages]
        rarity = {
            word: math.log(1 + len(texts) / (1 + sum(word in text for text in texts))) for word in _words(question)
        }
        all = sum(rarity[word] for word in sorted(rarity)) or 1.0
        return [sum(rarity[word] for word in sorted(rarity.keys() & text)) / all for text in texts]


def _words(text: str) -> frozenset[str]:
    return frozenset(found.group().lower() for found in _WORD.finditer(text))
