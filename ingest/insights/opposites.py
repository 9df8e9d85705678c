"""Words that say the opposite of each other: which side of a matter a statement takes, with denials turning it round."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path

import yaml

WORDS = Path(__file__).with_name("opposites.yaml")
CLAUSE = re.compile(r"[,;.:!?()\n–]+|\b(?:but|although|while|aber|sondern|pero|mais)\b", re.I)
DENIED = re.compile(
    r"\b(?:not|cannot|never|no|none|nobody|no longer|without|neither|nor|[a-z]{2,8}n['’]t|nicht|nie|kein\w{0,2}|ohne|nunca|sin|pas|jamais|sans)\b",
    re.I,
)


@cache
def _sides() -> tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...]:
    read = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    return tuple((name, _pattern(sides["one"]), _pattern(sides["other"])) for name, sides in read.items())


def _pattern(words: str) -> re.Pattern[str]:
    shapes = sorted((word.replace("_", " ").replace("*", r"\w{0,8}") for word in words.split()), key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(shapes)})\b", re.I)


@lru_cache(maxsize=50_000)
def stance(text: str) -> dict[str, frozenset[bool]]:
    """For every pair of opposites that a statement touches: True where it is for the one side, False for the other, or both."""
    taken: dict[str, set[bool]] = {}
    for clause in CLAUSE.split(text):
        if not clause or clause.isspace():
            continue
        for name, one, other in _sides():
            for side, pattern in ((True, one), (False, other)):
                for found in pattern.finditer(clause):
                    denied = bool(DENIED.search(clause, 0, found.start()) or DENIED.search(clause, found.end()))
                    if not DENIED.search(found[0]):
                        taken.setdefault(name, set()).add(side != denied)
                    else:
                        taken.setdefault(name, set()).add(side)
    return {name: frozenset(sides) for name, sides in taken.items()}


def opposed(one: str, other: str) -> tuple[str, ...]:
    """The pairs of opposites of which each statement takes another side."""
    mine, its = stance(one), stance(other)
    return tuple(name for name in sorted(mine.keys() & its.keys()) if not mine[name] & its[name])


def agreed(one: str, other: str) -> tuple[str, ...]:
    """The pairs of opposites on which both take one and the same side."""
    mine, its = stance(one), stance(other)
    return tuple(name for name in sorted(mine.keys() & its.keys()) if mine[name] == its[name] and len(mine[name]) == 1)
