"""A thread that is sent again keeps what was added to it here."""

from __future__ import annotations

from typing import Any

import pytest

from copilot.store.threads import ADDED, asks_again, sent_again, with_message


def message(text: str, author: str = "customer", id: str | None = None) -> dict[str, Any]:
    return {"author": author, "text": text, "visibility": "public", "at": None, "id": id}


def thread(*texts: str, **customer: str) -> dict[str, Any]:
    """A stored conversation; a text with a plus in front was added here."""
    unknown = {"id": None, "name": None, "locale": None, "tier": None}
    body: dict[str, Any] = {"id": "c", "subject": "", "messages": [], "customer": {**unknown, **customer}}
    for text in texts:
        one = message(text.lstrip("+"))
        body = with_message(body, one) if text[0] == "+" else {**body, "messages": [*body["messages"], one]}
    return body


def told(body: dict[str, Any]) -> str:
    return " ".join("+" * (ADDED in one) + one["text"] for one in body["messages"])


@pytest.mark.parametrize(
    ("kept", "now", "after"),
    [
        ("a", "b", "b"),
        ("a b c", "a", "a"),
        ("a +n", "a", "a +n"),
        ("a +n", "edited", "edited +n"),
        ("a +n", "a b", "a +n b"),
        ("a +n b +m", "a b c", "a +n b +m c"),
        ("a +n +m", "a", "a +n +m"),
        ("a b +n", "new", "+n new"),
        ("a +n b c +m", "new", "+n +m new"),
        ("a b +n", "a", "a +n"),
        ("a +n", "a n", "a +n"),
        ("a +n", "n", "+n"),
        ("a +a", "a", "a +a"),
        ("a +a", "a a", "a +a"),
    ],
)
def test_messages_that_were_added_here_stay_in_their_place(kept: str, now: str, after: str) -> None:
    joined = sent_again(thread(*kept.split()), thread(*now.split()))
    assert told(joined) == after
    assert sent_again(thread(*kept.split()), thread(*after.replace("+", "").split())) == joined, "once more is the same"


def test_an_id_tells_a_message_that_was_edited() -> None:
    kept = with_message(thread("a"), message("my naem", id="7"))
    now = thread("a")
    now["messages"].append(message("my name", id="7"))
    assert told(sent_again(kept, now)) == "a +my name"


class Counted(dict[str, Any]):
    """A message that counts how often it is looked into."""

    looks = 0

    def __getitem__(self, name: str) -> Any:
        Counted.looks += 1
        return super().__getitem__(name)


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize("again", ["same", "edited", "turned", "alike", "less"])
def test_a_thread_twice_as_long_is_twice_the_work(again: str, ids: bool) -> None:
    def looks(many: int) -> int:
        def sent(words: str, at: int) -> Counted:
            return Counted(message("ok" if again == "alike" else f"{words} {at}", id=str(at) if ids else None))

        kept = thread()
        kept["messages"] = [
            Counted({**sent("word", at), ADDED: True}) if at % 2 else sent("word", at) for at in range(many)
        ]
        now = [sent("new" if again == "edited" else "word", at) for at in range(many // 2 if again == "less" else many)]
        Counted.looks = 0
        sent_again(kept, {**thread(), "messages": now[::-1] if again == "turned" else now})
        return Counted.looks

    assert looks(800) <= 2.1 * looks(400)


def test_an_id_comes_before_words_and_each_message_is_matched_once() -> None:
    kept = with_message(with_message(thread(), message("ok", id="2")), message("ok"))
    now = {**thread(), "messages": [message("ok"), message("fine", id="2"), message("ok", id="3")]}
    assert told(sent_again(kept, now)) == "+ok fine +ok", "the first that it may be, and the first that is left"


def test_what_is_known_of_the_customer_stays_and_another_customer_is_another() -> None:
    kept = thread("a", id="c-1", name="Ada", tier="gold")
    assert sent_again(kept, thread("a"))["customer"] == kept["customer"]
    assert sent_again(kept, thread("a", name="ADA "))["customer"] == {**kept["customer"], "name": "ADA "}
    assert sent_again(kept, thread("a", id="c-1"))["customer"] == kept["customer"]
    renamed = thread("a", id="c-1", name="Ada L.")
    assert sent_again(kept, renamed)["customer"] == {**renamed["customer"], "tier": "gold"}
    assert sent_again(kept, thread("a", id="c-2"))["customer"] == thread("a", id="c-2")["customer"]


@pytest.mark.parametrize(
    ("kept", "now"),
    [
        ({"id": "c-1"}, {"name": "Bob"}),
        ({"name": "Ada"}, {"id": "c-2"}),
        ({"id": "c-1", "name": "Ada", "tier": "gold"}, {"name": "Bob"}),
        ({"id": "c-1", "name": "Ada", "tier": "gold"}, {"id": "c-2"}),
        ({"id": "c-1", "name": "Ada"}, {"id": "c-2", "name": "Ada"}),
    ],
)
def test_a_customers_id_and_name_come_from_one_record(kept: dict[str, str], now: dict[str, str]) -> None:
    after = sent_again(thread("a", **kept), thread("a", **now))
    assert after["customer"] == thread("a", **now)["customer"]
    once_more = sent_again(after, thread("a", **kept))
    assert once_more["customer"] == thread("a", **kept)["customer"]
    assert sent_again(once_more, thread("a", **kept)) == once_more, "whose it was is noted once"


def test_the_customer_asks_again_by_a_message_more_or_another_at_the_end() -> None:
    assert asks_again(thread("a"), thread("a", "b"))
    assert asks_again(thread("a"), thread("a", "a"))
    assert asks_again(thread("a"), thread("b"))
    assert not asks_again(thread("a", "b"), thread("edited", "b"))
    assert not asks_again(thread("a", "b"), thread("b"))
    answered = thread("a")
    answered["messages"].append(message("reply", "agent"))
    assert not asks_again(thread("a"), answered)
