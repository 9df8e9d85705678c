"""A web site over HTTP: sitemap and crawl, robots.txt, caches, canonical addresses."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace

import pytest

from copilot.build import Parts
from copilot.errors import InputError, SourceFailed
from copilot.store.sources import Sources, Upstream
from ingest.summary import Summary
from ingest.sync import Syncer, Wish
from ingest.webpage import canonical
from tests.servers import Answer, Asked, Reply, Server, html, serving

W = "default"


def page(title: str, words: str, links: str = "", head: str = "") -> str:
    return (
        f"<html lang='en-GB'><head><title>{title}</title>{head}</head><body><nav>Home Products Imprint NAVIGATION</nav>"
        f"<main><h1>{title}</h1><p>{words} It takes about four minutes and needs no tools at all.</p>{links}</main>"
        "<footer>FOOTER 2025</footer></body></html>"
    )


def cached(text: str, etag: str) -> Answer:
    def answer(asked: Asked) -> Reply:
        if asked.headers.get("if-none-match") == etag:
            return Reply(status=304)
        return html(text, ETag=etag)

    return answer


@pytest.fixture
def site() -> Iterator[Server]:
    """Five pages under /help/, one of them reached by two addresses, one closed to robots, one outside."""
    with serving() as server:
        links = (
            "<a href='kettle?utm_source=x#top'>Kettle</a> <a href='/help/kettle'>again</a> <a href='lamp'>Lamp</a> "
            "<a href='/blog/news'>News</a> <a href='private/plan'>Plan</a> <a href='https://elsewhere.example/help/x'>Away</a> "
            "<a href='mailto:a@b.c'>Mail</a> <a href='pic.png'>Picture</a> <a href='http://[broken'>Broken</a>"
        )
        same = f"<link rel='canonical' href='{server.url}/help/lamp'>"
        server.answers |= {
            "/robots.txt": Reply(b"User-agent: *\nDisallow: /help/private/\n", headers={"Content-Type": "text/plain"}),
            "/help/": cached(page("Help", "Welcome to the help pages.", links), '"start"'),
            "/help/kettle": cached(page("Kettle", "Press the button.", "<a href='deep'>Deep</a>"), '"k1"'),
            "/help/lamp": cached(page("Lamp", "Turn the switch.", "<a href='lamp-print'>Print</a>"), '"l1"'),
            "/help/lamp-print": html(page("Lamp", "Turn the switch.", head=same)),
            "/help/deep": html(page("Deep", "The deepest page has a clock.", head="<meta name='t' content='1'>")),
            "/help/private/plan": html(page("Plan", "ROBOTS-BASALT.")),
            "/blog/news": html(page("News", "OUTSIDE-BASALT.")),
        }
        yield server


@pytest.fixture
def upstream(parts: Parts, site: Server) -> Upstream:
    made = Upstream(
        workspace=W, id="site", connector="web", address=f"{site.url}/help/", options={"private_host": "127.0.0.1", "delay": "0"}
    )  # fmt: skip
    Sources(parts.database).add(made)
    return made


def sync(parts: Parts, upstream: Upstream, **wish: bool) -> Summary:
    return Syncer(parts).sync(upstream, Wish(**wish))


def ids(parts: Parts, upstream: Upstream) -> list[str]:
    return sorted(one.id for one in parts.ledger.known(W, upstream.root).values())


CRAWLED = ["site/help/", "site/help/deep", "site/help/kettle", "site/help/lamp"]


def test_a_crawl_stays_within_its_prefix_and_robots_and_takes_each_page_once(
    parts: Parts, upstream: Upstream, site: Server
) -> None:
    made = sync(parts, upstream)
    assert (made.added, made.failed, ids(parts, upstream)) == (4, 0, CRAWLED)
    assert not {"/help/private/plan", "/blog/news", "/help/pic.png"} & set(site.paths())
    assert len(site.paths()) == len(set(site.paths())), "no page is fetched twice"


def test_the_words_are_the_pages_own(parts: Parts, upstream: Upstream, site: Server) -> None:
    sync(parts, upstream)
    found = parts.library.text(W, "site/help/kettle")
    assert found.text.startswith("Press the button.")
    assert (found.document.title, found.document.language, found.document.url) == (
        "Kettle",
        "en",
        f"{site.url}/help/kettle",
    )
    assert not {"NAVIGATION", "FOOTER"} & set(found.text.split())


def test_what_did_not_change_is_neither_sent_nor_embedded_again(parts: Parts, upstream: Upstream, site: Server) -> None:
    sync(parts, upstream)
    site.answers["/help/deep"] = html(page("Deep", "The deepest page has a clock.", head="<meta name='t' content='2'>"))
    clock = parts.library.clock(W)
    made = sync(parts, upstream)
    assert (made.added, made.changed, made.retired, made.embedded, made.unchanged) == (0, 0, 0, 0, 4)
    assert (parts.library.clock(W), ids(parts, upstream)) == (clock, CRAWLED)


def test_a_changed_page_is_taken_and_one_that_vanished_is_retired(
    parts: Parts, upstream: Upstream, site: Server
) -> None:
    sync(parts, upstream)
    site.answers["/help/kettle"] = cached(page("Kettle", "Pull the lever.", "<a href='new'>New</a>"), '"k2"')
    site.answers["/help/new"] = html(page("New", "Brand new."))
    del site.answers["/help/deep"]
    made = sync(parts, upstream)
    assert (made.changed, made.added, made.retired) == (1, 1, 1)
    assert ids(parts, upstream) == ["site/help/", "site/help/kettle", "site/help/lamp", "site/help/new"]


def test_a_page_that_fails_is_kept_and_tried_again_though_nobody_links_to_it_anew(
    parts: Parts, upstream: Upstream, site: Server
) -> None:
    site.answers["/help/deep"] = Reply(status=403)
    made = sync(parts, upstream)
    assert (made.added, made.failed) == (3, 1)
    site.answers["/help/deep"] = html(page("Deep", "Open again."))
    assert sync(parts, upstream).added == 1
    site.answers["/help/deep"] = Reply(status=403)
    made = sync(parts, upstream)
    assert (made.failed, made.retired, ids(parts, upstream)) == (1, 0, CRAWLED)


@pytest.mark.parametrize(
    "absent", [Reply(status=404), Reply(status=301, headers={"Location": "/blog/news"}), Reply(b"x", headers={"Content-Type": "text/plain"})]
)  # fmt: skip
def test_a_page_that_comes_later_or_again_is_taken_though_the_page_that_links_to_it_is_the_same(
    parts: Parts, upstream: Upstream, site: Server, absent: Reply
) -> None:
    deep = site.answers["/help/deep"]
    for _ in range(2):
        site.answers["/help/deep"] = absent
        for _ in range(2):
            sync(parts, upstream)
            assert "site/help/deep" not in ids(parts, upstream)
        site.answers["/help/deep"] = deep
        assert sync(parts, upstream).added == 1
        assert ids(parts, upstream) == CRAWLED


def test_a_site_that_is_down_retires_nothing(parts: Parts, upstream: Upstream, site: Server) -> None:
    sync(parts, upstream)
    site.answers["/help/"] = Reply(status=404)
    site.answers["/robots.txt"] = Reply(status=403)
    site.answers |= {path: Reply(status=403) for path in ("/help/", "/help/kettle", "/help/lamp", "/help/deep")}
    with pytest.raises(SourceFailed):
        sync(parts, upstream, allow_mass_delete=True)
    assert ids(parts, upstream) == CRAWLED


def test_a_page_that_asks_not_to_be_listed_is_not_but_its_links_are_followed(
    parts: Parts, upstream: Upstream, site: Server
) -> None:
    site.answers["/help/"] = html(
        page("Help", "Hidden.", "<a href='lamp'>Lamp</a>", head="<meta name='robots' content='noindex'>")
    )
    sync(parts, upstream)
    assert ids(parts, upstream) == ["site/help/lamp"]


def test_a_site_larger_than_allowed_is_said_to_be_and_loses_nothing(parts: Parts, upstream: Upstream) -> None:
    sync(parts, upstream)
    exact = sync(parts, replace(upstream, options={**upstream.options, "max_pages": "5"}))
    assert (exact.failed, exact.retired) == (0, 0)
    small = sync(parts, replace(upstream, options={**upstream.options, "max_pages": "3"}))
    assert (small.retired, ids(parts, upstream)) == (0, CRAWLED)
    assert "more than 3 pages" in small.problems[0].reason


def test_a_redirect_out_of_the_prefix_brings_nothing(parts: Parts, upstream: Upstream, site: Server) -> None:
    site.answers["/help/deep"] = Reply(status=301, headers={"Location": "/blog/news"})
    site.answers["/help/lamp"] = Reply(status=302, headers={"Location": "/help/kettle"})
    sync(parts, upstream)
    assert ids(parts, upstream) == ["site/help/", "site/help/kettle"]


def test_a_redirect_into_the_network_brings_nothing_and_stops_nothing(
    parts: Parts, upstream: Upstream, site: Server
) -> None:
    site.answers["/help/deep"] = Reply(status=302, headers={"Location": "http://169.254.169.254/help/latest/meta-data"})
    made = sync(parts, upstream)
    assert (made.failed, len(ids(parts, upstream))) == (1, 3)
    assert "169.254.169.254" in made.problems[0].reason


def test_without_the_operators_word_no_inner_host_is_read(parts: Parts, upstream: Upstream, site: Server) -> None:
    with pytest.raises(SourceFailed, match="private network"):
        sync(parts, replace(upstream, options={"delay": "0"}))
    assert site.asked == []


SITEMAP = """<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>"""


def sitemap(site: Server, *paths: str) -> Reply:
    return Reply(SITEMAP.format(urls="".join(f"<url><loc>{site.url}{path}</loc></url>" for path in paths)).encode())


def by_sitemap(parts: Parts, upstream: Upstream, site: Server) -> Upstream:
    made = replace(upstream, id="map", options={**upstream.options, "sitemap": f"{site.url}/sitemap.xml"})
    Sources(parts.database).add(made)
    return made


def test_a_sitemap_gives_its_pages_and_no_others(parts: Parts, upstream: Upstream, site: Server) -> None:
    mapped = by_sitemap(parts, upstream, site)
    index = f"<sitemapindex><sitemap><loc>{site.url}/a.xml.gz</loc></sitemap></sitemapindex>"
    site.answers["/sitemap.xml"] = Reply(index.encode())
    site.answers["/a.xml.gz"] = Reply(
        gzip.compress(sitemap(site, "/help/kettle", "/help/lamp", "/help/lamp", "/blog/news").body)
    )
    assert sync(parts, mapped).added == 2
    site.answers["/a.xml.gz"] = sitemap(site, "/help/kettle")
    made = sync(parts, mapped)
    assert (made.retired, made.embedded, ids(parts, mapped)) == (1, 0, ["map/help/kettle"])


@pytest.mark.parametrize(
    "body",
    [
        SITEMAP[:60].encode(),
        b"<html>Not found</html>",
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>',
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><urlset><url><loc>&f;</loc></url></urlset>',
        b"\x1f\x8b" + b"0" * 50,
    ],
)  # fmt: skip
def test_a_broken_sitemap_retires_nothing(parts: Parts, upstream: Upstream, site: Server, body: bytes) -> None:
    mapped = by_sitemap(parts, upstream, site)
    site.answers["/sitemap.xml"] = sitemap(site, "/help/kettle", "/help/lamp")
    sync(parts, mapped)
    site.answers["/sitemap.xml"] = Reply(body)
    with pytest.raises(SourceFailed):
        sync(parts, mapped, allow_mass_delete=True)
    assert ids(parts, mapped) == ["map/help/kettle", "map/help/lamp"]


@pytest.mark.parametrize(
    ("url", "one"),
    [
        ("HTTPS://Help.Example:443", "https://help.example/"),
        ("https://help.example/a/../b#c", "https://help.example/b"),
        ("https://help.example/a?utm_source=x&id=3&gclid=1", "https://help.example/a?id=3"),
        ("http://help.example:8080/a", "http://help.example:8080/a"),
        ("https://user:pw@help.example/", None),
        ("javascript:alert(1)", None),
        ("http://[", None),
        (None, None),
    ],
)
def test_an_address_has_one_spelling(url: str | None, one: str | None) -> None:
    assert canonical(url) == one


def test_options_that_make_no_sense_are_refused(parts: Parts, upstream: Upstream) -> None:
    with pytest.raises(InputError, match="delay is 'soon'"):
        sync(parts, replace(upstream, options={**upstream.options, "delay": "soon"}))


@pytest.mark.parametrize(
    ("robots", "closed"),
    [
        ("User-agent: *\nDisallow: /help/*/plan$", {"private/plan"}),
        ("User-agent: *\nDisallow: /help/\nAllow: /help/$\nAllow: /help/k", {"lamp", "private/plan", "deep"}),
        ("User-agent: *\nDisallow: /\n\nUser-agent: SupportCopilot\nDisallow: /help/lamp", {"lamp"}),
        ("\ufeffUser-agent: supportcopilot\nDisallow: /help/kettle # for now", {"kettle", "deep"}),
        ("Disallow: /help/", set()),
        ("<html>Not found</html>", set()),
        ("User-agent: *\nDisallow: /" + "*a" * 5000 + "\n" + "Disallow: /x\n" * 20_000, set()),
    ],
)
def test_robots_txt_is_read_with_its_wildcards_and_groups(
    parts: Parts, upstream: Upstream, site: Server, robots: str, closed: set[str]
) -> None:
    site.answers["/robots.txt"] = Reply(robots.encode(), headers={"Content-Type": "text/plain"})
    sync(parts, upstream)
    pages = {"kettle", "lamp", "deep", "private/plan"}
    assert {path.removeprefix("/help/") for path in site.paths()} & pages == pages - closed


@pytest.mark.parametrize(
    ("asks", "waits"),
    [("Crawl-delay: 7", 7.0), ("Request-rate: 1/20", 20.0), ("Crawl-delay: 99999", 60.0), ("Crawl-delay: soon", 0.0), ("Crawl-delay: -3", 0.0)],
)  # fmt: skip
def test_a_site_is_read_as_slowly_as_it_asks(
    parts: Parts, upstream: Upstream, site: Server, monkeypatch: pytest.MonkeyPatch, asks: str, waits: float
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("ingest.fetch.time.sleep", waited.append)
    site.answers["/robots.txt"] = Reply(f"User-agent: *\n{asks}".encode(), headers={"Content-Type": "text/plain"})
    sync(parts, upstream)
    assert set(waited) == {waits}


def test_a_site_whose_robots_txt_is_in_trouble_is_left_alone(
    parts: Parts, upstream: Upstream, site: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.fetch.time.sleep", lambda seconds: None)
    site.answers["/robots.txt"] = Reply(status=503)
    with pytest.raises(SourceFailed):
        sync(parts, upstream)
    assert set(site.paths()) == {"/robots.txt"}


def test_a_page_of_a_million_tags_is_told_and_the_rest_is_taken(parts: Parts, upstream: Upstream, site: Server) -> None:
    site.answers["/help/deep"] = html("<html><body>" + "<p>x" * 200_000)
    made = sync(parts, upstream)
    assert (made.added, made.failed) == (3, 1)
    assert "more than 100,000 tags" in made.problems[0].reason


def test_a_page_that_was_only_touched_is_asked_for_by_its_date(parts: Parts, upstream: Upstream, site: Server) -> None:
    stamp = "Wed, 01 Jan 2025 10:00:00 GMT"

    def dated(asked: Asked) -> Reply:
        return (
            Reply(status=304)
            if asked.headers.get("if-modified-since") == stamp
            else html(page("Deep", "Old."), Last_Modified=stamp)
        )

    site.answers["/help/deep"] = dated
    sync(parts, upstream)
    made = sync(parts, upstream)
    assert (made.failed, made.retired, ids(parts, upstream)) == (0, 0, CRAWLED)
    assert [one.headers.get("if-modified-since") for one in site.asked if one.path == "/help/deep"] == [None, stamp]


def test_a_page_that_takes_its_parser_down_is_told_and_the_rest_is_taken(
    parts: Parts, upstream: Upstream, site: Server
) -> None:
    attributes = " ".join(f"a{number}=1" for number in range(400_000))
    site.answers["/help/deep"] = html(f"<html><body><p {attributes}>Words.</p></body></html>")
    hasty = replace(parts, settings=parts.settings.model_copy(update={"parse_seconds": 1e-6}))
    made = sync(hasty, upstream)
    assert (made.added, made.failed) == (3, 1)
    assert "its parser took more than" in made.problems[0].reason


def test_a_long_page_is_read_apart_with_its_links(parts: Parts, upstream: Upstream, site: Server) -> None:
    long = "The kettle boils in four minutes. " * 8000
    site.answers["/help/kettle"] = html(page("Kettle", long, "<a href='deep'>Deep</a>"))
    made = sync(parts, upstream)
    assert (made.added, made.failed, ids(parts, upstream)) == (4, 0, CRAWLED)


def canonical_at(url: str) -> str:
    return f"<link rel='canonical' href='{url}'>"


def linked(site: Server, *paths: str) -> None:
    """The start page, with links to these."""
    site.answers["/help/"] = html(page("Help", "Welcome.", "".join(f"<a href='{path}'>x</a>" for path in paths)))


def test_pages_that_name_each_other_as_canonical_are_both_taken(parts: Parts, upstream: Upstream, site: Server) -> None:
    linked(site, "a", "b")
    a, b = (
        cached(page("A", "Apples.", head=canonical_at("b")), '"a"'),
        page("B", "Pears.", head=canonical_at("/help/a")),
    )
    site.answers |= {"/help/a": a, "/help/b": html(b)}
    assert sync(parts, upstream).added == 3
    for _ in range(2):
        made = sync(parts, upstream)
        assert (made.retired, made.changed, made.failed) == (0, 0, 0)
    assert ids(parts, upstream) == ["site/help/", "site/help/a", "site/help/b"]
    site.answers["/help/a"] = html(page("A", "Other apples.", head=canonical_at("b")))
    assert (sync(parts, upstream).changed, ids(parts, upstream)) == (1, ["site/help/", "site/help/a", "site/help/b"])


@pytest.mark.parametrize("wrong", ["gone", "private/plan", "text", "c/"])
def test_a_page_whose_canonical_address_has_no_page_is_taken_where_it_is(
    parts: Parts, upstream: Upstream, site: Server, wrong: str
) -> None:
    linked(site, "c", "c?print=1")
    site.answers["/help/text"] = Reply(b"words", headers={"Content-Type": "text/plain"})
    site.answers["/help/c/"] = Reply(status=301, headers={"Location": "/help/c"})
    site.answers["/help/c"] = cached(page("C", "Cherries.", head=canonical_at(wrong)), '"c"')
    sync(parts, upstream)
    made = sync(parts, upstream)
    assert (made.retired, made.failed) == (0, 0)
    assert "site/help/c" in ids(parts, upstream)
    assert "ROBOTS-BASALT" not in parts.library.text(W, "site/help/c").text


def test_a_copy_gives_way_once_its_canonical_page_is_there(parts: Parts, upstream: Upstream, site: Server) -> None:
    linked(site, "c")
    site.answers["/help/c"] = html(page("C", "Cherries.", head=canonical_at("d")))
    sync(parts, upstream)
    site.answers["/help/d"] = html(page("C", "Cherries."))
    assert sync(parts, upstream, allow_mass_delete=True).failed == 0
    assert ids(parts, upstream) == ["site/help/", "site/help/d"]


def test_links_and_the_canonical_address_begin_at_the_pages_base(
    parts: Parts, upstream: Upstream, site: Server
) -> None:
    base = "<base href='/help/deep/'>"
    linked(site, "d")
    site.answers |= {
        "/help/d": html(page("D", "Dates.", "<a href='x'>X</a>", base + canonical_at("../d"))),
        "/help/deep/x": html(page("X", "Xigua.")),
    }
    assert sync(parts, upstream).failed == 0
    assert ids(parts, upstream) == ["site/help/", "site/help/d", "site/help/deep/x"]
