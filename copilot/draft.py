"""From evidence to a reply: what a drafter may rest on, the frame around its statements, and the putting together."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, islice, pairwise

from copilot.disagree import disagreements
from copilot.domain import (
    PUBLIC,
    Channel,
    Citation,
    Draft,
    Dropped,
    Evidence,
    Hit,
    Passage,
    SimilarTicket,
    Statement,
    Support,
)
from copilot.fit import fitted, words_of
from copilot.frame import TERSE, Frame, frame
from copilot.ground import Grounded, harm
from copilot.pointers import POINTER
from copilot.ports import Drafter, DraftRequest
from copilot.rank import READ_WHOLE
from copilot.reading import hosts
from copilot.redact import PLACEHOLDER
from copilot.rewrite import proposed
from copilot.room import RoomLeft
from copilot.scripts import MARKED, SENTENCE_MARKS, STOPS, latin
from copilot.variants import MARK, cut_off, open_at
from prompts import LANGUAGES, render

SECTION_CHARS = 2_400
RESOLUTION_CHARS = 4_000
SECTIONS = 3
FARTHER = 0.05
"""A section that was not found is less near than those that were, by this."""
HEADING = re.compile(r"\n(?=#)")
LISTED = re.compile(rf"\s*{MARKED}|\s{{2}}|\s*$")
GAP = "\n\n"
CHAT_SENTENCES = 3
QUOTES = "extractive"
"""The drafter that measures its own room: it ends no list in its middle."""
Texts = Mapping[tuple[str, int], tuple[str, int]]


def evidence(
    message: str, articles: Sequence[Hit], tickets: Sequence[Hit], texts: Texts, dates: Mapping[str, str]
) -> tuple[Evidence, ...]:
    """What a draft may rest on: the sections of public articles that fit the message, best article first, then whole resolutions.

    Internal documents never get in here: this is the door between what agents see and what customers read.
    """
    articles, tickets = ([hit for hit in hits if hit.audience == PUBLIC] for hits in (articles, tickets))
    return tuple(
        replace(one, date=dates.get(one.document_id, "")) for one in passages_of(message, articles, tickets, texts)
    )


def passages_of(message: str, articles: Sequence[Hit], tickets: Sequence[Hit], texts: Texts) -> tuple[Evidence, ...]:
    """The same of whatever documents are given: for the agent's eyes."""
    found = [
        one
        for number, hit in enumerate(articles)
        for one in _sections(hit, texts[hit.document_id, hit.revision][0], whole=number < READ_WHOLE)
    ]
    resolutions = (_resolution(hit, *texts[hit.document_id, hit.revision]) for hit in tickets)
    solved = [replace(one, words=words_of(one)) for one in resolutions]
    return (*_best(found, fitted(message, found, solved)), *solved)


def _best(sections: Sequence[Evidence], fits: Sequence[tuple[float, frozenset[str]]]) -> Iterator[Evidence]:
    """Of each article the sections that fit best, best first."""
    for _, places in groupby(range(len(sections)), key=lambda i: sections[i].document_id):
        for i in sorted(places, key=lambda i: (-fits[i][0], sections[i].start))[:SECTIONS]:
            yield replace(sections[i], fit=fits[i][0], words=fits[i][1])


def _sections(hit: Hit, text: str, whole: bool) -> list[Evidence]:
    """The sections around the best passages, each once, by the first of its passages; all others too where the article is read whole."""
    made: dict[int, Evidence] = {}
    for passage in hit.passages[:SECTIONS]:
        one = _section(hit, text, passage)
        made.setdefault(one.start, one)
    far = min(passage.scores["dense"] for passage in hit.passages) - FARTHER
    taken = [(one.start, one.end) for one in made.values()]
    for start, end in _cuts(text) if whole else ():
        if not any(a < end and b > start for a, b in taken):
            one = _evidence(hit, text, start, _until(text, start, end))
            if one.text:
                made[one.start] = _found(one, hit.passages, far)
    return list(made.values())


def _found(one: Evidence, passages: Sequence[Passage], far: float) -> Evidence:
    """With the nearness of what was found in it; what was not is further off."""
    inside = [passage for passage in passages if passage.start < one.end and passage.end > one.start]
    if not inside:
        return replace(one, near=far)
    best = max(inside, key=lambda passage: (passage.scores["dense"], -passage.start))
    focus = (max(best.start - one.start, 0), best.end - one.start)
    return replace(one, near=best.scores["dense"], focus=focus, headings=best.headings)


def _cuts(text: str) -> Iterator[tuple[int, int]]:
    """From each heading to the next."""
    return pairwise([0, *(found.start() + 1 for found in HEADING.finditer(text)), len(text)])


def _until(text: str, start: int, end: int) -> int:
    """The end, or a line's end before it where that is too far."""
    if end - start <= SECTION_CHARS:
        return end
    line = text.rfind("\n", start + 1, start + SECTION_CHARS)
    return line if line > start else start + SECTION_CHARS


