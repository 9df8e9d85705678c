from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event as Signal
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from copilot.assist import Event
from copilot.build import Parts
from copilot.store import schema
from copilot.store.customers import Customers
from tests.conftest import client_of, ingest

TEXT = "How do I compact a folder to free disk space?"
ASKED = {"conversation": {"messages": [{"author": "customer", "text": TEXT}]}}
EVENTS = {"Accept": "text/event-stream"}


def events(text: str) -> list[tuple[str, Any]]:
    """The events of a stream, each with its data."""
    blocks = [block.split("\n") for block in text.split("\n\n") if block and not block.startswith(":")]
    assert all(len(lines) == 2 for lines in blocks)
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


def suggested(client: TestClient, body: dict[str, Any] = ASKED, key: str | None = None) -> dict[str, Any]:
    answer = client.post("/v1/suggestions", json=body, headers={"Idempotency-Key": key} if key else None)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_a_message_comes_back_as_a_cited_suggestion_in_the_documented_shape(client: TestClient) -> None:
    made = suggested(client)
    assert made["status"] == "drafted"
    assert {
        "id", "status", "created_at", "draft", "triage", "escalation", "abstention", "similar_tickets", "passages", "guidance",
        "macros", "provenance", "timings_ms",
    } <= set(made)  # fmt: skip
    assert set(made["triage"]) >= {"intent", "sentiment", "language", "urgency", "entities"}
    assert made["passages"][0]["document_id"] == "compact-folders"
    assert made["timings_ms"]["total"] > 0


def test_every_citation_is_the_words_of_the_document_that_it_names(client: TestClient) -> None:
    citations = [one for statement in suggested(client)["draft"]["statements"] for one in statement["citations"]]
    assert citations
    for cited in citations:
        document = client.get(f"/v1/documents/{cited['document_id']}", params={"revision": cited["revision"]}).json()
        assert document["text"][cited["start"] : cited["end"]] == cited["quote"]


def test_the_suggestion_is_shown_again_as_it_was(client: TestClient) -> None:
    made = suggested(client)
    assert client.get(f"/v1/suggestions/{made['id']}").json() == made


def test_a_stored_conversation_is_asked_about_by_its_id(client: TestClient) -> None:
    kept = client.post("/v1/conversations", json=ASKED["conversation"]).json()["conversation"]
    assert suggested(client, {"conversation_id": kept["id"]})["conversation_id"] == kept["id"]
    assert client.post("/v1/suggestions", json={"conversation_id": "unknown"}).status_code == 404


def test_a_conversation_given_in_full_is_kept_and_continued(client: TestClient) -> None:
    first = {"id": "grows", **ASKED["conversation"]}
    suggested(client, {"conversation": first})
    longer = {
        **first,
        "messages": [*first["messages"], {"author": "agent", "text": "Which folder?"}, {"text": "The Sent folder."}],
    }
    suggested(client, {"conversation": longer})
    kept = client.get("/v1/conversations/grows").json()["conversation"]
    assert [message["text"] for message in kept["messages"]] == [TEXT, "Which folder?", "The Sent folder."]


def test_a_conversation_edited_in_the_help_desk_is_taken_as_it_is_there_now(client: TestClient) -> None:
    suggested(client, {"conversation": {"id": "fixed", **ASKED["conversation"]}})
    edited = {"id": "fixed", "messages": [{"text": "How do I reset my password?"}]}
    suggested(client, {"conversation": edited})
    kept = client.get("/v1/conversations/fixed").json()["conversation"]
    assert [message["text"] for message in kept["messages"]] == ["How do I reset my password?"]


def test_a_channel_that_is_left_out_stays_what_it_is(client: TestClient) -> None:
    def channel(**sent: str) -> str:
        suggested(client, {"conversation": {"id": "chatted", **sent, **ASKED["conversation"]}})
        kept: str = client.get("/v1/conversations/chatted").json()["conversation"]["channel"]
        return kept

    assert channel() == "email"
    assert channel(channel="chat") == "chat"
    assert channel() == "chat"
    assert channel(channel="email") == "email", "what is said counts"


