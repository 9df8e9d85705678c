"""What personal data looks like: one finder a kind, from shapes, checksums and telling words.

The patterns are linear in the text's length: runs start once, and what repeats is bounded.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import unquote

from copilot.finders import Finder, rule
from copilot.mail import CAPITAL


def _has_digit(text: str) -> bool:
    return any(c.isdigit() for c in text)


# ---- mail and web addresses ----

_MAIL = r"(?<![\w.%+-])[\w.%+-]{1,256}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}"
_SPELT_MAIL = (
    r"(?<![\w.+-])[\w.+-]{1,64}"
    r"(?:\s?[\[({]\s?(?:at|@)\s?[\])}]\s?[\w-]{1,63}(?:\s?[\[({]\s?(?:dot|\.)\s?[\])}]\s?[\w-]{1,63}|\.[\w-]{2,63}){1,4}"
    r"| at [\w-]{1,63}(?: dot [\w-]{2,20}){1,3})(?!\w)"
)
_URL_CHARACTER = r"[^\s<>\"'()\[\]{}]"
_URL = rf"(?:\b(?:https?|ftp)://|\bwww\.){_URL_CHARACTER}+(?<![.,;:!?*_])"
_TELLING_FIELD = re.compile(
    r"[?&#;](?:access_|auth_?|api_?|id_|reset_?|session_?|refresh_|csrf_?|client_)?"
    r"(?:token|key|secret|sig|signature|password|passwd|pwd|pass|auth|code|otp|jwt|session|sessionid|sid|hash|invite|"
    r"user|username|login|mail|email|e-mail|phone|name)=[^&#\s]{4,}",
    re.I,
)
_MAIL_IN = re.compile(_MAIL)
_TRACKER = re.compile(r"[?&#](?:_g[al]|gs_lcrp|utm_\w+|gclid|fbclid|mc_eid|_hs\w+)[^&#=]{0,40}=[^&#]*")
_ACT = re.compile(
    r"/(?:reset|verify|verification|confirm|activate|activation|invite|invitation|log-?in|sign-?in|token|unsubscribe|auth|magic|share|"
    r"password|session)[\w-]{0,20}/(?=[^/?#]{0,200}\d)[^/?#]{12,}",
    re.I,
)
_COMMIT = re.compile(r"[0-9a-f]{40}")


def _telling_url(url: str) -> bool:
    """It carries a mail address, a password or a token."""
    plain = _TRACKER.sub("", unquote(url))
    path, _, query = plain.replace("#", "?").partition("?")
    keys = (part for part in path.split("/") if _HEX.fullmatch(part) and not _COMMIT.fullmatch(part))
    values = (value for value in re.split(r"[&=?]", query) if len(value) >= 20)
    return bool(
        _MAIL_IN.search(plain)
        or re.match(r"\w+://[^/@\s]{1,256}@", plain)
        or _TELLING_FIELD.search(plain)
        or _ACT.search(path)
        or any(keys)
        or any(map(_random, values))
    )


# ---- addresses of machines ----

_IP4 = r"(?<![\w.-])(?<!\w/)(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)"
_IP6 = r"(?<![\w:.])(?=[0-9A-Fa-f:]{0,39}\d)(?:[0-9A-Fa-f]{1,4}:{1,2}){2,7}[0-9A-Fa-f]{0,4}(?![\w:])"


def _personal_ip(text: str) -> bool:
    """An address of somebody's machine: no version number, no mask, no loopback."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if address.version == 4 and text.split(".", 1)[0] != "10" and (text.endswith(".0") or max(address.packed) < 32):
        return False  # 115.12.1.0 and 1.8.1.24 are versions: so small in all four parts is one address in four thousand
    return not (address.is_loopback or address.is_unspecified or address.is_multicast or text.startswith("255."))


# ---- secrets ----

_CHANGE = re.compile(r"(?=[a-z][A-Z0-9]|[A-Z][a-z0-9]|[0-9][A-Za-z])")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)
_HEX = re.compile(r"[0-9a-fA-F]{32,}")


