"""How well intents are told apart: `python -m benchmarks.intents DATA` with DATA a folder of `banking77/`, `clinc150/`, `thunderbird/`.

Every head is fitted as the product fits it, on the training part alone, and asked one message at a time. Figures come with a 95 %
interval (bootstrap over messages; over draws, Student's), the number of messages and the seed. Vectors are kept in `--cache`.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from copilot.adapters.onnx import minilm
from copilot.intents import IntentHead, fit
from copilot.learn import Example, Floats
from copilot.ports import Embedder, Vectors
from copilot.settings import Settings
from copilot.text import normalise, own_words
from copilot.unlabelled import MOST, with_past

SEED = 0
DRAWS = 10
BINS = 15


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts with their vectors and labels."""

    texts: tuple[str, ...]
    vectors: Vectors
    labels: tuple[str, ...]

    def take(self, chosen: Sequence[int] | NDArray[np.intp]) -> Texts:
        """The chosen ones, in this order."""
        at = [int(i) for i in chosen]
        return Texts(tuple(self.texts[i] for i in at), self.vectors[at], tuple(self.labels[i] for i in at))


@dataclass(frozen=True, slots=True)
class Answers:
    """For each message: the chances of each label, how familiar it is, and whether its label is the first and among the first three."""

    chances: Floats
    familiarity: Floats
    first: NDArray[np.bool_]
    three: NDArray[np.bool_]
    said: tuple[str, ...]


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--cache", type=Path, default=Path("/tmp/copilot-intents"))
    arguments.add_argument("--only", choices=sorted(PROTOCOLS), help="one protocol")
    given = arguments.parse_args()
    settings = Settings()
    vectors = Vectorised(minilm(settings.models, settings.threads, settings.window), given.cache)
    for name, protocol in PROTOCOLS.items():
        if given.only in (None, name):
            protocol(given.data, vectors)


@dataclass(frozen=True, slots=True)
class Vectorised:
    """Embeds a set once and keeps the vectors."""

    embedder: Embedder
    cache: Path

    def __call__(self, rows: Sequence[tuple[str, str]]) -> Texts:
        """The rows' texts with vectors; texts are embedded in batches, which differ from single ones in the seventh digit."""
        texts = tuple(text for text, _ in rows)
        key = hashlib.sha256(json.dumps([self.embedder.fingerprint, texts]).encode()).hexdigest()[:16]
        file = self.cache / f"{key}.npy"
        if not file.exists():
            self.cache.mkdir(parents=True, exist_ok=True)
            np.save(file, self.embedder.embed(texts, "document"))
        return Texts(texts, np.load(file), tuple(label for _, label in rows))


# ---- protocols ----


def banking(data: Path, vectors: Vectorised) -> None:
    """BANKING77: a fifth of each label of the training file is the test."""
    rows = vectors(_banking(data))
    train, test = a_fifth(rows.labels)
    answers = ask(fit_on(rows.take(train)), rows.take(test))
    show("BANKING77, full", answers)


def few(data: Path, vectors: Vectorised) -> None:
    """BANKING77 with 5 and 10 examples a label and the label's own words; the rest of the training file is the test."""
    rows = vectors(_banking(data))
    anchors = vectors(_anchors(rows))
    for shots in (5, 10):
        show_draws(f"BANKING77, {shots} a label", [few_once(rows, anchors, shots, seed) for seed in range(DRAWS)])


def few_once(rows: Texts, anchors: Texts, shots: int, seed: int) -> float:
    """The accuracy of one draw."""
    train, test = draw(rows.labels, shots, seed)
    return float(ask(fit_on(rows.take(train), anchors), rows.take(test)).first.mean())


def past(data: Path, vectors: Vectorised) -> None:
    """The same with 3,000 of the other messages as past ones without a label, and what is left as the test; both ways on that test."""
    rows = vectors(_banking(data))
    anchors = vectors(_anchors(rows))
    for shots in (5, 10):
        pairs = [past_once(rows, anchors, shots, seed) for seed in range(DRAWS)]
        for name, shares in zip(("alone", "with 3,000 past messages"), zip(*pairs, strict=True), strict=True):
            show_draws(f"BANKING77, {shots} a label, {name}", shares)


