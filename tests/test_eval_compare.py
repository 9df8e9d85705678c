"""Two runs compared: paired differences, verdicts, wins and losses, what cannot be compared and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from copilot.errors import InputError
from eval.compare import cases, compare, gain
from eval.metrics import Metric, Value
from eval.record import CaseRecord, Protocol, Run
from eval.stats import score

IDS = [f"case-{number:02}" for number in range(40)]
PROTOCOL = Protocol(
    suite="small", corpus="c0ffee", documents=3, index_revision="1", cases="beef", split="all", unit="message", model="minilm",
    llm=None, prompts="p1", settings="s1", overrides={}, seed=7, resamples=200, commit="abc1234", door="process",
)  # fmt: skip


def run_of(*metrics: Metric, extra: tuple[str, ...] = (), **protocol: Any) -> Run:
    """A run that found these metrics; `extra` are cases that no metric applies to."""
    made = replace(PROTOCOL, **protocol)
    ids = sorted({case for metric in metrics for case in metric.rows} | set(extra))
    records = tuple(
        CaseRecord(
            id=id, rows={metric.name: metric.rows[id] for metric in metrics if id in metric.rows}, case={"text": "SECRET words"},
            suggestion={}, ranked={},
        )
        for id in ids
    )  # fmt: skip
    scores = tuple(score(metric, made.seed, made.resamples) for metric in metrics)
    return Run(name=made.suite, protocol=made, scores=scores, slices=(), notes=(), records=records)


def hits(misses: int = 0, **options: Any) -> Metric:
    """A metric of zeros and ones, with so many zeros."""
    rows: dict[str, Value] = {id: float(number >= misses) for number, id in enumerate(IDS)}
    return Metric(**{"name": "hit@5", "rows": rows, **options})


def labels(wrong: int = 0) -> Metric:
    """An intent's labels, so many of them wrong."""
    rows: dict[str, Value] = {
        id: ("other" if number < wrong else "ab"[number % 2], "ab"[number % 2]) for number, id in enumerate(IDS)
    }
    return Metric(name="intent.macro_f1", rows=rows, statistic="macro_f1")


def test_a_metric_that_fell_is_worse_and_one_that_rose_is_better() -> None:
    a = run_of(hits(2), labels(12), Metric(name="errors", rows=hits(30).rows, better="lower"))
    b = run_of(hits(14), labels(0), Metric(name="errors", rows=hits(10).rows, better="lower"))
    fell, rose, errors = compare(a, b).differences
    assert (fell.name, fell.verdict, fell.a, fell.b, fell.difference, fell.n) == (
        "hit@5",
        "worse",
        0.95,
        0.65,
        -0.3,
        40,
    )
    assert fell.low < fell.difference < fell.high < 0
    assert (rose.name, rose.verdict, rose.b) == ("intent.macro_f1", "better", 1.0)
    assert (errors.name, errors.verdict, errors.difference) == ("errors", "worse", 0.5)


def test_a_difference_that_chance_explains_is_the_same_and_no_verdict_falls_where_no_direction_is_good() -> None:
    a = run_of(hits(2), Metric(name="words", rows=hits(0).rows, better="neither"))
    b = run_of(hits(4), Metric(name="words", rows=hits(20).rows, better="neither"))
    small, neither = compare(a, b).differences
    assert (small.difference, small.verdict) == (-0.05, "same")
    assert (neither.difference, neither.verdict) == (-0.5, None)
    assert neither.p_holm < 0.05


def test_a_verdict_needs_a_p_that_stands_up_to_the_number_of_metrics() -> None:
    one = compare(run_of(hits(0)), run_of(hits(6)))
    others = [hits(0, name=f"still {number}") for number in range(9)]
    ten = compare(run_of(hits(0), *others), run_of(hits(6), *others))
    alone, among = one.differences[0], ten.differences[0]
    assert alone.p == among.p == alone.p_holm == 2 / 2**6
    assert among.p_holm == 10 * 2 / 2**6
    assert (alone.verdict, among.verdict) == ("worse", "same")


def test_the_same_runs_give_the_same_comparison() -> None:
    a, b = run_of(hits(2), labels(3)), run_of(hits(9), labels(5))
    assert compare(a, b) == compare(a, b)


