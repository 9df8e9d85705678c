"""What an ingest or a sync did: counts, what went wrong, and the first ids of what it touched."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from copilot.domain import INTERNAL, PUBLIC, Document
from copilot.store.ledger import Existing

NAMED = 100
"""So many ids of each sort are kept."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or row that was not taken, and why."""

    origin: str
    reason: str


@dataclass(slots=True)
class Summary:
    """What one ingest did."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    retired: int = 0
    skipped: int = 0
    failed: int = 0
    chunks: int = 0
    embedded: int = 0
    seconds: float = 0.0
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)  # of what was taken all the same
    ids: dict[str, list[str]] = field(default_factory=dict)  # of what was added, changed, retired: the first of each

    def take(self, document: Document, existing: Existing) -> None:
        """Count a document that is new or changed."""
        what = "added" if existing.key is None else "changed"
        setattr(self, what, getattr(self, what) + 1)
        self.name(what, document.id, {document.audience, *existing.audiences})

    def name(self, what: str, id: str, audiences: Collection[str]) -> None:
        """Keep the id of a document that was counted, where all of the staff may know of it."""
        if len(ids := self.ids.setdefault(what, [])) < NAMED and {PUBLIC, INTERNAL}.issuperset(audiences):
            ids.append(id)

    def fail(self, origin: str, reason: str) -> None:
        """Count a failure and keep its reason."""
        self.failed += 1
        self.problems.append(Problem(origin, reason))


def total(summaries: Iterable[Summary]) -> Summary:
    """Several summaries as one."""
    out = Summary()
    for one in summaries:
        for name in ("added", "changed", "unchanged", "retired", "skipped", "failed", "chunks", "embedded", "seconds"):
            setattr(out, name, round(getattr(out, name) + getattr(one, name), 3))
        out.problems += one.problems
        out.notes += one.notes
        out.ids = {what: [*out.ids.get(what, ()), *one.ids.get(what, ())][:NAMED] for what in {**out.ids, **one.ids}}
    return out
