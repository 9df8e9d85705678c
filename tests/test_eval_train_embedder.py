"""The embedding model learns from a workspace's cases: it takes over only where it wins, goes with what taught it, and is undone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from copilot import crash
from copilot.adapters import tuning
from copilot.adapters.onnx import package_folder
from copilot.adapters.tuning import Example, Recipe
from copilot.build import Parts, build, successor
from copilot.errors import ConfigurationError, CopilotError, InputError, NotFound
from copilot.settings import Settings
from copilot.store import schema as t
from eval.cases import Case
from eval.metrics import Outcome
from eval.replay import _taught_until, replay
from eval.train import Check
from eval.train_commands import trained
from eval.train_embedder import Teacher, go_back, known_cases, split, train_embedder, undo, verdict
from ingest.backup import backup, check, restore
from ingest.pipeline import Indexer
from ingest.reembed import reembed
from ingest.verify import verify
from tests.conftest import AGENT, asks, ingest, write_tickets
from tests.test_eval_train import START
from tests.test_ingest_reembed import Killed, killed_at

PLAIN = {"engine": "torch", "exact": True, "votes_weight": 0, "map_weight": 0, "lexical_weight": 0, "threads": 1}
"""Meaning alone decides, so that a better model shows."""
ARTICLES = {
    "password": (
        "Reset a forgotten password",
        "Choose Forgot password on the sign-in page, and follow the link in the e-mail.",
    ),
    "parcel": ("Track your parcel", "Open the tracking link of the carrier to see when your order is delivered."),
    "battery": ("Change the battery", "Open the case with a coin, take the empty battery out and put a new one in."),
    "invoice": ("Download an invoice", "Invoices with VAT are under Billing as PDF files for your bookkeeping."),
}
ASKED = {
    "password": ("I forgot my login code word", "cannot sign in to my account any more"),
    "parcel": ("where is my package", "my shipment has not arrived yet"),
    "battery": ("the device has no power left", "it beeps since its energy runs low"),
    "invoice": ("our accountant wants a bill", "please send the tax receipt of last month"),
}


@pytest.fixture(scope="module")
def weak(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers model of one small layer with random weights: it knows no language."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("models") / "weak"
    shutil.copytree(package_folder(), folder, ignore=shutil.ignore_patterns("model.safetensors"))
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=30522, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=512,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    pooling = json.loads((folder / "1_Pooling" / "config.json").read_text())
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({**pooling, "word_embedding_dimension": 32}))
    return folder


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    for id, (title, text) in ARTICLES.items():
        head = f"---\ndoc_id: {id}\ntitle: {title}\nurl: https://help.example/{id}\n---\n\n"
        (folder / f"{id}.md").write_text(f"{head}{text}\n", encoding="utf-8")
    write_tickets(folder / "tickets.jsonl", [solved(n) for n in range(60)])
    return folder


def solved(n: int) -> dict[str, Any]:
    """A case whose reply sent an article; every third one has a resolution too."""
    about = tuple(ARTICLES)[n % 4]
    words, at = ASKED[about][n // 4 % 2], START + timedelta(days=n)
    told = f"{ARTICLES[about][1]} See https://help.example/{about}"
    reply = {
        "role": "agent",
        "author": "Tom",
        "created": f"{at + timedelta(hours=2):%Y-%m-%d %H:%M:%S} +0000",
        "text": told,
    }
    row = {
        "ticket_id": f"w-{n}", "created": f"{at:%Y-%m-%d %H:%M:%S} +0000", "subject": "", "message": f"{words}, number {n}.",
        "thread": [reply], "status": "open", "solution": "", "cited_docs": [about],
    }  # fmt: skip
    return row | ({"status": "solved", "solution": told} if n % 3 == 0 else {})


@pytest.fixture(autouse=True)
def alive() -> Iterator[None]:
    yield
    crash.install(None)


def opened(tmp_path: Path, company: Path, embedder: str) -> Parts:
    parts = build(Settings(home=tmp_path / "home", embedder=embedder, **PLAIN))  # type: ignore[arg-type]
    ingest(parts, company)
    return parts


@pytest.fixture
def poor(tmp_path: Path, company: Path, weak: Path) -> Iterator[Parts]:
    """A workspace whose vectors are the weak model's."""
    parts = opened(tmp_path, company, str(weak))
    yield parts
    parts.close()


@pytest.fixture
def good(tmp_path: Path, company: Path) -> Iterator[Parts]:
    """A workspace whose vectors are MiniLM's."""
    parts = opened(tmp_path, company, "minilm")
    yield parts
    parts.close()


