"""A message as phrases, each as hashed words and letter groups: what a linear head can weigh, and point at."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

BUCKETS = 1 << 15
LONGEST = 5
"""Letter groups of two to five, across the edges of words: they see through typing errors and endings."""
CAPITALS = 0.8
READ_CHARS = 4000
MOST = 120
LONG = 140
"""A phrase longer than this is also cut at commas and "and": people in distress use few full stops."""

_PHRASE = re.compile(r"[^\n.!?…]+[.!?…]*|[.!?…]+")
_PART = re.compile(r"[^,;]{24,}?(?:[,;]|\s(?=(?:and|but|so|und|aber|et|mais|en|maar|y|pero)\s))|[^,;]+[,;]?|[,;]+")
_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|[!?]+|\.{3,}|[^\w\s]")
_ASCII_TOKEN = re.compile(rb"[a-z]+(?:'[a-z]+)?|[!?]+|\.{3,}|[^\w\s\x1c-\x1f]")
"""The same in small letters of ASCII."""
_INNER = re.compile(r"\w[.,?](?![^\W\d_a-z])\w")
WIDEST = 80
_LETTERS = re.compile(r"[^\W\d_]+")
_MAY_SHOUT = re.compile(r"[^\W\d_a-z]{3}")
_ASCII_SHOUT = re.compile(r"(?<![A-Za-z])[A-Z]{3,}(?![A-Za-z])")
_SMALL, _CAPITAL = bytes(range(97, 123)), bytes(range(65, 91))
_SPACED = bytes(number if number in _SMALL + _CAPITAL else 32 for number in range(256))
"""All that is no letter of ASCII as a space."""
_CAPITALS = zlib.crc32(b"<capitals>")
_STEP, _MIX, _SHIFT = np.uint64(0x100000001B3), np.uint64(0x9E3779B97F4A7C15), np.uint64(40)
_IN_BUCKETS, _LAST = BUCKETS.bit_length() - 1, BUCKETS - 1
_LOGARITHMS = np.log2(1 + np.arange(READ_CHARS + MOST + 1))
"""Of one more than how often a word can stand in a text."""

Integers = NDArray[np.int64]
Floats32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Phrases:
    """A text's phrases: their `spans` in it, which buckets each one fills (`rows` and `buckets` side by side), and in how many phrases each stands
    (`bag`).

    `said` is the text as it is read: in small letters where nearly all of it stands in capitals.
    """

    text: str
    said: str
    spans: tuple[tuple[int, int], ...]
    rows: Integers
    buckets: Integers
    bag: tuple[Integers, Integers]

    def shown(self, at: int) -> str:
        """A phrase as it stands in the text, with the whole of a number or address that it begins or ends in."""
        return self.text[slice(*_whole(self.text, *self.spans[at]))].strip()

    def scores(self, weights: Floats32, idf: Floats32, targets: Integers | None = None) -> Floats32:
        """What each phrase, brought to unit length, scores for each target or for those chosen: phrases × targets."""
        worth = idf.take(self.buckets)
        lengths = np.sqrt(np.bincount(self.rows, worth**2))
        found = weights.take(self.buckets, axis=0) if targets is None else weights[self.buckets[:, None], targets]
        weighed = found * (worth / lengths.take(self.rows))[:, None]
        begins = np.searchsorted(self.rows, np.arange(len(self.spans)))
        return np.asarray(np.add.reduceat(weighed, begins), dtype=np.float32)  # no phrase is without letters

    def whole(self, weights: Floats32, idf: Floats32) -> Floats32:
        """What the text as one bag of words and letter groups scores for each target."""
        buckets, counts = self.bag
        worth = _LOGARITHMS[counts] * idf[buckets]
        return np.asarray((worth / max(float(np.sqrt((worth**2).sum())), 1e-9)) @ weights[buckets], dtype=np.float32)


def phrases(text: str) -> Phrases:
    """The phrases at the start of a text; a text without any has one, empty."""
    said = evenly(text)
    spans = tuple(_spans(said[:READ_CHARS]))[:MOST] or ((0, 0),)
    shown = [said[start:end] for start, end in spans]
    words = [_words(phrase) for phrase in shown]
    grams = np.fromiter(chain.from_iterable(words), dtype=np.int64) & _LAST
    of_words = np.repeat(np.arange(len(words)) * BUCKETS, [len(one) for one in words]) + grams
    keys = distinct(np.concatenate([_letters(shown), of_words]))
    buckets = keys & _LAST
    return Phrases(text, said, spans, keys >> _IN_BUCKETS, buckets, counted(buckets))


def distinct(numbers: Integers) -> Integers:
    """Each number once, in order: what numpy's `unique` gives, many times faster where there are few thousands."""
    ordered = np.sort(numbers)
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if len(ordered) else ordered


