"""Mood, urgency and the learned call for a person: the shipped weights, what they read, and what must not change their mind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from copilot.domain import Conversation, Message, Triage
from copilot.errors import ConfigurationError
from copilot.intents import word_grams
from copilot.labelled import MESSAGES, MOODS, TONES, URGENCIES, Labelled, forum_messages, own_messages
from copilot.learn import read_arrays, write_arrays
from copilot.moods import Moods, fit_vectors, shipped_key
from copilot.phrases import evenly, phrases, signals
from copilot.ports import Embedder
from copilot.query import search_text
from copilot.settings import DEFAULTS
from copilot.triage import Triager
from tests import mood_cases as cases
from tests.conftest import asks

STORIES = Path(__file__).parent / "triage" / "stories.jsonl"
BAD = {"negative", "very_negative"}
SAMPLE = [one.text for one in own_messages()[:600:6]]


@pytest.fixture(scope="module")
def triager(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Triager:
    return Triager(embedder, DEFAULTS / "taxonomy.yaml", tmp_path_factory.mktemp("models"))


def read(triager: Triager, embedder: Embedder, conversation: Conversation) -> Triage:
    return triager.read(conversation, triager.encoded(search_text(conversation)))


def test_the_shipped_weights_are_not_older_than_their_data(embedder: Embedder) -> None:
    assert Moods.load(DEFAULTS / "mood.npz", shipped_key(embedder)) is not None, "mood.npz is old: run moods.refit"


def test_fitting_without_the_forums_messages_says_where_they_are_missed(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="thunderbird"):
        forum_messages(tmp_path)


def test_the_label_file_holds_no_text() -> None:
    rows = [json.loads(line) for line in (DEFAULTS / "mood_labels.jsonl").read_text(encoding="utf-8").splitlines()]
    known = {"escalate", "sentiment", "set", "ticket_id", "urgency", "words"}
    assert all(set(row) <= known and all(isinstance(at, int) for at in row.get("words", [])) for row in rows)
    assert {type(row["set"]) for row in rows} == {int}
    assert len({row["ticket_id"] for row in rows}) == len(rows)


def test_chances_add_up_and_keep_their_order(triager: Triager, embedder: Embedder) -> None:
    made = read(triager, embedder, asks("My folders are gone and I am furious."))
    for tag, labels in ((made.urgency, URGENCIES), (made.sentiment, MOODS)):
        assert tag.label in labels
        assert 0 < tag.confidence <= 1
    assert made.attention is not None
    assert 0 <= made.attention.weight <= 1


def sentiment(triager: Triager, embedder: Embedder, text: str) -> str:
    return read(triager, embedder, asks(text)).sentiment.label


@pytest.mark.parametrize(
    ("texts", "moods", "share"),
    [
        (cases.SARCASM, BAD, 0.55),
        (cases.POLITE, {"neutral"}, 0.95),
        (cases.FAULTS, {"neutral"}, 0.95),
    ],
    ids=["sarcasm", "politeness", "plain faults"],
)
def test_sarcasm_politeness_and_faults_do_not_fool_it(
    triager: Triager, embedder: Embedder, texts: Sequence[str], moods: set[str], share: float
) -> None:
    said = {text: sentiment(triager, embedder, text) for text in texts}
    assert np.mean([label in moods for label in said.values()]) >= share, {
        text: label for text, label in said.items() if label not in moods
    }


def test_quoted_text_does_not_change_the_mood(triager: Triager, embedder: Embedder) -> None:
    for i, text in enumerate(cases.CALM):
        quoting = f"{text}\n\n{cases.QUOTED[i % len(cases.QUOTED)]}"
        assert sentiment(triager, embedder, quoting) == sentiment(triager, embedder, text)


def test_a_trend_over_the_turns_is_seen(triager: Triager, embedder: Embedder) -> None:
    wrong = []
    for turns, trend in cases.TRENDS:
        talk = Conversation(messages=tuple(Message(text=text) for text in turns), channel="chat")
        if (said := read(triager, embedder, talk).sentiment.trend) != trend:
            wrong.append((turns, trend, said))
    assert len(wrong) <= 0.2 * len(cases.TRENDS), wrong


def test_a_paraphrase_keeps_the_mood_within_a_level(triager: Triager, embedder: Embedder) -> None:
    levels = [[MOODS.index(sentiment(triager, embedder, text)) for text in pair] for pair in cases.PARAPHRASES]
    apart = [pair for pair, (one, other) in zip(cases.PARAPHRASES, levels, strict=True) if abs(one - other) > 1]
    assert len(apart) <= 0.03 * len(levels), apart


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The tax return is due tomorrow and the program crashes.", "deadline"),
        ("I was charged twice and cannot pay my rent.", "money"),
        ("All my emails have disappeared since the update.", "data_loss"),
        ("Nobody in our office can log in, the server is down.", "outage"),
        ("There is smoke coming out of the adapter.", "safety"),
        ("I am blind and my screen reader reads nothing.", "accessibility"),
    ],
)
def test_urgency_names_its_reason_with_the_exact_words(
    triager: Triager, embedder: Embedder, text: str, code: str
) -> None:
    reasons = {one.code: one for one in read(triager, embedder, asks(text)).urgency.reasons}
    assert code in reasons
    assert text[reasons[code].start : reasons[code].end] == reasons[code].quote


def test_a_reason_is_always_the_messages_own_words(triager: Triager, embedder: Embedder) -> None:
    for text in SAMPLE[:40]:
        made = read(triager, embedder, asks(text))
        assert made.attention is not None
        for reason in (*made.sentiment.reasons, *made.urgency.reasons, made.attention):
            assert text[reason.start : reason.end] == reason.quote


CHANGES: dict[str, Callable[[str], str]] = {
    "typos": lambda text: text.replace("the ", "teh ").replace("ing ", "ign ", 2).replace("ou", "uo", 1),
    "lower case": str.lower,
    "a signature": lambda text: f"{text}\n\n--\nAna Ruiz\nHarbour Books, 12 Quay Street",
    "a quoted thread": lambda text: (
        f"{text}\n\nOn Tue, 3 Mar 2026 at 09:14, Ben wrote:\n> This is OUTRAGEOUS, you are liars and thieves!!!"
    ),
}


def moods_of(triager: Triager, embedder: Embedder, texts: Iterable[str]) -> list[int]:
    return [MOODS.index(read(triager, embedder, asks(text)).sentiment.label) for text in texts]


@pytest.fixture(scope="module")
def unchanged(triager: Triager, embedder: Embedder) -> list[int]:
    return moods_of(triager, embedder, SAMPLE)


@pytest.mark.parametrize("change", CHANGES)
def test_the_mood_stays_within_a_level(triager: Triager, embedder: Embedder, unchanged: list[int], change: str) -> None:
    changed = moods_of(triager, embedder, map(CHANGES[change], SAMPLE))
    assert np.mean(np.abs(np.array(unchanged) - changed) <= 1) >= 0.97


@hypothesis_settings(max_examples=300, deadline=None)
@given(st.text(st.characters(max_codepoint=127)))
def test_letters_of_ascii_are_read_as_all_others(text: str) -> None:
    beside = f"{text}\u2003"  # a space that is none of ASCII's
    assert evenly(text) == evenly(beside)[:-1]
    assert np.array_equal(signals(text), signals(beside))
    assert np.array_equal(word_grams(text), word_grams(beside))
    one, other = (
        phrases(each.replace("\n", " ").translate(dict.fromkeys(map(ord, ".!?,;")))) for each in (text, beside)
    )
    assert np.array_equal(one.buckets, other.buckets)


@hypothesis_settings(deadline=None)
@given(st.text(max_size=400) | st.sampled_from(["\ud800" * 30, "!" * 500, "a" * 9000, "\n" * 50, "A B C " * 900]))
def test_any_text_has_phrases_that_lie_in_it(text: str) -> None:
    made = phrases(text)
    assert made.spans
    assert all(0 <= start <= end <= len(text) for start, end in made.spans)
    assert np.isfinite(made.scores(np.ones((1 << 15, 2), dtype=np.float32), np.ones(1 << 15, dtype=np.float32))).all()


def test_the_same_data_gives_the_same_weights() -> None:
    data = [Labelled(one.text, one.sentiment, one.urgency, one.escalate) for one in own_messages()[:160]]
    vectors = np.random.default_rng(0).normal(size=(len(data), 8)).astype(np.float32)
    first, second = fit_vectors(data, vectors), fit_vectors(data, vectors)
    assert np.array_equal(first.words, second.words)
    assert np.array_equal(first.last, second.last)


def test_an_unreadable_file_is_no_weights(tmp_path: Path) -> None:
    (tmp_path / "mood.npz").write_bytes(b"nothing")
    assert Moods.load(tmp_path / "mood.npz", "key") is None


@pytest.mark.parametrize("lost", ["probe_look", "probe_constant", "words"])
def test_a_file_that_lacks_an_array_is_no_weights(tmp_path: Path, embedder: Embedder, lost: str) -> None:
    key = shipped_key(embedder)
    arrays = read_arrays(DEFAULTS / "mood.npz", key)
    assert arrays is not None
    write_arrays(tmp_path / "mood.npz", **{name: array for name, array in arrays.items() if name != lost})
    assert Moods.load(tmp_path / "mood.npz", key) is None


def test_a_turn_without_words_is_read(triager: Triager, embedder: Embedder) -> None:
    made = triager.read(Conversation(messages=(Message(text="> only a quote"),)), triager.encoded("Hello"))
    assert made.sentiment.label in MOODS


def test_a_story_is_read_by_how_it_is_told(triager: Triager, embedder: Embedder) -> None:
    """Thanks for a mishap put right, relief, polite complaints, sarcastic thanks, calm reports of grave faults: never learned from."""
    stories = [json.loads(line) for line in STORIES.read_text(encoding="utf-8").splitlines()]
    taught = {one.text for file in (MESSAGES, TONES) for one in own_messages(file)}
    assert taught.isdisjoint(story["text"] for story in stories)
    right = [side(sentiment(triager, embedder, story["text"])) == side(story["sentiment"]) for story in stories]
    assert np.mean(right) >= 0.66


def side(mood: str) -> int:
    """Whether a mood is bad, neither or good."""
    return int(np.sign(MOODS.index(mood) - 2))
