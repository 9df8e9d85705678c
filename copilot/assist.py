"""The whole path from a conversation to a suggestion: query, retrieve, triage, decide, draft, ground, escalate, store."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter
from typing import Literal

import prompts
from copilot.domain import (
    PUBLIC,
    Conversation,
    Draft,
    Dropped,
    Escalation,
    Evidence,
    Kind,
    Options,
    Principal,
    Provenance,
    Status,
    Suggestion,
    Triage,
)
from copilot.draft import Said, evidence, similar, write
from copilot.errors import DrafterFailed, NotFound
from copilot.escalate import Policy, escalate
from copilot.findings import Findings, abstention, differences, guidance, macros
from copilot.foreign import translation
from copilot.frame import UPSET
from copilot.handover import DANGER, handed_over, held
from copilot.intents import IntentHead
from copilot.learned import Learned
from copilot.lookup import Lookup
from copilot.names import of_thread
from copilot.ports import Drafter, DraftRequest, Embedder, Handover, Rewrite, Vectors
from copilot.query import said, search_text
from copilot.rank import distinct, shown
from copilot.redact import Redactor
from copilot.retrieve import Found, Query, Retriever, with_texts
from copilot.rewrite import allowed, hidden
from copilot.route import Route, route, team_of
from copilot.settings import Settings
from copilot.store.gaps import Asked
from copilot.store.library import Library
from copilot.store.records import Records
from copilot.store.values import now
from copilot.thanks import only_thanks
from copilot.triage import Triager
from copilot.unchanged import unchanged
from copilot.urgency import hurried

log = logging.getLogger(__name__)

DEFAULT = Options()
SIMILAR_FROM = 0.40
SETTLE = 3
TICKETS, DEEPER = 5, 60
"""So many tickets that say different things are wanted; where the first twice as many do not hold them, so many are looked at."""
SOURCES: tuple[Kind, ...] = ("article", "ticket", "macro")
MACROS = 2
SIMILAR = 3


@dataclass(frozen=True, slots=True)
class Event:
    """One step's outcome, as it is streamed; `done` carries the whole Suggestion."""

    name: Literal["triage", "escalation", "passages", "statement", "done"]
    data: object


