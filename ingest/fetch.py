"""HTTP for connectors: patient with servers that throttle or cut, and deaf to addresses inside the network.

A name is resolved once, its addresses are judged, and the connection goes to the one judged: no spelling, redirect or second answer of the
name server gets past that.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import socket
import time
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

import httpcore
import httpx

from copilot.errors import ForbiddenAddress, Refused, SourceFailed

if TYPE_CHECKING:
    from httpcore._backends.base import SOCKET_OPTION

TRIES = 4
REDIRECTS = 5
LONGEST_WAIT = 120.0
LOOKUP_SECONDS = 2.0
TIMEOUT = httpx.Timeout(20.0, connect=10.0)
AGAIN = frozenset({429, 500, 502, 503, 504})
AGENT = "SupportCopilot/1 (self-hosted; reads help centres for their own support team)"
_JSON = {"Accept": "application/json"}
_IPV4_WITHIN = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96")))
"""Prefixes before an IPv4 address: of NAT64, and of IPv4-translated addresses."""
_METADATA = frozenset(map(ipaddress.ip_address, ("168.63.129.16", "192.0.0.192", "100.100.100.200", "fd00:ec2::254")))
"""Where clouds keep secrets, beside link-local addresses: Azure, Oracle, Alibaba, AWS."""
_INNER = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "3fff::/20", "5f00::/16")))
"""Not of the public internet, whatever the standard library of an older Python says."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response: where it came from after redirects, its status, its headers in small letters, its body."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises SourceFailed."""
        found = self._parsed()
        if not isinstance(found, dict):
            raise Refused(f"{_shown(self.url)} answered with JSON that is no object: is the address right?")
        return found

    def rows(self) -> list[dict[str, Any]]:
        """The body as a JSON list of objects. Raises SourceFailed."""
        found = self._parsed()
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise Refused(f"{_shown(self.url)} answered with JSON that is no list: is the address right?")
        return found

    def _parsed(self) -> object:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise Refused(f"{_shown(self.url)} did not answer with JSON: is the address right?") from None


@dataclass(slots=True)
class Fetcher:
    """Gets pages for one source."""

    secret: str | None = None
    home: str = ""
    """The source's own address: the secret is sent to its scheme, host and port, and to no other."""
    header: str = "Authorization"
    scheme: str | None = None
    """What stands before the secret in the header; None: `user:password` is sent as Basic, anything else as Bearer."""
    private_host: str | None = None
    """A host that may be inside the network: the operator's word for an intranet."""
    max_bytes: int = 50_000_000
    seconds: float = 60.0
    sleep: Callable[[float], None] = lambda seconds: time.sleep(seconds)
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        transport = httpx.HTTPTransport()
        transport._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(), network_backend=Guard(self.private_host)
        )
        for name in ("httpx", "httpcore"):  # they write down addresses and headers, where secrets travel
            logging.getLogger(name).setLevel(logging.WARNING)
        # No proxies and no netrc from the environment: a proxy would resolve names by itself.
        self.client = httpx.Client(transport=transport, timeout=TIMEOUT, trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """Let go of the connections."""
        self.client.close()

    def json(self, url: str, **params: str | int) -> dict[str, Any]:
        """A JSON object that must be there. Raises SourceFailed, Refused where the server answers with something else."""
        return self.get(_with(url, params), _JSON).json()

    def rows(self, url: str, **params: str | int) -> list[dict[str, Any]]:
        """A JSON list of objects that must be there. Raises SourceFailed."""
        return self.get(_with(url, params), _JSON).rows()

    def ask(self, url: str) -> dict[str, Any]:
        """A JSON object that is asked for by POST, with nothing in it. Raises SourceFailed."""
        return self.get(url, {**_JSON, "Content-Type": "application/json"}, body=b"{}").json()

    def get(
        self, url: str, headers: Mapping[str, str] | None = None, fine: Iterable[int] = (200,), body: bytes | None = None
    ) -> Answer:  # fmt: skip
        """The page, after redirects. Raises Refused for any other status than these, SourceFailed for 401 and where no try succeeds."""
        try:
            answer = self._patiently(url, headers or {}, body)
        except SourceFailed as error:  # a server that sends the secret back in an address writes it into no message
            raise type(error)(self.without_secret(str(error))) from None
        if answer.status in (401, 403) and answer.status not in fine:
            raise (SourceFailed if answer.status == 401 else Refused)(
                f"{_shown(url)} refused ({answer.status}): check the source's credentials and what they may read."
            )
        if answer.status not in fine:
            said = f"{_shown(url)} answered {answer.status}: check the source's address."
            raise Refused(said, missing=answer.status in (404, 410))
        return answer

    def without_secret(self, words: str) -> str:
        """The same words, with the secret struck out however it was sent."""
        for shape in (self.secret, _basic(self.secret)) if self.secret else ():
            words = words.replace(shape, "…").replace(quote(shape, safe=""), "…").replace(quote(shape), "…")
        return words

    def _patiently(self, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        reason = ""
        for attempt in range(TRIES):
            try:
                answer = self._followed(url, headers, body)
            except (httpx.TransportError, zlib.error) as error:
                reason, wait = f"{type(error).__name__}: {error}", 2.0**attempt
            else:
                if answer.status not in AGAIN:
                    return answer
                reason, wait = f"status {answer.status}", _wait(answer.headers, 2.0**attempt)
            if attempt + 1 < TRIES:
                self._wait(url, wait)
        raise SourceFailed(
            f"{_shown(url)} failed {TRIES} times ({reason}). The next sync goes on where this one stopped."
        )

    def _wait(self, url: str, seconds: float) -> None:
        if seconds > LONGEST_WAIT:
            raise SourceFailed(
                f"{_shown(url)} asks to wait {seconds:.0f} seconds. Sync again after that; it goes on from here."
            )
        self.sleep(seconds)

    def _followed(self, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        until = time.monotonic() + self.seconds
        for _ in range(REDIRECTS + 1):
            answer = self._once(url, headers, body, until)
            if answer.status not in (301, 302, 303, 307, 308) or "location" not in answer.headers:
                return answer
            url = urljoin(url, answer.headers["location"])
        raise SourceFailed(
            f"{_shown(url)} is the end of more than {REDIRECTS} redirects: correct the source's address."
        )

    def _once(self, url: str, headers: Mapping[str, str], body: bytes | None, until: float) -> Answer:
        _check(url)
        try:
            own = {"User-Agent": AGENT, "Accept-Encoding": "gzip", **self._authorization(url), **headers}
            with self.client.stream("GET" if body is None else "POST", url, headers=own, content=body) as response:
                read = b"".join(self._body(response, until))
                return Answer(url, response.status_code, {k.lower(): v for k, v in response.headers.items()}, read)
        except (httpx.InvalidURL, UnicodeError):
            raise SourceFailed(f"{_shown(url)} is no web address.") from None

    def _body(self, response: httpx.Response, until: float) -> Iterator[bytes]:
        """The body, unpacked here piece by piece: a small one that unpacks to gigabytes is not worth our memory."""
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", ""):
            raise SourceFailed(f"{_shown(str(response.url))} is packed as {encoding[:40]!r}, which was not asked for.")
        left = self.max_bytes
        for piece in unpacked(response.iter_raw(), left + 1) if encoding == "gzip" else response.iter_raw():
            left -= len(piece)
            if left < 0:
                raise Refused(f"{_shown(str(response.url))} is larger than {self.max_bytes:,} bytes.")
            if time.monotonic() > until:
                raise SourceFailed(f"{_shown(str(response.url))} took more than {self.seconds:.0f} seconds.")
            yield piece

    def _authorization(self, url: str) -> dict[str, str]:
        """The secret in its header; only to the source's own server."""
        if self.secret is None or _server(url) != _server(self.home):
            return {}
        if self.scheme is not None:
            return {self.header: f"{self.scheme}{self.secret}"}
        return {self.header: f"Basic {_basic(self.secret)}" if ":" in self.secret else f"Bearer {self.secret}"}


class Guard(httpcore.NetworkBackend):
    """Connects to public addresses, and to one private host where the source's row allows it."""

    def __init__(self, private_host: str | None) -> None:
        self._private = private_host
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        """A connection to the address that was judged. Raises ForbiddenAddress."""
        failed = httpcore.ConnectError(f"{host} has no address")
        for address in _judged(host, port, self._private):
            try:
                return self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                failed = error
        raise failed

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[SOCKET_OPTION] | None = None
    ) -> httpcore.NetworkStream:
        """Never."""
        raise ForbiddenAddress("no source is read through a socket of this machine")

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def refuse_inner(url: str, private_host: str | None) -> None:
    """Raise ForbiddenAddress where a source's address leads into the network now. A name without an address, or slow to tell, is left to the sync."""
    found: list[ForbiddenAddress] = []

    def look() -> None:
        try:
            asked = httpx.URL(url)
            _judged(asked.raw_host.decode("ascii"), asked.port or 443, private_host)
        except ForbiddenAddress as error:
            found.append(error)
        except (httpcore.ConnectError, httpx.InvalidURL):
            pass

    looking = Thread(target=look, daemon=True)  # the system's look-up has no time limit of its own
    looking.start()
    looking.join(LOOKUP_SECONDS)
    if found:
        raise found[0]


def _judged(host: str, port: int, private_host: str | None) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} has no address ({error})") from None
    addresses = [str(info[4][0]) for info in found]
    allowed = private_host is not None and host.lower() == private_host.lower()
    for address in addresses:
        if not may_connect(address, private=allowed):
            raise ForbiddenAddress(
                f"{host} leads to {address}, which is inside a private network. If that is meant, "
                f"add the source on the command line with --option private_host={host}."
            )
    return list(dict.fromkeys(addresses))


def may_connect(address: str, *, private: bool = False) -> bool:
    """Whether an address is of the public internet; with `private`, whether it is any but those that clouds keep their secrets at."""
    ip = _plain(ipaddress.ip_address(address.partition("%")[0]))
    if private:
        return not (ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip in _METADATA)
    return ip.is_global and not ip.is_multicast and ip not in _METADATA and not any(ip in net for net in _INNER)


def _plain(ip: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if any(ip in net for net in _IPV4_WITHIN) or (int(ip) >> 32 == 0 and int(ip) > 1):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    teredo = ip.teredo[1] if ip.teredo else None
    return ip.ipv4_mapped or ip.sixtofour or teredo or ip


def unpacked(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    """What gzip packed, in small pieces, and never more than `most` bytes. Raises zlib.error for what is cut or no gzip."""
    unpack = zlib.decompressobj(wbits=31)
    for piece in pieces:
        while piece and most > 0:
            out = unpack.decompress(piece, min(most, 1 << 20))
            most -= len(out)
            piece = unpack.unconsumed_tail
            yield out
    if not unpack.eof and most > 0:
        raise zlib.error("the packed body ends too early")


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise SourceFailed(f"{_shown(url)} is no web address.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ForbiddenAddress(f"{_shown(url)} is no web address: only http and https are read.")


def _server(url: str) -> tuple[str, str, int | None]:
    """Read by the client's own parser, so that what is compared is what is connected to."""
    parsed = httpx.URL(url)
    return parsed.scheme, parsed.host, parsed.port or {"http": 80, "https": 443}.get(parsed.scheme)


def _with(url: str, params: Mapping[str, str | int]) -> str:
    return str(httpx.URL(url).copy_merge_params(params)) if params else url


def _basic(secret: str | None) -> str:
    return b64encode((secret or "").encode()).decode()


def _shown(url: str) -> str:
    """An address for a message: without its query, where tokens travel, and without a password."""
    bare = url.split("?")[0].split("#")[0]
    scheme, _, rest = bare.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"[:200]


def _wait(headers: Mapping[str, str], otherwise: float) -> float:
    """What `Retry-After` asks for, in seconds: it is a number or a date."""
    asked = headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked[:9])
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return otherwise
