"""The gate: green on a healthy run, red and by name on each kind of planted regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from eval.expected import load, record
from eval.gate import Failure, gate
from eval.metrics import Metric, Value
from eval.record import Run, read, write
from tests.test_eval_compare import IDS, hits, labels, run_of

DAY = date(2026, 11, 22)
GATED = ("hit@5", "intent.macro_f1", "ece", "citations.exact")
Rows = dict[str, Value]


def ece(confidence: float = 0.9) -> Metric:
    rows: Rows = {id: (confidence, float(number % 10 > 0)) for number, id in enumerate(IDS)}
    return Metric(name="ece", rows=rows, statistic="ece15", better="lower")


def exact(broken: Sequence[str] = ()) -> Metric:
    return Metric(name="citations.exact", rows={id: float(id not in broken) for id in IDS}, invariant=True)


def healthy() -> Run:
    return run_of(hits(8), labels(4), ece(), exact())


def gated(run: Run, folder: Path, names: Sequence[str] = GATED) -> list[Failure]:
    return gate(run, *load("small", folder), names)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the healthy run is recorded."""
    record(healthy(), GATED, DAY, tmp_path)
    return tmp_path


def test_the_run_that_was_recorded_is_green_even_after_it_was_on_disk(folder: Path) -> None:
    assert gated(healthy(), folder) == []
    write(healthy(), folder / "run")
    assert gated(read(folder / "run"), folder) == []


def test_a_better_run_is_green(folder: Path) -> None:
    assert gated(run_of(hits(1), labels(0), ece(), exact()), folder) == []


def test_a_case_that_flips_is_no_regression(folder: Path) -> None:
    assert gated(run_of(hits(9), labels(5), ece(), exact()), folder, ["hit@5"]) == []


def test_worse_retrieval_turns_the_gate_red_by_name_and_says_by_how_much(folder: Path) -> None:
    fallen, out = gated(run_of(hits(20), labels(4), ece(), exact()), folder)
    assert {fallen.metric, out.metric} == {"hit@5"}
    assert (
        "hit@5 fell by 0.300, from 0.800 to 0.500, against the run recorded on 2026-11-22 (paired over 40 cases"
        in fallen.words
    )
    assert "the lower end of its interval is 0." in out.words
    assert "below its band of 0." in out.words


def test_shuffled_intents_turn_the_gate_red_by_name(folder: Path) -> None:
    recorded = labels(4).rows
    said = np.random.default_rng(0).permutation([row[0] for row in recorded.values() if isinstance(row, tuple)])
    shuffled: Rows = {
        id: (str(one), row[1]) for one, (id, row) in zip(said, recorded.items(), strict=True) if isinstance(row, tuple)
    }
    failures = gated(run_of(hits(8), replace(labels(), rows=shuffled), ece(), exact()), folder)
    assert {one.metric for one in failures} == {"intent.macro_f1"}
    assert "intent.macro_f1 fell by" in failures[0].words


def test_a_citation_off_by_one_character_turns_the_gate_red_and_names_the_cases(folder: Path) -> None:
    failures = gated(run_of(hits(8), labels(4), ece(), exact(broken=IDS[3:5])), folder, ["hit@5"])
    assert failures == [
        Failure(
            metric="citations.exact",
            words="citations.exact is a promise and broken on 2 of 40 cases: case-03, case-04.",
        )
    ]


def test_many_broken_cases_are_counted_and_the_first_few_named(folder: Path) -> None:
    broken, *_ = gated(run_of(exact(broken=IDS)), folder)
    assert broken.words.endswith("broken on 40 of 40 cases: case-00, case-01, case-02, case-03, case-04 and 35 more.")


@pytest.mark.parametrize("row", [0.999, float("nan"), (1.0, 1.0)])
def test_an_invariant_holds_at_1_and_nowhere_else(row: Value, folder: Path) -> None:
    whole = run_of(exact())
    spoilt = replace(whole, records=(replace(whole.records[0], rows={"citations.exact": row}), *whole.records[1:]))
    assert [one.metric for one in gated(spoilt, folder, [])] == ["citations.exact"]
    assert gated(whole, folder, []) == []


def test_where_lower_is_better_a_rise_is_the_regression(folder: Path) -> None:
    rose, out = gated(run_of(hits(8), labels(4), ece(0.4), exact()), folder)
    assert {rose.metric, out.metric} == {"ece"}
    assert "ece rose by 0.500, from 0.000 to 0.500" in rose.words
    assert "the upper end of its interval" in out.words
    assert "above its band" in out.words


