from __future__ import annotations

from pathlib import Path

import pytest

from copilot.errors import ConfigurationError
from copilot.settings import Settings
from eval.judge import VOTES, Reader, Reading, Verdict, agreement, judged
from tests.eval_cases import case, cite, draft, suggestion
from tests.eval_runs import record, run

DRAFT = "In the drawer."
READING = Reading(message="Where is it?", draft=DRAFT, sources=("It is in the drawer.", "Another.", "A third."))


class Asked:
    """A model that answers what it is told to, in turn, and counts."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.prompts = answers, list[str]()

    def __call__(self, prompt: str) -> str:
        self.prompts.append(prompt)
        return self.answers[(len(self.prompts) - 1) % len(self.answers)]


YES, NO = '{"answers": true, "supported": true}', '{"answers": false, "supported": true}'


def test_the_majority_of_three_readings_decides(tmp_path: Path) -> None:
    assert Reader("m", Asked(YES, NO, NO), tmp_path).read(READING) == Verdict(answers=False, supported=True)
    assert Reader("n", Asked(YES, NO, YES), tmp_path).read(READING) == Verdict(answers=True, supported=True)


def test_each_reading_sees_the_sources_in_another_order(tmp_path: Path) -> None:
    model = Asked(YES)
    Reader("m", model, tmp_path).read(READING)
    assert len(set(model.prompts)) == VOTES
    assert all(source in prompt for prompt in model.prompts for source in READING.sources)


def test_a_reading_is_asked_for_once(tmp_path: Path) -> None:
    model = Asked(YES)
    for _ in range(2):
        Reader("m", model, tmp_path).read(READING)
    assert len(model.prompts) == VOTES


def test_talk_around_the_answer_is_passed_over_and_nonsense_counts_for_nothing(tmp_path: Path) -> None:
    talk = f"Sure! Here you go: {YES} Hope that helps."
    assert Reader("m", Asked(talk, "no idea", "{"), tmp_path).read(READING) == Verdict(answers=True, supported=True)
    assert Reader("n", Asked("yes", '{"answers": "true"}', ""), tmp_path).read(READING) is None


def test_its_agreement_with_labelled_examples_is_told(tmp_path: Path) -> None:
    assert "answers 10/20, kappa 0.00" in agreement(Reader("always yes", Asked(YES), tmp_path))
    assert "none of its answers" in agreement(Reader("mute", Asked(""), tmp_path))


def test_a_judged_run_carries_the_opinion_ungated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eval.judge._asking", lambda settings: Asked(YES))
    made = run(
        record(said=suggestion(draft((DRAFT, [cite("d", 0, 5, {("d", 1): DRAFT})])))),
        record(case("silent"), suggestion()),
    )
    after = judged(made, "fake:model", Settings(home=tmp_path), lambda stage, done, total: None)
    score = after.score("judge.answers")
    assert score is not None
    assert (score.value, score.n, score.better) == (1, 1, "neither")
    assert "kappa" in " ".join(after.notes)


def test_a_model_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="provider:model"):
        judged(run(), "nonsense", Settings(home=tmp_path), lambda stage, done, total: None)
