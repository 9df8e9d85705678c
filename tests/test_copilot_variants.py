from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.domain import Hit, Passage
from copilot.draft import SECTION_CHARS, evidence
from copilot.reading import read
from copilot.variants import Known, cut_off, open_at, parts, undecided, undecided_plan
from tests.test_copilot_compose import text as told

MENU = "[mac: In the menu bar, click the app menu and select Settings.] [win,linux: Click the menu button and choose Settings.]"
PATH = "Your data is kept away from the [win: program files] [mac,linux: application], in a folder."


def reads(text: str, message: str, tier: str | None = None) -> str:
    return read(text, 0, len(text), Known.of(message, tier), ()).text.strip()


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("It fails on Windows 11", "Your data is kept away from the program files, in a folder."),
        ("macOS Sonoma here", "Your data is kept away from the application, in a folder."),
        ("Ubuntu 24.04", "Your data is kept away from the application, in a folder."),
    ],
)
def test_only_the_branch_of_the_customers_platform_is_read(message: str, shown: str) -> None:
    assert reads(PATH, message) == shown


def test_where_the_platform_is_unknown_each_branch_says_for_whom_it_is() -> None:
    shown = reads(MENU, "It fails")
    assert (
        shown
        == "Mac: In the menu bar, click the app menu and select Settings. Windows, Linux: Click the menu button and choose Settings."
    )
    assert (
        reads(PATH, "It fails")
        == "Your data is kept away from the program files (Windows) / application (Mac, Linux), in a folder."
    )
    assert undecided(MENU, Known.of("It fails")) == ("Windows", "Mac", "Linux")
    assert undecided(MENU, Known.of("It fails on my iMac")) == ()


@pytest.mark.parametrize(
    ("text", "message", "tier", "shown"),
    [
        ("[app115: The new button.] [not app115: The old button.]", "App 102 has none", None, "The old button."),
        ("[app115: The new button.] [not app115: The old button.]", "Windows 11 has none", None, "The new button."),
        ("[pro: Call us at night.] [basic: Write to us.]", "Nobody answers", "basic", "Pro"),
        ("[not mac: Press Ctrl.] [mac: Press Command.]", "on my Mac", None, "Press Command."),
        ("An array [x: not a variant", "", None, "An array [x: not a variant"),
    ],
)  # fmt: skip
def test_versions_plans_and_negations_are_honoured(text: str, message: str, tier: str | None, shown: str) -> None:
    if shown == "Pro":
        assert "Write to us." in reads(text, message, tier)
    else:
        assert reads(text, message, tier) == shown


@given(st.text(alphabet="[]winmaclinux: ,not.", max_size=80))
def test_whatever_is_kept_stands_in_the_source(text: str) -> None:
    for part in parts(text, 0, len(text), Known.of("")):
        assert 0 <= part.start <= part.end <= len(text)


def test_a_mark_between_two_words_leaves_them_apart() -> None:
    text = "If the window[win: still] does not open, wait."
    assert (
        read(text, 0, len(text), Known.of("I use Windows 11", None), ()).text
        == "If the window still does not open, wait."
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[win,linux: Close] [mac: Quit]  Mail.", "Close (Windows, Linux) / Quit (Mac) Mail."),
        (
            "[win,linux: Right-click] [mac: Hold down the Control key while you click] the folder.",
            "Right-click (Windows, Linux) / Hold down the Control key while you click (Mac) the folder.",
        ),
        ("Select [win: Copy] [mac: Copy it] .[linux: It is hidden.]", "Select Copy (Windows) / Copy it (Mac). Linux: It is hidden."),
        ("Look: [win:  ] [mac:  ] [linux: ]", "Look:"),
    ],
)  # fmt: skip
def test_a_few_words_for_each_platform_stand_beside_each_other_with_a_stroke(text: str, shown: str) -> None:
    assert reads(text, "It fails") == shown


PLANS = "[family,studio: You may share many albums.] [free: You may share one album.]"


@pytest.mark.parametrize(
    ("message", "tier", "shown"),
    [
        ("I have the Studio plan, how do I share?", None, "You may share many albums."),
        ("We are on Studio since May", None, "You may share many albums."),
        ("How do I share? My plan is the free one: free plan", None, "You may share one album."),
        ("How do I share?", "free", "You may share one album."),
        ("My family cannot see it", None, "Family, Studio: You may share many albums. Free: You may share one album."),
    ],
)
def test_where_one_plan_is_named_what_is_for_the_others_is_left_out(message: str, tier: str | None, shown: str) -> None:
    assert reads(PLANS, message, tier) == shown
    assert undecided_plan(PLANS, Known.of(message, tier)) is (": " in shown)


LINES = "\n".join(
    f"{n}. Drag the mail folder number {n} of your profile to the new disk and press Next." for n in range(1, 41)
)
WHOLE = f"## Move the folder\n\n[win: {LINES}\n]\n\n[mac: Drag the mail folder in the Finder.]"
HEADED = (
    "# Move\n\nMoving is easy.\n\n[win:\n## On this system\n\nDrag the mail folder in the Explorer.\n\nThen restart.\n]\n\n"
    "[mac:\n## On that system\n\nDrag the mail folder in the Finder.\n\nThen log out.\n]\n\n## After it\n\nLook for the mail folder."
)


