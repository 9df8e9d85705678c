"""From a conversation to what is searched for: the latest ask in the customer's own words, with the subject in front."""

from __future__ import annotations

import re
from collections.abc import Sequence

from copilot.domain import Conversation, Message, Triage
from copilot.errors import EmptyMessage
from copilot.scripts import count_words
from copilot.text import normalise, own_words, straight

SHORT = 8
CARRIES_ON = 3
FIRST_WORDS = 40


def search_text(conversation: Conversation) -> str:
    """Subject and latest customer message without quotes and signature; a short follow-up brings the turns before it along.

    A thread without a subject is about what the customer wrote first, until they say that they ask something else.
    Raises EmptyMessage where neither a customer's message nor its subject has a word.
    """
    return asked_in(conversation.subject, said(conversation))


def replies(conversation: Conversation) -> str:
    """What agents have written to the customer, one reply under the other."""
    return "\n".join(m.text for m in conversation.messages if m.author == "agent" and m.visibility == "public")


def has_words(conversation: Conversation) -> bool:
    """Whether a customer's message or its subject has a word: a thread that its help desk sends again may have none left where it once was asked."""
    return bool(said(conversation))


def said(conversation: Conversation) -> list[str]:
    """Each customer turn in the customer's own words, oldest first; those without words are left out.

    Where that leaves none, the subject is what they wrote: a mail may ask everything there.
    """
    turns = customer_turns(conversation)
    texts = (straight(own_words(normalise(message.text))).strip() for message in turns)
    subject = _subject(conversation) if turns else ""
    return [text for text in texts if text] or ([subject] if subject else [])


def _subject(conversation: Conversation) -> str:
    return straight(normalise(conversation.subject)).strip()


def asked_in(subject: str, turns: Sequence[str]) -> str:
    """The same of a subject and turns in the customer's own words. Raises EmptyMessage where there are none."""
    if not turns:
        raise EmptyMessage("There is no customer message with words in it. Send at least one message by the customer.")
    if begun := next((at for at in range(len(turns) - 1, 0, -1) if _begins_anew(turns[at])), 0):
        subject, turns = "", turns[begun:]
    latest, subject = carried(turns), straight(normalise(subject)).strip()
    if [subject] == turns:  # a mail that is all subject
        subject = ""
    elif borrows(subject, turns):
        subject = " ".join(turns[0].split()[:FIRST_WORDS])
    return "\n\n".join([subject, *latest] if subject else latest)


def borrows(subject: str, turns: Sequence[str]) -> bool:
    """Whether the thread's first words stand in for a subject, in a paragraph of their own before the latest ask."""
    return not normalise(subject).strip() and len(carried(turns)) < len(turns)


def carried(turns: Sequence[str]) -> list[str]:
    """The latest turn; a short one brings turns before it along, back to where something else was asked."""
    latest = list(turns[-1:])
    for earlier in reversed(turns[-1 - CARRIES_ON : -1]):
        if sum(count_words(turn) for turn in latest) >= SHORT or _begins_anew(latest[0]):
            break
        latest.insert(0, earlier)
    return latest


def as_asked(asked: str, turns: Sequence[str]) -> list[str]:
    """The same turns as they stand at the end of what is searched for, where words may be spelt as they are meant."""
    left, found = asked.split("\n\n"), list[str]()
    for turn in reversed(carried(turns)):
        paragraphs = turn.count("\n\n") + 1
        found.insert(0, "\n\n".join(left[-paragraphs:]))
        del left[-paragraphs:]
    return found


def customer_turns(conversation: Conversation) -> list[Message]:
    """What the customer wrote, oldest first; private notes are nobody's turn."""
    return [m for m in conversation.messages if m.author == "customer" and m.visibility == "public"]


# ---- a short turn by itself ----