def test_what_was_added_here_and_who_the_customer_is_stay_where_the_help_desk_leaves_them_out(
    client: TestClient,
) -> None:
    first = {"id": "noted", "subject": "Folder", "customer": {"id": "c-9", "name": "Ada"}, **ASKED["conversation"]}
    assert client.post("/v1/conversations", json=first).status_code == 201
    note = {"author": "agent", "text": "She called twice.", "visibility": "private"}
    client.post("/v1/conversations/noted/messages", json=note)
    for messages in ([{"text": "How do I compact a folder?"}], [{"text": TEXT}, {"text": "Hello?"}], [{"text": TEXT}]):
        suggested(client, {"conversation": {"id": "noted", "messages": messages}})
        kept = client.get("/v1/conversations/noted").json()["conversation"]
        assert [one["text"] for one in kept["messages"]] == [
            messages[0]["text"],
            "She called twice.",
            *(one["text"] for one in messages[1:]),
        ]
        assert (kept["customer"]["id"], kept["customer"]["name"], kept["subject"]) == ("c-9", "Ada", "Folder")


def test_a_customer_who_writes_again_through_a_suggestion_opens_the_conversation_again(client: TestClient) -> None:
    body: dict[str, Any] = {"conversation": {"id": "back", "messages": [{"text": TEXT}]}}
    suggested(client, body)
    client.post("/v1/conversations/back/resolve")
    body["conversation"]["messages"].append({"author": "agent", "text": "Choose Compact."})
    suggested(client, body)
    assert client.get("/v1/conversations/back").json()["resolved_at"] is not None, "only the agent wrote"
    body["conversation"]["messages"].append({"text": "The folder is as large as before!"})
    suggested(client, body)
    kept = client.get("/v1/conversations/back").json()
    assert kept["resolved_at"] is None
    suggested(client, body)
    assert client.get("/v1/conversations/back").json() == kept, "the same once more changes nothing"


def test_the_same_thread_again_is_the_same_conversation(client: TestClient) -> None:
    body = {"conversation": {"id": "again", **ASKED["conversation"]}}
    first, second = suggested(client, body), suggested(client, body)
    assert client.get(f"/v1/suggestions/{first['id']}").json()["superseded_by"] == second["id"]


# -- events ------------------------------------------------------------------------------------------------------


def test_the_steps_are_streamed_and_end_with_the_whole_suggestion(client: TestClient) -> None:
    answer = client.post("/v1/suggestions", json=ASKED, headers=EVENTS)
    assert answer.headers["content-type"].startswith("text/event-stream")
    steps = events(answer.text)
    names = [name for name, _ in steps]
    assert names[:3] == ["triage", "escalation", "passages"]
    assert set(names[3:-1]) == {"statement"}
    assert names[-1] == "done"
    made = steps[-1][1]
    said = [data for name, data in steps if name == "statement"]
    assert "".join(one["lead"] + one["text"] for one in said) == made["draft"]["text"]
    assert [one["citations"] for one in said] == [one["citations"] for one in made["draft"]["statements"]]
    assert dict(steps)["triage"] == made["triage"]
    assert client.get(f"/v1/suggestions/{made['id']}").json() == made


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json, Text/Event-Stream;q=0.9"])
def test_whoever_accepts_events_gets_them(client: TestClient, accept: str) -> None:
    assert "event: done" in client.post("/v1/suggestions", json=ASKED, headers={"Accept": accept}).text


def test_what_cannot_be_answered_is_a_problem_and_no_stream(client: TestClient) -> None:
    empty = client.post("/v1/suggestions", json={"conversation": {"messages": [{"text": " \n"}]}}, headers=EVENTS)
    assert empty.status_code == 422
    assert empty.headers["content-type"] == "application/problem+json"


class Interrupted:
    """A copilot that fails after its first step."""

    def __init__(self, parts: Parts) -> None:
        self._real = parts.copilot

    def stream(self, *given: Any, **options: Any) -> Iterator[Event]:
        yield next(iter(self._real.stream(*given, **options)))
        raise RuntimeError("words of a customer")


