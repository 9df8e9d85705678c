"""The facts that a message names, with their exact place: order numbers, amounts, versions, dates, error codes, and the workspace's products.

Linear in the message's length.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from copilot import yaml_file
from copilot.domain import Conversation, Entity
from copilot.errors import ConfigurationError, IndexMismatch, NotFound
from copilot.store.cases import STAFF
from copilot.store.frames import Frame, Frames
from copilot.versions import product_name

_TIMES = tuple(
    (re.compile(rf"\d\s?(?:{words})\b", re.IGNORECASE), by)
    for words, by in (("k|thousand|tausend|tsd|mille", 1e3), ("m|mn|mio|million(?:en)?", 1e6), ("bn", 1e9))
)
MOST = 40
"""More facts than this of one message are a log, not a question."""

MONTH = (
    r"(?:jan(?:uary|uar|v(?:ier)?|uari)?|ene(?:ro)?|feb(?:ruary|ruar|ruari|rero)?|f[eé]v(?:r(?:ier)?)?|mar(?:ch|s|zo)?|m[aä]rz|maart|apr(?:il)?|avr(?:il)?|"
    r"abr(?:il)?|(?-i:May)|mai|mei|mayo|june?|juni|juin|junio|july?|juli|juil(?:let)?|julio|aug(?:ust|ustus)?|ao[uû]t|ago(?:sto)?|sept?(?:ember|embre|iembre)?|"
    r"oct(?:ober|obre|ubre)?|okt(?:ober)?|nov(?:ember|embre|iembre)?|dec(?:ember)?|dez(?:ember)?|d[eé]c(?:embre)?|dic(?:iembre)?)"
)
DAY = r"(?:3[01]|[12]\d|0?[1-9])"
YEAR = r"(?:19|20)\d\d"
NUMBER = r"(?:\d{1,3}(?:[.,'’ \x{a0}\x{202f}]\d{3}){1,3}(?:[.,]\d{1,2})?|\d{1,9}(?:[.,]\d{1,2})?)"
SYMBOL = r"(?:(?:\b(?-i:US|R|A|AU|C|CA|NZ|HK|NT|S|MX))?\$|€|£|¥|₹|₨|₽|₺|₩|₴|₪|₫|₱|₦|฿|zł|fr\.)"
MONEY = (
    r"(?:eur|usd|gbp|chf|jpy|cad|aud|inr|sek|nok|dkk|pln|czk|huf|brl|mxn|krw|cny|(?-i:RUB|UAH|ILS|ZAR|SGD|HKD|NZD|AED|RON)|"
    r"euros?|dollars?|pounds?|bucks|quid|francs?|franken|rupees?|r[uo]u?bles?|reais|kronor|kroner|kr|yen|pesos?|(?-i:Rs))\b"
)
BEFORE = rf"(?:{SYMBOL}|\b{MONEY}|\b(?-i:Rs|RS)\.)"
AFTER = rf"(?:{SYMBOL}|{MONEY}|руб(?:лей|ля|ль)?|грн|kč)"
TIMES = r"(?:(?:k|m|mn|bn)\b|\s(?:k|thousand|million|tausend|tsd|mio|millionen|mille)\b)"
VERSION = r"v?\d{1,5}(?:\.\d{1,6}){0,4}"
DOTTED = r"v?\d{1,5}(?:\.\d{1,6}){1,4}(?:esr)?"
SYSTEM = (
    r"(?:android|ios|ipados|windows(?:\sserver)?|ubuntu|debian|fedora|watchos|app|"
    r"mac\s?os(?:\sx)?(?:\s(?:mojave|catalina|big\ssur|monterey|ventura|sonoma|sequoia|tahoe))?)"
)
PROGRAM = r"(?:firefox|thunderbird|chrome|chromium|safari|outlook|libreoffice|openoffice|python|php|mysql|postgres(?:ql)?|node\.?js|wordpress)"
PLATFORM = rf"(?:{SYSTEM}\s{VERSION}|{PROGRAM}\s(?:{DOTTED}|\d{{2,4}}(?:esr)?)|(?:office|excel|word|powerpoint|exchange)\s(?:20\d\d|365))"
NUMBERED = (
    r"(?:order|booking|invoice|ticket|case|reference|tracking|shipment|parcel|contract|policy|customer|serial|rma|(?-i:PO)|"
    r"bestellung|auftrag|rechnung|sendung|vorgang|(?:bestell|auftrags?|rechnungs?|sendungs?|kunden|vertrags?|vorgangs?|paket|ticket|tracking)-?(?:nummer|nr|id)|"
    r"commande|facture|colis|dossier|suivi|bestelling|ordernummer|factuur|factuurnummer|zending|klantnummer|pedido|factura|env[ií]o)"
)
CODE_NUMBER = r"(?:\s{1,2}(?:code|number|no\.?|nr\.?))?\s{0,2}[:#]?\s{0,2}"
ITS_NUMBER = r"(?:\s{1,2}|[.:#-])(?:(?:id|no|nr|num|number|nummer|code|numero|numéro|número)\b|n[°º])?[\s.:#]{0,3}(?:is\s|est\s|ist\s)?"
PART = r"[-/](?:[a-z]{0,4}\d[\da-z]{0,11}|[a-z]{1,2}\b)"
"""Another part of a number: after a slash or hyphen there are digits, or one or two letters, but no word."""
NUMBERS = (
    rf"(?:[a-z]{{0,5}}[-_/]?\d[\da-z]{{3,29}}(?:{PART}){{0,3}}|\d{{1,3}}[-/]\d{{4,12}}(?:{PART}){{0,2}}|"
    r"(?-i:[A-Z]{2,5})-\d{2,12})"
)
_APART = r"[^\pL\pN_]"
_GAP = r"[\s\x{a0}]{1,3}"
NAMES_MEMORY = 64 << 20
"""As many bytes may the automaton of all names take; the usual 8 MB suffice for some thousands."""
MOST_NAMES = 20_000
KEPT = 64
"""Workspaces whose names are held in memory."""
NOTHING = ""
"""The kind of what looks like a fact and is none, so that no later pattern takes it."""
PATTERNS: tuple[tuple[str, str], ...] = (
    ("date", rf"\b({YEAR}[-/](?:0\d|1[0-2])[-/]{DAY})(?:\b|T\d)"),
    ("date", rf"\b{DAY}[./-](?:0?[1-9]|1[0-2])[./-](?:{YEAR}|\d\d)\b"),
    ("date", rf"\b(?:0?[1-9]|1[0-2])/{DAY}/(?:{YEAR}|\d\d)\b"),
    ("date", rf"\b{DAY}(?:st|nd|rd|th|er|\.)?\s{{1,2}}(?:of\s|de\s)?{MONTH}\b(?:\.?,?\s{{1,2}}(?:de\s)?{YEAR}\b)?"),
    ("date", rf"\b{MONTH}\.?\s{{1,2}}{DAY}(?:st|nd|rd|th)?\b(?:,?\s{{1,2}}{YEAR}\b)?"),
    (
        "error",
        rf"\b(?:error|fehler|erreur|fout|fehlercode|foutcode|errorcode){CODE_NUMBER}([a-z]{{0,4}}[-_]?\d{{1,8}})\b",
    ),
    ("error", r"\b(0x[0-9a-f]{2,16})\b"),
    ("error", r"\b((?-i:[A-Z]{2,12}(?:_[A-Z0-9]{1,20}){1,6}))\b"),
    ("error", r"\b((?-i:E)-?\d{2,4})\b"),
    ("error", r"\b((?-i:ERR|ERROR|ERRNO|ORA|TNS|PLS|SQL|EXC|FAULT)-\d{2,8})\b"),
    ("error", r"\bhttps?(?:[\s-](?:status|error|response|code)){0,3}[\s:-]{1,2}([1-5]\d\d)\b"),
    ("error", r"\bstatus(?:\s?code)?[\s:=]{1,2}(?:is\s|of\s)?([45]\d\d)\b"),
    (
        "error",
        r"\b([45]\d\d)\s(?:error|fehler|erreur|fout|not\sfound|forbidden|bad\s(?:gateway|request)|internal\sserver|service\sunavailable)\b",
    ),
    ("order", rf"\b{NUMBERED}{ITS_NUMBER}({NUMBERS})\b"),
    ("order", r"\b((?-i:[A-Z]{2,5})-\d{4,12}(?:-[\dA-Z]{1,6})?)\b"),
    (
        NOTHING,
        r"\b(?:tel|tele?phone?|telefon|phone|fax|mobile|handy|pin|puk|colou?r|farbe|couleur|kleur|background|hex|room|zimmer|suite|unit|apt|apartment|flat)\b"
        r"\.?(?:\s(?:is|was|ist|est|no|nr|number|nummer|code)\b\.?){0,2}[\s:=]{0,2}(#\s?\d{4,14})\b",
    ),
    ("order", r"#\s?(\d{4,14})\b"),
    ("amount", rf"{BEFORE}\s{{0,2}}{NUMBER}{TIMES}?"),
    ("amount", rf"\b{NUMBER}(?:,-|,–|{TIMES}\.?)?\s{{0,2}}{AFTER}"),
    (
        "version",
        rf"\b(?:version|ver\.|release|firmware|build|rev\.)\s{{0,2}}:?\s{{0,2}}({VERSION}(?:-?(?:beta|rc|esr|alpha)\.?\d{{0,3}})?)\b",
    ),
    ("version", rf"\b{PLATFORM}\b"),
    ("version", rf"\b(?:{SYSTEM}|{PROGRAM})\s({DOTTED}|\d{{2,4}})\b"),  # where the name is taken, as a product
    ("version", r"\b(v\d{1,5}(?:\.\d{1,6}){1,4})\b"),
    ("version", r"(?:^|[\s(])(\d{1,4}\.\d{1,4}\.\d{1,6}(?:esr)?)(?:[\s,;:!?)]|\.(?:\s|$)|$)"),
)
"""Kinds and what they look like, the surest first: what an earlier one has taken is not read again."""


class _Pattern(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    pattern: str = Field(min_length=1, max_length=500)


_Patterns = Annotated[list[_Pattern], Field(max_length=100)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: Literal[1]
    patterns: _Patterns = []
    workspaces: dict[Annotated[str, StringConstraints(max_length=64)], _Patterns] = {}


Compiled = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Own:
    """Patterns beside the shipped ones: some for every workspace, some for one; they are looked for before the shipped ones."""

    every: Compiled = ()
    workspaces: Mapping[str, Compiled] | None = None
    products: Callable[[str], Compiled] | None = None
    """What finds the names of a workspace's products."""

    @classmethod
    def load(cls, path: Path | None, products: Callable[[str], Compiled] | None = None) -> Own:
        """The patterns in a YAML file, and what finds products. Raises ConfigurationError that names the one at fault."""
        import yaml

        if path is None:
            return cls(products=products)
        try:
            file = _File.model_validate(yaml_file.read(path))
            return cls(_own(file.patterns), {name: _own(some) for name, some in file.workspaces.items()}, products)
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise ConfigurationError(
                f"The entity patterns {path} cannot be used: {yaml_file.explained(error)}"
            ) from error

    @property
    def patterns(self) -> Compiled:
        """Those of the file, whichever workspace they are for."""
        return (*(one for some in (self.workspaces or {}).values() for one in some), *self.every)

    def of(self, workspace: str) -> Compiled:
        """Those of a workspace, its own first, and what finds its products."""
        products = self.products(workspace) if self.products else ()
        return (*(self.workspaces or {}).get(workspace, ()), *self.every, *products)


