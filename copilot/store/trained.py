"""What was learned from each workspace: numbered, with the figures that spoke for it, put in force at once and taken back at once.

Of each kind the highest active number that fits is in force, else what is shipped. So undoing is one change of state, and what is deleted with
a ticket that taught it makes room for the newest that is left. Each change moves the workspace's clock: an index revision means one state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import Connection, func, insert, select, update

from copilot.errors import Conflict, NotFound
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.unlearn import in_force, is_one, missing, record
from copilot.store.values import now

TrainedKind = Literal["taxonomy", "intents", "ranking", "embedder"]
KINDS: tuple[TrainedKind, ...] = get_args(TrainedKind)
State = Literal["candidate", "active", "undone", "dropped"]
Figures = Mapping[str, float | int | str | bool]
Wanted = Callable[[TrainedKind, bytes | None], str | None]
"""What one of a kind must fit to be in force, given the workspace's own taxonomy; None where nothing is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Something learned, to be kept: `fits` is a hash of what it depends on besides the embedder, `basis` names all that taught it."""

    kind: TrainedKind
    payload: bytes
    figures: Figures
    fits: str = ""
    trained_until: datetime | None = None
    basis: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """Something learned, as kept, without its bytes."""

    kind: TrainedKind
    number: int
    embedder: str
    fits: str
    state: State
    in_force: bool
    trained_until: datetime | None
    figures: Figures = field(hash=False)
    created_at: datetime

    @property
    def name(self) -> str:
        """As provenance and lists name it."""
        return f"{self.kind} {self.number}"

    def known_by(self, before: datetime | None) -> bool:
        """Whether all that taught it was known by then; of a taxonomy nothing is asked."""
        if before is None or self.kind == "taxonomy":
            return True
        return self.trained_until is not None and self.trained_until <= before


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A change of what is in force: to this number, or to what is shipped (None)."""

    kind: TrainedKind
    number: int | None
    why: str
    at: datetime


class TrainedStore:
    """Keeps what was learned, of all workspaces."""

    def __init__(self, database: Database, embedder: str, wanted: Wanted | None = None) -> None:
        self._db, self._embedder, self._wanted = database, embedder, wanted

    def keep(self, workspace: str, lesson: Lesson, *, active: bool) -> Trained:
        """Store it, and put it in force where it is active; an embedding model is when it makes the vectors.

        Raises Conflict where something that taught it is gone by now, NotFound.
        """
        with self._db.write() as connection:
            _known(connection, workspace)
            if gone := missing(connection, workspace, lesson.basis):
                raise Conflict(f"{len(gone)} of what taught the {lesson.kind} was deleted meanwhile. Train again.")
            c = t.trained.c
            last = select(func.max(c.number)).where(c.workspace == workspace, c.kind == lesson.kind)
            number = (connection.execute(last).scalar() or 0) + 1
            connection.execute(insert(t.trained).values(
                workspace=workspace, kind=lesson.kind, number=number, embedder=self._embedder, fits=lesson.fits,
                state="active" if active else "candidate", trained_until=lesson.trained_until,
                payload=lesson.payload if active else b"", figures=dict(lesson.figures),
                basis=sorted(lesson.basis) if active else [], created_at=now(),
            ))  # fmt: skip
            if active and lesson.kind != "embedder":
                record(connection, workspace, lesson.kind, "trained", self._fits(connection, workspace, lesson.kind))
        return next(one for one in self.all(workspace, lesson.kind) if one.number == number)

    def undo(self, workspace: str, kind: TrainedKind) -> int | None:
        """Take back what is in force; the number that is in force now, None for what is shipped. Raises NotFound where nothing is."""
        with self._db.write() as connection:
            _known(connection, workspace)
            fits = self._fits(connection, workspace, kind)
            number = in_force(connection, workspace, kind, fits)
            if number is None:
                raise NotFound(f"Nothing trained is in force for {kind}: it is as shipped. See `copilot train list`.")
            connection.execute(update(t.trained).where(is_one(workspace, kind, number)).values(state="undone"))
            return record(connection, workspace, kind, "undone", fits)

    def _fits(self, connection: Connection, workspace: str, kind: TrainedKind) -> str | None:
        """What one of the kind must fit, with the taxonomy that is in force."""
        if self._wanted is None:
            return None
        number = in_force(connection, workspace, "taxonomy")
        own = select(t.trained.c.payload).where(is_one(workspace, "taxonomy", number or 0))
        return self._wanted(kind, connection.execute(own).scalar())

    def embedder_undone(self, workspace: str, number: int) -> int | None:
        """Note that the index went back to the embedding model before this one; the number that is in force now, None for what is shipped."""
        with self._db.write() as connection:
            connection.execute(update(t.trained).where(is_one(workspace, "embedder", number)).values(state="undone"))
            return record(connection, workspace, "embedder", "undone")

    def embedder_switched(self, workspace: str) -> None:
        """Note that the index's vectors are the newest embedding model's."""
        with self._db.write() as connection:
            record(connection, workspace, "embedder", "trained")

    def embedders(self) -> list[tuple[str, Trained]]:
        """The embedding models that tickets taught, with the workspace whose they were, newest first: the index is everybody's."""
        w = t.workspaces.c
        with self._db.read() as connection:
            names = connection.execute(select(w.id).order_by(w.id)).scalars().all()
        found = [(name, one) for name in names for one in self.all(name, "embedder")]
        return sorted(found, key=lambda pair: pair[1].created_at, reverse=True)

    def all(self, workspace: str, kind: TrainedKind | None = None) -> list[Trained]:
        """All that was learned, newest first within each kind."""
        c = t.trained.c
        shown = [column for column in c if column.name not in ("workspace", "payload", "basis")]
        query = select(*shown).where(c.workspace == workspace, *([c.kind == kind] if kind else []))
        with self._db.read() as connection:
            rows = connection.execute(query.order_by(c.kind, c.number.desc())).mappings().all()
            best = {
                kind: in_force(connection, workspace, kind, self._fits(connection, workspace, kind))
                for kind in {row["kind"] for row in rows}
            }
        return [Trained(**row, in_force=best[row["kind"]] == row["number"]) for row in rows]

    def switches(self, workspace: str) -> list[Switch]:
        """Each change of what is in force, oldest first."""
        c = t.switches.c
        query = select(c.kind, c.number, c.why, c.at).where(c.workspace == workspace).order_by(c.id)
        with self._db.read() as connection:
            return [Switch(**row) for row in connection.execute(query).mappings()]

    def payload(self, workspace: str, one: Trained) -> bytes | None:
        """Its bytes; None where it has been deleted."""
        with self._db.read() as connection:
            query = select(t.trained.c.payload).where(is_one(workspace, one.kind, one.number))
            return connection.execute(query).scalar()


def _known(connection: Connection, workspace: str) -> None:
    c = t.workspaces.c
    if connection.execute(select(c.id).where(c.id == workspace)).first() is None:
        raise NotFound(
            f"There is no workspace {workspace!r}. Ingest something into it first: copilot ingest PATH --workspace {workspace}."
        )
