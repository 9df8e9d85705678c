"""Which sections of the found articles answer a message: a small linear score that transfers between companies.

It looks at the document's rank, the nearness of the section's passage, the words that it shares with the message, those that it shares
with what agents replied to similar customers, how much of its heading the message says, and whether it gives a price or a time where one
is asked for; the weights were fitted on marked answers (docs/evaluation-drafts.md).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from copilot.amounts import gives, wants
from copilot.clauses import content
from copilot.domain import Evidence
from copilot.text import sentences

FEATURES = ("rank", "near", "words", "told", "length", "heading", "price", "time")
WEIGHTS = (14.43, 6.74, 6.24, 8.81, 0.47, 1.12, 0.46, 1.11)
"""Fitted on the marked answers of the demo company and six younger invented ones, twice, and on Thunderbird's threads (docs/evaluation-drafts.md)."""
TRUSTED = 4
"""What agents replied counts by this power of the nearest ticket's cosine: a company with few tickets has none that is like the message."""
SIMILAR = 8
"""A solved ticket's reply counts by this power of its cosine: the nearest ones decide."""
ASKS = re.compile(
    r"[?？]\W*$|怎|如何|多久|多少|什么|什麼|哪|能否|是否|无法|無法|吗|嗎|请|請|どう|いつ|いくら|どこ|何|方法|ですか|ますか|でしょうか|"
    r"ください|できません|어떻게|언제|얼마|어디|방법|주세요|อย่างไร|ยังไง|เมื่อไ|เท่าไ|ไหม|"
    r"^\W*(?:please|pl[sz]|tell me|let me know|explain|kindly|how|where|when|what|which|why|who|can|could|do|does|is|are|should|would|will)\b|"
    r"\bi(?:['’]d| would| only| just| really| also){0,2} (?:(?:like|love|want|need|wish|hope|have) (?:it |this |that )?to|want|need)\b|"
    r"\bi(?:['’]m| am| was)? (?:trying|looking|hoping|wondering|not sure|unable)\b|"
    r"\b(?:can(?:['’]?t| ?not)|could(?:n['’]?t| not)|won['’]?t|does(?:n['’]?t| not)|did(?:n['’]?t| not)|refuses? to|whether|"
    r"how (?:do|can|to|much|long|many|often)|what (?:now|should|can|do)|where (?:do|can|is)|(?:do|can|must|should) (?:i|you|we)|is there|"
    r"any (?:way|chance|idea|news|possibility|help))\b|"
    r"\b(?:wie|wo|wann|können|möchte|bitte|comment|où|quand|combien|puis-je|pouvez|voudrais|hoe|waar|wanneer|kan ik|graag|"
    r"cómo|dónde|cuándo|cuánto|puedo|quiero|quisiera)\b",
    re.I,
)
USUAL = 40
"""A section of so many different words counts in full."""
LEAST = 2
MOST_ASKS = 4
LAST = 2


@dataclass(frozen=True, slots=True)
class Telling:
    """How much each word of the message tells: the fewer sources have it, the more; words that none has tell nothing."""

    weights: dict[str, float]
    words: tuple[frozenset[str], ...] = ()
    """The content words of each source, title included."""
    asks: tuple[frozenset[str], ...] = ()
    """The telling words of each thing that is asked."""
    told: Mapping[str, float] = field(default_factory=dict)
    """The share that each word has in what agents replied to similar customers, and the message has not."""
    wants: frozenset[str] = frozenset()
    """Whether a price or a time is asked for."""
    rare: Mapping[str, float] = field(default_factory=dict)
    """How much each word of the sources tells, whether the message has it or not."""

    @classmethod
    def of(cls, message: str, evidence: Sequence[Evidence]) -> Telling:
        """Weighed over the sources at hand."""
        among = [one.words or words_of(one) for one in evidence]
        rare = rarity(among)
        questions = asked(message)
        asks = [frozenset(content(ask) & rare.keys()) for ask in questions]
        weights = {word: rare[word] for word in content(message) if word in rare}
        kinds = wants(" ".join(questions))
        return cls(weights, tuple(among), tuple(ask for ask in asks if len(ask) >= LEAST), wants=kinds)

    def heard(self, words: Collection[str]) -> float:
        """The share of what agents replied to similar customers that these words hold."""
        return math.fsum(self.told.get(word, 0.0) for word in words)

    def said(self, head: Collection[str]) -> float:
        """The share of a heading, by weight, that the message says."""
        whole = math.fsum(self.rare.get(word, 0.0) for word in head)
        return math.fsum(self.weights.get(word, 0.0) for word in head) / whole if whole else 0.0

    def share(self, words: Collection[str], of: Collection[str] | None = None) -> float:
        """The share of the message, or of one thing asked, by weight, that these words hold."""
        wanted = self.weights.keys() if of is None else of
        whole = math.fsum(self.weights[word] for word in wanted)  # fsum: the same whatever order a set has
        return math.fsum(self.weights[word] for word in wanted if word in words) / whole if whole else 0.0


