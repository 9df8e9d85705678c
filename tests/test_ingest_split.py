"""Chunks: their offsets, their sections and their size."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copilot.domain import Chunk
from ingest.plain import HEADING
from ingest.split import split, split_ticket

ODD = "\x00\x85\u00a0\u0301\u200b\u200d\u202e\u2028\u3000\ud800\ufeff\ufffd\U0001f469\U000e0041"
LINES = st.sampled_from(
    ["# Top", "## Under", "###### Deep", "#tag", "- item", "  - nested", "1. step", "To do so:", "a | b", "", " ", "\t"]
)
WORDS = st.text(st.sampled_from("ab é。.!?:#-1 \n\t\r" + ODD) | st.characters(), max_size=40)
TEXTS = st.lists(LINES | WORDS, max_size=30).map("\n".join)


def _count(text: str) -> int:
    return len(text) // 4 + 1


def _split(text: str, title: str = "T", target: int = 16, window: int = 32) -> tuple[Chunk, ...]:
    return split(text, title, count=_count, target=target, window=window)


def _texts(text: str, target: int = 16) -> list[str]:
    return [chunk.text for chunk in _split(text, target=target, window=1000)]


def _covered(text: str, chunks: tuple[Chunk, ...]) -> list[bool]:
    covered = [False] * len(text)
    for chunk in chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert not any(covered[chunk.start : chunk.end])
        covered[chunk.start : chunk.end] = [True] * len(chunk.text)
    return covered


@given(TEXTS, st.text(max_size=30), st.integers(1, 40), st.integers(32, 80))
@settings(max_examples=300)
def test_every_word_is_in_exactly_one_chunk(text: str, title: str, target: int, window: int) -> None:
    chunks = _split(text, title, target, window)
    covered = _covered(text, chunks)
    for heading in HEADING.finditer(text):
        assert not any(covered[heading.start() : heading.end()])
        covered[heading.start() : heading.end()] = [True] * len(heading[0])
    assert all(inside or character.isspace() for inside, character in zip(covered, text, strict=True))
    assert list(chunks) == sorted(chunks, key=lambda chunk: chunk.start)
    for chunk in chunks:
        assert chunk.text.strip()
        assert chunk.embedded.endswith(chunk.text)
        assert _count(chunk.embedded) <= window


@given(TEXTS, st.integers(0, 200))
def test_no_chunk_of_a_ticket_crosses_from_problem_to_resolution(text: str, border: int) -> None:
    border = min(border, len(text))
    problem, resolution = split_ticket(text, "T", border, count=_count, target=8, window=32)
    covered = _covered(text, (*problem, *resolution))
    assert all(inside or character.isspace() for inside, character in zip(covered, text, strict=True))
    assert all(chunk.end <= (border or len(text)) for chunk in problem)
    assert all(chunk.start >= border for chunk in resolution)
    assert border or not resolution


def test_a_line_of_a_ticket_that_looks_like_a_heading_is_text() -> None:
    problem, resolution = split_ticket("# pip install x\n\nDone", "T", 17, count=_count, target=50, window=100)
    assert [chunk.text for chunk in (*problem, *resolution)] == ["# pip install x", "Done"]
    assert problem[0].headings == ()


def test_chunks_keep_to_their_section_and_know_the_headings_above() -> None:
    chunks = _split("Intro\n\n# A\n\na\n\n## B\n\nb\n\n# C\n\n### D\n\nd", "Title")
    assert [(chunk.text, chunk.headings) for chunk in chunks] == [
        ("Intro", ()),
        ("a", ("A",)),
        ("b", ("A", "B")),
        ("d", ("C", "D")),
    ]
    assert [chunk.embedded for chunk in chunks] == [
        "Title:\nIntro",
        "Title > A:\na",
        "Title > A > B:\nb",
        "Title > C > D:\nd",
    ]


def test_a_heading_too_long_to_be_one_is_text() -> None:
    assert "".join(_texts("# " + "x" * 300)).count("x") == 300


@pytest.mark.parametrize(
    ("text", "chunks"),
    [
        ("one two\n\nthree four\n\nfive six", ["one two\n\nthree four\n\nfive six"]),
        (
            "first paragraph of words\n\nsecond paragraph of words\n\nthird",
            ["first paragraph of words\n\nsecond paragraph of words", "third"],
        ),
        (
            "- one item of a list\n- another item of it\n- a third item of it",
            ["- one item of a list\n- another item of it", "- a third item of it"],
        ),
        (
            "1. one step to take\n  - a nested remark\n2. another step to take",
            ["1. one step to take\n  - a nested remark", "2. another step to take"],
        ),
    ],
)
def test_paragraphs_and_items_are_kept_whole_and_put_together(text: str, chunks: list[str]) -> None:
    assert _texts(text, target=12) == chunks


def test_what_leads_in_a_list_stays_with_its_first_item() -> None:
    text = "A paragraph before it all.\n\nTo do so:\n\n1. Open the menu there.\n2. Close the menu there."
    assert _texts(text, target=10) == [
        "A paragraph before it all.",
        "To do so:\n\n1. Open the menu there.",
        "2. Close the menu there.",
    ]


def test_a_long_paragraph_is_cut_after_sentences() -> None:
    sentence = "This sentence has some words. "
    chunks = _texts(sentence * 20, target=20)
    assert len(chunks) > 5
    assert all(chunk.startswith("This") and chunk.endswith("words.") for chunk in chunks)


def test_a_long_sentence_is_cut_at_spaces_and_a_long_word_anywhere() -> None:
    assert all(chunk.startswith("word") and chunk.endswith("word") for chunk in _texts("word " * 100))
    assert len(_texts("x" * 1000)) > 10


def test_a_line_of_a_table_is_cut_before_another() -> None:
    chunks = _texts("\n".join(f"Plan {number} | {number} days" for number in range(40)))
    assert all(chunk.startswith("Plan") and chunk.endswith("days") for chunk in chunks)


def test_monstrous_titles_and_headings_are_shortened_in_front_but_never_in_the_text() -> None:
    heading = "heading " * 20
    chunks = _split(
        f"# {heading.strip()}\n\n## {heading.strip()}\n\nSome text.", "title " * 50_000, target=64, window=64
    )
    assert [chunk.text for chunk in chunks] == ["Some text."]
    assert chunks[0].embedded.startswith("title title")
    assert "… > heading" in chunks[0].embedded


def test_an_unknown_word_of_any_length_is_no_single_chunk() -> None:
    chunks = split("x" * 100_000, "T", count=lambda text: len(text.split()), target=128, window=256)
    assert max(len(chunk.text) for chunk in chunks) < 3000


@pytest.mark.parametrize(
    "text",
    [
        "word " * 200_000,
        "x" * 1_000_000,
        "a. " * 100_000,
        "- a\n" * 50_000,
        "a:\n\n" * 50_000,
        "\n" * 1_000_000,
        "# h\na\n" * 20_000,
    ],
    ids=["words", "one word", "sentences", "items", "intros", "blank", "headings"],
)
def test_tokens_are_counted_a_few_times_at_most(text: str) -> None:
    counted = 0

    def count(words: str) -> int:
        nonlocal counted
        counted += len(words) + 1
        return _count(words)

    split(text, "T", count=count, target=128, window=256)
    assert counted < 12 * len(text)


def test_chunks_keep_to_the_window_even_where_words_cost_more_together_than_alone() -> None:
    def count(words: str) -> int:
        return len(words.split()) ** 2 // 8

    text = "\n\n".join(f"Paragraph number {number} here." for number in range(50))
    chunks = split(text, "T", count=count, target=32, window=32)
    assert all(count(chunk.embedded) <= 32 for chunk in chunks)
    assert all(inside or character.isspace() for inside, character in zip(_covered(text, chunks), text, strict=True))


def test_splitting_ends_even_where_one_letter_is_too_much() -> None:
    chunks = split("some words", "T", count=lambda text: 1000 * len(text), target=16, window=32)
    assert [chunk.text for chunk in chunks] == list("somewords")
