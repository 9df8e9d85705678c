"""From a conversation to what is searched for: the latest ask in the customer's own words, with the subject in front."""

from __future__ import annotations

import re
from collections.abc import Sequence

from copilot.domain import Conversation, Message, Triage
from copilot.errors import EmptyMessage
from copilot.scripts import count_words
from copilot.text import normalise, own_sentences, own_words, straight

SHORT, LONG = 8, 14
"""Fewer words are a short turn; so many at most has one that only goes on with what was said."""
CARRIES_ON = 3
FIRST_WORDS = 40
_LEADS_TO = re.compile(
    r"(?:[:=]|\b(?:to|is|as|be|by|for|from|with|of|and|or|my|called|named|name|account|auf|ist|für|von|est|pour|is|naar|voor|es|para))\W*$",
    re.I,
)
"""How a line ends whose sense goes on below."""


def search_text(conversation: Conversation) -> str:
    """Subject and latest customer message without quotes and signature; a short follow-up brings the turns before it along.

    A thread without a subject is about what the customer wrote first, until they say that they ask something else. Who only says yes to what
    an agent offered asks for that.
    Raises EmptyMessage where neither a customer's message nor its subject has a word.
    """
    return asked_in(conversation.subject, present(conversation, said(conversation)))


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
    texts = (_unnamed(straight(own_words(normalise(message.text))).strip(), conversation) for message in turns)
    subject = _subject(conversation) if turns else ""
    return [text for text in texts if text] or ([subject] if subject else [])


def _unnamed(text: str, conversation: Conversation) -> str:
    """Without a last line that is but the customer's own name, unless the line above asks for it: "change the name to"."""
    above, _, last = text.rpartition("\n")
    name = straight(normalise(conversation.customer.name or "")).casefold()
    own = (
        above and name and not _LEADS_TO.search(above) and last.strip(" ,.!–-").casefold() in (name, *name.split()[:1])
    )
    return above.strip() if own else text


def present(conversation: Conversation, turns: Sequence[str]) -> Sequence[str]:
    """These turns of theirs; a last one that only says yes is what was asked before it, with what the agent offered to say on that."""
    offered = _offered(conversation) if turns and says_yes(turns[-1]) else ""
    if not offered:
        return turns
    asked = [turn for turn in turns[:-1] if not says_yes(turn)]
    return [*asked[:-1], "\n\n".join([*asked[-1:], offered])]


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
        subject = _first_words(turns[: len(turns) - len(latest)])
    return "\n\n".join([subject, *latest] if subject else latest)


def borrows(subject: str, turns: Sequence[str]) -> bool:
    """Whether the thread's first words stand in for a subject, in a paragraph of their own before the latest ask."""
    return not normalise(subject).strip() and len(carried(turns)) < len(turns)


def _first_words(turns: Sequence[str]) -> str:
    """How a thread begins: its first turn, with those behind it that a greeting or a few words in a chat need."""
    words = list[str]()
    for turn in turns:
        words += turn.split()
        if count_words(" ".join(words)) >= SHORT:
            break
    return " ".join(words[:FIRST_WORDS])


def carried(turns: Sequence[str]) -> list[str]:
    """The latest turn; one that is short or only goes on brings turns before it along, back to where something was asked."""
    latest = list(turns[-1:])
    for earlier in reversed(turns[-1 - CARRIES_ON : -1]):
        if sum(count_words(turn) for turn in latest if not goes_on(turn)) >= SHORT or _begins_anew(latest[0]):
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
    r"here (?:you are|you go|it is|they are|is the|are the)|(?:last |next )?(?:mon|tues|wednes|thurs|fri|satur|sun)day|yesterday|today|tomorrow|"
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
_ASKS = re.compile(rf"[?？]|\b(?:{_WISH})\b", re.I)
FEWEST = 3
ALONE, ALONE_THANKS, ALONE_DOUBTED = 0.6, 0.3, 0.9
"""How sure a short turn's own intent must be: of a plain wish, of thanks, and where few words, or one of them, point back."""


def _begins_anew(turn: str) -> bool:
    """Whether a turn says that it asks something else, and nothing behind that points back."""
    said_so = _ANEW.search(turn)
    return said_so is not None and not _POINTS_BACK.search(turn, said_so.end("said"))


def goes_on(turn: str) -> bool:
    """Whether a turn asks nothing of its own: it answers, tells what was asked for or goes on with what was said."""
    words = count_words(turn)
    if words > LONG or _ASKS.search(turn) or (_THANKS.search(turn) and not _NOT_ALL.search(turn)):
        return False
    return bool(_LEADS_ON.match(turn) or (words < SHORT and _FACT.search(turn)))


