"""What of a source is quoted: lists whole and from their first step, in a chat told in one sentence, and nothing cut in the middle."""

from __future__ import annotations

import re

import pytest

from copilot.domain import Channel
from copilot.draft import BUDGET
from tests.test_copilot_compose import article, drafted, text

LONG = "This part tells of the history of the device and of the people who made it, which nobody needs to know. " * 8
BROKEN = f"""## Reset

{LONG}

1. Open the case with a coin.

Mind the cable.

2. Take out the old cell.

3. Hold the blue button for ten seconds.

4. Close the case again."""
LED = """## Lamps

The lamp of the device tells how it is. If it stays red:

1. Pull the plug.
2. Wait for a minute. It cools down.
3. Put the plug back."""


def steps(made: str) -> list[int]:
    return [int(number) for number in re.findall(r"(?:^|; )(\d)\. ", made, re.M)]


def test_a_list_that_is_found_in_its_middle_is_told_from_its_first_step() -> None:
    at = BROKEN.index("3. Hold")
    made = text(article(BROKEN, focus=(at, at + 40)), message="How long must I hold the blue button?")
    assert steps(made) == [1, 2, 3, 4]
    assert "Mind the cable." in made


def test_in_a_chat_a_list_is_one_sentence_behind_the_line_that_announces_it() -> None:
    draft = drafted(article(LED), message="The lamp stays red, what now?", channel="chat")
    assert draft is not None
    assert "If it stays red:\n\nPull the plug; Wait for a minute; Put the plug back." in draft.text
    folded = next(one for one in draft.statements if len(one.citations) == 3)
    assert [citation.quote for citation in folded.citations] == [
        "Pull the plug",
        "Wait for a minute",
        "Put the plug back.",
    ]
    assert all(LED[c.start - 10 : c.end - 10] == c.quote for c in folded.citations)


def test_in_an_email_the_same_list_keeps_its_lines() -> None:
    made = text(article(LED), message="The lamp stays red, what now?")
    assert "\n1. Pull the plug.\n2. Wait for a minute. It cools down.\n3. Put the plug back." in made


def test_a_chat_gets_the_sentence_that_answers_and_not_the_first_one() -> None:
    words = "The hub was made for houses of every size. Its range is forty metres through two walls. It weighs little."
    made = text(article(f"## About\n\n{words}"), message="What range has the hub through walls?", channel="chat")
    assert "forty metres" in made
    assert "houses of every size" not in made


def test_a_question_in_the_source_is_not_left_without_its_answer() -> None:
    channel: Channel = "chat"
    words = "New number? Remove the old one and add the new one under Settings, then send yourself a test."
    made = text(article(f"## Numbers\n\n{words}"), message="How do I remove a number under Settings?", channel=channel)
    assert "New number? Remove the old one" in made


def test_an_address_of_the_companys_own_that_ends_a_sentence_stays() -> None:
    words = "1. Sign in at https://app.shop.example.\n2. Open Settings and choose Export."
    assert "1. Sign in at https://app.shop.example.\n2. Open" in text(article(words), message="How do I export?")


@pytest.mark.parametrize("channel", BUDGET)
def test_a_reply_is_no_longer_than_suits_its_channel(channel: Channel) -> None:
    words = "\n\n".join(f"Press the button number {n} of the router and wait until its lamp blinks." for n in range(40))
    parts = [article(f"## Part {n}\n\n{words}", id=f"part-{n}", start=10) for n in range(3)]
    draft = drafted(
        *parts, message="Which button of the router must I press? How long must I wait for its lamp?", channel=channel
    )
    assert draft is not None
    told = [draft.text[one.start : one.end] for one in draft.statements if one.citations]
    statements, characters = BUDGET[channel]
    assert 0 < len(told) <= statements + 1, "a heading may come on top"
    assert sum(map(len, told)) <= characters


def test_in_a_chat_an_item_that_only_asks_is_told_with_what_it_answers() -> None:
    page = "## No sound\n\nTry this:\n\n- Is it muted? Turn the wheel at the side. It clicks.\n- In a case: take the case off."
    draft = drafted(article(page), message="There is no sound, what should I try?", channel="chat")
    assert draft is not None
    assert "Is it muted? Turn the wheel at the side; In a case: take the case off." in draft.text
    quotes = [citation.quote for one in draft.statements for citation in one.citations]
    assert "Turn the wheel at the side" in quotes
    assert all(quote in page for quote in quotes)


def test_in_a_chat_the_sentence_that_answers_what_is_asked_comes_before_one_that_repeats_the_story() -> None:
    page = (
        "## Exports\n\nThe weekly export of the orders list goes to the folder of the owner. It is a zip file. "
        "Names are in the first column. Missed exports can be started again by hand for a month."
    )
    asked = "the weekly export of the orders list was missed. any way to start it again by hand"
    assert "Missed exports can be started again by hand" in text(article(page), message=asked, channel="chat")


LATE = f"""## You were late

{LONG}

What is left of your ticket depends on the fare:

- Saver: the leg is lost. The return leg stays valid.
- Standard: pay a late fee of 15 euro.
- Flex: take any departure of that day.
"""


def test_of_a_labelled_list_a_chat_gets_the_item_that_the_message_names_whole() -> None:
    made = text(article(LATE), message="i was late, what is left of my saver ticket", channel="chat")
    assert "Saver: the leg is lost. The return leg stays valid." in made
    assert "Flex" not in made
    assert "next steps" not in made


def test_a_labelled_list_that_the_message_names_nothing_of_is_told_whole() -> None:
    made = text(article(LATE), message="i was late, what is left of my ticket, depends on the fare?", channel="chat")
    assert "Saver: the leg is lost; Standard: pay a late fee of 15 euro; Flex" in made
