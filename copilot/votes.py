"""What solved cases near a message say for the articles that they were answered with."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from copilot.store.frames import Frame, View

VOTERS = 30


def votes(frame: Frame, view: View, nearness: NDArray[np.float32]) -> dict[str, float]:
    """Article id -> sim⁴ / √(articles that the case was sent), summed over the nearest cases; the best article at 1.

    `nearness` is the cosine of each document's nearest chunk. A case counts from the reply that sent the article.
    """
    until = np.inf if view.before is None else view.before.timestamp()
    asked = frame.asked[frame.open_to(view.audiences)[frame.asked]]
    cases = []
    for at in asked[np.lexsort((asked, -np.round(nearness[asked].astype(np.float64), 6)))].tolist():
        sent = [link.target for link in frame.heads[at].links if link.at <= until]
        if sent and nearness[at] > 0:
            cases.append((round(float(nearness[at]), 6), sent))
        if len(cases) == VOTERS:
            break
    found: defaultdict[str, float] = defaultdict(float)
    for near, sent in cases:
        for target in sent:
            found[target] += near**4 / len(sent) ** 0.5
    best = max(found.values(), default=0.0)
    return {id: vote / best for id, vote in found.items()} if best > 0 else {}
