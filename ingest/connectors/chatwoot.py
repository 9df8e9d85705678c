"""Chatwoot: the articles of help-centre portals, and resolved conversations without their private notes.

Needs an agent's or administrator's access token as `credentials`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from copilot.build import redactor_of
from copilot.domain import PUBLIC, Author, Document, Source
from copilot.errors import InputError, SourceFailed
from copilot.ports import Change, Connector, Expected, Gone, Raw, Rest, Whole
from copilot.redact import Redactor
from copilot.settings import Settings
from copilot.store.sources import Upstream
from ingest import tickets
from ingest.fetch import Fetcher
from ingest.listing import Listing, Page, count, inner, rows, several_of
from ingest.page import choice, fingerprint, language, moment, offered, several, teams, words
from ingest.threads import Said, thread

OPTIONS = frozenset({"account", "content", "portals", "teams"})
CONTENT = ("articles", "conversations")
MOST_MESSAGES = 100  # pages of a conversation
_ARTICLE_KEYS = ("id", "slug", "title", "description", "content", "updated_at", "status")
_CONVERSATION_KEYS = ("id", "status", "labels", "last_activity_at", "updated_at")
_LINK = re.compile(r"/hc/[\w.-]{1,100}/articles/([\w.%-]{1,300})")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chatwoot:
    """One Chatwoot account, as its API shows it."""

    fetch: Fetcher
    name: str
    base: str
    account: int
    audience: str | None
    content: tuple[str, ...]
    portals: tuple[str, ...]
    redactor: Redactor
    teams: Mapping[str, str] = field(default_factory=dict)

    @property
    def api(self) -> str:
        """Where the account's API is."""
        return f"{self.base}/api/v1/accounts/{self.account}"

    def changes(self, since: str | None) -> Iterator[Change]:
        """Everything each time: its listings have no memory, fingerprints do."""
        with closing(self.fetch):
            if "articles" in self.content:
                yield from self._articles()
            if "conversations" in self.content:
                yield from self._conversations()

    # ---- articles ----

    def _articles(self) -> Iterator[Change]:
        whole = True
        for portal, locale in self._shelves():
            listing = Listing(f"the portal {portal}", partial(self._article_page, portal, locale))
            for row in listing.rows():
                yield from self._article(row, portal, locale)
            whole = whole and listing.whole
        if whole:
            yield Whole("articles/")

    def _shelves(self) -> Iterator[tuple[str, str]]:
        """Each portal with each of its languages."""
        found = rows(self.fetch.json(f"{self.api}/portals"), "payload", "Chatwoot")
        listed = {words(row, "slug"): row for row in found if not row.get("archived")}
        if unknown := [slug for slug in self.portals if slug not in listed]:
            raise SourceFailed(f"There is no portal {unknown[0]!r} in Chatwoot: correct the option portals.")
        for slug in self.portals or sorted(listed):
            settings = inner(listed[slug], "config")
            locales = [one.get("code") for one in several_of(settings, "allowed_locales") if isinstance(one, Mapping)]
            for locale in locales or [settings.get("default_locale") or "en"]:
                yield slug, str(locale)

    def _article_page(self, portal: str, locale: str, number: int) -> Page:
        found = self.fetch.json(f"{self.api}/portals/{portal}/articles", locale=locale, page=number)
        return Page(rows(found, "payload", "Chatwoot"), count(inner(found, "meta").get("articles_count")))

    def _article(self, row: Row, portal: str, locale: str) -> Iterator[Change]:
        slug = words(row, "slug") or str(row["id"])
        origin = f"articles/{slug}"
        if row.get("status") not in ("published", 1):
            yield Gone(origin)
            return
        url = f"{self.base}/hc/{portal}/articles/{slug}"
        made = fingerprint(self.audience, url, locale, *(row.get(key) for key in _ARTICLE_KEYS))
        yield Raw(origin, made, partial(self._read_article, row, f"{self.name}/{origin}", url, locale))

    def _read_article(self, row: Row, id: str, url: str, locale: str) -> Source | Rest:
        category = inner(row, "category")
        document = Document(
            id=id, kind="article", title=words(row, "title"), url=url, language=language(row.get("locale") or locale),
            updated_at=moment(row.get("updated_at")), topics=tuple(filter(None, [words(category, "name")])),
        )  # fmt: skip
        return offered(document, words(row, "content"), self.audience, ".md")

    # ---- conversations ----

    def _conversations(self) -> Iterator[Change]:
        listing, told = Listing("the conversations", self._conversation_page), False
        for row in listing.rows():
            if listing.total and not told:
                yield Expected(listing.total)
                told = True
            yield self._conversation(row)
        if listing.whole:
            yield Whole("conversations/")

    def _conversation_page(self, number: int) -> Page:
        """Oldest first: what is new comes behind what was read."""
        order: dict[str, str | int] = {"status": "all", "assignee_type": "all", "sort_by": "created_at_asc"}
        found = self.fetch.json(f"{self.api}/conversations", page=number, **order).get("data")
        if not isinstance(found, dict):
            raise SourceFailed("Chatwoot answered without conversations: is the address right?")
        return Page(rows(found, "payload", "Chatwoot"), count(inner(found, "meta").get("all_count")))

    def _conversation(self, row: Row) -> Change:
        origin = f"conversations/{row['id']}"
        if row.get("status") != "resolved":
            return Gone(origin)
        audience = self._audience(row)
        last = inner(row, "last_non_activity_message").get("content")  # a deleted message moves no last_activity_at
        made = fingerprint(self.audience, audience, last, *(row.get(key) for key in _CONVERSATION_KEYS))
        return Raw(origin, made, partial(self._read_conversation, row, audience))

    def _audience(self, row: Row) -> str:
        team = inner(inner(row, "meta"), "team")
        known = [self.teams[name] for name in (words(team, "id"), words(team, "name")) if name in self.teams]
        return known[0] if known else PUBLIC

    def _read_conversation(self, row: Row, audience: str) -> Source:
        asker = inner(inner(row, "meta"), "sender")
        turns = [_turn(message) for message in self._messages(int(row["id"]))]
        started = moment(row.get("created_at")) or next((turn.at for turn in turns if turn.at), None)
        told = {
            "ticket_id": f"{self.name}/conversations/{row['id']}", "created": started.isoformat() if started else None,
            "status": "resolved", "subject": words(inner(row, "additional_attributes"), "mail_subject"),
            "url": f"{self.base}/app/accounts/{self.account}/conversations/{row['id']}",
            "customer": {key: words(asker, key) for key in ("id", "name", "email")},
            "tags": row.get("labels") or [], "audience": audience, "cited_docs": self._cited(turns), **thread(turns),
        }  # fmt: skip
        return tickets.distil(told, {}, self.audience, self.redactor)

    def _messages(self, id: int) -> list[Row]:
        """All of them, oldest first: they come twenty at a time, the newest before."""
        found: dict[int, Row] = {}
        before: dict[str, str | int] = {}
        for _ in range(MOST_MESSAGES):
            listed = rows(self.fetch.json(f"{self.api}/conversations/{id}/messages", **before), "payload", "Chatwoot")
            fresh = {int(row["id"]): row for row in listed if isinstance(row.get("id"), int) and row["id"] not in found}
            if not fresh:
                break
            found.update(fresh)
            before = {"before": min(found)}
        return [found[id] for id in sorted(found)]

    def _cited(self, turns: list[Said]) -> list[str]:
        """The articles that agents sent, under the ids that they have here."""
        sent = [slug for turn in turns if turn.public and turn.role == "agent" for slug in _LINK.findall(turn.text)]
        return [f"{self.name}/articles/{slug.rstrip('.')}" for slug in dict.fromkeys(sent)]


