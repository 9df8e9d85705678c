"""Whether a customer only says thanks: then nothing is to be looked up, and the steps that helped are not told again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import takewhile

from copilot.domain import Conversation, Message
from copilot.query import said
from copilot.text import normalise, own_words, sentences, straight

MOST_WORDS, MOST_TOLD, MOST_CHARS = 20, 40, 300
"""Of a turn of known words, and of one that also tells how it was solved."""
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_THANKS = "thanks thank thankyou thx ty ta cheers danke dankeschön dank merci bedankt dankjewel dankuwel gracias"
_HELPED = (
    "worked works helped resolved sorted solved fixed geklappt funktioniert marche "
    "fonctionne werkt gelukt opgelost funciona solucionado resuelto résolu réglé gelöst"
)
_AROUND = (
    "ok okay k oh ah aha hi hello hey bye goodbye then x xx hun mate "
    "great perfect super awesome amazing brilliant excellent wonderful fantastic lovely nice cool "
    "good fine all well done you u so very much many a the lot lots for your this that these it it's its that's is was did has have i "
    "i'm am trick now finally working help helping helpful quick fast prompt kind reply response answer support advice "
    "team everyone happy glad really just appreciate appreciated and can close closed be ticket case best regards "
    "vielen herzlichen besten perfekt prima toll klasse es das hat geht läuft jetzt nun alles gut bestens für ihre ihren eure die den "
    "schnelle hilfe antwort unterstützung sehr freundlich geholfen ist sich schon bereits erledigt mir und mit freundlichen grüßen viele grüße "
    "lg mfg "
    "beaucoup bien bcp parfait génial c'est ça cela maintenant tout est bon pour votre aide réponse rapide la de à vous bonne journée cordialement "
    "je u wel heel erg hartelijk top het dat nu voor uw jullie snelle hulp reactie goed fijn en groet groeten met vriendelijke "
    "muchas mil perfecto genial ya todo por su tu ayuda respuesta rápida ahora saludos muy amable y"
)
_SOLVED, _SAYS = frozenset(_HELPED.split()), frozenset(f"{_THANKS} {_HELPED}".split())
_KNOWN = _SAYS | frozenset(_AROUND.split())
_YES = frozenset("yes yep yeah ja oui sí si".split())
"""With thanks alone it takes up what an agent offered."""
_DE = "(?:(?:schon|bereits|inzwischen|mittlerweile|jetzt|nun|alles|von (?:selbst|selber|allein)) ){0,3}"
_NL = "(?:(?:al|alweer|weer|inmiddels|ondertussen|nu|gelukkig|vanzelf) ){0,3}"
_FR = "(?:(?:enfin|déjà|maintenant|bien|tout) ){0,2}"
"""What may stand inside of saying that it is solved, in German, Dutch and French."""
_DONE = rf"(?:hat sich {_DE}erledigt|ist {_DE}(?:erledigt|gelöst|geklärt|behoben)|is {_NL}(?:gelukt|opgelost|geregeld))"
_ASKS = re.compile(
    rf"[?？]|(?:^|[.!,;:–\n-])\W*(?!{_DONE})(?:is|does|do|did (?:it|this|that|you)|has|have you|can (?!close|be closed)|could|would|will)\b|"
    rf"^\W*(?!{_DONE})(?:was|hat|ist|est)\b|"
    r"\b(?:help|answer|reply|response) (?:is|would be) (?:\w+ )?appreciated\b",
    re.I,
)
_FAREWELL = re.compile(
    r"\b(?:have an? )?(?:nice|good|great|lovely|wonderful) (?:day|evening|weekend)\b|"
    r"\benjoy (?:the rest of )?(?:your|the) (?:day|evening|weekend)\b|\bno need to (?:reply|answer|respond|write back)\b",
    re.I,
)
_ONCE_MORE = re.compile(
    r"\b(thanks|thank you|thx|works?|worked|working|geht|läuft|funktioniert|klappt|werkt)"
    r"((?: (?:so|very|much|a|lot|fine|es|alles|jetzt|nun|nu|het))*) (?:again|wieder|weer)\b",
    re.I,
)
"""Elsewhere these words may tell that it is as bad as before."""
SOLVES = re.compile(
    r"\b(?:(?:it|that|this) (?:has |have |really |all ){0,2}(?:did the trick|did it|worked|helped|(?:solved|fixed|sorted) it|went through)|"
    r"(?:it|that|this|everything|all)(?:'s| is| are)?(?: all| now){0,2} "
    r"(?:green|online|fine|good|well|normal|up|ok|okay|sorted|fixed|solved|resolved|working|works?)(?: \w+ly)? (?:again|now)|"
    r"(?:works?|working) (?:now|again|fine|perfectly|like a charm)|all (?:good|fine|sorted|solved|set)(?: now)?|"
    r"(?:problem|issue|case|matter)(?:'s| is| was)? (?:now )?(?:solved|fixed|resolved|sorted)|"
    r"(?:i|we|he|she|they) found (?:it|them) in (?:(?:my|our|the|his|her) )?\w+|no thanks|(?:that's|that is|that was) all|"
    r"(?:funktioniert|geht|läuft|klappt) (?:jetzt|nun|wieder)|hat (?:jetzt )?geklappt|problem gelöst|alles gut|"
    rf"{_DONE}|ça (?:re)?marche|(?:c'est|(?:problème|souci|tout) est) {_FR}(?:bon|réglé|résolu|arrangé)|(?:werkt|doet het) (?:nu|weer)|"
    r"ya funciona|(?:(?:está|se ha) )?(?:solucionado|resuelto|arreglado)|ya se (?:solucionó|resolvió|arregló))\b",
    re.I,
)
"""Who says so has no more to ask."""
_TELLS = re.compile(
    r"(?:i|we|he|she|they) (?:just |had |have |'ve |only ){0,2}(?:forgot(?:ten)?|found|changed|restarted|replaced|moved|mixed|mistyped|"
    r"typed|saved|did|overlooked|switched|entered|approved|updated)\b|you saved\b|turns out\b|(?:my|our) (?:own )?(?:mistake|fault|bad)\b",
    re.I,
)
"""How somebody tells what it was."""
_MORE = re.compile(
    r"\b(?:but|however|though|still|yet|not|\w+n't|cannot|no (?:longer|more|est[áa]\w*|se|ha|funciona)|never(?! ?mind)|"
    r"without|except|until|unless|please|need|wants?|wish|"
    r"would|could|how|when|where|why|what|which|also|another|other|second|next|one more|instead|unfortunately|sadly|for (?:a|an|one|two|\d+) \w+|"
    r"errors?|crash\w*|fail\w*|broken|broke|wrong|missing|lost|stuck|slow\w*|dead|faulty?|charged?|stopp\w*|leak\w*|offline|down|damaged?|bills?|"
    r"refunds?|cancel\w*|invoices?|orders?|delete|return\w*|twice|address\w*|cards?|accounts?|complain\w*|bang|hot|heat\w*|smok\w*|smell\w*|burn\w*|"
    r"fire|flames?|sparks?|gas|sick|hurt\w*|mould|thought|aber|leider|noch|nicht|kein\w*|bitte|auch|außerdem|fehler|dachte\w*|hoff\w*|"
    r"bestell\w*|rechnung\w*|kündig\w*|stornier\w*|erstatt\w*|konto|abo|vertrag\w*|karte\w*|mais|pas|encore|aussi|commandes?|abonnement\w*|"
    r"maar|niet|geen|nog|ook|helaas|bestelling\w*|pero|todavía|también|falta|sigue\w*|pedidos?)\b|\d{3}|@",
    re.I,
)
"""What may be more than that: a doubt, a wish, another trouble, a danger, a number."""
_ADDRESSED = re.compile(
    r"(?:(?i:\b(?:thanks|thank you|thx|cheers|danke|merci|bedankt|gracias)(?: so much| very much| a lot)?)(,?) )([A-Z][\w-]+)([,.!]?)"
)


def only_thanks(conversation: Conversation) -> bool:
    """Whether all that the customer wrote since the last reply says thanks, or that it works now; before a reply the subject too."""
    public = _public(conversation)
    latest = tuple(takewhile(lambda one: one.author == "customer", reversed(public)))
    turns = said(replace(conversation, messages=latest))
    subject = straight(normalise(conversation.subject)).strip()
    if len(latest) == len(public) and subject:
        turns = [*turns, subject]
    replied = _replied(conversation)
    return (
        conversation.channel != "phone" and bool(turns) and all(_closes(turn, conversation, replied) for turn in turns)
    )


def without_thanks(messages: Iterable[Message], conversation: Conversation) -> list[Message]:
    """The customer's messages after a reply, without those that only say thanks, or that it works now."""
    replied = _replied(conversation)
    told = ((one, straight(own_words(normalise(one.text))).strip()) for one in messages)
    return [one for one, turn in told if not _closes(turn, conversation, replied)]