def _random(run: str) -> bool:
    """Small letters, capitals and digits in quick change, as in no word, slug, path or crash report's number."""
    mixed = any(c.islower() for c in run) and any(c.isupper() for c in run) and any(c.isdigit() for c in run)
    quick = mixed and 4 * sum(1 for _ in _CHANGE.finditer(run)) > len(run)
    return bool(_HEX.fullmatch(run) or (quick and not _UUID.search(run)))


_KEYS = (
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:(?!\n\n)[^-]){0,10000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?|"
    r"(?<![\w.-])(?:(?:sk|pk|rk|whsec)_(?:live_|test_)?\w{12,}|sk-[\w-]{16,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|"
    r"glpat-[\w-]{16,}|xox[abeprs]-[\w-]{8,}|AKIA[0-9A-Z]{12,}|AIza[\w-]{20,}|SG\.[\w-]{8,}\.[\w-]{8,}|"
    r"eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?)"
)
_RUN = r"(?<![\w+/=.-])[A-Za-z0-9+/_-]{32,}={0,2}(?![\w+/=-])"
_SECRET_WORD = (
    r"\b(?:pass ?words?|passwor[dt]|kennwort|passwd|pwd|passcode|pass ?phrase|wachtwoord|mot de passe|contraseña|"
    r"(?<![\w-])pin(?: ?code)?|otp|token|(?:api|secret|access|auth|security|verification|one-time|login|recovery|"
    r"activation|licen[cs]e)[ _-]?(?:key|token|code|secret))(?!\w)"
)
_QUOTE = r"[ \t]?\n?[ \t]?[\"'“„‘«`*]{0,2}"
_AFTER_WORD = rf"(?i:{_SECRET_WORD}(?:\s?[:=]|\s(?:is|was|to|ist|war|lautet|est|es|nu)(?!\w)\s?:?)){_QUOTE}"
_SECRET_STEMS = (
    "pass", "kennwort", "pwd", "wachtwoord", "mot de", "contraseña", "pin", "otp", "token", "key", "code", "secret",
)  # fmt: skip
_SECRETS = (
    (r"\b[Bb](?:earer|asic) (?P<it>[\w.~+/=-]{8,})", _has_digit, ("bearer ", "basic ")),
    (
        rf"{_AFTER_WORD}(?P<it>[^\s\"'“”’»,;<>\[\]]{{3,128}}[^\s\"'“”’»,;<>\[\].?)])",
        lambda value: _odd(value),
        _SECRET_STEMS,
    ),
    (
        rf"(?i:{_SECRET_WORD}(?:\s?[:=]|\s(?:is|was|ist|lautet|est|es)(?!\w))){_QUOTE}(?P<it>[^\W\d_]{{4,40}})"
        r"(?=[\"'“”’»`*.!]{0,3}(?:\s*$|\n)|[\"'“”’»`*]{0,2}[.,;]\s)",
        lambda value: _uncommon(value),
        _SECRET_STEMS,
    ),
)
_SAID_OF_PASSWORDS = frozenset(
    "wrong incorrect correct right fine okay good valid invalid same unknown known hidden visible there here true false none null normal "
    "plain long short weak strong safe secure secret different identical blank empty unique this that what which your mine below above "
    "about case also just never always only still password passwords token access account email falsch richtig korrekt nicht gleich "
    "onjuist juist goed fout incorrecta correcta bon faux auth oauth kerberos gssapi ntlm login plain enter reset lost kept sent".split()
)


def _odd(value: str) -> bool:
    """Not a word of the sentence: a number, or letters mixed with digits or signs."""
    if "://" in value or re.fullmatch(
        r"\d{1,3}[-–]?[a-zA-Z%]*|\W+|[\d.]*\.[\d.]*|(?:oauth|tls|ssl|starttls|utf).*", value, re.I
    ):
        return False
    return _has_digit(value) or bool(re.search(r"[@#$%^&*_+=~!?]|[a-z][A-Z]", value))


def _uncommon(value: str) -> bool:
    word = value.lower()
    return word not in _SAID_OF_PASSWORDS and not word.endswith(("ed", "ing", "able", "ible"))


# ---- money ----

