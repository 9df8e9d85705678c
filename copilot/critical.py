"""What a message reads like, whatever its wording: a chance for each critical code, learned from phrasings and near misses.

Rules find what somebody thought of; these heads find what is like it. Each adds a line through the message's embedding and its words and
letter groups to what a probe reads in the model's token states. Which chance counts is the policy's to say.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from copilot import yaml_file
from copilot.errors import ConfigurationError
from copilot.labelled import HELD_OUT_FROM, MESSAGES, TONES, forum_messages, own_messages
from copilot.learn import OTHER, read_arrays, write_arrays
from copilot.phrases import BUCKETS, Phrases, phrases
from copilot.ports import Embedder, Vectors
from copilot.probe import Encoded, FitProbe, Probe, Probing
from copilot.settings import DEFAULTS
from copilot.taxonomy import intent_examples

Floats32 = NDArray[np.float32]

PHRASINGS = "critical.yaml"
RECIPE = 3
"""Raised whenever the fitting changes, so that no weights of an older recipe are used."""
STRENGTH = 6.0
WORDS = 2.0
"""How much words and letter groups count beside the embedding."""
PROBED = 0.5
"""What the probe's score counts beside the line's."""
WORTH_TELLING = 0.02
"""Chances below this are not told: no policy would count them."""
PUBLIC, FORUM = 3000, 1500
"""As many messages of public sets and of the forum are taught as everyday ones, about."""
NOT_CALM = frozenset(
    "compromised_card lost_or_stolen_card lost_or_stolen_phone card_payment_not_recognised cash_withdrawal_not_recognised "
    "direct_debit_payment_not_recognised transaction_charged_twice extra_charge_on_statement age_limit Refund_not_showing_up request_refund "
    "reverted_card_payment? card_payment_fee_charged cash_withdrawal_charge wrong_amount_of_cash_received card_payment_wrong_exchange_rate "
    "wrong_exchange_rate_for_cash_withdrawal terminate_account transfer_fee_charged declined_cash_withdrawal "
    "report_fraud report_lost_card account_blocked lost_luggage".split()
)
"""Their intents that may be critical: charges, refunds, theft, fraud, a customer's age, an account to be closed."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """A code, the chance that the message gives it, and the phrase that weighs most."""

    code: str
    chance: float
    phrase: str


@dataclass(frozen=True, slots=True)
class Taught:
    """A message and the code that it gives; none where it is a near miss or an everyday one."""

    text: str
    code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Critical:
    """Fitted weights: `words` buckets × codes, `vector` dimensions × codes, a constant each; weights fitted where no probe could be have none."""

    key: str
    codes: tuple[str, ...]
    idf: Floats32
    words: Floats32
    vector: Floats32
    constant: Floats32
    probe: Probe | None = None

    def read(self, made: Phrases, given: Encoded) -> list[Likeness]:
        """What a message in the customer's own words may read like, with what the model gives of it; codes out of the question are left out."""
        chances = 1 / (1 + np.exp(-np.clip(self.scores(made, given).astype(np.float64), -30, 30)))
        near = np.flatnonzero(chances >= WORTH_TELLING)
        if not len(near):
            return []
        best = made.scores(self.words, self.idf, near).argmax(axis=0)
        codes = [self.codes[at] for at in near]
        return [
            Likeness(*one) for one in zip(codes, chances[near].round(4).tolist(), map(made.shown, best), strict=True)
        ]

    def scores(self, made: Phrases, given: Encoded) -> Floats32:
        """The log-odds of each code, among messages of which half give it."""
        found: Floats32 = given.vector @ self.vector + bag(made, self.idf, self.words) + self.constant
        return found if given.told is None else found + PROBED * given.told

    def save(self, path: Path) -> None:
        """Write the weights whole or not at all."""
        half = {"idf": self.idf.astype(np.float16), "words": self.words.astype(np.float16)}
        probe = self.probe.arrays() if self.probe else {}
        codes = np.array(self.codes)
        write_arrays(
            path, key=np.array(self.key), codes=codes, vector=self.vector, constant=self.constant, **half, **probe
        )

    @classmethod
    def load(cls, path: Path, key: str) -> Critical | None:
        """The weights at `path`; None where there are none, they cannot be read, or they are of other data, vectors or recipe."""
        arrays = read_arrays(path, key) or {}
        try:
            weights = {name: arrays[name].astype(np.float32) for name in ("idf", "words", "vector", "constant")}
            return cls(key=key, codes=tuple(map(str, arrays["codes"])), **weights, probe=Probe.of(arrays))
        except (KeyError, ValueError):  # a file that lacks a part is not to be trusted with the rest
            return None


def bag(made: Phrases, idf: Floats32, words: Floats32) -> Floats32:
    """What the message's words and letter groups, each counted once, score together."""
    buckets, _ = made.bag
    worth = idf.take(buckets)
    return np.asarray((worth / max(float(np.linalg.norm(worth)), 1e-9)) @ words[buckets], dtype=np.float32)


# ---- the data ----


