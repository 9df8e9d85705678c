"""The command line, as a person at a terminal and as a script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from copilot.jobs import owning
from copilot.settings import Settings


def copilot(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, in a home of its own."""
    given = {**os.environ, "COPILOT_HOME": str(home), "COLUMNS": "120", **environment}
    command = [sys.executable, "-m", "copilot", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=given, timeout=120, check=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two articles."""
    base = tmp_path_factory.mktemp("commands")
    docs = base / "docs"
    docs.mkdir()
    (docs / "reset.md").write_text("# Reset the hub\n\nHold the button for 10 seconds until the light turns white.\n")
    (docs / "return.md").write_text("# Return an order\n\nSend it back within 30 days. The label is free.\n")
    done = copilot(base / "home", "ingest", str(docs))
    assert done.returncode == 0, done.stderr
    assert "2 added, 0 changed, 0 unchanged, 0 retired, 0 skipped, 0 failed; 2 chunks" in done.stdout
    return base / "home"


def parsed(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_suggestion_shows_the_reply_with_its_sources(home: Path) -> None:
    done = copilot(home, "suggest", "How do I reset the hub? The light is red.", "--name", "Ana Sousa")
    assert done.returncode == 0, done.stderr
    assert "Hi Ana," in done.stdout
    assert "Hold the button for 10 seconds" in done.stdout
    assert "[1] Reset the hub" in done.stdout


def test_a_source_that_a_statement_rests_on_twice_has_one_number_behind_it(tmp_path: Path) -> None:
    (tmp_path / "reset.md").write_text(
        "# Reset the hub\n\n1. Unplug the hub.\n2. Hold the button.\n3. Wait for the white light.\n"
    )
    done = copilot(tmp_path / "home", "ingest", str(tmp_path / "reset.md"))
    assert done.returncode == 0, done.stderr
    done = copilot(tmp_path / "home", "suggest", "How do I reset the hub?", "--channel", "chat")
    assert "Hold the button; Wait for the white light.[1]" in " ".join(done.stdout.split())
    assert "[1][1]" not in done.stdout


def test_a_script_gets_json(home: Path) -> None:
    made = parsed(copilot(home, "suggest", "How do I reset the hub?", "--json"))
    assert made["draft"]["statements"]
    found = parsed(copilot(home, "search", "send an order back", "--limit", "1", "--json"))
    assert [hit["document_id"] for hit in found["results"]] == ["return"]


def test_no_answer_says_what_to_ask(home: Path) -> None:
    done = copilot(home, "suggest", "Who won the chess olympiad in 1972?")
    assert "no answer" in done.stdout
    assert "Ask the customer for" in done.stdout


def test_verify_is_clean_after_an_ingest(home: Path) -> None:
    done = copilot(home, "verify")
    assert (done.returncode, "2 documents, 2 chunks, 2 vectors: clean" in done.stdout) == (0, True)


def test_the_shipped_policy_passes_its_own_examples(home: Path) -> None:
    done = copilot(home, "policy", "check")
    assert done.returncode == 0, done.stdout
    assert "0 failing examples" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ingest", "/does/not/exist"), "There is nothing at"),
        (("ingest", ".", "--audience", "everyone"), "--audience everyone is not known"),
        (("ingest", ".", "--map", "nonsense"), "ticket_id=ID"),
        (("ingest", ".", "--map", "ticketid=ID"), "a ticket has no such field"),
        (("search", "x", "--kind", "poem"), "--kind poem is not known"),
        (("search", "x", "--workspace", "nowhere"), "no workspace 'nowhere'"),
        (("suggest", "   "), "at least one message"),
        (("suggest", "x", "--channel", "fax"), "channel"),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_1(home: Path, arguments: tuple[str, ...], words: str) -> None:
    done = copilot(home, *arguments)
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_failed_file_gives_exit_code_1_and_its_reason(home: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.pdf").write_bytes(b"%PDF-1.7 cut off")
    done = copilot(home, "ingest", str(tmp_path))
    assert done.returncode == 1
    assert "cut.pdf" in done.stderr
    assert "1 failed" in done.stdout


def test_a_dry_run_promises_and_does_nothing(home: Path, tmp_path: Path) -> None:
    (tmp_path / "new.md").write_text("# New\n\nWords.\n")
    assert "would be: 1 added" in copilot(home, "ingest", str(tmp_path), "--dry-run").stdout
    assert "2 documents" in copilot(home, "verify").stdout


def test_two_processes_never_own_the_same_indexes(home: Path) -> None:
    with owning(Settings(home=home)):
        done = copilot(home, "verify")
    assert done.returncode == 1
    assert "Wait until it is done" in " ".join(done.stderr.split())
    assert "COPILOT_HOME" in done.stderr


def test_every_command_has_an_example_in_its_help() -> None:
    app = typer.Typer()
    for registers in entry_points(group="copilot.commands"):
        registers.load()(app)
    for command in ("suggest", "search", "ingest", "verify", "jobs", "serve", "demo"):
        shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "120"}).stdout
        assert "Example: copilot" in " ".join(shown.split())
