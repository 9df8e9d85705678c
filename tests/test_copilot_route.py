"""Where a message goes: a department, how sure that is, and one question where it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from copilot import yaml_file
from copilot.domain import Alternative, Entity, Escalation, Reason, Tag
from copilot.route import route, team_of
from copilot.settings import DEFAULTS
from copilot.taxonomy import taxonomy
from tests.conftest import asks
from tests.test_copilot_escalate import triage

CALM = Escalation(recommended=False, level=None, team=None, score=0.0, reasons=())
TEAMS = {"billing_payment": "billing", "invoice_copy": "billing", "order_status": "logistics", "praise": "frontline"}


def said(label: str, confidence: float, *others: tuple[str, float]) -> Tag:
    rest = tuple(Alternative(label=label, confidence=confidence) for label, confidence in others)
    return Tag(label=label, confidence=confidence, level="low", alternatives=rest)


def test_a_sure_intent_goes_to_its_team_without_a_question() -> None:
    made = route(replace(triage(), intent=said("order_status", 0.9)), CALM, TEAMS)
    assert (made.department, made.confidence, made.question) == ("logistics", 0.9, None)


def test_intents_of_one_team_count_together() -> None:
    read = replace(triage(), intent=said("order_status", 0.4, ("billing_payment", 0.35), ("invoice_copy", 0.25)))
    assert (route(read, CALM, TEAMS).department, route(read, CALM, TEAMS).question) == ("billing", None)


def test_between_two_departments_one_question_is_asked() -> None:
    read = replace(triage(), intent=said("order_status", 0.4, ("billing_payment", 0.35)))
    assert route(read, CALM, TEAMS).question == "Is it about logistics or about billing?"


def test_a_named_order_speaks_for_logistics() -> None:
    named = (Entity(type="order", text="TB-1234", message=0, start=0, end=7),)
    read = replace(triage(), intent=said("order_status", 0.4, ("billing_payment", 0.38)))
    plain, told = route(read, CALM, TEAMS), route(replace(read, entities=named), CALM, TEAMS)
    assert told.department == "logistics"
    assert told.confidence > plain.confidence


def test_a_recommended_escalation_goes_to_its_team() -> None:
    alarm = Escalation(recommended=True, level="emergency", team="safety", score=0.9, reasons=())
    made = route(replace(triage(), intent=said("order_status", 0.9)), alarm, TEAMS)
    assert (made.department, made.confidence, made.question) == ("safety", 0.9, None)


def test_what_fits_nothing_is_asked_about() -> None:
    made = route(replace(triage(), intent=said("other", 0.5)), CALM, TEAMS)
    assert made.department == "frontline"
    assert made.question == "Could you tell me in one sentence what it is about?"


def test_the_question_is_asked_in_the_callers_language() -> None:
    german = Tag(label="de", confidence=0.9, level="high")
    read = replace(triage(), intent=said("order_status", 0.4, ("billing_payment", 0.35)), language=german)
    assert route(read, CALM, TEAMS).question == "Können Sie mir in einem Satz sagen, worum es geht?"
    likelier = replace(read, intent=said("order_status", 0.5, ("billing_payment", 0.4)))
    assert route(likelier, CALM, TEAMS).question == "Geht es um eine Lieferung oder um eine Rechnung oder Zahlung?"
    own = {"order_status": "vip_care", "billing_payment": "billing"}
    assert route(likelier, CALM, own).question == "Geht es um vip care oder um eine Rechnung oder Zahlung?"


def test_the_shipped_teams_have_a_name_in_each_language_of_the_question() -> None:
    shipped = yaml_file.read(DEFAULTS / "teams.yaml")
    assert shipped.keys() == set(taxonomy(DEFAULTS / "taxonomy.yaml").teams.values())
    assert all(one[language] for one in shipped.values() for language in ("de", "fr", "nl", "es"))


OURS = {**TEAMS, "plan_change": "sales", "how_to": "technical", "gold": "vip_care"}
LEAD = Escalation(
    recommended=True, level="lead", team="lead", score=0.7,
    reasons=(Reason(code="asks_for_person", message=0, start=0, end=4, quote="talk", weight=0.7),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("words", "team"),
    [
        ("talk to sales please", "sales"),
        ("put me through to billing", "billing"),
        ("give me technical support", "technical"),
        ("I'd like the billing department please", "billing"),
        ("the accounts department, please", "billing"),
        ("can I speak to someone in logistics?", "logistics"),
        ("connect me with VIP care", "vip_care"),
        ("billing", "billing"),
        ("Ich möchte mit dem Vertrieb sprechen", "sales"),
        ("je veux parler au service facturation", "billing"),
        ("Kunt u mij doorverbinden met verkoop?", "sales"),
        ("quiero hablar con el departamento de ventas", "sales"),
    ],
)
def test_a_department_that_the_caller_names_is_where_they_go(words: str, team: str) -> None:
    made = route(triage(), LEAD, OURS, asks(words))
    assert (made.department, made.question) == (team, None)
    (reason,) = team_of(triage(), LEAD, OURS, asks(words)).reasons
    assert (reason.code, words[reason.start : reason.end]) == ("asked_for", reason.quote)


@pytest.mark.parametrize(
    "words",
    [
        "I want to talk to a manager",
        "I don't want to talk to sales, get me a human",
        "I did talk to billing yesterday and want a person now",
        "talk to sales or billing",
        "I work in the sales team, get me a human",
        "speak to me",
    ],
)
def test_who_names_no_department_of_their_own_goes_where_the_policy_says(words: str) -> None:
    assert route(triage(), LEAD, OURS, asks(words)).department == "lead"


def test_danger_comes_before_the_department_that_is_named() -> None:
    burned = Reason(code="safety", message=0, start=0, end=4, quote="burn", weight=0.9)
    alarm = Escalation(recommended=True, level="emergency", team="safety", score=0.9, reasons=(burned, *LEAD.reasons))
    assert route(triage(), alarm, OURS, asks("talk to sales please")).department == "safety"


def test_a_callers_words_get_a_department_over_http(client: TestClient) -> None:
    sure = client.post("/v1/route", json={"words": "where is my parcel, order 88214 has not been delivered"}).json()
    assert (sure["department"], sure["question"]) == ("logistics", None)
    vague = client.post("/v1/route", json={"words": "hello it is about my thing"}).json()
    assert vague == {
        **vague,
        "department": "frontline",
        "question": "Could you tell me in one sentence what it is about?",
    }
    alarm = client.post("/v1/route", json={"words": "I want to speak to your manager right now"}).json()
    assert alarm["department"] == "lead"
    named = client.post("/v1/route", json={"words": "talk to sales please"}).json()
    assert (named["department"], named["question"]) == ("sales", None)
    assert client.post("/v1/route", json={"words": " "}).status_code == 422


def test_a_suggestion_names_the_team_for_email_and_chat(client: TestClient) -> None:
    for channel in ("email", "chat"):
        body = {
            "conversation": {
                "channel": channel,
                "messages": [{"text": "Can you send me a copy of last month's invoice?"}],
            }
        }
        team = client.post("/v1/suggestions", json=body).json()["team"]
        assert team["label"] == "billing"
        assert 0 < team["confidence"] <= 1
