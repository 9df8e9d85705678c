"""The gate: what a run broke, measured against its suite's recorded run. No failure means that it may ship."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan

from eval.compare import rows
from eval.expected import Expected, Mark, Recorded
from eval.record import Run, Score
from eval.stats import paired

NAMED = 5
"""So many cases are named in a failure."""
RECORD = "look at the run, and keep it with `copilot eval record`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One thing that the run broke: which metric, and in words by how much."""

    metric: str
    words: str


def gate(run: Run, recorded: Recorded | None, expected: Expected | None, gated: Sequence[str]) -> list[Failure]:
    """All failures of the run: broken invariants first, then the gated metrics in the suite's order."""
    failures = list(_invariants(run))
    if recorded is None or expected is None:
        suite = run.protocol.suite
        return [*failures, Failure(metric=suite, words=f"Nothing is recorded for the suite {suite}: {RECORD}.")]
    failures += _dropped(run, recorded)
    for name in gated:
        failures += (Failure(metric=name, words=words) for words in _gated(run, recorded, expected, name))
    return failures


def _invariants(run: Run) -> Iterator[Failure]:
    """Promises that hold on every case or are broken."""
    for score in run.scores:
        found = rows(run, score.name)
        broken = [case for case, row in found.items() if isinstance(row, tuple) or not row >= 1]
        if score.invariant and broken:
            words = f"{score.name} is a promise and broken on {len(broken)} of {len(found)} cases: {_named(broken)}."
            yield Failure(metric=score.name, words=words)


def _dropped(run: Run, recorded: Recorded) -> Iterator[Failure]:
    """A run that leaves out recorded cases says nothing on them, so it cannot pass."""
    if missing := sorted(recorded.cases.keys() - {record.id for record in run.records}):
        words = f"{len(missing)} of {len(recorded.cases)} recorded cases were not asked: {_named(missing)}"
        yield Failure(metric="cases", words=f"{words}. Ask them; if the suite has changed, {RECORD}.")


def _gated(run: Run, recorded: Recorded, expected: Expected, name: str) -> Iterator[str]:
    """In words, what is wrong with one gated metric."""
    score, mark = run.score(name), expected.metrics.get(name)
    if score is None or isnan(score.value):
        yield f"{name} is gated, and the run does not measure it."
    elif mark is None or recorded.statistics.get(name) != score.statistic:
        yield f"{name} is gated, and is not recorded as it is measured now: {RECORD}."
    else:
        yield from _fallen(run, recorded, expected, score)
        yield from _out_of_band(score, mark, expected)


def _fallen(run: Run, recorded: Recorded, expected: Expected, score: Score) -> Iterator[str]:
    """The metric got worse on the recorded cases, beyond what the draw of cases explains."""
    before, now = recorded.rows(score.name), rows(run, score.name)
    if not before.keys() & now.keys():
        yield f"{score.name} applies to none of the cases that it was recorded on: {RECORD}."
        return
    found = paired(before, now, score.statistic, run.protocol.seed, run.protocol.resamples)
    if isnan(found.difference):
        yield f"{score.name} is undefined on the {found.n} cases that it was recorded on."
    elif found.low > 0 if score.better == "lower" else found.high < 0:
        moved = "rose" if score.better == "lower" else "fell"
        yield (
            f"{score.name} {moved} by {abs(found.difference):.3f}, from {found.a:.3f} to {found.b:.3f}, against the run recorded on "
            f"{expected.date} (paired over {found.n} cases, 95 % interval of the change {found.low:+.3f} to {found.high:+.3f})."
        )


def _out_of_band(score: Score, mark: Mark, expected: Expected) -> Iterator[str]:
    """The worse end of the interval is beyond what was agreed."""
    lower = score.better == "lower"
    worst, beyond = (score.high, score.high > mark.band) if lower else (score.low, score.low < mark.band)
    if beyond:
        yield (
            f"{score.name}: the {'upper' if lower else 'lower'} end of its interval is {worst:.3f}, {'above' if lower else 'below'} its band "
            f"of {mark.band:.3f} by {abs(worst - mark.band):.3f} (value {score.value:.3f}; recorded {mark.value:.3f} on {expected.date})."
        )


def _named(cases: Sequence[str]) -> str:
    more = f" and {len(cases) - NAMED} more" if len(cases) > NAMED else ""
    return ", ".join(cases[:NAMED]) + more
