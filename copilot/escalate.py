"""Whether a person should step in: a policy file's rules over the customer's words and the triage, each reason with the words that gave it.

In a policy's patterns (RE2, whole words, any case, accents optional) a space stands for any gap within a sentence, `...` for up to five
words, an apostrophe for one or none, and `<name>` for any of the terms listed under that name.
"""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, model_validator

from copilot.domain import Conversation, Escalation, Message, Reason, Trend, Triage
from copilot.entities import in_message, value
from copilot.errors import ConfigurationError

LEVELS = ("note", "lead", "specialist", "emergency")
ANSWERED = 0.5
"""What is left of a weight when an agent has replied since the words were written, unless the rule is `standing`."""
ANOTHER_CONTACT = timedelta(hours=12)
"""Messages nearer to each other than this are one attempt to reach somebody."""
CHECK_LIMIT = 150.0
HIDDEN = "\0"

# ---- the policy file ----


class Words:
    """Patterns joined into one; `find` gives the stretches that match, in time linear in the text."""

    def __init__(self, patterns: Sequence[str], terms: Mapping[str, Sequence[str]]) -> None:
        expressions = [whole(pattern, terms) for pattern in patterns]
        try:
            self._compiled = compiled("|".join(expressions))
        except ValueError:
            for pattern, expression in zip(patterns, expressions, strict=True):
                require_compiles(pattern, expression)
            raise
        if self._compiled.search("") is not None:
            raise ValueError("a pattern matches the empty text, and so every message")

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        """The spans of all matches, in order."""
        return (match.span() for match in self._compiled.finditer(text))


def whole(pattern: str, terms: Mapping[str, Sequence[str]]) -> str:
    """The RE2 expression that a policy's pattern stands for. Raises ValueError for a term that is not listed."""
    for name, words in terms.items():
        pattern = pattern.replace(f"<{name}>", f"(?:{'|'.join(words)})")
    gap = r"(?:[^\w.!?\x00]+)"
    spelled_out = fold(pattern.replace(" ... ", rf"(?:{gap}\w+){{0,5}}{gap}").replace("'", "'?")).replace(" ", gap)
    if unknown := compiled("<[a-z_]+>").search(pattern):
        raise ValueError(f"the pattern {pattern!r} uses {unknown.group()}, which is not listed under `terms`")
    return rf"(?:^|\b)(?:{spelled_out})(?:\b|$)"


def require_compiles(pattern: str, expression: str) -> None:
    """Raise ValueError that names the pattern at fault."""
    try:
        compiled(expression)
    except ValueError as error:
        raise ValueError(f"the pattern {pattern!r} is no RE2 expression: {error}") from error


def compiled(expression: str) -> Any:
    """The expression in RE2: any case, no groups, linear time. Raises ValueError."""
    import re2

    options = re2.Options()
    options.case_sensitive, options.never_capture, options.log_errors = False, True, False
    options.max_mem = 1 << 25  # at RE2's own limit of 8 MB, rules of this size fall back to its slow engine
    try:
        return re2.compile(expression, options)
    except re2.error as error:
        raise ValueError(str(error)[:200]) from error


def _compile(value: object, info: ValidationInfo) -> Words | None:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
        raise ValueError("must be a list of patterns")
    terms = info.context or {}
    return Words(value, terms)


