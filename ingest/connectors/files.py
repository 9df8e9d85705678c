"""A folder or file on this machine: articles, macros, and tables of tickets (CSV, JSONL)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from copilot.build import redactor_of
from copilot.domain import Kind
from copilot.errors import InputError, SourceFailed
from copilot.ports import Change, Connector, Expected, Whole
from copilot.settings import Settings
from copilot.store.sources import Upstream
from ingest.connectors.table import MAP, TICKET_FIELDS
from ingest.load import WATCH, Reading, expected, scan

OPTIONS = frozenset({"kind", WATCH} | {MAP + name for name in TICKET_FIELDS})


@dataclass(frozen=True, slots=True)
class Files:
    """Gives everything each time: a fingerprint of the bytes says what is unchanged."""

    path: Path
    reading: Reading

    def changes(self, since: str | None) -> Iterator[Change]:
        """All that is there. Raises SourceFailed where the path is not: an unmounted disk is no deletion."""
        if not self.path.exists():
            raise SourceFailed(f"There is nothing at {self.path}: mount it, or correct the source.")
        yield Expected(expected(self.path, self.reading))
        yield from scan(self.path, self.reading)
        yield Whole()


def connect(upstream: Upstream, settings: Settings, secret: str | None) -> Connector:
    """The connector over `address`, a path. Options: `kind`, `map.FIELD` for a table's columns, and `watch`."""
    kind = upstream.options.get("kind")
    if kind not in (None, *get_args(Kind)):
        raise InputError(f"kind is {kind!r}: write article, ticket or macro.")
    columns = {name.removeprefix(MAP): column for name, column in upstream.options.items() if name.startswith(MAP)}
    reading = Reading(
        kind=cast(Kind | None, kind), audience=upstream.audience, columns=columns, max_bytes=settings.max_file_bytes,
        redactor=redactor_of(settings),
    )  # fmt: skip
    return Files(Path(upstream.address).resolve(), reading)