def test_a_failure_midway_ends_the_stream_with_a_problem_and_frees_the_key(company: Parts) -> None:
    headers = {**EVENTS, "Idempotency-Key": "midway"}
    interrupted: Any = Interrupted(company)
    with client_of(replace(company, copilot=interrupted)) as client:
        steps = events(client.post("/v1/suggestions", json=ASKED, headers=headers).text)
        assert [name for name, _ in steps] == ["triage", "error"]
        assert steps[-1][1]["status"] == 500
        assert "words of a customer" not in json.dumps(steps)
    with client_of(company) as client:
        assert suggested(client, key="midway")["status"] == "drafted"


class Erasing:
    """A copilot in the midst of whose work the customer is erased."""

    def __init__(self, parts: Parts, customer: str) -> None:
        self._parts, self._customer = parts, customer

    def stream(self, *given: Any, **options: Any) -> Iterator[Event]:
        for event in self._parts.copilot.stream(*given, **options):
            yield event
            if event.name == "passages":
                Customers(self._parts.database).forget("default", self._customer)


def test_a_customer_erased_while_the_suggestion_is_made_leaves_nothing_behind(company: Parts) -> None:
    erasing: Any = Erasing(company, "gone-1")
    body = {"conversation": {"id": "gone", "customer": {"id": "gone-1"}, **ASKED["conversation"]}}
    with client_of(replace(company, copilot=erasing)) as client:
        assert client.post("/v1/suggestions", json=body).status_code == 404
        steps = events(client.post("/v1/suggestions", json=body, headers=EVENTS).text)
        assert (steps[-1][0], steps[-1][1]["status"]) == ("error", 404)
        assert client.get("/v1/conversations/gone").status_code == 404
    with company.database.read() as connection:
        mine = select(schema.suggestions.c.id).where(schema.suggestions.c.conversation == "gone")
        assert connection.execute(mine).all() == []


