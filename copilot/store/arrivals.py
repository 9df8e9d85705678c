"""Documents on their way into the tables, a batch at a time: pending revisions with their chunks, then the ones in force."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select, update

from copilot.domain import PUBLIC, Chunk, Document, Link, Source, Use
from copilot.ports import Shelf
from copilot.store import schema as t
from copilot.store.values import digest, now, parts

HEAD = TypeAdapter(Document)
LINKS = TypeAdapter(tuple[Link, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a document comes from: its workspace, the ingested root, its place there, and the fingerprint of what was read."""

    workspace: str
    root: str
    origin: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """A document as it was read: where it stood, what it says, and its chunks, each with whether search may find it."""

    place: Place
    source: Source
    chunks: tuple[tuple[Chunk, bool], ...]


@dataclass(frozen=True, slots=True)
class Staged:
    """A pending revision of what arrived; readers do not see it until it is switched."""

    key: int
    number: int
    arrival: Arrival

    @property
    def document(self) -> Document:
        """Its head."""
        return self.arrival.source.document

    @property
    def shelves(self) -> tuple[Shelf, ...]:
        """Where its chunks stand."""
        place, source = self.arrival.place, self.arrival.source
        return shelves(place.workspace, source.document, source.use, bool(source.links))

    @property
    def chunks(self) -> tuple[tuple[str, Chunk], ...]:
        """Those that search may find, by id."""
        numbered = enumerate(self.arrival.chunks)
        return tuple((_chunk_id(self.key, self.number, at), chunk) for at, (chunk, found) in numbered if found)


def shelves(workspace: str, document: Document, use: Use, linked: bool) -> tuple[Shelf, ...]:
    """Where a document's chunks stand: a question with links also stands where votes are counted, a question without answer only there."""
    side = "public" if document.audience == PUBLIC else "internal"
    answers = (Shelf(workspace, document.kind, side),) if use == "answers" else ()  # type: ignore[arg-type]
    return answers + ((Shelf(workspace, document.kind, "ranking"),) if linked else ())


def numbered(connection: Connection, workspace: str, arrivals: Sequence[Arrival]) -> list[Staged]:
    """The arrivals with their documents' keys, made where they are new, and the number that each one's revision gets."""
    d, r = t.documents.c, t.revisions.c
    last: dict[str, tuple[int, int]] = {}
    for some in parts({one.source.document.id for one in arrivals}):
        query = select(d.id, d.key, func.max(r.number)).outerjoin(t.revisions, r.document == d.key)
        query = query.where(d.workspace == workspace, d.id.in_(some)).group_by(d.id, d.key)
        last |= {id: (key, number or 0) for id, key, number in connection.execute(query)}
    new = {one.source.document.id: one for one in arrivals if one.source.document.id not in last}
    if new:
        made = connection.execute(insert(t.documents).returning(d.id, d.key), list(map(_document_row, new.values())))
        last |= {id: (key, 0) for id, key in made}
    staged = []
    for one in arrivals:
        key, number = last[one.source.document.id]
        last[one.source.document.id] = key, number + 1
        staged.append(Staged(key, number + 1, one))
    return staged


def _document_row(arrival: Arrival) -> dict[str, Any]:
    return {"workspace": arrival.place.workspace, "id": arrival.source.document.id, **_row(arrival)}


def _row(arrival: Arrival) -> dict[str, Any]:
    """All of a document's row but whose it is and what it is called."""
    place, source = arrival.place, arrival.source
    names = {"use": source.use, "root": place.root, "origin": place.origin, "fingerprint": place.fingerprint}
    return {**_head_row(source.document), **names}


def _revision_row(staged: Staged) -> dict[str, Any]:
    place, source = staged.arrival.place, staged.arrival.source
    return {
        "document": staged.key, "number": staged.number, "status": "pending", "text": source.text, "content_hash": digest(source.text),
        "answer_start": source.answer_start, "head": HEAD.dump_python(source.document, mode="json"), "use": source.use,
        "links": LINKS.dump_python(source.links, mode="json"), "root": place.root, "origin": place.origin,
        "fingerprint": place.fingerprint, "created_at": now(),
    }  # fmt: skip


def insert_revisions(connection: Connection, staged: Iterable[Staged]) -> None:
    """Write them as pending, without their chunks."""
    _insert(connection, t.revisions, map(_revision_row, staged))


def insert_chunks(connection: Connection, staged: Iterable[Staged]) -> None:
    """Write their chunks, those too that search may not find."""
    _insert(connection, t.chunks, (row for one in staged for row in _chunk_rows(one)))


def _chunk_rows(staged: Staged) -> Iterator[dict[str, Any]]:
    for at, (chunk, found) in enumerate(staged.arrival.chunks):
        yield {
            "id": _chunk_id(staged.key, staged.number, at), "document": staged.key, "revision": staged.number, "start": chunk.start,
            "end": chunk.end, "headings": list(chunk.headings), "vector": digest(chunk.embedded), "searchable": found,
        }  # fmt: skip


def _chunk_id(key: int, number: int, at: int) -> str:
    return f"{key}.{number}.{at}"


def _head_row(document: Document) -> dict[str, Any]:
    names = (
        "kind", "title", "url", "audience", "language", "updated_at", "resolved_at", "known_since", "valid_from", "valid_until", "solution_by",
    )  # fmt: skip
    return {**{name: getattr(document, name) for name in names}, "products": list(document.products) or None}


def take_heads(connection: Connection, newest: Mapping[int, Staged]) -> None:
    """Spread the revisions' heads over their documents' rows, and their links over theirs."""
    c = t.documents.c
    rows = [{"of": key, "active_revision": one.number, **_row(one.arrival)} for key, one in newest.items()]
    if rows:
        values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "of"}
        connection.execute(update(t.documents).where(c.key == bindparam("of")).values(values), rows)
    for some in parts(newest):
        connection.execute(delete(t.links).where(t.links.c.document.in_(some)))
    latest = {(key, link.document_id): link for key, one in newest.items() for link in one.arrival.source.links}
    _insert(connection, t.links, ({"document": key, "target": id, "at": at.at} for (key, id), at in latest.items()))


def narrowed(connection: Connection, newest: Mapping[int, Staged]) -> list[str]:
    """The ids of the documents that are public, and no longer will be."""
    c, found = t.documents.c, list[str]()
    for some in parts(key for key, one in newest.items() if one.document.audience != PUBLIC):
        found += connection.execute(select(c.id).where(c.key.in_(some), c.audience == PUBLIC)).scalars()
    return found


def in_force(connection: Connection, keys: Iterable[int]) -> set[tuple[int, int]]:
    """The documents' revisions in force, as key and number."""
    c = t.documents.c
    found: set[tuple[int, int]] = set()
    for some in parts(keys):
        query = select(c.key, c.active_revision).where(c.key.in_(some), c.active_revision.is_not(None))
        found |= {(row.key, row.active_revision) for row in connection.execute(query)}
    return found


def mark(connection: Connection, revisions: Collection[tuple[int, int]], status: str) -> None:
    """Give the revisions, each a key and a number, this status."""
    c = t.revisions.c
    if revisions:
        one = update(t.revisions).where(c.document == bindparam("of"), c.number == bindparam("at"))
        connection.execute(one.values(status=status), [{"of": key, "at": number} for key, number in sorted(revisions)])


def _insert(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    if listed := list(rows):
        connection.execute(insert(table), listed)