class Tests(BaseModel):
    """Messages that must fire a rule, and near misses that must not."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    fires: tuple[str, ...]
    quiet: tuple[str, ...]


class Rule(BaseModel):
    """One reason to call a person. All conditions that it names must hold; `unless` cancels words in the same clause."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    code: str
    level: Literal["note", "lead", "specialist", "emergency"]
    team: str
    weight: float = Field(gt=0, le=1)
    standing: bool = False
    words: Annotated[Words | None, BeforeValidator(_compile)] = None
    unless: Annotated[Words | None, BeforeValidator(_compile)] = None
    refund_above: Literal["limit"] | float | None = None
    intent: str | None = None
    sentiment: tuple[str, ...] = ()
    confidence: float = Field(0, ge=0, le=1)
    trend: Trend | None = None
    repeats: int | None = Field(None, ge=2)
    abstained: Literal[True] | None = None
    test: Tests | None = None

    @model_validator(mode="after")
    def _has_a_condition(self) -> Rule:
        if not any((self.words, self.intent, self.sentiment, self.trend, self.repeats, self.abstained)):
            raise ValueError("has no condition: give words, intent, sentiment, trend, repeats or abstained")
        if not self.words and (self.unless or self.refund_above is not None):
            raise ValueError("`unless` and `refund_above` need `words`")
        return self


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules in force, and the score from which stepping in is recommended."""

    threshold: float
    rules: tuple[Rule, ...]

    @classmethod
    def load(cls, path: Path) -> Policy:
        """The policy in a YAML file. Raises ConfigurationError that names the rule at fault."""
        import yaml

        try:
            raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise ConfigurationError(f"The escalation policy {path} cannot be read: {error}") from error
        try:
            return cls._of(_File.model_validate(raw))
        except (ValidationError, ValueError) as error:
            raise ConfigurationError(f"The escalation policy {path} is wrong: {_explained(error)}") from error

    @classmethod
    def _of(cls, file: _File) -> Policy:
        return cls(file.threshold, tuple(_rule(number, raw, file.terms) for number, raw in enumerate(file.rules, 1)))


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: Literal[1]
    threshold: float = Field(gt=0, le=1)
    terms: dict[str, list[str]] = {}
    rules: list[dict[str, Any]] = Field(min_length=1)


def _rule(number: int, raw: dict[str, Any], terms: Mapping[str, Sequence[str]]) -> Rule:
    try:
        return Rule.model_validate(raw, context=terms)
    except ValidationError as error:
        raise ValueError(f"rule {number} ({raw.get('code', 'without a code')}): {_explained(error)}") from error


def _explained(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}" for one in error.errors())


# ---- what the rules look at ----


@dataclass(frozen=True, slots=True)
class Turn:
    """A customer's message: its own words, folded, at the offsets of the message as received; `answered` once an agent replied to it."""

    index: int
    text: str
    words: str
    answered: bool


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that a rule may ask about."""

    turns: tuple[Turn, ...]
    subject: str
    contacts: int
    triage: Triage
    abstained: bool
    refund_limit: float

    @classmethod
    def of(cls, conversation: Conversation, triage: Triage, abstained: bool, refund_limit: float) -> Case:
        """The case that a conversation makes; only what the customer wrote counts."""
        replied = max(
            (i for i, m in enumerate(conversation.messages) if m.author == "agent" and m.visibility == "public"),
            default=-1,
        )
        turns = tuple(
            Turn(index, message.text, fold(without_quotes(message.text)), index < replied)
            for index, message in enumerate(conversation.messages)
            if message.author == "customer" and message.visibility == "public"
        )
        fresh = [conversation.messages[turn.index] for turn in turns if not turn.answered]
        subject = fold(conversation.subject) if replied < 0 else ""
        return cls(turns, subject, contacts(conversation, fresh), triage, abstained, refund_limit)


def contacts(conversation: Conversation, unanswered: Sequence[Message]) -> int:
    """How often the customer has written since the last reply; lines sent one after another, as in a chat, are one time."""
    times = [in_utc(message.at) for message in unanswered if message.at]
    if len(times) < len(unanswered):
        return len(unanswered) if conversation.channel in ("email", "form") else 1
    times.sort()
    return sum(1 for i, at in enumerate(times) if not i or at - times[i - 1] >= ANOTHER_CONTACT)


def in_utc(at: datetime) -> datetime:
    """A time that compares with any other; one without a zone counts as UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def fold(text: str) -> str:
    """The text without accents and typographic quotes, character for character, so that offsets stay."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode().translate(_foldings())


@cache
def _foldings() -> dict[int, str]:
    letters = {
        code: unicodedata.normalize("NFD", chr(code))[0] for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))
    }
    return {**letters, **dict.fromkeys(map(ord, "’‘ʼ`´"), "'"), 0xDF: "s", 0xA0: " ", 0x202F: " "}


QUOTE_FOLLOWS = (
    r"(?:-{2,}|_{5,}) {0,2}(?:original message|forwarded message|urspr.ngliche nachricht|weitergeleitete nachricht|message d'origine|"
    r"message transf.r.|oorspronkelijk bericht|doorgestuurd bericht|mensaje original|mensaje reenviado)",
    r"(?:on|am|le|op|el) [^\n]{4,200}(?:wrote|schrieb|a .crit|schreef|escribi.)[^\n]{0,80}:\s*$",
    r"(?:from|von|de|van): [^\n]{1,200}\n *(?:sent|gesendet|envoy.|verzonden|enviado)(?: le| el)? ?:",
)


def without_quotes(text: str) -> str:
    """The text with every quoted line, and the quoted mail below, blanked out in place."""
    below = _quote_follows().search(fold(text))
    end = below.start() if below else len(text)
    lines = text[:end].split("\n")
    shown = "\n".join(HIDDEN * len(line) if line.lstrip(" \t").startswith(">") else line for line in lines)
    return shown + HIDDEN * (len(text) - end)


@cache
def _quote_follows() -> Any:
    return compiled("(?m)" + "|".join(f"^[ \t]*{pattern}" for pattern in QUOTE_FOLLOWS))


# ---- the decision ----


def escalate(
    policy: Policy, conversation: Conversation, triage: Triage, abstained: bool, refund_limit: float
) -> Escalation:
    """Whether a person should step in, who, and why: one reason a code, the strongest first; the score is 1 - Π(1 - weight)."""
    case = Case.of(conversation, triage, abstained, refund_limit)
    fired = [(rule, reason) for rule in policy.rules if (reason := reason_of(rule, case))]
    kept = strongest(fired)
    score = round(1 - math.prod(1 - reason.weight for _, reason in kept), 4)
    return Escalation(
        recommended=score >= policy.threshold,
        level=max((rule.level for rule, _ in kept), key=LEVELS.index, default=None),
        team=kept[0][0].team if kept else None,
        score=score,
        reasons=tuple(reason for _, reason in kept),
    )


def strongest(fired: list[tuple[Rule, Reason]]) -> list[tuple[Rule, Reason]]:
    """The strongest reason of each code, strongest first; of equal ones the higher level, then the earlier rule."""
    ordered = sorted(fired, key=lambda pair: (-pair[1].weight, -LEVELS.index(pair[0].level)))
    best = {reason.code: (rule, reason) for rule, reason in reversed(ordered)}
    return [pair for pair in ordered if best[pair[1].code] == pair]


def reason_of(rule: Rule, case: Case) -> Reason | None:
    """The reason that a rule gives in this case, if all its conditions hold; words count where they were written last."""
    if not case.turns or not _holds(rule, case):
        return None
    latest = case.turns[-1]
    if rule.words is None:
        return _reason(rule, latest, (0, 0))
    for turn in reversed(case.turns):
        if span := _span(rule, turn, case.refund_limit):
            return _reason(rule, turn, span)
    in_subject = rule.refund_above is None and said(rule, case.subject)
    return _reason(rule, latest, (0, 0)) if in_subject else None


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
        and (rule.repeats is None or case.contacts >= rule.repeats)
        and (rule.abstained is None or case.abstained)
    )


def _span(rule: Rule, turn: Turn, limit: float) -> tuple[int, int] | None:
    """The words of the turn that meet the rule; for a refund, the amount asked back."""
    span = said(rule, turn.words)
    if span is None or rule.refund_above is None:
        return span
    above = limit if rule.refund_above == "limit" else rule.refund_above
    left, right = Clauses(turn.words).around(*span)
    named = (one for one in in_message(turn.text, turn.index) if one.type == "amount")
    amounts = [one for one in named if HIDDEN not in turn.words[one.start : one.end]]
    near = [one for one in amounts if left <= one.start < right] or amounts
    most = max(near, key=lambda one: value(one.text), default=None)
    return (most.start, most.end) if most and value(most.text) > above else None


def said(rule: Rule, text: str) -> tuple[int, int] | None:
    """The first stretch that matches the rule's words and is not cancelled by an `unless` in the same clause."""
    if rule.words is None or (first := next(rule.words.find(text), None)) is None:
        return None
    cancelling = list(rule.unless.find(text)) if rule.unless else []
    if not cancelling:
        return first
    clauses, ends = Clauses(text), [end for _, end in cancelling]
    for span in rule.words.find(text):
        left, right = clauses.around(*span)
        at = bisect_right(ends, left)
        if at == len(cancelling) or cancelling[at][0] >= right:
            return span
    return None


