"""How much a drafter may say, and nothing twice."""

from __future__ import annotations

from copilot.ground import Grounded

SPARE = 1.5
"""A model's sentences are its own, and somewhat longer or more than what is quoted."""


class RoomLeft:
    """How much of a body there is still room for, and what was said already. Without a budget it may be as long as it likes."""

    def __init__(self, budget: tuple[int, int] | None) -> None:
        self._limits = (int(budget[0] * SPARE), int(budget[1] * SPARE)) if budget else None
        self._said, self._length, self._full = set[tuple[str, tuple[tuple[str, int], ...]]](), 0, False

    def fault(self, one: Grounded) -> str:
        """Why the statement finds no room, or nothing where it does."""
        same = " ".join(one.text.casefold().split()), tuple((c.document_id, c.start) for c in one.citations)
        if same in self._said:
            return "it is said already"
        full = self._limits and (len(self._said) >= self._limits[0] or self._length + len(one.text) > self._limits[1])
        self._full |= bool(full and self._said)
        if self._full:  # and stays so: what comes after a step that was left out is no shorter way
            return "the channel has no room for more"
        self._said.add(same)
        self._length += len(one.text)
        return ""
