"""The inbox: who needs an answer first, what is new, and what a customer had before."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unicodedata import normalize

import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy import func, select
from starlette.testclient import TestClient

from api.routes import inbox
from copilot import inbox as reading
from copilot.build import Parts
from copilot.domain import Conversation, Customer, Message
from copilot.store import schema as t
from ingest import erase
from ingest.demo.inbox import fill
from tests.conftest import client_of

HOME = {"X-Workspace": "inbox"}
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
CALM = "Could you tell me how I compact a folder? No hurry at all, whenever you find the time."
URGENT = (
    "Urgent! All our mail is down since this morning and nobody can work, we lose money every hour. Please help now!"
)
ANGRY = "This is the third time I write. Your support is useless, I am furious and I will call my lawyer."


def message(text: str, minutes: int = 0, author: str = "customer") -> dict[str, Any]:
    return {"author": author, "text": text, "at": (NOON + timedelta(minutes=minutes)).isoformat()}


@pytest.fixture
def desk(parts: Parts) -> Iterator[TestClient]:
    for workspace in ("inbox", "default"):
        parts.ledger.open(workspace)
    with client_of(parts, headers=HOME) as client:
        yield client


def start(client: TestClient, id: str, *messages: dict[str, Any], **fields: Any) -> None:
    answer = client.post("/v1/conversations", json={"id": id, "messages": list(messages), **fields})
    assert answer.status_code == 201, answer.text


def listed(client: TestClient, **params: Any) -> list[str]:
    answer = client.get("/v1/conversations", params=params)
    assert answer.status_code == 200, answer.text
    return [one["conversation_id"] for one in answer.json()["conversations"]]


def test_urgency_comes_before_escalation_and_escalation_before_waiting_time(desk: TestClient) -> None:
    start(desk, "answered", message(URGENT), message("Done.", 5, "agent"))
    start(desk, "calm-late", message(CALM, 10))
    start(desk, "calm", message(CALM))
    start(desk, "urgent", message(URGENT, 30))
    start(desk, "angry", message(ANGRY, 40))
    shown = desk.get("/v1/conversations").json()["conversations"]
    order = [one["conversation_id"] for one in shown]
    assert order[-1] == "answered"
    assert order.index("urgent") < order.index("calm") < order.index("calm-late")
    assert order.index("angry") < order.index("calm")
    ranks = [one["glance"]["rank"] for one in shown]
    assert ranks == sorted(ranks, reverse=True)


def test_a_customer_waits_since_their_first_unanswered_word(desk: TestClient) -> None:
    start(desk, "t", message(CALM), message("A reply.", 5, "agent"), message("And now?", 9), message("Hello?", 20))
    [entry] = desk.get("/v1/conversations").json()["conversations"]
    assert entry["glance"]["waiting_since"] == "2026-05-04T12:09:00Z"
    desk.post("/v1/conversations/t/messages", json=message("Here.", 30, "agent"))
    [entry] = desk.get("/v1/conversations").json()["conversations"]
    assert entry["glance"]["waiting_since"] is None


def test_a_private_note_neither_answers_nor_shows(desk: TestClient) -> None:
    note = {**message("OBELISK he always complains", 5, "agent"), "visibility": "private"}
    start(desk, "t", message(CALM), note)
    [entry] = desk.get("/v1/conversations").json()["conversations"]
    assert entry["glance"]["waiting_since"] == "2026-05-04T12:00:00Z"
    assert "OBELISK" not in entry["glance"]["snippet"]


def test_filters_and_words_narrow_the_list(desk: TestClient) -> None:
    start(desk, "one", message(CALM), subject="Ordner GRÖSSE 100%")
    start(desk, "two", message(ANGRY), customer={"name": "Zoë Quill"})
    desk.post("/v1/conversations/two/resolve")
    assert listed(desk) == ["one"]
    assert listed(desk, state="resolved") == ["two"]
    assert listed(desk, state="all", q="zoë LAWYER") == ["two"]
    assert listed(desk, q="grösse 100%") == ["one"]
    assert listed(desk, q="gr_sse") == []
    start(desk, "three", message(CALM), subject=normalize("NFD", "Grüße"))
    assert listed(desk, q="grüße") == listed(desk, q=normalize("NFD", "GRÜSSE")) == ["three"]
    desk.post("/v1/conversations/three/resolve")
    [one] = desk.get("/v1/conversations").json()["conversations"]
    tags = one["glance"]["triage"]
    assert listed(desk, intent=tags["intent"]["label"], mood=tags["sentiment"]["label"], language="en") == ["one"]
    assert listed(desk, intent="nothing_of_the_kind") == []
    assert listed(desk, state="all", escalated=True) == ["two"]


def test_pages_follow_each_other_without_a_gap(desk: TestClient) -> None:
    for number in range(5):
        start(desk, f"c{number}", message(CALM, number % 2))
    whole, paged, after = listed(desk), list[str](), None
    while True:
        page = desk.get("/v1/conversations", params={"limit": 2, **({"after": after} if after else {})}).json()
        paged += [one["conversation_id"] for one in page["conversations"]]
        after = page["next"]
        if after is None:
            break
    assert paged == whole == ["c0", "c2", "c4", "c1", "c3"]
    assert listed(desk, after="c2") == ["c4", "c1", "c3"], "an id stands for its place"
    for wrong in ("unknown", "210/c0", "x/2026-01-01T00:00:00+00:00/c0", "9" * 30 + "/2026-01-01T00:00:00+00:00/c0"):
        assert desk.get("/v1/conversations", params={"after": wrong}).status_code == 404


def test_the_next_page_is_the_same_when_the_last_of_the_page_before_is_answered_meanwhile(desk: TestClient) -> None:
    for number in range(5):
        start(desk, f"c{number}", message(CALM, number))
    page = desk.get("/v1/conversations", params={"limit": 2}).json()
    desk.post("/v1/conversations/c1/messages", json=message("Done.", 9, "agent"))
    start(desk, "urgent", message(URGENT, 9))
    assert listed(desk, limit=3, after=page["next"]) == ["c2", "c3", "c4"]
    desk.post("/v1/conversations/c1/resolve")
    assert listed(desk, after=page["next"]) == ["c2", "c3", "c4"]
    as_it_is = desk.get(f"/v1/conversations?limit=3&after={page['next']}").json()
    assert [one["conversation_id"] for one in as_it_is["conversations"]] == ["c2", "c3", "c4"]


@pytest.mark.parametrize("place", ["5/9999-12-31T23:59:59-23:59/x", "5/0001-01-01T00:00:00+23:59/x", "5/x/y", "never"])
def test_a_place_that_is_none_is_an_error_that_says_so(desk: TestClient, place: str) -> None:
    answer = desk.get("/v1/conversations", params={"after": place})
    assert answer.status_code == 404
    assert "first page" in answer.json()["detail"]


def test_a_conversation_without_words_is_listed_without_tags(desk: TestClient) -> None:
    start(desk, "empty", message("   "))
    [entry] = desk.get("/v1/conversations").json()["conversations"]
    assert entry["glance"]["triage"] is None


def test_a_conversation_is_read_once_for_each_of_its_states(desk: TestClient, parts: Parts) -> None:
    start(desk, "t", message(CALM))
    assert parts.inbox.read("inbox") == 0
    desk.post("/v1/conversations/t/resolve")
    assert parts.inbox.read("inbox") == 0
    parts.records.add_message("inbox", "t", parts.records.conversation("inbox", "t").conversation.messages[0])
    assert parts.inbox.read("inbox") == 1


def test_what_another_process_with_a_slow_clock_stored_is_read_all_the_same(
    desk: TestClient, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert listed(desk) == []
    start(desk, "t", message(CALM))
    with parts.database.write() as connection:
        connection.execute(t.inbox.delete())
        connection.execute(t.conversations.update().values(changed_at=NOON))
    assert listed(desk) == []
    monkeypatch.setattr(reading, "LOOK_AT_ALL", timedelta(0))
    assert listed(desk) == ["t"]


def test_workspaces_are_apart(desk: TestClient) -> None:
    start(desk, "t", message(CALM), customer={"id": "c-1"})
    assert desk.get("/v1/conversations", headers={"X-Workspace": "default"}).json()["conversations"] == []
    elsewhere = desk.get("/v1/customers/c-1/timeline", headers={"X-Workspace": "default"}).json()
    assert elsewhere["conversations"] == []


def test_a_customers_history_spans_channels_and_tickets(filled: Parts) -> None:
    with client_of(filled) as client:
        start(client, "mail", message(CALM), channel="email", customer={"id": "c-1"})
        start(client, "call", message(CALM, 60), channel="phone", customer={"id": "c-1"})
        start(client, "other", message(CALM), customer={"id": "c-2"})
        found = client.get("/v1/customers/c-1/timeline").json()
    assert [one["glance"]["channel"] for one in found["conversations"]] == ["phone", "email"]
    assert [one["id"] for one in found["tickets"]] == ["t-1"]


def test_a_history_is_whole_and_a_glance_there_while_many_conversations_wait_to_be_read(
    desk: TestClient, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "AT_ONCE", 1)
    for number in range(6):
        thread = Conversation(
            id=f"c{number}", customer=Customer(id=f"u-{number % 2}"), messages=(Message(text=f"{CALM} {number}"),)
        )
        parts.records.keep_conversation("inbox", thread)
    assert desk.get("/v1/conversations/c1/glance").status_code == 200
    found = desk.get("/v1/customers/u-0/timeline").json()["conversations"]
    assert {one["conversation_id"] for one in found} == {"c0", "c2", "c4"}
    assert desk.get("/v1/conversations/unknown/glance").status_code == 404


def test_an_id_with_a_slash_has_a_history_too(desk: TestClient) -> None:
    start(desk, "t", message(CALM), customer={"id": "crm/7"})
    assert len(desk.get("/v1/customers/crm%2F7/timeline").json()["conversations"]) == 1


def test_an_erased_customer_leaves_no_word_in_the_inbox(filled: Parts) -> None:
    with client_of(filled) as client:
        start(client, "t", message(ANGRY), customer={"id": "c-9", "name": "Zoë"})
        erase.erase(filled, "default", "c-9")
        assert listed(client, state="all") == []
    with filled.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(t.inbox)).scalar() == 0


def test_the_latest_suggestion_of_a_conversation_is_shown_again(company: Parts) -> None:
    with client_of(company) as client:
        start(client, "shown-again", message("How long is the link to reset my password valid?"))
        assert client.get("/v1/conversations/shown-again/suggestion").json() is None
        assert client.get("/v1/conversations/unknown/suggestion").status_code == 404
        client.post("/v1/suggestions", json={"conversation_id": "shown-again"})
        newest = client.post("/v1/suggestions", json={"conversation_id": "shown-again"}).json()
        assert client.get("/v1/conversations/shown-again/suggestion").json()["id"] == newest["id"]
        kept = client.get("/v1/conversations/shown-again").json()
        assert newest["created_at"] >= kept["changed_at"]


def test_news_come_once_each_and_in_order(desk: TestClient, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "LOOK_SECONDS", 0.01)
    start(desk, "before", message(CALM))
    news = inbox.followed(parts.inbox, "inbox")
    with start_blocking_portal() as portal:  # a loop of its own: browser tests leave one running in this thread

        def told() -> bytes:
            found: bytes = portal.call(news.__anext__)
            return found

        assert _ready(told())
        start(desk, "new", message(CALM), subject="Zeile\nzwei")
        assert _told(told()) == ("new", None)
        desk.post("/v1/conversations/new/resolve")
        id, resolved = _told(told())
        assert (id, resolved is None) == ("new", False)
        desk.post("/v1/conversations/before/messages", json=message("Hello?", 60))
        assert _told(told()) == ("before", None)
        portal.call(news.aclose)


def test_who_comes_back_is_told_what_came_meanwhile(
    desk: TestClient, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(inbox, "STREAM_SECONDS", 0.5)
    monkeypatch.setattr(reading, "SEVERAL_WRITERS", timedelta(0))

    def told(last: str | None) -> tuple[list[str], str]:
        answer = desk.get("/v1/conversations/events", headers={} if last is None else {"Last-Event-ID": last})
        frames = [one for one in answer.text.split("\n\n") if "data:" in one]
        assert _ready(frames[0].encode())
        return [_told(one.encode())[0] for one in frames[1:]], re.findall("^id: (.*)$", answer.text, re.M)[-1]

    start(desk, "before", message(CALM))
    nothing, last = told(None)
    for id in ("one", "two"):
        start(desk, id, message(CALM))
    came, later = told(last)
    assert (nothing, came) == ([], ["one", "two"])
    assert told(later)[0] == []
    long_ago, ahead = (datetime.now(UTC) + days * timedelta(days=1) for days in (-1, 1))
    for wrong in ("", "x", "2026-01-01", long_ago.isoformat(), ahead.isoformat()):
        assert told(wrong)[0] == [], wrong


def _ready(frame: bytes) -> bool:
    return re.fullmatch(r"id: \S+\nevent: ready\ndata: {}\s*", frame.decode()) is not None


def _told(frame: bytes) -> tuple[str, str | None]:
    name, data = frame.decode().strip().split("\n")[-2:]
    assert name == "event: changed"
    entry = json.loads(data.removeprefix("data: "))
    return entry["conversation_id"], entry["resolved_at"]


def test_a_stream_of_news_ends_so_that_who_may_look_is_asked_again(
    desk: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "STREAM_SECONDS", 0.0)
    answer = desk.get("/v1/conversations/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert _ready(answer.content)


def test_the_demo_companys_inbox_is_filled_once(filled: Parts) -> None:
    assert fill(filled, "default", NOON) == 64
    assert fill(filled, "default", NOON + timedelta(days=1)) == 0
    with client_of(filled) as client:
        page = client.get("/v1/conversations", params={"limit": 100}).json()
        assert len(page["conversations"]) == 60
        assert page["facets"]["conversations"] == 60
        assert page["facets"]["escalated"] > 0
        waiting = [datetime.fromisoformat(one["glance"]["waiting_since"]) for one in page["conversations"]]
        assert max(waiting) < NOON
        assert len(client.get("/v1/customers/sven-adriaanse/timeline").json()["conversations"]) == 3


def test_an_edited_reply_is_checked_and_not_kept(company: Parts) -> None:
    with client_of(company) as client:
        asked = {"conversation": {"messages": [{"text": "How long is the link to reset my password valid?"}]}}
        made = client.post("/v1/suggestions", json=asked).json()
        text = made["draft"]["text"].replace("30 minutes", "90 minutes")
        assert text != made["draft"]["text"]
        address = f"/v1/suggestions/{made['id']}/check"
        checked = client.post(address, json={"text": text}).json()
        [conflict] = [one for stretch in checked["stretches"] for one in stretch["conflicts"]]
        assert (conflict["text"], conflict["instead"]) == ("90 minutes", ["30 minutes"])
        assert text[conflict["start"] : conflict["end"]] == "90 minutes"
        assert client.post(address, json={"text": made["draft"]["text"]}).json()["conflicts"] == 0
        assert client.get(f"/v1/suggestions/{made['id']}").json() == made
        assert client.post(address, json={"text": "a" * 20_001}).status_code == 422
