"""Request bodies with their bounds, and the nouns that they become. Unknown fields are refused by name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.words import clean
from copilot.ask import Question
from copilot.choices import Click, Corrected, Feedback
from copilot.domain import Author, Channel, Conversation, Customer, Message, Options, Verdict, Visibility
from copilot.errors import TooLarge

YEARS = range(1900, 9000)
MAX_MESSAGES = 1000
MAX_REPLY = 20_000


def in_utc(time: datetime) -> datetime:
    """The time in UTC, where it has no zone as if it were; years that no clock shows are refused, since arithmetic on them overflows."""
    if time.year not in YEARS:
        raise ValueError(f"the year must be from {YEARS.start} to {YEARS.stop - 1}")
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


Words = Annotated[str, AfterValidator(clean)]
Time = Annotated[datetime, AfterValidator(in_utc)]
ConversationId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$")]
ForeignId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")]
Tone = Literal["friendly", "formal", "short"]
Mood = Literal["very_negative", "negative", "neutral", "positive", "very_positive"]


class Body(BaseModel):
    """A JSON object of exactly these fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MessageBody(Body):
    """One turn of a conversation."""

    author: Author = "customer"
    text: Words
    visibility: Visibility = "public"
    at: Time | None = None
    id: ForeignId | None = None

    def noun(self) -> Message:
        """As the domain has it."""
        return Message(author=self.author, text=self.text, visibility=self.visibility, at=self.at, id=self.id)


class CustomerBody(Body):
    """Who writes."""

    id: ForeignId | None = None
    name: Annotated[Words, Field(max_length=200)] | None = None
    locale: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,35}$")] | None = None
    tier: Annotated[Words, Field(max_length=64)] | None = None

    def noun(self) -> Customer:
        """As the domain has it."""
        return Customer(id=self.id, name=self.name, locale=self.locale, tier=self.tier)


class ConversationBody(Body):
    """A customer's thread, oldest message first."""

    id: ConversationId | None = None
    channel: Channel | None = Field(
        None,
        description="Where the customer wrote. Where left out, what is stored stays; a new conversation is an email.",
    )
    subject: Annotated[Words, Field(max_length=998)] = ""
    messages: list[MessageBody] = Field(min_length=1, max_length=MAX_MESSAGES)
    customer: CustomerBody = CustomerBody()

    def noun(self) -> Conversation:
        """As the domain has it."""
        messages = tuple(message.noun() for message in self.messages)
        return Conversation(
            id=self.id,
            channel=self.channel or "email",
            subject=self.subject,
            messages=messages,
            customer=self.customer.noun(),
        )


class OptionsBody(Body):
    """What is wanted of one suggestion."""

    before: Time | None = Field(None, description="Use only what was known before this time.")
    tone: Tone | None = None
    limit: int = Field(6, ge=1, le=20, description="How many passages to show.")

    def noun(self) -> Options:
        """As the domain has it."""
        return Options(before=self.before, tone=self.tone, limit=self.limit)


class SuggestBody(Body):
    """A conversation, or the id of one that is stored."""

    conversation: ConversationBody | None = None
    conversation_id: ConversationId | None = None
    options: OptionsBody = OptionsBody()

    @model_validator(mode="after")
    def _one_of_them(self) -> SuggestBody:
        if (self.conversation is None) == (self.conversation_id is None):
            raise ValueError("give either conversation or conversation_id")
        return self


class InstructBody(Body):
    """Say it as the agent wants it."""

    task: Literal["instruct"]
    instruction: Annotated[Words, Field(min_length=1, max_length=1000)]
    text: Words | None = Field(
        None, description="The reply as the agent has it; the suggestion's draft where left out."
    )


class TranslateBody(Body):
    """Say it in another language."""

    task: Literal["translate"]
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
    text: Words | None = None


class GrammarBody(Body):
    """Correct spelling and grammar and nothing else."""

    task: Literal["grammar"]
    text: Words | None = None


