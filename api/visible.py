"""What a reader is shown of stored things: the audiences of `visible_to`, asked again at the door."""

from __future__ import annotations

from collections.abc import Mapping

from copilot.domain import INTERNAL, PUBLIC, Principal, Suggestion
from copilot.errors import NotFound
from copilot.retrieve import visible_to
from copilot.store.jobs import Job
from copilot.store.library import Library, Text
from copilot.store.mentioned import mentions, without_documents
from copilot.store.sources import Upstream


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


def sees_source(who: Principal, upstream: Upstream) -> bool:
    """Whether the source feeds an audience of the reader's."""
    audiences = visible_to(who)
    return audiences is None or (upstream.audience or PUBLIC) in (*audiences, PUBLIC, INTERNAL)


def sees_job(who: Principal, job: Job, sources: Mapping[str, Upstream]) -> bool:
    """Whether the job may name nothing but what the reader may see: not a sync of another team's source, nor what another team uploads."""
    audiences, wanted = visible_to(who), job.payload
    if audiences is None:
        return True
    if job.kind in ("sync", "remove-source"):
        asked = [wanted["source"]] if wanted.get("source") else list(sources)
        return all(id in sources and sees_source(who, sources[id]) for id in asked)
    if job.kind == "ingest":
        kept_to = [wanted["audience"]] if wanted.get("audience") else wanted.get("allowed") or ()
        return audiences.issuperset(kept_to)
    return True
