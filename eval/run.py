"""A run: ask every case, score every promise, put an interval on each number, keep it all."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from math import isnan
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import psutil
from pydantic_core import to_json, to_jsonable_python

from copilot.build import Parts, embedder_of
from copilot.errors import InputError
from copilot.ports import Embedder, Vectors
from copilot.settings import Settings
from eval.abstention import abstention
from eval.bm25 import before_own, by_words, timely
from eval.cases import Case
from eval.citations import citations
from eval.claims import claims
from eval.desk import Door, HttpDesk, ProcessDesk, Step, ask_all, bring_in, opened, served, settings_of, words_of
from eval.drafts import drafts, signatures
from eval.escalation import escalation
from eval.metrics import Metric, Outcome
from eval.record import CaseRecord, Protocol, Run, Score, SliceScore, Times
from eval.retrieval import retrieval
from eval.stats import score
from eval.suite import Group, Suite
from eval.support import Judge
from eval.triage import triage, unknown_labels

UNIT = "one incoming message"
SMALL_SLICE = 5
"""Slices of fewer cases are left out: their intervals say nothing."""
VOLATILE = ("id", "created_at", "conversation_id", "timings_ms")
"""What differs between two suggestions for one message over one index; and `as_of`, which for a case without a time is when the index was made."""
NAMED = 5
"""So many documents are named in a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The answers, and what they cost."""

    outcomes: tuple[Outcome, ...]
    documents: int
    corpus: str
    model: str
    settings: Settings
    times: Times
    absent: tuple[str, ...] = ()
    """Documents that cases name as right and the corpus does not have."""


def run(
    suite: Suite, overrides: Mapping[str, str], step: Step, door: Door = "process", base: Settings | None = None
) -> Run:
    """The suite, run: the same input gives the same scores to the last digit. Raises InputError, ConfigurationError."""
    return scored(suite, answers(suite, step, door, base), overrides, door, step)


def scored(suite: Suite, asked: Asked, overrides: Mapping[str, str], door: Door, step: Step) -> Run:
    """Answers as a run with scores."""
    metrics = list(measure(suite.metrics, asked.outcomes, embedder_of(asked.settings), step))
    records = tuple(_record(outcome, metrics) for outcome in asked.outcomes)
    scores = tuple(_scores(metrics, suite, step))
    return Run(
        name=suite.name, protocol=_protocol(suite, asked, overrides, door), scores=scores,
        slices=tuple(_slices(metrics, asked.outcomes, suite)), notes=tuple(_notes(suite, asked)), records=records,
        times=asked.times if "speed" in suite.metrics else replace(asked.times, steps={}, figures={}, totals_ms=()),
    )  # fmt: skip


# ---- asking ----


def answers(suite: Suite, step: Step, door: Door = "process", base: Settings | None = None) -> Asked:
    """Every case of the suite, asked over an index of the suite's own."""
    cases, settings = suite.load_cases(), settings_of(suite, base)
    for case in cases:
        words_of(case)  # one without words is refused now, and not when those before it have been asked
    begun = perf_counter()
    with opened(settings) as parts:
        start_up = perf_counter() - begun
        bring_in(suite, parts, step)
        desk = ProcessDesk(parts, suite.workspace)
        absent = _absent(parts, suite.workspace, cases)
        cases = timely(parts, suite.workspace, before_own(parts, suite.workspace, cases))
        if not cases:
            raise InputError(f"No ticket that the cases of the suite {suite.name} name was solved here by then.")
        words = by_words(parts, suite.workspace, cases)
        asked = asked_of(parts, settings, lambda: ask_all(desk, cases, step) if door == "process" else [], start_up)
    if door == "process":
        return replace(asked, outcomes=_beside(asked.outcomes, words), absent=absent)
    begun = perf_counter()
    with served(settings) as client:
        ready = perf_counter()
        outcomes = ask_all(HttpDesk(client), cases, step)
    times = _times(outcomes, ready - begun, perf_counter() - ready)
    return replace(asked, outcomes=_beside(outcomes, words), times=times, absent=absent)


