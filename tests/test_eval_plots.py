"""Plots: there where the data is, the same bytes each time, in the page's own colours."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any
from xml.etree import ElementTree

import pytest

from eval.plots import plots
from eval.record import CaseRecord, Run
from tests.eval_cases import case, draft, suggestion
from tests.eval_runs import record, run, score, sliced, times

MOODS = ("neutral", "positive", "very_negative")


def cases(count: int = 6) -> list[CaseRecord]:
    return [one(number) for number in range(count)]


def one(number: int) -> CaseRecord:
    rows: dict[str, Any] = {
        "abstention__aurc": (number / 10, float(number % 2)), "triage__intent__ece": (number / 10, 1.0),
        "triage__intent__macro_f1": (f"intent_{number % 3}", f"intent_{number % 2}"),
        "triage__sentiment__ece": (0.5, 0.0), "triage__sentiment__macro_f1": (MOODS[number % 3], "neutral"),
    }  # fmt: skip
    return record(case(f"c{number}"), suggestion(draft(("Do this.", ()))), **rows)


SCORES = (
    *(score(f"retrieval.{kind}.{name}@{k}", k / 20) for kind in ("article", "ticket") for name in ("hit", "recall") for k in (1, 3, 5, 10)),
    score("abstention.aurc", statistic="aurc", better="lower"), score("triage.intent.ece", statistic="ece15", better="lower"),
    score("triage.intent.macro_f1", statistic="macro_f1"), score("triage.sentiment.ece", statistic="ece15", better="lower"),
    score("triage.sentiment.macro_f1", statistic="macro_f1"),
)  # fmt: skip
SLICES = tuple(sliced("retrieval.article.hit@5", "channel", value) for value in ("chat", "email"))
ALL = [
    "retrieval-article", "retrieval-ticket", "risk-coverage", "reliability-intent", "reliability-sentiment", "latency",
    "confusion-intent", "confusion-sentiment", "slices",
]  # fmt: skip


@pytest.fixture(scope="module")
def whole() -> Run:
    return run(*cases(), scores=SCORES, slices=SLICES, times=times(10, 20, 30, 90))


def test_a_run_with_everything_has_every_plot(whole: Run) -> None:
    assert [plot.key for plot in plots(whole)] == ALL


def test_a_run_without_data_has_no_plot_and_no_empty_box() -> None:
    assert plots(run()) == ()
    assert plots(run(record(), times=times())) == ()


@pytest.mark.parametrize(
    ("missing", "plot"),
    [("retrieval.ticket", "retrieval-ticket"), ("abstention", "risk-coverage"), ("triage.sentiment.ece", "reliability-sentiment"),
     ("triage.intent.macro_f1", "confusion-intent")],
)  # fmt: skip
def test_what_was_not_measured_is_left_out_and_the_rest_stays(whole: Run, missing: str, plot: str) -> None:
    scores = [one for one in SCORES if not one.name.startswith(missing)]
    less = run(*whole.records, scores=scores, slices=SLICES, times=whole.times)
    assert [one.key for one in plots(less)] == [key for key in ALL if key != plot]


def test_the_same_run_gives_the_same_bytes(whole: Run) -> None:
    assert plots(whole) == plots(whole)


def test_colours_are_the_pages_own_so_that_both_themes_and_paper_read(whole: Run) -> None:
    for plot in plots(whole):
        assert "var(--accent)" in plot.svg
        assert not re.findall(r"#[0-9a-fA-F]{6}", re.sub(r'(?:href|url\()="?#[^"]*', "", plot.svg))


def test_each_plot_is_well_formed_named_and_has_ids_of_its_own(whole: Run) -> None:
    roots = [ElementTree.fromstring(plot.svg) for plot in plots(whole)]
    ids = Counter(element.attrib["id"] for root in roots for element in root.iter() if "id" in element.attrib)
    assert set(ids.values()) == {1}
    for root in roots:
        assert root.attrib["role"] == "img"
        assert root[0].attrib["id"] == root.attrib["aria-labelledby"]
        assert root[0].text
        used = [
            reference
            for element in root.iter()
            for value in element.attrib.values()
            for reference in re.findall(r"url\(#([^)]*)\)", value)
        ]
        assert set(used) <= ids.keys()


def test_words_are_text_and_hostile_labels_are_only_text() -> None:
    label = '</svg><script>alert(1)</script>$\\frac{" onload="x'
    row: dict[str, Any] = {"triage__intent__macro_f1": (label, "refund")}
    (plot,) = plots(run(record(**row), scores=[score("triage.intent.macro_f1", statistic="macro_f1")]))
    assert "<script" not in plot.svg
    texts = [element.text or "" for element in ElementTree.fromstring(plot.svg).iter("text")]
    assert any(text.startswith("</svg><script>") for text in texts)


def test_signs_that_the_measuring_font_lacks_are_drawn_by_the_readers_fonts() -> None:
    row: dict[str, Any] = {"triage__intent__macro_f1": ("返金", "返金")}
    (plot,) = plots(run(record(**row), scores=[score("triage.intent.macro_f1", statistic="macro_f1")]))
    assert "返金" in plot.svg


def test_a_confusion_of_many_labels_gathers_the_rarest() -> None:
    rows: list[dict[str, Any]] = [{"triage__intent__macro_f1": (f"intent {n}", f"intent {n}")} for n in range(60)]
    records = [record(case(f"c{n}"), **row) for n, row in enumerate(rows)]
    (plot,) = plots(run(*records, scores=[score("triage.intent.macro_f1", statistic="macro_f1")]))
    texts = [element.text or "" for element in ElementTree.fromstring(plot.svg).iter("text")]
    assert sum(text.startswith("intent") for text in texts) == 2 * 23
    assert any(text.startswith("(all others)") for text in texts)


def test_the_operating_point_is_the_share_that_was_answered(whole: Run) -> None:
    wrong: dict[str, Any] = {"abstention__aurc": (0.1, 1.0)}
    silent = [record(case(f"s{n}"), **wrong) for n in range(2)]
    found = {plot.key: plot for plot in plots(run(*whole.records, *silent, scores=SCORES))}
    assert "this run: a draft for 6 of 8, 3 of them wrong" in found["risk-coverage"].svg


def test_an_undefined_score_leaves_its_point_out() -> None:
    scores = [score(f"retrieval.article.hit@{k}", float("nan") if k == 3 else 0.5) for k in (1, 3, 5)]
    (plot,) = plots(run(scores=scores))
    texts = [element.text for element in ElementTree.fromstring(plot.svg).iter("text")]
    assert "3" not in texts
    assert {"1", "5"} <= set(texts)


def test_no_axis_of_shares_goes_beyond_one_hundred_percent(whole: Run) -> None:
    for plot in plots(whole):
        shares = re.findall(r">(\d+)%<", plot.svg)
        assert all(int(share) <= 100 for share in shares), plot.key
    assert re.search(r">100%<", next(plot.svg for plot in plots(whole) if plot.key == "risk-coverage"))


def test_the_risk_plot_says_what_is_wrong_and_of_how_many(whole: Run) -> None:
    says = next(plot.says for plot in plots(whole) if plot.key == "risk-coverage")
    assert says.startswith("Of the 6 cases")
    assert "wrong is" in says


def test_labels_that_the_copilot_does_not_have_are_owned_up_to() -> None:
    rows: dict[str, Any] = {"triage__intent__macro_f1": ("billing", "junk_spam")}
    scores = [score("triage.intent.macro_f1", statistic="macro_f1")]
    (plot,) = plots(run(record(case(intent="junk_spam"), **rows), scores=scores))
    (known,) = plots(run(record(case(intent="billing"), **rows), scores=scores))
    assert "1 of the 1 labels are none that this copilot has" in plot.says
    assert "labels" not in known.says
