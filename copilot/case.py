"""What an escalation policy's rules may ask about: the customer's own words, how often and how long ago they wrote, and the triage."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from copilot.denied import hidden, left
from copilot.domain import Conversation, Message, Triage
from copilot.thanks import without_thanks
from copilot.words import HIDDEN, Prefilter, fold, without_quotes

ANOTHER_CONTACT = timedelta(hours=12)
"""Messages nearer to each other than this are one attempt to reach somebody."""

BRIEF = 3
"""Below so many words a message says too little for anything learned to count: "login" is no break-in."""
_WORD = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]|[^\W_]+")

_SENTENCE = re.compile(r"[^.!?\n]+[.!?\n]*")


@dataclass(frozen=True, slots=True)
class Turn:
    """A customer's message: its own words, folded, at the offsets of the message as received, without harms that it denies.

    `answered` once an agent replied to it, `denies` where one was plainly denied.
    """

    index: int
    text: str
    words: str
    answered: bool
    may: frozenset[int] | None = None
    """Which of a policy's expressions may be in its words; None: any."""
    denies: bool = False

    @classmethod
    def of(cls, index: int, text: str, answered: bool = False, filter: Prefilter | None = None) -> Turn:
        """The turn that a message's text as received makes."""
        own = fold(without_quotes(text))
        words = hidden(own)
        denies = words != own and left(own) != own
        return cls(index, text, words, answered, filter.may(words) if filter else None, denies)

    def denies_in(self, quote: str) -> bool:
        """Whether it denies a harm, and these words of it are that denial or none at all."""
        own = fold(quote)
        return self.denies and (not own or hidden(own) != own)

    def told(self) -> tuple[int, int]:
        """Where it says most: all of it, or where part is hidden its longest sentence, one without a denied harm first."""
        if HIDDEN not in self.words:
            return 0, len(self.text)
        own = without_quotes(self.text)
        for text, least in ((self.words, BRIEF), (own, 1)):
            spans = [one.span() for one in _SENTENCE.finditer(text) if HIDDEN not in one[0]]
            if spans := [(start, end) for start, end in spans if len(_WORD.findall(text[start:end])) >= least]:
                return max(spans, key=lambda span: span[1] - span[0])
        return 0, 0


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that a rule may ask about."""

    turns: tuple[Turn, ...]
    subject: str
    conversation: Conversation
    unanswered: tuple[Message, ...]
    triage: Triage
    abstained: bool
    refund_limit: float
    answerability: float = 1.0
    in_subject: frozenset[int] | None = None

    @classmethod
    def of(
        cls, conversation: Conversation, triage: Triage, abstained: bool, refund_limit: float, answerability: float = 1.0,
        filter: Prefilter | None = None,
    ) -> Case:  # fmt: skip
        """The case that a conversation makes; only what the customer wrote counts."""
        replied = max(
            (i for i, m in enumerate(conversation.messages) if m.author == "agent" and m.visibility == "public"),
            default=-1,
        )
        turns = tuple(
            Turn.of(index, message.text, index < replied, filter)
            for index, message in enumerate(conversation.messages)
            if message.author == "customer" and message.visibility == "public"
        )
        fresh = [conversation.messages[turn.index] for turn in turns if not turn.answered]
        if len(fresh) > 1 and replied >= 0:  # who thanked for a reply and writes again later did not wait in between
            fresh = [*without_thanks(fresh[:-1], conversation), fresh[-1]]
        subject = hidden(fold(conversation.subject)) if replied < 0 else ""
        may = filter.may(subject) if filter else None
        return cls(turns, subject, conversation, tuple(fresh), triage, abstained, refund_limit, answerability, may)

    @property
    def brief(self) -> bool:
        """Whether the customer's latest message, with a subject that counts, has hardly any words; each sign is one in scripts without spaces."""
        latest = self.turns[-1].words if self.turns else ""
        return len(_WORD.findall(f"{self.subject} {latest}")) < BRIEF

    def contacts(self, within_hours: float | None = None) -> int:
        """How often the customer has written since the last reply, or in the hours before their latest letter; lines sent one after
        another, as in a chat, are one time."""
        times = sorted(in_utc(message.at) for message in self.unanswered if message.at)
        if len(times) < len(self.unanswered):
            return len(self.unanswered) if self.conversation.channel in ("email", "form") else 1
        first = times[-1] - timedelta(hours=within_hours) if within_hours and times else None
        begun = [at for i, at in enumerate(times) if not i or at - times[i - 1] >= ANOTHER_CONTACT]
        return sum(first is None or at >= first for at in begun)

    def waited_hours(self) -> float:
        """The hours from the first letter without a reply to the thread's last entry: what the thread itself tells, whatever the clock says."""
        begun = [in_utc(message.at) for message in self.unanswered if message.at]
        last = [in_utc(message.at) for message in self.conversation.messages if message.at]
        return (max(last) - min(begun)) / timedelta(hours=1) if begun else 0.0


def in_utc(at: datetime) -> datetime:
    """A time that compares with any other; one without a zone counts as UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)
