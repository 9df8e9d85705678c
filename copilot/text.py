"""Text as people write it: normalised, cut into sentences, and stripped of what is not the writer's own. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby, islice

from copilot.mail import CAPITAL, SIGNED_BEHIND, unquoted, unsigned
from copilot.scripts import SENTENCE_MARKS

# ---- normalise ----

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_ANY_LINE_END = re.compile(rf"{_LINE_ENDS.pattern}|\n")
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
_UNCLEAN = bytes(sorted({*(code for code in _INVISIBLE if code < 0x80), *b"\t\r\v\f"}))
"""What of ASCII is changed: most messages have none of it."""


def normalise(text: str) -> str:
    """The same text in one spelling: NFC, `\\n` line ends, nothing invisible, no lone surrogates."""
    ascii = text.isascii()
    if ascii and len(text.encode().translate(None, _UNCLEAN)) == len(text):
        return text
    text = _LINE_ENDS.sub("\n", text)
    if ascii:  # neither marks nor surrogates
        return text.translate(_CLEAN)
    text = _SURROGATE.sub("\ufffd", text).translate(_CLEAN)
    return unicodedata.normalize("NFC", _MARKS.sub(_fewer_marks, text))


def _fewer_marks(run: re.Match[str]) -> str:
    groups = groupby(run.group(), lambda c: unicodedata.combining(c) > 0)
    return "".join("".join(islice(group, _MOST_MARKS) if marks else group) for marks, group in groups)


def straight(text: str) -> str:
    """The text with every apostrophe as `'`, character for character, so that offsets stay: a telephone writes don’t, a keyboard don't."""
    return text if text.isascii() else text.translate(_APOSTROPHES)


_APOSTROPHES = dict.fromkeys(map(ord, "’‘ʼ´"), "'")

# ---- sentences ----

_LINE = re.compile(r"[^\n\r\u2028\u2029]+")
_STOP = re.compile(rf"[.!?…{SENTENCE_MARKS}]+[\"'”’»)\]*_」』）】》]*")
_CLOSED_QUOTE = re.compile(r"[\"'”’」』]\Z")
_TOKEN_BEFORE = re.compile(r"[^\s(\[\"'“„«>/]{1,24}\Z")
_MONTHS = tuple("januar februar märz april mai juni juli august september oktober november dezember".split())
_NEVER_LAST = frozenset(
    "e.g i.e eg ie cf vs viz dr mr mrs ms prof st messrs mt approx dept incl esp resp misc tel yahoo "
    "z.b d.h u.a o.g bzw evtl ggf inkl exkl zzgl vgl hr hrn geb bijv bv o.a m.b.t t.a.v i.v.m d.w.z mevr dhr mw blz "
    "p.ex mme mlle env av bd c.-à-d sr sra srta dña p.ej ej pág págs núm avda".split()
)
_BEFORE_NUMBER = frozenset("no nos nr art abs fig figs v ver vers ca est max min ext p pp str vol".split())
_MAY_BE_LAST = frozenset("a.m p.m etc usw usf enz inc ltd corp co u.s u.k u.s.a b.v n.v s.a a.s.a.p jr".split())
_NAMES_A_BUTTON = re.compile(
    r"(?<!\bI )(?<!\bi )(?<!\bwe )\b(?:(?i:tap|click|press|choose|select|pick|hit)(?: on)?|"
    r"(?i:(?:tippen|klicken|drücken) Sie auf|(?:tippe|klicke|drücke) auf|"
    r"(?:cliquez|appuyez) sur|(?:klik|tik|druk) op|(?:haz clic|pulsa|toca) en))(?: the)? [\"“„«'‘*_]*[A-ZÀ-Ý][^.?!:]{0,40}\Z"
)
"""The words before a question mark name a button or a link, and the sentence goes on behind it."""


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
    if mark in SENTENCE_MARKS:  # what is quoted may end in one while the sentence goes on
        return not (_CLOSED_QUOTE.search(stop.group()) and text[at : at + 1].isalpha())
    if at >= line_end or not text[at].isspace():
        return False
    following = text[at : at + 40].lstrip()
    if not following or following[0] in ">→|/»›":
        return False
    if (
        mark == "?"
        and following[0].islower()
        and _NAMES_A_BUTTON.search(text, max(line_start, stop.start() - 60), stop.start())
    ):
        return False  # "Tap Forgot password? on the sign-in page"
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


def own_sentences(text: str) -> Iterator[tuple[int, int, str]]:
    """The writer's own sentences at their places in the text as received, with their words in one spelling; wrapped lines are put together."""
    clean = normalise(text)
    own = " ".join(own_words(clean).split())
    each = str if clean == text else normalise  # a part of a text that is normalised already is so too
    spans = ((start, end, " ".join(each(text[start:end]).split())) for start, end in _unwrapped(text))
    yield from (span for span in spans if span[2] and span[2] in own)


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

_ADDRESSED = (
    r"(?i:all|there|team|every(?:one|body)|folks|guys|sir|madam|or|and|to|whom|it|may|concern|community|support|people|again|friends?|"
    r"together|damen|und|herren|herr|frau|zusammen|allemaal|mevrouw|meneer|heer|à tous|tous|madame|monsieur|equipo|señor(?:es|a)?|"
    r"mr|mrs|ms|dr)\.?"
)
_GREETED = re.compile(
    rf"[\s*_]*(?i:{GREETING})(?:[ ,]{{1,2}}(?:{_ADDRESSED}(?!\w)|{CAPITAL}[\w'’-]{{0,30}}+|[^\W\d_][\w'’-]{{1,20}}+(?=,))){{0,5}}"
    r"\s{0,2}(?:[,.!:;–—…-]+|$)\s*"
)
_SAYS = re.compile(r"[^\W_]|[☀-🫿]")


def own_words(text: str) -> str:
    """What the writer says: without quoted mail, signature and greeting line, as far as something is left without them."""
    lines = text.split("\n")
    numbers = list(range(len(lines)))
    for strip in (unquoted, unsigned):
        left = strip(lines, numbers)
        numbers = left if _says(lines, left) else numbers
    own = "\n".join(lines[number] for number in numbers).strip()
    if signed := SIGNED_BEHIND.search(own, max(0, len(own) - 120)):
        own = own[: signed.start()]
    greeted = _without_greeting(own)
    return greeted if _SAYS.search(greeted) else own


def not_own(text: str) -> list[tuple[int, int]]:
    """The spans of the lines that are not the writer's: quoted mail, and what surely is a signature or a company's note below the message.

    In a text as received. Closing and greeting stay, and a message without quotes is never emptied.
    """
    lines = normalise(text).split("\n")
    numbers = unquoted(lines, range(len(lines)))
    left = unsigned(lines, numbers, sure=True)
    own = frozenset(left if _says(lines, left) else numbers)
    if len(own) == len(lines):
        return []
    ends = [end.span() for end in _ANY_LINE_END.finditer(text)]
    spans = zip([0, *(end for _, end in ends)], [*(start for start, _ in ends), len(text)], strict=True)
    return [span for number, span in enumerate(spans) if number not in own]


def _says(lines: Sequence[str], numbers: Sequence[int]) -> bool:
    return any(_SAYS.search(lines[number]) for number in numbers)


def _without_greeting(text: str) -> str:
    line = text.split("\n", 1)[0][:200]
    found = _GREETED.match(line)
    return text[found.end() :].lstrip() if found else text
