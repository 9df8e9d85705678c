"""Sources: added, listed, removed, synced. What reads the server's own disk or network is added on its command line alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi import Body as Content
from pydantic import Field, StringConstraints
from starlette.responses import Response

from api.auth import Guarded
from api.bodies import Body, Words
from api.deps import PartsOf, Who
from api.examples import SOURCE, SYNC
from api.routes.documents import Audience
from api.routes.jobs import JobView, view
from api.visible import sees_source
from api.words import cleaned
from copilot.build import Parts
from copilot.domain import Principal
from copilot.errors import NotAllowed, NotFound
from copilot.store.catalogue import Catalogue
from copilot.store.sources import ID, Sources, Upstream
from ingest.connect import LOCAL, REMOTE, check_new, options_of
from ingest.schedule import enqueue
from ingest.sync import Syncer

router = APIRouter(prefix="/v1/sources", tags=["sources"], route_class=Guarded)

SourceId = Annotated[Words, Path(max_length=64, description="As it was added.")]


class SourceBody(Body):
    """Where knowledge comes from."""

    id: Annotated[str, StringConstraints(pattern=f"^{ID}$")] = Field(examples=["help-centre"])
    connector: Annotated[str, StringConstraints(pattern="^[a-z]{1,32}$")] = Field(examples=["web"])
    address: Annotated[Words, Field(min_length=1, max_length=2000)] = Field(examples=["https://help.example.com/"])
    credentials: Annotated[str, StringConstraints(pattern=r"^env:COPILOT_SOURCE_[A-Z0-9_]{1,64}$")] | None = Field(
        None, description="The environment variable of the server that holds the secret; admins alone may name one."
    )
    audience: Audience | None = Field(None, description="The widest that its documents may have.")
    options: dict[Annotated[str, StringConstraints(pattern=r"^[a-z_.]{1,64}$")], Annotated[Words, Field(max_length=2000)]] = Field(
        {}, max_length=30, examples=[{"max_pages": "500"}]
    )  # fmt: skip
    every_minutes: int | None = Field(None, ge=1, le=525_600, description="The server syncs it by itself this often.")


class SyncBody(Body):
    """How a sync is to be done."""

    dry_run: bool = Field(False, description="Tell what would happen and change nothing.")
    full: bool = Field(False, description="Ask for everything again, not only for what changed.")
    allow_mass_delete: bool = Field(False, description="Retire as much as is gone, however much it is.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """A source, when it was last synced, and what came of that. The secret is not here; where it is kept is."""

    id: str
    connector: str
    address: str
    credentials: str | None
    audience: str | None
    options: dict[str, str]
    every_minutes: int | None
    documents: int
    started_at: datetime | None
    finished_at: datetime | None
    outcome: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorView:
    """What sources may be read with over HTTP, and the options that such a source takes."""

    name: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceList:
    """The sources by id, and what more could be added with."""

    sources: tuple[SourceView, ...]
    connectors: tuple[ConnectorView, ...]


@router.get("")
def listed(parts: PartsOf, who: Who) -> SourceList:
    """The sources of the workspace that feed an audience of the reader's."""
    found = [one for one in Sources(parts.database).list(who.workspace) if sees_source(who, one)]
    counts = Catalogue(parts.database).counts(who.workspace)
    connectors = tuple(ConnectorView(name=name, options=options_of(name)) for name in REMOTE)
    return SourceList(sources=tuple(_view(parts, one, counts) for one in found), connectors=connectors)


@router.post("", status_code=201)
def add(body: Annotated[SourceBody, Content(openapi_examples=SOURCE)], parts: PartsOf, who: Who) -> SourceView:
    """Add a source; nothing is read before it is synced."""
    upstream = Upstream(workspace=who.workspace, **body.model_dump())
    _require_harmless(who, upstream)
    check_new(upstream)
    Sources(parts.database).add(upstream)
    return _view(parts, upstream)


@router.get("/{source_id}")
def show(source_id: SourceId, parts: PartsOf, who: Who) -> SourceView:
    """One source."""
    return _view(parts, _theirs(parts, who, source_id))


@router.delete("/{source_id}", status_code=204, response_class=Response)
def remove(source_id: SourceId, parts: PartsOf, who: Who) -> None:
    """Remove a source and all its documents: when this answers, nothing finds, quotes or shows them."""
    _theirs(parts, who, source_id)
    Syncer(parts).remove(who.workspace, source_id)


@router.post("/{source_id}/sync", status_code=202)
def sync(
    source_id: SourceId, body: Annotated[SyncBody, Content(openapi_examples=SYNC)], parts: PartsOf, who: Who
) -> JobView:
    """Bring its documents up to date; the job that is answered tells how far it is and what it did."""
    _theirs(parts, who, source_id)
    return view(enqueue(parts.jobs, who.workspace, source_id, **body.model_dump()))


def _view(parts: Parts, upstream: Upstream, counts: Mapping[str, int] | None = None) -> SourceView:
    counts = Catalogue(parts.database).counts(upstream.workspace) if counts is None else counts
    far = Sources(parts.database).progress(upstream.workspace, upstream.id)
    return SourceView(
        id=upstream.id, connector=upstream.connector, address=upstream.address, credentials=upstream.credentials,
        audience=upstream.audience, options=dict(upstream.options), every_minutes=upstream.every_minutes,
        documents=counts.get(upstream.root, 0),        started_at=far.started_at, finished_at=far.finished_at, outcome=cleaned(far.outcome),
    )  # fmt: skip


def _theirs(parts: Parts, who: Principal, id: str) -> Upstream:
    """The source, where it feeds an audience of the reader's. Raises NotFound, as if it were not there."""
    found = Sources(parts.database).get(who.workspace, id)
    if not sees_source(who, found):
        raise NotFound(f"There is no source {id!r}.")
    return found


def _require_harmless(who: Principal, upstream: Upstream) -> None:
    """A key of this product opens neither the server's files, nor its network, nor secrets that were not meant for it."""
    if upstream.connector in LOCAL:
        raise NotAllowed("Folders of the server are added on its command line: copilot sources add ID files PATH.")
    if "private_host" in upstream.options:
        raise NotAllowed(
            "Hosts inside the server's network are allowed on its command line: copilot sources add … --option private_host=HOST."
        )
    if upstream.credentials and "admin" not in who.roles:
        raise NotAllowed(
            "A source with credentials takes the role admin: whoever names the address decides who is sent the secret."
        )
    if not sees_source(who, upstream):
        raise NotAllowed(
            f"The key belongs to no team that may see {upstream.audience!r}. Choose an audience of its own."
        )
