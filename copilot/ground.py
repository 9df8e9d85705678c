"""Decides which proposed statements stand, on which exact words they rest, and drops the rest.

A statement is supported where it is word for word in its evidence, or where one stretch of it very likely says the same by a score
fitted on labelled pairs. In either case each number, unit, date, address, menu path, name and negation of the statement must occur in
those very words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from copilot.clauses import MARKER, WORD, content, misplaced
from copilot.domain import Channel, Citation, Dropped, Evidence, Support
from copilot.facts import facts, missing, says_no
from copilot.names import somebody
from copilot.ports import Proposed
from copilot.questions import asks_for_secret, claims_nothing
from copilot.reading import ADDRESSED, LINK, hosts, is_own
from copilot.redact import PLACEHOLDER
from copilot.sayable import orders, says
from copilot.text import sentences
from copilot.variants import MARK, SPOKEN

SUPPORTED = 0.65
PARTIAL = 0.5
WIDEST = 3
WEIGHTS, BIAS = (1.195, 2.812, 0.997, -3.729), -2.038
MANY_NEW = 6
ALIKE = 0.7
FEWEST_WORDS = 3
MOST_AGREEING = 2

MARKUP = re.compile(r"<[a-z/!][^>\n]{0,500}>?|\]\(|\b(?:javascript|data):\S", re.I)


@dataclass(frozen=True, slots=True)
class Grounded:
    """A statement that stands, its text, what goes in front of it, and its citations."""

    text: str
    lead: str
    support: Support
    citations: tuple[Citation, ...]


def ground(
    proposed: Iterable[Proposed], evidence: Sequence[Evidence], message: str = "", channel: Channel | None = None
) -> Iterator[Grounded | Dropped]:
    """Each proposed statement in order: grounded, or dropped with the reason; what other documents say alike is cited beside.

    With a channel the statements are for a customer: what no customer may read is dropped, and steps begin a line where there is room for it.
    """
    others, own = Others(evidence), hosts([one.url for one in evidence if one.kind == "article"])
    steps = Steps(evidence, channel) if channel else None
    for one in proposed:
        judged = _judge(one, evidence)
        own_words = steps is not None and not one.pieces
        if own_words and isinstance(judged, Grounded) and (fault := _unsayable(judged, evidence)):
            judged = Dropped(text=judged.text, reason=fault)
        if isinstance(judged, Grounded) and (fault := harm(judged, own) or _echo(judged, evidence, message)):
            judged = Dropped(text=judged.text, reason=fault)
        if steps and own_words and isinstance(judged, Grounded):
            judged = steps.put(judged)
        if isinstance(judged, Grounded) and judged.support == "supported":
            judged = replace(judged, citations=(*judged.citations, *others.agreeing(judged)))
        yield judged


def _unsayable(said: Grounded, evidence: Sequence[Evidence]) -> str:
    """Why a statement in a model's words is not for this customer: a heading, an apology, or what was said to somebody else alone."""
    if said.text.startswith("#"):
        return "it is a heading"
    words = " ".join(PLACEHOLDER.sub(" ", said.text).split())
    for citation in said.citations:
        source = next((one for one in evidence if one.document_id == citation.document_id), None)
        nearest = max(
            (citation.quote[start:end] for start, end in sentences(citation.quote)),
            key=lambda sentence: len(content(sentence) & content(words)),
            default="",
        )
        if source and not all(says(source, ADDRESSED.sub("", one)) for one in (words, nearest)):
            return "its source says so to somebody else, or nothing to anybody"
    return ""


class Steps:
    """What goes in front of statements that tell the items of a list: a line's end and, where the items are numbered, their number here."""

    def __init__(self, evidence: Sequence[Evidence], channel: Channel) -> None:
        self._evidence, self._listed = evidence, channel in ("email", "form")
        self._number, self._last = 0, ("", -1)

    def put(self, said: Grounded) -> Grounded:
        """The statement with its lead; what belongs to the same item stays in its line."""
        item, marked = self._item(said.citations[0]) if said.citations else (("", -1), "- ")
        before, self._last = self._last, item
        if not self._listed or item == before:
            return said
        if item == ("", -1):
            self._number = 0
            return replace(said, lead="\n\n")
        if marked in ("1. ", "1) ") or item[0] != before[0]:
            self._number = 0  # another list
        self._number += marked[0].isdigit()
        mark = f"{self._number}. " if marked[0].isdigit() else marked if marked[0].isalpha() else "- "
        return replace(said, text=MARKER.sub("", said.text), lead=("\n" if said.lead else "\n\n") + mark)

    def _item(self, cited: Citation) -> tuple[tuple[str, int], str]:
        """The list item that the cited words begin in, by its document and place, and its mark there."""
        for one in self._evidence:
            if one.document_id == cited.document_id and 0 <= cited.start - one.start < len(one.text):
                begin = one.text.rfind("\n", 0, cited.start - one.start) + 1
                marker = MARKER.match(one.text[begin : begin + 8].lstrip())
                return ((one.document_id, one.start + begin), marker[0]) if marker else (("", -1), "- ")
        return ("", -1), "- "


