"""Where two sources speak of the same matter and name other numbers, dates or versions: a person should look before it is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from copilot.clauses import content
from copilot.domain import Citation, Draft, Evidence
from copilot.facts import facts, says_no
from copilot.ground import cite
from copilot.reading import ITEM
from copilot.sayable import DOES
from copilot.text import sentences

ALIKE = 0.6
"""The share of content words, numbers left out, that two sentences on the same matter have in common. Set by hand."""
SUBJECT, STEP = 0.01, 0.5
"""The share of the smaller title and heading that both have in common; more where the sentence is a step."""
USUAL = 4
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
    cited = [_unmarked(citation) for statement in draft.statements for citation in statement.citations]
    telling = [(one, figures) for one in cited if (figures := _figures(one.quote))]
    if not telling:
        return
    seen, dates = set[frozenset[str]](), {source.document_id: source.date for source in evidence}
    about = _subjects(evidence)
    for citation, figures in telling:
        words = _matter(citation.quote)
        if len(words) < FEWEST_WORDS:
            continue
        for source in evidence:
            pair = frozenset((citation.document_id, source.document_id))
            if source.document_id == citation.document_id or pair in seen:
                continue
            if not _one_subject(citation, source, evidence, about):
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
                if not _same_matter(words, said):  # asked first, as that is soon told
                    continue
                named = _figures(said)
                if len(named) == len(figures) and named != figures and says_no(said) == says_no(quote):
                    return _unmarked(cite(source, at + start, at + end))
        at += len(line) + 1
    return None


def _subjects(evidence: Sequence[Evidence]) -> Mapping[int, frozenset[str]]:
    """What each source is about by its title and heading, without the words that most titles have, such as the product's name."""
    words = {id(one): frozenset(content(" ".join((one.title, *one.headings[-1:])))) for one in evidence}
    titles = {one.document_id: frozenset(content(one.title)) for one in evidence}
    often = Counter(word for title in titles.values() for word in title)
    usual = {word for word, count in often.items() if count >= max(USUAL, len(titles) / 2)}
    return {key: found - usual for key, found in words.items()}


def _one_subject(
    said: Citation, source: Evidence, evidence: Sequence[Evidence], about: Mapping[int, frozenset[str]]
) -> bool:
    """Whether title and heading speak for one matter: the same step, as "hold the button for 6 seconds", stands in many a procedure."""
    places = (one for one in evidence if one.document_id == said.document_id and one.start <= said.start < one.end)
    mine, theirs = about[id(found)] if (found := next(places, None)) else frozenset(), about[id(source)]
    shared = len(mine & theirs) / max(1, min(len(mine), len(theirs)))
    return not (mine and theirs) or shared >= (STEP if DOES.match(said.quote) else SUBJECT)


def _unmarked(citation: Citation) -> Citation:
    """Without the mark of a list's item."""
    mark = ITEM.match(citation.quote)
    return (
        replace(citation, start=citation.start + mark.end(), quote=citation.quote[mark.end() :]) if mark else citation
    )


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
