"""The tables of who may come in and what they did: keys, users, their sessions, and the audit log."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text

from copilot.store.columns import UtcDateTime, metadata

keys = Table(
    "keys", metadata,
    Column("id", String(32), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("workspace", String(64), nullable=False),
    Column("roles", JSON, nullable=False),
    Column("teams", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)  # fmt: skip

users = Table(
    "users", metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(128), nullable=False, unique=True),  # folded: Ada and ada are one person
    Column("password", Text, nullable=False),  # an argon2id hash with its parameters
    Column("workspace", String(64), nullable=False),
    Column("roles", JSON, nullable=False),
    Column("teams", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("disabled_at", UtcDateTime),
)  # fmt: skip

sessions = Table(
    "sessions", metadata,
    Column("hash", String(64), primary_key=True),  # of the cookie's token
    Column("user", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Index(None, "user"),
)  # fmt: skip

audit = Table(  # who saw and did what: ids and times, never words
    "audit", metadata,
    Column("id", Integer, primary_key=True),
    Column("workspace", String(64), nullable=False),
    Column("principal", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("object", String(512)),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "workspace", "at"),
)  # fmt: skip
