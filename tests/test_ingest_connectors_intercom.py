"""Intercom articles over HTTP: payloads with the documented keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from copilot.build import Parts
from copilot.errors import SourceFailed
from copilot.store.sources import Sources, Upstream
from ingest.summary import Summary
from ingest.sync import Syncer, Wish
from tests.servers import Asked, Reply, Server, serving, shown

W = "default"


def article(id: str, title: str, body: str, state: str = "published", **fields: Any) -> dict[str, Any]:
    return {
        "type": "article", "id": id, "workspace_id": "w", "title": title, "description": "", "body": f"<p>{body}</p>", "author_id": 1,
        "state": state, "created_at": 1735725600, "updated_at": 1735812000, "url": f"https://intercom.help/acme/en/articles/{id}",
        "parent_id": 3, "parent_type": "collection", "default_locale": "en", "translated_content": None, **fields,
    }  # fmt: skip


GERMAN = {"type": "article_content", "title": "Kessel", "body": "<p>Drücken Sie den Knopf fünf Sekunden lang.</p>", "state": "published",
          "url": "https://intercom.help/acme/de/articles/1", "created_at": 1735725600, "updated_at": 1735812000}  # fmt: skip


class Desk:
    """Two articles a page; each page begins with the last article of the one before."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.articles = [
            article(
                "1", "Kettle", "Press the button for five seconds.", translated_content={"type": "x", "de": GERMAN}
            ),
            article("2", "Lamp", "Turn the switch to the left."),
            article("3", "Secret plans", "UNFINISHED-BASALT.", state="draft"),
            article("4", "Fan", "Clean the blades with a dry cloth."),
        ]
        server.answers["/articles"] = self.page

    def page(self, asked: Asked) -> Reply:
        at = 2 * (int(asked.query["page"]) - 1)
        pages = {"type": "pages", "page": at // 2 + 1, "per_page": 2, "total_pages": 2}
        return shown(
            {"type": "list", "pages": pages, "total_count": 7777, "data": self.articles[max(0, at - 1) : at + 2]}
        )


@pytest.fixture
def desk() -> Iterator[Desk]:
    with serving() as server:
        yield Desk(server)


@pytest.fixture
def upstream(parts: Parts, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    monkeypatch.setenv("INTERCOM", "token-s3cret")
    monkeypatch.setattr("ingest.fetch.time.sleep", lambda seconds: None)
    made = Upstream(
        workspace=W, id="ic", connector="intercom", address=desk.server.url, credentials="env:INTERCOM",
        options={"private_host": "127.0.0.1"},
    )  # fmt: skip
    Sources(parts.database).add(made)
    return made


def sync(parts: Parts, upstream: Upstream, **wish: bool) -> Summary:
    return Syncer(parts).sync(upstream, Wish(**wish))


def ids(parts: Parts, upstream: Upstream) -> list[str]:
    return sorted(one.id for one in parts.ledger.known(W, upstream.root).values())


ALL = ["ic/articles/1/de", "ic/articles/1/en", "ic/articles/2/en", "ic/articles/4/en"]


def test_each_language_of_a_published_article_is_a_document_once(parts: Parts, upstream: Upstream, desk: Desk) -> None:
    made = sync(parts, upstream)
    assert (made.added, made.failed, ids(parts, upstream)) == (4, 0, ALL)
    assert parts.library.text(W, "ic/articles/1/de").document.language == "de"
    assert desk.server.asked[0].headers["authorization"] == "Bearer token-s3cret"
    again = sync(parts, upstream)
    assert (again.unchanged, again.embedded) == (4, 0)


def test_an_article_that_becomes_a_draft_or_vanishes_is_retired(parts: Parts, upstream: Upstream, desk: Desk) -> None:
    sync(parts, upstream)
    desk.articles[1]["state"] = "draft"
    assert (sync(parts, upstream).retired, ids(parts, upstream)) == (1, [ALL[0], ALL[1], ALL[3]])


@pytest.mark.parametrize(
    "half",
    [
        {"type": "list", "data": [], "pages": {"total_pages": 2}},
        {"type": "list", "data": [article("1", "Kettle", "Press.")]},
        {"type": "error.list", "errors": []},
    ],
)
def test_half_a_listing_retires_nothing(parts: Parts, upstream: Upstream, desk: Desk, half: dict[str, Any]) -> None:
    sync(parts, upstream)
    desk.server.answers["/articles"] = shown(half)
    with pytest.raises(SourceFailed):
        sync(parts, upstream, allow_mass_delete=True)
    assert ids(parts, upstream) == ALL
