"""Whether a person should step in: a policy file's rules over the customer's words and the triage, each reason with the words that gave it."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, model_validator

from copilot import yaml_file
from copilot.case import Case, Turn
from copilot.domain import Channel, Conversation, Entity, Escalation, Reason, Trend, Triage
from copilot.entities import in_message, value
from copilot.errors import ConfigurationError
from copilot.phrases import LONG
from copilot.words import HIDDEN, Clauses, Prefilter, Words, fold, shown

LEVELS = ("note", "lead", "specialist", "emergency")
ANSWERED = 0.5
"""What is left of a weight when an agent has replied since the words were written, unless the rule is `standing`."""
NOTED = 0.01
"""What a code that is only told adds to the score: too little to recommend anything."""
CHECK_LIMIT = 150.0
START_FROM = "Start from a copy of the shipped one: it names `version`, `threshold` and `rules`."

START = datetime(2025, 1, 1, tzinfo=UTC)
MOST_HOURS = 24 * 365 * 100
Name = Annotated[str, Field(min_length=1)]
Hours = Annotated[float, Field(ge=0, le=MOST_HOURS, allow_inf_nan=False)]
Mood = Literal["very_negative", "negative", "neutral", "positive", "very_positive"]
CONDITIONS = (
    "words", "intent", "sentiment", "trend", "repeats", "waiting_hours", "tier", "entities", "answerability_below", "abstained",
)  # fmt: skip

# ---- the policy file ----


def _compile(value: object, info: ValidationInfo) -> Words | None:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
        raise ValueError("must be a list of patterns")
    context = info.context or {"terms": {}}
    return Words(value, context["terms"], None if info.field_name == "unless" else context.get("among"))


class Example(BaseModel):
    """A case to test all of a rule's conditions on: the customer's messages, `hours` the times at which they came, and what is known beside."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    turns: list[str] = Field(min_length=1)
    hours: list[Hours] | None = None
    channel: Channel = "email"
    tier: str | None = None
    intent: str = "other"
    sentiment: Mood = "neutral"
    trend: Trend = "steady"
    answerability: float = Field(1.0, ge=0, le=1)
    abstained: bool = False

    @model_validator(mode="after")
    def _a_time_for_each(self) -> Example:
        if self.hours is not None and len(self.hours) != len(self.turns):
            raise ValueError("`hours` needs one time for each of `turns`")
        return self


class Tests(BaseModel):
    """Messages that must fire a rule, and near misses that must not; a bare text tests the words alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    fires: tuple[str | Example, ...]
    quiet: tuple[str | Example, ...]


class Rule(BaseModel):
    """One reason to call a person. All conditions that it names must hold; `unless` cancels words in the same clause."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    code: Name
    level: Literal["note", "lead", "specialist", "emergency"]
    team: Name
    weight: float = Field(gt=0, le=1)
    standing: bool = False
    words: Annotated[Words | None, BeforeValidator(_compile)] = None
    unless: Annotated[Words | None, BeforeValidator(_compile)] = None
    refund_above: Literal["limit"] | float | None = None
    intent: str | None = None
    sentiment: tuple[Mood, ...] = ()
    confidence: float = Field(0, ge=0, le=1)
    trend: Trend | None = None
    repeats: int | None = Field(None, ge=2)
    within_hours: Hours | None = Field(None, gt=0)
    waiting_hours: Hours | None = Field(None, gt=0)
    tier: tuple[Name, ...] = ()
    entities: tuple[Name, ...] = ()
    answerability_below: float | None = Field(None, gt=0, le=1)
    abstained: Literal[True] | None = None
    doubted_below: float | None = Field(None, gt=0, le=1)
    test: Tests | None = None

    @model_validator(mode="after")
    def _has_a_condition(self) -> Rule:
        conditions = (self.words, self.intent, self.sentiment, self.trend, self.repeats, self.abstained, self.tier)
        if not any((*conditions, self.entities, self.waiting_hours, self.answerability_below)):
            raise ValueError(f"has no condition: give one of {', '.join(CONDITIONS)}")
        if self.within_hours and not self.repeats:
            raise ValueError("`within_hours` needs `repeats`")
        if not self.words and (self.unless or self.refund_above is not None):
            raise ValueError("`unless` and `refund_above` need `words`")
        return self


