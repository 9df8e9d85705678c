"""Whether a conversation is over: the customer says that it is solved, or thanks, and asks nothing any more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile

from copilot.domain import Conversation
from copilot.text import normalise, own_words, straight

LONGEST = 300
"""Characters of a turn that may say so: a longer one tells something."""
_PARTS = re.compile(r"[.!,;:()\n…–—]+|\s-\s|\s(?:and|und|et|en|y)\s", re.I)
_PLAIN = re.compile(r"[^\w' ]+")
_HELP = (
    r"(?: \w+){0,2}? (?:help|support|answer|reply|response|advice|service|patience|time|efforts?|assistance|explanation|tip|hint|info|information|"
    r"hilfe|antwort|unterstützung|erklärung|rückmeldung|mühe|geduld|aide|réponse|soutien|hulp|antwoord|uitleg|ayuda|respuesta|apoyo)"
)
_THANKS = re.compile(
    rf"(?:many )?(?:thanks|thank you|thx|cheers)(?: (?:so|very) much| a lot| again| everyone| all| guys| team)*(?: for(?: all)?{_HELP})?|"
    rf"(?:vielen |herzlichen |besten |lieben )?(?:dank|danke)(?: (?:schön|sehr|dir|ihnen|euch|vielmals|nochmals?))*(?: für{_HELP})?|dankeschön|"
    rf"(?:un grand |mille )?merci(?: (?:beaucoup|bien|encore|à vous))*(?: pour{_HELP})?|"
    rf"(?:heel |erg |hartelijk )*(?:bedankt|dank (?:je|u)(?: wel)?|dankjewel|dankuwel)(?: voor{_HELP})?|(?:muchas |mil )?gracias(?: por{_HELP})?",
    re.I,
)
_SOLVED = re.compile(
    r"(?:(?:it|that|this|everything|all|the \w+|my \w+)(?:'s| is| are| has been| has| looks| seems)? )?(?:(?:all|now|finally|really|just) )*"
    r"(?:worked|works|working|helped|fixed(?: it)?|did (?:it|the trick)|solved(?: it)?|resolved|sorted)"
    r"(?: (?:perfectly|fine|well|great|now|again|at last|for me|out))*|"
    r"(?:it|everything|all|the \w+|my \w+)(?:'s| is| are| has been| looks| seems)?(?: all| now| finally)*"
    r" (?:fine|ok|okay|good|green|online|back online|back to normal|up and running)(?: (?:now|again|at last))*|"
    r"(?:problem|issue) (?:solved|resolved|fixed)|"
    r"(?:(?:es|das|alles|jetzt|der \w+|die \w+) )?(?:(?:hat|ist|jetzt|nun|wieder|alles|super|prima) )*"
    r"(?:geklappt|funktioniert|geholfen|gelöst|erledigt|geht|läuft|klappt)(?: (?:jetzt|nun|wieder|alles|super|prima))*|"
    r"(?:(?:ça|cela|tout|il|elle) )?(?:(?:a|est) )?(?:marche|fonctionne|fonctionné|marché|réglé|résolu|c'est (?:bon|réglé|résolu))"
    r"(?: (?:maintenant|de nouveau|à nouveau|bien))*|"
    r"(?:(?:het|dat|alles) )?(?:werkt|is gelukt|gelukt|heeft geholpen|is opgelost|opgelost|doet het)(?: (?:nu|weer|goed|prima))*|"
    r"(?:ya )?(?:funciona|está (?:solucionado|resuelto|arreglado)|solucionado|resuelto)(?: (?:ahora|de nuevo|otra vez|bien))*|"
    r"(?:you can |you may |please )(?:now )?close (?:this|the|my) (?:ticket|case|conversation|chat|thread)(?: now)?|"
    r"(?:sie können |ihr könnt |du kannst |bitte )?(?:das|dieses|den) (?:ticket|fall|vorgang) (?:bitte |jetzt )?(?:schließen|schliessen)",
    re.I,
)
_POLITE = re.compile(
    r"(?:hi|hello|hey|hallo|bonjour|hola)(?: \w+)?|perfect|great|awesome|brilliant|wonderful|excellent|fantastic|lovely|amazing|cool|nice|super|"
    r"ok|okay|alright|wow|got it|understood|perfekt|prima|toll|klasse|wunderbar|parfait|génial|perfecto|genial|top|fijn|you can close this|"
    r"(?:great|excellent|perfect|good|fantastic|quick|fast|super) (?:service|support|help|job|work)|(?:best|kind|warm) regards|bye|"
    r"(?:i'll|i will|we'll|we will) (?:try|do|check|test) (?:it|that|this)(?: (?:now|later|tomorrow|tonight|today))?|"
    r"have a (?:nice|good|great|lovely) (?:day|weekend|evening)|(?:einen )?schönen (?:tag|abend)|bonne journée|fijne dag|buen día|"
    r"(?:viele|liebe|beste) grüße",
    re.I,
)
_YES = re.compile(r"yes|yeah|yep|ja|oui|sí|si|please|bitte", re.I)
"""With thanks alone it takes up what an agent offered."""


def settled(conversation: Conversation) -> bool:
    """Whether all that the customer wrote behind our last reply says that it is solved, or thanks for it."""
    turns = [m for m in conversation.messages if m.visibility == "public" and m.author in ("customer", "agent")]
    latest = list(takewhile(lambda one: one.author == "customer", reversed(turns)))
    if len(latest) == len(turns):
        return False  # nobody has replied: thanks are given in advance
    said = [words for one in latest if (words := straight(own_words(normalise(one.text))).strip())]
    return bool(said) and all(map(_closes, said))


def _closes(text: str) -> bool:
    if len(text) > LONGEST or "?" in text:
        return False
    parts = list(_parts(text))
    solved = any(_SOLVED.fullmatch(part) for part in parts)
    thanks = any(_THANKS.fullmatch(part) for part in parts)
    known = (_SOLVED, _THANKS, _POLITE, *([_YES] if solved else []))
    return (solved or thanks) and all(any(shape.fullmatch(part) for shape in known) for part in parts)


def _parts(text: str) -> Iterator[str]:
    """What stands between stops, commas and "and", without emoji."""
    for part in _PARTS.split(text):
        if words := " ".join(_PLAIN.sub(" ", part).split()):
            yield words