def teaches(monkeypatch: pytest.MonkeyPatch, model: Path) -> None:
    """Every training comes out as this model."""

    def planted(base: str, examples: object, target: Path, *rest: object) -> None:
        shutil.copytree(model, target)

    monkeypatch.setattr(tuning, "taught", planted)


def makers(parts: Parts) -> set[str]:
    """Whose vectors the database holds."""
    with parts.database.read() as connection:
        return set(connection.execute(select(t.vectors.c.embedder).distinct()).scalars())


def weights(parts: Parts) -> list[str]:
    folder = parts.settings.embedders()
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


# ---- it wins, or nothing changes ----


def test_a_model_that_wins_makes_the_index_and_undo_gives_it_back(
    poor: Parts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    teaches(monkeypatch, package_folder())
    original, first = poor.settings, poor.embedder.fingerprint
    made = train_embedder(poor, "default")
    assert made.switched, made.why
    assert made.checks[0].after > made.checks[0].before
    assert makers(poor) == {poor.embedder.fingerprint} != {first}
    assert verify(poor).problems == []
    assert poor.trained.all("default", "embedder")[0].in_force
    assert "embedder 1" in poor.copilot.suggest(AGENT, asks("The power lead is loose")).provenance.trained
    poor.close()
    caplog.clear()
    again = build(original)
    assert again.embedder.fingerprint == poor.embedder.fingerprint
    assert caplog.text == "", "nobody is reminded of the setting"
    assert undo(again, "default") is None
    assert again.embedder.fingerprint == first
    assert makers(again) == {first}
    assert weights(again) == []
    assert [one.state for one in again.trained.all("default", "embedder")] == ["undone"]
    assert verify(again).problems == []
    with pytest.raises(NotFound, match="train list"):
        undo(again, "default")
    again.close()


def test_a_bad_training_changes_nothing_and_leaves_nothing(
    good: Parts, weak: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teaches(monkeypatch, weak)
    first, clock = good.embedder.fingerprint, good.library.clock("default")
    made = train_embedder(good, "default")
    assert not made.switched
    assert "before" in made.why
    assert (made.trained.state, made.trained.in_force) == ("candidate", False)
    assert (good.embedder.fingerprint, good.library.clock("default")) == (first, clock)
    assert makers(good) == {first}
    assert weights(good) == []
    assert verify(good).problems == []


def test_a_training_that_makes_the_model_in_force_again_is_refused_and_loses_no_vector(
    good: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    teaches(monkeypatch, package_folder())
    vectors = makers(good)
    with pytest.raises(InputError, match="in force already"):
        train_embedder(good, "default")
    assert makers(good) == vectors
    assert verify(good).problems == []


@pytest.mark.parametrize("point", ["reembed.inside", "reembed.switched"])
def test_killed_at_the_switch_it_is_wholly_the_old_or_the_new_model(
    poor: Parts, company: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    teaches(monkeypatch, package_folder())
    first, settings = poor.embedder.fingerprint, poor.settings
    killed_at(point)
    with pytest.raises(Killed):
        train_embedder(poor, "default")
    crash.install(None)
    poor.close()
    again = build(settings)
    ingest(again, company)
    assert (again.embedder.fingerprint == first) == (point != "reembed.switched")
    assert verify(again).problems == []
    kept = again.trained.all("default", "embedder")
    assert [one.in_force for one in kept] == ([True] if point == "reembed.switched" else [False] * len(kept))
    again.close()


# ---- what goes with what ----


def taught_by_what_is_gone(poor: Parts, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model is taught and takes over, then one of the tickets that taught it is deleted; the fingerprint of the model before."""
    teaches(monkeypatch, package_folder())
    first = poor.embedder.fingerprint
    train_embedder(poor, "default")
    Indexer(poor).retire("default", ["w-3"])
    return first


def test_a_deleted_case_takes_the_model_it_taught_out_of_the_index(
    poor: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = taught_by_what_is_gone(poor, monkeypatch)
    assert poor.trained.all("default", "embedder")[0].state == "dropped"
    (job,) = poor.jobs.list("default", kinds=("train",))
    assert trained(poor, "default", job.payload, lambda done, all: None) == {"went": True}
    with pytest.raises(NotFound):
        undo(poor, "default")
    assert makers(poor) == {first}
    assert weights(poor) == []
    assert not go_back(poor), "once is enough"


def test_an_article_that_was_in_no_lesson_goes_without_the_model(
    poor: Parts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "tides.md").write_text(
        "---\ndoc_id: tides\n---\n\n# Tides\n\nThe sea rises twice a day.", encoding="utf-8"
    )
    ingest(poor, tmp_path)
    teaches(monkeypatch, package_folder())
    monkeypatch.setattr("eval.train_embedder.MOST_LESSONS", 0)
    train_embedder(poor, "default")
    Indexer(poor).retire("default", ["tides"])
    assert poor.trained.all("default", "embedder")[0].state == "active"
    Indexer(poor).retire("default", [next(iter(ARTICLES))])
    assert poor.trained.all("default", "embedder")[0].state == "dropped"


def test_without_a_server_undoing_gives_the_index_back_after_a_deletion(
    poor: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = taught_by_what_is_gone(poor, monkeypatch)
    assert undo(poor, "default") is None
    assert makers(poor) == {first}


def test_what_taught_the_model_is_not_asked_again_as_if_it_were_new(
    poor: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    teaches(monkeypatch, package_folder())
    assert _taught_until(poor) is None
    made = train_embedder(poor, "default")
    assert _taught_until(poor) == made.trained.trained_until == START + timedelta(days=47, hours=2)
    settings, seen = poor.settings, list[str]()
    poor.close()

    def ask(desk: object, cases: Sequence[Case], step: object) -> list[Outcome]:
        seen.extend(case.id for case in cases)
        raise NotFound("that is enough")

    monkeypatch.setattr("eval.replay.ask_all", ask)
    with pytest.raises(NotFound):
        replay(settings, START, lambda *told: None)
    assert seen == ["w-48", "w-51", "w-54", "w-57"], "of all that were solved"


def test_a_deleted_case_that_taught_no_model_in_force_asks_for_no_work(
    good: Parts, weak: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teaches(monkeypatch, weak)
    train_embedder(good, "default")
    Indexer(good).retire("default", ["w-3"])
    assert good.jobs.list("default", kinds=("train",)) == []


def test_the_operators_own_change_puts_a_taught_model_out_of_force(
    poor: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    teaches(monkeypatch, package_folder())
    original = poor.settings
    train_embedder(poor, "default")
    reembed(poor, successor(poor, original))
    assert [(one.state, one.in_force) for one in poor.trained.all("default", "embedder")] == [("active", False)]
    with pytest.raises(NotFound):
        undo(poor, "default")


def test_another_workspaces_vectors_are_not_touched_unless_it_is_said(
    poor: Parts, company: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teaches(monkeypatch, package_folder())
    ingest(poor, company, "second")
    with pytest.raises(InputError, match=r"'second'.*--shared"):
        train_embedder(poor, "default")
    made = train_embedder(poor, "default", shared=True)
    assert made.switched, made.why
    assert "cases of second" in [one.name for one in made.checks]
    assert poor.frames.at("second").vectors.shape[1] == 384


def test_a_backup_carries_the_model_that_made_the_vectors(
    poor: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teaches(monkeypatch, package_folder())
    train_embedder(poor, "default")
    backup(poor.settings, tmp_path / "kept")
    elsewhere = Settings(home=tmp_path / "elsewhere", **PLAIN)  # type: ignore[arg-type]
    restore(elsewhere, tmp_path / "kept")
    parts = build(elsewhere)
    assert parts.embedder.fingerprint == poor.embedder.fingerprint
    parts.close()
    (name,) = weights(poor)
    (tmp_path / "kept" / "embedders" / name / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(InputError, match="not what was backed up"):
        check(tmp_path / "kept")


# ---- lessons ----


def test_lessons_are_older_than_what_judges_and_no_right_answer_is_held_against_one(good: Parts) -> None:
    early, late = split(known_cases(good, "default", None))
    assert len(late) == 12
    assert max(one.known for one in early if one.known) < min(one.known for one in late if one.known)
    examples = Teacher(good, "default").examples(early)
    assert Teacher(good, "default").examples(early) == examples
    assert {one.source for one in examples} >= set(ARTICLES)
    assert any(one.source.startswith("ticket/") for one in examples)
    assert all(one.wrong_source not in one.answers for one in examples)
    assert any(one.wrong for one in examples)


def test_a_gain_that_is_next_to_nothing_moves_no_index() -> None:
    little = Check(name="cases", n=164, before=0.635, after=0.636, difference=0.001, low=-0.012, high=0.011)
    assert "+0.001" in verdict([little])
    assert verdict([replace(little, after=0.65, difference=0.015)]) == ""
    worse = replace(little, name="similar tickets", difference=-0.05, low=-0.09, high=-0.01)
    assert "similar tickets" in verdict([replace(little, difference=0.015), worse])


def test_too_few_cases_are_said(poor: Parts) -> None:
    with pytest.raises(InputError, match="there are 40"):
        train_embedder(poor, "default", until=START + timedelta(days=40))


def test_what_is_not_installed_is_named(good: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match="pip install torch sentence-transformers"):
        train_embedder(good, "default")


# ---- the teaching itself ----

LESSONS = [
    Example(question=f"{word} is loose {n}", right=f"push the {answer}", source=answer, answers=(answer,), wrong=f"pull the {other}",
            wrong_source=other)
    for n in range(8)
    for word, answer, other in (("lead", "plug", "bulb"), ("lamp", "bulb", "plug"))
]  # fmt: skip
HASTY = Recipe(rounds=6, batch=8, rate=5e-3, share=1.0)


def test_a_taught_model_tells_the_answers_apart(weak: Path) -> None:
    model, steps = tuning._loaded(str(weak), 1, HASTY), list[tuple[int, int]]()
    tuning.teach(model, LESSONS, HASTY, lambda *step: steps.append(step))
    assert steps == [(n, 12) for n in range(1, 13)]
    plug, bulb, lead, lamp = model.encode(["push the plug", "push the bulb", "lead is loose 9", "lamp is loose 9"])
    assert lead @ plug > lead @ bulb
    assert lamp @ bulb > lamp @ plug


def test_the_same_lessons_make_the_same_weights_and_half_a_share_lies_half_way(weak: Path) -> None:
    from sentence_transformers import SentenceTransformer

    def layer(share: float) -> np.ndarray[Any, Any]:
        model = tuning._loaded(str(weak), 1, HASTY)
        assert isinstance(model, SentenceTransformer)
        tuning.teach(model, LESSONS, Recipe(rounds=1, batch=8, rate=1e-3, share=share), lambda done, total: None)
        found = model.state_dict()["0.model.encoder.layer.0.output.dense.weight"]
        return np.asarray(found.numpy(), dtype=np.float64)

    whole, half, none = layer(1.0), layer(0.5), layer(0.0)
    assert np.array_equal(whole, layer(1.0))
    assert np.abs(whole - none).max() > 1e-4
    assert np.allclose(half, (whole + none) / 2, atol=1e-6)


def test_what_also_answers_a_question_is_no_wrong_answer(weak: Path) -> None:
    def loss(answers: tuple[str, ...]) -> float:
        model = tuning._loaded(str(weak), 1, HASTY)
        model.eval()
        both = [
            Example(question="it is loose", right="push the plug", source="plug", answers=answers),
            Example(question="it is dark", right="push the bulb", source="bulb", answers=("bulb",)),
        ]
        return float(tuning._loss(model, both, 20.0).detach())

    assert loss(("plug", "bulb")) < loss(("plug",))


def test_a_failed_teaching_is_said_and_leaves_nothing(poor: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("copilot.adapters.tuning.sys.executable", "/bin/false")
    with pytest.raises(CopilotError, match="could not be taught"):
        train_embedder(poor, "default")
    assert makers(poor) == {poor.embedder.fingerprint}
    assert weights(poor) == []


def test_the_exported_model_reads_as_the_taught_one_does(weak: Path, tmp_path: Path) -> None:
    model = tuning._loaded(str(weak), 1, HASTY)
    texts = ["push the plug", "a longer question about the lamp"]
    tuning._export(model, texts, weak, tmp_path, 64)
    assert len(list(tmp_path.glob("*.onnx"))) == 1
    changed = {name: -tensor if "word_embeddings" in name else tensor for name, tensor in model.state_dict().items()}
    model.load_state_dict(changed)
    with pytest.raises(ConfigurationError, match="differs from the taught one"):
        tuning._export(model, texts, weak, tmp_path, 64)


def test_from_tickets_to_the_verdict_with_real_weights(tmp_path: Path, company: Path, weak: Path) -> None:
    parts = opened(tmp_path, company, str(weak))
    first = parts.embedder.fingerprint
    result = trained(parts, "default", {"what": "embedder", "until": None}, lambda done, all: None)
    json.dumps(result)
    (one,) = parts.trained.all("default", "embedder")
    assert one.figures["lessons"] == len(
        Teacher(parts, "default").examples(split(known_cases(parts, "default", None))[0])
    )
    assert makers(parts) == {one.fits if result["switched"] else first}
    assert one.fits != first
    assert verify(parts).problems == []
    parts.close()
