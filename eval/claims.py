"""Where a reply's claims come from and where they go wrong: RAGChecker's decomposition, with the sentence as claim and no model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from copilot.questions import claims_nothing
from copilot.text import normalise, own_words, sentences
from eval.citations import cited, claiming, words_cited
from eval.metrics import Metric, Outcome
from eval.rates import Kind, Rows, harmonic, rates, share
from eval.support import Judge

_LETTERS = re.compile(r"[^\W\d_]{2}")

KINDS = (
    Kind("precision", "Share of the draft's claims that the reference reply bears out; 1 is best."),
    Kind("recall", "Share of the reference reply's claims that the draft makes, 0 without a draft; 1 is best."),
    Kind("f1", "Precision and recall of claims in one number, 0 without a draft; 1 is best."),
    Kind("claim_recall", "Share of the reference reply's claims that what was found holds: what retrieval gives to work with; 1 is best."),
    Kind("context_precision", "Share of what was found that holds a claim of the reference reply; 1 is best."),
    Kind("context_utilization", "Share of the reference claims that were found which the draft makes; 1 is best."),
    Kind("faithfulness", "Share of the draft's claims that what was found bears out; 1 is best."),
    Kind("hallucination", "Share of the draft's claims that neither what was found nor the reference bears out; 0 is best.", better="lower"),
    Kind("self_knowledge", "Share of the draft's claims that the reference bears out and nothing that was found.", better="neither"),
    Kind("noise_sensitivity_relevant", "Share of the draft's claims that are wrong and come from a useful source; 0 is best.", better="lower"),
    Kind("noise_sensitivity_irrelevant", "Share of the draft's claims that are wrong and come from useless sources only; 0 is best.", better="lower"),
)  # fmt: skip


def claims(outcomes: Sequence[Outcome], judge: Judge) -> list[Metric]:
    """The draft's claims against the reference reply's and against what was found (RAGChecker: Ru et al. 2024, `computation.py`).

    Claims are sentences: of the draft's claiming statements (R), of `reference_reply` without greeting, closing and questions (A). D are
    the documents shown, each with its passages and cited stretches, and the similar tickets' resolutions. sup is the judge's last level,
    lexical where it has no model. With A2R = sup(reference, r), R2A = sup(draft, a), D2A = sup(d, a), D2R = sup(d, r):
    precision = mean A2R; recall = mean R2A; f1 = 2PR / (P + R); claim_recall = mean_a max_d D2A; context_precision = mean_d max_a D2A;
    context_utilization = |D2A and R2A| / |D2A| over a; faithfulness = mean_r max_d D2R; hallucination = mean_r (not D2R and not A2R);
    self_knowledge = mean_r (not D2R and A2R); noise_sensitivity = mean_r (not A2R and D2R by some relevant d | by irrelevant d only), where
    d is relevant if it holds any a.
    """
    return rates("claims", KINDS, outcomes, partial(_row, judge=judge))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """Who supports whom: rows are claims of the reference (a) or of the draft (r), columns are documents."""

    held: tuple[tuple[bool, ...], ...]
    """D2A: for each reference claim, which documents hold it."""
    made: tuple[bool, ...]
    """R2A: for each reference claim, whether the draft makes it."""
    borne: tuple[tuple[bool, ...], ...]
    """D2R: for each draft claim, which documents bear it out."""
    right: tuple[bool, ...]
    """A2R: for each draft claim, whether the reference bears it out."""

    @classmethod
    def of(cls, outcome: Outcome, judge: Judge) -> _Checked:
        """The four matrices of one answer, by the judge's last level."""
        supports = partial(judge.supports, level=judge.levels[-1])
        reference, said = _reference_claims(outcome.case.reference_reply or ""), _draft_claims(outcome)
        documents = _documents(outcome)
        return cls(
            held=tuple(tuple(supports(claim, one) for one in documents) for claim in reference),
            made=tuple(supports(claim, "\n".join(said)) for claim in reference),
            borne=tuple(tuple(supports(claim, one) for one in documents) for claim in said),
            right=tuple(supports(claim, "\n".join(reference)) for claim in said),
        )

    @property
    def found(self) -> tuple[bool, ...]:
        """For each reference claim, whether any document holds it."""
        return tuple(map(any, self.held))

    @property
    def relevant(self) -> tuple[bool, ...]:
        """For each document, whether it holds any reference claim."""
        return tuple(map(any, zip(*self.held, strict=True)))

    @property
    def used(self) -> float | None:
        """Share of the reference claims that were found which the draft makes; None where none was found."""
        return share([made for found, made in zip(self.found, self.made, strict=True) if found])

    @property
    def misread(self) -> float | None:
        """Share of the draft's claims that are wrong although a relevant document bears them out."""
        return share([wrong and self._useful(row) for wrong, row in self._wrong()])

    @property
    def misled(self) -> float | None:
        """Share of the draft's claims that are wrong and that irrelevant documents alone bear out."""
        return share([wrong and any(row) and not self._useful(row) for wrong, row in self._wrong()])

    def _wrong(self) -> list[tuple[bool, tuple[bool, ...]]]:
        return [(not right, row) for right, row in zip(self.right, self.borne, strict=True)]

    def _useful(self, row: tuple[bool, ...]) -> bool:
        """Whether a relevant document is among those that bear the claim out."""
        return any(bears and relevant for bears, relevant in zip(row, self.relevant, strict=True))


