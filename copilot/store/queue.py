"""Puts a job into the queue inside a transaction of somebody else's: it is there if what asks for it is."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert

from copilot.store import schema as t


def queued(connection: Connection, workspace: str, kind: str, payload: dict[str, Any]) -> str:
    """The id of a new job that waits for the process that owns the indexes."""
    id = uuid.uuid4().hex
    row = {"id": id, "workspace": workspace, "kind": kind, "payload": payload, "state": "queued", "progress": {}}
    connection.execute(insert(t.jobs).values(created_at=datetime.now(UTC), cancelling=False, **row))
    return id
