"""Intercom: the articles of the help centre, each language of its own. Needs an access token as `credentials`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

from copilot.domain import Document, Source
from copilot.errors import SourceFailed
from copilot.ports import Change, Connector, Expected, Raw, Whole
from copilot.settings import Settings
from copilot.store.sources import Upstream
from ingest.fetch import Fetcher
from ingest.page import fingerprint, language, moment, page, words

OPTIONS: frozenset[str] = frozenset()
PER_PAGE = 50
MOST_PAGES = 2000
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
        with closing(self.fetch):
            yield from self._articles()
        yield Whole()

    def _articles(self) -> Iterator[Change]:
        number, pages = 1, 1
        while number <= min(pages, MOST_PAGES):
            found = self.fetch.json(f"{self.base}/articles", page=number, per_page=PER_PAGE)
            rows = found.get("data")
            if not isinstance(rows, list) or not all(isinstance(row, dict) and row.get("id") for row in rows):
                raise SourceFailed("Intercom's answer has no list of articles: is the address right?")
            total = found.get("total_count")
            if isinstance(total, int):
                yield Expected(total)
            for row in rows:
                yield from self._article(row)
            pages = self._pages(found, number, bool(rows))
            number += 1

    def _pages(self, found: Row, number: int, any: bool) -> int:
        """How many pages there are now. An empty page before the last is half a listing, which would retire the rest."""
        pages = (found.get("pages") or {}).get("total_pages")
        if not isinstance(pages, int) or (pages > number and not any) or pages > MOST_PAGES:
            raise SourceFailed("Intercom's pages do not add up: sync again later.")
        return pages

    def _article(self, row: Row) -> Iterator[Change]:
        translations = row.get("translated_content") or {}
        versions = {locale: one for locale, one in translations.items() if isinstance(one, dict)}
        for locale, version in {str(row.get("default_locale") or "en"): row, **versions}.items():
            if version.get("state") == "published":
                made = fingerprint(self.audience, locale, *(version.get(key) for key in _KEYS))
                yield Raw(f"articles/{row['id']}/{locale}", made, partial(self._read, str(row["id"]), version, locale))

    def _read(self, id: str, row: Row, locale: str) -> Source:
        document = Document(
            id=f"{self.name}/articles/{id}/{locale}", kind="article", title=words(row, "title"), url=words(row, "url") or None,
            language=language(locale), created_at=moment(row.get("created_at")), updated_at=moment(row.get("updated_at")),
        )  # fmt: skip
        return page(document, words(row, "body"), self.audience)


def connect(upstream: Upstream, settings: Settings, secret: str | None) -> Connector:
    """The connector over `https://api.intercom.io`, or its European or Australian address."""
    base = upstream.address.rstrip("/")
    fetch = Fetcher(
        secret=secret, home=base, private_host=upstream.options.get("private_host"), max_bytes=settings.max_file_bytes
    )
    return Intercom(fetch, upstream.id, base, upstream.audience)
