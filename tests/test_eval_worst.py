"""Which cases are worst, in which order, and in which words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from copilot.domain import Citation
from eval.record import CaseRecord
from eval.worst import Blame, find, unknown_intents, worst
from tests.eval_cases import case, cite, draft, hint, hit, suggestion, tag, triage
from tests.eval_runs import record, run

ADVICE = "Turn the hub off and on again."
TEXTS = {(name, 1): f"The words of {name}." for name in ("right", "other", "third")}


def cites(*names: str) -> tuple[Citation, ...]:
    return tuple(cite(name, 0, 5, TEXTS) for name in names)


def drafted(*names: str, asked: dict[str, Any] | None = None, found: tuple[str, ...] = (), **rows: Any) -> CaseRecord:
    said = suggestion(draft((ADVICE, cites(*names))), passages=[hit(name, "words") for name in found])
    return record(case(**(asked or {"gold_docs": ("right",)})), said, {"article": found}, **rows)


def silent(found: tuple[str, ...] = (), **asked: Any) -> CaseRecord:
    return record(case(**asked), suggestion(), {"article": found})


def only(made: CaseRecord) -> tuple[str, str, Blame]:
    (fault,) = find(made).faults
    return fault.kind, fault.why, fault.blame


def test_a_good_case_has_no_fault() -> None:
    made = drafted("right", found=("right", "other"))
    assert find(made).faults == ()
    assert worst(run(made)) == ()


def test_a_right_document_that_search_missed_is_blamed_on_retrieval() -> None:
    why = "None of the right documents (right) was among the 2 found; the draft rests on “other”."
    assert only(drafted("other", found=("other", "third"))) == ("right document not found", why, "retrieval")


def test_a_right_document_below_the_one_that_was_used_is_blamed_on_drafting_too() -> None:
    why = "The right document, “right” (place 2), was found but not used; the draft rests on “other”."
    assert only(drafted("other", found=("other", "right"))) == ("right document not cited", why, "drafting")


def test_a_right_document_above_the_one_that_was_used_is_blamed_on_drafting() -> None:
    assert only(drafted("other", found=("right", "other")))[2] == "drafting"


def test_a_right_document_far_below_is_blamed_on_retrieval() -> None:
    assert only(drafted("other", found=("other", "a", "b", "c", "d", "right")))[2] == "retrieval"


def test_a_reply_that_only_hands_over_is_never_grave() -> None:
    needless, rightly = {"answerable": False, "escalate": False}, {"answerable": False, "escalate": True}
    why = "It only says who takes over; “right” would have answered."
    assert only(drafted(found=("right",))) == ("handed over", why, "drafting")
    assert only(drafted(asked=needless))[1] == "It only says who takes over, where nobody needs to."
    assert not find(drafted(found=("right",))).grave
    assert [fault.kind for fault in find(drafted(asked=rightly)).faults] == ["escalation missed"]


def test_a_draft_that_leaves_out_a_part_says_which() -> None:
    made = drafted("right", asked={"gold_docs": ("right", "other")}, found=("right", "other"))
    assert only(made) == (
        "part of the answer missing",
        "It leaves out “other”, which the full answer needs.",
        "drafting",
    )


def test_a_ticket_that_nobody_labelled_is_not_called_wrong() -> None:
    quote = replace(cites("other")[0], kind="ticket")
    said = suggestion(draft((ADVICE, (quote,))))
    unlabelled = find(record(case(gold_docs=("right",)), said, {"article": ("right",)}))
    labelled = find(record(case(gold_docs=("right",), gold_tickets=("t-9",)), said, {"article": ("right",)}))
    assert unlabelled.right(quote) is None
    assert labelled.right(quote) is False
    assert unlabelled.badness < labelled.badness
    assert "“other”, a solved ticket; whether that answers is not labelled." in unlabelled.verdict


@pytest.mark.parametrize(
    ("made", "why", "blame"),
    [
        (silent(("other", "right"), gold_docs=("right",)), "It wrote nothing, although right (place 2) was found", "drafting"),
        (silent(("other",), gold_docs=("right",)), "It wrote nothing: none of the right documents (right) was among the 1", "retrieval"),
        (silent((), gold_docs=("right",)), "It wrote nothing: none of the right documents (right) was found; search", "retrieval"),
        (silent((), reference_reply="Restart it."), "It wrote nothing, although the case has an answer.", "drafting"),
    ],
)  # fmt: skip
def test_silence_is_a_fault_where_there_is_an_answer(made: CaseRecord, why: str, blame: Blame) -> None:
    kind, said, part = only(made)
    assert (kind, part) == ("silent though answerable", blame)
    assert said.startswith(why)


def test_silence_is_right_where_there_is_no_answer_or_nobody_knows() -> None:
    assert find(silent(answerable=False)).faults == ()
    assert find(silent(answerable=False, reference_reply="We cannot help.")).faults == ()
    assert find(silent()).faults == ()


def test_answering_the_unanswerable_names_what_it_was_taken_from() -> None:
    made = drafted("other", asked={"answerable": False}, found=("other",))
    assert only(made) == (
        "answered the unanswerable",
        "No document answers this, yet it wrote a reply from “other”.",
        "noise",
    )


def test_an_unsupported_share_is_said_in_percent() -> None:
    made = drafted("right", found=("right",), claims__faithfulness=0.75)
    assert only(made)[1] == "25 % of its statements are not borne out by the sources that it was given."


def test_a_reply_unlike_the_reference_is_a_fault_only_where_next_to_nothing_is_shared() -> None:
    assert only(drafted("right", found=("right",), drafts__token_f1=0.05))[0] == "unlike the reference"
    assert find(drafted("right", found=("right",), drafts__token_f1=0.15)).faults == ()


def test_wrong_labels_and_missed_escalations_are_blamed_on_triage() -> None:
    rows: dict[str, Any] = {"triage__intent__macro_f1": ("order_status", "refund"), "triage__intent__accuracy": 0.0}
    asked = case(escalate=True, escalate_reason="asks_for_person")
    faults = find(record(asked, **rows)).faults
    assert [(fault.why, fault.blame) for fault in faults] == [
        ("A person should have been called in (asks for person), and it did not say so.", "triage"),
        ("It took the intent for order status; it is refund.", "triage"),
    ]


def test_a_needless_call_for_a_person_says_what_it_was_for() -> None:
    made = record(case(escalate=False), suggestion(escalation=hint(True, 0.9, ["legal_threat"])))
    assert only(made)[1] == "It called for a person (legal threat) where none was needed."


def test_what_would_mislead_a_customer_stands_above_silence_and_silence_above_a_wrong_label() -> None:
    label: dict[str, Any] = {"triage__urgency__macro_f1": ("low", "high")}
    made = {
        "label": record(case("label"), **label),
        "silent and mislabelled": silent(("right",), id="silent and mislabelled", gold_docs=("right",), escalate=True),
        "uncited": drafted("other", asked={"id": "uncited", "gold_docs": ("right",)}, found=("right",)),
        "unfound": drafted("other", asked={"id": "unfound", "gold_docs": ("right",)}, found=("other",)),
        "unanswerable": drafted("other", asked={"id": "unanswerable", "answerable": False}),
        "broken": drafted(
            "right", asked={"id": "broken", "gold_docs": ("right",)}, found=("right",), citations__exactness=0.5
        ),
        "missed": record(case("missed", escalate=True)),
    }
    ordered = [one.record.id for one in worst(run(*made.values()))]
    assert ordered == ["broken", "unanswerable", "unfound", "uncited", "silent and mislabelled", "missed", "label"]


def test_equally_bad_cases_stand_in_the_order_of_their_ids() -> None:
    made = [silent(("right",), id=id, gold_docs=("right",)) for id in ("c", "a", "b")]
    assert [one.record.id for one in worst(run(*made))] == ["a", "b", "c"]


def test_an_intent_that_the_taxonomy_does_not_have_is_no_fault() -> None:
    rows: dict[str, Any] = {"triage__intent__macro_f1": ("billing", "junk_spam")}
    known: dict[str, Any] = {"triage__intent__macro_f1": ("refund", "billing")}
    made = run(
        record(case("unknown", intent="junk_spam"), **rows),
        record(case("known", intent="billing"), suggestion(triage_=triage(tag("refund", 0.9, billing=0.05))), **known),
    )
    assert [(one.record.id, one.faults[0].kind) for one in worst(made)] == [("known", "wrong intent")]
    assert unknown_intents(made) == {"junk_spam"}


def test_among_equal_faults_the_longer_draft_on_weaker_evidence_stands_first() -> None:
    def wrong(id: str, words: str, dense: float) -> CaseRecord:
        said = suggestion(draft((words, cites("other"))), passages=[hit("other", "words", dense)])
        return record(case(id, answerable=False), said)

    made = [wrong("a", ADVICE, 0.9), wrong("b", ADVICE, 0.2), wrong("c", f"{ADVICE} " * 9, 0.2)]
    assert [one.record.id for one in worst(run(*made))] == ["c", "b", "a"]


def test_silence_on_strong_evidence_stands_before_silence_on_weak() -> None:
    made = [
        record(case(id, gold_docs=("right",)), suggestion(nearest=[("right", score)]))
        for id, score in (("a", 0.1), ("b", 0.8))
    ]
    assert [one.record.id for one in worst(run(*made))] == ["b", "a"]


def test_another_customers_words_stand_above_wrong_sources_and_below_an_answer_where_there_is_none() -> None:
    quote = replace(cites("other")[0], kind="ticket")
    theirs = record(case("theirs"), suggestion(draft(("I fixed it by deleting my account again.", (quote,)))))
    unfound = drafted("other", asked={"id": "unfound", "gold_docs": ("right",)}, found=("other",))
    needless = drafted("other", asked={"id": "needless", "answerable": False})
    assert [one.record.id for one in worst(run(theirs, unfound, needless))] == ["needless", "theirs", "unfound"]


def test_only_faults_that_mislead_or_leave_without_an_answer_are_grave() -> None:
    assert find(silent(("right",), gold_docs=("right",))).grave
    assert not find(record(case(escalate=True))).grave
    assert not find(drafted("right", asked={"gold_docs": ("right", "other")}, found=("right", "other"))).grave


@pytest.mark.parametrize(
    ("known", "judged"),
    [({"gold_docs": ("a",)}, True), ({"reference_reply": "Hi"}, True), ({"answerable": False}, True), ({"answerable": True}, False), ({}, False)],
)  # fmt: skip
def test_a_draft_is_judged_only_against_something(known: dict[str, Any], judged: bool) -> None:
    assert find(record(case(**known))).judged is judged


def test_an_undefined_row_is_no_fault() -> None:
    assert find(drafted("right", found=("right",), claims__faithfulness=float("nan"))).faults == ()


def test_a_title_that_another_case_shows_names_the_document_everywhere() -> None:
    missed = silent(("other",), gold_docs=("right",))
    elsewhere = drafted("right", asked={"id": "c2", "gold_docs": ("right",)}, found=("right",))
    (finding,) = worst(run(missed, elsewhere))
    assert "none of the right documents (“right”)" in finding.verdict
