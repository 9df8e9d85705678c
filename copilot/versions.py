"""Which versions of a product a document is for, and which a message names: `App >=3.1 <4` is not for somebody with App 2.9."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

Version = tuple[int, ...]
_RANGE = re.compile(r"(.{1,80}?)((?: {0,2}(?:>=|<=|==|>|<) {0,2}\d{1,6}(?:\.\d{1,6}){0,4}){1,4})")
_SERIES = re.compile(r"(.{1,80}?) v?(\d{1,6}(?:\.\d{1,6}){0,3})\.[x*]", re.IGNORECASE)
_BOUND = re.compile(r"(>=|<=|==|>|<) {0,2}([\d.]+)")
_NUMBER = r"\d{1,6}(?:\.\d{1,6}){0,4}"
_UNIT = r" ?[%€$£]| ?(?:years?|months?|weeks?|days?|hours?|minutes?|seconds?|inch|cm|mm|kg|gb|mb|eur|euros?|usd|gbp|dollars?|stars?)\b"
_POINTED = rf"(?!\d{{1,2}}\.\d{{1,2}}\.(?:19|20)\d\d)\d{{1,6}}(?:\.\d{{1,6}}){{1,4}}(?!{_UNIT})"
"""A number that is a version even where nothing says so: `App is on 2.9`, not `App is 2 years old`, and no date or amount."""
_WORD = r"(?:vers(?:ion|ión|ione|ie)|release|ver|v)[\s:.]{0,3}"
_VERB = r"(?:is|are|was|has|have|runs|running|ist|hat|läuft)"
_JOINED = r"(?:on|at|in|with|now|still|currently|auf|mit|in|the)"
_OF = r"\s{1,2}(?:of|for|von|des|der|de|du|di|del|van)\s"
_AFTER = (
    rf" {{0,2}}({_NUMBER})|(?:['’]s)?[ ,;:(\[-]{{0,3}}\n?(?:{_VERB} )?(?:{_JOINED} ){{0,2}}{_WORD}(?:is )?({_NUMBER})(?!{_OF})"
    rf"|(?:-| ?[(\[]|: ?| {_VERB} (?:{_JOINED} ){{0,2}})({_POINTED})"
)
"""What may stand after a product: `App 2.9`, `App (version 2.9)`, `App's version is 2.9`, `App-2.9`, `App is on 2.9`."""
_BEFORE = re.compile(rf"(?<!\w){_WORD}({_NUMBER}){_OF}(?:(?:the|my|our|your|this|meiner|meines|la)\s)?")
_HEADED = re.compile(
    r"(?:\b(?:(?P<since>since|from|as of|starting with|ab|seit|depuis|à partir de|vanaf|sinds|desde)"
    r"|(?P<until>up to(?: and including)?|until|till|bis(?: zur?)?|jusqu['’]à|tot(?: en met)?|hasta)|(?P<before>before|vor|avant|voor|antes de)"
    r"|(?P<unsure>to|into|after|than|between|except|but|not|without|over|beyond|nach|als|zwischen|zur?|auf|ausser|ohne|nicht|après|que|entre|sauf"
    r"|sans|à|vers|na|dan|tussen|naar|behalve|zonder)) (?:(?:the|der|die|la|de) )?)?\b(?:versions?|versionen|versies?|versiones|release|v)[ .]?"
    rf"(?P<numbers>{_NUMBER}(?:(?:,| and| or| und| oder| et| ou| en| of| y| o| &|/) ?{_NUMBER}){{0,4}})"
    r"(?P<through> ?(?:[-–]|to|through|bis|à|tot|hasta) ?(?:v|versions? )?\d)?"
    r"(?P<on>\+|,? (?:(?:and|or|und|oder|et|en|of|y|o) )?(?:later|newer|higher|above|up|neuer|höher|ultérieure|nieuwer|hoger|posterior))?"
    r"(?P<back>,? (?:(?:and|or|und|oder|et|en|of|y|o) )?(?:earlier|older|lower|below|älter|antérieure|ouder|lager|anterior))?"
)
_SPOKEN = re.compile(rf"(?<!\w){_WORD}({_NUMBER})(?!\w)")


@dataclass(frozen=True, slots=True)
class Range:
    """The versions of one product, between bounds; `3.x` is everything that begins with 3."""

    product: str
    bounds: tuple[tuple[str, Version], ...]

    def holds(self, version: Version) -> bool:
        """Whether a version is within all bounds; where one says less than the other, the shorter one decides: 3.1.5 is 3.1."""
        return all(_within(version, sign, bound) for sign, bound in self.bounds)


def ranges(products: Iterable[str]) -> tuple[Range, ...]:
    """What of a document's products is bound to versions: `App >=3.1 <4`, `App ==3.1`, `App 3.x`; a bare name is for all of them."""
    return tuple(made for product in products if (made := _range(" ".join(product.split()))))


