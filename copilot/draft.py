"""From evidence to a reply: what a drafter may rest on, the frame around its statements, and the putting together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from copilot.domain import (
    PUBLIC,
    Channel,
    Citation,
    Conversation,
    Draft,
    Dropped,
    Evidence,
    Hit,
    SimilarTicket,
    Statement,
    Support,
)
from copilot.ground import Grounded, ground
from copilot.ports import Drafter, DraftRequest
from prompts import render

SECTION_CHARS = 2_400
FRAMED = ("en", "de", "fr", "nl", "es")
GAP = "\n\n"

Texts = Mapping[tuple[str, int], tuple[str, int]]


def evidence(articles: Sequence[Hit], tickets: Sequence[Hit], texts: Texts) -> tuple[Evidence, ...]:
    """What a draft may rest on, best first: the sections of public articles around what was found, then whole resolutions.

    Internal documents never get in here: this is the door between what agents see and what customers read.
    """
    found = [_section(hit, texts[hit.document_id, hit.revision][0]) for hit in articles if hit.audience == PUBLIC]
    solved = [_resolution(hit, *texts[hit.document_id, hit.revision]) for hit in tickets if hit.audience == PUBLIC]
    return tuple(found + solved)


def _section(hit: Hit, text: str) -> Evidence:
    """The stretch between two headings around the best passage; a long one from where the passage begins."""
    passage = hit.passages[0]
    start = text.rfind("\n#", 0, passage.start) + 1
    if text.startswith("#", start):
        start = min(passage.start, (text.find("\n", start) + 1) or passage.start)
    end = text.find("\n#", passage.end)
    end = len(text) if end < 0 else end
    if end - start > SECTION_CHARS:
        start = passage.start
        end = min(end, max(passage.end, text.rfind("\n", start, start + SECTION_CHARS)))
    return _evidence(hit, text, start, end)


def _resolution(hit: Hit, text: str, answer_start: int) -> Evidence:
    return _evidence(hit, text, answer_start, len(text))


def _evidence(hit: Hit, text: str, start: int, end: int) -> Evidence:
    words = text[start:end]
    start += len(words) - len(words.lstrip())
    words = words.strip()
    return Evidence(
        document_id=hit.document_id, revision=hit.revision, start=start, end=start + len(words), text=words, title=hit.title,
        url=hit.url, kind=hit.kind, headings=hit.passages[0].headings, score=hit.scores["dense"], language=hit.language,
    )  # fmt: skip


def similar(tickets: Sequence[Hit], texts: Texts) -> tuple[SimilarTicket, ...]:
    """Solved tickets with their whole resolution."""
    return tuple(
        SimilarTicket(
            document_id=hit.document_id, title=hit.title, url=hit.url, score=hit.score, resolved_at=hit.resolved_at,
            resolution=texts[hit.document_id, hit.revision][0][texts[hit.document_id, hit.revision][1] :].strip(),
        )
        for hit in tickets
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """The lines around the statements; they claim nothing."""

    opening: tuple[str, ...]
    closing: tuple[str, ...]


def frame(conversation: Conversation, sentiment: str, language: str, tone: str | None) -> Frame:
    """Greeting and a line that fits the mood; closing that fits the channel. English where the language has no templates."""
    language = language if language in FRAMED else "en"
    inputs = {
        "name": first_name(conversation.customer.name), "channel": conversation.channel, "language": language,
        "sentiment": sentiment, "tone": tone or "", "first": not any(m.author == "agent" for m in conversation.messages),
    }  # fmt: skip
    lines = {part: render(part, inputs) for part in ("greeting", "empathy", "closing")}
    return Frame(tuple(filter(None, (lines["greeting"], lines["empathy"]))), tuple(filter(None, (lines["closing"],))))


def first_name(name: str | None) -> str:
    """The customer's first name if it can stand in a greeting, else nothing."""
    first = (name or "").split()[:1]
    return first[0] if first and first[0].isalpha() and len(first[0]) <= 30 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A statement as it is streamed: its words, and in `lead` what stands between it and the one before."""

    text: str
    lead: str
    start: int
    end: int
    support: Support
    citations: tuple[Citation, ...] = ()


def write(drafter: Drafter, request: DraftRequest) -> Iterator[Said | Draft]:
    """Each statement as it is grounded, then the draft; nothing at all where no statement with a source stands.

    Raises DrafterFailed. What is quoted word for word stays in its source's language, and so does the frame around it.
    """
    page, dropped = Page(), list[Dropped]()
    framed, language = Frame((), ()), request.language
    waiting: list[Grounded] = []
    for one in ground(drafter.stream(request), request.evidence):
        if isinstance(one, Dropped):
            dropped.append(one)
            continue
        waiting.append(one)
        if not one.citations and not page.statements:
            continue  # the greeting needs the language of the first claim
        if not page.statements:
            language = _language(one, request)
            framed = frame(request.conversation, request.sentiment, language, request.tone)
            yield from (page.add(line, GAP) for line in framed.opening)
        for grounded in waiting:
            yield page.add(grounded.text, grounded.lead or GAP, grounded)
        waiting.clear()
    if page.statements:
        yield from (page.add(line, GAP) for line in framed.closing)
        yield Draft(
            text=page.text,
            generator=drafter.name,
            language=language,
            statements=tuple(page.statements),
            dropped=tuple(dropped),
        )


def said(statement: Statement, text: str, lead: str) -> Said:
    """The statement with its words."""
    return Said(
        text=text, lead=lead, start=statement.start, end=statement.end, support=statement.support, citations=statement.citations
    )  # fmt: skip


def retold(draft: Draft) -> Iterator[Said]:
    """The statements of a finished draft as they were streamed."""
    done = 0
    for statement in draft.statements:
        yield said(statement, draft.text[statement.start : statement.end], draft.text[done : statement.start])
        done = statement.end


class Page:
    """A draft growing statement by statement; offsets are final as soon as a statement is in."""

    def __init__(self) -> None:
        self.text = ""
        self.statements: list[Statement] = []

    def add(self, words: str, lead: str, grounded: Grounded | None = None) -> Said:
        """Put the words at the end, behind their lead (none at the very start)."""
        lead = lead if self.text else ""
        start = len(self.text) + len(lead)
        self.text += lead + words
        support, citations = (grounded.support, grounded.citations) if grounded else ("no_claim", ())
        made = Statement(start=start, end=len(self.text), support=support, citations=citations)
        self.statements.append(made)
        return said(made, words, lead)


def _language(first: Grounded, request: DraftRequest) -> str:
    quoted = [c for c in first.citations if c.quote == first.text]
    sources = [e.language for e in request.evidence if quoted and e.document_id == quoted[0].document_id]
    return sources[0] or "en" if sources else request.language


BUDGET: dict[Channel, tuple[int, int]] = {
    "email": (14, 1_500), "form": (14, 1_500), "chat": (3, 600), "phone": (5, 700), "social": (3, 500),
}  # fmt: skip
"""Statements and characters of the body that suit a channel."""