def _own(patterns: list[_Pattern]) -> Compiled:
    import re2

    compiled = []
    for one in patterns:
        try:
            found = re2.compile(one.pattern, _options())
        except re2.error as error:
            raise ValueError(f"{one.type}: {one.pattern!r} is no RE2 expression ({error})") from error
        if found.search(""):
            raise ValueError(f"{one.type}: {one.pattern!r} matches an empty text; say what must be there")
        compiled.append((one.type, found))
    return tuple(compiled)


# ---- the names of products ----


class Products:
    """Finds the products that a workspace's articles say they are for; made once for the names that there are at an index revision."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._made: dict[str, tuple[str, frozenset[str], Compiled]] = {}

    def of(self, workspace: str) -> Compiled:
        """What finds their names, as of the frame that the message's words were looked up in just before; nothing where there are none."""
        try:
            frame = self._frames.held(workspace)
        except (NotFound, IndexMismatch):
            return ()
        revision, known, made = self._made.get(workspace, ("", frozenset(), ()))
        if revision != frame.revision:
            names = product_names(frame)
            made = made if names == known else naming("product", names)
            kept = self._made if len(self._made) < KEPT else {}
            self._made = {
                **kept,
                workspace: (frame.revision, names, made),
            }  # a new dict: no other thread sees one change
        return made


