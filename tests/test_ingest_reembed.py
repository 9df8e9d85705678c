"""Another embedding model fills a shadow, and takes over when it is whole; vectors of two models never meet."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
from sqlalchemy import select

from copilot import crash, retrieve
from copilot.build import Parts, build, model_of, successor
from copilot.errors import ConfigurationError, IndexMismatch, InputError
from copilot.retrieve import Query
from copilot.settings import Settings
from copilot.store import schema as t
from copilot.store.contents import Contents
from copilot.store.frames import Frames
from copilot.store.jobs import Job
from copilot.store.makers import Makers
from copilot.store.values import now
from ingest import reembed
from ingest.compact import compact
from ingest.verify import verify
from tests.conftest import ADMIN, AGENT, asks, ingest
from tests.test_ingest_repair import found

NARROW = {"window": 40}
"""The same weights that read less of each text: another model, with other vectors, that costs no download."""


class Killed(BaseException):
    """Stands for the end of the process."""


def other_of(parts: Parts) -> Parts:
    return successor(parts, parts.settings.model_copy(update=NARROW))


def killed_at(point: str, visit: int = 1) -> None:
    visits = [0]

    def hook(name: str) -> None:
        visits[0] += name == point
        if name == point and visits[0] == visit:
            raise Killed

    crash.install(hook)


@pytest.fixture(autouse=True)
def alive(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(reembed, "PAGE", 3)
    yield
    crash.install(None)


def vectors_of(parts: Parts) -> dict[tuple[str, str], bytes]:
    with parts.database.read() as connection:
        return {(row.embedder, row.hash): row.vector for row in connection.execute(t.vectors.select())}


def test_after_a_change_of_the_model_the_index_is_what_the_new_model_makes_of_it(
    filled: Parts, folder: Path, tmp_path: Path
) -> None:
    before = found(filled, "reset my password")
    seen: list[tuple[int, int]] = []
    done = reembed.reembed(filled, other_of(filled), lambda at, all: seen.append((at, all)))
    assert (done.texts, done.embedded) == (seen[-1][1], seen[-1][0])
    assert found(filled, "reset my password") == before
    assert verify(filled).problems == []
    assert {maker for maker, _ in vectors_of(filled)} == {filled.embedder.fingerprint}
    fresh = build(Settings(home=tmp_path / "fresh"))
    ingest(fresh, folder)
    mine = {hash: np.frombuffer(vector, "<f4") for (_, hash), vector in vectors_of(filled).items()}
    theirs = {hash: np.frombuffer(vector, "<f4") for (_, hash), vector in vectors_of(fresh).items()}
    assert mine.keys() == theirs.keys()
    assert min(float(mine[hash] @ theirs[hash]) for hash in mine) < 0.99, (
        "the vectors are another model's: this can fail"
    )
    fresh.close()


def test_what_is_too_long_for_the_new_model_is_cut_anew_by_the_next_ingest(filled: Parts, folder: Path) -> None:
    done = reembed.reembed(filled, other_of(filled))
    assert done.recut > 0
    with filled.database.read() as connection:
        assert "" in connection.execute(select(t.documents.c.fingerprint)).scalars().all()
    assert ingest(filled, folder).changed > 0
    assert ingest(filled, folder).unchanged > 0
    assert verify(filled).problems == []


def test_readers_see_the_old_until_the_new_is_whole(filled: Parts) -> None:
    old, texts = filled.embedder.fingerprint, ("reset my password", "compact folders to free disk space")
    expected = [found(filled, text) for text in texts]
    for point in ("reembed.begun", "reembed.page", "reembed.filled", "reembed.twin", "reembed.inside"):
        killed_at(point)
        with pytest.raises(Killed):
            reembed.reembed(filled, other_of(filled))
        crash.install(None)
        assert filled.embedder.fingerprint == old
        assert [found(filled, text) for text in texts] == expected
        assert verify(filled).problems == [], "a shadow is nothing wrong"


def test_cut_off_it_goes_on_where_it_was(filled: Parts) -> None:
    all = len(vectors_of(filled))
    killed_at("reembed.page", 2)
    with pytest.raises(Killed):
        reembed.reembed(filled, other_of(filled))
    crash.install(None)
    seen: list[tuple[int, int]] = []
    done = reembed.reembed(filled, other_of(filled), lambda at, total: seen.append((at, total)))
    assert done.embedded == all - 6
    assert seen == [(all, all)], "progress counts what was there"


def test_while_it_runs_readers_get_answers_and_no_error(filled: Parts) -> None:
    stop, errors, counts = Event(), list[BaseException](), [0]

    def read() -> None:
        while not stop.is_set():
            try:
                hits = filled.copilot.search(ADMIN, Query(text="reset my password")).results
                assert hits[0].document_id == "reset-password"
                assert filled.copilot.suggest(AGENT, asks("How do I reset my password?")).draft is not None
                counts[0] += 1
            except BaseException as error:
                errors.append(error)

    readers = [Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        original = filled.settings
        reembed.reembed(filled, other_of(filled))
        reembed.reembed(filled, successor(filled, original))
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert errors == []
    assert counts[0] > 0


@pytest.mark.parametrize("point", ["reembed.switched", "reembed.adopted"])
def test_cut_off_between_ledger_and_index_nothing_is_mixed_and_the_next_ingest_ends_it(
    filled: Parts, folder: Path, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieve, "SCANNED", 0)  # the approximate index would be asked
    before = found(filled, "reset my password")
    killed_at(point)
    with pytest.raises(Killed):
        reembed.reembed(filled, other_of(filled))
    crash.install(None)
    filled.close()
    again = build(filled.settings.model_copy(update={"window": 256}))
    assert again.embedder.fingerprint.endswith(f"-{NARROW['window']}"), "the model that made the vectors is in force"
    assert found(again, "reset my password") == before
    assert any("before the vector index followed" in problem for problem in verify(again).problems)
    ingest(again, folder)
    assert verify(again).problems == []
    assert found(again, "reset my password") == before
    again.close()


def test_a_setting_is_a_wish_until_it_is_fulfilled(
    filled: Parts, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old, wish = filled.embedder.fingerprint, filled.settings.model_copy(update=NARROW)
    filled.close()
    again = build(wish)
    assert again.embedder.fingerprint == old
    assert "stays until `copilot reembed`" in caplog.text
    assert ingest(again, folder).unchanged == 5, "nothing is mixed: the model that made the index goes on"
    result = reembed.reembed_job(again, job(**NARROW), lambda progress: None)
    again.close()
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        new = build(wish)
        assert new.embedder.fingerprint != old
        assert caplog.text == ""
        assert result["model"] == str(model_of(wish))
    new.close()


def job(**payload: object) -> Job:
    return Job(
        id="", workspace="default", kind="reembed", payload=dict(payload), state="running", progress={}, result=None, error=None,
        created_at=now(), finished_at=None,
    )  # fmt: skip


def test_the_way_back_drops_the_shadow(filled: Parts) -> None:
    killed_at("reembed.page")
    with pytest.raises(Killed):
        reembed.reembed(filled, other_of(filled))
    crash.install(None)
    assert len({maker for maker, _ in vectors_of(filled)}) == 2
    assert reembed.reembed(filled, successor(filled, filled.settings)).embedded == 0
    assert {maker for maker, _ in vectors_of(filled)} == {filled.embedder.fingerprint}
    assert verify(filled).problems == []


def test_deleted_words_leave_the_shadow_too(filled: Parts) -> None:
    from ingest.pipeline import Indexer

    killed_at("reembed.filled")
    with pytest.raises(Killed):
        reembed.reembed(filled, other_of(filled))
    crash.install(None)
    before = vectors_of(filled)
    Indexer(filled).retire("default", ["reset-password"])
    gone = before.keys() - vectors_of(filled).keys()
    assert {maker for maker, _ in gone} == {filled.embedder.fingerprint, other_of(filled).embedder.fingerprint}
    reembed.reembed(filled, other_of(filled))
    assert "reset-password" not in found(filled, "reset my password")
    compact(filled)
    assert verify(filled).problems == []


def test_vectors_of_two_models_are_never_compared(filled: Parts) -> None:
    with pytest.raises(IndexMismatch, match="copilot reembed"):
        Frames(filled.database, "another-model", most=100).at("default")
    assert not Frames(filled.database, "another-model", most=100).in_step("default")


def test_a_model_that_cannot_be_loaded_changes_nothing(filled: Parts) -> None:
    with pytest.raises(ConfigurationError, match="COPILOT_ENGINE=torch"):
        reembed.reembed_job(filled, job(embedder="no-such-model"), lambda progress: None)
    with pytest.raises(InputError, match="named by"):
        reembed.reembed_job(filled, job(engine="steam"), lambda progress: None)
    assert "reset-password" in found(filled, "reset my password")
    assert Makers(filled.database).made_all(filled.embedder.fingerprint)


def test_the_new_models_chunks_are_all_held(filled: Parts) -> None:
    ids = {id for held in Contents(filled.database, filled.embedder.fingerprint).held().values() for id in held}
    reembed.reembed(filled, other_of(filled))
    after = {id for held in Contents(filled.database, filled.embedder.fingerprint).held().values() for id in held}
    assert after == ids
