"""Patterns over words, safe for anybody to write: matched by RE2 in time linear in the text, blind to case, accents and quoted mail.

In a pattern (RE2, whole words) a space stands for any gap within a sentence, `...` for up to five words, an apostrophe for one or none,
`<name>` for any of the terms listed under that name, and `~word` (five letters or more) for the word with at most one slip of the pen.
A pattern with letters of a script that writes words together, as Chinese, or with particles, as Arabic, is found within words too.
"""

from __future__ import annotations

import heapq
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache, cached_property
from typing import Any

from copilot.text import not_own

HIDDEN = "\0"
_ASCII, _LETTERS = r"\w", r"\pL\pM\pN_"
_ALPHABETS = re.compile("[\u0370-\u03ff\u0400-\u052f\u1f00-\u1fff]")
"""Cyrillic and Greek: words stand apart as in English, but what RE2 takes for a word, and its edge, is ASCII."""
_OTHER_SCRIPTS = re.compile(
    "[\u0530-\u1dff\u2c00-\ua6ff\uaa00-\ud7ff\uf900-\ufaff\ufb1d-\ufdff\ufe70-\ufefc\uff66-\uffdc]"
)
"""Arabic, Hebrew, Indian scripts, Thai, Chinese, Japanese, Korean and so on: words stand together, or have particles before and after."""
_WORD_CLASS = re.compile(r"\[(?:\\.|[^\]\\])*\]|\\[wW]")
_BAR = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\|", re.S)
_SLIPPED = re.compile("~([a-z]{5,})")
ENDS = " \t\r\n.,;:!?…)"
MARKS = "\"'([«»“”„‘’‚*—–-"
"""What may stand at the edge of a word in Cyrillic or Greek, where a match takes it in."""
MEMORY = 1 << 25
"""At RE2's own limit of 8 MB, patterns that are looked for in one pass fall back to its slow engine."""
ONES_MEMORY = 1 << 23
"""For a pattern by itself, where it has room in so little: there are hundreds."""
TOGETHER = 24
"""Patterns that are looked for as one expression, of which the first counts where several match at a place."""
ALWAYS = -1
"""In place of a number in a filter: it says nothing of such an expression."""
SIEVE_MEMORY = 1 << 26
SIEVED_CHARS = 10_000


class Prefilter:
    """Many expressions by the letters that a match of each must have: one quick pass over a text leaves few that are looked for in it."""

    def __init__(self) -> None:
        import re2

        self._filter, self._ready = re2.Filter(), False

    def add(self, expression: str) -> tuple[int, Any]:
        """The expression's number, and it compiled. Raises ValueError."""
        import re2

        for memory in (ONES_MEMORY, MEMORY):
            with suppress(re2.error):
                number = self._filter.Add(_apart(expression), _options(memory))
                return number, self._filter.re(number)
        raise ValueError(f"no RE2 expression: {expression[:100]}")

    def compile(self) -> None:
        """To be called once, when all are added; of more letters than RE2 has room for it tells nothing."""
        import re2

        with suppress(re2.error):
            self._filter.Compile()
            self._ready = True

    def may(self, text: str) -> frozenset[int] | None:
        """The numbers of all expressions that are in the text; None where any may be, before `compile`."""
        return frozenset(self._filter.Match(text) or ()) if self._ready else None


