"""Pure fitting: from labelled vectors to a small head whose confidences mean what they say."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from copilot.errors import ConfigurationError
from copilot.ports import Embedder, Vectors

Floats = NDArray[np.float64]

OTHER = "other"
"""The label of texts that belong to no class: they teach a head when nothing fits."""
RECIPE = 2
"""Raised whenever the fitting changes, so that no head of an older recipe is used."""
STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
TEMPERATURES = np.geomspace(0.02, 20, 241)
FOLDS = 5
OTHER_SHARE = 0.15
"""How many messages of a usual inbox fit no label; the share that the examples of `other` are weighted to."""
BUCKETS = 4096
WORD_WEIGHT = 1.25
READ_CHARS = 2000
"""As much as the embedding model reads of a text, about."""

_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|[!?]+|\.{3,}|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its label. An anchor describes the label rather than being a message: it teaches, and is never held out."""

    text: str
    label: str
    anchor: bool = False


def nothing() -> Vectors:
    """An empty matrix."""
    return np.zeros((0, 0), dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A linear classifier over unit vectors with calibrated probabilities; with a gate it also says `other` when nothing fits.

    `weights` is dimensions × labels. The gate reads two numbers, the cosine of the nearest of `examples` and the best probability.
    """

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    temperature: float
    key: str = ""
    gate: NDArray[np.float32] = field(default_factory=nothing)
    examples: Vectors = field(default_factory=nothing)

    def probabilities(self, vector: Vectors, *, gated: bool = True) -> Floats:
        """How likely each label is for this vector, in the order of `labels`; they add up to one. Without the gate, `other` is 0."""
        known = softmax((vector @ self.weights + self.bias) / self.temperature)
        if not self.gate.size:
            return known
        outside = self._outside(float((self.examples @ vector).max()), float(known.max())) if gated else 0.0
        return np.append(known * (1 - outside), outside)

    def _outside(self, nearest: float, best: float) -> float:
        cosine, confidence, constant = self.gate.tolist()
        return float(1 / (1 + np.exp(-(cosine * nearest + confidence * best + constant))))

    def save(self, path: Path) -> None:
        """Write the head whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".npz")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez_compressed(file, allow_pickle=False, **self._arrays())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        return {
            "key": np.array(self.key),
            "labels": np.array(self.labels),
            "weights": self.weights,
            "bias": self.bias,
            "temperature": np.array(self.temperature),
            "gate": self.gate,
            "examples": self.examples.astype(np.float16),
        }

    @classmethod
    def load(cls, path: Path, key: str) -> Head | None:
        """The head at `path`; None where there is none, it cannot be read, or it was fitted on other data, vectors or recipe."""
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                return cls._from(dict(file), key)
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
            return None

    @classmethod
    def _from(cls, arrays: dict[str, NDArray[np.generic]], key: str) -> Head | None:
        if str(arrays["key"]) != key:
            return None
        return cls(
            key=key,
            labels=tuple(str(label) for label in arrays["labels"]),
            weights=arrays["weights"].astype(np.float32),
            bias=arrays["bias"].astype(np.float32),
            temperature=float(arrays["temperature"]),
            gate=arrays["gate"].astype(np.float32),
            examples=arrays["examples"].astype(np.float32),
        )


def head(
    name: str, data: Sequence[Example], embedder: Embedder, shipped: Path, cache: Path, *, words: bool = False
) -> Head:
    """The head for this data and embedder: the shipped one where it fits both, else a cached one, else fitted now and cached."""
    key = key_of(data, embedder, words)
    kept = cache / f"{name}-{key[:16]}.npz"
    found = Head.load(shipped, key) or Head.load(kept, key)
    if found is None:
        found = fit_texts(data, embedder, words=words)
        found.save(kept)
    return found


def key_of(data: Sequence[Example], embedder: Embedder, words: bool = False) -> str:
    """What a head depends on, as one hash: the data, the embedder's fingerprint, whether words count, and the recipe."""
    parts = json.dumps([RECIPE, words, embedder.fingerprint, [astuple(example) for example in data]])
    return hashlib.sha256(parts.encode()).hexdigest()


