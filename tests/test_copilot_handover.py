"""Who takes over is said in the reply: instead of an answer where an article would be out of place, else beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from copilot.adapters.extractive import ExtractiveDrafter
from copilot.build import Parts
from copilot.domain import Channel, Conversation, Customer, Draft, Escalation, Message, Reason
from copilot.draft import write
from copilot.escalate import NOTED
from copilot.facts import has_facts
from copilot.handover import BESIDE, DANGER, ONLY, handover, held
from copilot.ports import DraftRequest, Handover
from prompts import LANGUAGES
from tests.conftest import AGENT, asks
from tests.test_copilot_compose import STEPS, article

ASKED = "How do I restart the router?"


def reasons(*codes: str, recommended: bool = True, level: str = "lead", weight: float = 0.9) -> Escalation:
    made = tuple(Reason(code=code, message=0, start=0, end=3, quote="How", weight=weight) for code in codes)
    return Escalation(recommended=recommended, level=level, team="lead", score=0.9, reasons=made)


def reply(
    passed: Handover | None, channel: Channel = "email", replies: tuple[str, ...] = (), language: str = "en"
) -> str:
    turns = (*(Message(author="agent", text=text) for text in replies), Message(text=ASKED))
    request = DraftRequest(
        conversation=Conversation(channel=channel, messages=turns, customer=Customer(name="Ana Sousa")), message=ASKED,
        evidence=(article(STEPS),), language=language, sentiment="negative", handover=passed,
    )  # fmt: skip
    (draft,) = [step for step in write(ExtractiveDrafter(0.7), request) if isinstance(step, Draft)]
    assert all((one.support == "no_claim") == (not one.citations) for one in draft.statements)
    return draft.text


@pytest.mark.parametrize("code", sorted(ONLY | DANGER))
def test_what_no_article_answers_gets_a_holding_reply_without_one(code: str) -> None:
    text = reply(handover(reasons("worsening_mood", code)))
    assert "plug" not in text
    assert "colleague" in text or "who take it from here" in text


@pytest.mark.parametrize("code", sorted(BESIDE))
def test_other_handovers_are_said_beside_the_answer(code: str) -> None:
    text = reply(handover(reasons(code)))
    assert "Pull the plug of the router." in text
    assert "I am also passing" in text


@pytest.mark.parametrize("escalation", [reasons("press", recommended=False), reasons("accessibility"), reasons()])
def test_where_nobody_takes_over_nothing_is_said_of_it(escalation: Escalation) -> None:
    assert handover(escalation) is None


@pytest.mark.parametrize("code", ["security_incident", "payment_dispute", "safety", "press"])
def test_what_a_message_only_reads_a_little_like_hands_nothing_over(code: str) -> None:
    assert handover(reasons(code, weight=NOTED)) is None


def test_an_emergency_by_a_rule_of_ones_own_is_not_answered_by_an_article() -> None:
    assert handover(reasons("asbestos", level="emergency")) == Handover(reason="asbestos", only=True)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", sorted(ONLY | DANGER | BESIDE | {"a_rule_of_ones_own"}))
def test_a_holding_reply_names_no_time_and_no_figure_in_any_language(language: str, reason: str) -> None:
    text = reply(Handover(reason=reason, only=True), language=language)
    assert not has_facts(text.partition("\n")[2])
    assert "None" not in text


def test_a_handover_is_said_once_in_a_thread() -> None:
    first = reply(Handover(reason="press", only=True))
    assert "press team" not in reply(Handover(reason="press", only=True), replies=(first,))


@pytest.mark.parametrize("passed", [None, Handover(reason="safety", only=False)])
def test_a_chat_reply_with_a_handover_has_three_sentences_at_most(passed: Handover | None) -> None:
    text = reply(passed, channel="chat")
    assert len([mark for mark in text if mark in ".?!"]) - text.count("1.") - text.count("2.") - text.count("3.") <= 3
    assert "Pull the plug of the router; Wait for 30 seconds; Put the plug back" in text


def test_nobody_takes_over_for_what_is_only_a_note() -> None:
    called = reasons("asks_for_person")
    noted = replace(called, reasons=(*called.reasons, replace(called.reasons[0], code="legal_threat", weight=0.01)))
    assert handover(noted) == handover(called)


def test_somebody_in_danger_gets_a_holding_reply_where_the_sources_say_nothing(filled: Parts) -> None:
    made = filled.copilot.suggest(AGENT, asks("There are flames coming out of my neighbour's scooter in Lisbon, help"))
    assert made.answerability is not None
    assert made.answerability < filled.settings.abstain_below
    assert made.draft is not None
    assert made.abstention is None
    assert "who take it from here" in made.draft.text
    assert not any(one.citations for one in made.draft.statements)


def test_what_is_no_danger_is_held_by_nobody_where_the_sources_say_nothing() -> None:
    assert held(reasons("safety"), ASKED) == Handover(reason="safety", only=True)
    assert held(reasons("payment_dispute"), ASKED) is None
    assert held(reasons("press"), ASKED) is None
    assert held(reasons("safety", weight=NOTED), ASKED) is None


def test_who_only_asks_for_a_person_hears_that_it_is_passed_on(filled: Parts) -> None:
    made = filled.copilot.suggest(AGENT, asks("I dont want a robot, can I speak to an actual human please"))
    assert made.draft is not None
    assert "I am passing on that you would like to talk to a person." in made.draft.text
    assert made.abstention is None


@pytest.mark.parametrize(
    "wish",
    [
        "Can you repaint the fence of my cousin by Friday morning? Otherwise I want a human.",
        "请问我上周买的割草机无法启动，应该怎么办？另外我想找人工客服。",
    ],
)
def test_who_also_asks_something_that_no_source_answers_gets_no_such_reply(wish: str) -> None:
    assert held(reasons("asks_for_person"), wish) is None
    assert held(reasons("asks_for_person"), "我想找人工客服。") == Handover(reason="asks_for_person", only=True)