def stands_from(turn: str) -> float | None:
    """The confidence from which a short turn read alone is what is asked now; None where it only goes on with the turns before."""
    turn = _DISMISSED.sub("", turn)
    if _THANKS.search(turn) and not _NOT_ALL.search(turn):
        return ALONE_THANKS
    if _LEADS_ON.match(turn) or _FACT.search(turn):
        return None
    return ALONE_DOUBTED if count_words(turn) < FEWEST or _POINTS_BACK.search(turn) else ALONE


# ---- a yes to an offer ----

_YES = frozenset(
    "yes yep yeah yup sure please ok okay absolutely definitely gladly ja jawohl gern gerne oui volontiers graag sí si claro vale".split()
)
_WITH_YES = _YES | frozenset(
    "that that's it i'd would be is was great nice good helpful lovely perfect wonderful awesome super cool fine thanks thank you so very "
    "much kind of course do go ahead like love to the i we a lot hi hello bitte das wäre nett toll danke sehr vielen dank natürlich "
    "prima hallo möchte ich s'il vous te plaît plait ce serait parfait bien sûr avec plaisir merci je veux bonjour alsjeblieft alstublieft dat zou "
    "fijn zijn bedankt heel dank wel natuurlijk por favor gracias eso sería genial me gustaría muy amable hola".split()
)
MOST_YES = 12
_IF_YOU_PLEASE = re.compile(r"\bif you (?:don't|do not) mind\b", re.I)
_WORDS = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_OFFERS = re.compile(
    r"\b(?:(?:shall|should|can|may|could) (?:i|we)\b|(?:would|do) you (?:also )?(?:like|want|wish|need)\b|(?:want|need) (?:me|us) to\b|"
    r"if you(?:'d| would)? (?:like|want|wish)\b|(?:soll|darf|kann) ich\b|(?:sollen|dürfen|können) wir\b|(?:möchten|wollen|brauchen) sie\b|"
    r"(?:zal|kan|mag) ik\b|(?:wil|wilt|zou) (?:je|u)\b|(?:dois|puis)-je\b|(?:voulez|souhaitez|désirez)-vous\b|"
    r"(?:quiere|quieres|desea|necesita)\b|te gustaría\b|le gustaría\b)",
    re.I,
)
"""How an agent offers something, in a question or with "if you like"."""


def says_yes(turn: str) -> bool:
    """Whether a turn says yes and nothing else."""
    words = [word.lower() for word in _WORDS.findall(_IF_YOU_PLEASE.sub("", turn))]
    return len(words) <= MOST_YES and "?" not in turn and not _YES.isdisjoint(words) and _WITH_YES.issuperset(words)


def _offered(conversation: Conversation) -> str:
    """What the agent who was answered last offers at the end; with the sentence before where the offer points to it or is short."""
    before = [m for m in conversation.messages if m.visibility == "public" and m.author in ("customer", "agent")][:-1]
    if not before or before[-1].author != "agent":
        return ""
    sentences = [straight(text) for _, _, text in own_sentences(before[-1].text)]
    at = next((i for i in range(len(sentences) - 1, -1, -1) if _OFFERS.search(sentences[i])), None)
    if at is None:
        return ""
    offer = sentences[at]
    alone = count_words(offer) >= SHORT and not _POINTS_BACK.search(offer)
    return offer if alone else " ".join(sentences[max(0, at - 1) : at + 1])


# ---- facts to ask for ----

ASKS: tuple[tuple[frozenset[str], str, str, str], ...] = (
    (frozenset({"order_status", "return_refund", "warranty_claim"}), "order", "order|bestell|auftrag|commande|pedido", "order number"),
    (frozenset({"billing_payment", "return_refund"}), "amount", "", "amount and date of the charge"),
    (
        frozenset({"technical_problem", "app_problem", "how_to", "setup_installation"}), "version", "versi", "product and version",
    ),
    (
        frozenset({"technical_problem", "app_problem", "connectivity", "device_offline"}), "error", "error|fehler|erreur|fout",
        "exact error message",
    ),
)  # fmt: skip
"""Intents, the entity that would tell, how a word begins that a company with such facts uses, and the fact to ask for where it is missing."""


def missing_facts(triage: Triage, sources: Sequence[str]) -> tuple[str, ...]:
    """What to ask the customer, given what they want, what they named already and what these sources know of: a clinic has no order numbers."""
    named = {entity.type for entity in triage.entities}
    told = "\n".join(sources)
    asked = tuple(
        fact
        for intents, entity, word, fact in ASKS
        if triage.intent.label in intents and entity not in named and re.search(rf"\b(?:{word})", told, re.I)
    )
    return asked or ("what exactly happens, and what was expected instead",)
