"""Whose a document is: one root never takes another's document, unless that root is gone or it is the same file."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from copilot.errors import NotFound
from copilot.settings import Settings
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.ledger import Existing
from copilot.store.sources import Sources, Upstream
from copilot.store.withdraw import LEARNED
from ingest.connect import LOCAL

_SOURCE = Upstream(workspace="", id="", connector="", address="").root


class Owners:
    """Knows which roots are still there. Uploads and learned tickets own nothing, and take what has their id."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._db, self._sources, self._uploads = database, Sources(database), settings.uploads()

    def objection(self, workspace: str, root: str, origin: str, existing: Existing) -> str | None:
        """Why this root may not take the document that is known under the id, or have its file's under another; None where it may."""
        if existing.key is None:
            return self._synced(workspace, root, origin)
        if existing.root in (None, root, LEARNED) or root == LEARNED:
            return None
        if self._uploads in Path(root).parents or self._uploads in Path(existing.root or "").parents:
            return None
        theirs, there = self._place(workspace, existing.root or "", existing.origin)
        if not there or (theirs is not None and theirs == self._place(workspace, root, origin)[0]):
            return None
        owner = f"source {id}" if (id := _source(existing.root or "")) else existing.root
        return (
            f"it belongs to {owner} (path {existing.origin}): give it an id of its own (doc_id in its head or column, ticket_id "
            "of a ticket), rename the file, or take the other one away first if this one is to stand in its place"
        )

    def _synced(self, workspace: str, root: str, origin: str) -> str | None:
        """Which document of a source stands in this file, where it comes by hand: the source has it from its own folder, under that name."""
        if not Path(root).is_absolute() or self._uploads in Path(root).parents:
            return None
        file, d = file_of(Path(root), origin), t.documents.c
        row = origin[len(name_of(file, Path(root))) :]
        for one in self._sources.list(workspace):
            folder = Path(one.address).resolve()
            if one.connector != "files" or folder not in (file, *file.parents):
                continue
            there = d.workspace == workspace, d.root == one.root, d.origin == name_of(file, folder) + row
            with self._db.read() as connection:
                id = connection.execute(select(d.id).where(*there, d.active_revision.is_not(None))).scalar()
            if id is not None:
                return f"it is the document {id} of source {one.id} already: leave it to `copilot sync {one.id}`, or remove the source"
        return None

    def _place(self, workspace: str, root: str, origin: str) -> tuple[Path | None, bool]:
        """The file that a document stands in, where it is one of this machine, and whether its root still has it."""
        if (id := _source(root)) is None:
            file = file_of(Path(root), origin)
            return file, is_there(file)
        try:
            upstream = self._sources.get(workspace, id)
        except NotFound:
            return None, False
        if upstream.connector not in LOCAL:
            return None, True
        file = file_of(Path(upstream.address), origin)
        return file, is_there(file)


def _source(root: str) -> str | None:
    return root.removeprefix(_SOURCE) if root.startswith(_SOURCE) else None


def file_of(root: Path, origin: str) -> Path:
    """The file that a document stands in. A table's rows stand in one file, behind a `#`, which a file's own name may hold too."""
    if not root.is_dir():
        return root
    return root / origin if is_there(root / origin) else root / origin.split("#")[0]


def name_of(file: Path, root: Path) -> str:
    """The file's name as a document's origin begins with it."""
    return file.name if file == root else file.relative_to(root).as_posix()


def is_there(file: Path) -> bool:
    """Whether there is such a file, as far as one may look."""
    try:
        return file.exists()
    except OSError:  # it may not be looked at, which is no sign that it went
        return True
