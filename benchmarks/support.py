"""Fits and measures the support score on BEGIN: `python -m benchmarks.support DATA` with DATA a folder that holds `begin/`.

Fits on the one development set, reports the area under the ROC curve and precision and recall by threshold on the other, both ways.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_score, recall_score, roc_auc_score

from copilot.domain import Evidence
from copilot.ground import MANY_NEW, best_stretch, shares

SETS = ("wow", "cmu")
THRESHOLDS = (0.3, 0.5, 0.65, 0.8)


def main() -> None:
    """Print weights, AUC and thresholds, fitted each way."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    data = arguments.parse_args().data / "begin"
    sets = {name: read(data / f"begin_dev_{name}.tsv") for name in SETS}
    for fit_on, held_out in (SETS, SETS[::-1]):
        report(fit_on, held_out, *sets[fit_on], *sets[held_out])


def read(file: Path) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What the support score looks at, a row a response, and whether it is fully attributable to its source."""
    with file.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    seen = [shares(row["response"], stretch(row["response"], row["knowledge"])) for row in rows]
    return np.array(seen), np.array([row["begin_label"] == "Fully attributable" for row in rows])


def stretch(response: str, knowledge: str) -> str:
    """The stretch of the knowledge that a draft would cite."""
    source = Evidence(
        document_id="d", revision=1, start=0, end=len(knowledge), text=knowledge, title="", url=None, kind="article"
    )
    start, end = best_stretch(response, source)
    return knowledge[start:end]


def report(
    fit_on: str, held_out: str, seen: NDArray[np.float64], labels: NDArray[np.bool_], other: NDArray[np.float64], truth: NDArray[np.bool_]
) -> None:  # fmt: skip
    """One direction."""
    model = LogisticRegression(max_iter=1000).fit(seen, labels)
    score = model.predict_proba(other)[:, 1]
    print(f"{fit_on} ({len(labels)}) -> {held_out} ({len(truth)}): AUC {roc_auc_score(truth, score):.3f}")
    print(
        f"  weights {np.round(model.coef_[0], 3).tolist()}, bias {model.intercept_[0]:.3f}, new words capped at {MANY_NEW}"
    )
    print(f"  share of content words alone: AUC {roc_auc_score(truth, other[:, 0]):.3f}")
    for at in THRESHOLDS:
        print(
            f"  from {at}: precision {precision_score(truth, score >= at):.3f}, recall {recall_score(truth, score >= at):.3f}"
        )


if __name__ == "__main__":
    main()
