"""What servers do wrong, over every connector that reads one: none of it may lose, double or invent a document, or be a fault of ours."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest

from copilot.build import Parts, build
from copilot.errors import CopilotError, MassDeletion, SourceFailed
from copilot.jobs import JobThread
from copilot.settings import Settings
from copilot.store.sources import Sources, Upstream
from ingest.summary import Summary
from ingest.sync import Syncer, Wish
from tests import test_ingest_connectors_chatwoot as chatwoot
from tests import test_ingest_connectors_intercom as intercom
from tests import test_ingest_connectors_web as web
from tests import test_ingest_connectors_zammad as zammad
from tests import test_ingest_connectors_zendesk as zendesk
from tests.servers import Answer, Asked, Reply, Server, html, serving, shown

SECRET = "s3cret-OBSIDIAN-" + "k" * 20
TOTALS = {
    "count",
    "total_count",
    "all_count",
    "articles_count",
    "all_articles_count",
    "portals_count",
    "published_count",
}


@dataclass(frozen=True)
class Place:
    """A connector with a server for it: how it is set up, what it lists documents by, how many there are."""

    connector: str
    options: dict[str, str]
    listings: tuple[str, ...]
    documents: int
    build: Callable[[Server], object]
    pages: str | None = "page"


def sitemapped(server: Server) -> None:
    paths = ("kettle", "lamp", "fan", "iron")
    urls = "".join(f"<url><loc>{server.url}/help/{path}</loc></url>" for path in paths)
    server.answers["/sitemap.xml"] = Reply(web.SITEMAP.format(urls=urls).encode())
    server.answers |= {f"/help/{path}": html(web.page(path.title(), f"About the {path}.")) for path in paths}


PLACES = {
    "chatwoot": Place("chatwoot", {"account": "7"}, chatwoot.Desk.LISTINGS, 4, chatwoot.Desk),
    "zammad": Place("zammad", {}, zammad.Desk.LISTINGS, 4, zammad.Desk),
    "intercom": Place("intercom", {}, ("/articles",), 4, intercom.Desk),
    "zendesk": Place(
        "zendesk",
        {},
        ("/api/v2/help_center/en-us/articles", "/api/v2/incremental/tickets/cursor"),
        5,
        zendesk.Desk,
        None,
    ),
    "web": Place("web", {"sitemap": "/sitemap.xml", "delay": "0"}, ("/sitemap.xml",), 4, sitemapped, None),
}


@pytest.fixture(params=sorted(PLACES))
def place(request: pytest.FixtureRequest) -> Place:
    return PLACES[request.param]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """One product for all: each test has a workspace of its own."""
    made = build(Settings(home=tmp_path_factory.mktemp("home")))
    yield made
    made.close()


@pytest.fixture
def server(place: Place) -> Iterator[Server]:
    with serving() as made:
        place.build(made)
        yield made


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    told: list[float] = []
    monkeypatch.setattr("ingest.fetch.time.sleep", told.append)
    return told


WORKSPACES = count(1)


@pytest.fixture
def upstream(
    parts: Parts, place: Place, server: Server, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> Upstream:
    made = source(place, server, monkeypatch)
    Sources(parts.database).add(made)
    return made


def source(place: Place, server: Server, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    monkeypatch.setenv("HOSTILE", SECRET)
    options = {"private_host": "127.0.0.1", **place.options}
    if "sitemap" in options:
        options["sitemap"] = server.url + options["sitemap"]
    return Upstream(
        workspace=f"w{next(WORKSPACES)}", id="src", connector=place.connector, credentials="env:HOSTILE", options=options,
        address=server.url + ("/help/" if place.connector == "web" else ""),
    )  # fmt: skip


def sync(parts: Parts, upstream: Upstream, **wish: bool) -> Summary:
    return Syncer(parts).sync(upstream, Wish(full=True, **wish))


def held(parts: Parts, upstream: Upstream) -> dict[str, str]:
    return {one.id: one.fingerprint for one in parts.ledger.known(upstream.workspace, upstream.root).values()}


def first_time(spoilt: Reply) -> Callable[[Asked, Reply], Reply]:
    """This in place of the first answer at each address."""
    seen: set[str] = set()

    def spoil(asked: Asked, reply: Reply) -> Reply:
        known = asked.path in seen
        seen.add(asked.path)
        return reply if known or reply.status == 404 else spoilt

    return spoil


def cut_once(asked: Asked, reply: Reply, seen: set[str] = set()) -> Reply:  # noqa: B006 - one set for one run
    known = asked.path in seen
    seen.add(asked.path)
    return reply if known else replace(reply, cut=True)


def in_json(change: Callable[[Any], Any]) -> Callable[[Asked, Reply], Reply]:
    """Every JSON answer, changed."""

    def spoil(asked: Asked, reply: Reply) -> Reply:
        if reply.headers.get("Content-Type") != "application/json":
            return reply
        return replace(reply, body=json.dumps(change(json.loads(reply.body))).encode())

    return spoil


def counting(lie: object) -> Callable[[Any], Any]:
    def change(found: Any) -> Any:
        if isinstance(found, dict):
            return {key: lie if key in TOTALS else change(value) for key, value in found.items()}
        return [change(one) for one in found] if isinstance(found, list) else found

    return change


def doubled(found: Any) -> Any:
    """Each row twice, one after the other."""
    if isinstance(found, dict):
        return {key: doubled(value) for key, value in found.items()}
    rows = [doubled(one) for one in found] if isinstance(found, list) else found
    if isinstance(rows, list) and all(isinstance(row, dict) and "id" in row for row in rows):
        return [row for row in rows for _ in range(2)]
    return rows


HARMLESS: dict[str, Callable[[], Callable[[Asked, Reply], Reply]]] = {
    "throttles": lambda: first_time(Reply(status=429, headers={"Retry-After": "17"})),
    "is busy for a moment": lambda: first_time(Reply(status=503)),
    "cuts the connection": lambda: lambda asked, reply, seen=set(): cut_once(asked, reply, seen),  # type: ignore[misc]
    "counts too many": lambda: in_json(counting(99_999)),
    "counts none": lambda: in_json(counting(0)),
    "counts in words": lambda: in_json(counting("many")),
    "counts below nothing": lambda: in_json(counting(-3)),
    "counts nothing at all": lambda: in_json(counting(None)),
    "sends each row twice": lambda: in_json(doubled),
    "packs what it sends": lambda: (
        lambda asked, reply: replace(
            reply, body=gzip.compress(reply.body), headers={**reply.headers, "Content-Encoding": "gzip"}
        )
    ),
}


@pytest.mark.parametrize("fault", HARMLESS)
def test_a_server_that_is_only_difficult_is_read_whole(
    parts: Parts, upstream: Upstream, place: Place, server: Server, waits: list[float], fault: str
) -> None:
    server.spoil = HARMLESS[fault]()
    made = sync(parts, upstream)
    assert (made.added, made.failed, len(held(parts, upstream))) == (place.documents, 0, place.documents)
    if fault == "throttles":
        assert 17.0 in waits
    server.spoil = HARMLESS[fault]()
    made = sync(parts, upstream)
    assert (made.unchanged, made.retired, made.embedded) == (place.documents, 0, 0)


def always(reply: Reply) -> Callable[[Server, Place], None]:
    """This at every address that lists."""

    def spoil(server: Server, place: Place) -> None:
        server.spoil = lambda asked, real: reply if asked.path in place.listings else real

    return spoil


def cut_for_ever(server: Server, place: Place) -> None:
    server.spoil = lambda asked, real: replace(real, cut=True) if asked.path in place.listings else real


def slow_and_silent(server: Server, place: Place) -> None:
    server.spoil = lambda asked, real: replace(real, body=b"") if asked.path in place.listings else real


FATAL: dict[str, Callable[[Server, Place], None]] = {
    "is broken": always(Reply(status=500)),
    "throttles for ever": always(Reply(status=429, headers={"Retry-After": "1"})),
    "throttles for days": always(Reply(status=429, headers={"Retry-After": "999999"})),
    "cuts every time": cut_for_ever,
    "sends nothing": slow_and_silent,
    "sends its login page": always(html("<html><body>Please sign in</body></html>")),
    "sends a list where an object belongs": always(shown([1, 2, 3])),
    "sends an object without anything": always(shown({"error": "deprecated"})),
    "sends nulls": always(shown({"payload": [None], "data": [None], "articles": [None], "tickets": [None], "KnowledgeBaseAnswer": {"1": None}})),
    "nests for ever": always(Reply(b"[" * 200_000, headers={"Content-Type": "application/json"})),
    "sends a bomb": always(Reply(gzip.compress(b" " * 80_000_000), headers={"Content-Encoding": "gzip"})),
    "sends it elsewhere": always(Reply(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data"})),
    "sends it round in circles": always(Reply(status=302, headers={"Location": "?again=1"})),
    "refuses": always(Reply(status=401)),
    "forbids": always(Reply(status=403)),
    "is not there": always(Reply(status=404)),
}  # fmt: skip


@pytest.fixture(scope="module", params=sorted(PLACES))
def known(request: pytest.FixtureRequest, parts: Parts) -> Iterator[tuple[Place, Server, Upstream]]:
    """A source that was synced once."""
    place = PLACES[request.param]
    with serving() as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.fetch.time.sleep", lambda seconds: None)
        place.build(server)
        upstream = source(place, server, patch)
        Sources(parts.database).add(upstream)
        sync(parts, upstream)
        yield place, server, upstream


@pytest.mark.parametrize("fault", FATAL)
def test_a_server_that_fails_is_said_to_and_costs_nothing_that_is_known(
    parts: Parts, known: tuple[Place, Server, Upstream], fault: str
) -> None:
    place, server, upstream = known
    before = held(parts, upstream)
    FATAL[fault](server, place)
    with pytest.raises(SourceFailed) as failed:
        sync(parts, upstream, allow_mass_delete=True)
    assert len(before) == place.documents
    assert held(parts, upstream) == before
    assert len(str(failed.value)) < 600
    assert SECRET not in str(failed.value)


def test_an_empty_listing_asks_before_it_empties_the_index(
    parts: Parts, upstream: Upstream, place: Place, server: Server
) -> None:
    sync(parts, upstream)
    before = held(parts, upstream)

    def emptied(found: Any) -> Any:
        if isinstance(found, dict):
            return {key: {} if key.startswith("KnowledgeBase") else emptied(value) for key, value in found.items()}
        return [] if isinstance(found, list) else found

    server.spoil = lambda asked, real: in_json(emptied)(asked, real) if asked.path in place.listings else real
    if place.connector == "web":
        server.answers["/sitemap.xml"] = Reply(web.SITEMAP.format(urls="").encode())
    with pytest.raises((MassDeletion, SourceFailed)):
        sync(parts, upstream)
    assert held(parts, upstream) == before


@pytest.mark.parametrize(
    "place", [PLACES[name] for name in sorted(PLACES) if PLACES[name].pages], indirect=False, ids=lambda p: p.connector
)
def test_a_page_that_is_repeated_doubles_and_hides_nothing(
    parts: Parts, place: Place, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as server:
        place.build(server)
        upstream = source(place, server, monkeypatch)
        Sources(parts.database).add(upstream)
        honest = {path: server.answers[path] for path in place.listings}

        def each_twice(path: str) -> Callable[[Asked], Reply]:
            real = honest[path]
            return lambda asked: real if isinstance(real, Reply) else real(halved(asked))

        server.answers |= {path: each_twice(path) for path in place.listings}
        assert sync(parts, upstream).added == place.documents
        before = held(parts, upstream)
        server.answers |= {path: first_page(honest[path]) for path in place.listings}
        with pytest.raises(SourceFailed, match="no end"):
            sync(parts, upstream, allow_mass_delete=True)
        assert held(parts, upstream) == before


def halved(asked: Asked) -> Asked:
    page = (int(asked.query["page"]) + 1) // 2 if "page" in asked.query else 1
    return replace(asked, query={**asked.query, "page": str(page)})


def first_page(real: Any) -> Callable[[Asked], Reply]:
    """The first page, whichever is asked for."""
    return lambda asked: real if isinstance(real, Reply) else real(replace(asked, query={**asked.query, "page": "1"}))


# -- secrets ---------------------------------------------------------------------------------------------------------


def echo(asked: Asked) -> Reply:
    """A server that writes what it was sent into whatever it answers, and then sends it back in an address."""
    sent = asked.headers.get("authorization") or asked.headers.get("api_access_token") or ""
    secret = sent.rpartition("=")[2].rpartition(" ")[2]
    return Reply(b"you sent " + sent.encode(), status=302, headers={"Location": f"/{secret}/again", "X-Echo": sent})


SPOILT: dict[str, Answer] = {
    "echoes it": echo,
    "refuses it": lambda asked: Reply(status=401),
    "breaks": lambda asked: Reply(status=500),
}


@pytest.mark.parametrize("fault", SPOILT)
def test_no_secret_is_in_the_database_a_log_a_jobs_progress_or_an_error(
    parts: Parts, upstream: Upstream, place: Place, server: Server, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    caplog.set_level(logging.DEBUG)
    spoilt = SPOILT[fault]
    real = dict(server.answers)
    server.answers = dict.fromkeys(real, spoilt)
    server.spoil = lambda asked, reply: spoilt(asked) if SECRET in asked.path else reply
    thread = JobThread(parts)
    for answers in (server.answers, real):
        server.answers = answers
        job = parts.jobs.add(upstream.workspace, "sync", {"source": "src"})
        running = parts.jobs.claim()
        assert running is not None
        thread._run(running)
        job = parts.jobs.get(upstream.workspace, job.id)
    assert job.state == "done", job.error
    assert any(SECRET in str(asked.headers) for asked in server.asked), "it was sent to where it belongs"
    parts.database.forget()
    rows = Sources(parts.database).progress(upstream.workspace, "src")
    told = f"{caplog.text}{parts.jobs.list(upstream.workspace)}{rows}"
    assert SECRET not in told
    for file in parts.settings.home.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file


def test_a_secret_with_a_line_break_is_refused_before_it_is_sent(
    parts: Parts, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTILE", f"{SECRET}\nX-More: 1")
    with pytest.raises(CopilotError, match="no single line") as failed:
        sync(parts, upstream)
    assert SECRET not in str(failed.value)
