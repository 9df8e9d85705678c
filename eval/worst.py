"""Which cases are worst and why, in words that a newcomer understands.

Badness is the gravest fault and a tenth of the others: a reply that would mislead a customer stands above one that merely says nothing,
and both above a wrong label. Up to 3 more tell equal ones apart: a long draft on weak evidence, silence on strong evidence.

    100      a citation that does not quote its source: a broken promise
     90      an answer where the documents hold none
    35–88   another customer's own words passed on as ours, by their share of the draft
     80      a draft, but none of the right documents was found
     70      a draft that cites none of the right documents, though one was found
     60      no draft, though the case has an answer
     55, 45  as 80 and 70, but the draft rests on solved tickets alone, and nobody labelled which tickets answer
     50 × s  s: the share of the draft's statements that their sources do not bear out
     20–35   other faults of the words alone: see eval.wording
    25      an escalation that was missed
    20      a reply that only says who takes over, though a document answers or nobody needed to
     15      some of the right documents left out
     10 × d  d: the draft's distance from the reference reply (1 - token F1), where they share next to nothing
      6      a needless escalation, a wrong intent
      3      a wrong mood, a wrong urgency

Labels that evaluators left open are no fault: nobody knows the right answer. Nor is an intent that the taxonomy does not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol

from pydantic import TypeAdapter

from copilot.domain import Citation, Suggestion
from eval.abstention import confidence
from eval.cases import Case
from eval.metrics import Outcome
from eval.record import CaseRecord, Run
from eval.triage import unknown_labels
from eval.wording import flaws

Blame = Literal["retrieval", "drafting", "noise", "triage"]
GRAVE = 40.0
"""A fault this bad or worse is grave: the customer is misled, or left without an answer that there is."""
SHOWN = 5
"""A right document further down was as good as not found: drafts hardly look there."""
NUANCE = 3.0
LONG_DRAFT = 100
NEVER = "1970-01-01T00:00:00Z"
UNLIKE = 0.15
"""A token F1 below this is next to nothing in common with the reference reply."""
LABELS = {"intent": ("wrong intent", 6.0), "sentiment": ("wrong mood", 3.0), "urgency": ("wrong urgency", 3.0)}


class Named(Protocol):
    """Whatever shows a document with its title."""

    @property
    def document_id(self) -> str:
        """The document's id."""

    @property
    def title(self) -> str:
        """The document's title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with a case: its kind, how bad it is, a plain sentence, and the part of the product to look at."""

    kind: str
    badness: float
    why: str
    blame: Blame


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A case as it was asked and answered, with what is wrong about it, gravest first."""

    record: CaseRecord
    case: Case
    suggestion: Suggestion
    titles: Mapping[str, str]
    """Document id -> its title, as far as the run names it."""
    unknown_intent: bool = False
    """Whether its labelled intent is none that the taxonomy has."""
    faults: tuple[Fault, ...] = ()

    @property
    def badness(self) -> float:
        """How bad the case is altogether; 0 is nothing to complain of."""
        gravest, *others = [fault.badness for fault in self.faults] or [0.0]
        return gravest + sum(others) / 10 + (NUANCE * self.weight if self.faults else 0)

    @property
    def weight(self) -> float:
        """From 0 to 1: how much a draft says on how weak evidence, or on how strong evidence it says nothing."""
        draft, sure = self.suggestion.draft, min(1.0, max(0.0, confidence(self.suggestion)))
        if draft is None:
            return sure
        length = sum(len(draft.text[one.start : one.end].split()) for one in draft.statements if one.citations)
        return (length / (length + LONG_DRAFT) + 1 - sure) / 2

    @property
    def grave(self) -> bool:
        """Whether the customer is misled, or left without an answer that there is."""
        return bool(self.faults) and self.faults[0].badness >= GRAVE

    @property
    def judged(self) -> bool:
        """Whether anything is known to hold the reply against: right documents, a reference, or that there is no answer."""
        return bool(self.gold or self.case.reference_reply) or self.case.answerable is False

    @property
    def verdict(self) -> str:
        """The gravest fault's sentence."""
        return self.faults[0].why if self.faults else "Nothing is known to be wrong."

    @cached_property
    def citations(self) -> tuple[Citation, ...]:
        """All citations of the draft, in its order."""
        draft = self.suggestion.draft
        return tuple(one for statement in (draft.statements if draft else ()) for one in statement.citations)

    @cached_property
    def gold(self) -> tuple[str, ...]:
        """The ids of the documents that answer the case; empty where nobody labelled them."""
        return tuple(sorted(self.case.answers))

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Document id -> its place in what was found, 1 is best."""
        places: dict[str, int] = {}
        for ids in self.record.ranked.values():
            for place, document_id in enumerate(ids, 1):
                places[document_id] = min(place, places.get(document_id, place))
        return places

    def right(self, citation: Citation) -> bool | None:
        """Whether it is of a right document; None where nobody labelled documents, or only articles and this is a ticket."""
        if citation.document_id in self.gold:
            return True
        return None if not self.gold or (citation.kind == "ticket" and not self.case.gold_tickets) else False

    def name(self, document_id: str) -> str:
        """The document's title in quotation marks, its id where no title is known."""
        title = self.titles.get(document_id)
        return f"“{title}”" if title else document_id


