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
    asked = asked[frame.answered[asked] <= until]
    near = np.round(nearness[asked].astype(np.float64), 6)
    if len(near) > VOTERS:
        kept = near >= np.partition(near, -VOTERS)[-VOTERS]  # with all that are as near as the last of them
        asked, near = asked[kept], near[kept]
    cases = []
    for n in np.lexsort((asked, -near)).tolist()[:VOTERS]:
        if near[n] > 0:
            cases.append((float(near[n]), [link.target for link in frame.heads[asked[n]].links if link.at <= until]))
    found: defaultdict[str, float] = defaultdict(float)
    for weight, sent in cases:
        for target in sent:
            found[target] += weight**4 / len(sent) ** 0.5
    best = max(found.values(), default=0.0)
    return {id: vote / best for id, vote in found.items()} if best > 0 else {}