def test_a_lower_bound_that_leaves_its_band_is_red_without_any_paired_difference(folder: Path) -> None:
    recorded, expected = load("small", folder)
    assert expected is not None
    raised = {name: replace(mark, band=0.9) if name == "hit@5" else mark for name, mark in expected.metrics.items()}
    (failure,) = gate(healthy(), recorded, replace(expected, metrics=raised), GATED)
    mark = expected.metrics["hit@5"]
    assert failure == Failure(
        metric="hit@5",
        words=f"hit@5: the lower end of its interval is {mark.low:.3f}, below its band of 0.900 by {0.9 - mark.low:.3f} "
        "(value 0.800; recorded 0.800 on 2026-11-22).",
    )


def test_a_small_fall_that_every_changed_case_shares_is_red_within_its_band(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    before: Rows = {id: float(value) for id, value in zip(IDS, rng.random(40), strict=True)}
    after: Rows = {id: value - 0.004 for id, value in before.items() if not isinstance(value, tuple)}
    record(run_of(Metric(name="f1", rows=before)), ["f1"], DAY, tmp_path)
    (failure,) = gated(run_of(Metric(name="f1", rows=after)), tmp_path, ["f1"])
    assert "f1 fell by 0.004" in failure.words


def test_a_gated_metric_that_is_not_measured_is_red(folder: Path) -> None:
    (failure,) = gated(run_of(hits(8), labels(4), exact()), folder)
    assert failure == Failure(metric="ece", words="ece is gated, and the run does not measure it.")


def test_a_gate_that_was_never_recorded_asks_for_a_record(folder: Path) -> None:
    run = run_of(hits(8), labels(4), ece(), exact(), hits(0, name="new"))
    (failure,) = gated(run, folder, [*GATED, "new"])
    assert failure.metric == "new"
    assert "copilot eval record" in failure.words


def test_a_metric_that_is_summed_up_otherwise_than_recorded_asks_for_a_record(folder: Path) -> None:
    other = Metric(name="ece", rows=ece().rows, statistic="aurc", better="lower")
    (failure,) = gated(run_of(hits(8), labels(4), other, exact()), folder)
    assert (failure.metric, "copilot eval record" in failure.words) == ("ece", True)


def test_a_suite_that_was_never_recorded_asks_for_a_record_and_its_invariants_count_all_the_same(
    tmp_path: Path,
) -> None:
    broken, unknown = gated(run_of(hits(8), exact(broken=IDS[:1])), tmp_path, ["hit@5"])
    assert broken.metric == "citations.exact"
    assert unknown.words == (
        "Nothing is recorded for the suite small: look at the run, and keep it with `copilot eval record`."
    )


def test_leaving_the_hard_cases_out_does_not_turn_the_gate_green(folder: Path) -> None:
    easy = [replace(one, rows=dict(list(one.rows.items())[8:])) for one in (hits(8), labels(4), ece(), exact())]
    failures = gated(run_of(*easy), folder, ["hit@5", "citations.exact"])
    assert [one.metric for one in failures] == ["cases"]
    assert "8 of 40 recorded cases were not asked: case-00, case-01" in failures[0].words


def test_a_metric_that_applies_to_other_cases_than_recorded_is_red(tmp_path: Path) -> None:
    one, other = Metric(name="f1", rows={"x": 1.0}), Metric(name="f1", rows={"y": 1.0})
    record(run_of(one, extra=("y",)), ["f1"], DAY, tmp_path)
    (failure,) = gated(run_of(other, extra=("x",)), tmp_path, ["f1"])
    assert "applies to none of the cases that it was recorded on" in failure.words


def test_a_metric_that_is_undefined_on_its_recorded_cases_is_red(tmp_path: Path) -> None:
    before: Rows = {"x": (0.9, 1.0), "y": (0.1, 0.0)}
    after: Rows = {"x": (0.9, 1.0), "z": (0.1, 0.0)}
    record(run_of(Metric(name="auroc", rows=before, statistic="auroc"), extra=("z",)), ["auroc"], DAY, tmp_path)
    (failure,) = gated(run_of(Metric(name="auroc", rows=after, statistic="auroc"), extra=("y",)), tmp_path, ["auroc"])
    assert failure.words == "auroc is undefined on the 1 cases that it was recorded on."
