"""Generations of an index on disk: a new one is filled beside the old, and one atomic rename makes it the index in force."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from copilot.crash import point
from copilot.disk import full_disk
from copilot.errors import IndexBroken

log = logging.getLogger(__name__)
POINTER = "generation"


def current(folder: Path) -> Path:
    """The generation in force; before the first switch it is the folder itself."""
    try:
        name = (folder / POINTER).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return folder
    return folder / name


@contextmanager
def opening(name: str, folder: Path) -> Iterator[None]:
    """What cannot be opened in this block is said as IndexBroken, with what to do about it; StorageFailed where the disk is only full."""
    try:
        yield
    except Exception as error:
        if (full := full_disk(error)) is not None:
            raise full from error  # the index is whole: to make it again would need more room still
        raise IndexBroken(
            f"The {name} index in {folder} cannot be opened ({error}). `copilot repair` makes it again from the database."
        ) from error


def begin(folder: Path) -> Path:
    """An empty folder for the next generation."""
    name = current(folder).name if current(folder) != folder else "g0"
    made = folder / f"g{int(name[1:]) + 1}"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    point("generation.made")
    return made


def switch(folder: Path, made: Path) -> None:
    """Put the generation in force; it survives a crash at any moment as the old one or the new one."""
    named = folder / f"{POINTER}.new"
    with named.open("w", encoding="ascii") as file:
        file.write(made.name)
        file.flush()
        os.fsync(file.fileno())
    point("generation.named")
    os.replace(named, folder / POINTER)
    _sync(folder)
    point("generation.switched")


def sweep(folder: Path) -> None:
    """Remove whatever is not in force: an old generation, or one that a crash left half made."""
    kept = current(folder)
    for path in folder.iterdir() if folder.exists() else ():
        if kept == folder and not (path.name == f"{POINTER}.new" or _is_generation(path)):
            continue
        if path == kept or path.name == POINTER:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    point("generation.swept")


def renew(folder: Path) -> None:
    """Put an empty generation in force, whatever state the old one is in."""
    switch(folder, begin(folder))
    sweep(folder)


def _is_generation(path: Path) -> bool:
    return path.is_dir() and path.name[0] == "g" and path.name[1:].isdigit()


def _sync(folder: Path) -> None:
    """The rename itself is on disk when this returns; Windows cannot open a folder and needs no such thing.

    It has happened by now: a failure to make it last is no reason to act as if it had not, since an index can be made again.
    """
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        except OSError as error:
            log.warning(
                "the new index in %s may not outlive a power cut (%s); `copilot repair` makes it again", folder, error
            )
        finally:
            os.close(handle)
