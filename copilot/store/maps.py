"""The learned map of each workspace: stored with what it was learned from, and gone with any part of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, and_, delete, insert, select, update

from copilot.ports import Vectors
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.values import now


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedMap:
    """A linear map of query vectors; without a matrix, the finding that none helps. `basis` are the versions that it was learned from."""

    matrix: Vectors | None
    trained_until: datetime | None
    basis: frozenset[str]


class Maps:
    """Keeps one map a workspace and embedder."""

    def __init__(self, database: Database, embedder: str) -> None:
        self._db, self._embedder = database, embedder

    def there(self, workspace: str) -> bool:
        """Whether the workspace has a map of this embedder."""
        with self._db.read() as connection:
            return newest(connection, workspace, self._embedder) is not None

    def keep(self, workspace: str, revision: str, learned: LearnedMap) -> bool:
        """Put the map in force, unless the workspace's clock has moved since `revision`, on which it was learned."""
        with self._db.write() as connection:
            c = t.workspaces.c
            moved = update(t.workspaces).where(c.id == workspace, c.clock == int(revision)).values(clock=c.clock + 1)
            if not connection.execute(moved).rowcount:
                return False
            mine = and_(t.maps.c.workspace == workspace, t.maps.c.embedder == self._embedder)
            connection.execute(delete(t.maps).where(mine))
            matrix = None if learned.matrix is None else learned.matrix.astype("<f4").tobytes()
            values: dict[str, object] = {
                "workspace": workspace,
                "embedder": self._embedder,
                "matrix": matrix,
                "created_at": now(),
            }
            values |= {"trained_until": learned.trained_until, "basis": sorted(learned.basis)}
            connection.execute(insert(t.maps).values(values))
        return True


def newest(connection: Connection, workspace: str, embedder: str) -> LearnedMap | None:
    """The workspace's map for this embedder."""
    c = t.maps.c
    query = select(c.matrix, c.trained_until, c.basis).where(c.workspace == workspace, c.embedder == embedder)
    row = connection.execute(query).first()
    if row is None:
        return None
    flat = None if row.matrix is None else np.frombuffer(row.matrix, dtype="<f4")
    matrix = None if flat is None else flat.reshape(int(len(flat) ** 0.5), -1)
    return LearnedMap(matrix=matrix, trained_until=row.trained_until, basis=frozenset(row.basis))