class Words:
    """Patterns to look for together; `find` gives the stretches that match, in time linear in the text.

    `among` is a filter for them and for others: what it says of a text, `find` need not find out. With one each pattern is looked for by
    itself, since few are left: in one pass they have states without end, which RE2 makes anew for each message.
    """

    def __init__(
        self, patterns: Sequence[str], terms: Mapping[str, Sequence[str]], among: Prefilter | None = None
    ) -> None:
        expressions = [whole(pattern, terms) for pattern in patterns]
        lists = [expressions[at : at + TOGETHER] for at in range(0, len(expressions), TOGETHER)]
        try:
            self._lists: list[dict[int, Any]] = [
                dict(map(among.add, some)) if among else {ALWAYS: compiled("|".join(some))} for some in lists
            ]
        except ValueError:
            for pattern, expression in zip(patterns, expressions, strict=True):
                require_compiles(pattern, expression)
            raise
        self.expression = "|".join(expressions)
        """All of them as one RE2 expression."""
        if any(part.search("") is not None for some in self._lists for part in some.values()):
            raise ValueError("a pattern matches the empty text, and so every message")

    def find(self, text: str, may: frozenset[int] | None = None) -> Iterator[tuple[int, int]]:
        """The spans of all matches, in order; of those that begin together the longest first. `may` is what the filter says of the text."""
        lists = [parts for some in self._lists if (parts := _possible(some, may))]
        read = text.encode() if text.isascii() else text
        found = [(shown(text, *span) for span in _either(parts, read)) for parts in lists]
        return heapq.merge(*found, key=lambda span: (span[0], -span[1])) if found else iter(())

    def count(self, text: bytes) -> int:
        """How many matches there are in a text in UTF-8, whose places nobody asks for."""
        return sum(1 for _ in self._whole.finditer(text))

    @cached_property
    def _whole(self) -> Any:
        return compiled(self.expression)


def _possible(parts: Mapping[int, Any], may: frozenset[int] | None) -> list[Any]:
    """The parts that may be in a text by what the filter says of it, in their order."""
    if may is None or ALWAYS in parts:
        return list(parts.values())
    return [parts[number] for number in sorted(may & parts.keys())]


def _either(parts: Sequence[Any], read: str | bytes) -> Iterator[tuple[int, int]]:
    """The spans that the parts match as one expression with "|" between them: none overlaps another, of those at a place the first part's counts."""
    ahead = {at: match.span() for at, part in enumerate(parts) if (match := part.search(read))}
    while ahead:
        start, at = min((span[0], at) for at, span in ahead.items())
        end = ahead[at][1]
        yield start, end
        for passed in [at for at, span in ahead.items() if span[0] < end]:
            if match := parts[passed].search(read, end):
                ahead[passed] = match.span()
            else:
                del ahead[passed]


class Sieve:
    """Which of many lists of patterns are in a text, told in one pass over it, so that only those are looked for."""

    def __init__(self, lists: Sequence[Words]) -> None:
        self._all, self._set = list(range(len(lists))), _together(lists)

    def found(self, text: str) -> list[int]:
        """The numbers of the lists that match; all of them where the text is so long that it may be hostile, or the lists are too large."""
        return self._all if self._set is None or len(text) > SIEVED_CHARS else sorted(self._set.Match(text) or ())


def _together(lists: Sequence[Words]) -> Any:
    """All lists as one RE2 set; None where there are too many."""
    import re2

    made = re2.Set.SearchSet(_options(SIEVE_MEMORY))
    try:
        for words in lists:
            made.Add(words.expression)
        made.Compile()
    except re2.error:
        return None
    return made


def whole(pattern: str, terms: Mapping[str, Sequence[str]]) -> str:
    """The RE2 expression that a policy's pattern stands for. Raises ValueError for a term that is not listed."""
    for name, words in terms.items():
        pattern = pattern.replace(f"<{name}>", f"(?:{'|'.join(words)})")
    pattern = _SLIPPED.sub(lambda found: slips(found[1]), pattern)
    if unknown := compiled("<[a-z_]+>").search(pattern):
        raise ValueError(f"the pattern {pattern!r} uses {unknown.group()}, which is not listed under `terms`")
    if _OTHER_SCRIPTS.search(pattern):
        return rf"(?:{_spelled_out(pattern, _LETTERS)})"
    if _ALPHABETS.search(pattern):
        edge = rf"[^{_LETTERS}\x00]"
        return rf"(?:^|\b|{edge})(?:{_spelled_out(pattern, _LETTERS)})(?:\b|{edge}|$)"
    return rf"(?:^|\b)(?:{_spelled_out(pattern, _ASCII)})(?:\b|$)"


def _apart(expression: str) -> str:
    """The same, whose alternatives RE2 does not put together by their first letters, since what is left of each is too short for a filter."""
    return _BAR.sub(lambda found: "|(?:)" if found[0] == "|" else found[0], expression)


