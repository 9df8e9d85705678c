from __future__ import annotations

import pytest

from copilot.facts import menus, missing

SOURCE = (
    "Hold the button for 10 seconds. Refunds take three working days since 4 March 2025. Open Settings > Privacy > Delete account. "
    "The Weir needs firmware 3.8.2. A Care plan costs €4.90. Write to help@shop.example."
)


@pytest.mark.parametrize(
    "text",
    [
        "Hold it for 10 s.",
        "It takes 3 working days since March 2025.",
        "Go to Settings → Privacy → Delete account.",
        "Your Weir needs 3.8.2.",
        "Care costs 4.90 €.",
        "Write to help@shop.example.",
    ],
)
def test_a_fact_in_another_spelling_is_there(text: str) -> None:
    assert missing(text, SOURCE) == ()


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("Hold it for 10 minutes.", "10 min"),
        ("It takes four days.", "4 d"),
        ("It counts since 4 April 2025.", "apr"),
        ("Go to Settings > Security > Delete account.", "Go to Settings > Security > Delete account"),
        ("Your old Sluice needs 3.8.2.", "Sluice"),
        ("Care costs 5.90 €.", "5.90"),
        ("Write to help@shop.example.evil.example.", "help@shop.example.evil.example"),
        ("You cannot hold the button.", "a negation"),
        ("Hold it for sixty seconds.", "60 s"),
        ("Hold it for twenty-five seconds.", "25 s"),
        ("Hold it for one hour.", "1 h"),
        ("Warten Sie dreißig Sekunden.", "30 s"),
        ("It takes 3 days.", "3 d"),
        ("Hold it for 10 working days.", "10 working d"),
        ("Open shop-login.example/reset.", "shop-login.example/reset"),
        ("Ask evil.example.", "evil.example"),
        ("The Wei needs firmware 3.8.2.", "Wei"),
        ("A Care plan costs nothing.", "costs nothing"),
    ],
)
def test_a_fact_that_the_source_lacks_is_named(text: str, absent: str) -> None:
    assert absent in missing(text, SOURCE)


def test_a_title_lends_names_but_no_numbers() -> None:
    assert missing("Reset the Weir in 5 steps.", "Reset it.", "Reset your Weir in 5 steps") == ("5",)


@pytest.mark.parametrize(
    ("text", "words", "absent"),
    [
        ("Keep it above 0 °F.", "Keep it above 0 °C.", "0 °f"),
        ("Use at most 12 letters.", "Use at least 12 letters.", "at most"),
        ("Always charge it, never drop it.", "Never charge it, never drop it.", "always"),
        ("Pay before delivery, not by card.", "Pay after delivery, not by card.", "before"),
        ("Everybody can see it, but not we.", "Nobody can see it, not even we.", "everybody"),
    ],
)
def test_a_word_of_the_opposite_sense_is_named(text: str, words: str, absent: str) -> None:
    assert absent in missing(text, words)
    assert missing(words, words) == ()


def test_an_address_is_the_same_with_and_without_its_scheme() -> None:
    assert missing("Open app.shop.example/reset.", "Open https://app.shop.example/reset and sign in.") == ()


def test_of_a_menu_path_the_words_at_the_arrows_are_told() -> None:
    assert list(menus("Go to Settings > Privacy > Delete account and wait.")) == ["settings", "privacy", "delete"]
    assert list(menus("Wait for 10 seconds.")) == []
