"""Finds what bears on a query: dense and lexical arms, cut to what may be seen, rescored exactly, fused, ranked.

The score of a chunk is a convex combination of its arms, each min-max normalised over the visible candidates of its kind
(Bruch et al., "An Analysis of Fusion Functions for Hybrid Retrieval", 2022): it beats reciprocal ranks once its weight is tuned.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter

from copilot.domain import INTERNAL, PUBLIC, Hit, Kind, Passage, Principal
from copilot.ports import Embedder, LexicalIndex, Shelf, VectorIndex, Vectors
from copilot.settings import Settings
from copilot.store.ledger import now
from copilot.store.library import Library, Row, View

KINDS: tuple[Kind, ...] = ("article", "ticket")
PASSAGES = 3
VOTERS = 30
SETTLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to look for, and in what."""

    text: str
    limit: int = 10
    kinds: tuple[Kind, ...] = KINDS
    language: str | None = None
    audience: str | None = None
    before: datetime | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The documents found, best first, and what it cost."""

    results: tuple[Hit, ...]
    timings_ms: dict[str, float]
    index_revision: str


def visible_to(principal: Principal) -> frozenset[str] | None:
    """The audiences whose documents the principal may see; None means all. The one door for this question."""
    if "admin" in principal.roles:
        return None
    return frozenset({PUBLIC, INTERNAL} | {f"team:{team}" for team in principal.teams})


def _audiences(principal: Principal, asked: str | None) -> frozenset[str] | None:
    """What is visible, narrowed to one audience where the query asks for it; asking never widens."""
    visible = visible_to(principal)
    if asked is None:
        return visible
    return frozenset({asked}) if visible is None else visible & {asked}


class Retriever:
    """Searches one index on behalf of a principal."""

    def __init__(
        self, library: Library, embedder: Embedder, vectors: VectorIndex, lexical: LexicalIndex, settings: Settings
    ) -> None:
        self._library, self._embedder, self._settings = library, embedder, settings
        self._vectors, self._lexical = vectors, lexical

    def search(self, principal: Principal, query: Query) -> Found:
        """The documents that bear on the query. Raises NotFound for an unknown workspace."""
        revision = self._library.clock(principal.workspace)
        started = perf_counter()
        vector = self._embedder.embed([query.text], "query")[0]
        embedded = perf_counter()
        results = self.rank(principal, query, vector)
        while (
            now_at := self._library.clock(principal.workspace)
        ) != revision and perf_counter() - embedded < SETTLE_SECONDS:
            revision, results = now_at, self.rank(principal, query, vector)  # an ingest switched meanwhile
        timings = {"embed": _ms(started, embedded), "search": _ms(embedded, perf_counter())}
        return Found(results=results, timings_ms=timings, index_revision=revision)

    def rank(self, principal: Principal, query: Query, vector: Vectors) -> tuple[Hit, ...]:
        """The same, with the query's vector given: best documents first, ties by id, scores rounded to 1e-6."""
        view = View(
            workspace=principal.workspace, audiences=_audiences(principal, query.audience), as_of=query.as_of or query.before or now(),
            before=query.before, language=query.language,
        )  # fmt: skip
        rows, words = self._candidates(view, query.kinds, query.text, vector)
        votes = self._votes(view, vector) if "article" in query.kinds and self._settings.votes_weight else {}
        hits = _documents(_fuse(rows, vector, words, self._settings.lexical_weight), votes, self._settings.votes_weight)
        best = sorted(hits, key=lambda hit: (-hit.score, hit.document_id))[: query.limit]
        return self._with_texts(principal.workspace, best)

    def _candidates(
        self, view: View, kinds: Sequence[Kind], text: str, vector: Vectors
    ) -> tuple[list[Row], Mapping[str, float]]:
        """Visible chunks near the query in either arm, with their BM25 scores."""
        shelves = [Shelf(view.workspace, kind, side) for kind in kinds for side in ("public", "internal")]
        limit = self._settings.candidates
        words = {id: score for shelf in shelves for id, score in self._lexical.search(shelf, text, limit)}
        rows = (
            self._library.all(view, kinds) if self._settings.exact else self._near(view, shelves, kinds, vector, words)
        )
        near = sorted(rows, key=lambda row: (-float(row.vector @ vector), row.id))[:limit]
        kept = {row.id for row in near} | words.keys()
        return [row for row in rows if row.id in kept], words

    def _near(
        self, view: View, shelves: Sequence[Shelf], kinds: Sequence[Kind], vector: Vectors, words: Iterable[str]
    ) -> list[Row]:
        """What the approximate index finds; where too little of it is visible it is asked deeper, then all is read."""
        limit = self._settings.candidates
        for depth in (limit, 4 * limit):
            found = [{id for id, _ in self._vectors.search(shelf, vector, depth)} for shelf in shelves]
            near = {id for ids in found for id in ids}
            rows = self._library.join(view, near | set(words))
            if all(len(ids) < depth for ids in found) or sum(row.id in near for row in rows) >= limit:
                return rows
        return self._library.all(view, kinds)

    def _with_texts(self, workspace: str, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        texts = self._library.texts(workspace, {(hit.document_id, hit.revision) for hit in hits})
        # A document deleted since the join has no text any more: it is not found, then.
        found = [(hit, texts.get((hit.document_id, hit.revision))) for hit in hits]
        return tuple(_filled(hit, text[0]) for hit, text in found if text is not None)

    def _votes(self, view: View, vector: Vectors) -> dict[str, float]:
        """Article id -> what the solved cases near the message say for it: sim⁴ / √(articles that the case was sent), summed, best at 1."""
        near = self._vectors.search(Shelf(view.workspace, "ticket", "ranking"), vector, 4 * VOTERS)
        cases = self._library.questions(view, [id for id, _ in near])
        similarity: dict[str, float] = {}
        targets: dict[str, Sequence[str]] = {}
        for ticket, linked, question in cases.values():
            similarity[ticket] = max(similarity.get(ticket, 0.0), float(question @ vector))
            targets[ticket] = linked
        votes: defaultdict[str, float] = defaultdict(float)
        for ticket in sorted(similarity, key=lambda id: (-similarity[id], id))[:VOTERS]:
            for target in targets[ticket]:
                votes[target] += similarity[ticket] ** 4 / len(targets[ticket]) ** 0.5
        best = max(votes.values(), default=0.0)
        return {id: vote / best for id, vote in votes.items()} if best > 0 else {}


def _filled(hit: Hit, text: str) -> Hit:
    return replace(hit, passages=tuple(replace(p, text=text[p.start : p.end]) for p in hit.passages))


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate chunk with its score in each arm and together."""

    row: Row
    dense: float
    lexical: float
    fused: float
    telling: float
    """How well it answers among the chunks of its own document: all are about the same matter, so the words decide more."""


def _fuse(rows: Sequence[Row], vector: Vectors, words: Mapping[str, float], weight: float) -> list[Scored]:
    dense = [float(row.vector @ vector) for row in rows]
    lexical = [words.get(row.id, 0.0) for row in rows]
    together = zip(rows, dense, lexical, _min_max(dense), _min_max(lexical), strict=True)
    return [Scored(row, near, said, (1 - weight) * x + weight * y, (x + y) / 2) for row, near, said, x, y in together]


def _min_max(scores: Sequence[float]) -> list[float]:
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    return [(score - low) / (high - low) if high > low else 0.0 for score in scores]


def _documents(chunks: Iterable[Scored], votes: Mapping[str, float], weight: float) -> list[Hit]:
    """Chunks gathered into their documents: a document scores the mean of its two best chunks, plus its votes."""
    grouped: defaultdict[str, list[Scored]] = defaultdict(list)
    for chunk in chunks:
        grouped[chunk.row.document_id].append(chunk)
    return [_hit(some, votes.get(id, 0.0), weight) for id, some in grouped.items()]


def _hit(chunks: Sequence[Scored], vote: float, weight: float) -> Hit:
    row = chunks[0].row
    best = sorted((chunk.fused for chunk in chunks), reverse=True)[:2]
    score = (sum(best) / len(best) + weight * vote) / (1 + weight)
    scores = {"dense": max(c.dense for c in chunks), "lexical": max(c.lexical for c in chunks), "votes": vote}
    shown = sorted(chunks, key=lambda chunk: (-_round(chunk.telling), chunk.row.start))[:PASSAGES]
    return Hit(
        document_id=row.document_id, kind=row.kind, title=row.title, url=row.url, audience=row.audience, revision=row.revision,
        score=_round(score), scores={arm: _round(value) for arm, value in scores.items()},
        passages=tuple(_passage(chunk) for chunk in shown), language=row.language, resolved_at=row.resolved_at,
        solution_by=row.solution_by,
    )  # fmt: skip


def _passage(chunk: Scored) -> Passage:
    scores = {"dense": _round(chunk.dense), "lexical": _round(chunk.lexical)}
    row = chunk.row
    return Passage(
        start=row.start, end=row.end, text="", headings=row.headings, score=_round(chunk.telling), scores=scores
    )


def _round(score: float) -> float:
    return round(score, 6)


def _ms(start: float, end: float) -> float:
    return round((end - start) * 1e3, 3)
