"""Folders and files to documents as found: what is there, whether it changed, and how to read it. Nothing is parsed here yet."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from copilot.domain import Kind, Source
from copilot.errors import UnreadableFile
from copilot.ports import Broken, Raw
from copilot.redact import OURS, REDACTOR, Redactor
from ingest.article import MAX_ID, article
from ingest.clean import CLEANERS, MARKDOWN, decode, guessed
from ingest.plain import one_line
from ingest.quarantine import heavy

PIPELINE = "5"
"""Part of every fingerprint: raise it when a change to cleaning or splitting is to reach documents that did not change."""
TABLES = (".jsonl", ".ndjson", ".csv")
SUFFIXES = (*CLEANERS, *TABLES)
MAX_BROKEN_ROWS = 20
MAX_ROW_BYTES = 5_000_000
TEXTS = (*MARKDOWN, ".txt", ".html", ".htm")
APART = (".pdf", ".docx", ".html", ".htm")
WATCH = "watch"
"""The option of sources on this machine that has them synced as soon as something changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How to read what is found: of what kind it is, who may see it at most, what a table's columns are called, how large is too large."""

    kind: Kind | None = None
    audience: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    allowed: frozenset[str] | None = None
    """Audiences that whoever brings the documents may touch; None means all."""
    max_bytes: int = 50_000_000
    redactor: Redactor = OURS
    """What takes personal data out of tickets; the indexer puts the configured one here."""


def scan(root: Path, reading: Reading, only: str = "") -> Iterator[Raw | Broken]:
    """Every document in a folder, or at one place in it (`only`), sorted by origin, or in one file.

    Raises UnreadableFile where there is nothing at `root`.
    """
    if root.is_dir():
        for origin, found in sorted(_walk(root), key=lambda pair: pair[0]):
            if only and origin != only and not origin.startswith(f"{only}/"):
                continue
            yield from [found] if isinstance(found, Broken) else _documents(found, origin, reading)
    elif root.exists():
        yield from _documents(root, root.name, reading)
    else:
        raise UnreadableFile(f"there is nothing at {root}: give a folder or a file")


def expected(root: Path, reading: Reading) -> int:
    """About how many documents a scan will find, told before it begins: one a file, and one a line of a table."""
    paths = [root] if not root.is_dir() else [path for _, path in _walk(root) if isinstance(path, Path)]
    return sum(_lines(path, reading.max_bytes) if path.suffix.lower() in TABLES else 1 for path in paths)


def _lines(path: Path, most: int) -> int:
    """A table's lines; one that is too large or cannot be read is one fault, and its bytes are left alone."""
    try:
        data = _read(path, most)
    except UnreadableFile:
        return 1
    return data.count(b"\n") + (not data.endswith(b"\n"))


# ---- folders ----


def _walk(root: Path) -> Iterator[tuple[str, Path | Broken]]:
    """What a folder holds under known suffixes, hidden files and folders left out; no link leads out of it."""
    home = root.resolve()
    closed: list[OSError] = []
    for folder, folders, files in os.walk(root, onerror=closed.append):
        folders[:] = [name for name in folders if not _hidden(name)]
        paths = [Path(folder, name) for name in files if _known(name)]
        for path in (*paths, *(link for name in folders if (link := Path(folder, name)).is_symlink())):
            origin = path.relative_to(root).as_posix()
            if problem := _problem(path, origin, home):
                yield _shown(origin), Broken(_shown(origin), problem)
            elif not path.is_dir():  # a link to a folder that is inside anyway
                yield origin, path
    for error in closed:
        origin = f"{_shown(os.path.relpath(error.filename, root))}/"
        yield origin, Broken(origin, _cannot_open(error))


def _hidden(name: str) -> bool:
    return name.startswith((".", "~$"))  # ~$ is what Word keeps beside a document while it is open


def _known(name: str) -> bool:
    return not _hidden(name) and Path(name).suffix.lower() in SUFFIXES


