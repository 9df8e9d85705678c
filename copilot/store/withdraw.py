"""Deletion reaches what was made of a document: suggestions that show it, maps learned from it, tickets made of replies that rest on it,
articles put together from it; in the deletion's own transaction. What is for staff alone from now on leaves the drafts that quote it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, and_, delete, select, update

from copilot.store import schema as t
from copilot.store.unlearn import forget_untaught
from copilot.store.values import MANY, parts

LEARNED = "learned:replies"
"""The root under which the ledger has the tickets that were made of sent replies."""
NOTICE = "[withdrawn: the source of this statement is no longer available]"


def withdraw(connection: Connection, workspace: str, document_id: str) -> None:
    """Take the document's words out of every stored suggestion of the workspace; a statement that rested on it becomes a notice."""
    c = t.suggestions.c
    query = select(c.id, c.body).join(t.mentions, t.mentions.c.suggestion == c.id)
    query = query.where(c.workspace == workspace, t.mentions.c.document_id == document_id)
    for id, body in connection.execute(query.with_for_update(of=t.suggestions)).all():
        connection.execute(update(t.suggestions).where(c.id == id).values(body=without(body, document_id)))
        f, fate = t.feedback.c, t.fates.c
        connection.execute(update(t.feedback).where(f.suggestion == id).values(final_text=None, reason=None))
        told = select(f.id).where(f.suggestion == id)
        connection.execute(delete(t.fates).where(fate.feedback.in_(told), fate.document_id == document_id))
        mention = t.mentions.c
        connection.execute(delete(t.mentions).where(mention.suggestion == id, mention.document_id == document_id))


def unsay(connection: Connection, workspace: str, document_id: str) -> None:
    """Take the document's words out of stored drafts: it is not for customers any more. Beside them staff may see it still."""
    c = t.suggestions.c
    query = select(c.id, c.body).join(t.mentions, t.mentions.c.suggestion == c.id)
    query = query.where(c.workspace == workspace, t.mentions.c.document_id == document_id)
    for id, body in connection.execute(query.with_for_update(of=t.suggestions)).all():
        connection.execute(update(t.suggestions).where(c.id == id).values(body=unsaid(body, document_id)))


def unsaid(body: dict[str, Any], document_id: str) -> dict[str, Any]:
    """The suggestion's JSON without what its draft says of the document."""
    draft = body["draft"]
    cited = draft and any(
        one["document_id"] == document_id for said in draft["statements"] for one in said["citations"]
    )
    return {**body, "draft": _draft_without(draft, document_id)} if cited else body


def without(body: dict[str, Any], document_id: str) -> dict[str, Any]:
    """The suggestion's JSON without any word of the document."""
    kept = dict(body)
    for part in ("passages", "similar_tickets", "macros"):
        kept[part] = [one for one in body[part] if one["document_id"] != document_id]
    kept["guidance"] = [one for one in body["guidance"] if one["citation"]["document_id"] != document_id]
    if body["abstention"]:
        nearest = [one for one in body["abstention"]["nearest"] if one["document_id"] != document_id]
        kept["abstention"] = {**body["abstention"], "nearest": nearest}
    if body["draft"]:
        kept["draft"] = _draft_without(body["draft"], document_id)
    return kept


def _draft_without(draft: dict[str, Any], document_id: str) -> dict[str, Any]:
    """The draft with a notice in place of each statement that the document supported; offsets follow."""
    text, statements, done = "", [], 0
    for statement in draft["statements"]:
        text += draft["text"][done : statement["start"]]
        gone = any(citation["document_id"] == document_id for citation in statement["citations"])
        words = NOTICE if gone else draft["text"][statement["start"] : statement["end"]]
        changed = {"support": "withdrawn", "citations": []} if gone else {}
        statements.append({**statement, **changed, "start": len(text), "end": len(text) + len(words)})
        text += words
        done = statement["end"]
    # What was dropped has no citation to tell whether it came from this document: it goes too.
    return {**draft, "text": text + draft["text"][done:], "statements": statements, "dropped": []}