def counted(numbers: Integers) -> tuple[Integers, Integers]:
    """Each number once, in order, and how often it stands there."""
    ordered = np.sort(numbers)
    begins = np.flatnonzero(np.concatenate([[len(ordered) > 0], ordered[1:] != ordered[:-1]]))
    return ordered[begins], np.diff(begins, append=len(ordered))


def evenly(text: str) -> str:
    """The same in small letters where nearly all of it stands in capitals: who writes everything so stresses nothing by it."""
    capitals, letters = _letters_of(text[:READ_CHARS])
    if capitals <= CAPITALS * letters:
        return text
    small = text.lower()
    return small if len(small) == len(text) else text


def _letters_of(text: str) -> tuple[int, int]:
    """How many capitals a text has, and how many letters."""
    if text.isascii():
        encoded = text.encode()
        without = encoded.translate(None, _CAPITAL)
        return len(encoded) - len(without), len(encoded) - len(without.translate(None, _SMALL))
    letters = [letter for letter in text if letter.isalpha()]
    return sum(map(str.isupper, letters)), len(letters)


def hashed(tokens: list[str]) -> list[int]:
    """A number for each word and for each pair of neighbours: the CRC of `word` and of `word next`."""
    return hashed_bytes([token.encode("utf-8", "replace") for token in tokens])


def hashed_bytes(tokens: list[bytes]) -> list[int]:
    """The same for words in UTF-8."""
    words = list(map(zlib.crc32, tokens))
    return [*words, *map(zlib.crc32, [b" " + one for one in tokens[1:]], words)]


def signals(text: str) -> Floats32:
    """How loud a text is and how long: capitals, exclamation and question marks, words."""
    text = text[:READ_CHARS]
    words = text.encode().translate(_SPACED).split() if text.isascii() else _LETTERS.findall(text)
    capitals = _shouted(text)
    shouts, asks = text.count("!"), text.count("?")
    doubled = ["!!" in text, "??" in text]
    counts = np.log1p([capitals, shouts, asks, len(words)])
    return np.array([*counts, 5 * capitals / (len(words) + 1), *doubled], dtype=np.float32)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    for phrase in _PHRASE.finditer(text):
        start, end = phrase.span()
        pieces = [(start, end)] if end - start <= LONG else [one.span() for one in _PART.finditer(text, start, end)]
        yield from (piece for piece in pieces if text[slice(*piece)].strip())


def _whole(text: str, start: int, end: int) -> tuple[int, int]:
    """A span that begins or ends at a mark within a word, as in `1.99` and `www.shop.example`, widened to the whole word."""
    if start > 1 and _INNER.match(text, start - 2):
        start -= len(text[max(start - WIDEST, 0) : start].split()[-1])
    if end > 1 and _INNER.match(text, end - 2):
        end += len(text[end : end + WIDEST].split()[0])
    return start, end


def _letters(shown: list[str]) -> Integers:
    """A key (row and bucket in one number) for each letter group of each phrase."""
    parts = [f" {' '.join(phrase.lower().split())} " for phrase in shown]
    codes = np.frombuffer("".join(parts).encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    rows = np.repeat(np.arange(len(parts), dtype=np.int64), [len(part) for part in parts])
    keys, rolling = list[Integers](), codes
    for more in range(1, min(LONGEST, len(codes))):
        rolling = rolling[:-1] * _STEP + codes[more:]
        first = rows[: len(rolling)]
        buckets = ((rolling * _MIX) >> _SHIFT).astype(np.int64) & _LAST
        keys.append((first * BUCKETS + buckets)[first == rows[more:]])
    return np.concatenate([np.zeros(0, dtype=np.int64), *keys])


def _words(phrase: str) -> list[int]:
    """A number for each word, pair of words and mark of a phrase; that it has words in capitals is one too."""
    if phrase.isascii():
        tokens = _ASCII_TOKEN.findall(phrase.lower().encode())
        grams = hashed_bytes([token if token[0] >= _SMALL[0] else token[:3] for token in tokens])
    else:
        grams = hashed([token.lower() if token[0].isalpha() else token[:3] for token in _TOKEN.findall(phrase)])
    return [*grams, _CAPITALS] if _shouted(phrase) else grams


def _shouted(text: str) -> int:
    """How many words of a text, of three letters or more, stand in capitals."""
    if not _MAY_SHOUT.search(text):
        return 0
    if text.isascii():
        return len(_ASCII_SHOUT.findall(text))
    return sum(len(word) > 2 and word.isupper() for word in _LETTERS.findall(text))
