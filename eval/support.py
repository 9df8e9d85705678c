"""Whether a text says what a claim says: the judge behind every metric of citations and claims, in named levels.

`exact`: the claim stands in the evidence word for word. `lexical`: enough of its words stand there, rare ones counting more, and all of its
numbers and negations. `nli`: a model says so, where one is given. Run `python -m eval.support PATH` to fit the threshold on BEGIN's folder.
"""

from __future__ import annotations

import csv
import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Literal, Protocol

from copilot.clauses import WORD
from copilot.errors import InputError
from copilot.facts import NEGATION
from copilot.text import normalise
from eval.rates import share

Level = Literal["exact", "lexical", "nli"]
TAU = 0.6
"""The share of a claim's words, weighted by rarity, that its evidence must hold: what `fit` gives on BEGIN."""
CACHED = 8192
ENTAILED = 0.5
"""The probability above which an NLI model's yes counts (AutoAIS: Bohnet et al. 2022)."""
_ITEM = re.compile(r"^[ \t]{0,40}(?:[-*+•–]|\d{1,3}[.)])[ \t]{1,40}", re.M)
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")


class Entails(Protocol):
    """An NLI model."""

    def __call__(self, *, evidence: str, claim: str) -> float:
        """The probability that the evidence entails the claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Says whether evidence supports a claim; rare words are those of few texts of the run."""

    ABOUT: ClassVar[str] = (
        "Support is judged without a model: `exact` is word for word, `lexical` asks for 60 % of a claim's words weighted by rarity and all "
        "of its numbers and negations. On claims labelled by people (BEGIN, held-out part), `lexical` has a balanced accuracy of 0.918."
    )
    """A sentence on how far the judge can be trusted, for a run's notes."""

    rarity: Mapping[str, float]
    unseen: float
    tau: float = TAU
    nli: Entails | None = None

    @classmethod
    def of(cls, texts: Iterable[str], *, tau: float = TAU, nli: Entails | None = None) -> Judge:
        """The judge whose idf(w) = ln((1 + N) / (1 + df(w))) + 1 is counted over these N texts (scikit-learn's smooth idf)."""
        bags = [_words(text) for text in texts]
        found = Counter(word for bag in bags for word in bag)
        rarity = {word: math.log((1 + len(bags)) / (1 + df)) + 1 for word, df in found.items()}
        return cls(rarity=rarity, unseen=math.log(1 + len(bags)) + 1, tau=tau, nli=nli)

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that this judge can speak at, from the strictest."""
        return ("exact", "lexical", "nli") if self.nli else ("exact", "lexical")

    def supports(self, claim: str, evidence: str, level: Level) -> bool:
        """Whether the evidence supports the claim at this level; a claim without words is supported by nothing."""
        if level == "exact":
            return contains(claim, evidence)
        if level == "lexical":
            return self.overlap(claim, evidence) >= self.tau and facts(claim) <= facts(evidence)
        return self.nli is not None and self.nli(evidence=evidence, claim=claim) > ENTAILED

    def overlap(self, claim: str, evidence: str) -> float:
        """Σ idf of the claim's words that the evidence holds / Σ idf of the claim's words: unigram recall, each word once."""
        words, held = sorted(_words(claim)), _words(evidence)
        whole = sum(self._weight(word) for word in words)
        return sum(self._weight(word) for word in words if word in held) / whole if whole else 0.0

    def _weight(self, word: str) -> float:
        return self.rarity.get(word, self.unseen)


@lru_cache(maxsize=CACHED)
def fold(text: str) -> str:
    """The text in one spelling, on one line, without the numbers and bullets of list items."""
    return " ".join(_ITEM.sub("", normalise(text)).split())


def contains(claim: str, evidence: str) -> bool:
    """Whether the claim's words stand in the evidence in one piece, from word to word."""
    words = fold(claim)
    return bool(words) and re.search(rf"(?<!\w){re.escape(words)}(?!\w)", fold(evidence)) is not None


@lru_cache(maxsize=CACHED)
def facts(text: str) -> frozenset[str]:
    """The numbers in a text, and `not` where anything in it is negated."""
    folded = fold(text)
    return frozenset(_NUMBER.findall(folded)) | ({"not"} if NEGATION.search(folded) else set())


@lru_cache(maxsize=CACHED)
def _words(text: str) -> frozenset[str]:
    return frozenset(WORD.findall(fold(text).replace("’", "'").lower()))


# ---- the threshold ----

GRID = tuple(step / 20 for step in range(6, 20))
ATTRIBUTABLE, GENERIC = "Fully attributable", "Generic"


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim and its evidence, with what people said of it."""

    claim: str
    evidence: str
    supported: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A threshold, and how the lexical level with it agrees with people: on the set that it was fitted on, and on the other."""

    tau: float
    fitted_on: int
    fitted_accuracy: float
    held_out: int
    held_out_accuracy: float
    held_out_auc: float


def fit(path: Path) -> Fit:
    """The threshold with the best balanced accuracy ½ (TP/P + TN/N) on BEGIN's Wizard of Wikipedia replies, tried on its CMU DoG ones.

    `path` holds begin_dev_wow.tsv and begin_dev_cmu.tsv (Dziri et al. 2022, https://github.com/google/BEGIN-dataset); replies labelled
    generic claim nothing and are left out, as `no_claim` statements are. Measured: tau 0.6; balanced accuracy 0.884 on the 430 it was fitted
    on, 0.918 on the other 337, AUC 0.961 there.
    """
    wow, cmu = (read_begin(path / f"begin_dev_{name}.tsv") for name in ("wow", "cmu"))
    tau = max(GRID, key=lambda tau: (balanced_accuracy(wow, tau), -tau))
    return Fit(
        tau=tau, fitted_on=len(wow), fitted_accuracy=balanced_accuracy(wow, tau), held_out=len(cmu),
        held_out_accuracy=balanced_accuracy(cmu, tau), held_out_auc=_auc(cmu),
    )  # fmt: skip


def read_begin(file: Path) -> list[Pair]:
    """The replies of a BEGIN file that claim anything, each with the knowledge that it should rest on. Raises InputError."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
        return [
            Pair(row["response"], row["knowledge"], row["begin_label"] == ATTRIBUTABLE)
            for row in rows
            if row["begin_label"] != GENERIC
        ]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{file} is no file of BEGIN: {error!r}. Give the folder that holds begin_dev_wow.tsv."
        ) from error


def balanced_accuracy(pairs: Sequence[Pair], tau: float) -> float:
    """½ (share of supported claims that the lexical level accepts + share of the others that it refuses)."""
    judge = Judge.of([pair.evidence for pair in pairs], tau=tau)
    said = [(judge.supports(pair.claim, pair.evidence, "lexical"), pair.supported) for pair in pairs]
    accepted = share([yes for yes, supported in said if supported])
    refused = share([not yes for yes, supported in said if not supported])
    return round(((accepted or 0.0) + (refused or 0.0)) / 2, 4)


def _auc(pairs: Sequence[Pair]) -> float:
    """AUC of the overlap, 0 where a number or a negation is missing."""
    from sklearn.metrics import roc_auc_score

    judge = Judge.of([pair.evidence for pair in pairs])
    scores = [judge.overlap(p.claim, p.evidence) * (facts(p.claim) <= facts(p.evidence)) for p in pairs]
    return round(float(roc_auc_score([pair.supported for pair in pairs], scores)), 4)


def _main(folder: str) -> None:
    from rich.console import Console

    try:
        Console().print(fit(Path(folder)))
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    _main(sys.argv[1] if len(sys.argv) > 1 else "")
