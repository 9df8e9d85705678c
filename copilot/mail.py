"""Which lines of a letter are its writer's: quoted and forwarded mail, signatures and what companies add below, told by their form. Pure.

All take the letter's lines in one spelling (`copilot.text.normalise`) and the numbers of those that are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

CLOSING = (
    r"(?:(?:(?:with |my )?(?:kind(?:est)?|best|warm(?:est)?) )?regards|(?:with )?best wishes|all the best|best|"
    r"(?:yours )?(?:sincerely|faithfully|truly)|yours|cheers|rgds|greetings|(?:with )?(?:many )?thanks|thank ?you|th?n?x|tia|br|respectfully|"
    r"mit (?:freundliche[nm]|beste[nm]|liebe[nm]|viele[nm]) gr(?:ü|ue)(?:ß|ss)en|mit freundlichem gru(?:ß|ss)|"
    r"(?:(?:viele|liebe|beste|schöne|herzliche|freundliche) )?gr(?:ü|ue)(?:ß|ss)e|(?:(?:schönen|lieben|viele[nr]?) )?gru(?:ß|ss)|"
    r"mfg|lg|vg|(?:(?:vielen|besten|herzlichen) )?dank|danke(?: schön)?|"
    r"(?:met )?(?:vriendelijke|hartelijke) groet(?:en)?|groet(?:en|jes)?|gr|mvg|(?:alvast |hartelijk )?bedankt|dank (?:je|u)(?: wel)?|"
    r"(?:bien )?cordialement|bien à (?:vous|toi)|(?:meilleures |sincères )?salutations(?: distinguées)?|cdt|amicalement|bonne journée|merci|"
    r"(?:un )?saludos?(?: cordial(?:es)?)?|atentamente|(?:muchas |mil )?gracias)(?![\w'’-])"
)
"""How messages end in English, German, Dutch, French and Spanish; a pattern to be matched in any case."""

CAPITAL = r"(?![\d_])[^\Wa-zà-öø-ÿ]"
"""A pattern for one letter that is not a small one."""

# ---- quoted mail ----

_ON = (
    r"(?:On|Am|Le|Op|El|Il(?: giorno)?|Em|W dniu|Dnia|Den|"
    r"(?:pon|wt|śr|czw|pt|sob|niedz|seg|ter|qua|qui|sex|sáb|dom|lun|mer|gio|ven)[.,]{1,2})\s"
)
_BEGINS = re.compile(rf"{_ON}|\d{{4}}-")
_WROTE = r"(?:wrote|schrieb|a écrit|schreef|geschreven|escribió|ha scritto|escreveu|napisał(?:\(a\)|a)?|skrev)"
_ATTRIBUTION = re.compile(rf"(?:{_ON}.{{4,280}}|.{{0,120}})(?:said|(?<!\w){_WROTE})(?!\w).{{0,100}}", re.I)
_MAILED = re.compile(
    rf"{_ON}.{{0,150}}\d(?:.{{0,100}}\d[:.]\d\d|.{{0,100}}@|(?<=\b[12])[09]\d\d\b).{{0,200}}{_WROTE}.{{0,100}}:|"
    r"\d{4}-\d\d-\d\d,? \d\d?:\d\d.{0,80}<[^<>\s]{1,80}@[^<>\s]{1,80}>\s?:",
    re.I,
)
_NAMES_WRITER = re.compile(rf"{_WROTE}|>\s?:$", re.I)
"""Each attribution holds this: looking for it first keeps hostile lines from costing much."""
_FORWARDED = re.compile(
    r"\s*(?:[-_*=#]{2,}\s*(?:original message|forwarded message|(?:original|ursprüngliche |weitergeleitete )-?nachricht|message d.origine|"
    r"message (?:original|transféré)|(?:oorspronkelijk|doorgestuurd) bericht|mensaje (?:original|reenviado)|"
    r"please type your reply above this line)\b.{0,40}|"
    r"begin forwarded message:\s*|anfang der weitergeleiteten nachricht:\s*|début du message (?:réexpédié|transféré)\s*:\s*)",
    re.I,
)
_SENDER = r"\s*\*?(?:From|Von|De|Van|Da|Od|Expéditeur)\s*:\*?\s"
_FROM = re.compile(_SENDER, re.I)
_SENT = re.compile(r"\s*\*?(?:Sent|Gesendet|Envoyé|Verzonden|Enviado|Inviato|Wysłano)(?: le| el| am)?\s*:", re.I)
_DATED = re.compile(r"\s*\*?(?:Date|Datum|Data|Fecha)\s*:", re.I)
_ABOUT = re.compile(r"\s*\*?(?:Subject|Betreff|Objet|Onderwerp|Asunto|Oggetto|Assunto|Temat)\s*:", re.I)


_HEADS = re.compile(rf"(?i:\s*(?:[-_*=#]{{2}}|begin|anfang|début)|{_SENDER})|{_BEGINS.pattern}")
"""How each line begins that may stand above quoted mail; most others are told by this one look."""


def unquoted(lines: Sequence[str], numbers: Sequence[int]) -> list[int]:
    """Those of the numbers that are not quoted mail, its attribution or head."""
    kept: list[int] = []
    quoting = False
    for number in numbers:
        line = lines[number]
        if _HEADS.match(line) and _heads_quoted(lines, number):
            _drop_rules(lines, kept)
            break
        if quoted := line.lstrip(" ").startswith(">"):
            if not quoting:
                _drop_attribution(lines, kept)
        else:
            kept.append(number)
        quoting = quoted
    return kept


def _heads_quoted(lines: Sequence[str], number: int) -> bool:
    """Whether quoted mail begins with this line, or with what is below it."""
    return bool(_FORWARDED.fullmatch(lines[number])) or _mail_head(lines, number) or _mail_attribution(lines, number)


def _mail_head(lines: Sequence[str], number: int) -> bool:
    """The head of a quoted mail: From, Sent, To, Subject, or Date in place of Sent; a journey has From, To and Date too."""
    if not _FROM.match(lines[number]):
        return False
    below = lines[number + 1 : number + 6]
    dated = any(_DATED.match(line) for line in below)
    return any(_SENT.match(line) for line in below[:2]) or (
        dated and ("@" in lines[number] or any(_ABOUT.match(line) for line in below))
    )


def _mail_attribution(lines: Sequence[str], number: int) -> bool:
    """ "On Tue, 3 Mar 2026 at 09:14, Ana wrote:" with the quoted mail below it unmarked, on up to three lines."""
    if not _BEGINS.match(lines[number]):
        return False
    heads = (lines[number : number + n] for n in (1, 2, 3))
    return any(_is_mailed(head) for head in heads) and not _quote_follows(lines, number + 1)


def _is_mailed(head: Sequence[str]) -> bool:
    """Whether these lines are one attribution, and no sentence of the writer's before it."""
    whole = all(line.strip() and not line.rstrip().endswith((".", "!", "?")) for line in head[:-1])
    joined = " ".join(line[:200].strip() for line in head) if whole else ""
    return _NAMES_WRITER.search(joined) is not None and bool(_MAILED.fullmatch(joined))


