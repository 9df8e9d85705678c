"""Whether a customer tells that somebody of theirs died: no trouble, and nothing to be glad about."""

from __future__ import annotations

import re

from copilot.domain import Conversation
from copilot.query import said

_KIN = "husband|wife|partner|mother|mum|mom|father|dad|son|daughter|brother|sister|grand(?:mother|father|ma|pa)|nan|gran|uncle|aunt|baby|child"
_PET = "dog|cat|puppy|kitten|horse|pony|rabbit|pet"
_TELLS = re.compile(
    rf"\b(?:my|our|her|his) (?:late (?:{_KIN})|(?:\w+ )?(?:{_KIN}|{_PET})(?: (?-i:[A-Z]\w+))?,? "
    r"(?:(?:has|had|have|just|sadly|suddenly|recently|unexpectedly|peacefully|who|very) ){0,3}"
    r"(?:died|passed away|(?:was|were) put (?:down|to sleep)|slipped away))\b"
    rf"|\b(?:(?:lost|losing|buried) (?:my|our|her|his)|(?:death|passing|loss|funeral) of (?:my|our|her|his)) (?:\w+ )?(?:{_KIN})\b(?!['’])"
    r"|\bpassed away\b|\bbereave\w+|\brainbow bridge\b"
    r"|\b(?!(?-i:It|This|That|They)\b)(?-i:[A-Z]\w+) (?:(?:has|had|just|sadly|suddenly|peacefully) ){0,2}slipped away\b"
    r"|\bhad (?:to have )?(?:him|her|(?-i:[A-Z]\w+)) put (?:down|to sleep)\b(?! mode)"
    r"|\b(?:meine?|unsere?|sein|ihr)\w* verstorben\w*|\b(?:ist|sind) (?:\w+ ){0,4}verstorben\b|\b(?:todes|trauer)fall\b"
    r"|\b(?:est|sont) (?:\w+ ){0,2}décédée?s?\b|\b(?:le|au) décès de (?:mon|ma|mes|notre)\b"
    r"|\b(?:is|zijn) (?:\w+ ){0,4}overleden\b|\b(?:mijn|onze|ons) overleden\b"
    r"|\b(?:falleció|ha fallecido|han fallecido|fallecimiento de (?:mi|nuestr[oa]))\b",
    re.I,
)


def grieves(conversation: Conversation) -> bool:
    """Whether any of their turns says so, in one of our five languages; a battery that died is none of them."""
    return any(_TELLS.search(turn) for turn in said(conversation))
