"""Documents as they are compared statement by statement, and which are worth comparing."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from copilot.clauses import content
from copilot.ports import Vectors
from ingest.insights.claims import Claim, claim
from ingest.insights.material import Entry, stacked

NEAR = 0.3
MOST = 12
"""How many documents are compared with each article."""
STEM = 5
"""Letters that two forms of a word share: enough for inflections in English and German."""
FEW = 3
POINTS_BACK = re.compile(r"(?:it|it's|they|that|this|these|those|he|she|es|sie|das|dies\w*)\b", re.I)


@dataclass(frozen=True)
class Weights:
    """How much a word tells: the fewer documents have it, the more."""

    of: Mapping[str, float]
    most: float

    @classmethod
    def over(cls, sides: Sequence[Side]) -> Weights:
        """Weighed over these documents."""
        seen = Counter(word for side in sides for word in side.words)
        count = len(sides)
        return cls({word: math.log(1 + count / times) for word, times in seen.items()}, math.log(1 + count))

    def sum(self, words: frozenset[str]) -> float:
        """Of all these words together; added in order, so that the same words weigh the same."""
        return sum(self.of.get(word, self.most) for word in sorted(words))

    def share(self, words: frozenset[str], among: frozenset[str]) -> float:
        """The share of the words, by weight, that the others hold."""
        whole = self.sum(words)
        return self.sum(words & among) / whole if whole else 0.0


@dataclass(frozen=True)
class Said:
    """A statement of a document, read."""

    start: int
    end: int
    claim: Claim
    before: Claim | None = None
    after: Claim | None = None

    @property
    def told(self) -> str:
        """Its text and what follows it."""
        return f"{self.claim.text} {self.after.text if self.after else ''}"

    @cached_property
    def words(self) -> frozenset[str]:
        """Its words by their first letters; where it only points back, those of what stands before it too."""
        words = stems(self.claim.words)
        back = self.before is not None and (len(words) < FEW or POINTS_BACK.match(self.claim.text))
        return words | stems(self.before.words) if back and self.before else words


@dataclass(frozen=True)
class Side:
    """A document as it is compared."""

    entry: Entry

    @cached_property
    def said(self) -> tuple[Said, ...]:
        """Its statements; of a ticket those of the resolution."""
        claims = [claim(self.entry.text[a:b]) for a, b in self.entry.statements]
        around = zip(self.entry.statements, claims, [None, *claims], [*claims[1:], None], strict=False)
        return tuple(Said(a, b, one, before, after) for (a, b), one, before, after in around)

    @property
    def text(self) -> str:
        """Title and text."""
        return f"{self.entry.document.title}\n{self.entry.text}"

    @cached_property
    def words(self) -> frozenset[str]:
        """All words of title and text by their first letters."""
        return stems(frozenset(content(self.text)))

    @cached_property
    def values(self) -> frozenset[tuple[str, str]]:
        """The facts that it states without denying them."""
        return frozenset(
            (fact.type, fact.value) for one in self.said if not one.claim.denials for fact in one.claim.facts
        )

    @cached_property
    def low(self) -> str:
        """Title and text in small letters."""
        return self.text.lower()


def stems(words: frozenset[str]) -> frozenset[str]:
    """The words by their first letters."""
    return frozenset(word[:STEM] for word in words)


# ---- which documents to compare ----


def candidates(sides: Sequence[Side]) -> Iterator[tuple[Side, Side]]:
    """Each article with the nearest documents that are not older; two articles meet once."""
    articles = [side for side in sides if side.entry.document.kind == "article"]
    means = stacked([side.entry for side in sides])
    met: set[tuple[str, str]] = set()
    for article in articles:
        for at in _nearest((article.entry.vectors @ means.T).max(axis=0)):
            other = sides[at]
            pair = (min(article.entry.id, other.entry.id), max(article.entry.id, other.entry.id))
            if other is not article and pair not in met and _newer(other.entry, article.entry):
                met.add(pair)
                yield article, other


def _nearest(cosines: Vectors) -> list[int]:
    """The places of the greatest cosines that are near enough; equals to the last of them are all taken, so that no chance is in it."""
    places = np.flatnonzero(cosines >= NEAR)
    values = np.round(cosines[places].astype(np.float64), 6)
    if len(places) > MOST + 1:
        kept = values >= np.partition(values, len(values) - MOST - 1)[len(values) - MOST - 1]
        places, values = places[kept], values[kept]
    return [int(places[at]) for at in np.lexsort((places, -values))]


def _newer(one: Entry, than: Entry) -> bool:
    """Whether it may correct the other: a ticket must be younger, of two articles either may be undated."""
    if one.at is None or than.at is None:
        return one.document.kind == "article"
    return one.at >= than.at
