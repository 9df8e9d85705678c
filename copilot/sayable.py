"""Which sentences of a source may stand in a reply to another customer: no pointers elsewhere, no chatter, no commands to machines."""

from __future__ import annotations

import re
import unicodedata

from copilot.domain import Evidence
from copilot.names import somebody
from copilot.pointers import POINTER
from copilot.redact import PLACEHOLDER
from copilot.scripts import QUESTIONS, count_words

APOLOGY = re.compile(
    r"\b(?:sorry|apolog\w{1,8}|tut mir leid|entschuld\w{1,10}|désolée?|spijt|siento|disculp\w{1,8}|lamento)\b", re.I
)
FEWEST = 2
LETTERS = re.compile(r"[^\W\d_]{2}")
CUT_OFF = re.compile(
    r"\b(?:see|visit|at|from|via|here|read|link|following|open|to|on|in|the|with|using|is|and|or|click|download|use)[\s:.,–-]*$",
    re.I,
)
"""How a sentence ends whose link was taken out."""
COMMAND = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}"
    r"\b(?:instructions?|rules?|(?:all|any|your|its?|system|these|those|earlier|original|initial) prompts?|above|previous|guidelines)\b|"
    r"<\|[^|\n]{1,40}\|>|"
    r"^[^\w\n]{0,20}(?:system|assistant|user|developer|human|ai)\s*:|\b(?:system prompt|language model|chatbot|as an ai)\b|"
    r"\b(?:(?:system|important) note|notes?|instructions?|messages?) (?:to|for) (?:the |any )?"
    r"(?:ai|assistant|model|bot|drafter|copilot|agent|staff|whoever)\b|"
    r"\bsystem note\b|\b(?:begin|start|end) (?:your|the|every|each) (?:reply|replies|answer|response)s? with\b|\breply only in\b|"
    r"\b(?:reveal|disclose|print|show) (?:the |your |all )?(?:internal|hidden|system|secret) (?:notes?|prompts?|instructions?|rules|data)\b|"
    r"\bas your (?:supervisor|administrator|developer|boss)\b|"
    r"\bask (?:the |every |each )?(?:customer|user)s? for (?:their|the|a)? ?(?:card|credit card|password|pin|cvv|security code|bank)",
    re.I | re.M,
)
ORDERING = (
    "ignore", "disregard", "forget", "overrid", "<|", "system", "assistant", "user", "developer", "human", " ai", "ai:", "ai :", "language model",
    "chatbot", "whoever", "copilot", "drafter", "bot", "model", "staff", "agent", "reply", "replies", "answer", "response", "internal", "hidden",
    "secret", "supervisor", "administrator", "your boss", "card", "password", " pin", "cvv", "security code", "bank",
)  # fmt: skip
"""Each command holds one of these: looking for them first costs a tenth."""
LOOKALIKES = str.maketrans("аеорсухіјѕԁһԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοανικρτυχε", "aeopcyxijsdhqwABEZHIKMNOPTYXoavikptuxe")
"""Cyrillic and Greek letters that look like Latin ones."""
CHATTER = re.compile(
    r"\b(?:i|i['’](?:m|ve|ll|d)|my|mine|me|myself|lol|imho|btw|solved|sorry|apolog\w+|glad|thanks|thank you|you(?:['’]re)? welcome|cheers|"
    r"above,|forums?|post a reply|screen ?shots?|here is the (?:link|info)|"
    r"hope (?:this|that|it)|let (?:us|me) know|tell us|good luck|"
    r"not the answer|life happens|as (?:said|mentioned|requested)|you (?:said|wrote|asked|mentioned)|told)\b|^re ?:|[:;]-?[)(D](?:\s|$)",
    re.I,
)
THEIRS = re.compile(
    r"\b(?:yesterday|today|tomorrow|tonight|this (?:morning|afternoon|evening|week)|(?:mon|tues|wednes|thurs|fri|satur|sun)day|"
    r"(?:\d{1,2}(?:st|nd|rd|th)? )?(?:january|february|march|april|june|july|august|september|october|november|december)|"
    r"your (?:parcel|order|refund|invoice|screenshot|log|photo|file|report)|we(?:['’]ve| have)|attached|refunded|"
    r"you (?:posted|mention(?:ed)?|showed|shared|described|reported|provided|uploaded|were experiencing|are experiencing)|"
    r"your (?:\w+ ){0,3}(?:pictures?|images?|posts?|reply|description|original question)|"
    r"(?:has|have) been|was (?:a mistake|restored|refunded|credited)|already (?:did|done)|your (?:request|case|ticket)|"
    r"your (?:colleague|wife|husband|partner|son|daughter|mother|father|boss|assistant|accountant)|"
    r"we (?:have |will |['’]ll |just )?(?:send|sent|credit|credited|refund|extend|extended|issued))\b|"
    r"[€$£]\s?\d|\d\s?(?:€|eur\b|euros?\b)",
    re.I,
)
IDENTIFIER = re.compile(r"\b(?=[a-z0-9]*[a-z])(?=[a-z]*\d[a-z]*\d)[a-z0-9]{7,40}\b")
"""A name that a machine gave, as of somebody's profile: nobody else has it."""
DOES = re.compile(
    r"\b(?:click|choose|select|open|press|go to|check|try|turn|set|change|start|restart|remove|delete|add|enter|type|use|create|right-click|tap|"
    r"switch|disable|enable|install|update|hold|unplug|plug|wait|copy|move|run|uninstall|hit|pick|uncheck|untick|tick|replace|send|write|ask|print)\b",
    re.I,
)


WARNS = re.compile(
    r"(?:warning|important|caution|attention|danger|achtung|wichtig|warnung|let op|attentie|avertissement|atención)\b|"
    r"警告|注意|重要|주의|경고|คำเตือน",
    re.I,
)
"""How a paragraph begins that warns."""


def orders(words: str) -> bool:
    """Whether words give orders to a machine or to whoever drafts, also in full-width letters, with look-alikes or invisible ones between."""
    if words.isascii():
        return bool(COMMAND.search(words))
    plain = unicodedata.normalize("NFKC", words)
    return bool(
        COMMAND.search("".join(one for one in plain if unicodedata.category(one) != "Cf").translate(LOOKALIKES))
    )


def says(source: Evidence, words: str) -> bool:
    """Whether a sentence can stand in a reply: it tells something, to this customer, and is no pointer elsewhere."""
    if (
        not LETTERS.search(words)
        or count_words(words) < FEWEST
        or APOLOGY.search(words)
        or PLACEHOLDER.search(words)
        or POINTER.search(words)
        or orders(words)
    ):
        return False
    if source.kind != "ticket":
        return True
    theirs = CHATTER.search(words) or THEIRS.search(words) or IDENTIFIER.search(words) or words.endswith(QUESTIONS)
    return not (theirs or somebody(words))


def brief(words: str, step: bool) -> bool:
    """Whether an item or what a colon announces may be told though it is one word, and a step though it points elsewhere."""
    if PLACEHOLDER.search(words) or orders(words) or not any(letter.isalpha() for letter in words):
        return False
    return step or count_words(words) < FEWEST
