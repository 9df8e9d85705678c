"""API keys: shown once, kept as a hash, revocable, each with a workspace, roles and teams."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from copilot.domain import Principal, Role
from copilot.errors import NotFound
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.values import now

PREFIX = "sc_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What may be shown of a key after its creation."""

    id: str
    workspace: str
    roles: tuple[Role, ...]
    teams: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None


class Accounts:
    """Creates, checks and revokes keys."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def create(self, workspace: str, roles: Collection[Role], teams: Collection[str] = ()) -> tuple[str, str]:
        """A new key's id and its secret, which is not kept."""
        secret, id = PREFIX + secrets.token_urlsafe(32), secrets.token_hex(8)
        row = {"id": id, "hash": _hash(secret), "workspace": workspace, "roles": sorted(roles), "teams": sorted(teams)}
        with self._db.write() as connection:
            connection.execute(insert(t.keys).values(created_at=now(), **row))
        return id, secret

    def who(self, secret: str) -> Principal | None:
        """The principal of a key in force, or None. 256 random bits need no slow hash, and looking up the hash leaks no timing of the key."""
        query = select(t.keys).where(t.keys.c.hash == _hash(secret), t.keys.c.revoked_at.is_(None))
        with self._db.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        return Principal(
            id=row["id"], workspace=row["workspace"], roles=frozenset(row["roles"]), teams=frozenset(row["teams"])
        )

    def any(self) -> bool:
        """Whether a key or a user was ever created; revoking the last does not open the door again."""
        with self._db.read() as connection:
            made = [select(table.c.id).limit(1) for table in (t.keys, t.users)]
            return any(connection.execute(query).first() is not None for query in made)

    def list(self) -> list[Key]:
        """All keys, newest first."""
        columns = [column for column in t.keys.c if column.name != "hash"]
        with self._db.read() as connection:
            rows = connection.execute(select(*columns).order_by(t.keys.c.created_at.desc(), t.keys.c.id)).mappings()
            return [Key(**{**row, "roles": tuple(row["roles"]), "teams": tuple(row["teams"])}) for row in rows]

    def revoke(self, id: str) -> None:
        """The key stops working at once. Raises NotFound."""
        with self._db.write() as connection:
            done = connection.execute(
                update(t.keys).where(t.keys.c.id == id, t.keys.c.revoked_at.is_(None)).values(revoked_at=now())
            )
        if not done.rowcount:
            raise NotFound(f"There is no key {id!r} in force. `copilot keys list` shows them.")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
