"""What is recorded of a suite, and the README's table that is made from it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml

from copilot.errors import InputError
from eval.compare import rows
from eval.expected import FOLDER, SLACK, load, load_all, record, table, write_table
from eval.metrics import Metric
from tests.test_eval_compare import IDS, hits, labels, run_of

ROOT = Path(__file__).parent.parent
DAY = date(2026, 11, 22)
ERRORS = Metric(
    name="errors",
    rows={id: 1 - float(row) for id, row in hits(30).rows.items() if not isinstance(row, tuple)},
    better="lower",
)
PROMISE = hits(0, name="citations.exact", invariant=True)


def test_the_readme_shows_the_recorded_results(tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    shutil.copy(ROOT / "README.md", copy)
    write_table(copy, table(load_all()))
    assert (ROOT / "README.md").read_text(encoding="utf-8") == copy.read_text(encoding="utf-8")


def test_what_is_shipped_as_recorded_is_whole() -> None:
    for suite, expected in load_all().items():
        recorded, _ = load(suite)
        assert recorded is not None, suite
        assert list(recorded.statistics) == list(expected.metrics)
        for name, mark in expected.metrics.items():
            assert len(recorded.rows(name)) == mark.n, (suite, name)


def test_what_was_recorded_is_what_is_loaded(tmp_path: Path) -> None:
    run = run_of(hits(4), labels(6), ERRORS, extra=("nothing-applies",))
    kept = record(run, ["hit@5", "intent.macro_f1"], DAY, tmp_path)
    recorded, expected = load("small", tmp_path)
    assert recorded is not None
    assert expected == kept
    assert (kept.date, kept.protocol, list(kept.metrics)) == (DAY, run.protocol.line(), ["hit@5", "intent.macro_f1"])
    assert recorded.statistics == {"hit@5": "mean", "intent.macro_f1": "macro_f1"}
    assert {name: recorded.rows(name) for name in recorded.statistics} == {
        name: rows(run, name) for name in recorded.statistics
    }
    assert recorded.rows("errors") == {}
    assert "nothing-applies" in recorded.cases


def test_a_band_is_the_worse_end_of_the_interval_and_a_little_more(tmp_path: Path) -> None:
    kept = record(run_of(hits(4), ERRORS, PROMISE), ["hit@5", "errors", "citations.exact"], DAY, tmp_path).metrics
    assert kept["hit@5"].band == pytest.approx(kept["hit@5"].low - 2 / 40)
    assert kept["errors"].band == pytest.approx(kept["errors"].high + 2 / 40)
    assert kept["citations.exact"].band == 1.0
    many = Metric(name="many", rows={str(number): float(number % 2) for number in range(400)})
    found = record(run_of(many), ["many"], DAY, tmp_path).metrics["many"]
    assert found.band == pytest.approx(found.low - SLACK)


def test_recording_one_suite_leaves_the_others_and_recording_again_gives_the_same_bytes(tmp_path: Path) -> None:
    record(run_of(hits(4)), ["hit@5"], DAY, tmp_path)
    record(run_of(hits(4), suite="other"), ["hit@5"], DAY, tmp_path)
    first = {file: file.read_bytes() for file in tmp_path.rglob("*.*")}
    record(run_of(hits(4)), ["hit@5"], DAY, tmp_path)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*.*")} == first
    assert list(load_all(tmp_path)) == ["other", "small"]


def test_the_record_holds_no_words_of_the_messages_and_one_case_a_line(tmp_path: Path) -> None:
    record(run_of(hits(4), labels()), ["hit@5", "intent.macro_f1"], DAY, tmp_path)
    text = (tmp_path / "data" / "small.recorded.json").read_text(encoding="utf-8")
    assert "SECRET" not in text
    assert '"case-00":[0.0,["a","a"]],\n"case-01":' in text


def test_a_folder_in_which_nothing_is_recorded_says_so(tmp_path: Path) -> None:
    assert load("small", tmp_path) == (None, None)
    assert table({}) == "Nothing is recorded yet: `copilot eval record` fills this table."


def test_what_cannot_be_gated_is_not_recorded(tmp_path: Path) -> None:
    run = run_of(hits(), Metric(name="length", rows={"x": 9.0}, better="neither"), Metric(name="none", rows={}))
    for name, words in (
        ("missing", "has no missing"),
        ("none", "has no none"),
        ("length", "good in neither direction"),
    ):
        with pytest.raises(InputError, match=words):
            record(run, ["hit@5", name], DAY, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../outside", "", "Über", "a/b", "a\n"])
def test_a_suite_cannot_be_named_after_a_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no name of a suite"):
        record(run_of(hits(), suite=name), ["hit@5"], DAY, tmp_path)
    with pytest.raises(InputError, match="no name of a suite"):
        load(name, tmp_path)


@pytest.mark.parametrize(
    "text", ["- a list", "small: {date: never}", "a: [", "small: {date: 2026-11-22, protocol: p, metrics: {m: {}}}"]
)
def test_an_expected_file_that_cannot_be_read_is_an_error_with_advice(text: str, tmp_path: Path) -> None:
    (tmp_path / "expected.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="copilot eval record"):
        load("small", tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"statistics":{"m":"mean"},"cases":{"x":[]}}', '{"statistics":{},"cases":{"x":["label"]}}']
)
def test_damaged_rows_are_an_error_with_advice(text: str, tmp_path: Path) -> None:
    record(run_of(hits()), ["hit@5"], DAY, tmp_path)
    (tmp_path / "data" / "small.recorded.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="copilot eval record"):
        load("small", tmp_path)


def test_a_band_changed_by_hand_is_what_is_loaded(tmp_path: Path) -> None:
    record(run_of(hits(4)), ["hit@5"], DAY, tmp_path)
    file = tmp_path / "expected.yaml"
    written = yaml.safe_load(file.read_text(encoding="utf-8"))
    written["small"]["metrics"]["hit@5"]["band"] = 0.25
    file.write_text(yaml.safe_dump(written), encoding="utf-8")
    assert load_all(tmp_path)["small"].metrics["hit@5"].band == 0.25


def test_the_shipped_file_tells_its_reader_what_a_band_is() -> None:
    text = " ".join((FOLDER / "expected.yaml").read_text(encoding="utf-8").replace("#", " ").split())
    assert (
        f"`band` is the worst end of the 95 % interval that the gate lets pass: the recorded low less {SLACK}" in text
    )


def test_the_table_has_a_line_for_each_metric_and_the_protocols_below(tmp_path: Path) -> None:
    kept = record(run_of(hits(4), PROMISE), ["hit@5", "citations.exact"], DAY, tmp_path)
    lines = table(load_all(tmp_path)).splitlines()
    mark = kept.metrics["hit@5"]
    assert lines[0] == "| metric | suite | value | 95 % interval | n |"
    assert lines[2:] == [
        f"| hit@5 | small | 0.900 | {mark.low:.3f} – {mark.high:.3f} | {len(IDS)} |",
        "| citations.exact | small | 1.000 | 1.000 – 1.000 | 40 |",
        "",
        f"- 2026-11-22, {kept.protocol}",
    ]


def test_the_table_goes_between_its_markers_and_nothing_else_changes(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("# Title\n<!-- results -->\nold\n<!-- /results -->\nMore.\n", encoding="utf-8")
    write_table(file, "| new |")
    write_table(file, "| new |")
    assert file.read_text(encoding="utf-8") == "# Title\n<!-- results -->\n| new |\n<!-- /results -->\nMore.\n"


@pytest.mark.parametrize(
    "text",
    [
        "no markers", "<!-- results -->", "<!-- /results --> <!-- results -->", "<!-- results --><!-- results --><!-- /results -->",
        "<!-- results --><!-- /results --><!-- /results -->", None,
    ],
)  # fmt: skip
def test_a_readme_without_its_markers_is_refused_and_left_alone(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="once each and in this order"):
        write_table(file, "table")
    assert text is None or file.read_text(encoding="utf-8") == text