def product_names(frame: Frame) -> frozenset[str]:
    """The products of the articles that every agent may see, without the versions that an article is bound to."""
    seen = frame.articles[frame.open_to(frozenset(STAFF))[frame.articles]]
    named = {product for products in frame.heads.products[seen].tolist() for product in products or ()}
    return frozenset(name for name in map(product_name, named) if len(name) > 1 and any(map(str.isalnum, name)))


def naming(kind: str, names: Collection[str]) -> Compiled:
    """What finds these names as whole words, in any case and however far apart their words are, a longer one before a shorter one."""
    import re2

    if not names:
        return ()
    options = _options()
    options.max_mem = NAMES_MEMORY
    ordered = sorted(names, key=lambda name: (-len(name), name))[:MOST_NAMES]
    either = "|".join(_GAP.join(map(re2.escape, name.split())) for name in ordered)
    return ((kind, _Whole(re2.compile(rf"(?:^|{_APART})({either})(?:{_APART}|$)", options))),)


class _Whole:
    """A pattern whose group stands between marks that the next match may share."""

    groups = 1

    def __init__(self, pattern: Any) -> None:
        self._pattern = pattern

    def finditer(self, text: str | bytes) -> Iterator[Any]:
        """At most MOST matches: each search reads on where the last group ended."""
        at = 0
        for _ in range(MOST):
            found = self._pattern.search(text, at)
            if found is None:
                return
            yield found
            at = found.end(1)