def _quote_follows(lines: Sequence[str], number: int) -> bool:
    return any(line.lstrip(" ").startswith(">") for line in lines[number : number + 5])


def _drop_attribution(lines: Sequence[str], kept: list[int]) -> None:
    """Takes "Ana wrote:" off the end, with the blank and decorating lines around it; one that tells a date may have up to three lines."""
    _drop_blank(lines, kept)
    for n in (1, 2, 3):
        if len(kept) >= n and _is_mailed([lines[number] for number in kept[-n:]]):
            del kept[-n:]
            return _drop_blank(lines, kept)
    for n in (1, 2, 3):
        head = " ".join(lines[number][:200].strip() for number in kept[-n:])
        if len(kept) >= n and _ATTRIBUTION.fullmatch(head) and (n == 1 or re.match(_ON, head)):
            del kept[-n:]
            return _drop_blank(lines, kept)
    return None


def _drop_blank(lines: Sequence[str], kept: list[int]) -> None:
    while kept and lines[kept[-1]].strip() in ("", "_", "*", "**", "__"):
        kept.pop()


def _drop_rules(lines: Sequence[str], kept: list[int]) -> None:
    """Takes the line that Outlook draws above a quoted mail off the end."""
    while kept and (not lines[kept[-1]].strip() or _RULE.fullmatch(lines[kept[-1]][:200])):
        kept.pop()


# ---- signatures ----