def findings(run: Run) -> tuple[Finding, ...]:
    """Every case with what is wrong about it, worst first; equally bad ones in the order of their ids."""
    outcomes = _outcomes(run)
    titles = {id: title for outcome in outcomes for id, title in _titles(outcome.suggestion)}
    unknown = frozenset(unknown_labels(outcomes))
    read = [_judged(record, one, titles, unknown) for record, one in zip(run.records, outcomes, strict=True)]
    return tuple(sorted(read, key=lambda one: (-one.badness, one.record.id)))


def worst(run: Run) -> tuple[Finding, ...]:
    """The cases with faults, worst first."""
    return tuple(one for one in findings(run) if one.faults)


def find(record: CaseRecord) -> Finding:
    """What is wrong with this case."""
    outcome = _outcome(record)
    return _judged(record, outcome, dict(_titles(outcome.suggestion)))


def unknown_intents(run: Run) -> frozenset[str]:
    """The labelled intents that the taxonomy does not have: missing them is no fault of the copilot."""
    return frozenset(unknown_labels(_outcomes(run)))


def _judged(
    record: CaseRecord, outcome: Outcome, titles: Mapping[str, str], unknown: frozenset[str] = frozenset()
) -> Finding:
    case = outcome.case
    read = Finding(
        record=record, case=case, suggestion=outcome.suggestion, titles=titles, unknown_intent=case.intent in unknown
    )
    faults = sorted((*_draft_faults(read), *_triage_faults(read)), key=lambda fault: -fault.badness)
    return replace(read, faults=tuple(faults))


def _outcomes(run: Run) -> list[Outcome]:
    return [_outcome(record) for record in run.records]


def _outcome(record: CaseRecord) -> Outcome:
    return Outcome(case=_CASE.validate_python(record.case), suggestion=_suggestion(record))


def _titles(made: Suggestion) -> Iterator[tuple[str, str]]:
    """Id and title of each document that the suggestion names."""
    near = made.abstention.nearest if made.abstention else ()
    cited = [one for statement in (made.draft.statements if made.draft else ()) for one in statement.citations]
    groups: tuple[Sequence[Named], ...] = (cited, near, made.similar_tickets, made.passages)
    return ((one.document_id, one.title) for group in groups for one in group if one.title)


_CASE = TypeAdapter(Case)
_SUGGESTION = TypeAdapter(Suggestion)


def _suggestion(record: CaseRecord) -> Suggestion:
    """The suggestion; what differs from run to run is not recorded, and filled in with nothing."""
    said, at = record.suggestion, record.case.get("created") or NEVER
    provenance = {"as_of": at, **said["provenance"]}
    volatile: dict[str, object] = {"id": "", "conversation_id": "", "created_at": at, "timings_ms": {}}
    return _SUGGESTION.validate_python({**volatile, **said, "provenance": provenance})


