"""What the product remembers of its work: conversations, suggestions with their evidence, feedback, gaps, idempotency keys."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from copilot.choices import Corrected, Fate, Feedback, fates
from copilot.domain import PUBLIC, Citation, Conversation, Message, Suggestion
from copilot.errors import Conflict, NotFound
from copilot.store import schema as t
from copilot.store.database import Database
from copilot.store.gaps import Asked, note_gap
from copilot.store.mentioned import SUGGESTION, mentions, used, without_documents, without_quotes
from copilot.store.threads import asks_again, sent_again, with_message
from copilot.store.unlearn import forget_untaught
from copilot.store.values import now

CONVERSATION = TypeAdapter(Conversation)
MESSAGE = TypeAdapter(Message)
IDEMPOTENCY_HOURS = 24
STILL_THERE = (
    select(t.documents.c.id, t.documents.c.audience)
    .where(
        t.documents.c.workspace == bindparam("workspace"),
        t.documents.c.id.in_(bindparam("ids", expanding=True)),
        t.documents.c.active_revision.is_not(None),
    )
    .with_for_update(read=True)
)
"""Put together once, as is the next: every suggestion asks them."""
OTHERS = (
    select(t.suggestions.c.id, t.suggestions.c.body, t.suggestions.c.created_at)
    .where(
        t.suggestions.c.workspace == bindparam("workspace"),
        t.suggestions.c.conversation == bindparam("conversation"),
        t.suggestions.c.id != bindparam("id"),
    )
    .with_for_update()
)


@dataclass(frozen=True, slots=True)
class Stored:
    """A conversation as kept, with when it came, when it was resolved, and when its messages last changed."""

    conversation: Conversation
    created_at: datetime
    resolved_at: datetime | None
    changed_at: datetime


class Records:
    """Keeps and finds them, each within its workspace."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # -- conversations -------------------------------------------------------------------------------------------

    def keep_conversation(self, workspace: str, conversation: Conversation) -> None:
        """Store the conversation, which has an id; raises Conflict where the id is taken."""
        at = now()
        row = {"workspace": workspace, "id": conversation.id, "body": _json(CONVERSATION, conversation)}
        row |= {"created_at": at, "changed_at": at}
        try:
            with self._db.write() as connection:
                connection.execute(insert(t.conversations).values(row))
        except IntegrityError as error:
            raise Conflict(
                f"There is a conversation {conversation.id!r} already. Add to it with POST …/messages."
            ) from error

    def put_conversation(self, workspace: str, conversation: Conversation) -> tuple[Conversation, datetime]:
        """Store the conversation as the help desk has it now, and return it with when that was; messages added here and who the customer is stay.

        One that was resolved is open again where the customer has written since.
        """
        now_there = _json(CONVERSATION, conversation)
        with self._db.write() as connection:
            row, at = _row(connection, workspace, conversation.id or "", lock=True), now()
            if row is not None:
                body = sent_again(row["body"], now_there)
                if body != row["body"]:
                    values = {"body": body, "changed_at": at}
                    if asks_again(row["body"], body):
                        values["resolved_at"] = None
                    _update_conversation(connection, workspace, conversation.id or "", **values)
                return CONVERSATION.validate_python(body), at
        try:
            self.keep_conversation(workspace, conversation)
        except Conflict:  # another request stored it first
            return self.put_conversation(workspace, conversation)
        return conversation, now()

    def rejoined(self, workspace: str, conversation: Conversation, *, keeps_channel: bool = False) -> Conversation:
        """The conversation with what is stored under its id and is not sent again: as `put_conversation` will store it.

        `keeps_channel` says that no channel was sent.
        """
        if conversation.id is None:
            return conversation
        with self._db.read() as connection:
            row = _row(connection, workspace, conversation.id)
        if row is None:
            return conversation
        sent = _json(CONVERSATION, conversation) | ({"channel": row["body"]["channel"]} if keeps_channel else {})
        return CONVERSATION.validate_python(sent_again(row["body"], sent))

    def has_conversation(self, workspace: str, id: str | None) -> bool:
        """Whether a conversation is stored under the id."""
        if id is None:
            return False
        with self._db.read() as connection:
            return _row(connection, workspace, id) is not None

    def conversation(self, workspace: str, id: str) -> Stored:
        """The conversation. Raises NotFound."""
        with self._db.read() as connection:
            return _conversation(connection, workspace, id)

    def add_message(self, workspace: str, id: str, message: Message) -> Conversation:
        """The conversation with the message at its end. Raises NotFound."""
        with self._db.write() as connection:
            body = with_message(_kept(connection, workspace, id, lock=True)["body"], _json(MESSAGE, message))
            _update_conversation(connection, workspace, id, body=body, resolved_at=None, changed_at=now())
        return CONVERSATION.validate_python(body)

    def resolve(self, workspace: str, id: str) -> Stored:
        """Mark the conversation as resolved now. Raises NotFound."""
        with self._db.write() as connection:
            _conversation(connection, workspace, id)
            _update_conversation(connection, workspace, id, resolved_at=now())
            return _conversation(connection, workspace, id)

    # -- suggestions ---------------------------------------------------------------------------------------------

    def keep_suggestion(
        self, workspace: str, suggestion: Suggestion, key: str | None = None, sources: Collection[str] = (),
        turns: int | None = None, asked: Asked | None = None, stored: bool = False,
    ) -> Suggestion:  # fmt: skip
        """Store the suggestion with the ids of all documents that it shows or was made from; completes its idempotency key.

        `turns` is how many messages of the conversation there were: those teach what its choices teach. `asked` is kept where there was no answer.
        `stored` says that its conversation is: where that was erased meanwhile, nothing is kept, and NotFound raised.

        What is returned and stored is without the words of documents deleted while it was made, its draft without those of what became internal.
        """
        with self._db.write() as connection:
            named = mentions(suggestion) | set(sources)
            there = _still_there(connection, workspace, named)
            gone = named - there.keys()
            suggestion = without_documents(suggestion, gone)
            suggestion = without_quotes(suggestion, {id for id, audience in there.items() if audience != PUBLIC})
            connection.execute(insert(t.suggestions).values(
                id=suggestion.id, workspace=workspace, conversation=suggestion.conversation_id, status=suggestion.status,
                body=_json(SUGGESTION, suggestion), turns=turns, created_at=suggestion.created_at,
            ))  # fmt: skip
            use = used(suggestion)
            mentioned = [
                {"suggestion": suggestion.id, "document_id": id, "used": id in use} for id in sorted(named - gone)
            ]
            if mentioned:
                connection.execute(insert(t.mentions), mentioned)
            note_gap(connection, workspace, suggestion, asked)
            if key is not None:
                mine = (t.idempotency.c.workspace == workspace) & (t.idempotency.c.key == key)
                connection.execute(update(t.idempotency).where(mine).values(suggestion=suggestion.id))
            suggestion = _supersede(connection, workspace, suggestion)
            if stored:  # last, so that locks are taken in the order in which erasing takes them
                _kept(connection, workspace, suggestion.conversation_id, lock=True)
        return suggestion

    def suggestion(self, workspace: str, id: str) -> Suggestion:
        """The suggestion as it was given, but for statements withdrawn since. Raises NotFound."""
        with self._db.read() as connection:
            return _suggestion(connection, workspace, id)

    def cited(self, workspace: str, ids: Collection[str]) -> tuple[Citation, ...]:
        """What the drafts of these suggestions rest on; of those that are gone by now, nothing."""
        c = t.suggestions.c
        query = select(c.body).where(c.workspace == workspace, c.id.in_(ids)).order_by(c.created_at, c.id)
        with self._db.read() as connection:
            made = [SUGGESTION.validate_python(body) for body in connection.execute(query).scalars()]
        drafts = [one.draft for one in made if one.draft]
        return tuple(found for draft in drafts for said in draft.statements for found in said.citations)

    def latest(self, workspace: str, conversation: str) -> Suggestion | None:
        """The newest suggestion for the conversation, None where there is none. Raises NotFound for an unknown conversation."""
        c = t.suggestions.c
        query = select(c.body).where(c.workspace == workspace, c.conversation == conversation)
        with self._db.read() as connection:
            body = connection.execute(query.order_by(c.created_at.desc(), c.id).limit(1)).scalar()
            if body is None:
                _conversation(connection, workspace, conversation)
        return SUGGESTION.validate_python(body) if body is not None else None

    def keep_feedback(
        self, workspace: str, suggestion: str, principal: str, given: Feedback, edit_distance: float
    ) -> tuple[Fate, ...]:
        """Store what the agent did and what became of each cited statement; a later verdict stands beside an earlier one.

        No decision is later than now or earlier than its suggestion, whatever a clock says. Raises NotFound, InputError.
        """
        with self._db.write() as connection:
            made, present = _suggestion(connection, workspace, suggestion, lock=True), now()
            decided = max(made.created_at, min(given.decided_at or present, present))
            found = fates(made.draft, given, decided)
            if _is_withdrawn(made):  # what the agent still had on screen is gone, too
                given = replace(given, final_text=None, reason=None)
            stored = connection.execute(insert(t.feedback).values(
                suggestion=suggestion, principal=principal, verdict=given.verdict, final_text=given.final_text, reason=given.reason,
                shown_at=given.shown_at and max(made.created_at, min(given.shown_at, decided)), decided_at=decided,
                edit_distance=edit_distance, copied=given.copied, intent=made.triage.intent.label,
                generator=made.draft and made.draft.generator, prompt_version=made.provenance.prompt_version,
                corrected_intent=given.corrected.intent, corrected_mood=given.corrected.mood, corrected_escalation=given.corrected.escalation,
            ))  # fmt: skip
            id = int(stored.inserted_primary_key[0])  # type: ignore[index]
            if found:
                connection.execute(insert(t.fates), [{"feedback": id, **asdict(fate)} for fate in found])
        return found

    def feedback(self, workspace: str, suggestion: str) -> Feedback | None:
        """The verdict that counts, the last, without what was looked up; None where none was given. Raises NotFound."""
        f = t.feedback.c
        query = select(t.feedback).where(f.suggestion == suggestion).order_by(f.id.desc()).limit(1)
        with self._db.read() as connection:
            _suggestion(connection, workspace, suggestion)
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        said = {name: row[name] for name in ("verdict", "final_text", "reason", "shown_at", "decided_at", "copied")}
        corrected = {name: row[f"corrected_{name}"] for name in ("intent", "mood", "escalation")}
        return Feedback(**said, corrected=Corrected(**corrected))

    # -- the same request twice ----------------------------------------------------------------------------------

    def claim(self, workspace: str, key: str, request_hash: str) -> Suggestion | None:
        """None where the key is now ours; the suggestion where the same request was answered before, with documents that are in force still.

        Raises Conflict while the first is in flight. A key with another request raises Conflict too; `mismatch` says so.
        """
        c = t.idempotency.c
        mine = (c.workspace == workspace) & (c.key == key)
        with self._db.write() as connection:
            connection.execute(delete(t.idempotency).where(c.created_at < now() - timedelta(hours=IDEMPOTENCY_HOURS)))
            row = connection.execute(select(t.idempotency).where(mine)).mappings().first()
            if row is None:
                values = {"workspace": workspace, "key": key, "request_hash": request_hash, "created_at": now()}
                try:
                    with connection.begin_nested():
                        connection.execute(insert(t.idempotency).values(values))
                except IntegrityError as error:  # two at once: the other was first
                    raise Conflict(
                        "Another request with this Idempotency-Key came at the same moment. Try again."
                    ) from error
                return None
        if row["request_hash"] != request_hash:
            raise KeyReused("This Idempotency-Key was used with another request. Use a new key for a new request.")
        if row["suggestion"] is None:
            raise Conflict(
                "The first request with this Idempotency-Key is still being answered. Try again in a moment."
            )
        with self._db.write() as connection:
            made = _suggestion(connection, workspace, row["suggestion"])
            if not _is_withdrawn(made) and not _expired(connection, workspace, mentions(made)):
                return made
            again = mine & (c.suggestion == made.id)
            if connection.execute(
                update(t.idempotency).where(again).values(suggestion=None, created_at=now())
            ).rowcount:
                return None
        raise Conflict("Another request with this Idempotency-Key came at the same moment. Try again.")

    def release(self, workspace: str, key: str) -> None:
        """Give up a claimed key whose request failed, so that it can be tried again."""
        c = t.idempotency.c
        with self._db.write() as connection:
            connection.execute(
                delete(t.idempotency).where(c.workspace == workspace, c.key == key, c.suggestion.is_(None))
            )

    def forget_orphans(self, workspace: str) -> int:
        """Delete suggestions whose conversation is not kept: whose words they hold nobody could tell any more. How many those were."""
        s, v = t.suggestions.c, t.conversations.c
        there = select(v.id).where(v.workspace == s.workspace, v.id == s.conversation).exists()
        with self._db.write() as connection:
            gone = connection.execute(delete(t.suggestions).where(s.workspace == workspace, ~there)).rowcount
            if gone:
                forget_untaught(connection, workspace)
        return gone

    def forget_older_than(self, days: int) -> None:
        """Delete conversations whose thread did not change for so long, their suggestions, older ones, and claims that a crash left in flight."""
        limit, s, v = now() - timedelta(days=days), t.suggestions.c, t.conversations.c
        theirs = select(v.id).where(v.workspace == s.workspace, v.id == s.conversation, v.changed_at < limit).exists()
        with self._db.write() as connection:
            connection.execute(delete(t.suggestions).where(or_(s.created_at < limit, theirs)))
            connection.execute(delete(t.conversations).where(v.changed_at < limit))
            for workspace in connection.execute(select(t.trained.c.workspace).distinct()).scalars().all():
                forget_untaught(connection, workspace)
            connection.execute(delete(t.idempotency).where(t.idempotency.c.suggestion.is_(None)))