def _absent(parts: Parts, workspace: str, cases: Sequence[Case]) -> tuple[str, ...]:
    """The right documents that are not there, by id."""
    frame, named = parts.frames.at(workspace), {id for case in cases for id in case.answers}
    return tuple(id for id in sorted(named) if not len(frame.find((id,))))


def _beside(outcomes: Sequence[Outcome], words: Mapping[str, tuple[str, ...]]) -> tuple[Outcome, ...]:
    """The outcomes with what BM25 alone finds."""
    return tuple(replace(outcome, by_words=words.get(outcome.case.id)) for outcome in outcomes)


def asked_of(parts: Parts, settings: Settings, asking: Callable[[], Sequence[Outcome]], start_up: float = 0.0) -> Asked:
    """The outcomes of asking, with what the index was and what it cost."""
    documents, corpus = parts.library.census(settings.workspace)
    begun = perf_counter()
    outcomes = asking()
    return Asked(
        outcomes=tuple(outcomes), documents=documents, corpus=corpus, settings=settings,
        model=f"{settings.embedder} {settings.engine} {parts.embedder.fingerprint[:12]}", times=_times(outcomes, start_up, perf_counter() - begun),
    )  # fmt: skip


def _times(outcomes: Sequence[Outcome], start_up: float, asking: float) -> Times:
    """Percentiles of each step; `start_up` is until the first question could be asked. On a busy machine they say little."""
    steps: defaultdict[str, list[float]] = defaultdict(list)
    for outcome in outcomes:
        for name, milliseconds in outcome.suggestion.timings_ms.items():
            steps[name].append(milliseconds)
    return Times(
        ended=datetime.now(UTC).isoformat(timespec="seconds"), seconds=round(start_up + asking, 1),
        machine=f"{platform.machine()}, {psutil.cpu_count()} cores, Python {platform.python_version()}",
        steps={name: _percentiles(some) for name, some in steps.items()},
        figures={
            "start_up_seconds": round(start_up, 3), "suggestions_per_second": round(len(outcomes) / max(asking, 1e-9), 2),
            "memory_mb": round(psutil.Process().memory_info().rss / 1e6, 1),
        },
        totals_ms=tuple(steps["total"]),
    )  # fmt: skip


def _percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    return {f"p{p}": round(float(np.percentile(milliseconds, p)), 3) for p in (50, 95, 99)}


# ---- measuring ----


def measure(groups: Iterable[Group], outcomes: Sequence[Outcome], embedder: Embedder, step: Step) -> Iterable[Metric]:
    """The metrics of the groups; those that no case applies to are left out."""
    judge = Judge.of(_corpus_texts(outcomes))
    of: dict[Group, Callable[[Sequence[Outcome]], list[Metric]]] = {
        "retrieval": retrieval, "citations": partial(citations, judge=judge), "drafts": partial(drafts, embed=partial(_embedded, embedder)),
        "claims": partial(claims, judge=judge), "abstention": abstention, "triage": triage, "escalation": escalation,
    }  # fmt: skip
    wanted = [group for group in groups if group in of]
    for done, group in enumerate(wanted, 1):
        yield from (metric for metric in of[group](outcomes) if metric.rows)
        step("measure", done, len(wanted))


def _embedded(embedder: Embedder, texts: list[str]) -> Vectors:
    return embedder.embed(texts, "document")


def _corpus_texts(outcomes: Sequence[Outcome]) -> list[str]:
    """Every stored text that the run has seen, once: what tells a rare word from a common one."""
    texts = {key: text for outcome in outcomes for key, text in outcome.texts.items()}
    return [texts[key] for key in sorted(texts)]


def _scores(metrics: Sequence[Metric], suite: Suite, step: Step) -> Iterable[Score]:
    for done, metric in enumerate(metrics, 1):
        one = score(metric, suite.seed, suite.resamples)
        if not isnan(one.value):  # undefined where all cases are of one kind
            yield one
        step("intervals", done, len(metrics))


