"""Where a caller or writer belongs: one department with its confidence, and one clarifying question where two are as likely."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from copilot.domain import Escalation, Triage

SURE = 0.6
"""From this confidence nobody is asked back."""
TOLD = 0.5
"""What a named order or amount adds to the chances of the department that it tells of, as a share of what is missing."""
TELLING = {"order": "logistics", "amount": "billing", "error": "technical", "version": "technical"}
"""Kinds of entity and the department that they speak for, where a workspace has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The department, how sure that is (0 to 1), and the question that would settle it, if one is needed."""

    department: str
    confidence: float
    question: str | None


def route(triage: Triage, escalation: Escalation, teams: Mapping[str, str], *, fallback: str = "frontline") -> Route:
    """The department for a message: the policy's team where stepping in is recommended, else the likeliest of the intents' teams.

    `teams` gives the team of each intent label; intents without one, and what fits no intent, go to the fallback.
    """
    if escalation.recommended and escalation.team:
        return Route(department=escalation.team, confidence=round(escalation.score, 4), question=None)
    chances = sorted(_chances(triage, teams, fallback).items(), key=lambda pair: (-pair[1], pair[0]))
    (best, confidence), *others = chances
    question = _question(best, others[0][0] if others else fallback) if confidence < SURE else None
    return Route(department=best, confidence=round(confidence, 4), question=question)


def _chances(triage: Triage, teams: Mapping[str, str], fallback: str) -> dict[str, float]:
    """How likely each department is: its intents' confidences together, and what the named facts tell."""
    chances: dict[str, float] = {}
    intent = triage.intent
    likely = [(intent.label, intent.confidence), *((one.label, one.confidence) for one in intent.alternatives)]
    for label, confidence in likely:
        team = teams.get(label, fallback)
        chances[team] = chances.get(team, 0.0) + confidence
    for kind in sorted({entity.type for entity in triage.entities}):
        if (told := TELLING.get(kind)) in chances:
            chances[told] += TOLD * max(0.0, 1 - sum(chances.values()))
    return chances


def _question(best: str, other: str) -> str:
    """Which of two departments; where there is only one to offer, what it is about."""
    if best == other:
        return "Could you tell me in one sentence what it is about?"
    return f"Is it about {_spoken(best)} or about {_spoken(other)}?"


def _spoken(team: str) -> str:
    words = team.replace("_", " ").replace("-", " ")
    return "something general" if words == "frontline" else words