class Clauses:
    """Where a text's clauses begin and end: at punctuation, blank lines and "but"."""

    def __init__(self, text: str) -> None:
        cuts = [match.span() for match in _clause_ends().finditer(text)]
        self._begins = [0, *(end for _, end in cuts)]
        self._ends = [*(start for start, _ in cuts), len(text)]

    def around(self, start: int, end: int) -> tuple[int, int]:
        """The clauses that a stretch lies in, as one stretch."""
        first = max(bisect_right(self._begins, start) - 1, 0)
        last = min(bisect_left(self._ends, end), len(self._ends) - 1)
        return self._begins[first], self._ends[last]


@cache
def _clause_ends() -> Any:
    return compiled(r"[.!?;,:…]+(?:\s+|$)|\n\s*\n|\x00+|\s(?:but|aber|sondern|mais|maar|pero|sino)\s")


# ---- its own examples ----


def check(policy: Policy) -> list[str]:
    """What is wrong with the policy's own test messages; empty when each rule does what it says."""
    return [fault for rule in policy.rules if rule.words for fault in _faults(rule)]


def _faults(rule: Rule) -> list[str]:
    if rule.test is None:
        return [f"{rule.code}: has words and no test"]
    missed = [f"{rule.code}: does not fire on {text!r}" for text in rule.test.fires if not _fires(rule, text)]
    wrong = [
        f"{rule.code}: fires on {text!r}, at {found!r}" for text in rule.test.quiet if (found := _fires(rule, text))
    ]
    return missed + wrong


def _fires(rule: Rule, text: str) -> str:
    span = _span(rule, Turn(0, text, fold(without_quotes(text)), False), CHECK_LIMIT)
    return text[slice(*span)] if span else ""
