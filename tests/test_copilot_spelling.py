"""A strange word is read as the known one next to it where that is clear, and everything else is left as it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.signals import counted
from copilot.spelling import Spelling

VOCABULARY = {"valve", "gmail", "leaking"}
OWN = counted(["Sluice and Weir: replacing the sluice", "Sluice batteries"])


@pytest.fixture(scope="module")
def spelling() -> Spelling:
    return Spelling(["How do I pair the sensor?", "the sensor is offline"], VOCABULARY.__contains__)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("I forgot my passwrod again", "I forgot my password again"),
        ("where is my delivry please", "where is my delivery please"),
        ("my Slucie is leaking", "my sluice is leaking"),
        ("the sesnor is dead", "the sensor is dead"),
        ("Please cancel my acccount today", "Please cancel my account today"),
    ],
)
def test_a_slip_is_read_as_what_was_meant(spelling: Spelling, written: str, meant: str) -> None:
    assert spelling.read(written, OWN) == meant


@pytest.mark.parametrize(
    "text",
    [
        "the valve of my Weir is stuck",
        "my gmail account",
        "Ich habe mein Passwort vergessen und komme nicht mehr hinein",
        "order BX-20914, error E4",
        "",
    ],
    ids=["names of the workspace", "a word of the model", "another language", "codes", "nothing"],
)
def test_what_is_known_or_unclear_stays(spelling: Spelling, text: str) -> None:
    assert spelling.read(text, OWN) == text


def test_a_word_that_the_workspace_has_once_is_no_slip_and_no_target(spelling: Spelling) -> None:
    assert spelling.read("the wieir is closed", OWN) == "the wieir is closed"
    assert spelling.read("the weir is closed", OWN) == "the weir is closed"


@given(st.text(max_size=300) | st.sampled_from(["a" * 5000, "\ud800 abcd", "ab cd " * 900]))
def test_any_text_is_read_and_the_same_each_time(text: str) -> None:
    spelling = Spelling([], VOCABULARY.__contains__)
    assert spelling.read(text, {}) == spelling.read(text, {})
