"""Groups of vectors that are alike: the branches of a tree in which what is most alike was joined first."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copilot.ports import Vectors


@dataclass(frozen=True)
class Tree:
    """The merges of a clustering by mean likeness, and the cosines that it was made from."""

    merges: NDArray[np.float64]
    cosines: NDArray[np.float64]

    @classmethod
    def over(cls, vectors: Vectors) -> Tree:
        """Of these unit vectors, at least two; memory grows with the square of their number."""
        from scipy.cluster.hierarchy import linkage
        from scipy.spatial.distance import squareform

        rows = vectors.astype(np.float64)
        cosines = np.round(rows @ rows.T, 6)
        away = np.clip(1 - cosines, 0, 2)
        np.fill_diagonal(away, 0)
        return cls(linkage(squareform((away + away.T) / 2, checks=False), "average"), cosines)

    def branches(self, least: int, alike: float, a_doubling: float = 0.0) -> Iterator[list[int]]:
        """The places under each highest branch that has so many and whose halves are so alike; of more than four more is asked."""
        waiting = [2 * len(self.merges)]
        while waiting:
            node = waiting.pop()
            if node <= len(self.merges):
                continue
            left, right, distance, size = self.merges[node - len(self.merges) - 1]
            if size < least:
                continue
            if 1 - distance >= alike + a_doubling * max(0.0, math.log2(size / 4)):
                yield self._under(node)
            else:
                waiting += [int(right), int(left)]

    def _under(self, node: int) -> list[int]:
        found, waiting = [], [node]
        while waiting:
            at = waiting.pop()
            if at <= len(self.merges):
                found.append(at)
            else:
                left, right, *_ = self.merges[at - len(self.merges) - 1]
                waiting += [int(left), int(right)]
        return sorted(found)


def nodes(likeness: NDArray[np.float64], least: int, most: int) -> Iterator[tuple[int, ...]]:
    """The places under every branch of such a size, of a tree over these likenesses."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    away = np.clip(1 - likeness, 0, 3)
    np.fill_diagonal(away, 0)
    under: list[tuple[int, ...]] = [(at,) for at in range(len(likeness))]
    for left, right, *_ in linkage(squareform((away + away.T) / 2, checks=False), "average"):
        one, other = under[int(left)], under[int(right)]
        both = tuple(sorted(one + other)) if one and other and len(one) + len(other) <= most else ()
        under.append(both)
        if len(both) >= least:
            yield both
