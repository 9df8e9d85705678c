"""Files that change: one sign for each burst of changes, whatever an editor does to save, and also after the place went away and came back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

from watchfiles import Change, watch

QUIET_MS = 400
"""A burst has ended when so long nothing changed…"""
BURST_MS = 5000
"""… or goes on for so long that it is looked at meanwhile."""
LOOK_MS = 1000
Identity = tuple[int, int] | None


def bursts(path: Path, stop: Event) -> Iterator[None]:
    """Something may have changed at the path: once at the beginning, when no change can be missed any more, then after each burst.

    A file is watched through its folder, since many editors put a new file in its place. Where nothing is there it waits.
    """
    while not stop.is_set():
        if _identity(path) is None:
            stop.wait(LOOK_MS / 1000)
        else:
            yield from _while_there(path, stop)


def _while_there(path: Path, stop: Event) -> Iterator[None]:
    """The bursts until the watched folder is another one, or gone."""
    place = path if path.is_dir() else path.parent
    known, begun = _identity(place), False

    def ours(change: Change, changed: str) -> bool:
        return Path(changed) == path if place != path else not _hidden(Path(changed), path)

    signs = watch(
        place, watch_filter=ours, debounce=BURST_MS, step=QUIET_MS, stop_event=stop, rust_timeout=LOOK_MS, yield_on_timeout=True,
        recursive=place == path, ignore_permission_denied=True,
    )  # fmt: skip
    try:
        for changes in signs:
            if changes or not begun:
                begun = True
                yield
            if _identity(place) != known:
                yield
                return
    except FileNotFoundError:  # it went away just now
        return


def _identity(path: Path) -> Identity:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _hidden(changed: Path, root: Path) -> bool:
    """Whether ingest would not look at it anyway: an editor's swap file is no change."""
    inside = changed.relative_to(root).parts if changed.is_relative_to(root) else ()
    return any(part.startswith((".", "~$")) or part.endswith("~") for part in inside)
