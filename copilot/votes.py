"""What solved cases near a message say for the articles that they were answered with."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from copilot.store.active import Places
from copilot.store.frames import Frame, Mask, View

VOTERS = 30
DOUBT = 0.4
"""Votes that weigh as much are half trusted: a few cases, or cases of something else, say little."""
HALF_LIFE = 3 * 365 * 86_400.0
"""In seconds. An article that was sent so long before the newest one that any case was sent gets half a vote for it: products change, and pages
with them. The clock stands between two ingests, so that a score does not change from day to day. By hand."""
FEW = 200
"""So many cases teach a map half of what it is trusted with."""


def voters(frame: Frame, view: View) -> Places:
    """The cases that the view may know and that an article was sent for by then."""
    asked = frame.asked[frame.open_to(view.audiences)[frame.asked] & ~np.isin(frame.asked, frame.own(view))]
    return asked[frame.answered[asked] <= _until(view)]


def votes(
    frame: Frame, view: View, asked: Places, nearness: NDArray[np.float32], seen: Mask
) -> tuple[dict[str, float], float]:
    """Article id -> sim⁴ · ½^(age / 3 years) / √(articles that the case was sent), summed over the nearest of these cases, the best article at 1;
    and their trust.

    Only articles that are `seen` count, and cases that were sent one of them: what a reader may not see, or what was deleted, changes nothing.
    `nearness` is the cosine of each document's nearest chunk. The trust is w / (w + .4) of the best article's sum w.
    """
    case, article, at = frame.sent
    known = np.zeros(len(frame.heads), dtype=np.bool_)
    known[asked] = True
    counted = known[case] & seen[article] & (at <= _until(view))
    asked = np.unique(case[counted])
    newest = float(at[counted].max()) if counted.any() else 0.0
    near = np.round(nearness[asked].astype(np.float64), 6)
    if len(near) > VOTERS:
        kept = near >= np.partition(near, -VOTERS)[-VOTERS]  # with all that are as near as the last of them
        asked, near = asked[kept], near[kept]
    cases = []
    for n in np.lexsort((asked, -near)).tolist()[:VOTERS]:
        if near[n] > 0:
            links = sorted(frame.heads.links[asked[n]], key=lambda link: link.at)
            sent_at = {link.target: link.at for link in links if link.at <= _until(view)}
            sent = frame.find(list(sent_at))
            cases.append((near[n] ** 4, {id: sent_at[id] for id in frame.heads.id[sent[seen[sent]]].tolist()}))
    found: defaultdict[str, float] = defaultdict(float)
    for weight, sent_then in cases:
        for target, then in sent_then.items():
            found[target] += weight * 0.5 ** ((newest - then) / HALF_LIFE) / len(sent_then) ** 0.5
    best = max(found.values(), default=0.0)
    return {id: vote / best for id, vote in found.items()} if best > 0 else {}, best / (best + DOUBT)


def map_trust(cases: int) -> float:
    """How much of its weight a map gets that so many cases taught."""
    return cases / (cases + FEW)


def _until(view: View) -> float:
    return np.inf if view.before is None else view.before.timestamp()
