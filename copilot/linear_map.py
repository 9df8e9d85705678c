"""The linear map q' = q + qW: learned from solved tickets, it turns a message towards the articles that such messages were answered with.

W minimises the cross-entropy of a softmax over the articles' vectors, with an L2 penalty, from zero: untrained, it changes nothing.
Pure: vectors in, matrix out; the same input gives the same bytes on the same machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from copilot.ports import Vectors

Floats = NDArray[np.float32]

SHARPNESS = 25.0
PENALTY = 0.03
ROUNDS = 30


@dataclass(frozen=True, slots=True)
class Lesson:
    """Questions, the articles' vectors, and which share of each question's answer each article was (rows add up to one)."""

    questions: Vectors
    articles: Vectors
    answers: Floats


def fit(lesson: Lesson) -> Vectors:
    """W, dimensions × dimensions."""
    from scipy.optimize import minimize

    size = lesson.questions.shape[1]
    start = np.zeros(size * size)
    found = minimize(_loss, start, args=(lesson,), jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS})
    return np.asarray(found.x.reshape(size, size), dtype=np.float32)


def apply(vector: Vectors, matrix: Vectors) -> Vectors:
    """The message's vector, turned."""
    turned: Vectors = vector + vector @ matrix
    return turned


def _loss(flat: NDArray[np.float64], lesson: Lesson) -> tuple[float, NDArray[np.float64]]:
    """The penalised cross-entropy of W, and its gradient."""
    size, count = lesson.questions.shape[1], len(lesson.questions)
    matrix = flat.reshape(size, size)
    logits = SHARPNESS * (apply(lesson.questions, matrix.astype(np.float32)) @ lesson.articles.T)
    logits -= logits.max(axis=1, keepdims=True)
    likely = np.exp(logits)
    total = likely.sum(axis=1, keepdims=True)
    loss = -float((lesson.answers * (logits - np.log(total))).sum(dtype=np.float64)) / count
    wrong = (likely / total - lesson.answers) / count
    slope = SHARPNESS * (lesson.questions.T @ (wrong @ lesson.articles))
    gradient = slope.astype(np.float64) + 2 * PENALTY * matrix
    return loss + PENALTY * float((matrix**2).sum()), gradient.ravel()
