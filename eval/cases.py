"""Cases: what evaluators ask the copilot, and what they know of the right answer. Every gold field is optional.

Two layouts are read: JSONL with one case a line, and BEIR's folder of corpus, queries and qrels.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from copilot.domain import Channel, Conversation, Customer, Message
from copilot.errors import InputError
from ingest.tickets import moment

_CONVERSATION_ID = re.compile(r"[A-Za-z0-9._:@+-]{1,128}")
Mood = Literal["very_negative", "negative", "neutral", "positive", "very_positive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of a document that answers the case: by offsets into its text, or by its exact words."""

    document_id: str
    start: int | None = None
    end: int | None = None
    quote: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One incoming conversation with whatever is known of the right answer; None means that nobody labelled it."""

    id: str
    conversation: Conversation
    created: datetime | None = None
    workspace: str | None = None
    locale: str | None = None
    gold_docs: tuple[str, ...] | None = None
    gold_tickets: tuple[str, ...] | None = None
    gold_spans: tuple[Span, ...] | None = None
    grades: Mapping[str, int] = field(default_factory=dict)
    """Document id -> graded relevance, where the set has more than right and wrong (BEIR's qrels)."""
    answerable: bool | None = None
    reference_reply: str | None = None
    intent: str | None = None
    sentiment: str | None = None
    urgency: str | None = None
    urgent: bool | None = None
    escalate: bool | None = None
    escalate_reason: str | None = None
    slices: Mapping[str, str] = field(default_factory=dict)
    """Name -> value of each slice that this case belongs to, such as channel: chat."""

    @property
    def text(self) -> str:
        """Subject and the customer's words, as a reader would quote the case."""
        words = [message.text for message in self.conversation.messages if message.author == "customer"]
        return "\n\n".join([self.conversation.subject, *words]).strip()

    @property
    def answers(self) -> frozenset[str]:
        """Every document that is known to answer the case."""
        spans = (span.document_id for span in self.gold_spans or ())
        return frozenset((*(self.gold_docs or ()), *(self.gold_tickets or ()), *spans))

    @property
    def expects_answer(self) -> bool | None:
        """Whether a draft is right, an abstention wrong; None where nobody knows."""
        return self.answerable if self.answerable is not None else (True if self.answers else None)


# ---- JSONL ----


def load_jsonl(path: Path, *, similar: bool = False) -> list[Case]:
    """One case a line, in the file's order; `similar` asks only for the solved tickets that each names as like it.

    Raises InputError with the line and what is wrong there.
    """
    cases = [_case(line, f"{path.name}, line {number}", similar) for number, line in _lines(path) if line.strip()]
    refuse_doubles(cases, path.name)
    return cases


def graded(cases: Sequence[Case], path: Path) -> list[Case]:
    """Of these cases those that were read, asked for the solved tickets that help with them: grade 1 (partly) or 2 (the same problem).

    The file has one JSON object a line: `id` of the case, `grades` by ticket, from 0 to 2. Raises InputError with the line and what is wrong there.
    """
    useful: dict[str, tuple[str, ...]] = {}
    for number, line in _lines(path):
        try:
            row = _GradesRow.model_validate_json(line)
        except ValidationError as error:
            raise InputError(
                f"{path.name}, line {number}: {_wrong(error)}. See docs/evaluation.md for the format."
            ) from error
        useful[row.id] = tuple(sorted(ticket for ticket, grade in row.grades.items() if grade))
    read = (case for case in cases if case.id in useful)
    return [replace(case, gold_docs=None, gold_tickets=useful[case.id] or None) for case in read]


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8-sig") as file:  # some systems write a byte order mark
            yield from enumerate(file, 1)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The cases in {path} cannot be read: {error}. Give a JSONL file in UTF-8.") from error


def _case(line: str, where: str, similar: bool) -> Case:
    try:
        case = (row := _Row.model_validate_json(line)).case()
        return replace(case, gold_docs=None, gold_tickets=row.similar_tickets or None) if similar else case
    except ValidationError as error:
        raise InputError(f"{where}: {_wrong(error)}. See docs/evaluation.md for the format.") from error


def _wrong(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the line'}: {one['msg']}" for one in error.errors()[:3])


def refuse_doubles(cases: Sequence[Case], where: str) -> None:
    """Raises InputError where two cases have one id: each metric keeps one row for an id, so one of the two would not be counted."""
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            raise InputError(f"{where}: the id {case.id!r} stands there twice. Give every case an id of its own.")
        seen.add(case.id)


class _GradesRow(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1)
    grades: dict[str, Annotated[int, Field(ge=0, le=2)]]


class _SpanRow(BaseModel):
    document_id: str = Field(validation_alias=AliasChoices("document_id", "doc_id"))
    start: int | None = Field(None, ge=0)
    end: int | None = None
    quote: str | None = None

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError("a span ends after it starts")
        return self


class _CustomerRow(BaseModel):
    id: str | None = None
    name: str | None = None
    locale: str | None = None
    tier: str | None = None


class _ConversationRow(BaseModel):
    subject: str = ""
    channel: Channel | None = None
    customer: _CustomerRow | None = None
    messages: tuple[Message, ...] = ()


class _Row(BaseModel):
    """A line as written. Other fields are ignored: sets carry many."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    # trec_eval reads an id up to its first NUL
    id: str = Field(validation_alias=AliasChoices("id", "ticket_id", "_id"), min_length=1, pattern=r"^[^\x00]*$")
    subject: str | None = None
    message: str | None = None
    messages: tuple[Message, ...] | None = None
    conversation: _ConversationRow | None = None
    created: datetime | None = None
    workspace: str | None = None
    channel: Channel | None = None
    locale: str | None = None
    customer: _CustomerRow | None = None
    gold_docs: tuple[str, ...] | None = Field(None, validation_alias=AliasChoices("gold_docs", "cited_docs"))
    gold_tickets: tuple[str, ...] | None = None
    similar_tickets: tuple[str, ...] | None = None
    gold_spans: tuple[_SpanRow, ...] | None = None
    answerable: bool | None = None
    reference_reply: str | None = None
    intent: str | None = None
    sentiment: Mood | None = None
    urgency: Literal["low", "normal", "high"] | None = None
    urgent: bool | None = None
    escalate: bool | None = None
    escalate_reason: str | None = None
    slices: dict[str, str] = {}

    @field_validator("created", mode="before")
    @classmethod
    def _moment(cls, value: object) -> object:
        return moment(value)

    @field_validator("customer", mode="before")
    @classmethod
    def _person(cls, value: object) -> object:
        """A help desk's id, or an object."""
        return {"id": value} if isinstance(value, str) else value

    def case(self) -> Case:
        """As the harness has it. An empty list of gold documents says that nobody labelled them."""
        conversation = self._conversation()
        locale = self.locale or conversation.customer.locale
        return Case(
            id=self.id, conversation=conversation, created=self.created, workspace=self.workspace, locale=locale,
            gold_docs=self.gold_docs or None, gold_tickets=self.gold_tickets or None,
            gold_spans=tuple(Span(**span.model_dump()) for span in self.gold_spans or ()) or None,
            answerable=self.answerable, reference_reply=self.reference_reply, intent=self.intent, sentiment=self.sentiment,
            urgency=self.urgency, urgent=self.urgent, escalate=self.escalate, escalate_reason=self.escalate_reason,
            slices={"channel": conversation.channel, **({"locale": locale} if locale else {}), **self.slices},
        )  # fmt: skip

    def _conversation(self) -> Conversation:
        given = self.conversation or _ConversationRow()
        customer = self.customer or given.customer or _CustomerRow()
        messages = self.messages or given.messages or (Message(text=self.message or ""),)
        return Conversation(
            id=_conversation_id(self.id), subject=self.subject if self.subject is not None else given.subject,
            channel=self.channel or given.channel or "form", messages=messages, customer=Customer(**customer.model_dump()),
        )  # fmt: skip


def _conversation_id(id: str) -> str:
    """The case's id where a help desk's conversation may be called so, else a name of its own."""
    named = f"case-{id}"
    return named if _CONVERSATION_ID.fullmatch(named) else f"case-{hashlib.sha256(id.encode()).hexdigest()[:32]}"


# ---- BEIR ----


def load_beir(folder: Path, split: str = "test") -> list[Case]:
    """The queries that the split's qrels judge, with their graded documents. Raises InputError."""
    judged = _qrels(folder / "qrels" / f"{split}.tsv")
    texts = {str(row["_id"]): str(row["text"]) for row in _objects(folder / "queries.jsonl", ("_id", "text"))}
    if missing := judged.keys() - texts.keys():
        raise InputError(f"{folder}: qrels judge the query {min(missing)!r}, and queries.jsonl does not have it.")
    return [_beir_case(id, texts[id], grades) for id, grades in judged.items()]


def beir_corpus(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Id, title and text of each document of a BEIR folder; many sets have some that are a title alone, or nothing: those are left out."""
    for row in _objects(folder / "corpus.jsonl", ("_id", "text")):
        title = str(row.get("title") or "").strip()
        text = str(row["text"] or "").strip() or title
        if text:
            yield str(row["_id"]), title or str(row["_id"]), text


def _beir_case(id: str, text: str, grades: Mapping[str, int]) -> Case:
    relevant = tuple(sorted(document for document, grade in grades.items() if grade > 0))
    conversation = Conversation(id=_conversation_id(id), channel="form", messages=(Message(text=text),))
    return Case(id=id, conversation=conversation, gold_docs=relevant or None, grades=grades, slices={"channel": "form"})


def _qrels(path: Path) -> dict[str, dict[str, int]]:
    judged: dict[str, dict[str, int]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for query, document, grade, *_ in [row for row in csv.reader(file, delimiter="\t") if row][1:]:
                judged.setdefault(query, {})[document] = int(grade)
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path} is no table of query-id, corpus-id and score: {error}") from error
    return judged


def _objects(path: Path, needed: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for number, line in _lines(path):
        try:
            row = json.loads(line)
            if missing := [name for name in needed if name not in row]:
                raise ValueError(f"without {missing[0]}")
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{path.name}, line {number}: {error}. BEIR's layout has one JSON object a line."
            ) from error
        yield row
