"""`copilot train ranking`: the weights of what speaks for an article, learned from the workspace's solved cases, and how sources were taken.

The model is a softmax over the articles that any arm proposes for a case (a conditional logit), with weights from 0 up, pulled towards the
shipped ones. A source that agents reject sinks by at most `disliked`, the more the oftener, whatever else is learned.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from copilot.build import Parts
from copilot.domain import Principal
from copilot.errors import InputError
from copilot.query import has_words, search_text
from copilot.rank import ARMS, Weights
from copilot.ranking import RANKING, Ranking
from copilot.retrieve import Query, Told
from copilot.store.cases import Cases
from copilot.store.choices import Choice, Choices
from copilot.store.trained import Lesson
from eval.train import HELD_OUT, Check, Training, check, keep

Array = NDArray[np.float64]
Progress = Callable[[int, int], None]

MOST_CASES = 800
FEWEST_CASES = 50
CANDIDATES = 60
PENALTY = 0.1
"""How strongly the weights are pulled towards the shipped ones; chosen on Thunderbird's cases before October 2024."""
SHARPNESS = (1.0, 150.0)
MOST_WEIGHT = 2.0
DISLIKED = (0.3, 0.15)
"""What a source loses that is always rejected; the second is tried where the first does harm."""
DOUBT = 4
"""So many verdicts are taken as said already for each source: the first few move little."""
QUESTION_CHARS = 4000


@dataclass(frozen=True, slots=True)
class Heard:
    """A case with what every arm said of the articles, which of them were right, and when it was asked."""

    id: str
    told: Told
    right: NDArray[np.bool_]
    at: datetime


@dataclass(frozen=True, slots=True)
class Source:
    """What teaches: cases, oldest first, choices, oldest first, and how often each source was rejected."""

    cases: list[Heard]
    choices: list[Heard]
    disliked: dict[str, float]
    basis: frozenset[str]
    until: datetime | None


def train_ranking(
    parts: Parts, workspace: str, progress: Progress = lambda done, all: None, until: datetime | None = None
) -> Training:
    """Learn the workspace's ranking, check it on the newest fifth, and put it in force where it is no worse. Raises InputError, NotFound.

    `until` leaves out what was known later.
    """
    clock = parts.library.clock(workspace)
    before = parts.learned.ranking(workspace, clock, None) or Ranking(parts.retriever.shipped())
    source = gathered(parts, workspace, progress, until)
    if len(source.cases) < FEWEST_CASES and not source.choices:
        raise InputError(
            f"There are {len(source.cases)} cases whose replies sent an article, and no verdicts; {FEWEST_CASES} cases are the least to learn from."
        )
    early, late = _split(source.cases)
    enough, shipped = len(source.cases) >= FEWEST_CASES, parts.retriever.shipped()
    weights = fitted(early, shipped) if enough else before.weights
    learned, checks = _harmless(before.weights, weights, late, _split(source.choices)[1])
    why = _verdict(checks)
    final = fitted(source.cases, shipped) if enough else before.weights
    ranking = Ranking(replace(final, disliked=learned.disliked), source.disliked)
    figures: dict[str, float | int | str | bool] = {"cases": len(source.cases), "choices": len(source.choices)}
    figures |= {f"weight.{arm}": getattr(ranking.weights, arm) for arm in (*ARMS, "disliked")}
    lesson = Lesson(
        kind="ranking", payload=ranking.packed(), figures=figures, fits=RANKING, trained_until=source.until, basis=source.basis,
    )  # fmt: skip
    return keep(
        parts.trained, workspace, lesson, checks, switch=not why, why=why or "it is no worse on what was held out"
    )


def _verdict(checks: Sequence[Check]) -> str:
    """Why it is not switched; empty where it is."""
    lost = [
        one for one in checks if not (one.no_worse if one.name == "cases" else not one.worse and one.difference >= 0)
    ]
    return "; ".join(one.words for one in lost)


