"""Two places with the same file name: the second never takes the first one's document."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from copilot.build import Parts
from copilot.store.sources import Sources, Upstream
from ingest.summary import Summary
from ingest.sync import Syncer, Wish
from tests.conftest import ingest


def place(parts: Parts, id: str, folder: Path, audience: str | None = None) -> Upstream:
    """A source over a folder with `returns.md` and a page of its own."""
    folder.mkdir(exist_ok=True)
    (folder / "returns.md").write_text(f"# Returns\n\nWhat {id} says of returns.\n", encoding="utf-8")
    (folder / f"{id}.md").write_text(f"# {id}\n\nOnly {id} has this page.\n", encoding="utf-8")
    upstream = Upstream(workspace="default", id=id, connector="files", address=str(folder), audience=audience)
    Sources(parts.database).add(upstream)
    return upstream


def sync(parts: Parts, upstream: Upstream) -> Summary:
    return Syncer(parts).sync(upstream, Wish(allow_mass_delete=True))


def test_the_second_source_of_a_name_fails_and_changes_nothing(parts: Parts, tmp_path: Path) -> None:
    a, b = place(parts, "a", tmp_path / "a", "internal"), place(parts, "b", tmp_path / "b")
    assert sync(parts, a).added == 2
    for _ in range(2):
        made = sync(parts, b)
        assert (made.changed, made.failed) == (0, 1)
        assert made.problems[0].origin == "returns.md"
        assert "belongs to source a (path returns.md): give it an id of its own" in made.problems[0].reason
        assert sync(parts, a).unchanged == 2
    assert parts.ledger.head("default", "returns").audiences == ("internal",)
    assert Syncer(parts).remove("default", "b") == 1
    assert parts.ledger.head("default", "returns").root == "source:a"


def test_of_two_ingested_folders_the_first_keeps_the_document(parts: Parts, tmp_path: Path) -> None:
    place(parts, "a", tmp_path / "a"), place(parts, "b", tmp_path / "b")
    assert ingest(parts, tmp_path / "a").added == 2
    made = ingest(parts, tmp_path / "b")
    assert (made.added, made.changed, made.failed) == (1, 0, 1)
    assert f"belongs to {tmp_path / 'a'} (path returns.md)" in made.problems[0].reason
    assert ingest(parts, tmp_path / "a").unchanged == 2


def test_what_stood_in_a_root_that_is_gone_is_taken_over(parts: Parts, tmp_path: Path) -> None:
    a, b = place(parts, "a", tmp_path / "a"), place(parts, "b", tmp_path / "b")
    sync(parts, a)
    Sources(parts.database).remove("default", "a")  # its documents stayed, as after a crash
    assert sync(parts, b).changed == 1
    ingest(parts, tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "c")
    shutil.rmtree(tmp_path / "a")
    made = ingest(parts, tmp_path / "c")
    assert (made.changed, made.failed) == (1, 1), "a.md moved from the folder; returns.md is source b's"


@pytest.mark.parametrize("first", ["folder", "source"])
def test_the_same_file_may_come_by_another_root(parts: Parts, tmp_path: Path, first: str) -> None:
    a = place(parts, "a", tmp_path / "a")
    (tmp_path / "a" / "returns.md").write_text(
        "---\ndoc_id: ret\n---\n# Returns\n\nWithin a month.\n", encoding="utf-8"
    )
    if first == "folder":
        ingest(parts, tmp_path / "a")
        assert (made := sync(parts, a)).failed == 0
    else:
        sync(parts, a)
        made = ingest(parts, tmp_path / "a" / "returns.md")
    assert made.failed == 0
    assert made.changed > 0


def test_a_file_with_a_hash_in_its_name_is_there_too(parts: Parts, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "C# notes.md").write_text(f"# C\n\nWhat {name} says of it.\n", encoding="utf-8")
    assert ingest(parts, tmp_path / "a").added == 1
    assert ingest(parts, tmp_path / "b").failed == 1


def test_what_moved_from_one_source_to_another_is_taken_over(parts: Parts, tmp_path: Path) -> None:
    a, b = place(parts, "a", tmp_path / "a"), place(parts, "b", tmp_path / "b")
    (tmp_path / "b" / "returns.md").unlink()
    sync(parts, a), sync(parts, b)
    (tmp_path / "a" / "returns.md").rename(tmp_path / "b" / "returns.md")
    assert sync(parts, b).failed == 0