def _draft_faults(read: Finding) -> Iterator[Fault]:
    """What is wrong with the reply, or with there being none."""
    if read.suggestion.draft is None:
        yield from _silent(read)
        return
    yield from _broken(read)
    if read.citations:
        yield from _needless(read)
        yield from _sources(read)
    else:
        yield from _handed_over(read)
    yield from _unsupported(read)
    yield from _unlike(read)
    for flaw in flaws(read.suggestion.draft, read.case.text):
        yield Fault(kind=flaw.kind, badness=flaw.badness, why=flaw.why, blame="drafting")


def _silent(read: Finding) -> Iterator[Fault]:
    if not (read.case.expects_answer or (read.case.expects_answer is None and read.case.reference_reply)):
        return
    found = _found(read)
    if found:
        why, blame = (
            f"It wrote nothing, although {_at(read, found[0])} was found and is labelled as its answer.",
            "drafting",
        )
    elif read.gold:
        why, blame = f"It wrote nothing: {_none_of(read)}.", "retrieval"
    else:
        why, blame = "It wrote nothing, although the case has an answer.", "drafting"
    yield Fault(kind="silent though answerable", badness=60, why=why, blame=blame)  # type: ignore[arg-type]


def _broken(read: Finding) -> Iterator[Fault]:
    shares = [_number(read.record, name) for name in ("citations.exactness", "citations.validity")]
    held = min((share for share in shares if share is not None), default=1.0)
    if held < 1:
        why = f"{_percent(1 - held)} of its citations do not hold: they quote words that their source does not have there, or no source at all."
        yield Fault(kind="broken citation", badness=100, why=why, blame="drafting")


def _needless(read: Finding) -> Iterator[Fault]:
    if read.case.answerable is False:
        foreign = read.case.slices.get("origin") == "foreign"
        asked = (
            "A customer of another company asked this, which no document answers"
            if foreign
            else "No document answers this"
        )
        why = f"{asked}, yet it wrote a reply{_resting(read, ' from ')}."
        yield Fault(kind="answered the unanswerable", badness=90, why=why, blame="noise")


def _handed_over(read: Finding) -> Iterator[Fault]:
    """A reply that claims nothing misleads nobody, and may still be less than the customer needs."""
    if read.gold:
        why = f"It only says who takes over; {_listed(read, list(read.gold))} would have answered."
    elif read.case.answerable is False and read.case.escalate is not True:
        why = "It only says who takes over, where nobody needs to."
    else:
        return
    yield Fault(kind="handed over", badness=20, why=why, blame="drafting")


def _sources(read: Finding) -> Iterator[Fault]:
    """How the draft's citations stand to the right documents."""
    cited = {one.document_id for one in read.citations}
    left_out = [one for one in read.gold if one not in cited]
    if not left_out or read.case.answerable is False:
        return
    found = _found(read)
    if len(left_out) < len(read.gold):
        why = f"It leaves out {_listed(read, left_out)}, which the full answer needs."
        blame: Blame = "drafting" if left_out[0] in read.places else "retrieval"
        yield Fault(kind="part of the answer missing", badness=15, why=why, blame=blame)
    elif found:
        badness, blame = 45 if _unlabelled(read) else 70, "drafting" if read.places[found[0]] <= SHOWN else "retrieval"
        yield Fault(kind="right document not cited", badness=badness, why=_passed_over(read, found[0]), blame=blame)
    else:
        badness, why = (
            55 if _unlabelled(read) else 80,
            _capital(_none_of(read)) + _resting(read, "; the draft rests on "),
        )
        yield Fault(kind="right document not found", badness=badness, why=f"{why}.", blame="retrieval")


