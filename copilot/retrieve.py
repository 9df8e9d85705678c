"""Finds what bears on a query: one pass over what may be seen, by meaning and by words, then ranked kind by kind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from threading import Lock
from time import perf_counter

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from copilot.covering import Covering
from copilot.cuts import Cut, cut_by
from copilot.domain import INTERNAL, PUBLIC, Hit, Kind, Principal
from copilot.errors import NotFound
from copilot.familiar import UNKNOWN, Anywhere, Familiar
from copilot.learned import Learned
from copilot.linear_map import apply
from copilot.lookup import Lookup, Words, shelves
from copilot.mapping import Mapper
from copilot.ports import Embedder, LexicalIndex, Reranker, Shelf, VectorIndex, Vectors
from copilot.rank import ARMS, READ_WHOLE, WORDS_ALONE, Arms, Floats, Scored, Weights, rank, said_for, top
from copilot.ranking import Ranking, own_arms
from copilot.rerank import LOOKED_AT, reranked
from copilot.scripts import mostly_paired
from copilot.settings import Settings
from copilot.spelling import Spelling
from copilot.store.active import Places
from copilot.store.frames import Frame, Frames, Mask, View
from copilot.store.library import Library
from copilot.store.values import digest, now
from copilot.votes import VOTERS, map_trust, voters, votes

KINDS: tuple[Kind, ...] = ("article", "ticket")
SCANNED = 1_000_000
"""Up to so many chunks every one is scored: 100,000 take 5 to 11 ms, 500,000 by one thread 54, and the approximate index, asked for all its shelves,
is hardly faster there and misses some of the nearest. Above, it is asked."""
SETTLE_SECONDS = 1.0
EXPLAINED = 40
"""So many documents are looked at to explain what a query did not find."""
WANING = timedelta(days=180)
"""After so long a solved ticket's recency counts 1/e."""


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
    whenever: bool = False
    """Whether documents that are not valid yet, or not any more, are looked at too: to explain, never to answer."""
    told: str = ""
    """All that the customer wrote, where that is more than the text: versions of products may be named anywhere in it."""
    own: str | None = None
    """The ticket that the asking conversation became: what did not help this customer is neither found nor heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The documents found, best first, and what it cost."""

    results: tuple[Hit, ...]
    timings_ms: dict[str, float]
    index_revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """The best documents of each kind, without texts, and their index revision; how many solved tickets there are; how familiar the message is."""

    hits: Mapping[Kind, tuple[Hit, ...]]
    revision: str
    solved: int
    familiar: Familiar


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the words, their vector, and the words' look-up where it is under way already."""

    text: str
    vector: Vectors
    lookup: Lookup | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What the arms say of some articles: a row an article, a column for its cosine, each of ARMS, and how disliked it is."""

    ids: tuple[str, ...]
    columns: NDArray[np.float64]
    mapped: bool
    """Whether a learned map was among them."""


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


def _view(principal: Principal, query: Query) -> View:
    return View(
        workspace=principal.workspace, audiences=_audiences(principal, query.audience), as_of=query.as_of or query.before or now(),
        before=query.before, language=query.language, whenever=query.whenever, said=query.told or query.text, own=query.own,
    )  # fmt: skip


class Retriever:
    """Searches one index on behalf of a principal."""

    def __init__(
        self, library: Library, frames: Frames, mapper: Mapper, learned: Learned, embedder: Embedder, vectors: VectorIndex,
        lexical: LexicalIndex, settings: Settings, language: Callable[[str], str], reranker: Reranker | None = None,
        spelling: Spelling | None = None, anywhere: Anywhere | None = None,
    ) -> None:  # fmt: skip
        self._library, self._frames, self._mapper, self._learned = library, frames, mapper, learned
        self._embedder, self._vectors, self._settings = embedder, vectors, settings
        self._said, self._reranker, self._spelling = Words(lexical, settings.candidates, language), reranker, spelling
        self._covering, self._anywhere, self._lock = Covering(library), anywhere, Lock()
        # By what is asked, who may see what, and the index revision: what changes an answer changes the key. Neither holds a text.
        self._kept: LRUCache[Hashable, Ranked] = LRUCache(settings.queries_kept)

    def search(self, principal: Principal, query: Query) -> Found:
        """The documents that bear on the query. Raises NotFound for an unknown workspace."""
        frame = self._frames.at(principal.workspace)  # an unknown workspace is refused before anything is computed
        started = perf_counter()
        lookup = self.look_up(principal.workspace, frame.revision, query.text, query.kinds)
        vector = self._embedder.embed([self._meant(frame, query.text, query.before)], "query")[0]
        embedded = perf_counter()
        results, now = self._filled(frame, principal, query, vector, lookup)
        while now != frame.revision and perf_counter() - embedded < SETTLE_SECONDS:  # an ingest switched meanwhile
            frame = self._frames.at(principal.workspace)
            results, now = self._filled(frame, principal, query, vector, lookup)
        timings = {"embed": _ms(started, embedded), "search": _ms(embedded, perf_counter())}
        return Found(results=results, timings_ms=timings, index_revision=frame.revision)

    def look_up(self, workspace: str, revision: str, text: str, kinds: Collection[Kind]) -> Lookup:
        """Begin to look up what the words find; whoever embeds meanwhile waits for the slower of the two, not for both."""
        return self._said.begin(workspace, revision, text, kinds)

    def meant(self, workspace: str, text: str, before: datetime | None = None, revision: str | None = None) -> str:
        """The text with its misspelt words as they are meant, for whoever embeds it."""
        try:
            return self._meant(self._frames.at(workspace, revision), text, before)
        except NotFound:  # nothing was ingested yet
            return self._meant(None, text, before)

    def _meant(self, frame: Frame | None, text: str, before: datetime | None) -> str:
        if self._spelling is None:
            return text
        at = None if before is None else before.timestamp()
        own = {} if frame is None else frame.words if at is None else frame.words_by(at)
        return self._spelling.read(text, own)

    def cuts(self, principal: Principal, query: Query, found: Found) -> tuple[Cut, ...]:
        """What else came near the query, best first, each with the filters that cut it. What the principal may not see is not named."""
        wide = replace(
            query, limit=EXPLAINED, kinds=("article", "ticket", "macro"), language=None, audience=None, before=None, whenever=True
        )  # fmt: skip
        shown, view = {hit.document_id for hit in found.results}, _view(principal, query)
        hits = [hit for hit in self.search(principal, wide).results if hit.document_id not in shown]
        frame = self._frames.at(principal.workspace)
        heads = {head.id: head for head in (frame.heads[at] for at in frame.find([hit.document_id for hit in hits]))}
        known = [(hit, heads[hit.document_id]) for hit in hits if hit.document_id in heads]
        return tuple(Cut(hit=hit, by=cut_by(head, view, query.kinds)) for hit, head in known)

    def rank(self, principal: Principal, query: Query, vector: Vectors) -> tuple[Hit, ...]:
        """The same, with the query's vector given: best documents first, ties by id, scores rounded to 1e-6."""
        return self._filled(self._frames.at(principal.workspace), principal, query, vector, None)[0]

    def told(self, principal: Principal, query: Query, vector: Vectors, ranking: Ranking) -> Told:
        """What each arm says of the articles that any of them proposes: what a ranking is learned from."""
        view = _view(principal, query)
        frame = self._frames.at(view.workspace)
        nearness = frame.best(self._cosines(frame, view, ("article",), vector))
        documents, arms = self._heard(frame, view, "article", Question(query.text, vector), nearness, ranking)
        scored = Scored.of(frame, documents, vector, arms, ranking.weights)
        said = said_for(frame, documents, scored, arms)
        heard = (said[arm] * arms.trust.get(arm, 1.0) for arm in ARMS)
        columns = np.column_stack([scored.near, *heard, said["disliked"]])
        return Told(tuple(frame.heads[at].id for at in documents.tolist()), columns, arms.turned is not None)

    def kinds(
        self, principal: Principal, query: Query, vector: Vectors, limits: Mapping[Kind, int], lookup: Lookup | None = None,
        revision: str | None = None,
    ) -> Ranked:  # fmt: skip
        """The best documents of each of these kinds, each kind to its limit, with all passages that a draft may look at; `revision`: just read."""
        frame = self._frames.at(principal.workspace, revision)
        return self._ranked(frame, principal, query, vector, limits, lookup, READ_WHOLE)

    def _ranked(
        self, frame: Frame, principal: Principal, query: Query, vector: Vectors, limits: Mapping[Kind, int], lookup: Lookup | None, whole: int
    ) -> Ranked:  # fmt: skip
        view = _view(principal, query)
        own = query.own if len(frame.own(view)) else None
        asked = (
            replace(view, said=digest(view.said), own=own),
            digest(query.text),
            tuple(limits.items()),
            whole,
            frame.revision,
        )
        with self._lock:
            kept = self._kept.get(asked)
        if kept is not None:
            return kept
        question = Question(query.text, vector, lookup)
        nearness = frame.best(self._cosines(frame, view, tuple(limits), vector))
        hits = {
            kind: self._of_kind(frame, view, kind, question, nearness, limit, whole) for kind, limit in limits.items()
        }
        articles, tickets = (frame.visible(view, (kind,)) for kind in KINDS)
        familiar = self._anywhere.familiar(frame, articles, tickets, vector) if self._anywhere else UNKNOWN
        ranked = Ranked(hits=hits, revision=frame.revision, solved=int(tickets.sum()), familiar=familiar)
        if self._settings.queries_kept:
            with self._lock:
                self._kept[asked] = ranked
        return ranked

    def _filled(
        self, frame: Frame, principal: Principal, query: Query, vector: Vectors, lookup: Lookup | None
    ) -> tuple[tuple[Hit, ...], str]:
        """The hits of all kinds together, with their passages' texts, and the index revision at which the texts were read."""
        ranked = self._ranked(frame, principal, query, vector, dict.fromkeys(query.kinds, query.limit), lookup, 0)
        together = sorted(
            (hit for hits in ranked.hits.values() for hit in hits), key=lambda hit: (-hit.score, hit.document_id)
        )
        best = together[: query.limit]
        texts, now = self._library.texts(principal.workspace, {(hit.document_id, hit.revision) for hit in best})
        return with_texts(best, texts), now

    def _of_kind(
        self, frame: Frame, view: View, kind: Kind, asked: Question, nearness: Vectors, limit: int, whole: int
    ) -> tuple[Hit, ...]:  # fmt: skip
        ranking = self._learned.ranking(view.workspace, frame.revision, view.before)
        told, arms = self._heard(frame, view, kind, asked, nearness, ranking)
        best = partial(rank, frame, told, asked.vector, arms, self._weights(kind, ranking))
        if kind != "article" or self._reranker is None:
            return tuple(best(limit, whole if kind == "article" else 0))
        hits = best(max(limit, LOOKED_AT), LOOKED_AT if whole else 0)
        texts, _ = self._library.texts(view.workspace, {(hit.document_id, hit.revision) for hit in hits})
        again = reranked(self._reranker, asked.text, with_texts(hits, texts), self._settings.reranker_seconds)[:limit]
        return tuple(replace(hit, passages=tuple(replace(one, text="") for one in hit.passages)) for hit in again)

    def _heard(
        self, frame: Frame, view: View, kind: Kind, asked: Question, nearness: Vectors, ranking: Ranking | None
    ) -> tuple[Places, Arms]:
        """Which documents any arm proposes, and what all arms say."""
        seen = frame.visible(view, (kind,))
        words = self._words(frame, view, kind, asked, seen)
        arms, most = Arms(words=words), self._settings.candidates
        if kind == "article":
            arms = self._spelt(frame, asked, self._taught(frame, view, asked.vector, nearness, arms, seen))
            alone = mostly_paired(asked.text)
            arms = replace(arms, trust={**arms.trust, "lexical": WORDS_ALONE}) if alone else arms
            if self._settings.covered_weight and (alone or "letters" not in arms.more):
                arms = self._covering.heard(arms, frame, view.workspace, asked.text, seen)
        elif kind == "ticket":
            age = np.maximum((view.before or view.as_of).timestamp() - frame.known, 0)
            arms = replace(arms, more={"recency": np.exp(-age / WANING.total_seconds()), "agent": frame.by_agent})
        near = top(np.flatnonzero(seen & (nearness > -np.inf)), nearness, most)
        turned = top(np.flatnonzero(seen), arms.turned, most) if arms.turned is not None else near[:0]
        voted = frame.find(arms.votes)
        spelt = (
            top(np.flatnonzero(seen & (arms.more["letters"] > 0)), arms.more["letters"], most)
            if "letters" in arms.more
            else near[:0]
        )
        told = np.unique(np.concatenate([near, turned, voted[seen[voted]], spelt, frame.owner[np.flatnonzero(words)]]))
        if ranking is not None:
            arms = replace(arms, more={**arms.more, **own_arms(frame, ranking, kind, asked.text, told)})
        return told, arms

    def _taught(self, frame: Frame, view: View, vector: Vectors, nearness: Vectors, arms: Arms, seen: Mask) -> Arms:
        """With the votes of solved cases and the learned map, as far as they are wanted and there."""
        cases = voters(frame, view)
        said, trust = votes(frame, view, cases, nearness, seen) if self._settings.votes_weight else ({}, 0.0)
        arms = replace(arms, votes=said, trust={"votes": trust, "map": map_trust(len(cases))})
        matrix = self._mapper.at(frame, view) if self._settings.map_weight else None
        if matrix is None:
            return arms
        turned = np.full(len(frame.heads), -np.inf)
        turned[frame.articles] = frame.topics.astype(np.float64) @ apply(vector, matrix).astype(np.float64)
        return replace(arms, turned=turned)

    def _spelt(self, frame: Frame, asked: Question, arms: Arms) -> Arms:
        """With the letters that titles share with a question which is not in English: the shipped model reads little else."""
        if not self._settings.letters_weight or self._said.language(asked.text, asked.lookup) == "en":
            return arms
        shared = np.zeros(len(frame.heads))
        shared[frame.articles] = frame.letters.shared(asked.text)
        return replace(arms, more={**arms.more, "letters": shared})

    def shipped(self) -> Weights:
        """The weights of articles as the settings have them."""
        s = self._settings
        return Weights(
            lexical=s.lexical_weight, votes=s.votes_weight, map=s.map_weight, letters=s.letters_weight, covered=s.covered_weight
        )  # fmt: skip

    def _weights(self, kind: Kind, ranking: Ranking | None) -> Weights:
        """The settings' weights, or for articles the workspace's own."""
        s, disliked = self._settings, ranking.weights.disliked if ranking else 0.0
        if kind == "ticket":
            return Weights(
                lexical=s.ticket_lexical_weight, recency=s.recency_weight, agent=s.agent_weight, disliked=disliked,
                chunks=2, matches=1,
            )  # fmt: skip
        if kind != "article":
            return Weights(lexical=s.lexical_weight)
        return ranking.weights if ranking else self.shipped()

    def _words(self, frame: Frame, view: View, kind: Kind, asked: Question, seen: Mask) -> Floats:
        """Each chunk's BM25 where it is visible and the words find it, as a share of the best; else 0.

        A ticket's words stand in the lexical index as a whole, under its first chunk: they speak for all of it.
        """
        said = np.zeros(len(frame.ids))
        found = self._said.matches(view.workspace, kind, frame.revision, asked.text, asked.lookup)
        known = [(frame.place[id], score) for id, score in found if id in frame.place and score > 0]
        at, scores = np.array([one for one, _ in known], dtype=np.int64), np.array([score for _, score in known])
        kept = seen[frame.owner[at]]
        at, scores = at[kept], scores[kept]
        if len(at):
            shares = scores / scores.max()
            if kind == "ticket":
                whole = frame.owner[at]
                shares, at = np.repeat(shares, frame.columns.sizes[whole]), frame.chunks(whole)
            np.maximum.at(said, at, shares)
        return said

    def _cosines(self, frame: Frame, view: View, kinds: tuple[Kind, ...], vector: Vectors) -> Vectors:
        """Each chunk's cosine; in a large workspace only those that the approximate index names, the rest at minus infinity."""
        if not self._settings.exact and len(frame.ids) > SCANNED:
            chunks = self._near(frame, view, kinds, vector)
            if chunks is not None:
                cosines = np.full(len(frame.ids), -np.inf, dtype=np.float32)
                cosines[chunks] = frame.vectors[chunks] @ vector
                return cosines
        return frame.cosines(vector)

    def _near(self, frame: Frame, view: View, kinds: tuple[Kind, ...], vector: Vectors) -> Places | None:
        """What the approximate index finds; None where all must be looked at: too little of it is visible, or it holds another model's vectors."""
        try:
            found = self._named(frame, view, kinds, vector)
        except Exception:
            if self._frames.in_step(view.workspace):
                raise
            return None
        return found if self._frames.in_step(view.workspace) else None

    def _named(self, frame: Frame, view: View, kinds: tuple[Kind, ...], vector: Vectors) -> Places | None:
        limit, named = self._settings.candidates, set[str]()
        for kind in kinds:
            seen, shown, whole = frame.visible(view, (kind,)), 0, True
            for shelf in shelves(view.workspace, kind):
                found = [id for id, _ in self._vectors.search(shelf, vector, 4 * limit) if id in frame.place]
                whole = whole and len(found) < 4 * limit
                shown += sum(bool(seen[frame.owner[frame.place[id]]]) for id in found)
                named.update(found)
            if not whole and shown < limit:
                return None
        cases = self._vectors.search(Shelf(view.workspace, "ticket", "ranking"), vector, 4 * VOTERS)
        named.update(id for id, _ in cases if id in frame.place)
        return np.array(sorted(frame.place[id] for id in named), dtype=np.int64)


def with_texts(hits: list[Hit] | tuple[Hit, ...], texts: Mapping[tuple[str, int], tuple[str, int]]) -> tuple[Hit, ...]:
    """The hits with their passages' texts; a document deleted since it was found has no text any more, and is not found, then."""
    found = [(hit, texts.get((hit.document_id, hit.revision))) for hit in hits]
    return tuple(_with_text(hit, text[0]) for hit, text in found if text is not None)


def _with_text(hit: Hit, text: str) -> Hit:
    return replace(hit, passages=tuple(replace(p, text=text[p.start : p.end]) for p in hit.passages))


def _ms(start: float, end: float) -> float:
    return round((end - start) * 1e3, 3)
