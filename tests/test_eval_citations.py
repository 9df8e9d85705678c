from __future__ import annotations

import random
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.domain import Citation
from eval.cases import Span
from eval.citations import citations, claiming, words_cited
from eval.metrics import Metric
from eval.support import Judge
from tests.eval_cases import Texts, by_name, case, cite, draft, outcome, rows, suggestion, whole

TEXTS: Texts = {
    ("a", 1): "Open the folder. Choose Compact.",
    ("b", 1): "Wait 3 minutes.",
    ("c", 1): "Nothing to see here.",
}
JUDGE = Judge.of(TEXTS.values(), tau=0.9)
A, B, C = (whole(id, TEXTS) for id in "abc")


def measured(*said: tuple[str, list[Citation]], generator: str = "model", opening: str = "") -> dict[str, float]:
    answer = suggestion(draft(*said, generator=generator, opening=opening))
    return rows(citations([outcome(said=answer, texts=TEXTS)], JUDGE))


def test_a_quote_shifted_by_one_character_is_not_exact() -> None:
    good, shifted = cite("a", 0, 16, TEXTS), cite("a", 1, 17, TEXTS, quote="Open the folder.")
    assert measured(("Open the folder.", [good]))["citations.exactness"] == 1
    assert measured(("Open the folder.", [good, shifted]))["citations.exactness"] == 0.5


def test_an_extractive_statement_must_stand_in_its_quotes() -> None:
    words = "Open  the folder."
    assert measured((words, [A]), generator="extractive")["citations.exactness"] == 1
    assert measured((f"1. {words}", [A]), generator="extractive")["citations.exactness"] == 1
    assert measured(("Open a folder.", [A]), generator="extractive")["citations.exactness"] == 0.5
    assert measured(("Open a folder.", [A]), generator="some-model")["citations.exactness"] == 1


def test_a_statement_put_together_of_quotes_says_what_they_say_in_their_order() -> None:
    texts = {("a", 1): "Click [win: Tools] [mac: Edit] and do not delete the file."}
    click, tools, edit, rest = (cite("a", *span, texts) for span in ((0, 5), (12, 17), (25, 29), (31, 58)))
    assert (click.quote, tools.quote) == ("Click", "Tools")

    def exact(words: str, *quotes: Citation) -> Any:
        answer = suggestion(draft((words, list(quotes)), generator="extractive"))
        return rows(citations([outcome(said=answer, texts=texts)], JUDGE))["citations.exactness"]

    assert exact("Click Tools and do not delete the file.", click, tools, rest) == 1
    assert exact("Click Tools (Windows) Edit (Mac) and do not delete the file.", click, tools, edit, rest) == 1
    assert exact("Click Tools and do delete the file.", click, tools, rest) < 1
    texts["a", 1] = "It is formatted as NTFS (Windows) or ext4 (Linux). Others fail. It is always connected."
    formatted, connected = cite("a", 0, 49, texts), cite("a", 64, 86, texts)
    assert exact("It is formatted as NTFS (Windows) or ext4 (Linux); It is always connected", formatted, connected) == 1
    assert exact("It is formatted as NTFS (Windows) or ext3 (Linux); It is always connected", formatted, connected) < 1
    assert exact("It is formatted as NTFS (Linux) or ext4 (Windows); It is always connected", formatted, connected) < 1
    assert exact("Click Edit and do not delete the file.", click, tools, rest) < 1


@pytest.mark.parametrize(
    "broken",
    [cite("gone", 0, 4, TEXTS), cite("a", 0, 999, TEXTS), cite("a", -1, 4, TEXTS), cite("a", 5, 5, TEXTS), replace(A, revision=2)],
)  # fmt: skip
def test_a_citation_that_leads_nowhere_is_not_valid(broken: Citation) -> None:
    found = measured(("Open the folder.", [A, broken]))
    assert found["citations.validity"] == 0.5
    assert found["citations.recall.exact"] == 0, "ALCE: a citation out of range leaves its sentence unsupported"
    assert words_cited(outcome(texts=TEXTS), broken) is None


def test_the_promises_are_invariants_and_the_rest_are_scores() -> None:
    metrics = by_name(citations([outcome(said=suggestion(draft(("Open the folder.", [A]))), texts=TEXTS)], JUDGE))
    assert {name for name, one in metrics.items() if one.invariant} == {"citations.exactness", "citations.validity"}


def test_coverage_leaves_the_greeting_out() -> None:
    found = measured(("Open the folder.", [A]), ("Trust me.", []), opening="Hello,")
    assert found["citations.coverage"] == 0.5


def test_a_case_without_a_draft_has_no_citations_to_judge() -> None:
    assert citations([outcome()], JUDGE) == []
    assert claiming(outcome()) == []


def test_alce_by_hand_with_several_citations() -> None:
    """Two needed together, one that adds nothing; one statement wrong, one without a citation."""
    found = measured(
        ("Choose Compact.\nWait 3 minutes.", [A, B]),  # neither alone, both together: both precise
        ("Open the folder.", [A, C]),  # C supports nothing and is not needed: one of two precise
        ("Wait 3 minutes.", [B]),  # one citation: precise
        ("Restart the computer.", [C]),  # not supported: none precise
        ("Trust me.", []),
    )
    # word for word, the title of the second passage stands between the two sentences
    assert found["citations.recall.lexical"] == pytest.approx(3 / 5)
    assert found["citations.precision.lexical"] == pytest.approx((2 + 1 + 1) / 6)
    assert found["citations.f1.lexical"] == pytest.approx(2 * (3 / 5) * (4 / 6) / (3 / 5 + 4 / 6))
    assert found["citations.recall.exact"] == pytest.approx(2 / 5)
    assert found["citations.precision.exact"] == pytest.approx((1 + 1) / 6)