def _unsupported(read: Finding) -> Iterator[Fault]:
    faithful = _number(read.record, "claims.faithfulness")
    if faithful is not None and faithful < 1:
        why = f"{_percent(1 - faithful)} of its statements are not borne out by the sources that it was given."
        yield Fault(kind="unsupported", badness=50 * (1 - faithful), why=why, blame="drafting")


def _unlike(read: Finding) -> Iterator[Fault]:
    shared = _number(read.record, "drafts.token_f1")
    if shared is not None and shared < UNLIKE:
        why = f"It has next to nothing in common with the reference reply (token F1 {shared:.2f})."
        yield Fault(kind="unlike the reference", badness=10 * (1 - shared), why=why, blame="drafting")


def _triage_faults(read: Finding) -> Iterator[Fault]:
    """What is wrong with the labels beside the reply."""
    hint = read.suggestion.escalation
    if read.case.escalate is True and not hint.recommended:
        for_what = f" ({words(read.case.escalate_reason)})" if read.case.escalate_reason else ""
        why = f"A person should have been called in{for_what}, and it did not say so."
        yield Fault(kind="escalation missed", badness=25, why=why, blame="triage")
    if read.case.escalate is False and hint.recommended:
        reasons = ", ".join(words(reason.code) for reason in hint.reasons)
        why = f"It called for a person ({reasons or 'no reason given'}) where none was needed."
        yield Fault(kind="needless escalation", badness=6, why=why, blame="triage")
    for name, (kind, badness) in LABELS.items():
        said = labels(read.record, name)
        if said and said[0] != said[1] and not (name == "intent" and read.unknown_intent):
            why = f"It took the {name} for {words(said[0])}; it is {words(said[1])}."
            yield Fault(kind=kind, badness=badness, why=why, blame="triage")


def labels(record: CaseRecord, name: str) -> tuple[str, str] | None:
    """The predicted and the true label of `intent`, `sentiment` or `urgency`, None where the case has no such label."""
    for metric, value in sorted(record.rows.items()):
        if metric.startswith(f"triage.{name}.") and isinstance(value, tuple) and len(value) == 2:
            predicted, true = value
            if isinstance(predicted, str) and isinstance(true, str):
                return predicted, true
    return None


def words(label: str | None) -> str:
    """A label as a person would write it: very_negative -> very negative."""
    return (label or "").replace("_", " ")


def _found(read: Finding) -> list[str]:
    """The right documents that search found, best first."""
    return sorted((one for one in read.gold if one in read.places), key=lambda one: (read.places[one], one))


def _passed_over(read: Finding, found: str) -> str:
    instead = _resting(read, "; the draft rests on ") or "; the draft cites nothing"
    return f"The right document, {_at(read, found)}, was found but not used{instead}."


def _none_of(read: Finding) -> str:
    among = f"was among the {len(read.places)} found" if read.places else "was found; search came back empty"
    return f"none of the right documents ({_listed(read, read.gold)}) {among}"


def _at(read: Finding, document_id: str) -> str:
    return f"{read.name(document_id)} (place {read.places[document_id]})"


def _unlabelled(read: Finding) -> bool:
    """Whether the draft rests on documents alone of which nobody labelled whether they answer."""
    return bool(read.citations) and all(read.right(one) is None for one in read.citations)


def _resting(read: Finding, lead: str) -> str:
    """What the draft rests on; a draft of tickets alone is not called wrong where only articles were labelled."""
    cited = list(dict.fromkeys(one.document_id for one in read.citations))
    aside = ""
    if cited and read.gold and _unlabelled(read):
        one = len(cited) == 1
        aside = f", {'a solved ticket' if one else 'solved tickets'}; whether {'that answers' if one else 'those answer'} is not labelled"
    return f"{lead}{_listed(read, cited)}{aside}" if cited else ""


def _listed(read: Finding, ids: Iterable[str], most: int = 3) -> str:
    named = [read.name(one) for one in ids]
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return ", ".join(named[:most]) + more


def _number(record: CaseRecord, name: str) -> float | None:
    value = record.rows.get(name)
    return None if value is None or isinstance(value, tuple) or value != value else float(value)


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
