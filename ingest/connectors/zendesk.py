"""Zendesk: the help centre's articles, whole each time, and tickets by the incremental export, with their comments.

Needs `credentials` of the form `mail@company.example/token:KEY` (an API token), or an OAuth token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from copilot.build import redactor_of
from copilot.domain import INTERNAL, PUBLIC, Document, Source
from copilot.errors import Refused, SourceFailed
from copilot.ports import Change, Connector, Expected, Gone, Mark, Raw, Rest, Whole
from copilot.redact import Redactor
from copilot.settings import Settings
from copilot.store.sources import Upstream
from ingest import tickets
from ingest.fetch import Fetcher
from ingest.listing import inner, rows, several_of
from ingest.page import choice, fingerprint, language, moment, offered, several, teams, words
from ingest.threads import Said, thread

OPTIONS = frozenset({"content", "locales", "signed_in", "since", "teams"})
CONTENT = ("articles", "tickets")
SOLVED = ("solved", "closed")
MERGED = "closed_by_merge"
"""Zendesk's tag for a ticket whose case went on in another: its last reply says just that."""
BEGINNING = "1420070400"  # 2015: the export wants a time, and asks for it to be in the past
_ARTICLE = re.compile(r"/hc/([A-Za-z-]{2,10})/articles/(\d{1,20})")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Zendesk:
    """One Zendesk account, as its API shows it."""

    fetch: Fetcher
    name: str
    base: str
    audience: str | None
    content: tuple[str, ...]
    locales: tuple[str, ...]
    signed_in_is_public: bool
    beginning: str
    redactor: Redactor
    teams: Mapping[str, str] = field(default_factory=dict)
    segments: dict[int, str] = field(default_factory=dict)

    def changes(self, since: str | None) -> Iterator[Change]:
        """Articles, then tickets from the cursor on."""
        with closing(self.fetch):
            if "tickets" in self.content:
                yield from self._tickets(since)
            if "articles" in self.content:
                yield from self._articles()
            if "tickets" in self.content and since is None:
                yield Whole("tickets/")

    # ---- articles ----

    def _articles(self) -> Iterator[Change]:
        for locale in self.locales or self._all_locales():
            for found in self._pages(f"help_center/{locale}/articles?"):
                for row in rows(found, "articles", "Zendesk"):
                    yield self._article(row, locale)
        yield Whole("articles/")

    def _article(self, row: Row, locale: str) -> Change:
        origin = f"articles/{_id(row)}/{locale}"
        if row.get("draft"):
            return Gone(origin)
        audience = self._audience(row)
        made = fingerprint(audience, self.audience, *(row.get(key) for key in _ARTICLE_KEYS))
        return Raw(origin, made, partial(self._read_article, row, locale, audience))

    def _read_article(self, row: Row, locale: str, audience: str) -> Source | Rest:
        document = Document(
            id=self._document_id(_id(row), locale), kind="article", title=words(row, "title") or words(row, "name"),
            url=words(row, "html_url") or None, audience=audience, language=language(locale), created_at=moment(row.get("created_at")),
            updated_at=moment(row.get("edited_at") or row.get("updated_at")), topics=tuple(map(str, several_of(row, "label_names"))),
        )  # fmt: skip
        return offered(document, words(row, "body"), self.audience)

    def _document_id(self, article: int, locale: str) -> str:
        return f"{self.name}/articles/{article}/{locale}"

    def _all_locales(self) -> tuple[str, ...]:
        return tuple(map(str, several_of(self.fetch.json(f"{self.base}/api/v2/help_center/locales"), "locales")))

    def _audience(self, row: Row) -> str:
        """Everybody's where it has no segment, be it one or a list of them. A segment that is not known is staff's."""
        segments = [
            one for one in (row.get("user_segment_id"), *several_of(row, "user_segment_ids")) if one is not None
        ]
        if not segments:
            return PUBLIC
        if theirs := [self.teams[str(one)] for one in segments if str(one) in self.teams]:
            return theirs[0]
        if not self.segments:
            for found in self._pages("help_center/user_segments?"):
                self.segments.update(
                    (_id(segment), words(segment, "user_type")) for segment in rows(found, "user_segments", "Zendesk")
                )
        signed_in = any(self.segments.get(one) == "signed_in_users" for one in segments if isinstance(one, int))
        return PUBLIC if signed_in and self.signed_in_is_public else INTERNAL

    # ---- tickets ----

    def _tickets(self, since: str | None) -> Iterator[Change]:
        export = f"{self.base}/api/v2/incremental/tickets/cursor"
        found = self.fetch.json(export, cursor=since) if since else self.fetch.json(export, start_time=self.beginning)
        while True:
            listed = rows(found, "tickets", "Zendesk")
            if isinstance(found.get("count"), int):
                yield Expected(found["count"])
            yield from (self._ticket(row) for row in listed)
            cursor = words(found, "after_cursor")
            if cursor:
                yield Mark(cursor)
            if found.get("end_of_stream") or not cursor:
                return
            if cursor == since:
                raise SourceFailed("Zendesk's export gives the same page for ever: sync again later.")
            since = cursor
            found = self.fetch.json(export, cursor=cursor)

    def _ticket(self, row: Row) -> Change:
        origin = f"tickets/{_id(row)}"
        if words(row, "status") not in SOLVED or MERGED in several_of(row, "tags"):
            return Gone(origin)
        made = fingerprint(self.audience, self._ticket_audience(row), *(row.get(key) for key in _TICKET_KEYS))
        return Raw(origin, made, partial(self._read_ticket, row))

    def _read_ticket(self, row: Row) -> Source:
        comments, people = self._comments(_id(row))
        asker = row.get("requester_id")
        turns = [_turn(comment, people, asker) for comment in comments]
        opening = next((at for at, turn in enumerate(turns) if turn.public), None)
        known = people.get(asker, {}) if isinstance(asker, int) else {}
        told = {
            "ticket_id": f"{self.name}/tickets/{_id(row)}", "created": row.get("created_at"), "status": row.get("status"),
            "subject": row.get("subject") or row.get("raw_subject"), "url": f"{self.base}/agent/tickets/{_id(row)}",
            "customer": {"id": str(asker or ""), "name": words(known, "name"), "email": words(known, "email")},
            "tags": row.get("tags") or [], "updated": row.get("updated_at"), "cited_docs": self._cited(comments, turns),
            "audience": self._ticket_audience(row), **thread(turns, opening),
        }  # fmt: skip
        if opening is None:
            told["message"] = words(row, "description")
        return tickets.distil(told, {}, self.audience, self.redactor)

    def _ticket_audience(self, row: Row) -> str:
        return self.teams.get(words(row, "group_id"), PUBLIC if row.get("is_public", True) else INTERNAL)

    def _comments(self, ticket: int) -> tuple[list[Row], dict[int, Row]]:
        comments: dict[int, Row] = {}
        people: dict[int, Row] = {}
        for found in self._pages(f"tickets/{ticket}/comments?include=users&"):
            comments.update((_id(row), row) for row in rows(found, "comments", "Zendesk"))
            people.update((_id(row), row) for row in several_of(found, "users") if isinstance(row, dict))
        return sorted(comments.values(), key=lambda row: (words(row, "created_at"), _id(row))), people

    def _cited(self, comments: list[Row], turns: list[Said]) -> list[str]:
        """The articles that agents sent, under the ids that they have here: so solved tickets vote. A link's address is in the HTML alone."""
        replies = [
            f"{turn.text} {words(comment, 'html_body')}"
            for comment, turn in zip(comments, turns, strict=True)
            if turn.public and turn.role == "agent"
        ]
        sent = [found for text in replies for found in _ARTICLE.findall(text)]
        return [self._document_id(int(article), locale.lower()) for locale, article in dict.fromkeys(sent)]

    def _pages(self, path: str) -> Iterator[Row]:
        """Page after page. Raises Refused where they go round in a circle."""
        url: str | None = f"{self.base}/api/v2/{path}page%5Bsize%5D=100"
        seen: set[str] = set()
        while url:
            if url in seen:
                raise Refused("Zendesk's pages go round in a circle: sync again later.")
            seen.add(url)
            found = self.fetch.json(url)
            yield found
            meta, links = inner(found, "meta"), inner(found, "links")
            following = links.get("next") if meta.get("has_more") else found.get("next_page")
            url = following if isinstance(following, str) else None
            if meta.get("has_more") and not url:
                raise Refused("Zendesk says that there is more, and not where: sync again later.")


