"""What agents do with suggestions, and what that tells: how far the sent text is from the draft, and which cited statements they kept."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from itertools import accumulate, pairwise
from math import sqrt
from typing import Literal

from copilot.domain import Draft, Verdict
from copilot.errors import InputError
from copilot.facts import says_no
from copilot.scripts import LETTERED
from copilot.text import sentences

Outcome = Literal["kept", "changed", "removed", "rejected"]
"""What became of a cited statement: sent as it was, sent otherwise, left out, or the whole draft was not sent."""

LIMIT = 20_000
SAME = 0.5
"""A statement of which so much is left, by its words' lengths, was changed; with less left it was removed."""
FEWEST = 2
"""One word in common says nothing."""
_NUMBERED = re.compile(rf"\s{{0,9}}(?:\d{{1,2}}[.)]|[-*•]|{LETTERED})\s+")
_TOKEN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|[^\\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """The agent looked up a citation: which of the draft's statements, which of its citations, and when."""

    statement: int
    citation: int = 0
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What the agent says the message is; None where they said nothing."""

    intent: str | None = None
    mood: str | None = None
    escalation: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What the agent did with a suggestion."""

    verdict: Verdict
    final_text: str | None = None
    reason: str | None = None
    shown_at: datetime | None = None
    decided_at: datetime | None = None
    copied: bool = False
    clicked: tuple[Click, ...] = ()
    corrected: Corrected = Corrected()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of one statement of a draft, for one of the documents that it cites; `clicked_at` is when the agent looked there."""

    statement: int
    document_id: str
    revision: int
    outcome: Outcome
    clicked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often each outcome came of the statements that a document supported."""

    kept: int = 0
    changed: int = 0
    removed: int = 0
    rejected: int = 0

    @property
    def disputed(self) -> float:
        """The share of sent drafts' statements that agents changed or left out, at least (lower end of Wilson's 95 % interval).

        So one removal in one draft weighs less than twenty in thirty. A rejected draft blames no statement, and is left out.
        """
        against = self.changed + self.removed
        return wilson(against, self.kept + against)[0]


def wilson(count: int, all: int) -> tuple[float, float]:
    """Between what shares the true one lies at 95 %, where `count` of `all` were seen (Wilson's score interval)."""
    if not all:
        return 0.0, 1.0
    share, z = count / all, 1.96
    middle, spread = share + z * z / (2 * all), z * sqrt(share * (1 - share) / all + z * z / (4 * all * all))
    whole = 1 + z * z / all
    return round(max(0.0, (middle - spread) / whole), 6), round(min(1.0, (middle + spread) / whole), 6)


def tallied(outcomes: Iterable[tuple[str, Outcome]]) -> dict[str, Tally]:
    """The tally of each document, from document ids and outcomes."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for document_id, outcome in outcomes:
        counts[document_id][outcome] += 1
    return {id: Tally(**counts[id]) for id in sorted(counts)}


def edit_distance(draft: str, sent: str) -> float:
    """0 where nothing was changed, 1 where nothing is left: one minus the share of words in common, in order."""
    a, b = draft[:LIMIT].split(), sent[:LIMIT].split()
    if not a and not b:
        return 0.0
    return round(1.0 - SequenceMatcher(None, a, b, autojunk=False).ratio(), 6)


def fates(draft: Draft | None, given: Feedback, decided_at: datetime) -> tuple[Fate, ...]:
    """What became of each cited statement, document by document. Raises InputError for a click where the draft has no citation."""
    looked = _looked(draft, given.clicked, decided_at)
    if draft is None:
        return ()
    cited = [(number, one) for number, one in enumerate(draft.statements) if one.citations]
    became = _outcomes([draft.text[one.start : one.end] for _, one in cited], given)
    return tuple(
        Fate(
            statement=number, document_id=id, revision=revision, outcome=outcome, clicked_at=looked.get((number, id))
        )
        for (number, one), outcome in zip(cited, became, strict=True)
        for id, revision in {citation.document_id: citation.revision for citation in one.citations}.items()
    )  # fmt: skip


def _outcomes(statements: Sequence[str], given: Feedback) -> list[Outcome]:
    if given.verdict == "edited":
        return outcomes(statements, given.final_text or "")
    return ["kept" if given.verdict == "accepted" else "rejected"] * len(statements)


def _looked(draft: Draft | None, clicked: Sequence[Click], decided_at: datetime) -> dict[tuple[int, str], datetime]:
    """When a document was first looked up from a statement. A source that was deleted meanwhile leaves no trace."""
    found: dict[tuple[int, str], datetime] = {}
    statements = draft.statements if draft else ()
    for click in clicked:
        if not 0 <= click.statement < len(statements):
            raise InputError(f"The draft has no statement {click.statement}. Count its statements from 0.")
        one = statements[click.statement]
        if one.support == "withdrawn":
            continue
        if not 0 <= click.citation < len(one.citations):
            raise InputError(f"Statement {click.statement} has no citation {click.citation}. Count them from 0.")
        key = (click.statement, one.citations[click.citation].document_id)
        at = min(click.at or decided_at, decided_at)
        found[key] = min(found.get(key, at), at)
    return found


def outcomes(statements: Sequence[str], sent: str) -> list[Outcome]:
    """What became of each of these statements in the text that was sent.

    Kept: its words stand there together, and nothing beside them says no. Changed: two neighbouring sentences that are not kept from other
    statements have half of it. Removed: anything else.
    """
    text = Sent.of(sent[:LIMIT])
    statements = [one[found.end() :] if (found := _NUMBERED.match(one)) else one for one in statements]
    places = [text.place(statement) for statement in statements]
    rest = text.without([place for place in places if place])
    left = (rest.share(_tokens(statement)) for statement in statements)
    return [
        "kept" if place else "changed" if share >= SAME else "removed"
        for place, share in zip(places, left, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Sent:
    """A text that was sent, sentence by sentence, and its words on one line; `ends` are the sentences' ends there."""

    sentences: tuple[str, ...]
    tokens: tuple[tuple[str, ...], ...]
    line: str
    ends: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Sent:
        """The text, read."""
        said = tuple(text[a:b] for a, b in sentences(text))
        tokens = tuple(tuple(_tokens(one)) for one in said)
        sizes = (sum(len(token) + 1 for token in some) for some in tokens)
        line = _line(token for some in tokens for token in some)
        return cls(said, tokens, line, tuple(accumulate(sizes, initial=0)))

    def place(self, statement: str) -> tuple[int, int] | None:
        """Where the statement stands on the line; None where it does not, or says no there and not by itself, or the other way round."""
        words = _line(_tokens(statement))
        start = self.line.find(words)
        end = start + len(words) - 1
        if start < 0:
            return None
        around = zip(self.sentences, pairwise(self.ends), strict=True)
        denied = any(says_no(one) for one, (a, b) in around if a < end and b > start)
        return (start, end) if denied == says_no(statement) else None

    def without(self, places: Sequence[tuple[int, int]]) -> Sent:
        """The same without the sentences that lie in these places for the most part: a step has its number in front."""
        free = [
            one
            for one, (a, b) in zip(self.sentences, pairwise(self.ends), strict=True)
            if 2 * sum(max(0, min(b, end) - max(a, start)) for start, end in places) <= b - a
        ]
        return Sent.of("\n".join(free))

    def share(self, tokens: Sequence[str]) -> float:
        """The share of these words that the best two neighbouring sentences have, long words counting more."""
        wanted, whole = Counter(tokens), max(sum(map(len, tokens)), 1)
        pairs = [one + two for one, two in pairwise(self.tokens)] or self.tokens
        common = [list((wanted & Counter(pair)).elements()) for pair in pairs]
        return max((sum(map(len, some)) / whole for some in common if len(some) >= min(FEWEST, len(tokens))), default=0)


def _tokens(text: str) -> list[str]:
    """Words without case and punctuation; in scripts that write no spaces, letters."""
    return _TOKEN.findall(text.casefold())


def _line(tokens: Iterable[str]) -> str:
    return f" {' '.join(tokens)} "
