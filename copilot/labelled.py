"""Messages with their labels: those written for this product, and those of a forum, whose texts stay in their data set."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from copilot.errors import ConfigurationError
from copilot.settings import DEFAULTS
from copilot.text import normalise, own_words

MOODS = ("very_negative", "negative", "neutral", "positive", "very_positive")
URGENCIES = ("low", "normal", "high")
TARGETS = ("very_negative", "negative", "positive", "very_positive", "low", "high", "escalate")
"""What is learned, each against the rest; `negative` and `positive` include the stronger level."""
MESSAGES, TONES = "mood.jsonl", "tones.jsonl"
"""Own messages of all kinds, and short ones whose words and mood often differ: thanks with a question, politeness, sarcasm."""
FORUM = ("resolved_tickets.jsonl", "answered_with_kb.jsonl", "incoming.jsonl", "intent_train.jsonl")
HELD_OUT_FROM = 1504883
"""The ticket number from which the forum's labelled messages are only measured on: the youngest fifth of the first set."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A message with its labels; `words` show its mood where a reader marked them; `number` is its ticket's; `own` if written here; `readers`
    is the set that it was read in, as each had readers of its own."""

    text: str
    sentiment: str
    urgency: str
    escalate: bool
    words: str = ""
    own: bool = False
    number: int = 0
    readers: int = 0

    def targets(self) -> list[bool]:
        """Which of TARGETS hold."""
        level = MOODS.index(self.sentiment)
        return [
            level == 0,
            level <= 1,
            level >= 3,
            level == 4,
            self.urgency == "low",
            self.urgency == "high",
            self.escalate,
        ]


@cache
def own_messages(file: str = MESSAGES) -> tuple[Labelled, ...]:
    """The messages of one kind that were written for this product, with their labels."""
    rows = map(json.loads, (DEFAULTS / file).read_text(encoding="utf-8").splitlines())
    return tuple(
        Labelled(
            own_words(normalise(row["text"])).strip(),
            row["sentiment"],
            row["urgency"],
            row["escalate"],
            own=True,
        )
        for row in rows
    )


def forum_messages(data: Path) -> list[Labelled]:
    """The labelled forum messages, oldest first, read from the data set's folder. Raises ConfigurationError where it is absent."""
    folder = data / "thunderbird" / "dev"
    if not folder.is_dir():
        raise ConfigurationError(
            f"The forum's messages are not in {folder}. Give the folder that holds `thunderbird/`."
        )
    rows = (row for name in FORUM for row in _rows(folder / name))
    texts = {row["ticket_id"]: first_message(row["subject"], row["message"]) for row in rows}
    made = [_labelled(row, texts[row["ticket_id"]]) for row in _rows(DEFAULTS / "mood_labels.jsonl")]
    return sorted(made, key=lambda one: one.number)


def _labelled(row: dict[str, Any], text: str) -> Labelled:
    """The label file holds no words: it says where in the text those are that a reader marked."""
    marked = text[slice(*row["words"])] if "words" in row else ""
    number = int(row["ticket_id"].split("-")[1])
    return Labelled(text, row["sentiment"], row["urgency"], row["escalate"], marked, number=number, readers=row["set"])


def first_message(subject: str, text: str) -> str:
    """A first message as it is read: the subject, a blank line, and the customer's own words."""
    return f"{normalise(subject)}\n\n{own_words(normalise(text)).strip()}".strip()


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
