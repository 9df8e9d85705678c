"""Who only says that it is solved, or thanks, is not told once more what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from copilot.build import Parts
from copilot.domain import Channel, Conversation, Message
from copilot.settled import settled
from tests.conftest import AGENT, asks

ASKED = Message(text="How do I compact a folder? My disk is full.")
ADVISED = Message(author="agent", text="Right-click the folder and choose Compact. Did that help?")


def behind_advice(*texts: str, channel: Channel = "email") -> Conversation:
    return Conversation(channel=channel, messages=(ASKED, ADVISED, *(Message(text=text) for text in texts)))


@pytest.mark.parametrize(
    "text",
    [
        "Thanks!",
        "Thank you very much for your quick help.",
        "Thanks, that did it!",
        "Perfect, it is green again. You can close this.",
        "It works again, thank you very much 😀",
        "Yes, that helped, thanks.",
        "Hello Maud,\n\nthat worked.\n\nBest regards,\nAnna Ruiz",
        "Please close the ticket.",
        "Thanks, I'll try that tomorrow.",
        "Vielen Dank für die schnelle Hilfe, es funktioniert wieder!",
        "Merci beaucoup, ça marche.",
        "Bedankt, het werkt weer.",
        "Gracias por su ayuda, ya funciona.",
        "Thanks!\n\nOn 2 May Maud wrote:\n> Right-click the folder. Did that help?",
    ],
)
def test_thanks_and_good_news_ask_nothing(text: str) -> None:
    assert settled(behind_advice(text))


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, but it is as large as before.",
        "Thanks. Does that delete my mails?",
        "That did not work.",
        "It is not working again.",
        "The problem is back, thanks.",
        "Yes, thank you",
        "Yes please",
        "ok",
        "Thanks, my order number is TB-123456.",
        "Thanks for nothing.",
        "Thank you. I want to cancel my plan.",
        "It worked for a day.",
        "Please close my account.",
        "Es funktioniert nicht.",
        "Merci, mais ça ne marche pas.",
        "👍",
        "",
    ],
)
def test_whatever_else_is_said_is_answered(text: str) -> None:
    assert not settled(behind_advice(text))


def test_all_that_was_written_behind_the_reply_counts_and_thanks_in_advance_do_not() -> None:
    assert settled(behind_advice("It works now.", "Thank you!"))
    assert not settled(behind_advice("Where is Compact on a Mac?", "Thank you!"))
    assert not settled(Conversation(messages=(ASKED, Message(text="Thank you!"))))
    assert not settled(behind_advice())
    noted = Message(author="agent", text="She thanks us.", visibility="private")
    thanked = behind_advice("Thanks!")
    assert settled(replace(thanked, messages=(*thanked.messages, noted)))


@pytest.mark.parametrize("channel", ["email", "chat", "social"])
def test_the_reply_to_thanks_is_its_frame_alone(company: Parts, channel: Channel) -> None:
    made = company.copilot.suggest(AGENT, behind_advice("Thanks, that did it!", channel=channel))
    assert (made.status, made.abstention) == ("drafted", None)
    assert made.draft is not None
    assert {one.support for one in made.draft.statements} == {"no_claim"}
    assert "Compact" not in made.draft.text
    assert "?" not in made.draft.text


def test_somebody_in_danger_is_answered_though_they_thank(company: Parts) -> None:
    made = company.copilot.suggest(AGENT, behind_advice("Thanks, that did it! Now the charger is on fire."))
    assert made.escalation.level == "emergency"
    asked = company.copilot.suggest(AGENT, asks(ASKED.text))
    assert asked.draft is not None
    assert any(one.citations for one in asked.draft.statements)
