"""What a reader is shown of stored things: the audiences of `visible_to`, asked again at the door."""

from __future__ import annotations

from dataclasses import replace

from copilot.domain import Principal, Suggestion
from copilot.errors import NotFound
from copilot.retrieve import visible_to
from copilot.store.library import Library, Text
from copilot.store.records import mentions


def readable(library: Library, who: Principal, document_id: str, revision: int | None = None) -> Text:
    """A revision's text, the active one's by default, where both may be seen. Raises NotFound, whether there is none or it is not theirs."""
    active = library.text(who.workspace, document_id)
    found = active if revision is None else library.text(who.workspace, document_id, revision)
    audiences = visible_to(who)
    if audiences is not None and not {active.document.audience, found.document.audience} <= audiences:
        raise NotFound(f"There is no document {document_id!r}.")
    return found


def seen_by(who: Principal, library: Library, made: Suggestion) -> Suggestion:
    """The suggestion without the documents that this reader may not see: it may have been made for somebody of another team."""
    hidden = {id for id in mentions(made) if not _may_read(library, who, id)}
    if not hidden:
        return made
    near = made.abstention and replace(
        made.abstention, nearest=tuple(one for one in made.abstention.nearest if one.document_id not in hidden)
    )
    return replace(
        made,
        passages=tuple(one for one in made.passages if one.document_id not in hidden),
        similar_tickets=tuple(one for one in made.similar_tickets if one.document_id not in hidden),
        macros=tuple(one for one in made.macros if one.document_id not in hidden),
        guidance=tuple(one for one in made.guidance if one.citation.document_id not in hidden),
        abstention=near,
    )


def _may_read(library: Library, who: Principal, document_id: str) -> bool:
    try:
        readable(library, who, document_id)
    except NotFound:
        return False
    return True