def _harmless(
    before: Weights, weights: Weights, cases: Sequence[Heard], choices: Sequence[Heard]
) -> tuple[Weights, list[Check]]:
    """The weights with as much say for rejections as does no harm, and how they do on what was held out."""
    for say in (*DISLIKED, 0.0):
        tried = replace(weights, disliked=say)
        both = (("cases", cases), ("choices", choices))
        checks = [check(name, _ranks(before, some), _ranks(tried, some)) for name, some in both if some]
        if not any(one.name == "choices" and one.difference < 0 for one in checks):
            break
    return tried, checks


# ---- what teaches ----


def gathered(parts: Parts, workspace: str, progress: Progress, until: datetime | None) -> Source:
    """Cases and choices as the arms heard them, each with only what was known then."""
    articles = {one.id: one for one in Cases(parts.database).articles(workspace)}
    made = [one for one in Choices(parts.database).choices(workspace, until) if has_words(one.conversation)]
    disliked, basis, decided = _disliked(made)
    ranking = Ranking(parts.retriever.shipped(), disliked)
    tickets = Cases(parts.database).tickets(workspace)
    cases = [
        case
        for case in tickets
        if case.known and (until is None or case.known <= until) and set(case.sent) & articles.keys()
    ]
    recent = sorted(cases, key=lambda case: (case.known, case.id))[-MOST_CASES:]
    listen, total = _listener(parts, workspace, ranking), len(recent) + len(made)
    heard: list[Heard] = []
    for done, case in enumerate(recent, 1):
        assert case.known is not None
        heard += listen(case.id, case.question, case.sent, case.known)
        progress(done, total)
    chosen: list[Heard] = []
    for done, choice in enumerate(made, len(recent) + 1):
        good = [fate.document_id for fate in choice.fates if fate.outcome in ("kept", "changed")]
        chosen += listen(choice.suggestion, search_text(choice.conversation), good, choice.at) if good else []
        progress(done, total)
    named = {case.id for case in recent} | {id for case in recent for id in case.sent}
    named |= {fate.document_id for choice in made for fate in choice.fates}
    keys = {one.id: one.key for one in tickets} | {id: one.key for id, one in articles.items()}
    basis |= {f"document/{keys[id]}" for id in named & keys.keys()}
    times = [one.at for one in (*heard, *chosen)] + ([decided] if decided else [])
    return Source(_comparable(heard), chosen, disliked, frozenset(basis), max(times, default=None))


def _listener(
    parts: Parts, workspace: str, ranking: Ranking
) -> Callable[[str, str, Sequence[str], datetime], list[Heard]]:
    teacher = Principal(id="training", workspace=workspace, roles=frozenset({"agent"}))

    def listen(id: str, text: str, right: Sequence[str], at: datetime) -> list[Heard]:
        """What the arms said before the answer was known; nothing where none of them proposed a right article."""
        text = text[:QUESTION_CHARS]
        vector = parts.embedder.embed([text], "query")[0]
        told = parts.retriever.told(teacher, Query(text=text, before=at - timedelta(seconds=1)), vector, ranking)
        found = np.array([one in right for one in told.ids], dtype=np.bool_)
        return [Heard(id, told, found, at)] if found.any() else []

    return listen


def _comparable(heard: Sequence[Heard]) -> list[Heard]:
    """Where there is a map for some, only those with one: its weight cannot be learned from the others."""
    mapped = [one for one in heard if one.told.mapped]
    return mapped if len(mapped) >= FEWEST_CASES else list(heard)


def _disliked(choices: Sequence[Choice]) -> tuple[dict[str, float], set[str], datetime | None]:
    """By source how often it was rejected, from 0 to 1; the blame for a rejected draft is shared by what it cites."""
    against: defaultdict[str, float] = defaultdict(float)
    all: defaultdict[str, float] = defaultdict(float)
    for choice in choices:
        cited = {fate.document_id for fate in choice.fates}
        for id in sorted(cited):
            outcomes = [fate.outcome for fate in choice.fates if fate.document_id == id]
            lost = sum(outcome in ("removed", "rejected") for outcome in outcomes) / len(outcomes)
            share = 1 / len(cited) if choice.verdict == "rejected" else 1.0
            against[id] += lost * share
            all[id] += share
    disliked = {id: round(lost / (all[id] + DOUBT), 6) for id, lost in sorted(against.items()) if lost}
    basis = {f"suggestion/{choice.suggestion}" for choice in choices}
    return disliked, basis, max((choice.at for choice in choices), default=None)


