from __future__ import annotations

import json
from pathlib import Path

import pytest

from copilot.errors import InputError
from eval.suite import FOLDER, Suite, load

SUITES = sorted(file.stem for file in FOLDER.glob("*.yaml"))
SUITE = """
name: mine
about: A suite of my own.
corpus: [docs]
cases: [{path: cases.jsonl}]
metrics: [retrieval]
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    rows = [{"id": f"c{i}", "message": f"question {i}", "created": f"2026-01-{i:02d}"} for i in range(1, 10)]
    (tmp_path / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(SUITE, encoding="utf-8")
    return tmp_path / "mine.yaml"


@pytest.mark.parametrize("name", SUITES)
def test_every_shipped_suite_can_be_loaded(name: str) -> None:
    suite, overrides = load(name)
    assert suite.name == name
    assert overrides == {}
    assert suite.gates, "a suite that gates nothing holds nothing"


def test_settings_and_seed_are_changed_by_name(mine: Path) -> None:
    suite, overrides = load(str(mine), ["lexical_weight=0.3", "seed=11"])
    assert suite.settings == {"lexical_weight": "0.3"}
    assert suite.seed == 11
    assert overrides == {"lexical_weight": "0.3", "seed": "11"}


@pytest.mark.parametrize("change", ["lexical_weight", "=1", "seed=many"])
def test_a_change_that_is_none_is_refused(mine: Path, change: str) -> None:
    with pytest.raises(InputError):
        load(str(mine), [change])


def test_an_unknown_suite_names_those_that_there_are() -> None:
    with pytest.raises(InputError, match="demo"):
        load("nonsense")


@pytest.mark.parametrize("line", ["metrics: [astrology]", "name: Not A Name", "colour: red", "cases: []", "- a list"])
def test_a_broken_suite_says_what_is_wrong(mine: Path, line: str) -> None:
    mine.write_text(SUITE + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"mine\.yaml"):
        load(str(mine))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("settings: {home: /tmp/other}", r"settings\.home: .*COPILOT_HOME"),
        ("home: /tmp/other", r"home: .*COPILOT_HOME"),
        ("settings: {database: 'sqlite://'}", r"settings\.database: "),
        ("settings: {workspace: other}", "`workspace:` beside"),
        ("settings: {seed: 3}", "`seed:` beside"),
        ("settings: {exakt: true}", r"settings\.exakt: .*Did you mean exact\?"),
        ("settings: {COPILOT_EXACT: true}", r"Did you mean exact\?"),
        ("settings: {colour: red}", r"settings\.colour: there is no such setting\. docs"),
    ],
)
def test_a_setting_that_would_change_nothing_is_refused_with_what_to_do(mine: Path, line: str, told: str) -> None:
    mine.write_text(f"{SUITE}{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=told):
        load(str(mine))


def test_a_setting_that_is_changed_to_nothing_is_refused_too(mine: Path) -> None:
    with pytest.raises(InputError, match="COPILOT_HOME"):
        load(str(mine), ["home=/tmp/other"])


def changed(mine: Path, cases: str) -> Suite:
    mine.write_text(SUITE.replace("[{path: cases.jsonl}]", cases), encoding="utf-8")
    return load(str(mine))[0]


def test_a_time_window_keeps_its_cases_alone(mine: Path) -> None:
    suite = changed(mine, "[{path: cases.jsonl, since: 2026-01-03, until: 2026-01-05}]")
    assert [case.id for case in suite.load_cases()] == ["c3", "c4"]


def test_a_draw_is_the_same_each_time(mine: Path) -> None:
    suite = changed(mine, "[{path: cases.jsonl, limit: 4}]")
    ids = [case.id for case in suite.load_cases()]
    assert len(ids) == 4
    assert ids == [case.id for case in suite.load_cases()] == sorted(ids)


def test_another_companys_questions_have_no_answer_here(mine: Path) -> None:
    rows = [{"id": "x", "message": "why?", "gold_docs": ["d"], "intent": "i", "created": "2020-01-01"}]
    (mine.parent / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (case,) = changed(mine, "[{path: cases.jsonl, foreign: true}]").load_cases()
    assert case.answerable is False
    assert (case.gold_docs, case.intent) == (None, None)
    assert case.created is None  # everything that is known here may be used
    assert case.slices["origin"] == "foreign"


def test_a_case_of_another_workspace_is_foreign(mine: Path) -> None:
    rows = [
        {"id": "x", "message": "why?", "workspace": "elsewhere"},
        {"id": "y", "message": "how?", "workspace": "default"},
    ]
    (mine.parent / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert [case.answerable for case in load(str(mine))[0].load_cases()] == [False, None]


def test_what_readers_found_useful_is_asked_for_of_the_cases_that_they_read(mine: Path) -> None:
    lines = ['{"id": "c2", "grades": {"t3": 2, "t1": 0, "t2": 1}}', '{"id": "c3", "grades": {"t1": 0}}']
    (mine.parent / "grades.jsonl").write_text("\n".join(lines), encoding="utf-8")
    cases = changed(mine, "[{path: cases.jsonl, grades: grades.jsonl}]").load_cases()
    assert [(case.id, case.gold_docs, case.gold_tickets) for case in cases] == [
        ("c2", None, ("t2", "t3")),
        ("c3", None, None),
    ]


def test_a_grade_that_is_none_is_said_with_its_line(mine: Path) -> None:
    (mine.parent / "grades.jsonl").write_text('{"id": "c2", "grades": {"t3": 7}}', encoding="utf-8")
    with pytest.raises(InputError, match=r"grades\.jsonl, line 1: grades\.t3"):
        changed(mine, "[{path: cases.jsonl, grades: grades.jsonl}]").load_cases()


def test_no_case_left_is_an_error(mine: Path) -> None:
    with pytest.raises(InputError, match="no case left"):
        changed(mine, "[{path: cases.jsonl, since: 2030-01-01}]").load_cases()


def test_data_outside_is_found_by_the_environment(mine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    suite, _ = load(str(mine))
    with pytest.raises(InputError, match="COPILOT_EVAL_DATA"):
        suite.find("elsewhere/cases.jsonl")
    outside = tmp_path / "data" / "elsewhere"
    outside.mkdir(parents=True)
    (outside / "cases.jsonl").touch()
    monkeypatch.setenv("COPILOT_EVAL_DATA", str(tmp_path / "data"))
    assert suite.find("elsewhere/cases.jsonl") == outside / "cases.jsonl"


def test_an_id_stands_once_in_all_files_of_a_suite(mine: Path) -> None:
    with pytest.raises(InputError, match="'c1' stands there twice"):
        changed(mine, "[{path: cases.jsonl}, {path: cases.jsonl, limit: 9}]").load_cases()


@pytest.mark.parametrize("written", [b"- a list", b"name: caf\xe9", SUITE.encode() + b"name: again"])
def test_a_file_that_is_no_suite_says_so(mine: Path, written: bytes) -> None:
    mine.write_bytes(written)
    with pytest.raises(InputError, match=r"mine\.yaml cannot be used"):
        load(str(mine))


def test_a_folder_is_no_suite(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").mkdir()
    with pytest.raises(InputError, match=r"mine\.yaml"):
        load(str(tmp_path / "mine.yaml"))


def test_settings_that_nothing_was_written_under_are_none(mine: Path) -> None:
    mine.write_text(SUITE + "settings:\n", encoding="utf-8")
    assert load(str(mine))[0].settings == {}
