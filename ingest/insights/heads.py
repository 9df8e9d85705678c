"""The fitted scores that detectors decide by: a probability from a few features that a person can read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from ingest.insights.nouns import InsightKind

WEIGHTS = Path(__file__).with_name("weights.yaml")


@dataclass(frozen=True)
class Head:
    """A logistic regression over named features, and the probability from which a finding is shown."""

    weights: Mapping[str, float]
    bias: float
    enough: float

    def score(self, features: Mapping[str, float]) -> float:
        """How likely it is, from 0 to 1, rounded to 1e-6."""
        total = self.bias + sum(self.weights[name] * features[name] for name in sorted(self.weights))
        return round(1 / (1 + math.exp(-max(min(total, 60.0), -60.0))), 6)


@cache
def head(kind: InsightKind) -> Head:
    """The shipped weights of one kind."""
    return Head(**yaml.safe_load(WEIGHTS.read_text(encoding="utf-8"))[kind])
