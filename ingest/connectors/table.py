"""A table on this machine, CSV or JSONL: one article, macro or solved ticket a row, its columns named as the source has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from copilot.build import redactor_of
from copilot.domain import Document, Source
from copilot.errors import InputError, SourceFailed, UnreadableFile
from copilot.ports import Broken, Change, Connector, Expected, Raw, Whole
from copilot.settings import Settings
from copilot.store.sources import Upstream
from ingest.article import MAX_ID, FrontMatter, language, web_address
from ingest.load import MAX_BROKEN_ROWS, TABLES, WATCH, Reading, Row, expected, records, scan
from ingest.page import fingerprint, page
from ingest.plain import one_line
from ingest.quarantine import heavy

MAP = "map."
TICKET_FIELDS = frozenset({
    "ticket_id", "created", "status", "message", "subject", "thread", "solution", "solution_by", "url", "customer", "topic", "tags",
    "cited_docs", "language", "audience", "resolved", "updated",
})  # fmt: skip
ARTICLE_FIELDS = frozenset({
    "doc_id", "title", "text", "url", "audience", "language", "products", "topics", "created_at", "updated_at", "valid_from", "valid_until",
})  # fmt: skip
KINDS = ("article", "macro", "ticket")
FORMATS = {"html": ".html", "markdown": ".md"}
OPTIONS = frozenset({"kind", "format", WATCH} | {MAP + name for name in TICKET_FIELDS | ARTICLE_FIELDS})


@dataclass(frozen=True, slots=True)
class Articles:
    """A table whose rows are articles or macros."""

    path: Path
    name: str
    reading: Reading
    suffix: str

    def changes(self, since: str | None) -> Iterator[Change]:
        """Every row. Raises SourceFailed where the file is not there or cannot be read."""
        try:
            listed = list(records(self.path, self.reading.max_bytes))
        except UnreadableFile as error:
            raise SourceFailed(f"{self.path}: {error}") from None
        yield Expected(len(listed))
        seen: set[str] = set()
        broken = 0
        for line, row in listed:
            change = self._row(line, row, seen)
            yield change
            broken += isinstance(change, Broken)
            if broken == MAX_BROKEN_ROWS:
                raise SourceFailed(
                    f"{broken} rows of {self.path} are broken: the rest was not read; correct those first."
                )
        if not broken:  # a broken row may be any document's
            yield Whole()

    def _row(self, line: int, row: Row | str, seen: set[str]) -> Raw | Broken:
        if isinstance(row, str):
            return Broken(f"line {line}", f"line {line}: {row}")
        values = {name: row.get(self.reading.columns.get(name, name)) for name in ARTICLE_FIELDS}
        id = one_line(str(values["doc_id"] or ""))
        if not 0 < len(id) <= MAX_ID - 70:
            column = self.reading.columns.get("doc_id", "doc_id")
            return Broken(
                f"line {line}", f"line {line}: it has no {column}: name its column with --option map.doc_id=COLUMN"
            )
        if id in seen:
            return Broken(f"line {line}", f"line {line}: the same doc_id again: {id}")
        seen.add(id)
        made = fingerprint(
            self.reading.kind, self.reading.audience, self.suffix, sorted(values.items(), key=lambda pair: pair[0])
        )
        apart = self.suffix == ".html" or heavy(str(values["text"]))
        return Raw(id, made, partial(_read, values, f"{self.name}/{id}", self.reading, self.suffix), apart)


def _read(values: Mapping[str, object], id: str, reading: Reading, suffix: str) -> Source:
    """A row as a document. Raises UnreadableFile that names the field."""
    head = FrontMatter(
        {name: value if isinstance(value, str | list) else str(value or "") for name, value in values.items()}
    )
    document = Document(
        id=id, kind="macro" if reading.kind == "macro" else "article", title=head.line("title") or id, url=web_address(head.line("url")),
        audience=head.line("audience") or "public", language=language(head.line("language")), products=head.lines("products"),
        topics=head.lines("topics"), created_at=head.time("created_at"), updated_at=head.time("updated_at"),
        valid_from=head.time("valid_from"), valid_until=head.time("valid_until"),
    )  # fmt: skip
    return page(document, str(values["text"] or ""), reading.audience, suffix)


@dataclass(frozen=True, slots=True)
class Tickets:
    """A table whose rows are tickets."""

    path: Path
    reading: Reading

    def changes(self, since: str | None) -> Iterator[Change]:
        """Every row. Raises SourceFailed where the file is not there."""
        if not self.path.is_file():
            raise SourceFailed(f"There is no file {self.path}: mount it, or correct the source.")
        yield Expected(expected(self.path, self.reading))
        yield from scan(self.path, self.reading)
        yield Whole()


def connect(upstream: Upstream, settings: Settings, secret: str | None) -> Connector:
    """The connector over `address`, a .csv or .jsonl file. Options: `kind`, `format` (of articles' text), `map.FIELD=COLUMN`, `watch`."""
    path, options = Path(upstream.address).resolve(), upstream.options
    kind, shape = options.get("kind", "ticket"), options.get("format", "markdown")
    if path.suffix.lower() not in TABLES:
        raise InputError(f"{path.name} is no table: give one of {', '.join(TABLES)}.")
    if kind not in KINDS:
        raise InputError(f"kind is {kind!r}: write {', '.join(KINDS)}.")
    if shape not in FORMATS:
        raise InputError(f"format is {shape!r}: write {' or '.join(FORMATS)}.")
    columns = {name.removeprefix(MAP): column for name, column in options.items() if name.startswith(MAP)}
    reading = Reading(
        audience=upstream.audience, columns=columns, max_bytes=settings.max_file_bytes, redactor=redactor_of(settings)
    )
    if kind == "ticket":
        return Tickets(path, reading)
    return Articles(path, upstream.id, replace(reading, kind="macro" if kind == "macro" else "article"), FORMATS[shape])
