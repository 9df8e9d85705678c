"""A large workspace, read by a second process while this one still starts: within one interpreter the two would take turns."""

from __future__ import annotations

import json
import logging
import pickle
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from copilot.memory import collect_rarely

if TYPE_CHECKING:
    from copilot.settings import Settings
    from copilot.store.active import Columns

log = logging.getLogger(__name__)

LARGE = 30_000
"""Vectors that it pays for: fewer are read sooner than a second process has started."""

PIPE = 1 << 20
"""Bytes that wait between the two processes: with the usual 64 KB they would take turns thousands of times."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """A process that reads a workspace and hands its columns over once, to whoever asks."""

    workspace: str
    _process: subprocess.Popen[bytes]

    def columns(self, revision: str, embedder: str) -> Columns | None:
        """The workspace, where the process read the very state that is asked for; None where it did not, or failed."""
        assert self._process.stdout is not None
        try:
            if pickle.load(self._process.stdout) == (revision, embedder):  # our own process wrote it
                columns: Columns = pickle.load(self._process.stdout)
                return columns
        except (EOFError, pickle.UnpicklingError, OSError, ValueError):
            log.debug("the workspace could not be read ahead", exc_info=True)
        finally:
            self.close()
        return None

    def close(self) -> None:
        """End the process, whether or not it was asked."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


@contextmanager
def reading_ahead(settings: Settings, workspace: str) -> Iterator[Ahead | None]:
    """Begin to read the workspace, where the database is the usual file and holds many vectors; at the end of the block the process is gone."""
    if _vectors(settings) < LARGE:
        yield None
        return
    process = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pipesize=PIPE,
    )
    assert process.stdin is not None
    with closing(Ahead(workspace, process)) as ahead:
        with suppress(BrokenPipeError), process.stdin as asked:  # whoever asks a process that ended reads for itself
            asked.write(json.dumps([settings.database_url(), workspace]).encode())
        yield ahead


def _vectors(settings: Settings) -> int:
    """About how many there are, by the last row's number; none in another database than the usual file."""
    file = settings.home / "copilot.db"
    if settings.database or not file.exists():
        return 0
    with suppress(sqlite3.Error), closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT max(rowid) FROM vectors").fetchone()[0] or 0
    return 0


def hand_over(asked: bytes, out: IO[bytes]) -> None:
    """Write the state that is read, revision and embedder, and then the columns."""
    from sqlalchemy import select

    from copilot.store import schema as t
    from copilot.store.active import read
    from copilot.store.database import engine_of

    url, workspace = json.loads(asked)
    with engine_of(url).connect() as connection, connection.begin():
        state = select(t.workspaces.c.clock, t.workspaces.c.embedder).where(t.workspaces.c.id == workspace)
        clock, embedder = connection.execute(state).one()
        columns = read(connection, workspace, embedder, None)
    pickle.dump((str(clock), embedder), out)
    pickle.dump(columns, out, protocol=5)


if __name__ == "__main__":
    collect_rarely()
    hand_over(sys.stdin.buffer.read(), sys.stdout.buffer)
