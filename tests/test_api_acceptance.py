"""What decisions tell, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from copilot.acceptance import acceptance
from copilot.build import Parts
from copilot.choices import wilson
from copilot.store.choices import Judgement
from tests.conftest import client_of
from tests.test_api_suggestions import judge, suggested

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
ONE = Judgement(
    suggestion="s", verdict="accepted", edit_distance=0.0, shown_at=NOON - timedelta(seconds=20), decided_at=NOON, copied=False,
    intent="how_to", generator="extractive", prompt_version="p1",
)  # fmt: skip


def test_decisions_are_counted_by_day_week_and_what_was_suggested() -> None:
    edited = replace(
        ONE, verdict="edited", edit_distance=0.3, decided_at=NOON + timedelta(days=1), shown_at=None, copied=True
    )
    rejected = replace(
        ONE, verdict="rejected", edit_distance=1.0, intent=None, generator=None, decided_at=NOON + timedelta(days=5)
    )
    found = acceptance([ONE, edited, rejected])
    assert (found.total.accepted, found.total.edited, found.total.rejected, found.copied) == (1, 1, 1, 1)
    assert found.total.low < found.total.share < found.total.high
    assert [one.name for one in found.periods] == ["2026-03-04", "2026-03-05", "2026-03-09"]
    assert [one.name for one in acceptance([ONE, edited, rejected], "week").periods] == ["2026-03-02", "2026-03-09"]
    assert [(one.name, one.accepted, one.edited) for one in found.by_intent] == [("how_to", 1, 1), ("unknown", 0, 0)]
    assert [one.name for one in found.by_generator] == ["extractive", "none"]
    assert [(one.above, one.most) for one in found.edit_distance if one.count] == [(0.2, 0.4)]
    assert found.decided_in.count == 2
    assert found.decided_in.p50 is not None
    assert sum(one.count for one in found.decided_in.bins) == 2


def test_no_decision_gives_an_empty_picture() -> None:
    found = acceptance([])
    assert (found.total.share, found.total.low, found.total.high) == (0.0, 0.0, 1.0)
    assert found.decided_in.p50 is None
    assert acceptance([ONE]).decided_in.p25 == 20


def test_the_interval_is_wilsons() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_acceptance_and_a_documents_use_are_told(filled: Parts) -> None:
    with client_of(filled) as client:
        asked = {"conversation": {"id": "asked", "messages": [{"text": "How do I compact a folder?"}]}}
        first, second = suggested(client, asked), suggested(client, asked)
        judge(client, first["id"], verdict="rejected")
        found = client.get("/v1/insights/acceptance").json()
        assert (found["total"]["rejected"], found["total"]["accepted"]) == (1, 0)
        judge(client, first["id"], verdict="accepted")
        found = client.get("/v1/insights/acceptance", params={"period": "week", "days": 7}).json()
        assert (found["total"]["rejected"], found["total"]["accepted"]) == (0, 1)
        assert found["by_generator"][0]["name"] == "extractive"

        use = client.get("/v1/insights/documents/compact-folders").json()
        assert use["today"]["kept"] == use["ever"]["kept"] >= 1
        uses = {one["suggestion_id"]: one for one in use["uses"]}
        assert uses[first["id"]]["verdict"] == "accepted"
        assert set(uses[first["id"]]["outcomes"]) == {"kept"}
        assert (uses[second["id"]]["verdict"], uses[second["id"]]["outcomes"]) == (None, [])


def test_another_teams_document_and_an_unknown_one_are_not_found(client: TestClient) -> None:
    assert client.get("/v1/insights/documents/unknown").status_code == 404


@pytest.mark.parametrize("params", [{"days": 0}, {"days": "x"}, {"period": "century"}])
def test_a_strange_question_is_refused(client: TestClient, params: dict[str, Any]) -> None:
    assert client.get("/v1/insights/acceptance", params=params).status_code == 422
