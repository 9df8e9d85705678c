"""One sync of a source: what it takes, what it retires, when it asks, and where it goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from typer import Typer
from typer.testing import CliRunner

from copilot.build import Parts
from copilot.domain import Document, Source
from copilot.errors import Conflict, InputError, MassDeletion, NotFound, NotKnowledge, SourceFailed
from copilot.ports import Broken, Change, Gone, Kept, Mark, Raw, Whole
from copilot.retrieve import Query
from copilot.store.sources import Sources, Upstream
from ingest import source_commands
from ingest.connect import check, secret
from ingest.summary import Summary
from ingest.sync import Syncer, Wish, sync_payload
from ingest.verify import verify
from tests.conftest import ADMIN

DOCS = Upstream(workspace="default", id="docs", connector="files", address="/nowhere")


def page(name: str, words: str = "The kettle boils in four minutes.") -> Raw:
    def parse() -> Source:
        return Source(document=Document(id=name, kind="article", title=name), text=f"{words} This is page {name}.")

    return Raw(name, hashlib.sha256(words.encode()).hexdigest(), parse)


def unknowable(name: str) -> Raw:
    def parse() -> Source:
        raise NotKnowledge("reopened")

    return Raw(name, "reopened", parse)


class Listed:
    """A source that gives these changes, and breaks off where one of them is an error; it notes what it was asked."""

    def __init__(self, *changes: Change | Exception) -> None:
        self.listed: Sequence[Change | Exception] = changes
        self.asked: list[str | None] = []

    def changes(self, since: str | None) -> Iterator[Change]:
        self.asked.append(since)
        for change in self.listed:
            if isinstance(change, Exception):
                raise change
            yield change


@pytest.fixture
def docs(parts: Parts) -> Upstream:
    Sources(parts.database).add(DOCS)
    return DOCS


def sync(parts: Parts, *changes: Change | Exception, **wish: bool) -> Summary:
    return Syncer(parts).sync(DOCS, Wish(**wish), connector=Listed(*changes))


def ids(parts: Parts) -> list[str]:
    return sorted(one.id for one in parts.ledger.known("default", DOCS.root).values())


def cursor(parts: Parts) -> str | None:
    return Sources(parts.database).progress("default", "docs").cursor


PAGES = [page(f"p{number:02}") for number in range(20)]


@pytest.mark.usefixtures("docs")
def test_what_a_complete_listing_does_not_name_is_retired(parts: Parts) -> None:
    assert sync(parts, *PAGES, Whole()).added == 20
    made = sync(parts, *PAGES[2:], Whole())
    assert (made.unchanged, made.retired, made.embedded) == (18, 2, 0)
    assert ids(parts) == [raw.origin for raw in PAGES[2:]]
    with pytest.raises(NotFound):
        parts.library.text("default", "p00")
    assert verify(parts).clean


@pytest.mark.usefixtures("docs")
def test_without_a_complete_listing_only_what_is_said_to_be_gone_goes(parts: Parts) -> None:
    sync(parts, *PAGES)
    made = sync(parts, Gone("p03"), Gone("unheard-of"), page("p04", "It boils in three minutes now."))
    assert (made.retired, made.changed) == (1, 1)
    assert len(ids(parts)) == 19


@pytest.mark.usefixtures("docs")
def test_a_listing_that_breaks_off_retires_nothing_and_keeps_what_came(parts: Parts) -> None:
    sync(parts, *PAGES, Whole())
    with pytest.raises(SourceFailed):
        sync(parts, page("new"), Mark("1"), SourceFailed("cut off"), Whole())
    assert len(ids(parts)) == 21
    outcome = Sources(parts.database).progress("default", "docs").outcome
    assert outcome is not None
    assert outcome["error"] == "cut off"


@pytest.mark.usefixtures("docs")
def test_a_sync_goes_on_from_the_last_mark_whose_documents_are_in(parts: Parts) -> None:
    with pytest.raises(SourceFailed):
        sync(parts, PAGES[0], Mark("one"), PAGES[1], SourceFailed("cut off"), Mark("two"))
    assert cursor(parts) == "one"
    second = Listed(PAGES[1], Mark("two"))
    Syncer(parts).sync(DOCS, connector=second)
    assert second.asked == ["one"]
    assert (cursor(parts), ids(parts)) == ("two", ["p00", "p01"])


@pytest.mark.usefixtures("docs")
def test_a_mark_is_not_passed_while_deletions_before_it_wait(parts: Parts) -> None:
    sync(parts, *PAGES, Mark("one"))
    with pytest.raises(SourceFailed):
        sync(parts, Gone("p00"), Mark("two"), page("new"), Mark("three"), SourceFailed("cut off"))
    assert cursor(parts) == "one", "or the next sync would never hear of the deletion"
    sync(parts, Gone("p00"), Mark("two"))
    assert (cursor(parts), "p00" in ids(parts)) == ("two", False)


@pytest.mark.usefixtures("docs")
def test_what_was_never_here_holds_no_mark_back(parts: Parts) -> None:
    with pytest.raises(SourceFailed):
        sync(parts, Gone("never"), unknowable("open"), page("p"), Mark("one"), SourceFailed("cut off"))
    assert (cursor(parts), ids(parts)) == ("one", ["p"])


@pytest.mark.usefixtures("docs")
def test_full_and_other_options_begin_at_the_beginning(parts: Parts) -> None:
    sync(parts, *PAGES, Mark("one"))
    again = Listed(*PAGES, Mark("two"))
    Syncer(parts).sync(DOCS, Wish(full=True), connector=again)
    Syncer(parts).sync(replace(DOCS, audience="internal"), connector=again)
    Syncer(parts).sync(replace(DOCS, audience="internal"), connector=again)
    assert again.asked == [None, None, "two"]


@pytest.mark.usefixtures("docs")
def test_a_mass_deletion_asks_before_anything_is_retired(parts: Parts) -> None:
    sync(parts, *PAGES, Whole(), Mark("one"))
    with pytest.raises(MassDeletion, match=r"6 of 20 documents.*p00, p01.*--allow-mass-delete"):
        sync(parts, *PAGES[6:], page("new"), Whole(), Mark("two"))
    assert (len(ids(parts)), cursor(parts)) == (21, "one")
    assert sync(parts, *PAGES[6:], page("new"), Whole(), Mark("two"), allow_mass_delete=True).retired == 6
    assert (len(ids(parts)), cursor(parts)) == (15, "two")


@pytest.mark.usefixtures("docs")
def test_a_few_go_unasked_while_they_are_at_most_half(parts: Parts) -> None:
    sync(parts, *PAGES[:6], Whole())
    with pytest.raises(MassDeletion, match="4 of 6"):
        sync(parts, *PAGES[:2], Whole())
    assert sync(parts, *PAGES[:3], Whole()).retired == 3


@pytest.mark.usefixtures("docs")
def test_the_last_documents_of_a_source_never_go_unasked(parts: Parts) -> None:
    sync(parts, *PAGES[:2], Whole())
    with pytest.raises(MassDeletion):
        sync(parts, Whole())
    assert len(ids(parts)) == 2


@pytest.mark.usefixtures("docs")
def test_a_dry_run_tells_all_and_changes_nothing(parts: Parts) -> None:
    sync(parts, *PAGES, Whole(), Mark("one"))
    clock = parts.library.clock("default")
    before = Sources(parts.database).progress("default", "docs")
    made = sync(parts, *PAGES[10:], page("new"), page("p12", "Other words."), Whole(), Mark("two"), dry_run=True)
    assert (made.added, made.changed, made.retired) == (1, 1, 10)
    assert "10 of 20 documents would be retired" in made.problems[0].reason
    assert parts.library.clock("default") == clock
    assert Sources(parts.database).progress("default", "docs") == before


@pytest.mark.usefixtures("docs")
def test_a_repeated_page_counts_once_and_of_two_versions_the_later_stands(parts: Parts) -> None:
    made = sync(parts, *PAGES, *PAGES[5:10], page("p01", "Later words."), Whole())
    assert (made.failed, len(ids(parts))) == (0, 20)
    assert parts.library.text("default", "p01").text.startswith("Later words.")
    assert verify(parts).clean


@pytest.mark.usefixtures("docs")
def test_what_is_deleted_and_comes_back_in_one_listing_stays(parts: Parts) -> None:
    sync(parts, *PAGES, Whole())
    sync(parts, Gone("p00"), page("p00", "Back again."), page("p01", "Last words."), Gone("p01"))
    assert "p00" in ids(parts)
    assert "p01" not in ids(parts)


@pytest.mark.usefixtures("docs")
def test_what_ceases_to_be_knowledge_is_retired(parts: Parts) -> None:
    sync(parts, *PAGES)
    made = sync(parts, unknowable("p00"), unknowable("never-was"))
    assert (made.retired, made.skipped, "p00" in ids(parts)) == (1, 2, False)


@pytest.mark.usefixtures("docs")
def test_what_is_broken_or_kept_is_not_retired(parts: Parts) -> None:
    sync(parts, *PAGES, Whole())
    made = sync(parts, Broken("p00", "no words in it"), *(Kept(raw.origin) for raw in PAGES[1:]), Whole())
    assert (made.retired, made.failed, len(ids(parts))) == (0, 1, 20)


@pytest.mark.usefixtures("docs")
def test_one_sync_of_a_source_at_a_time(parts: Parts) -> None:
    sync(parts, page("p"))
    (lock,) = (parts.settings.home / "syncs").glob("*.lock")
    with FileLock(lock), pytest.raises(Conflict, match="being synced"):
        sync(parts, page("q"))


def test_a_folder_is_followed_file_by_file(parts: Parts, folder: Path) -> None:
    Sources(parts.database).add(replace(DOCS, address=str(folder)))
    payload = {"source": None, "dry_run": False}
    assert sync_payload(parts, "default", payload, lambda done, all: None)["added"] == 5
    (folder / "reset-password.md").rename(folder / "password.md")
    (folder / "compact-folders.md").unlink()
    made = sync_payload(parts, "default", payload, lambda done, all: None)
    assert (made["retired"], made["added"], made["embedded"]) == (1, 0, 0)
    assert ids(parts) == ["refund-limits", "reset-password", "t-1", "t-2"]
    assert verify(parts).clean


def test_a_folder_that_is_not_mounted_retires_nothing(parts: Parts, folder: Path) -> None:
    upstream = replace(DOCS, address=str(folder))
    Sources(parts.database).add(upstream)
    Syncer(parts).sync(upstream)
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(SourceFailed):
        Syncer(parts).sync(upstream, Wish(allow_mass_delete=True))
    assert len(ids(parts)) == 5


def test_a_removed_source_takes_its_documents_along(parts: Parts, folder: Path) -> None:
    upstream = replace(DOCS, address=str(folder))
    Sources(parts.database).add(upstream)
    Syncer(parts).sync(upstream)
    assert Syncer(parts).remove("default", "docs") == 5
    assert parts.copilot.search(ADMIN, query("compact a folder")).results == ()
    with pytest.raises(NotFound):
        Sources(parts.database).get("default", "docs")
    assert verify(parts).clean


def query(text: str) -> Query:
    return Query(text=text, kinds=("article", "ticket", "macro"))


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        ({"id": "Not An Id"}, "small letters"),
        ({"credentials": "hunter2"}, "never as the secret itself"),
        ({"audience": "everybody"}, "public, internal or team:NAME"),
        ({"every_minutes": 99_999_999_999_999}, "a year"),
        ({"every_minutes": 0}, "every minute at most"),
    ],
)
def test_a_bad_row_is_refused_with_what_to_write(parts: Parts, wrong: dict[str, object], advice: str) -> None:
    with pytest.raises(InputError, match=advice):
        Sources(parts.database).add(replace(DOCS, **wrong))  # type: ignore[arg-type]


def test_a_source_of_no_connector_or_with_an_unknown_option_is_refused() -> None:
    with pytest.raises(InputError, match="There are: files"):
        check(replace(DOCS, connector="fax"))
    with pytest.raises(InputError, match="no option 'mood'"):
        check(replace(DOCS, options={"mood": "good"}))


def test_a_secret_is_read_where_its_reference_points_and_is_in_no_table(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_TOKEN", "s3cret-OBSIDIAN")
    (tmp_path / "token").write_text("from-a-file\n", encoding="utf-8")
    assert (secret("env:DESK_TOKEN"), secret(f"file:{tmp_path}/token")) == ("s3cret-OBSIDIAN", "from-a-file")
    Sources(parts.database).add(replace(DOCS, credentials="env:DESK_TOKEN"))
    stored = b"".join(file.read_bytes() for file in parts.settings.home.rglob("*") if file.is_file())
    assert b"DESK_TOKEN" in stored
    assert b"OBSIDIAN" not in stored


def test_sources_are_added_synced_listed_and_removed_on_the_command_line(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPILOT_HOME", str(tmp_path / "home"))
    app, run = Typer(), CliRunner().invoke
    source_commands.register(app)
    inner = ["sources", "add", "wiki", "web", "http://127.0.0.1/"]
    assert "inside a private network" in str(run(app, inner).exception)
    assert run(app, [*inner, "--option", "private_host=127.0.0.1"]).exit_code == 0
    assert run(app, ["sources", "remove", "wiki"]).exit_code == 0
    assert run(app, ["sources", "add", "docs", "files", str(folder)]).exit_code == 0
    dry = run(app, ["sync", "docs", "--dry-run"])
    assert "would be: 5 added" in dry.output
    assert run(app, ["sync"]).exit_code == 0
    (listed,) = json.loads(run(app, ["sources", "list", "--json"]).output)
    assert (listed["id"], listed["outcome"]["added"], listed["outcome"]["error"]) == ("docs", 5, None)
    assert "5 documents retired" in run(app, ["sources", "remove", "docs"]).output
