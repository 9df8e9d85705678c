"""How near a draft comes to what a person wrote: overlap with the reference reply by the usual scores, length and readability."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from copilot.clauses import WORD
from copilot.ports import Vectors
from copilot.text import sentences
from eval.citations import cited
from eval.metrics import Metric, Outcome
from eval.rates import Kind, Rows, harmonic, rates

Embed = Callable[[list[str]], Vectors]
"""Texts -> one vector each."""

KINDS = (
    Kind("token_f1", "Words shared with the reference reply (SQuAD's F1), 0 without a draft; 1 is the same words."),
    Kind("rouge_l", "Longest common sequence of word stems with the reference reply (ROUGE-L F), 0 without a draft; 1 is the same."),
    Kind("chrf", "Character n-grams shared with the reference reply (chrF), 0 without a draft; 100 is the same."),
    Kind("bleu", "Word n-grams shared with the reference reply (sentence BLEU), 0 without a draft; 100 is the same."),
    Kind("cosine", "Nearness of the draft to the reference reply by the embedder; it tells the topic, not the truth.", better="neither"),
    Kind("kilt_f1", "Words shared with the reference reply, counted only where all right documents are cited; 1 is best."),
    Kind("words", "Words in a draft; neither more nor less is better by itself.", better="neither"),
    Kind("readability", "Flesch reading ease of English drafts: 60 to 70 is plain English, lower is harder.", better="neither"),
    Kind("answered", "Share of the cases that have an answer for which a draft was written; 1 is best."),
)  # fmt: skip


def drafts(outcomes: Sequence[Outcome], embed: Embed | None = None) -> list[Metric]:
    """The drafts against `reference_reply`; where there is a reference and no draft, the overlap is 0.

    token_f1: F1 over the bags of tokens, normalised as SQuAD does (Rajpurkar et al. 2016). rouge_l: LCS F-measure with Porter stems (Lin
    2004, rouge-score). chrf: Popović 2015, bleu: Papineni et al. 2002 with effective order (both sacrebleu, see `signatures`). cosine:
    u·v / (|u| |v|), left out without `embed`. kilt_f1 = token_f1 if all gold documents are cited, else 0 (Petroni et al. 2021). readability:
    see `reading_ease`. answered: answerable cases with a draft / answerable cases.
    """
    near = _cosines(outcomes, embed) if embed else {}
    return rates("drafts", KINDS, outcomes, partial(_row, near=near))


def signatures() -> str:
    """How sacrebleu and rouge-score were set, so that the numbers compare with others'."""
    chrf, bleu = _scorers()
    return f"chrF {chrf.get_signature()}; BLEU {bleu.get_signature()}; ROUGE-L rouge-score, Porter stems, F-measure"


def squad_tokens(text: str) -> list[str]:
    """Lower case, without punctuation and the articles a, an, the, cut at white space (SQuAD's `normalize_answer`)."""
    plain = text.lower().translate(_NO_PUNCTUATION)
    return re.sub(r"\b(?:a|an|the)\b", " ", plain).split()


def token_f1(text: str, reference: str) -> float:
    """2PR / (P + R) with P and R the shared tokens, each as often as both have it, over the tokens of each side (SQuAD's `f1_score`)."""
    said, right = squad_tokens(text), squad_tokens(reference)
    if not said or not right:
        return float(said == right)
    shared = sum((Counter(said) & Counter(right)).values())
    return harmonic(shared / len(said), shared / len(right))


def reading_ease(text: str) -> float | None:
    """206.835 - 1.015 words/sentences - 84.6 syllables/words (Flesch 1948), None without words.

    Syllables are counted by pyphen's hyphenation points: textstat, the usual library, fetches a dictionary at its first English text.
    """
    words = WORD.findall(text)
    if not words:
        return None
    said = sum(1 for start, end in sentences(text) if WORD.search(text, start, end))
    syllables = sum(len(_hyphens().positions(word.lower())) + 1 for word in words)
    return round(206.835 - 1.015 * len(words) / said - 84.6 * syllables / len(words), 6)


_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def _row(outcome: Outcome, near: Mapping[str, float]) -> Rows:
    draft = outcome.suggestion.draft
    answered = float(draft is not None) if outcome.case.expects_answer else None
    style: Rows = {}
    if draft:
        ease = reading_ease(draft.text) if draft.language == "en" else None
        style = {"words": float(len(WORD.findall(draft.text))), "readability": ease}
    return {"answered": answered, "cosine": near.get(outcome.case.id), **style, **_overlap(outcome)}


def _overlap(outcome: Outcome) -> Rows:
    reference, draft = outcome.case.reference_reply, outcome.suggestion.draft
    if not reference:
        return {}
    found = _scores(draft.text, reference) if draft else dict.fromkeys(("token_f1", "rouge_l", "chrf", "bleu"), 0.0)
    gold = outcome.case.answers
    complete = gold <= {citation.document_id for citation in cited(outcome)}
    return {**found, "kilt_f1": found["token_f1"] * complete if gold else None}


def _scores(text: str, reference: str) -> dict[str, float]:
    chrf, bleu = _scorers()
    return {
        "token_f1": token_f1(text, reference),
        "rouge_l": float(_rouge().score(reference, text)["rougeL"].fmeasure),
        "chrf": float(chrf.sentence_score(text, [reference]).score),
        "bleu": float(bleu.sentence_score(text, [reference]).score),
    }


def _cosines(outcomes: Sequence[Outcome], embed: Embed) -> dict[str, float]:
    """Case id -> cosine of draft and reference, where there are both."""
    import numpy as np

    pairs = {
        outcome.case.id: (outcome.suggestion.draft.text, outcome.case.reference_reply)
        for outcome in outcomes
        if outcome.suggestion.draft and outcome.case.reference_reply
    }
    if not pairs:
        return {}
    sides = [np.asarray(embed([pair[side] for pair in pairs.values()]), dtype=np.float64) for side in (0, 1)]
    left, right = (side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-12) for side in sides)
    return {id: round(float(x @ y), 6) for id, x, y in zip(pairs, left, right, strict=True)}


@cache
def _scorers() -> tuple[Any, Any]:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    scorers = CHRF(), BLEU(effective_order=True)
    for one in scorers:  # before it has scored anything it cannot tell its signature, and a run may be without a draft
        one.sentence_score("", [""])
    return scorers


@cache
def _rouge() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], use_stemmer=True)


@cache
def _hyphens() -> Any:
    from pyphen import Pyphen

    return Pyphen(lang="en_US")