class Copilot:
    """Suggests replies and answers searches for a principal, over one index."""

    def __init__(
        self,
        *,
        settings: Settings,
        embedder: Embedder,
        retriever: Retriever,
        library: Library,
        records: Records,
        learned: Learned,
        triager: Triager,
        policy: Policy,
        redactor: Redactor,
        extractive: Drafter,
        model: Drafter | None,
    ) -> None:
        self._settings, self._embedder, self._retriever, self._library = settings, embedder, retriever, library
        self._records, self._learned, self._triager, self._policy = records, learned, triager, policy
        self._redactor, self._extractive, self._model = redactor, extractive, model

    def intents(self, workspace: str) -> tuple[str, ...]:
        """The labels that an intent may have in this workspace, `other` among them. Raises NotFound for an unknown one."""
        return self._learned.taxonomy(workspace, self._library.clock(workspace)).labels

    def search(self, principal: Principal, query: Query) -> Found:
        """The documents that bear on a query of the agent's own."""
        return self._retriever.search(principal, query)

    def read(self, workspace: str, conversation: Conversation) -> tuple[Triage, Escalation]:
        """What the customer wants and whether a person should step in, before anybody looks for an answer. Raises EmptyMessage."""
        meant = self._retriever.meant(workspace, search_text(conversation))
        given = self._triager.encoded(meant)
        triage = self._triager.read(conversation, given, workspace, self._intents(workspace), meant)
        return self._judged(conversation, triage)

    def _judged(self, conversation: Conversation, triage: Triage) -> tuple[Triage, Escalation]:
        """The triage, urgent where somebody is in danger, and what the policy says before anybody looks for an answer."""
        escalation = escalate(self._policy, conversation, triage, False, self._settings.refund_limit)
        return hurried(triage, escalation), escalation

    def route(self, principal: Principal, conversation: Conversation) -> Route:
        """Where a caller or writer belongs, and what to ask while that is not sure. Raises EmptyMessage, NotFound."""
        teams = self._learned.taxonomy(principal.workspace, self._library.clock(principal.workspace)).teams
        return route(*self.read(principal.workspace, conversation), teams, conversation)

    def _intents(self, workspace: str) -> IntentHead | None:
        """The workspace's own head; a workspace that nothing was ingested into has none."""
        try:
            return self._learned.intents(workspace, self._library.clock(workspace), None)
        except NotFound:
            return None

    def suggest(
        self, principal: Principal, conversation: Conversation, options: Options = DEFAULT, *, key: str | None = None
    ) -> Suggestion:
        """The suggestion for the conversation's latest message, stored. Raises EmptyMessage, NotFound."""
        *_, last = self.stream(principal, conversation, options, key=key)
        assert isinstance(last.data, Suggestion)
        return last.data

    def stream(
        self, principal: Principal, conversation: Conversation, options: Options = DEFAULT,
        *, key: str | None = None, rewrite: Rewrite | None = None, stored: bool = False, at: datetime | None = None,
    ) -> Iterator[Event]:  # fmt: skip
        """The same, step by step as it comes; the last event is `done`. A `rewrite` puts a reply in other words. Raises NeedsModel too.

        A conversation that is stored by now (`stored`: it is) is still there at the end, or NotFound is raised. `at` is when it was read,
        now where left out: the suggestion is of that time, so that what was said since is known to be missing.
        """
        at = at or now()
        allowed(rewrite, self._model, self._settings.llm_prompt_tokens)
        stored = stored or self._records.has_conversation(principal.workspace, conversation.id)
        watch = Stopwatch()
        text = search_text(conversation)
        # An unknown workspace is refused before anything is computed.
        clock, epoch = self._library.moment(principal.workspace)
        as_of = options.before or epoch
        lookup = self._retriever.look_up(principal.workspace, clock, text, SOURCES)
        meant = self._retriever.meant(principal.workspace, text, options.before, clock)
        given = self._triager.encoded(meant)
        watch.lap("embed")

        intents = self._learned.intents(principal.workspace, clock, options.before)
        teams = self._learned.taxonomy(principal.workspace, clock).teams
        triage, escalation = self._judged(
            conversation, self._triager.read(conversation, given, principal.workspace, intents, meant)
        )
        watch.lap("triage")
        yield Event("triage", triage)

        told = "\n".join([conversation.subject, *said(conversation)])
        query = Query(
            text=text, limit=options.limit, before=options.before, as_of=as_of, told=told, own=conversation.id
        )
        revision, findings = self._settled(principal, query, given.vector, lookup, clock)
        watch.lap("search")

        answers = findings.answers(text)
        glad = triage.sentiment.label not in UPSET and not escalation.recommended
        thanked = rewrite is None and glad and only_thanks(conversation)
        weak = not thanked and (not findings.evidence or answers.score < self._settings.abstain_below)
        if weak or self._policy.looks_at_answers:
            escalation = escalate(self._policy, conversation, triage, weak, self._settings.refund_limit, answers.score)
        if options.instead_of:
            findings = findings.elsewhere(self._records.cited(principal.workspace, options.instead_of))
        watch.lap("escalate")
        yield Event("escalation", escalation)
        passages = tuple(map(shown, findings.articles[: options.limit]))
        yield Event("passages", passages)

        drafted = Drafted("abstained", None)
        passed, rests_on = (None, ()) if thanked else _rests_on(escalation, text, findings.evidence, weak, rewrite)
        if passed or not weak:
            for step in self._draft(conversation, text, triage, rests_on, options, rewrite, passed, thanked):
                if isinstance(step, Said):
                    yield Event("statement", step)
                else:
                    drafted = step
        watch.lap("draft")

        suggestion = Suggestion(
            id=uuid.uuid4().hex, conversation_id=conversation.id or uuid.uuid4().hex, status=drafted.status, created_at=at,
            draft=drafted.draft, triage=triage, escalation=escalation,
            abstention=None if drafted.draft else abstention(findings, triage, answers, weak),
            similar_tickets=similar([hit for hit in findings.tickets if hit.scores["dense"] >= SIMILAR_FROM][:SIMILAR], findings.texts),
            passages=passages, guidance=(*differences(drafted.draft, findings), *guidance(findings)), macros=macros(findings),
            provenance=Provenance(
                index_revision=revision, prompt_version=prompts.version(), model=self._settings.llm,
                settings=self._settings.hash(), as_of=as_of,
                trained=self._trained(principal.workspace, clock, revision, options.before), instead_of=options.instead_of,
            ),
            timings_ms={}, answerability=answers.score, team=team_of(triage, escalation, teams, conversation),
        )  # fmt: skip
        suggestion = replace(suggestion, timings_ms=watch.total())
        sources = {one.document_id for one in findings.evidence}
        suggestion = self._records.keep_suggestion(
            principal.workspace,
            suggestion,
            key,
            sources,
            len(conversation.messages),
            Asked(self._embedder.fingerprint, given.vector),
            stored,
        )
        yield Event("done", suggestion)

    def _trained(self, workspace: str, clock: str, revision: str, before: datetime | None) -> tuple[str, ...]:
        """What the tags and the ranking came from: a switch in between shows."""
        tags = self._learned.names(workspace, clock, before, ("taxonomy", "intents"))
        return (*tags, *self._learned.names(workspace, revision, before, ("embedder", "ranking")))

    def _settled(
        self, principal: Principal, query: Query, vector: Vectors, lookup: Lookup, read_at: str
    ) -> tuple[str, Findings]:
        """What is found, all of one index revision: where an ingest switched meanwhile, it is looked up again."""
        for _ in range(SETTLE):
            revision, read_at, findings = self._find(principal, query, vector, lookup, read_at)
            if read_at == revision:
                break
        return revision, findings

    def _find(
        self, principal: Principal, query: Query, vector: Vectors, lookup: Lookup, known: str
    ) -> tuple[str, str, Findings]:
        """Index revision when it was ranked and when the texts were read, and articles, solved tickets and macros, which play different parts."""
        limits: dict[Kind, int] = dict(zip(SOURCES, (3 * query.limit, 2 * TICKETS, MACROS), strict=True))
        ranked = self._retriever.kinds(principal, query, vector, limits, lookup, known)
        found = {(hit.document_id, hit.revision) for hits in ranked.hits.values() for hit in hits}
        texts, now = self._library.texts(principal.workspace, found)
        articles, tickets, prepared = (with_texts(ranked.hits[kind], texts) for kind in limits)
        tickets = distinct(tickets, texts)
        if len(tickets) < TICKETS and len(ranked.hits["ticket"]) == limits["ticket"]:  # most of them say the same
            deeper = self._retriever.kinds(principal, query, vector, {"ticket": DEEPER}, lookup, ranked.revision)
            found = {(hit.document_id, hit.revision) for hit in deeper.hits["ticket"]}
            more, then = self._library.texts(principal.workspace, found)
            texts, now = {**texts, **more}, then if now == then == deeper.revision else ""
            tickets = distinct(with_texts(deeper.hits["ticket"], texts), texts)
        tickets = tickets[:TICKETS]
        public = [hit for hit in articles if hit.audience == PUBLIC][: query.limit]
        dates = self._library.dates(principal.workspace, {hit.document_id for hit in (*public, *tickets)})
        rests_on = evidence(query.text, public, tickets, texts, dates)
        return (
            ranked.revision,
            now,
            Findings(articles, tickets, prepared, texts, rests_on, ranked.solved, ranked.familiar),
        )

    def _draft(
        self, conversation: Conversation, text: str, triage: Triage, rests_on: tuple[Evidence, ...], options: Options,
        rewrite: Rewrite | None, passed: Handover | None, thanked: bool = False,
    ) -> Iterator[Said | Drafted]:  # fmt: skip
        """The statements as they are grounded, then the draft; a failing model costs only its time."""
        mood = "neutral" if triage.sentiment.level == "low" else triage.sentiment.label
        names = of_thread(conversation) if self._model else [conversation.customer.name or ""]
        asked, dropped = rewrite, list[Dropped]()
        redacted, message, rewrite = hidden(text, names, rewrite, self._redactor)
        spoken = rewrite.language if rewrite and rewrite.language else triage.language.label
        request = DraftRequest(
            conversation=conversation, message=message, evidence=rests_on,
            language=spoken, sentiment=mood, tone=options.tone,
            personal=tuple({span.placeholder: span.text for span in redacted.found}.items()), rewrite=rewrite,
            handover=passed, thanked=thanked,
        )  # fmt: skip
        model = None if request.frame_only else self._model
        if model and rewrite is None:
            request = replace(request, rewrite=translation(self._extractive, request))
        for drafter in filter(None, (model, self._extractive)):
            fallback = model is not None and drafter is self._extractive
            if fallback and asked and asked.task != "translate":
                for step in unchanged(asked.text, request, dropped):
                    yield step if isinstance(step, Said) else Drafted("extractive", step)
                return
            if drafter is self._extractive:
                request = replace(request, rewrite=None, language=triage.language.label)
            try:
                for step in write(drafter, request, dropped):
                    yield (step if isinstance(step, Said) else Drafted("extractive" if fallback else "drafted", step))
                    if isinstance(step, Draft):
                        return
            except DrafterFailed as error:
                log.warning("%s failed, the extractive draft steps in: %s", drafter.name, error)
        if passed and passed.reason in DANGER and not passed.only:  # nothing of what warns can be quoted
            yield from self._draft(conversation, text, triage, (), options, None, replace(passed, only=True))


@dataclass(frozen=True, slots=True)
class Drafted:
    """What became of the draft."""

    status: Status
    draft: Draft | None


class Stopwatch:
    """Milliseconds by step, and in all."""

    def __init__(self) -> None:
        self._start = self._last = perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, step: str) -> None:
        """The time since the last lap goes to this step."""
        here = perf_counter()
        self._laps[step] = round((here - self._last) * 1e3, 3)
        self._last = here

    def total(self) -> dict[str, float]:
        """All steps so far, and `total`."""
        return {**self._laps, "total": round((perf_counter() - self._start) * 1e3, 3)}


def _rests_on(
    escalation: Escalation, text: str, evidence: tuple[Evidence, ...], weak: bool, rewrite: Rewrite | None
) -> tuple[Handover | None, tuple[Evidence, ...]]:
    """Who takes over and what an answer may rest on; of weak evidence only who takes over is said, in danger or to a wish for a person."""
    if rewrite:
        return None, evidence
    return (held(escalation, text), ()) if weak else handed_over(escalation, text, evidence)
