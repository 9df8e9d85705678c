"""Documents: listed, read, uploaded, deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, cast

from fastapi import APIRouter, File, Form, Path, Query, UploadFile
from pydantic import StringConstraints
from starlette.responses import Response

from api import uploads
from api.auth import Guarded
from api.bodies import Words
from api.deps import PartsOf, RetireOf, Who
from api.routes.jobs import JobView, view
from api.visible import readable
from copilot.domain import Document, Kind, Principal
from copilot.errors import NotAllowed, NotFound
from copilot.retrieve import visible_to
from copilot.store.catalogue import Catalogue, DocumentState, Entry, Wanted
from copilot.store.library import Library
from copilot.store.values import now

router = APIRouter(prefix="/v1/documents", tags=["documents"], route_class=Guarded)

Id = Annotated[Words, Path(max_length=512, description="A ticket's or article's id; it may hold slashes.")]
RevisionStatus = Literal["pending", "active", "retired"]
Audience = Annotated[str, StringConstraints(pattern="^(public|internal|team:[A-Za-z0-9._-]{1,59})$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Documents by id; `next` is what to send as `after` for the page that follows, null at the end."""

    documents: tuple[Entry, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionHead:
    """A revision without its words."""

    revision: int
    status: RevisionStatus
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A document as one of its revisions has it: citations' offsets are into `text`, in Unicode code points."""

    document: Document
    revision: int
    status: RevisionStatus
    text: str
    content_hash: str
    revisions: tuple[RevisionHead, ...]


@router.get("")
def page(
    parts: PartsOf, who: Who, kind: Kind | None = None,
    state: Annotated[DocumentState | Literal["any"], Query(description="`waiting` is not valid yet, `expired` not any more.")] = "in_force",
    source: Annotated[Words | None, Query(max_length=64, description="Only what this source brought.")] = None,
    q: Annotated[Words | None, Query(max_length=200, description="Only documents with these words in the title or the id.")] = None,
    after: Annotated[Words | None, Query(max_length=512, description="The last id of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page:  # fmt: skip
    """The documents that the reader may see, by id."""
    parts.library.clock(who.workspace)
    wanted = Wanted(
        audiences=visible_to(who), at=now(), kind=kind, state=None if state == "any" else state, source=source, words=q
    )
    found = Catalogue(parts.database).entries(who.workspace, wanted, after, limit + 1)
    listed = tuple(found[:limit])
    return Page(documents=listed, next=listed[-1].document.id if len(found) > limit else None)


@router.post("", status_code=202, form_limits={"max_files": 1, "max_fields": 2, "max_part_size": 1000})
def upload(
    parts: PartsOf, who: Who, file: Annotated[UploadFile, File(description="One file: md, html, txt, pdf, docx, jsonl or csv.")],
    kind: Annotated[Kind | None, Form(description="What it holds; by its type where left out.", examples=["article"])] = None,
    audience: Annotated[
        Audience | None, Form(description="`public`, `internal` or `team:NAME`; its own word where left out.", examples=["public"])
    ] = None,
) -> JobView:  # fmt: skip
    """Take a file in; the job that is answered tells when it can be found and cited."""
    require_theirs(who, audience)
    saved = uploads.save(parts.settings, who.workspace, file.filename or "", file.file)
    audiences = visible_to(who)
    allowed = None if audiences is None else sorted(audiences)
    payload = {"paths": [str(saved)], "kind": kind, "audience": audience, "allowed": allowed}
    job = parts.jobs.add(who.workspace, "ingest", payload)
    return view(job)


@router.get("/{document_id:path}")
def read(
    document_id: Id, parts: PartsOf, who: Who, revision: Annotated[int | None, Query(ge=1, lt=2**31)] = None
) -> Read:
    """One revision of a document with its text; the one in force where no number is given."""
    found = readable(parts.library, who, document_id, revision)
    revisions = tuple(
        RevisionHead(revision=number, status=cast(RevisionStatus, status), created_at=at)
        for number, status, at in parts.library.revisions(who.workspace, document_id)
    )
    return Read(
        document=found.document, revision=found.number, status=cast(RevisionStatus, found.status), text=found.text,
        content_hash=found.content_hash, revisions=revisions,
    )  # fmt: skip


@router.delete("/{document_id:path}", status_code=204, response_class=Response)
def delete(document_id: Id, parts: PartsOf, who: Who, retire: RetireOf) -> None:
    """Delete a document with all its revisions: when this answers, nothing finds, quotes or shows it."""
    if parts.ledger.key(who.workspace, document_id) is None:
        raise NotFound(f"There is no document {document_id!r}.")
    _require_seen(parts.library, who, document_id)
    retire(who.workspace, [document_id])


def require_theirs(who: Principal, audience: str | None) -> None:
    """Raise NotAllowed for an audience that is not the caller's to write for."""
    audiences = visible_to(who)
    if audience is not None and audiences is not None and audience not in audiences:
        raise NotAllowed(f"The key belongs to no team that may see {audience!r}. Choose an audience of its own.")


def _require_seen(library: Library, who: Principal, document_id: str) -> None:
    """Raise NotFound for another team's document. A question that is kept for ranking alone is nobody's to read, but may be deleted."""
    try:
        library.text(who.workspace, document_id)
    except NotFound:
        return
    readable(library, who, document_id)
