"""How a customer feels, how soon they need help and whether a person should see it: linear heads over a message's words and embedding.

For each target three things are weighed: the embedding, the words and letter groups (for a mood those of the strongest phrases,
since one bitter sentence in a long report is enough), and how loud the message is. `fit` learns all of it; `refit` writes what is shipped.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from copilot.errors import ConfigurationError
from copilot.learn import read_arrays, write_arrays
from copilot.phrases import BUCKETS, Phrases, phrases
from copilot.ports import Embedder, Vectors
from copilot.settings import DEFAULTS
from copilot.text import normalise, own_words

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Flags = NDArray[np.bool_]

MOODS = ("very_negative", "negative", "neutral", "positive", "very_positive")
URGENCIES = ("low", "normal", "high")
TARGETS = ("very_negative", "negative", "positive", "very_positive", "low", "high", "escalate")
"""What is learned, each against the rest; `negative` and `positive` include the stronger level."""
MOOD_TARGETS = 4
RECIPE = 1
"""Raised whenever the fitting changes, so that no weights of an older recipe are used."""
OWN_SHARE = 0.2
"""What a message written for this product weighs in the last step, where real ones weigh 1: it is more extreme than those of an inbox."""
STRENGTH_WORDS, STRENGTH_VECTOR, STRENGTH_LAST = 3.0, 1.0, 0.1
FOLDS = 4
SEARCHES = 2
SURE = 1.0
"""Log-odds from which a phrase of a message without marked words is taken for one of those that carry its mood."""
FORUM = ("resolved_tickets.jsonl", "answered_with_kb.jsonl", "incoming.jsonl", "intent_train.jsonl")
HELD_OUT = 0.2
"""The youngest share of the forum's messages, which nothing shipped has been fitted on."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A message with its labels; `words` are the ones that show its mood, where a reader marked them."""

    text: str
    sentiment: str
    urgency: str
    escalate: bool
    words: str = ""
    share: float = 1.0

    def targets(self) -> list[bool]:
        """Which of TARGETS hold."""
        level = MOODS.index(self.sentiment)
        return [
            level == 0,
            level <= 1,
            level >= 3,
            level == 4,
            self.urgency == "low",
            self.urgency == "high",
            self.escalate,
        ]


@dataclass(frozen=True, slots=True)
class Reading:
    """The chances of each mood and urgency, in the order of MOODS and URGENCIES, of a call for a person, and the phrase for each target."""

    moods: Floats
    urgencies: Floats
    escalate: float
    told_by: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moods:
    """Fitted weights: `words` buckets × targets, `vector` dimensions × targets, `last` inputs × targets with the constant below."""

    key: str
    idf: Floats32
    words: Floats32
    vector: Floats32
    last: Floats32

    def read(self, text: str, vector: Vectors) -> Reading:
        """What a message in the customer's own words says, with its embedding (one unit row)."""
        made = phrases(text)
        chances = sigmoid(self.logits(made, vector))
        return Reading(levels(chances), urgency(chances), float(chances[-1]), self._told_by(text, made))

    def logits(self, made: Phrases, vector: Vectors) -> Floats:
        """The log-odds of each target."""
        by_words, by_vector = self.scores(made, vector)
        of_words, of_vector, *of_signals, constant = self.last.astype(np.float64)
        return np.asarray(of_words * by_words + of_vector * by_vector + made.signals @ np.array(of_signals) + constant)

    def scores(self, made: Phrases, vector: Vectors) -> tuple[Floats32, Floats32]:
        """What the words and what the embedding score for each target."""
        each = made.scores(self.words[:, :MOOD_TARGETS], self.idf)
        loudest = np.log(np.exp(np.clip(each, -20, 20)).mean(axis=0))
        whole = made.whole(self.words[:, MOOD_TARGETS:], self.idf)
        return np.concatenate([loudest, whole]), np.asarray(vector @ self.vector)

    def _told_by(self, text: str, made: Phrases) -> dict[str, str]:
        best = made.scores(self.words, self.idf).argmax(axis=0)
        return {target: text[slice(*made.spans[at])].strip() for target, at in zip(TARGETS, best, strict=True)}

    def save(self, path: Path) -> None:
        """Write the weights whole or not at all."""
        half = {"idf": self.idf.astype(np.float16), "words": self.words.astype(np.float16)}
        write_arrays(path, key=np.array(self.key), vector=self.vector, last=self.last, **half)

    @classmethod
    def load(cls, path: Path, key: str) -> Moods | None:
        """The weights at `path`; None where there are none, they cannot be read, or they are of other data, vectors or recipe."""
        arrays = read_arrays(path, key) or {}
        names = ("idf", "words", "vector", "last")
        if not all(name in arrays for name in names):
            return None
        return cls(key=key, **{name: arrays[name].astype(np.float32) for name in names})


