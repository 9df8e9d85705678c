"""The upkeep commands at a terminal, alone and beside a server."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from copilot.build import build
from copilot.jobs import JobThread, owning
from copilot.settings import Settings
from ingest.handover import telling_of_a_stop
from ingest.verify import verify
from tests.conftest import TICKETS, ingest, write_company, write_tickets
from tests.test_copilot_commands import copilot


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with closing(build(Settings(home=tmp_path / "home"))) as parts:
        ingest(parts, write_company(make(tmp_path / "company")))
    return tmp_path / "home"


def make(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_damaged_index_is_told_repaired_and_compacted(home: Path) -> None:
    (file,) = (home / "chroma").glob("*.sqlite3")
    file.write_bytes(b"no database" * 500)
    told = copilot(home, "verify")
    assert (told.returncode, "copilot repair" in told.stderr, "Traceback" in told.stderr) == (1, True, False)
    done = copilot(home, "repair")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "clean" in done.stdout
    compacted = copilot(home, "compact", "--json")
    assert json.loads(compacted.stdout)["chunks"] > 0, compacted.stderr
    assert copilot(home, "verify").returncode == 0


def test_beside_a_server_the_job_thread_does_the_work(home: Path) -> None:
    settings = Settings(home=home)
    with owning(settings, "http://127.0.0.1:9"), closing(build(settings)) as parts:
        thread = JobThread(parts)
        thread.start()
        for command in ("verify", "repair", "compact"):
            done = copilot(home, command, "--json")
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)
        thread.stop()
        assert verify(parts).clean


def test_without_a_server_the_map_that_an_erased_ticket_taught_is_fitted_anew(home: Path, tmp_path: Path) -> None:
    rows = [
        {**TICKETS[1], "ticket_id": f"full-{n}", "customer": f"full-{n}", "message": f"My disk {n} is full, the mail file grew by {n} GB."}
        for n in range(52)
    ]  # fmt: skip
    write_tickets(tmp_path / "more.jsonl", rows)
    settings = Settings(home=home)
    with closing(build(settings)) as parts:
        ingest(parts, tmp_path / "more.jsonl")
        assert parts.mapper.stored("default")
    done = copilot(home, "erase", "--customer", "full-7")
    assert done.returncode == 0, done.stdout + done.stderr
    with closing(build(settings)) as parts:
        learned = parts.frames.at("default").learned
        assert learned is not None
        assert len(learned.basis) == 52 + 3, "51 of these cases, the company's own, and its articles"
        assert [(job.state, job.result) for job in parts.jobs.list("default", kinds=("refit",))] == [
            ("done", {"fitted": True})
        ]


@pytest.mark.parametrize("command", ["export", "backup"])
def test_a_place_that_cannot_be_written_is_told_in_a_line(home: Path, tmp_path: Path, command: str) -> None:
    (tmp_path / "file").write_text("taken")
    told = copilot(home, command, str(tmp_path / "file" / "inside"))
    assert (told.returncode, "Traceback" in told.stderr) == (1, False)
    assert "cannot be written" in " ".join(told.stderr.split())


def test_ctrl_c_says_what_it_leaves_behind(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), telling_of_a_stop():
        raise KeyboardInterrupt
    assert "What was committed stays; run it again" in capsys.readouterr().err


def test_what_was_exported_is_its_owners_alone(home: Path, tmp_path: Path) -> None:
    assert copilot(home, "export", str(tmp_path / "all.jsonl")).returncode == 0
    assert (tmp_path / "all.jsonl").stat().st_mode & 0o777 == 0o600


def test_erase_counts_what_goes_because_nobody_can_tell_whose_it_is(home: Path) -> None:
    assert copilot(home, "suggest", "How do I compact a folder?", "--name", "Ann").returncode == 0
    told = " ".join(copilot(home, "erase", "--customer", "nobody-known").stdout.split())
    assert "0 suggestions, 0 feedback and 1 suggestions of no kept conversation" in told
    assert "give each id, e-mail address and name" in told
    assert json.loads(copilot(home, "erase", "--customer", "nobody-known", "--json").stdout)["unclaimed"] == 0