def unlearn(connection: Connection, workspace: str, keys: Collection[int]) -> None:
    """Drop the maps, and all else, that were learned from one of these documents."""
    gone, c = {str(key) for key in keys}, t.maps.c
    for row in connection.execute(select(c.embedder, c.basis).where(c.workspace == workspace)).all():
        if any(version.partition(".")[0] in gone for version in row.basis):
            connection.execute(delete(t.maps).where(c.workspace == workspace, c.embedder == row.embedder))
    forget_untaught(connection, workspace)


def falling(connection: Connection, workspace: str, keys: Collection[int], but: Collection[int] = ()) -> dict[int, str]:
    """Keys and ids of these documents, as far as they are there, with the documents that were made of them, and of those in turn; `but` stay."""
    d, found = t.documents.c, dict[int, str]()
    new: dict[int, str] = {}
    for some in parts(sorted(keys)):
        new |= {row.key: row.id for row in connection.execute(select(d.key, d.id).where(d.key.in_(some)))}
    while new:
        found |= new
        made = resting_on(connection, workspace, set(new.values()), but) | made_of(connection, workspace, new)
        new = {key: id for key, id in made.items() if key not in found and key not in but}
    return found


def made_of(connection: Connection, workspace: str, keys: Collection[int]) -> dict[int, str]:
    """Keys and ids of the articles that were put together from words of these documents."""
    p, part, d = t.proposals.c, t.proposal_parts.c, t.documents.c
    query = select(d.key, d.id).join(t.proposals, and_(p.workspace == d.workspace, p.document_id == d.id))
    query = query.join(t.proposal_parts, and_(part.workspace == p.workspace, part.proposal == p.id))
    found: dict[int, str] = {}
    for some in parts(sorted(keys)):
        rows = connection.execute(query.where(d.workspace == workspace, part.document.in_(some)).distinct())
        found |= {row.key: row.id for row in rows}
    return found


def requeue(connection: Connection, workspace: str, document_id: str) -> None:
    """The article is gone: its proposal waits again, with what is left of it, and without a title that may hold words of what is not."""
    p = t.proposals.c
    mine = and_(p.workspace == workspace, p.document_id == document_id)
    values: dict[str, str | None] = dict.fromkeys(("document_id", "title", "decided_at", "decided_by", "reason"))
    connection.execute(update(t.proposals).where(mine).values(state="waiting", **values))


def drop_empty(connection: Connection, workspace: str) -> None:
    """Forget the proposals of which no ticket is left."""
    p, part = t.proposals.c, t.proposal_parts.c
    left = select(part.proposal).where(part.workspace == p.workspace, part.proposal == p.id).exists()
    connection.execute(delete(t.proposals).where(p.workspace == workspace, ~left))


def has_learned(connection: Connection, workspace: str) -> bool:
    """Whether the workspace has a ticket that was made of a sent reply."""
    d = t.documents.c
    query = select(d.key).where(d.workspace == workspace, d.root == LEARNED).limit(1)
    return connection.execute(query).first() is not None


def resting_on(
    connection: Connection, workspace: str, ids: Collection[str], but: Collection[int] = ()
) -> dict[int, str]:
    """Keys and ids of the tickets made of replies that rest on one of these documents, or on a ticket that does; `but` do not."""
    found: dict[int, str] = {}
    nearest = sorted(ids) if has_learned(connection, workspace) else []
    while nearest:
        some, nearest = nearest[:MANY], nearest[MANY:]
        new = {
            key: id
            for key, id in _resting(connection, workspace, some)
            if key not in found and key not in but and id not in ids
        }
        found |= new
        nearest += new.values()
    return found


def _resting(connection: Connection, workspace: str, ids: Collection[str]) -> list[tuple[int, str]]:
    d, link = t.documents.c, t.links.c
    query = select(d.key, d.id).join(t.links, link.document == d.key)
    query = query.where(d.workspace == workspace, d.root == LEARNED, link.target.in_(ids)).distinct()
    return [(row.key, row.id) for row in connection.execute(query.order_by(d.key))]


def release(connection: Connection, key: int) -> None:
    """Forget that the document was set aside: its name and the reason go with it."""
    d, q = t.documents.c, t.quarantine.c
    place = select(d.workspace, d.root, d.origin).where(d.key == key)
    for row in connection.execute(place).all():
        mine = (q.workspace == row.workspace) & (q.root == row.root) & (q.origin == row.origin)
        connection.execute(delete(t.quarantine).where(mine))
