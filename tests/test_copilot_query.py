from __future__ import annotations

import pytest

from copilot.domain import Conversation, Message
from copilot.errors import EmptyMessage
from copilot.query import as_asked, asked_in, carried, said, search_text, stands_from

PLEA = "honestly this goes round in circles and I would really like somebody to read what I wrote before"


def turns(*texts: str, subject: str = "") -> Conversation:
    messages = []
    for text in texts:
        messages += [Message(text=text), Message(author="agent", text="Have you tried again?")]
    return Conversation(channel="chat", subject=subject, messages=tuple(messages[:-1]))


def test_a_thread_without_a_subject_is_about_what_the_customer_wrote_first() -> None:
    assert search_text(turns("the kiln stops at 600 degrees", PLEA)) == f"the kiln stops at 600 degrees\n\n{PLEA}"


def test_a_subject_says_what_a_thread_is_about() -> None:
    assert search_text(turns("the kiln stops", PLEA, subject="Kiln")) == f"Kiln\n\n{PLEA}"


@pytest.mark.parametrize("text", ["", " \n", "\u200b"])
def test_a_mail_that_is_all_subject_asks_what_its_subject_says(text: str) -> None:
    assert search_text(turns(text, subject="How do I clean the kiln?")) == "How do I clean the kiln?"
    assert said(turns(text, "it is dirty", subject="The kiln")) == ["it is dirty"]
    with pytest.raises(EmptyMessage):
        search_text(turns(text, subject=" "))
    with pytest.raises(EmptyMessage):
        search_text(Conversation(subject="How do I clean it?", messages=(Message(author="agent", text="Hello"),)))


@pytest.mark.parametrize("subject", ["", "Kiln"])
@pytest.mark.parametrize(
    ("turn", "alone"),
    [
        ("I have another problem: how do I cancel the monthly plan?", True),
        ("Noch eine andere Frage: wie kündige ich den monatlichen Tarif?", True),
        ("Another question: does it also stop at 900 degrees without the lid?", False),
        ("How do I cancel the monthly plan that I took in spring?", False),
    ],
)
def test_who_asks_something_else_is_not_asking_what_they_wrote_first(subject: str, turn: str, alone: bool) -> None:
    found = search_text(turns("the kiln stops at 600 degrees", turn, subject=subject))
    assert (found == turn) is alone
    assert found.endswith(turn)
    assert search_text(turns(turn, subject=subject)).startswith(subject or turn), "nothing was written before it"


@pytest.mark.parametrize(
    "turn",
    [
        "That did not help at all. Do you have something else to suggest?",
        "I received something else",
        "Is there something else I can try?",
        "J'ai reçu autre chose",
        "There is another problem with my cancellation",
    ],
)
def test_something_else_in_the_same_matter_keeps_it(turn: str) -> None:
    assert search_text(turns("the kiln stops", turn, subject="The kiln")).startswith("The kiln")


def test_what_was_asked_first_does_not_come_back_behind_another_question() -> None:
    other = "I have another question. How do I cancel my plan?"
    found = search_text(
        turns(
            "the kiln stops", other, "I opened the account page, and there is no such button on it.", subject="The kiln"
        )
    )
    assert "kiln" not in found
    assert "cancel my plan" in found


def test_what_is_carried_along_is_what_is_searched_for() -> None:
    for words in (
        ["the kiln stops", "I have another question. How do I cancel?"],
        ["the kiln stops", "Another matter: my plan.", "And when?"],
    ):
        asked = turns(*words, subject="The kiln")
        assert as_asked(search_text(asked), words) == carried(words)


def test_a_long_first_message_does_not_drown_the_latest() -> None:
    found = search_text(turns("word " * 500, PLEA))
    assert found.endswith(PLEA)
    assert len(found.split()) <= 40 + len(PLEA.split())


def test_a_short_follow_up_brings_the_turns_before_it_along_once() -> None:
    assert search_text(turns("the kiln stops", "no, still not")) == "the kiln stops\n\nno, still not"


def test_an_apostrophe_is_searched_for_as_one_however_it_is_written() -> None:
    assert search_text(turns("it doesn’t heat", subject="It’s cold")) == "It's cold\n\nit doesn't heat"


def test_carried_turns_are_found_again_in_what_is_asked() -> None:
    said = ["the kiln\n\nstops", "no, still not"]
    asked = asked_in("Kiln", said).replace("kiln", "oven")
    assert as_asked(asked, said) == ["the oven\n\nstops", "no, still not"]
    assert as_asked("", []) == []


@pytest.mark.parametrize(
    ("turn", "from_"),
    [("Cancel my plan.", 0.6), ("Refund order 445566", 0.6), ("Forget it. Cancel my plan.", 0.6), ("Perfect, thanks a lot!", 0.3),
     ("Cancel it now please", 0.9), ("Hello?", 0.9), ("and for my wife?", None), ("order number 445566", None), ("me@shop.example", None)],
)  # fmt: skip
def test_how_sure_a_short_turns_own_intent_must_be(turn: str, from_: float | None) -> None:
    assert stands_from(turn) == from_
