"""How often a message has words of each kind in `cues.yaml`: complaint, time lost, things gone, praise and so on."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from copilot import yaml_file
from copilot.settings import DEFAULTS
from copilot.words import Sieve, Words, fold

CUES = DEFAULTS / "cues.yaml"
READ_CHARS = 4000


def cues(text: str) -> NDArray[np.float32]:
    """The logarithm of one more than the count of each kind, in the file's order."""
    shown, lists = fold(text[:READ_CHARS]), list(kinds().values())
    encoded = shown.encode("utf-8", "replace")
    counts = np.zeros(len(lists), dtype=np.float32)
    for at in _sieve().found(shown):
        counts[at] = lists[at].count(encoded)
    return np.log1p(counts)


@cache
def kinds() -> dict[str, Words]:
    """The patterns of each kind by its name."""
    return {str(name): Words(patterns, {}) for name, patterns in yaml_file.read(CUES).items()}


@cache
def _sieve() -> Sieve:
    return Sieve(list(kinds().values()))
