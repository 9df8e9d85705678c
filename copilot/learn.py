"""What every fitted head needs: labelled texts, a file tied to what it was fitted on, and confidences that mean what they say."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from copilot.errors import ConfigurationError
from copilot.ports import Embedder

Floats = NDArray[np.float64]
Grams = NDArray[np.intp]

OTHER = "other"
"""The label of texts that belong to no class: they teach a head when nothing fits."""
TEMPERATURES = np.geomspace(0.02, 20, 81)
FLOORS = (0.035, 0.02, 0.06, 0.1, 0.3, 1.0)
"""Where scores stop counting as probabilities; from the highest on, they are logits as they stand."""
READ_CHARS = 2000
"""As much as the embedding model reads of a text, about."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its label. An anchor describes the label rather than being a message: it teaches, and is never held out."""

    text: str
    label: str
    anchor: bool = False

    @property
    def said(self) -> str | Grams:
        """What a head reads of its words."""
        return self.text


@dataclass(frozen=True, slots=True)
class Remembered(Example):
    """An example whose text was not kept: of its words there are the numbers that a head reads."""

    grams: Grams = field(default_factory=lambda: np.zeros(0, dtype=np.intp), compare=False)

    @property
    def said(self) -> str | Grams:
        """The numbers of its words."""
        return self.grams


# ---- files ----


def key_of(data: Sequence[Example], embedder: Embedder, recipe: str) -> str:
    """What a head depends on, as one hash: the data, the embedder's fingerprint and the recipe."""
    parts = json.dumps([recipe, embedder.fingerprint, [astuple(example) for example in data]])
    return hashlib.sha256(parts.encode()).hexdigest()


def write_arrays(path: Path, **arrays: NDArray[np.generic]) -> None:
    """Write the arrays to one npz, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def read_arrays(path: Path, key: str) -> dict[str, NDArray[np.generic]] | None:
    """The arrays of an npz that was written with this key; None where there is none, it cannot be read, or its key is another."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays: dict[str, NDArray[np.generic]] = dict(file)
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    return arrays if "key" in arrays and str(arrays["key"]) == key else None


def packed(**arrays: NDArray[np.generic]) -> bytes:
    """The arrays as the bytes of one npz."""
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **arrays)
    return out.getvalue()


def unpacked(payload: bytes) -> dict[str, NDArray[np.generic]]:
    """The arrays of these bytes. Raises ValueError where they are none."""
    try:
        with np.load(io.BytesIO(payload), allow_pickle=False) as file:
            return dict(file)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"These bytes hold no arrays: {error}") from error


# ---- confidences ----


def require_enough(labels: Sequence[str]) -> None:
    """Raise ConfigurationError where there are fewer than two labels, or fewer than two examples of one."""
    counts = Counter(labels)
    if len(counts) < 2:
        raise ConfigurationError("A head needs examples of at least two labels. Add some.")
    label, least = min(counts.items(), key=lambda item: item[1])
    if least < 2:
        raise ConfigurationError(
            f"The label {label!r} has one example; it needs at least two. Add some, or remove the label."
        )


def calibrate(logits: Floats, codes: NDArray[np.intp]) -> tuple[float, float]:
    """The mean negative log-likelihood at the temperature that makes it least, and that temperature."""
    losses = [log_loss(logits / temperature, codes) for temperature in TEMPERATURES]
    at = int(np.argmin(losses))
    return losses[at], round(float(TEMPERATURES[at]), 4)


def log_loss(logits: Floats, codes: NDArray[np.intp]) -> float:
    """The mean negative log-likelihood of the right labels."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return float((np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(codes)), codes]).mean())


def softmax(logits: NDArray[np.floating]) -> Floats:
    """Logits of one row as probabilities."""
    powers = np.exp(logits.astype(np.float64) - logits.max())
    return np.asarray(powers / powers.sum())


def rounded(values: Floats) -> NDArray[np.float32]:
    """Four decimals: far below what a label depends on, above what two machines' arithmetic differ by."""
    return np.round(values, 4).astype(np.float32)


def leaning(scores: NDArray[np.floating], floor: float) -> Floats:
    """Scores as logits. A score is about a probability, so its logarithm is taken, bent so that a score near or below nought has one."""
    return np.asarray(np.log(np.logaddexp(0, np.maximum(scores.astype(np.float64) / floor, -30))))


def stretch(right: NDArray[np.bool_], share: float) -> int:
    """The longest beginning in which at least this share is right, had there been one more that is wrong."""
    shares = np.cumsum(right) / np.arange(2, len(right) + 2)
    enough = np.flatnonzero(shares >= share)
    return int(enough[-1]) + 1 if len(enough) else 0
