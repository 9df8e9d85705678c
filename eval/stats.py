"""Numbers with their doubt: the statistics that sum rows up, bootstrap intervals over cases, paired tests, Holm's correction.

Every statistic is written once, for many samples at a time, and does not depend on the order of its rows: cases of one score share
their truth evenly, which is what a random order of them gives on average. Where a statistic is undefined it is nan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copilot.errors import InputError
from eval.metrics import Metric, Value
from eval.record import Score

Array = NDArray[np.float64]
DIGITS = 6
"""Numbers are rounded to this many places, so that they are the same on every machine."""
CONFIDENCE = 0.95
_AT_ONCE = 2_000_000  # resampled rows in memory at a time


@dataclass(frozen=True, slots=True)
class Statistic:
    """A number that sums up rows: call it with rows; `over` does many samples at once, one along each last axis."""

    over: Callable[..., Array]
    width: int = 2
    """How many values a row holds."""

    def __call__(self, rows: Sequence[Value]) -> float:
        """The statistic of the rows, nan where it is undefined."""
        return float(self.over(*_columns(rows, self.width))) if rows else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """Two runs over the cases that both have: how b differs from a (b − a), with 95 % interval and p."""

    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float
    n: int


def interval(rows: Sequence[Value], statistic: str, seed: int, resamples: int) -> tuple[float, float, float]:
    """The statistic of the rows and its 95 % interval: percentile bootstrap over cases (Efron and Tibshirani 1993, chapter 13)."""
    chosen = find(statistic)
    if not rows:
        return float("nan"), float("nan"), float("nan")
    columns = _columns(rows, chosen.width)
    low, high = _middle(_resampled(chosen.over, columns, seed, resamples))
    return _rounded(float(chosen.over(*columns))), _rounded(low), _rounded(high)


def score(metric: Metric, seed: int, resamples: int) -> Score:
    """The metric's value with its interval; the cases are put in the order of their ids first."""
    rows = [metric.rows[case] for case in sorted(metric.rows)]
    value, low, high = interval(rows, metric.statistic, seed, resamples)
    return Score(
        name=metric.name, value=value, low=low, high=high, n=len(rows), statistic=metric.statistic, better=metric.better,
        invariant=metric.invariant, about=metric.about,
    )  # fmt: skip


def paired(
    a_rows: Mapping[str, Value], b_rows: Mapping[str, Value], statistic: str, seed: int, resamples: int
) -> Paired:
    """How b differs from a over the cases that both have. Raises InputError where there are none.

    The interval is a bootstrap over cases. p is two-sided: for means a sign-flip permutation test, exact where few cases moved
    (Fisher's randomisation; `scipy.stats.permutation_test`), for the others a paired bootstrap.
    """
    chosen = find(statistic)
    cases = sorted(a_rows.keys() & b_rows.keys())
    if not cases:
        raise InputError(
            "The two runs share no case of this metric, so there is nothing to compare. Run one suite twice."
        )
    both = _columns([one[case] for one in (a_rows, b_rows) for case in cases], chosen.width)
    first, second = ([column[part] for column in both] for part in (slice(len(cases)), slice(len(cases), None)))

    def gap(*columns: Array) -> Array:
        return chosen.over(*columns[chosen.width :]) - chosen.over(*columns[: chosen.width])

    gaps = _resampled(gap, [*first, *second], seed, resamples)
    p = _flipped(second[0] - first[0], seed, resamples) if statistic == "mean" else _rarer(gaps)
    a, b = float(chosen.over(*first)), float(chosen.over(*second))
    a, b, difference, low, high, p = map(_rounded, (a, b, b - a, *_middle(gaps), p))
    return Paired(a=a, b=b, difference=difference, low=low, high=high, p=p, n=len(cases))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number, in the order given: step-down (Holm 1979), so that a family errs once in twenty at most."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    corrected, floor = [1.0] * len(p_values), 0.0
    for step, index in enumerate(order):
        floor = max(floor, min(1.0, (len(p_values) - step) * p_values[index]))
        corrected[index] = floor
    return corrected


def find(statistic: str) -> Statistic:
    """The statistic of this name. Raises InputError where there is none."""
    if statistic not in STATISTICS:
        raise InputError(f"There is no statistic {statistic!r}. Known are: {', '.join(STATISTICS)}.")
    return STATISTICS[statistic]


# ---- rows and samples ----


def _columns(rows: Sequence[Value], width: int) -> list[Array]:
    """The rows' values, column by column; labels become numbers."""
    tuples = [row if isinstance(row, tuple) else (row,) for row in rows]
    if any(len(row) != width for row in tuples):
        raise InputError(
            f"A row of this statistic holds {width} value(s): {next(row for row in tuples if len(row) != width)}"
        )
    labels = sorted({value for row in tuples for value in row if isinstance(value, str)})
    codes = {label: float(code) for code, label in enumerate(labels)}
    values = [[codes[value] if isinstance(value, str) else float(value) for value in row] for row in tuples]
    return list(np.array(values, dtype=np.float64).T)