def fit_texts(data: Sequence[Example], embedder: Embedder, *, words: bool = False) -> Head:
    """A head fitted on texts, with its key. They are embedded as queries, since queries are what it will read."""
    texts = [example.text for example in data]
    vectors = embedder.embed(texts, "query")
    features = with_words(vectors, texts) if words else vectors
    fitted = fit(features, [example.label for example in data], anchors=[example.anchor for example in data])
    return replace(fitted, key=key_of(data, embedder, words))


# ---- words beside the embedding ----


def with_words(vectors: Vectors, texts: Sequence[str]) -> Vectors:
    """Embeddings with the texts' words beside them: how something is said, which an embedding of what is said leaves out."""
    rows = np.array([word_features(text) for text in texts], dtype=np.float32)
    return np.hstack([vectors, rows * np.float32(WORD_WEIGHT)])


def word_features(text: str) -> Vectors:
    """A unit vector of the words, pairs of words and punctuation at the start of a text, hashed; words in capitals count twice over."""
    tokens: list[str] = []
    for token in _TOKEN.findall(text[:READ_CHARS]):
        if len(token) > 2 and token.isupper():
            tokens.append("<capitals>")
        tokens.append(token.lower() if token[0].isalpha() else token[:2])
    pairs = (f"{a} {b}" for a, b in pairwise(tokens))
    row = np.zeros(BUCKETS, dtype=np.float32)
    row[[zlib.crc32(gram.encode("utf-8", "replace")) % BUCKETS for gram in (*tokens, *pairs)]] = 1
    return row / max(float(np.linalg.norm(row)), 1.0)


# ---- fitting ----


def fit(vectors: Vectors, labels: Sequence[str], *, anchors: Sequence[bool] = (), seed: int = 0) -> Head:
    """A class-balanced logistic regression, its strength and temperature chosen on held-out folds; the same input gives the same head.

    Rows labelled `other` are no class of their own: they fit the gate. Raises ConfigurationError for fewer than two labels, or two
    examples of one.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    names = sorted({label for label in labels if label != OTHER})
    codes = np.array([names.index(label) if label != OTHER else -1 for label in labels])
    fixed = np.array(anchors, dtype=bool) if anchors else np.zeros(len(labels), dtype=bool)
    require_enough([label for label, anchor in zip(labels, fixed, strict=True) if label != OTHER and not anchor])
    with threadpool_limits(1):
        return _fit(Rows(vectors, codes, fixed), tuple(names), seed)


@dataclass(frozen=True, slots=True)
class Rows:
    """Vectors with their labels' codes, -1 for `other`; the fixed ones are never held out."""

    vectors: Vectors
    codes: NDArray[np.intp]
    fixed: NDArray[np.bool_]

    def take(self, mask: NDArray[np.bool_]) -> Rows:
        """The rows where the mask is true."""
        return Rows(self.vectors[mask], self.codes[mask], self.fixed[mask])


def _fit(rows: Rows, names: tuple[str, ...], seed: int) -> Head:
    known, outside = rows.take(rows.codes >= 0), rows.take(rows.codes < 0).vectors
    right = known.codes[~known.fixed]
    held_out = {strength: out_of_fold(known, strength, seed) for strength in STRENGTHS}
    losses = {strength: calibrate(logits, right) for strength, logits in held_out.items()}
    strength = min(STRENGTHS, key=lambda s: losses[s][0])
    temperature = losses[strength][1]
    weights, bias = linear(known.vectors, known.codes, strength)
    fitted = Head(labels=names, weights=rounded(weights), bias=rounded(bias), temperature=temperature)
    if not len(outside):
        return fitted
    best = np.array([softmax(row / temperature).max() for row in held_out[strength]])
    return gated(fitted, known, best, outside)


