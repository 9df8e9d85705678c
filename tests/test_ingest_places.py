"""A file that comes by its folder, by a folder in that, and alone is one document."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from copilot.build import Parts
from copilot.errors import InputError
from copilot.store import schema as t
from copilot.store.sources import Sources, Upstream
from ingest.load import Reading
from ingest.pipeline import Indexer
from ingest.summary import Summary
from ingest.sync import Syncer
from tests.conftest import TICKETS, ingest, write_tickets


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    """Three pages, two of them in a folder of their own."""
    made = tmp_path / "handbook"
    (made / "faq").mkdir(parents=True)
    for name in ("start", "faq/returns", "faq/refunds"):
        (made / f"{name}.md").write_text(f"# About {name}\n\nThe first words on {name}.\n", encoding="utf-8")
    return made


def texts(parts: Parts) -> dict[str, str]:
    """What is in force, by id."""
    with parts.database.read() as connection:
        ids = connection.execute(select(t.documents.c.id)).scalars().all()
    return {id: parts.library.text("default", id).text for id in ids}


def allowing(parts: Parts, path: Path) -> Summary:
    return Indexer(parts).ingest("default", path, Reading(), allow_mass_delete=True)


@pytest.mark.parametrize("part", ["faq/returns.md", "faq"])
def test_a_part_of_an_ingested_folder_stays_a_part_of_it(parts: Parts, handbook: Path, part: str) -> None:
    ingest(parts, handbook)
    (handbook / "faq" / "returns.md").write_text("# Returns\n\nThe second words.\n", encoding="utf-8")
    (handbook / "start.md").unlink()
    made = ingest(parts, handbook / part)
    assert (made.added, made.changed, made.retired) == (0, 1, 0)
    assert texts(parts).keys() == {"start", "faq/returns", "faq/refunds"}
    assert "second" in texts(parts)["faq/returns"]
    assert ingest(parts, handbook).unchanged == 2
    assert texts(parts).keys() == {"faq/returns", "faq/refunds"}


def test_a_part_loses_what_is_gone_from_it(parts: Parts, handbook: Path) -> None:
    ingest(parts, handbook)
    (handbook / "faq" / "returns.md").unlink()
    assert ingest(parts, handbook / "faq").retired == 1
    assert texts(parts).keys() == {"start", "faq/refunds"}


def test_a_folder_takes_what_came_from_inside_of_it_before(parts: Parts, handbook: Path) -> None:
    write_tickets(handbook / "faq" / "old.jsonl", [])
    ingest(parts, handbook / "faq"), ingest(parts, handbook / "faq" / "refunds.md")
    assert texts(parts).keys() == {"returns", "refunds"}
    (handbook / "faq" / "refunds.md").unlink()
    made = ingest(parts, handbook)
    assert (made.added, made.retired, made.failed) == (2, 2, 0)
    assert texts(parts).keys() == {"start", "faq/returns"}
    assert ingest(parts, handbook).unchanged == 2


def source_over(parts: Parts, folder: Path) -> Upstream:
    made = Upstream(workspace="default", id="handbook", connector="files", address=str(folder))
    Sources(parts.database).add(made)
    return made


@pytest.mark.parametrize("by_hand", ["faq", "faq/returns.md", "faq/old.jsonl", ".."])
def test_a_source_takes_what_came_by_hand_from_its_files(parts: Parts, handbook: Path, by_hand: str) -> None:
    write_tickets(handbook / "faq" / "old.jsonl", TICKETS[:1])
    (outside := handbook.parent / "outside.md").write_text("# Outside\n\nNot in the handbook.\n", encoding="utf-8")
    ingest(parts, handbook / by_hand)
    outer = {"outside"} if by_hand == ".." else set()
    source, pages = source_over(parts, handbook), {"start", "faq/returns", "faq/refunds", "t-1"}
    Syncer(parts).sync(source)
    assert texts(parts).keys() == pages | outer
    assert Syncer(parts).sync(source).unchanged == 4
    assert outside.exists()


@pytest.mark.parametrize("by_hand", ["faq", "faq/returns.md", ".."])
def test_what_a_source_has_is_not_taken_once_more_by_hand(parts: Parts, handbook: Path, by_hand: str) -> None:
    source = source_over(parts, handbook)
    Syncer(parts).sync(source)
    made = ingest(parts, handbook / by_hand)
    assert made.added == made.retired == 0
    assert "of source handbook already: leave it to `copilot sync handbook`" in made.problems[0].reason
    assert texts(parts).keys() == {"start", "faq/returns", "faq/refunds"}
    (handbook / "faq" / "new.md").write_text("# New\n\nNo source has this yet.\n", encoding="utf-8")
    assert ingest(parts, handbook / "faq" / "new.md").added == 1
    Syncer(parts).sync(source)
    assert texts(parts).keys() == {"start", "faq/returns", "faq/refunds", "faq/new"}
    Syncer(parts).remove("default", "handbook")
    assert ingest(parts, handbook / by_hand).failed == 0


def test_a_part_does_not_take_the_id_of_another_file(parts: Parts, handbook: Path) -> None:
    ingest(parts, handbook)
    (handbook / "faq" / "thief.md").write_text("---\ndoc_id: start\n---\n\n# Thief\n\nOther words.\n", encoding="utf-8")
    made = ingest(parts, handbook / "faq" / "thief.md")
    assert (made.failed, made.problems[0].origin) == (1, "faq/thief.md")
    assert "start.md has the same id: start; give one of them" in made.problems[0].reason
    assert "first words on start" in texts(parts)["start"]


@pytest.mark.parametrize("whole", [True, False], ids=["its folder", "alone"])
def test_a_path_that_was_deleted_retires_its_documents_when_told_to(parts: Parts, handbook: Path, whole: bool) -> None:
    file = handbook / "faq" / "returns.md"
    ingest(parts, handbook if whole else file)
    file.unlink()
    with pytest.raises(InputError, match="say --allow-mass-delete"):
        ingest(parts, file)
    assert allowing(parts, file).retired == 1
    assert not {"returns", "faq/returns"} & texts(parts).keys()
    with pytest.raises(InputError, match="There is nothing at"):
        allowing(parts, file)
