"""A web site: the pages of its sitemap, or those that its links lead to within a prefix; robots.txt and caches are respected."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

from protego import Protego

from copilot.domain import Source
from copilot.errors import CopilotError, InputError, SourceFailed, UnreadableFile
from copilot.ports import Broken, Change, Connector, Expected, Gone, Kept, Mark, Raw, Whole
from copilot.settings import Settings
from copilot.store.sources import Upstream
from ingest.article import MAX_ID, article, narrower
from ingest.fetch import Answer, Fetcher, unpacked
from ingest.page import fingerprint
from ingest.quarantine import Parser, heavy
from ingest.webpage import Facts, canonical, facts

T = TypeVar("T")
OPTIONS = frozenset({"prefix", "sitemap", "max_pages", "delay"})
ROBOT = "SupportCopilot"
MAX_PAGES = 5000
MAX_SITEMAPS = 50
MARK_EVERY = 100
MAX_FAILURES = 10
MOST_ABSENT = 200
MAX_TAGS = 100_000
"""Of one page: its tree takes about a kilobyte a tag."""
MOST_DELAY = 60.0
_NO_PAGE = (
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".svg",
    ".webp",
    ".ico",
    ".css",
    ".js",
    ".zip",
    ".gz",
    ".mp4",
    ".mp3",
    ".woff",
    ".woff2",
    ".pdf",
)


@dataclass(slots=True)
class Page:
    """What is known of an address: what its server calls this version of it, and under which origin its document stands.

    Its `chief` is the other address that it named as its own.
    """

    etag: str = ""
    modified: str = ""
    origin: str | None = None
    chief: str | None = None


@dataclass(slots=True)
class State:
    """How far a walk is: pages seen in this or an earlier sync, and addresses to look at."""

    pages: dict[str, Page] = field(default_factory=dict)
    todo: deque[str] = field(default_factory=deque)
    seen: set[str] = field(default_factory=set)
    again: list[str] = field(default_factory=list)
    absent: dict[str, None] = field(default_factory=dict)
    """Addresses without a page. One may come: the page that links to it does not change then, and is not sent again."""
    waiting: dict[str, list[str]] = field(default_factory=dict)
    """Pages that are left out if the address, which they name as their own, turns out to have the document."""
    alone: set[str] = field(default_factory=set)
    """Pages that are taken where they stand: what they name as their own address has no document."""

    def cursor(self) -> str:
        """As text; what failed, or was not there, is tried again next time."""
        wanted = {*self.seen, *self.todo}
        pages = {
            url: [page.etag, page.modified, page.origin, page.chief]
            for url, page in self.pages.items()
            if url in wanted
        }
        absent = list(self.absent)[-MOST_ABSENT:]
        return json.dumps({"pages": pages, "todo": [*self.again, *self.todo, *absent]})

    def leave(self, url: str) -> None:
        """Note that there is no page at the address."""
        self.pages.pop(url, None)
        self.absent[url] = None

    @classmethod
    def after(cls, cursor: str | None) -> State:
        """The state that a cursor stands for."""
        kept = json.loads(cursor) if cursor else {"pages": {}, "todo": []}
        return cls({url: Page(*page) for url, page in kept["pages"].items()}, deque([*kept["pages"], *kept["todo"]]))


@dataclass(slots=True)
class Web:
    """A walk over one site."""

    fetch: Fetcher
    name: str
    start: str
    prefix: str
    sitemap: str | None
    audience: str | None
    max_pages: int
    delay: float
    parser: Parser
    robots: Protego = field(default_factory=Protego)

    def changes(self, since: str | None) -> Iterator[Change]:
        """Every page that changed; a walk that ends by itself has seen the whole site."""
        with closing(self.fetch), self.parser:
            self._read_robots()
            state = State.after(since)
            if self.sitemap:
                state.todo = deque(self._listed(self.sitemap))
                yield Expected(len(state.todo))
            else:
                state.todo.appendleft(self.start)
            yield from self._walk(state)
            yield Mark(state.cursor())
            yield self._end(state)

    def _end(self, state: State) -> Whole | Broken:
        if all(url in state.seen or not self._wanted(url) for url in state.todo):
            return Whole()
        return Broken(self.start, f"it has more than {self.max_pages} pages: narrow the prefix, or raise max_pages")

    def _walk(self, state: State) -> Iterator[Change]:
        failures = 0
        while state.todo and len(state.seen) < self.max_pages:
            url = state.todo.popleft()
            if url in state.seen or not self._wanted(url):
                continue
            state.seen.add(url)
            try:
                yield from self._visit(url, state)
                for other in state.waiting.pop(url, []):
                    self._defer(other, url, state)
                failures = 0
            except CopilotError as error:
                failures += 1
                state.again.append(url)
                if url == self.start or failures >= MAX_FAILURES:
                    raise SourceFailed(f"{failures} pages in a row failed. The last said: {error}") from error
                yield Broken(page.origin if (page := state.pages.get(url)) and page.origin else url, str(error))
            if len(state.seen) % MARK_EVERY == 0 and not self.sitemap:
                yield Mark(state.cursor())

    def _visit(self, url: str, state: State) -> Iterator[Change]:
        known = state.pages.get(url, Page())
        if len(state.seen) > 1:
            self.fetch.sleep(self.delay)
        asked = {"If-None-Match": known.etag, "If-Modified-Since": known.modified} if url not in state.alone else {}
        answer = self.fetch.get(url, {name: value for name, value in asked.items() if value}, (200, 304, 404, 410))
        if answer.status == 304:
            yield from [Kept(known.origin)] if known.origin else []
            if known.chief and not known.origin:
                self._defer(url, known.chief, state)
        elif answer.status in (404, 410):
            state.leave(url)
            yield from [Gone(known.origin)] if known.origin else []
        else:
            yield from self._read(url, answer, state)

    def _read(self, url: str, answer: Answer, state: State) -> Iterator[Change]:
        final = canonical(answer.url)
        if final is None or not self._wanted(final):
            if url == self.start:
                raise SourceFailed(
                    f"{url} leads to {answer.url}, which is outside of the prefix {self.prefix}: correct the source."
                )
            state.leave(url)
            return
        if "html" not in answer.headers.get("content-type", "text/html"):
            state.leave(url)
            return
        if answer.body.count(b"<") > MAX_TAGS:
            raise UnreadableFile(f"it has more than {MAX_TAGS:,} tags: that is a table for machines, and no page")
        said: Facts = self._parsed(partial(facts, answer.body, final), answer.body)
        state.todo.extend([] if self.sitemap else self._links(said))
        chief = said.canonical if said.canonical and self._inside(said.canonical) else final
        page = Page(answer.headers.get("etag", ""), answer.headers.get("last-modified", ""))
        page.chief = chief if chief not in (final, url) else None
        state.pages[url] = page
        if page.chief and url not in state.alone:
            self._defer(url, page.chief, state)
        elif not (said.unlisted or "noindex" in answer.headers.get("x-robots-tag", "").lower()):
            page.origin = final
            yield self._raw(final, answer.body, said.language)

    def _defer(self, url: str, chief: str, state: State) -> None:
        """Leave a page to the address that it names as its own. Where that has no page, or names this one as its own, it is taken as it stands."""
        there = state.pages.get(chief)
        if url in state.alone or chief in state.again:  # what failed may be there the next time
            return
        if there is not None and there.chief == url:
            self._alone(url, state)
            self._alone(chief, state)
        elif not self._wanted(chief) or (chief in state.seen and there is None):
            self._alone(url, state)
        elif chief not in state.seen:
            state.waiting.setdefault(chief, []).append(url)
            state.todo.appendleft(chief)

    def _alone(self, url: str, state: State) -> None:
        """Have the page read once more, and taken as it stands."""
        if url not in state.alone and (page := state.pages.get(url)) and page.origin is None:
            state.alone.add(url)
            state.seen.discard(url)
            state.todo.appendleft(url)

    def _parsed(self, make: Callable[[], T], body: bytes) -> T:
        """What is read of a page, in a process of its own where the page could take a parser down."""
        return self.parser.parse(make) if heavy(body) else make()

    def _raw(self, origin: str, body: bytes, spoken: str | None) -> Raw:
        """Judged by its words: a token or a clock in the markup is no change."""
        try:
            read = self._parsed(partial(article, body, "page.html", "article", self.audience), body)
        except CopilotError as error:
            return Raw(origin, fingerprint(str(error)), partial(_refuse, error))
        audience = narrower(None, self.audience)
        document = replace(read.document, id=self._id(origin), url=origin, audience=audience, language=spoken)
        source = replace(read, document=document)
        return Raw(origin, fingerprint(read.text, document.title, audience, spoken), lambda: source)

    def _id(self, origin: str) -> str:
        parts = urlsplit(origin)
        id = self.name + parts.path + (f"?{parts.query}" if parts.query else "")
        return id if len(id) <= MAX_ID else f"{id[: MAX_ID - 17]}-{hashlib.sha256(id.encode()).hexdigest()[:16]}"

    def _links(self, said: Facts) -> list[str]:
        return [url for url in said.links if self._inside(url) and not _is_file(url)]

    def _inside(self, url: str) -> bool:
        return url == self.start or url.startswith(self.prefix)

    def _wanted(self, url: str) -> bool:
        return self._inside(url) and self.robots.can_fetch(url, ROBOT)

    # ---- robots.txt and sitemaps ----

    def _read_robots(self) -> None:
        """None is no objection; a server in trouble is. Raises SourceFailed."""
        answer = self.fetch.get(urljoin(self.start, "/robots.txt"), fine=(200, 401, 403, 404, 410))
        plain = "html" not in answer.headers.get("content-type", "")  # a page that says "not found" with status 200
        said = answer.body[:500_000].decode("utf-8-sig", "replace") if answer.status == 200 and plain else ""
        self.robots = Protego.parse(said)
        rate = self.robots.request_rate(ROBOT)
        asked = max(self.robots.crawl_delay(ROBOT) or 0.0, rate.seconds / max(rate.requests, 1) if rate else 0.0)
        self.delay = max(self.delay, min(asked, MOST_DELAY))

    def _listed(self, sitemap: str) -> list[str]:
        """The pages of a sitemap and of those that it lists. Raises SourceFailed where one cannot be read: half a list would retire the rest."""
        pages: dict[str, None] = {}
        todo, seen = deque([sitemap]), {sitemap}
        while todo:
            nested, urls = self._sitemap(todo.popleft())
            pages.update(dict.fromkeys(url for one in urls if (url := canonical(one)) and self._inside(url)))
            fresh = [one for one in nested if one not in seen]
            todo.extend(fresh)
            seen.update(fresh)
            if len(seen) > MAX_SITEMAPS:
                raise SourceFailed(f"{sitemap} lists more than {MAX_SITEMAPS} sitemaps: give the one that is meant.")
        if not pages:
            raise SourceFailed(
                f"{sitemap} lists no page that begins with {self.prefix}: correct the sitemap or the prefix."
            )
        return list(pages)

    def _sitemap(self, url: str) -> tuple[list[str], list[str]]:
        from lxml import etree

        body = self.fetch.get(url).body
        try:
            if body[:2] == b"\x1f\x8b":
                body = b"".join(unpacked(iter([body]), self.fetch.max_bytes))
            root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
        except (etree.XMLSyntaxError, zlib.error, ValueError) as error:
            raise SourceFailed(f"{url} is no sitemap ({str(error)[:100]}): correct the source.") from None
        places = [
            (etree.QName(tag.getparent()).localname, (tag.text or "").strip()) for tag in root.iter("{*}loc", "loc")
        ]
        return [at for kind, at in places if kind == "sitemap"], [at for kind, at in places if kind == "url"]


def _is_file(url: str) -> bool:
    return urlsplit(url).path.lower().endswith(_NO_PAGE)


def _refuse(error: CopilotError) -> Source:
    raise error


def _number(options: Mapping[str, str], name: str, otherwise: float, most: float) -> float:
    try:
        value = float(options.get(name, otherwise))
    except ValueError:
        value = -1
    if not 0 <= value <= most:
        raise InputError(f"{name} is {options[name]!r}: write a number from 0 to {most:g}.")
    return value


def connect(upstream: Upstream, settings: Settings, secret: str | None) -> Connector:
    """The connector over a site. Options: `sitemap` (else it follows links), `prefix`, `max_pages`, `delay` (seconds between two pages)."""
    options = upstream.options
    start = canonical(upstream.address)
    prefix = canonical(options.get("prefix") or urljoin(upstream.address, "."))
    if start is None or prefix is None:
        raise InputError("The address or prefix is no web address. Write it as https://help.example.com/.")
    fetch = Fetcher(
        secret=secret, home=start, private_host=options.get("private_host"), max_bytes=settings.max_file_bytes
    )
    return Web(
        fetch, upstream.id, start, prefix, options.get("sitemap"), upstream.audience,
        int(_number(options, "max_pages", MAX_PAGES, 100_000)), _number(options, "delay", 0.5, 60), Parser(settings),
    )  # fmt: skip
