"""One document from within: its text as HTML, the chunks that it was cut into, and what changed between two revisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.auth import Guarded
from api.bodies import Words
from api.changes import Block, changes
from api.deps import PartsOf, Who
from api.rendered import rendered
from api.visible import readable
from copilot.store.catalogue import Catalogue, Piece

router = APIRouter(prefix="/v1/documents", tags=["documents"], route_class=Guarded)

Id = Annotated[Words, Path(max_length=512, description="A ticket's or article's id; it may hold slashes.")]
Number = Annotated[int | None, Query(ge=1, lt=2**31, description="The revision in force where left out.")]
Side = Annotated[int, Query(ge=1, lt=2**31)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A revision as sanitised HTML, for reading: citations' offsets are into the plain text, not into this."""

    document_id: str
    revision: int
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A revision's chunks in order, and where a ticket's resolution begins."""

    document_id: str
    revision: int
    answer_start: int
    chunks: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed from one revision to another, block by block; none where they say the same."""

    document_id: str
    old: int
    new: int
    blocks: tuple[Block, ...]


@router.get("/{document_id:path}/rendered")
def html(document_id: Id, parts: PartsOf, who: Who, revision: Number = None) -> Rendered:
    """One revision's markdown as HTML without pictures, scripts or styles."""
    found = readable(parts.library, who, document_id, revision)
    return Rendered(document_id=document_id, revision=found.number, html=rendered(found.text))


@router.get("/{document_id:path}/chunks")
def chunks(document_id: Id, parts: PartsOf, who: Who, revision: Number = None) -> Cut:
    """The chunks of one revision: where each stands in its text, under which headings, and whether search finds it."""
    found = readable(parts.library, who, document_id, revision)
    pieces = Catalogue(parts.database).pieces(who.workspace, document_id, found.number)
    return Cut(document_id=document_id, revision=found.number, answer_start=found.answer_start, chunks=pieces)


@router.get("/{document_id:path}/changes")
def compared(document_id: Id, parts: PartsOf, who: Who, old: Side, new: Side) -> Changes:
    """What changed from one revision to another, with a few lines around it."""
    before, after = (readable(parts.library, who, document_id, number) for number in (old, new))
    return Changes(document_id=document_id, old=old, new=new, blocks=changes(before.text, after.text))
