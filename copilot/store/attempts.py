"""Failed sign-ins, counted for a name and for an address: after a few, each next try waits twice as long."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.values import now

FREE = {"pair": 5, "name": 25, "address": 100}
"""Failures that cost no wait: of a name from one address, of a name from anywhere, of an address with any name."""
LONGEST = timedelta(minutes=15)
FORGOTTEN = timedelta(hours=24)


class Attempts:
    """Says how long a sign-in must wait, and counts those that fail. Names and addresses are kept as hashes alone."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def wait(self, name: str, address: str) -> int:
        """Seconds until the next try is looked at; 0: now."""
        counted, at = _counted(name, address), now()
        c = t.attempts.c
        with self._db.read() as connection:
            rows = connection.execute(select(t.attempts).where(c.who.in_(counted))).all()
        left = [_until(row.failures - FREE[counted[row.who]], row.last_at) - at for row in rows]
        return max((int(one.total_seconds()) + 1 for one in left if one > timedelta(0)), default=0)

    def failed(self, name: str, address: str) -> None:
        """Count one failure; what is a day old is forgotten."""
        at, c = now(), t.attempts.c
        with self._db.write() as connection:
            connection.execute(delete(t.attempts).where(c.last_at < at - FORGOTTEN))
            for who in sorted(_counted(name, address)):
                values = {"failures": c.failures + 1, "last_at": at}
                if not connection.execute(update(t.attempts).where(c.who == who).values(values)).rowcount:
                    connection.execute(insert(t.attempts).values(who=who, failures=1, last_at=at))

    def passed(self, name: str, address: str) -> None:
        """A right password: this name is free again from this address."""
        pair = next(who for who, kind in _counted(name, address).items() if kind == "pair")
        with self._db.write() as connection:
            connection.execute(delete(t.attempts).where(t.attempts.c.who == pair))


def _counted(name: str, address: str) -> dict[str, str]:
    named = {"pair": f"{name}\n{address}", "name": name, "address": address}
    return {hashlib.sha256(f"{kind}\n{words}".encode()).hexdigest(): kind for kind, words in named.items()}


def _until(over: int, last: datetime) -> datetime:
    return last if over < 0 else last + min(LONGEST, timedelta(seconds=2 ** min(over, 20)))
