"""Patterns over words: slips of the pen, many patterns at once, and where a match ends."""

from __future__ import annotations

from random import Random
from string import ascii_lowercase

import pytest

from copilot.words import TOGETHER, Prefilter, Words, fold


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


@pytest.mark.parametrize("text", ["", "Call ME back, s'il vous plaît", "un café, w13 and then w2", "été " * 300])
def test_what_a_filter_rules_out_is_not_there(text: str) -> None:
    filter = Prefilter()
    lists = [
        Words(patterns, {}, filter)
        for patterns in (
            ["call me", "call ... back"],
            [f"w{number}" for number in range(3 * TOGETHER)],
            ["café", r"\d+"],
        )
    ]
    assert filter.may(fold(text)) is None, "it tells nothing yet"
    filter.compile()
    may = filter.may(fold(text))
    assert [list(one.find(fold(text), may)) for one in lists] == [list(one.find(fold(text))) for one in lists]


def test_a_filter_rules_most_out() -> None:
    filter = Prefilter()
    letters = "abc"
    spelt = Words([f"call {letter * (n + 3)}" for letter in letters for n in range(TOGETHER)], {}, filter)
    filter.compile()
    may = filter.may("please call bbb back")
    assert may is not None
    assert len(may) == 1
    assert [*spelt.find("please call bbb back", may)] == [(7, 15)]
    with pytest.raises(ValueError, match=r"'\(w'"):
        Words(["(w"], {}, Prefilter())


def test_more_words_than_a_filter_has_room_for_are_all_looked_for() -> None:
    filter, random = Prefilter(), Random(1)
    names = [" ".join("".join(random.choices(ascii_lowercase, k=9)) for _ in range(2)) for _ in range(15_000)]
    words = Words(["<names>"], {"names": names}, filter)
    filter.compile()
    for _ in range(2):
        may = filter.may(f"ask {names[-1]} please")
        assert list(words.find(f"ask {names[-1]} please", may)) == [(4, 23)]


@pytest.mark.parametrize(
    ("pattern", "text", "match"),
    [
        ("оператор", "Позовите, пожалуйста, «оператор» сюда", "оператор"),
        ("оператор", "ОПЕРАТОР!", "ОПЕРАТОР"),
        ("(хочу|можно) ... оператором", "Я хочу поговорить с оператором", "хочу поговорить с оператором"),
        (r"оператор\w*", "дайте оператора.", "оператора"),
        ("живой [\\w-]+", "нужен живой кто-то там", "живой кто-то"),
        ("υπεύθυνο", "Θέλω τον υπεύθυνο, τώρα", "υπεύθυνο"),
        ("人工客服", "我要找人工客服谢谢", "人工客服"),
        ("オペレーター", "今すぐオペレーターにつないで", "オペレーター"),
        ("상담원", "상담원과 통화하고 싶어요", "상담원"),
        ("موظف", "أريد التحدث مع موظف الآن", "موظف"),
    ],
)
def test_words_in_other_scripts_are_found_within_a_sentence(pattern: str, text: str, match: str) -> None:
    assert found(pattern, text) == [match]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("оператор", "кинооператор и операторская"),
        ("хочу оператора", "хочу чтобы вы нашли оператора"),
        ("οδος", "έξοδος"),
        (r"^оператор\W*$", "оператор позвонил"),
        ("человек", "\0человек"),
        ("人工客服", "人工智能客服"),
    ],
)
def test_no_word_is_found_in_a_longer_one_and_no_gap_swallows_words(pattern: str, text: str) -> None:
    assert found(pattern, text) == []


def test_a_latin_pattern_matches_as_ever_beside_another_script() -> None:
    assert found("manager", "(manager) и managers, «manager»") == ["manager", "manager"]
    assert found("call me", "please—call me") == ["call me"]


def test_patterns_looked_for_one_by_one_match_as_one_expression_does() -> None:
    parts, random = (
        ["call", "me", "back", "call me", "me back", "call ... me", "(me|you)", "you back", "~please", "é"],
        Random(2),
    )
    for _ in range(60):
        patterns = [" ".join(random.choices(parts, k=random.randint(1, 3))) for _ in range(TOGETHER + 3)]
        filter = Prefilter()
        one_by_one, together = Words(patterns, {}, filter), Words(patterns, {})
        filter.compile()
        for text in (" ".join(random.choices("call me you back please é, .".split(), k=12)) for _ in range(5)):
            told = fold(text)
            assert list(one_by_one.find(told, filter.may(told))) == list(together.find(told))
