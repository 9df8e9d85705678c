"""Several wishes in one message, each with the words that carry it, and none where there is one; and what may not change a tag."""

from __future__ import annotations

import pytest

from copilot.domain import Conversation, Message, Triage
from copilot.ports import Embedder
from copilot.query import search_text
from copilot.settings import DEFAULTS
from copilot.triage import Triager
from tests.conftest import asks

TWO = {
    "My parcel has not arrived yet. Also, I can't log in to my account any more.": ("order_status", "account_access"),
    "I was charged twice this month. And how do I reset my password?": ("billing_payment", "account_access"),
    "The lamp arrived broken, I want a replacement. Also please change my delivery address for the next order.": (
        "warranty_claim",
        "order_status",
    ),
    "Can I upgrade to the premium plan? And my printer won't connect to wifi.": ("plan_change", "connectivity"),
    "Please cancel my subscription and tell me where my order 88214 is.": ("cancel_subscription", "order_status"),
}
ONE = (
    "My parcel should have been here on Monday and the tracking has not moved since. I waited all week. Where is it?",
    "You took the monthly fee from my card twice. Please check the invoice and send me a new one.",
    "I can't log in any more, the password reset e-mail never arrives. What should I do?",
    "The device keeps losing the wifi connection. I restarted the router and the phone. Nothing helps.",
    "Since the update the app crashes on start. I use Android 14. Please fix it.",
    "How do I set up the new router? I have unpacked it and plugged it in.",
    "How do I return the shoes? When will I get the refund?",
    "Do you ship to Norway?",
)


@pytest.fixture(scope="module")
def triager(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Triager:
    return Triager(embedder, DEFAULTS / "taxonomy.yaml", tmp_path_factory.mktemp("models"))


def read(triager: Triager, embedder: Embedder, conversation: Conversation) -> Triage:
    return triager.read(conversation, triager.encoded(search_text(conversation)))


@pytest.mark.parametrize("text", TWO)
def test_two_wishes_are_told_apart_with_the_words_that_carry_them(
    triager: Triager, embedder: Embedder, text: str
) -> None:
    found = read(triager, embedder, asks(text)).intents
    assert tuple(tag.label for tag in found) == TWO[text]
    spans = [(tag.reasons[0].start, tag.reasons[0].end) for tag in found]
    for tag in found:
        (reason,) = tag.reasons
        assert text[reason.start : reason.end] == reason.quote
    assert spans[0][1] <= spans[1][0]


@pytest.mark.parametrize("text", ONE)
def test_one_wish_is_no_list(triager: Triager, embedder: Embedder, text: str) -> None:
    assert read(triager, embedder, asks(text)).intents == ()


def test_the_words_are_those_of_the_latest_message_as_received(triager: Triager, embedder: Embedder) -> None:
    text = "Hello,\r\n\r\n" + next(iter(TWO)) + "\r\n\r\nBest regards\r\nAna"
    thread = Conversation(
        messages=(
            Message(text="Hello there, can you help me?"),
            Message(author="agent", text="Yes."),
            Message(text=text),
        )
    )
    for tag in read(triager, embedder, thread).intents:
        (reason,) = tag.reasons
        assert reason.message == 2
        assert text[reason.start : reason.end] == reason.quote
