"""Zendesk over HTTP: payloads with the documented keys, from a server that pages, throttles, cuts and repeats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from copilot.build import Parts
from copilot.errors import NotFound, SourceFailed
from copilot.store.sources import Sources, Upstream
from ingest.summary import Summary
from ingest.sync import Syncer, Wish
from tests.servers import Answer, Asked, Reply, Server, serving, shown

W = "default"


def article(id: int, title: str, body: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": id, "title": title, "body": body, "draft": False, "locale": "en-us", "source_locale": "en-us", "user_segment_id": None,
        "html_url": f"https://acme.zendesk.com/hc/en-us/articles/{id}", "label_names": ["kettle"], "section_id": 7, "promoted": False,
        "created_at": "2025-01-01T10:00:00Z", "edited_at": "2025-02-01T10:00:00Z", "updated_at": "2025-02-02T10:00:00Z", **fields,
    }  # fmt: skip


def ticket(id: int, status: str = "solved", **fields: Any) -> dict[str, Any]:
    return {
        "id": id, "url": f"https://acme.zendesk.com/api/v2/tickets/{id}.json", "subject": "Kettle does not boil",
        "description": "My kettle stays cold.", "status": status, "requester_id": 1, "tags": ["kettle"], "is_public": True,
        "created_at": "2025-03-01T10:00:00Z", "updated_at": "2025-03-02T10:00:00Z", "generated_timestamp": 1740909600, **fields,
    }  # fmt: skip


PEOPLE = [{"id": 1, "name": "Anna Ruiz", "role": "end-user"}, {"id": 2, "name": "Maud Berg", "role": "agent"}]
COMMENTS = [
    {"id": 11, "type": "Comment", "author_id": 1, "public": True, "created_at": "2025-03-01T10:00:00Z",
     "plain_body": "My kettle stays cold since this morning, the lamp is off."},
    {"id": 12, "type": "Comment", "author_id": 2, "public": False, "created_at": "2025-03-01T11:00:00Z",
     "plain_body": "PRIVATE-BASALT she complains each week"},
    {"id": 13, "type": "Comment", "author_id": 2, "public": True, "created_at": "2025-03-01T12:00:00Z",
     "plain_body": "Press the reset button under the base for five seconds, then the kettle heats again. "
                   "See https://acme.zendesk.com/hc/en-us/articles/101 for a picture."},
]  # fmt: skip


class Desk:
    """A Zendesk account: articles two a page, one page of them twice; tickets in two pages, one ticket on both."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.articles = [
            article(101, "Reset the kettle", "<p>Press the button under the base for five seconds.</p>"),
            article(102, "Descale the kettle", "<p>Fill it with vinegar and wait for thirty minutes.</p>"),
            article(103, "Goodwill limits", "<p>Up to 40 euro without asking.</p>", user_segment_id=9),
            article(104, "Not yet", "<p>UNFINISHED-OBSIDIAN.</p>", draft=True),
        ]
        self.tickets = [[ticket(1), ticket(2, "open")], [ticket(1), ticket(3)]]
        self.comments = {1: COMMENTS, 3: [*COMMENTS[:1], *COMMENTS[:1], *COMMENTS[2:]]}
        server.answers |= {
            "/api/v2/help_center/locales": shown({"locales": ["en-us"], "default_locale": "en-us"}),
            "/api/v2/help_center/user_segments": shown({"user_segments": [{"id": 9, "name": "Staff", "user_type": "staff"}]}),
            "/api/v2/help_center/en-us/articles": self.article_page,
            "/api/v2/incremental/tickets/cursor": self.ticket_page,
        }  # fmt: skip
        server.answers |= {f"/api/v2/tickets/{id}/comments": self.comment_page for id in (1, 2, 3)}

    def article_page(self, asked: Asked) -> Reply:
        at = int(asked.query.get("page[after]", 0))
        start = max(0, at - 1)  # each page begins with the last article of the one before
        more = at + 2 < len(self.articles)
        following = f"{self.server.url}{asked.path}?page%5Bsize%5D=2&page%5Bafter%5D={at + 2}"
        return shown({
            "articles": self.articles[start : at + 2], "count": 9999, "meta": {"has_more": more, "after_cursor": str(at + 2)},
            "links": {"next": following},
        })  # fmt: skip

    def ticket_page(self, asked: Asked) -> Reply:
        at = int(asked.query.get("cursor", "c0")[1:])
        listed = self.tickets[at] if at < len(self.tickets) else []
        last = at + 1 >= len(self.tickets)
        return shown(
            {
                "tickets": listed,
                "after_cursor": f"c{min(at + 1, len(self.tickets))}",
                "end_of_stream": last,
                "count": 5000,
            }
        )

    def comment_page(self, asked: Asked) -> Reply:
        id = int(asked.path.split("/")[4])
        return shown(
            {"comments": self.comments[id], "users": PEOPLE, "meta": {"has_more": False}, "links": {"next": None}}
        )


@pytest.fixture
def desk() -> Iterator[Desk]:
    with serving() as server:
        yield Desk(server)


