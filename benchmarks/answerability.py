"""Fits the answerability score: `python -m benchmarks.answerability` prints, for each company held out, who would be refused, and the weights.

`answerability.csv` holds one row a message: whose sources were searched, who asked, whether a gold source was among the first five (or, for
the outdoor shop, the question was about its own products), and the features of `copilot.answerable`; it has no text. `answerability_young.csv`
has the same of three companies with fifty solved tickets: what few tickets excuse is fitted on two of them, and the third is held out.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from copilot import yaml_file
from copilot.answerable import FEATURES, WEIGHTS, few
from copilot.settings import Settings

TABLE = Path(__file__).parent / "answerability.csv"
YOUNG = Path(__file__).parent / "answerability_young.csv"
HELD_OUT = "young-c"


@dataclass(frozen=True)
class Row:
    """One message."""

    company: str
    asked_by: str
    answerable: bool
    features: tuple[float, ...]
    solved: int


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
    young = read(YOUNG)
    print("few:", excuse(model, [row for row in young if row.company != HELD_OUT]))
    for company in sorted({row.company for row in young}):
        print(f"{company}:", young_refused(model, [row for row in young if row.company == company], threshold))


def read(table: Path = TABLE) -> list[Row]:
    """The table."""
    with table.open(encoding="utf-8") as lines:
        return [
            Row(
                line["company"],
                line["asked_by"],
                line["answerable"] == "1",
                tuple(float(line[name]) for name in FEATURES),
                int(line.get("solved") or 0),
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


def excuse(model: LogisticRegression, rows: Sequence[Row]) -> float:
    """What few solved tickets add to the model's exponent, per unit of `few`; own and foreign messages of each company weigh alike."""
    base = np.array([row.features for row in rows]) @ model.coef_[0] + model.intercept_[0]
    fewness, own = np.array([few(row.solved) for row in rows]), np.array([row.answerable for row in rows])
    groups = [(row.company, row.answerable) for row in rows]
    weight = np.array([1 / groups.count(group) for group in groups])

    def loss(added: float) -> float:
        return float(weight @ np.logaddexp(0, np.where(own, -1, 1) * (base + added * fewness)))

    return round(float(minimize_scalar(loss, bounds=(0, 5), method="bounded").x), 3)


def young_refused(model: LogisticRegression, rows: Sequence[Row], threshold: float) -> str:
    """The share refused by who asked, without and with the shipped excuse, as `copilot.answerable` has it."""
    base = np.array([row.features for row in rows]) @ model.coef_[0] + model.intercept_[0]
    shipped = float(yaml_file.read(WEIGHTS)["few"]) * np.array([few(row.solved) for row in rows])
    parts = []
    for group in sorted({(not row.answerable, row.asked_by) for row in rows}):
        mine = np.array([(not row.answerable, row.asked_by) == group for row in rows])
        before, after = (int((1 / (1 + np.exp(-some[mine])) < threshold).sum()) for some in (base, base + shipped))
        parts.append(f"{group[1]} {before} -> {after} of {int(mine.sum())}")
    return ", ".join(parts)


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
