"""How single things of a case are shown."""

from __future__ import annotations

import pytest

from eval.record import CaseRecord
from eval.report import render
from eval.shown import row_in_words, safe_url, shown
from eval.worst import find
from tests.eval_cases import case, cite, draft, suggestion
from tests.eval_runs import record, run


def quoting(statement: str, source: str) -> CaseRecord:
    quote = cite("other", 0, len(source), {("other", 1): source})
    return record(case(gold_docs=("right",)), suggestion(draft((statement, [quote]))))


@pytest.mark.parametrize(
    ("url", "safe"),
    [("https://help.example/a", True), ("http://help.example", True), ("javascript:alert(1)", False), ("JaVaScRiPt:alert(1)", False),
     ("data:text/html,x", False), ("//evil.example", False), ("https:", False), ("http://[", False), (" javascript:x", False), (None, False)],
)  # fmt: skip
def test_only_web_addresses_become_links(url: str | None, safe: bool) -> None:
    assert (safe_url(url) is not None) == safe


def test_rows_of_two_parts_are_put_in_words() -> None:
    assert row_in_words((0.654, 1.0), "auroc") == "score 0.654, truth 1"
    assert row_in_words(("order_status", "refund"), "macro_f1") == "said order status, truth refund"
    assert row_in_words((0.5, 0.0), "ece15") == "confidence 0.5, right 0"


def test_metrics_that_the_report_does_not_list_are_left_out() -> None:
    made = find(record(case(), abstention__listed=0.25, triage__unlisted=0.75))
    assert shown(1, made, (), {"abstention.listed": "mean"}).scores == {"abstention.listed": "0.25"}


def test_words_that_draft_and_source_share_stand_there_once() -> None:
    page = render(run(quoting("- Restart the hub twice, then wait.", "Restart the hub twice,\nthen wait.")))
    assert "<blockquote>Restart the hub" not in page
    assert "word for word from other" in page


def test_a_quote_that_says_more_than_the_draft_is_shown() -> None:
    page = render(run(quoting("Restart the hub twice.", "Restart the hub twice. Then call us.")))
    assert "<blockquote>Restart the hub twice. Then call us.</blockquote>" in page
    assert "word for word" not in page


def test_what_the_draft_told_is_not_said_twice_where_the_verdict_quotes_it() -> None:
    made = quoting("See below", "See below")
    assert shown(1, find(made), (), {}).told == "See below"
    only_words = record(case(), suggestion(draft(("See below", ()))))
    assert shown(1, find(only_words), (), {}).told == ""