_MORE_THANKS = (
    r"(?> (?:from|uit|aus|de|desde) [^.!?\n]{2,30}| (?:and|und|en|et|y) [a-zäöüß ]{2,20}|"
    r" (?:a lot|a million|so much|very much|again|in advance|all|beaucoup|d'avance|de antemano|im voraus|"
    r"(?:for|für|voor|pour|por) [^.!?\n]{2,60})){0,3}+"
)
_DEVICE = re.compile(
    r"\s*(?:sent (?:from|with|via) (?:my |mail |yahoo|outlook|gmail|samsung|proton|the )|sent from \w+$|get outlook for|"
    r"von meinem .{2,30} gesendet|gesendet (?:von|mit) |diese nachricht wurde von|envoyé (?:de mon|depuis|à partir) |"
    r"télécharge[rz] outlook|(?:verstuurd|verzonden) (?:vanaf|met|via) |enviado (?:desde|de) ).{0,70}",
    re.I,
)
_NAMES = rf"(?:(?:{CAPITAL}[\w.'’&-]{{0,30}}+|van|von|de|der|den|la)(?:[ ,]{{1,2}}|$)){{1,5}}|[^\W\d_]{{2,15}}"
_SIGNED = re.compile(rf"[\s>*_]*(?i:{CLOSING}{_MORE_THANKS})[\s,.!:;)–—-]*(?:{_NAMES})?[\s,.!:;*_–—-]*")
SIGNED_BEHIND = re.compile(
    r"(?<=[.!?…)])[ \t]+(?i:(?:(?:with |my )?(?:kind(?:est)?|best|warm(?:est)?) )?regards|(?:with )?best wishes|rgds|"
    r"(?:yours )?(?:sincerely|faithfully)|(?:mit (?:freundlichen|besten|lieben|vielen)|viele|liebe|beste|herzliche) gr(?:ü|ue)(?:ß|ss)en?|mfg|"
    r"(?:met )?(?:vriendelijke|hartelijke) groet(?:en)?|groet(?:en|jes)|(?:bien )?cordialement|(?:un )?saludos?(?: cordial(?:es)?)?)(?![\w'’-])"
    rf"[ ,.!–—-]*(?:{_NAMES})?[\s,.!]*\Z"
)
"""A closing with a name behind the last sentence, in its line; one that thanks may be what is said."""
_SIGNATURE_LINES = 12
_RULE = re.compile(r"\s*[-_=*–—]{2,}\s*")
_CELLS = re.compile(r"(?<!\s)\s{1,20}[|•·]\s{1,20}")
_NAME = re.compile(rf"{CAPITAL}[\w.'’-]{{0,30}}(?: (?:(?:van|von|de|der|den|la) )?{CAPITAL}[\w.'’-]{{0,30}}){{1,3}}")
_REACHED = re.compile(r"(?<!\w)(?:\+|\(?0)\d[\d\s()/.-]{5,}\d|www\.|https?://|[\w.-]@\w")
_DISCLAIMER = re.compile(
    r"\W*(?:(?:this|the (?:contents?|information)\b.{0,40}) (?:e-?mail|message|communication|transmission)"
    r"(?: (?:and|is|may|contains?|was|has|including|message|communication|transmission)\b|,|\().{0,300}"
    r"(?:confidential|privileged|proprietary|intended (?:solely|only)|intended recipient|addressee)|"
    r"(?:(?:strictly )?(?:private (?:and|&) )?confidential(?:ity)?(?: notice| note)?\b|disclaimer\b|(?:important |legal |privacy )?notice\b|"
    r"privileged\b|if you (?:are not the|(?:have )?received this)).{0,300}"
    r"(?:intended recipient|addressee|intended (?:solely|only)|unauthori[sz]ed|in error|privileged)|"
    r"diese (?:e-?mail|nachricht) .{0,200}(?:vertraulich|empfänger)|ce (?:message|courriel|mail) .{0,200}(?:confidentiel|destinataire)|"
    r"(?:deze e-?mail|dit bericht) .{0,200}(?:vertrouwelijk|geadresseerde)|este (?:mensaje|correo) .{0,200}(?:confidencial|destinatario)).*",
    re.I,
)
_NOTICE_TERMS = re.compile(
    r"intended (?:solely|only|for|recipient)|addressee|confidential|privileged|proprietary|delet|destroy|notify|disclos|disseminat|distribut|copying|"
    r"prohibit|unlawful|liab|unauthori[sz]ed (?:use|disclosure|access|copy|review)|received (?:it|this|the|an) .{0,30}in error|"
    r"vertraulich|empfänger|lösch|unbefugt|weitergabe|vernicht|confidentiel|destinataire|supprim|détru|vertrouwelijk|geadresseerde|verwijder|"
    r"confidencial|destinatario|elimin|borr",
    re.I,
)
"""A note of a company's speaks of several of these; a customer who tells of one mistake does not."""
_FEWEST_TERMS = 2
_FIRST_PERSON = re.compile(r"\b(?:I|[Mm]y|[Mm]e|[Ii]ch|[Mm]ein\w*|je|ik|yo)\b|\?")
_ADDED = re.compile(
    r"\W*(?:(?:please )?(?:consider|think (?:about|of)) (?:the|our) environment\b.{0,80}|(?:bitte )?denken sie an die umwelt\b.{0,80}|"
    r"pensez à l.environnement\b.{0,80}|denk aan het milieu\b.{0,80}|"
    r"(?:virus-?free|virenfrei|sans virus|virusvrij|libre de virus)\W.{0,60}|"
    r"this (?:e-?mail|message) (?:has been|was) (?:checked|scanned) .{0,100}|(?:www\.avast\.com|avg\.com)\W*)",
    re.I,
)
_NOTES, _NOTE_LINES = 8, 30


