from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.reading import read
from copilot.variants import Known, parts, undecided, undecided_plan

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
