"""What every training has in common: the check on what was held out, and the verdict on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from copilot.store.trained import Figures, Lesson, Trained, TrainedStore
from eval.metrics import Value
from eval.stats import paired

SEED = 7
RESAMPLES = 2000
MARGIN = 0.02
"""A loss of so much is not seen as one: without a margin nothing could ever be shown to be no worse."""
HELD_OUT = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One figure before and after, on the same held-out cases, and the 95 % interval of its difference (paired bootstrap)."""

    name: str
    n: int
    before: float
    after: float
    difference: float
    low: float
    high: float

    @property
    def worse(self) -> bool:
        """Whether the interval says that it is worse."""
        return self.high < 0

    @property
    def no_worse(self) -> bool:
        """Whether the interval excludes a loss beyond the margin, and nothing was lost on average."""
        return self.difference >= 0 and self.low >= -MARGIN

    @property
    def better(self) -> bool:
        """Whether the interval says that it is better."""
        return self.low > 0

    @property
    def words(self) -> str:
        """As a person reads it."""
        change = f"{self.difference:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"
        return f"{self.name}: {self.before:.3f} before, {self.after:.3f} after, {change} on {self.n} held out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What came of a training: what is kept, whether it is in force, and why."""

    trained: Trained
    switched: bool
    checks: tuple[Check, ...]
    why: str


def check(name: str, before: Mapping[str, Value], after: Mapping[str, Value], statistic: str = "mean") -> Check:
    """The figure on the cases that both have."""
    found = paired(before, after, statistic, SEED, RESAMPLES)
    return Check(
        name=name, n=found.n, before=found.a, after=found.b, difference=found.difference, low=found.low, high=found.high
    )


def keep(
    store: TrainedStore, workspace: str, lesson: Lesson, checks: Sequence[Check], *, switch: bool, why: str
) -> Training:
    """The lesson stored with its figures, and in force where it is to be."""
    figures: dict[str, float | int | str | bool] = dict(lesson.figures)
    for one in checks:
        key = one.name.replace(" ", "_")
        values = {"n": one.n, "before": one.before, "after": one.after, "low": one.low, "high": one.high}
        figures |= {f"{key}.{name}": value for name, value in values.items()}
    found = Lesson(
        kind=lesson.kind, payload=lesson.payload, figures=_plain(figures), fits=lesson.fits,
        trained_until=lesson.trained_until, basis=lesson.basis,
    )  # fmt: skip
    trained = store.keep(workspace, found, active=switch)
    return Training(trained=trained, switched=switch, checks=tuple(checks), why=why)


def _plain(figures: Figures) -> Figures:
    return {name: float(value) if isinstance(value, float) else value for name, value in figures.items()}
