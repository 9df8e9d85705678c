"""Uploaded files on disk: each is there for its job, and goes when nothing is to come of that any more."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from time import time

from sqlalchemy import select

from copilot.settings import Settings
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.jobs import OPEN

COMING_IN = 600
"""Seconds for which a folder that no job names is left alone: its file may still be on its way, and the job row comes after it."""


def is_upload(settings: Settings, path: Path) -> bool:
    """Whether the file was uploaded, and is ours to delete."""
    return settings.uploads() in path.parents


def drop(settings: Settings, paths: Iterable[Path]) -> None:
    """Delete those of the files that were uploaded, with the folders of their own."""
    for path in paths:
        if is_upload(settings, path):
            shutil.rmtree(path.parent, ignore_errors=True)


def drop_idle(settings: Settings, database: Database) -> None:
    """Delete every upload whose job is neither waiting nor running: cancelled, ended by a crash, or never begun."""
    here = [folder for folder in settings.uploads().glob("*/*") if folder.is_dir()]
    if not here:
        return
    state, payload = t.jobs.c.state, t.jobs.c.payload
    with database.read() as connection:
        rows = connection.execute(select(state, payload).where(t.jobs.c.kind == "ingest"))
        jobs = {Path(path).parent: row.state for row in rows for path in row.payload.get("paths", ())}
    for folder in here:
        job = jobs.get(folder)
        over = _age(folder) > COMING_IN if job is None else job not in OPEN
        if over:
            shutil.rmtree(folder, ignore_errors=True)


def _age(folder: Path) -> float:
    try:
        return time() - folder.stat().st_mtime
    except FileNotFoundError:  # its job has just ended
        return 0.0
