"""Intercom: the articles of the help centre, each language of its own. Needs an access token as `credentials`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

from copilot.domain import Document, Source
from copilot.ports import Change, Connector, Expected, Raw, Rest, Whole
from copilot.settings import Settings
from copilot.store.sources import Upstream
from ingest.fetch import Fetcher
from ingest.listing import Listing, Page, count, inner, rows
from ingest.page import fingerprint, language, moment, offered, words

OPTIONS: frozenset[str] = frozenset()
PER_PAGE = 50
_KEYS = ("title", "description", "body", "url", "created_at", "updated_at")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Intercom:
    """One Intercom workspace, as its API shows it."""

    fetch: Fetcher
    name: str
    base: str
    audience: str | None

    def changes(self, since: str | None) -> Iterator[Change]:
        """Every published article: the listing has no memory, fingerprints do."""
        listing, told = Listing("Intercom's articles", self._page), False
        with closing(self.fetch):
            for row in listing.rows():
                if listing.total and not told:
                    yield Expected(listing.total)
                    told = True
                yield from self._article(row)
        if listing.whole:
            yield Whole()

    def _page(self, number: int) -> Page:
        found = self.fetch.json(f"{self.base}/articles", page=number, per_page=PER_PAGE)
        pages = count(inner(found, "pages").get("total_pages"))
        return Page(rows(found, "data", "Intercom"), count(found.get("total_count")), more=(pages or 0) > number)

    def _article(self, row: Row) -> Iterator[Change]:
        translations = inner(row, "translated_content")
        versions = {locale: one for locale, one in translations.items() if isinstance(one, dict)}
        for locale, version in {str(row.get("default_locale") or "en"): row, **versions}.items():
            if version.get("state") == "published":
                made = fingerprint(self.audience, locale, *(version.get(key) for key in _KEYS))
                yield Raw(f"articles/{row['id']}/{locale}", made, partial(self._read, str(row["id"]), version, locale))

    def _read(self, id: str, row: Row, locale: str) -> Source | Rest:
        document = Document(
            id=f"{self.name}/articles/{id}/{locale}", kind="article", title=words(row, "title"), url=words(row, "url") or None,
            language=language(locale), created_at=moment(row.get("created_at")), updated_at=moment(row.get("updated_at")),
        )  # fmt: skip
        return offered(document, words(row, "body"), self.audience)


def connect(upstream: Upstream, settings: Settings, secret: str | None) -> Connector:
    """The connector over `https://api.intercom.io`, or its European or Australian address."""
    base = upstream.address.rstrip("/")
    fetch = Fetcher(
        secret=secret, home=base, private_host=upstream.options.get("private_host"), max_bytes=settings.max_file_bytes
    )
    return Intercom(fetch, upstream.id, base, upstream.audience)
