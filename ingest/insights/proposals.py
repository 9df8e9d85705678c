"""Articles drafted from clusters of solved tickets: composed of their resolutions word for word, decided by a person, and taken back on demand."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np

from copilot.build import Parts
from copilot.clauses import content
from copilot.domain import INTERNAL, PUBLIC, Citation, Document, Evidence, Principal, Source
from copilot.errors import Conflict, NotFound
from copilot.ports import Raw
from copilot.retrieve import visible_to
from copilot.sayable import says
from copilot.store.jobs import Job
from copilot.store.proposals import Kept, ProposalStore, State, Stretch
from copilot.store.values import now
from ingest.article import narrower
from ingest.insights.clusters import Tree
from ingest.insights.material import Entry, of_kinds
from ingest.insights.nouns import Named, name
from ingest.insights.report import Insights
from ingest.pipeline import Indexer
from ingest.summary import Summary

ROOT = "proposals"
LEAST, ALIKE, A_DOUBLING = 3, 0.6, 0.02
"""Solved tickets that make a matter, and how alike their problems are."""
COVERED = 0.72
"""Cosine of an article's passage from which the matter has its article already."""
KNOWN = 0.5
"""A cluster of which so many tickets stand in a proposal already is not proposed again."""
MOST_TICKETS, MOST_STATEMENTS, FEWEST_WORDS = 3000, 10, 4
NEW = 0.6
"""A statement of whose words another holds more is said already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of the proposed text and the words that it is."""

    start: int
    end: int
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An article as proposed: every stretch of its text is a ticket's, word for word."""

    id: str
    state: State
    title: str
    text: str
    statements: tuple[Piece, ...]
    sources: tuple[Named, ...]
    size: int
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None
    document_id: str | None


class Proposals:
    """The queue of one product."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._store = parts, ProposalStore(parts.database)

    def list(self, who: Principal, state: State | None = None) -> list[Proposal]:
        """What the reader may see of the queue: a proposal is theirs when every ticket in it is, and the article that it became."""
        return [_shown(one) for one in self._seen(who, self._store.list(who.workspace, state))]

    def get(self, who: Principal, id: str) -> Proposal:
        """One proposal. Raises NotFound, also where a ticket of it, or its article, is not the reader's to see."""
        return _shown(self._theirs(who, id))

    def propose(self, who: Principal) -> int:
        """Look for clusters of solved tickets that no article covers and put a draft of each into the queue; how many are new."""
        entries, known = Insights.of(self._parts, who).entries, self._store.sources(who.workspace)
        made = 0
        for group in clusters(entries):
            if sum(one.key in known for one in group) > KNOWN * len(group):
                continue
            chosen = [
                Stretch(document=one.document, key=one.key, revision=one.revision, start=start, end=end)
                for one, start, end in statements(group)
            ]  # fmt: skip
            if chosen:
                made += self._store.add(who.workspace, name("p", *sorted(one.id for one in group)), chosen)
        return made

    def approve(self, who: Principal, id: str, title: str | None = None, audience: str | None = None) -> Proposal:
        """Make it a document that is found and cited when this returns; its audience is never wider than its tickets'.

        Raises NotFound, Conflict where it was rejected.
        """
        with self._parts.writing:  # no ticket of it is deleted meanwhile
            kept = self._theirs(who, id)
            shown, document_id = _shown(kept), f"proposal-{id.removeprefix('p-')}"
            document = _document(kept, shown, document_id, title or shown.title, audience)
            self._store.decide(
                who.workspace, id, ("waiting", "approved"), "approved", title=document.title, document_id=document_id,
                decided_at=now(), decided_by=who.id, reason=None,
            )  # fmt: skip
            try:
                self._ingest(who, document, shown.text)
            except BaseException:
                self._undo(who.workspace, id)
                raise
        return self.get(who, id)

    def reject(self, who: Principal, id: str, reason: str | None = None) -> Proposal:
        """Take it out of the queue for good. Raises NotFound, Conflict where it does not wait."""
        self._theirs(who, id)
        self._store.decide(
            who.workspace, id, ("waiting",), "rejected", decided_at=now(), decided_by=who.id, reason=reason
        )
        return self.get(who, id)

    def withdraw(self, who: Principal, id: str) -> Proposal:
        """Take the decision back: an approved one's document is deleted, and the proposal waits again. Raises NotFound, Conflict."""
        kept = self._theirs(who, id)
        if kept.state == "rejected":
            self._store.decide(
                who.workspace, id, ("rejected",), "waiting", decided_at=None, decided_by=None, reason=None
            )
        elif kept.document_id is None:
            raise Conflict("The proposal was not decided: there is nothing to take back.")
        else:
            self._retire(who.workspace, id, kept.document_id)
        return self.get(who, id)

    def _undo(self, workspace: str, id: str) -> None:
        """An approval that came to no document waits again."""
        undone = dict.fromkeys(("title", "document_id", "decided_at", "decided_by"))
        self._store.decide(workspace, id, ("approved",), "waiting", **undone)

    def _retire(self, workspace: str, id: str, document_id: str) -> None:
        try:
            Indexer(self._parts).retire(workspace, [document_id])  # which puts the proposal back into the queue
        except NotFound:  # approving was cut off before there was a document
            self._undo(workspace, id)

    def _ingest(self, who: Principal, document: Document, text: str) -> None:
        indexer, summary = Indexer(self._parts), Summary()
        run = indexer.begin(who.workspace, ROOT, summary)
        fingerprint = hashlib.sha256(repr((document.title, document.audience, text)).encode()).hexdigest()
        indexer.take(run, [Raw(document.id, fingerprint, partial(Source, document=document, text=text))])
        indexer.let_go(run, ())
        if summary.failed:
            raise Conflict(summary.problems[0].reason)

    def _theirs(self, who: Principal, id: str) -> Kept:
        kept = self._store.get(who.workspace, id)
        if not self._seen(who, [kept]):
            raise NotFound(f"There is no proposal {id!r}.")
        return kept

    def _seen(self, who: Principal, some: Sequence[Kept]) -> Sequence[Kept]:
        audiences = visible_to(who)
        if audiences is None:
            return some
        articles = self._parts.library.audiences(who.workspace, {one.document_id for one in some if one.document_id})
        return [one for one in some if _audiences(one) | articles.get(one.document_id or "", set()) <= audiences]