_TICKET_KEYS = ("id", "status", "subject", "updated_at", "generated_timestamp", "tags")
_ARTICLE_KEYS = ("id", "title", "body", "html_url", "label_names", "created_at", "edited_at", "updated_at")


def _turn(comment: Mapping[str, Any], people: Mapping[int, Row], asker: object) -> Said:
    """A comment as a turn; whoever is not known to be of the staff is a customer. Not public unless it says so."""
    author = comment.get("author_id")
    person = people.get(author, {}) if isinstance(author, int) else {}
    is_staff = person.get("role") in ("agent", "admin") and author != asker
    return Said(
        role="agent" if is_staff else "customer", author=words(person, "name"), at=moment(comment.get("created_at")),
        text=words(comment, "plain_body") or words(comment, "body"), public=comment.get("public") is True,
    )  # fmt: skip


def _id(row: Mapping[str, Any]) -> int:
    id = row.get("id")
    if not isinstance(id, int):
        raise Refused(f"Zendesk sent something without an id ({json.dumps(row, default=str)[:60]}…).")
    return id


def connect(upstream: Upstream, settings: Settings, secret: str | None) -> Connector:
    """The connector over `https://NAME.zendesk.com`. Options: `content`, `locales`, `signed_in=public`, `since`, `teams` (segments and groups)."""
    options = upstream.options
    since = moment(options.get("since"))
    base = upstream.address.rstrip("/")
    fetch = Fetcher(
        secret=secret, home=base, private_host=options.get("private_host"), max_bytes=settings.max_file_bytes
    )
    return Zendesk(
        fetch, upstream.id, base, upstream.audience, choice(options, "content", CONTENT), several(options, "locales"),
        options.get("signed_in") == "public", str(int(since.timestamp())) if since else BEGINNING, redactor_of(settings), teams(options),
    )  # fmt: skip
