from __future__ import annotations

import random
import string
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sacrebleu import sentence_bleu, sentence_chrf

from copilot.ports import Vectors
from eval.drafts import _scorers, drafts, reading_ease, signatures, squad_tokens, token_f1
from eval.metrics import Outcome
from tests.eval_cases import Texts, by_name, case, draft, outcome, rows, suggestion, whole

REFERENCE = "Open the folder, then choose Compact."
TEXTS: Texts = {("a", 1): "Open the folder.", ("b", 1): "Wait."}
A = whole("a", TEXTS)


def answered(text: str, **known: Any) -> Outcome:
    return outcome(case(**{"reference_reply": REFERENCE, **known}), suggestion(draft((text, [A]))), texts=TEXTS)


def test_token_f1_by_hand() -> None:
    assert squad_tokens("The cat's  mat, an A-team!") == ["cats", "mat", "ateam"]
    # shared: open folder; 3 of ours, 5 of theirs
    assert token_f1("Open a folder now", REFERENCE) == pytest.approx(2 * (2 / 3) * (2 / 5) / (2 / 3 + 2 / 5))
    assert token_f1("the", "a") == 1
    assert token_f1("the", "word") == 0


def test_token_f1_agrees_with_a_second_count_on_random_words() -> None:
    rng = random.Random(5)
    vocabulary = ["the", "a", "folder", "Folder,", "open", "it's", "--", "compact", "now."]
    for _ in range(300):
        left, right = (" ".join(rng.choices(vocabulary, k=rng.randint(0, 8))) for _ in range(2))
        assert token_f1(left, right) == pytest.approx(_counted(left, right)), (left, right)


def _counted(left: str, right: str) -> float:
    """Token by token, crossing off what is matched; F1 = 2 × shared / all tokens."""
    said, wanted = (
        [word for word in ("".join(c for c in one.lower() if c not in string.punctuation) for one in text.split())
         if word and word not in ("a", "an", "the")]
        for text in (left, right)
    )  # fmt: skip
    if not said or not wanted:
        return 1.0 if not said and not wanted else 0.0
    remaining, shared = list(wanted), 0
    for word in said:
        if word in remaining:
            remaining.remove(word)
            shared += 1
    return 2 * shared / (len(said) + len(wanted))


def test_rouge_l_by_hand_with_stems() -> None:
    # stems open folder choos compact, in order: 4 of 4 of ours, 4 of 6 of theirs
    found = rows(drafts([answered("Opens folders, choosing compact")]))
    assert found["drafts.rouge_l"] == pytest.approx(2 * 1 * (4 / 6) / (1 + 4 / 6))


def test_chrf_and_bleu_are_sacrebleus() -> None:
    found = rows(drafts([answered("Open the folder now.")]))
    assert found["drafts.chrf"] == sentence_chrf("Open the folder now.", [REFERENCE]).score
    assert found["drafts.bleu"] == sentence_bleu("Open the folder now.", [REFERENCE], use_effective_order=True).score
    assert 0 < found["drafts.bleu"] < found["drafts.chrf"] < 100


def test_the_reference_itself_scores_full_marks() -> None:
    found = rows(drafts([answered(REFERENCE)]))
    assert found["drafts.token_f1"] == found["drafts.rouge_l"] == 1
    assert [found["drafts.chrf"], found["drafts.bleu"]] == pytest.approx([100, 100])


def test_the_signatures_name_versions_and_settings() -> None:
    _scorers.cache_clear()  # as in a run without any draft
    assert "version:" in signatures()
    assert "eff:yes" in signatures()


def test_silence_overlaps_with_nothing() -> None:
    found = rows(
        drafts(
            [outcome(case(reference_reply=REFERENCE, gold_docs=("a",)))],
            lambda texts: np.ones((len(texts), 2), np.float32),
        )
    )
    names = ("token_f1", "rouge_l", "chrf", "bleu", "kilt_f1", "answered")
    assert found == {f"drafts.{name}": 0 for name in names}


def test_overlap_counts_for_kilt_only_with_all_gold_documents_cited() -> None:
    assert rows(drafts([answered(REFERENCE, gold_docs=("a",))]))["drafts.kilt_f1"] == 1
    assert rows(drafts([answered(REFERENCE, gold_docs=("a", "b"))]))["drafts.kilt_f1"] == 0
    assert "drafts.kilt_f1" not in rows(drafts([answered(REFERENCE)]))


def test_cosine_by_hand() -> None:
    def embed(texts: list[str]) -> Vectors:
        return np.array([[3.0, 4.0] if text == REFERENCE else [2.0, 0.0] for text in texts], dtype=np.float32)

    metric = by_name(drafts([answered("Wait."), outcome(case("c2"))], embed))["drafts.cosine"]
    assert metric.rows == {"c1": pytest.approx(0.6)}
    assert metric.better == "neither"
    assert "drafts.cosine" not in rows(drafts([answered("Wait.")]))


def test_reading_ease_by_hand() -> None:
    # 6 words, 2 sentences; fold·er and min·utes have two syllables: 8 in all
    assert reading_ease("Open folder now. Wait three minutes.") == pytest.approx(206.835 - 1.015 * 6 / 2 - 84.6 * 8 / 6)
    assert reading_ease("… !") is None


def test_only_english_is_read_for_ease() -> None:
    english = answered("Wait.")
    body = english.suggestion.draft
    assert body is not None
    german = replace(english, suggestion=replace(english.suggestion, draft=replace(body, language="de")))
    assert "drafts.readability" in rows(drafts([english]))
    assert "drafts.readability" not in rows(drafts([german]))


def test_length_is_counted_in_words() -> None:
    assert rows(drafts([answered("Don't wait for 3 minutes.")]))["drafts.words"] == 5


def test_answered_looks_at_answerable_cases_only() -> None:
    outcomes = [
        answered("Wait.", id="yes", gold_docs=("a",)),
        outcome(case("silent", answerable=True)),
        answered("Wait.", id="foreign", answerable=False),
        answered("Wait.", id="unknown"),
    ]
    assert by_name(drafts(outcomes))["drafts.answered"].rows == {"yes": 1, "silent": 0}
