"""Which documents a suggestion shows, which its draft quotes, and the suggestion without them."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import TypeAdapter

from copilot.domain import Suggestion
from copilot.store.withdraw import unsaid, without

SUGGESTION = TypeAdapter(Suggestion)


def mentions(suggestion: Suggestion) -> set[str]:
    """The ids of all documents whose words the suggestion shows."""
    ids = {hit.document_id for hit in suggestion.passages} | {one.document_id for one in suggestion.similar_tickets}
    ids |= {one.document_id for one in suggestion.macros} | {one.citation.document_id for one in suggestion.guidance}
    ids |= {one.document_id for one in suggestion.abstention.nearest} if suggestion.abstention else set()
    return ids | cited(suggestion)


def cited(suggestion: Suggestion) -> set[str]:
    """The ids of the documents that the draft quotes."""
    statements = suggestion.draft.statements if suggestion.draft else ()
    return {citation.document_id for statement in statements for citation in statement.citations}


def used(suggestion: Suggestion) -> set[str]:
    """The ids of the documents that the suggestion rests on or recommends, not only lists."""
    ids = {one.document_id for one in suggestion.macros} | {one.citation.document_id for one in suggestion.guidance}
    return ids | cited(suggestion)


def without_documents(suggestion: Suggestion, ids: Collection[str]) -> Suggestion:
    """The suggestion without any word of these documents; statements that rested on them become notices."""
    if not ids:
        return suggestion
    body = SUGGESTION.dump_python(suggestion, mode="json")
    for id in sorted(ids):
        body = without(body, id)
    return SUGGESTION.validate_python(body)


def without_quotes(suggestion: Suggestion, ids: Collection[str]) -> Suggestion:
    """The suggestion with notices in place of what its draft says of these documents."""
    if suggestion.draft is None or not (cited(suggestion) & set(ids)):
        return suggestion
    body = SUGGESTION.dump_python(suggestion, mode="json")
    for id in sorted(ids):
        body = unsaid(body, id)
    return SUGGESTION.validate_python(body)
