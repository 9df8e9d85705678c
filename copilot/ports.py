"""The seams: what an adapter must offer. Each has an offline adapter in the product and contract tests in `tests/test_contracts.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from copilot.domain import Conversation, Evidence, Source

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into unit vectors. Vectors with different fingerprints are never compared."""

    @property
    def fingerprint(self) -> str:
        """Weights, engine and dtype in one string: what made the vectors."""
        ...

    @property
    def dimensions(self) -> int:
        """The length of one vector."""
        ...

    def embed(self, texts: Sequence[str], kind: Literal["query", "document"]) -> Vectors:
        """One L2-normalised float32 row a text, shape (len(texts), dimensions)."""
        ...

    def probed(self, text: str, probe: Callable[[Vectors], Vectors]) -> tuple[Vectors, Vectors]:
        """A question's unit vector, as `embed` gives it, and what the probe makes of the token states of the same pass.

        The states (tokens × dimensions) are those two thirds of the layers up.
        """
        ...

    def count_tokens(self, text: str) -> int:
        """How many tokens of the model's window the text takes."""
        ...


@dataclass(frozen=True, slots=True)
class Shelf:
    """One workspace's chunks of one kind and one side: what a vector collection or lexical field is kept for, so that no filter is needed."""

    workspace: str
    kind: str
    side: Literal["public", "internal", "ranking"]


@dataclass(frozen=True, slots=True)
class LexicalEntry:
    """What the lexical index reads of a chunk."""

    id: str
    title: str
    headings: str
    body: str


