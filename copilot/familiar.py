"""Where a message lies between what a workspace's own customers ask and what customers ask of companies anywhere.

"My parcel has not come" is near to some page of almost every company. What tells a foreign message is that it is nearer to the messages
of all trades that ship with the product than to those that this company has solved.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from copilot.domain import PUBLIC
from copilot.ports import Vectors
from copilot.store.active import Places
from copilot.store.frames import Frame, Mask

RECENT = 500
"""So many solved tickets, or articles, the last that came in, stand for what the customers ask."""
FEWEST = 10
"""Fewer solved tickets have no middle that tells anything; the articles stand in for them."""
LIKE = 5
SURELY = 50
"""So many that are nearest in single precision hold the five that are in double precision, in which they are measured."""
KEPT = 8
"""Middles that are kept of a workspace: readers with other rights, and times of the past, have others."""


@dataclass(frozen=True, slots=True)
class Familiar:
    """How far a message lies from what is asked anywhere towards what is asked here, and how near it is to what is asked anywhere."""

    belongs: float
    general: float


UNKNOWN = Familiar(0.0, 0.0)


class Anywhere:
    """The vectors of messages of all trades."""

    def __init__(self, examples: Vectors) -> None:
        self._examples, self._middle = examples, examples.astype(np.float64).mean(axis=0)
        self._middles: WeakKeyDictionary[Frame, dict[bytes, Vectors]] = WeakKeyDictionary()

    def familiar(self, frame: Frame, seen: Mask, tickets: Mask, vector: Vectors) -> Familiar:
        """Of a message with this vector, asked where these articles and solved tickets may be seen; only public ones count."""
        rough = self._examples @ vector
        likely = self._examples[np.argpartition(rough, -SURELY)[-SURELY:]] if len(rough) > SURELY else self._examples
        near = np.sort(likely.astype(np.float64) @ vector.astype(np.float64))[-LIKE:]
        public = frame.open_to(frozenset({PUBLIC}))
        chunks = frame.first[np.flatnonzero(tickets & public)[-RECENT:]]
        own = chunks if len(chunks) >= FEWEST else frame.chunks(np.flatnonzero(seen & public)[-RECENT:])
        return Familiar(self._belongs(frame, own, vector), round(float(near.mean()), 6))

    def _belongs(self, frame: Frame, own: Places, vector: Vectors) -> float:
        """The vector's place on the line between both middles, 0 half way; of nothing, nothing."""
        if not len(own):
            return 0.0
        here = self._middle_of(frame, own)
        away = here - self._middle
        place = (vector.astype(np.float64) - (here + self._middle) / 2) @ away
        return round(float(place / max(float(np.linalg.norm(away)), 1e-9)), 6)

    def _middle_of(self, frame: Frame, own: Places) -> Vectors:
        """The middle of these chunks; of those that were asked for last it is known already."""
        kept, which = self._middles.setdefault(frame, {}), own.tobytes()
        middle = kept.get(which)
        if middle is None:
            if len(kept) >= KEPT:
                kept.clear()
            middle = kept[which] = frame.vectors[own].astype(np.float64).mean(axis=0)
        return middle
