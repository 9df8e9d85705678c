"""Proves that ledger, vectors and lexical index agree, or says where they do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import select

from copilot.build import Parts
from copilot.ports import Shelf
from copilot.store import schema as t
from copilot.store.ledger import HEAD, digest, shelves


@dataclass(slots=True)
class Report:
    """What was counted, and every disagreement in a sentence."""

    documents: int = 0
    chunks: int = 0
    vectors: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether everything agrees."""
        return not self.problems


def verify(parts: Parts) -> Report:
    """Compare every active chunk with its text, its vector, and both indexes; report orphans on either side."""
    report = Report()
    expected = _ledger(parts, report)
    _index("the vector index", expected, parts.vectors.shelves(), parts.vectors.ids, report)
    lexical = {shelf: ids for shelf, ids in expected.items() if shelf.side != "ranking"}
    _index("the lexical index", lexical, parts.lexical.shelves(), parts.lexical.ids, report)
    return report


def _ledger(parts: Parts, report: Report) -> dict[Shelf, set[str]]:
    """Chunk ids that should stand on each shelf; the ledger's own contradictions go into the report."""
    expected: dict[Shelf, set[str]] = {}
    d, r = t.documents.c, t.revisions.c
    with parts.database.read() as connection:
        if pending := connection.execute(select(r.document).where(r.status == "pending")).all():
            report.problems.append(
                f"{len(pending)} revisions are pending: an ingest was cut off (the next one clears them)"
            )
        if doomed := connection.execute(select(t.doomed.c.id)).all():
            report.problems.append(f"{len(doomed)} chunks wait to leave the indexes (the next ingest clears them)")
        rows = connection.execute(
            select(d.workspace, d.id, d.key, t.revisions).join(
                t.revisions, (r.document == d.key) & (r.number == d.active_revision)
            )
        ).mappings()
        for row in rows.all():
            report.documents += 1
            if digest(row["text"]) != row["content_hash"]:
                report.problems.append(f"{row['id']}: the text of revision {row['number']} differs from its hash")
            places = shelves(row["workspace"], HEAD.validate_python(row["head"]), row["use"], bool(row["links"]))
            c = t.chunks.c
            chunks = connection.execute(
                select(t.chunks).where(c.document == row["key"], c.revision == row["number"])
            ).mappings()
            for chunk in chunks.all():
                report.chunks += 1
                if not 0 <= chunk["start"] < chunk["end"] <= len(row["text"]):
                    report.problems.append(f"{row['id']}: chunk {chunk['id']} lies outside its text")
                if chunk["searchable"]:
                    for shelf in places:
                        expected.setdefault(shelf, set()).add(chunk["id"])
        _vectors(parts, report)
    return expected


def _vectors(parts: Parts, report: Report) -> None:
    """Every searchable chunk has one vector of the configured embedder, of its dimension and of length one."""
    c, v = t.chunks.c, t.vectors.c
    bytes_expected = 4 * parts.embedder.dimensions
    query = select(c.id, v.vector).outerjoin(
        t.vectors, (v.hash == c.vector) & (v.embedder == parts.embedder.fingerprint)
    )
    with parts.database.read() as connection:
        for id, vector in connection.execute(query.where(c.searchable)):
            if vector is None:
                report.problems.append(f"chunk {id} has no vector of {parts.embedder.fingerprint}")
            elif (
                len(vector) != bytes_expected
                or abs(float(np.linalg.norm(np.frombuffer(vector, dtype="<f4"))) - 1) > 1e-3
            ):
                report.problems.append(f"chunk {id} has a vector of the wrong size or length")
            else:
                report.vectors += 1


def _index(
    name: str, expected: dict[Shelf, set[str]], present: list[Shelf], ids: Callable[[Shelf], set[str]], report: Report
) -> None:
    for shelf in sorted({*expected, *present}, key=str):
        held, wanted = ids(shelf), expected.get(shelf, set())
        where = f"{name} ({shelf.workspace}, {shelf.kind}, {shelf.side})"
        if missing := wanted - held:
            report.problems.append(f"{where} lacks {len(missing)} chunks, {min(missing)} first")
        if orphans := held - wanted:
            report.problems.append(f"{where} holds {len(orphans)} orphans, {min(orphans)} first")
