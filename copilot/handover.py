"""When a reply says who takes over: instead of an answer, where an article would be out of place, or beside one."""

from __future__ import annotations

from copilot.domain import Escalation
from copilot.ports import Handover

ONLY = frozenset({"press", "legal_threat", "self_harm", "damage_claim"})
"""What no article answers: whoever is responsible does."""
BESIDE = frozenset({"safety", "security_incident", "personal_data", "payment_dispute", "asks_for_person"})
COUNTS = 0.05
"""A reason that weighs less is only a note, and nobody takes over for it."""


def handover(escalation: Escalation) -> Handover | None:
    """Who takes over, by the strongest reason that calls for it; None where the answer stands for itself."""
    codes = [reason.code for reason in escalation.reasons if escalation.recommended and reason.weight >= COUNTS]
    alone = next((Handover(reason=code, only=True) for code in codes if code in ONLY), None)
    return alone or next((Handover(reason=code, only=False) for code in codes if code in BESIDE), None)