def _slices(metrics: Sequence[Metric], outcomes: Sequence[Outcome], suite: Suite) -> Iterable[SliceScore]:
    """The gated metrics over each value of each slice that is big enough to tell anything."""
    gated = [metric for metric in metrics if metric.name in suite.gates]
    for name in suite.slices:
        for value, ids in sorted(_members(outcomes, name).items()):
            for metric in gated:
                rows = {id: row for id, row in metric.rows.items() if id in ids}
                if len(rows) >= SMALL_SLICE:
                    one = score(replace(metric, rows=rows), suite.seed, suite.resamples)
                    shown = SliceScore(
                        slice=name, value=value, name=metric.name, score=one.value, low=one.low, high=one.high, n=one.n
                    )
                    if not isnan(one.value):
                        yield shown


def _members(outcomes: Sequence[Outcome], slice: str) -> dict[str, set[str]]:
    members: defaultdict[str, set[str]] = defaultdict(set)
    for outcome in outcomes:
        case = outcome.case
        value = case.slices.get(slice) or getattr(case, slice, None)
        if isinstance(value, str):
            members[value].add(case.id)
    return members


def _notes(suite: Suite, asked: Asked) -> Iterable[str]:
    outcomes = asked.outcomes
    if asked.absent:
        named, more = ", ".join(asked.absent[:NAMED]), len(asked.absent) - NAMED
        yield (
            "Named as right by cases, but not in the corpus, so that nothing finds them: "
            f"{named}{f' and {more} more' if more > 0 else ''}."
        )
    if "drafts" in suite.metrics and any(outcome.case.reference_reply for outcome in outcomes):
        yield f"Signatures: {signatures()}."
    if "citations" in suite.metrics or "claims" in suite.metrics:
        yield Judge.ABOUT
    if "triage" in suite.metrics and (unknown := unknown_labels(outcomes)):
        yield f"Intents that the taxonomy does not know, counted as wrong: {', '.join(unknown)}."
    if foreign := sum(outcome.case.answerable is False for outcome in outcomes):
        yield f"{foreign} of the {len(outcomes)} cases have no answer here."


def _record(outcome: Outcome, metrics: Sequence[Metric]) -> CaseRecord:
    said = to_jsonable_python(outcome.suggestion)
    del said["provenance"]["as_of"]
    return CaseRecord(
        id=outcome.case.id, rows={metric.name: metric.rows[outcome.case.id] for metric in metrics if outcome.case.id in metric.rows},
        case=to_jsonable_python(outcome.case), suggestion={name: value for name, value in said.items() if name not in VOLATILE},
        ranked=outcome.ranked,
    )  # fmt: skip


# ---- the protocol ----


def _protocol(suite: Suite, asked: Asked, overrides: Mapping[str, str], door: Door) -> Protocol:
    asked_of = asked.outcomes[0].suggestion.provenance
    cases = hashlib.sha256(to_json([outcome.case for outcome in asked.outcomes])).hexdigest()
    return Protocol(
        suite=suite.name, corpus=asked.corpus, documents=asked.documents, index_revision=asked_of.index_revision, cases=cases,
        split=suite.split, unit=UNIT, model=asked.model, llm=asked.settings.llm, prompts=asked_of.prompt_version,
        settings=asked_of.settings, overrides=overrides, seed=suite.seed, resamples=suite.resamples, commit=_commit(), door=door,
    )  # fmt: skip


def _commit() -> str:
    """The checkout's commit, marked where files differ from it; `installed` outside a checkout."""
    git: Callable[..., Any] = partial(
        subprocess.run, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    try:
        commit = git(["git", "rev-parse", "--short=12", "HEAD"]).stdout.strip()
        changed = git(["git", "status", "--porcelain", "--untracked-files=no"]).stdout.strip()
    except OSError:
        return "installed"
    return f"{commit}{' with changes' if changed else ''}" if commit else "installed"
