"""Who tells of a death hears condolence, and no regret for "trouble"; a battery that died is no death."""

from __future__ import annotations

import pytest

from copilot.domain import Channel, Conversation, Message
from copilot.frame import frame
from copilot.grief import grieves
from prompts import LANGUAGES
from tests.conftest import asks


@pytest.mark.parametrize(
    "text",
    [
        "My husband died in March and I want to close his account.",
        "Our dog Bruno passed away on Sunday. How do I stop the plan?",
        "I am writing about my late mother's policy.",
        "we lost our daughter last month, please stop the letters",
        "Since the death of my father nobody uses the line.",
        "Our old cat was put to sleep yesterday.",
        "Sadly Monty slipped away on Tuesday.",
        "On Friday we had to have Bella put to sleep.",
        "Mein Vater ist im Mai leider verstorben.",
        "Ma mère est décédée en juin.",
        "Mijn man is vorige week overleden.",
        "Mi padre falleció en abril.",
    ],
)
def test_a_death_is_understood(text: str) -> None:
    assert grieves(asks(text))


@pytest.mark.parametrize(
    "text",
    [
        "My phone died and the update is lost.",
        "My husband says it died after an hour.",
        "My dad's tablet died.",
        "I lost my wife's card.",
        "Our dog is lost, does the tracker work?",
        "My son passed the exam, where is the certificate?",
        "The late fee is wrong.",
        "My daughter passed me her old phone.",
        "The offer has passed.",
        "It slipped away from the rail.",
        "The lock screen: I had her put to sleep mode.",
        "Der Akku ist gestorben.",
    ],
)
def test_no_death_is_read_into_what_broke_or_was_lost(text: str) -> None:
    assert not grieves(asks(text))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("channel", ["email", "chat"])
def test_condolence_takes_the_place_of_any_other_line_and_is_said_once(language: str, channel: Channel) -> None:
    told = Conversation(channel=channel, messages=(Message(text="My husband died. How do I close his account?"),))
    first = frame(told, "very_negative", language, None)
    assert any(word in first.opening[1] for word in ("loss", "Beileid", "condoléances", "verlies", "pésame"))
    assert channel != "chat" or not first.closing
    again = Conversation(
        channel=channel,
        messages=(*told.messages, Message(author="agent", text="\n".join(first.opening)), *told.messages),
    )
    assert first.opening[1] not in frame(again, "very_negative", language, None).opening
