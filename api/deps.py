"""What the routes are given: the parts, who is asking, and whether they want JSON or events."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated

from fastapi import Depends, Header, Path, Request, Security
from fastapi.security import HTTPBearer

from api.bodies import Words
from api.metrics import Metrics
from api.turns import Turns
from copilot.build import Parts
from copilot.domain import Principal

Retire = Callable[[str, Collection[str]], None]

_bearer = HTTPBearer(
    auto_error=False,
    description="A key from `copilot keys create`. Not needed on the server's own machine while none exists.",
)


async def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


async def _retire(request: Request) -> Retire:
    retire: Retire = request.app.state.retire
    return retire


async def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


async def _turns(request: Request) -> Turns:
    turns: Turns = request.app.state.turns
    return turns


async def _who(
    request: Request,
    bearer: Annotated[object, Security(_bearer)] = None,
    x_workspace: Annotated[
        str | None,
        Header(alias="X-Workspace", description="The workspace to work in while no key exists; a key names its own."),
    ] = None,
) -> Principal:
    principal: Principal = (
        request.state.principal
    )  # from auth.Guarded, which reads both headers; here they are for the OpenAPI alone
    return principal


async def _wants_events(request: Request) -> bool:
    accepted = request.headers.get("accept", "").split(",")
    return any(one.partition(";")[0].strip().lower() == "text/event-stream" for one in accepted)


PartsOf = Annotated[Parts, Depends(_parts)]
RetireOf = Annotated[Retire, Depends(_retire)]
MetricsOf = Annotated[Metrics, Depends(_metrics)]
TurnsOf = Annotated[Turns, Depends(_turns)]
PathId = Annotated[Words, Path(max_length=128)]
Who = Annotated[Principal, Depends(_who)]
WantsEvents = Annotated[bool, Depends(_wants_events)]
