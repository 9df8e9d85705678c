"""An edited reply is held against the words that it rests on."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copilot.check import Conflict, Stretch, check
from copilot.domain import Citation, Draft, Evidence, Statement

OPEN = "Open the sign-in page and choose Forgot password."
LINK = "The link in the e-mail is valid for 30 minutes and works once."
STARTS = "The offer of Tarnbrook Care starts on 3 March and costs €4.90."
ARTICLE = "Then ask for a new link after 10 minutes. Refunds arrive within 5 working days."


def draft(*sentences: str) -> Draft:
    """A greeting, these statements, each citing itself, and a closing."""
    text, statements = "", list[Statement]()
    for words in ("Hi Ana,", *sentences, "Kind regards"):
        start = len(text) + 2 * bool(text)
        text = f"{text}\n\n{words}" if text else words
        quoted = Citation(
            document_id="doc", revision=1, start=0, end=len(words), quote=words, title="Reset your password", url=None, kind="article"
        )  # fmt: skip
        cited = words in sentences
        statements.append(
            Statement(
                start=start, end=len(text), support="supported" if cited else "no_claim", citations=(quoted,) * cited
            )
        )
    return Draft(text=text, generator="extractive", language="en", statements=tuple(statements))


MADE = draft(OPEN, LINK, STARTS)
SOURCES = [
    Evidence(document_id="more", revision=2, start=0, end=len(ARTICLE), text=ARTICLE, title="Refunds", url=None, kind="article")
]  # fmt: skip


def stretches(text: str, said: str = "") -> list[Stretch]:
    return list(check(text, MADE, SOURCES, said).stretches)


def conflicts(text: str, said: str = "") -> list[Conflict]:
    return [one for stretch in stretches(text, said) for one in stretch.conflicts]


def test_an_untouched_draft_keeps_every_statement_with_its_citations() -> None:
    found = stretches(MADE.text)
    assert [one.statement for one in found] == [0, 1, 2, 3, 4]
    assert [one.citations for one in found] == [one.citations for one in MADE.statements]
    assert {one.standing for one in found} == {"kept", "no_claim"}


def test_a_statement_that_was_moved_is_still_the_drafts() -> None:
    found = stretches(f"{LINK}\n{OPEN}")
    assert [(one.statement, one.standing) for one in found] == [(2, "kept"), (1, "kept")]


@pytest.mark.parametrize(
    ("old", "new", "kind", "instead"),
    [
        ("30 minutes", "40 minutes", "number", "30 minutes"),
        ("30 minutes", "two hours", "number", "30 minutes"),
        ("30 minutes", "30 days", "number", "30 minutes"),
        ("3 March", "3 April", "date", "3 March"),
        ("3 March", "4 March", "date", "3 March"),
        ("3 March", "3 May", "date", "3 March"),
        ("€4.90", "€9.90", "number", "€4.90"),
        ("Tarnbrook Care", "Tarnbrook Pro", "name", "Tarnbrook Care"),
    ],
)
def test_a_changed_fact_is_named_with_what_the_source_says(old: str, new: str, kind: str, instead: str) -> None:
    text = MADE.text.replace(old, new)
    [found] = conflicts(text)
    assert text[found.start : found.end] == found.text
    assert found.text in new
    assert (found.kind, found.instead) == (kind, (instead,))
    assert found.citation.document_id == "doc"


def test_a_not_that_the_source_lacks_is_a_contradiction_and_so_is_one_that_was_taken_out() -> None:
    [found] = conflicts(MADE.text.replace("is valid", "is not valid"))
    assert (found.kind, found.text) == ("negation", "not")
    turned = draft("Refunds are not possible after the sixty days.")
    [stretch] = check("Refunds are possible after the sixty days.", turned, [], "").stretches
    assert [(one.kind, one.instead) for one in stretch.conflicts] == [("negation", ("not",))]


def test_words_in_front_of_a_statement_make_it_the_agents() -> None:
    [found] = [one for one in stretches(f"Never do this: {OPEN}") if one.standing != "no_claim"]
    assert found.standing == "contradicts"


def test_other_words_for_the_same_are_no_contradiction() -> None:
    assert not conflicts(
        MADE.text.replace("is valid for 30 minutes and works once", "works once and stays valid for 30 min")
    )


def test_a_sentence_of_the_agents_own_is_held_against_the_nearest_source() -> None:
    [found] = conflicts(f"{MADE.text}\n\nRefunds arrive within 9 working days.")
    assert (found.text, found.instead, found.citation.document_id) == ("9 working days", ("5 working days",), "more")


def test_what_no_source_speaks_of_is_the_agents_own_words() -> None:
    *_, last = stretches(f"{MADE.text}\n\nI have asked my colleague in the warehouse to call you tomorrow.")
    assert (last.standing, last.citations) == ("own_words", ())


def test_the_customers_own_number_is_nobodys_claim_but_a_contradicted_duration_stays_one() -> None:
    text = MADE.text.replace("The link in the e-mail", "The link in the e-mail for case 4711")
    assert not conflicts(text, said="My case is 4711.")
    assert conflicts(MADE.text.replace("30 minutes", "40 minutes"), said="I was told 40 minutes.")


def test_without_a_draft_the_sources_are_still_asked() -> None:
    [found] = check("Refunds arrive within 5 working days.", None, SOURCES, "").stretches
    assert (found.standing, found.citations[0].quote) == ("supported", "Refunds arrive within 5 working days.")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=300), st.integers(0, 200), st.integers(0, 200))
def test_stretches_never_overlap_and_lie_within_the_text(inserted: str, at: int, cut: int) -> None:
    text = MADE.text[:at] + inserted + MADE.text[at + cut :]
    end = 0
    for one in stretches(text):
        assert end <= one.start < one.end <= len(text)
        end = one.end
        assert all(one.start <= found.start < found.end <= one.end for found in one.conflicts)
