"""`copilot train intents`: a head for the workspace's taxonomy, fitted on its examples, on labelled messages and on what agents put right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from copilot.build import Parts
from copilot.errors import CopilotError, InputError
from copilot.intents import IntentHead, intent_head, judged
from copilot.learn import OTHER, Example, packed
from copilot.learned import fits_of
from copilot.ports import Vectors
from copilot.query import search_text
from copilot.store.cases import Cases
from copilot.store.choices import Choices
from copilot.store.trained import Lesson
from copilot.taxonomy import Taxonomy
from copilot.unlabelled import MOST, helps, with_past
from eval.cases import load_jsonl
from eval.train import HELD_OUT, Training, check, keep

NEVER = datetime.min.replace(tzinfo=UTC)
SEEN = 0.9995
"""A message this near to an example that the head in force keeps has taught it already: asking it would prove nothing."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A message with the intent that a person gave it, when, and what it came from."""

    id: str
    text: str
    label: str
    at: datetime | None
    basis: str | None

    @property
    def example(self) -> Example:
        """As a head learns it."""
        return Example(self.text, self.label)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A head with what it would say of the taxonomy's own examples had it not seen them: right (1) or wrong (0), by example."""

    head: IntentHead
    shipped: dict[str, float]


@dataclass(frozen=True, slots=True)
class Past:
    """Messages that nobody labelled, oldest first, with their vectors."""

    messages: tuple[Labelled, ...]
    vectors: Vectors


NO_PAST = Past((), np.zeros((0, 0), dtype=np.float32))


def train_intents(
    parts: Parts, workspace: str, labelled: Path | None = None, until: datetime | None = None
) -> Training:
    """Learn the workspace's intents, check them on the newest fifth of what is new, and put them in force where nothing is lost.

    Raises InputError, NotFound.
    """
    clock = parts.library.clock(workspace)
    intents = parts.learned.taxonomy(workspace, clock)
    messages = gathered(parts, workspace, intents, labelled, until)
    vectors = parts.embedder.embed([one.text for one in messages], "query")
    base = intents.examples()
    shipped = parts.embedder.embed([example.text for example in base], "query")
    before = parts.learned.intents(workspace, clock, None) or _settings_head(parts, base)

    late = _held_out(before, messages, vectors)
    early = np.setdiff1d(np.arange(len(messages)), late)
    learned = [messages[i] for i in early]
    tried = _fit(base, shipped, learned, vectors[early])
    plain = _fit(base, shipped, [], vectors[:0])
    asked = [(messages[i], vectors[i]) for i in late.tolist()]
    past = _past(parts, workspace, messages, [*base, *(one.example for one in learned)], until)
    if past.messages:
        helped = _fit(base, shipped, learned, vectors[early], past)
        better = _answers(helped, asked) > _answers(tried, asked)
        tried, past = (helped, past) if better else (tried, NO_PAST)
    checks = [
        check("held out", _right(before, asked), _right(tried.head, asked)),
        check("shipped", plain.shipped, tried.shipped),
    ]
    why = "; ".join(one.words for one in checks if one.difference < 0)
    final = _fit(base, shipped, messages, vectors, past)
    taught = [*messages, *past.messages]
    corrections = sum(one.basis is not None and "suggestion" in one.basis for one in messages)
    lesson = Lesson(
        kind="intents", payload=packed(**final.head.arrays()), fits=fits_of(intents), trained_until=_until(taught),
        figures={"labelled": len(messages), "corrections": corrections, "past": len(past.messages)},
        basis=frozenset(one.basis for one in taught if one.basis),
    )  # fmt: skip
    return keep(
        parts.trained, workspace, lesson, checks, switch=not why, why=why or "nothing was lost on what was held out"
    )


# ---- what teaches ----


def gathered(
    parts: Parts, workspace: str, intents: Taxonomy, labelled: Path | None, until: datetime | None
) -> list[Labelled]:
    """Labelled messages, oldest first: those of a file, and what agents put right. Of two labels for the same words the later counts.

    Raises InputError for a label that the taxonomy lacks, or where there is nothing.
    """
    found = [*(_of_file(parts, workspace, labelled) if labelled else []), *_put_right(parts, workspace, intents, until)]
    if unknown := sorted({one.label for one in found} - set(intents.labels)):
        raise InputError(
            f"The taxonomy has no intent {unknown[0]!r} ({len(unknown)} labels are not in it). Add it with `copilot taxonomy set`, or relabel."
        )
    by_words = {
        one.text: one
        for one in sorted(found, key=lambda one: (one.at or NEVER, one.id))
        if until is None or (one.at or NEVER) <= until
    }
    if not by_words:
        raise InputError(
            "There are no labelled messages: give a JSONL file with --labelled, or let agents correct intents."
        )
    return sorted(by_words.values(), key=lambda one: (one.at or NEVER, one.id))


