"""What became of a draft's statements, and what deletion leaves of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from copilot.build import Parts
from copilot.choices import Click, Corrected, Feedback, Outcome, Tally, fates, outcomes, tallied
from copilot.domain import Citation, Conversation, Customer, Draft, Message, Statement, Suggestion
from copilot.errors import InputError
from copilot.query import search_text
from copilot.store import schema as t
from copilot.store.choices import Choices
from ingest.erase import erase
from ingest.pipeline import Indexer
from tests.conftest import AGENT

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
LINK = "The link in the e-mail is valid for 30 minutes and works once."


def draft(*statements: tuple[str, tuple[str, ...]]) -> Draft:
    """A draft of these statements, each with the documents that it cites."""
    text, made = "", []
    for words, ids in statements:
        cited = tuple(
            Citation(
                document_id=id, revision=2, start=0, end=len(words), quote=words, title=id, url=None, kind="article"
            )
            for id in ids
        )
        made.append(
            Statement(
                start=len(text),
                end=len(text) + len(words),
                support="supported" if ids else "no_claim",
                citations=cited,
            )
        )
        text += words + " "
    return Draft(text=text, generator="extractive", language="en", statements=tuple(made))


@pytest.mark.parametrize(
    ("sent", "outcome"),
    [
        (f"Hello. {LINK} Bye.", "kept"),
        (f"Hello, please note: {LINK.lower()}", "kept"),
        ("Please note that the link in the e-mail is valid for 30 minutes, and works once!", "kept"),
        (LINK.replace("30", "60"), "changed"),
        (LINK.replace("is valid", "is not valid"), "changed"),
        (f"It is not true that {LINK.lower()}", "changed"),
        ("The link in our e-mail works for 30 minutes. It can be used once.", "changed"),
        ("Please call us on Monday between nine and five.", "removed"),
        ("", "removed"),
    ],
)
def test_a_statement_is_kept_changed_or_removed_by_what_is_left_of_it(sent: str, outcome: Outcome) -> None:
    assert outcomes([LINK], sent) == [outcome]


def test_scripts_without_spaces_are_compared_too() -> None:
    said = "リンクは30分間有効です。"
    assert outcomes([said], f"こんにちは。{said}") == ["kept"]
    assert outcomes([said], "こんにちは。リンクは60分間有効です。") == ["changed"]
    assert outcomes([said], "月曜日にお電話ください。") == ["removed"]


def test_a_steps_number_is_no_part_of_it_and_one_word_in_common_is_nothing() -> None:
    assert outcomes(["2. Choose Compact."], "First of all, choose Compact.") == ["kept"]
    assert outcomes(["2. Choose Compact."], "We shall compact it for you.") == ["removed"]


def test_words_that_another_kept_statement_brought_do_not_count_as_what_is_left() -> None:
    said = ["Here is how to compact one folder.", "Right-click the folder and choose Compact."]
    assert outcomes(said, said[1]) == ["removed", "kept"]


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5), st.text(max_size=60))
def test_any_text_has_an_outcome_and_an_unchanged_one_is_kept(statements: list[str], sent: str) -> None:
    assert set(outcomes(statements, sent)) <= {"kept", "changed", "removed"}
    for statement in statements:
        assert outcomes([statement], statement) == ["kept"], ascii(statement)


def test_each_cited_statement_has_its_fate_document_by_document() -> None:
    made = draft(("Hi,", ()), (LINK, ("a", "b")), ("Press the green button for ten seconds.", ("b",)))
    edited = Feedback(verdict="edited", final_text=f"Hi, {LINK}")
    found = [(fate.statement, fate.document_id, fate.outcome) for fate in fates(made, edited, NOON)]
    assert found == [(1, "a", "kept"), (1, "b", "kept"), (2, "b", "removed")]
    assert {fate.outcome for fate in fates(made, Feedback(verdict="accepted"), NOON)} == {"kept"}
    assert {fate.outcome for fate in fates(made, Feedback(verdict="rejected"), NOON)} == {"rejected"}
    assert fates(None, Feedback(verdict="rejected"), NOON) == ()


def test_a_click_is_kept_with_its_time_and_one_on_nothing_is_refused() -> None:
    made = draft(("Hi,", ()), (LINK, ("a", "b")))
    early, late = NOON - timedelta(minutes=2), NOON + timedelta(days=400)
    looked = Feedback(
        verdict="accepted",
        clicked=(Click(statement=1, citation=1, at=late), Click(statement=1, citation=1, at=early)),
    )
    assert [fate.clicked_at for fate in fates(made, looked, NOON)] == [None, early]
    for click in (Click(statement=0), Click(statement=1, citation=2), Click(statement=2)):
        with pytest.raises(InputError, match="from 0"):
            fates(made, Feedback(verdict="accepted", clicked=(click,)), NOON)


def test_one_removal_weighs_less_than_many_and_a_rejected_draft_blames_nobody() -> None:
    counts = tallied([("a", "removed"), ("a", "kept"), ("b", "rejected")])
    assert counts == {"a": Tally(kept=1, removed=1), "b": Tally(rejected=1)}
    assert counts["b"].disputed == Tally().disputed == 0
    once, often = Tally(removed=1), Tally(removed=20, kept=10)
    assert 0 < once.disputed < often.disputed < 20 / 30


# -- stored ------------------------------------------------------------------------------------------------------

ASK = "How do I compact a folder to free disk space?"


def decided(parts: Parts, given: Feedback, id: str = "c", text: str = ASK, customer: str = "c-9") -> Suggestion:
    """A suggestion for a stored conversation with this decision on it."""
    conversation = Conversation(id=id, customer=Customer(id=customer), messages=(Message(text=text),))
    parts.records.put_conversation("default", conversation)
    made = parts.copilot.suggest(AGENT, conversation)
    parts.records.keep_feedback("default", made.id, "agent", given, 0.0)
    return made


def test_a_correction_labels_the_message_that_was_answered_not_a_later_one(filled: Parts) -> None:
    made = decided(filled, Feedback(verdict="rejected", corrected=Corrected(intent="how_to", mood="neutral")))
    filled.records.add_message("default", "c", Message(text="Now I want my money back at once, please."))
    filled.records.keep_feedback(
        "default", made.id, "agent", Feedback(verdict="rejected", corrected=Corrected(intent="other")), 1.0
    )
    (learned,) = Choices(filled.database).corrections("default")
    assert search_text(learned.conversation) == ASK
    assert learned.corrected == Corrected(intent="other", mood="neutral")
    assert Choices(filled.database).corrections("default", until=made.created_at - timedelta(seconds=1)) == []
    assert Choices(filled.database).corrections("elsewhere") == []


def test_of_two_verdicts_on_one_suggestion_the_last_counts(filled: Parts) -> None:
    made = decided(filled, Feedback(verdict="accepted", copied=True))
    assert made.draft is not None
    filled.records.keep_feedback("default", made.id, "agent", Feedback(verdict="rejected"), 1.0)
    (choice,) = Choices(filled.database).choices("default")
    assert (choice.verdict, {fate.outcome for fate in choice.fates}) == ("rejected", {"rejected"})
    (judged,) = Choices(filled.database).judgements("default")
    assert (judged.verdict, judged.copied, judged.generator) == ("rejected", False, "extractive")
    outcomes = Choices(filled.database).decisions("default", ["compact-folders"])
    assert {(one.outcome, one.principal, one.conversation) for one in outcomes} == {("rejected", "agent", "c")}


def test_a_clock_that_is_wrong_moves_no_decision_before_its_suggestion_or_into_the_future(filled: Parts) -> None:
    past, future = datetime(2001, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
    first = decided(filled, Feedback(verdict="accepted", shown_at=past, decided_at=past))
    decided(filled, Feedback(verdict="accepted", shown_at=future, decided_at=future), id="d")
    one, two = Choices(filled.database).judgements("default")
    assert one.shown_at == one.decided_at == first.created_at
    assert two.shown_at == two.decided_at < datetime.now(UTC)


def test_what_was_decided_on_an_articles_earlier_text_says_nothing_of_todays(filled: Parts, folder: Path) -> None:
    from tests.conftest import ingest

    decided(filled, Feedback(verdict="rejected"))
    choices = Choices(filled.database)
    assert choices.decisions("default", ["compact-folders"], current=True) != []
    file = folder / "compact-folders.md"
    file.write_text(file.read_text(encoding="utf-8").replace("3 minutes", "9 minutes"), encoding="utf-8")
    ingest(filled, folder)
    assert choices.decisions("default", ["compact-folders"], current=True) == []
    assert choices.decisions("default", ["compact-folders"]) != []


def test_deleting_a_document_takes_what_was_decided_on_it_and_the_words_that_may_repeat_it(filled: Parts) -> None:
    made = decided(filled, Feedback(verdict="edited", final_text="QUETZAL words", reason="QUETZAL it said"))
    Indexer(filled).retire("default", ["compact-folders"])
    assert Choices(filled.database).decisions("default", ["compact-folders"]) == []
    again = Feedback(verdict="edited", final_text="QUETZAL again", clicked=(Click(statement=2),))
    filled.records.keep_feedback("default", made.id, "agent", again, 0.5)
    with filled.database.read() as connection:
        assert "QUETZAL" not in str(connection.execute(select(t.feedback)).all())


def test_erasing_a_customer_takes_their_corrections_and_choices(filled: Parts) -> None:
    decided(filled, Feedback(verdict="accepted", corrected=Corrected(intent="how_to")), id="theirs", customer="c-1")
    decided(filled, Feedback(verdict="accepted", corrected=Corrected(intent="how_to")), id="others")
    choices = Choices(filled.database)
    assert len(choices.corrections("default")) == len(choices.choices("default")) == 2
    erase(filled, "default", "c-1")
    assert [one.conversation.id for one in choices.corrections("default")] == ["others"]
    assert [one.conversation.id for one in choices.choices("default")] == ["others"]
    assert {one.conversation for one in choices.decisions("default")} == {"others"}