class Overtaken:
    """A copilot during whose first suggestion something else happens."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.meanwhile: list[Callable[[], object]] = []

    def stream(self, *given: Any, **options: Any) -> Iterator[Event]:
        for event in self._parts.copilot.stream(*given, **options):
            while self.meanwhile:
                self.meanwhile.pop()()
            yield event


def test_what_came_later_counts_though_it_was_answered_sooner(company: Parts) -> None:
    slow: Any = Overtaken(company)
    first = {"id": "overtaken", **ASKED["conversation"]}
    second = {**first, "messages": [*first["messages"], {"text": "I found it, thank you."}]}
    with client_of(replace(company, copilot=slow)) as client:
        newer: list[dict[str, Any]] = []
        slow.meanwhile.append(lambda: newer.append(suggested(client, {"conversation": second})))
        older = suggested(client, {"conversation": first})
        kept = client.get("/v1/conversations/overtaken").json()
        assert len(kept["conversation"]["messages"]) == 2
        assert client.get("/v1/conversations/overtaken/suggestion").json()["id"] == newer[0]["id"]
        assert (older["superseded_by"], newer[0]["superseded_by"]) == (newer[0]["id"], None)
        assert older["created_at"] < kept["changed_at"] <= newer[0]["created_at"]


@pytest.mark.parametrize("how", ["conversation_id", "regenerate", "conversation"])
def test_a_suggestion_is_of_the_time_when_its_conversation_was_read(company: Parts, how: str) -> None:
    slow: Any = Overtaken(company)
    given = {"id": f"late-{how}", **ASKED["conversation"]}
    path = f"/v1/conversations/late-{how}"
    with client_of(replace(company, copilot=slow)) as client:
        made = suggested(client, {"conversation": given})
        assert client.get(path).json()["changed_at"] < made["created_at"]
        slow.meanwhile.append(lambda: client.post(f"{path}/messages", json={"text": "One more thing."}))
        if how == "regenerate":
            made = client.post(f"/v1/suggestions/{made['id']}/regenerate", json={}).json()
        else:
            made = suggested(client, {"conversation": given} if how == "conversation" else {how: given["id"]})
        assert made["created_at"] < client.get(path).json()["changed_at"]


# -- the same request twice --------------------------------------------------------------------------------------


def test_the_same_request_with_the_same_key_is_answered_once(client: TestClient) -> None:
    first, second = (client.post("/v1/suggestions", json=ASKED, headers={"Idempotency-Key": "once"}) for _ in range(2))
    assert first.content == second.content
    streamed = events(client.post("/v1/suggestions", json=ASKED, headers={**EVENTS, "Idempotency-Key": "once"}).text)
    assert streamed[-1] == ("done", first.json())
    said = [data for name, data in streamed if name == "statement"]
    assert "".join(one["lead"] + one["text"] for one in said) == first.json()["draft"]["text"]


@pytest.mark.parametrize("deleted", [True, False])
def test_a_repetition_is_answered_anew_once_a_cited_document_has_expired_or_is_deleted(
    parts: Parts, tmp_path: Path, deleted: bool
) -> None:
    def write(until: str) -> None:
        head = f"---\ntitle: Winter discount on samovars\nvalid_until: {until}\n---\n"
        (tmp_path / "discount.md").write_text(f"{head}\nThe samovar winter discount has the code FROSTY.\n")
        ingest(parts, tmp_path)

    asked = {"conversation": {"id": "c-1", "messages": [{"text": "What is the code of the samovar winter discount?"}]}}
    with client_of(parts) as client:
        write("2999-01-01T00:00:00Z")
        made = suggested(client, asked, "winter")
        assert "FROSTY" in made["draft"]["text"]
        assert suggested(client, asked, "winter") == made
        if deleted:
            client.delete("/v1/documents/discount")
        else:
            write("2020-01-01T00:00:00Z")
        again = suggested(client, asked, "winter")
        assert again["id"] != made["id"]
        assert "FROSTY" not in json.dumps(again)
        assert suggested(client, asked, "winter") == again


def test_another_request_with_a_used_key_is_refused(client: TestClient) -> None:
    made = suggested(client, key="used")
    other = {**ASKED, "options": {"limit": 2}}
    assert client.post("/v1/suggestions", json=other, headers={"Idempotency-Key": "used"}).status_code == 422
    again = client.post(f"/v1/suggestions/{made['id']}/regenerate", json={}, headers={"Idempotency-Key": "used"})
    assert again.status_code == 422


def test_a_key_whose_request_failed_is_free_again(client: TestClient) -> None:
    key = {"Idempotency-Key": "failed"}
    assert (
        client.post("/v1/suggestions", json={"conversation": {"messages": [{"text": " "}]}}, headers=key).status_code
        == 422
    )
    assert suggested(client, key="failed")["status"] == "drafted"


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "é"])
def test_a_malformed_key_is_refused(client: TestClient, key: str) -> None:
    assert client.post("/v1/suggestions", json=ASKED, headers={b"Idempotency-Key": key.encode()}).status_code == 422


class Slow:
    """A copilot that waits for a signal before its second step."""

    def __init__(self, parts: Parts) -> None:
        self._real, self.begun, self.go_on = parts.copilot, Signal(), Signal()

    def stream(self, *given: Any, **options: Any) -> Iterator[Event]:
        for event in self._real.stream(*given, **options):
            yield event
            self.begun.set()
            assert self.go_on.wait(20)


def test_a_key_in_flight_is_a_conflict(company: Parts) -> None:
    slow, headers, answers = Slow(company), {"Idempotency-Key": "in-flight"}, list[int]()
    stand_in: Any = slow
    with client_of(replace(company, copilot=stand_in)) as client:
        first = Thread(
            target=lambda: answers.append(client.post("/v1/suggestions", json=ASKED, headers=headers).status_code)
        )
        first.start()
        assert slow.begun.wait(20)
        second = client.post("/v1/suggestions", json=ASKED, headers=headers)
        slow.go_on.set()
        first.join()
    assert (second.status_code, answers) == (409, [200])


# -- made anew, judged -------------------------------------------------------------------------------------------


def test_regenerating_answers_the_same_conversation_with_other_options(client: TestClient) -> None:
    made = suggested(client)
    path = f"/v1/suggestions/{made['id']}/regenerate"
    again = client.post(path, json={"options": {"tone": "short", "limit": 1}}).json()
    assert again["conversation_id"] == made["conversation_id"]
    assert again["id"] != made["id"]
    assert len(again["passages"]) == 1
    assert client.get(f"/v1/suggestions/{made['id']}").json()["superseded_by"] == again["id"]
    assert events(client.post(path, json={}, headers=EVENTS).text)[-1][0] == "done"
    assert client.post("/v1/suggestions/unknown/regenerate", json={}).status_code == 404


def places(made: dict[str, Any]) -> set[tuple[str, int]]:
    """Every character that the draft quotes."""
    cited = [one for statement in made["draft"]["statements"] for one in statement["citations"]]
    return {(one["document_id"], at) for one in cited for at in range(one["start"], one["end"])}


def test_a_draft_from_other_sources_quotes_nothing_that_was_passed_over_until_nothing_is_left(
    client: TestClient,
) -> None:
    made, seen, passed = suggested(client), set[tuple[str, int]](), list[str]()
    while made["draft"]:
        found = places(made)
        assert found
        assert seen.isdisjoint(found)
        seen |= found
        passed.append(made["id"])
        assert len(passed) < 20
        path = f"/v1/suggestions/{made['id']}/regenerate"
        shorter = client.post(path, json={"options": {"tone": "short"}}).json()
        assert (
            shorter["provenance"]["instead_of"] == passed[:-1]
        )  # another tone passes nothing over, and brings nothing back
        made = client.post(path, json={"otherwise": True}).json()
        assert made["provenance"]["instead_of"] == passed
    assert len(passed) > 1
    assert made["abstention"]["reason"] == "no other source says anything that can be quoted"


def test_a_reply_is_not_put_in_other_words_from_other_sources(client: TestClient) -> None:
    path = f"/v1/suggestions/{suggested(client)['id']}/regenerate"
    answer = client.post(path, json={"otherwise": True, "rewrite": {"task": "grammar"}})
    assert answer.status_code == 422
    assert "either otherwise or rewrite" in answer.text


def judge(client: TestClient, id: str, **body: Any) -> dict[str, Any]:
    answer = client.post(f"/v1/suggestions/{id}/feedback", json=body)
    assert answer.status_code == 200, answer.text
    judged: dict[str, Any] = answer.json()
    return judged


def test_feedback_is_answered_with_how_much_was_changed(client: TestClient) -> None:
    made = suggested(client)
    text = made["draft"]["text"]
    said = judge(client, made["id"], verdict="accepted")
    assert (said["verdict"], said["edit_distance"]) == ("accepted", 0.0)
    assert judge(client, made["id"], verdict="edited", final_text=text)["edit_distance"] == 0.0
    assert judge(client, made["id"], verdict="edited", final_text="Nein")["edit_distance"] == 1.0
    assert 0 < judge(client, made["id"], verdict="edited", final_text=text + " One more thing.")["edit_distance"] < 1
    assert judge(client, made["id"], verdict="rejected", reason="off topic")["edit_distance"] == 1.0


def test_an_edit_says_to_what_and_an_abstention_cannot_be_accepted(client: TestClient) -> None:
    made = suggested(client)
    for body in ({"verdict": "edited"}, {"verdict": "edited", "final_text": " "}, {"verdict": "liked"}):
        assert client.post(f"/v1/suggestions/{made['id']}/feedback", json=body).status_code == 422
    nothing = suggested(client, {"conversation": {"messages": [{"text": "Who won the chess championship in 1972?"}]}})
    assert nothing["status"] == "abstained"
    assert client.post(f"/v1/suggestions/{nothing['id']}/feedback", json={"verdict": "accepted"}).status_code == 422
    assert judge(client, nothing["id"], verdict="edited", final_text="Fischer.")["edit_distance"] == 1.0
    assert client.post("/v1/suggestions/unknown/feedback", json={"verdict": "accepted"}).status_code == 404


# -- bad input ---------------------------------------------------------------------------------------------------


def test_a_message_above_the_limit_is_too_large(client: TestClient, company: Parts) -> None:
    limit = company.settings.max_message_chars
    at_it = {"conversation": {"messages": [{"text": ("folder " * limit)[:limit]}]}}
    above = {"conversation": {"messages": [{"author": "agent", "text": "x" * (limit + 1)}, {"text": TEXT}]}}
    assert client.post("/v1/suggestions", json=at_it).status_code == 200
    assert client.post("/v1/suggestions", json=above).status_code == 413
    made = suggested(client)
    edited = {"verdict": "edited", "final_text": "x" * (limit + 1)}
    assert client.post(f"/v1/suggestions/{made['id']}/feedback", json=edited).status_code == 413


UNANSWERABLE: dict[str, Any] = {
    "nothing": {},
    "both": {**ASKED, "conversation_id": "x"},
    "no messages": {"conversation": {"messages": []}},
    "too many messages": {"conversation": {"messages": [{"text": "a"}] * 1001}},
    "no customer": {"conversation": {"messages": [{"author": "agent", "text": "Hello there"}]}},
    "a private note alone": {"conversation": {"messages": [{"text": "Hello there", "visibility": "private"}]}},
    "no words": {"conversation": {"messages": [{"text": "  \n\t "}]}},
    "a long subject": {"conversation": {"subject": "x" * 999, **ASKED["conversation"]}},
    "a strange id": {"conversation": {"id": "../../etc/passwd", **ASKED["conversation"]}},
    "a long id": {"conversation": {"id": "x" * 129, **ASKED["conversation"]}},
    "a strange tone": {**ASKED, "options": {"tone": "sarcastic"}},
    "no passages": {**ASKED, "options": {"limit": 0}},
    "too many passages": {**ASKED, "options": {"limit": 21}},
    "no time": {**ASKED, "options": {"before": "yesterday"}},
    "a time beyond clocks": {**ASKED, "options": {"before": "0001-01-01T00:00:00+14:00"}},
    "an unknown option": {**ASKED, "options": {"colour": "red"}},
    "a text that is none": {"conversation": {"messages": [{"text": 7}]}},
}


@pytest.mark.parametrize("body", UNANSWERABLE.values(), ids=UNANSWERABLE.keys())
def test_what_cannot_be_used_is_a_422(client: TestClient, body: dict[str, Any]) -> None:
    assert client.post("/v1/suggestions", json=body).status_code == 422


@pytest.mark.parametrize("junk", ["\\ud800", "\\u0000", "\\ud83d \\ude00", "\\udfff\\ud800"])
def test_characters_that_no_text_has_are_taken_out_and_offsets_stay(client: TestClient, junk: str) -> None:
    text = f'{{"text": "{junk} {TEXT}"}}'
    body = f'{{"conversation": {{"subject": "{junk}", "customer": {{"name": "{junk}"}}, "messages": [{text}]}}}}'
    answer = client.post("/v1/suggestions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 422)
    message = f'{{"text": "{junk} {TEXT}"}}'
    kept = client.post(
        "/v1/conversations", content=f'{{"messages": [{message}]}}', headers={"Content-Type": "application/json"}
    )
    shown = kept.json()["conversation"]["messages"][0]["text"]
    assert len(shown) == len(json.loads(f'"{junk}"')) + 1 + len(TEXT)
    assert "\x00" not in shown
    shown.encode()


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_only_json_is_read_as_json_so_that_no_foreign_form_can_post(client: TestClient, content_type: str) -> None:
    answer = client.post("/v1/suggestions", content=json.dumps(ASKED), headers={"Content-Type": content_type})
    assert answer.status_code == 422


def test_only_what_was_known_before_the_time_is_used(client: TestClient) -> None:
    message = {"text": "My Sent folder shows no messages after the update"}
    body = {"conversation": {"messages": [message]}}
    now = suggested(client, body)
    then = suggested(client, {**body, "options": {"before": "2024-01-01T00:00:00"}})
    assert [one["document_id"] for one in now["similar_tickets"]] == ["t-1"]
    assert then["similar_tickets"] == []
    assert then["provenance"]["as_of"] == "2024-01-01T00:00:00Z"