def propose_job(parts: Parts, job: Job, progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Handler of `propose` jobs: it looks at everything; who may see a proposal is asked when it is shown."""
    operator = Principal(id="operator", workspace=job.workspace, roles=frozenset({"admin"}))
    return {"proposed": Proposals(parts).propose(operator)}


# ---- which tickets, and what of them ----


def clusters(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Solved tickets of one audience with like problems that no article covers, the most central first."""
    articles = of_kinds(entries, ("article",))
    covered = np.concatenate([one.vectors for one in articles]) if articles else None
    tickets = [one for one in of_kinds(entries, ("ticket",)) if one.answer_start]
    for audience in sorted({one.document.audience for one in tickets}):
        ours = [one for one in tickets if one.document.audience == audience]
        newest = sorted(ours, key=lambda one: (one.at.timestamp() if one.at else 0.0, one.id))[-MOST_TICKETS:]
        if len(newest) < LEAST:
            continue
        means = np.stack([one.mean for one in newest])
        tree = Tree.over(means)
        for group in tree.branches(LEAST, ALIKE, A_DOUBLING):
            centre = means[group].sum(axis=0)
            if covered is not None and float((covered @ (centre / np.linalg.norm(centre))).max()) >= COVERED:
                continue
            near = np.round(tree.cosines[np.ix_(group, group)].sum(axis=1), 6)
            yield [newest[group[at]] for at in np.lexsort((np.arange(len(group)), -near))]


def statements(group: Sequence[Entry]) -> list[tuple[Entry, int, int]]:
    """What solved them: the central ticket's sentences that any customer may read, then what the others add."""
    chosen: list[tuple[Entry, int, int]] = []
    said: list[set[str]] = []
    for entry in group:
        for start, end in entry.statements:
            words = entry.text[start:end]
            meant = content(words)
            known = any(len(meant & other) > NEW * len(meant) for other in said)
            if (
                len(chosen) < MOST_STATEMENTS
                and len(words.split()) >= FEWEST_WORDS
                and not known
                and says(_evidence(entry), words)
            ):
                chosen.append((entry, start, end))
                said.append(meant)
    return chosen


def _evidence(entry: Entry) -> Evidence:
    return Evidence(
        document_id=entry.id, revision=entry.revision, start=0, end=len(entry.text), text=entry.text, title=entry.document.title,
        url=entry.document.url, kind=entry.document.kind,
    )  # fmt: skip


# ---- what is shown ----


def _audiences(kept: Kept) -> set[str]:
    return {one.document.audience for one in kept.stretches}


def _shown(kept: Kept) -> Proposal:
    text, pieces = "", []
    for before, one in zip((None, *kept.stretches), kept.stretches, strict=False):
        text += "" if before is None else "\n\n" if before.key != one.key else "\n"
        pieces.append(Piece(start=len(text), end=len(text) + len(one.text), citations=(_cite(one),)))
        text += one.text
    heads = {one.document.id: one for one in kept.stretches}
    return Proposal(
        id=kept.id, state=kept.state, title=kept.title or (kept.stretches[0].document.title if kept.stretches else ""), text=text,
        statements=tuple(pieces), sources=tuple(map(_named, heads.values())), size=len(heads), created_at=kept.created_at,
        decided_at=kept.decided_at, decided_by=kept.decided_by, reason=kept.reason, document_id=kept.document_id,
    )  # fmt: skip


def _cite(one: Stretch) -> Citation:
    d = one.document
    return Citation(
        document_id=d.id, revision=one.revision, start=one.start, end=one.end, quote=one.text, title=d.title, url=d.url, kind=d.kind
    )  # fmt: skip


def _named(one: Stretch) -> Named:
    d = one.document
    return Named(
        document_id=d.id, revision=one.revision, kind=d.kind, title=d.title, url=d.url, audience=d.audience, changed_at=d.updated_at or d.known_since
    )  # fmt: skip


def _document(kept: Kept, shown: Proposal, id: str, title: str, audience: str | None) -> Document:
    heads = [one.document for one in kept.stretches]
    spoken = Counter(head.language for head in heads)
    widest = max((head.audience for head in heads), key=lambda one: (one != PUBLIC) + (one not in (PUBLIC, INTERNAL)))
    return Document(
        id=id, kind="article", title=title, audience=narrower(widest, audience), created_at=shown.created_at,
        language=max(sorted(spoken, key=str), key=lambda one: spoken[one]),
        updated_at=max((head.known_since for head in heads if head.known_since), default=None),
    )  # fmt: skip