# ---- the model ----


def fitted(cases: Sequence[Heard], shipped: Weights) -> Weights:
    """The weights with which the right articles are likeliest, near the shipped ones; the same cases give the same weights."""
    from scipy.optimize import minimize

    start = np.array([1.0, *(getattr(shipped, arm) for arm in ARMS)])
    columns, right, there = _stacked(cases, start)

    def loss(point: Array) -> tuple[float, Array]:
        weights, sharpness = point[:-1], np.exp(point[-1])
        scores = columns @ weights
        logits = np.where(there, sharpness * scores, -np.inf)
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(logits)
        likely = powers / powers.sum(axis=1, keepdims=True)
        among = np.where(right, powers, 0)
        chance = among.sum(axis=1, keepdims=True) / powers.sum(axis=1, keepdims=True)
        wrong = likely - among / np.maximum(among.sum(axis=1, keepdims=True), 1e-300)
        slope = sharpness * np.einsum("cd,cdf->f", wrong, columns) / len(columns)
        steeper = sharpness * float((wrong * np.where(there, scores, 0)).sum()) / len(columns)
        away = weights - start
        value = -float(np.log(np.maximum(chance, 1e-300)).mean()) + PENALTY * float(away @ away)
        return value, np.append(slope + 2 * PENALTY * away, steeper)

    says: list[bool] = np.asarray(columns.any(axis=(0, 1))).tolist()
    free = [(0.0, MOST_WEIGHT) if heard else (own, own) for heard, own in zip(says, start.tolist(), strict=True)]
    bounds = [(1.0, 1.0), *free[1:], tuple(np.log(SHARPNESS))]
    found = minimize(loss, np.append(start, np.log(10.0)), jac=True, bounds=bounds, method="L-BFGS-B").x[1:-1]
    return replace(shipped, **dict(zip(ARMS, np.round(found, 3).tolist(), strict=True)))


def _stacked(cases: Sequence[Heard], weights: Array) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """The best candidates of each case by these weights: columns, which are right, and which are there at all."""
    columns = np.zeros((len(cases), CANDIDATES, len(weights)))
    right, there = (np.zeros((len(cases), CANDIDATES), dtype=np.bool_) for _ in range(2))
    for row, case in enumerate(cases):
        arms = case.told.columns[:, :-1]
        order = np.argsort(-(arms @ weights) - 10 * case.right, kind="stable")[:CANDIDATES]
        columns[row, : len(order)], right[row, : len(order)] = arms[order], case.right[order]
        there[row, : len(order)] = True
    return columns, right, there


def _ranks(weights: Weights, cases: Sequence[Heard]) -> dict[str, float]:
    """For each case 1 / the place of its first right article."""
    vector = np.array([1.0, *(getattr(weights, arm) for arm in ARMS), -weights.disliked])
    return {one.id: _reciprocal(one, np.round(one.told.columns @ vector, 6)) for one in cases}


def _reciprocal(case: Heard, scores: Array) -> float:
    order = sorted(range(len(scores)), key=lambda n: (-scores[n], case.told.ids[n]))
    return 1 / (1 + next(place for place, n in enumerate(order) if case.right[n]))


def _split(heard: list[Heard]) -> tuple[list[Heard], list[Heard]]:
    """The older ones, and the newest fifth."""
    ordered = sorted(heard, key=lambda one: (one.at, one.id))
    held_out = max(1, round(HELD_OUT * len(ordered))) if ordered else 0
    return ordered[: len(ordered) - held_out], ordered[len(ordered) - held_out :]