def _section(hit: Hit, text: str, passage: Passage) -> Evidence:
    """From the heading above the passage to the next one; of a long stretch, the paragraphs from the one before the passage."""
    start = text.rfind("\n#", 0, passage.start) + 1
    end = text.find("\n#", passage.end)
    end = len(text) if end < 0 else end
    if end - start > SECTION_CHARS:
        first = _first_step(text, start, passage.start)
        start = max(start, text.rfind(GAP, start, max(start, first - 1)))
        end = min(end, max(passage.end, text.rfind("\n", start, start + SECTION_CHARS)))
    made = _evidence(hit, text, start, end)
    focus = (max(passage.start - made.start, 0), passage.end - made.start)
    return replace(made, near=passage.scores["dense"], focus=focus, headings=passage.headings)


def _first_step(text: str, start: int, at: int) -> int:
    """Where the numbered list begins that goes on at this place; the place itself where none does."""
    first = text.rfind("\n1. ", start, at) + 1
    return first if first and all(LISTED.match(line) for line in text[first:at].split("\n")) else at


def _resolution(hit: Hit, text: str, answer_start: int) -> Evidence:
    end = len(text)
    if end - answer_start > RESOLUTION_CHARS:
        limit = answer_start + RESOLUTION_CHARS
        end = max(text.rfind("\n", answer_start, limit), text.rfind(". ", answer_start, limit) + 1)
    return _evidence(hit, text, answer_start, end if end > answer_start else len(text))


def _evidence(hit: Hit, text: str, start: int, end: int) -> Evidence:
    words = text[start:end]
    start += len(words) - len(words.lstrip())
    words = words.strip()
    return Evidence(
        document_id=hit.document_id, revision=hit.revision, start=start, end=start + len(words), text=words, title=hit.title,
        url=hit.url, kind=hit.kind, headings=hit.passages[0].headings, score=hit.scores["dense"], language=hit.language,
        rank=hit.score, near=hit.scores["dense"], solution_by=hit.solution_by, within=open_at(text, start),
        cut=cut_off(text, start, start + len(words)),
    )  # fmt: skip


