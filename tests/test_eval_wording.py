"""What is wrong with a draft's own words, seen without knowing the answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from copilot.domain import Draft, Kind
from eval.wording import Flaw, flaws, same_words, told
from tests.eval_cases import cite, draft

ASKED = "My hub does not answer any more since yesterday evening, what can I do about it?"
TEXTS = {("source", 1): "words"}


def made(*lines: str, kind: Kind = "article") -> Draft:
    quote = replace(cite("source", 0, 5, TEXTS), kind=kind)
    return draft(*((line, [quote]) for line in lines), opening="Hello,")


def only(*lines: str, kind: Kind = "article", asked: str = ASKED) -> Flaw:
    (flaw,) = flaws(made(*lines, kind=kind), asked)
    return flaw


@pytest.mark.parametrize(
    "words",
    ["I discovered a filter that was causing the trouble.", "This again was user error, as so often before.",
     "It now works fine after a restart of the hub.",
     "Deleting the account and adding it back solved it for me."],
)  # fmt: skip
def test_a_tickets_first_person_is_another_customers_own_words(words: str) -> None:
    flaw = only(words, kind="ticket")
    assert (flaw.kind, flaw.badness) == ("another customer's own words", 88)
    assert flaw.why == f"It passes on another person’s own words as ours: “{words}”"


@pytest.mark.parametrize(
    "words",
    ["I would suggest that you restart the hub once.", "Let me know if the hub still does not answer.",
     "Restart the hub and wait for the green light.",
     "Choose the entry “Forget my hub” in the settings."],
)  # fmt: skip
def test_advice_from_a_ticket_is_nobodys_own_story(words: str) -> None:
    assert flaws(made(words, kind="ticket"), ASKED) == ()


def test_an_article_may_speak_in_the_first_person() -> None:
    assert flaws(made("To find it, see How do I find my profile in the help."), ASKED) == ()


def test_the_larger_the_share_of_borrowed_words_the_worse() -> None:
    assert 40 < only("I fixed it.", "Restart the hub and wait for the light.", kind="ticket").badness < 50


@pytest.mark.parametrize(
    "end", ["Paste the text into the box below:", "Choose Settings, then open the", "Open the menu and click ("]
)
def test_a_draft_that_stops_short_ends_in_the_middle(end: str) -> None:
    flaw = only("Restart the hub.", end)
    assert flaw.kind == "ends in the middle"
    assert end in flaw.why


def test_a_colon_before_a_list_is_no_end() -> None:
    assert flaws(made("Do the following to restart it:", "1. Press the button.", "2. Wait."), ASKED) == ()


@pytest.mark.parametrize("lines", [("- Username", "- Email"), ("See below",)])
def test_bare_bullets_and_stubs_are_only_fragments(lines: tuple[str, ...]) -> None:
    assert only(*lines).kind == "only fragments"


def test_short_steps_are_no_fragments() -> None:
    assert flaws(made("1. Open Settings.", "2. Tap Reset.", "3. Confirm."), ASKED) == ()


def test_steps_that_do_not_begin_at_one_are_named() -> None:
    assert only("2. Open the profile folder.", "3. Copy it.").why.startswith("Its steps begin at 2.")


def test_steps_that_leave_some_out_are_named() -> None:
    flaw = only("1. Open the profile folder.", "4. Copy it.")
    assert flaw.kind == "steps begin in the middle"
    assert flaw.why.startswith("After step 1 comes step 4.")


def test_a_second_list_may_begin_anew() -> None:
    assert flaws(made("1. Open the folder.", "2. Copy it.", "1. Open the other.", "2. Paste."), ASKED) == ()


@pytest.mark.parametrize(
    "mark",
    ["[win,linux: Right-click]", "{{Warning}}", "<br>", "&nbsp;", "[[Profiles]]", "[here](https://help.example)"],
)
def test_markup_that_the_customer_would_see_is_quoted(mark: str) -> None:
    flaw = only(f"Press {mark} and wait for the green light.")
    assert flaw.kind == "raw markup shown"
    assert mark in flaw.why


def test_a_menu_path_is_no_markup() -> None:
    assert flaws(made("Choose ≡ > Settings > General [optional] and wait a < b moment."), ASKED) == ()


def test_an_answer_in_another_language_is_named() -> None:
    dutch = "Goedemorgen, mijn lamp doet het niet meer sinds gisteren. Wat moet ik doen om hem weer te laten branden?"
    flaw = only("Press the button on the back of the lamp for ten seconds until it blinks, then let go.", asked=dutch)
    assert (flaw.kind, flaw.why) == (
        "language differs",
        "The message is in Dutch, the draft tells its answer in English.",
    )


def test_a_text_too_short_to_tell_its_language_is_left_alone() -> None:
    assert flaws(made("Press the button on the back for ten seconds."), "Lamp kapot!") == ()


def test_a_draft_without_claims_has_no_words_to_fault() -> None:
    assert flaws(draft(opening="Hello,"), ASKED) == ()


def test_what_is_told_leaves_out_the_greeting() -> None:
    assert told(made("Press the\nbutton.", "Wait.")) == "Press the button. Wait."


def test_list_marks_and_spaces_do_not_make_other_words() -> None:
    assert same_words("- Press  the button.", "Press the\nbutton.")
    assert not same_words("Press the button.", "Press the button twice.")