def test_citations_that_each_support_alone_are_all_precise() -> None:
    assert measured(("Wait 3 minutes.", [B, B]))["citations.precision.exact"] == 1


def test_a_draft_without_citations_scores_nothing() -> None:
    found = measured(("Trust me.", []))
    assert [found[f"citations.{name}.exact"] for name in ("recall", "precision", "f1")] == [0, 0, 0]


def test_each_level_of_the_judge_is_reported_apart() -> None:
    judge = Judge.of(TEXTS.values(), nli=lambda *, evidence, claim: 0.9)
    metrics = by_name(citations([outcome(said=suggestion(draft(("Trust me.", [C]))), texts=TEXTS)], judge))
    assert metrics["citations.recall.nli"].rows == {"c1": 1}
    assert metrics["citations.recall.lexical"].rows == {"c1": 0}


def test_alce_agrees_with_its_authors_loop_on_random_answers() -> None:
    """Facts are letters; a passage supports a statement that names only letters of the passage."""
    rng = random.Random(3)
    texts: Texts = {(name, 1): " ".join(rng.sample("uvwxyz", 3)) for name in "abcd"}
    for _ in range(200):
        said = [
            (" ".join(rng.sample("uvwxyz", rng.randint(1, 3))), [whole(id, texts) for id in rng.sample("abcd", rng.randint(0, 4))])
            for _ in range(rng.randint(1, 4))
        ]  # fmt: skip
        judge = Judge.of([], tau=1.0, nli=lambda *, evidence, claim: float(set(claim.split()) <= set(evidence.split())))
        found = rows(citations([outcome(said=suggestion(draft(*said)), texts=texts)], judge))
        recall, precision = _authors(said)
        assert found["citations.recall.nli"] == pytest.approx(recall)
        assert found["citations.precision.nli"] == pytest.approx(precision)


def _authors(said: list[tuple[str, list[Citation]]]) -> tuple[float, float]:
    """compute_autoais, as its code goes: count what is not needed, take it off."""
    entailed = precise = total = 0
    for sentence, refs in said:
        words = set(sentence.split())
        total += len(refs)
        joint = bool(refs) and words <= {word for ref in refs for word in ref.quote.split()}
        entailed += joint
        if joint and len(refs) > 1:
            for ref in refs:
                if words <= set(ref.quote.split()):
                    precise += 1
                    continue
                rest = {word for other in refs if other is not ref for word in other.quote.split()}
                precise += not words <= rest
        else:
            precise += joint
    return entailed / len(said), precise / total if total else 0.0


# ---- gold ----


def test_gold_documents_against_cited_ones() -> None:
    known = case(gold_docs=("a", "x"), gold_tickets=("t",))
    answer = suggestion(draft(("Open the folder.", [A, B]), ("Wait.", [B])))
    found = rows(citations([outcome(known, answer, texts=TEXTS)], JUDGE))
    assert found["citations.gold_precision"] == 1 / 2
    assert found["citations.gold_recall"] == 1 / 3


def test_gold_is_asked_only_of_drafts_with_gold() -> None:
    silent = outcome(case(gold_docs=("a",)))
    unknown = outcome(case("c2"), suggestion(draft(("Wait.", [B]))), texts=TEXTS)
    assert not any(metric.name.startswith("citations.gold_") for metric in citations([silent, unknown], JUDGE))


def spans(gold: tuple[Span, ...], *cited: Citation) -> list[Metric]:
    answer = suggestion(draft(("Said.", cited)) if cited else None)
    return citations([outcome(case(gold_spans=gold), answer, texts=TEXTS)], JUDGE)


def test_gold_spans_overlap_by_characters() -> None:
    gold = Span(document_id="a", start=10, end=20)
    assert rows(spans((gold,), cite("a", 0, 15, TEXTS)))["citations.gold_spans"] == pytest.approx(2 * 5 / (10 + 15))


def test_a_gold_span_may_be_given_by_its_words() -> None:
    gold = Span(document_id="a", quote="Choose Compact.")
    assert rows(spans((gold,), cite("a", 17, 32, TEXTS)))["citations.gold_spans"] == 1
    assert rows(spans((gold,), B))["citations.gold_spans"] == 0


def test_silence_is_right_where_no_span_is_gold_and_wrong_where_one_is() -> None:
    assert rows(spans(()))["citations.gold_spans"] == 1
    assert rows(spans((), A))["citations.gold_spans"] == 0
    assert rows(spans((Span(document_id="a", start=0, end=4),)))["citations.gold_spans"] == 0


def test_a_span_that_names_a_document_only_says_nothing_of_characters() -> None:
    assert "citations.gold_spans" not in rows(spans((Span(document_id="a"),), A))


@given(*[st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10)), min_size=1, max_size=5)] * 2)
def test_span_overlap_agrees_with_sets_of_characters(gold: list[tuple[int, int]], said: list[tuple[int, int]]) -> None:
    right, wrong = ({(start + i) for start, size in some for i in range(size)} for some in (gold, said))
    wanted = tuple(Span(document_id="a", start=start, end=start + size) for start, size in gold)
    found = rows(spans(wanted, *(cite("a", start, start + size, TEXTS) for start, size in said)))
    assert found["citations.gold_spans"] == pytest.approx(2 * len(right & wrong) / (len(right) + len(wrong)))


def test_no_metric_leaves_its_range() -> None:
    for first, second in product([[], [A], [A, B], [A, B, C]], repeat=2):
        found = measured(("Open the folder.", first), ("Wait 3 minutes.", second))
        assert all(0 <= value <= 1 for value in found.values())
