"""What a question and a document's head have in common besides their texts: words of the title, names and codes, product and platform."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

_WORD = re.compile(r"[^\W_]{3,40}")
_NAME = re.compile(r"[A-Za-z]*\d[\w.-]{1,30}|\b[A-Z]{2,12}\b|\b[A-Z][a-z]+[A-Z]\w{0,30}")
READ_CHARS = 4000
SHORTEST = 4
PLAIN = re.compile(rf"\b[A-Za-z]{{{SHORTEST},24}}\b")
"""A word that is long enough to be misspelt and recognised."""
STEM = 6
"""So many letters of a word are compared: enough to tell words apart, few enough to take their endings away."""
PLATFORMS = {
    "windows": "windows", "win": "windows", "mac": "mac", "macos": "mac", "macbook": "mac", "linux": "linux", "ubuntu": "linux",
    "android": "android", "iphone": "ios", "ipad": "ios", "ios": "ios",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's stems, names and codes, and the plain words that products and platforms go by."""

    stems: frozenset[str]
    names: frozenset[str]
    words: frozenset[str]

    @classmethod
    def of(cls, text: str) -> Asked:
        """Of a message's beginning."""
        text = text[:READ_CHARS]
        words = _words(text)
        return cls(frozenset(word[:STEM] for word in words), names(text), words | platforms(words))


@dataclass(frozen=True, slots=True)
class Titles:
    """How much each stem of the titles tells, and each title's stems and names."""

    rarity: Mapping[str, float]
    stems: tuple[frozenset[str], ...]
    names: tuple[frozenset[str], ...]

    @classmethod
    def of(cls, titles: Sequence[str]) -> Titles:
        """Of all documents, in their order."""
        stems = tuple(_title_stems(title) for title in titles)
        found = Counter(stem for some in stems for stem in some)
        rarity = {stem: math.log((1 + len(titles)) / (1 + count)) for stem, count in found.items()}
        return cls(rarity, stems, tuple(_title_names(title) for title in titles))

    def overlap(self, asked: Asked, at: int) -> float:
        """The share of a title, its rare words counting more, that the question says: 0 to 1."""
        all = sum(self.rarity[stem] for stem in self.stems[at])
        return sum(self.rarity[stem] for stem in sorted(self.stems[at] & asked.stems)) / all if all > 0 else 0.0

    def named(self, asked: Asked, at: int) -> float:
        """The share of the question's names and codes that the title has: 0 to 1."""
        return len(self.names[at] & asked.names) / len(asked.names) if asked.names else 0.0


def counted(texts: Iterable[str]) -> Counter[str]:
    """How often the texts have each plain word."""
    return Counter(word for text in texts for word in PLAIN.findall(text.lower()))


def matches(asked: Asked, about: Iterable[str], known: frozenset[str]) -> float:
    """1 where the question names a product or platform of the document, -1 where it names only others, else 0."""
    said = asked.words & known
    mine = said & frozenset(about)
    return 1.0 if mine else -1.0 if said and about else 0.0


def about(title: str, products: Iterable[str]) -> tuple[str, ...]:
    """The words of a document's products, and the platforms that its title names."""
    words = {word for product in products for word in product.lower().replace("-", " ").split()}
    return tuple(sorted(words | platforms(title.lower().split())))


def names(text: str) -> frozenset[str]:
    """Versions, codes, acronyms and names with a capital inside, in lower case."""
    return frozenset(found.group().lower().strip(".-") for found in _NAME.finditer(text))


def platforms(words: Iterable[str]) -> frozenset[str]:
    """The platforms that these words mean."""
    return frozenset(PLATFORMS[word] for word in words if word in PLATFORMS)


def _words(text: str) -> frozenset[str]:
    return frozenset(found.group().lower() for found in _WORD.finditer(text))


@lru_cache(maxsize=100_000)
def _title_stems(title: str) -> frozenset[str]:
    return frozenset(word[:STEM] for word in _words(title))


@lru_cache(maxsize=100_000)
def _title_names(title: str) -> frozenset[str]:
    return names(title)