_IBAN_LENGTHS = {
    country[:2]: int(country[2:])
    for country in (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 "
        "GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 "
        "MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 "
        "VA22 VG24 XK20"
    ).split()
}
_IBAN_HEAD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ -]?[A-Za-z0-9])")
_IBAN_REST = {n: re.compile(rf"(?:[ -]?[A-Za-z0-9]){{{n - 4}}}(?![A-Za-z0-9])") for n in set(_IBAN_LENGTHS.values())}
_CARD = r"(?<![\w.,#/=-])(?<!\d )(?:[3-6]\d|2[2-7]|1800|2131)(?:[ -]?\d){9,17}(?![\w-]|[.,]\d)"
_NAMED_CARD = r"(?i:\b(?:card|cc|karten?(?:nummer)?|kaart(?:nummer)?|carte|tarjeta)\b)[^\d\n]{0,25}(?P<it>\d(?:[ -]?\d){11,18})(?!\d)"


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    """As many characters as the country's IBANs have, where the checksum is right."""
    for head in _IBAN_HEAD.finditer(text):
        length = _IBAN_LENGTHS.get(head.group()[:2].upper())
        rest = length and _IBAN_REST[length].match(text, head.end())
        if rest and _mod97(head.group() + rest.group()):
            yield head.start(), rest.end()


def _mod97(iban: str) -> bool:
    plain = re.sub(r"[ -]", "", iban)
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def _card(number: str) -> bool:
    """13 to 19 digits whose last one is Luhn's check digit."""
    digits = [int(c) for c in number if c.isdigit()][::-1]
    return len(digits) >= 13 and (sum(digits[::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])) % 10 == 0


# ---- telephone numbers ----

_EXTENSION = r"(?:\s?(?:x|ext\.?|#)\s?\d{1,6})?"
_END = r"(?!\w|[:.,/-]\d| ?[€$£%])"
_ALONE = r"(?<![\w+.,:/#=-])"
_PHONES = (
    rf"(?<![\w+./=-])(?:\+|00)[1-9]\d{{0,2}}[ .-]?(?:\(0\)[ .-]?)?(?:[ .()/-]{{0,2}}\d){{6,12}}{_EXTENSION}{_END}",
    rf"{_ALONE}(?<!\d )\(?0[1-9]\d{{0,3}}\)?(?:[ /-]{{0,2}}\d){{5,9}}{_EXTENSION}{_END}",
    rf"{_ALONE}0\d(?:\.\d\d){{4}}{_END}",
    rf"{_ALONE}(?:(?:00)?1[ .-])?(?:\(\d{{3}}\) ?|\d{{3}}[.-])\d{{3}}[ .-]\d{{4}}{_EXTENSION}{_END}",
    r"(?i:\b(?:tele(?:phone|foon|fon)|tel|teléfono|phone(?: number| no)?|mobile?|mob|cell|fax|gsm|handy|whats ?app|portable|móvil|"
    r"rufnummer|(?:call|reach|ring|text|phone|answering)(?: me| us)?(?: back)? (?:on|at|under)|"
    r"(?:my|registered|mijn|meine?|mon) (?:number|nummer|numéro)(?: is| ist| est)?)\b)"
    rf"[\s.:#]{{0,3}}(?:(?i:is|ist|nr|no)[.:]? )?(?P<it>\(?\d(?:[ .()/-]{{0,2}}\d){{5,14}}{_EXTENSION}){_END}",
)
_DATE_SHAPE = re.compile(r"\d{1,2}[-/. ]\d{1,2}[-/. ](?:19|20)\d\d(?!\d)|(?:19|20)\d\d[-/. ]\d\d[-/. ]\d\d(?!\d)")


def _phone(text: str) -> bool:
    digits = sum(c.isdigit() for c in text)
    return 6 <= digits <= 20 and (digits >= 9 or text[0] != "0") and not _DATE_SHAPE.match(text)


# ---- dates of birth, order numbers ----

