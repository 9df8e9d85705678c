"""What the connectors' HTTP refuses, waits for and gives up on."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from copilot.errors import ForbiddenAddress, SourceFailed
from ingest.fetch import Fetcher, may_connect
from tests.servers import Reply, Server, in_turn, serving, shown


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as told:
        yield told


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def fetch(waits: list[float]) -> Iterator[Fetcher]:
    made = Fetcher(private_host="127.0.0.1", max_bytes=100_000, sleep=waits.append)
    yield made
    made.close()


SPELLINGS = [
    "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "0x7f000001", "0177.0.0.1", "0.0.0.0", "0", "[::1]", "[::]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "10.0.0.1", "172.16.5.4", "192.168.1.1",
    "localhost.", "127.0.0.1.", "127.0.0.1%00.example", "user:pw@127.0.0.1", "good.example@10.0.0.1", "127.0.0.1:9#@good.example", "①②⑦.⓪.⓪.①",
    "127。0。0。1", "[::ffff:a9fe:a9fe]", "[0:0:0:0:0:ffff:7f00:1]", "[fe80::1%25lo]", "[fc00::1]", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376",
    "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "metadata.google.internal",
    "100.64.0.1", "169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.200", "224.0.0.1", "255.255.255.255", "198.18.0.1",
    "168.63.129.16", "2822734096", "0xa83f8110", "192.0.0.192", "3221225664", "0xc00000c0", "[::ffff:0:7f00:1]", "[fec0::1]",
]  # fmt: skip


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_an_inner_address_is_connected_to(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError(f"connected to {args[:2]}")

    monkeypatch.setattr("httpcore.SyncBackend.connect_tcp", refuse)
    guarded = Fetcher(sleep=lambda seconds: None)
    with pytest.raises(SourceFailed):
        guarded.get(f"http://{host}:9/")
    guarded.close()


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_address_is_connected_to(address: str) -> None:
    assert may_connect(address)


INNER = ["fec0::1", "::ffff:0:7f00:1", "192.88.99.1", "192.0.0.8", "3fff::1", "5f00::1"]
METADATA = [
    "169.254.169.254", "fe80::1", "fd00:ec2::254", "100.100.100.200", "0.0.0.0", "168.63.129.16", "192.0.0.192",
    "::ffff:0:a9fe:a9fe", "::ffff:168.63.129.16", "64:ff9b::a83f:8110", "2002:c000:c0::",
]  # fmt: skip


@pytest.mark.parametrize("address", [*INNER, *METADATA])
def test_an_inner_address_is_not_public(address: str) -> None:
    assert not may_connect(address)


@pytest.mark.parametrize("address", METADATA)
def test_not_even_the_operators_word_opens_a_clouds_metadata(address: str) -> None:
    assert not may_connect(address, private=True)


def test_a_redirect_into_the_network_is_not_followed(server: Server) -> None:
    with serving() as inner:
        inner.answers["/secret"] = Reply(b"inside")
        target = inner.url.replace("127.0.0.1", "localhost") + "/secret"
        server.answers["/"] = Reply(status=302, headers={"Location": target})
        fetch = Fetcher(private_host="127.0.0.1")
        with pytest.raises(ForbiddenAddress, match="private network"):
            fetch.get(server.url + "/")
        fetch.close()
        assert inner.asked == []


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://127.0.0.1/", "//[::1]:1/", "ftp://127.0.0.1/x"])
def test_a_redirect_to_another_scheme_is_not_followed(server: Server, fetch: Fetcher, target: str) -> None:
    server.answers["/"] = Reply(status=302, headers={"Location": target})
    with pytest.raises(SourceFailed):
        fetch.get(server.url + "/")


def test_a_name_that_changes_its_address_between_two_looks_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first answer is public, the second is this machine: what is connected to is what was judged."""
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    looked: list[str] = []
    connected: list[str] = []

    def resolve(host: str, port: int, **kwargs: Any) -> list[Any]:
        looked.append(host)
        addresses = answers.pop(0) if answers else ["127.0.0.1"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    def connect(self: object, host: str, *args: object) -> None:
        connected.append(host)
        raise RuntimeError("far enough")

    monkeypatch.setattr("ingest.fetch.socket.getaddrinfo", resolve)
    monkeypatch.setattr("httpcore.SyncBackend.connect_tcp", connect)
    fetch = Fetcher(sleep=lambda seconds: None)
    with pytest.raises(RuntimeError):
        fetch.get("http://rebound.example/")
    with pytest.raises(ForbiddenAddress):
        fetch.get("http://rebound.example/")
    fetch.close()
    assert (connected, looked) == (["93.184.216.34"], ["rebound.example"] * 2)


def test_a_name_with_one_public_and_one_inner_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 80)) for one in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr("ingest.fetch.socket.getaddrinfo", lambda *args, **kwargs: both)
    fetch = Fetcher()
    with pytest.raises(ForbiddenAddress):
        fetch.get("http://two.example/")
    fetch.close()


