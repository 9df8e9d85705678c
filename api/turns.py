"""Suggestions take turns at the processor: more at once make each other slower, and the last of them slowest."""

from __future__ import annotations

from collections.abc import Iterator
from threading import BoundedSemaphore
from typing import TypeVar

from copilot.settings import Settings

T = TypeVar("T")


class Turns:
    """Lets a few suggestions be worked on at a time; `one` is the turn of a whole one, to be held while it is made."""

    def __init__(self, settings: Settings) -> None:
        # Who waits for the model that writes leaves the processor to others.
        waiting = settings.llm_at_once if settings.llm else 0
        self.one = BoundedSemaphore(waiting + settings.threads + 1)

    def each(self, steps: Iterator[T]) -> Iterator[T]:
        """The same steps, each in a turn of its own: while one is sent, however slowly, others go on."""
        while True:
            with self.one:
                try:
                    step = next(steps)
                except StopIteration:
                    return
            yield step
