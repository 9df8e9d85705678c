"""A workspace read ahead by a second process is the workspace that this process would read, or is not taken."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.commands import served
from copilot.build import Parts, build
from copilot.settings import Settings
from copilot.store import ahead
from copilot.store.active import Columns
from copilot.store.ahead import Ahead, reading_ahead
from copilot.store.frames import Frame, Frames
from tests.conftest import ingest

W = "default"


@pytest.fixture(autouse=True)
def _large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "LARGE", 1)


def frames_of(parts: Parts) -> Frames:
    return Frames(parts.database, parts.embedder.fingerprint, most=1000)


def same(one: Frame, other: Frame) -> bool:
    return (
        list(one.heads) == list(other.heads)
        and one.ids.tolist() == other.ids.tolist()
        and [one.span(at) for at in range(len(one.ids))] == [other.span(at) for at in range(len(other.ids))]
        and one.vectors.tobytes() == other.vectors.tobytes()
    )


def test_what_was_read_ahead_is_what_this_process_reads(filled: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    anew, frames = frames_of(filled).at(W), frames_of(filled)
    monkeypatch.setattr("copilot.store.frames.read", lambda *_: pytest.fail("it was read again"))
    with reading_ahead(filled.settings, W) as begun:
        frames.expect(begun)
        assert same(frames.at(W), anew)


def test_what_changed_after_it_was_read_is_read_anew(filled: Parts, folder: Path) -> None:
    frames = frames_of(filled)
    with reading_ahead(filled.settings, W) as begun:
        assert begun is not None
        assert begun._process.wait(60) == 0
        (folder / "new.md").write_text("# New\n\nThe lamp turns itself off after an hour.\n", encoding="utf-8")
        ingest(filled, folder)
        frames.expect(begun)
        assert same(frames.at(W), frames_of(filled).at(W))


def test_a_process_that_fails_is_made_up_for(filled: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    frames = frames_of(filled)
    with reading_ahead(filled.settings, W) as begun:
        frames.expect(begun)
        assert same(frames.at(W), frames_of(filled).at(W))


def test_a_small_workspace_and_another_database_are_not_read_ahead(
    filled: Parts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = filled.settings.model_copy(update={"database": f"sqlite:///{tmp_path / 'other.db'}"})
    empty = filled.settings.model_copy(update={"home": tmp_path / "empty"})
    for settings in (elsewhere, empty):
        with reading_ahead(settings, W) as begun:
            assert begun is None
    monkeypatch.setattr(ahead, "LARGE", 1000)
    with reading_ahead(filled.settings, W) as begun:
        assert begun is None


def test_the_process_is_gone_when_it_is_not_needed(filled: Parts) -> None:
    with reading_ahead(filled.settings, W) as begun:
        assert isinstance(begun, Ahead)
    assert begun._process.poll() is not None
    with reading_ahead(filled.settings, W) as begun:
        assert begun is not None
        revision = filled.frames.at(W).revision
        assert isinstance(begun.columns(revision, filled.embedder.fingerprint), Columns)
        assert begun._process.poll() is not None


def test_a_server_that_starts_over_a_large_workspace_answers_from_what_was_read_ahead(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(build(settings)) as parts:
        ingest(parts, folder)
    monkeypatch.setattr("copilot.store.frames.read", lambda *_: pytest.fail("it was read again"))
    with served(settings, "http://127.0.0.1") as app:
        client = TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50000))
        found = client.get("/v1/search", params={"q": "How do I compact folders?"}).json()
    assert "compact-folders" in [one["document_id"] for one in found["results"]]
