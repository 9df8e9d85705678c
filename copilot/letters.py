"""What a question and a title share letter by letter: what is left where a question's language is none that the embedding model reads.

Cosine of TF-IDF over the four-letter stretches of each word, with its ends, without accents, frequencies logarithmic: `Batterie` meets `battery`,
and names meet themselves. The same as scikit-learn's TfidfVectorizer(analyzer="char_wb", ngram_range=(4, 4), sublinear_tf=True,
strip_accents="unicode").
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copilot.scripts import spread

Floats = NDArray[np.float64]

LENGTH = 4
READ_CHARS = 4000


@dataclass(frozen=True, slots=True)
class Letters:
    """Where each stretch of letters stands among some titles, and how much it weighs there; how rare it is."""

    count: int
    places: Mapping[str, tuple[NDArray[np.int64], Floats]]
    rarity: Mapping[str, float]

    @classmethod
    def of(cls, titles: Sequence[str]) -> Letters:
        """Of these titles, in their order."""
        counts = [Counter(_stretches(title)) for title in titles]
        found = Counter(stretch for some in counts for stretch in some)
        rarity = {stretch: 1 + math.log((1 + len(titles)) / (1 + times)) for stretch, times in found.items()}
        places: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for at, some in enumerate(counts):
            for stretch, weight in _unit(some, rarity).items():
                places[stretch].append((at, weight))
        return cls(len(titles), {stretch: _columns(some) for stretch, some in places.items()}, rarity)

    def shared(self, text: str) -> Floats:
        """For each title its cosine with the text's beginning, 0 to 1."""
        found = np.zeros(self.count)
        said = Counter(stretch for stretch in _stretches(text[:READ_CHARS]) if stretch in self.rarity)
        for stretch, weight in sorted(_unit(said, self.rarity).items()):
            places, own = self.places[stretch]
            found[places] += weight * own
        return np.round(found, 6)


def _columns(places: Sequence[tuple[int, float]]) -> tuple[NDArray[np.int64], Floats]:
    return np.array([at for at, _ in places], dtype=np.int64), np.array([weight for _, weight in places])


def _stretches(text: str) -> list[str]:
    """Every four letters in a row of each word, a space before and after it counted; a shorter word, or a pair of Chinese letters, is one stretch."""
    plain = unicodedata.normalize("NFKD", spread(text.lower()))
    words = "".join(letter for letter in plain if not unicodedata.combining(letter)).split()
    padded = (f" {word} " for word in words)
    return [word[at : at + LENGTH] for word in padded for at in range(max(1, len(word) - LENGTH + 1))]


def _unit(counts: Mapping[str, int], rarity: Mapping[str, float]) -> dict[str, float]:
    weights = {stretch: (1 + math.log(times)) * rarity[stretch] for stretch, times in counts.items()}
    length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {stretch: weight / length for stretch, weight in weights.items()}