def gated(fitted: Head, known: Rows, best: Floats, outside: Vectors) -> Head:
    """The head with a gate for `other`: it learns how near an example lies to the rest of them, and an outside text to any."""
    cosines = known.vectors @ known.vectors.T
    np.fill_diagonal(cosines, -1)
    inner = np.column_stack([cosines.max(axis=1)[~known.fixed], best])
    outer = np.array([[(known.vectors @ v).max(), fitted.probabilities(v).max()] for v in outside])
    weights, bias = separate(inner, outer)
    gate = rounded(np.append(weights, bias))
    examples = known.vectors.astype(np.float16).astype(np.float32)
    return replace(fitted, labels=(*fitted.labels, OTHER), gate=gate, examples=examples)


def separate(inner: Floats, outer: Floats) -> tuple[Floats, float]:
    """Weights and constant of a logistic regression that tells outer rows from inner ones, outer ones counted as OTHER_SHARE of all."""
    from sklearn.linear_model import LogisticRegression

    rows = np.vstack([inner, outer])
    is_outer = np.arange(len(rows)) >= len(inner)
    shares = np.where(is_outer, OTHER_SHARE / len(outer), (1 - OTHER_SHARE) / len(inner)) * len(rows)
    model = LogisticRegression(C=1000.0, max_iter=5000, tol=1e-8).fit(rows, is_outer, sample_weight=shares)
    return model.coef_[0], float(model.intercept_[0])


def require_enough(labels: Sequence[str]) -> None:
    """Raise ConfigurationError where there are fewer than two labels, or fewer than two examples of one."""
    counts = Counter(labels)
    if len(counts) < 2:
        raise ConfigurationError("A head needs examples of at least two labels. Add some.")
    label, least = min(counts.items(), key=lambda item: item[1])
    if least < 2:
        raise ConfigurationError(
            f"The label {label!r} has one example; it needs at least two. Add some, or remove the label."
        )


def out_of_fold(rows: Rows, strength: float, seed: int) -> Floats:
    """The logits of each row that is not fixed, by a model that has not seen it."""
    from sklearn.model_selection import StratifiedKFold

    free = np.flatnonzero(~rows.fixed)
    codes = rows.codes[free]
    logits = np.zeros((len(free), int(codes.max()) + 1))
    folds = StratifiedKFold(min(FOLDS, int(np.bincount(codes).min())), shuffle=True, random_state=seed)
    for _, test in folds.split(free, codes):
        train = np.ones(len(rows.codes), dtype=bool)
        train[free[test]] = False
        weights, bias = linear(rows.vectors[train], rows.codes[train], strength)
        logits[test] = rows.vectors[free[test]] @ weights + bias
    return logits


def linear(vectors: Vectors, codes: NDArray[np.intp], strength: float) -> tuple[Floats, Floats]:
    """Weights (dimensions × labels) and bias of a class-balanced logistic regression."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=5000, tol=1e-6)
    model.fit(vectors.astype(np.float64), codes)
    weights, bias = model.coef_.T, model.intercept_
    if weights.shape[1] == 1:  # scikit-learn keeps one column for two labels
        return np.hstack([-weights, weights]) / 2, np.append(-bias, bias) / 2
    return weights, bias


def calibrate(logits: Floats, codes: NDArray[np.intp]) -> tuple[float, float]:
    """The mean negative log-likelihood at the temperature that makes it least, and that temperature."""
    losses = [log_loss(logits / temperature, codes) for temperature in TEMPERATURES]
    at = int(np.argmin(losses))
    return losses[at], round(float(TEMPERATURES[at]), 4)


def log_loss(logits: Floats, codes: NDArray[np.intp]) -> float:
    """The mean negative log-likelihood of the right labels."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return float((np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(codes)), codes]).mean())


def softmax(logits: NDArray[np.floating]) -> Floats:
    """Logits of one row as probabilities."""
    powers = np.exp(logits.astype(np.float64) - logits.max())
    return np.asarray(powers / powers.sum())


def rounded(values: Floats) -> NDArray[np.float32]:
    """Four decimals: far below what a label depends on, above what two machines' arithmetic differ by."""
    return np.round(values, 4).astype(np.float32)
