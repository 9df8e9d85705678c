from __future__ import annotations

import asyncio
import json
from collections.abc import Generator, Iterator
from threading import get_ident
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from api.stream import EventStream, frame, frames
from copilot.assist import Event
from copilot.domain import Alternative
from copilot.errors import DrafterFailed


def run(response: EventStream, go_away_after: int | None = None, spec: str = "2.3") -> list[bytes]:
    """The bodies that a client gets; one that goes away reads so many and disconnects."""
    bodies: list[bytes] = []
    gone = asyncio.Event()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body" and message["body"]:
            bodies.append(message["body"])
            if go_away_after is not None and len(bodies) >= go_away_after:
                gone.set()
                if spec >= "2.4":
                    raise OSError("the client is gone")
                await asyncio.sleep(0.05)

    async def receive() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def go() -> None:
        await response({"type": "http", "asgi": {"spec_version": spec}}, receive, send)

    asyncio.run(go())
    return bodies


class Endless:
    """Events without end, which note when they are closed."""

    def __init__(self) -> None:
        self.made, self.closed, self.threads = 0, False, set[int]()

    def events(self) -> Generator[Event, None, None]:
        try:
            while True:
                self.made += 1
                self.threads.add(get_ident())
                yield Event("statement", self.made)
        finally:
            self.closed = True


def test_the_work_stops_and_is_let_go_of_when_the_client_goes_away() -> None:
    endless = Endless()
    events = endless.events()
    run(EventStream(frames(events, "r"), events.close), go_away_after=3)
    assert endless.closed
    assert endless.made <= 5


def test_it_stops_too_where_the_server_tells_by_an_error() -> None:
    endless = Endless()
    events = endless.events()
    with pytest.raises(ClientDisconnect):
        run(EventStream(frames(events, "r"), events.close), go_away_after=3, spec="2.4")
    assert endless.closed
    assert endless.made == 3


def test_the_steps_run_beside_the_event_loop() -> None:
    endless = Endless()
    events = endless.events()
    run(EventStream(frames(events, "r"), events.close), go_away_after=2)
    assert get_ident() not in endless.threads


def test_a_frame_is_two_lines_whatever_the_text_holds() -> None:
    hostile = Alternative(label="a\nb\r\n\ndata: forged\u2028\u0085", confidence=0.5)
    (made,) = frames([Event("triage", hostile)], "r")
    head, data, *rest = made.decode().split("\n")
    assert (head, rest) == ("event: triage", ["", ""])
    assert "\r" not in data
    assert json.loads(data.removeprefix("data: ")) == {"label": hostile.label, "confidence": 0.5}


def test_an_error_that_is_ours_tells_its_kind() -> None:
    def fails() -> Iterator[Event]:
        yield Event("triage", None)
        raise DrafterFailed("the model said: secret")

    first, last = frames(fails(), "request-9")
    assert first == frame("triage", b"null")
    problem = json.loads(last.decode().split("data: ")[1])
    assert last.startswith(b"event: error\n")
    assert (problem["status"], problem["type"]) == (503, "urn:support-copilot:drafter-failed")
    assert "secret" not in last.decode()
