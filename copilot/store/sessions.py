"""Who is signed in: a random token in the browser's cookie, its hash here, with an end whether it is used or not."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, or_, select, update

from copilot.domain import Principal
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.people import user_of
from copilot.store.values import now

SEEN_EVERY = timedelta(minutes=1)
"""Being seen is noted this often, not at each request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who is signed in, and the token that their unsafe requests must carry."""

    principal: Principal
    name: str
    csrf: str


class Sessions:
    """Opens, finds and ends sessions; `idle` ends one that is not used, `most` any."""

    def __init__(self, database: Database, idle: timedelta, most: timedelta) -> None:
        self._db, self._idle, self._most = database, idle, most

    def open(self, user: str) -> str:
        """A new session's token, which is not kept; sessions that are over are forgotten."""
        token, at, c = secrets.token_urlsafe(32), now(), t.sessions.c
        with self._db.write() as connection:
            over = or_(c.seen_at < at - self._idle, c.created_at < at - self._most)
            connection.execute(delete(t.sessions).where(over))
            connection.execute(insert(t.sessions).values(hash=_hash(token), user=user, created_at=at, seen_at=at))
        return token

    def find(self, token: str) -> Session | None:
        """Who holds this token, or None where it is unknown, over, or its user disabled."""
        at, c = now(), t.sessions.c
        query = select(t.users, c.seen_at).join(t.sessions, t.users.c.id == c.user).where(c.hash == _hash(token))
        query = query.where(
            c.seen_at >= at - self._idle, c.created_at >= at - self._most, t.users.c.disabled_at.is_(None)
        )
        with self._db.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        self._note(token, row["seen_at"], at)
        user = user_of(row)
        return Session(principal=user.principal(), name=user.name, csrf=csrf_of(token))

    def end(self, token: str) -> None:
        """The token is worth nothing any more."""
        with self._db.write() as connection:
            connection.execute(delete(t.sessions).where(t.sessions.c.hash == _hash(token)))

    def _note(self, token: str, seen: datetime, at: datetime) -> None:
        if at - seen > SEEN_EVERY:
            with self._db.write() as connection:
                connection.execute(update(t.sessions).where(t.sessions.c.hash == _hash(token)).values(seen_at=at))


def csrf_of(token: str) -> str:
    """What a page of ours knows and a page of others cannot: it follows from the token, so nothing is kept."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
