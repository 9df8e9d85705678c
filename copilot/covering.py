"""How many of a message's telling words one passage of an article has: among few articles that tells them apart, among many it is chance."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from copilot.clauses import content
from copilot.rank import Arms
from copilot.store.active import Places
from copilot.store.frames import Frame, Mask
from copilot.store.library import Library

Floats = NDArray[np.float64]

MOST = 250
"""From so many articles on it says nothing; with fewer it is trusted the more."""
KEPT = 16


def covering_trust(articles: int) -> float:
    """How much of its weight it gets among so many articles."""
    return max(0.0, 1 - articles / MOST)


@dataclass(frozen=True, slots=True)
class Wording:
    """Which passages of some articles have a word, as places among theirs; `versions` are those of the articles, `first` where each begins."""

    revision: str
    versions: tuple[str, ...]
    first: Places
    places: dict[str, Places]

    def shares(self, message: str, seen: Mask) -> Floats:
        """For each article its best passage's share of the message's words, those that few of the seen articles have counting more."""
        owner = np.repeat(np.arange(len(seen)), np.diff(self.first))
        found, whole = np.zeros(len(owner)), 0.0
        for word in sorted(content(message) & self.places.keys()):
            places = self.places[word]
            weight = _rarity(
                int(np.count_nonzero(np.bincount(owner[places], minlength=len(seen))[seen])), int(seen.sum())
            )
            found[places] += weight
            whole += weight
        best = np.maximum.reduceat(found, self.first[:-1]) if len(seen) else found
        return np.round(best * seen / whole, 6) if whole else np.zeros(len(seen))


def _rarity(having: int, of: int) -> float:
    """BM25's: the fewer have a word, the more it tells; one that none has tells nothing."""
    return math.log(1 + (of - having + 0.5) / (having + 0.5)) if having else 0.0


class Covering:
    """Knows the words of each small workspace's articles, as they stand now."""

    def __init__(self, library: Library) -> None:
        self._library, self._lock = library, Lock()
        self._kept: LRUCache[str, Wording] = LRUCache(KEPT)

    def heard(self, arms: Arms, frame: Frame, workspace: str, message: str, seen: Mask) -> Arms:
        """With how much of the message each article's best passage has, among those that are seen; as they were where there are too many."""
        trust = covering_trust(int(np.count_nonzero(seen)))
        if not trust or not 0 < len(frame.articles) < MOST:
            return arms
        found = np.zeros(len(frame.heads))
        found[frame.articles] = self._wording(frame, workspace).shares(message, seen[frame.articles])
        return replace(arms, more={**arms.more, "covered": found}, trust={**arms.trust, "covered": trust})

    def _wording(self, frame: Frame, workspace: str) -> Wording:
        with self._lock:
            kept = self._kept.get(workspace)
        if kept is not None and kept.revision == frame.revision:
            return kept
        versions = tuple(frame.heads[at].version for at in frame.articles.tolist())
        known = kept.places if kept is not None and kept.versions == versions else self._read(frame, workspace)
        sizes = frame.columns.sizes[frame.articles]
        first = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
        made = Wording(frame.revision, versions, first, known)
        with self._lock:
            self._kept[workspace] = made
        return made

    def _read(self, frame: Frame, workspace: str) -> dict[str, Places]:
        """Each word's passages, title and headings counted in; a document that went meanwhile has no words."""
        heads = [frame.heads[at] for at in frame.articles.tolist()]
        texts, _ = self._library.texts(workspace, {(head.id, head.revision) for head in heads})
        having, columns = defaultdict[str, list[int]](list), frame.columns
        for place, chunk in enumerate(frame.chunks(frame.articles).tolist()):
            head = frame.heads[int(frame.owner[chunk])]
            text, _ = texts.get((head.id, head.revision), ("", 0))
            said = (
                f"{head.title} {' '.join(columns.headings[chunk])} {text[columns.starts[chunk] : columns.ends[chunk]]}"
            )
            for word in content(said) if text else ():
                having[word].append(place)
        return {word: np.array(places, dtype=np.int64) for word, places in having.items()}