def from_page(page: str, place: str, message: str) -> str:
    """The draft from this page, in which the passage that begins at the place was found."""
    at = page.index(place)
    passage = Passage(start=at, end=at + 30, text="", headings=(), score=0.6, scores={"dense": 0.6, "lexical": 0.1})
    hit = Hit(
        document_id="d", kind="article", title="Move", url=None, audience="public", revision=1, score=0.6, scores={"dense": 0.6},
        passages=(passage,), language="en",
    )  # fmt: skip
    return told(*evidence(message, [hit], [], {("d", 1): (page, 0)}, {}), message=message)


@pytest.mark.parametrize("place", ["2. Drag", "20. Drag", "38. Drag"])
def test_of_a_variant_that_is_longer_than_a_section_no_mark_is_told_and_nobody_else_gets_it(place: str) -> None:
    assert len(LINES) > SECTION_CHARS
    draft = from_page(WHOLE, place, "How do I move the mail folder on Windows?")
    assert "\n1. Drag the mail folder number 1 " in draft
    assert "[" not in draft
    assert "]" not in draft
    assert "number" not in from_page(WHOLE, place, "How do I move the mail folder on my Mac?")
    unknown = from_page(WHOLE, place, "How do I move the mail folder?")
    assert "\n1. Windows: Drag the mail folder number 1 " in unknown
    assert "\n2. Drag the mail folder number 2 " in unknown


@pytest.mark.parametrize("place", ["Drag the mail folder in the Explorer", "Then log out", "Look for"])
def test_a_section_inside_a_variant_is_for_those_whom_the_variant_is_for(place: str) -> None:
    windows = from_page(HEADED, place, "How do I move the mail folder on Windows?")
    assert "Explorer.\n\nThen restart." in windows
    assert not any(words in windows for words in ("Finder", "log out", "["))
    unknown = from_page(HEADED, place, "How do I move the mail folder?")
    assert "Windows: Drag the mail folder in the Explorer." in unknown
    assert "Mac: Drag the mail folder in the Finder." in unknown
    assert not any(mark in unknown for mark in "[]#")


def test_a_place_knows_the_variants_that_it_is_in() -> None:
    text = "[not a variant [win: One. [app115: Two.] Three.] Four. [mac: Five. [linux: Six.]"
    assert open_at(text, text.index("Two")) == ("[win: ", "[app115: ")
    assert open_at(text, text.index("Three")) == ("[win: ",)
    assert open_at(text, text.index("Four")) == ()
    assert open_at(text, text.index("Six")) == ("[linux: ",)  # nothing closes the one around it


def test_a_mark_that_nothing_closes_hides_no_later_section_and_labels_none() -> None:
    page = (
        "# Export\n\nIt is easy.\n\n## Keys\n\nPress [win: Ctrl+E] [mac: Cmd+E and wait.\n\n"
        "## Costs\n\nThe export is free for everybody who has an account."
    )
    for system in (" on Windows", ""):
        made = from_page(page, "The export is free", f"What does the export cost{system}?")
        assert "The export is free" in made
        assert "Mac: " not in made


@pytest.mark.parametrize(
    ("text", "windows", "mac"),
    [
        ("Press [win: Ctrl+E] [mac: Cmd+E and wait.\n\nThen save.\n\n[linux: Use it.] Done.", "Press Ctrl+E \n\nThen save.\n\n Done.",
         "Press Cmd+E and wait.\n\nThen save.\n\n Done."),
        ("1. Go: [mac: open it,\n  or not.\n2. Wait.\n3. [win: Restart] it.", "1. Go: \n2. Wait.\n3. Restart it.",
         "1. Go: open it,\n or not.\n2. Wait.\n3. it."),
        ("Save | [mac: Cmd + S\nOpen | [win: Ctrl + O]", "Save: \nOpen: Ctrl + O", "Save: Cmd + S\nOpen:"),
        ("[mac:\n\nOpen it.\n\nWait.", "Wait.", "Open it.\n\nWait."),
        ("[mac: Open it.\nPress [win: Ctrl] [mac: Cmd].\n\nWait.", "Wait.", "Open it.\nPress Cmd.\n\nWait."),
        ("More | [win: Ctrl + ]] [mac: Cmd + ]]\nLess | [win: Ctrl + []  [mac: Cmd + []\n\nEnd.", "More: Ctrl + ] \nLess: Ctrl + [ \n\nEnd.",
         "More: Cmd + ]\nLess: Cmd + [\n\nEnd."),
    ],
)  # fmt: skip
def test_a_mark_that_nothing_closes_ends_with_its_paragraph_item_or_row(text: str, windows: str, mac: str) -> None:
    assert reads(text, "on Windows 11") == windows
    assert reads(text, "on my Mac") == mac
    assert "Linux" not in reads(text, "on Ubuntu")


def test_a_variant_that_is_cut_off_is_told_from_one_that_nothing_closes() -> None:
    text = "Begin. [win:\n\nOne.\n\nTwo. [mac: Three.\n\nFour.]]\n\nFive."
    end = text.index("Two")
    assert cut_off(text, 0, end) == (text.index("[win"),)
    assert cut_off(text, 7, end) == (0,)
    assert cut_off(text, text.index("One"), end) == ()
    assert cut_off("[win: One.\n\nTwo.", 0, 12) == ()
    page = (
        "# Export\n\nPress [win: Ctrl+E] [mac: Cmd+E and wait.\n\nThe export is free for everybody who has an account."
    )
    made = from_page(page, "Press", "What does the export cost on Windows?")
    assert "The export is free" in made