def _problem(path: Path, origin: str, home: Path) -> str | None:
    """Why a path is not even to be opened."""
    if _shown(origin) != origin:
        return "its name is not UTF-8: rename it"
    try:
        inside = not path.is_symlink() or path.resolve().is_relative_to(home)
    except (OSError, RuntimeError):  # a link to itself
        return "it is a link that leads nowhere: remove it"
    return None if inside else "it is a link that leaves the folder: put the file itself there"


def _shown(origin: str) -> str:
    """A name that can be stored and printed, whatever bytes it has on disk."""
    return os.fsencode(origin).decode("utf-8", "replace")


# ---- files ----


def _documents(path: Path, origin: str, reading: Reading) -> Iterator[Raw | Broken]:
    try:
        data = _read(path, reading.max_bytes)
        if path.suffix.lower() in TABLES:
            yield from _Table(origin, reading).documents(_rows(data, path.suffix.lower()))
        else:
            fingerprint = _fingerprint(data, reading.kind, reading.audience)
            apart = path.suffix.lower() in APART or heavy(data)
            yield Raw(origin, fingerprint, partial(_parse, path, origin, reading, fingerprint), apart)
    except UnreadableFile as error:
        yield Broken(origin, str(error))


def _read(path: Path, most: int) -> bytes:
    if path.suffix.lower() not in SUFFIXES:
        raise UnreadableFile(f"such files are not read: use one of {', '.join(SUFFIXES)}")
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise UnreadableFile("it is not a regular file")
        data = path.read_bytes() if status.st_size <= most else None
    except OSError as error:
        raise UnreadableFile(_cannot_open(error)) from None
    if data is None or len(data) > most:
        raise UnreadableFile(f"it is larger than {most:,} bytes: split it, or raise COPILOT_MAX_FILE_BYTES")
    return data


def _cannot_open(error: OSError) -> str:
    return f"it cannot be opened ({error.strerror}): check that it is there and may be read"


def _fingerprint(data: bytes, *options: object) -> str:
    return hashlib.sha256(json.dumps([PIPELINE, *options]).encode() + data).hexdigest()


def _parse(path: Path, origin: str, reading: Reading, fingerprint: str) -> Source:
    """Reads the file again, so that a scan of many large files holds none of them."""
    data = _read(path, reading.max_bytes)
    if _fingerprint(data, reading.kind, reading.audience) != fingerprint:
        raise UnreadableFile("it changed while it was read: ingest it again")
    source = article(data, origin, reading.kind, reading.audience)
    encoding = guessed(data) if path.suffix.lower() in TEXTS else None
    return replace(source, note=f"it is not UTF-8, read as {encoding}: check its words") if encoding else source


# ---- tables ----

Row = Mapping[str, object]


@dataclass(slots=True)
class _Table:
    """A file of tickets: what was seen of it so far."""

    origin: str
    reading: Reading
    ids: set[str] = field(default_factory=set)
    foreign: bool = False

    def documents(self, rows: Iterable[tuple[int, Row | str]]) -> Iterator[Raw | Broken]:
        """One a row; after too many broken rows the rest is not read."""
        broken = 0
        for line, row in rows:
            found = self._document(line, row)
            if found is not None:
                yield found
            broken += isinstance(found, Broken)
            if broken >= MAX_BROKEN_ROWS:
                yield Broken(
                    self.origin, f"{broken} of its rows are broken: the rest was not read; correct those first"
                )
                return

    def _document(self, line: int, row: Row | str) -> Raw | Broken | None:
        if isinstance(row, str):
            return self._broken(line, row)
        id = _ticket_id(row, self.reading.columns)
        if id is None and "id" in row:
            return self._not_tickets(line)
        if id is None:
            return self._broken(
                line, f"it has no {_column(self.reading.columns)}: name its column with --map ticket_id=COLUMN, "
                "or bring articles in by `copilot sources add … table` (docs/sources.md)"
            )  # fmt: skip
        if id in self.ids:
            return self._broken(line, f"the same ticket_id again: {id}")
        self.ids.add(id)
        canonical = json.dumps(row, sort_keys=True).encode()
        fingerprint = _fingerprint(canonical, REDACTOR, self.reading.audience, sorted(self.reading.columns.items()))
        return Raw(f"{self.origin}#{id}", fingerprint, partial(_distil, row, self.reading))

    def _not_tickets(self, line: int) -> Broken | None:
        """Told once: a file of incoming messages is no list of faults."""
        if self.foreign:
            return None
        self.foreign = True
        return self._broken(
            line, "it has an id but no ticket_id, as incoming messages have (no other such row is told): "
            "if these are tickets, say --map ticket_id=id"
        )  # fmt: skip

    def _broken(self, line: int, reason: str) -> Broken:
        return Broken(f"{self.origin}#line {line}", f"line {line}: {reason}")