@cache
def taught() -> tuple[Taught, ...]:
    """The phrasings with their codes, near misses, and everyday messages. Raises ConfigurationError."""
    try:
        file = yaml_file.read(DEFAULTS / PHRASINGS)
        given = [Taught(text, code) for code, one in file["codes"].items() for text in one["fires"]]
        near = [text for one in file["codes"].values() for text in one["quiet"]]
        missed = [Taught(text, None) for text in (*near, *file["everyday"])]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"The critical phrasings in {DEFAULTS / PHRASINGS} cannot be used: {error}") from error
    return (*given, *missed, *everyday())


def everyday() -> list[Taught]:
    """Messages that call nobody: those of the mood data that need no person, and what the shipped taxonomy calls other."""
    own = (*own_messages(), *own_messages(TONES))
    calm = [Taught(one.text, None) for one in own if not one.escalate]
    other = [one for one in intent_examples(DEFAULTS / "taxonomy.yaml") if one.label == OTHER]
    return calm + [Taught(one.text, None) for one in other]


def key_of(embedder: Embedder) -> str:
    """What the weights depend on, as one hash: the messages, the embedder's fingerprint and the recipe."""
    files = (PHRASINGS, MESSAGES, TONES, "taxonomy.yaml")
    parts = [f"{RECIPE} {embedder.fingerprint}".encode(), *((DEFAULTS / name).read_bytes() for name in files)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def public(data: Path) -> list[Taught]:
    """Some of the everyday requests of two public sets in `data`, those intents left out that are critical, and of the forum's older messages
    that call for nobody. Raises ConfigurationError."""
    try:
        with (data / "banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
            bank = [(row["text"], row["category"]) for row in csv.DictReader(file)]
        spoken = json.loads((data / "clinc150" / "data_full.json").read_text(encoding="utf-8"))["train"]
    except OSError as error:
        raise ConfigurationError(f"Give the folder that holds `banking77/` and `clinc150/`: {error}") from error
    calm = [text for text, label in [*bank, *spoken] if label not in NOT_CALM]
    older = [one.text for one in forum_messages(data) if one.number < HELD_OUT_FROM and not one.escalate]
    return [Taught(text, None) for text in (*calm[:: len(calm) // PUBLIC], *older[:: len(older) // FORUM])]


def critical(embedder: Embedder, cache_folder: Path) -> Critical:
    """The weights for this embedder: the shipped ones where they fit it, else fitted now and kept."""
    key = key_of(embedder)
    kept = cache_folder / f"critical-{key[:16]}.npz"
    found = Critical.load(DEFAULTS / "critical.npz", key) or Critical.load(kept, key)
    if found is None:
        found = fit(taught(), embedder, key)
        found.save(kept)
    return found


def refit(embedder: Embedder, data: Path, probing: FitProbe, folder: Path = DEFAULTS) -> None:
    """Fit the shipped weights anew, after a change to their messages, the recipe or the shipped embedder; `data` holds the public sets."""
    fit([*taught(), *public(data)], embedder, key_of(embedder), probing).save(folder / "critical.npz")


# ---- fitting ----


def fit(data: Sequence[Taught], embedder: Embedder, key: str = "", probing: FitProbe | None = None) -> Critical:
    """Weights fitted on messages with their codes, with a probe where `probing` fits one."""
    texts = [one.text for one in data]
    if probing is None:
        return fit_vectors(data, embedder.embed(texts, "document"), key=key)
    return fit_vectors(data, *Probing.of(probing, embedder, texts), key=key)


def fit_vectors(data: Sequence[Taught], vectors: Vectors, probing: Probing | None = None, key: str = "") -> Critical:
    """The same with the embeddings given: a class-balanced logistic regression for each code, and a probe of all."""
    from scipy import sparse
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        words, idf = rows_of(data)
        rows = sparse.hstack([sparse.csr_matrix(vectors), words * WORDS]).tocsr()
        codes = tuple(sorted({one.code for one in data if one.code}))
        truth = np.array([[one.code == code for code in codes] for one in data])
        lines = np.array([_line(rows, holds) for holds in truth.T]).T
    size = vectors.shape[1]
    return Critical(
        key=key,
        codes=codes,
        idf=idf,
        vector=np.round(lines[:size], 3).astype(np.float32),
        words=np.round(WORDS * lines[size:-1], 2).astype(np.float32),
        constant=np.round(lines[-1], 3).astype(np.float32),
        probe=probing.fit(probing.states, truth, np.ones(len(data))) if probing else None,
    )


def rows_of(data: Sequence[Taught]) -> tuple[Any, Floats32]:
    """A sparse unit row for each message's words and letter groups, weighted by rarity, and the rarities."""
    from scipy import sparse
    from sklearn.preprocessing import normalize

    found = [phrases(one.text).bag[0] for one in data]
    ends = np.cumsum([0, *map(len, found)])
    ones = sparse.csr_matrix((np.ones(ends[-1]), np.concatenate(found), ends), shape=(len(data), BUCKETS))
    seen_in = np.asarray(ones.sum(axis=0))[0]
    idf: Floats32 = np.round(np.log((1 + len(data)) / (1 + seen_in)) + 1, 2).astype(np.float32)
    return normalize(ones.multiply(idf)).tocsr(), idf


def _line(rows: Any, holds: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weights and constant that tell the messages of a code from all others."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=STRENGTH, class_weight="balanced", solver="liblinear", max_iter=1000, tol=1e-3, random_state=0
    )
    fitted = model.fit(rows, holds)
    return np.append(fitted.coef_[0], fitted.intercept_[0])
