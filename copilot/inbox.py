"""The inbox: each conversation read once for what its customer wants, how they feel and how soon, and sorted by who needs a person first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from copilot.assist import Copilot
from copilot.case import in_utc
from copilot.domain import Conversation, Escalation, Message, Triage
from copilot.errors import EmptyMessage
from copilot.escalate import LEVELS
from copilot.store.inbox import Entry, Facets, Filter, Glance, Glances, State, folded
from copilot.store.records import Stored
from copilot.store.values import now
from copilot.text import normalise, own_words

SNIPPET = 240
SEARCHED = 20_000
"""So many characters of a conversation's end can be searched for."""
AT_ONCE = 200
"""So many conversations are read before a list is shown; after an upgrade the next look reads on."""
SEVERAL_WRITERS = timedelta(seconds=2)
"""A change may be seen so much later than it is dated: it was written by a transaction that took a while."""
LOOK_AT_ALL = timedelta(minutes=1)
"""So often everything is looked at and not only what changed lately: another process's clock may be behind."""
URGENCY = {"low": 0, "normal": 1, "high": 2}


@dataclass(frozen=True, slots=True)
class Mark:
    """Until when everything had been read, and when all was looked at for the last time."""

    until: datetime
    whole: datetime


class Inbox:
    """Lists conversations as they stand; what has not been read since it changed is read first."""

    def __init__(self, glances: Glances, copilot: Copilot) -> None:
        self._glances, self._copilot = glances, copilot
        self._marks: dict[str, Mark] = {}

    def read(self, workspace: str) -> int:
        """Read what arrived or changed since the last time; how many conversations that were. Embeds one text each."""
        at, mark = now(), self._marks.get(workspace)
        known = mark if mark and at - mark.whole < LOOK_AT_ALL else None
        unread = self._glances.unread(workspace, AT_ONCE, known.until - SEVERAL_WRITERS if known else None)
        self._keep(workspace, unread)
        if len(unread) < AT_ONCE:
            self._marks[workspace] = Mark(at, known.whole if known else at)
        return len(unread)

    def _keep(self, workspace: str, unread: Iterable[Stored]) -> None:
        for stored in unread:
            glance = self._glance(workspace, stored)
            self._glances.keep(workspace, stored, glance, _words(stored.conversation))

    def page(self, workspace: str, wanted: Filter, after: str | None, limit: int) -> list[Entry]:
        """The wanted conversations in the order in which they should be answered. Raises NotFound for an unknown `after`."""
        self.read(workspace)
        return self._glances.page(workspace, wanted, after, limit)

    def one(self, workspace: str, id: str) -> Entry:
        """The conversation as the list shows it. Raises NotFound."""
        if self.read(workspace) == AT_ONCE:  # it may be among those that wait
            self._keep(workspace, self._glances.unread(workspace, 1, id=id))
        return self._glances.one(workspace, id)

    def facets(self, workspace: str, state: State) -> Facets:
        """How many conversations of that state there are, by what can be filtered for."""
        return self._glances.facets(workspace, state)

    def changed(self, workspace: str, since: datetime) -> list[Entry]:
        """What arrived, was continued, resolved or opened again since then; something of two seconds before may come again."""
        self.read(workspace)
        return self._glances.changed(workspace, since - SEVERAL_WRITERS)

    def of_customer(self, workspace: str, customer: str, limit: int) -> list[Entry]:
        """A customer's conversations over all channels, the latest first."""
        if self.read(workspace) == AT_ONCE:
            self._keep(workspace, self._glances.unread(workspace, limit, customer=customer))
        return self._glances.of_customer(workspace, customer, limit)

    def _glance(self, workspace: str, stored: Stored) -> Glance:
        conversation = stored.conversation
        triage, escalation = self._tags(workspace, conversation)
        waiting = _waiting_since(stored)
        last = _latest_of_customer(conversation)
        return Glance(
            channel=conversation.channel, subject=conversation.subject, customer=conversation.customer,
            snippet=_snippet(last.text) if last else "", messages=len(conversation.messages), last_at=_last_at(stored),
            waiting_since=waiting, triage=triage, escalation=escalation, rank=_rank(waiting, triage, escalation),
        )  # fmt: skip

    def _tags(self, workspace: str, conversation: Conversation) -> tuple[Triage | None, Escalation | None]:
        try:
            return self._copilot.read(workspace, conversation)
        except EmptyMessage:
            return None, None


def _rank(waiting: datetime | None, triage: Triage | None, escalation: Escalation | None) -> int:
    """Who waits comes before who does not, then urgency counts, then whether a person of which level should step in; an emergency is urgent."""
    called = escalation.level if escalation and escalation.recommended else None
    urgency = URGENCY["high"] if called == LEVELS[-1] else URGENCY.get(triage.urgency.label, 1) if triage else 0
    return 100 * (waiting is not None) + 10 * urgency + (1 + LEVELS.index(called) if called else 0)


def _waiting_since(stored: Stored) -> datetime | None:
    """When the customer first wrote after our last public word; None where that word is the last."""
    since = None
    for message in _public(stored.conversation):
        if message.author == "customer":
            since = since or _time(message, stored)
        elif message.author == "agent":
            since = None
    return since


def _last_at(stored: Stored) -> datetime:
    public = _public(stored.conversation)
    return _time(public[-1], stored) if public else stored.created_at


def _time(message: Message, stored: Stored) -> datetime:
    """When a message was written; without a date of its own, when the conversation last changed."""
    return in_utc(message.at) if message.at else stored.changed_at


def _public(conversation: Conversation) -> list[Message]:
    return [message for message in conversation.messages if message.visibility == "public"]


def _latest_of_customer(conversation: Conversation) -> Message | None:
    return next((m for m in reversed(_public(conversation)) if m.author == "customer"), None)


def _snippet(text: str) -> str:
    """The beginning of what the customer says in their own words, on one line."""
    words = " ".join(own_words(normalise(text[:SEARCHED])).split()) or " ".join(text[:SEARCHED].split())
    return words if len(words) <= SNIPPET else f"{words[:SNIPPET].rstrip()}…"


def _words(conversation: Conversation) -> str:
    """What the conversation can be searched by: its subject, its customer, and the words of its end."""
    who = conversation.customer
    text = "\n".join(message.text for message in conversation.messages)[-SEARCHED:]
    return folded("\n".join(filter(None, (conversation.subject, who.name, who.id, text))))
