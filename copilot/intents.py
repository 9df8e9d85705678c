"""What a customer wants, read from a message's vector and words: a kernel machine over labelled examples, in closed form.

Each example votes with its closeness to the message and with the words that both have. What it would say of an example that it had not
seen follows from the solution at no cost, so strength, temperature, levels and the gate for `other` are all chosen on such answers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from copilot.domain import Level
from copilot.learn import (
    FLOORS,
    OTHER,
    READ_CHARS,
    Example,
    Floats,
    Grams,
    calibrate,
    key_of,
    leaning,
    read_arrays,
    require_enough,
    rounded,
    softmax,
    stretch,
    write_arrays,
)
from copilot.phrases import distinct, hashed, hashed_bytes
from copilot.ports import Embedder, Vectors

if TYPE_CHECKING:
    from scipy.sparse import csr_array

RECIPE = "kernel-1"
"""Changed whenever the fitting changes, so that no head of an older recipe is used."""
BUCKETS = 4096
SHARPNESS = 2.0
STRENGTHS = (0.1, 0.3, 1.0, 3.0)
"""How much a solution is held back from following each example."""
WORD_SHARES = (0.1, 0.3)
"""How much the words that two texts share count beside the closeness of their vectors."""
SAMPLE = 1500
"""Strength and share are chosen on so many rows, since they hardly depend on their number."""
MOST = 8000
"""As many rows as a head keeps: the last of each label, so that the most frequent labels give way first."""
BALANCE = 0.5
"""0 weighs each example alike, 1 each label."""
OTHER_SHARE = 0.15
"""How many messages of a usual inbox fit no label; the share that the examples of `other` are weighted to."""
RIGHT_HIGH, RIGHT_MEDIUM = 0.85, 0.6
"""How many of a level's answers were right on examples left out; a level reaches as far down as that allows."""
NEVER = 1.01
"""A confidence that no answer has."""
_TOKEN, _ASCII_TOKEN = re.compile(r"[^\W_]+|[!?]+"), re.compile(rb"[^\W_]+|[!?]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentHead:
    """Labelled examples with their weights (examples × labels), words with theirs, and calibrated probabilities; with a gate also `other`.

    The gate reads two numbers: the cosine of the nearest example, which foreign topics lack, and the best score, which near ones lack.
    """

    labels: tuple[str, ...]
    examples: Vectors
    weights: NDArray[np.float32]
    rarity: NDArray[np.float32]
    words: NDArray[np.float32]
    prior: NDArray[np.float32]
    floor: float
    temperature: float
    cuts: tuple[float, float] = (1.0, 1.0)
    gate: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    key: str = ""

    def probabilities(self, vector: Vectors, text: str, *, gated: bool = True) -> Floats:
        """How likely each label is for a text with this unit vector, in the order of `labels`; they add up to one.

        Without the gate, `other` is 0.
        """
        cosines = self.examples @ vector
        scores = self.scores(cosines, text)
        known = softmax(leaning(scores, self.floor) / self.temperature)
        if not self.gate.size:
            return known
        outside = outsideness(self.gate, float(cosines.max()), float(scores.max())) if gated else 0.0
        return np.append(known * (1 - outside), outside)

    def familiarity(self, vector: Vectors, text: str) -> float:
        """How much the message is like what the head has learned, from near 2 (the same words) down to about 0 (a foreign topic)."""
        cosines = self.examples @ vector
        return float(cosines.max() + self.scores(cosines, text).max())

    def level(self, confidence: float) -> Level:
        """The level of an answer with this confidence."""
        high, medium = self.cuts
        return "high" if confidence >= high else "medium" if confidence >= medium else "low"

    def scores(self, cosines: Vectors, text: str | Grams) -> Vectors:
        """What speaks for each label, given the cosines of the examples and the text."""
        return closeness(cosines) @ self.weights + self.spoken(text) + self.prior

    def spoken(self, text: str | Grams) -> Vectors:
        """What the words alone speak for."""
        grams = word_grams(text)
        rarity = self.rarity[grams]
        said: Vectors = (rarity @ self.words[grams]) / np.float32(max(float(np.linalg.norm(rarity)), 1e-9))
        return said

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The head as arrays, for a file or a database."""
        return {
            **{name: getattr(self, name) for name in ("weights", "rarity", "words", "prior", "gate")},
            "key": np.array(self.key), "labels": np.array(self.labels), "examples": self.examples.astype(np.float16),
            "floor": np.array(self.floor), "temperature": np.array(self.temperature), "cuts": np.array(self.cuts),
        }  # fmt: skip

    @classmethod
    def load(cls, path: Path, key: str) -> IntentHead | None:
        """The head at `path`; None where there is none, it cannot be read, or it was fitted on other data, vectors or recipe."""
        arrays = read_arrays(path, key)
        try:
            return cls.of(arrays) if arrays else None
        except (KeyError, ValueError, TypeError):
            return None

    @classmethod
    def of(cls, arrays: dict[str, NDArray[np.generic]]) -> IntentHead:
        """The head that these arrays are. Raises KeyError, ValueError, TypeError where they are none."""
        high, medium = arrays["cuts"].astype(float).tolist()
        return cls(
            key=str(arrays["key"]),
            labels=tuple(str(label) for label in arrays["labels"]),
            examples=arrays["examples"].astype(np.float32),
            weights=arrays["weights"].astype(np.float32),
            rarity=arrays["rarity"].astype(np.float32),
            words=arrays["words"].astype(np.float32),
            prior=arrays["prior"].astype(np.float32),
            floor=float(arrays["floor"]),
            temperature=float(arrays["temperature"]),
            cuts=(high, medium),
            gate=arrays["gate"].astype(np.float32),
        )


def intent_head(data: Sequence[Example], embedder: Embedder, shipped: Path, cached: Path) -> IntentHead:
    """The head for this data and embedder: the shipped one where it fits both, else a cached one, else fitted now and cached."""
    key = intent_key(data, embedder)
    kept = cached / f"intents-{key[:16]}.npz"
    found = IntentHead.load(shipped, key) or IntentHead.load(kept, key)
    if found is None:
        found = fit_intents(data, embedder)
        write_arrays(kept, **found.arrays())
    return found


def intent_key(data: Sequence[Example], embedder: Embedder) -> str:
    """What an intent head depends on, as one hash."""
    return key_of(data, embedder, RECIPE)


def fit_intents(data: Sequence[Example], embedder: Embedder) -> IntentHead:
    """A head fitted on texts, with its key. They are embedded as queries, since queries are what it will read."""
    vectors = embedder.embed([example.text for example in data], "query")
    return replace(fit(vectors, data), key=intent_key(data, embedder))


# ---- words ----


def word_grams(text: str | Grams) -> Grams:
    """The words and pairs of words at the start of a text, whatever their case, as numbers; what is numbers already stays."""
    if not isinstance(text, str):
        return text
    text = text[:READ_CHARS].lower()
    grams = hashed_bytes(_ASCII_TOKEN.findall(text.encode())) if text.isascii() else hashed(_TOKEN.findall(text))
    return distinct(np.array(grams, dtype=np.intp) & (BUCKETS - 1))


def word_rows(texts: Sequence[str | Grams]) -> csr_array:
    """A sparse row of ones for each text's words."""
    from scipy.sparse import csr_array

    grams = [word_grams(text) for text in texts]
    ends = np.cumsum([0, *map(len, grams)])
    return csr_array((np.ones(ends[-1]), np.concatenate(grams), ends), shape=(len(texts), BUCKETS))


def rarity_of(rows: csr_array) -> Floats:
    """How much a word tells: the logarithm of how few texts have it."""
    found = rows.sum(axis=0)
    return np.asarray(np.log((1 + rows.shape[0]) / (1 + found)) + 1)


# ---- fitting ----


@dataclass(frozen=True, slots=True)
class Rows:
    """Unit vectors and the words beside them with their labels' codes; anchors are never held out."""

    vectors: Vectors
    words: csr_array
    codes: NDArray[np.intp]
    anchors: NDArray[np.bool_]

    def take(self, chosen: NDArray[np.intp]) -> Rows:
        """The chosen rows."""
        return Rows(self.vectors[chosen], self.words[chosen], self.codes[chosen], self.anchors[chosen])

    @property
    def weights(self) -> Floats:
        """How much each row counts."""
        counts = np.bincount(self.codes)
        return np.asarray((counts[self.codes] / counts.mean()) ** -BALANCE)


@dataclass(frozen=True, slots=True)
class Solution:
    """The weights of the examples, the prior of the labels, and each example's scores when it is left out."""

    weights: Floats
    prior: Floats
    left_out: Floats


def fit(vectors: Vectors, data: Sequence[Example]) -> IntentHead:
    """A kernel ridge regression on the labels; the same input gives the same head. Examples are in the order of time, oldest first.

    Those labelled `other` are no class of their own: they fit the gate. Raises ConfigurationError for fewer than two labels, or two
    examples of one.
    """
    return judged(vectors, data)[0]


def judged(vectors: Vectors, data: Sequence[Example]) -> tuple[IntentHead, LeftOut]:
    """The same, and what it would say of each example that it had not seen."""
    from threadpoolctl import threadpool_limits

    require_enough([example.label for example in data if example.label != OTHER and not example.anchor])
    halves = vectors.astype(np.float16).astype(np.float32)  # as the file keeps them
    known = [i for i, example in enumerate(data) if example.label != OTHER]
    outside = [i for i, example in enumerate(data) if example.label == OTHER]
    with threadpool_limits(1):
        fitted, left_out = _fit(halves[known], [data[i] for i in known])
        if outside:
            fitted = gated(fitted, left_out, halves[outside], [data[i].said for i in outside])
    left_out = replace(left_out, rows=np.array(known)[left_out.rows])
    return replace(fitted, cuts=cuts(fitted, left_out)), left_out


@dataclass(frozen=True, slots=True)
class LeftOut:
    """For each example that is no anchor: its scores and its nearest other example's cosine, as if it were new, its label's code, its row."""

    scores: Floats
    nearest: Floats
    codes: NDArray[np.intp]
    rows: NDArray[np.intp]


def _fit(vectors: Vectors, data: Sequence[Example]) -> tuple[IntentHead, LeftOut]:
    names = sorted({example.label for example in data})
    codes = np.array([names.index(example.label) for example in data])
    anchors = np.array([example.anchor for example in data])
    kept = latest(codes, anchors)
    plain = word_rows([data[i].said for i in kept])
    rarity = rounded(rarity_of(plain))
    rows = Rows(vectors[kept], unit_rows(plain, rarity), codes[kept], anchors[kept])
    strength, share = chosen(rows)
    solution = solve(rows, strength, share)
    asked = ~rows.anchors
    left_out = LeftOut(solution.left_out[asked], nearest_others(rows.vectors)[asked], rows.codes[asked], kept[asked])
    floor, temperature = believable(left_out)
    fitted = IntentHead(
        labels=tuple(names),
        examples=rows.vectors,
        weights=rounded(solution.weights),
        rarity=rarity,
        words=rounded(share * (rows.words.T @ solution.weights)),
        prior=rounded(solution.prior),
        floor=floor,
        temperature=temperature,
    )
    return fitted, left_out


def unit_rows(rows: csr_array, rarity: NDArray[np.float32]) -> csr_array:
    """The rows weighted by rarity, each of length one."""
    from sklearn.preprocessing import normalize

    return normalize(rows.multiply(rarity.astype(np.float64)).tocsr())


def closeness(cosines: Vectors) -> Vectors:
    """From 1 for the same vector down to about .1 for its opposite side of the room: a Gaussian of the distance."""
    near: Vectors = np.exp(SHARPNESS * (cosines - 1))
    return near


def believable(left_out: LeftOut) -> tuple[float, float]:
    """The floor and temperature with which the answers to examples left out are likeliest right."""
    fits = {floor: calibrate(leaning(left_out.scores, floor), left_out.codes) for floor in FLOORS}
    floor = min(FLOORS, key=lambda one: fits[one][0])
    return floor, fits[floor][1]


def solve(rows: Rows, strength: float, share: float) -> Solution:
    """The kernel ridge regression of the rows' labels, and its answers with each row left out, both in closed form."""
    from scipy.linalg import lapack

    near = closeness(rows.vectors @ rows.vectors.T)
    kernel = near.astype(np.float64) if len(near) <= SAMPLE else near
    kernel += share * (rows.words @ rows.words.T).toarray()
    kernel[np.diag_indices_from(kernel)] += strength / rows.weights
    potrf, potri = lapack.get_lapack_funcs(("potrf", "potri"), (kernel,))
    factor, _ = potrf(kernel, lower=True, overwrite_a=True)
    inverse, _ = potri(factor, lower=True, overwrite_c=True)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    truth = np.eye(int(rows.codes.max()) + 1)[rows.codes]
    prior = np.average(truth, axis=0, weights=rows.weights)
    weights = inverse @ (truth - prior)
    return Solution(weights, prior, truth - weights / np.diag(inverse)[:, None])


def chosen(rows: Rows) -> tuple[float, float]:
    """The strength and the words' share whose answers to examples left out are likeliest right, on a sample of the rows."""
    sample = rows.take(np.unique(np.linspace(0, len(rows.codes) - 1, SAMPLE).astype(int)))
    asked = ~sample.anchors

    def loss(setting: tuple[float, float]) -> float:
        return calibrate(leaning(solve(sample, *setting).left_out[asked], FLOORS[0]), sample.codes[asked])[0]

    return min(product(STRENGTHS, WORD_SHARES), key=loss)


def latest(codes: NDArray[np.intp], anchors: NDArray[np.bool_], most: int = MOST) -> NDArray[np.intp]:
    """Which rows to keep, in order: anchors, and as many of the last examples of each label as there is room for."""
    ages = np.zeros(len(codes), dtype=int)
    for code in np.unique(codes):
        of_label = np.flatnonzero((codes == code) & ~anchors)[::-1]
        ages[of_label] = np.arange(len(of_label))
    return np.sort(np.argsort(ages, kind="stable")[:most])


def nearest_others(vectors: Vectors) -> Floats:
    """The cosine of each row's nearest other row."""
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    return np.asarray(cosines.max(axis=1), dtype=np.float64)


def gated(fitted: IntentHead, left_out: LeftOut, outside: Vectors, texts: Sequence[str | Grams]) -> IntentHead:
    """The head with a gate for `other`: it learns how near an example lies to the rest of them, and an outside text to any."""
    cosines = outside @ fitted.examples.T
    best = [fitted.scores(row, text).max() for row, text in zip(cosines, texts, strict=True)]
    inner = np.column_stack([left_out.nearest, left_out.scores.max(axis=1)])
    weights, bias = separate(inner, np.column_stack([cosines.max(axis=1), best]))
    return replace(fitted, labels=(*fitted.labels, OTHER), gate=rounded(np.append(weights, bias)))


def separate(inner: Floats, outer: Floats) -> tuple[Floats, float]:
    """Weights and constant of a logistic regression that tells outer rows from inner ones, outer ones counted as OTHER_SHARE of all."""
    from sklearn.linear_model import LogisticRegression

    rows = np.vstack([inner, outer])
    is_outer = np.arange(len(rows)) >= len(inner)
    shares = np.where(is_outer, OTHER_SHARE / len(outer), (1 - OTHER_SHARE) / len(inner)) * len(rows)
    model = LogisticRegression(C=1000.0, max_iter=5000, tol=1e-8).fit(rows, is_outer, sample_weight=shares)
    return model.coef_[0], float(model.intercept_[0])


def outsideness(gate: NDArray[np.float32], nearest: float, best: float) -> float:
    """How likely a message with these two numbers fits no label."""
    cosine, score, constant = gate.tolist()
    return float(1 / (1 + np.exp(-(cosine * nearest + score * best + constant))))


def cuts(fitted: IntentHead, left_out: LeftOut) -> tuple[float, float]:
    """The confidences from which answers are of high and of medium level: as low as the share of right ones allows."""
    scores = left_out.scores
    best = np.array([softmax(row / fitted.temperature).max() for row in leaning(scores, fitted.floor)])
    if fitted.gate.size:
        pairs = zip(left_out.nearest.tolist(), scores.max(axis=1).tolist(), strict=True)
        best = best * np.array([1 - outsideness(fitted.gate, *pair) for pair in pairs])
    order = np.argsort(-best, kind="stable")
    right = (scores.argmax(axis=1) == left_out.codes)[order]
    high = stretch(right, RIGHT_HIGH)
    medium = high + stretch(right[high:], RIGHT_MEDIUM)
    confidences = [NEVER, *best[order].round(4).tolist()]
    return confidences[high], confidences[medium]