class Learned(BaseModel):
    """What the learned chance that a person is needed counts for: a reason of its own from `shown_from`, with `weight` times the chance."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    level: Literal["note", "lead", "specialist", "emergency"]
    team: str
    weight: float = Field(gt=0, le=1)
    shown_from: float = Field(0.5, ge=0, le=1)


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules in force, and the score from which stepping in is recommended."""

    threshold: float
    rules: tuple[Rule, ...]
    learned: Learned | None = None
    reads_like: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    filter: Prefilter | None = None
    """Tells which rules' words are worth looking for: the one that they were made with, or all are looked for."""

    @property
    def looks_at_answers(self) -> bool:
        """Whether a rule asks how well the message can be answered; else only an abstention changes what was decided without that."""
        return any(rule.answerability_below is not None for rule in self.rules)

    @classmethod
    def load(cls, path: Path) -> Policy:
        """The policy in a YAML file. Raises ConfigurationError that names the rule at fault."""
        import yaml

        try:
            raw = yaml_file.read(path)
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise ConfigurationError(f"The escalation policy {path} cannot be read: {error}") from error
        if not isinstance(raw, dict):
            raise ConfigurationError(f"The escalation policy {path} is empty or a mere list. {START_FROM}")
        try:
            return cls._of(_File.model_validate(raw))
        except (ValidationError, ValueError) as error:
            raise ConfigurationError(f"The escalation policy {path} is wrong: {yaml_file.explained(error)}") from error

    @classmethod
    def _of(cls, file: _File) -> Policy:
        filter = Prefilter()
        rules = tuple(_rule(number, raw, file.terms, filter) for number, raw in enumerate(file.rules, 1))
        filter.compile()
        return cls(file.threshold, rules, file.learned, file.reads_like, filter)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    learned: Learned | None = None
    reads_like: dict[str, tuple[float, float]] = {}
    version: Literal[1]
    threshold: float = Field(gt=0, le=1)
    terms: dict[str, list[str]] = {}
    rules: list[dict[str, Any]] = Field(min_length=1)

    @model_validator(mode="after")
    def _reads_like_its_rules(self) -> _File:
        if unknown := sorted(set(self.reads_like) - {str(rule.get("code")) for rule in self.rules}):
            raise ValueError(f"`reads_like` names {unknown[0]}, which no rule gives")
        return self


def _rule(number: int, raw: dict[str, Any], terms: Mapping[str, Sequence[str]], filter: Prefilter) -> Rule:
    try:
        return Rule.model_validate(raw, context={"terms": terms, "among": filter})
    except ValidationError as error:
        raise ValueError(
            f"rule {number} ({raw.get('code', 'without a code')}): {yaml_file.explained(error)}"
        ) from error


# ---- the decision ----


def escalate(
    policy: Policy, conversation: Conversation, triage: Triage, abstained: bool, refund_limit: float, answerability: float = 1.0
) -> Escalation:  # fmt: skip
    """Whether a person should step in, who, and why: one reason a code, the strongest first; the score is 1 - Π(1 - weight)."""
    case = Case.of(conversation, triage, abstained, refund_limit, answerability, policy.filter)
    fired = [(rule, reason) for rule in policy.rules if (reason := reason_of(rule, case))]
    kept = strongest([believed(policy, case, *one) for one in (*fired, *read_alike(policy, case))])
    grounds = [Ground(reason, rule.level, rule.team) for rule, reason in kept]
    unseen, said_so = learned(policy, None if case.brief else triage.attention, grounds)
    called = [one for one in grounds if one.level != "note"]  # the learned chance knows no team
    grounds = sorted([*grounds, *said_so], key=lambda one: -one.reason.weight)
    known = [*called, *(one for one in grounds if one.reason.weight > NOTED)]
    score = _score(grounds, unseen)
    return Escalation(
        recommended=score >= policy.threshold,
        level=max((one.level for one in grounds), key=LEVELS.index, default=None),
        team=next((one.team for one in known), None),
        score=score,
        reasons=tuple(one.reason for one in grounds),
    )


