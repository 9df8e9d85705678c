"""Suggestions take turns at the processor: more at once make each other slower, and the last of them slowest."""

from __future__ import annotations

from collections.abc import Iterator
from threading import BoundedSemaphore
from typing import TypeVar

from copilot.settings import Settings

T = TypeVar("T")
WAITING = 40
"""With a model that writes, most of the time is spent waiting for it: so many may wait at once, which is how many threads the server has."""


class Turns:
    """Lets a few suggestions be worked on at a time; `one` is the turn of a whole one, to be held while it is made."""

    def __init__(self, settings: Settings) -> None:
        self.one = BoundedSemaphore(WAITING if settings.llm else settings.threads + 1)

    def each(self, steps: Iterator[T]) -> Iterator[T]:
        """The same steps, each in a turn of its own: while one is sent, however slowly, others go on."""
        while True:
            with self.one:
                try:
                    step = next(steps)
                except StopIteration:
                    return
            yield step
