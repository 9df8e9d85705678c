"""`copilot train intents`: a head for the workspace's taxonomy, fitted on its examples, on labelled messages and on what agents put right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from copilot.build import Parts
from copilot.errors import CopilotError, InputError
from copilot.intents import IntentHead, LeftOut, intent_head, judged, outsideness
from copilot.learn import OTHER, Example, leaning, packed, softmax
from copilot.learned import fits_of
from copilot.ports import Vectors
from copilot.query import has_words, search_text
from copilot.store.cases import Cases
from copilot.store.choices import Choices
from copilot.store.trained import Lesson, Trained
from copilot.taxonomy import Taxonomy
from copilot.unlabelled import MOST, helps, with_past
from eval.cases import load_jsonl
from eval.lessons import CORRECTION, Labelled, Memory, key_of
from eval.train import HELD_OUT, Check, Training, check, keep

NEVER = datetime.min.replace(tzinfo=UTC)
SEEN = 0.9995
"""A message this near to an example that the head in force keeps has taught it already: asking it would prove nothing."""
OWN = "example "
"""What the answers to the taxonomy's own examples are kept under."""
DECIDES = 20
"""Fewer messages than this decide nothing: where a fifth of what is new is fewer, each new one is asked as if it were left out."""
Asked = Sequence[tuple[Labelled, Vectors]]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A head with what it would say of each example, and of each message that taught it, had it not seen them: right (1) or wrong (0)."""

    head: IntentHead
    right: dict[str, float]


@dataclass(frozen=True, slots=True)
class Past:
    """Messages that nobody labelled, oldest first, with their vectors."""

    messages: tuple[Labelled, ...]
    texts: tuple[str, ...]
    vectors: Vectors


NO_PAST = Past((), (), np.zeros((0, 0), dtype=np.float32))


def train_intents(
    parts: Parts, workspace: str, labelled: Path | None = None, until: datetime | None = None
) -> Training:
    """Learn the workspace's intents from what taught the head in force and from what is new, and put them in force where nothing is lost.

    Raises InputError, NotFound.
    """
    clock = parts.library.clock(workspace)
    intents = parts.learned.taxonomy(workspace, clock)
    taught_by = parts.learned.taught(workspace, clock)
    memory = Memory.of(taught_by[1]) if taught_by else Memory()
    messages = gathered(parts, workspace, intents, memory, labelled, until)
    if taught_by and memory.right is None:
        _require_all(taught_by[0], messages)
    vectors = _vectors(parts, messages, memory)
    base = intents.examples()
    shipped = parts.embedder.embed([example.text for example in base], "query")
    before = parts.learned.intents(workspace, clock, None) or _settings_head(parts, base)

    fresh = _fresh(before, memory, messages, vectors)
    late = fresh[len(fresh) - round(HELD_OUT * len(fresh)) :]
    late = late if len(late) >= DECIDES else late[:0]
    early = np.setdiff1d(np.arange(len(messages)), late)
    learned = [messages[i] for i in early]
    tried = _fit(base, shipped, learned, vectors[early])
    in_turn = not len(late)
    asked = [(messages[i], vectors[i]) for i in (fresh if in_turn else late).tolist()]
    past = _past(parts, workspace, messages, [*base, *(one.example for one in learned)], until)
    if past.messages:
        helped = _fit(base, shipped, learned, vectors[early], past)
        better, plain = (sum({**one.right, **_told(one, asked, in_turn=in_turn)}.values()) for one in (helped, tried))
        tried, past = (helped, past) if better > plain else (tried, NO_PAST)
    stood = memory.right or _fit(base, shipped, [], vectors[:0]).right
    checks = _checks(stood, _right(before, asked), _told(tried, asked, in_turn=in_turn), tried)
    why = "; ".join(one.words for one in checks if one.difference < 0)
    final = tried if in_turn else _fit(base, shipped, messages, vectors, past)
    taught = [*messages, *past.messages]
    corrections = sum((one.basis or "").startswith(CORRECTION) for one in messages)
    lesson = Lesson(
        kind="intents", payload=packed(**final.head.arrays(), **Memory.kept(messages, vectors, final.right).arrays()),
        fits=fits_of(intents), trained_until=_until(taught), basis=frozenset(one.basis for one in taught if one.basis),
        figures={"labelled": len(messages), "new": len(fresh), "corrections": corrections, "past": len(past.messages)},
    )  # fmt: skip
    return keep(
        parts.trained, workspace, lesson, checks, switch=not why, why=why or "nothing was lost on what was held out"
    )


# ---- what teaches ----


def gathered(
    parts: Parts, workspace: str, intents: Taxonomy, memory: Memory, labelled: Path | None, until: datetime | None
) -> list[Labelled]:
    """Labelled messages, oldest first: those that a head remembers, those of a file, and what agents put right.

    Of two labels for the same words the later counts, that of the file before a remembered one.
    Raises InputError for a label that the taxonomy lacks, or where there is nothing.
    """
    given = _of_file(parts, workspace, labelled) if labelled else []
    if unknown := sorted({one.label for one in given} - set(intents.labels)):
        raise InputError(
            f"The taxonomy has no intent {unknown[0]!r} ({len(unknown)} labels are not in it). Add it with `copilot taxonomy set`, or relabel."
        )
    keys = {one.key for one in given}
    remembered = [one for one in memory.messages if one.key not in keys]
    found = [*remembered, *given, *_put_right(parts, workspace, intents, until)]
    by_words = {one.key: one for one in sorted(found, key=_when) if until is None or (one.at or NEVER) <= until}
    if not by_words:
        raise InputError(
            "There are no labelled messages: give a JSONL file with --labelled, or let agents correct intents."
        )
    return sorted(by_words.values(), key=_when)


def _when(one: Labelled) -> datetime:
    return one.at or NEVER


def _require_all(head: Trained, messages: Sequence[Labelled]) -> None:
    """Raise InputError where this head, made before lessons were kept, learned from more than there is now."""
    many = int(head.figures.get("labelled", 0))
    if len(messages) < many:
        raise InputError(
            f"{head.name} learned from {many} messages, which were not kept then. Give all of them again, with the new ones, in one file."
        )


def _of_file(parts: Parts, workspace: str, file: Path) -> list[Labelled]:
    known = {case.id: f"document/{case.key}" for case in Cases(parts.database).tickets(workspace)}
    found = []
    for case in sorted(load_jsonl(file), key=lambda case: case.id):
        if case.intent is None:
            raise InputError(f"{file.name}: {case.id!r} has no `intent`. Label every message, or leave it out.")
        try:
            text = search_text(case.conversation)
        except CopilotError as error:
            raise InputError(f"{file.name}: {case.id!r} has no words. Leave it out.") from error
        found.append(Labelled.of(text, case.intent, case.created, known.get(case.id)))
    return found


def _put_right(parts: Parts, workspace: str, intents: Taxonomy, until: datetime | None) -> list[Labelled]:
    corrections = sorted(Choices(parts.database).corrections(workspace, until), key=lambda one: one.suggestion)
    return [
        Labelled.of(search_text(one.conversation), one.corrected.intent, one.at, CORRECTION + one.suggestion)
        for one in corrections
        if one.corrected.intent in intents.labels and has_words(one.conversation)
    ]


def _vectors(parts: Parts, messages: Sequence[Labelled], memory: Memory) -> Vectors:
    """A row for each message; remembered ones have theirs."""
    known = dict(zip((one.key for one in memory.messages), memory.vectors, strict=True))
    texts = {one.key: one.said for one in messages if isinstance(one.said, str)}
    known |= dict(zip(texts, parts.embedder.embed(list(texts.values()), "query"), strict=True))
    return np.array([known[one.key] for one in messages], dtype=np.float32)


def _past(
    parts: Parts, workspace: str, labelled: Sequence[Labelled], taught: Sequence[Example], until: datetime | None
) -> Past:
    """The newest solved tickets' questions, where so few messages are labelled that these help."""
    if not helps(taught):
        return NO_PAST
    known = {one.key for one in labelled}
    found = [
        Labelled.of(case.question, "", case.known, f"document/{case.key}")
        for case in Cases(parts.database).tickets(workspace)
        if case.question and key_of(case.question) not in known and (until is None or (case.known or NEVER) <= until)
    ][-MOST:]
    texts = tuple(str(one.said) for one in found)
    return Past(tuple(found), texts, parts.embedder.embed(texts, "document")) if found else NO_PAST


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