def _spelled_out(pattern: str, word: str) -> str:
    """The pattern with its gaps and apostrophes as RE2 has them, where a word is of these letters."""
    gap = rf"(?:[^{word}.!?\x00]+)"
    spelled_out = fold(pattern.replace(" ... ", rf"(?:{gap}[{word}]+){{0,5}}{gap}").replace("'", "'?")).replace(
        " ", gap
    )
    return _WORD_CLASS.sub(lambda found: _of_letters(found[0], word), spelled_out)


def _of_letters(piece: str, word: str) -> str:
    """A `\\w` or `\\W`, or a `\\w` in brackets, with these letters for a word's."""
    if piece.startswith("["):
        return piece.replace(r"\w", word)
    return f"[^{word}]" if piece == r"\W" else f"[{word}]"


def shown(text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch without the punctuation and white space around it."""
    ends = ENDS if text.isascii() else ENDS + MARKS
    words = text[start:end].rstrip(ends)
    return start + len(words) - len(words.lstrip(ends)), start + len(words)


def slips(word: str) -> str:
    """An expression for a word with at most one slip of the pen after its first letter: one too few, too many or wrong, or two swapped."""
    cuts = [(word[:at], word[at:]) for at in range(1, len(word))]
    wrong = [rf"{a}(?:\w?|{b[0]}\w|\w{b[0]}){b[1:]}" for a, b in cuts[:-1]]
    swapped = [a + b[1] + b[0] + b[2:] for a, b in cuts[:-1]]
    return f"(?:{'|'.join([*wrong, *swapped])})"


def require_compiles(pattern: str, expression: str) -> None:
    """Raise ValueError that names the pattern at fault."""
    for part in (fold(pattern), expression):  # alone first: what is wrong in it can make the whole fail elsewhere
        try:
            compiled(part)
        except ValueError as error:
            raise ValueError(f"the pattern {pattern!r} is no RE2 expression: {error}") from error


def compiled(expression: str) -> Any:
    """The expression in RE2: any case, no groups, linear time. Raises ValueError."""
    import re2

    try:
        return re2.compile(expression, _options(MEMORY))
    except re2.error as error:
        said = error.args[0] if error.args else error
        raise ValueError((said.decode(errors="replace") if isinstance(said, bytes) else str(said))[:200]) from error


def _options(memory: int) -> Any:
    import re2

    options = re2.Options()
    options.case_sensitive, options.never_capture, options.log_errors, options.max_mem = False, True, False, memory
    return options


# ---- what the customer wrote ----


def fold(text: str) -> str:
    """The text without accents and typographic quotes, character for character, so that offsets stay."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode().translate(_foldings())


@cache
def _foldings() -> dict[int, str]:
    letters = {
        code: unicodedata.normalize("NFD", chr(code))[0] for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))
    }
    return {**letters, **dict.fromkeys(map(ord, "’‘ʼ`´"), "'"), 0xDF: "s", 0xA0: " ", 0x202F: " "}


def without_quotes(text: str) -> str:
    """The text with what is not the writer's own blanked out in place: quoted mail, and what surely is a signature or a note below it."""
    kept, done = [], 0
    for start, end in not_own(text):
        kept += [text[done:start], HIDDEN * (end - start)]
        done = end
    return "".join([*kept, text[done:]])


class Clauses:
    """Where a text's clauses begin and end: at punctuation, blank lines and "but"."""

    def __init__(self, text: str) -> None:
        cuts = [match.span() for match in _clause_ends().finditer(text)]
        self._begins = [0, *(end for _, end in cuts)]
        self._ends = [*(start for start, _ in cuts), len(text)]

    def around(self, start: int, end: int) -> tuple[int, int]:
        """The clauses that a stretch lies in, as one stretch."""
        first = max(bisect_right(self._begins, start) - 1, 0)
        last = min(bisect_left(self._ends, end), len(self._ends) - 1)
        return self._begins[first], self._ends[last]


@cache
def _clause_ends() -> Any:
    return compiled(r"[.!?;,:…]+(?:\s+|$)|\n\s*\n|\x00+|\s(?:but|aber|sondern|mais|maar|pero|sino)\s")
