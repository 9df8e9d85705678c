from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient


def found(client: TestClient, **params: Any) -> dict[str, Any]:
    answer = client.get("/v1/search", params=params)
    assert answer.status_code == 200, answer.text
    results: dict[str, Any] = answer.json()
    return results


def test_a_search_has_the_documented_shape_and_its_passages_are_slices_of_the_document(client: TestClient) -> None:
    answer = found(client, q="how do I compact a folder", limit=3)
    assert set(answer) == {"results", "timings_ms", "index_revision", "cut"}
    best = answer["results"][0]
    assert set(best) >= {"document_id", "kind", "title", "url", "revision", "score", "scores", "passages"}
    assert best["document_id"] == "compact-folders"
    assert set(best["scores"]) >= {"dense", "lexical"}
    text = client.get(f"/v1/documents/{best['document_id']}?revision={best['revision']}").json()["text"]
    for passage in best["passages"]:
        assert text[passage["start"] : passage["end"]] == passage["text"]


def test_kinds_may_be_chosen_and_repeated(client: TestClient) -> None:
    assert {one["kind"] for one in found(client, q="folder", kind="article")["results"]} == {"article"}
    assert {one["kind"] for one in found(client, q="folder", kind=["article", "ticket"])["results"]} <= {
        "article",
        "ticket",
    }
    assert found(client, q="folder", kind="macro")["results"] == []


def test_the_limit_holds(client: TestClient) -> None:
    assert len(found(client, q="folder", limit=1)["results"]) == 1


def test_what_was_not_known_before_the_time_is_not_found(client: TestClient) -> None:
    now = {one["document_id"] for one in found(client, q="my Sent folder is empty since the update")["results"]}
    then = found(client, q="my Sent folder is empty since the update", before="2024-01-01T00:00:00Z")
    assert "t-1" in now
    assert "t-1" not in {one["document_id"] for one in then["results"]}


def test_neither_a_private_note_nor_an_unsolved_ticket_nor_an_address_is_found(client: TestClient) -> None:
    for query in (
        "PRIVATE-OBELISK customer complains",
        "UNSOLVED-QUESTION mail file disk full",
        "anna.ruiz@example.com",
        "UNSOLVED-ZIGGURAT",
    ):
        text = client.get("/v1/search", params={"q": query, "limit": 50}).text
        assert not [canary for canary in ("OBELISK", "UNSOLVED", "anna.ruiz", '"t-2"') if canary in text]


@pytest.mark.parametrize(
    "params",
    [
        {}, {"q": ""}, {"q": " \n"}, {"q": "a", "limit": 0}, {"q": "a", "limit": 51}, {"q": "a", "kind": "secret"},
        {"q": "a", "before": "soon"}, {"q": "a", "before": "9999-12-31T23:59:59-12:00"}, {"q": "a", "language": "e\x00"},
        {"q": "x" * 4001},
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_a_422(client: TestClient, params: dict[str, Any]) -> None:
    assert client.get("/v1/search", params=params).status_code == 422


@pytest.mark.parametrize(
    "q", ["%00", "%ED%A0%80", "%FF", "%F0%9F%98%80", '"AND OR NOT"', "title:(", "*", "a~9 +b -c ^2", "\\"]
)
def test_any_text_may_be_searched_for(client: TestClient, q: str) -> None:
    assert client.get(f"/v1/search?q=folder{q.replace('+', '%2B')}").status_code == 200
