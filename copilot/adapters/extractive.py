"""The drafter that needs no model: it quotes one source, whole sentences and steps in their order, and writes nothing of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from copilot.domain import Evidence
from copilot.draft import BUDGET
from copilot.ports import DraftRequest, Proposed
from copilot.redact import PLACEHOLDER
from copilot.text import sentences

ABOUT_ITSELF = re.compile(
    r"^(?:In )?[Tt]his (?:article|page|guide|section|document)\b|^(?:See|Read) also\b|^Table of contents", re.I
)
LETTERS = re.compile(r"[^\W\d_]{2}")
SHORT_ANSWER = 25


class ExtractiveDrafter:
    """One passage quoted in order reads better, and errs less, than the best loose sentences of many."""

    name = "extractive"

    def __init__(self, resolution_from: float) -> None:
        self._resolution_from = resolution_from

    def stream(self, request: DraftRequest) -> Iterator[Proposed]:
        """The statements of the best section or of the most similar resolution, as many as suit the channel."""
        chosen = self._backbone(request.evidence)
        if chosen is None:
            return
        source = request.evidence[chosen]
        statements, characters = BUDGET[request.conversation.channel]
        if request.tone == "short":
            statements, characters = min(statements, 3), characters // 2
        done = 0
        for start, end in sentences(source.text):
            words = source.text[start:end]
            if (
                not LETTERS.search(words)
                or words.startswith("#")
                or ABOUT_ITSELF.match(words)
                or PLACEHOLDER.search(words)
            ):
                continue  # the last: what was said about another customer's name or order
            if statements == 0 or (characters < len(words) and done):
                return
            yield Proposed(text=words, evidence=(chosen,), lead=_between(source.text[done:start]) if done else "")
            statements, characters, done = statements - 1, characters - len(words), end

    def _backbone(self, evidence: tuple[Evidence, ...]) -> int | None:
        """A resolution where a solved ticket is very like this one and nearer than the best article; else the best article's section."""
        articles = [i for i, one in enumerate(evidence) if one.kind == "article"]
        tickets = [i for i, one in enumerate(evidence) if one.kind == "ticket" and len(one.text) >= SHORT_ANSWER]
        best = max(tickets, key=lambda i: (evidence[i].score, -i), default=None)
        if best is None or not articles:
            return articles[0] if articles else best
        likely = evidence[best].score >= max(self._resolution_from, evidence[articles[0]].score)
        return best if likely else articles[0]


def _between(gap: str) -> str:
    """Paragraphs stay paragraphs, lines lines, and sentences follow one another."""
    return "\n\n" if gap.count("\n") > 1 else "\n" if "\n" in gap else " "