_MONTH = (
    r"(?:jan|feb|mar|mär|mrt|maa|apr|may|mai|mei|jun|jul|aug|sep|oct|okt|nov|dec|dez|févr|avr|juin|juil|août|déc|ene|abr|ago|dic)"
    r"[a-zéû]{0,7}\.?"
)
_DATE = (
    rf"(?:\d{{1,4}}[-/. ]{{1,2}}\d{{1,2}}[-/. ]{{1,2}}\d{{2,4}}|\d{{1,2}}(?:st|nd|rd|th|er|\.)? (?:of |de )?{_MONTH},?(?: de)? \d{{2,4}}|"
    rf"{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}|(?:19|20)\d\d)"
)
_BIRTHDATE = (
    r"(?i:\b(?:born|date of birth|birth ?date|birthday|d\.?o\.?b\.?|geboren|geburts(?:datum|tag)|geboorte(?:datum|dag)|née?|"
    r"date de naissance|nacid[oa]|nací|fecha de nacimiento)(?!\w)[ :.,]{0,3}(?:(?:it'?s|is|was|ist|war|on|in|am|op|le|el)[ :]{1,2}){0,2}"
    rf"(?P<it>{_DATE})(?!\w))"
)
_ORDER = (
    r"\b(?!(?:CVE|RFC|ISO|IEC|KB|UTF|MD|SHA|AES|IP|ID)-)(?P<it>[A-Z]{2,3}-\d{5,10})(?![\w-])",
    r"(?i:\b(?:order|invoice|customer|client|account|booking|tracking|bestellung|bestell|auftrags?|rechnungs?|kunden|bestelling|bestel|"
    r"factuur|klant|commande|facture|pedido|factura)[ -]?(?:no\b\.?|nr\b\.?|number|nummer|num\.?|id|code|n[°º])?)"
    r"(?:\s?[:=]| is| ist)? ?(?P<it>#?\s?(?=[A-Za-z-]{0,6}\d)[A-Za-z0-9-]{3,24}(?!\w))",
)


def _order(text: str) -> bool:
    digits = sum(c.isdigit() for c in text)
    return digits >= 5 or (text[0] == "#" and digits >= 3)


# ---- numbers of papers and accounts: found by what they are called ----

_NO = (
    r"(?i:(?: ?(?:number|nummer|num|no|nr|numéro|número|id|n[°º]))?)[ :.=#]{0,3}(?i:(?:is|was|ist|est|es|nu)[ :]{1,2})?"
)
_PAPER = (
    r"(?i:\b(?:passport|passeport|paspoort|pasaporte|reisepass|passnummer|(?:personal)?ausweis(?:nummer)?|identity card|id card|nhs|"
    r"national insurance|ni(?= n)|nino|social security|ssn|tax(?:payer)?(?: id| identification| reference)|steuer-?(?:id|nummer)|"
    rf"numéro fiscal|codice fiscale|bsn|burgerservicenummer|driv(?:ing|er['’]?s?) licen[cs]e))(?!\w){_NO}"
    r"(?P<it>(?:[A-Za-z]{1,3}|[A-Z]{1,2} )?\d(?:[ ./-]?\d){4,11}(?:[A-Za-z]| [A-D])?(?!\w)|(?=(?:[A-Za-z]{0,14}\d){3})[A-Za-z0-9]{6,14}(?!\w))"
)
_PAPERS = (
    "pass", "pasp", "pasa", "ausweis", "identity", "id card", "nhs", "insurance", "ni n", "nino", "social", "ssn", "tax", "steuer", "fiscal",
    "bsn", "burger", "licen",
)  # fmt: skip
_SORT, _ACCOUNT = r"(?i:\bsort[ -]?code)", r"(?i:\b(?:account|acct|a/c))"
_BANK = (
    (rf"{_SORT}{_NO}(?P<it>\d\d[ -]?\d\d[ -]?\d\d)(?![\w-])", "sort"),
    (rf"{_SORT}[^\n]{{0,40}}?{_ACCOUNT}{_NO}(?P<it>\d(?:[ -]?\d){{5,9}})(?![\w-])", "sort"),
    (rf"{_ACCOUNT}{_NO}(?P<it>\d(?:[ -]?\d){{5,9}})(?=[^\w\n]{{1,4}}(?:and |with )?{_SORT})", "sort"),
    (rf"(?i:\b(?:bank account|bankkonto|kontonummer|rekeningnummer)){_NO}(?P<it>\d(?:[ .-]?\d){{5,11}})(?![\w-])", "bank", "kont", "reken"),
)  # fmt: skip


def _no_date(text: str) -> bool:
    return not _DATE_SHAPE.match(text)


