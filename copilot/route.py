"""Where a caller or writer belongs: one department with its confidence, and one clarifying question where two are as likely."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from copilot import yaml_file
from copilot.domain import Alternative, Conversation, Escalation, Level, Reason, Tag, Triage
from copilot.escalate import NOTED
from copilot.settings import DEFAULTS
from copilot.urgency import latest
from copilot.words import Clauses, Words, fold, without_quotes
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
TEAMS = DEFAULTS / "teams.yaml"
ASKED = 0.95
"""How sure a department is that the caller names."""
ASKS_FOR = frozenset({"asks_for_person", "reads_like_one"})
"""Reasons to step in that a department asked for by name meets as well: a person answers there."""
FRAMES = (
    "(talk|talking|speak|speaking|chat) (to|with) (\\w+ ){0,3}<team>",
    "(put|pass|transfer|connect|get|give|send|redirect|switch|patch) (me|us|this|my call) (\\w+ ){0,2}<team>",
    "(like|want|need|reach) (\\w+ ){0,2}(<team>|<department>) (department|team|desk|people)",
    "(talk|speak|put (me|us) through|transfer (me|us)|connect (me|us)) (to|with) (\\w+ ){0,2}<department> (department|team|desk|people)",
    "^(the )?(<team>|<department>) (department|team|desk)( please| pls)?\\W*$",
    "(parler|passer|hablar|comunicar|pasar|sprechen|spreken) (\\w+ ){0,2}(service|departamento de|abteilung|afdeling) <department>",
    "(parler|passer|passez|joindre|hablar|comunicar|comunicarme|comuniqueme|pasar|pasarme|paseme) (\\w+ ){0,4}<team>",
    "(verbind|verbinde|verbinden|sprechen|spreken|praten|doorverbinden) (\\w+ ){0,5}<team>",
    "<team> (\\w+ )?(sprechen|reden|verbinden|verbunden|durchstellen|durchgestellt|spreken|praten|doorverbinden|doorverbonden)",
    "^<team>( please| pls| bitte)?\\W*$",
)
"""How callers ask for a department; `department` are words that name one only beside such a word."""
DENIED = (
    "not",
    "don't",
    "never",
    "no need",
    "nicht",
    "pas",
    "niet",
    "geen",
    "no quiero",
    "already",
    "did",
    "when i",
    "after i",
)
OTHER = "other"
"""What fits no intent: however sure that is, the caller is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The department, how sure that is (0 to 1), and the question that would settle it, if one is needed."""

    department: str
    confidence: float
    question: str | None


def route(
    triage: Triage, escalation: Escalation, teams: Mapping[str, str], conversation: Conversation | None = None, *, fallback: str = FALLBACK
) -> Route:  # fmt: skip
    """The team as a phone menu needs it: with the question to ask while it is not sure, an open one where too little is known."""
    team = team_of(triage, escalation, teams, conversation, fallback=fallback)
    foreign = triage.language.label != "en" and team.confidence < MEDIUM
    nothing = triage.intent.label == OTHER or foreign
    asks = (team.confidence < SURE or nothing) and not team.reasons
    other = team.alternatives[0].label if team.alternatives and not nothing else team.label
    question = _question(team.label, other, triage.language.label) if asks else None
    return Route(department=team.label, confidence=team.confidence, question=question)


def team_of(
    triage: Triage, escalation: Escalation, teams: Mapping[str, str], conversation: Conversation | None = None, *, fallback: str = FALLBACK
) -> Tag:  # fmt: skip
    """The team for a message: the one that its words ask for, the policy's where stepping in is recommended, else the likeliest of the intents'.

    `teams` gives the team of each intent label; intents without one, and what fits no intent, go to the fallback. Where more calls for a
    person than the wish for one, the policy's team comes first.
    """
    asked = asked_for(conversation, teams.values()) if conversation else None
    if asked and all(one.code in ASKS_FOR for one in escalation.reasons if one.weight > NOTED):
        return asked
    if escalation.recommended and escalation.team:
        score = round(escalation.score, 4)
        return Tag(label=escalation.team, confidence=score, level=_level(score), reasons=escalation.reasons)
    chances = sorted(_chances(triage, teams, fallback).items(), key=lambda pair: (-pair[1], pair[0]))
    (best, confidence), *others = [(team, round(chance, 4)) for team, chance in chances]
    rest = tuple(Alternative(label=team, confidence=chance) for team, chance in others)
    return Tag(label=best, confidence=confidence, level=_level(confidence), alternatives=rest)


def asked_for(conversation: Conversation, teams: Iterable[str]) -> Tag | None:
    """The team that the customer's latest message asks for by name, with these words; None where it names none, or two."""
    at, message = latest(conversation)
    text = fold(without_quotes(message.text))
    found = [(team, span) for team in sorted(set(teams)) if (span := _asked(team, text))]
    if len(found) != 1:
        return None
    ((team, (start, end)),) = found
    words = Reason(code="asked_for", message=at, start=start, end=end, quote=message.text[start:end], weight=ASKED)
    return Tag(label=team, confidence=ASKED, level="high", reasons=(words,))


def _asked(team: str, text: str) -> tuple[int, int] | None:
    frames, denied = _frames(team), _denied()
    for start, end in frames.find(text):
        left, _ = Clauses(text).around(start, end)
        if next(denied.find(text[left:start]), None) is None:
            return start, end
    return None


@lru_cache(maxsize=512)
def _frames(team: str) -> Words:
    """The ways to ask for a team, which is known by its own name and, if it is a shipped one, by more words."""
    known = _teams().get(team, {})
    own = "".join(letter if letter.isalnum() else " " for letter in team).strip()
    words = [*known.get("words", ()), *([own] if own and team != FALLBACK else [])] or ["\\x01"]
    return Words(FRAMES, {"team": words, "department": known.get("department") or ["\\x01"]})


@cache
def _denied() -> Words:
    return Words(DENIED, {})


@cache
def _teams() -> dict[str, dict[str, Any]]:
    return dict(yaml_file.read(TEAMS))


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
    inputs = {
        "best": _spoken(best, language), "other": "" if best == other else _spoken(other, language), "language": language
    }  # fmt: skip
    return render("clarify", inputs)


def _spoken(team: str, language: str) -> str:
    """What a team is about in the caller's language, if it is a shipped one; else its own name."""
    if named := _teams().get(team, {}).get(language):
        return str(named)
    words = team.replace("_", " ").replace("-", " ")
    return "something general" if words == FALLBACK else words