def headed(heading: str) -> tuple[Range, ...]:
    """The versions that a section is for by its heading: `Version 5 and later`, `Since v4.2`, `Versions 3 and 4`; of whatever product.

    None where a word before one leaves it open, as in `Upgrade to version 5`.
    """
    made = list[Range]()
    for found in _HEADED.finditer(heading.casefold()):
        if found["unsure"] or found["through"]:
            return ()
        since, until = found["on"] or found["since"], found["back"] or found["until"]
        sign = ">=" if since else "<=" if until else "<" if found["before"] else "=="
        made += [Range("", ((sign, _version(number)),)) for number in re.findall(_NUMBER, found["numbers"])]
    return tuple(made)


def spoken(text: str) -> tuple[Version, ...]:
    """The versions that a text names, of whatever product."""
    return tuple(_version(found[1]) for found in _SPOKEN.finditer(text.casefold()))


def product_name(product: str) -> str:
    """What a product is called, without the versions that a document is bound to."""
    written = " ".join(product.split())
    bound = _SERIES.fullmatch(written) or _RANGE.fullmatch(written)
    return bound[1].strip() if bound else written


def named(text: str, products: Collection[str]) -> dict[str, tuple[Version, ...]]:
    """The versions of these products that a text names: `App 2.9`, `app (version 2.9)`, `App is on 2.9`, `version 2.9 of the app`."""
    text, found = text.casefold(), dict[str, tuple[Version, ...]]()
    for product in sorted(product for product in products if product in text):
        after = re.compile(rf"(?<!\w){re.escape(product)}(?:{_AFTER})(?![\w.]*\d)")
        numbers = [one[one.lastindex or 0] for one in after.finditer(text)]
        numbers += [one[1] for one in _BEFORE.finditer(text) if _stands(product, text, one.end())]
        if versions := tuple(dict.fromkeys(map(_version, numbers))):
            found[product] = versions
    return found


def _stands(product: str, text: str, at: int) -> bool:
    """Whether the product stands there as a word of its own."""
    end = at + len(product)
    return text.startswith(product, at) and not (text[end : end + 1].isalnum() or text[end : end + 1] == "_")


def is_for(bound: Iterable[Range], named: Mapping[str, Collection[Version]]) -> bool:
    """Whether a document bound so may answer a text that names these versions: not where it is for others of a product that is named."""
    concerned = [(one, version) for one in bound for version in named.get(one.product, ())]
    return not concerned or any(one.holds(version) for one, version in concerned)


def _range(product: str) -> Range | None:
    if series := _SERIES.fullmatch(product):
        return Range(series[1].casefold(), (("==", _version(series[2])),))
    if found := _RANGE.fullmatch(product):
        return Range(
            found[1].strip().casefold(), tuple((sign, _version(number)) for sign, number in _BOUND.findall(found[2]))
        )
    return None


def _version(number: str) -> Version:
    return tuple(int(part) for part in number.split("."))


def _within(version: Version, sign: str, bound: Version) -> bool:
    own = version[: len(bound)]
    bound = bound[: len(own)]
    return {">=": own >= bound, "<=": own <= bound, "==": own == bound, ">": own > bound, "<": own < bound}[sign]
