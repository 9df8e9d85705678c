"""A workspace's own ranking: weights learned from its cases, and which sources agents reject."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from copilot.domain import Kind
from copilot.rank import Weights
from copilot.signals import Asked, matches
from copilot.store.active import Places
from copilot.store.frames import Frame

Floats = NDArray[np.float64]

RANKING = "linear-3"
"""Changed whenever the features or their meaning change, so that no weights of an older recipe are used."""


@dataclass(frozen=True)
class Ranking:
    """The weights of articles; by document id, from 0 to 1 how often it was rejected."""

    weights: Weights
    disliked: Mapping[str, float] = field(default_factory=dict)

    def packed(self) -> bytes:
        """As bytes to be kept."""
        return json.dumps(asdict(self), sort_keys=True).encode()


def read_ranking(payload: bytes) -> Ranking:
    """The ranking that `packed` wrote."""
    read = json.loads(payload)
    return Ranking(Weights(**read["weights"]), read["disliked"])


def own_arms(frame: Frame, ranking: Ranking, kind: Kind, text: str, documents: Places) -> dict[str, Floats]:
    """What a learned ranking looks at besides, for these documents: of all how they were liked, of articles what their heads say."""
    arms = {"disliked": disliked(frame, ranking)}
    if kind != "article":
        return arms
    asked, (about, known) = Asked.of(text), frame.about
    arms |= {arm: np.zeros(len(frame.heads)) for arm in ("title", "named", "about")}
    for at in documents.tolist():
        arms["title"][at] = frame.titles.overlap(asked, at)
        arms["named"][at] = frame.titles.named(asked, at)
        arms["about"][at] = matches(asked, about.get(at, ()), known)
    return arms


def disliked(frame: Frame, ranking: Ranking) -> Floats:
    """How often each document was rejected."""
    found = np.zeros(len(frame.heads))
    for at in frame.find(ranking.disliked).tolist():
        found[at] = ranking.disliked[frame.heads.id[at]]
    return found
