"""Source rows: where knowledge comes from, and how far its last sync came. Credentials are references; no secret is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from copilot.errors import Conflict, InputError, NotFound
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.ledger import WORKSPACE
from copilot.store.values import now

ID = r"[a-z0-9][a-z0-9._-]{0,63}"
AUDIENCE = r"public|internal|team:[\w.-]{1,59}"
MOST_MINUTES = 525_600
"""A year between two syncs."""
CREDENTIALS = r"env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:/.{1,500}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A place that knowledge comes from: what reads it, where it is, who may see what comes from it, how often it is read."""

    workspace: str
    id: str
    connector: str
    address: str
    credentials: str | None = None
    audience: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    every_minutes: int | None = None

    @property
    def root(self) -> str:
        """What the ledger has its documents under."""
        return f"source:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the syncs of a source came: where the next one begins, when the last one ran, and what came of it."""

    cursor: str | None
    basis: str | None
    started_at: datetime | None
    finished_at: datetime | None
    outcome: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Timed:
    """A source that is synced at intervals, and when its last sync began."""

    upstream: Upstream
    started_at: datetime | None


class Sources:
    """Adds, lists and removes source rows, and keeps how far each came."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, upstream: Upstream) -> None:
        """A new source. Raises InputError for what cannot be one, Conflict where its id is taken."""
        _check(upstream)
        try:
            with self._db.write() as connection:
                connection.execute(insert(t.sources).values(created_at=now(), **asdict(upstream)))
        except IntegrityError:
            raise Conflict(
                f"There is a source {upstream.id!r} already. Choose another id, or remove that one first."
            ) from None

    def get(self, workspace: str, id: str) -> Upstream:
        """The source. Raises NotFound."""
        return _upstream(self._row(workspace, id))

    def timed(self) -> list[Timed]:
        """Sources of all workspaces that are synced at intervals."""
        query = select(t.sources).where(t.sources.c.every_minutes.is_not(None)).order_by(t.sources.c.started_at)
        with self._db.read() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        return [Timed(_upstream(row), row["started_at"]) for row in rows]

    def all(self) -> list[Upstream]:
        """The sources of all workspaces."""
        query = select(t.sources).order_by(t.sources.c.workspace, t.sources.c.id)
        with self._db.read() as connection:
            return [_upstream(dict(row)) for row in connection.execute(query).mappings()]

    def list(self, workspace: str) -> list[Upstream]:
        """The workspace's sources, by id."""
        query = select(t.sources).where(t.sources.c.workspace == workspace).order_by(t.sources.c.id)
        with self._db.read() as connection:
            return [_upstream(dict(row)) for row in connection.execute(query).mappings()]

    def remove(self, workspace: str, id: str) -> None:
        """Forget the source; its documents are the caller's to retire. Raises NotFound."""
        c = t.sources.c
        with self._db.write() as connection:
            if not connection.execute(delete(t.sources).where(c.workspace == workspace, c.id == id)).rowcount:
                raise _unknown(id)

    def progress(self, workspace: str, id: str) -> Progress:
        """How far its syncs came. Raises NotFound."""
        row = self._row(workspace, id)
        names = ("cursor", "basis", "started_at", "finished_at", "outcome")
        return Progress(**{name: row[name] for name in names})

    def started(self, upstream: Upstream) -> None:
        """Note that a sync begins."""
        self._set(upstream, started_at=now())

    def reached(self, upstream: Upstream, cursor: str, basis: str) -> None:
        """Note where the next sync may begin. Raises NotFound where the source was removed meanwhile."""
        self._set(upstream, cursor=cursor, basis=basis)

    def finished(self, upstream: Upstream, outcome: dict[str, Any]) -> None:
        """Note what came of a sync."""
        self._set(upstream, finished_at=now(), outcome=outcome)

    def _set(self, upstream: Upstream, **values: Any) -> None:
        c = t.sources.c
        mine = (c.workspace == upstream.workspace) & (c.id == upstream.id)
        with self._db.write() as connection:
            if not connection.execute(update(t.sources).where(mine).values(**values)).rowcount:
                raise _unknown(upstream.id)

    def _row(self, workspace: str, id: str) -> dict[str, Any]:
        query = select(t.sources).where(t.sources.c.workspace == workspace, t.sources.c.id == id)
        with self._db.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise _unknown(id)
        return dict(row)


def _unknown(id: str) -> NotFound:
    return NotFound(f"There is no source {id!r}. `copilot sources list` shows those there are.")


def _upstream(row: dict[str, Any]) -> Upstream:
    names = ("workspace", "id", "connector", "address", "credentials", "audience", "options", "every_minutes")
    return Upstream(**{name: row[name] for name in names})


def _check(upstream: Upstream) -> None:
    wrong = [
        (not WORKSPACE.fullmatch(upstream.workspace), f"{upstream.workspace!r} is no name for a workspace."),
        (not re.fullmatch(ID, upstream.id), "A source's id is up to 64 small letters, digits, dots, dashes and underscores."),
        (not re.fullmatch(AUDIENCE, upstream.audience or "public"), "An audience is public, internal or team:NAME."),
        (not re.fullmatch(CREDENTIALS, upstream.credentials or "env:X"),
         "Credentials are given as a reference: env:NAME or file:/path, never as the secret itself."),
        (not 1 <= (1 if upstream.every_minutes is None else upstream.every_minutes) <= MOST_MINUTES,
         f"A source is synced every minute at most, and once in {MOST_MINUTES:,} minutes, a year, at least."),
    ]  # fmt: skip
    for is_wrong, advice in wrong:
        if is_wrong:
            raise InputError(advice)
