"""The agent's own question: an answer quoted from what this agent may see, internal documents included; it is for no customer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from copilot.answerable import answerability
from copilot.assist import SETTLE, Event
from copilot.domain import PUBLIC, Conversation, Hit, Kind, Message, Nearest, Principal, Statement
from copilot.draft import Page, Texts, passages_of, said
from copilot.errors import EmptyMessage
from copilot.ground import Grounded, ground
from copilot.ports import Drafter, DraftRequest, Embedder
from copilot.rank import shown
from copilot.retrieve import Query, Ranked, Retriever, with_texts
from copilot.settings import Settings
from copilot.store.library import Library
from copilot.text import normalise

TICKETS = 5
SOURCES: tuple[Kind, ...] = ("article", "ticket")
READ = 6
NEAREST = 3
NOTHING_NEAR = "no document that you may see comes near enough to the question"
NOTHING_SAID = "the nearest documents say nothing that can be quoted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an agent wants to know, from what was known before a time where that is given."""

    text: str
    limit: int = 6
    before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the documents say, every statement cited; where nothing answers, why, and what came near. `internal`: some of it is not for customers."""

    answered: bool
    text: str
    statements: tuple[Statement, ...]
    generator: str
    language: str
    internal: bool
    reason: str | None
    nearest: tuple[Nearest, ...]
    passages: tuple[Hit, ...]


class Asker:
    """Answers from the index on behalf of a principal; keeps nothing."""

    def __init__(
        self, settings: Settings, embedder: Embedder, retriever: Retriever, library: Library, extractive: Drafter
    ) -> None:
        self._settings, self._embedder, self._retriever = settings, embedder, retriever
        self._library, self._extractive = library, extractive

    def answer(self, principal: Principal, question: Question) -> Answer:
        """The answer, all of one index revision. Raises EmptyMessage, NotFound."""
        text = normalise(question.text).strip()
        if not text:
            raise EmptyMessage("There is no question. Send some words in `question`.")
        clock, epoch = self._library.moment(principal.workspace)
        lookup = self._retriever.look_up(principal.workspace, clock, text, SOURCES)
        vector = self._embedder.embed([text], "query")[0]
        as_of = question.before or epoch
        query = Query(text=text, limit=question.limit, before=question.before, as_of=as_of)
        for _ in range(SETTLE):
            limits: dict[Kind, int] = dict(zip(SOURCES, (2 * query.limit, TICKETS), strict=True))
            ranked = self._retriever.kinds(principal, query, vector, limits, lookup)
            found = {(hit.document_id, hit.revision) for hits in ranked.hits.values() for hit in hits}
            texts, now = self._library.texts(principal.workspace, found)
            articles, tickets = (with_texts(ranked.hits[kind], texts) for kind in limits)
            answer = self._answer(query, articles[: query.limit], tickets, texts, ranked)
            if now == ranked.revision:  # else something was deleted or changed meanwhile
                break
        return answer

    def _answer(
        self, query: Query, articles: Sequence[Hit], tickets: Sequence[Hit], texts: Texts, ranked: Ranked
    ) -> Answer:  # fmt: skip
        words = [texts[hit.document_id, hit.revision][0] for hit in (*articles[:READ], *tickets)]
        answers = answerability(query.text, articles, tickets, words, ranked.solved, ranked.familiar)
        weak = answers.score < self._settings.abstain_below
        evidence = passages_of(query.text, articles, tickets, texts)
        page = Page()
        request = DraftRequest(
            conversation=Conversation(messages=(Message(text=query.text),)), message=query.text, evidence=evidence,
            language="en", sentiment="neutral",
        )  # fmt: skip
        for one in () if weak or not evidence else ground(self._extractive.stream(request), evidence, query.text):
            if isinstance(one, Grounded) and one.citations:
                page.add(one.text, one.lead or "\n\n", one)
        stated = tuple(page.statements)
        cited = {citation.document_id for one in stated for citation in one.citations}
        hits = {hit.document_id: hit for hit in (*articles, *tickets)}
        return Answer(
            answered=bool(stated), text=page.text, statements=stated, generator=self._extractive.name,
            language=next((one.language or "en" for one in evidence if one.document_id in cited), "en"),
            internal=any(hits[id].audience != PUBLIC for id in cited),
            reason=None if stated else NOTHING_NEAR if weak or not evidence else NOTHING_SAID,
            nearest=() if stated else _nearest(hits.values()), passages=tuple(map(shown, articles)),
        )  # fmt: skip


def told(answer: Answer) -> Iterator[Event]:
    """`passages`, each `statement`, and `done` with the whole answer."""
    done = 0
    yield Event("passages", answer.passages)
    for statement in answer.statements:
        words, lead = answer.text[statement.start : statement.end], answer.text[done : statement.start]
        yield Event("statement", said(statement, words, lead))
        done = statement.end
    yield Event("done", answer)


def _nearest(hits: Iterable[Hit]) -> tuple[Nearest, ...]:
    best = sorted(hits, key=lambda hit: (-hit.scores["dense"], hit.document_id))[:NEAREST]
    return tuple(
        Nearest(document_id=hit.document_id, title=hit.title, url=hit.url, score=hit.scores["dense"]) for hit in best
    )
