"""A customer who writes in another language than the sources: what they say is quoted, and a model translates the quotes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from copilot.build import Parts
from copilot.domain import Draft, Status
from copilot.errors import DrafterFailed
from copilot.ports import Drafter, DraftRequest, Proposed
from tests.conftest import AGENT, asks

GERMAN = "Guten Tag, der Password-Reset-Link in der E-Mail funktioniert nicht mehr. Wie lange ist der Link gültig?"
CHOOSE = "Open the sign-in page and choose Forgot password."
VALID = "The link in the e-mail is valid for 30 minutes and works once."
LOOK = "Look into the spam folder first."


class Silent:
    """A model that writes nothing, or fails."""

    name = "fake:silent"

    def __init__(self, fails: Exception | None = None) -> None:
        self.fails, self.asked = fails, list[DraftRequest]()

    def stream(self, request: DraftRequest) -> Iterator[Proposed]:
        self.asked.append(request)
        if self.fails:
            raise self.fails
        yield from ()


class Translates:
    """A model that puts a word in front of each statement, except for those that it leaves out or gets wrong."""

    name = "fake:model"

    def __init__(self, wrong: int = -1, left_out: int = -1) -> None:
        self.wrong, self.left_out, self.asked = wrong, left_out, list[DraftRequest]()

    def stream(self, request: DraftRequest) -> Iterator[Proposed]:
        self.asked.append(request)
        for number, said in enumerate(request.rewrite.statements if request.rewrite else ()):
            if number != self.left_out:
                yield Proposed(text=f"DE {said}{' 99' * (number == self.wrong)}", evidence=(number,))


def made(parts: Parts, monkeypatch: pytest.MonkeyPatch, model: Drafter, text: str = GERMAN) -> tuple[Status, Draft]:
    monkeypatch.setattr(parts.copilot, "_model", model)
    suggestion = parts.copilot.suggest(AGENT, asks(text, "password link"))
    assert suggestion.draft is not None
    return suggestion.status, suggestion.draft


def cited(draft: Draft) -> dict[str, str]:
    """What each claim says, and the first words that it cites."""
    return {draft.text[one.start : one.end]: one.citations[0].quote for one in draft.statements if one.citations}


def test_what_the_sources_say_is_translated_with_its_citations(company: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Translates()
    status, draft = made(company, monkeypatch, model)
    assert (status, draft.generator, draft.language) == ("drafted", "fake:model", "de")
    claims = cited(draft)
    assert claims[f"DE {CHOOSE}"] == CHOOSE
    assert claims[f"DE {VALID}"] == VALID
    assert all(text.startswith("DE ") for text in claims)
    assert {one.support for one in draft.statements if one.citations} == {"partial"}
    assert draft.text.startswith("Guten Tag,")
    assert "auf Englisch" not in draft.text  # nothing is left that would need the notice


def test_an_answer_keeps_its_order_and_its_paragraphs_when_it_is_translated(
    company: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company.copilot, "_model", None)
    quoted = company.copilot.suggest(AGENT, asks(GERMAN, "password link")).draft
    assert quoted is not None
    _, draft = made(company, monkeypatch, Translates())
    without_notice = [line for line in quoted.text.split("\n\n") if "auf Englisch" not in line]
    assert draft.text.replace("DE ", "").split("\n\n") == without_notice


def test_what_the_model_leaves_out_or_gets_wrong_stays_as_it_was(
    company: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, draft = made(company, monkeypatch, Translates(wrong=1, left_out=0))
    claims = cited(draft)
    assert list(claims)[:2] == [CHOOSE, VALID]
    assert any(text.startswith("DE ") for text in claims)
    assert draft.text.startswith("Guten Tag,")
    assert [(one.text, "numbers" in one.reason) for one in draft.dropped] == [(f"DE {VALID} 99", True)]


def test_where_nothing_was_translated_the_quotes_stand_and_the_customer_is_told_of_their_language(
    company: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    for model in (Silent(), Silent(DrafterFailed("slow"))):
        status, draft = made(company, monkeypatch, model)
        assert (status, draft.generator) == ("extractive", "extractive")
        assert "Unsere Erklärung dazu ist auf Englisch:" in draft.text


def test_a_customer_of_the_sources_language_gets_the_models_own_words(
    company: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Silent()
    made(company, monkeypatch, model, "How long is the link to reset my password valid? It does not work for me.")
    assert [one.rewrite for one in model.asked] == [None]
