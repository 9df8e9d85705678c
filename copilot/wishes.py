"""Several intents in one message: where its words say that a second thing follows, each clause is read by itself.

Only then are clauses embedded, a few and short; all other messages cost a search for such words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any

from copilot.domain import Conversation, Message, Reason, Tag
from copilot.intents import IntentHead
from copilot.learn import OTHER
from copilot.ports import Vectors
from copilot.query import customer_turns
from copilot.text import own_sentences, straight
from copilot.words import compiled, fold

SURE = 0.35
"""How likely a clause's first intent must be, read alone. Set on half of tests/triage/wishes.yaml; docs/triage.md says how it does on the other."""
READ = 1_500
"""Longer messages tell a story; their clauses are no wishes."""
MOST = 4
FEWEST_WORDS = 3
_ASKS = (
    r"how|where|when|what|which|why|can|could|does|do|is|are|will|please|i need|i want|i'd|i can't|if|tell|"
    r"wie|wo|wann|kann|comment|où|quand|cómo|dónde|hoe|waar"
)
FOLLOWS = (
    r"\b(?:also|besides|apart from (?:that|this)|by the way|btw|oh,? and|another (?:matter|question|thing|point)|something else|"
    r"one more (?:thing|question)|(?:two|three|few) (?:things|questions|points)|secondly|second,|furthermore|additionally|in addition|"
    r"on top of (?:that|it)|other than that|while (?:you're at it|i have you)|außerdem|zudem|zweitens|en outre|además|también|ook|daarnaast)\b|"
    rf"(?:^|\s)2[.)]\s|[.!?]\s+(?:and|plus|oh|und|et|en|y)\b|\b(?:and|or|und|et|y|en) (?:{_ASKS})\b"
)
"""Words that announce a second wish."""
JOINT = re.compile(r"(?:[,;] (?:and|also|plus)|;| and| und| et| en| y| also| außerdem| ook| aussi| también) ", re.I)


def several(head: IntentHead, conversation: Conversation, embed: Callable[[Sequence[str]], Vectors]) -> tuple[Tag, ...]:
    """The intents of the latest message in the order of their words, where there is more than one; else none."""
    turn = customer_turns(conversation)[-1]
    spans = clauses(conversation)
    if not spans:
        return ()
    texts = [straight(turn.text[start:end]) for start, end in spans]
    surest: dict[str, tuple[float, tuple[int, int]]] = {}
    for span, text, vector in zip(spans, texts, embed(texts), strict=True):
        label, chance = _read(head, vector, text)
        if chance >= SURE and chance > surest.get(label, (0.0, span))[0]:
            surest[label] = (chance, span)
    if len(surest) < 2:
        return ()
    index = max(i for i, message in enumerate(conversation.messages) if message is turn)
    found = sorted(surest.items(), key=lambda one: one[1][1])
    return tuple(_tag(label, chance, head, index, turn, span) for label, (chance, span) in found)


def clauses(conversation: Conversation) -> list[tuple[int, int]]:
    """The clauses of the latest message where its words say that a second wish follows; else none."""
    text = customer_turns(conversation)[-1].text
    if len(text) > READ or not _follows().search(fold(text)):
        return []
    told = (span for span in _stretches(text) if len(text[slice(*span)].split()) >= FEWEST_WORDS)
    spans = list(islice(told, MOST + 1))
    return spans if 2 <= len(spans) <= MOST else []


@cache
def _follows() -> Any:
    return compiled(fold(FOLLOWS))


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """Sentences, and the parts of those that join two wishes."""
    for start, end, _ in own_sentences(text):
        at = start
        for joint in JOINT.finditer(text, start, end):
            if min(len(text[at : joint.start()].split()), len(text[joint.end() : end].split())) >= FEWEST_WORDS:
                yield at, joint.start()
                at = joint.end()
        yield at, end


def _read(head: IntentHead, vector: Vectors, clause: str) -> tuple[str, float]:
    """The intent of a clause and how likely it is."""
    chances = head.probabilities(vector, clause, gated=False)
    pairs = [(chance, label) for chance, label in zip(chances.tolist(), head.labels, strict=True) if label != OTHER]
    chance, label = max(pairs)
    return label, round(chance, 4)


def _tag(label: str, chance: float, head: IntentHead, index: int, turn: Message, span: tuple[int, int]) -> Tag:
    start, end = span
    reason = Reason(code=label, message=index, start=start, end=end, quote=turn.text[start:end], weight=chance)
    return Tag(label=label, confidence=chance, level=head.level(chance), reasons=(reason,))