def _of_file(parts: Parts, workspace: str, file: Path) -> list[Labelled]:
    known = {case.id: f"document/{case.key}" for case in Cases(parts.database).tickets(workspace)}
    found = []
    for case in load_jsonl(file):
        if case.intent is None:
            raise InputError(f"{file.name}: {case.id!r} has no `intent`. Label every message, or leave it out.")
        try:
            text = search_text(case.conversation)
        except CopilotError as error:
            raise InputError(f"{file.name}: {case.id!r} has no words. Leave it out.") from error
        found.append(Labelled(case.id, text, case.intent, case.created, known.get(case.id)))
    return found


def _put_right(parts: Parts, workspace: str, intents: Taxonomy, until: datetime | None) -> list[Labelled]:
    return [
        Labelled(
            one.suggestion,
            search_text(one.conversation),
            one.corrected.intent,
            one.at,
            f"suggestion/{one.suggestion}",
        )
        for one in Choices(parts.database).corrections(workspace, until)
        if one.corrected.intent in intents.labels
    ]


def _past(
    parts: Parts, workspace: str, labelled: Sequence[Labelled], taught: Sequence[Example], until: datetime | None
) -> Past:
    """The newest solved tickets' questions, where so few messages are labelled that these help."""
    if not helps(taught):
        return NO_PAST
    known = {one.text for one in labelled}
    found = [
        Labelled(case.id, case.question, "", case.known, f"document/{case.key}")
        for case in Cases(parts.database).tickets(workspace)
        if case.question and case.question not in known and (until is None or (case.known or NEVER) <= until)
    ][-MOST:]
    return Past(tuple(found), parts.embedder.embed([one.text for one in found], "document")) if found else NO_PAST


def _until(messages: Sequence[Labelled]) -> datetime | None:
    """When all of it was known; None where some of it has no date."""
    times = [one.at for one in messages if one.at is not None]
    return max(times) if len(times) == len(messages) else None


# ---- fitting and asking ----


def _settings_head(parts: Parts, base: list[Example]) -> IntentHead:
    """The head of the taxonomy in the settings: shipped, or fitted at the first start."""
    return intent_head(
        base, parts.embedder, parts.settings.taxonomy_file().with_name("intents.npz"), parts.settings.models
    )


def _held_out(
    head: IntentHead, messages: Sequence[Labelled], vectors: Vectors
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The newest fifth of the messages that the head in force has not learned from. Raises InputError where it knows them all."""
    nearest = (vectors @ head.examples.T).max(axis=1)
    fresh = np.flatnonzero(nearest < SEEN)
    if not len(fresh):
        raise InputError("The head in force has learned from all of these messages already: nothing is new.")
    return fresh[len(fresh) - max(1, round(HELD_OUT * len(fresh))) :]


def _fit(
    base: Sequence[Example], shipped: Vectors, messages: Sequence[Labelled], vectors: Vectors, past: Past = NO_PAST
) -> Fitted:
    rows, data = np.concatenate([shipped, vectors]), [*base, *(one.example for one in messages)]
    if past.messages:
        rows, data = with_past(rows, data, past.vectors, [one.text for one in past.messages])
    head, left_out = judged(rows, data)
    said = left_out.scores.argmax(axis=1)
    right = {
        f"{row:05d}": float(answer == code)
        for row, answer, code in zip(left_out.rows.tolist(), said.tolist(), left_out.codes.tolist(), strict=True)
        if row < len(base)
    }
    return Fitted(head, right)


def _answers(fitted: Fitted, asked: Sequence[tuple[Labelled, Vectors]]) -> float:
    """How many answers are right, on what was held out and on the taxonomy's own examples."""
    return sum(fitted.shipped.values()) + sum(_right(fitted.head, asked).values())


def _right(head: IntentHead, asked: Sequence[tuple[Labelled, Vectors]]) -> dict[str, float]:
    """By message whether the head gives it its label."""
    found = {}
    for one, vector in asked:
        chances = head.probabilities(vector, one.text, gated=OTHER in head.labels)
        found[one.id] = float(head.labels[int(chances.argmax())] == one.label)
    return found
