"""Statistics against scikit-learn and by hand, intervals against scipy, paired tests, Holm's correction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.stats import bootstrap
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score, roc_auc_score, roc_curve

from copilot.errors import InputError
from eval.metrics import Metric, Value
from eval.stats import STATISTICS, holm, interval, paired, score

Rows = list[Value]
BINARY = ("precision", "recall", "f1")
SCORED = [name for name in STATISTICS if name not in ("mean", "macro_f1", *BINARY)]


def by_scikit_learn(function: Callable[..., Any], **options: Any) -> Callable[[Rows], float]:
    """The statistic as scikit-learn computes it from (predicted, true) rows."""

    def peer(rows: Rows) -> float:
        predicted, true = columns(rows)
        return float(function(true, predicted, **options))

    return peer


def fpr95_by_scikit_learn(rows: Rows) -> float:
    score, truth = columns(rows)
    fpr, tpr, _ = roc_curve(truth, score, drop_intermediate=False)
    return float(fpr[np.argmax(tpr >= 0.95 - 1e-12)])


PEERS: dict[str, Callable[[Rows], float]] = {
    "macro_f1": by_scikit_learn(f1_score, average="macro"),
    "precision": by_scikit_learn(precision_score),
    "recall": by_scikit_learn(recall_score),
    "f1": by_scikit_learn(f1_score),
    "auroc": by_scikit_learn(roc_auc_score),
    "average_precision": by_scikit_learn(average_precision_score),
    "fpr95": fpr95_by_scikit_learn,
}


def drawn(statistic: str, seed: int, n: int = 60) -> Rows:
    """Random rows that suit the statistic; scores have ties."""
    rng = np.random.default_rng(seed)
    truth = [0.0, 1.0, *rng.integers(0, 2, n - 2).astype(float)]
    if statistic == "mean":
        return [float(value) for value in rng.random(n)]
    if statistic == "macro_f1":
        return [(f"label {a}", f"label {b}") for a, b in rng.integers(0, 7, (n, 2))]
    if statistic in BINARY:
        return [(float(one), true) for one, true in zip([0, 1, *rng.integers(0, 2, n - 2)], truth, strict=True)]
    return [(float(one), true) for one, true in zip(rng.random(n).round(1), truth, strict=True)]


def columns(rows: Rows) -> list[list[float]]:
    """The rows' numbers, column by column; labels by their last character."""
    tuples = [row if isinstance(row, tuple) else (row,) for row in rows]
    return [[float(one[-1]) if isinstance(one, str) else one for one in column] for column in zip(*tuples, strict=True)]


def keyed(rows: Sequence[Value]) -> dict[str, Value]:
    return {f"case {number:04}": row for number, row in enumerate(rows)}


# ---- the statistics ----


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("statistic", PEERS)
def test_a_statistic_agrees_with_scikit_learn_on_random_rows(statistic: str, seed: int) -> None:
    rows = drawn(statistic, seed)
    assert STATISTICS[statistic](rows) == pytest.approx(PEERS[statistic](rows), abs=1e-12)


# Five cases by falling score: 0.9 yes, 0.8 no, 0.6 yes, 0.6 no (a tie), 0.1 no.
FIVE: Rows = [(0.9, 1.0), (0.8, 0.0), (0.6, 1.0), (0.6, 0.0), (0.1, 0.0)]


