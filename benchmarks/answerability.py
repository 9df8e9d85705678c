"""Fits the answerability score: `python -m benchmarks.answerability` prints, for each company held out, who would be refused, and the weights.

`answerability.csv` holds one row a message: whose sources were searched, who asked, whether a gold source was among the first five (or, for
the outdoor shop, the question was about its own products), and the features of `copilot.answerable`; it has no text.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from copilot.answerable import FEATURES
from copilot.settings import Settings

TABLE = Path(__file__).parent / "answerability.csv"


@dataclass(frozen=True)
class Row:
    """One message."""

    company: str
    asked_by: str
    answerable: bool
    features: tuple[float, ...]


def main() -> None:
    """Print the table by held-out company, then the weights fitted on all."""
    rows = read()
    companies = sorted({row.company for row in rows})
    threshold = float(Settings().abstain_below)
    for held_out in companies:
        model = fit([row for row in rows if row.company != held_out])
        print(f"{held_out} held out:", refused(model, [row for row in rows if row.company == held_out], threshold))
    model = fit(rows)
    for company in companies:
        print(f"{company}, fitted on all:", refused(model, [row for row in rows if row.company == company], threshold))
    print("weights:", weights(model))


def read() -> list[Row]:
    """The table."""
    with TABLE.open(encoding="utf-8") as lines:
        return [
            Row(
                line["company"],
                line["asked_by"],
                line["answerable"] == "1",
                tuple(float(line[name]) for name in FEATURES),
            )
            for line in csv.DictReader(lines)
        ]


def fit(rows: Sequence[Row]) -> LogisticRegression:
    """Each company's answerable messages weigh as much as its foreign ones, and all companies alike."""
    groups = [(row.company, row.answerable) for row in rows]
    share = [1 / groups.count(group) for group in groups]
    weight = np.array(share) * len(rows) / sum(share)
    return LogisticRegression(max_iter=5000).fit(
        [row.features for row in rows], [row.answerable for row in rows], sample_weight=weight
    )


def weights(model: LogisticRegression) -> dict[str, float]:
    """The weights by name, and the bias."""
    return {
        **dict(zip(FEATURES, np.round(model.coef_[0], 3).tolist(), strict=True)),
        "bias": round(float(model.intercept_[0]), 3),
    }


def refused(model: LogisticRegression, rows: Sequence[Row], threshold: float) -> str:
    """The area under the curve, and the share refused by who asked."""
    scores = model.predict_proba([row.features for row in rows])[:, 1]
    auc = roc_auc_score([row.answerable for row in rows], scores)
    parts = []
    for group in sorted({(not row.answerable, row.asked_by) for row in rows}):
        mine = [score for row, score in zip(rows, scores, strict=True) if (not row.answerable, row.asked_by) == group]
        parts.append(f"{group[1]} {sum(score < threshold for score in mine)}/{len(mine)}")
    return f"AUC {auc:.3f}; refused: {', '.join(parts)}"


if __name__ == "__main__":
    main()
