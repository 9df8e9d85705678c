"""Which questions a reply may put without a source: those that ask the customer for a fact that helps, and for no secret and no money."""

from __future__ import annotations

import re
from functools import cache

from copilot.facts import has_facts
from copilot.text import sentences
from copilot.variants import SPOKEN
from prompts import LANGUAGES, load, render

MOST_WORDS = 22
ABOUT = ("rest", "order number", "serial number", "version", "account", "error code")
"""What our own question may ask for; a platform is asked for by its name."""
OPENING = re.compile(
    r"(?:please |and )?(?:"
    r"(?:could|can|would|will) you (?:please |also |perhaps ){0,2}"
    r"(?:send|tell|give|share|attach|describe|check|confirm|say|name|let (?:us|me) know)|"
    r"(?:do|did|have|are|were) you|(?:since |in )?(?:what|which|who|when|where)|how (?:long|often|many|old|far)|(?:is|are|does|did|was|has) the|"
    r"seit wann|welche[rsnm]?|was|wann|wo|wie (?:lange|oft|viele|lautet)|(?:können|könnten) sie|(?:haben|nutzen|verwenden|sehen) sie|"
    r"quell?e?s?|quand|pouvez-vous|pourriez-vous|avez-vous|utilisez-vous|welke?|hoe lang|wanneer|waar|kun je|kunt u|heb je|hebt u|gebruik(?:t u)? |"
    r"qué|cuál(?:es)?|cuándo|cómo|puede|podría|tiene|usa"
    r")\b[^;:.?]{1,200}\?$",
    re.I,
)
WANTED = re.compile(
    r"\b(?:(?:order|serial|invoice|booking|customer|tracking|ticket|case|model|version|error) (?:number|code)s?|"
    r"orders?|versions?|firmware|models?|platforms?|operating system|systems?|devices?|browsers?|apps?|phones?|computers?|"
    r"e-?mail address|(?:account|user) ?names?|accounts?|plans?|subscriptions?|error (?:messages?|texts?)|the message (?:say|read|show)s?|"
    r"errors?|screenshots?|photos?|"
    r"pictures?|videos?|dates?|days?|times?|delivery|address|postcode|country|steps?|lamps?|lights?|colou?r|screen|tried|happens?|restart(?:ed)?|"
    r"you (?:\w+ )?(?:see|use|used|have|hear|mean|need|get|try|notice|order|buy)|right|correct|"
    r"bestellnummer|seriennummer|kundennummer|rechnungsnummer|fehlermeldung|gerät|betriebssystem|konto|tarif|lieferadresse|foto|bild|datum|versucht|"
    r"numéro (?:de (?:commande|série|facture|client))|appareil|navigateur|compte|message d.erreur|essayé|adresse|"
    r"bestelnummer|ordernummer|serienummer|klantnummer|versie|toestel|apparaat|foutmelding|abonnement|afleveradres|geprobeerd|"
    r"número de (?:pedido|serie|factura|cliente)|versión|dispositivo|navegador|cuenta|mensaje de error|dirección|fecha|probado)\b",
    re.I,
)
SECRET = re.compile(
    r"\b(?:pass(?:word|code|phrase|port)s?|pins?|cvv|cvc|otp|tans?|credentials|secrets?|tokens?|logins?|"
    r"(?<!sd )(?<!sim )(?<!sound )(?<!memory )(?<!graphics )(?<!network )cards?|"
    r"(?<!error )(?<!fault )(?<!order )(?<!product )(?<!model )(?<!post )(?<!postal )(?<!country )codes?|"
    r"(?:private|recovery|licen[cs]e|api|product|security) keys?|bank(?:ing)?|iban|bic|sort|account numbers?|social security|identity|"
    r"transfer\w*|pay|pays|paying|paid|payments?|deposits?|wire|money|fees?|crypto|bitcoin|"
    r"passw[oö]r[dt]\w*|kennw[oö]rt\w*|\w*karten?\w*|geheim\w*|überweis\w*|zahl(?:en|ung\w*)|geld|mots? de passe|cartes?|virements?|"
    r"pa(?:yer|iements?)|argent|wachtwoord\w*|kaart\w*|overschrijv\w*|overma\w*|betal\w*|contraseñas?|claves?|tarjetas?|transferencias?|pag(?:ar|os?)|dinero)\b",
    re.I,
)
"""What nobody may ask a customer for by message."""
CLAIMING = re.compile(
    r"\b(?:know|knew|heard?|aware|believe|agree|realise|realize|remember|notice[d]?|understand) (?:that|about|how|why|we|our|the|every|all|you)\b|"
    r"\b(?:say|tell us|tell me|confirm|agree|see|check) that (?!is right|is correct)|"
    r"\b(?:know|heard|aware|wusstest|wussten|gehört|saviez|savez|wist|sabía)\b|"
    r"\b(?:we|our|ours|everybody|everyone|every|all|always|never|free|discounts?|offers?|refund\w*|vouchers?|coupons?|prizes?|gifts?|price|half|"
    r"warranty|websites?|sites?|pages?|links?|portals?|partners?|agents?|officers?|forms?|"
    r"because|responses?|answers?|repl(?:y|ies)|your message|in advance|"
    r"ignore|instructions?|prompts?|wir|unsere?\w?|nous|notre|nos|wij|onze|nosotros|nuestr[oa]s?)\b",
    re.I,
)
"""What makes a question a claim, an offer or a way out of the conversation."""


def claims_nothing(text: str) -> bool:
    """A question to the customer that asks for a fact and names none; an assertion does not become one by a question mark."""
    if has_facts(text) or len(sentences(text)) != 1:
        return False
    if text in _ours() or _asks_platform(text):
        return True
    return bool(
        OPENING.match(text)
        and WANTED.search(text)
        and len(text.split()) <= MOST_WORDS
        and not (SECRET.search(text) or CLAIMING.search(text))
    )


def asks_for_secret(text: str) -> bool:
    """Whether a question asks the customer for a password, a code, a card or money."""
    return text.rstrip().endswith("?") and bool(re.search(r"\byour?\b", text, re.I)) and bool(SECRET.search(text))


@cache
def _ours() -> frozenset[str]:
    """The questions of our own words that no name goes into."""
    asked = {
        render("question", {"about": about, "platforms": [], "language": one}) for about in ABOUT for one in LANGUAGES
    }
    lines = re.split(r"\{%.*?%\}|\n", load("clarify").words)
    return frozenset(asked | {line.strip() for line in lines if line.strip().endswith("?") and "{{" not in line})


def _asks_platform(text: str) -> bool:
    """Whether it is our own question for the customer's platform, in any of our languages."""
    for language in LANGUAGES:
        before, after = render("question", {"about": "platform", "platforms": ["@"], "language": language}).split("@")
        if text.startswith(before) and text.endswith(after):
            return {*text[len(before) : -len(after)].split()} <= {*SPOKEN.values(), "or", "oder", "ou", "of", "o"}
    return False
