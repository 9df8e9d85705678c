"""Insights of a workspace as one reader may see them, computed from the store as it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from copilot.build import Parts
from copilot.domain import Principal
from copilot.ports import Vectors
from copilot.query import has_words, search_text
from copilot.redact import Redactor
from copilot.retrieve import visible_to
from copilot.store.choices import Choices
from copilot.store.frames import Frame
from copilot.store.observations import Abstained, Observations, Standing, seen
from copilot.store.values import now
from ingest.insights.contradictions import contradictions
from ingest.insights.duplicates import duplicates
from ingest.insights.gaps import MOST, Unanswered, gaps
from ingest.insights.material import Entry
from ingest.insights.nouns import Contradiction, Duplicate, Findings, Gap, InsightKind, Item, Stale, Unused
from ingest.insights.upkeep import Decided, Usage, stale, tally, unused

AWAY = ("removed", "rejected")


_KEPT: WeakKeyDictionary[Frame, dict[tuple[object, ...], Any]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Insights:
    """What a reader is told of a workspace's knowledge. Each kind is computed when it is asked for; `as_of` is the clock in force."""

    parts: Parts
    who: Principal
    as_of: datetime

    @classmethod
    def of(cls, parts: Parts, who: Principal, as_of: datetime | None = None) -> Insights:
        """As of now, where no other time is given. Raises NotFound for an unknown workspace."""
        parts.library.clock(who.workspace)
        return cls(parts, who, as_of or now())

    def gaps(self, limit: int) -> Findings[Gap]:
        """What customers asked about and no answer was found for."""
        return self._found("gaps", gaps(self._unanswered(), self._embed), limit)

    def duplicates(self, limit: int) -> Findings[Duplicate]:
        """Documents that say the same."""
        return self._found("duplicates", self._once("duplicates", duplicates), limit)

    def contradictions(self, limit: int) -> Findings[Contradiction]:
        """Articles against newer articles and tickets."""
        return self._found(
            "contradictions", self._once("contradictions", lambda found: contradictions(found, self._embed)), limit
        )

    def stale(self, limit: int) -> Findings[Stale]:
        """Documents that should be looked at again."""
        return self._found("stale", stale(self.entries, self._usage, self.as_of), limit)

    def unused(self, limit: int) -> Findings[Unused]:
        """Documents that no suggestion has ever used."""
        observed, workspace = Observations(self.parts.database), self.who.workspace
        never = unused(self.entries, self._usage, observed.linked(workspace), observed.made(workspace), self.as_of)
        return self._found("unused", never, limit)

    @cached_property
    def entries(self) -> list[Entry]:
        """The documents that the reader may see, past their validity too."""
        frame = self.frame
        standing = Observations(self.parts.database).documents(self.who.workspace, visible_to(self.who))
        places = {head.version: at for at, head in enumerate(frame.heads)}
        return [_entry(one, frame, places) for one in standing if f"{one.key}.{one.revision}" in places]

    def _once(self, kind: str, detect: Callable[[list[Entry]], list[Item]]) -> list[Item]:
        """What the detector finds, kept for as long as the frame is that it was found in: with the next change of the index it is gone."""
        valid: list[Entry] = self._in_force
        kept = _KEPT.setdefault(self.frame, {})
        key = (kind, *(entry.key for entry in valid))
        if key not in kept:
            kept[key] = detect(valid)
        found: list[Item] = kept[key]
        return found

    @cached_property
    def frame(self) -> Frame:
        """The workspace's vectors as they stand."""
        return self.parts.frames.at(self.who.workspace)

    @cached_property
    def _in_force(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.holds(self.as_of)]

    @cached_property
    def _usage(self) -> dict[str, Usage]:
        decided = [
            (one.document_id, Decided(at=one.at, removed=one.outcome in AWAY))
            for one in Choices(self.parts.database).decisions(self.who.workspace, current=True)
        ]
        return tally(Observations(self.parts.database).used(self.who.workspace), decided, self.as_of)

    def _unanswered(self) -> list[Unanswered]:
        """The messages without an answer, redacted, each with its vector; one that an older version kept without is embedded once."""
        embedder, observed = self.parts.embedder, Observations(self.parts.database)
        noted = observed.unanswered(self.who.workspace, embedder.fingerprint, MOST)
        found = [one for one in noted if one.at <= self.as_of and has_words(one.conversation)]
        missing = [one for one in found if one.vector is None]
        made = dict(
            zip(
                (one.suggestion_id for one in missing),
                self._embed([search_text(one.conversation) for one in missing]),
                strict=True,
            )
        )
        observed.keep_vectors(embedder.fingerprint, made)
        visible = {entry.id for entry in self.entries}
        return [
            _asked(one, made[one.suggestion_id] if one.vector is None else one.vector, visible, self.parts.redactor)
            for one in found
        ]

    def _embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.parts.embedder.dimensions), dtype=np.float32)
        return self.parts.embedder.embed(texts, "query")

    def _found(self, kind: InsightKind, items: Sequence[Item], limit: int) -> Findings[Item]:
        revision = self.parts.library.clock(self.who.workspace)
        return Findings(
            kind=kind, total=len(items), index_revision=revision, as_of=self.as_of, items=tuple(items[:limit])
        )


Report = Callable[
    [Insights, int], Findings[Gap] | Findings[Duplicate] | Findings[Contradiction] | Findings[Stale] | Findings[Unused]
]
REPORTS: dict[InsightKind, Report] = {
    "gaps": Insights.gaps, "duplicates": Insights.duplicates, "contradictions": Insights.contradictions, "stale": Insights.stale,
    "unused": Insights.unused,
}  # fmt: skip


def _entry(one: Standing, frame: Frame, places: dict[str, int]) -> Entry:
    at = places[f"{one.key}.{one.revision}"]
    first, last = int(frame.first[at]), int(frame.first[at + 1])
    return Entry(
        document=one.document, revision=one.revision, text=one.text, answer_start=one.answer_start, since=one.since, key=one.key,
        spans=tuple((span.start, span.end) for span in map(frame.span, range(first, last))), vectors=frame.vectors[first:last],
    )  # fmt: skip


def _asked(one: Abstained, vector: Vectors, visible: set[str], redactor: Redactor) -> Unanswered:
    """The customer's latest message without personal data."""
    turns = one.conversation.messages
    at = max(at for at, turn in enumerate(turns) if turn.author == "customer" and turn.visibility == "public")
    names = [one.conversation.customer.name or ""]
    return Unanswered(
        suggestion_id=one.suggestion_id, conversation_id=one.conversation.id or "", message=at,
        text=redactor.redact(turns[at].text, names, orders=True).text, at=one.at, vector=vector, nearest=seen(one.nearest, visible),
    )  # fmt: skip
