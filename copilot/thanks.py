"""Whether a customer only says thanks: then nothing is to be looked up, and the steps that helped are not told again."""

from __future__ import annotations

import re

from copilot.domain import Conversation
from copilot.query import replies, said
from copilot.text import normalise, straight

MOST_WORDS = 20
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_THANKS = "thanks thank thankyou thx ty cheers danke dankeschön dank merci bedankt gracias"
_HELPED = "worked works solved fixed geklappt funktioniert marche fonctionne werkt gelukt opgelost funciona solucionado resuelto résolu réglé gelöst"
_AROUND = (
    "ok okay k oh ah aha hi hello hey yes yep yeah great perfect super awesome amazing brilliant excellent wonderful fantastic lovely nice cool "
    "good fine all well done you u so very much many a an the lot lots again for your this that these it it's its that's is was did has have i "
    "i'm am trick now finally resolved sorted working help helped helping helpful quick fast prompt kind reply response answer support advice "
    "team everyone happy glad really just appreciate appreciated and can close closed be ticket case best regards "
    "vielen herzlichen besten perfekt prima toll klasse es das hat geht läuft jetzt nun wieder alles gut bestens für ihre ihren eure die den "
    "schnelle hilfe antwort unterstützung sehr freundlich geholfen ist erledigt mir und mit freundlichen grüßen viele grüße lg mfg "
    "beaucoup bien bcp parfait génial c'est ça cela maintenant tout est bon pour votre aide réponse rapide la de à vous bonne journée cordialement "
    "je u wel heel erg hartelijk top het dat weer nu voor uw jullie snelle hulp reactie goed fijn en groet groeten met vriendelijke "
    "muchas mil perfecto genial ya todo por su tu ayuda respuesta rápida ahora saludos muy amable y"
)
_SAYS = frozenset(f"{_THANKS} {_HELPED}".split())
_KNOWN = _SAYS | frozenset(_AROUND.split())
_ASKS = re.compile(r"[?？]|^\W*(?:is|does|do|did (?:it|this|that|you)|has|have you|can|was|hat|ist|est|is)\b", re.I)
_FAREWELL = re.compile(r"\b(?:have an? )?(?:nice|good|great|lovely) (?:day|evening|weekend)\b", re.I)
_ADDRESSED = re.compile(r"(?:(?i:\b(?:thanks|thank you|thx|cheers|danke|merci|bedankt|gracias)),? )([A-Z][\w-]+)")


def only_thanks(conversation: Conversation) -> bool:
    """Whether the latest turn says thanks, or that it works now, and nothing else, in five languages; a thread's subject too before a reply."""
    turns = said(conversation)
    if conversation.channel == "phone" or not turns or not _closes(turns[-1], conversation.customer.name or ""):
        return False
    subject = straight(normalise(conversation.subject)).strip()
    return bool(replies(conversation)) or (len(turns) == 1 and (not subject or _closes(subject, "")))


def _closes(turn: str, name: str) -> bool:
    if _ASKS.search(turn):
        return False
    words = [word.lower() for word in _WORD.findall(_FAREWELL.sub("", turn))]
    names = {word.lower() for word in (*_WORD.findall(name), *_ADDRESSED.findall(turn))}
    return len(words) <= MOST_WORDS and not _SAYS.isdisjoint(words) and all(word in _KNOWN | names for word in words)
