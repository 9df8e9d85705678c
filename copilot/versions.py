"""Which versions of a product a document is for, and which a message names: `App >=3.1 <4` is not for somebody with App 2.9."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

Version = tuple[int, ...]
_RANGE = re.compile(r"(.{1,80}?)((?: {0,2}(?:>=|<=|==|>|<) {0,2}\d{1,6}(?:\.\d{1,6}){0,4}){1,4})")
_SERIES = re.compile(r"(.{1,80}?) v?(\d{1,6}(?:\.\d{1,6}){0,3})\.[x*]", re.IGNORECASE)
_BOUND = re.compile(r"(>=|<=|==|>|<) {0,2}([\d.]+)")
_NUMBER = r"(\d{1,6}(?:\.\d{1,6}){0,4})"


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


def product_name(product: str) -> str:
    """What a product is called, without the versions that a document is bound to."""
    written = " ".join(product.split())
    bound = _SERIES.fullmatch(written) or _RANGE.fullmatch(written)
    return bound[1].strip() if bound else written


def named(text: str, products: Collection[str]) -> dict[str, tuple[Version, ...]]:
    """The versions of these products that a text names: `App 2.9`, `app version 2.9`, `App v2.9`."""
    found: dict[str, tuple[Version, ...]] = {}
    for product in sorted(products):
        said = re.compile(
            rf"(?<!\w){re.escape(product)} {{0,2}}(?:version |ver\.? ?|v\.? ?)?{_NUMBER}(?![\w.]*\d)", re.IGNORECASE
        )
        if versions := tuple(dict.fromkeys(_version(number) for number in said.findall(text))):
            found[product] = versions
    return found


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