@pytest.fixture
def upstream(parts: Parts, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    monkeypatch.setenv("ZENDESK", "bot@acme.example/token:s3cret")
    monkeypatch.setattr("ingest.fetch.time.sleep", lambda seconds: None)
    made = Upstream(
        workspace=W, id="zen", connector="zendesk", address=desk.server.url, credentials="env:ZENDESK",
        options={"private_host": "127.0.0.1"},
    )  # fmt: skip
    Sources(parts.database).add(made)
    return made


def sync(parts: Parts, upstream: Upstream, **wish: bool) -> Summary:
    return Syncer(parts).sync(upstream, Wish(**wish))


def ids(parts: Parts, upstream: Upstream) -> list[str]:
    return sorted(one.id for one in parts.ledger.known(W, upstream.root).values())


EVERYTHING = [
    "zen/articles/101/en-us",
    "zen/articles/102/en-us",
    "zen/articles/103/en-us",
    "zen/tickets/1",
    "zen/tickets/3",
]


def test_an_article_for_a_list_of_segments_is_not_public(parts: Parts, upstream: Upstream, desk: Desk) -> None:
    desk.articles = [article(105, "For partners", "<p>Thirty per cent off.</p>", user_segment_ids=[9, 10])]
    sync(parts, upstream)
    assert parts.library.text(W, "zen/articles/105/en-us").document.audience == "internal"


def test_a_ticket_that_was_merged_into_another_is_no_case(parts: Parts, upstream: Upstream, desk: Desk) -> None:
    sync(parts, upstream)
    desk.tickets = [[ticket(1, "closed", tags=["kettle", "closed_by_merge"]), ticket(3)]]
    assert sync(parts, upstream, full=True).retired == 1
    assert ids(parts, upstream) == [id for id in EVERYTHING if id != "zen/tickets/1"]


def test_a_ticket_is_read_again_when_its_group_or_anything_else_changed(
    parts: Parts, upstream: Upstream, desk: Desk
) -> None:
    desk.tickets = [[ticket(1, group_id=7), ticket(3)]]
    sync(parts, upstream)
    desk.comments[1] = [*COMMENTS[:2], {**COMMENTS[2], "plain_body": "▇▇▇▇ Press the other button under the base."}]
    desk.tickets = [[ticket(1, group_id=7, generated_timestamp=1740909999), ticket(3)]]  # a comment was redacted
    assert sync(parts, upstream, full=True).changed == 1
    assert "other button" in parts.library.text(W, "zen/tickets/1").text


def test_an_article_that_a_reply_links_to_by_its_title_gets_a_vote(
    parts: Parts, upstream: Upstream, desk: Desk
) -> None:
    markup = '<p>See <a href="https://acme.zendesk.com/hc/en-us/articles/102-Descale">how to descale</a>.</p>'
    desk.comments[1] = [*COMMENTS[:2], {**COMMENTS[2], "plain_body": "See how to descale.", "html_body": markup}]
    sync(parts, upstream)
    assert ("zen/articles/102/en-us",) in parts.library.links(W).values()


def test_articles_and_solved_tickets_come_once_whatever_is_repeated(
    parts: Parts, upstream: Upstream, desk: Desk
) -> None:
    made = sync(parts, upstream)
    assert (made.added, made.failed, ids(parts, upstream)) == (5, 0, EVERYTHING)
    assert desk.server.asked[0].headers["authorization"].startswith("Basic ")
    found = parts.library.text(W, "zen/articles/101/en-us")
    assert (found.document.title, found.document.language, found.document.audience) == (
        "Reset the kettle",
        "en",
        "public",
    )
    assert found.document.url == "https://acme.zendesk.com/hc/en-us/articles/101"


def test_an_article_for_staff_is_internal_and_a_draft_is_not_there(parts: Parts, upstream: Upstream) -> None:
    sync(parts, upstream)
    assert parts.library.text(W, "zen/articles/103/en-us").document.audience == "internal"
    with pytest.raises(NotFound):
        parts.library.text(W, "zen/articles/104/en-us")


def test_a_private_comment_and_the_customers_name_are_nowhere(parts: Parts, upstream: Upstream) -> None:
    sync(parts, upstream)
    text = parts.library.text(W, "zen/tickets/1").text
    assert "reset button under the base" in text
    assert "My kettle stays cold since this morning" in text
    for hidden in ("BASALT", "Anna", "Ruiz", "Maud"):
        assert hidden not in text


def test_what_did_not_change_costs_no_comments_and_no_embedding(parts: Parts, upstream: Upstream, desk: Desk) -> None:
    sync(parts, upstream)
    desk.server.asked.clear()
    made = sync(parts, upstream, full=True)
    assert (made.unchanged, made.added, made.changed, made.embedded) == (5, 0, 0, 0)
    assert not [path for path in desk.server.paths() if "comments" in path]


def test_the_next_sync_asks_for_tickets_from_the_cursor_on(parts: Parts, upstream: Upstream, desk: Desk) -> None:
    sync(parts, upstream)
    desk.server.asked.clear()
    desk.tickets.append([ticket(1, "open", updated_at="2025-04-01T10:00:00Z"), ticket(3, "deleted")])
    made = sync(parts, upstream)
    asked = [one.query for one in desk.server.asked if "incremental" in one.path]
    assert asked == [{"cursor": "c2"}]
    assert (made.retired, ids(parts, upstream)) == (2, EVERYTHING[:3])


def test_an_article_that_is_taken_back_is_retired_here(parts: Parts, upstream: Upstream, desk: Desk) -> None:
    sync(parts, upstream)
    desk.articles[0]["draft"] = True
    del desk.articles[1]
    desk.articles[1]["user_segment_id"] = None
    desk.articles[1]["updated_at"] = "2025-05-01T10:00:00Z"
    made = sync(parts, upstream)
    assert (made.retired, made.changed) == (2, 1)
    assert parts.library.text(W, "zen/articles/103/en-us").document.audience == "public"


def test_a_listing_that_is_cut_retires_nothing_and_the_next_sync_ends_it(
    parts: Parts, upstream: Upstream, desk: Desk
) -> None:
    path = "/api/v2/help_center/en-us/articles"
    sync(parts, upstream)
    desk.server.answers[path] = shown({"articles": desk.articles[:1]}, cut=True)
    with pytest.raises(SourceFailed):
        sync(parts, upstream, allow_mass_delete=True)
    assert ids(parts, upstream) == EVERYTHING
    desk.articles.append(article(105, "New", "<p>A new article about kettles.</p>"))
    busy = Reply(status=429, headers={"Retry-After": "3"})
    desk.server.answers[path] = once(busy, desk.article_page)
    assert sync(parts, upstream).added == 1


def once(first: Reply, then: Answer) -> Answer:
    """This reply, and from then on that answer."""
    left = [first]
    return lambda asked: left.pop() if left else then(asked)


def test_pages_in_a_circle_are_left(parts: Parts, upstream: Upstream, desk: Desk) -> None:
    path = "/api/v2/help_center/en-us/articles"
    around = f"{desk.server.url}{path}?page%5Bsize%5D=100"
    desk.server.answers[path] = shown(
        {"articles": desk.articles, "meta": {"has_more": True}, "links": {"next": around}}
    )
    with pytest.raises(SourceFailed, match="circle"):
        sync(parts, upstream)


def test_a_ticket_whose_comments_fail_is_not_passed_over(parts: Parts, upstream: Upstream, desk: Desk) -> None:
    desk.server.answers["/api/v2/tickets/3/comments"] = Reply(status=500)
    with pytest.raises(SourceFailed):
        sync(parts, upstream)
    desk.server.answers["/api/v2/tickets/3/comments"] = desk.comment_page
    sync(parts, upstream)
    assert ids(parts, upstream) == EVERYTHING


def test_refused_credentials_are_said_without_the_secret(parts: Parts, upstream: Upstream, desk: Desk) -> None:
    desk.server.answers["/api/v2/incremental/tickets/cursor"] = Reply(status=401)
    with pytest.raises(SourceFailed, match="check the source's credentials") as failed:
        sync(parts, upstream)
    assert "s3cret" not in str(failed.value)


def test_solved_tickets_vote_for_the_articles_that_agents_sent(parts: Parts, upstream: Upstream) -> None:
    from sqlalchemy import select

    from copilot.store import schema as t

    sync(parts, upstream)
    with parts.database.read() as connection:
        targets = set(connection.execute(select(t.links.c.target)).scalars())
    assert targets == {"zen/articles/101/en-us"}


ONE_BAD = {
    "gone": Reply(status=404), "forbidden": Reply(status=403), "a list": shown([1, 2]), "no list": shown({"comments": 7}),
    "no ids": shown({"comments": [{"body": "x"}]}), "no JSON": Reply(b"<html>"),
    "a circle": shown({"comments": [], "next_page": None, "meta": {"has_more": True}}),
}  # fmt: skip


@pytest.mark.parametrize("said", ONE_BAD.values(), ids=list(ONE_BAD))
def test_a_ticket_that_is_refused_fails_alone_and_the_sync_goes_on(
    parts: Parts, upstream: Upstream, desk: Desk, said: Reply
) -> None:
    desk.server.answers["/api/v2/tickets/1/comments"] = said
    made = sync(parts, upstream)
    assert [problem.origin for problem in made.problems] == ["tickets/1"]
    assert (made.failed, "zen/tickets/3" in ids(parts, upstream)) == (1, True)
    assert any("/articles/" in id for id in ids(parts, upstream))
    assert Sources(parts.database).progress(W, upstream.id).cursor is not None


@pytest.mark.parametrize("status", [401, 503])
def test_a_desk_that_lets_nobody_in_or_is_down_ends_the_sync(
    parts: Parts, upstream: Upstream, desk: Desk, status: int
) -> None:
    desk.server.answers["/api/v2/tickets/1/comments"] = Reply(status=status)
    with pytest.raises(SourceFailed):
        sync(parts, upstream)
