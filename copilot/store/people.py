"""People who sign in: a name, a password kept as an argon2id hash, and the workspace, roles and teams that they work with."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from threading import BoundedSemaphore
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from copilot.domain import Principal, Role
from copilot.errors import Conflict, InputError, NotFound
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.ledger import WORKSPACE
from copilot.store.values import now

PASSWORD_LENGTH = range(10, 1025)
NAME_LENGTH = 128
_hashing = BoundedSemaphore(2)
"""One hash takes 64 MB: many sign-ins at once wait for each other instead of for the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """What may be shown of a person who signs in."""

    id: str
    name: str
    workspace: str
    roles: tuple[Role, ...]
    teams: tuple[str, ...]
    created_at: datetime
    disabled_at: datetime | None

    def principal(self) -> Principal:
        """Who is asking, once they have signed in."""
        return Principal(id=self.id, workspace=self.workspace, roles=frozenset(self.roles), teams=frozenset(self.teams))


class People:
    """Adds, checks, lists and disables users."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(
        self, workspace: str, name: str, password: str, roles: Collection[Role], teams: Collection[str] = ()
    ) -> User:
        """A new user. Raises InputError for a name or password that cannot be one, Conflict where the name is taken."""
        _check(workspace, name, password)
        row = {
            "id": f"u_{secrets.token_hex(8)}",
            "name": folded(name),
            "password": _hash(password),
            "workspace": workspace,
        }
        row |= {"roles": sorted(roles), "teams": sorted(teams)}  # type: ignore[dict-item]
        try:
            with self._db.write() as connection:
                connection.execute(insert(t.users).values(created_at=now(), **row))
        except IntegrityError:
            raise Conflict(f"There is a user {folded(name)!r} already. Choose another name.") from None
        return self.named(name)

    def check(self, name: str, password: str) -> User | None:
        """The user, where name and password are right and they are not disabled. What is wrong takes as long as what is right."""
        row = self._row(name)
        right = _verify(row["password"] if row else _nobody(), password)
        if row is None or not right or row["disabled_at"] is not None:
            return None
        return user_of(row)

    def named(self, name: str) -> User:
        """The user of this name. Raises NotFound."""
        row = self._row(name)
        if row is None:
            raise _unknown(name)
        return user_of(row)

    def list(self) -> list[User]:
        """All users by name."""
        with self._db.read() as connection:
            return [
                user_of(dict(row)) for row in connection.execute(select(t.users).order_by(t.users.c.name)).mappings()
            ]

    def disable(self, name: str) -> None:
        """They are signed out at once and cannot sign in any more. Raises NotFound."""
        self._set(name, disabled_at=now())

    def set_password(self, name: str, password: str) -> None:
        """Another password; they are signed out everywhere, and may sign in again if they were disabled. Raises NotFound, InputError."""
        _check("default", name, password)
        self._set(name, password=_hash(password), disabled_at=None)

    def _set(self, name: str, **values: Any) -> None:
        c = t.users.c
        with self._db.write() as connection:
            id = connection.execute(select(c.id).where(c.name == folded(name))).scalar()
            if id is None:
                raise _unknown(name)
            connection.execute(update(t.users).where(c.id == id).values(**values))
            connection.execute(delete(t.sessions).where(t.sessions.c.user == id))

    def _row(self, name: str) -> dict[str, Any] | None:
        with self._db.read() as connection:
            row = connection.execute(select(t.users).where(t.users.c.name == folded(name))).mappings().first()
        return dict(row) if row else None


def user_of(row: Any) -> User:
    """A row of `users` without its hash."""
    names = ("id", "name", "workspace", "created_at", "disabled_at")
    return User(**{name: row[name] for name in names}, roles=tuple(row["roles"]), teams=tuple(row["teams"]))


def folded(name: str) -> str:
    """The name as it is kept: without surrounding space, capitals as small letters."""
    return name.strip().casefold()


def _check(workspace: str, name: str, password: str) -> None:
    wrong = [
        (not WORKSPACE.fullmatch(workspace), f"{workspace!r} is no name for a workspace."),
        (not folded(name) or len(folded(name)) > NAME_LENGTH or not folded(name).isprintable(),
         f"A user's name has 1 to {NAME_LENGTH} characters that can be seen."),
        (len(password) not in PASSWORD_LENGTH,
         f"A password has {PASSWORD_LENGTH.start} to {PASSWORD_LENGTH.stop - 1} characters. A sentence makes a good one."),
        (folded(password) == folded(name), "The password must not be the name."),
    ]  # fmt: skip
    for is_wrong, advice in wrong:
        if is_wrong:
            raise InputError(advice)


def _hash(password: str) -> str:
    from argon2 import PasswordHasher

    with _hashing:
        return PasswordHasher().hash(password)


def _verify(hashed: str, password: str) -> bool:
    from argon2 import PasswordHasher
    from argon2.exceptions import VerificationError

    try:
        with _hashing:
            return PasswordHasher().verify(hashed, password[: PASSWORD_LENGTH.stop])
    except VerificationError:
        return False


def _nobody() -> str:
    """A hash of the present parameters that no password fits."""
    from argon2 import PasswordHasher

    p = PasswordHasher()
    return f"$argon2id$v=19$m={p.memory_cost},t={p.time_cost},p={p.parallelism}$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43


def _unknown(name: str) -> NotFound:
    return NotFound(f"There is no user {folded(name)!r}. `copilot users list` shows those there are.")