def harm(said: Grounded, own: Collection[str]) -> str:
    """Why a statement that its source holds must still not be sent: data may carry commands, and links that lead away."""
    if MARKUP.search(said.text):
        return "it holds markup"
    if any(not is_own(link, own) for link in LINK.findall(said.text)):
        return "it links to a site that is not the company's"
    solved = (citation.quote for citation in said.citations if citation.kind == "ticket")
    if any(name in said.text for quote in solved for name in somebody(quote)):
        return "it names somebody of another conversation"
    commands = any(orders(words) for words in (said.text, *(citation.quote for citation in said.citations)))
    return "its source speaks to a machine" if commands else ""


def _echo(said: Grounded, evidence: Sequence[Evidence], message: str) -> str:
    """Why a question is not ours: it stands in a source or in the message, so somebody else had it asked."""
    words = " ".join(WORD.findall(said.text.lower()))
    heard = (" ".join(WORD.findall(text.lower())) for text in (message, *(source.text for source in evidence)))
    return "it repeats what it read" if not said.citations and any(words in text for text in heard) else ""


class Others:
    """The sentences of all sources, to find those that say the same as a statement."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self._sources = evidence
        self._cut: dict[int, list[Sentence]] = {}

    def agreeing(self, said: Grounded) -> tuple[Citation, ...]:
        """The sentences of other documents with nearly the same words, the same facts and no other negation, two at most."""
        wanted, cited = content(said.text), {citation.document_id for citation in said.citations}
        found: dict[str, Citation] = {}
        telling = sorted(wanted, key=lambda word: (-len(word), word))[:FEWEST_WORDS]
        for one in self._near(wanted, cited) if len(wanted) >= FEWEST_WORDS else ():
            length, document = one.end - one.start, one.source.document_id
            if document in found or not len(said.text) < 2 * length < 4 * len(said.text):
                continue
            if not any(word in one.low for word in telling):
                continue
            alike = len(wanted & one.words) >= ALIKE * len(wanted | one.words)
            if alike and same_facts(said.text, one.source.text[one.start : one.end]):
                found[document] = cite(one.source, one.start, one.end)
        return tuple(found.values())[:MOST_AGREEING]

    def _near(self, wanted: set[str], cited: Collection[str]) -> Iterator[Sentence]:
        """The sentences of the other documents that hold enough of these words anywhere."""
        for number, source in enumerate(self._sources):
            if source.document_id in cited:
                continue
            if source.words and len(wanted & source.words) < ALIKE * len(wanted):
                continue
            if number not in self._cut:
                low = source.text.lower()
                self._cut[number] = [
                    Sentence(source, start, end, low[start:end]) for start, end in sentences(source.text)
                ]
            yield from self._cut[number]


@dataclass(frozen=True)
class Sentence:
    """A sentence of a source, its content words counted once they are asked for."""

    source: Evidence
    start: int
    end: int
    low: str

    @cached_property
    def words(self) -> set[str]:
        """Its content words."""
        return content(self.source.text[self.start : self.end])


def same_facts(one: str, other: str) -> bool:
    """Whether both hold the same numbers and addresses and both, or neither, say no."""
    one, other = MARKER.sub("", one), MARKER.sub("", other)
    return set(facts(one)) == set(facts(other)) and says_no(one) == says_no(other)


def _quoted(one: Proposed, evidence: Sequence[Evidence]) -> tuple[Citation, ...] | None:
    """The citations of a text that is put together from exact pieces; None where other words than a variant's name stand between."""
    at, ours, citations = 0, list[str](), list[Citation]()
    names = {"not", *map(str.lower, SPOKEN.values())}
    for piece in one.pieces:
        source = evidence[piece.evidence]
        words = source.text[piece.start : piece.end]
        found = one.text.find(words, at)
        if not words or found < 0:
            return None
        ours, at = [*ours, one.text[at:found]], found + len(words)
        names |= {name.strip() for mark in MARK.finditer(source.text) for name in mark[2].split(",")}
        citations.append(cite(source, piece.start, piece.end))
    between = WORD.findall(" ".join([*ours, one.text[at:]]).lower())
    return tuple(citations) if citations and names.issuperset(between) else None


