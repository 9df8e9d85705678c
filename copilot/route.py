"""Where a caller or writer belongs: one department with its confidence, and one clarifying question where two are as likely."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from copilot.domain import Alternative, Escalation, Level, Tag, Triage
from prompts import render

SURE = 0.6
"""From this confidence nobody is asked back."""
HIGH, MEDIUM = 0.75, 0.45
"""Confidences from which a team is of high and of medium level, as for other tags."""
TOLD = 0.5
"""What a named order or amount adds to the chances of the department that it tells of, as a share of what is missing."""
TELLING = {"order": "logistics", "amount": "billing", "error": "technical", "version": "technical"}
"""Kinds of entity and the department that they speak for, where a workspace has it."""
FALLBACK = "frontline"
OTHER = "other"
"""What fits no intent: however sure that is, the caller is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The department, how sure that is (0 to 1), and the question that would settle it, if one is needed."""

    department: str
    confidence: float
    question: str | None


def route(triage: Triage, escalation: Escalation, teams: Mapping[str, str], *, fallback: str = FALLBACK) -> Route:
    """The team as a phone menu needs it: with the question to ask while it is not sure."""
    team = team_of(triage, escalation, teams, fallback=fallback)
    nothing = triage.intent.label == OTHER
    asks = (team.confidence < SURE or nothing) and not team.reasons
    other = team.alternatives[0].label if team.alternatives and not nothing else team.label
    question = _question(team.label, other, triage.language.label) if asks else None
    return Route(department=team.label, confidence=team.confidence, question=question)


def team_of(triage: Triage, escalation: Escalation, teams: Mapping[str, str], *, fallback: str = FALLBACK) -> Tag:
    """The team for a message: the policy's where stepping in is recommended, with its reasons, else the likeliest of the intents' teams.

    `teams` gives the team of each intent label; intents without one, and what fits no intent, go to the fallback.
    """
    if escalation.recommended and escalation.team:
        score = round(escalation.score, 4)
        return Tag(label=escalation.team, confidence=score, level=_level(score), reasons=escalation.reasons)
    chances = sorted(_chances(triage, teams, fallback).items(), key=lambda pair: (-pair[1], pair[0]))
    (best, confidence), *others = [(team, round(chance, 4)) for team, chance in chances]
    rest = tuple(Alternative(label=team, confidence=chance) for team, chance in others)
    return Tag(label=best, confidence=confidence, level=_level(confidence), alternatives=rest)


def _level(confidence: float) -> Level:
    return "high" if confidence >= HIGH else "medium" if confidence >= MEDIUM else "low"


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


def _question(best: str, other: str, language: str) -> str:
    """Which of two departments; where there is only one to offer, what it is about."""
    inputs = {"best": _spoken(best), "other": "" if best == other else _spoken(other), "language": language}
    return render("clarify", inputs)


def _spoken(team: str) -> str:
    words = team.replace("_", " ").replace("-", " ")
    return "something general" if words == FALLBACK else words
