"""An agent's own text as it is, where a model could not rewrite it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from copilot.domain import Draft, Dropped
from copilot.draft import Page, Said
from copilot.ground import Grounded, ground
from copilot.ports import DraftRequest, Proposed
from copilot.text import sentences


def unchanged(text: str, request: DraftRequest, dropped: Sequence[Dropped]) -> Iterator[Said | Draft]:
    """The text as it is: what a source supports is cited, the rest claims nothing of ours."""
    page, done, text = Page(), 0, text.strip()
    every = tuple(range(len(request.evidence)))
    for start, end in sentences(text):
        (judged,) = ground([Proposed(text=text[start:end], evidence=every)], request.evidence)
        stands = judged if isinstance(judged, Grounded) and judged.text == text[start:end] else None
        yield page.add(text[start:end], text[done:start], stands)
        done = end
    asked = request.rewrite.instruction or request.rewrite.task if request.rewrite else ""
    why = Dropped(text=asked, reason="the model did not do it: the reply is as it was")
    yield Draft(
        text=page.text, generator="unchanged", language=request.language, statements=tuple(page.statements), dropped=(*dropped, why)
    )  # fmt: skip
