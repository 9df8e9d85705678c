"""A word that nobody knows, read as the one known word next to it: for what is embedded and for the words of intents, never for what is shown.

English only: where many words are strange, the message is left as it is.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from string import ascii_lowercase

from copilot.labelled import MESSAGES, TONES
from copilot.settings import DEFAULTS
from copilot.signals import PLAIN, SHORTEST, counted

READ_CHARS = 1000
SEEN = 2
"""A word that stands but once is known, and yet too little to be what another means."""
OFTEN = 3
"""A word counts as common that this many of the product's own messages have; their typing errors are rarer."""
FEW, SHARE = 3, 0.1
"""At most so many strange words, or this share of all: more are another language, or a log."""
CLEAR = 4
"""How many times commoner the nearest word must be than the next one."""


class Spelling:
    """Common English words and a taxonomy's; `whole` tells whether the embedding model has a word in its vocabulary."""

    def __init__(self, examples: Iterable[str], whole: Callable[[str], bool]) -> None:
        self._common, self._whole = _common() + counted(examples), whole
        self._met = set[str]()

    def read(self, text: str, own: Mapping[str, int]) -> str:
        """The text with its strange words as they are meant, where that is clear; `own` counts the workspace's words."""
        found = [word.lower() for word in PLAIN.findall(text[:READ_CHARS])]
        strange = sorted(word for word in set(found) if not self._known(word, own))
        if not strange or len(strange) > max(FEW, SHARE * len(found)):
            return text
        meant = {word: near for word in strange if (near := self._near(word, own))}
        return PLAIN.sub(lambda word: meant.get(word.group().lower(), word.group()), text) if meant else text

    def _known(self, word: str, own: Mapping[str, int]) -> bool:
        if word in self._common or word in own or word in self._met:
            return True
        if whole := self._whole(word):
            self._met.add(word)  # a word of the model's vocabulary, so there are no more of them than it has
        return whole

    def _near(self, word: str, own: Mapping[str, int]) -> str | None:
        """The one known word at distance one, if it is clear which."""
        beside = _neighbours(word)
        found = (self._common.keys() & beside) | (own.keys() & beside)
        counts = ((self._common.get(near, 0) + own.get(near, 0), near) for near in found)
        known = sorted((one for one in counts if one[0] >= SEEN), reverse=True)
        clear = len(known) == 1 or (len(known) > 1 and known[0][0] >= CLEAR * known[1][0])
        return known[0][1] if clear else None


def _neighbours(word: str) -> set[str]:
    """What was meant if two letters were swapped or, in a longer word, one was left out, added or wrong; first and last letter stand."""
    cuts = [(word[:at], word[at:]) for at in range(1, len(word))]
    beside = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    if len(word) > SHORTEST:
        beside |= {a + b[1:] for a, b in cuts[:-1]}
        beside |= {a + letter + b[1:] for a, b in cuts[:-1] for letter in ascii_lowercase}
        beside |= {a + letter + b for a, b in cuts for letter in ascii_lowercase}
    return beside


def _common() -> Counter[str]:
    """How many of the product's own messages have a word, rare ones left out."""
    rows = (line for name in (MESSAGES, TONES) for line in (DEFAULTS / name).read_text(encoding="utf-8").splitlines())
    counts = Counter(word for row in rows for word in set(PLAIN.findall(json.loads(row)["text"].lower())))
    return Counter({word: count for word, count in counts.items() if count >= OFTEN})
