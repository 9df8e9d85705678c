"""The agent's own question: answered from what this agent may see, cited to the letter, or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from copilot.ask import Question, told
from copilot.build import Parts
from copilot.errors import EmptyMessage, NotFound
from tests.conftest import ADMIN, AGENT, ingest

REFUND = Question(text="How many euro may an agent refund without asking?")


def test_an_internal_document_answers_and_the_answer_says_so(company: Parts) -> None:
    made = company.asker.answer(AGENT, REFUND)
    assert made.answered
    assert made.internal
    assert "Agents may refund up to 40 euro without asking." in made.text


def test_every_statement_is_the_quoted_text_of_a_stored_revision(company: Parts) -> None:
    made = company.asker.answer(AGENT, Question(text="How do I compact a folder?"))
    assert made.answered
    assert not made.internal
    assert all(one.citations for one in made.statements)
    for one in made.statements:
        said = made.text[one.start : one.end]
        for citation in one.citations:
            text = company.library.text("default", citation.document_id, citation.revision).text
            assert text[citation.start : citation.end] == citation.quote
        assert said in text


def test_where_nothing_answers_it_says_why_and_what_came_near(company: Parts) -> None:
    made = company.asker.answer(AGENT, Question(text="What is the boiling point of tungsten at sea level?"))
    assert (made.answered, made.text, made.statements) == (False, "", ())
    assert made.reason
    assert made.nearest


def test_a_teams_document_answers_its_team_alone(filled: Parts, folder: Path) -> None:
    (folder / "team.md").write_text(
        "---\naudience: team:billing\ntitle: Chargebacks\n---\n\n# Chargebacks\n\nThe chargeback code word of the billing team is VESUVIUS.\n",
        encoding="utf-8",
    )
    ingest(filled, folder)
    asked = Question(text="What is the chargeback code word of the billing team?")
    assert "VESUVIUS" not in repr(filled.asker.answer(AGENT, asked))
    for insider in (replace(AGENT, teams=frozenset({"billing"})), ADMIN):
        assert "VESUVIUS" in filled.asker.answer(insider, asked).text


def test_a_deleted_document_answers_no_more(filled: Parts) -> None:
    from ingest.pipeline import Indexer

    assert filled.asker.answer(AGENT, REFUND).answered
    Indexer(filled).retire("default", ["refund-limits"])
    assert "40 euro" not in repr(filled.asker.answer(AGENT, REFUND))


def test_the_same_question_gets_the_same_answer_and_is_kept_nowhere(company: Parts) -> None:
    assert company.asker.answer(AGENT, REFUND) == company.asker.answer(AGENT, REFUND)


def test_the_streamed_statements_put_together_are_the_answer(company: Parts) -> None:
    made = company.asker.answer(AGENT, Question(text="How do I compact a folder?"))
    steps = list(told(made))
    assert [steps[0].name, steps[-1].name] == ["passages", "done"]
    assert "".join(step.data.lead + step.data.text for step in steps[1:-1]) == made.text  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("asked", "error"), [(Question(text=" "), EmptyMessage), (Question(text="\u200b"), EmptyMessage)]
)
def test_no_question_is_no_question(company: Parts, asked: Question, error: type[Exception]) -> None:
    with pytest.raises(error):
        company.asker.answer(AGENT, asked)


def test_an_unknown_workspace_is_not_found(company: Parts) -> None:
    with pytest.raises(NotFound):
        company.asker.answer(replace(AGENT, workspace="nobody"), REFUND)


def test_a_question_is_one_request_away_as_json_and_as_events(client: TestClient) -> None:
    made = client.post("/v1/ask", json={"question": REFUND.text}).json()
    assert (made["answered"], made["internal"]) == (True, True)
    streamed = client.post("/v1/ask", json={"question": REFUND.text}, headers={"Accept": "text/event-stream"})
    names = [line.removeprefix("event: ") for line in streamed.text.splitlines() if line.startswith("event: ")]
    assert (names[0], names[-1]) == ("passages", "done")
    assert set(names[1:-1]) == {"statement"}
    assert client.post("/v1/ask", json={"question": " "}).status_code == 422
