from __future__ import annotations

from math import log
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from copilot.errors import InputError
from eval.support import Judge, balanced_accuracy, contains, fit, fold, read_begin

CORPUS = ["open the folder", "compact the folder", "close the window"]


def test_a_claim_word_for_word_in_its_evidence_is_exact() -> None:
    judge = Judge.of(CORPUS)
    assert judge.supports("Compact  the\nfolder.", "First compact it? 2. Compact the folder. Done.", "exact")
    assert not judge.supports("Compact the folders.", "Compact the folder.", "exact")


def test_a_part_of_a_word_is_no_span() -> None:
    assert not contains("open", "Reopen it.")
    assert contains("open", "Now open it.")


def test_list_numbers_and_spelling_do_not_count() -> None:
    assert fold("1. Open\u00a0it.\n2) Cafe\u0301\n- done") == "Open it. Café done"
    assert contains("Open it. Close it.", "Steps:\n1. Open it.\n2. Close it.")


def test_a_claim_without_words_is_supported_by_nothing() -> None:
    judge = Judge.of(CORPUS)
    assert not judge.supports("  ", "anything", "exact")
    assert not judge.supports("…", "anything …", "lexical")


def test_rare_words_weigh_more_by_hand() -> None:
    judge = Judge.of(CORPUS)
    the, folder, compact = (log(4 / (1 + df)) + 1 for df in (3, 2, 1))
    assert judge.overlap("Compact the folder", "the folder") == pytest.approx((the + folder) / (the + folder + compact))
    assert judge.overlap("unseen the", "the") == pytest.approx(the / (the + log(4) + 1))


def test_rarity_is_scikit_learns_smooth_idf() -> None:
    other = TfidfVectorizer(smooth_idf=True).fit(CORPUS)
    expected = dict(zip(other.get_feature_names_out(), other.idf_, strict=True))
    assert Judge.of(CORPUS).rarity == pytest.approx(expected)


@pytest.mark.parametrize(
    ("claim", "evidence", "supported"),
    [
        ("It takes 3 minutes.", "It takes about 3 minutes.", True),
        ("It takes 3 minutes.", "It takes about 4 minutes.", False),
        ("It never deletes mail.", "It deletes mail.", False),
        ("It never deletes mail.", "It does not ever delete mail; it never deletes.", True),
        ("You can't undo it.", "You cannot undo it, you can only wait.", True),
    ],
)
def test_the_lexical_level_wants_all_numbers_and_negations(claim: str, evidence: str, supported: bool) -> None:
    assert Judge.of(CORPUS, tau=0.5).supports(claim, evidence, "lexical") is supported


def test_the_threshold_decides() -> None:
    strict, lax = Judge.of([], tau=0.9), Judge.of([], tau=0.5)
    assert lax.supports("red green blue", "red green", "lexical")
    assert not strict.supports("red green blue", "red green", "lexical")


def test_a_model_speaks_at_a_level_of_its_own() -> None:
    def model(*, evidence: str, claim: str) -> float:
        return 0.9 if claim in evidence else 0.5

    judge = Judge.of(CORPUS, nli=model)
    assert judge.levels == ("exact", "lexical", "nli")
    assert judge.supports("a", "a b", "nli")
    assert not judge.supports("c", "a b", "nli")
    assert Judge.of(CORPUS).levels == ("exact", "lexical")
    assert not Judge.of(CORPUS).supports("a", "a b", "nli")


@given(st.text(max_size=80), st.text(max_size=80))
def test_folding_twice_changes_nothing_and_the_overlap_is_a_share(claim: str, evidence: str) -> None:
    assert fold(claim) == " ".join(fold(claim).split())
    assert 0 <= Judge.of([evidence]).overlap(claim, evidence) <= 1 + 1e-9


BEGIN = """model_name\tdata_source\tknowledge\tmessage\tresponse\tbegin_label
t5\twow\tthe cat sat on the mat\thi\tthe cat sat on the mat\tFully attributable
t5\twow\tthe cat sat on the mat\thi\tdogs "bark loudly at night\tNot fully attributable
t5\twow\tthe cat sat on the mat\thi\tthe cat sat on a\tNot fully attributable
t5\twow\tthe cat sat on the mat\thi\toh nice\tGeneric
"""


@pytest.fixture
def begin(tmp_path: Path) -> Path:
    for name in ("wow", "cmu"):
        (tmp_path / f"begin_dev_{name}.tsv").write_text(BEGIN, encoding="utf-8")
    return tmp_path


def test_generic_replies_are_left_out(begin: Path) -> None:
    pairs = read_begin(begin / "begin_dev_wow.tsv")
    assert [pair.supported for pair in pairs] == [True, False, False]
    assert pairs[1].claim == 'dogs "bark loudly at night'


def test_balanced_accuracy_by_hand(begin: Path) -> None:
    pairs = read_begin(begin / "begin_dev_wow.tsv")
    assert balanced_accuracy(pairs, 0.3) == (1 + 0.5) / 2  # "the cat sat on a" is let through
    assert balanced_accuracy(pairs, 0.9) == 1.0


def test_the_fit_takes_the_lowest_threshold_among_the_best(begin: Path) -> None:
    found = fit(begin)
    assert found.fitted_accuracy == found.held_out_accuracy == found.held_out_auc == 1.0
    assert (found.fitted_on, found.held_out) == (3, 3)
    below = balanced_accuracy(read_begin(begin / "begin_dev_wow.tsv"), round(found.tau - 0.05, 2))
    assert below < 1.0


def test_a_folder_that_is_not_begin_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Give the folder"):
        fit(tmp_path)
