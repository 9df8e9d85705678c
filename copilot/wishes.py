"""Several intents in one message: which stretch of it carries which, told from the words alone, so that nothing is embedded anew."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from copilot.domain import Alternative, Conversation, Reason, Tag
from copilot.intents import IntentHead
from copilot.learn import OTHER
from copilot.query import customer_turns
from copilot.text import own_sentences

LIKELY = 0.1
"""How likely an intent must be, over the whole message, to be one of several."""
LEAD = 0.006
"""How far its words must be ahead of the other intents' in the stretch that carries it. Both set by hand; docs/triage.md says how it does."""
READ = 4_000
FEWEST_WORDS = 3
JOINT = re.compile(r"(?:[,;] (?:and|also|plus)|;| and| und| et| en| y| also| außerdem| ook| aussi| también) ", re.I)


def several(intent: Tag, head: IntentHead, conversation: Conversation) -> tuple[Tag, ...]:
    """The intents of the latest message in the order of their words, where there is more than one; else none."""
    likely = [
        Alternative(label=intent.label, confidence=intent.confidence),
        *(one for one in intent.alternatives if one.confidence >= LIKELY),
    ]
    likely = [one for one in likely if one.label != OTHER]
    if len(likely) < 2:
        return ()
    turn = customer_turns(conversation)[-1]
    index = max(i for i, message in enumerate(conversation.messages) if message is turn)
    carried: dict[str, tuple[float, int, int]] = {}
    for start, end in _stretches(turn.text[:READ]):
        label, lead = _told(head, turn.text[start:end], [one.label for one in likely])
        if lead >= LEAD and lead > carried.get(label, (0.0, 0, 0))[0]:
            carried[label] = (lead, start, end)
    if len(carried) < 2:
        return ()
    found = sorted((one for one in likely if one.label in carried), key=lambda one: carried[one.label][1])
    return tuple(_tag(one, head, index, turn.text, carried[one.label]) for one in found)


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """Sentences, and the parts of those that join two wishes."""
    for start, end, _ in own_sentences(text):
        at = start
        for joint in JOINT.finditer(text, start, end):
            if min(len(text[at : joint.start()].split()), len(text[joint.end() : end].split())) >= FEWEST_WORDS:
                yield at, joint.start()
                at = joint.end()
        yield at, end


def _told(head: IntentHead, words: str, labels: Sequence[str]) -> tuple[str, float]:
    """The one of these labels that the words speak for most, and by how much."""
    spoken = head.spoken(words)
    ranked = sorted(((float(spoken[head.labels.index(label)]), label) for label in labels), reverse=True)
    return ranked[0][1], ranked[0][0] - max(ranked[1][0], 0.0)


def _tag(one: Alternative, head: IntentHead, message: int, text: str, carried: tuple[float, int, int]) -> Tag:
    _, start, end = carried
    reason = Reason(code=one.label, message=message, start=start, end=end, quote=text[start:end], weight=one.confidence)
    return Tag(label=one.label, confidence=one.confidence, level=head.level(one.confidence), reasons=(reason,))
