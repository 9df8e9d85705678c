"""The linear map q' = q + qW: learned from solved tickets, it turns a message towards the articles that such messages were answered with.

W minimises the cross-entropy of a softmax over the articles' vectors, with an L2 penalty, from zero: untrained, it changes nothing.
Pure: vectors in, matrix out; the same input gives the same bytes on the same machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from threading import Thread

import numpy as np
from numpy.typing import NDArray

from copilot.ports import Vectors

Floats = NDArray[np.float32]

SHARPNESS = 25.0
PENALTY = 0.03
ROUNDS = 30
FLAT = 1e-5
"""Directions in which vectors reach no further than this share of their longest are rounding."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """Questions, the articles' vectors, and which share of each question's answer each article was (rows add up to one)."""

    questions: Vectors
    articles: Vectors
    answers: Floats


def get_ready() -> None:
    """Load what `fit` needs, in a thread of its own: it takes longer than to fit a few hundred cases."""
    Thread(target=import_module, args=("scipy.optimize",), name="solver", daemon=True).start()


def fit(lesson: Lesson) -> Vectors:
    """W, dimensions × dimensions.

    It lies in the span of the questions on one side and of the articles on the other, as every gradient does: W = L M Rᵀ with
    orthonormal L and R, and M is what is sought, which for few cases is far smaller than W.
    """
    from scipy.optimize import minimize

    left, right = _span(lesson.questions), _span(lesson.articles)
    terms = _Terms(
        untrained=lesson.questions @ lesson.articles.T, questions=lesson.questions @ left,
        articles=lesson.articles @ right, answers=lesson.answers,
    )  # fmt: skip
    start = np.zeros(left.shape[1] * right.shape[1])
    found = minimize(_loss, start, args=(terms,), jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS})
    core = found.x.reshape(left.shape[1], right.shape[1])
    return np.asarray(left @ core @ right.T, dtype=np.float32)


def apply(vector: Vectors, matrix: Vectors) -> Vectors:
    """The message's vector, turned."""
    turned: Vectors = vector + vector @ matrix
    return turned


@dataclass(frozen=True, slots=True)
class _Terms:
    """A lesson in the coordinates of its spans; `untrained` are the cosines before any map."""

    untrained: Floats
    questions: Floats
    articles: Floats
    answers: Floats


def _span(vectors: Vectors) -> Floats:
    """An orthonormal basis of what these vectors span, dimensions × rank."""
    _, sizes, rows = np.linalg.svd(vectors, full_matrices=False)
    basis: Floats = rows[sizes > FLAT * sizes.max(initial=0)].T.astype(np.float32)
    return basis


def _loss(flat: NDArray[np.float64], terms: _Terms) -> tuple[float, NDArray[np.float64]]:
    """The penalised cross-entropy of M, and its gradient."""
    core = flat.reshape(terms.questions.shape[1], terms.articles.shape[1])
    logits = SHARPNESS * (terms.untrained + terms.questions @ core.astype(np.float32) @ terms.articles.T)
    logits -= logits.max(axis=1, keepdims=True)
    likely = np.exp(logits)
    total = likely.sum(axis=1, keepdims=True)
    loss = -float((terms.answers * (logits - np.log(total))).sum(dtype=np.float64)) / len(terms.questions)
    wrong = (likely / total - terms.answers) / len(terms.questions)
    slope = SHARPNESS * (terms.questions.T @ (wrong @ terms.articles))
    gradient = slope.astype(np.float64) + 2 * PENALTY * core
    return loss + PENALTY * float((core**2).sum()), gradient.ravel()