def _turn(row: Row) -> Said:
    """A message as a turn. Notes, events and deleted messages are nobody's words to a customer; nor is what does not say that it is public."""
    sender = inner(row, "sender")
    role: Author = "system"
    if row.get("message_type") in (0, "incoming"):
        role = "customer"
    elif row.get("message_type") in (1, "outgoing"):
        role = "agent" if sender.get("type") == "user" else "bot"
    deleted = inner(row, "content_attributes").get("deleted")
    said = role != "system" and row.get("private") is False and not deleted
    text = "" if deleted else words(row, "content")
    return Said(role=role, text=text, public=said, author=words(sender, "name"), at=moment(row.get("created_at")))


def connect(upstream: Upstream, settings: Settings, secret: str | None) -> Connector:
    """The connector over `https://app.chatwoot.com` or one's own. Options: `account` (its number), `content`, `portals`, `teams`."""
    options, base = upstream.options, upstream.address.rstrip("/")
    account = options.get("account", "")
    if not (account.isascii() and account.isdigit()):
        raise InputError(
            "A source of chatwoot needs --option account=NUMBER, which stands in its addresses: /app/accounts/NUMBER."
        )
    fetch = Fetcher(
        secret=secret, home=base, header="api_access_token", scheme="", private_host=options.get("private_host"),
        max_bytes=settings.max_file_bytes,
    )  # fmt: skip
    return Chatwoot(
        fetch, upstream.id, base, int(account), upstream.audience, choice(options, "content", CONTENT),
        several(options, "portals"), redactor_of(settings), teams(options),
    )  # fmt: skip