# ---- reading a message ----


def entities(conversation: Conversation, own: Compiled = ()) -> tuple[Entity, ...]:
    """What the customer named, message by message, in reading order."""
    return tuple(
        entity
        for index, message in enumerate(conversation.messages)
        if message.author == "customer" and message.visibility == "public"
        for entity in in_message(message.text, index, own)
    )


def in_message(text: str, index: int, own: Compiled = ()) -> list[Entity]:
    """The facts named in one message, none overlapping another; `text[start:end]` is each one's text."""
    readable = text.encode("utf-8", "replace").decode()  # lone surrogates become one "?" each, so offsets stay
    taken = bytearray(len(text))
    found: list[Entity] = []
    for kind, start, end in _candidates(readable, own):
        if start < end and not any(taken[start:end]):
            taken[start:end] = b"\x01" * (end - start)
            if kind == NOTHING or (kind == "date" and not _in_calendar(text[start:end])):
                continue
            found.append(Entity(type=kind, text=text[start:end], message=index, start=start, end=end))
    return sorted(found, key=lambda entity: entity.start)[:MOST]


def _candidates(text: str, own: Compiled) -> Iterator[tuple[str, int, int]]:
    read = text.encode() if text.isascii() else text  # then the places are the same, and bytes are read faster
    for kind, pattern in (*own, *_compiled()):
        for match in pattern.finditer(read):
            start, end = match.span(min(1, pattern.groups))
            yield kind, start, end


@cache
def _compiled() -> Compiled:
    import re2

    return tuple((kind, re2.compile(pattern, _options())) for kind, pattern in PATTERNS)


def _options() -> Any:
    import re2

    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return options


def value(amount: str) -> float:
    """The number that an amount names: `€1.234,50` and `1,234.50 USD` are both 1234.5; 0 where there is none."""
    digits = "".join(c for c in amount if c.isdigit() or c in ".,").strip(".,")
    times = next((by for pattern, by in _TIMES if pattern.search(amount)), 1)
    head, mark, tail = max((digits.rpartition(mark) for mark in ".,"), key=lambda parts: len(parts[0]))
    if not mark or len(tail) == 3:
        head, tail = head + tail, ""
    whole = "".join(c for c in head if c.isdecimal())
    return times * float(f"{whole or 0}.{tail or 0}") if tail.isdecimal() or not tail else 0.0


def _in_calendar(written: str) -> bool:
    """Whether there is such a day, the month before or behind it; of a month in words it is not asked."""
    numbers = [int(one) for one in re.split(r"[./-]", written) if one.isdecimal()]
    if len(numbers) < 3:
        return True
    first, second, third = numbers
    read = [(first, second, third)] if first > 31 else [(third, second, first), (third, first, second)]
    return any(1 <= month <= 12 and 1 <= day <= monthrange(2000 + year % 100, month)[1] for year, month, day in read)
