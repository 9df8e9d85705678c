"""What insights are: one frozen shape a kind, each with the exact words that show it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, TypeVar

from copilot.domain import Citation, Kind, Nearest

InsightKind = Literal["gaps", "duplicates", "contradictions", "stale", "unused"]
KINDS: tuple[InsightKind, ...] = ("gaps", "duplicates", "contradictions", "stale", "unused")
Difference = Literal["number", "date", "version", "step", "negation"]
StaleCode = Literal["past_validity", "edited_away", "old_and_cited"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A document without its words."""

    document_id: str
    revision: int
    kind: Kind
    title: str
    url: str | None
    audience: str
    changed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A customer's words with personal data as placeholders: `quote` is `[start:end]` of the message so redacted."""

    suggestion_id: str
    conversation_id: str
    message: int
    start: int
    end: int
    quote: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A matter that customers asked about and that no answer was found for."""

    id: str
    size: int
    title: str
    terms: tuple[str, ...]
    first_at: datetime
    last_at: datetime
    examples: tuple[Example, ...]
    nearest: tuple[Nearest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairOfPassages:
    """What two documents both say, each in its own words."""

    first: Citation
    second: Citation
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """Two documents that say the same; `second` is the one that changed later."""

    id: str
    score: float
    overlap: float
    first: Named
    second: Named
    evidence: tuple[PairOfPassages, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Exact words of a revision: `quote` is its text's `[start:end]`."""

    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """In what the two differ; the side that lacks the words has None."""

    what: Difference
    article: Words | None
    against: Words | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The two sentences that cannot both be right."""

    article: Citation
    against: Citation


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """An article against a newer ticket or article on the same matter."""

    id: str
    score: float
    what: Difference
    article: Named
    against: Named
    evidence: Sides
    differs: tuple[Differing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleReason:
    """Why a document should be looked at again."""

    code: StaleCode
    detail: str
    since: datetime | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """A document that should be looked at again, with the words that say so."""

    id: str
    score: float
    document: Named
    reasons: tuple[StaleReason, ...]
    evidence: tuple[Citation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """A document that no suggestion has ever used, and how many were made since it came into force."""

    id: str
    document: Named
    since: datetime
    suggestions: int
    evidence: tuple[Citation, ...]


Item = TypeVar("Item", Gap, Duplicate, Contradiction, Stale, Unused)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings(Generic[Item]):
    """All findings of one kind: how many there are, and the first of them."""

    kind: InsightKind
    total: int
    index_revision: str
    as_of: datetime
    items: tuple[Item, ...]


def name(letter: str, *of: str) -> str:
    """A short id that stays the same as long as what it is made of does."""
    return f"{letter}-{hashlib.sha256(chr(0).join(of).encode()).hexdigest()[:12]}"