@pytest.mark.parametrize(
    ("statistic", "rows", "expected"),
    [
        ("mean", [1.0, 0.0, 0.5], 0.5),
        ("macro_f1", [("a", "a"), ("b", "a"), ("b", "b")], (2 / 3 + 2 / 3) / 2),
        ("macro_f1", [("a", "a"), ("never true", "a")], (2 / 3 + 0) / 2),
        ("precision", [(1, 1), (1, 0), (0, 1)], 1 / 2),
        ("recall", [(1, 1), (0, 1), (0, 1)], 1 / 3),
        ("f1", [(1, 1), (1, 0), (0, 1), (0, 0)], 1 / 2),
        ("auroc", FIVE, (3 + 1.5) / 6),  # of six pairs the first positive wins three, the second one and a half
        ("average_precision", FIVE, (1 / 1 + 2 / 4) / 2),
        ("fpr95", FIVE, 2 / 3),
        ("recall_at_20_budget", FIVE, 1 / 2),
        ("recall_at_10_budget", FIVE, 1 / 2),  # a tenth of five cases is none: one is looked at
        ("recall_at_10_budget", [(0.5, 1.0), (0.5, 0.0), (0.5, 0.0), (0.5, 0.0)], 1 / 4),  # all tied: chance
        ("ece15", [(0.95, 1), (0.95, 0), (0.5, 1)], 2 / 3 * 0.45 + 1 / 3 * 0.5),
        ("ece15", [(0.0, 0), (1.0, 1)], 0),
        ("aurc", [(0.9, 0), (0.8, 1), (0.7, 0), (0.1, 1)], (0 + 1 / 2 + 1 / 3 + 2 / 4) / 4),
        ("aurc", [(0.5, 0), (0.5, 1)], 1 / 2),
        (
            "coverage_at_5_risk",
            [(1 - n / 100, float(n == 30)) for n in range(40)],
            40 / 40,
        ),  # one error in forty is safe
        ("coverage_at_5_risk", [(1 - n / 100, float(n in (10, 30))) for n in range(35)], 30 / 35),
        ("coverage_at_5_risk", [(0.9, 1), (0.8, 0)], 0),
        ("coverage_at_5_risk", [(0.9, 0), (0.8, 0), (0.8, 1)], 1 / 3),  # a threshold takes both cases of .8 or none
    ],
)
def test_a_statistic_worked_by_hand(statistic: str, rows: Rows, expected: float) -> None:
    assert STATISTICS[statistic](rows) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("statistic", "rows"),
    [
        ("mean", []),
        ("precision", [(0, 1), (0, 0)]),
        ("recall", [(1, 0), (0, 0)]),
        ("f1", [(0, 0)]),
        ("auroc", [(0.3, 1), (0.4, 1)]),
        ("average_precision", [(0.3, 0)]),
        ("fpr95", [(0.3, 1)]),
        ("fpr95", [(0.3, 0)]),
        ("recall_at_10_budget", [(0.3, 0)]),
    ],
)
def test_a_statistic_that_the_sample_cannot_define_is_nan(statistic: str, rows: Rows) -> None:
    assert np.isnan(STATISTICS[statistic](rows))


def ece_by_loop(confidence: list[float], correct: list[float]) -> float:
    gap = 0.0
    for number in range(15):
        inside = [k for k, one in enumerate(confidence) if number / 15 < one <= (number + 1) / 15]
        gap += abs(sum(correct[k] - confidence[k] for k in inside))
    return gap / len(confidence)


@pytest.mark.parametrize("seed", range(5))
def test_calibration_error_and_risk_agree_with_a_loop_where_no_confidence_is_tied(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows: Rows = [(float(one), float(rng.integers(0, 2))) for one in rng.random(50)]
    errors = np.cumsum(columns(sorted(rows, reverse=True, key=lambda row: columns([row])))[1])
    risks = [errors[k - 1] / k for k in range(1, 51)]
    assert STATISTICS["ece15"](rows) == pytest.approx(ece_by_loop(*columns(rows)), abs=1e-12)
    assert STATISTICS["aurc"](rows) == pytest.approx(np.mean(risks), abs=1e-12)
    safe = max([k / 50 for k in range(1, 51) if risks[k - 1] <= 0.05], default=0)
    assert STATISTICS["coverage_at_5_risk"](rows) == safe


@pytest.mark.parametrize("statistic", ["aurc", "recall_at_20_budget"])
def test_tied_cases_count_as_a_random_order_does_on_average(statistic: str) -> None:
    rows, rng = drawn(statistic, seed=3, n=20), np.random.default_rng(0)
    score, truth = columns(rows)
    shaken = [list(zip(score + rng.random(20) / 1e6, truth, strict=True)) for _ in range(4000)]
    average = np.mean([STATISTICS[statistic](list[Value](one)) for one in shaken])
    assert STATISTICS[statistic](rows) == pytest.approx(average, abs=0.005)


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 1.0]), st.sampled_from([0.0, 1.0])), min_size=1, max_size=30),
    st.randoms(),
)
@hypothesis_settings(max_examples=50, deadline=None)
def test_no_statistic_depends_on_the_order_of_its_rows_or_leaves_0_to_1(
    pairs: list[tuple[float, float]], random: Any
) -> None:
    rows: Rows = list(pairs)
    mixed = random.sample(rows, len(rows))
    for statistic in SCORED:
        value = STATISTICS[statistic](rows)
        assert STATISTICS[statistic](mixed) == pytest.approx(value, abs=1e-12, nan_ok=True)
        assert np.isnan(value) or -1e-12 <= value <= 1 + 1e-12


