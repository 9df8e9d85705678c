"""How something is looked for in a text: by a pattern and a check, in plain letters, and only where the text can hold it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Finder = Callable[[str], Iterator[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Traits:
    """What a text is looked at for once, so that most rules need not look at all: its small letters, and how many digits it has."""

    low: str
    digits: int

    @classmethod
    def of(cls, text: str) -> Traits:
        """The text's; letters that patterns blind to case take for another stand as that one."""
        low = text.lower() if text.isascii() else text.casefold().replace("ı", "i").replace("i\u0307", "i")
        return cls(low, sum(map(str.isdigit, text)))


@dataclass(frozen=True, slots=True)
class Rule:
    """A finder of every match of a pattern, or of its group `it`, that passes a check.

    Whatever matches holds one of the words in `among`, in small letters, where there are any, and so many digits.
    """

    pattern: re.Pattern[str]
    check: Callable[[str], bool]
    group: str | int
    among: tuple[str, ...]
    digits: int

    def __call__(self, text: str) -> Iterator[tuple[int, int]]:
        """The spans of all matches, in order."""
        return (found.span(self.group) for found in self.pattern.finditer(text) if self.check(found.group(self.group)))

    def may(self, traits: Traits) -> bool:
        """Whether a text with these traits can hold a match."""
        low = traits.low
        return traits.digits >= self.digits and (not self.among or any(word in low for word in self.among))


class _Plain(dict[int, str]):
    """A letter, digit or sign that is another one in another width or font, and that one."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        same = unicodedata.decomposition(letter).partition(" ")[0] in _FONTS
        folded = unicodedata.normalize("NFKC", letter) if same else letter
        self[code] = folded if len(folded) == 1 else letter
        return self[code]


_FONTS = frozenset({"<wide>", "<narrow>", "<small>", "<font>", "<noBreak>", "<compat>"})
_PLAIN = _Plain()


def plain(text: str) -> str:
    """The text in plain letters, of the same length: what is written in full width, bold or with hard spaces is found all the same."""
    return text if text.isascii() else text.translate(_PLAIN)


def rule(
    pattern: str, check: Callable[[str], bool] = bool, flags: int = 0, among: tuple[str, ...] = (), digits: int = 0
) -> Rule:
    """The rule of a pattern in words."""
    compiled = re.compile(pattern, flags)
    return Rule(compiled, check, "it" if "it" in compiled.groupindex else 0, among, digits)


def may(finder: Finder, traits: Traits) -> bool:
    """Whether it is worth while to look for what this one finds."""
    return finder.may(traits) if isinstance(finder, Rule) else True
