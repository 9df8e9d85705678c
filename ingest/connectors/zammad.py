"""Zammad: the answers of the knowledge base, and closed tickets without their internal articles.

Needs an access token with `ticket.agent` and `knowledge_base.reader` (or `editor`) as `credentials`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from copilot.build import redactor_of
from copilot.domain import INTERNAL, PUBLIC, Author, Document, Source
from copilot.errors import Refused, UnreadableFile
from copilot.ports import Broken, Change, Connector, Expected, Gone, Raw, Rest, Whole
from copilot.redact import Redactor
from copilot.settings import Settings
from copilot.store.sources import Upstream
from copilot.store.values import now
from ingest import tickets
from ingest.fetch import Fetcher
from ingest.listing import Listing, Page, several_of
from ingest.page import choice, fingerprint, language, moment, offered, teams, words
from ingest.quarantine import heavy
from ingest.threads import Said, letter, thread

OPTIONS = frozenset({"content", "states", "teams"})
CONTENT = ("answers", "tickets")
CLOSED = ("closed", "resolved", "solved")
PER_PAGE = 100
_ROLES: Mapping[str, Author] = {"customer": "customer", "agent": "agent"}
_TICKET_KEYS = ("id", "state", "title", "updated_at", "group", "article_count")
_ANSWER = re.compile(
    r"/(?:help/[\w-]{2,10}/\d{1,9}[^/\s]{0,200}/|knowledge_base/\d{1,9}/locale/[\w-]{2,10}/answer/)(\d{1,12})"
)
Row = Mapping[str, Any]
Assets = Mapping[str, Row]


@dataclass(frozen=True, slots=True)
class Standing:
    """Who may read an answer, and from when until when."""

    audience: str
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Zammad:
    """One Zammad, as its API shows it."""

    fetch: Fetcher
    name: str
    base: str
    audience: str | None
    content: tuple[str, ...]
    closed: tuple[str, ...]
    redactor: Redactor
    teams: Mapping[str, str] = field(default_factory=dict)

    def changes(self, since: str | None) -> Iterator[Change]:
        """Everything each time: its listings have no memory, fingerprints do."""
        with closing(self.fetch):
            if "answers" in self.content:
                yield from self._answers()
            if "tickets" in self.content:
                yield from self._tickets()

    # ---- the knowledge base ----

    def _answers(self) -> Iterator[Change]:
        """Each answer in each language; which there are stands in one listing, the words are asked for one by one."""
        found = self.fetch.ask(f"{self.base}/api/v1/knowledge_bases/init")
        answers, translations = _assets(found, "KnowledgeBaseAnswer"), _assets(found, "KnowledgeBaseAnswerTranslation")
        locales = self._locales(_assets(found, "KnowledgeBaseLocale"))
        at = now()
        yield Expected(len(translations))
        for id, row in sorted(translations.items()):
            answer = answers.get(str(row.get("answer_id")), {})
            category = _assets(found, "KnowledgeBaseCategory").get(str(answer.get("category_id")), {})
            yield self._answer(id, row, answer, category, locales.get(str(row.get("kb_locale_id"))), at)
        yield Whole("answers/")

    def _answer(self, id: str, row: Row, answer: Row, category: Row, locale: str | None, at: datetime) -> Change:
        origin = f"answers/{row.get('answer_id')}/{locale or id}"
        try:
            standing = _standing(answer, at)
        except UnreadableFile as error:
            return Broken(origin, str(error))
        if standing is None:
            return Gone(origin)
        keys = [row.get(key) for key in ("id", "title", "content_id", "updated_at")]
        base = category.get("knowledge_base_id") or 1
        made = fingerprint(self.audience, standing.audience, standing.valid_from, standing.valid_until, locale, base,
                           answer.get("updated_at"), answer.get("tags"), *keys)  # fmt: skip
        return Raw(
            origin, made, partial(self._read_answer, row, answer, str(base), locale, standing, f"{self.name}/{origin}")
        )

    def _read_answer(
        self, row: Row, answer: Row, base: str, locale: str | None, standing: Standing, id: str
    ) -> Source | Rest:
        number, content = words(row, "answer_id"), words(row, "content_id")
        address = f"{self.base}/api/v1/knowledge_bases/{base}/answers/{number}"
        found = self.fetch.json(address, include_contents=content, full="true")
        assets = found.get("assets") if isinstance(found.get("assets"), dict) else found
        body = _assets(assets or {}, "KnowledgeBaseAnswerTranslationContent").get(content, {})
        document = Document(
            id=id, kind="article", title=words(row, "title"), audience=standing.audience, language=language(locale),
            url=self._address(base, number, words(row, "title"), words(answer, "category_id"), locale, standing),
            created_at=moment(row.get("created_at")), updated_at=moment(row.get("updated_at")),
            valid_from=standing.valid_from, valid_until=standing.valid_until, topics=tuple(map(str, several_of(answer, "tags"))),
        )  # fmt: skip
        return offered(document, words(body, "body"), self.audience)

    def _address(
        self, base: str, number: str, title: str, category: str, locale: str | None, standing: Standing
    ) -> str:
        """Where a customer reads it; of an internal answer, where staff do."""
        if standing.audience != PUBLIC:
            return f"{self.base}/#knowledge_base/{base}/locale/{locale or 'en-us'}/answer/{number}"
        slug = "-".join(re.findall(r"[a-z0-9]+", title.lower()))[:80]
        return f"{self.base}/help/{locale or 'en-us'}/{category}/{number}-{slug}".rstrip("-")

    def _locales(self, used: Assets) -> dict[str, str]:
        """The code of each of the knowledge base's languages."""
        known = {str(row.get("id")): words(row, "locale") for row in self.fetch.rows(f"{self.base}/api/v1/locales")}
        return {
            id: known[str(row.get("system_locale_id"))]
            for id, row in used.items()
            if str(row.get("system_locale_id")) in known
        }

    # ---- tickets ----

    def _tickets(self) -> Iterator[Change]:
        listing = Listing("the tickets", self._ticket_page)
        yield from (self._ticket(row) for row in listing.rows())
        if listing.whole:
            yield Whole("tickets/")

    def _ticket_page(self, number: int) -> Page:
        """By id: what is new comes behind what was read."""
        address = f"{self.base}/api/v1/tickets"
        return Page(
            self.fetch.rows(address, expand="true", page=number, per_page=PER_PAGE, sort_by="id", order_by="asc")
        )

    def _ticket(self, row: Row) -> Change:
        origin = f"tickets/{row['id']}"
        if words(row, "state").lower() not in self.closed:
            return Gone(origin)
        audience = self.teams.get(words(row, "group"), PUBLIC)
        made = fingerprint(self.audience, audience, *(row.get(key) for key in _TICKET_KEYS))
        return Raw(origin, made, partial(self._read_ticket, row, audience))

    def _read_ticket(self, row: Row, audience: str) -> Source | Rest:
        listed = self.fetch.rows(f"{self.base}/api/v1/ticket_articles/by_ticket/{row['id']}", expand="true")
        told = {
            "ticket_id": f"{self.name}/tickets/{row['id']}", "created": row.get("created_at"), "status": "closed",
            "subject": words(row, "title"), "url": f"{self.base}/#ticket/zoom/{row['id']}", "tags": row.get("tags") or [],
            "customer": {"id": words(row, "customer_id"), "email": words(row, "customer")},
            "updated": row.get("updated_at"), "audience": audience,
        }  # fmt: skip
        rest = partial(_distilled, told, listed, self.name, self.audience, self.redactor)
        return rest if any(heavy(words(one, "body")) for one in listed) else rest()