def asked(message: str) -> list[str]:
    """The sentences that ask for something; where none does, the last ones, which say what the story came to."""
    said = [message[start:end] for start, end in sentences(message)]
    return [words for words in said if ASKS.search(words)][:MOST_ASKS] or said[-LAST:]


def words_of(one: Evidence) -> frozenset[str]:
    """Its content words, the title's included."""
    return frozenset(content(f"{one.title} {one.text}"))


def rarity(among: Sequence[Collection[str]]) -> dict[str, float]:
    """What each word tells: the fewer of these have it, the more."""
    seen = Counter(word for words in among for word in words)
    return {word: math.log(1 + len(among) / count) for word, count in seen.items()}


def heading(one: Evidence) -> str:
    """The heading that the section begins with; the title of the whole page is none."""
    line = one.text.partition("\n")[0]
    return line.lstrip("# ") if line.startswith("##") else ""


def fitted(
    message: str, sections: Sequence[Evidence], solved: Sequence[Evidence]
) -> list[tuple[float, frozenset[str]]]:
    """How well each section answers, and its words."""
    words = [words_of(one) for one in sections]
    telling = asking(message, words, solved)
    return [(fit(features(one, held, telling)), held) for one, held in zip(sections, words, strict=True)]


def asking(message: str, among: Sequence[frozenset[str]], solved: Sequence[Evidence]) -> Telling:
    """What tells of a message among these sections, what agents replied to similar customers included."""
    rare, said = rarity(among), content(message)
    weights = {word: rare[word] for word in said if word in rare}
    return Telling(
        weights, tuple(among), told=_told(solved, said, rare), wants=wants(" ".join(asked(message))), rare=rare
    )


def fit(seen: Sequence[float]) -> float:
    """The score of these features."""
    return round(sum(weight * value for weight, value in zip(WEIGHTS, seen, strict=True)), 6)


def features(one: Evidence, words: Collection[str], telling: Telling) -> tuple[float, ...]:
    """What the score looks at, in the order of FEATURES."""
    long = 1 + math.log(1 + len(words) / USUAL)
    kinds = gives(one.text, telling.wants)
    return (
        one.rank,
        one.near,
        telling.share(words) / long,
        telling.heard(words) / long,
        math.log(1 + len(words)),
        telling.said(content(heading(one))),
        float("price" in kinds),
        float("time" in kinds),
    )


def _told(solved: Sequence[Evidence], known: Collection[str], rare: Mapping[str, float]) -> dict[str, float]:
    """The share that each word has in what agents replied to similar customers, and the message has not; less of it where none is near."""
    told = Counter[str]()
    for one in solved:
        near = max(one.score, 0.0) ** SIMILAR
        told.update({word: near * rare[word] for word in one.words if word in rare and word not in known})
    whole = math.fsum(told.values())
    trust = max((one.score for one in solved), default=0.0) ** TRUSTED
    return {word: trust * weight / whole for word, weight in told.items()} if whole else {}
