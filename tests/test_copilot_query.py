from __future__ import annotations

from copilot.domain import Conversation, Message
from copilot.query import search_text

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


def test_a_long_first_message_does_not_drown_the_latest() -> None:
    found = search_text(turns("word " * 500, PLEA))
    assert found.endswith(PLEA)
    assert len(found.split()) <= 40 + len(PLEA.split())


def test_a_short_follow_up_brings_the_turns_before_it_along_once() -> None:
    assert search_text(turns("the kiln stops", "no, still not")) == "the kiln stops\n\nno, still not"
