"""A web server on this machine that says what a test tells it to, well or badly behaved."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Reply:
    """What is sent; a `cut` body is announced longer than it is."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


Answer = Callable[[Asked], Reply]


def shown(data: Any, **options: Any) -> Reply:
    """JSON."""
    return Reply(json.dumps(data).encode(), headers={"Content-Type": "application/json"}, **options)


def html(text: str, status: int = 200, **headers: str) -> Reply:
    """A web page."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(text.encode(), status, {"Content-Type": "text/html; charset=utf-8", **named})


@dataclass
class Server:
    """Answers by path; anything else is a 404. It notes every request."""

    answers: dict[str, Answer | Reply] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    spoil: Callable[[Asked, Reply], Reply] = lambda asked, reply: reply

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        answer = self.answers.get(asked.path, Reply(status=404))
        return self.spoil(asked, answer if isinstance(answer, Reply) else answer(asked))

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]


@contextmanager
def serving() -> Iterator[Server]:
    """The server, for as long as the block runs."""
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            reply = told.reply(Asked(parts.path, query, {k.lower(): v for k, v in self.headers.items()}))
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) + 1000 * reply.cut))
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = True

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def in_turn(*replies: Reply) -> Answer:
    """One after the other; the last one from then on."""
    left = list(replies)
    return lambda asked: left.pop(0) if len(left) > 1 else left[0]