@dataclass(frozen=True, slots=True)
class Ground:
    """A reason with whom it calls."""

    reason: Reason
    level: str
    team: str


def _score(grounds: Sequence[Ground], unseen: float = 0.0) -> float:
    return round(1 - (1 - unseen) * math.prod(1 - one.reason.weight for one in grounds), 4)


def learned(policy: Policy, attention: Reason | None, others: Sequence[Ground]) -> tuple[float, list[Ground]]:
    """What the learned chance adds to the score unseen, or, where it is high enough or decides, as a reason with the phrase that weighs most."""
    own = policy.learned
    if own is None or attention is None:
        return 0.0, []
    weight = round(own.weight * attention.weight, 4)
    decides = _score(others) < policy.threshold <= _score(others, weight)
    if attention.weight < own.shown_from and not decides:
        return weight, []
    return 0.0, [Ground(replace(attention, weight=weight), own.level, own.team)]


def read_alike(policy: Policy, case: Case) -> list[tuple[Rule, Reason]]:
    """The first rule of each code that the message reads like, whatever its words: with its own weight where that is sure, else as a note.

    A note it is as well where the message has hardly any words, or the code's rules take back what the phrase says.
    """
    rules = {rule.code: rule for rule in reversed(policy.rules)}
    found = []
    for one in case.triage.reads_like:
        told_from, counts_from = policy.reads_like.get(one.code, (math.inf, math.inf))
        if one.weight < min(told_from, counts_from):
            continue
        sure = one.weight >= counts_from and not case.brief and not taken_back(policy, one)
        weighed = replace(one, weight=rules[one.code].weight)
        found.append((rules[one.code], weighed) if sure else noted(rules[one.code], one))
    return found


def taken_back(policy: Policy, one: Reason) -> bool:
    """Whether an `unless` of the reason's code is in its phrase, and no words that one of the code's rules would stand by."""
    phrase = fold(one.quote)
    rules = [rule for rule in policy.rules if rule.code == one.code and rule.unless]
    doubts = any(rule.unless and next(rule.unless.find(phrase), None) for rule in rules)
    return doubts and not any(said(rule, phrase) for rule in rules)


def believed(policy: Policy, case: Case, rule: Rule, reason: Reason) -> tuple[Rule, Reason]:
    """The reason as it stands, or as a note: where its rule is doubted at so low a learned chance that a person is needed, and where it is
    an intent, read from words that deny a harm, or that the code's rules take back."""
    attention = case.triage.attention
    doubted = rule.doubted_below is not None and attention is not None and attention.weight < rule.doubted_below
    by_intent = rule.intent is not None and rule.words is None
    denied = by_intent and (case.turns[-1].denies_in(reason.quote) or taken_back(policy, reason))
    return noted(rule, reason) if doubted or denied else (rule, reason)


def noted(rule: Rule, reason: Reason) -> tuple[Rule, Reason]:
    """The reason as a note: told, and hardly counted."""
    return rule.model_copy(update={"level": "note"}), replace(reason, weight=NOTED)


def strongest(fired: list[tuple[Rule, Reason]]) -> list[tuple[Rule, Reason]]:
    """The strongest reason of each code, strongest first; of equal ones the higher level, then the earlier rule."""
    ordered = sorted(fired, key=lambda pair: (-pair[1].weight, -LEVELS.index(pair[0].level)))
    best = {pair[1].code: pair for pair in reversed(ordered)}
    return [pair for pair in ordered if best[pair[1].code] is pair]


def reason_of(rule: Rule, case: Case) -> Reason | None:
    """The reason that a rule gives in this case, if all its conditions hold; words count where they were written last."""
    if not case.turns or not _holds(rule, case):
        return None
    latest = case.turns[-1]
    if rule.words is None:
        at = _told_by(rule, case)
        turn = next((turn for turn in case.turns if at and turn.index == at.message), latest)
        return _reason(rule, turn, (at.start, at.end) if at else (0, 0))
    for turn in reversed(case.turns):
        if span := _span(rule, turn, case.refund_limit):
            return _reason(rule, turn, span)
    in_subject = rule.refund_above is None and said(rule, case.subject, case.in_subject)
    return _reason(rule, latest, (0, 0)) if in_subject else None