class RegenerateBody(Body):
    """How the next suggestion for the same conversation should differ."""

    options: OptionsBody = OptionsBody()
    otherwise: bool = Field(
        False,
        description="Draft from other sources than this draft's, and than those of drafts that it was itself to replace.",
    )
    rewrite: InstructBody | TranslateBody | GrammarBody | None = Field(
        None, discriminator="task", description="Put the reply in other words; takes a model (COPILOT_LLM)."
    )

    @model_validator(mode="after")
    def _one_at_a_time(self) -> RegenerateBody:
        if self.otherwise and self.rewrite:
            raise ValueError("give either otherwise or rewrite: a draft from other sources has other words to put")
        return self


class CheckBody(Body):
    """A reply as the agent has edited it."""

    text: Annotated[Words, Field(max_length=MAX_REPLY)]


class ClickBody(Body):
    """A citation that the agent looked up."""

    statement: int = Field(ge=0, lt=10_000, description="Which of the draft's statements, from 0.")
    citation: int = Field(0, ge=0, lt=1000, description="Which of its citations, from 0.")
    at: Time | None = None

    def noun(self) -> Click:
        """As the domain has it."""
        return Click(statement=self.statement, citation=self.citation, at=self.at)


class CorrectedBody(Body):
    """What the message really is; what is left out stands."""

    intent: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")] | None = Field(
        None, description="A label of the taxonomy, or `other`."
    )
    mood: Mood | None = None
    escalation: bool | None = Field(None, description="Whether a person should have stepped in.")

    def noun(self) -> Corrected:
        """As the domain has it."""
        return Corrected(intent=self.intent, mood=self.mood, escalation=self.escalation)


class FeedbackBody(Body):
    """What the agent did with a suggestion."""

    verdict: Verdict
    final_text: Words | None = Field(None, description="What was sent; `edited` needs it.")
    reason: Annotated[Words, Field(max_length=2000)] | None = None
    shown_at: Time | None = Field(None, description="When the agent saw it.")
    decided_at: Time | None = Field(None, description="When they decided; now, where left out.")
    copied: bool = Field(False, description="Whether text was copied out of the draft.")
    clicked: list[ClickBody] = Field([], max_length=200, description="The citations that the agent looked up.")
    corrected: CorrectedBody = CorrectedBody()

    @model_validator(mode="after")
    def _edited_says_to_what(self) -> FeedbackBody:
        if self.verdict == "edited" and not (self.final_text or "").strip():
            raise ValueError("an edited suggestion needs final_text: what was sent")
        return self

    def noun(self) -> Feedback:
        """As the domain has it."""
        return Feedback(
            verdict=self.verdict,
            final_text=self.final_text,
            reason=self.reason,
            shown_at=self.shown_at,
            decided_at=self.decided_at,
            copied=self.copied,
            clicked=tuple(click.noun() for click in self.clicked),
            corrected=self.corrected.noun(),
        )


class GapBody(Body):
    """What the knowledge lacks."""

    note: Annotated[Words, Field(max_length=2000)] | None = None


class AskBody(Body):
    """The agent's own question."""

    question: Annotated[Words, Field(min_length=1, max_length=4000)]
    limit: int = Field(6, ge=1, le=20, description="How many articles to look at and to show.")
    before: Time | None = Field(None, description="Use only what was known before this time.")

    def noun(self) -> Question:
        """As the domain has it."""
        return Question(text=self.question, limit=self.limit, before=self.before)


class RouteBody(Body):
    """What a caller or writer said."""

    words: Annotated[Words, Field(min_length=1, max_length=4000)]
    channel: Channel = "phone"
    locale: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,35}$")] | None = None

    def noun(self) -> Conversation:
        """As the domain has it."""
        customer = Customer(locale=self.locale)
        return Conversation(channel=self.channel, messages=(Message(text=self.words),), customer=customer)


def within(texts: Iterable[str], limit: int) -> None:
    """Raise TooLarge where one of the texts is longer than the limit."""
    longest = max(map(len, texts), default=0)
    if longest > limit:
        raise TooLarge(
            f"A text of {longest} characters came; {limit} are taken. Shorten it, or raise COPILOT_MAX_MESSAGE_CHARS."
        )
