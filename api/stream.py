"""Server-sent events: one step of the work, one event on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Sequence
from typing import Any

from anyio import CancelScope
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.errors import problem_of
from copilot.assist import Event
from copilot.domain import Suggestion
from copilot.draft import retold

MEDIA_TYPE = "text/event-stream"
KEEP_ALIVE = b": still at it\n\n"
HEADERS = {"X-Accel-Buffering": "no"}  # a proxy that collects the stream would undo it


def documented(description: str, names: Sequence[str]) -> dict[int | str, dict[str, Any]]:
    """How the OpenAPI describes a route that may answer with events of these names."""
    event = {"event": {"type": "string", "enum": list(names)}, "data": {"type": "string"}}
    item = {"type": "object", "properties": event, "required": ["event", "data"]}
    return {200: {"description": description, "content": {MEDIA_TYPE: {"itemSchema": item}}}}


def frame(name: str, json: bytes, id: str = "") -> bytes:
    """One event; JSON has no raw line ends, so its data is one line. A client that comes back sends the last `id` that it saw."""
    return b"%sevent: %s\ndata: %s\n\n" % (f"id: {id}\n".encode() if id else b"", name.encode(), json)


class EventStream(StreamingResponse):
    """Sends frames; a synchronous iterator of them runs in the threadpool. `close` is called at the end, also when the client goes away."""

    def __init__(
        self, frames: Iterable[bytes] | AsyncIterable[bytes], close: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(frames, headers=HEADERS, media_type=MEDIA_TYPE)
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the frames, then let go of what makes them."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await run_in_threadpool(self._close)


def frames(events: Iterable[Event], request_id: str) -> Iterator[bytes]:
    """Each event as a frame; what fails midway ends the stream with an `error` event that holds the problem."""
    try:
        for event in events:
            yield frame(event.name, to_json(event.data))
    except Exception as error:
        yield frame("error", problem_of(error, request_id).json())


def replayed(suggestion: Suggestion) -> Iterator[Event]:
    """The events of a suggestion that was made before."""
    yield Event("triage", suggestion.triage)
    yield Event("escalation", suggestion.escalation)
    yield Event("passages", suggestion.passages)
    for statement in retold(suggestion.draft) if suggestion.draft else ():
        yield Event("statement", statement)
    yield Event("done", suggestion)