def _fresh(
    head: IntentHead, memory: Memory, messages: Sequence[Labelled], vectors: Vectors
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The messages that the head in force has not learned from. Raises InputError where it knows them all, and with these labels."""
    labels = memory.labels or {}
    nearest = (vectors @ head.examples.T).max(axis=1)
    fresh = np.flatnonzero((nearest < SEEN) & [one.key not in labels for one in messages])
    if not len(fresh) and all(labels.get(one.key, one.label) == one.label for one in messages):
        raise InputError("The head in force has learned from all of these messages already: nothing is new.")
    return fresh


def _fit(
    base: Sequence[Example], shipped: Vectors, messages: Sequence[Labelled], vectors: Vectors, past: Past = NO_PAST
) -> Fitted:
    rows, data = (
        np.concatenate([shipped, vectors.reshape(-1, shipped.shape[1])]),
        [*base, *(one.example for one in messages)],
    )
    if past.messages:
        rows, data = with_past(rows, data, past.vectors, past.texts)
    head, left_out = judged(rows, data)
    keys = [*(f"{OWN}{row:05d}" for row in range(len(base))), *(one.answer for one in messages)]
    known = zip(left_out.rows.tolist(), _unseen(head, left_out), strict=True)
    return Fitted(head, {keys[row]: float(right) for row, right in known if row < len(keys)})


def _unseen(head: IntentHead, left_out: LeftOut) -> list[bool]:
    """Whether each example would get its label if it were new: the best one, where the gate does not say `other`."""
    bent = leaning(left_out.scores, head.floor) / head.temperature
    found = []
    for row, scores, nearest, code in zip(bent, left_out.scores, left_out.nearest, left_out.codes, strict=True):
        outside = outsideness(head.gate, nearest, float(scores.max())) if head.gate.size else 0.0
        found.append(bool(scores.argmax() == code and softmax(row).max() * (1 - outside) >= outside))
    return found


def _told(fitted: Fitted, asked: Asked, *, in_turn: bool) -> dict[str, float]:
    """By message whether the head gives it its label: as if it were left out, or asked because it was."""
    if in_turn:
        return {one.answer: fitted.right[one.answer] for one, _ in asked if one.answer in fitted.right}
    return _right(fitted.head, asked)


def _checks(
    stood: Mapping[str, float], before: Mapping[str, float], after: Mapping[str, float], tried: Fitted
) -> list[Check]:
    """On what is new, on the taxonomy's own examples, and on what the head in force had learned: as far as there is any."""
    pairs = {
        "held out": (before, after),
        "shipped": (_of(stood, own=True), tried.right),
        "earlier": (_of(stood, own=False), tried.right),
    }
    return [check(name, one, two) for name, (one, two) in pairs.items() if one.keys() & two.keys()]


def _of(right: Mapping[str, float], *, own: bool) -> dict[str, float]:
    return {key: value for key, value in right.items() if key.startswith(OWN) == own}


def _right(head: IntentHead, asked: Asked) -> dict[str, float]:
    """By message whether the head, which has not learned from it, gives it its label."""
    found = {}
    for one, vector in asked:
        chances = head.probabilities(vector, str(one.said), gated=OTHER in head.labels)
        found[one.answer] = float(head.labels[int(chances.argmax())] == one.label)
    return found
