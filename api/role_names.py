"""Roles as they are given on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from copilot.domain import Role
from copilot.errors import InputError


def roles_of(names: Iterable[str] | None) -> list[Role]:
    """The roles of these names; agent where none is given. Raises InputError."""
    return [_role(one) for one in names or ["agent"]]


def _role(name: str) -> Role:
    known: tuple[Role, ...] = get_args(Role)
    for role in known:
        if role == name:
            return role
    raise InputError(f"There is no role {name!r}. Roles: {', '.join(known)}.")
