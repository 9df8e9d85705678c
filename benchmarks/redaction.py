"""How much personal data is found, by type: our own patterns, and with Presidio behind them, against labelled sentences.

    python -m benchmarks.redaction DATA

DATA is a folder that holds `presidio_pii/dev.json`. A find counts where it overlaps a labelled span of a type that its kind stands for;
a labelled span counts as found where more than half of its characters are covered by such a find.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from copilot.adapters.presidio import PresidioRecogniser
from copilot.redact import Redactor, Span

TYPES = {
    "PERSON": {"name"}, "STREET_ADDRESS": {"address", "place"}, "GPE": {"place", "address"}, "CREDIT_CARD": {"card"}, "PHONE_NUMBER": {"phone"},
    "EMAIL_ADDRESS": {"email"}, "IBAN_CODE": {"iban"}, "US_SSN": {"id"}, "IP_ADDRESS": {"ip"}, "US_DRIVER_LICENSE": {"id"},
}  # fmt: skip
"""The labelled types that are looked for, and our kinds that stand for them."""
MEANT = {"name": "PERSON", "place": "GPE", "address": "STREET_ADDRESS", "id": "US_SSN"}
"""The type that a find is counted for where it meets no label; else the only one that its kind stands for."""
LEFT = ("ORGANIZATION", "DATE_TIME", "TITLE", "AGE", "NRP", "ZIP_CODE", "DOMAIN_NAME")
"""Labelled types that stay in a ticket on purpose: a find there is neither right nor wrong."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sentence with its labelled spans."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and F1 of one type, and how many spans were labelled."""

    precision: float
    recall: float
    f1: float
    labelled: int


def read(file: Path) -> list[Labelled]:
    """The sentences of the file."""
    rows = json.loads(file.read_text(encoding="utf-8"))
    return [
        Labelled(
            row["full_text"], tuple((s["start_position"], s["end_position"], s["entity_type"]) for s in row["spans"])
        )
        for row in rows
    ]


def measure(sentences: Sequence[Labelled], redactor: Redactor) -> dict[str, Score]:
    """The score of each type, and of all together under `all`."""
    hits, labelled, right, found = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for one in sentences:
        spans = redactor.redact(one.text, orders=True).found
        for start, end, type in one.spans:
            if type in TYPES:
                labelled[type] += 1
                hits[type] += (
                    _covered(start, end, [span for span in spans if span.kind in TYPES[type]]) > (end - start) / 2
                )
        for type, good in _judged(one, spans):
            found[type] += 1
            right[type] += good
    scores = {type: _score(right[type], found[type], hits[type], labelled[type]) for type in TYPES}
    return {**scores, "all": _score(right.total(), found.total(), hits.total(), labelled.total())}


def _judged(one: Labelled, spans: Sequence[Span]) -> Iterator[tuple[str, bool]]:
    """Each find with the type that it is counted for: the one that it meets, else the one that its kind means."""
    for span in spans:
        met = [type for start, end, type in one.spans if start < span.end and span.start < end]
        meant = [type for type, kinds in TYPES.items() if span.kind in kinds]
        if good := [type for type in met if type in meant]:
            yield good[0], True
        elif meant and not any(type in LEFT for type in met):
            yield MEANT.get(span.kind, meant[0]), False


def _covered(start: int, end: int, spans: Sequence[Span]) -> int:
    return sum(max(0, min(end, span.end) - max(start, span.start)) for span in spans)


def _score(right: int, found: int, hits: int, labelled: int) -> Score:
    precision, recall = right / found if found else 0.0, hits / labelled if labelled else 0.0
    return Score(
        precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0, labelled
    )


def table(columns: dict[str, dict[str, Score]]) -> str:
    """The scores side by side, as Markdown."""
    head = "| type | labelled | " + " | ".join(f"{name}: precision | recall | F1" for name in columns) + " |"
    lines = [head, "|---|---" + "|---" * 3 * len(columns) + "|"]
    for type in (*TYPES, "all"):
        scores = [column[type] for column in columns.values()]
        cells = " | ".join(f"{one.precision:.2f} | {one.recall:.2f} | {one.f1:.2f}" for one in scores)
        lines.append(f"| {type} | {scores[0].labelled} | {cells} |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.redaction", description=__doc__)
    parser.add_argument("data", type=Path, help="a folder that holds presidio_pii/dev.json")
    sentences = read(parser.parse_args(arguments).data / "presidio_pii" / "dev.json")
    print(table({
        "patterns": measure(sentences, Redactor()),
        "with Presidio": measure(sentences, Redactor(recogniser=PresidioRecogniser())),
    }))  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