def past_once(rows: Texts, anchors: Texts, shots: int, seed: int) -> tuple[float, float]:
    """The accuracies of one draw, without past messages and with them."""
    train, rest = draw(rows.labels, shots, seed)
    shuffled = np.random.default_rng(seed).permutation(rest)
    unlabelled, test = rows.take(np.sort(shuffled[:MOST])), rows.take(np.sort(shuffled[MOST:]))
    taught, described = rows.take(train), _described(anchors)
    examples = described + [Example(text, label) for text, label in zip(taught.texts, taught.labels, strict=True)]
    given = np.vstack([anchors.vectors, taught.vectors])
    heads = fit(given, examples), fit(*with_past(given, examples, unlabelled.vectors, unlabelled.texts))
    alone, helped = (float(ask(head, test).first.mean()) for head in heads)
    return alone, helped


def show_draws(name: str, shares: Sequence[float]) -> None:
    """The mean of the draws with its 95 % interval."""
    spread = 2.262 * np.std(shares, ddof=1) / np.sqrt(DRAWS)
    mean = np.mean(shares)
    print(f"{name}: accuracy {mean:.4f} [{mean - spread:.4f}, {mean + spread:.4f}], seeds 0-{DRAWS - 1}")


def clinc(data: Path, vectors: Vectorised) -> None:
    """CLINC150: fitted on its training part, asked its validation part and all its out-of-scope messages, of which none is fitted on."""
    parts = json.loads((data / "clinc150" / "data_full.json").read_text(encoding="utf-8"))
    fitted = fit_on(vectors([(text, label) for text, label in parts["train"]]))
    inside = ask(fitted, vectors([(text, label) for text, label in parts["val"]]))
    outside = ask(fitted, vectors([(text, label) for text, label in (*parts["oos_val"], *parts["oos_train"])]))
    show("CLINC150, in scope", inside)
    pair = [(value, 0) for value in inside.familiarity] + [(value, 1) for value in outside.familiarity]
    scores, is_out = (np.array(column) for column in zip(*pair, strict=True))
    value, low, high = bootstrap(lambda at: auroc(-scores[at], is_out[at]), len(scores))
    print(
        f"CLINC150, out of scope: AUROC {value:.4f} [{low:.4f}, {high:.4f}], n {len(inside.first)}+{len(outside.first)}, seed {SEED}"
    )


def thunderbird(data: Path, vectors: Vectorised) -> None:
    """Thunderbird: the last fifth by ticket number is the test, beside TF-IDF with a logistic regression on the same split."""
    rows = vectors(_thunderbird(data))
    cut = len(rows.texts) * 4 // 5
    train, test = rows.take(range(cut)), rows.take(range(cut, len(rows.texts)))
    answers = ask(fit_on(train), test)
    show("Thunderbird", answers)
    truth = np.array(test.labels)
    for name, said in (("this head", np.array(answers.said)), *tfidf(train, test)):
        value, low, high = bootstrap(partial(macro_f1, truth, said), len(truth), 300)
        print(f"Thunderbird, {name}: macro-F1 {value:.4f} [{low:.4f}, {high:.4f}], n {len(truth)}, seed {SEED}")


PROTOCOLS: dict[str, Callable[[Path, Vectorised], None]] = {
    "banking": banking, "few": few, "past": past, "clinc": clinc, "thunderbird": thunderbird,
}  # fmt: skip


def _anchors(rows: Texts) -> list[tuple[str, str]]:
    return [(label.replace("_", " "), label) for label in sorted(set(rows.labels))]


def _described(anchors: Texts) -> list[Example]:
    return [Example(text, label, anchor=True) for text, label in zip(anchors.texts, anchors.labels, strict=True)]


