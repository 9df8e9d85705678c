"""Zammad over HTTP: payloads with the documented keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from copilot.build import Parts
from copilot.retrieve import Query
from copilot.store.sources import Sources, Upstream
from copilot.store.values import now
from ingest.connectors import zammad
from ingest.summary import Summary
from ingest.sync import Syncer, Wish
from tests.conftest import ADMIN, AGENT
from tests.servers import Asked, Reply, Server, serving, shown

W = "default"
LONG_AGO = "2025-01-01T10:00:00.000Z"


def answer(id: int, **dates: str | None) -> dict[str, Any]:
    states = {"archived_at": None, "internal_at": None, "published_at": None, **dates}
    return {
        "id": id, "category_id": 3, "promoted": False, "internal_note": None, "position": id, "archived_by_id": None, "internal_by_id": None,
        "published_by_id": 2, "created_at": LONG_AGO, "updated_at": LONG_AGO, "attachments": [], "tags": ["kettle"],
        "translation_ids": [10 * id], **states,
    }  # fmt: skip


def translation(id: int, title: str) -> dict[str, Any]:
    return {
        "id": 10 * id, "title": title, "kb_locale_id": 1, "answer_id": id, "content_id": 100 * id, "created_by_id": 2, "updated_by_id": 2,
        "created_at": LONG_AGO, "updated_at": LONG_AGO,
    }  # fmt: skip


def ticket(id: int, state: str = "closed", **fields: Any) -> dict[str, Any]:
    return {
        "id": id, "group_id": 1, "group": "Users", "priority_id": 2, "priority": "2 normal", "state_id": 4, "state": state,
        "organization_id": None, "number": f"2200{id}", "title": "Kettle stays cold", "owner_id": 2, "owner": "maud@acme.example",
        "customer_id": 31, "customer": "anna.ruiz@example.com", "note": None, "first_response_at": None, "close_at": LONG_AGO,
        "article_count": 3, "article_ids": [1, 2, 3], "created_at": "2025-03-01T10:00:00.000Z", "updated_at": "2025-03-02T10:00:00.000Z",
        **fields,
    }  # fmt: skip


def said(id: int, sender: str, body: str, **fields: Any) -> dict[str, Any]:
    who = '"Anna Ruiz" <anna.ruiz@example.com>' if sender == "Customer" else "Maud Berg via ACME <help@acme.example>"
    return {
        "id": id, "ticket_id": 1, "type_id": 1, "type": "email", "sender_id": 2, "sender": sender, "from": who, "to": "help@acme.example",
        "cc": None, "subject": "Kettle stays cold", "reply_to": None, "message_id": f"<{id}@x>", "content_type": "text/html", "body": body,
        "internal": False, "created_by": "x", "created_at": f"2025-03-01T1{id}:00:00.000Z", "updated_at": LONG_AGO, "attachments": [],
        **fields,
    }  # fmt: skip


LINK = "https://help.acme.example/help/en-us/3-kettles/1-reset-the-kettle"
SAID = [
    said(1, "Customer", "Hello,<br>my kettle stays cold since this morning, the lamp is off."),
    said(2, "Agent", "PRIVATE-BASALT she complains each week", internal=True, type="note"),
    said(3, "Agent", f"Press the reset button under the base for five seconds, then the kettle heats again. <a href='{LINK}'>{LINK}</a>"
         '<blockquote type="cite">QUOTED-OBSIDIAN</blockquote>'),
]  # fmt: skip


class Desk:
    """A Zammad: two tickets a page."""

    LISTINGS = ("/api/v1/knowledge_bases/init", "/api/v1/tickets")
    PAGED = "page"

    def __init__(self, server: Server) -> None:
        self.server = server
        self.answers = {
            1: answer(1, published_at=LONG_AGO),
            2: answer(2, internal_at=LONG_AGO),
            3: answer(3),
            4: answer(4, published_at=LONG_AGO, archived_at=LONG_AGO),
        }
        self.titles = {1: "Reset the kettle", 2: "Goodwill limits", 3: "Not yet", 4: "Old lamp"}
        self.bodies = {
            1: "<p>Press the button under the base for five seconds.</p>", 2: "<p>Up to 40 euro without asking.</p>",
            3: "<p>UNFINISHED-OBSIDIAN.</p>", 4: "<p>ARCHIVED-OBSIDIAN.</p>",
        }  # fmt: skip
        self.tickets = [ticket(1), ticket(2, "open"), ticket(3)]
        locales = [
            {
                "id": 12,
                "locale": "en-us",
                "alias": "en",
                "name": "English (United States)",
                "dir": "ltr",
                "active": True,
            }
        ]
        server.answers |= {
            "/api/v1/knowledge_bases/init": self.init,
            "/api/v1/locales": shown(locales),
            "/api/v1/tickets": self.ticket_page,
            **{f"/api/v1/knowledge_bases/1/answers/{id}": self.one for id in (1, 2, 3, 4)},
            **{f"/api/v1/ticket_articles/by_ticket/{id}": shown([*SAID, SAID[0]]) for id in (1, 2, 3)},
        }

    def init(self, asked: Asked) -> Reply:
        return shown({
            "KnowledgeBase": {"1": {"id": 1, "iconset": "FontAwesome", "active": True, "kb_locale_ids": [1]}},
            "KnowledgeBaseLocale": {"1": {"id": 1, "knowledge_base_id": 1, "system_locale_id": 12, "primary": True}},
            "KnowledgeBaseCategory": {"3": {"id": 3, "knowledge_base_id": 1, "parent_id": None, "answer_ids": list(self.answers)}},
            "KnowledgeBaseAnswer": {str(id): row for id, row in self.answers.items()},
            "KnowledgeBaseAnswerTranslation": {str(10 * id): translation(id, self.titles[id]) for id in self.answers},
        })  # fmt: skip

    def one(self, asked: Asked) -> Reply:
        id = int(asked.path.split("/")[-1])
        assert asked.query["include_contents"] == str(100 * id)
        content = {str(100 * id): {"id": 100 * id, "body": self.bodies[id], "attachments": []}}
        return shown({"id": id, "assets": {"KnowledgeBaseAnswerTranslationContent": content}})

    def ticket_page(self, asked: Asked) -> Reply:
        assert asked.query["expand"] == "true"
        at = 2 * (int(asked.query["page"]) - 1)
        return shown(self.tickets[at : at + 2])


@pytest.fixture
def desk() -> Iterator[Desk]:
    with serving() as server:
        yield Desk(server)


def source(url: str) -> Upstream:
    return Upstream(
        workspace=W,
        id="za",
        connector="zammad",
        address=url,
        credentials="env:ZAMMAD",
        options={"private_host": "127.0.0.1"},
    )


@pytest.fixture
def upstream(parts: Parts, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    monkeypatch.setenv("ZAMMAD", "token-s3cret")
    monkeypatch.setattr("ingest.fetch.time.sleep", lambda seconds: None)
    made = source(desk.server.url)
    Sources(parts.database).add(made)
    return made


def sync(parts: Parts, upstream: Upstream, **wish: bool) -> Summary:
    return Syncer(parts).sync(upstream, Wish(**wish))


def ids(parts: Parts, upstream: Upstream) -> list[str]:
    return sorted(one.id for one in parts.ledger.known(W, upstream.root).values())


EVERYTHING = ["za/answers/1/en-us", "za/answers/2/en-us", "za/tickets/1", "za/tickets/3"]


def audience(parts: Parts, id: str) -> str:
    return parts.library.text(W, id).document.audience


def seen(parts: Parts, text: str, at: Any = None) -> set[str]:
    found = parts.copilot.search(ADMIN, Query(text=text, kinds=("article",), as_of=at))
    return {hit.document_id for hit in found.results}


def test_answers_and_closed_tickets_come_with_their_audience(parts: Parts, upstream: Upstream, desk: Desk) -> None:
    made = sync(parts, upstream)
    assert (made.added, made.failed, ids(parts, upstream)) == (4, 0, EVERYTHING)
    assert {one.headers["authorization"] for one in desk.server.asked} == {"Token token=token-s3cret"}
    found = parts.library.text(W, "za/answers/1/en-us")
    assert (found.text, found.document.title) == (
        "Press the button under the base for five seconds.",
        "Reset the kettle",
    )
    assert (found.document.language, found.document.audience, found.document.topics) == ("en", "public", ("kettle",))
    assert found.document.url == f"{desk.server.url}/help/en-us/3/1-reset-the-kettle"
    assert audience(parts, "za/answers/2/en-us") == "internal"


def test_internal_articles_quotes_and_names_are_nowhere(parts: Parts, upstream: Upstream) -> None:
    sync(parts, upstream)
    text = parts.library.text(W, "za/tickets/1").text
    assert "my kettle stays cold since this morning" in text
    assert "reset button under the base" in text
    for hidden in ("BASALT", "OBSIDIAN", "Anna", "Ruiz", "Maud"):
        assert hidden not in text


def test_an_answers_state_decides_who_reads_it_and_archiving_takes_it_back(
    parts: Parts, upstream: Upstream, desk: Desk
) -> None:
    sync(parts, upstream)
    desk.answers[1]["archived_at"] = LONG_AGO
    desk.answers[2]["published_at"] = LONG_AGO
    desk.answers[3]["internal_at"] = LONG_AGO
    made = sync(parts, upstream)
    assert (made.retired, made.changed, made.added) == (1, 1, 1)
    assert [audience(parts, f"za/answers/{id}/en-us") for id in (2, 3)] == ["public", "internal"]
    del desk.answers[2]
    assert sync(parts, upstream).retired == 1


def test_dates_to_come_are_kept_to_by_retrieval(parts: Parts, upstream: Upstream, desk: Desk) -> None:
    """Published tomorrow, or archived tomorrow: no sync is needed for it to appear or to go."""
    tomorrow = now() + timedelta(days=1)
    desk.answers[1]["archived_at"] = tomorrow.isoformat()
    desk.answers[3]["published_at"] = tomorrow.isoformat()
    sync(parts, upstream)
    assert {"za/answers/1/en-us"} <= seen(parts, "press the button under the base")
    assert "za/answers/3/en-us" not in seen(parts, "unfinished obsidian")
    later = tomorrow + timedelta(hours=1)
    assert "za/answers/3/en-us" in seen(parts, "unfinished obsidian", later)
    assert "za/answers/1/en-us" not in seen(parts, "press the button under the base", later)


def test_a_ticket_that_is_reopened_or_deleted_is_retired(parts: Parts, upstream: Upstream, desk: Desk) -> None:
    sync(parts, upstream)
    desk.tickets[0] = ticket(1, "open", updated_at="2025-04-01T10:00:00.000Z")
    del desk.tickets[2]
    assert sync(parts, upstream, allow_mass_delete=True).retired == 2


def test_a_groups_tickets_are_its_teams_alone(parts: Parts, upstream: Upstream, desk: Desk) -> None:
    desk.tickets[2]["group"] = "Legal"
    sync(parts, replace(upstream, options={**upstream.options, "teams": "Legal=law"}))
    assert [audience(parts, f"za/tickets/{id}") for id in (1, 3)] == ["public", "team:law"]
    found = parts.copilot.search(AGENT, Query(text="kettle stays cold", kinds=("ticket",)))
    assert [hit.document_id for hit in found.results] == ["za/tickets/1"]


def test_what_did_not_change_is_not_asked_for_again(parts: Parts, upstream: Upstream, desk: Desk) -> None:
    sync(parts, upstream)
    desk.server.asked.clear()
    made = sync(parts, upstream)
    assert (made.unchanged, made.embedded) == (4, 0)
    assert set(desk.server.paths()) == {*Desk.LISTINGS, "/api/v1/locales"}


def test_an_agents_link_votes_for_the_answer(parts: Parts, upstream: Upstream) -> None:
    sync(parts, upstream)
    assert set(parts.library.links(W).values()) == {("za/answers/1/en-us",)}


def test_a_mail_of_many_tags_is_read_in_the_parsers_own_process(
    parts: Parts, desk: Desk, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zammad, "letter", lambda body: pytest.fail("read here"))
    path, question = "/api/v1/ticket_articles/by_ticket/3", {**SAID[0], "body": SAID[0]["body"] + "<br>" * 30_000}
    desk.server.answers[path] = shown([question, {**SAID[2], "content_type": "text/plain"}])
    desk.tickets = [ticket(3)]
    made = sync(parts, upstream)
    assert (made.failed, "za/tickets/3" in ids(parts, upstream)) == (0, True)


def test_an_answer_with_a_date_that_is_none_or_that_is_refused_fails_alone(
    parts: Parts, desk: Desk, upstream: Upstream
) -> None:
    desk.answers[1]["published_at"] = "soon"
    desk.server.answers["/api/v1/knowledge_bases/1/answers/2"] = Reply(status=404)
    desk.server.answers["/api/v1/ticket_articles/by_ticket/1"] = shown({"error": "no rights"})
    made = sync(parts, upstream)
    assert [problem.origin for problem in made.problems] == ["answers/1/en-us", "answers/2/en-us", "tickets/1"]
    assert ids(parts, upstream) == ["za/tickets/3"]