def _standing(answer: Row, at: datetime) -> Standing | None:
    """Zammad's rule: archived before published before internal before draft, each from its time on. None for what nobody may read."""
    archived, published, internal = (moment(answer.get(f"{name}_at")) for name in ("archived", "published", "internal"))
    if archived and archived <= at:
        return None
    if published and published <= at:
        return Standing(PUBLIC, valid_until=archived)
    if internal and internal <= at:
        return Standing(INTERNAL, valid_until=archived)
    return Standing(PUBLIC, valid_from=published, valid_until=archived) if published else None


def _distilled(told: Row, listed: list[dict[str, Any]], name: str, audience: str | None, redactor: Redactor) -> Source:
    """A ticket with its articles, as a document."""
    once = {str(one.get("id")): one for one in listed}.values()
    in_order = sorted(once, key=lambda one: (words(one, "created_at"), str(one.get("id")).zfill(12)))
    turns = [_turn(one) for one in in_order]
    customer = {**told["customer"], "name": _asker(turns)}
    row = {**told, "customer": customer, "cited_docs": _cited(turns, name), **thread(turns)}
    return tickets.distil(row, {}, audience, redactor)


def _cited(turns: list[Said], name: str) -> list[str] | None:
    """The answers that agents sent, in the language that the link names; None leaves it to the links' own words."""
    sent = [turn.text for turn in turns if turn.public and turn.role == "agent"]
    found = [
        (m[1], re.search(r"(?:help|locale)/([\w-]{2,10})/", m[0])) for text in sent for m in _ANSWER.finditer(text)
    ]
    ids = [f"{name}/answers/{number}/{locale[1]}" for number, locale in found if locale]
    return list(dict.fromkeys(ids)) or None


def _turn(row: Row) -> Said:
    """An article of a ticket as a turn; it is private unless it says that it is not internal."""
    body = words(row, "body")
    text = letter(body) if "html" in words(row, "content_type") else body
    role = _ROLES.get(words(row, "sender").lower(), "system")
    public = row.get("internal") is False and role != "system"
    author = re.sub(r"\s*<[^>]*>\s*", "", words(row, "from")).strip('" ')
    return Said(role=role, text=text, public=public, author=author, at=moment(row.get("created_at")))


def _asker(turns: list[Said]) -> str:
    return next((turn.author for turn in turns if turn.role == "customer" and "@" not in turn.author), "")


def _assets(found: Mapping[str, Any], name: str) -> Assets:
    """The objects of one kind by id, as Zammad sends them. Raises Refused."""
    kept = found.get(name) or {}
    if not isinstance(kept, dict) or not all(isinstance(one, dict) for one in kept.values()):
        raise Refused(f"Zammad answered without a table of {name}: is the address right?")
    return kept


def connect(upstream: Upstream, settings: Settings, secret: str | None) -> Connector:
    """The connector over one's own Zammad. Options: `content`, `states` (names of closed states), `teams` (GROUP=TEAM)."""
    options, base = upstream.options, upstream.address.rstrip("/")
    fetch = Fetcher(
        secret=secret,
        home=base,
        scheme="Token token=",
        private_host=options.get("private_host"),
        max_bytes=settings.max_file_bytes,
    )
    states = tuple(name.strip().lower() for name in options.get("states", ",".join(CLOSED)).split(",") if name.strip())
    return Zammad(
        fetch,
        upstream.id,
        base,
        upstream.audience,
        choice(options, "content", CONTENT),
        states,
        redactor_of(settings),
        teams(options),
    )
