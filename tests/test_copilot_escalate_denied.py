"""What takes back a reason, said or read: denials, praise, questions before buying, other people's words; and what must not."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from copilot.critical import critical
from copilot.domain import Conversation, Escalation, Message, Reason, Sentiment, Tag, Triage
from copilot.escalate import NOTED, escalate
from copilot.phrases import phrases
from copilot.ports import Embedder
from copilot.probe import Probes
from copilot.settings import Settings
from copilot.urgency import attention, from_phrase
from tests.conftest import asks
from tests.test_copilot_escalate import POLICY, decide, triage


@pytest.fixture(scope="module")
def read(embedder: Embedder) -> Reader:
    return Reader(embedder)


class Reader:
    """The shipped policy with what the shipped head of critical codes reads."""

    def __init__(self, embedder: Embedder) -> None:
        self.embedder, self.head = embedder, critical(embedder, Settings().models)
        self.decided = cache(self._decided)

    def _decided(self, text: str) -> Escalation:
        asked = asks(text)
        near = self.head.read(phrases(text), *Probes(self.head.probe).encoded(self.embedder, text))
        alike = tuple(from_phrase(asked, one.code, one.phrase, one.chance) for one in near)
        return escalate(POLICY, asked, replace(triage(), reads_like=alike), False, 150.0)

    def counted(self, text: str) -> set[str]:
        """The codes that count: more than notes."""
        return {one.code for one in self.decided(text).reasons if one.weight > NOTED}

    def told(self, text: str) -> set[str]:
        """All codes."""
        return {one.code for one in self.decided(text).reasons}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I don't want to speak to a human", "asks_for_person"),
        ("No human please", "asks_for_person"),
        ("I am not asking for a manager", "asks_for_person"),
        ("no quiero hablar con un agente", "asks_for_person"),
        ("Ich brauche keinen Mitarbeiter", "asks_for_person"),
        ("Ich möchte nicht mit einem Mitarbeiter sprechen, Chat reicht.", "asks_for_person"),
        ("Je n'ai pas besoin d'un conseiller", "asks_for_person"),
        ("Bitte rufen Sie mich nicht an.", "asks_for_person"),
        ("Ik hoef geen medewerker te spreken", "asks_for_person"),
        ("I was not hacked.", "security_incident"),
        ("No data was lost.", "data_loss"),
        ("I'm not a minor, I'm 34.", "minors"),
        ("I am not a journalist, just curious about your history.", "press"),
        ("I have no intention of taking legal action, I only want an explanation.", "legal_threat"),
        ("I will not leave you for a competitor.", "churn_threat"),
        ("It did not catch fire.", "safety"),
        ("I don't smell gas.", "safety"),
        ("There was no smell of gas.", "safety"),
        ("I was not burned.", "safety"),
        ("It is not a fire hazard, right?", "safety"),
        ("Es hat nicht gebrannt.", "safety"),
        ("Ça n'a pas pris feu.", "safety"),
        ("Ik ruik geen gas.", "safety"),
        ("No huelo a gas.", "safety"),
    ],
)
def test_what_is_denied_counts_for_nothing(read: Reader, text: str, code: str) -> None:
    assert code not in read.counted(text)
    assert read.decided(text).level in (None, "note")


@pytest.mark.parametrize(
    "text",
    [
        "I don't want to talk to anyone.",
        "I do not want to die, I just want my parcel, haha",
        "I would never hurt myself over a late pizza",
        "no quiero morir, jaja",
        "my mother was not afraid because of her",
    ],
)
def test_self_harm_that_is_denied_is_still_told_as_a_note(read: Reader, text: str) -> None:
    assert "self_harm" in read.told(text) - read.counted(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("It did not stop burning.", "safety"),
        ("Not only did it catch fire, it also burned my hand", "safety"),
        ("It did not catch fire, it exploded", "safety"),
        ("It has not caught fire yet but it smokes", "safety"),
        ("The smell of gas does not go away", "safety"),
        ("Nobody was burned but the house is on fire", "safety"),
        ("The firework exploded in my hand", "safety"),
        ("We need a fire extinguisher now, the oven is burning!", "safety"),
        ("I don't want to live any more", "self_harm"),
        ("I don't want to die, but I can't go on like this", "self_harm"),
        ("I do not want to die.", "self_harm"),
        ("I hurt myself when I feel alone", "self_harm"),
        ("A girl in your game chat wrote that she has taken all her pills.", "self_harm"),
        ("Ich will nicht mehr leben", "self_harm"),
        ("No quiero vivir", "self_harm"),
        ("I'm not asking for a bot, I want a person", "asks_for_person"),
        ("Is there no human?", "asks_for_person"),
        ("Ich will nicht mit einem Bot, sondern mit einem Mitarbeiter sprechen", "asks_for_person"),
        ("Je ne veux pas parler à un robot, je veux un conseiller", "asks_for_person"),
        ("We paid your invoice twice.", "payment_dispute"),
        ("My 12 year old son bought coins without asking", "minors"),
    ],
)
def test_a_negation_of_something_else_takes_nothing_back(read: Reader, text: str, code: str) -> None:
    assert code in read.counted(text)
    assert read.decided(text).recommended


@pytest.mark.parametrize(
    "text",
    [
        "The film was so funny I nearly died. Do you have the sequel?",
        "The concert was a blast, we nearly died laughing.",
        "The firework show was explosive, 10 out of 10",
        "The plumber killed it! Leak gone in ten minutes, kitchen spotless.",
        "Which extinguisher puts out an electrical fire?",
        "Is the lamp safe from electric shock in the bathroom?",
        "If the battery ever caught fire, what would your warranty cover?",
        "My neighbour's router caught fire last year, a different brand. Is yours safe?",
        "My cat is called Miso and she is six.",
        "My son turned 18 today and wants his own contract.",
        "Is your app suitable for kids under 13?",
        "My dog is 11 and has arthritis",
        "I'm leaving you five stars.",
        "We paid your invoice 2025-113 of 3,400.00 USD today.",
        "The call me back button does nothing",
        "How do I set up the human handoff so that people can talk to an agent?",
        "talk to my manager first, then I will upgrade",
        "My friend told me she would sue you but I told her to calm down",
        "My wife said I should call a lawyer but I think that's silly.",
    ],
)
def test_praise_questions_and_reported_speech_call_nobody(read: Reader, text: str) -> None:
    assert not read.counted(text)


@pytest.mark.parametrize(
    "text", ["pills", "dead", "refund", "login", "school", "media", "privacy", "phone number", "interview"]
)
def test_one_or_two_words_are_only_noted_whatever_they_read_like(read: Reader, text: str) -> None:
    assert not read.counted(text)
    called = replace(triage(), attention=attention(asks(text), 0.9, text))
    assert not decide(text, called).recommended
    assert decide(f"{text} again, and nobody helps", called).recommended


def test_a_sentence_without_spaces_is_not_taken_for_one_word() -> None:
    text = "我的账户被盗了"
    alike = Reason(code="security_incident", message=0, start=0, end=len(text), quote=text, weight=0.99)
    assert decide(text, replace(triage(), reads_like=(alike,))).recommended


# ---- the reasons that are shown ----


def told_alike(text: str, code: str, chance: float = 0.99) -> Triage:
    return replace(triage(), reads_like=(from_phrase(asks(text), code, text, chance),))


def test_words_and_what_they_read_like_are_one_reason() -> None:
    text = "I will sue you"
    made = decide(text, told_alike(text, "legal_threat"))
    assert [(one.code, one.quote) for one in made.reasons] == [("legal_threat", text)]
    assert made.score == 0.7


@pytest.mark.parametrize(("chance", "shown"), [(0.45, False), (0.5, True), (0.59, True), (0.7, True)])
def test_what_was_learned_is_shown_wherever_it_decides(chance: float, shown: bool) -> None:
    text = "So this is how it ends"
    made = decide(text, replace(triage(), attention=attention(asks(text), chance, text)))
    assert made.recommended is shown
    assert [(one.code, one.quote) for one in made.reasons] == [("reads_like_one", text)] * shown


def test_what_was_learned_is_not_shown_below_its_chance_where_words_decide() -> None:
    text = "Let me speak to a human"
    made = decide(text, replace(triage(), attention=attention(asks(text), 0.55, text)))
    assert [one.code for one in made.reasons] == ["asks_for_person"]


def test_a_worsening_mood_is_quoted() -> None:
    text = "Still nothing. This is a disgrace."
    words = Reason(code="very_negative", message=2, start=15, end=len(text), quote=text[15:], weight=0.9)
    mood = Sentiment(label="very_negative", confidence=0.9, level="high", trend="worsening", reasons=(words,))
    thread = Conversation(
        messages=(Message(text="Hello"), Message(author="agent", text="Hi"), Message(text=text)), channel="chat"
    )
    (reason,) = decide(thread, replace(triage(), sentiment=mood)).reasons
    assert (reason.code, reason.message, reason.quote) == ("worsening_mood", 2, "This is a disgrace.")


def test_an_intent_is_quoted_by_the_phrase_that_reads_like_its_code_else_by_a_short_message() -> None:
    text = "Hello. Odd things happen on our books since Tuesday."
    read = triage(intent="security_incident", confidence=0.9)
    (reason,) = decide(text, read).reasons
    assert (reason.quote, reason.start) == (text.rstrip("."), 0)
    phrase = "Odd things happen on our books since Tuesday."
    alike = from_phrase(asks(text), "security_incident", phrase, 0.3)
    assert decide(text, replace(read, reads_like=(alike,))).reasons[0].quote == phrase
    assert decide(text * 4, read).reasons[0].quote == ""


def test_of_several_wishes_the_clause_of_the_intent_is_quoted() -> None:
    text = "Where is my order? Also, odd things happen here."
    words = Reason(code="security_incident", message=0, start=25, end=47, quote=text[25:47], weight=0.8)
    wish = Tag(label="security_incident", confidence=0.8, level="high", reasons=(words,))
    read = replace(triage(intent="security_incident", confidence=0.9), intents=(wish,))
    assert decide(text, read).reasons[0].quote == "odd things happen here"


def test_an_intent_read_from_words_that_are_taken_back_is_a_note() -> None:
    text = "I was not hacked."
    read = replace(told_alike(text, "security_incident"), intent=triage(intent="security_incident").intent)
    made = decide(text, read)
    assert [(one.code, one.weight) for one in made.reasons] == [("security_incident", NOTED)]
    assert not made.recommended


@pytest.mark.parametrize(
    ("text", "quote", "noted"),
    [
        ("I was not hacked.", "I was not hacked", True),
        ("I was not hacked, just curious.", "I was not hacked, just curious", True),
        (
            "There was no breach on our side. Your server published our customers' addresses.",
            "Your server published our customers' addresses",
            False,
        ),
        ("Strangers read our books. There was no fire, though.", "Strangers read our books", False),
    ],
)
def test_an_intent_is_a_note_only_where_its_own_words_deny_a_harm(text: str, quote: str, noted: bool) -> None:
    (reason,) = decide(text, triage(intent="security_incident", confidence=0.9)).reasons
    assert (reason.quote, reason.weight == NOTED) == (quote, noted)
    assert text[reason.start : reason.end] == quote