class KeyReused(Conflict):
    """An idempotency key came with another request than its first."""


def _still_there(connection: Connection, workspace: str, ids: Collection[str]) -> dict[str, str]:
    """Who may see each of the documents that are there."""
    rows = connection.execute(STILL_THERE, {"workspace": workspace, "ids": sorted(ids)})
    return {row.id: row.audience for row in rows}


def _is_withdrawn(made: Suggestion) -> bool:
    """Whether a document that the draft rested on was deleted."""
    return made.draft is not None and any(one.support == "withdrawn" for one in made.draft.statements)


def _expired(connection: Connection, workspace: str, ids: Collection[str]) -> bool:
    """Whether one of the documents is not in force any more, or not yet."""
    d, present = t.documents.c, now()
    over = or_(d.valid_until <= present, d.valid_from > present)
    query = select(d.id).where(d.workspace == workspace, d.id.in_(sorted(ids)), over).limit(1)
    return connection.execute(query).first() is not None


def _supersede(connection: Connection, workspace: str, made: Suggestion) -> Suggestion:
    """Earlier suggestions for the same conversation name this one; this one, where it took longer than a later one, names that.

    Locked, so that a withdrawal in between is not written over.
    """
    c, later = t.suggestions.c, list[tuple[datetime, str]]()
    mine = {"workspace": workspace, "conversation": made.conversation_id, "id": made.id}
    for id, body, at in connection.execute(OTHERS, mine).all():
        if at > made.created_at:
            later.append((at, id))
        elif body["superseded_by"] is None:
            connection.execute(update(t.suggestions).where(c.id == id).values(body={**body, "superseded_by": made.id}))
    if later:
        made = replace(made, superseded_by=max(later)[1])
        connection.execute(update(t.suggestions).where(c.id == made.id).values(body=_json(SUGGESTION, made)))
    return made


