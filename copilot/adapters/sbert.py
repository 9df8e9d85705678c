"""Any sentence-transformers model, run by sentence-transformers itself on torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import cached_property
from threading import get_ident
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from copilot.adapters.onnx import middle
from copilot.errors import ConfigurationError
from copilot.ports import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class SentenceTransformerEmbedder:
    """Unit vectors of the model with this path or name."""

    def __init__(self, name: str, threads: int, window: int) -> None:
        self._name, self._threads, self._window = name, threads, window

    @cached_property
    def fingerprint(self) -> str:
        """Weights, engine, dtype and window: the name alone would not notice retrained weights."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.float().contiguous().numpy().tobytes())
        return f"{digest.hexdigest()[:16]}-torch-fp32-{self._window}"

    @cached_property
    def dimensions(self) -> int:
        """The length of one vector."""
        return int(self._model.get_embedding_dimension() or 0)

    def embed(self, texts: Sequence[str], kind: Literal["query", "document"]) -> Vectors:
        """One unit row a text; a query embeds alone and with the model's own query prompt, if it has one."""
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        encode = self._model.encode_query if kind == "query" else self._model.encode_document
        size = 1 if kind == "query" else 16
        vectors = encode(list(texts), batch_size=size, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)

    def probed(self, text: str, probe: Callable[[Vectors], Vectors]) -> tuple[Vectors, Vectors]:
        """A question's unit vector and what the probe makes of its token states in the middle of the model, in one forward pass."""
        seen, mine = [], get_ident()

        def see(layer: Any, given: Any, made: Any) -> None:
            if get_ident() == mine:
                seen.append(made[0] if isinstance(made, tuple) else made)

        hook = self._middle.register_forward_hook(see)
        try:
            vector = self.embed([text], "query")[0]
        finally:
            hook.remove()
        states = seen[0].detach().numpy().astype(np.float32)
        return vector, probe(states.reshape(-1, states.shape[-1]))

    def count_tokens(self, text: str) -> int:
        """Tokens of the text without special ones."""
        return len(self._counter.tokenize(text))

    @cached_property
    def _counter(self) -> Any:
        """A tokenizer of its own: to count with the model's would switch off its padding while another thread embeds a batch."""
        return deepcopy(self._model.tokenizer)

    @cached_property
    def _middle(self) -> Any:
        """The layer whose states a probe reads."""
        from torch.nn import ModuleList

        layers = next(part for part in self._model[0].modules() if isinstance(part, ModuleList))
        return layers[middle(len(layers)) - 1]

    @cached_property
    def _model(self) -> SentenceTransformer:
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(self._threads)
        try:
            model = SentenceTransformer(self._name, device="cpu", trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"The embedding model {self._name!r} cannot be loaded ({type(error).__name__}). Set COPILOT_EMBEDDER to a folder that holds a "
                "sentence-transformers model, or to a name that the model hub knows and this machine can reach."
            ) from error
        model.max_seq_length = min(self._window, model.max_seq_length or self._window)
        return model