def _judge(one: Proposed, evidence: Sequence[Evidence]) -> Grounded | Dropped:
    text = one.text.strip()
    if quoted := _quoted(one, evidence):
        return Grounded(text, one.lead, "supported", quoted)
    cited = [evidence[index] for index in one.evidence if 0 <= index < len(evidence)]
    if len(cited) < len(one.evidence):
        return Dropped(text=text, reason="it cites a source that was not given")
    plain = " ".join(PLACEHOLDER.sub(" ", text).split())  # the customer's own data is no claim about the product
    if asks_for_secret(plain):
        return Dropped(text=text, reason="it asks for a secret or for money")
    if claims_nothing(plain):
        return Grounded(text, one.lead, "no_claim", ())
    if not cited:
        return Dropped(text=text, reason="it cites no source")
    if plain.endswith("?") and not any(text in source.text for source in cited):
        return Dropped(text=text, reason="it is a question that asks for no fact")
    found = sorted((_support(plain, source) for source in cited), key=lambda one: (bool(one.missing), -one.score))
    best = found[0]
    if best.score < PARTIAL or best.missing:
        absent = f": {', '.join(best.missing)}" if best.missing else ""
        return Dropped(text=text, reason=f"its source does not say so{absent}")
    agreeing = tuple(other.citation for other in found if other.score >= PARTIAL and not other.missing)
    return Grounded(text, one.lead, "supported" if best.score >= SUPPORTED else "partial", agreeing)


@dataclass(frozen=True, slots=True)
class Found:
    """How well the best stretch of one source carries a statement, and which of its facts are absent there."""

    score: float
    missing: tuple[str, ...]
    citation: Citation


def _support(text: str, source: Evidence) -> Found:
    spans = sentences(source.text) or [(0, len(source.text))]
    at = _whole_sentences(text, source.text, spans)
    if at is not None:
        return Found(1.0, (), cite(source, at, at + len(text)))
    start, end = best_stretch(text, source)
    words = source.text[start:end]
    absent = (*missing(text, words, source.title), *misplaced(text, words, source.title))
    return Found(support(text, words), absent, cite(source, start, end))


def best_stretch(text: str, source: Evidence) -> tuple[int, int]:
    """The few sentences of the source that hold most of the text's content words; the shortest and earliest of equals."""
    spans = sentences(source.text) or [(0, len(source.text))]
    wanted, words = content(text), [content(source.text[start:end]) for start, end in spans]
    candidates = [
        (len(wanted & set().union(*words[first : last + 1])), first - last, -first, last)
        for first in range(len(spans))
        for last in range(first, min(first + WIDEST, len(spans)))
    ]
    _, _, first, last = max(candidates)
    return spans[-first][0], spans[last][1]


def support(text: str, words: str) -> float:
    """How likely it is, 0 to 1, that these words say what the text says: shared words, shared pairs of words, and few new ones.

    A logistic regression fitted on BEGIN's `wow` set (`python -m benchmarks.support`); docs/evaluation-drafts.md has its figures.
    """
    exponent = BIAS + sum(weight * share for weight, share in zip(WEIGHTS, shares(text, words), strict=True))
    return round(1 / (1 + math.exp(-exponent)), 6)


def shares(text: str, words: str) -> tuple[float, float, float, float]:
    """The shares of the text's content words, words and pairs of words that these words hold, and how many content words are new."""
    said, source = WORD.findall(text.lower()), WORD.findall(words.lower())
    meant, pairs = content(text), list(pairwise(said))
    held, held_pairs = set(source), set(pairwise(source))
    new = len(meant - content(words))
    known = sum(word in held for word in said) / len(said) if said else 0.0
    return (
        1 - new / len(meant) if meant else 0.0,
        known,
        sum(pair in held_pairs for pair in pairs) / len(pairs) if pairs else known,
        min(new, MANY_NEW) / MANY_NEW,
    )


def _whole_sentences(text: str, words: str, spans: Sequence[tuple[int, int]]) -> int | None:
    """Where the text stands word for word as whole sentences: a part of one may have lost its "not"."""
    starts, ends = {start for start, _ in spans}, {end for _, end in spans}
    at = words.find(text)
    while at >= 0:
        if at in starts and at + len(text) in ends:
            return at
        at = words.find(text, at + 1)
    return None


def cite(source: Evidence, start: int, end: int) -> Citation:
    """The citation of `source.text[start:end]`, with offsets into the whole revision."""
    return Citation(
        document_id=source.document_id, revision=source.revision, start=source.start + start, end=source.start + end,
        quote=source.text[start:end], title=source.title, url=source.url, kind=source.kind,
    )  # fmt: skip