def _middle(found: Array) -> tuple[float, float]:
    """The ends of the middle 95 %."""
    if not found.size:
        return float("nan"), float("nan")
    low, high = np.quantile(found, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _resampled(over: Callable[..., Array], columns: Sequence[Array], seed: int, resamples: int) -> Array:
    """The statistic on cases drawn with replacement, as often as asked; draws on which it is undefined are left out.

    Draws what `scipy.stats.bootstrap` draws, which warns of every undefined one and refuses a single case.
    """
    n, rng = len(columns[0]), np.random.default_rng(seed)
    at_once = max(1, _AT_ONCE // n)
    sizes = [min(at_once, resamples - done) for done in range(0, resamples, at_once)]
    draws = (rng.integers(0, n, (size, n)) for size in sizes)
    found = np.concatenate([np.empty(0), *(over(*(column[drawn] for column in columns)) for drawn in draws)])
    return np.asarray(found[~np.isnan(found)])


def _flipped(differences: Array, seed: int, resamples: int) -> float:
    """Two-sided p of the mean when each difference may as well have the other sign. Cases that did not move say nothing."""
    from scipy.stats import permutation_test

    moved = differences[differences != 0]
    if len(moved) < 2:
        return 1.0
    found = permutation_test(
        (moved,), lambda drawn, axis: drawn.mean(axis), permutation_type="samples", vectorized=True, n_resamples=resamples,
        batch=max(1, _AT_ONCE // len(moved)), rng=np.random.default_rng(seed),
    )  # fmt: skip
    return float(found.pvalue)


def _rarer(gaps: Array) -> float:
    """Two-sided p: twice the share of resamples on the rarer side of 0, the sample itself counted in (Davison and Hinkley 1997, 4.2).

    It is 1 where the statistic is defined on no resample.
    """
    rarer = min(np.count_nonzero(gaps <= 0), np.count_nonzero(gaps >= 0))
    return min(1.0, 2 * (rarer + 1) / (len(gaps) + 1))


def _rounded(number: float) -> float:
    return round(float(number), DIGITS) + 0.0  # + 0.0 makes -0.0 a plain 0.0


def _ratio(top: Array, bottom: Array) -> Array:
    """top / bottom, nan where bottom is 0."""
    return np.asarray(np.divide(top, bottom, out=np.full(np.shape(bottom), np.nan), where=np.asarray(bottom) != 0))


# ---- the statistics ----


def _mean(values: Array) -> Array:
    return np.asarray(values.mean(-1))


def _precision(predicted: Array, true: Array) -> Array:
    """TP / (TP + FP), undefined where nothing was predicted (van Rijsbergen 1979)."""
    return _ratio((predicted * true).sum(-1), predicted.sum(-1))


def _recall(predicted: Array, true: Array) -> Array:
    """TP / (TP + FN), undefined where nothing is true (van Rijsbergen 1979)."""
    return _ratio((predicted * true).sum(-1), true.sum(-1))


def _f1(predicted: Array, true: Array) -> Array:
    """2 TP / (2 TP + FP + FN): the harmonic mean of precision and recall (van Rijsbergen 1979)."""
    return _ratio(2 * (predicted * true).sum(-1), (predicted + true).sum(-1))


def _macro_f1(predicted: Array, true: Array) -> Array:
    """The plain mean of each label's F1, over the labels that were predicted or true in the sample (scikit-learn's `macro`)."""
    labels = int(max(predicted.max(), true.max())) + 1
    right = 2 * _counts(true, labels, predicted == true)
    each = _ratio(right, _counts(predicted, labels) + _counts(true, labels))
    return np.asarray(np.nanmean(each, axis=-1))


def _counts(labels: Array, kinds: int, weights: NDArray[np.bool_] | None = None) -> Array:
    """How often each label occurs in each sample."""
    samples = labels.reshape(-1, labels.shape[-1]).astype(np.int64)
    places = samples + np.arange(len(samples))[:, None] * kinds
    chosen = places.ravel() if weights is None else places.ravel()[weights.ravel()]
    found = np.bincount(chosen, minlength=len(samples) * kinds).reshape(*labels.shape[:-1], kinds)
    return found.astype(np.float64)


@dataclass(frozen=True, slots=True)
class _Ranking:
    """Cases by falling score: at each place, how many cases and truths stand up to the end of its ties."""

    truth: Array
    before: Array
    """Cases above the ties of this place."""
    accepted: Array
    """Cases down to the end of the ties of this place: those that a threshold at its score accepts."""
    hits: Array
    """Truths among the accepted."""
    shared: Array
    """Truths down to this very place, its ties in random order."""

    @property
    def positives(self) -> Array:
        return np.asarray(self.truth.sum(-1))

    @property
    def negatives(self) -> Array:
        return np.asarray(self.truth.shape[-1] - self.positives)


def _ranked(score: Array, truth: Array) -> _Ranking:
    order = np.argsort(-score, axis=-1, kind="stable")
    score, truth = np.take_along_axis(score, order, -1), np.take_along_axis(truth, order, -1)
    edge = np.ones((*score.shape[:-1], 1), dtype=bool)
    change = score[..., 1:] != score[..., :-1]
    n, places = score.shape[-1], np.arange(score.shape[-1])
    first = np.maximum.accumulate(np.where(np.concatenate([edge, change], -1), places, 0), -1)
    last = np.where(np.concatenate([change, edge], -1), places, n)
    last = np.minimum.accumulate(last[..., ::-1], -1)[..., ::-1]
    running = truth.cumsum(-1)
    hits, above = np.take_along_axis(running, last, -1), np.take_along_axis(running - truth, first, -1)
    shared = above + (hits - above) * (places - first + 1) / (last - first + 1)
    return _Ranking(truth, first.astype(np.float64), last + 1.0, hits, shared)


def _auroc(score: Array, truth: Array) -> Array:
    """The chance that a positive scores above a negative, ties counting half (Hanley and McNeil 1982)."""
    ranking = _ranked(score, truth)
    above = (ranking.before + ranking.accepted + 1) / 2  # the mean place of the ties, from 1
    positives, negatives = ranking.positives, ranking.negatives
    places = (ranking.truth * above).sum(-1)
    return np.asarray(1 - _ratio(places - positives * (positives + 1) / 2, positives * negatives))


def _average_precision(score: Array, truth: Array) -> Array:
    """Σ (R_k − R_{k−1}) P_k over thresholds, without interpolation (scikit-learn's `average_precision_score`)."""
    ranking = _ranked(score, truth)
    return _ratio((ranking.truth * ranking.hits / ranking.accepted).sum(-1), ranking.positives)


def _fpr95(score: Array, truth: Array) -> Array:
    """The share of negatives accepted at the highest threshold that accepts 95 % of the positives (Liang et al. 2018, ODIN)."""
    ranking = _ranked(score, truth)
    enough = ranking.hits * 20 >= ranking.positives[..., None] * 19
    place = enough.argmax(-1)[..., None]
    wrongly = np.take_along_axis(ranking.accepted - ranking.hits, place, -1)[..., 0]
    return _ratio(np.where(ranking.positives > 0, wrongly, np.nan), ranking.negatives)


def _recall_at_budget(percent: int) -> Callable[[Array, Array], Array]:
    """The share of truths among the highest-scored percent of the cases (rounded down, one at least): recall at a review budget."""

    def over(score: Array, truth: Array) -> Array:
        ranking = _ranked(score, truth)
        budget = max(1, score.shape[-1] * percent // 100)
        return _ratio(ranking.shared[..., budget - 1], ranking.positives)

    return over


def _ece15(confidence: Array, correct: Array) -> Array:
    """Σ_b |B_b|/n · |acc(B_b) − conf(B_b)| over 15 bins (lo, hi] of equal width (Guo et al. 2017)."""
    bins = np.clip(np.ceil(confidence * 15) - 1, 0, 14)
    gaps = [np.abs(np.where(bins == number, correct - confidence, 0).sum(-1)) for number in range(15)]
    return np.asarray(np.sum(gaps, axis=0) / confidence.shape[-1])


def _aurc(confidence: Array, error: Array) -> Array:
    """The error rate among the k most confident, averaged over all k (Geifman, Uziel and El-Yaniv 2019)."""
    return np.asarray((_ranked(confidence, error).shared / np.arange(1, confidence.shape[-1] + 1)).mean(-1))


def _coverage_at_5_risk(confidence: Array, error: Array) -> Array:
    """The largest share of cases that a threshold accepts with at most 5 % errors among them; 0 where none does (El-Yaniv and Wiener 2010)."""
    ranking = _ranked(confidence, error)
    safe = np.where(ranking.hits * 20 <= ranking.accepted, ranking.accepted, 0)
    return np.asarray(safe.max(-1) / confidence.shape[-1])


STATISTICS: Mapping[str, Statistic] = {
    "mean": Statistic(_mean, width=1),
    "macro_f1": Statistic(_macro_f1),
    "precision": Statistic(_precision),
    "recall": Statistic(_recall),
    "f1": Statistic(_f1),
    "auroc": Statistic(_auroc),
    "average_precision": Statistic(_average_precision),
    "fpr95": Statistic(_fpr95),
    "recall_at_10_budget": Statistic(_recall_at_budget(10)),
    "recall_at_20_budget": Statistic(_recall_at_budget(20)),
    "ece15": Statistic(_ece15),
    "aurc": Statistic(_aurc),
    "coverage_at_5_risk": Statistic(_coverage_at_5_risk),
}
"""Name -> statistic. The formula and its source stand with each function above."""
