"""What an agent's verdict tells: how far the sent text is from the draft."""

from __future__ import annotations

from difflib import SequenceMatcher

LIMIT = 20_000


def edit_distance(draft: str, sent: str) -> float:
    """0 where nothing was changed, 1 where nothing is left: one minus the share of words in common, in order."""
    a, b = draft[:LIMIT].split(), sent[:LIMIT].split()
    if not a and not b:
        return 0.0
    return round(1.0 - SequenceMatcher(None, a, b, autojunk=False).ratio(), 6)
