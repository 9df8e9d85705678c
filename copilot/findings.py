"""What retrieval gives a suggestion, and what of it is told beside the draft: why there is none, notes for the agent, macros."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from copilot.answerable import Answerability, answerability
from copilot.disagree import disagreements
from copilot.domain import PUBLIC, Abstention, Citation, Draft, Evidence, Guidance, Hit, Macro, Nearest, Triage
from copilot.familiar import Familiar
from copilot.query import missing_facts
from prompts import render

MACRO_FROM = 0.45
GUIDANCE_FROM = 0.40
NEAREST = 3
DISAGREEMENTS = 2
READ = 6
NAME_CHARS = 40


@dataclass(frozen=True, slots=True)
class Findings:
    """What retrieval gives a suggestion: documents by their part in it, and what a draft may rest on."""

    articles: tuple[Hit, ...]
    tickets: tuple[Hit, ...]
    macros: tuple[Hit, ...]
    texts: dict[tuple[str, int], tuple[str, int]]
    evidence: tuple[Evidence, ...]
    solved: int
    familiar: Familiar
    passed_over: bool = False
    """Whether some of the evidence is left out, since what was drafted from it is not what the agent wants."""

    def answers(self, message: str) -> Answerability:
        """How likely it is that what a draft may rest on answers the message."""
        public = [hit for hit in self.articles if hit.audience == PUBLIC]
        tickets = [hit for hit in self.tickets if hit.audience == PUBLIC]
        words = [self.texts[hit.document_id, hit.revision][0] for hit in (*public[:READ], *tickets)]
        return answerability(message, public, tickets, words, self.solved, self.familiar)

    def elsewhere(self, cited: Collection[Citation]) -> Findings:
        """The same without the evidence that holds these words: each section, each solved ticket is one answer, and another is wanted."""
        kept = tuple(
            one
            for one in self.evidence
            if not any(
                one.document_id == said.document_id and said.start < one.end and said.end > one.start for said in cited
            )
        )
        return replace(self, evidence=kept, passed_over=True)


def abstention(findings: Findings, triage: Triage, answers: Answerability, weak: bool) -> Abstention:
    """Why nothing is drafted, the sources that come nearest, and what to ask for."""
    reason = "the nearest sources say nothing that can be quoted"
    if weak:
        reason = "no source comes near enough to the message"
    elif findings.passed_over:
        reason = "no other source says anything that can be quoted"
    strange = _of_the_company(answers.strange, triage)
    if weak and strange:
        reason += f", and none mentions {', '.join(strange[:NEAREST])}"
    hits = sorted((*findings.articles, *findings.tickets), key=lambda hit: (-hit.scores["dense"], hit.document_id))
    nearest = tuple(
        Nearest(document_id=hit.document_id, title=hit.title, url=hit.url, score=hit.scores["dense"])
        for hit in hits[:NEAREST]
    )
    told = [text for text, _ in findings.texts.values()]
    return Abstention(reason=reason, nearest=nearest, missing_facts=missing_facts(triage, told))


def _of_the_company(names: Sequence[str], triage: Triage) -> list[str]:
    """The names that a source could mention: no order numbers, which are one customer's own, and nothing too long to be a name."""
    orders = {entity.text.casefold() for entity in triage.entities if entity.type == "order"}
    return [name for name in names if name.casefold() not in orders and len(name) <= NAME_CHARS]


def differences(draft: Draft | None, findings: Findings) -> Iterator[Guidance]:
    """A pair of notes for each matter on which cited sources disagree, the newer source first."""
    for one in islice(disagreements(draft, findings.evidence), DISAGREEMENTS) if draft else ():
        for which, date, citation in one.in_order():
            inputs = {"which": which, "date": date, "title": citation.title}
            yield Guidance(text=f"{render('differs', inputs)} {citation.quote}", citation=citation)


def guidance(findings: Findings) -> tuple[Guidance, ...]:
    """What the best internal document says, for the agent's eyes."""
    internal = [hit for hit in findings.articles if hit.audience != PUBLIC and hit.scores["dense"] >= GUIDANCE_FROM]
    return tuple(Guidance(text=hit.passages[0].text, citation=_whole_passage(hit)) for hit in internal[:1])


def _whole_passage(hit: Hit) -> Citation:
    passage = hit.passages[0]
    return Citation(
        document_id=hit.document_id, revision=hit.revision, start=passage.start, end=passage.end, quote=passage.text,
        title=hit.title, url=hit.url, kind=hit.kind,
    )  # fmt: skip


def macros(findings: Findings) -> tuple[Macro, ...]:
    """The macros near enough to be recommended, with their words."""
    near = [hit for hit in findings.macros if hit.scores["dense"] >= MACRO_FROM]
    return tuple(
        Macro(
            document_id=hit.document_id,
            title=hit.title,
            text=findings.texts[hit.document_id, hit.revision][0],
            score=hit.score,
        )
        for hit in near
    )
