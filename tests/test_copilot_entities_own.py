"""Patterns for facts that a workspace adds: found with their place, in linear time, and refused with a reason."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import pytest

from copilot.build import build
from copilot.entities import Own, entities, in_message
from copilot.errors import ConfigurationError
from copilot.settings import Settings
from tests.conftest import AGENT, asks, ingest, write_company

FILE = r"""
version: 1
patterns:
  - {type: device, pattern: '\bBX-\d{4}\b'}
workspaces:
  acme:
    - {type: contract, pattern: 'contract (?:no\.? )?([a-z]{2}\d{6})'}
"""


def load(tmp_path: Path, text: str = FILE) -> Own:
    file = tmp_path / "entities.yaml"
    file.write_text(text, encoding="utf-8")
    return Own.load(file)


def test_a_workspaces_pattern_finds_its_fact_with_its_place(tmp_path: Path) -> None:
    text = "My bx-2041 broke 😀, contract no. AB123456, order 88214."
    found = entities(asks(text), load(tmp_path).of("acme"))
    assert [(one.type, one.text) for one in found] == [
        ("device", "bx-2041"), ("contract", "AB123456"), ("order", "88214")
    ]  # fmt: skip
    assert all(text[one.start : one.end] == one.text for one in found)


def test_another_workspace_does_not_see_it(tmp_path: Path) -> None:
    kinds = {one.type for one in entities(asks("contract AB123456 for BX-2041"), load(tmp_path).of("other"))}
    assert "device" in kinds
    assert "contract" not in kinds


def test_no_file_adds_nothing() -> None:
    assert Own.load(None).of("acme") == ()


@pytest.mark.parametrize(
    ("pattern", "told"),
    [(r"(a)\1", "no RE2 expression"), ("(", "no RE2 expression"), ("x*", "empty text"), ("", "pattern")],
)
def test_a_pattern_that_cannot_be_used_is_refused_with_a_reason(tmp_path: Path, pattern: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        load(tmp_path, f"version: 1\npatterns:\n  - {{type: odd, pattern: '{pattern}'}}\n")


@pytest.mark.parametrize(
    "text", ["version: 2", "patterns: 3\nversion: 1", "version: 1\nworkspaces: {a: [{type: A B, pattern: x}]}", "- :"]
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="entity patterns"):
        load(tmp_path, text)


def test_a_pattern_made_to_explode_takes_linear_time(tmp_path: Path) -> None:
    own = load(tmp_path, "version: 1\npatterns:\n  - {type: bomb, pattern: '(a+)+b'}\n").of("any")
    started = perf_counter()
    in_message("a" * 50_000, 0, own)
    assert perf_counter() - started < 5


def test_a_suggestion_shows_the_facts_of_its_workspace(tmp_path: Path) -> None:
    file = tmp_path / "entities.yaml"
    file.write_text(FILE, encoding="utf-8")
    made = build(Settings(home=tmp_path / "home", entities=file))
    (tmp_path / "company").mkdir()
    ingest(made, write_company(tmp_path / "company"))
    triage = made.copilot.suggest(AGENT, asks("How do I reset the password of my BX-2041?")).triage
    made.close()
    assert [(one.type, one.text) for one in triage.entities] == [("device", "BX-2041")]
