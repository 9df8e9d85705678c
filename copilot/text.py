"""Text as people write it: normalised, cut into sentences, and stripped of what is not the writer's own. Pure."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby, islice

# ---- normalise ----

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MARKS = re.compile(r"[^\w\s!-~]{31,}")
_MOST_MARKS = 30  # on one letter: Unicode's own limit, and more make NFC quadratic
_INVISIBLE = (
    *(*range(0x00, 0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0)),  # control characters
    *(0xAD, 0x034F, 0x061C, 0x180E, 0xFEFF),  # soft hyphen, joiner, marks, byte order mark
    *(*range(0x200B, 0x2010), *range(0x202A, 0x202F)),  # zero width, bidi overrides
    *range(0x2060, 0x2070),  # bidi isolates
    *range(0xE0000, 0xE0080),  # tag characters: text that no eye sees
)
_CLEAN: dict[int, str | None] = {**dict.fromkeys(_INVISIBLE), 0x09: " "}


def normalise(text: str) -> str:
    """The same text in one spelling: NFC, `\\n` line ends, nothing invisible, no lone surrogates."""
    text = _SURROGATE.sub("\ufffd", _LINE_ENDS.sub("\n", text)).translate(_CLEAN)
    return unicodedata.normalize("NFC", _MARKS.sub(_fewer_marks, text))


def _fewer_marks(run: re.Match[str]) -> str:
    groups = groupby(run.group(), lambda c: unicodedata.combining(c) > 0)
    return "".join("".join(islice(group, _MOST_MARKS) if marks else group) for marks, group in groups)


# ---- sentences ----

_LINE = re.compile(r"[^\n\r\u2028\u2029]+")
_STOP = re.compile(r"[.!?…。！？]+[\"'”’»)\]*_]*")
_TOKEN_BEFORE = re.compile(r"[^\s(\[\"'“„«>/]{1,24}\Z")
_MONTHS = tuple("januar februar märz april mai juni juli august september oktober november dezember".split())
_NEVER_LAST = frozenset(
    "e.g i.e eg ie cf vs viz dr mr mrs ms prof st messrs mt approx dept incl esp resp misc tel yahoo "
    "z.b d.h u.a o.g bzw evtl ggf inkl exkl zzgl vgl hr hrn geb bijv bv o.a m.b.t t.a.v i.v.m d.w.z mevr dhr mw blz "
    "p.ex mme mlle env av bd c.-à-d sr sra srta dña p.ej ej pág págs núm avda".split()
)
_BEFORE_NUMBER = frozenset("no nos nr art abs fig figs v ver vers ca est max min ext p pp str vol".split())
_MAY_BE_LAST = frozenset("a.m p.m etc usw usf enz inc ltd corp co u.s u.k u.s.a b.v n.v s.a a.s.a.p jr".split())


def sentences(text: str) -> list[tuple[int, int]]:
    """The spans of the text's sentences, list items and bare lines, in order; a line end always ends one."""
    return [span for line in _LINE.finditer(text) for span in _line_sentences(text, line.start(), line.end())]


def _line_sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    cuts = [stop.end() for stop in _STOP.finditer(text, start, end) if _ends_sentence(text, stop, start, end)]
    spans = (_strip(text, a, b) for a, b in zip([start, *cuts], [*cuts, end], strict=True))
    return [(a, b) for a, b in spans if a < b]