# ---- postal addresses ----

_WORD = rf"{CAPITAL}[\w.'’-]{{0,30}}"
_NAME = rf"{CAPITAL}[\w'’-]{{1,30}}"
_CITY = rf"{_NAME}(?:[ -](?:(?:am|an|aan|den|der|de|la|le|sur|bei|im|in|on|upon)[ -])?{_NAME}){{0,2}}"
_UK_CODE = r"(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[\dW] ?[A-Z\d]{4})(?!\w)"  # and Ireland's
_GAP = r"[ ,]{0,2}\n?[ ]{0,4}"
_CODED = (
    rf"{_GAP}(?:(?:[A-Z]{{1,2}}-)?(?:\d{{4}} ?[A-Z]{{2}}|\d{{5}}) {_CITY}|"
    rf"{_CITY},? (?:{_UK_CODE}|[A-Z]{{2}} \d{{5}}(?:-\d{{4}})?)|{_UK_CODE}|"
    rf"(?!19|20)[1-9]\d{{3}} {_CITY}(?=[,.;\n]|$))"
)
_FLAT = rf"(?:{_GAP}(?i:apartment|apt|suite|ste|unit|flat|floor|bus|boîte|#)\.? ?[\w-]{{1,8}})"
_TAIL = rf"{_FLAT}?(?:(?:, ?{_CITY}(?=[,.\n]|$)){{0,2}}(?:{_CODED}|{_GAP}\d{{4}} {_CITY})|(?:, ?{_CITY}(?=[,.\n]|$)){{1,3}})?"
_HOUSE = r"\d{1,4}(?: ?[a-zA-Z](?!\w))?(?: ?[-–/] ?\d{1,4}(?!\w))?(?![\w%€]|[.:,]\d)"
_SMALL = r"(?:de|du|des|del|la|le|les|los|las|el|l'|d'|der|den|van|von|zum|zur|dem|am|an|im|y|et)"
_NUMBERED = r"(?<![\w.,/-])\d{1,5}[A-Za-z]?(?:[-–]\d{1,5})?,? "
_ADDRESSES = (
    rf"{_NUMBERED}(?:{_WORD} ){{1,4}}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Way|Place|Pl|Square|Sq|Terrace|"
    rf"Close|Row(?=, )|Crescent|Gardens|Lodge|Hill|Quay|Grove|Mews|Highway|Hwy|Parkway|Pkwy|Circle|Turnpike|Trail)\b\.?{_TAIL}",
    rf"{_NUMBERED}(?:(?:{_WORD}|\d{{1,5}})[ ,]{{1,2}}){{1,5}}(?:Apt|Suite|Unit)\.? \d{{1,5}}{_TAIL}",
    rf"(?<![\w-])(?:(?:{_WORD} )?{_NAME}?(?:straße|strasse|str\.|gasse|allee|platz|straat|laan|gracht|plein|weg|dijk|singel|steeg|"
    rf"plantsoen|dreef|hof|ufer|damm|kade|chaussee)|(?:{_WORD}[ -]){{1,2}}(?:Straße|Strasse|Str\.|Allee|Platz|Weg|Damm|Ufer|Gasse)) {_HOUSE}{_TAIL}",
    r"(?<![\w.,/-])(?:\d{1,4}(?: ?(?:bis|ter))?,? )?(?i:rue|avenue|boulevard|place|chemin|allée|impasse|quai|cours|faubourg) "
    rf"(?:{_SMALL} ?){{0,3}}{_WORD}(?:[ -](?:{_SMALL} ?){{0,3}}{_WORD}){{0,4}}(?:,? \d{{1,4}}(?!\w))?{_TAIL}",
    rf"(?<!\w)(?:Calle|C/|Avenida|Avda\.?|Plaza|Paseo|Carrer|Camino|Ronda|Travesía) ?(?:{_SMALL} ){{0,3}}{_WORD}"
    rf"(?: (?:{_SMALL} ){{0,3}}{_WORD}){{0,4}},? (?:n[º°]\.? ?)?\d{{1,4}}(?:,? \d{{1,2}}[ºª°])?{_TAIL}",
    rf"(?<![\w-]){_WORD}(?: (?:{_SMALL} ){{0,2}}{_WORD}){{0,3}},? {_HOUSE}{_FLAT}?{_CODED}",
    r"(?i:\b(?:p\. ?o\. ?box|po box|postfach|postbus|apartado(?: de correos)?|boîte postale)) \d[\d ]{0,8}\d",
    r"(?i:(?<!mail )(?<!ip )(?<!mac )(?<!web )\b(?:address|adres|adresse|anschrift|dirección)(?: of [^\n.]{1,40}?)?(?: is| ist| est| es|:)|"
    r"\blives? (?:at|on|in)|\bwohn(?:e|haft) (?:in der|in|am)|\bwoon (?:op|aan)|\bhabite(?: au)?)\s{1,2}"
    rf"(?P<it>(?:\d{{1,5}}[A-Za-z]?,? (?:(?:{_WORD}|\d{{1,5}})[ ,]{{1,2}}){{0,5}}{_WORD}|(?:{_WORD} ){{1,4}}{_HOUSE})(?: \d{{1,4}}(?!\w))?{_TAIL})",
)
_NO_STREET = re.compile(
    r"\d+[A-Za-z]?,? (?:Click|Press|Select|Open|Choose|Go|Hard|Google|Flash|USB|External|One|Backup|Hi|Dear|Windows|The|This|Your|My|If)\b"
)


