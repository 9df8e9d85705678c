"""`copilot eval` as evaluators type it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from copilot.errors import InputError
from eval.commands import register
from tests.conftest import write_company
from tests.test_eval_run import CASES, SUITE

APP = typer.Typer()
register(APP)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("mine")
    (made / "company").mkdir()
    write_company(made / "company")
    (made / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in CASES), encoding="utf-8")
    (made / "small.yaml").write_text(SUITE, encoding="utf-8")
    return made


@pytest.fixture
def call(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("COPILOT_HOME", str(folder / "home"))
    monkeypatch.setenv("COLUMNS", "200")

    def called(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(APP, ["eval", *words])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done.output

    return called


def test_an_evaluators_day(call: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, before, after = str(folder / "small.yaml"), str(folder / "before"), str(folder / "after")
    shown = call("run", suite, "--out", before)
    assert "citations.exactness" in shown
    assert "seed 7" in shown
    assert (folder / "before" / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")

    assert "Nothing is recorded" in call("gate", before, "--suite", suite, code=1)
    assert "expected.yaml" in call("record", before, "--suite", suite)
    assert "green" in call("gate", before, "--suite", suite)

    scores = json.loads(call("run", suite, "--out", after, "--set", "abstain_below=1", "--json"))["scores"]
    answered = {score["name"]: score["value"] for score in scores}["drafts.answered"]
    assert answered == 0  # nothing comes that near
    assert "citations.recall.lexical" in call("gate", after, "--suite", suite, code=1)

    compared = call("compare", before, after, "--metric", "drafts.answered")
    assert "drafts.answered" in compared
    assert "reset" in compared
    differences = {one["name"]: one for one in json.loads(call("compare", before, after, "--json"))["differences"]}
    assert differences["drafts.answered"]["difference"] == -1
    monkeypatch.setenv("COLUMNS", "80")  # as in a pipe: no figure is cut
    row = next(line for line in call("compare", before, after).splitlines() if line.startswith("drafts.answered"))
    assert row.split()[:6] == ["drafts.answered", "1.000", "0.000", "-1.000", "(-1.000", "…"]


def test_a_suite_of_ones_own_must_be_given_to_its_gate(call: Any, folder: Path) -> None:
    call("run", str(folder / "small.yaml"), "--out", str(folder / "own"))
    with pytest.raises(InputError, match="small"):
        call("gate", str(folder / "own"))
    with pytest.raises(InputError, match="--suite"):
        call("gate", str(folder / "own"), "--suite", "demo")


def test_replay_and_sweep_print_what_they_found(call: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call("run", str(folder / "small.yaml"), "--out", str(folder / "first"))
    (index,) = (folder / "home" / "eval" / "indexes").iterdir()
    shown = call("replay", "--since", "2025-01-01", "--index", str(index), "--out", str(folder / "replayed"))
    assert "drafts.token_f1" in shown
    assert (folder / "replayed" / "report.html").exists()
    table = call(
        "sweep", str(folder / "small.yaml"), "--set", "lexical_weight=0,1", "--out", str(folder / "sweep.json")
    )
    assert "lexical_weight=1" in table
    assert len(json.loads((folder / "sweep.json").read_text(encoding="utf-8"))) == 2
