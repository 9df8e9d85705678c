"""Scripts whose words are hard to part: written together, as Chinese, Japanese and Thai, or with particles behind, as Korean.

Two letters in a row stand for a word of them, as search engines do it that have no dictionary.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

_TOGETHER = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e80-\u0ece\u1000-\u103f\u1780-\u17d2\u3005-\u3007\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese letters: no space parts their words."""
_HANGUL = "\uac00-\ud7a3"
LETTERS = _TOGETHER + _HANGUL
"""All of them, as they stand between the brackets of an expression."""
_UNSPACED, _RUN = re.compile(f"[{_TOGETHER}]+"), re.compile(f"[{LETTERS}]+")
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_HANGUL_LETTER = re.compile(f"[{_HANGUL}]")
_SILENT = (7, 9, 107, 122)
"""The classes of the marks that an index takes for a word's end: tones, and what silences a vowel."""
_HIRAGANA = re.compile("[\u3041-\u309f]")
_EMPTY = frozenset(
    "的了吗嗎呢吧啊是我你您他们們这這那在有和与與就也都还還个個会會要把被让讓给給请請问問怎么麼什如何可以能想很"
)
"""Chinese letters that say nothing of any matter, as little as two of them in a row do."""
_ENDINGS = frozenset(
    "ます です した して する しま まし ませ せん すか しょ ょう くだ ださ さい こと から ので たい てい いる った って".split()
)
SENTENCE_MARKS = "。！？"
COLONS = (":", "：")
QUESTIONS = ("?", "？")
STOPS = (".", "!", "?", *SENTENCE_MARKS)
"""How a sentence ends, in full width too."""
LETTERED = r"(?:[a-zA-Z]|[ivxIVX]{2,6})\)"
"""How an item begins that has a letter or a Roman number, `b)` or `ii)`; with a full stop it might be a name or the end of a sentence."""
MARKED = rf"(?:[-*•+]|\d{{1,3}}[.)]|{LETTERED}) "
"""How an item of a list begins."""


def parts(text: str) -> set[str]:
    """What is compared in place of words: each two letters in a row of such a run, and each Chinese letter, which often is a word.

    Those that say nothing of any matter are left out.
    """
    if text.isascii():
        return set()
    found = {pair for run in _RUN.findall(text) for pair in _pairs(run)}.union(_CHINESE.findall(text))
    return {one for one in found if one not in _ENDINGS and not _EMPTY.issuperset(one)}


def telling(text: str) -> set[str]:
    """Of these the pairs that are no grammar: of Chinese letters and katakana."""
    return {one for one in parts(text) if len(one) == 2 and _EMPTY.isdisjoint(one) and not _HIRAGANA.search(one)}


def without(text: str) -> str:
    """The text with a space for every run of such letters."""
    return text if text.isascii() else _RUN.sub(" ", text)


def spread(text: str) -> str:
    """The text with the pairs of letters of each such run in its place, as words apart; as it was where there is none."""
    return text if text.isascii() else _RUN.sub(lambda run: f" {' '.join(_pairs(run[0]))} ", text)


def count_words(text: str) -> int:
    """How many words a text has; where no space parts them, two letters count as one."""
    if text.isascii() or not _UNSPACED.search(text):
        return len(text.split())
    others = (word for word in _UNSPACED.sub(" ", text).split() if any(letter.isalnum() for letter in word))
    return sum(1 for _ in others) + sum((len(run) + 1) // 2 for run in _UNSPACED.findall(text))


def mostly_paired(text: str) -> bool:
    """Whether most of a text's letters are of such scripts."""
    return not text.isascii() and 2 * sum(map(len, _RUN.findall(text))) > sum(map(str.isalpha, text))


def wide(text: str) -> bool:
    """Whether a text ends in a Chinese or Japanese letter or mark: what follows it needs no space."""
    return (
        text[-1:] > "\u3000" and unicodedata.east_asian_width(text[-1]) in "WF" and not _HANGUL_LETTER.match(text[-1])
    )


def latin(text: str) -> bool:
    """Whether most of its letters are Latin ones, as they are in all languages that our own words are in."""
    letters = [letter for letter in text if letter.isalpha()]
    return text.isascii() or 2 * sum(letter < "\u0250" or "\u1e00" <= letter < "\u1f00" for letter in letters) >= len(
        letters
    )


def _pairs(run: str) -> list[str]:
    said = [letter for letter in run if unicodedata.combining(letter) not in _SILENT]
    return ["".join(two) for two in pairwise(said)] or said
