"""The harness end to end, on the small company: asked as agents ask, scored, kept, compared and gated."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from copilot.domain import Citation, Suggestion
from copilot.errors import ConfigurationError, InputError
from copilot.settings import Settings
from eval import desk, expected
from eval.cases import Case
from eval.desk import ProcessDesk, opened, settings_of
from eval.gate import Failure, gate
from eval.record import Run, read, write
from eval.replay import replay
from eval.run import run
from eval.suite import Suite, load
from eval.sweep import combinations, sweep
from tests.conftest import asks, write_company

SUITE = """
name: small
about: The small company.
corpus: [company]
cases: [{path: cases.jsonl}]
gates: [retrieval.article.hit@1, citations.recall.lexical, triage.intent.accuracy]
slices: [channel]
resamples: 200
settings: {exact: true}
"""
CASES: list[dict[str, Any]] = [
    {"id": "compact", "message": "My disk is full, how do I compact a folder?", "gold_docs": ["compact-folders"], "intent": "technical_problem"},
    {"id": "reset", "message": "I forgot my password and no e-mail arrives.", "gold_docs": ["reset-password"], "intent": "account_access"},
    {"id": "link", "message": "How long is the link in the password e-mail valid?", "gold_docs": ["reset-password"], "channel": "chat"},
    {"id": "sent", "message": "Since the update my Sent folder shows no messages.", "gold_tickets": ["t-1"], "created": "2025-06-01",
     "reference_reply": "Right-click the Sent folder, choose Properties and press Repair Folder."},
    {"id": "early", "message": "Since the update my Sent folder shows no messages.", "created": "2025-01-01"},
    {"id": "far", "message": "Which sails suit a small catamaran in strong wind?", "answerable": False},
]  # fmt: skip


def quiet(stage: str, done: int, total: int) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def suite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suite")
    (folder / "company").mkdir()
    write_company(folder / "company")
    (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in CASES), encoding="utf-8")
    (folder / "small.yaml").write_text(SUITE, encoding="utf-8")
    return folder / "small.yaml"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def suite(suite_file: Path) -> Suite:
    return load(str(suite_file))[0]


@pytest.fixture(scope="module")
def made(suite: Suite, base: Settings) -> Run:
    return run(suite, {}, quiet, base=base)


def value(run: Run, name: str) -> float:
    score = run.score(name)
    assert score is not None, name
    return score.value


def test_every_promised_output_is_measured(made: Run) -> None:
    groups = {score.name.split(".")[0] for score in made.scores}
    assert groups == {"retrieval", "citations", "drafts", "claims", "abstention", "triage"}
    assert value(made, "citations.exactness") == value(made, "citations.validity") == 1
    assert value(made, "retrieval.article.hit@5") == 1
    assert value(made, "abstention.correct_refusal") == 1
    assert made.times is not None
    assert {"p50", "p95", "p99"} == made.times.steps["total"].keys()


def test_every_score_says_what_it_rests_on(made: Run) -> None:
    assert all(score.low <= score.value <= score.high and score.n > 0 and score.about for score in made.scores)
    line = made.protocol.line()
    assert all(
        part in line
        for part in ("small", made.protocol.corpus[:12], "seed 7", "resamples", made.protocol.commit, "minilm")
    )


def test_no_evidence_newer_than_the_case_is_used(made: Run) -> None:
    found = {record.id: record.ranked["ticket"] for record in made.records}
    assert "t-1" in found["sent"]
    assert "t-1" not in found["early"]


def test_the_same_input_gives_the_same_bytes(made: Run, suite: Suite, base: Settings, tmp_path: Path) -> None:
    write(made, tmp_path / "a")
    write(run(suite, {}, quiet, base=base), tmp_path / "b")
    for name in ("results.json", "cases.jsonl"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_another_index_of_the_same_corpus_gives_the_same_bytes(made: Run, suite: Suite, tmp_path: Path) -> None:
    write(made, tmp_path / "a")
    write(run(suite, {}, quiet, base=Settings(home=tmp_path / "home")), tmp_path / "b")
    for name in ("results.json", "cases.jsonl"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def with_cases(suite: Suite, folder: Path, *rows: dict[str, Any]) -> Suite:
    """The same company, asked this."""
    (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "company").symlink_to(suite.home / "company")
    return suite.model_copy(update={"home": folder})


def test_right_documents_that_are_not_there_are_named(suite: Suite, base: Settings, tmp_path: Path) -> None:
    asked = {"message": "How do I compact?", "gold_docs": ["compact-folders", "compakt-folders"]}
    notes = run(with_cases(suite, tmp_path, {"id": "a", **asked}), {}, quiet, base=base).notes
    assert "Named as right by cases, but not in the corpus, so that nothing finds them: compakt-folders." in notes


def test_cases_of_which_none_can_be_asked_are_an_error(suite: Suite, base: Settings, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="solved here by then"):
        run(
            with_cases(suite, tmp_path, {"id": "a", "message": "Help!", "gold_tickets": ["gone"]}), {}, quiet, base=base
        )


def test_a_case_without_words_is_refused_before_any_is_asked(suite: Suite, base: Settings, tmp_path: Path) -> None:
    stages: list[str] = []
    rows = {"id": "a", "message": "How do I compact?"}, {"id": "b", "message": " "}
    with pytest.raises(InputError, match="'b' cannot be asked"):
        run(with_cases(suite, tmp_path, *rows), {}, lambda stage, *_: stages.append(stage), base=base)
    assert stages == []


def test_a_run_can_be_read_back(made: Run, tmp_path: Path) -> None:
    write(made, tmp_path)
    assert read(tmp_path) == made


def test_a_folder_without_a_run_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="eval run"):
        read(tmp_path)


def test_over_http_the_answers_are_the_same(made: Run, suite: Suite, base: Settings) -> None:
    served = run(suite, {}, quiet, "http", base=base)
    assert [record.suggestion for record in served.records] == [record.suggestion for record in made.records]
    assert {s.name: s.value for s in served.scores} == {s.name: s.value for s in made.scores}


def test_over_http_ids_may_hold_any_sign(suite: Suite, base: Settings, tmp_path: Path) -> None:
    (tmp_path / "company").mkdir()
    text = "---\ndoc_id: 'faq/50%?a b#ü'\ntitle: Sails\n---\nA small catamaran wants a flat sail in strong wind.\n"
    (tmp_path / "company" / "sails.md").write_text(text, encoding="utf-8")
    row = {"id": "<größe> 1/2", "message": "Which sail does a small catamaran want in strong wind?"}
    (tmp_path / "cases.jsonl").write_text(json.dumps(row), encoding="utf-8")
    odd = suite.model_copy(update={"home": tmp_path, "workspace": "odd"})
    made, served = run(odd, {}, quiet, base=base), run(odd, {}, quiet, "http", base=base)
    assert value(made, "citations.validity") == value(served, "citations.validity") == 1
    assert [record.suggestion for record in served.records] == [record.suggestion for record in made.records]


def test_an_unknown_setting_is_refused_with_its_name(suite_file: Path, base: Settings) -> None:
    with pytest.raises(InputError, match="no_such"):
        load(str(suite_file), ["no_such=1"])
    suite, _ = load(str(suite_file), ["lexical_weight=7"])
    with pytest.raises(ConfigurationError, match="lexical_weight"):
        settings_of(suite, base)


def test_a_document_that_cannot_be_read_stops_the_run(
    suite_file: Path, suite: Suite, base: Settings, tmp_path: Path
) -> None:
    (tmp_path / "company").mkdir()
    (tmp_path / "company" / "broken.md").write_text("---\ntitle: [\n---\nText", encoding="utf-8")
    broken = suite.model_copy(update={"home": tmp_path})
    with opened(settings_of(suite, base)) as parts, pytest.raises(InputError, match=r"broken\.md"):
        desk.bring_in(broken, parts, quiet)


# ---- the gate, on planted regressions ----


def gates(run: Run, suite: Suite, folder: Path) -> list[Failure]:
    return gate(run, *expected.load(suite.name, folder), suite.gates)


@pytest.fixture(scope="module")
def recorded(made: Run, suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from datetime import date

    folder = tmp_path_factory.mktemp("recorded")
    expected.record(made, suite.gates, date(2026, 1, 1), folder)
    return folder


def test_a_healthy_run_is_green(made: Run, suite: Suite, recorded: Path) -> None:
    assert gates(made, suite, recorded) == []


class Spoiled(ProcessDesk):
    """A desk whose citations begin one character too late."""

    def suggest(self, conversation: Any, options: Any) -> Suggestion:
        suggestion = super().suggest(conversation, options)
        if suggestion.draft is None:
            return suggestion
        statements = tuple(
            replace(one, citations=tuple(shifted(citation) for citation in one.citations))
            for one in suggestion.draft.statements
        )
        return replace(suggestion, draft=replace(suggestion.draft, statements=statements))


def shifted(citation: Citation) -> Citation:
    return replace(citation, start=citation.start + 1, end=citation.end + 1)


def test_citations_that_are_one_character_off_turn_the_gate_red(
    suite: Suite, base: Settings, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eval.run.ProcessDesk", Spoiled)
    broken = run(suite, {}, quiet, base=base)
    assert "citations.exactness" in {failure.metric for failure in gates(broken, suite, recorded)}


def test_a_swapped_ranking_turns_the_gate_red(made: Run, suite: Suite, recorded: Path) -> None:
    rows = {"retrieval.article.hit@1": 0.0}
    records = tuple(
        replace(r, rows={**r.rows, **{name: row for name, row in rows.items() if name in r.rows}}) for r in made.records
    )
    scores = tuple(replace(s, value=0.0, low=0.0, high=0.0) if s.name in rows else s for s in made.scores)
    assert [failure.metric for failure in gates(replace(made, records=records, scores=scores), suite, recorded)] == [
        "retrieval.article.hit@1", "retrieval.article.hit@1",
    ]  # fmt: skip


# ---- replay and sweep ----


def test_solved_tickets_are_replayed_with_what_was_known_before_them(suite: Suite, base: Settings) -> None:
    home = settings_of(suite, base)
    made = replay(home, datetime(2025, 1, 1, tzinfo=UTC), quiet)
    (record,) = made.records
    assert record.id == "t-1"
    assert record.case["reference_reply"].startswith("Right-click the Sent folder")
    assert "t-1" not in record.ranked["ticket"]  # it did not exist yet
    with pytest.raises(InputError, match="--since"):
        replay(home, datetime(2030, 1, 1, tzinfo=UTC), quiet)


def test_a_sweep_keeps_a_row_for_each_combination(
    suite_file: Path, base: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPILOT_HOME", str(base.home))
    rows = list(sweep(str(suite_file), ["lexical_weight=0,1", "resamples=100"], quiet))
    assert [row.settings for row in rows] == [
        ("lexical_weight=0", "resamples=100"),
        ("lexical_weight=1", "resamples=100"),
    ]
    assert all(row.scores for row in rows)


def test_a_grid_without_values_is_refused() -> None:
    for grid in ([], ["lexical_weight"], ["lexical_weight="]):
        with pytest.raises(InputError):
            combinations(grid)
    with pytest.raises(InputError, match="are the most"):
        combinations([f"a={','.join(map(str, range(50)))}", f"b={','.join(map(str, range(50)))}"])


def test_an_empty_message_names_its_case(suite: Suite, base: Settings) -> None:
    blank = Case(id="blank", conversation=asks("   "))
    with opened(settings_of(suite, base)) as parts:
        desk.bring_in(suite, parts, quiet)
        with pytest.raises(InputError, match="blank"):
            desk.ask(ProcessDesk(parts, suite.workspace), blank)


def test_a_ticket_that_was_known_from_when_it_was_written_is_not_asked_with_its_own_answer(
    suite: Suite, tmp_path: Path
) -> None:
    row = {"ticket_id": "t-9", "created": "2025-05-01T08:00:00Z", "status": "solved", "subject": "Sails", "message": "Which sail is flat?",
           "solution": "The blue one is the flat sail."}  # fmt: skip
    (tmp_path / "flat.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    asked = {"id": "t-9", "message": "Which sail is flat?", "created": "2025-05-01T08:00:00Z", "gold_docs": ["x"]}
    mine = with_cases(suite, tmp_path, asked, {**asked, "id": "later"}).model_copy(
        update={"corpus": ("company", "flat.jsonl")}
    )
    base = Settings(home=tmp_path / "home")
    found = {record.id: record.ranked["ticket"] for record in run(mine, {}, quiet, base=base).records}
    assert "t-9" not in found["t-9"]
    assert "t-9" in found["later"], "to others it is what it was"
    home = settings_of(mine, base)
    made = replay(home, datetime(2025, 5, 1, tzinfo=UTC), quiet)
    assert "t-9" not in {record.id: record.ranked["ticket"] for record in made.records}["t-9"]