@pytest.mark.parametrize("statistic", STATISTICS)
def test_many_samples_at_once_give_what_each_gives_alone(statistic: str) -> None:
    samples = [drawn(statistic, seed) for seed in range(4)]
    together = STATISTICS[statistic].over(*np.array([columns(rows) for rows in samples]).swapaxes(0, 1))
    assert together == pytest.approx([STATISTICS[statistic](rows) for rows in samples], abs=1e-12)


def test_an_unknown_statistic_and_rows_of_the_wrong_shape_are_refused_with_what_is_right() -> None:
    with pytest.raises(InputError, match=r"no statistic 'median'\. Known are: mean"):
        interval([1.0], "median", 0, 10)
    with pytest.raises(InputError, match="holds 2 value"):
        interval([1.0], "auroc", 0, 10)


# ---- intervals ----


@pytest.mark.parametrize("statistic", ["mean", "auroc", "f1"])
def test_an_interval_is_the_percentile_bootstrap_of_scipy(statistic: str) -> None:
    rows = drawn(statistic, seed=1)

    def over(*samples: Any, axis: int) -> Any:
        return STATISTICS[statistic].over(*samples)

    theirs = bootstrap(
        columns(rows),
        over,
        paired=True,
        vectorized=True,
        n_resamples=500,
        method="percentile",
        rng=np.random.default_rng(9),
    ).confidence_interval
    value, low, high = interval(rows, statistic, seed=9, resamples=500)
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)
    assert low < value < high


@pytest.mark.parametrize("statistic", STATISTICS)
def test_one_case_or_the_same_row_everywhere_gives_an_interval_of_no_width(statistic: str) -> None:
    for rows in (drawn(statistic, seed=0)[1:2], drawn(statistic, seed=0)[1:2] * 30):
        value, low, high = interval(rows, statistic, seed=0, resamples=100)
        assert (value, value) == pytest.approx((low, high), abs=0, nan_ok=True)


def test_resamples_on_which_the_statistic_is_undefined_are_left_out() -> None:
    rows: Rows = [(0.9, 1.0), (0.1, 0.0), (0.2, 0.0)]  # most resamples that miss the only positive give nan
    assert interval(rows, "auroc", seed=0, resamples=200) == (1.0, 1.0, 1.0)
    assert np.isnan(interval([(0.9, 1.0)], "auroc", seed=0, resamples=200)).all()


def test_a_score_does_not_depend_on_the_order_in_which_the_rows_were_kept() -> None:
    rows = keyed(drawn("mean", seed=4))
    turned = dict(reversed(rows.items()))
    first, second = (score(Metric(name="m", rows=one, about="It."), seed=7, resamples=300) for one in (rows, turned))
    assert first == second
    assert (first.n, first.name, first.about, first.statistic) == (60, "m", "It.", "mean")
    assert first != score(Metric(name="m", rows=rows, about="It."), seed=8, resamples=300)


def test_a_zero_has_no_sign() -> None:
    assert str(interval([-1e-9, -1e-9], "mean", 0, 10)) == "(0.0, 0.0, 0.0)"


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_thousand_resamples_of_300_cases_take_less_than_a_second(statistic: str) -> None:
    rows = drawn(statistic, seed=0, n=300)
    begun = perf_counter()
    interval(rows, statistic, seed=0, resamples=1000)
    assert perf_counter() - begun < 1


def test_an_interval_holds_the_truth_about_19_times_in_20() -> None:
    rng = np.random.default_rng(0)
    found = [interval([float(one) for one in rng.random(80) < 0.6], "mean", 0, 300) for _ in range(300)]
    assert 0.90 < np.mean([low <= 0.6 <= high for _, low, high in found]) < 0.98


