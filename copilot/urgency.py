"""Why a message is urgent: a deadline, money, lost data, an outage, danger, a barrier, each with the customer's words for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from copilot import yaml_file
from copilot.denied import hidden
from copilot.domain import Alternative, Conversation, Escalation, Message, Reason, Tag, Triage
from copilot.errors import ConfigurationError
from copilot.settings import DEFAULTS
from copilot.text import straight
from copilot.words import Sieve, Words, fold, without_quotes

URGENT = DEFAULTS / "urgency.yaml"
DANGERS = frozenset({"safety", "self_harm"})
"""Codes of the escalation policy that cannot wait."""
FULL = 0.5
"""Words that an agent has answered since weigh less than this, and notes do."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """The reasons by code, in the order in which they are shown."""

    words: tuple[tuple[str, Words], ...]
    sieve: Sieve

    @classmethod
    def load(cls, path: Path) -> Patterns:
        """The patterns of a YAML file: lists by code. Raises ConfigurationError."""
        import yaml

        try:
            raw = yaml_file.read(path)
            words = tuple((str(code), Words(patterns, {})) for code, patterns in raw.items())
            return cls(words, Sieve([one for _, one in words]))
        except (OSError, ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
            raise ConfigurationError(f"The reasons for urgency in {path} cannot be used: {error}") from error

    def reasons(self, conversation: Conversation) -> tuple[Reason, ...]:
        """The first words of each code in the customer's latest message, without harms that it denies."""
        at, message = latest(conversation)
        shown = hidden(fold(without_quotes(message.text)))
        found = (self.words[number] for number in self.sieve.found(shown))
        spans = ((code, next(words.find(shown), None)) for code, words in found)
        return tuple(_reason(code, message, at, span, 1.0) for code, span in spans if span)


def told_by(conversation: Conversation, code: str, phrase: str, weight: float) -> tuple[Reason, ...]:
    """The phrase as a reason, where it stands word for word in the customer's latest message, whichever apostrophe it was written with."""
    at, message = latest(conversation)
    start = straight(message.text).find(straight(phrase)) if phrase else -1
    return (_reason(code, message, at, (start, start + len(phrase)), weight),) if start >= 0 else ()


def attention(conversation: Conversation, chance: float, phrase: str) -> Reason:
    """The learned chance that a person is needed, with the phrase that weighs most where it stands word for word in the message."""
    return from_phrase(conversation, "reads_like_one", phrase, round(chance, 4))


def from_phrase(conversation: Conversation, code: str, phrase: str, weight: float) -> Reason:
    """A reason with the phrase as its words, or with none where the phrase is not word for word in the customer's latest message."""
    found = told_by(conversation, code, phrase, weight)
    at, message = latest(conversation)
    return found[0] if found else _reason(code, message, at, (0, 0), weight)


def hurried(triage: Triage, escalation: Escalation) -> Triage:
    """The triage with an urgency of high, and the reason for it first, where somebody is in danger by what the escalation counts."""
    found = [one for one in escalation.reasons if one.code in DANGERS and one.weight >= FULL]
    if escalation.level != "emergency" or not found:
        return triage
    tag, codes = triage.urgency, {one.code for one in found}
    tag = tag if tag.label == "high" else _high(tag, max(one.weight for one in found))
    reasons = (*found, *(one for one in tag.reasons if one.code not in codes))
    return replace(triage, urgency=replace(tag, reasons=reasons))


def _high(tag: Tag, chance: float) -> Tag:
    """The tag as high with this chance, at the cost of the other labels'."""
    others = [Alternative(label=tag.label, confidence=tag.confidence), *tag.alternatives]
    left = [one for one in others if one.label != "high"]
    share = (1 - chance) / max(sum(one.confidence for one in left), 1e-9)
    rest = tuple(replace(one, confidence=round(one.confidence * share, 4)) for one in left)
    return replace(tag, label="high", confidence=chance, level="high", alternatives=rest)


def latest(conversation: Conversation) -> tuple[int, Message]:
    """The customer's latest public message with its number; an empty one where there is none."""
    shown = ((i, m) for i, m in enumerate(conversation.messages) if m.author == "customer" and m.visibility == "public")
    return max(shown, key=lambda pair: pair[0], default=(0, Message(text="")))


def _reason(code: str, message: Message, at: int, span: tuple[int, int], weight: float) -> Reason:
    start, end = span
    return Reason(code=code, message=at, start=start, end=end, quote=message.text[start:end], weight=weight)