def _column(columns: Mapping[str, str]) -> str:
    return columns.get("ticket_id", "ticket_id")


def _ticket_id(row: Row, columns: Mapping[str, str]) -> str | None:
    value = row.get(_column(columns))
    words = one_line(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return words if 0 < len(words) <= MAX_ID else None


def _distil(row: Row, reading: Reading) -> Source:
    from ingest import tickets

    return tickets.distil(row, reading.columns, reading.audience, reading.redactor)


def records(path: Path, most: int) -> Iterator[tuple[int, Row | str]]:
    """A table's rows with their line numbers; in place of one that cannot be read, the reason. Raises UnreadableFile."""
    return _rows(_read(path, most), path.suffix.lower())


def _rows(data: bytes, suffix: str) -> Iterator[tuple[int, Row | str]]:
    """A table's rows with their line numbers; in place of one that cannot be read, the reason."""
    return _csv_rows(decode(data)) if suffix == ".csv" else _json_rows(data)


def _json_rows(data: bytes) -> Iterator[tuple[int, Row | str]]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = decode(data).encode()
    for number, line in enumerate(data.removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        if len(line) > MAX_ROW_BYTES:
            yield number, f"it is longer than {MAX_ROW_BYTES:,} bytes: write one ticket a line"
        elif line.strip():
            yield number, _json_row(line)


def _json_row(line: bytes) -> Row | str:
    try:
        row = json.loads(line)
    except UnicodeDecodeError:
        return "it is not UTF-8: save the file as UTF-8"
    except (ValueError, RecursionError) as error:
        return f"it is not JSON ({error}): write one object a line"
    return row if isinstance(row, dict) else "it is JSON but no object: write one object a line"


def _csv_rows(text: str) -> Iterator[tuple[int, Row | str]]:
    if max(map(len, text.splitlines()), default=0) > MAX_ROW_BYTES:
        yield 1, f"it has a line of more than {MAX_ROW_BYTES:,} characters: write one ticket a line"
        return
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    first, _, rest = text.partition("\n")
    if told := re.fullmatch(r"sep=([,;\t|])\r?", first.strip("\ufeff")):  # Excel's own word for it
        delimiter, text = told[1], "\n" + rest  # so that lines keep their numbers
    else:
        delimiter = max(",;\t", key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    head: list[str] = []
    for cells in _readable(lines):
        if isinstance(cells, str):
            yield lines.line_num, cells
        elif not head:
            head = [cell.strip() for cell in cells]
        elif len(cells) > len(head):
            yield (
                lines.line_num,
                f"it has {len(cells)} cells, the head only {len(head)}: check its quotes and separators",
            )
        elif any(cells):
            yield lines.line_num, dict(zip(head, cells, strict=False))


def _readable(lines: Iterator[list[str]]) -> Iterator[list[str] | str]:
    while True:
        try:
            yield next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            yield f"it is not CSV ({error}): check its quotes"