def _row(outcome: Outcome, judge: Judge) -> Rows:
    checked = _Checked.of(outcome, judge)
    given = tuple(map(any, checked.borne))
    rows: Rows = {"faithfulness": share(given)}
    if not checked.held:  # no reference, or one that claims nothing
        return rows
    return {**rows, **_found(checked), **_answer(checked), **(_sources(checked, given) if given else {})}


def _found(checked: _Checked) -> Rows:
    return {"claim_recall": share(checked.found), "context_precision": share(checked.relevant)}


def _answer(checked: _Checked) -> Rows:
    precision, recall = share(checked.right), share(checked.made) or 0.0
    return {"precision": precision, "recall": recall, "f1": harmonic(precision or 0.0, recall)}


def _sources(checked: _Checked, given: Sequence[bool]) -> Rows:
    pairs = list(zip(given, checked.right, strict=True))
    return {
        "context_utilization": checked.used,
        "hallucination": share([not one and not right for one, right in pairs]),
        "self_knowledge": share([not one and right for one, right in pairs]),
        "noise_sensitivity_relevant": checked.misread,
        "noise_sensitivity_irrelevant": checked.misled,
    }


# ---- claims and documents ----


def _draft_claims(outcome: Outcome) -> list[str]:
    return [claim for text, _ in claiming(outcome) for claim in _claims(text)]


def _reference_claims(reference: str) -> list[str]:
    return [claim for claim in _claims(own_words(normalise(reference))) if not claims_nothing(claim)]


def _claims(text: str) -> list[str]:
    found = (text[start:end] for start, end in sentences(text))
    return [one for one in found if _LETTERS.search(one)]


def _documents(outcome: Outcome) -> list[str]:
    """The words that the draft could rest on, a text for each document: passages shown, resolutions, and the stretches cited.

    The last since a drafter reads the whole section around a passage; that they are stored word for word is `citations.exactness`.
    """
    parts: dict[str, list[str]] = {}
    for hit in outcome.suggestion.passages:
        parts.setdefault(hit.document_id, []).extend(passage.text for passage in hit.passages)
    for ticket in outcome.suggestion.similar_tickets:
        parts.setdefault(ticket.document_id, []).append(ticket.resolution)
    for citation in cited(outcome):
        parts.setdefault(citation.document_id, []).append(words_cited(outcome, citation) or "")
    return ["\n".join(some) for some in parts.values()]
