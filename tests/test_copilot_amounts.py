"""What kind of answer is wanted, and whether a text gives it."""

from __future__ import annotations

import pytest

from copilot.amounts import gives, wants

BOTH = frozenset({"price", "time"})


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("do u charge for keeping it", {"price"}),
        ("Wie lange dauert das?", {"time"}),
        ("How much is it, and when does it come?", {"price", "time"}),
        ("Where is the button?", set()),
    ],
)
def test_a_question_asks_for_a_price_or_a_time(question: str, kinds: set[str]) -> None:
    assert wants(question) == kinds


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Storage is £15.", {"price"}),
        ("It lasts 5 to 10 working days.", {"time"}),
        ("Free for 28 days, then 15 euro a week.", {"price", "time"}),
        ("Press button 3.", set()),
    ],
)
def test_a_text_gives_a_price_or_a_time(text: str, kinds: set[str]) -> None:
    assert gives(text, BOTH) == kinds
    assert gives(text, frozenset({"price"})) == kinds & {"price"}
