"""Chatwoot over HTTP: payloads with the documented keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from copilot.build import Parts
from copilot.errors import InputError, SourceFailed
from copilot.store.sources import Sources, Upstream
from ingest.connect import check, connector_of
from ingest.summary import Summary
from ingest.sync import Syncer, Wish
from tests.servers import Asked, Reply, Server, serving, shown

W = "default"
API = "/api/v1/accounts/7"


def article(id: int, title: str, content: str, status: str = "published", **fields: Any) -> dict[str, Any]:
    slug = f"17000000{id}-{title.lower().replace(' ', '-')}"
    return {
        "id": id, "slug": slug, "title": title, "content": content, "description": "", "status": status, "position": id, "account_id": 7,
        "updated_at": 1740823200, "locale": "en", "meta": {"title": title, "tags": []}, "views": 12,
        "category": {"id": 3, "category_id": 3, "name": "Kettles", "slug": "kettles", "locale": "en"},
        "author": {"id": 2, "name": "Maud Berg", "email": "maud@acme.example", "role": "agent"}, **fields,
    }  # fmt: skip


def conversation(id: int, status: str = "resolved", **fields: Any) -> dict[str, Any]:
    sender = {
        "id": 31,
        "name": "Anna Ruiz",
        "email": "anna.ruiz@example.com",
        "phone_number": None,
        "identifier": None,
        "thumbnail": "",
    }
    return {
        "id": id, "account_id": 7, "uuid": f"u-{id}", "inbox_id": 1, "status": status, "labels": ["kettle"], "priority": None,
        "created_at": 1740823200, "timestamp": 1740826800, "last_activity_at": 1740826800, "updated_at": 1740826800.25,
        "additional_attributes": {"mail_subject": "Kettle stays cold"}, "custom_attributes": {}, "unread_count": 0, "muted": False,
        "meta": {"sender": sender, "channel": "Channel::Email", "assignee": {"id": 2, "name": "Maud Berg"}, "hmac_verified": False},
        "messages": [], **fields,
    }  # fmt: skip


def message(id: int, kind: int, content: str | None, **fields: Any) -> dict[str, Any]:
    sender = (
        {"id": 31, "name": "Anna Ruiz", "type": "contact"}
        if kind == 0
        else {"id": 2, "name": "Maud Berg", "type": "user"}
    )
    return {
        "id": id, "content": content, "message_type": kind, "content_type": "text", "content_attributes": {}, "private": False,
        "created_at": 1740823200 + 60 * id, "conversation_id": 1, "inbox_id": 1, "status": "sent", "source_id": None, "sender": sender,
        "attachments": [], **fields,
    }  # fmt: skip


MESSAGES = [
    message(1, 0, "My kettle stays cold since this morning, the lamp is off."),
    message(2, 2, "Conversation was marked as open by Maud Berg", sender=None),
    message(3, 1, "PRIVATE-BASALT she complains each week", private=True),
    message(4, 1, None, attachments=[{"id": 9, "file_type": "image", "data_url": "https://x.example/y.png"}]),
    message(5, 1, "Press the reset button under the base for five seconds, then the kettle heats again. "
                  "See https://app.example/hc/help/articles/1700000011-reset-the-kettle for a picture."),
    message(6, 0, "DELETED-OBSIDIAN", content_attributes={"deleted": True}),
]  # fmt: skip


class Desk:
    """An account: two rows a page, pages of messages two at a time."""

    LISTINGS = (f"{API}/portals/help/articles", f"{API}/conversations")
    PAGED = "page"

    def __init__(self, server: Server) -> None:
        self.server = server
        self.articles = [
            article(11, "Reset the kettle", "Press the **button** under the base for five seconds."),
            article(12, "Descale the kettle", "1. Fill it with vinegar.\n2. Wait for thirty minutes."),
            article(13, "Not yet", "UNFINISHED-OBSIDIAN.", "draft"),
            article(14, "Old lamp", "ARCHIVED-OBSIDIAN.", "archived"),
        ]
        self.conversations = [conversation(1), conversation(2, "open"), conversation(3)]
        self.messages = {1: MESSAGES, 2: MESSAGES, 3: [*MESSAGES[:3], MESSAGES[4]]}
        config = {
            "default_locale": "en",
            "allowed_locales": [{"code": "en", "articles_count": 4, "categories_count": 1}],
        }
        portal = {
            "id": 5,
            "slug": "help",
            "name": "Help",
            "archived": False,
            "custom_domain": None,
            "account_id": 7,
            "config": config,
        }
        server.answers |= {
            f"{API}/portals": shown({"payload": [portal], "meta": {"current_page": 1, "portals_count": 1}}),
            f"{API}/portals/help/articles": self.article_page,
            f"{API}/conversations": self.conversation_page,
            **{f"{API}/conversations/{id}/messages": self.message_page for id in (1, 2, 3)},
        }

    def article_page(self, asked: Asked) -> Reply:
        at = 2 * (int(asked.query["page"]) - 1)
        meta = {
            "current_page": at // 2 + 1,
            "articles_count": len(self.articles),
            "all_articles_count": 99,
            "published_count": 2,
        }
        return shown({"payload": self.articles[at : at + 2], "meta": meta})

    def conversation_page(self, asked: Asked) -> Reply:
        assert (asked.query["status"], asked.query["sort_by"]) == ("all", "created_at_asc")
        at = 2 * (int(asked.query["page"]) - 1)
        meta = {"mine_count": 0, "assigned_count": 3, "unassigned_count": 0, "all_count": len(self.conversations)}
        return shown({"data": {"meta": meta, "payload": self.conversations[at : at + 2]}})

    def message_page(self, asked: Asked) -> Reply:
        before = int(asked.query.get("before", 10**9))
        older = [one for one in self.messages[int(asked.path.split("/")[-2])] if one["id"] < before]
        return shown({"meta": {"labels": [], "contact": {}}, "payload": older[-2:]})


@pytest.fixture
def desk() -> Iterator[Desk]:
    with serving() as server:
        yield Desk(server)


def source(url: str) -> Upstream:
    return Upstream(
        workspace=W, id="cw", connector="chatwoot", address=url, credentials="env:CHATWOOT",
        options={"private_host": "127.0.0.1", "account": "7"},
    )  # fmt: skip


@pytest.fixture
def upstream(parts: Parts, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    monkeypatch.setenv("CHATWOOT", "token-s3cret")
    monkeypatch.setattr("ingest.fetch.time.sleep", lambda seconds: None)
    made = source(desk.server.url)
    Sources(parts.database).add(made)
    return made


def sync(parts: Parts, upstream: Upstream, **wish: bool) -> Summary:
    return Syncer(parts).sync(upstream, Wish(**wish))


def ids(parts: Parts, upstream: Upstream) -> list[str]:
    return sorted(one.id for one in parts.ledger.known(W, upstream.root).values())


EVERYTHING = [
    "cw/articles/1700000011-reset-the-kettle",
    "cw/articles/1700000012-descale-the-kettle",
    "cw/conversations/1",
    "cw/conversations/3",
]


@pytest.mark.parametrize(
    "told",
    [{"updated_at": 1740899999.5}, {"last_non_activity_message": {"id": 5, "content": "This message was deleted"}}],
)
def test_a_reply_that_was_deleted_goes_though_nothing_else_happened(
    parts: Parts, upstream: Upstream, desk: Desk, told: dict[str, Any]
) -> None:
    sync(parts, upstream)
    desk.messages[3] = [*MESSAGES[:3], message(5, 1, "This message was deleted", content_attributes={"deleted": True}),
                        message(7, 1, "Turn it off and on.")]  # fmt: skip
    desk.conversations[2] = conversation(3, **told)
    sync(parts, upstream)
    assert "reset button" not in parts.library.text(W, "cw/conversations/3").text


def test_published_articles_and_resolved_conversations_come(parts: Parts, upstream: Upstream, desk: Desk) -> None:
    made = sync(parts, upstream)
    assert (made.added, made.failed, ids(parts, upstream)) == (4, 0, EVERYTHING)
    assert {one.headers["api_access_token"] for one in desk.server.asked} == {"token-s3cret"}
    found = parts.library.text(W, EVERYTHING[0])
    assert found.text == "Press the button under the base for five seconds."
    assert (found.document.title, found.document.language, found.document.topics) == (
        "Reset the kettle",
        "en",
        ("Kettles",),
    )
    assert found.document.url == f"{desk.server.url}/hc/help/articles/1700000011-reset-the-kettle"


def test_private_notes_deleted_messages_events_and_names_are_nowhere(parts: Parts, upstream: Upstream) -> None:
    sync(parts, upstream)
    text = parts.library.text(W, "cw/conversations/1").text
    assert text.startswith("Kettle stays cold\n\nMy kettle stays cold since this morning")
    assert "reset button under the base" in text
    for hidden in ("BASALT", "OBSIDIAN", "Anna", "Ruiz", "Maud", "marked as open"):
        assert hidden not in text


def test_a_conversation_that_is_reopened_or_deleted_and_an_article_taken_back_are_retired(
    parts: Parts, upstream: Upstream, desk: Desk
) -> None:
    sync(parts, upstream)
    desk.conversations[0] = conversation(1, "open", last_activity_at=1750000000)
    desk.articles[1]["status"] = "archived"
    made = sync(parts, upstream, allow_mass_delete=True)
    assert (made.retired, ids(parts, upstream)) == (2, [EVERYTHING[0], EVERYTHING[3]])
    del desk.conversations[2]
    assert sync(parts, upstream).retired == 1


def test_what_did_not_change_costs_no_messages(parts: Parts, upstream: Upstream, desk: Desk) -> None:
    sync(parts, upstream)
    desk.server.asked.clear()
    made = sync(parts, upstream)
    assert (made.unchanged, made.embedded) == (4, 0)
    assert not [path for path in desk.server.paths() if path.endswith("messages")]


def test_rows_that_slip_between_pages_while_they_are_read_are_not_taken_for_deleted(
    parts: Parts, upstream: Upstream, desk: Desk
) -> None:
    """A conversation is deleted between two pages: the one that moves up to the page before is not seen, and stays."""
    sync(parts, upstream)

    def moving(asked: Asked) -> Reply:
        reply = desk.conversation_page(asked)
        if asked.query["page"] == "1":
            del desk.conversations[1]
        return reply

    desk.server.answers[f"{API}/conversations"] = moving
    made = sync(parts, upstream)
    assert (made.retired, ids(parts, upstream)) == (0, EVERYTHING)


def test_a_teams_conversations_are_the_teams_alone(parts: Parts, desk: Desk, upstream: Upstream) -> None:
    from dataclasses import replace

    desk.conversations[2]["meta"]["team"] = {"id": 4, "name": "Billing"}
    sync(parts, replace(upstream, options={**upstream.options, "teams": "Billing=money"}))
    audiences = [parts.library.text(W, id).document.audience for id in ("cw/conversations/1", "cw/conversations/3")]
    assert audiences == ["public", "team:money"]


def test_an_agents_link_votes_for_the_article(parts: Parts, upstream: Upstream) -> None:
    sync(parts, upstream)
    assert set(parts.library.links(W).values()) == {(EVERYTHING[0],)}


def test_what_the_source_must_say_is_asked_for(parts: Parts, upstream: Upstream) -> None:
    from dataclasses import replace

    with pytest.raises(InputError, match="account=NUMBER"):
        connector_of(replace(upstream, options={"private_host": "127.0.0.1"}), parts.settings)
    with pytest.raises(InputError, match="content is 'mail'"):
        connector_of(replace(upstream, options={**upstream.options, "content": "mail"}), parts.settings)
    with pytest.raises(SourceFailed, match="no portal 'shop'"):
        sync(parts, replace(upstream, options={**upstream.options, "portals": "shop"}))
    with pytest.raises(InputError, match="no option 'mood'"):
        check(replace(upstream, options={"mood": "good"}))


def test_a_hostile_article_is_told_then_set_aside_and_the_rest_is_taken(
    parts: Parts, desk: Desk, upstream: Upstream
) -> None:
    desk.articles[1]["content"] = "[" * 1_000_000
    hasty = replace(parts, settings=parts.settings.model_copy(update={"parse_seconds": 1}))
    first, second, third = (sync(hasty, upstream) for _ in range(3))
    assert (first.failed, len(ids(parts, upstream))) == (1, 3)
    assert "took more than 1 seconds" in first.problems[0].reason
    assert "took more than" in second.problems[0].reason
    assert "set aside after 2 tries" in third.problems[0].reason


def test_a_conversation_whose_messages_are_refused_fails_alone(parts: Parts, desk: Desk, upstream: Upstream) -> None:
    desk.server.answers[f"{API}/conversations/1/messages"] = shown({"payload": "none"})
    made = sync(parts, upstream)
    assert [problem.origin for problem in made.problems] == ["conversations/1"]
    assert (made.added, "cw/conversations/3" in ids(parts, upstream)) == (3, True)
