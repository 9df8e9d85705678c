"""When a reply says who takes over: instead of an answer, where an article would be out of place, or beside one."""

from __future__ import annotations

from collections.abc import Sequence

from copilot.danger import about
from copilot.domain import Escalation, Evidence
from copilot.escalate import LEVELS, NOTED
from copilot.ports import Handover
from copilot.scripts import mostly_paired

ONLY = frozenset({"press", "legal_threat", "self_harm", "damage_claim"})
"""What no article answers: whoever is responsible does."""
DANGER = frozenset({"safety"})
"""What only a passage about that very danger answers."""
BESIDE = frozenset(
    {
        "security_incident", "personal_data", "payment_dispute", "asks_for_person",
        "churn_threat", "worsening_mood", "repeated_contact",
    }
)  # fmt: skip
"""What an answer may be given to, but not as if that were all: whoever is called hears of it, and the customer that they do."""
PERSON = "asks_for_person"
BESIDE_ASKING = 8
"""So many words more, "hello, could you please" among them, are no question that would have to be answered or noted as a gap."""
EMERGENCY = LEVELS[-1]


def handed_over(
    escalation: Escalation, message: str, evidence: tuple[Evidence, ...]
) -> tuple[Handover | None, tuple[Evidence, ...]]:
    """Who takes over, and what an answer may rest on: to somebody in danger, only what speaks of that danger."""
    codes = standing(escalation)
    if not codes or (escalation.level != EMERGENCY and DANGER.isdisjoint(codes)):
        return handover(escalation), evidence
    spoken_of = about(message, evidence)
    return handover(escalation, warned=bool(spoken_of)), spoken_of


def held(escalation: Escalation, message: str) -> Handover | None:
    """Who takes over where the sources say nothing: neither somebody in danger nor who only asks for a person is left without a reply."""
    codes, passed = standing(escalation), handover(escalation)
    if passed and passed.reason == PERSON and _only_asks_for_one(escalation, message):
        return Handover(reason=PERSON, only=True)
    urgent = escalation.level == EMERGENCY or not (DANGER | {"self_harm"}).isdisjoint(codes)
    return passed if passed and passed.only and codes and urgent else None


def handover(escalation: Escalation, warned: bool = False) -> Handover | None:
    """Who takes over, by the strongest reason that calls for it; None where the answer stands for itself.

    In an emergency nothing else is said, unless the sources warn of that very danger (`warned`).
    """
    codes = standing(escalation)
    alone = ONLY if warned else ONLY | DANGER
    if only := _first(codes, alone):
        return Handover(reason=only, only=True)
    if codes and escalation.level == EMERGENCY:
        return Handover(reason=_first(codes, DANGER) or codes[0], only=not warned)
    beside = _first(codes, BESIDE | DANGER)
    return Handover(reason=beside, only=False) if beside else None


def _only_asks_for_one(escalation: Escalation, message: str) -> bool:
    """Whether the message says little beside the words that ask for a person."""
    said = max((_words(reason.quote) for reason in escalation.reasons if reason.code == PERSON), default=0)
    return _words(message) - said <= BESIDE_ASKING


def _words(text: str) -> int:
    """How many there are; two letters make one where none are parted by spaces."""
    return sum(map(str.isalpha, text)) // 2 if mostly_paired(text) else len(text.split())


def standing(escalation: Escalation) -> list[str]:
    """The codes that call a person, strongest first: not those that a message was only noted to read a little like."""
    return [reason.code for reason in escalation.reasons if escalation.recommended and reason.weight > NOTED]


def _first(codes: Sequence[str], among: frozenset[str]) -> str | None:
    return next((code for code in codes if code in among), None)