def settled(turn: str) -> bool:
    """Whether a turn says that it is solved, and perhaps thanks, and nothing else."""
    if len(turn) > MOST_CHARS or not SOLVES.search(turn):  # the quickest to look for, as few say so
        return False
    return not _ASKS.search(turn) and _tells_it_is_solved(turn, _KNOWN)


def _replied(conversation: Conversation) -> frozenset[str]:
    """The words of our replies."""
    return frozenset(word for one in _public(conversation) if one.author == "agent" for word in _WORD.findall(one.text))


def _public(conversation: Conversation) -> list[Message]:
    return [one for one in conversation.messages if one.visibility == "public" and one.author in ("customer", "agent")]


def _closes(turn: str, conversation: Conversation, replied: frozenset[str]) -> bool:
    """Whether nothing but thanks is said, to a name that stands in our replies or, behind one, right after the word and ends there.

    Any other word tells something, unless it tells how it was solved: "Thanks, Android." answers a question.
    """
    if _ASKS.search(turn):
        return False
    thanked = (
        name for comma, name, ends in _ADDRESSED.findall(turn) if name in replied or (replied and ends and not comma)
    )
    known = _KNOWN.union(name.lower() for name in (*_WORD.findall(conversation.customer.name or ""), *thanked))
    words = _words(turn)
    if not _SOLVED.isdisjoint(words):
        known |= _YES
    if len(words) <= MOST_WORDS and not _SAYS.isdisjoint(words) and known.issuperset(words):
        return True
    return bool(replied) and len(words) <= MOST_TOLD and _tells_it_is_solved(turn, known)


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(_ONCE_MORE.sub(r"\1\2", _FAREWELL.sub("", text)))]


def _tells_it_is_solved(turn: str, known: frozenset[str]) -> bool:
    """Whether some sentence ends in saying that it is solved, the others say how or thanks, and nothing says more."""
    if _MORE.search(_FAREWELL.sub("", turn)):
        return False
    each = [turn[start:end] for start, end in sentences(turn)]
    others = [one for one in each if not _ends_solved(one, known)]
    return len(others) < len(each) and all(_TELLS.match(one) or known.issuperset(_words(one)) for one in others)


def _ends_solved(sentence: str, known: frozenset[str]) -> bool:
    """Whether it says that it is solved, and behind that nothing but known words."""
    *_, end = -1, *(found.end() for found in SOLVES.finditer(sentence))
    return end >= 0 and known.issuperset(_words(sentence[end:]))
