"""From a conversation to what is searched for: the latest ask in the customer's own words, with the subject in front."""

from __future__ import annotations

from collections.abc import Sequence

from copilot.domain import Conversation, Message, Triage
from copilot.errors import EmptyMessage
from copilot.text import normalise, own_words

SHORT = 8
CARRIES_ON = 3
FIRST_WORDS = 40


def search_text(conversation: Conversation) -> str:
    """Subject and latest customer message without quotes and signature; a short follow-up brings the turns before it along.

    A thread without a subject is about what the customer wrote first. Raises EmptyMessage where no customer message has a word.
    """
    return asked_in(conversation.subject, said(conversation))


def said(conversation: Conversation) -> list[str]:
    """Each customer turn in the customer's own words, oldest first; those without words are left out."""
    texts = (own_words(normalise(message.text)).strip() for message in customer_turns(conversation))
    return [text for text in texts if text]


def asked_in(subject: str, turns: Sequence[str]) -> str:
    """The same of a subject and turns in the customer's own words. Raises EmptyMessage where there are none."""
    if not turns:
        raise EmptyMessage("There is no customer message with words in it. Send at least one message by the customer.")
    latest = list(turns[-1:])
    for earlier in reversed(turns[-1 - CARRIES_ON : -1]):
        if sum(len(turn.split()) for turn in latest) >= SHORT:
            break
        latest.insert(0, earlier)
    subject = normalise(subject).strip()
    if not subject and len(latest) < len(turns):
        subject = " ".join(turns[0].split()[:FIRST_WORDS])
    return "\n\n".join([subject, *latest] if subject else latest)


def customer_turns(conversation: Conversation) -> list[Message]:
    """What the customer wrote, oldest first; private notes are nobody's turn."""
    return [m for m in conversation.messages if m.author == "customer" and m.visibility == "public"]


ASKS: tuple[tuple[frozenset[str], str, str], ...] = (
    (frozenset({"order_status", "return_refund", "warranty_claim"}), "order", "order number"),
    (frozenset({"billing_payment", "return_refund"}), "amount", "amount and date of the charge"),
    (frozenset({"technical_problem", "app_problem", "how_to", "setup_installation"}), "version", "product and version"),
    (frozenset({"technical_problem", "app_problem", "connectivity", "device_offline"}), "error", "exact error message"),
)
"""Intents, the entity that would tell, and the fact to ask for where it is missing."""


def missing_facts(triage: Triage) -> tuple[str, ...]:
    """What to ask the customer, given what they want and what they named already."""
    named = {entity.type for entity in triage.entities}
    asked = tuple(fact for intents, entity, fact in ASKS if triage.intent.label in intents and entity not in named)
    return asked or ("what exactly happens, and what was expected instead",)
