"""What a text says beside the wrong words is told, and a fair paraphrase is left alone."""

from __future__ import annotations

import pytest

from copilot.clauses import misplaced

RETURNS = (
    "You may return a frame within 30 days of delivery. The refund is paid within 5 working days after we receive it."
)
NETWORK = "The frame needs a 2.4 GHz network. It does not work with 5 GHz networks."
CHARGE = "Never charge it below 0 °C or above 40 °C."
REPAIR = "Stripes come from pressure. This is not covered by the warranty. A repair costs €39 for the Frame S and €59 for the Frame L."
PLANS = "With the Family plan you can invite 6 people. With the Studio plan you can invite as many people as you like."
WARRANTY = "It covers faults of material and making. It does not cover drops."
READY = "The file is ready within 48 hours and we send you a link, which works for 7 days."
TABLE = "Family | €4.99 | 5 | 50 GB\nStudio | €14.99 | 25 | 500 GB"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("You may return a frame within 5 working days of delivery.", RETURNS),
        ("The refund is paid within 30 days after we receive it.", RETURNS),
        ("You may return a frame within 30 days above delivery.", RETURNS),
        ("The frame needs a 5 GHz network, it does not work with 2.4 GHz networks.", NETWORK),
        ("Never charge it below 40 °C or above 0 °C.", CHARGE),
        ("A repair costs €59 for the Frame S and €39 for the Frame L.", REPAIR),
        ("A repair of the Frame S costs €59.", REPAIR),
        ("The file is ready within 7 days and the link works for 48 hours.", READY),
        ("The Family plan costs €14.99.", TABLE),
        ("With the Family plan you can invite as many people as you like.", PLANS),
        ("Always charge it below 0 °C, never above 40 °C.", CHARGE),
        ("Stripes come from pressure, which is not your fault and covered by the warranty.", REPAIR),
        ("It covers drops, but it does not cover faults of material.", WARRANTY),
    ],
)
def test_a_fact_beside_the_wrong_words_is_named(text: str, words: str) -> None:
    assert misplaced(text, words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The refund is paid within 5 working days, and you can return a frame within 30 days of delivery.", RETURNS),
        ("You have 30 days from delivery to return a frame.", RETURNS),
        ("It does not work with 5 GHz networks, it needs a 2.4 GHz network.", NETWORK),
        ("The frame needs a 2.4 GHz network and does not work with 5 GHz networks.", NETWORK),
        ("Never charge the frame above 40 °C or below 0 °C.", CHARGE),
        ("Do not charge it below 0 °C and do not charge it above 40 °C.", CHARGE),
        ("A repair of the Frame L costs €59.", REPAIR),
        ("Stripes from pressure are not covered by the warranty.", REPAIR),
        ("The link that we send you works for 7 days.", READY),
        ("The Studio plan costs €14.99 for 25 frames.", TABLE),
        ("With the Studio plan you can invite as many people as you like.", PLANS),
        ("It covers faults of making and does not cover drops.", WARRANTY),
    ],
)
def test_the_same_in_other_words_is_left_alone(text: str, words: str) -> None:
    assert misplaced(text, words) == ()
