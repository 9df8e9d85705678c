"""Feedback over HTTP: what is taken, what is refused, and what is answered."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from starlette.testclient import TestClient

from api.bodies import Mood
from copilot.build import Parts
from copilot.choices import Corrected
from copilot.labelled import MOODS
from copilot.store.choices import Choices
from copilot.store.withdraw import withdraw
from tests.test_api_suggestions import judge, suggested


def cited(made: dict[str, Any]) -> list[int]:
    """The numbers of the statements that cite something."""
    return [number for number, one in enumerate(made["draft"]["statements"]) if one["citations"]]


def test_the_answer_says_what_became_of_each_cited_statement(client: TestClient) -> None:
    made = suggested(client)
    numbers = cited(made)
    assert numbers
    kept = judge(client, made["id"], verdict="accepted")["statements"]
    assert [one["statement"] for one in kept] == numbers
    assert {one["outcome"] for one in kept} == {"kept"}
    first = made["draft"]["statements"][numbers[0]]
    without = made["draft"]["text"].replace(made["draft"]["text"][first["start"] : first["end"]], "")
    edited = judge(client, made["id"], verdict="edited", final_text=without + "Call us.")["statements"]
    assert edited[0] == {"statement": numbers[0], "document_id": "compact-folders", "outcome": "removed"}
    assert {one["outcome"] for one in edited[1:]} <= {"kept"}


def test_what_the_agent_looked_at_copied_and_put_right_is_kept(client: TestClient, company: Parts) -> None:
    made = suggested(client, {"conversation": {"id": "looked", "messages": [{"text": "How do I compact a folder?"}]}})
    number, at = cited(made)[0], made["created_at"]
    judge(
        client, made["id"], verdict="rejected", copied=True, shown_at=at, decided_at=at, clicked=[{"statement": number, "at": at}],
        corrected={"intent": "billing_payment", "mood": "very_negative", "escalation": False},
    )  # fmt: skip
    told = Choices(company.database)
    (learned,) = [one for one in told.corrections("default") if one.conversation.id == "looked"]
    assert learned.corrected == Corrected(intent="billing_payment", mood="very_negative", escalation=False)
    (judged,) = [one for one in told.judgements("default") if one.suggestion == made["id"]]
    assert (judged.copied, judged.shown_at) == (True, judged.decided_at)
    (choice,) = [one for one in told.choices("default") if one.suggestion == made["id"]]
    assert [fate.statement for fate in choice.fates if fate.clicked_at] == [number]


def test_the_last_verdict_is_told_again_and_loses_its_words_with_their_source(
    client: TestClient, company: Parts
) -> None:
    made = suggested(client)
    path = f"/v1/suggestions/{made['id']}/feedback"
    assert client.get(path).json() is None
    judge(client, made["id"], verdict="rejected", reason="too long")
    judge(client, made["id"], verdict="edited", final_text="Compact it.", copied=True, corrected={"mood": "negative"})
    told = client.get(path).json()
    assert told.pop("decided_at") >= made["created_at"]
    assert told == {
        "verdict": "edited", "final_text": "Compact it.", "reason": None, "copied": True,
        "corrected": {"intent": None, "mood": "negative", "escalation": None},
    }  # fmt: skip
    with company.database.write() as connection:
        withdraw(connection, "default", "compact-folders")
    assert client.get(path).json()["final_text"] is None
    assert client.get("/v1/suggestions/unknown/feedback").status_code == 404


def test_a_label_outside_the_taxonomy_is_refused_with_those_it_has(client: TestClient) -> None:
    made = suggested(client)
    path = f"/v1/suggestions/{made['id']}/feedback"
    refused = client.post(path, json={"verdict": "accepted", "corrected": {"intent": "free_beer"}})
    assert refused.status_code == 422
    assert "billing_payment" in refused.json()["detail"]
    judge(client, made["id"], verdict="accepted", corrected={"intent": "other"})


@pytest.mark.parametrize(
    "more",
    [
        {"corrected": {"mood": "grumpy"}}, {"corrected": {"intent": "Ünïcode"}}, {"corrected": {"weather": "fine"}},
        {"clicked": [{"statement": 99}]}, {"clicked": [{"statement": -1}]}, {"clicked": [{"statement": 0, "citation": 5}]},
        {"clicked": [{"statement": 0}] * 201}, {"copied": "perhaps"}, {"shown_at": "yesterday"}, {"decided_at": "0001-01-01T00:00:00Z"},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(client: TestClient, more: dict[str, Any]) -> None:
    made = suggested(client)
    answer = client.post(f"/v1/suggestions/{made['id']}/feedback", json={"verdict": "accepted", **more})
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_moods_that_may_be_said_are_those_that_are_read() -> None:
    assert get_args(Mood) == MOODS
