"""Backups: a copy of the database taken while others write, with a manifest; the indexes are made again from it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine, func, make_url, select
from sqlalchemy.exc import DatabaseError

from copilot.build import empty_indexes
from copilot.crash import point
from copilot.errors import ConfigurationError, InputError
from copilot.settings import Settings
from copilot.store import schema as t
from copilot.store.customers import traces

DATABASE, MANIFEST, LIST, MODELS = "copilot.db", "manifest.json", "backups.jsonl", "embedders"
WEIGHTS = "model.safetensors"
FORMAT = 1
GIVE = "Give the folder that `copilot backup DIR` wrote."


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds and how to tell that it is whole."""

    format: int
    made_at: str
    bytes: int
    sha256: str
    documents: int
    conversations: int
    suggestions: int
    embedders: list[str]
    models: dict[str, str] = field(default_factory=dict)
    """The weights of embedding models that tickets taught: folder -> sha256."""


@dataclass(frozen=True, slots=True)
class Held:
    """A backup that still holds something of a customer."""

    folder: str
    made_at: str
    tickets: int
    conversations: int


def backup(settings: Settings, folder: Path) -> Manifest:
    """Copy the database as it stands at one moment, beside whoever writes to it. The manifest comes last: without it there is no backup."""
    source = _sqlite_file(settings)
    if not source.exists():
        raise InputError(f"There is nothing to back up in {settings.home}. Ingest something first.")
    with writing_to(folder):
        if folder.exists() and any(folder.iterdir()):
            raise InputError(f"{folder} is not empty. Give a new folder for each backup.")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made_at = datetime.now(UTC).isoformat()
    _list(settings, folder, made_at)
    copied = folder / DATABASE
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(copied)) as copy:
        live.backup(copy)  # all pages in one read transaction
        copy.execute("PRAGMA journal_mode=DELETE")
    point("backup.copied")
    os.chmod(copied, 0o600)
    manifest = _manifest(copied, _models(settings, copied, folder), made_at)
    (folder / f"{MANIFEST}.new").write_text(json.dumps(asdict(manifest), indent=2), encoding="utf-8")
    (folder / f"{MANIFEST}.new").replace(folder / MANIFEST)
    point("backup.written")
    return manifest


