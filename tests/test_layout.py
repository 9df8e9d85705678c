"""The shape that the project keeps."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from copilot import errors
from copilot.settings import Settings

ROOT = Path(__file__).parent.parent
FOLDERS = ("copilot", "ingest", "prompts", "api", "eval")
FILES = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]


@pytest.mark.parametrize("name", FOLDERS)
def test_each_folder_resolves_to_this_repository(name: str) -> None:
    found = importlib.import_module(name).__file__
    assert found is not None
    assert Path(found).parent == ROOT / name


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_outgrows_a_reader(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 400


def test_the_error_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))
    real = {name for name, thing in vars(errors).items() if isinstance(thing, type) and issubclass(thing, Exception)}
    assert drawn | {"CopilotError"} == real


def test_every_setting_has_its_row_in_the_docs() -> None:
    documented = set(
        re.findall(r"^\| `(COPILOT_\w+)`", (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert documented == {f"COPILOT_{name.upper()}" for name in Settings.model_fields}


def test_every_prompt_declares_what_it_is_given() -> None:
    from jinja2 import Environment, meta

    from prompts import FOLDER, load

    for file in FOLDER.glob("*.md"):
        prompt = load(file.stem)
        assert prompt.purpose.endswith(".")
        assert meta.find_undeclared_variables(Environment().parse(prompt.words)) <= prompt.inputs
