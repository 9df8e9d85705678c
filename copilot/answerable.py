"""How likely it is that what was found answers the message: a small calibrated score that transfers between companies.

It looks at cosines, at whether the names in the message are names that the sources know, and at whether it is nearer to what this company's
customers ask than to what customers ask of any company; nothing in it is about one company. Where few tickets are solved yet, the nearest
of them are less near, and less is asked of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from copilot import yaml_file
from copilot.domain import Hit
from copilot.facts import MONTH as DAY
from copilot.facts import NAME
from copilot.familiar import Familiar
from copilot.scripts import mostly_paired, telling
from copilot.settings import DEFAULTS

WEIGHTS = DEFAULTS / "answerability.yaml"
FEATURES = ("nearest", "tickets", "known_names", "strange_names", "few", "belongs", "general")
NEAREST = 3
MANY, FEW = 180, 50
"""From so many solved tickets the full measure is taken; what fewer than FEW would excuse was not measured."""
READ_CHARS = 50_000


@dataclass(frozen=True, slots=True)
class Answerability:
    """The score, 0 to 1, what it was made of, and the names in the message that no source mentions."""

    score: float
    features: tuple[float, ...]
    strange: tuple[str, ...]


def answerability(
    message: str, articles: Sequence[Hit], tickets: Sequence[Hit], texts: Sequence[str], solved: int, familiar: Familiar
) -> Answerability:  # fmt: skip
    """The score of a message with what was found for it; `texts` are the found documents' whole texts, `solved` counts all solved tickets."""
    strange, known = names(message, texts)
    seen = features(articles, tickets, len(known), len(strange), solved, familiar)
    if _unheard(message, [*texts, *(hit.title for hit in (*articles, *tickets))]):
        return Answerability(0.0, seen, strange)
    weights, bias = _weights(WEIGHTS)
    exponent = bias + sum(weight * value for weight, value in zip(weights, seen, strict=True))
    return Answerability(round(1 / (1 + math.exp(-exponent)), 6), seen, strange)


def _unheard(message: str, texts: Sequence[str]) -> bool:
    """Whether a message in Chinese or Japanese shares no two letters with what was found in them: a model of English finds all of it near."""
    said = telling(message) if mostly_paired(message) else set()
    return bool(said) and any(map(mostly_paired, texts)) and not any(pair in text for text in texts for pair in said)


def few(solved: int) -> float:
    """How few solved tickets there are: 0 from MANY on, at most as many as FEW make."""
    return math.log((1 + MANY) / (1 + min(max(solved, FEW), MANY)))


def features(
    articles: Sequence[Hit], tickets: Sequence[Hit], known: int, strange: int, solved: int, familiar: Familiar
) -> tuple[float, ...]:  # fmt: skip
    """The best cosine, the mean of the three nearest solved tickets', names known and strange, how few tickets there are, how familiar it is.

    Where fewer than three tickets are found, the best cosine stands in for theirs, and how few there are excuses nothing.
    """
    near, cosines = _cosines(articles), _cosines(tickets)
    best, enough = max([*near[:1], *cosines[:1]], default=0.0), len(cosines) >= NEAREST
    mean, excuse = (sum(cosines[:NEAREST]) / NEAREST, few(solved)) if enough else (best, 0.0)
    return best, mean, math.log1p(known), math.log1p(strange), excuse, familiar.belongs, familiar.general


def names(message: str, texts: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names in the message that the texts do not mention, and those that they do, each once in order; days and months are none."""
    low = "\n".join(text[:READ_CHARS] for text in texts).lower()
    said = [name for name in NAME.findall(message) if not DAY.fullmatch(name)]
    found = dict.fromkeys(name.lower() for name in said)
    written = {name.lower(): name for name in reversed(said)}
    strange = tuple(written[name] for name in found if name not in low)
    return strange, tuple(written[name] for name in found if name in low)


def _cosines(hits: Sequence[Hit]) -> list[float]:
    return sorted((hit.scores["dense"] for hit in hits), reverse=True)


@cache
def _weights(file: Path) -> tuple[tuple[float, ...], float]:
    """The features' weights, and the bias."""
    stored = yaml_file.read(file)
    return tuple(float(stored["weights"][name]) for name in FEATURES), float(stored["bias"])
