"""Compacting gives space back, and deleted text and vectors with it."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread

import pytest

from copilot.build import Parts, build
from copilot.retrieve import Query
from copilot.settings import Settings
from copilot.store import schema as t
from ingest.compact import compact, size
from ingest.pipeline import Indexer
from ingest.verify import verify
from tests.conftest import ADMIN, ingest
from tests.test_ingest_repair import found


def write_many(folder: Path, round: int, count: int = 40) -> None:
    folder.mkdir(exist_ok=True)
    for at in range(count):
        text = f"# Matter {at}\n\nIn round {round} the answer to matter {at} is {round * 1000 + at}, nothing else.\n"
        (folder / f"a{at}.md").write_text(text)


def held_by(home: Path, *needles: bytes) -> list[str]:
    files = [file for file in home.rglob("*") if file.is_file()]
    return sorted({file.name for file in files if any(needle in file.read_bytes() for needle in needles)})


def vectors_of(parts: Parts) -> dict[str, bytes]:
    with parts.database.read() as connection:
        return {row.hash: row.vector for row in connection.execute(t.vectors.select())}


def test_deleted_words_and_vectors_are_in_no_file_after_compact(parts: Parts, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    write_many(folder, 1)
    (folder / "secret.md").write_text("# Old secret\n\nThe xylophonist's zweihander costs 77 crowns.\n")
    ingest(parts, folder)
    all = vectors_of(parts)
    Indexer(parts).retire("default", ["secret"])
    gone = [vector[:64] for hash, vector in all.items() if hash not in vectors_of(parts)]
    assert len(gone) == 1
    needles = (b"xylophonist", b"zweihand", *gone)
    assert held_by(parts.settings.home, *needles), "before compact the indexes have traces: this test can fail"
    compact(parts)
    assert held_by(parts.settings.home, *needles) == []
    assert verify(parts).problems == []


def test_space_comes_back_and_answers_stay(parts: Parts, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    for round in range(1, 5):
        write_many(folder, round)
        ingest(parts, folder)
    before = found(parts, "matter 7")
    done = compact(parts)
    assert done.after == size(parts.settings.home) < done.before
    assert found(parts, "matter 7") == before
    assert compact(parts).after <= done.after * 1.02
    parts.close()
    again = build(parts.settings)
    assert verify(again).problems == []
    assert found(again, "matter 7") == before
    again.close()


def test_after_many_edits_the_disk_is_near_a_fresh_index(parts: Parts, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    for round in range(1, 6):
        write_many(folder, round)
        ingest(parts, folder)
    after = compact(parts).after
    fresh = build(Settings(home=tmp_path / "fresh"))
    ingest(fresh, folder)
    indexes = sum(size(fresh.settings.home / name) for name in ("chroma", "tantivy"))
    assert sum(size(parts.settings.home / name) for name in ("chroma", "tantivy")) <= 1.2 * indexes
    assert after <= 1.2 * size(fresh.settings.home) + 5 * 40 * 2000, (
        "old revisions stay citable and take their text's room"
    )
    fresh.close()


def test_a_vector_index_that_is_mostly_deletions_is_made_anew_by_the_ingest_that_made_it_so(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("copilot.adapters.chroma.WORN", 100)
    sizes = []
    for round in range(1, 5):
        write_many(tmp_path / "docs", round)
        ingest(parts, tmp_path / "docs")
        sizes.append((parts.settings.home / "chroma" / "generation").exists())
    assert sizes == [False, False, False, True], "40 chunks a round: 80 deletions are let be, 120 are not"
    assert not parts.vectors.worn()
    assert verify(parts).problems == []
    assert found(parts, "matter 7")[0] == "a7"
    ingest(parts, tmp_path / "docs")
    assert (parts.settings.home / "chroma" / "generation").read_text() == "g1", "nothing changed: nothing is made anew"


def test_readers_are_answered_and_writers_lose_nothing_while_it_runs(filled: Parts, tmp_path: Path) -> None:
    stop, errors, counts = Event(), list[BaseException](), [0]

    def read() -> None:
        while not stop.is_set():
            try:
                assert (
                    filled.copilot.search(ADMIN, Query(text="reset my password")).results[0].document_id
                    == "reset-password"
                )
                counts[0] += 1
            except BaseException as error:
                errors.append(error)

    reader = Thread(target=read)
    reader.start()
    try:
        for round in range(3):
            write_many(tmp_path / "more", round, 10)
            writer = Thread(target=ingest, args=(filled, tmp_path / "more"))
            writer.start()
            compact(filled)
            writer.join()
    finally:
        stop.set()
        reader.join()
    assert errors == []
    assert counts[0] > 0
    assert verify(filled).problems == []
    assert "is 2003" in filled.library.text("default", "a3").text