def unsigned(lines: Sequence[str], numbers: Sequence[int], sure: bool = False) -> list[int]:
    """Those without the signature, and the notes below it; `sure` keeps the closing itself, and what may be a last sentence."""
    numbers = _without_notes(lines, [number for number in numbers if not _DEVICE.fullmatch(lines[number][:120])])
    filled = [number for number in numbers if lines[number].strip()][-_SIGNATURE_LINES:]
    for place, number in enumerate(filled):
        below = [lines[n] for n in filled[place + 1 :]]
        if _is_delimiter(lines[number], below) or (
            _is_closing(lines[number]) and all(_is_contact(line, sure) for line in below)
        ):
            return [n for n in numbers if n < number or (sure and n == number)]
    return numbers


def _is_delimiter(line: str, below: Sequence[str]) -> bool:
    """The line above a signature: "-- " is one for sure, another rule where a name and an address follow."""
    if line == "-- " or not below:
        return line.rstrip() == "--"
    if line.rstrip() == "--":
        return _is_contact(below[0])
    ruled = _RULE.fullmatch(line[:200]) and _NAME.fullmatch(below[0].strip())
    return bool(ruled) and all(_is_contact(one, True) for one in below)


def _without_notes(lines: Sequence[str], numbers: list[int]) -> list[int]:
    """Without the paragraphs at the end that a mail program or a company adds, or that are a card: name, office, telephone."""
    for _ in range(_NOTES):
        end = len(numbers)
        while end and not lines[numbers[end - 1]].strip():
            end -= 1
        numbers = numbers[:end]
        start = end
        while start and end - start < _NOTE_LINES and lines[numbers[start - 1]].strip():
            start -= 1
        paragraph = [lines[number].strip() for number in numbers[start:]]
        before = next((lines[number].rstrip() for number in reversed(numbers[:start]) if lines[number].strip()), ":")
        cut = 0 if _is_card(paragraph) and not before.endswith(":") else _note_from(paragraph)
        if cut is None:
            break
        numbers = numbers[: start + cut]
    return numbers


def _note_from(paragraph: Sequence[str]) -> int | None:
    """The line of a paragraph from which on it is a note."""
    for at in range(len(paragraph)):
        note = " ".join(paragraph[at:])[:2000]
        if _ADDED.fullmatch(note) or (_DISCLAIMER.fullmatch(note) and _is_notice(note)):
            return at
    return None


def _is_notice(note: str) -> bool:
    """Whether nobody speaks of themselves in it, and it says several of the things that such notes say."""
    terms = {found[0].lower()[:8] for found in _NOTICE_TERMS.finditer(note)}
    return len(terms) >= _FEWEST_TERMS and not _FIRST_PERSON.search(note)


def _is_card(paragraph: Sequence[str]) -> bool:
    """Whether a paragraph, or a line of cells, is a name and how to reach it; a title with a link alone is none."""
    cells = [cell for line in paragraph for cell in _CELLS.split(line)]
    if len(cells) < 2 or not _NAME.fullmatch(cells[0]) or not all(_is_contact(cell, True) for cell in cells):
        return False
    reached = [cell for cell in cells[1:] if _REACHED.search(cell)]
    return bool(reached) and (len(cells) > 2 or not all("www." in cell or "://" in cell for cell in reached))


def _is_closing(line: str) -> bool:
    return len(line) <= 120 and bool(_SIGNED.fullmatch(line))


def _is_contact(line: str, sure: bool = False) -> bool:
    """A name, a title, a telephone number, an address: short, and no sentence; `sure` where it is written like one."""
    words = line.split()
    return (
        len(line) <= 80
        and len(words) <= 8
        and not line.rstrip().endswith(("?", "!", ":"))
        and (
            (len(words) <= 4 and not sure) or _looks_written(words) or (len(words) <= 2 and bool(_REACHED.search(line)))
        )
        and not (sure and len(words) > 1 and line.isupper() and line.upper() != line.lower())
    )


def _looks_written(words: list[str]) -> bool:
    """Most words begin with a capital or carry a digit, as on a letterhead."""
    return 2 * sum(word[0].isupper() or any(c.isdigit() or c == "@" for c in word) for word in words) > len(words)
