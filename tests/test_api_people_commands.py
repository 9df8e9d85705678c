from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from api.commands import register
from copilot.errors import InputError, NotFound
from copilot.settings import Settings
from copilot.store.database import Database
from copilot.store.people import People, User

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPILOT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")


def users(*arguments: str, **options: object) -> Result:
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, ["users", *arguments], **options)  # type: ignore[arg-type]


def known(password: str = PASSWORD) -> User | None:
    database = Database(Settings().database_url())
    try:
        return People(database).check("ada", password)
    finally:
        database.close()


def test_a_user_is_added_listed_disabled_and_let_in_again(tmp_path: Path) -> None:
    added = users(
        "add", "Ada", "--role", "agent", "--role", "evaluator", "--team", "billing", input=f"{PASSWORD}\n{PASSWORD}\n"
    )
    assert added.exit_code == 0
    assert PASSWORD not in added.output
    user = known()
    assert user is not None
    assert (user.roles, user.teams, user.workspace) == (("agent", "evaluator"), ("billing",), "default")
    (listed,) = json.loads(users("list", "--json").output)
    assert (listed["name"], "password" in listed) == ("ada", False)
    assert "ada" in users("list").output
    assert users("disable", "ada").exit_code == 0
    assert known() is None
    file = tmp_path / "password"
    file.write_text("another long secret\nnot this\n")
    assert users("password", "ada", "--password-file", str(file)).exit_code == 0
    assert known("another long secret") is not None


def test_the_password_comes_from_the_environment_too_and_never_from_the_arguments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert users("add", "ada", "--password", PASSWORD).exit_code == 2
    monkeypatch.setenv("COPILOT_USER_PASSWORD", PASSWORD)
    assert users("add", "ada").exit_code == 0
    assert known() is not None


def test_what_cannot_be_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPILOT_USER_PASSWORD", PASSWORD)
    assert isinstance(users("add", "ada", "--role", "king").exception, InputError)
    assert isinstance(users("disable", "nobody").exception, NotFound)
    monkeypatch.setenv("COPILOT_USER_PASSWORD", "short")
    refused = users("add", "ada").exception
    assert isinstance(refused, InputError)
    assert "10" in str(refused)
