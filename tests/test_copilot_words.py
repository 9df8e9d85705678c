"""Patterns over words: slips of the pen, many patterns at once, and where a match ends."""

from __future__ import annotations

import pytest

from copilot.words import TOGETHER, Words


def found(pattern: str, text: str) -> list[str]:
    """The stretches that a pattern finds."""
    return [text[start:end] for start, end in Words([pattern], {}).find(text)]


@pytest.mark.parametrize("word", ["manager", "manger", "mananger", "manahger", "mnaager", "managre"])
def test_a_word_with_one_slip_of_the_pen_is_still_that_word(word: str) -> None:
    assert found("~manager please", f"a {word} please") == [f"{word} please"]


@pytest.mark.parametrize("word", ["mangr", "nanager", "management", "mamagers", "anager"])
def test_a_word_with_two_slips_or_another_first_letter_is_another(word: str) -> None:
    assert found("~manager please", f"a {word} please") == []


def test_patterns_that_are_searched_apart_give_their_matches_in_order() -> None:
    words = Words([f"w{number}" for number in range(3 * TOGETHER)], {})
    text = " ".join(f"w{number}" for number in reversed(range(3 * TOGETHER)))
    spans = list(words.find(text))
    assert [text[start:end] for start, end in spans] == text.split()
    assert words.count(text.encode()) == len(spans)


def test_of_matches_that_begin_together_the_longest_is_first() -> None:
    patterns = ["call me", *(f"w{number}" for number in range(TOGETHER)), "call me back"]
    text = "please call me back"
    assert [text[start:end] for start, end in Words(patterns, {}).find(text)] == ["call me back", "call me"]


def test_a_match_ends_before_the_punctuation_that_it_needs() -> None:
    assert found(r"human[.!]\W*", "a human!! Now") == ["human"]
