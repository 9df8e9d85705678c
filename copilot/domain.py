"""Every noun of the product, defined once: frozen dataclasses of the standard library, used by the core, HTTP, SQL and evaluation alike.

Offsets count Unicode code points: a citation's into its revision's text, a reason's into the message as received, a statement's into the draft.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Author = Literal["customer", "agent", "bot", "system"]
Visibility = Literal["public", "private"]
Channel = Literal["email", "chat", "phone", "social", "form"]
Kind = Literal["article", "ticket", "macro"]
Use = Literal["answers", "ranking"]
"""What a document may do: be quoted, searched and shown, or only inform the ranking of others (an unsolved ticket's question)."""
Support = Literal["supported", "partial", "no_claim", "withdrawn"]
Status = Literal["drafted", "extractive", "abstained", "blocked"]
Level = Literal["high", "medium", "low"]
Trend = Literal["worsening", "steady", "improving"]
Verdict = Literal["accepted", "edited", "rejected"]
Role = Literal["agent", "knowledge_manager", "evaluator", "admin"]

PUBLIC, INTERNAL = "public", "internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    author: Author = "customer"
    text: str
    visibility: Visibility = "public"
    at: datetime | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who writes; every field may be unknown."""

    id: str | None = None
    name: str | None = None
    locale: str | None = None
    tier: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A customer's thread as the help desk shows it, oldest message first."""

    messages: tuple[Message, ...]
    id: str | None = None
    channel: Channel = "email"
    subject: str = ""
    customer: Customer = Customer()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A source text's identity and metadata; its words live in revisions."""

    id: str
    kind: Kind
    title: str
    url: str | None = None
    audience: str = PUBLIC
    language: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    resolved_at: datetime | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    products: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    solution_by: Author | None = None

    @property
    def known_since(self) -> datetime | None:
        """The time from which this counts as evidence: a ticket from its last used turn, an undated article always (None)."""
        return self.resolved_at or self.created_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An agent's public reply sent this article to a customer with this question: what ranking learns from."""

    document_id: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A document as ingest read it, final and redacted: of a ticket problem and, from `answer_start`, resolution; of a `ranking` one the question."""

    document: Document
    text: str
    use: Use = "answers"
    answer_start: int = 0
    links: tuple[Link, ...] = ()
    customers: tuple[str, ...] = ()  # ids of whoever asked
    note: str = ""  # what whoever ingests it should know, though it was read


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A passage of a revision: `revision.text[start:end] == text`, always. `embedded` is what the model reads (title and headings in front)."""

    start: int
    end: int
    text: str
    headings: tuple[str, ...]
    embedded: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A chunk found for a query, with its fused score and its scores by arm."""

    start: int
    end: int
    text: str
    headings: tuple[str, ...]
    score: float
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A document found for a query, its passages best first."""

    document_id: str
    kind: Kind
    title: str
    url: str | None
    audience: str
    revision: int
    score: float
    scores: dict[str, float]
    passages: tuple[Passage, ...]
    language: str | None = None
    resolved_at: datetime | None = None
    solution_by: Author | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A stretch of a revision to rest on; `score` is its document's cosine, `rank` its fused score, `near` that of the passage at `focus`;
    `date` is the day of its last change, `fit` how well it answers its message, `within` marks of variants around its begin, `cut` the places in it
    of those that end behind it, `words` content words."""

    document_id: str
    revision: int
    start: int
    end: int
    text: str
    title: str
    url: str | None
    kind: Kind
    headings: tuple[str, ...] = ()
    score: float = 0.0
    language: str | None = None
    rank: float = 0.0
    near: float = 0.0
    focus: tuple[int, int] | None = None
    solution_by: Author | None = None
    date: str = ""
    fit: float = 0.0
    within: tuple[str, ...] = ()
    cut: tuple[int, ...] = ()
    words: frozenset[str] = field(default=frozenset(), compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """The exact words that a statement rests on: `quote == revision.text[start:end]`."""

    document_id: str
    revision: int
    start: int
    end: int
    quote: str
    title: str
    url: str | None
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A stretch of the draft and what it rests on; `no_claim` is greeting, empathy or closing."""

    start: int
    end: int
    support: Support
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Text that a generator wrote and grounding refused."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A reply that may be sent as it stands, every claiming stretch of it cited."""

    text: str
    generator: str
    language: str
    statements: tuple[Statement, ...]
    dropped: tuple[Dropped, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """A label that was nearly chosen."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a person should step in, or a tag was given, with the words of message number `message` that say so (empty where no words do)."""

    code: str
    message: int
    start: int
    end: int
    quote: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A label with a calibrated confidence (0 to 1) and its cut into high, medium, low."""

    label: str
    confidence: float
    level: Level
    alternatives: tuple[Alternative, ...] = ()
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentiment:
    """The customer's mood in the latest message and where it is heading over the customer's turns."""

    label: str
    confidence: float
    level: Level
    trend: Trend
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A fact named in a message: an order number, an amount, a version. `message` is its index in the conversation."""

    type: str
    text: str
    message: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Triage:
    """What the customer wants (`intents`, where it is several things), how they feel, how soon; `attention`: whether a person is needed;
    `reads_like`: the critical codes that the message is like, with the chance as weight."""

    intent: Tag
    sentiment: Sentiment
    language: Tag
    urgency: Tag
    entities: tuple[Entity, ...] = ()
    attention: Reason | None = None
    intents: tuple[Tag, ...] = ()
    reads_like: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """Whether a person should step in, who, and why; `score` is 0 to 1."""

    recommended: bool
    level: str | None
    team: str | None
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """A document that came near without answering."""

    document_id: str
    title: str
    url: str | None
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention:
    """Why there is no answer, what was found nearest, and which facts to ask the customer for."""

    reason: str
    nearest: tuple[Nearest, ...]
    missing_facts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarTicket:
    """A solved ticket whose problem is like this one, with its outcome: the resolution as stored (redacted), when and by whom."""

    document_id: str
    title: str
    url: str | None
    score: float
    resolution: str
    resolved_at: datetime | None
    solution_by: Author | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """A note to the agent that is never part of the reply: what an internal document says, with its citation."""

    text: str
    citation: Citation


@dataclass(frozen=True, slots=True, kw_only=True)
class Macro:
    """A canned reply that fits."""

    document_id: str
    title: str
    text: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What made a suggestion, to make it again; `trained` is what was learned ("ranking 3"), `instead_of` whose drafts were passed over."""

    index_revision: str
    prompt_version: str
    model: str | None
    settings: str
    as_of: datetime
    trained: tuple[str, ...] = ()
    instead_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the caller wants of one suggestion: evidence from before a time only, a tone, how many passages, other sources than these drafts'."""

    before: datetime | None = None
    tone: str | None = None
    limit: int = 6
    instead_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What the agent sees for one conversation."""

    id: str
    conversation_id: str
    status: Status
    created_at: datetime
    draft: Draft | None
    triage: Triage
    escalation: Escalation
    abstention: Abstention | None
    similar_tickets: tuple[SimilarTicket, ...]
    passages: tuple[Hit, ...]
    guidance: tuple[Guidance, ...]
    macros: tuple[Macro, ...]
    provenance: Provenance
    timings_ms: dict[str, float]
    superseded_by: str | None = None
    answerability: float | None = None
    team: Tag | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who is asking. Staff see internal documents and those of their teams."""

    id: str
    workspace: str
    roles: frozenset[Role]
    teams: frozenset[str] = frozenset()
