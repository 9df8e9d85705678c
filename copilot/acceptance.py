"""How agents take what is suggested: shares with their intervals, over time and by what was suggested, from decisions without words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import quantiles
from typing import Literal, TypeVar

from copilot.choices import wilson
from copilot.store.choices import Judgement

Period = Literal["day", "week"]
Key = TypeVar("Key")

DISTANCES = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
SECONDS = (5, 15, 30, 60, 120, 300, 900)
GROUPS: dict[str, Callable[[Judgement], str]] = {
    "intent": lambda one: one.intent or "unknown",
    "generator": lambda one: one.generator or "none",
    "prompt_version": lambda one: one.prompt_version or "unknown",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """How often suggestions were sent as they were, sent with changes, and not sent; `share` is of those sent as they were, with 95 %."""

    name: str
    accepted: int
    edited: int
    rejected: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """How many lie above `above` (from 0 on: at it) and at most at `most`; without `most`, all beyond."""

    above: float
    most: float | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """Seconds from seeing a suggestion to deciding, of the decisions that tell both times."""

    count: int
    p25: float | None
    p50: float | None
    p75: float | None
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The whole picture: all together, period by period, how much was edited, how long it took, and by what was suggested."""

    total: Taken
    periods: tuple[Taken, ...]
    edit_distance: tuple[Bin, ...]
    decided_in: Durations
    copied: int
    by_intent: tuple[Taken, ...]
    by_generator: tuple[Taken, ...]
    by_prompt_version: tuple[Taken, ...]


def acceptance(judged: Sequence[Judgement], period: Period = "day") -> Acceptance:
    """The picture that these decisions give."""
    days = _by(judged, lambda one: _start(one.decided_at.date(), period))
    groups = {name: _largest(_by(judged, key)) for name, key in GROUPS.items()}
    edits = [one.edit_distance for one in judged if one.verdict == "edited"]
    return Acceptance(
        total=_taken("all", judged), periods=tuple(_taken(day.isoformat(), days[day]) for day in sorted(days)),
        edit_distance=_bins(edits, DISTANCES), decided_in=_durations(judged), copied=sum(one.copied for one in judged),
        by_intent=groups["intent"], by_generator=groups["generator"], by_prompt_version=groups["prompt_version"],
    )  # fmt: skip


def _start(day: date, period: Period) -> date:
    return day if period == "day" else day - timedelta(days=day.weekday())


def _by(judged: Iterable[Judgement], key: Callable[[Judgement], Key]) -> dict[Key, list[Judgement]]:
    found: defaultdict[Key, list[Judgement]] = defaultdict(list)
    for one in judged:
        found[key(one)].append(one)
    return found


def _largest(groups: dict[str, list[Judgement]]) -> tuple[Taken, ...]:
    return tuple(_taken(name, groups[name]) for name in sorted(groups, key=lambda name: (-len(groups[name]), name)))


def _taken(name: str, judged: Sequence[Judgement]) -> Taken:
    counts = Counter(one.verdict for one in judged)
    low, high = wilson(counts["accepted"], len(judged))
    return Taken(
        name=name, accepted=counts["accepted"], edited=counts["edited"], rejected=counts["rejected"],
        share=round(counts["accepted"] / max(len(judged), 1), 6), low=low, high=high,
    )  # fmt: skip


def _bins(values: Sequence[float], edges: Sequence[float]) -> tuple[Bin, ...]:
    """Counts between the edges; the first bin holds its lower edge too."""
    return tuple(
        Bin(above=a, most=b, count=sum((a < v or (n == 0 and v == a)) and v <= b for v in values))
        for n, (a, b) in enumerate(pairwise(edges))
    )


def _durations(judged: Sequence[Judgement]) -> Durations:
    told = [(one.decided_at - one.shown_at).total_seconds() for one in judged if one.shown_at is not None]
    p25, p50, p75 = quantiles(told * 2 if len(told) == 1 else told, n=4, method="inclusive") if told else (None,) * 3
    beyond = Bin(above=SECONDS[-1], most=None, count=sum(v > SECONDS[-1] for v in told))
    return Durations(count=len(told), p25=p25, p50=p50, p75=p75, bins=(*_bins(told, (0, *SECONDS)), beyond))
