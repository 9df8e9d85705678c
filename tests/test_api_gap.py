"""What nothing answered is noted, once, and is gone with the suggestion it belongs to."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from copilot.build import Parts
from copilot.domain import Customer
from copilot.errors import NotFound
from copilot.store import schema as t
from copilot.store.customers import Customers
from tests.conftest import AGENT, asks

NOTHING = "Who won the chess championship in 1972?"


def rows(parts: Parts) -> list[dict[str, Any]]:
    with parts.database.read() as connection:
        return [dict(row) for row in connection.execute(select(t.gaps)).mappings()]


def test_an_abstention_is_noted_and_an_agents_report_stands_beside_it(filled: Parts) -> None:
    made = filled.copilot.suggest(AGENT, asks(NOTHING))
    (noted,) = rows(filled)
    assert (noted["suggestion"], noted["reported_at"]) == (made.id, None)
    gap = filled.gaps.report("default", made.id, "chess")
    assert (gap.reason, gap.note) == (noted["reason"], "chess")
    assert gap.reported_at is not None
    assert len(rows(filled)) == 1


def test_reporting_again_changes_nothing_but_the_note(filled: Parts) -> None:
    made = filled.copilot.suggest(AGENT, asks("How do I reset my password?"))
    assert rows(filled) == []
    first = filled.gaps.report("default", made.id, None)
    assert filled.gaps.report("default", made.id, None) == first
    noted = filled.gaps.report("default", made.id, "says nothing of single sign-on")
    assert (noted.reported_at, noted.note) == (first.reported_at, "says nothing of single sign-on")
    assert filled.gaps.report("default", made.id, None) == noted
    assert len(rows(filled)) == 1


def test_a_gap_is_erased_with_its_customer(filled: Parts) -> None:
    conversation = asks(NOTHING, id="c-gap", customer=Customer(id="u-9"))
    filled.records.keep_conversation("default", conversation)
    made = filled.copilot.suggest(AGENT, conversation)
    filled.gaps.report("default", made.id, "asked by u-9")
    Customers(filled.database).forget("default", "u-9")
    assert rows(filled) == []


def test_another_workspaces_suggestion_has_no_gap_to_report(filled: Parts) -> None:
    made = filled.copilot.suggest(AGENT, asks(NOTHING))
    with pytest.raises(NotFound):
        filled.gaps.report("other", made.id, None)


def test_a_gap_is_reported_with_one_request(client: TestClient) -> None:
    made = client.post("/v1/suggestions", json={"conversation": {"messages": [{"text": NOTHING}]}}).json()
    path = f"/v1/suggestions/{made['id']}/gap"
    assert client.post(path, json={}).json()["reported_at"]
    assert client.post(path, json={"note": "chess"}).json()["note"] == "chess"
    assert client.post("/v1/suggestions/none/gap", json={}).status_code == 404
