"""Small cases and answers for the tests of the metrics: say only what the test is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from copilot.domain import (
    Abstention,
    Alternative,
    Citation,
    Conversation,
    Draft,
    Escalation,
    Hit,
    Message,
    Nearest,
    Passage,
    Provenance,
    Reason,
    Sentiment,
    SimilarTicket,
    Statement,
    Suggestion,
    Support,
    Tag,
    Triage,
)
from eval.cases import Case
from eval.metrics import Metric, Outcome

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Texts = Mapping[tuple[str, int], str]


def case(id: str = "c1", **known: Any) -> Case:
    return Case(id=id, conversation=Conversation(messages=(Message(text="Help!"),)), **known)


def tag(label: str = "billing", confidence: float = 0.9, **others: float) -> Tag:
    alternatives = tuple(Alternative(label=name, confidence=value) for name, value in others.items())
    return Tag(label=label, confidence=confidence, level="high", alternatives=alternatives)


def triage(intent: Tag | None = None, mood: tuple[str, float] = ("neutral", 0.8), urgency: Tag | None = None) -> Triage:
    return Triage(
        intent=intent or tag(), sentiment=Sentiment(label=mood[0], confidence=mood[1], level="high", trend="steady"),
        language=tag("en"), urgency=urgency or tag("normal"),
    )  # fmt: skip


def hint(recommended: bool = False, score: float = 0.0, codes: Sequence[str] = ()) -> Escalation:
    reasons = tuple(Reason(code=code, message=0, start=0, end=0, quote="", weight=0.5) for code in codes)
    return Escalation(recommended=recommended, level=None, team=None, score=score, reasons=reasons)


def cite(document: str, start: int, end: int, texts: Texts, quote: str | None = None) -> Citation:
    words = texts.get((document, 1), "")[start:end] if quote is None else quote
    return Citation(
        document_id=document, revision=1, start=start, end=end, quote=words, title=document, url=None, kind="article"
    )


def whole(document: str, texts: Texts) -> Citation:
    return cite(document, 0, len(texts[document, 1]), texts)


def draft(
    *said: tuple[str, Sequence[Citation]], opening: str = "", generator: str = "model", support: Support = "supported"
) -> Draft:
    """A draft of a greeting and statements with their citations."""
    text, statements = opening, [Statement(start=0, end=len(opening), support="no_claim")] if opening else []
    for words, citations in said:
        text += ("\n\n" if text else "") + words
        statements.append(
            Statement(start=len(text) - len(words), end=len(text), support=support, citations=tuple(citations))
        )
    return Draft(text=text, generator=generator, language="en", statements=tuple(statements))


def hit(document: str, text: str, dense: float = 0.5) -> Hit:
    passage = Passage(start=0, end=len(text), text=text, headings=(), score=dense)
    return Hit(
        document_id=document, kind="article", title=document, url=None, audience="public", revision=1, score=0.99,
        scores={"dense": dense}, passages=(passage,),
    )  # fmt: skip


def ticket(document: str, resolution: str) -> SimilarTicket:
    return SimilarTicket(
        document_id=document, title=document, url=None, score=0.99, resolution=resolution, resolved_at=None
    )


def suggestion(
    draft: Draft | None = None, *, triage_: Triage | None = None, escalation: Escalation | None = None,
    passages: Sequence[Hit] = (), tickets: Sequence[SimilarTicket] = (), nearest: Sequence[tuple[str, float]] = (),
) -> Suggestion:  # fmt: skip
    near = tuple(Nearest(document_id=id, title=id, url=None, score=score) for id, score in nearest)
    return Suggestion(
        id="s", conversation_id="c", status="drafted" if draft else "abstained", created_at=NOW, draft=draft,
        triage=triage_ or triage(), escalation=escalation or hint(),
        abstention=None if draft else Abstention(reason="weak", nearest=near, missing_facts=()),
        similar_tickets=tuple(tickets), passages=tuple(passages), guidance=(), macros=(), timings_ms={},
        provenance=Provenance(index_revision="1", prompt_version="1", model=None, settings="x", as_of=NOW),
    )  # fmt: skip


def outcome(
    case_: Case | None = None,
    said: Suggestion | None = None,
    ranked: Mapping[str, Sequence[str]] | None = None,
    texts: Texts | None = None,
) -> Outcome:
    found = {kind: tuple(ids) for kind, ids in (ranked or {}).items()}
    return Outcome(case=case_ or case(), suggestion=said or suggestion(), ranked=found, texts=texts or {})


def by_name(metrics: Sequence[Metric]) -> dict[str, Metric]:
    names = {metric.name: metric for metric in metrics}
    assert len(names) == len(metrics)
    assert all(metric.about.endswith(".") for metric in metrics)
    return names


def rows(metrics: Sequence[Metric], id: str = "c1") -> dict[str, Any]:
    """Metric name -> the row of one case."""
    return {metric.name: metric.rows[id] for metric in metrics if id in metric.rows}
