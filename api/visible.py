"""What a reader is shown of stored things: the audiences of `visible_to`, asked again at the door."""

from __future__ import annotations

from copilot.domain import Principal, Suggestion
from copilot.errors import NotFound
from copilot.retrieve import visible_to
from copilot.store.library import Library, Text
from copilot.store.records import mentions, without_documents


def readable(library: Library, who: Principal, document_id: str, revision: int | None = None) -> Text:
    """A revision's text, the active one's by default, where both may be seen. Raises NotFound, whether there is none or it is not theirs."""
    active = library.text(who.workspace, document_id)
    found = active if revision is None else library.text(who.workspace, document_id, revision)
    audiences = visible_to(who)
    if audiences is not None and not {active.document.audience, found.document.audience} <= audiences:
        raise NotFound(f"There is no document {document_id!r}.")
    return found


def seen_by(who: Principal, library: Library, made: Suggestion) -> Suggestion:
    """The suggestion without the documents that this reader may not see, or may not have seen in an earlier revision.

    It may have been made for somebody of another team, and a document's audience may have changed since.
    """
    audiences = visible_to(who)
    if audiences is None:
        return made
    had = library.audiences(who.workspace, mentions(made))
    return without_documents(made, {id for id, kept in had.items() if not kept <= audiences})
