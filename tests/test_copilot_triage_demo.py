"""The demo company's triage on messages that it has not learned from: several wishes, the present ask, and what may not change a tag."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from copilot.domain import Conversation, Message
from copilot.labelled import MOODS
from copilot.ports import Embedder
from tests.triage_demo import Desk, listed

WISHES = listed("wishes.yaml")
CONVERSATIONS = listed("conversations.yaml")
PAIRS = listed("paraphrases.yaml")


@pytest.fixture(scope="module")
def desk(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(embedder, tmp_path_factory.mktemp("models"))


# ---- several wishes ----


def test_most_pairs_of_wishes_are_told_apart_with_words_that_stand_in_the_message(desk: Desk) -> None:
    held_out = WISHES["two"][1::2]
    right = 0
    for one in held_out:
        found = desk.hears(one["text"]).intents
        for tag in found:
            (reason,) = tag.reasons
            assert one["text"][reason.start : reason.end] == reason.quote
        right += [tag.label for tag in found] == one["labels"]
    assert right / len(held_out) >= 0.5


def test_few_messages_with_one_wish_are_split(desk: Desk) -> None:
    held_out = WISHES["one"][1::2]
    assert sum(bool(desk.hears(text).intents) for text in held_out) / len(held_out) <= 0.2


# ---- the present ask ----


def thread(turns: list[dict[str, str]]) -> Conversation:
    """A conversation from `c` and `a` turns."""
    return Conversation(
        messages=tuple(
            Message(author="customer", text=one["c"]) if "c" in one else Message(author="agent", text=one["a"])
            for one in turns
        )
    )


@pytest.mark.parametrize("kind", ["switch", "thanks", "short", "quoted", "stays"])
def test_the_intent_is_what_is_asked_now(desk: Desk, kind: str) -> None:
    asked = [one for one in CONVERSATIONS if one["kind"] == kind]
    said = [desk.read(thread(one["turns"])).intent.label for one in asked]
    right = sum(label == one["intent"] for label, one in zip(said, asked, strict=True))
    assert right / len(asked) >= (0.75 if kind == "stays" else 0.9), said


# ---- the same in another dress ----


def misspelt(text: str, seed: int, spoil: Callable[[str, int], str]) -> str:
    """One letter wrong in one of the longer words."""
    chance = random.Random(seed)
    words = text.split(" ")
    at = chance.choice([i for i, word in enumerate(words) if sum(map(str.isalpha, word)) >= 4])
    words[at] = spoil(words[at], chance.randrange(1, len(words[at]) - 2))
    return " ".join(words)


def signed(text: str) -> str:
    """With a signature."""
    return f"{text}\n\nKind regards,\nAnna Smith\nHead of Sales\n+31 20 123 4567"


def quoting(text: str) -> str:
    """With a quoted thread."""
    return f"{text}\n\nOn Tue, 3 Mar 2026 at 09:14, Support wrote:\n> Your parcel was refunded. Sorry about the delay."


DRESSES: dict[str, Callable[[int, str], str]] = {
    "two letters swapped": lambda i, text: misspelt(text, i, lambda w, k: w[:k] + w[k + 1] + w[k] + w[k + 2 :]),
    "a letter left out": lambda i, text: misspelt(text, i + 1, lambda w, k: w[:k] + w[k + 1 :]),
    "capitals": lambda _, text: text.upper(),
    "lower case": lambda _, text: text.lower(),
    "a signature": lambda _, text: signed(text),
    "a quoted thread": lambda _, text: quoting(text),
    "a paraphrase": lambda i, _: PAIRS[i][1],
}


@pytest.fixture(scope="module")
def plain(desk: Desk) -> list[Any]:
    return [desk.hears(text) for text, _ in PAIRS]


@pytest.mark.parametrize("dress", DRESSES)
def test_the_same_message_in_another_dress_keeps_its_tags(desk: Desk, plain: list[Any], dress: str) -> None:
    dressed = [desk.hears(DRESSES[dress](i, text)) for i, (text, _) in enumerate(PAIRS)]
    pairs = list(zip(plain, dressed, strict=True))
    same = sum(a.intent.label == b.intent.label for a, b in pairs) / len(pairs)
    near = sum(abs(MOODS.index(a.sentiment.label) - MOODS.index(b.sentiment.label)) <= 1 for a, b in pairs) / len(pairs)
    assert len(pairs) >= 60
    assert same >= 0.95
    assert near >= 0.97
