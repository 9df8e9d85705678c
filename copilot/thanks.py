"""Whether a customer only says thanks: then nothing is to be looked up, and the steps that helped are not told again."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import takewhile

from copilot.domain import Conversation
from copilot.query import said
from copilot.text import normalise, straight

MOST_WORDS = 20
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_THANKS = "thanks thank thankyou thx ty cheers danke dankeschön dank merci bedankt gracias"
_HELPED = (
    "worked works helped resolved sorted solved fixed geklappt funktioniert marche "
    "fonctionne werkt gelukt opgelost funciona solucionado resuelto résolu réglé gelöst"
)
_AROUND = (
    "ok okay k oh ah aha hi hello hey great perfect super awesome amazing brilliant excellent wonderful fantastic lovely nice cool "
    "good fine all well done you u so very much many a the lot lots for your this that these it it's its that's is was did has have i "
    "i'm am trick now finally working help helping helpful quick fast prompt kind reply response answer support advice "
    "team everyone happy glad really just appreciate appreciated and can close closed be ticket case best regards "
    "vielen herzlichen besten perfekt prima toll klasse es das hat geht läuft jetzt nun alles gut bestens für ihre ihren eure die den "
    "schnelle hilfe antwort unterstützung sehr freundlich geholfen ist erledigt mir und mit freundlichen grüßen viele grüße lg mfg "
    "beaucoup bien bcp parfait génial c'est ça cela maintenant tout est bon pour votre aide réponse rapide la de à vous bonne journée cordialement "
    "je u wel heel erg hartelijk top het dat nu voor uw jullie snelle hulp reactie goed fijn en groet groeten met vriendelijke "
    "muchas mil perfecto genial ya todo por su tu ayuda respuesta rápida ahora saludos muy amable y"
)
_SOLVED, _SAYS = frozenset(_HELPED.split()), frozenset(f"{_THANKS} {_HELPED}".split())
_KNOWN = _SAYS | frozenset(_AROUND.split())
_YES = frozenset("yes yep yeah ja oui sí si".split())
"""With thanks alone it takes up what an agent offered."""
_ASKS = re.compile(
    r"[?？]|(?:^|[.!,;:–\n-])\W*(?:is|does|do|did (?:it|this|that|you)|has|have you|can (?!close|be closed)|could|would|will)\b|"
    r"^\W*(?:was|hat|ist|est)\b|"
    r"\b(?:help|answer|reply|response) (?:is|would be) (?:\w+ )?appreciated\b",
    re.I,
)
_FAREWELL = re.compile(r"\b(?:have an? )?(?:nice|good|great|lovely) (?:day|evening|weekend)\b", re.I)
_ONCE_MORE = re.compile(
    r"\b(thanks|thank you|thx|works?|worked|working|geht|läuft|funktioniert|klappt|werkt)"
    r"((?: (?:so|very|much|a|lot|fine|es|alles|jetzt|nun|nu|het))*) (?:again|wieder|weer)\b",
    re.I,
)
"""Elsewhere these words may tell that it is as bad as before."""
_ADDRESSED = re.compile(r"(?:(?i:\b(?:thanks|thank you|thx|cheers|danke|merci|bedankt|gracias)),? )([A-Z][\w-]+)")


def only_thanks(conversation: Conversation) -> bool:
    """Whether all that the customer wrote since the last reply says thanks, or that it works now; before a reply the subject too."""
    public = [
        one for one in conversation.messages if one.visibility == "public" and one.author in ("customer", "agent")
    ]
    latest = tuple(takewhile(lambda one: one.author == "customer", reversed(public)))
    turns = said(replace(conversation, messages=latest))
    subject = straight(normalise(conversation.subject)).strip()
    if len(latest) == len(public) and subject:
        turns = [*turns, subject]
    replied = frozenset(word for one in public if one.author == "agent" for word in _WORD.findall(one.text))
    named = _WORD.findall(conversation.customer.name or "")
    return conversation.channel != "phone" and bool(turns) and all(_closes(turn, named, replied) for turn in turns)


def _closes(turn: str, named: list[str], replied: frozenset[str]) -> bool:
    """`named` is the customer, and who is thanked stands in what we replied: any other word tells something."""
    if _ASKS.search(turn):
        return False
    words = [word.lower() for word in _WORD.findall(_ONCE_MORE.sub(r"\1\2", _FAREWELL.sub("", turn)))]
    thanked = (name for name in _ADDRESSED.findall(turn) if name in replied)
    known = _KNOWN.union(name.lower() for name in (*named, *thanked))
    if not _SOLVED.isdisjoint(words):
        known |= _YES
    return len(words) <= MOST_WORDS and not _SAYS.isdisjoint(words) and known.issuperset(words)
