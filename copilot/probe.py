"""Attention probes: small nets over a model's token states, for what their mean does not tell.

"All folders are gone" is one clause of a long report, and counts little in the report's vector. Each target of the probe weighs the tokens by
how much they matter to it, several times over, and scores what it finds there (structured self-attention: Lin et al., ICLR 2017). The states are
those of the forward pass that made the vector, so nothing is embedded twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from copilot.ports import Embedder, Vectors

Floats32 = NDArray[np.float32]
FitProbe = Callable[[Sequence[Vectors], NDArray[np.bool_], NDArray[np.float64]], "Probe"]
"""From the token states of texts (each tokens × dimensions), which targets hold (texts × targets), and what each text weighs, to a probe."""
PREFIX = "probe_"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # the very same probe is asked again, not an equal one
class Probe:
    """Fitted weights. `inner` dimensions × hidden and its constant make of each token's state what is looked at; `look` and `value`, hidden ×
    (heads · targets), how much a token matters and what it says; `mean` dimensions × targets what the states' mean adds; `constant` the rest."""

    inner: Floats32
    inner_constant: Floats32
    look: Floats32
    value: Floats32
    mean: Floats32
    constant: Floats32

    def __call__(self, states: Vectors) -> Floats32:
        """The score of each target, in log-odds, for one text's token states (tokens × dimensions)."""
        hidden = np.maximum(states @ self.inner + self.inner_constant, 0)
        looks = hidden @ self.look
        shares = np.exp(looks - looks.max(axis=0))
        said = (shares * (hidden @ self.value)).sum(axis=0) / shares.sum(axis=0)
        scores: Floats32 = said.reshape(-1, len(self.constant)).sum(axis=0)
        return np.asarray(scores + states.mean(axis=0) @ self.mean + self.constant, dtype=np.float32)

    def arrays(self) -> dict[str, NDArray[np.float16]]:
        """The weights by name, as they are kept in a file."""
        return {PREFIX + name: weights.astype(np.float16) for name, weights in asdict(self).items()}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Probe | None:
        """The probe among these arrays; None where there is none. Raises ValueError where there is a part of one."""
        kept = {name.removeprefix(PREFIX): array for name, array in arrays.items() if name.startswith(PREFIX)}
        if kept and kept.keys() != {field.name for field in fields(cls)}:
            raise ValueError(f"the probe has these arrays alone: {', '.join(sorted(kept))}")
        return cls(**{name: array.astype(np.float32) for name, array in kept.items()}) if kept else None


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the model gives of a text: its unit vector, and what a probe says for each of its targets, where the weights have one."""

    vector: Vectors
    told: Floats32 | None = None


class Probes:
    """Several weights' probes, asked together: one forward pass gives the vector and what each of them says."""

    def __init__(self, *probes: Probe | None) -> None:
        self._probes = probes
        self._ends = np.cumsum([len(one.constant) for one in probes if one])

    def __call__(self, states: Vectors) -> Floats32:
        """What all of them say, one after the other."""
        return np.concatenate([one(states) for one in self._probes if one])

    def encoded(self, embedder: Embedder, text: str) -> list[Encoded]:
        """What the model gives of a text read as a question, for each of the weights."""
        if not len(self._ends):
            return [Encoded(embedder.embed([text], "query")[0])] * len(self._probes)
        vector, said = embedder.probed(text, self)
        shares = iter(np.split(said, self._ends[:-1]))
        return [Encoded(vector, next(shares) if one else None) for one in self._probes]


# ---- to be fitted ----


@dataclass(frozen=True, slots=True)
class Probing:
    """How a probe is fitted, and on which token states: those of the texts in their order, each tokens × dimensions."""

    fit: FitProbe
    states: Sequence[Vectors]

    @classmethod
    def of(cls, fit: FitProbe, embedder: Embedder, texts: Sequence[str]) -> tuple[Vectors, Probing]:
        """A row for each text, each read alone and as a question, as it will be, and what a probe is fitted on."""
        made = [embedder.probed(text, _halved) for text in texts]
        return np.vstack([vector for vector, _ in made]), cls(fit, [states for _, states in made])


def _halved(states: Vectors) -> Vectors:
    """The states themselves, in half the memory: there are a million of them."""
    halved: Vectors = states.astype(np.float16)
    return halved
