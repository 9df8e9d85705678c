"""What a message's words tell by kind: counted in any case, in the file's order, and quickly whatever stands there."""

from __future__ import annotations

import time

import numpy as np
import pytest

from copilot.cues import READ_CHARS, cues, kinds
from copilot.words import Sieve


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I HATE this.", "anger"),
        ("At my wit's end.", "frustration"),
        ("At my wit’s end.", "frustration"),
        ("I spent three hours on it.", "time_lost"),
        ("It is the third time.", "repeated"),
        ("All my emails are gone.", "loss"),
        ("I am going back to Outlook.", "leave"),
        ("Somebody hacked my account.", "security"),
        ("Keep up the good work!", "praise"),
        ("I want to speak to a person.", "person"),
        ("Sorry to bother you.", "polite"),
    ],
)
def test_words_of_a_kind_are_counted(text: str, kind: str) -> None:
    assert dict(zip(kinds(), cues(text), strict=True))[kind] > 0


@pytest.mark.parametrize(("text", "kind"), [("The chat is closed.", "anger"), ("A glossy print.", "loss")])
def test_parts_of_words_are_not(text: str, kind: str) -> None:
    assert dict(zip(kinds(), cues(text), strict=True))[kind] == 0


def test_a_long_text_costs_no_more_than_its_beginning() -> None:
    hostile = "lost all my " * 20_000
    began = time.process_time()
    assert np.array_equal(cues(hostile), cues(hostile[:READ_CHARS]))
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "text", ["", "My emails are gone and nobody answers!", "été " * 300, "thank you, third time, lost " * 900]
)
def test_the_sieve_finds_what_looking_for_each_kind_finds(text: str) -> None:
    lists = list(kinds().values())
    one_by_one = {at for at, words in enumerate(lists) if next(words.find(text), None)}
    assert one_by_one <= set(Sieve(lists).found(text))
