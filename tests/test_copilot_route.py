"""Where a message goes: a department, how sure that is, and one question where it is not."""

from __future__ import annotations

from dataclasses import replace

from starlette.testclient import TestClient

from copilot.domain import Alternative, Entity, Escalation, Tag
from copilot.route import route
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
    assert route(read, CALM, TEAMS).question == "Geht es um logistics oder um billing?"


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
