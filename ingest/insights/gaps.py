"""Gaps: what customers asked about again and again and no answer was found for, told from messages that only share a word."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from copilot.clauses import STOP, WORD, content
from copilot.domain import Nearest
from copilot.ports import Vectors
from copilot.text import sentences
from ingest.insights.clusters import nodes
from ingest.insights.heads import Head, head
from ingest.insights.nouns import Example, Gap, name

Embed = Callable[[Sequence[str]], Vectors]
Matrix = NDArray[np.float64]

LEAST, LARGEST = 3, 12
"""So many customers make a matter; so many are weighed as one group, and groups that are nearly the same are then joined."""
MOST = 2000
"""The newest messages that are looked at."""
SENTENCES = 6
"""Of each message so many sentences are compared on their own: customers tell stories around what they ask."""
WORDLESS = 0.3
"""How much the words that two messages share take from their likeness: what is alike in other words is likelier one matter."""
COMPANY, SHARP, MUTUAL = 0.3, 3, (4, 6)
"""How much being alike to the same others adds; how much near ones count in that; and how many nearest have to be mutual."""
NEIGHBOURS, AROUND, HALF, USUAL = 8, 3, 0.5, 0.3
PLAIN, JOINED = 0.5, 0.5
"""The cosine of the two messages least alike that leaves no doubt; and the mean between two groups that makes them one."""
UNLIKE = 0.25
"""Messages whose mean cosine is less have nothing in common, however few others there are to compare them with."""
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
    """Groups of messages on one matter, largest first. `embed` is asked about the sentences of messages that have several."""
    newest = sorted(messages, key=lambda one: (one.at, one.suggestion_id))[-MOST:]
    asked = sorted({one.conversation_id: one for one in newest}.values(), key=lambda one: one.suggestion_id)
    if len(asked) < LEAST:
        return []
    found = [_gap([asked[at] for at in group], asked) for group in groups(Likeness.over(asked, embed))]
    return sorted(found, key=lambda gap: (-gap.size, gap.id))


def groups(likeness: Likeness) -> list[list[int]]:
    """The likeliest groups, none sharing a message with another; those that are nearly one are one."""
    judge = head("gaps")
    scored = sorted((-_score(likeness.features(group), len(group), judge), group) for group in likeness.branches())
    taken: set[int] = set()
    found: list[list[int]] = []
    for score, group in scored:
        if -score >= judge.enough and taken.isdisjoint(group):
            taken.update(group)
            found.append(list(group))
    return _joined(found, likeness.whole)


def _score(features: Mapping[str, float], size: int, judge: Head) -> float:
    """How likely it is one matter; beyond doubt where all messages ask in nearly the same words, the more of them the better."""
    if features["mean"] < UNLIKE:
        return 0.0
    return float(size) if features["least"] >= PLAIN else judge.score(features)


def _joined(found: Sequence[list[int]], cosines: Matrix) -> list[list[int]]:
    """Groups whose messages are on average as alike as those of one."""
    made: list[list[int]] = []
    for group in found:
        home = next((one for one in made if cosines[np.ix_(one, group)].mean() >= JOINED), None)
        if home is None:
            made.append(sorted(group))
        else:
            home[:] = sorted(home + group)
    return made


@dataclass(frozen=True)
class Likeness:
    """How every two messages are alike: as wholes, by their nearest sentences, by the rare words that they share, and by the company that
    they keep: whom else each is alike to."""

    words: tuple[frozenset[str], ...]
    whole: Matrix
    nearest: Matrix
    shared: Matrix
    company: Matrix

    @classmethod
    def over(cls, asked: Sequence[Unanswered], embed: Embed) -> Likeness:
        """Of these messages; memory grows with the square of their number."""
        vectors = np.stack([one.vector for one in asked]).astype(np.float64)
        whole, words = np.round(vectors @ vectors.T, 6), tuple(_stems(one.text) for one in asked)
        sharpened = np.clip(whole, 0, None) ** SHARP
        np.fill_diagonal(sharpened, 0)
        return cls(words, whole, _nearest_sentences(asked, embed), _shared(words), _cosines(sharpened + 1e-9))

    def branches(self) -> list[tuple[int, ...]]:
        """The groups worth weighing: branches of trees, of which each sees another likeness, and who is near to one and has it near."""
        mixed = (self.whole + self.nearest) / 2
        wordless = mixed - WORDLESS * self.shared
        trees = (
            self.whole, mixed, wordless, self.whole + COMPANY * self.company, wordless + 0.5 * self.company,
            self.whole - WORDLESS * self.shared + COMPANY * self.company,
        )  # fmt: skip
        around = (self.whole + COMPANY * self.company, wordless + COMPANY * self.company)
        found = {group for tree in trees for group in nodes(tree / 2, LEAST, LARGEST)}
        return sorted(found | {group for likeness in around for many in MUTUAL for group in _mutual(likeness, many)})

    def features(self, group: Sequence[int]) -> dict[str, float]:
        """What tells a matter from a topic: near in meaning and apart from others, without one word that holds it together."""
        inside, pairs = np.ix_(group, group), np.triu_indices(len(group), 1)
        cosines, counts = self.whole[inside][pairs], Counter(word for at in group for word in self.words[at])
        shared = self.shared[inside][pairs]
        return {
            "mean": float(cosines.mean()), "least": float(cosines.min()), "overlap": float(shared.mean()),
            "one_word": max(counts.values(), default=0) / len(group),
            "words": min(sum(count >= max(2, HALF * len(group)) for count in counts.values()), 4) / 4,
            "outside": self._outside(group), "size": math.log2(len(group) / LEAST),
            "touching": float((shared > 0).mean()), "mutual": self._within_reach(group),
        }  # fmt: skip

    def _outside(self, group: Sequence[int]) -> float:
        """How alike its messages are to their nearest that are not in it."""
        members, found = set(group), list[float]()
        for at in group:
            others = [other for other in self._order[at] if other not in members][:AROUND]
            found += [float(self.whole[at, other]) for other in others]
        return max(sum(found) / len(found), USUAL) if found else USUAL

    def _within_reach(self, group: Sequence[int]) -> float:
        """The share of its pairs that are among each other's nearest."""
        near = self.whole[np.ix_(group, group)] >= self._reach[list(group), None]
        return float((near.sum() - len(group)) / (len(group) * (len(group) - 1)))

    @cached_property
    def _order(self) -> list[list[int]]:
        """Of each message the nearest, as many as a group and those around it may take."""
        return [row.tolist() for row in np.argsort(-self.whole, axis=1, kind="stable")[:, : LARGEST + AROUND + 1]]

    @cached_property
    def _reach(self) -> Matrix:
        """The cosine of each message's last near neighbour; the message itself is counted along."""
        places = min(NEIGHBOURS, (len(self.whole) - 1) // LEAST) + 1
        reach: Matrix = np.partition(self.whole, -places, axis=1)[:, -places].astype(np.float64)
        return reach


def _cosines(rows: Matrix) -> Matrix:
    units = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    cosines: Matrix = np.round(units @ units.T, 6)
    return cosines


def _mutual(likeness: Matrix, many: int) -> Iterator[tuple[int, ...]]:
    """Each message with those among its nearest that have it among theirs."""
    near = likeness.copy()
    np.fill_diagonal(near, np.inf)
    around = [frozenset(row.tolist()) for row in np.argsort(-near, axis=1, kind="stable")[:, : many + 1]]
    for at, others in enumerate(around):
        group = tuple(sorted(other for other in others if at in around[other]))
        if len(group) >= LEAST:
            yield group


def _nearest_sentences(asked: Sequence[Unanswered], embed: Embed) -> Matrix:
    """For every two messages the cosine of the two sentences that are most alike."""
    told = [_sentences(one.text) for one in asked]
    several = sorted({text for texts in told if len(texts) > 1 for text in texts})
    made = dict(zip(several, embed(several), strict=True)) if several else {}
    rows = [
        [made[text] for text in texts] if len(texts) > 1 else [one.vector]
        for one, texts in zip(asked, told, strict=True)
    ]
    flat = np.stack([row for some in rows for row in some]).astype(np.float32)
    starts = np.cumsum([0, *(len(some) for some in rows[:-1])])
    best = [np.maximum.reduceat((np.stack(some).astype(np.float32) @ flat.T).max(axis=0), starts) for some in rows]
    return np.asarray(np.array(best), dtype=np.float64).round(6)


def _sentences(text: str) -> list[str]:
    return [text[a:b] for a, b in sentences(text)][:SENTENCES] or [text]


def _shared(words: Sequence[frozenset[str]]) -> Matrix:
    """For every two messages the share of words that they have in common, rare ones counting more."""
    from scipy.sparse import csr_array

    seen, most = Counter(word for some in words for word in some), math.log(len(words)) or 1.0
    columns = {word: at for at, word in enumerate(sorted(seen))}
    places = [
        (row, columns[word], math.sqrt(math.log(len(words) / seen[word]) / most))
        for row, some in enumerate(words)
        for word in sorted(some)
    ]
    if not places:
        return np.zeros((len(words), len(words)))
    rows, cells, values = zip(*places, strict=True)
    held = csr_array((values, (rows, cells)), shape=(len(words), len(columns)))
    common = (held @ held.T).toarray()
    weight = np.sqrt(np.maximum(common.diagonal(), 1e-9))
    shared: Matrix = np.round(common / np.outer(weight, weight), 6)
    return shared


def _stems(text: str) -> frozenset[str]:
    said = (
        word for word in WORD.findall(text.lower()) if len(word) > 1 and word not in STOP and word not in HARDLY_WORDS
    )
    return frozenset(word.removesuffix("s")[:STEM] for word in said)


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
