"""The drafter that needs no model: it quotes sources, whole sentences and steps in their order, and writes nothing of its own."""

from __future__ import annotations

from collections.abc import Iterator

from copilot.compose import compose
from copilot.draft import BUDGET
from copilot.excerpt import Bounds
from copilot.frame import TERSE
from copilot.ports import DraftRequest, Proposed


class ExtractiveDrafter:
    """One section or one resolution quoted in order reads better, and errs less, than the best loose sentences of many."""

    name = "extractive"

    def __init__(self, resolution_from: float) -> None:
        self._resolution_from = resolution_from

    def stream(self, request: DraftRequest) -> Iterator[Proposed]:
        """The statements of the sources that answer, as many as suit the channel."""
        statements, characters = BUDGET[request.conversation.channel]
        if request.tone == "short":
            statements, characters = min(statements, 3), characters // 2
        tight = request.conversation.channel in TERSE
        yield from compose(request, Bounds(statements, characters, tight), self._resolution_from)
