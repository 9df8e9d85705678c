"""Somebody in danger is answered by what speaks of that danger, or by who takes over alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from copilot.adapters.extractive import ExtractiveDrafter
from copilot.build import Parts
from copilot.danger import about
from copilot.domain import Conversation, Draft, Escalation, Evidence, Message
from copilot.draft import write
from copilot.handover import handed_over
from copilot.ports import DraftRequest
from tests.conftest import AGENT, asks, ingest
from tests.test_copilot_compose import article
from tests.test_copilot_handover import reasons

BUYING = """## Before you order the lamp
Check the socket: the lamp's plug has two pins and the cable is two metres long.

Choose the bulb by the room. A warm bulb suits a bedroom and a cold bulb suits a desk."""
WARNING = """## Care of the lamp
Dust the shade once a month. If the lamp smokes or its plug is scorched, keep away from it and call us at once. Do not use it again.

Wash the shade by hand."""
LISTED = """## The lamp and you
Ring us in an emergency, which is when:

- the shade is torn;
- the foot has melted or a flame was seen."""
IN_DANGER = (
    "The plug of your lamp has gone brown and it is sparking, what now?",
    "there's smoke coming out of the lamp!!",
    "The lamp's cable melted on the carpet. Which bulb should I use now?",
    "Aus der Lampe kommt Rauch, was soll ich tun?",
)


def reply(message: str, *evidence: Evidence) -> str:
    passed, rests_on = handed_over(reasons("safety"), message, evidence)
    request = DraftRequest(
        conversation=Conversation(messages=(Message(text=message),)), message=message, evidence=rests_on,
        language="en", sentiment="neutral", handover=passed,
    )  # fmt: skip
    (draft,) = [step for step in write(ExtractiveDrafter(0.7), request) if isinstance(step, Draft)]
    return draft.text


@pytest.mark.parametrize("message", IN_DANGER)
def test_danger_is_never_answered_by_a_page_about_something_else(message: str) -> None:
    text = reply(message, article(BUYING))
    assert "socket" not in text
    assert "bulb" not in text
    assert "safety team" in text
    assert "emergency number" in text


@pytest.mark.parametrize("message", IN_DANGER)
def test_what_a_page_says_of_that_very_danger_is_told_and_nothing_else_of_it(message: str) -> None:
    text = reply(message, article(BUYING), article(WARNING, "care"))
    assert "keep away from it and call us at once" in text
    assert not any(word in text for word in ("bulb", "Dust", "Wash"))
    assert "I am also passing your message to our safety team." in text


def test_a_warning_of_another_danger_is_no_answer() -> None:
    text = reply("I got an electric shock from the switch", article(WARNING))
    assert "smokes" not in text
    assert "safety team" in text


def test_a_listed_warning_keeps_the_line_that_announces_it() -> None:
    (part,) = about("the foot of the lamp has melted", [article(LISTED)])
    assert part.text.startswith("Ring us")
    assert part.text == LISTED[part.start - 10 : part.end - 10]
    assert "Ring us in an emergency, which is when:" in reply("the foot of the lamp has melted", article(LISTED))


@pytest.mark.parametrize("escalation", [reasons("asks_for_person"), reasons("safety", recommended=False), reasons()])
def test_where_nobody_is_in_danger_the_evidence_stays_whole(escalation: Escalation) -> None:
    evidence = (article(BUYING), article(WARNING, "care"))
    assert handed_over(escalation, "My plug smokes", evidence)[1] == evidence


@pytest.mark.parametrize(
    "message", ["Help, the charger of my lamp is on fire", "The lamp that I chose is on fire, is it the bulb?"]
)
def test_through_the_product_a_shopping_page_never_answers_somebody_in_danger(
    message: str, parts: Parts, tmp_path: Path
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "lamp.md").write_text("# Choosing a lamp or a charger\n\n" + BUYING, encoding="utf-8")
    ingest(parts, tmp_path / "docs")
    made = parts.copilot.suggest(AGENT, asks(message))
    assert made.escalation.team == "safety"
    assert made.draft is not None
    assert not [c for one in made.draft.statements for c in one.citations]