def _banking(data: Path) -> list[tuple[str, str]]:
    with (data / "banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def _thunderbird(data: Path) -> list[tuple[str, str]]:
    lines = (data / "thunderbird" / "dev" / "intent_train.jsonl").read_text(encoding="utf-8").splitlines()
    rows = sorted(map(json.loads, lines), key=lambda row: int(row["ticket_id"].split("-")[1]))
    return [
        (f"{normalise(row['subject']).strip()}\n\n{own_words(normalise(row['message'])).strip()}", row["intent"])
        for row in rows
    ]


def tfidf(train: Texts, test: Texts) -> list[tuple[str, NDArray[np.str_]]]:
    """What TF-IDF with a logistic regression says, plain and with labels weighted alike."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    words = TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, 2))
    rows, asked = words.fit_transform(train.texts), words.transform(test.texts)
    kinds = {"TF-IDF + LR": None, "TF-IDF + balanced LR": "balanced"}
    return [
        (name, LogisticRegression(C=3.0, max_iter=1000, class_weight=weight).fit(rows, train.labels).predict(asked))
        for name, weight in kinds.items()
    ]


# ---- measuring ----


def fit_on(rows: Texts, anchors: Texts | None = None) -> IntentHead:
    """The head that the product would fit on these rows."""
    data = [Example(text, label) for text, label in zip(rows.texts, rows.labels, strict=True)]
    if anchors is None:
        return fit(rows.vectors, data)
    return fit(np.vstack([anchors.vectors, rows.vectors]), _described(anchors) + data)


def ask(fitted: IntentHead, rows: Texts) -> Answers:
    """What the head says of each message."""
    pairs = list(zip(rows.vectors, rows.texts, strict=True))
    chances = np.array([fitted.probabilities(vector, text) for vector, text in pairs])
    familiarity = np.array([fitted.familiarity(vector, text) for vector, text in pairs])
    order = np.array(fitted.labels)[np.argsort(-chances, axis=1, kind="stable")[:, :3]]
    found = order == np.array(rows.labels)[:, None]
    return Answers(chances, familiarity, found[:, 0], found.any(axis=1), tuple(order[:, 0].tolist()))


def show(name: str, answers: Answers) -> None:
    """Accuracy, first three and calibration with their intervals."""
    best = answers.chances.max(axis=1)
    figures: dict[str, Callable[[NDArray[np.intp]], float]] = {
        "accuracy": lambda at: float(answers.first[at].mean()),
        "top-3": lambda at: float(answers.three[at].mean()),
        "ECE-15": lambda at: calibration_error(best[at], answers.first[at]),
    }
    for figure, measure in figures.items():
        value, low, high = bootstrap(measure, len(best))
        print(f"{name}: {figure} {value:.4f} [{low:.4f}, {high:.4f}], n {len(best)}, seed {SEED}")


def calibration_error(confidences: Floats, right: NDArray[np.bool_]) -> float:
    """The mean gap between confidence and share of right answers, over equal bins of confidence."""
    bins = np.minimum((confidences * BINS).astype(int), BINS - 1)
    gaps = [abs(float((right[bins == one] - confidences[bins == one]).sum())) for one in range(BINS)]
    return sum(gaps) / len(right)


def macro_f1(truth: NDArray[np.str_], said: NDArray[np.str_], at: NDArray[np.intp]) -> float:
    """The mean F1 over the labels, of the messages at these positions."""
    from sklearn.metrics import f1_score

    return float(f1_score(truth[at], said[at], average="macro", zero_division=0))


def auroc(scores: Floats, positive: NDArray[np.int_]) -> float:
    """The chance that a positive one scores above another."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(positive, scores))


def bootstrap(
    measure: Callable[[NDArray[np.intp]], float], count: int, rounds: int = 1000
) -> tuple[float, float, float]:
    """The figure with its 95 % interval over messages drawn with replacement."""
    random = np.random.default_rng(SEED)
    drawn = [measure(random.integers(0, count, count)) for _ in range(rounds)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return measure(np.arange(count)), float(low), float(high)


def a_fifth(labels: Sequence[str], seed: int = SEED) -> tuple[list[int], list[int]]:
    """Positions to fit on and to test on, a fifth of each label."""
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(range(len(labels)), test_size=0.2, stratify=labels, random_state=seed)
    return sorted(train), sorted(test)


def draw(labels: Sequence[str], shots: int, seed: int) -> tuple[list[int], list[int]]:
    """So many examples of each label at random, and all the others."""
    random, all_labels = np.random.default_rng(seed), np.array(labels)
    chosen = [random.choice(np.flatnonzero(all_labels == label), shots, replace=False) for label in sorted(set(labels))]
    train = {int(i) for row in chosen for i in row}
    return sorted(train), [i for i in range(len(labels)) if i not in train]


if __name__ == "__main__":
    main()
