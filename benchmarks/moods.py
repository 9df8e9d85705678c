"""Mood, urgency and escalation as shipped, on real messages: `python -m benchmarks.moods DATA` with DATA a folder that holds `thunderbird/`.

The shipped weights were fitted on older labelled messages of the forum; this reads the youngest 240 of the first set, then 600 others as young,
drawn at random and read by others, prints each figure with its interval (percentile bootstrap over messages, 2,000 draws, 95 %), and the
majority class beside it. VADER, a word list for English posts, is printed too where `vaderSentiment` is installed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from copilot.adapters.onnx import minilm
from copilot.domain import Conversation, Message
from copilot.escalate import Policy, escalate
from copilot.labelled import HELD_OUT_FROM, MOODS, Labelled, forum_messages
from copilot.moods import Reading, moods
from copilot.phrases import phrases
from copilot.query import search_text
from copilot.settings import DEFAULTS, Settings
from copilot.triage import Triager

Array = NDArray[np.float64]
BUDGET = 0.2
DRAWS = 2000
VADER_CUT = 0.05


def main() -> None:
    """Print a table for each set of young messages, and one for all."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    young = [one for one in forum_messages(arguments.parse_args().data) if one.number >= HELD_OUT_FROM]
    settings = Settings()
    embedder = minilm(settings.models, settings.threads, settings.window)
    triager = Triager(embedder, DEFAULTS / "taxonomy.yaml", settings.models)
    policy = Policy.load(DEFAULTS / "policy.yaml")
    weights = moods(embedder, settings.models)
    read, scores = [], []
    for one in young:
        asked = Conversation(messages=(Message(text=one.text),), channel="form")
        given = triager.encoded(search_text(asked))
        read.append(weights.read(phrases(one.text), given.mood))
        scores.append(escalate(policy, asked, triager.read(asked, given), False, settings.refund_limit).score)
    for readers in sorted({one.readers for one in young}):
        rows = [at for at, one in enumerate(young) if one.readers == readers]
        print(f"set {readers}:")
        report([young[at] for at in rows], [read[at] for at in rows], np.array(scores)[rows])
    print("all:")
    report(young, read, np.array(scores))


def report(young: list[Labelled], read: list[Reading], scores: Array) -> None:
    """Each figure, its interval and what the majority class gives."""
    negative = np.array(["negative" in one.sentiment for one in young])
    high = np.array([one.urgency == "high" for one in young])
    calls = np.array([one.escalate for one in young])
    print(f"{len(young)} messages; negative {negative.sum()}, urgent {high.sum()}, to escalate {calls.sum()}")
    line("negative, area under the curve", negative, np.array([one.moods[:2].sum() for one in read]), area, 0.5)
    truth, said = classes([one.sentiment for one in young]), classes([MOODS[one.moods.argmax()] for one in read])
    line("negative, neutral, positive: macro-F1", truth, said, macro, macro(truth, np.ones(len(truth))))
    line("urgent, area under the curve", high, np.array([one.urgencies[2] for one in read]), area, 0.5)
    line("escalate, average precision", calls, scores, precision, calls.mean())
    line("escalate, found in a fifth of all", calls, scores, recall, BUDGET)
    vader(young, negative, truth)


def line(name: str, truth: NDArray[np.generic], said: Array, figure: Callable[..., float], majority: float) -> None:
    """One figure with its interval."""
    draws = np.random.default_rng(0).integers(0, len(truth), (DRAWS, len(truth)))
    values = [figure(truth[rows], said[rows]) for rows in draws if len(set(truth[rows].tolist())) > 1]
    low, above = np.percentile(values, [2.5, 97.5])
    print(f"{name:40} {figure(truth, said):.3f}  [{low:.3f}, {above:.3f}]  majority {majority:.3f}")


def vader(young: list[Labelled], negative: NDArray[np.bool_], truth: Array) -> None:
    """The word list's figures, where it is installed, at the cuts that its authors give (a compound score of ±.05)."""
    try:
        vader_module = import_module("vaderSentiment.vaderSentiment")
    except ImportError:
        print("VADER: vaderSentiment is not installed")
        return
    judge = vader_module.SentimentIntensityAnalyzer()
    scores = np.array([judge.polarity_scores(one.text)["compound"] for one in young])
    line("VADER: negative, area under the curve", negative, -scores, area, 0.5)
    said = np.where(scores <= -VADER_CUT, 0.0, np.where(scores >= VADER_CUT, 2.0, 1.0))
    line("VADER: macro-F1", truth, said, macro, macro(truth, np.ones(len(truth))))


def classes(labels: list[str]) -> Array:
    """Moods as 0 negative, 1 neutral, 2 positive."""
    return np.array([0.0 if "negative" in label else 2.0 if "positive" in label else 1.0 for label in labels])


def area(truth: Array, said: Array) -> float:
    """Area under the curve."""
    return float(roc_auc_score(truth, said))


def macro(truth: Array, said: Array) -> float:
    """Mean F1 of the three classes."""
    return float(f1_score(truth, said, average="macro", labels=[0, 1, 2], zero_division=0))


def precision(truth: Array, said: Array) -> float:
    """Average precision."""
    return float(average_precision_score(truth, said))


def recall(truth: Array, said: Array) -> float:
    """The share found in the first fifth by score."""
    first = np.argsort(-said, kind="stable")[: round(BUDGET * len(said))]
    return float(truth[first].sum() / truth.sum())


if __name__ == "__main__":
    main()
