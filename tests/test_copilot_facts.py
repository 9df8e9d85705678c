from __future__ import annotations

import pytest

from copilot.facts import missing

SOURCE = (
    "Hold the button for 10 seconds. Refunds take three working days since 4 March 2025. Open Settings > Privacy > Delete account. "
    "The Weir needs firmware 3.8.2. A Care plan costs €4.90. Write to help@shop.example."
)


@pytest.mark.parametrize(
    "text",
    [
        "Hold it for 10 s.",
        "It takes 3 days since March 2025.",
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
    ],
)
def test_a_fact_that_the_source_lacks_is_named(text: str, absent: str) -> None:
    assert absent in missing(text, SOURCE)


def test_a_title_lends_names_but_no_numbers() -> None:
    assert missing("Reset the Weir in 5 steps.", "Reset it.", "Reset your Weir in 5 steps") == ("5",)