def levels(chances: Floats) -> Floats:
    """The chances of the five moods from those of being at most or at least of a level."""
    very_negative, negative, positive, very_positive = chances[:MOOD_TARGETS]
    bad, good = negative * (1 - positive), positive * (1 - negative)
    fury, delight = min(very_negative / negative, 1.0), min(very_positive / positive, 1.0)
    neutral = (1 - negative) * (1 - positive)
    five = np.array([bad * fury, bad * (1 - fury), neutral, good * (1 - delight), good * delight])
    return np.asarray(five / five.sum())


def urgency(chances: Floats) -> Floats:
    """The chances of low, normal and high."""
    low, high = chances[MOOD_TARGETS], chances[MOOD_TARGETS + 1]
    three = np.array([low * (1 - high), (1 - low) * (1 - high), high])
    return np.asarray(three / three.sum())


def sigmoid(logits: Floats) -> Floats:
    """Log-odds as chances."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -30, 30))))


# ---- the data ----


@cache
def own_messages() -> tuple[Labelled, ...]:
    """The messages that were written for this product, with their labels."""
    rows = map(json.loads, (DEFAULTS / "mood.jsonl").read_text(encoding="utf-8").splitlines())
    return tuple(
        Labelled(
            own_words(normalise(row["text"])).strip(),
            row["sentiment"],
            row["urgency"],
            row["escalate"],
            share=OWN_SHARE,
        )
        for row in rows
    )


def forum_messages(data: Path) -> list[Labelled]:
    """The labelled forum messages, oldest first, read from the data set's folder. Raises ConfigurationError where it is absent."""
    folder = data / "thunderbird" / "dev"
    if not folder.is_dir():
        raise ConfigurationError(
            f"The forum's messages are not in {folder}. Give the folder that holds `thunderbird/`."
        )
    rows = (row for name in FORUM for row in _rows(folder / name))
    texts = {row["ticket_id"]: first_message(row["subject"], row["message"]) for row in rows}
    marked = {row["ticket_id"]: row["mood_words"] or "" for row in _rows(folder / "mood_labels.jsonl")}
    labels = sorted(_rows(DEFAULTS / "mood_labels.jsonl"), key=lambda row: int(row["ticket_id"].split("-")[1]))
    return [
        Labelled(texts[row["ticket_id"]], row["sentiment"], row["urgency"], row["escalate"], marked[row["ticket_id"]])
        for row in labels
    ]


def first_message(subject: str, text: str) -> str:
    """A first message as it is read: the subject, a blank line, and the customer's own words."""
    return f"{normalise(subject)}\n\n{own_words(normalise(text)).strip()}".strip()


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def shipped_key(embedder: Embedder) -> str:
    """What the shipped weights depend on, as one hash: both label files, the embedder's fingerprint and the recipe."""
    return _key(embedder, "mood.jsonl", "mood_labels.jsonl")