_JOINS = (
    r"and|or|but|for|in|into|on|with|without|by|from|to|at|of|since|until|till|before|after|because|only|just|even|both|"
    r"yes|yep|yeah|no|nope|not|still|same|it|its|it's|this|that|these|those|they|he|she|"
    r"(?:last |next )?(?:mon|tues|wednes|thurs|fri|satur|sun)day|yesterday|today|tomorrow|"
    r"und|oder|aber|für|am|mit|ohne|bei|von|zu|an|auf|seit|bis|weil|nur|auch|ja|nein|nicht|immer|gleich|es|das|dies\w*|"
    r"et|ou|mais|pour|dans|en|sur|avec|sans|par|depuis|jusqu\w*|oui|non|pas|toujours|il|elle|ça|cela|"
    r"maar|voor|op|met|zonder|door|sinds|tot|nee|niet|nog|dezelfde|het|dat|dit|"
    r"y|o|pero|para|con|sin|por|desde|hasta|sí|si|todavía|lo mismo|eso|esto"
)
_WISH = (
    r"please|can|could|would|will|how (?:do|can|much)|where|when|which|i (?:want|need|would|'d)|i'd|"
    r"bitte|kann|können|wie|wo|ich (?:möchte|will|brauche)|pouvez|peux|comment|où|je (?:veux|voudrais)|kan|kunt|hoe|waar|ik wil|"
    r"puede|puedes|cómo|dónde|quiero"
)
_LEADS_ON = re.compile(
    rf"(?!(?:and|but|no|und|aber|nein|et|mais|non|en|maar|nee|y|pero)[, ]+(?:{_WISH})\b)(?:{_JOINS})(?![\w'])", re.I
)
"""How a turn begins that goes on with what was said: "and for my wife?", "same with the new one"."""
_POINTS_BACK = re.compile(
    r"\b(?:it|this|that|these|those|them|one|ones|same|still|already|there|others?|both|i'll|i will|"
    r"es|das|diese[nrms]?|damit|davon|noch|schon|wieder|andere[nrs]?|ça|cela|celui|celle|encore|déjà|autre|"
    r"het|dat|deze|dit|daarmee|nog|alweer|andere|eso|esto|ese|esa|todavía|aún|ya|otr[oa])\b",
    re.I,
)
_DISMISSED = re.compile(
    r"^\W*(?:forget (?:it|that|about it)|never ?mind(?: that)?|leave it|vergiss es|laisse tomber|laat maar|olvídalo)\W+",
    re.I,
)
_REQUEST = rf"(?:{_WISH}|cancel|delete|refund|return|stop|send|close|change)\b"
_FACT = re.compile(
    rf"@|^(?!{_REQUEST}).*\d{{3}}|^(?:i (?:use|have|am on|run)|i'm (?:on|using)|"
    r"(?:my|the) (?:e-?mail|name|address|(?:phone |order )?number|version|model|browser)(?: address)? is)\b",
    re.I | re.S,
)
"""What an agent may have asked for: a number, an address, the app that is used."""
_THANKS = re.compile(r"\b(?:thanks|thank you|thx|cheers|danke|merci|bedankt|dank (?:je|u)|gracias)\b", re.I)
_NOT_ALL = re.compile(r"\?|\b(?:but|try|not|n't|still|aber|nicht|mais|pas|maar|niet|pero|no)\b|n't\b", re.I)
_ANEW = re.compile(
    r"\b(?P<said>"
    r"(?:another|a (?:completely |totally |very )?different|an unrelated) (?:question|problem|issue|thing|matter|topic|subject|request|note)|"
    r"something (?:else|different)|andere[nrs]? (?:frage|problem|thema|anliegen)|etwas anderes|"
    r"autre (?:question|problème|chose|sujet)|andere (?:vraag|kwestie)|ander (?:probleem|onderwerp)|iets anders|"
    r"otr[ao] (?:pregunta|cosa|problema|tema|asunto))\b[^.!?:;,\n–—-]{0,25}[.!:;,\n–—-]\s*\w",
    re.I,
)
"""A matter that is announced, and follows: "I received something else" is about the same one."""
FEWEST = 3
ALONE, ALONE_THANKS, ALONE_DOUBTED = 0.6, 0.3, 0.9
"""How sure a short turn's own intent must be: of a plain wish, of thanks, and where few words, or one of them, point back."""


def _begins_anew(turn: str) -> bool:
    """Whether a turn says that it asks something else, and nothing behind that points back."""
    said_so = _ANEW.search(turn)
    return said_so is not None and not _POINTS_BACK.search(turn, said_so.end("said"))


def stands_from(turn: str) -> float | None:
    """The confidence from which a short turn read alone is what is asked now; None where it only goes on with the turns before."""
    turn = _DISMISSED.sub("", turn)
    if _THANKS.search(turn) and not _NOT_ALL.search(turn):
        return ALONE_THANKS
    if _LEADS_ON.match(turn) or _FACT.search(turn):
        return None
    return ALONE_DOUBTED if count_words(turn) < FEWEST or _POINTS_BACK.search(turn) else ALONE


# ---- facts to ask for ----

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
