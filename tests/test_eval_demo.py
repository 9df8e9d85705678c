"""The demo suite's gate: green as it ships, red by name for each planted regression."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from copilot.domain import Citation, Suggestion
from copilot.settings import Settings
from eval import expected
from eval.gate import gate
from eval.metrics import Outcome
from eval.run import Asked, answers, scored
from eval.suite import Suite, load


def quiet(stage: str, done: int, total: int) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def suite() -> Suite:
    return load("demo", ["resamples=200"])[0]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def asked(suite: Suite, home: Path) -> Asked:
    return answers(suite, quiet, base=Settings(home=home))


@pytest.fixture(scope="module")
def recorded(suite: Suite, asked: Asked, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    expected.record(scored(suite, asked, {}, "process", quiet), suite.gates, date(2026, 1, 1), folder)
    return folder


def red(suite: Suite, asked: Asked, recorded: Path) -> set[str]:
    """The metrics on which the gate is red."""
    run = scored(suite, asked, {}, "process", quiet)
    return {failure.metric for failure in gate(run, *expected.load(suite.name, recorded), suite.gates)}


def test_a_healthy_run_is_green(suite: Suite, asked: Asked, recorded: Path) -> None:
    assert red(suite, asked, recorded) == set()


def test_a_fusion_weight_of_zero_turns_ranking_red(home: Path, recorded: Path) -> None:
    spoiled, _ = load("demo", ["resamples=200", "lexical_weight=1", "votes_weight=0", "map_weight=0"])
    broken = red(spoiled, answers(spoiled, quiet, base=Settings(home=home)), recorded)
    assert broken & {"retrieval.article.hit@5", "retrieval.article.mrr@10"}


def test_citations_one_character_off_turn_exactness_red(suite: Suite, asked: Asked, recorded: Path) -> None:
    spoiled = replace(asked, outcomes=tuple(replace(one, suggestion=shifted(one.suggestion)) for one in asked.outcomes))
    assert "citations.exactness" in red(suite, spoiled, recorded)


def test_shuffled_intents_turn_intent_red(suite: Suite, asked: Asked, recorded: Path) -> None:
    triages = [one.suggestion.triage for one in asked.outcomes]
    turned = [*triages[1:], triages[0]]
    outcomes: list[Outcome] = [
        replace(one, suggestion=replace(one.suggestion, triage=triage))
        for one, triage in zip(asked.outcomes, turned, strict=True)
    ]
    assert "triage.intent.accuracy" in red(suite, replace(asked, outcomes=tuple(outcomes)), recorded)


def shifted(suggestion: Suggestion) -> Suggestion:
    if suggestion.draft is None:
        return suggestion
    statements = tuple(
        replace(one, citations=tuple(late(citation) for citation in one.citations))
        for one in suggestion.draft.statements
    )
    return replace(suggestion, draft=replace(suggestion.draft, statements=statements))


def late(citation: Citation) -> Citation:
    return replace(citation, start=citation.start + 1, end=citation.end + 1)
