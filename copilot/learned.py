"""What a workspace has learned and put in force, as of an index revision: its taxonomy, its intents, its ranking; nothing where it is as shipped."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from copilot.intents import RECIPE, IntentHead, intent_head
from copilot.learn import unpacked
from copilot.ports import Embedder
from copilot.ranking import RANKING, Ranking, read_ranking
from copilot.store.trained import Trained, TrainedKind, TrainedStore, Wanted
from copilot.taxonomy import Taxonomy, parse, taxonomy

KEPT = 32
"""Heads held in memory, over all workspaces."""
Made = TypeVar("Made")


class Learned:
    """Finds what is in force; what it found is kept until the workspace's clock moves."""

    def __init__(self, store: TrainedStore, embedder: Embedder, taxonomy: Path, models: Path) -> None:
        self._store, self._embedder, self._file, self._models = store, embedder, taxonomy, models
        self._lists: dict[str, tuple[str, tuple[Trained, ...]]] = {}
        self._made: OrderedDict[tuple[str, TrainedKind, int], object] = OrderedDict()
        self._lock = Lock()

    def taxonomy(self, workspace: str, revision: str) -> Taxonomy:
        """The intents that there are: the workspace's own, else those of the settings."""
        one = self._newest(workspace, revision, "taxonomy", None)
        found = self._of(workspace, one, _taxonomy) if one else None
        return found or self._settings_taxonomy

    @cached_property
    def _settings_taxonomy(self) -> Taxonomy:
        return taxonomy(self._file)

    def intents(self, workspace: str, revision: str, before: datetime | None) -> IntentHead | None:
        """The head that tells them apart; None where it is the one of the settings."""
        own = self._newest(workspace, revision, "taxonomy", None)
        one = self._newest(workspace, revision, "intents", before, self.fits(workspace, revision))
        if one is not None:
            return self._of(workspace, one, lambda payload: IntentHead.of(unpacked(payload)))
        return self._untaught(workspace, own) if own else None

    def taught(self, workspace: str, revision: str) -> tuple[Trained, dict[str, NDArray[np.generic]]] | None:
        """The head of intents in force with all that is kept beside it; None where it was taught by nobody but the taxonomy."""
        one = self._newest(workspace, revision, "intents", None, self.fits(workspace, revision))
        payload = self._store.payload(workspace, one) if one else None
        return (one, unpacked(payload)) if one and payload else None

    def ranking(self, workspace: str, revision: str, before: datetime | None) -> Ranking | None:
        """How its documents are ranked; None where it is as in the settings."""
        one = self._newest(workspace, revision, "ranking", before, RANKING)
        return self._of(workspace, one, read_ranking) if one else None

    def names(
        self, workspace: str, revision: str, before: datetime | None, kinds: Sequence[TrainedKind]
    ) -> tuple[str, ...]:
        """What of these kinds is in force, as provenance names it."""
        wanted = {"intents": self.fits(workspace, revision), "ranking": RANKING, "embedder": self._embedder.fingerprint}
        found = [self._newest(workspace, revision, kind, before, wanted.get(kind, "")) for kind in kinds]
        return tuple(one.name for one in found if one)

    def fits(self, workspace: str, revision: str) -> str:
        """What a head of intents must have been fitted for: the taxonomy in force, and the recipe."""
        if not self._all(workspace, revision):
            return ""
        return fits_of(self.taxonomy(workspace, revision))

    def _untaught(self, workspace: str, own: Trained) -> IntentHead | None:
        """The head of a taxonomy alone: fitted once, and kept among the models."""

        def made(payload: bytes) -> IntentHead:
            return intent_head(_taxonomy(payload).examples(), self._embedder, self._models / "none", self._models)

        return self._of(workspace, own, made, "intents")

    def _newest(
        self, workspace: str, revision: str, kind: TrainedKind, before: datetime | None, fits: str = ""
    ) -> Trained | None:
        """The newest of a kind that knows nothing later than `before`, and was made for this embedder and what else it must fit."""
        for one in self._all(workspace, revision):
            if kind == "embedder" and one.kind == kind and one.fits == fits:
                return one  # it read the query, whatever it knew and whatever became of it since
            mine = kind == "taxonomy" or (one.embedder == self._embedder.fingerprint and one.fits == fits)
            if one.kind == kind and one.state == "active" and mine and one.known_by(before):
                return one
        return None

    def _all(self, workspace: str, revision: str) -> tuple[Trained, ...]:
        kept = self._lists.get(workspace)
        if kept is None or kept[0] != revision:
            kept = self._lists[workspace] = (revision, tuple(self._store.all(workspace)))
        return kept[1]

    def _of(
        self, workspace: str, one: Trained, read: Callable[[bytes], Made], kind: TrainedKind | None = None
    ) -> Made | None:
        """What its bytes say; None where it was deleted a moment ago."""
        key = (workspace, kind or one.kind, one.number if kind is None else -one.number)
        with self._lock:
            if key not in self._made:
                payload = self._store.payload(workspace, one)
                if not payload:
                    return None
                self._made[key] = read(payload)
            self._made.move_to_end(key)
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
            return self._made[key]  # type: ignore[return-value]


def fits_of(intents: Taxonomy) -> str:
    """What a head for this taxonomy is kept under."""
    return f"{RECIPE} {intents.hash[:32]}"


def wanted(file: Path) -> Wanted:
    """What a head of intents and a ranking must fit where a workspace has this taxonomy of its own, or that of the settings' file (None)."""

    def fits(kind: TrainedKind, own: bytes | None) -> str | None:
        if kind == "intents":
            return fits_of(_taxonomy(own) if own else taxonomy(file))
        return RANKING if kind == "ranking" else None

    return fits


def _taxonomy(payload: bytes) -> Taxonomy:
    return parse(payload.decode())