def _json(adapter: TypeAdapter[Any], value: object) -> Any:
    return adapter.dump_python(value, mode="json")


def _suggestion(connection: Connection, workspace: str, id: str, *, lock: bool = False) -> Suggestion:
    c = t.suggestions.c
    query = select(c.body).where(c.workspace == workspace, c.id == id)
    body = connection.execute(query.with_for_update() if lock else query).scalar()
    if body is None:
        raise NotFound(f"There is no suggestion {id!r}.")
    return SUGGESTION.validate_python(body)


def _conversation(connection: Connection, workspace: str, id: str) -> Stored:
    row = _kept(connection, workspace, id)
    return Stored(CONVERSATION.validate_python(row["body"]), row["created_at"], row["resolved_at"], row["changed_at"])


def _kept(connection: Connection, workspace: str, id: str, *, lock: bool = False) -> RowMapping:
    row = _row(connection, workspace, id, lock=lock)
    if row is None:
        raise NotFound(f"There is no conversation {id!r}.")
    return row


def _row(connection: Connection, workspace: str, id: str, *, lock: bool = False) -> RowMapping | None:
    c = t.conversations.c
    query = select(t.conversations).where(c.workspace == workspace, c.id == id)
    return connection.execute(query.with_for_update() if lock else query).mappings().first()


def _update_conversation(connection: Connection, workspace: str, id: str, **values: Any) -> None:
    c = t.conversations.c
    connection.execute(update(t.conversations).where(c.workspace == workspace, c.id == id).values(**values))