def _street(text: str) -> bool:
    return _has_digit(text) and not _NO_STREET.match(text)


# ---- all kinds, the surest first ----

_KEY_HEADS = (
    "-----begin", "sk_", "pk_", "rk_", "whsec_", "sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "akia", "aiza",
    "sg.", "eyj",
)  # fmt: skip
_BORN = "born", "birth", "dob", "d.o", "do.b", "gebo", "geburt", "né", "naiss", "naci", "nací"
_NUMBERS = (
    "tel", "phone", "mob", "cell", "fax", "gsm", "handy", "whats", "portable", "móvil", "rufnummer", "call", "reach", "ring", "text", "answering",
    "number", "nummer", "numéro",
)  # fmt: skip
_ORDERED = (
    "order", "invoice", "customer", "client", "account", "booking", "tracking", "bestel", "auftrag", "rechnung", "kunden", "factu", "klant",
    "commande", "pedido",
)  # fmt: skip
_PHONE_NEEDS = (("+", "00"), 7), (("0",), 7), (("0",), 10), ((), 10), (_NUMBERS, 6)
_ORDER_NEEDS = (("-",), 5), (_ORDERED, 3)

KINDS: tuple[tuple[str, Finder], ...] = (
    ("url", rule(_URL, _telling_url, among=("://", "www."))),
    ("email", rule(_MAIL, among=("@",))),
    ("email", rule(_SPELT_MAIL, flags=re.I, among=("(", "[", "{", " dot "))),
    ("secret", rule(_KEYS, among=_KEY_HEADS)),
    ("iban", _ibans),
    ("card", rule(_CARD, _card, digits=13)),
    ("card", rule(_NAMED_CARD, digits=12)),
    *(("secret", rule(pattern, check, among=stems)) for pattern, check, stems in _SECRETS),
    ("secret", rule(_RUN, _random)),
    ("birthdate", rule(_BIRTHDATE, among=_BORN, digits=3)),
    ("id", rule(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])", digits=9)),
    ("id", rule(_PAPER, _no_date, among=_PAPERS, digits=3)),
    *(("id", rule(pattern, _no_date, among=tuple(words), digits=6)) for pattern, *words in _BANK),
    ("ip", rule(_IP4, _personal_ip, digits=4)),
    ("ip", rule(_IP6, _personal_ip, among=(":",), digits=1)),
    *(("address", rule(pattern, _street, digits=1)) for pattern in _ADDRESSES),
    *(
        ("phone", rule(pattern, _phone, among=words, digits=n))
        for pattern, (words, n) in zip(_PHONES, _PHONE_NEEDS, strict=True)
    ),
)
ORDERS: tuple[tuple[str, Finder], ...] = tuple(
    ("order", rule(pattern, _order, among=words, digits=n))
    for pattern, (words, n) in zip(_ORDER, _ORDER_NEEDS, strict=True)
)
