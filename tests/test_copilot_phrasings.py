"""Fixtures of phrasings that must give a code, and near misses that must not: written from the descriptions before the rules were touched."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from copilot.escalate import Policy, escalate
from copilot.settings import DEFAULTS
from tests.conftest import asks
from tests.test_copilot_escalate import triage

POLICY = Policy.load(DEFAULTS / "policy.yaml")
FILES = sorted((Path(__file__).parent / "phrasings").glob("*.yaml"))
RECALL, FALSE = 0.93, 0.06
EXPLICIT_RECALL, EXPLICIT_FALSE = 0.99, 0.01


def fires(code: str, text: str) -> bool:
    return code in {reason.code for reason in escalate(POLICY, asks(text), triage(), False, 150.0).reasons}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_phrasings_give_their_code_and_near_misses_do_not(file: Path) -> None:
    listed = yaml.safe_load(file.read_text(encoding="utf-8"))
    missed = [text for text in listed["fires"] if not fires(file.stem, str(text))]
    false = [text for text in listed["quiet"] if fires(file.stem, str(text))]
    explicit = file.stem == "asks_for_person"
    recall, most = (EXPLICIT_RECALL, EXPLICIT_FALSE) if explicit else (RECALL, FALSE)
    assert min(len(listed["fires"]), len(listed["quiet"])) >= 25
    assert 1 - len(missed) / len(listed["fires"]) >= recall, missed
    assert len(false) / len(listed["quiet"]) <= most, false


def test_every_critical_code_has_phrasings() -> None:
    assert {file.stem for file in FILES} >= {
        "asks_for_person", "legal_threat", "self_harm", "safety", "security_incident", "personal_data", "payment_dispute",
        "churn_threat", "press", "minors", "accessibility", "data_loss",
    }  # fmt: skip
