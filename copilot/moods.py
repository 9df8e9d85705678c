"""How a customer feels, how soon they need help and whether a person should see it: linear heads over a message's words and embedding.

For each target these are weighed: the embedding, what a probe reads in the model's token states, the words and letter groups (for a mood those
of the strongest phrases, since one bitter sentence in a long report is enough), and for a mood the notes: how loud the message is, and how many
cues of each kind it has. `fit` learns all of it; `refit` writes what is shipped.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from copilot.cues import cues
from copilot.labelled import HELD_OUT_FROM, MESSAGES, TARGETS, TONES, Labelled, forum_messages, own_messages
from copilot.learn import read_arrays, write_arrays
from copilot.phrases import BUCKETS, Phrases, phrases, signals
from copilot.ports import Embedder, Vectors
from copilot.probe import Encoded, FitProbe, Probe, Probing
from copilot.settings import DEFAULTS

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Flags = NDArray[np.bool_]

MOOD_TARGETS = 4
RECIPE = 7
"""Raised whenever the fitting changes, so that no weights of an older recipe are used."""
STRENGTH_WORDS, STRENGTH_WHOLE, STRENGTH_VECTOR = 3.0, 1.0, 0.5
OWN_PROBED = 0.7
"""What a message written for this product weighs for the probe where real ones weigh 1."""
STRENGTH_LAST, OWN_LAST = 0.1, 0.35
"""For the last step its strength, and what a message written for this product weighs where real ones weigh 1: it is more extreme than those of an
inbox, but has the moods that a forum lacks."""
LEAN = np.array([0.0, 0.9, 0.9, 0.0, 0.0, 0.4, 0.0])
"""What is added to the log-odds of the targets before a label is named, chosen on messages held out, as moods and haste are rare; fury needs no
help."""
LEAN_UNPROBED = np.array([0.0, 0.3, 0.0, 0.0, 0.0, 0.4, 0.0])
"""The same for weights without a probe: those were fitted on messages in which moods are not rare."""
FOLDS = 4
SEARCHES = 2
SURE = 1.0
"""Log-odds from which a phrase of a message without marked words is taken for one of those that carry its mood."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The chances of each mood and urgency, in the order of MOODS and URGENCIES, of a call for a person, and the phrase for each target."""

    moods: Floats
    urgencies: Floats
    escalate: float
    told_by: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moods:
    """Fitted weights: `words` buckets × targets, `vector` dimensions × targets, `last` inputs × targets with the constant below.

    Weights fitted where no probe could be have none.
    """

    key: str
    idf: Floats32
    words: Floats32
    vector: Floats32
    last: Floats32
    probe: Probe | None = None

    def read(self, made: Phrases, given: Encoded) -> Reading:
        """What a message in the customer's own words says, with what the model gives of it."""
        each = made.scores(self.words, self.idf)
        logits = self.logits(made, each, given, notes(made.said))
        chances = sigmoid(logits + (LEAN if self.probe else LEAN_UNPROBED))
        return Reading(levels(chances), urgency(chances), float(chances[-1]), _told_by(made, each))

    def logits(self, made: Phrases, each: Floats32, given: Encoded, noted: Floats32) -> Floats:
        """The log-odds of each target, `each` being what each phrase scores."""
        scored = self.scores(made, each, given)
        last = self.last.astype(np.float64)
        by_scores = (last[: len(scored)] * scored).sum(axis=0)
        return np.asarray(by_scores + noted @ last[len(scored) : -1] + last[-1])

    def scores(self, made: Phrases, each: Floats32, given: Encoded) -> Floats32:
        """What the words, the embedding and the probe score for each target: 3 × targets, 2 without a probe."""
        loudest = np.log(np.exp(np.clip(each[:, :MOOD_TARGETS], -20, 20)).mean(axis=0))
        whole = made.whole(self.words[:, MOOD_TARGETS:], self.idf)
        told = [] if given.told is None else [given.told]
        return np.stack([np.concatenate([loudest, whole]), given.vector @ self.vector, *told])

    def save(self, path: Path) -> None:
        """Write the weights whole or not at all."""
        half = {name: getattr(self, name).astype(np.float16) for name in ("idf", "words")}
        probe = self.probe.arrays() if self.probe else {}
        write_arrays(path, key=np.array(self.key), vector=self.vector, last=self.last, **half, **probe)

    @classmethod
    def load(cls, path: Path, key: str) -> Moods | None:
        """The weights at `path`; None where there are none, they cannot be read, or they are of other data, vectors or recipe."""
        arrays = read_arrays(path, key) or {}
        try:
            weights = {name: arrays[name].astype(np.float32) for name in ("idf", "words", "vector", "last")}
            return cls(key=key, **weights, probe=Probe.of(arrays))
        except (KeyError, ValueError):  # a file that lacks a part is not to be trusted with the rest
            return None


def _told_by(made: Phrases, each: Floats32) -> dict[str, str]:
    """The phrase that weighs most for each target."""
    return {target: made.shown(at) for target, at in zip(TARGETS, each.argmax(axis=0), strict=True)}


def notes(text: str) -> Floats32:
    """How loud a text is and how many cues of each kind it has."""
    return np.concatenate([signals(text), cues(text)])


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


# ---- the weights that fit ----


def shipped_key(embedder: Embedder) -> str:
    """What the shipped weights depend on, as one hash: all label files, the cues, the embedder's fingerprint and the recipe."""
    return _key(embedder, MESSAGES, TONES, "mood_labels.jsonl")


