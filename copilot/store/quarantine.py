"""Documents set aside: what broke its parser, how often, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select

from copilot.store import schema as t
from copilot.store.database import Database


@dataclass(frozen=True, slots=True)
class Tried:
    """How often a document as it stands now overran its parser, and what was said then."""

    times: int
    reason: str


class Quarantine:
    """Remembers what to leave alone until it changes."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def tried(self, workspace: str, root: str, origin: str, fingerprint: str) -> Tried:
        """What is known of the document; of one that changed, nothing."""
        c = t.quarantine.c
        mine = (c.workspace == workspace) & (c.root == root) & (c.origin == origin) & (c.fingerprint == fingerprint)
        with self._db.read() as connection:
            row = connection.execute(select(c.tries, c.reason).where(mine)).first()
        return Tried(row.tries, row.reason) if row else Tried(0, "")

    def note(self, workspace: str, root: str, origin: str, fingerprint: str, tried: Tried) -> None:
        """Remember one more try, in place of what was known of the document."""
        values = {"workspace": workspace, "root": root, "origin": origin, "fingerprint": fingerprint}
        with self._db.write() as connection:
            c = t.quarantine.c
            mine = (c.workspace == workspace) & (c.root == root) & (c.origin == origin)
            connection.execute(delete(t.quarantine).where(mine))
            row = {**values, "tries": tried.times, "reason": tried.reason, "at": datetime.now(UTC)}
            connection.execute(insert(t.quarantine).values(row))