def _strip(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def _ends_sentence(text: str, stop: re.Match[str], line_start: int, line_end: int) -> bool:
    mark, at = stop.group()[0], stop.end()
    if mark in "。！？":
        return True
    if at >= line_end or not text[at].isspace():
        return False
    following = text[at : at + 40].lstrip()
    if not following or following[0] in ">→|/»›":
        return False
    if mark in "…" or stop.group().startswith(".."):
        return not following[0].islower()
    return mark != "." or _full_stop(text[max(line_start, stop.start() - 25) : stop.start()], following)


def _full_stop(before: str, following: str) -> bool:
    """Whether a full stop between these ends a sentence."""
    found = _TOKEN_BEFORE.search(before)
    token = found.group() if found else ""
    if before.strip() == token and (token.isdigit() or len(token) == 1):
        return False  # "1. Open the settings": an item's number
    if token.isdigit() and following.lower().startswith(_MONTHS):
        return False  # "am 3. März"
    if len(token) == 1 and token.isalpha() and token != "I":
        return (
            token.islower() and following[0].isupper() and following[1:2] != "."
        )  # an initial, "z. B.", but "3 m. Then"
    token = token.lower()
    if token in _BEFORE_NUMBER:
        return not following[0].isdigit()
    return token not in _NEVER_LAST and (token not in _MAY_BE_LAST or following[0].isupper())


# ---- a writer's own words ----


def own_sentences(text: str) -> list[tuple[int, int, str]]:
    """The writer's own sentences at their places in the text as received, with their words in one spelling; wrapped lines are put together."""
    clean = normalise(text)
    own = " ".join(own_words(clean).split())
    each = str if clean == text else normalise  # a part of a text that is normalised already is so too
    spans = ((start, end, " ".join(each(text[start:end]).split())) for start, end in _unwrapped(text))
    return [span for span in spans if span[2] and span[2] in own]


def _unwrapped(text: str) -> list[tuple[int, int]]:
    """Sentence spans, those joined that only a line's end parted."""
    joined: list[tuple[int, int]] = []
    for start, end in sentences(text):
        if joined and _goes_on(text, joined[-1], start):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _goes_on(text: str, before: tuple[int, int], start: int) -> bool:
    gap, last = text[before[1] : start], text[before[0] : before[1]].rpartition("\n")[2]
    return gap.count("\n") == 1 and len(last) >= _WRAPPED and last[-1] not in ".!?:;" and text[start] not in "-*•>#"


_WRAPPED = 45
"""A line of at least so many characters that ends without a stop goes on in the next one."""

GREETING = (
    r"(?:hi(?:ya)?|hello|hey|dear|(?:good )?(?:morning|afternoon|evening)|good day|greetings|howdy|hallo|guten (?:tag|morgen|abend)|moin|"
    r"servus|sehr geehrte[rs]?|liebe[rs]?|beste|geachte|dag|hoi|goede(?:morgen|middag|navond|ndag)|bonjour|bonsoir|salut|chère?s?|hola|"
    r"buen[oa]s (?:días|dias|tardes|noches)|estimad[oa]s?|querid[oa]s?|madame, monsieur|to whom it may concern)(?=[ ,.!:]|$)"
)
"""How messages begin in English, German, Dutch, French and Spanish; a pattern to be matched in any case."""

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
"""How messages end, likewise."""

CAPITAL = r"(?![\d_])[^\Wa-zà-öø-ÿ]"
"""A pattern for one letter that is not a small one."""

_MORE_THANKS = (
    r"(?> (?:from|uit|aus|de|desde) [^.!?\n]{2,30}| (?:and|und|en|et|y) [a-zäöüß ]{2,20}|"
    r" (?:a lot|a million|so much|very much|again|in advance|all|beaucoup|d'avance|de antemano|im voraus|"
    r"(?:for|für|voor|pour|por) [^.!?\n]{2,60})){0,3}+"
)
_ON = r"(?:On|Am|Le|Op|El)\s"
_WROTE = r"(?:wrote|schrieb|a écrit|schreef|geschreven|escribió)"
_ATTRIBUTION = re.compile(rf"(?:{_ON}.{{4,280}}|.{{0,120}})(?:said|(?<!\w){_WROTE})(?!\w).{{0,100}}", re.I)
_MAILED = re.compile(rf"{_ON}.{{0,150}}\d(?:.{{0,100}}\d[:.]\d\d|.{{0,100}}@).{{0,200}}{_WROTE}.{{0,100}}:", re.I)
_FORWARDED = re.compile(
    r"\s*(?:[-_*=#]{2,}\s*(?:original message|forwarded message|(?:original|ursprüngliche |weitergeleitete )-?nachricht|message d.origine|"
    r"message (?:original|transféré)|(?:oorspronkelijk|doorgestuurd) bericht|mensaje (?:original|reenviado)|"
    r"please type your reply above this line)\b.{0,40}|"
    r"begin forwarded message:\s*|anfang der weitergeleiteten nachricht:\s*|début du message (?:réexpédié|transféré)\s*:\s*)",
    re.I,
)
_FROM = re.compile(r"\s*\*?(?:From|Von|De|Van|Da|Expéditeur)\s*:\*?\s", re.I)
_SENT = re.compile(r"\s*\*?(?:Sent|Gesendet|Envoyé|Verzonden|Enviado)(?: le| el| am)?\s*:", re.I)
_DEVICE = re.compile(
    r"\s*(?:sent (?:from|with|via) (?:my |mail |yahoo|outlook|gmail|samsung|proton|the )|sent from \w+$|get outlook for|"
    r"von meinem .{2,30} gesendet|gesendet (?:von|mit) |diese nachricht wurde von|envoyé (?:de mon|depuis|à partir) |"
    r"télécharge[rz] outlook|(?:verstuurd|verzonden) (?:vanaf|met|via) |enviado (?:desde|de) ).{0,70}",
    re.I,
)
_NAMES = rf"(?:(?:{CAPITAL}[\w.'’&-]{{0,30}}+|van|von|de|der|den|la)(?:[ ,]{{1,2}}|$)){{1,5}}|[^\W\d_]{{2,15}}"
_ADDRESSED = (
    r"(?i:all|there|team|every(?:one|body)|folks|guys|sir|madam|or|and|to|whom|it|may|concern|community|support|people|again|friends?|"
    r"together|damen|und|herren|herr|frau|zusammen|allemaal|mevrouw|meneer|heer|à tous|tous|madame|monsieur|equipo|señor(?:es|a)?|"
    r"mr|mrs|ms|dr)\.?"
)
_SIGNED = re.compile(rf"[\s>*_]*(?i:{CLOSING}{_MORE_THANKS})[\s,.!:;)–—-]*(?:{_NAMES})?[\s,.!:;*_–—-]*")
_GREETED = re.compile(
    rf"[\s*_]*(?i:{GREETING})(?:[ ,]{{1,2}}(?:{_ADDRESSED}(?!\w)|{CAPITAL}[\w'’-]{{0,30}}+|[^\W\d_][\w'’-]{{1,20}}+(?=,))){{0,5}}"
    r"\s{0,2}(?:[,.!:;–—…-]+|$)\s*"
)
_SIGNATURE_LINES = 12


_SAYS = re.compile(r"[^\W_]|[☀-🫿]")


def own_words(text: str) -> str:
    """What the writer says: without quoted mail, signature and greeting line, as far as something is left without them."""
    for strip in (_without_quotes, _without_signature, _without_greeting):
        stripped = strip(text).strip()
        text = stripped if _SAYS.search(stripped) else text
    return text


def _without_quotes(text: str) -> str:
    lines = text.split("\n")
    kept: list[str] = []
    quoting = False
    for number, line in enumerate(lines):
        if _FORWARDED.fullmatch(line) or _mail_head(lines, number) or _mail_attribution(lines, number):
            break
        if quoted := line.lstrip(" ").startswith(">"):
            if not quoting:
                _drop_attribution(kept)
        else:
            kept.append(line)
        quoting = quoted
    return "\n".join(kept)


def _mail_head(lines: list[str], number: int) -> bool:
    """Outlook's head of a quoted mail: From, Sent, To, Subject."""
    return bool(_FROM.match(lines[number])) and any(_SENT.match(line) for line in lines[number + 1 : number + 3])


def _mail_attribution(lines: list[str], number: int) -> bool:
    """ "On Tue, 3 Mar 2026 at 09:14, Ana wrote:" with the quoted mail below it unmarked, on up to three lines."""
    if not re.match(_ON, lines[number]):
        return False
    heads = (" ".join(line[:200].strip() for line in lines[number : number + n]) for n in (1, 2, 3))
    return any(_MAILED.fullmatch(head) for head in heads) and not _quote_follows(lines, number + 1)


def _quote_follows(lines: list[str], number: int) -> bool:
    return any(line.lstrip(" ").startswith(">") for line in lines[number : number + 5])


def _drop_attribution(kept: list[str]) -> None:
    """Takes "Ana wrote:" off the end, with the blank and decorating lines around it."""
    _drop_blank(kept)
    for n in (1, 2, 3):
        head = " ".join(line[:200].strip() for line in kept[-n:])
        if len(kept) >= n and _ATTRIBUTION.fullmatch(head) and (n == 1 or re.match(_ON, head)):
            del kept[-n:]
            _drop_blank(kept)
            return


def _drop_blank(kept: list[str]) -> None:
    while kept and kept[-1].strip() in ("", "_", "*", "**", "__"):
        kept.pop()


def _without_signature(text: str) -> str:
    lines = [line for line in text.split("\n") if not _DEVICE.fullmatch(line[:120])]
    filled = [number for number, line in enumerate(lines) if line.strip()][-_SIGNATURE_LINES:]
    for place, number in enumerate(filled):
        below = [lines[n] for n in filled[place + 1 :]]
        if lines[number].rstrip() == "--" or (_is_closing(lines[number]) and all(_is_contact(line) for line in below)):
            return "\n".join(lines[:number])
    return "\n".join(lines)


def _is_closing(line: str) -> bool:
    return len(line) <= 120 and bool(_SIGNED.fullmatch(line))


def _is_contact(line: str) -> bool:
    """A name, a title, a telephone number, an address: short, and no sentence."""
    words = line.split()
    return (
        len(line) <= 80
        and len(words) <= 8
        and not line.rstrip().endswith(("?", "!", ":"))
        and (len(words) <= 4 or _looks_written(words))
    )


def _looks_written(words: list[str]) -> bool:
    """Most words begin with a capital or carry a digit, as on a letterhead."""
    return 2 * sum(word[0].isupper() or any(c.isdigit() or c == "@" for c in word) for word in words) > len(words)


def _without_greeting(text: str) -> str:
    line = text.split("\n", 1)[0][:200]
    found = _GREETED.match(line)
    return text[found.end() :].lstrip() if found else text
