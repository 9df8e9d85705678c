"""Fits the answerability score: `python -m benchmarks.answerability` prints, for each company held out, who would be refused, and the weights.

`answerability.csv` holds one row a message: whose sources were searched, who asked (`unanswerable` is the company's own message that no article
answers), whether a gold source was among the first five (or, for the outdoor shop, the question was about its own products), and the features
of `copilot.answerable`; it has no text. Nothing is fitted on the unanswerable ones, nor on the companies of HELD_OUT.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from copilot.answerable import FEATURES
from copilot.settings import Settings

TABLE = Path(__file__).parent / "answerability.csv"
HELD_OUT = ("young-c", "young-h", "young-i")
UNANSWERABLE, YOUNG = "unanswerable", "young-"


@dataclass(frozen=True)
class Row:
    """One message."""

    company: str
    asked_by: str
    answerable: bool
    features: tuple[float, ...]


def main() -> None:
    """Print the table by held-out company, then with the weights fitted on all but HELD_OUT, then these."""
    rows, threshold = read(), float(Settings().abstain_below)
    for company in sorted({row.company for row in rows} - {*HELD_OUT}):
        print(f"{company} held out:", refused(fit(rows, (*HELD_OUT, company)), of(rows, company), threshold))
    model = fit(rows)
    for company in sorted({row.company for row in rows}):
        print(f"{company}, with the weights:", refused(model, of(rows, company), threshold))
    print("weights:", weights(model))


def read(table: Path = TABLE) -> list[Row]:
    """The table."""
    with table.open(encoding="utf-8") as lines:
        return [
            Row(
                line["company"],
                line["asked_by"],
                line["answerable"] == "1",
                tuple(float(line[name]) for name in FEATURES),
            )
            for line in csv.DictReader(lines)
        ]


def of(rows: Sequence[Row], company: str) -> list[Row]:
    """The rows of one company."""
    return [row for row in rows if row.company == company]


def fit(rows: Sequence[Row], without: Collection[str] = HELD_OUT) -> LogisticRegression:
    """Each company's answerable messages weigh as much as its foreign ones, among these all who asked alike; the young companies together as one."""
    kept = [row for row in rows if row.company not in without and row.asked_by != UNANSWERABLE]
    weight = 1 / np.array(_sizes(kept))
    return LogisticRegression(max_iter=5000).fit(
        [row.features for row in kept],
        [row.answerable for row in kept],
        sample_weight=weight * len(kept) / weight.sum(),
    )


def _sizes(rows: Sequence[Row]) -> list[int]:
    """For each row how many it shares a weight with: rows of its group, groups on its side of its company, and young companies."""
    counts = Counter((row.company, row.answerable, row.asked_by) for row in rows)
    groups = Counter((company, answerable) for company, answerable, _ in counts)
    young = len({row.company for row in rows if row.company.startswith(YOUNG)})
    return [
        counts[row.company, row.answerable, row.asked_by]
        * groups[row.company, row.answerable]
        * (young if row.company.startswith(YOUNG) else 1)
        for row in rows
    ]


def weights(model: LogisticRegression) -> dict[str, float]:
    """The weights by name, and the bias."""
    return {
        **dict(zip(FEATURES, np.round(model.coef_[0], 3).tolist(), strict=True)),
        "bias": round(float(model.intercept_[0]), 3),
    }


def shares(model: LogisticRegression, rows: Sequence[Row], threshold: float) -> tuple[float, float, float]:
    """The share refused of the answerable, of the foreign (the mean over who asked) and of the unanswerable messages of one company."""
    low = model.predict_proba([row.features for row in rows])[:, 1] < threshold
    asked: dict[str, list[bool]] = {}
    for row, refused in zip(rows, low, strict=True):
        asked.setdefault("" if row.answerable else row.asked_by, []).append(bool(refused))
    own, unanswerable = (float(np.mean(asked.pop(name, [False]))) for name in ("", UNANSWERABLE))
    return own, float(np.mean([np.mean(some) for some in asked.values()])), unanswerable


def refused(model: LogisticRegression, rows: Sequence[Row], threshold: float) -> str:
    """The area under the curve, the shares refused, and how many by who asked."""
    scores = model.predict_proba([row.features for row in rows])[:, 1]
    foreign = np.array([row.asked_by != UNANSWERABLE for row in rows])
    auc = roc_auc_score(np.array([row.answerable for row in rows])[foreign], scores[foreign])
    parts = []
    for group in sorted({(not row.answerable, row.asked_by) for row in rows}):
        mine = [score for row, score in zip(rows, scores, strict=True) if (not row.answerable, row.asked_by) == group]
        parts.append(f"{group[1]} {sum(score < threshold for score in mine)}/{len(mine)}")
    own, others, unanswerable = shares(model, rows, threshold)
    return f"AUC {auc:.3f}; own {own:.3f}, foreign {others:.3f}, unanswerable {unanswerable:.3f}; {', '.join(parts)}"


if __name__ == "__main__":
    main()