@contextmanager
def writing_to(place: Path) -> Iterator[None]:
    """Raise InputError in place of the system's error where a file or folder that somebody named cannot be written."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{place} cannot be written ({error.strerror}). Give a place that can.") from error


def check(folder: Path) -> Manifest:
    """The manifest of a whole backup. Raises InputError where something of it is missing or changed."""
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
        found = (folder / DATABASE).stat().st_size, _sha256(folder / DATABASE)
    except OSError as error:
        raise InputError(f"{folder} is no whole backup: {_missing(folder, error)} {GIVE}") from None
    except (ValueError, TypeError):
        raise InputError(f"{folder} is no whole backup: its {MANIFEST} is none that a backup wrote. {GIVE}") from None
    if manifest.format != FORMAT:
        raise InputError(f"{folder} was written by another version (format {manifest.format}). Install that version.")
    changed = [name for name, sha in manifest.models.items() if not _is(folder / MODELS / name / WEIGHTS, sha)]
    if changed:
        raise InputError(f"{folder / MODELS / changed[0]} is not what was backed up. Use another backup.")
    if found != (manifest.bytes, manifest.sha256):
        raise InputError(f"{folder / DATABASE} is not what was backed up: its checksum differs. Use another backup.")
    return manifest


def _missing(folder: Path, error: OSError) -> str:
    """What keeps it from being read as a backup, in a sentence."""
    if not folder.exists():
        return "it does not exist."
    if not folder.is_dir():
        return "it is a file, and a backup is a folder."
    if not isinstance(error, FileNotFoundError):
        return f"what it holds cannot be read ({error.strerror})."
    has = [name for name in (MANIFEST, DATABASE) if (folder / name).exists()]
    if has == [DATABASE]:
        return f"it has no {MANIFEST}, so the copy was broken off, or it is no copy at all."
    return f"it has no {DATABASE}." if has else f"it has neither {MANIFEST} nor {DATABASE}."


def restore(settings: Settings, folder: Path, replace: bool = False) -> Manifest:
    """Put the backup in place of the database, in one transaction, and empty indexes beside it; the caller owns them and repairs next.

    Raises InputError for a damaged backup, and where there is something to lose and `replace` is not said.
    """
    target = _sqlite_file(settings)
    manifest = check(folder)
    if not replace and target.exists() and _documents(target):
        raise InputError(
            f"{settings.home} holds documents. Say --replace to lose them, or give a COPILOT_HOME of its own."
        )
    point("restore.checked")
    target.parent.mkdir(parents=True, exist_ok=True)
    empty_indexes(settings)  # first: a chunk id of the backup may have stood for other words
    point("restore.emptied")
    for name in manifest.models:
        shutil.copytree(folder / MODELS / name, settings.embedders() / name, dirs_exist_ok=True)
    with closing(sqlite3.connect(folder / DATABASE)) as copy, closing(sqlite3.connect(target, timeout=30)) as live:
        copy.backup(live)
    point("restore.loaded")
    return manifest


def held_by_backups(settings: Settings, workspace: str, customer: str) -> list[Held]:
    """The backups made from this home that still exist and hold something of the customer, or cannot be read to tell."""
    held = []
    for folder, made_at in _listed(settings):
        file = Path(folder) / DATABASE
        if not file.exists():
            continue
        engine = create_engine(f"sqlite:///{file}")
        try:
            with engine.connect() as connection:
                found = traces(connection, workspace, customer)
        except DatabaseError:
            held.append(Held(folder, made_at, -1, -1))
            continue
        finally:
            engine.dispose()
        if found.tickets or found.conversations:
            held.append(Held(folder, made_at, len(found.tickets), len(found.conversations)))
    return held


def _list(settings: Settings, folder: Path, made_at: str) -> None:
    """Note the folder on disk before anything is copied there: whatever a crash leaves in it, erasing a customer looks there."""
    with (settings.home / LIST).open("a", encoding="utf-8") as listed:
        row = json.dumps({"folder": str(folder.resolve()), "made_at": made_at})
        listed.write(f"\n{row}\n")  # a line of its own, should a crash have cut the one before
        listed.flush()
        os.fsync(listed.fileno())
    home = os.open(settings.home, os.O_RDONLY)
    try:
        os.fsync(home)
    finally:
        os.close(home)


def _listed(settings: Settings) -> list[tuple[str, str]]:
    """Each folder once, with the time of the latest backup there; a line that was cut off is that of a backup never begun."""
    try:
        lines = (settings.home / LIST).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    whole = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
    return list({row["folder"]: row["made_at"] for row in whole}.items())


def _sqlite_file(settings: Settings) -> Path:
    url = make_url(settings.database_url())
    if url.get_backend_name() != "sqlite" or not url.database:
        raise ConfigurationError(
            "The database is PostgreSQL: back it up with `pg_dump -Fc` and restore it with `pg_restore`, "
            "then run `copilot compact`, which makes the indexes anew from it."
        )
    return Path(url.database)


def _models(settings: Settings, database: Path, folder: Path) -> dict[str, str]:
    """Copies the model that made the vectors, where tickets taught it: without it nothing could be asked."""
    with closing(sqlite3.connect(database)) as copy:
        noted = copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'makers'").fetchone()
        asked = "SELECT m.embedder FROM makers m JOIN workspaces w ON w.embedder = m.fingerprint"
        rows = copy.execute(asked).fetchall() if noted else []  # an older version's database has no such table
    copied = {}
    for name in sorted({name.removeprefix("trained:") for (name,) in rows if name.startswith("trained:")}):
        shutil.copytree(settings.embedders() / name, folder / MODELS / name)
        copied[name] = _sha256(folder / MODELS / name / WEIGHTS)
    return copied


def _manifest(file: Path, models: dict[str, str], made_at: str) -> Manifest:
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        documents, conversations, suggestions = (
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (t.documents, t.conversations, t.suggestions)
        )
        makers = connection.execute(select(t.workspaces.c.embedder).distinct().order_by(t.workspaces.c.embedder))
        embedders = [maker for maker in makers.scalars() if maker]
    engine.dispose()
    return Manifest(
        format=FORMAT, made_at=made_at, bytes=file.stat().st_size, sha256=_sha256(file),
        documents=documents, conversations=conversations, suggestions=suggestions, embedders=embedders, models=models,
    )  # fmt: skip


def _documents(file: Path) -> int:
    with closing(sqlite3.connect(file)) as database:
        try:
            return int(database.execute("SELECT count(*) FROM documents").fetchone()[0])
        except sqlite3.DatabaseError:
            return 0


def _is(file: Path, sha: str) -> bool:
    return file.is_file() and _sha256(file) == sha


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