# ---- pairs ----


def test_the_paired_difference_is_taken_over_the_cases_that_both_have() -> None:
    a: dict[str, Value] = {"x": 0.0, "y": 1.0, "only a": 1.0}
    b: dict[str, Value] = {"y": 1.0, "x": 1.0, "only b": 0.0}
    found = paired(a, b, "mean", seed=0, resamples=200)
    assert (found.n, found.a, found.b, found.difference) == (2, 0.5, 1.0, 0.5)


def test_p_of_a_mean_is_exact_where_few_cases_moved() -> None:
    a = keyed([0.0] * 5 + [1.0] * 50)
    b = keyed([1.0] * 5 + [1.0] * 50)
    assert paired(a, b, "mean", seed=0, resamples=1000).p == pytest.approx(2 / 2**5)  # all up or all down, of 32 ways


@pytest.mark.parametrize("statistic", STATISTICS)
def test_runs_that_agree_on_every_case_differ_by_nothing(statistic: str) -> None:
    rows = keyed(drawn(statistic, seed=2))
    found = paired(rows, rows, statistic, seed=0, resamples=200)
    assert (found.difference, found.low, found.high, found.p, found.n) == (0, 0, 0, 1, 60)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_turning_the_runs_round_turns_the_difference_round(statistic: str) -> None:
    a, b = keyed(drawn(statistic, seed=5)), keyed(drawn(statistic, seed=6))
    there, back = paired(a, b, statistic, 0, 400), paired(b, a, statistic, 0, 400)
    assert (there.difference, there.low, there.high) == pytest.approx(
        (-back.difference, -back.high, -back.low), abs=2e-6
    )
    assert there.p == pytest.approx(back.p, abs=1e-6)


@pytest.mark.parametrize("statistic", ["mean", "macro_f1", "auroc", "aurc"])
def test_a_plain_change_has_a_small_p_and_an_interval_beside_0(statistic: str) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 200).astype(float)
    noise = rng.random(200)
    good: dict[str, list[Value]] = {
        "mean": [float(one) for one in noise + 0.3],
        "macro_f1": [(str(one), str(one)) for one in truth],
        "auroc": [(float(one), float(true)) for one, true in zip(noise + truth, truth, strict=True)],
        "aurc": [(float(one), float(true)) for one, true in zip(noise - truth, truth, strict=True)],
    }
    bad: dict[str, list[Value]] = {
        "mean": [float(one) for one in rng.random(200)],
        "macro_f1": [(str(float(one)), str(true)) for one, true in zip(rng.integers(0, 2, 200), truth, strict=True)],
        "auroc": [(float(one), float(true)) for one, true in zip(noise, truth, strict=True)],
        "aurc": [(float(one), float(true)) for one, true in zip(noise, truth, strict=True)],
    }
    found = paired(keyed(good[statistic]), keyed(bad[statistic]), statistic, seed=0, resamples=999)
    assert found.p < 0.01
    assert found.low > 0 if statistic == "aurc" else found.high < 0


def test_p_is_even_where_nothing_changed_but_the_draw() -> None:
    rng = np.random.default_rng(1)
    p = [paired(keyed(list(rng.random(30))), keyed(list(rng.random(30))), "mean", 0, 200).p for _ in range(200)]
    assert 0.01 < np.mean([one < 0.05 for one in p]) < 0.1


def test_runs_that_share_no_case_cannot_be_paired() -> None:
    with pytest.raises(InputError, match="share no case"):
        paired({"x": 1.0}, {"y": 1.0}, "mean", 0, 10)


# ---- many tests ----


def test_holm_on_the_textbook_example() -> None:
    # Four tests at .01, .04, .03 and .005: .005 × 4, .01 × 3, .03 × 2, and .04 × 1 lifted to its forerunner.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=20))
def test_holm_keeps_the_order_and_never_makes_p_smaller(p: list[float]) -> None:
    corrected = holm(p)
    assert all(one <= after <= 1 for one, after in zip(p, corrected, strict=True))
    pairs = sorted(zip(p, corrected, strict=True))
    assert [after for _, after in pairs] == sorted(corrected)
    assert not p or min(corrected) == min(1.0, min(p) * len(p))