class VectorIndex(Protocol):
    """Nearest neighbours by cosine over chunk ids; holds no text."""

    def upsert(self, shelf: Shelf, ids: Sequence[str], vectors: Vectors) -> None:
        """Put the vectors in; durable when it returns."""
        ...

    def delete(self, shelf: Shelf, ids: Sequence[str]) -> None:
        """Take the ids out; unknown ids are no error."""
        ...

    def search(self, shelf: Shelf, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """The nearest ids with their cosine, best first; an unknown shelf is empty."""
        ...

    def ids(self, shelf: Shelf) -> set[str]:
        """Every id on the shelf, for verify."""
        ...

    def vectors(self, shelf: Shelf) -> Iterator[tuple[str, Vectors]]:
        """Every id on the shelf with its vector as it stands there, for verify."""
        ...

    def shelves(self) -> list[Shelf]:
        """Every shelf that holds or held something."""
        ...

    def worn(self) -> bool:
        """Whether what was deleted takes so much room and time that the index is worth making anew."""
        ...

    def twin(self) -> Self:
        """An empty index beside this one, to be filled and then adopted."""
        ...

    def adopt(self, twin: Self) -> None:
        """Answer from the twin from now on, and destroy what stood here before; searches that are under way end well."""
        ...

    def close(self) -> None:
        """Let go of files and memory."""
        ...


class LexicalIndex(Protocol):
    """BM25 over title, headings and body; stores ids and terms only."""

    def upsert(self, shelf: Shelf, entries: Sequence[LexicalEntry]) -> None:
        """Put the entries in; durable when it returns."""
        ...

    def delete(self, shelf: Shelf, ids: Sequence[str]) -> None:
        """Take the ids out; unknown ids are no error."""
        ...

    def search(self, shelf: Shelf, text: str, limit: int) -> list[tuple[str, float]]:
        """The best ids with their BM25 score, best first; any text is a valid query."""
        ...

    def ids(self, shelf: Shelf) -> set[str]:
        """Every id on the shelf, for verify."""
        ...

    def shelves(self) -> list[Shelf]:
        """Every shelf that holds or held something."""
        ...

    def twin(self) -> Self:
        """An empty index beside this one, to be filled and then adopted."""
        ...

    def adopt(self, twin: Self) -> None:
        """Answer from the twin from now on, and destroy what stood here before; searches that are under way end well."""
        ...

    def close(self) -> None:
        """Let go of files and memory."""
        ...


class Reranker(Protocol):
    """Reads question and passage together: dearer than comparing vectors, so only the best are shown to it."""

    @property
    def name(self) -> str:
        """Which model it is."""
        ...

    def score(self, question: str, passages: Sequence[str], seconds: float) -> list[float] | None:
        """How well each passage answers, higher is better; None where that would take longer than it may."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """What is to be done with a reply; `language` is that of a translation, `statements` are what is translated.

    `quoted` is the reply where nobody wrote it: what sources in another language than the customer's say.
    """

    task: Literal["instruct", "translate", "grammar"]
    text: str
    instruction: str = ""
    language: str = ""
    statements: tuple[str, ...] = ()
    quoted: tuple[Proposed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A person takes over for this reason; `only` where that is all that the reply says."""

    reason: str
    only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRequest:
    """Everything that a drafter may use: public passages and redacted resolutions, the redacted message, nothing else.

    `personal` holds what the message's placeholders stand for: it leaves the process never and is put back after grounding.
    """

    conversation: Conversation
    message: str
    evidence: tuple[Evidence, ...]
    language: str
    sentiment: str
    tone: str | None = None
    personal: tuple[tuple[str, str], ...] = ()
    rewrite: Rewrite | None = None
    handover: Handover | None = None
    thanked: bool = False
    """The customer says nothing but thanks: the lines around an answer are the reply."""

    @property
    def frame_only(self) -> bool:
        """Whether nothing is to be told: who takes over does, or there is nothing to answer."""
        return self.thanked or (self.handover is not None and self.handover.only)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of one evidence's text, word for word: `request.evidence[evidence].text[start:end]`."""

    evidence: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """One stretch of reply that a drafter proposes, with indexes into the request's evidence; grounding decides whether it stands.

    `lead` is the white space, list marker or colon that goes in front of it and claims nothing. `pieces` are the exact words that the text is
    put together from, in order, where the drafter quotes.
    """

    text: str
    evidence: tuple[int, ...] = ()
    lead: str = ""
    pieces: tuple[Piece, ...] = ()


class Drafter(Protocol):
    """Writes a reply, statement by statement."""

    @property
    def name(self) -> str:
        """What `draft.generator` shows: `extractive`, or `provider:model`."""
        ...

    def stream(self, request: DraftRequest) -> Iterator[Proposed]:
        """The statements in order. Raises DrafterFailed."""
        ...


class Recogniser(Protocol):
    """Finds personal data that has no shape of its own, names above all, by a library's models."""

    @property
    def fingerprint(self) -> str:
        """What finds, and in which version: another one reads every ticket anew."""
        ...

    def find(self, text: str) -> list[tuple[int, int, str]]:
        """Start, end and kind of each find, kinds as `copilot.redact` names them; no two overlap."""
        ...


class Writer(Protocol):
    """A model that answers words of ours; what it writes is checked by whoever asked."""

    @property
    def name(self) -> str:
        """What `generator` shows: `provider:model`."""
        ...

    def lines(self, prompt: str) -> Iterator[str]:
        """The answer, line by line. Raises DrafterFailed."""
        ...


Rest = Callable[[], Source]
"""What is left of reading a document once its source was asked: it can be sent to another process."""


@dataclass(frozen=True, slots=True)
class Raw:
    """One document as found: its place within its source, what it is made of, and how to read it.

    `parse` raises UnreadableFile, NotKnowledge for what is deliberately left out, or SourceFailed where the source must be asked and does not answer.
    Where what it was sent could take a parser down, it gives the rest of the work, to be done in the parser's own process.
    """

    origin: str
    fingerprint: str
    parse: Callable[[], Source | Rest]
    apart: bool = False
    """To be parsed in a process of its own: its format or its size could take a parser down."""

    def read(self) -> Source:
        """The document, all of it read in this process."""
        made = self.parse()
        return made if isinstance(made, Source) else made()


@dataclass(frozen=True, slots=True)
class Broken:
    """What could not even be opened, and why: nothing of it is retired. A folder's origin ends in `/`; a table's row has `#` in it."""

    origin: str
    reason: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A document that is still there, unchanged since the last sync."""

    origin: str


@dataclass(frozen=True, slots=True)
class Gone:
    """A document that its source deleted, archived or took back."""

    origin: str


@dataclass(frozen=True, slots=True)
class Whole:
    """Everything whose origin begins so has been named: what the ledger has beyond that is gone."""

    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """All before this has been given; the next sync may begin here."""

    cursor: str


@dataclass(frozen=True, slots=True)
class Expected:
    """How many documents the source says there are: for the progress bar, and for nothing else."""

    total: int


Change = Raw | Broken | Kept | Gone | Whole | Mark | Expected


class Connector(Protocol):
    """Lists what a source holds, changed and gone."""

    def changes(self, since: str | None) -> Iterator[Change]:
        """What there is, or what changed since a mark's cursor. The same document may come twice: the later counts.

        Raises SourceFailed where the source does not answer; what was given before that counts all the same.
        """
        ...