def _key(embedder: Embedder, *files: str) -> str:
    parts = [
        f"{RECIPE} {embedder.fingerprint}".encode(),
        *((DEFAULTS / name).read_bytes() for name in ("cues.yaml", *files)),
    ]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def moods(embedder: Embedder, cache_folder: Path) -> Moods:
    """The weights for this embedder: the shipped ones where they fit it, else some fitted on the shipped messages alone, and kept."""
    if found := Moods.load(DEFAULTS / "mood.npz", shipped_key(embedder)):
        return found
    key = _key(embedder, MESSAGES, TONES)
    kept = cache_folder / f"mood-{key[:16]}.npz"
    found = Moods.load(kept, key)
    if found is None:
        found = fit([*own_messages(), *own_messages(TONES)], embedder, key)
        found.save(kept)
    return found


def refit(embedder: Embedder, data: Path, probing: FitProbe, folder: Path = DEFAULTS) -> None:
    """Fit the shipped weights anew on the product's own messages and the forum's in `data`, but for the youngest, which are held out."""
    older = [one for one in forum_messages(data) if one.number < HELD_OUT_FROM]
    taught = [*older, *own_messages(), *own_messages(TONES)]
    fit(taught, embedder, shipped_key(embedder), probing).save(folder / "mood.npz")


# ---- fitting ----


def fit(data: Sequence[Labelled], embedder: Embedder, key: str = "", probing: FitProbe | None = None) -> Moods:
    """Weights fitted on labelled messages, with a probe where `probing` fits one. Each is embedded alone and as a query, as it will be read."""
    if probing is None:
        return fit_vectors(data, np.vstack([embedder.embed([one.text], "query") for one in data]), key)
    vectors, states = Probing.of(probing, embedder, [one.text for one in data])
    return fit_vectors(data, vectors, key, states)


def fit_vectors(data: Sequence[Labelled], vectors: Vectors, key: str = "", probing: Probing | None = None) -> Moods:
    """The same with the embeddings given. The last step learns from scores by weights that have not seen the message."""
    from sklearn.model_selection import StratifiedKFold
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        bag = Bag.of(data, vectors, probing)
        scores = np.zeros((2 if probing is None else 3, len(data), len(TARGETS)))
        strata = [2 * row[1] + row[-1] for row in bag.truth]
        for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(strata, strata):
            inner = bag.fit(train)
            for i in test:
                made = bag.made[i]
                scores[:, i] = inner.scores(made, made.scores(inner.words, inner.idf), bag.encoded(i, inner.probe))
        return replace(bag.fit(np.arange(len(data))), key=key, last=_last(bag, scores))


def _last(bag: Bag, scores: Floats) -> Floats32:
    """For each target the weights of its scores, of the notes, and a constant: a logistic regression on standardised inputs.

    The notes tell moods; beside a probe they only mislead about haste and calls (decision 0009), and weigh nothing there.
    """
    from sklearn.linear_model import LogisticRegression

    columns = []
    own = np.array([one.own for one in bag.data])
    noted = np.array([notes(one.said) for one in bag.made])
    for target, holds in enumerate(bag.truth.T):
        told = noted if target < MOOD_TARGETS or bag.probing is None else 0 * noted
        inputs = np.column_stack([*scores[:, :, target], told])
        means, scales = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
        model = LogisticRegression(C=STRENGTH_LAST, max_iter=5000, tol=1e-8)
        model.fit((inputs - means) / scales, holds, sample_weight=np.where(own, OWN_LAST, 1.0))
        weights = model.coef_[0] / scales
        columns.append(np.append(weights, model.intercept_[0] - weights @ means))
    return np.round(np.array(columns).T, 4).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Bag:
    """Messages ready to be fitted on: their phrases, and all of them as sparse rows."""

    data: Sequence[Labelled]
    vectors: Vectors
    probing: Probing | None
    made: list[Phrases]
    owner: NDArray[np.int64]
    marked: Flags
    truth: Flags
    idf: Floats32
    parts: Any
    wholes: Any

    @classmethod
    def of(cls, data: Sequence[Labelled], vectors: Vectors, probing: Probing | None = None) -> Bag:
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
        weighed = (normalize(each.multiply(idf)).tocsr() for each in (ones, by_message))
        return cls(data, vectors, probing, made, owner, marked, truth, idf, *weighed)

    def fit(self, train: NDArray[np.intp]) -> Moods:
        """The weights before the last step, from some of the messages."""
        by_phrase = [self._by_phrase(target, train) for target in range(MOOD_TARGETS)]
        truth = self.truth[train].T
        by_message = [_linear(self.wholes[train], holds, STRENGTH_WHOLE) for holds in truth[MOOD_TARGETS:]]
        by_vector = [_linear(self.vectors[train], holds, STRENGTH_VECTOR) for holds in truth]
        words = np.round(np.column_stack([*by_phrase, *by_message]), 2).astype(np.float32)
        vector = np.round(np.column_stack(by_vector), 3).astype(np.float32)
        none = np.zeros((0, 0), dtype=np.float32)
        return Moods(key="", idf=self.idf, words=words, vector=vector, last=none, probe=self._probe(train))

    def encoded(self, row: int, probe: Probe | None) -> Encoded:
        """What the model gives of a message."""
        if probe is None or self.probing is None:
            return Encoded(self.vectors[row])
        return Encoded(self.vectors[row], probe(self.probing.states[row].astype(np.float32)))

    def _probe(self, train: NDArray[np.intp]) -> Probe | None:
        """A probe fitted on some of the messages, where there is something to fit it with."""
        if self.probing is None:
            return None
        own = np.array([self.data[row].own for row in train])
        return self.probing.fit(
            [self.probing.states[row] for row in train], self.truth[train], np.where(own, OWN_PROBED, 1.0)
        )

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