def test_a_throttled_request_waits_as_long_as_it_is_told(server: Server, fetch: Fetcher, waits: list[float]) -> None:
    busy = Reply(status=429, headers={"Retry-After": "37"})
    server.answers["/"] = in_turn(busy, Reply(status=503), shown({"fine": True}))
    assert fetch.json(server.url + "/") == {"fine": True}
    assert waits == [37.0, 2.0]


def test_a_wait_that_is_too_long_ends_the_sync(server: Server, fetch: Fetcher, waits: list[float]) -> None:
    server.answers["/"] = Reply(status=429, headers={"Retry-After": "99999"})
    with pytest.raises(SourceFailed, match="99999 seconds"):
        fetch.get(server.url + "/")
    assert waits == []


def test_a_cut_body_is_asked_for_again_and_never_taken_as_whole(server: Server, fetch: Fetcher) -> None:
    server.answers["/"] = in_turn(shown({"half": 1}, cut=True), shown({"whole": 1}))
    assert fetch.json(server.url + "/") == {"whole": 1}
    server.answers["/"] = shown({"half": 1}, cut=True)
    with pytest.raises(SourceFailed, match="failed 4 times"):
        fetch.json(server.url + "/")


def test_a_bomb_is_not_unpacked(server: Server, fetch: Fetcher) -> None:
    packed = {"Content-Encoding": "gzip"}
    server.answers["/bomb"] = Reply(gzip.compress(b"0" * 50_000_000), headers=packed)
    server.answers["/fine"] = Reply(gzip.compress(b'{"a": 1}'), headers=packed)
    server.answers["/other"] = Reply(b"x", headers={"Content-Encoding": "gzip, gzip"})
    server.answers["/long"] = Reply(b"0" * 200_000)
    assert fetch.json(server.url + "/fine") == {"a": 1}
    for path, reason in (("/bomb", "larger than"), ("/long", "larger than"), ("/other", "was not asked for")):
        with pytest.raises(SourceFailed, match=reason):
            fetch.get(server.url + path)


def test_redirects_without_end_are_left(server: Server, fetch: Fetcher) -> None:
    server.answers["/"] = Reply(status=302, headers={"Location": "/"})
    with pytest.raises(SourceFailed, match="redirects"):
        fetch.get(server.url + "/")


def test_a_secret_goes_to_its_own_server_alone_and_into_no_message(server: Server) -> None:
    with serving() as other:
        other.answers["/"] = Reply(status=401)
        server.answers["/"] = Reply(status=302, headers={"Location": other.url + "/?token=s3cret"})
        fetch = Fetcher(secret="s3cret", home=server.url, private_host="127.0.0.1")
        with pytest.raises(SourceFailed) as failed:
            fetch.get(server.url + "/?token=s3cret")
        fetch.close()
        assert server.asked[0].headers["authorization"] == "Bearer s3cret"
        assert "authorization" not in other.asked[0].headers
        assert "s3cret" not in str(failed.value)


@pytest.mark.parametrize(
    "spelling",
    [
        "http://2852039166/",
        "http://user@169.254.169.254/",
        "//127.0.0.1:1/",
        "http://0x7f.1/",
        "http://[::ffff:10.0.0.1]/",
    ],
)
def test_no_spelling_of_a_redirect_leads_inside(server: Server, spelling: str) -> None:
    server.answers["/"] = Reply(status=307, headers={"Location": spelling})
    fetch = Fetcher(private_host="localhost", sleep=lambda seconds: None)
    with pytest.raises(SourceFailed):
        fetch.get(server.url.replace("127.0.0.1", "localhost") + "/")
    fetch.close()
    assert len(server.asked) == 1


@pytest.mark.parametrize("url", ["http://home.example\\@evil.example/", "http://home.example@evil.example/", "http://evil.example/home.example", "http://home.example.evil.example/",
                                 "http://home.example./", "https://home.example/", "http://home.example:81/"])  # fmt: skip
def test_what_only_looks_like_the_sources_own_server_is_sent_no_secret(url: str) -> None:
    fetch = Fetcher(secret="s3cret", home="http://home.example/")
    assert fetch._authorization("http://home.example/x") == {"Authorization": "Bearer s3cret"}
    assert fetch._authorization(url) == {}
    fetch.close()


@pytest.mark.parametrize(
    ("header", "scheme", "secret", "sent"),
    [
        ("Authorization", None, "me:pw", ("authorization", "Basic bWU6cHc=")),
        ("Authorization", "Token token=", "abc", ("authorization", "Token token=abc")),
        ("api_access_token", "", "a:b", ("api_access_token", "a:b")),
    ],
)
def test_a_secret_is_sent_as_its_help_desk_wants_it(
    server: Server, header: str, scheme: str | None, secret: str, sent: tuple[str, str]
) -> None:
    server.answers["/"] = shown({})
    fetch = Fetcher(secret=secret, home=server.url, header=header, scheme=scheme, private_host="127.0.0.1")
    fetch.ask(server.url + "/")
    fetch.close()
    assert server.asked[0].headers[sent[0]] == sent[1]
