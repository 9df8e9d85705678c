"""A backup holds the database as it stood at one moment; restoring it makes both indexes right without the model."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event, Thread

import pytest

from copilot.build import Parts
from copilot.errors import ConfigurationError, InputError
from copilot.settings import Settings
from ingest.backup import backup, check, restore
from ingest.pipeline import Indexer
from ingest.repair import build_anyway, repair
from ingest.verify import verify
from tests.conftest import ingest
from tests.test_copilot_commands import copilot
from tests.test_ingest_compact import write_many
from tests.test_ingest_repair import found, without_model


def restored(settings: Settings, folder: Path, **options: bool) -> Parts:
    restore(settings, folder, **options)
    parts = build_anyway(settings)
    repair(without_model(parts))
    return parts


def test_a_backup_restores_into_an_empty_home_with_the_same_answers(filled: Parts, tmp_path: Path) -> None:
    manifest = backup(filled.settings, tmp_path / "kept")
    assert manifest.documents == 5
    parts = restored(Settings(home=tmp_path / "elsewhere"), tmp_path / "kept")
    assert verify(parts).problems == []
    query = "compact folders to free disk space"
    assert found(parts, query) == found(filled, query)
    assert parts.library.census("default") == filled.library.census("default")
    parts.close()


def test_restoring_over_other_words_under_the_same_ids_mixes_nothing(
    filled: Parts, folder: Path, tmp_path: Path
) -> None:
    backup(filled.settings, tmp_path / "kept")
    Indexer(filled).retire("default", ["reset-password"])
    (folder / "reset-password.md").write_text("# Parrots\n\nAnother text altogether about parrots.\n")
    ingest(filled, folder)
    settings = filled.settings
    filled.close()
    with pytest.raises(InputError, match="--replace"):
        restore(settings, tmp_path / "kept")
    parts = restored(settings, tmp_path / "kept", replace=True)
    assert verify(parts).problems == []
    assert "30 minutes" in parts.library.text("default", "reset-password").text
    assert parts.lexical.search(next(s for s in parts.lexical.shelves() if s.side == "public"), "parrots", 5) == []
    parts.close()


def test_a_backup_taken_while_others_write_is_one_moment(parts: Parts, tmp_path: Path) -> None:
    write_many(tmp_path / "docs", 0, 12)
    ingest(parts, tmp_path / "docs")
    stop = Event()

    def write() -> None:
        round = 1
        while not stop.is_set():
            write_many(tmp_path / "docs", round, 12)
            ingest(parts, tmp_path / "docs")
            round += 1

    writer = Thread(target=write)
    writer.start()
    try:
        for at in range(3):
            backup(parts.settings, tmp_path / f"kept{at}")
    finally:
        stop.set()
        writer.join()
    for at in range(3):
        made = restored(Settings(home=tmp_path / f"home{at}"), tmp_path / f"kept{at}")
        assert verify(made).problems == []
        rounds = {made.library.text("default", f"a{n}").text.split("round ")[1].split()[0] for n in range(12)}
        assert len(rounds) == 1, "one ingest of 12 switches at once"
        made.close()


@pytest.mark.parametrize("harm", ["cut", "changed", "no manifest", "foreign"])
def test_a_damaged_backup_is_refused_and_nothing_is_lost(filled: Parts, tmp_path: Path, harm: str) -> None:
    kept = tmp_path / "kept"
    backup(filled.settings, kept)
    file, manifest = kept / "copilot.db", kept / "manifest.json"
    data = file.read_bytes()
    if harm == "cut":
        file.write_bytes(data[:-5000])
    elif harm == "changed":
        file.write_bytes(data[:9000] + b"\x00" + data[9001:] if data[9000] else data[:9000] + b"\x01" + data[9001:])
    elif harm == "no manifest":
        manifest.unlink()
    else:
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 99}))
    with pytest.raises(InputError):
        restore(filled.settings, kept, replace=True)
    assert verify(filled).clean


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (None, "does not exist"),
        ({"": "a note"}, "it is a file"),
        ({"readme.txt": "a note"}, "neither manifest.json nor copilot.db"),
        ({"copilot.db": "x"}, "no manifest.json"),
        ({"manifest.json": "[]"}, "none that a backup wrote"),
        ({"manifest.json": '{"name": "a web app"}', "copilot.db": "x"}, "none that a backup wrote"),
        ({"manifest.json/inside": "x"}, "cannot be read"),
    ],
)
def test_what_is_no_backup_is_told_and_what_to_give(
    tmp_path: Path, files: dict[str, str] | None, told: str
) -> None:  # fmt: skip
    given = tmp_path / "given"
    for name, text in (files or {}).items():
        (given / name).parent.mkdir(parents=True, exist_ok=True)
        (given / name).write_text(text)
    with pytest.raises(InputError, match=told) as refused:
        restore(Settings(home=tmp_path / "home"), given)
    assert "Errno" not in str(refused.value)
    assert "Give the folder that `copilot backup DIR` wrote." in str(refused.value)


def test_a_backup_overwrites_none(filled: Parts, tmp_path: Path) -> None:
    backup(filled.settings, tmp_path / "kept")
    with pytest.raises(InputError, match="new folder"):
        backup(filled.settings, tmp_path / "kept")
    assert check(tmp_path / "kept").documents == 5
    assert (tmp_path / "kept" / "copilot.db").stat().st_mode & 0o077 == 0


def test_for_postgresql_it_says_what_to_use(tmp_path: Path) -> None:
    settings = replace_database(Settings(home=tmp_path), "postgresql+psycopg://nobody@127.0.0.1/none")
    with pytest.raises(ConfigurationError, match="pg_dump"):
        backup(settings, tmp_path / "kept")


def replace_database(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"database": url})


def test_the_commands_back_up_and_restore(filled: Parts, tmp_path: Path) -> None:
    home = filled.settings.home
    done = copilot(home, "backup", str(tmp_path / "kept"))
    assert (done.returncode, "5 documents" in done.stdout) == (0, True), done.stderr
    there = copilot(tmp_path / "other", "restore", str(tmp_path / "kept"))
    assert (there.returncode, "clean" in there.stdout) == (0, True), there.stdout + there.stderr
    assert "Compact folders" in copilot(tmp_path / "other", "search", "compact folders").stdout
    refused = copilot(tmp_path / "third", "restore", str(home))
    assert refused.returncode != 0
    assert "no manifest.json" in " ".join(refused.stderr.split())
    assert "Errno" not in refused.stderr