def similar(tickets: Sequence[Hit], texts: Texts) -> tuple[SimilarTicket, ...]:
    """Solved tickets with their whole resolution."""
    return tuple(
        SimilarTicket(
            document_id=hit.document_id, title=hit.title, url=hit.url, score=hit.score, resolved_at=hit.resolved_at, solution_by=hit.solution_by,
            resolution=texts[hit.document_id, hit.revision][0][texts[hit.document_id, hit.revision][1] :].strip(),
        )
        for hit in tickets
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A statement as it is streamed: its words, and in `lead` what stands between it and the one before."""

    text: str
    lead: str
    start: int
    end: int
    support: Support
    citations: tuple[Citation, ...] = ()


def write(drafter: Drafter, request: DraftRequest, dropped: list[Dropped] | None = None) -> Iterator[Said | Draft]:
    """Each statement as it is grounded, then the draft; nothing at all where no statement with a source stands and nobody takes over.

    What is dropped is added to what was `dropped` before, of which the caller keeps hold.

    Raises DrafterFailed. What is quoted word for word stays in its source's language; the frame is in the customer's, where there are templates.
    """
    if request.frame_only:
        yield from _held(drafter, request)
        return
    page, told, room = (
        Page(),
        0,
        RoomLeft(None if request.rewrite or drafter.name == QUOTES else BUDGET[request.conversation.channel]),
    )
    dropped = [] if dropped is None else dropped
    framed, language = Frame((), ()), request.language
    waiting, begun = list[Grounded](), False
    for one in map(
        partial(_restored, personal=dict(request.personal), public=request.conversation.channel == "social"),
        proposed(drafter, request),
    ):
        if isinstance(one, Dropped):
            dropped.append(one)
            continue
        waiting.append(one)
        if not one.citations and not page.statements:
            continue  # the greeting needs the language of the first claim
        if not page.statements:
            language = _language(one, request)
            framed = _framed(language, one, request)
            told = sum(not line.endswith(":") for line in framed.opening[1:]) + bool(request.handover)
            yield from (page.add(line, GAP) for line in framed.opening)
        for grounded in waiting:
            told += grounded.text.endswith(STOPS)
            if request.conversation.channel == "chat" and told > CHAT_SENTENCES:
                dropped.append(Dropped(text=grounded.text, reason="a chat has no room for more"))
            elif fault := room.fault(grounded):
                dropped.append(Dropped(text=grounded.text, reason=fault))
            else:
                lead = _lead(grounded, request)
                yield page.add(grounded.text, lead if begun or not lead[0].isspace() else GAP + lead.lstrip(), grounded)
                begun = True
        waiting.clear()
    if page.statements:
        full = request.conversation.channel == "chat" and len(page.statements) > CHAT_SENTENCES  # the greeting is none
        lines = framed.closing if not full or request.handover else ()
        if request.conversation.channel not in TERSE and latin(page.text):
            yield from _conflicts(page, drafter, language, request)
        yield from (page.add(line, GAP) for line in lines)
        yield _whole(page, drafter, language, dropped)


def _framed(language: str, first: Grounded, request: DraftRequest) -> Frame:
    """The frame around claims in this language; a customer who writes in another one is told so in theirs.

    Around another script than the one that our words are in there is none in a language that nobody used, but for who takes over.
    """
    notice = render("foreign", {"language": request.language, "source": language})
    ours = notice or (language not in LANGUAGES and request.language in LANGUAGES)
    spoken = request.language if ours else language
    made = frame(request.conversation, request.sentiment, spoken, request.tone, request.handover)
    if _wordless(spoken, first):
        return Frame((), made.closing[:1] if request.handover else ())
    shown = notice and request.conversation.channel != "phone"
    return replace(made, opening=(*made.opening, notice)) if shown else made


def _wordless(language: str, first: Grounded) -> bool:
    """Whether none of our words go with the first claim: they are Latin letters, in another language than this one."""
    return language not in LANGUAGES and not latin(first.text)


def _conflicts(page: Page, drafter: Drafter, language: str, request: DraftRequest) -> Iterator[Said]:
    """Where two pages disagree on what the draft says: both, the newer one first."""
    articles = [one for one in request.evidence if one.kind == "article"]
    own = hosts([one.url for one in articles])
    for found in islice(disagreements(_whole(page, drafter, language, ()), articles), 1):
        both = [(which, _alone(citation)) for which, _, citation in found.in_order()]
        if found.said.kind == "article" and all(_sendable(one, own) for _, one in both):
            for which, one in both:
                words = render("conflict", {"which": which, "language": language if language in LANGUAGES else "en"})
                yield page.add(words, GAP if which in ("newer", "one") else "\n")
                yield page.add(one.text, one.lead, one)


def _alone(citation: Citation) -> Grounded:
    return Grounded(citation.quote, " ", "supported", (citation,))


def _sendable(one: Grounded, own: Collection[str]) -> bool:
    """Whether the sentence can stand by itself: nothing in it harms, and nothing in it is for one platform only."""
    return not (harm(one, own) or PLACEHOLDER.search(one.text) or MARK.search(one.text) or POINTER.search(one.text))


def _held(drafter: Drafter, request: DraftRequest) -> Iterator[Said | Draft]:
    """The frame alone: thanks or regret, and who takes over."""
    page = Page()
    framed = frame(
        request.conversation, request.sentiment, request.language, request.tone, request.handover, request.thanked
    )
    yield from (page.add(line, GAP) for line in (*framed.opening, *framed.closing))
    if page.statements:
        yield _whole(page, drafter, request.language if request.language in LANGUAGES else "en", ())


def _whole(page: Page, drafter: Drafter, language: str, dropped: Sequence[Dropped]) -> Draft:
    return Draft(
        text=page.text, generator=drafter.name, language=language, statements=tuple(page.statements), dropped=tuple(dropped)
    )  # fmt: skip


def _restored(one: Grounded | Dropped, personal: Mapping[str, str], public: bool) -> Grounded | Dropped:
    """With the customer's own data back in place; a placeholder that is not of this message is somebody else's."""
    if public and isinstance(one, Grounded) and PLACEHOLDER.search(one.text):
        return Dropped(text=one.text, reason="account details do not belong in a reply that everybody reads")
    text = PLACEHOLDER.sub(lambda found: personal.get(found[0], found[0]), one.text)
    if isinstance(one, Grounded) and PLACEHOLDER.search(text):
        return Dropped(text=one.text, reason="it has a placeholder of another conversation")
    return replace(one, text=text)


def _lead(grounded: Grounded, request: DraftRequest) -> str:
    """On the phone each statement is a point of its own."""
    return "\n" if request.conversation.channel == "phone" else grounded.lead or GAP


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
        """Put the words at the end, behind their lead: none at the very start, and no space behind a stop that is as wide as one."""
        lead = "" if not self.text or (lead == " " and self.text.endswith(tuple(SENTENCE_MARKS))) else lead
        start = len(self.text) + len(lead)
        self.text += lead + words
        support, citations = (grounded.support, grounded.citations) if grounded else ("no_claim", ())
        made = Statement(start=start, end=len(self.text), support=support, citations=citations)
        self.statements.append(made)
        return said(made, words, lead)


def _language(first: Grounded, request: DraftRequest) -> str:
    if request.rewrite and request.rewrite.task == "translate":
        return request.language
    quoted = [c for c in first.citations if c.quote == first.text]
    sources = [e.language for e in request.evidence if quoted and e.document_id == quoted[0].document_id]
    unnamed = "en" if latin(first.text) else request.language
    return sources[0] or unnamed if sources else request.language


BUDGET: dict[Channel, tuple[int, int]] = {
    "email": (14, 1_500), "form": (14, 1_500), "chat": (3, 500), "phone": (6, 800), "social": (3, 400),
}  # fmt: skip
"""Statements and characters of the body that suit a channel."""
