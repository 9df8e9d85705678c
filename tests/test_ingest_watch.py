"""Watched files: whatever an editor does to save, one look after it, and none for what nobody would read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread, Timer

import pytest

from copilot.errors import InputError
from copilot.store.sources import Upstream
from ingest.connect import check, is_watched
from ingest.watch import bursts


class Watched:
    """Counts the bursts at a path."""

    def __init__(self, path: Path) -> None:
        self.seen, self._stop = 0, Event()
        self._thread = Thread(target=self._work, args=(path,), daemon=True)
        self._thread.start()

    def _work(self, path: Path) -> None:
        for _ in bursts(path, self._stop):
            self.seen += 1

    def more_than(self, before: int, seconds: float = 8.0) -> bool:
        until = time.monotonic() + seconds
        while self.seen <= before and time.monotonic() < until:
            time.sleep(0.02)
        return self.seen > before

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def watching() -> Iterator[Callable[[Path], Watched]]:
    made: list[Watched] = []

    def watch(path: Path) -> Watched:
        made.append(Watched(path))
        assert made[-1].more_than(0), "it looks once at the beginning"
        return made[-1]

    yield watch
    for one in made:
        one.stop()


def replaced(path: Path, words: str) -> None:
    """As most editors save: a new file in place of the old one."""
    beside = path.with_name(f".{path.name}.swp")
    beside.write_text(words, encoding="utf-8")
    os.replace(beside, path)


def moved_away_and_back(path: Path, words: str) -> None:
    """As some editors save: the old file out of the way, and a new one written."""
    path.rename(path.with_name(f"{path.name}~"))
    path.write_text(words, encoding="utf-8")


CHANGES: dict[str, Callable[[Path], object]] = {
    "written": lambda file: file.write_text("new words", encoding="utf-8"),
    "replaced": lambda file: replaced(file, "new words"),
    "moved away and back": lambda file: moved_away_and_back(file, "new words"),
    "deleted": lambda file: file.unlink(),
    "renamed": lambda file: file.rename(file.with_name("other.md")),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("alone", [False, True], ids=["in a folder", "as a file"])
def test_a_file_that_changes_is_noticed_however_it_is_saved(
    tmp_path: Path, watching: Callable[[Path], Watched], change: str, alone: bool
) -> None:
    file = tmp_path / "deep" / "page.md"
    file.parent.mkdir()
    file.write_text("old words", encoding="utf-8")
    seen = watching(file if alone else tmp_path)
    before = seen.seen
    CHANGES[change](file)
    assert seen.more_than(before)
    if file.exists():
        before = seen.seen
        time.sleep(0.5)  # the burst has ended
        before = seen.seen
        replaced(file, "newer words")
        assert seen.more_than(before), "it goes on watching the file that is there now"


def test_many_changes_at_once_are_one_look(tmp_path: Path, watching: Callable[[Path], Watched]) -> None:
    seen = watching(tmp_path)
    before = seen.seen
    for number in range(200):
        (tmp_path / f"{number}.md").write_text("words", encoding="utf-8")
    assert seen.more_than(before)
    time.sleep(1.0)
    assert seen.seen - before <= 3


def test_hidden_files_and_the_neighbours_of_a_file_are_no_change(
    tmp_path: Path, watching: Callable[[Path], Watched]
) -> None:
    file = tmp_path / "page.md"
    file.write_text("words", encoding="utf-8")
    folder, alone = watching(tmp_path), watching(file)
    time.sleep(0.6)
    before = folder.seen, alone.seen
    (tmp_path / ".page.md.swp").write_text("x", encoding="utf-8")
    (tmp_path / "page.md~").write_text("x", encoding="utf-8")
    time.sleep(1.2)
    assert (folder.seen, alone.seen) == before
    (tmp_path / "other.md").write_text("x", encoding="utf-8")
    assert folder.more_than(before[0])
    assert alone.seen == before[1]


def test_a_folder_that_goes_away_and_comes_back_is_watched_again(
    tmp_path: Path, watching: Callable[[Path], Watched]
) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    seen = watching(folder)
    before = seen.seen
    folder.rename(tmp_path / "unmounted")
    assert seen.more_than(before)
    (tmp_path / "unmounted").rename(folder)
    assert seen.more_than(seen.seen - 1)
    time.sleep(1.5)
    before = seen.seen
    (folder / "new.md").write_text("words", encoding="utf-8")
    assert seen.more_than(before)


def test_only_files_of_this_machine_are_watched() -> None:
    def made(connector: str, watch: str) -> Upstream:
        return Upstream(workspace="default", id="x", connector=connector, address="/x", options={"watch": watch})

    assert [is_watched(made(*pair)) for pair in (("files", "true"), ("files", "false"), ("web", "true"))] == [
        True,
        False,
        False,
    ]
    with pytest.raises(InputError, match="true or false"):
        check(made("files", "yes"))
    with pytest.raises(InputError, match="no option 'watch'"):
        check(made("web", "true"))


def test_a_terminal_watches_syncs_and_ends_with_ctrl_c(tmp_path: Path, folder: Path) -> None:
    """`copilot sync docs --watch`: the first sync, one after a change, and a clean end."""
    environment = {**os.environ, "COPILOT_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "copilot"]
    subprocess.run(
        [*command, "sources", "add", "docs", "files", str(folder)], env=environment, check=True, capture_output=True
    )
    # Whoever runs the tests in the background has them ignore Ctrl-C, and so would the command: it is started as a terminal would.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        running = subprocess.Popen(
            [*command, "sync", "docs", "--watch"], env={**environment, "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)
    too_late = Timer(90, running.kill)
    too_late.start()
    try:
        assert running.stdout is not None
        assert "5 added" in next(line for line in running.stdout if "added" in line)
        (folder / "new.md").write_text("# New\n\nThe lamp blinks twice when it is charged.", encoding="utf-8")
        assert "1 added" in next(line for line in running.stdout if "added" in line)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=20)
    finally:
        too_late.cancel()
        running.kill()
        running.communicate()
    assert "Traceback" not in said
