"""Where two sources speak of the same matter and name other numbers, dates or versions: a person should look before it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from copilot.domain import Citation, Draft, Evidence
from copilot.facts import facts, says_no
from copilot.ground import cite, content
from copilot.text import sentences

ALIKE = 0.6
"""The share of content words, numbers left out, that two sentences on the same matter have in common. Set by hand."""
FEWEST_WORDS = 4
TELLING = 4
HELD = 3


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What the draft quotes, and what another document says of the same matter."""

    said: Citation
    other: Citation
    dates: tuple[str, str] = ("", "")
    """The days on which the two sources were last changed, as ISO writes them; empty where that is not known."""

    def in_order(self) -> tuple[tuple[str, str, Citation], ...]:
        """Which, when and what: `newer` and `older`, or `one` and `other` where nothing tells."""
        two = sorted(zip(self.dates, (self.said, self.other), strict=True), key=lambda one: one[0], reverse=True)
        known = two[0][0] > two[1][0] > ""
        names = ("newer", "older") if known else ("one", "other")
        return tuple((name, date, citation) for name, (date, citation) in zip(names, two, strict=True))


def disagreements(draft: Draft, evidence: Sequence[Evidence]) -> Iterator[Disagreement]:
    """Each cited sentence with figures that another document has otherwise; one for each pair of documents."""
    seen, dates = set[frozenset[str]](), {source.document_id: source.date for source in evidence}
    for citation in (citation for statement in draft.statements for citation in statement.citations):
        figures, words = _figures(citation.quote), _matter(citation.quote)
        if not figures or len(words) < FEWEST_WORDS:
            continue
        for source in evidence:
            pair = frozenset((citation.document_id, source.document_id))
            if source.document_id == citation.document_id or pair in seen:
                continue
            if other := _otherwise(citation.quote, figures, words, source):
                seen.add(pair)
                yield Disagreement(citation, other, (dates.get(citation.document_id, ""), source.date))


def _otherwise(quote: str, figures: frozenset[str], words: frozenset[str], source: Evidence) -> Citation | None:
    """The first sentence of the source on the same matter, with as many figures, that are not the same."""
    telling = sorted(words, key=lambda word: (-len(word), word))[:TELLING]
    at = 0
    for line in source.text.split("\n"):
        low = line.lower()
        if sum(word in low for word in telling) >= HELD:
            for start, end in sentences(line):
                said = line[start:end]
                named = _figures(said)
                if (
                    len(named) == len(figures)
                    and named != figures
                    and _same_matter(words, said)
                    and says_no(said) == says_no(quote)
                ):
                    return cite(source, at + start, at + end)
        at += len(line) + 1
    return None


def _same_matter(words: frozenset[str], said: str) -> bool:
    others = _matter(said)
    return len(words & others) >= ALIKE * len(words | others)


def _figures(text: str) -> frozenset[str]:
    """Numbers with their units, dates and versions; a list's own numbering is none."""
    bare = text.lstrip("-*• ")
    first, _, rest = bare.partition(" ")
    return frozenset(facts(rest if first.rstrip(".)").isdigit() else bare))


def _matter(text: str) -> frozenset[str]:
    return frozenset(word for word in content(text) if not any(letter.isdigit() for letter in word))
