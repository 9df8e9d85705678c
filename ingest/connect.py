"""From a source's row to the connector that reads it, and from a credential's reference to the secret."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import urlsplit

from copilot.errors import ConfigurationError, InputError
from copilot.ports import Connector
from copilot.settings import Settings
from copilot.store.sources import Upstream
from ingest.load import WATCH

LOCAL = ("files", "mail", "table")
"""Connectors that read the server's own disk: sources of theirs are added on the command line alone."""
REMOTE = ("chatwoot", "intercom", "web", "zammad", "zendesk")
COMMON_OPTIONS = frozenset({"private_host"})


class Module(Protocol):
    """What each module in `ingest/connectors` offers."""

    OPTIONS: frozenset[str]

    def connect(self, upstream: Upstream, settings: Settings, secret: str | None) -> Connector:
        """The connector of a source."""
        ...


def connector_of(upstream: Upstream, settings: Settings) -> Connector:
    """The connector of a source. Raises InputError for a row that none reads, ConfigurationError where its secret is missing."""
    check(upstream)
    return _module(upstream.connector).connect(upstream, settings, secret(upstream.credentials))


def check(upstream: Upstream) -> None:
    """Raise InputError, with what to write instead, where no connector can read this."""
    if upstream.connector not in (*LOCAL, *REMOTE):
        raise InputError(f"There is no connector {upstream.connector!r}. There are: {', '.join((*LOCAL, *REMOTE))}.")
    known = _module(upstream.connector).OPTIONS | (COMMON_OPTIONS if upstream.connector in REMOTE else frozenset())
    if unknown := sorted(set(upstream.options) - known):
        listed = ", ".join(sorted(known)) or "none"
        raise InputError(f"A source of {upstream.connector} has no option {unknown[0]!r}. It has: {listed}.")
    if upstream.options.get(WATCH, "true") not in ("true", "false"):
        raise InputError("watch is true or false.")
    if upstream.connector in REMOTE:
        _check_address(upstream.address)


def check_new(upstream: Upstream) -> None:
    """The same of a source that is to be added; raises ForbiddenAddress too, where its address leads into the server's own network."""
    check(upstream)
    if upstream.connector in REMOTE:
        from ingest.fetch import refuse_inner  # what only a sync needs otherwise

        refuse_inner(upstream.address, upstream.options.get("private_host"))


def is_watched(upstream: Upstream) -> bool:
    """Whether it is synced as soon as its files change."""
    return upstream.connector in LOCAL and upstream.options.get(WATCH) == "true"


def options_of(connector: str) -> tuple[str, ...]:
    """The options that a source over the network takes, without those that only the command line may set."""
    return tuple(sorted(_module(connector).OPTIONS - COMMON_OPTIONS))


def secret(reference: str | None) -> str | None:
    """What a reference stands for: an environment variable or a file. Raises ConfigurationError where it is not there."""
    if reference is None:
        return None
    kind, _, name = reference.partition(":")
    try:
        value = os.environ[name] if kind == "env" else Path(name).read_text(encoding="utf-8")
    except (KeyError, OSError, UnicodeDecodeError):
        raise ConfigurationError(
            f"The credentials {reference} are not there: set them, or correct the source."
        ) from None
    if not value.strip():
        raise ConfigurationError(f"The credentials {reference} are empty.")
    if not (value.strip().isascii() and value.strip().isprintable()):
        raise ConfigurationError(f"The credentials {reference} are no single line of plain characters: correct them.")
    return value.strip()


def _module(connector: str) -> Module:
    return cast(Module, import_module(f"ingest.connectors.{connector}"))


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        raise InputError("The address is no web address. Write it as https://help.example.com.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError("The address is no web address. Write it as https://help.example.com.")
    if parts.username or parts.password:
        raise InputError("The address holds a password, which would be stored. Leave it out and give --credentials.")