def _told_by(rule: Rule, case: Case) -> Entity | Reason | None:
    """What a rule without words rests on: the fact named, else the words that carry the mood or the intent."""
    triage = case.triage
    if named := next((one for one in triage.entities if one.type in rule.entities), None):
        return named
    if rule.sentiment or rule.trend:
        return next(iter(triage.sentiment.reasons), None)
    return _words_of_intent(rule, case) if rule.intent else None


def _words_of_intent(rule: Rule, case: Case) -> Reason | None:
    """The clause of a message with several wishes, else the phrase that reads most like the rule's code, else a short message itself."""
    wished = (reason for one in case.triage.intents if one.label == rule.intent for reason in one.reasons)
    alike = (one for one in case.triage.reads_like if one.code == rule.code and one.quote)
    if found := next(wished, None) or next(alike, None):
        return found
    latest = case.turns[-1]
    start, end = shown(latest.text, *latest.told())
    if not 0 < end - start <= LONG:
        return None
    return Reason(
        code=rule.code, message=latest.index, start=start, end=end, quote=latest.text[start:end], weight=rule.weight
    )


def _reason(rule: Rule, turn: Turn, span: tuple[int, int]) -> Reason:
    start, end = span
    weight = rule.weight * ANSWERED if turn.answered and not rule.standing else rule.weight
    return Reason(code=rule.code, message=turn.index, start=start, end=end, quote=turn.text[start:end], weight=weight)


def _holds(rule: Rule, case: Case) -> bool:
    """Whether the conditions hold that are not about words."""
    intent, mood = case.triage.intent, case.triage.sentiment
    return (
        (rule.intent is None or (intent.label == rule.intent and intent.confidence >= rule.confidence))
        and (not rule.sentiment or (mood.label in rule.sentiment and mood.confidence >= rule.confidence))
        and (rule.trend is None or mood.trend == rule.trend)
        and (rule.repeats is None or case.contacts(rule.within_hours) >= rule.repeats)
        and (rule.abstained is None or case.abstained)
        and (rule.waiting_hours is None or case.waited_hours() >= rule.waiting_hours)
        and (rule.answerability_below is None or case.answerability < rule.answerability_below)
        and (
            not rule.tier or (case.conversation.customer.tier or "").casefold() in {one.casefold() for one in rule.tier}
        )
        and (not rule.entities or any(one.type in rule.entities for one in case.triage.entities))
    )


def _span(rule: Rule, turn: Turn, limit: float) -> tuple[int, int] | None:
    """The words of the turn that meet the rule; for a refund, the amount asked back."""
    span = said(rule, turn.words, turn.may)
    if span is None or rule.refund_above is None:
        return span
    above = limit if rule.refund_above == "limit" else rule.refund_above
    left, right = Clauses(turn.words).around(*span)
    named = (one for one in in_message(turn.text, turn.index) if one.type == "amount")
    amounts = [one for one in named if HIDDEN not in turn.words[one.start : one.end]]
    near = [one for one in amounts if left <= one.start < right] or amounts
    most = max(near, key=lambda one: value(one.text), default=None)
    return (most.start, most.end) if most and value(most.text) > above else None


def said(rule: Rule, text: str, may: frozenset[int] | None = None) -> tuple[int, int] | None:
    """The first stretch that matches the rule's words and is not cancelled by an `unless` in the same clause."""
    if rule.words is None or (first := next(rule.words.find(text, may), None)) is None:
        return None
    cancelling = list(rule.unless.find(text, may)) if rule.unless else []
    if not cancelling:
        return first
    clauses, ends = Clauses(text), [end for _, end in cancelling]
    for span in rule.words.find(text, may):
        left, right = clauses.around(*span)
        at = bisect_right(ends, left)
        if at == len(cancelling) or cancelling[at][0] >= right:
            return span
    return None


def words_of(rule: Rule, text: str, limit: float) -> str | None:
    """The words of a bare text that meet the rule's patterns; None where none do."""
    span = _span(rule, Turn.of(0, text), limit)
    return text[slice(*span)] if span else None
