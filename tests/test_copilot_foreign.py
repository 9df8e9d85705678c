"""A customer who writes in another language than the sources is spoken to in theirs, and told in which language what follows is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from copilot.adapters.extractive import ExtractiveDrafter
from copilot.domain import Channel, Conversation, Customer, Draft, Message
from copilot.draft import write
from copilot.ports import DraftRequest
from tests.test_copilot_compose import STEPS, article

ASKED = "¿Cómo reinicio el router?"


def drafted(language: str, source: str, channel: Channel = "email") -> Draft:
    request = DraftRequest(
        conversation=Conversation(channel=channel, messages=(Message(text=ASKED),), customer=Customer(name="Inés Roca")),
        message=ASKED, evidence=(replace(article(STEPS), language=source),), language=language, sentiment="neutral",
    )  # fmt: skip
    return next(step for step in write(ExtractiveDrafter(0.7), request) if isinstance(step, Draft))


@pytest.mark.parametrize(("language", "greeting", "named"), [("es", "Hola", "inglés"), ("nl", "Beste", "Engels")])
def test_the_frame_is_in_the_customers_language_and_says_in_which_the_answer_is(
    language: str, greeting: str, named: str
) -> None:
    draft = drafted(language, "en")
    first, *rest = draft.text.split("\n\n")
    assert first.startswith(f"{greeting} Inés")
    assert any(named in line and line.endswith(":") for line in rest)
    assert "Pull the plug of the router." in draft.text
    assert draft.language == "en"
    assert all((one.support == "no_claim") == (not one.citations) for one in draft.statements)


def test_nothing_is_said_of_languages_where_both_are_the_same_or_one_has_no_words_here() -> None:
    assert "inglés" not in drafted("es", "es").text
    assert drafted("pl", "en").text.startswith("Hi Inés")


def test_talking_points_say_nothing_of_languages() -> None:
    assert "inglés" not in drafted("es", "en", "phone").text