def test_wins_and_losses_are_counted_and_named_worst_first() -> None:
    a = Metric(name="f1", rows={"w": 0.2, "x": 0.9, "y": 0.5, "z": 0.7})
    b = Metric(name="f1", rows={"w": 0.6, "x": 0.8, "y": 0.5, "z": 0.1})
    runs = run_of(a), run_of(b)
    assert cases(*runs, "f1") == [("z", 0.7, 0.1), ("x", 0.9, 0.8), ("w", 0.2, 0.6)]
    found = compare(*runs).difference("f1")
    assert found is not None
    assert (found.wins, found.losses) == (1, 2)


def test_a_label_wins_by_being_right_and_a_score_by_moving_towards_the_truth() -> None:
    a, b = labels(2), labels(0)
    assert [case for case, *_ in cases(run_of(a), run_of(b), a.name)] == IDS[:2]
    found = compare(run_of(a), run_of(b)).differences[0]
    assert (found.wins, found.losses) == (2, 0)


@pytest.mark.parametrize(
    ("statistic", "better", "before", "after", "wins"),
    [
        ("mean", "higher", 0.1, 0.2, True),
        ("mean", "lower", 0.1, 0.2, False),
        ("f1", "higher", (1.0, 1.0), (0.0, 1.0), False),
        ("auroc", "higher", (0.4, 1.0), (0.6, 1.0), True),
        ("auroc", "higher", (0.4, 0.0), (0.6, 0.0), False),
        ("fpr95", "lower", (0.4, 0.0), (0.6, 0.0), False),
        ("ece15", "lower", (0.9, 0.0), (0.9, 1.0), True),
        ("aurc", "lower", (0.9, 0.0), (0.9, 1.0), False),
        ("coverage_at_5_risk", "higher", (0.9, 1.0), (0.2, 1.0), True),
    ],
)
def test_what_a_win_is_depends_on_the_statistic(
    statistic: str, better: Any, before: Value, after: Value, wins: bool
) -> None:
    measured = score(Metric(name="m", rows={"x": before}, statistic=statistic, better=better), 0, 10)
    assert (gain(measured, ("x", before, after)) > 0) is wins
    assert (gain(measured, ("x", after, before)) < 0) is wins


def test_runs_that_share_no_case_are_refused() -> None:
    with pytest.raises(InputError, match="share no case"):
        compare(run_of(hits()), run_of(Metric(name="hit@5", rows={"elsewhere": 1.0})))


def test_the_notes_tell_line_by_line_how_the_protocols_differ() -> None:
    a = run_of(hits())
    b = run_of(hits(), corpus="bead", llm="tiny", overrides={"lexical_weight": "0", "depth": "5"})
    assert compare(a, a).notes == ()
    assert compare(a, b).notes == (
        "corpus: c0ffee in the first run, bead in the second",
        "llm: none in the first run, tiny in the second",
        "overrides: none in the first run, depth=5, lexical_weight=0 in the second",
    )


def test_cases_of_one_run_alone_are_left_out_and_counted() -> None:
    a = run_of(hits(), extra=("only-a",))
    b = run_of(Metric(name="hit@5", rows=dict.fromkeys(IDS[:30], 0.0)))
    found = compare(a, b)
    assert (found.cases, found.differences[0].n, found.differences[0].a) == (30, 30, 1.0)
    assert found.notes == ("11 cases are in the first run alone and are left out",)


def test_a_metric_that_cannot_be_paired_is_left_out_and_the_note_says_why() -> None:
    shared = hits()
    a = run_of(
        shared, Metric(name="gone", rows={IDS[0]: 1.0}), Metric(name="moved", rows={IDS[0]: 1.0}), labels(),
        Metric(name="one class", rows={IDS[0]: (0.5, 1.0), IDS[1]: (0.5, 0.0)}, statistic="auroc"),
    )  # fmt: skip
    b = run_of(
        shared, Metric(name="new", rows={IDS[0]: 1.0}), Metric(name="moved", rows={IDS[1]: 1.0}),
        Metric(name="intent.macro_f1", rows={IDS[0]: 1.0}),
        Metric(name="one class", rows={IDS[0]: (0.5, 1.0), IDS[2]: (0.5, 0.0)}, statistic="auroc"),
    )  # fmt: skip
    found = compare(a, b)
    assert [one.name for one in found.differences] == ["hit@5"]
    assert found.difference("gone") is None
    assert found.notes == (
        "gone is not compared: the second run does not measure it.",
        "moved is not compared: it applies to no case of both runs.",
        "intent.macro_f1 is not compared: it is macro_f1 in the first run and mean in the second.",
        "one class is not compared: it is undefined on the common cases.",
        "new is not compared: the first run does not measure it.",
    )
    with pytest.raises(InputError, match="gone cannot be compared: the second run does not measure it"):
        cases(a, b, "gone")
