"""Whether a policy does what its own examples say: what `copilot policy check` runs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from difflib import get_close_matches

from copilot.case import Case
from copilot.domain import Conversation, Customer, Message, Sentiment, Tag, Triage
from copilot.entities import Compiled, entities
from copilot.escalate import CHECK_LIMIT, START, Example, Policy, Rule, reason_of, words_of


def check(policy: Policy, own: Compiled = ()) -> list[str]:
    """What is wrong with the policy's own test messages, where these patterns find facts beside the shipped ones; empty when each rule does
    what it says."""
    return [fault for rule in policy.rules for fault in _faults(rule, own)]


def unknown_intents(policy: Policy, labels: Collection[str]) -> list[str]:
    """Which rules ask for an intent that is none of these, each with the nearest one: a slip of the pen never fires."""
    asked = [(rule.code, rule.intent) for rule in policy.rules if rule.intent and rule.intent not in labels]
    near = [(code, label, next(iter(get_close_matches(label, labels, 1)), None)) for code, label in asked]
    return [
        f"{code}: asks for the intent {label!r}, which the taxonomy does not have{f': is it {best!r}?' if best else ''}"
        for code, label, best in near
    ]


def _faults(rule: Rule, own: Compiled) -> list[str]:
    if rule.test is None:
        return [f"{rule.code}: has no test"]
    lacks = [
        f"{rule.code}: has no message in `test.{kind}`: give one {meant}"
        for kind, meant, listed in (
            ("fires", "that must fire it", rule.test.fires), ("quiet", "that comes near and must not", rule.test.quiet)
        )
        if not listed
    ]  # fmt: skip
    missed = [
        f"{rule.code}: does not fire on {_shown(one)}{_wordless(rule, one)}"
        for one in rule.test.fires
        if _fires(rule, one, own) is None
    ]
    found = [(one, _fires(rule, one, own)) for one in rule.test.quiet]
    return lacks + missed + [f"{rule.code}: fires on {_shown(one)}, at {at!r}" for one, at in found if at is not None]


def _wordless(rule: Rule, one: str | Example) -> str:
    if rule.words or not isinstance(one, str):
        return ""
    return ": a bare text tests words, and the rule has none; write {turns: [the text]} with what the rule asks for"


def _shown(one: str | Example) -> str:
    return repr(one) if isinstance(one, str) else repr(one.model_dump(exclude_defaults=True))


def _fires(rule: Rule, one: str | Example, own: Compiled) -> str | None:
    """The words that fire the rule, empty where none do; None where it stays quiet. A bare text tests the words alone."""
    if isinstance(one, str):
        return words_of(rule, one, CHECK_LIMIT)
    reason = reason_of(rule, _case(one, own))
    return None if reason is None else reason.quote


def _case(one: Example, own: Compiled) -> Case:
    hours: list[float] | list[None] = one.hours or [None] * len(one.turns)
    messages = tuple(
        Message(text=text, at=None if hour is None else START + timedelta(hours=hour))
        for text, hour in zip(one.turns, hours, strict=True)
    )
    asked = Conversation(channel=one.channel, messages=messages, customer=Customer(tier=one.tier))
    calm = Sentiment(label=one.sentiment, confidence=1.0, level="high", trend=one.trend)
    triage = Triage(
        intent=Tag(label=one.intent, confidence=1.0, level="high"), sentiment=calm, entities=entities(asked, own),
        language=Tag(label="en", confidence=1.0, level="high"), urgency=Tag(label="normal", confidence=1.0, level="high"),
    )  # fmt: skip
    return Case.of(asked, triage, one.abstained, CHECK_LIMIT, one.answerability)
