"""Gaps: what customers asked about again and again and no answer was found for, told from messages that only share a word."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import combinations

import numpy as np

from copilot.domain import Nearest
from copilot.ground import STOP, WORD, content
from copilot.ports import Vectors
from ingest.insights.clusters import Tree
from ingest.insights.nouns import Example, Gap, name

Embed = Callable[[Sequence[str]], Vectors]

LEAST = 3
"""So many customers make a matter."""
ALIKE, A_DOUBLING = 0.28, 0.08
"""Mean cosine between the two halves of a group of four, and how much more each doubling asks: a large group must not be a mere topic."""
MOST = 3000
"""The newest messages that are looked at."""
LOOKED_AT = 8
SHARED = 0.6
"""A word in so many of a group's messages holds it together..."""
LEFT = 0.6
"""...and without it at least this share of the likeness must be left,"""
WORDY = 0.3
"""or what the messages share are more than words."""
SEVERAL = 3
SHOWN, TERMS, TITLE_CHARS, QUOTE_CHARS = 5, 5, 80, 400
STEM = 5
HARDLY_WORDS = frozenset(
    "my me about them one get got would could not no any after now here hello hi thank help need want know like use using "
    "ich mein meine meinen meinem wir sie ist das der die den ein eine einen und oder nicht mit auf für bei wie was wo von zu im am bitte hallo "
    "mi el la los las de en un una por para que con no se como".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A customer's message that no answer was found for, redacted, with its vector and what came near."""

    suggestion_id: str
    conversation_id: str
    message: int
    text: str
    at: datetime
    vector: Vectors = field(repr=False)
    nearest: tuple[Nearest, ...] = ()


def gaps(messages: Sequence[Unanswered], embed: Embed) -> list[Gap]:
    """Groups of messages on one matter, largest first. `embed` is asked only about groups that one word may hold together."""
    newest = sorted(messages, key=lambda one: (one.at, one.suggestion_id))[-MOST:]
    asked = sorted({one.conversation_id: one for one in newest}.values(), key=lambda one: one.suggestion_id)
    if len(asked) < LEAST:
        return []
    found = [_gap([asked[at] for at in group], asked) for group in _groups(asked, embed)]
    return sorted(found, key=lambda gap: (-gap.size, gap.id))


def _groups(asked: Sequence[Unanswered], embed: Embed) -> Iterator[list[int]]:
    """The largest branches of the tree of likeness that are alike enough, and not by a single word."""
    tree = Tree.over(np.stack([one.vector for one in asked]))
    likeness = Likeness(tuple(one.text for one in asked), tuple(_stems(one.text) for one in asked), tree.cosines)
    for group in tree.branches(LEAST, ALIKE, A_DOUBLING):
        if not likeness.is_one_word(group, embed):
            yield group


@dataclass(frozen=True)
class Likeness:
    """How messages are alike: by meaning and by words."""

    texts: tuple[str, ...]
    words: tuple[frozenset[str], ...]
    cosines: np.ndarray

    def is_one_word(self, group: Sequence[int], embed: Embed) -> bool:
        """Whether a group falls apart once the word or two that most of it shares are taken out."""
        central = self.central(group)[:LOOKED_AT]
        counts = Counter(word for at in central for word in self.words[at])
        shared = {word for word, count in counts.items() if count >= max(2, SHARED * len(central))}
        if not shared:
            return False
        likeness = self._mean(central)
        if len(shared) < SEVERAL and self._overlap(central) > WORDY * likeness:
            return True
        left = embed([_without(self.texts[at], shared) for at in central]).astype(np.float64)
        pairs = [float(left[a] @ left[b]) for a, b in combinations(range(len(central)), 2)]
        return len(shared) < SEVERAL and float(np.mean(pairs)) < LEFT * likeness

    def central(self, group: Sequence[int]) -> list[int]:
        """The group's messages, those nearest to all others first."""
        near = self.cosines[np.ix_(group, group)].sum(axis=1)
        return [group[at] for at in np.lexsort((np.arange(len(group)), -np.round(near, 6)))]

    def _mean(self, group: Sequence[int]) -> float:
        return float(np.mean([self.cosines[a, b] for a, b in combinations(group, 2)]))

    def _overlap(self, group: Sequence[int]) -> float:
        """The mean share of words that two messages have in common, rare words counting more."""
        shares = [
            self._weight(self.words[a] & self.words[b])
            / math.sqrt(max(self._weight(self.words[a]) * self._weight(self.words[b]), 1e-9))
            for a, b in combinations(group, 2)
        ]
        return float(np.mean(shares))

    @cached_property
    def _rarity(self) -> dict[str, float]:
        """0 for a word that every message has, 1 for one that a single message has."""
        seen, most = Counter(word for words in self.words for word in words), math.log(len(self.words)) or 1.0
        return {word: math.log(len(self.words) / times) / most for word, times in seen.items()}

    def _weight(self, words: frozenset[str]) -> float:
        return sum(self._rarity[word] for word in sorted(words))


def _without(text: str, stems: set[str]) -> str:
    return WORD.sub(lambda word: "" if _stem(word[0].lower()) in stems else word[0], text)


def _stems(text: str) -> frozenset[str]:
    said = (
        word for word in WORD.findall(text.lower()) if len(word) > 1 and word not in STOP and word not in HARDLY_WORDS
    )
    return frozenset(map(_stem, said))


def _stem(word: str) -> str:
    return word.removesuffix("s")[:STEM]


# ---- what is shown ----


def _gap(group: Sequence[Unanswered], asked: Sequence[Unanswered]) -> Gap:
    vectors = np.stack([one.vector for one in group]).astype(np.float64)
    near = np.round((vectors @ vectors.T).sum(axis=1), 6)
    central = [group[at] for at in np.lexsort((np.arange(len(group)), -near))]
    return Gap(
        id=name("g", *sorted(one.conversation_id for one in group)), size=len(group), title=_title(central[0].text), terms=_terms(group, asked),
        first_at=min(one.at for one in group), last_at=max(one.at for one in group),
        examples=tuple(map(_example, central[:SHOWN])), nearest=central[0].nearest,
    )  # fmt: skip


def _example(one: Unanswered) -> Example:
    end = len(one.text) if len(one.text) <= QUOTE_CHARS else one.text.rfind(" ", 0, QUOTE_CHARS) % QUOTE_CHARS
    return Example(
        suggestion_id=one.suggestion_id, conversation_id=one.conversation_id, message=one.message, start=0, end=end,
        quote=one.text[:end], at=one.at,
    )  # fmt: skip


def _title(text: str) -> str:
    words = " ".join(text[: 4 * TITLE_CHARS].split())
    return words if len(words) <= TITLE_CHARS else f"{words[:TITLE_CHARS].rpartition(' ')[0] or words[:TITLE_CHARS]}…"


def _terms(group: Sequence[Unanswered], asked: Sequence[Unanswered]) -> tuple[str, ...]:
    """The words that most set the group's messages apart from all others."""
    said = [_spoken(one.text) for one in group]
    within = Counter(word for words in said for word in words)
    around = Counter(word for one in asked for word in _spoken(one.text))
    telling = {word: count * math.log(1 + len(asked) / around[word]) for word, count in within.items() if count > 1}
    return tuple(sorted(telling, key=lambda word: (-round(telling[word], 6), word))[:TERMS])


def _spoken(text: str) -> set[str]:
    return {
        word
        for word in map(str.lower, WORD.findall(text))
        if len(word) > 2 and content(word) and word not in HARDLY_WORDS
    }