def _key(embedder: Embedder, *files: str) -> str:
    parts = [f"{RECIPE} {embedder.fingerprint}".encode(), *((DEFAULTS / name).read_bytes() for name in files)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def moods(embedder: Embedder, cache_folder: Path) -> Moods:
    """The weights for this embedder: the shipped ones where they fit it, else some fitted on the shipped messages alone, and kept."""
    if found := Moods.load(DEFAULTS / "mood.npz", shipped_key(embedder)):
        return found
    key = _key(embedder, "mood.jsonl")
    kept = cache_folder / f"mood-{key[:16]}.npz"
    found = Moods.load(kept, key)
    if found is None:
        found = fit(own_messages(), embedder, key)
        found.save(kept)
    return found


def refit(embedder: Embedder, data: Path, folder: Path = DEFAULTS) -> None:
    """Fit the shipped weights anew on the product's own messages and the older four fifths of the forum's in `data`."""
    forum = forum_messages(data)
    older = forum[: round(len(forum) * (1 - HELD_OUT))]
    fit([*older, *own_messages()], embedder, shipped_key(embedder)).save(folder / "mood.npz")


# ---- fitting ----


def fit(data: Sequence[Labelled], embedder: Embedder, key: str = "") -> Moods:
    """Weights fitted on labelled messages. They are embedded as queries, one at a time, since that is what will be read."""
    vectors = np.vstack([embedder.embed([one.text], "query") for one in data])
    return fit_vectors(data, vectors, key)


def fit_vectors(data: Sequence[Labelled], vectors: Vectors, key: str = "") -> Moods:
    """The same with the embeddings given. The last step learns from scores by weights that have not seen the message."""
    from sklearn.model_selection import StratifiedKFold
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        bag = Bag.of(data, vectors)
        scores = np.zeros((2, len(data), len(TARGETS)))
        strata = [2 * row[1] + row[-1] for row in bag.truth]
        for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(strata, strata):
            inner = bag.fit(train)
            for i in test:
                scores[:, i] = inner.scores(bag.made[i], vectors[i])
        return replace(bag.fit(np.arange(len(data))), key=key, last=_last(bag, scores))


def _last(bag: Bag, scores: Floats) -> Floats32:
    """For each target the weights of its two scores, of the signals, and a constant: a logistic regression on standardised inputs."""
    from sklearn.linear_model import LogisticRegression

    columns = []
    shares = np.array([one.share for one in bag.data])
    signals = np.array([one.signals for one in bag.made])
    for target, holds in enumerate(bag.truth.T):
        inputs = np.column_stack([*scores[:, :, target], signals])
        means, scales = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
        model = LogisticRegression(C=STRENGTH_LAST, max_iter=5000, tol=1e-8)
        weights = model.fit((inputs - means) / scales, holds, sample_weight=shares).coef_[0] / scales
        columns.append(np.append(weights, model.intercept_[0] - weights @ means))
    return np.round(np.array(columns).T, 4).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Bag:
    """Messages ready to be fitted on: their phrases, and all of them as sparse rows."""

    data: Sequence[Labelled]
    vectors: Vectors
    made: list[Phrases]
    owner: NDArray[np.int64]
    marked: Flags
    truth: Flags
    idf: Floats32
    parts: Any
    wholes: Any

    @classmethod
    def of(cls, data: Sequence[Labelled], vectors: Vectors) -> Bag:
        """The messages with everything counted that fitting needs."""
        from scipy import sparse
        from sklearn.preprocessing import normalize

        made = [phrases(one.text) for one in data]
        owner = np.repeat(np.arange(len(data)), [len(one.spans) for one in made])
        starts = np.cumsum([0, *(len(one.spans) for one in made)])
        rows = np.concatenate([one.rows + start for one, start in zip(made, starts, strict=False)])
        filled = (np.ones(len(rows)), (rows, np.concatenate([one.buckets for one in made])))
        ones = sparse.csr_matrix(filled, shape=(len(owner), BUCKETS))
        by_message = sparse.csr_matrix((np.ones(len(owner)), (owner, np.arange(len(owner))))) @ ones
        seen_in = np.asarray((by_message > 0).sum(axis=0))[0]
        idf = np.round(np.log((1 + len(data)) / (1 + seen_in)) + 1, 2).astype(np.float32)
        by_message.data = np.log2(1 + by_message.data)
        marked = np.concatenate([_marked(one, each) for one, each in zip(data, made, strict=True)])
        truth = np.array([one.targets() for one in data])
        parts, wholes = (normalize(each.multiply(idf)).tocsr() for each in (ones, by_message))
        return cls(data, vectors, made, owner, marked, truth, idf, parts, wholes)

    def fit(self, train: NDArray[np.intp]) -> Moods:
        """The weights before the last step, from some of the messages."""
        by_phrase = [self._by_phrase(target, train) for target in range(MOOD_TARGETS)]
        by_message = [
            _linear(self.wholes[train], self.truth[train, target], STRENGTH_WORDS)
            for target in range(MOOD_TARGETS, len(TARGETS))
        ]
        by_vector = [_linear(self.vectors[train], target, STRENGTH_VECTOR) for target in self.truth[train].T]
        words = np.round(np.column_stack([*by_phrase, *by_message]), 2).astype(np.float32)
        vector = np.round(np.column_stack(by_vector), 3).astype(np.float32)
        return Moods(key="", idf=self.idf, words=words, vector=vector, last=np.zeros((0, 0), dtype=np.float32))

    def _by_phrase(self, target: int, train: NDArray[np.intp]) -> Floats:
        """Weights that find the phrases which carry a mood: marked ones, else the whole of a short message, else searched for."""
        holds = self.truth[:, target]
        used = np.isin(self.owner, train)
        has_marked = np.bincount(self.owner, self.marked, minlength=len(holds)) > 0
        short = np.bincount(self.owner, minlength=len(holds)) <= 2
        given = used & holds[self.owner] & self.marked
        open_ones = used & (holds & ~has_marked)[self.owner]
        carries = given | (open_ones & short[self.owner])
        without = used & ~holds[self.owner]
        for _ in range(SEARCHES):
            weights = self._separate(carries, without)
            scores = self.parts @ weights
            best = np.full(len(holds), -np.inf)
            np.maximum.at(best, self.owner, scores)
            carries = given | (open_ones & ((scores >= best[self.owner]) | (scores > SURE)))
        return self._separate(carries, without)

    def _separate(self, carries: Flags, without: Flags) -> Floats:
        rows = np.flatnonzero(carries | without)
        return _linear(self.parts[rows], carries[rows], STRENGTH_WORDS)


def _marked(one: Labelled, made: Phrases) -> Flags:
    """Which phrases hold the words that a reader marked."""
    words = " ".join(one.words.lower().split())
    if not words:
        return np.zeros(len(made.spans), dtype=bool)
    pieces = [piece for piece in re.split(r"\W{2,}", words) if len(piece) > 8]
    shown = [" ".join(one.text[slice(*span)].lower().split()) for span in made.spans]
    return np.array([words in s or (len(s) > 6 and s in words) or any(piece in s for piece in pieces) for s in shown])


def _linear(rows: Any, holds: Flags, strength: float) -> Floats:
    """Weights of a class-balanced logistic regression; its constant is left to the last step."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=strength, class_weight="balanced", solver="liblinear", max_iter=1000, tol=1e-3, random_state=0
    )
    return np.asarray(model.fit(rows, holds).coef_[0])
