from __future__ import annotations

from starlette.testclient import TestClient

from api.bodies import MAX_MESSAGES

THREAD = {
    "channel": "chat",
    "subject": "Folder",
    "customer": {"id": "c-9", "name": "Ada", "locale": "en-GB", "tier": "gold"},
    "messages": [{"text": "My folder is gone", "at": "2025-05-01T10:00:00+02:00", "id": "<m1@example.com>"}],
}


def test_a_conversation_is_kept_as_it_was_given_and_gets_an_id(client: TestClient) -> None:
    answer = client.post("/v1/conversations", json=THREAD)
    assert answer.status_code == 201
    kept = answer.json()
    assert kept["resolved_at"] is None
    conversation = kept["conversation"]
    assert {name: conversation[name] for name in ("channel", "subject", "customer")} == {
        name: THREAD[name] for name in ("channel", "subject", "customer")
    }
    assert conversation["messages"] == [
        {
            "author": "customer",
            "text": "My folder is gone",
            "visibility": "public",
            "at": "2025-05-01T08:00:00Z",
            "id": "<m1@example.com>",
        }
    ]
    assert client.get(f"/v1/conversations/{conversation['id']}").json() == kept


def test_an_id_that_is_taken_is_a_conflict(client: TestClient) -> None:
    assert client.post("/v1/conversations", json={"id": "taken", **THREAD}).status_code == 201
    assert client.post("/v1/conversations", json={"id": "taken", **THREAD}).status_code == 409


def test_a_message_is_added_at_the_end_and_opens_a_resolved_conversation_again(client: TestClient) -> None:
    client.post("/v1/conversations", json={"id": "continued", **THREAD})
    assert client.post("/v1/conversations/continued/resolve").json()["resolved_at"] is not None
    answer = client.post("/v1/conversations/continued/messages", json={"author": "agent", "text": "Which one?"})
    assert answer.status_code == 201
    assert [one["text"] for one in answer.json()["conversation"]["messages"]] == ["My folder is gone", "Which one?"]
    assert answer.json()["resolved_at"] is None


def test_an_unknown_conversation_is_a_404_at_every_door(client: TestClient) -> None:
    assert client.get("/v1/conversations/unknown").status_code == 404
    assert client.post("/v1/conversations/unknown/messages", json={"text": "a"}).status_code == 404
    assert client.post("/v1/conversations/unknown/resolve").status_code == 404


def test_a_conversation_does_not_grow_without_end(client: TestClient) -> None:
    full = {"id": "full", "messages": [{"text": "a"}] * MAX_MESSAGES}
    assert client.post("/v1/conversations", json=full).status_code == 201
    assert client.post("/v1/conversations/full/messages", json={"text": "one more"}).status_code == 413


def test_a_message_above_the_limit_is_too_large(client: TestClient) -> None:
    long = {"text": "x" * 100_001}
    client.post("/v1/conversations", json={"id": "short", **THREAD})
    assert client.post("/v1/conversations", json={"messages": [long]}).status_code == 413
    assert client.post("/v1/conversations/short/messages", json=long).status_code == 413
