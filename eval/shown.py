"""A case as the report shows it: message, draft with citations, the right answer and what was found, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from copilot.domain import Citation, Statement
from eval.metrics import Value
from eval.wording import same_words, told
from eval.worst import Blame, Finding, words

LONG = 4000
"""Longer texts are cut: nobody reads them in a report."""
SNIPPET = 320
TOLD = 100
RANKED = 10
TWO_PARTS = {
    "macro_f1": ("said", "truth"), "precision": ("said", "truth"), "recall": ("said", "truth"), "f1": ("said", "truth"),
    "ece15": ("confidence", "right"), "aurc": ("confidence", "wrong"), "coverage_at_5_risk": ("confidence", "wrong"),
}  # fmt: skip
"""What the two parts of a row are, by the statistic that sums such rows up; other pairs are a score and the truth."""
SPOKEN = {"foreign": "another company’s question"}
"""Values of slices as a reader would say them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A message of the conversation."""

    author: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """A quote beside the statement that rests on it; `url` only where it is safe to follow."""

    quote: str
    title: str
    document_id: str
    url: str | None
    kind: str
    same: bool
    """Whether the statement says the very same words, so that the quote need not be shown again."""
    right: bool | None
    """Whether it is one of the right documents, None where nobody labelled it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A stretch of the draft and what it rests on."""

    text: str
    support: str
    cited: tuple[Cited, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A document by name: one of the right ones, or one that was found."""

    document_id: str
    name: str
    right: bool
    cited: bool
    place: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What the copilot said beside what is true, None where nobody labelled it."""

    what: str
    said: str
    truth: str | None
    unknown: bool = False
    """Whether the truth is a label that the copilot does not have."""

    @property
    def wrong(self) -> bool:
        """Whether the two are known to differ, and need not."""
        return self.truth is not None and self.said != self.truth and not self.unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Everything that the report shows of a case."""

    number: int
    anchor: str
    finding: Finding
    snippet: str
    told: str
    """How the draft begins to answer; empty where there is none, or the verdict says it already."""
    turns: tuple[Turn, ...]
    said: tuple[Said, ...]
    right: tuple[Listed, ...]
    found: Mapping[str, tuple[Listed, ...]]
    labels: tuple[Label, ...]
    slices: Mapping[str, str]
    scores: Mapping[str, str]
    """Its row of each metric that the report lists, in words."""
    reference: str | None

    @property
    def blames(self) -> tuple[Blame, ...]:
        """The parts of the product to look at, the gravest fault's first."""
        return tuple(dict.fromkeys(fault.blame for fault in self.finding.faults))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its faults, gravest first."""
        return tuple(fault.kind for fault in self.finding.faults)


def shown(number: int, finding: Finding, slices: Iterable[str], statistics: Mapping[str, str]) -> Shown:
    """The case as the report's number so-and-so, with its values of these slices and its rows of the metrics that have these statistics."""
    case, draft = finding.case, finding.suggestion.draft
    rows = sorted((name, row) for name, row in finding.record.rows.items() if name in statistics)
    return Shown(
        number=number, anchor=f"case-{number}", finding=finding, snippet=_snippet(case.text[: 4 * SNIPPET], SNIPPET),
        told=_beginning(finding),
        turns=tuple(Turn(author=turn.author, text=cut(turn.text)) for turn in case.conversation.messages),
        said=tuple(_said(finding, draft.text, one) for one in draft.statements) if draft else (),
        right=tuple(_listed(finding, one) for one in finding.gold),
        found={kind: tuple(_listed(finding, one, place) for place, one in enumerate(ids[:RANKED], 1))
               for kind, ids in finding.record.ranked.items() if ids},
        labels=tuple(_labels(finding)), slices=dict(_slices(finding, slices)),
        scores={name: row_in_words(row, statistics[name]) for name, row in rows},
        reference=cut(case.reference_reply) if case.reference_reply else None,
    )  # fmt: skip


def row_in_words(row: Value, statistic: str) -> str:
    """A case's row of a metric as one short text."""
    if not isinstance(row, tuple):
        return _part(row)
    names = TWO_PARTS.get(statistic, ("score", "truth")) if len(row) == 2 else ()
    return ", ".join(f"{name} {_part(one)}" for name, one in zip(names or [""] * len(row), row, strict=True)).strip()


def _part(value: float | str) -> str:
    return words(value) if isinstance(value, str) else f"{value:.3g}"


def cut(text: str, most: int = LONG) -> str:
    """The text, or its beginning with a mark that there is more."""
    return text if len(text) <= most else f"{text[:most].rstrip()} … [cut]"


def safe_url(url: str | None) -> str | None:
    """The address where it is an ordinary web page's; anything else is no link."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def _snippet(text: str, most: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[:most].rsplit(' ', 1)[0]} …"


def _beginning(finding: Finding) -> str:
    draft = finding.suggestion.draft
    words = told(draft) if draft else ""
    return "" if words in finding.verdict else _snippet(words, TOLD)


def _said(finding: Finding, text: str, one: Statement) -> Said:
    words_said = text[one.start : one.end]
    cited = tuple(_cited(finding, citation, words_said) for citation in one.citations)
    return Said(text=cut(words_said), support=words(one.support), cited=cited)


def _cited(finding: Finding, one: Citation, statement: str) -> Cited:
    return Cited(
        quote=cut(one.quote), title=one.title, document_id=one.document_id, url=safe_url(one.url), right=finding.right(one),
        kind=one.kind, same=same_words(statement, one.quote),
    )  # fmt: skip


def _listed(finding: Finding, document_id: str, place: int | None = None) -> Listed:
    return Listed(
        document_id=document_id, name=finding.titles.get(document_id, ""), right=document_id in finding.gold,
        cited=any(one.document_id == document_id for one in finding.citations), place=place or finding.places.get(document_id),
    )  # fmt: skip


def _labels(finding: Finding) -> Iterator[Label]:
    case, made = finding.case, finding.suggestion
    yield Label(
        what="intent",
        said=words(made.triage.intent.label),
        truth=case.intent and words(case.intent),
        unknown=finding.unknown_intent,
    )
    yield Label(what="mood", said=words(made.triage.sentiment.label), truth=case.sentiment and words(case.sentiment))
    yield Label(what="urgency", said=words(made.triage.urgency.label), truth=case.urgency and words(case.urgency))
    hint, truth = made.escalation.recommended, case.escalate
    yield Label(what="call a person", said=_yes(hint), truth=None if truth is None else _yes(truth))


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _slices(finding: Finding, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The case's values of the run's slices, and of those that the case itself names."""
    case = finding.case
    for name in dict.fromkeys((*names, *case.slices)):
        value = case.slices.get(name) or getattr(case, name, None)
        if isinstance(value, str):
            yield name, SPOKEN.get(value, value)
