"""Jobs that are told to stop, and go on again: at a terminal, over HTTP, and through a crash."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer import Typer
from typer.testing import CliRunner

from copilot import job_commands
from copilot.build import Parts
from copilot.errors import Cancelled, Conflict, InputError, NotFound
from copilot.jobs import JobThread
from copilot.store.jobs import Job
from copilot.store.sources import Sources
from ingest.pipeline import ingest_job
from ingest.progress import reporter
from ingest.sync import Syncer
from ingest.verify import verify
from tests.conftest import client_of
from tests.test_ingest_sync import DOCS, PAGES, Listed

W = "default"


@pytest.fixture
def door(parts: Parts) -> Iterator[TestClient]:
    with client_of(parts) as made:
        yield made


def many(folder: Path, count: int = 40) -> Path:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        words = f"# Page {number}\n\nThe kettle of type {number} boils in {number} minutes and {number} seconds."
        (folder / f"p{number:02}.md").write_text(words, encoding="utf-8")
    return folder


def after(looks: int) -> Callable[[int, int], None]:
    """Progress that is told to stop after so many documents."""

    def told(done: int, total: int) -> None:
        if done == looks:
            raise Cancelled("stop")

    return told


def ids(parts: Parts) -> list[str]:
    return sorted(one.id for one in parts.ledger.known(W, DOCS.root).values())


def endless_job() -> tuple[list[str], Callable[[Parts, Job, Callable[[dict[str, Any]], None]], dict[str, Any]]]:
    """The ids of the jobs that were begun, and a handler that never ends by itself."""
    begun: list[str] = []

    def endless(parts: Parts, job: Job, progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        begun.append(job.id)
        while True:
            progress({"done": 1, "total": None, "rate": 1.0, "eta_seconds": None})
            time.sleep(0.01)

    return begun, endless


def test_a_job_that_waits_is_cancelled_at_once_and_never_begins(parts: Parts, door: TestClient) -> None:
    job = parts.jobs.add(W, "ingest", {"paths": []})
    answer = door.post(f"/v1/jobs/{job.id}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert "copilot jobs resume" in answer.json()["error"]
    assert parts.jobs.claim() is None
    assert door.post(f"/v1/jobs/{job.id}/cancel").json() == answer.json(), "twice is once"
    with door.stream("GET", f"/v1/jobs/{job.id}/events") as events:
        assert next(events.iter_lines()) == "event: cancelled"


def test_a_cancelled_sync_keeps_what_was_read_whole_and_goes_on_from_there(parts: Parts) -> None:
    Sources(parts.database).add(DOCS)
    with pytest.raises(Cancelled):
        Syncer(parts).sync(DOCS, connector=Listed(*PAGES), progress=after(7))
    assert ids(parts) == [raw.origin for raw in PAGES[:7]], "all seven, though no batch was full"
    assert verify(parts).clean
    made = Syncer(parts).sync(DOCS, connector=Listed(*PAGES))
    assert (made.unchanged, made.added, made.embedded) == (7, 13, 13)


def test_a_cancelled_sync_retires_nothing(parts: Parts) -> None:
    from copilot.ports import Whole

    Sources(parts.database).add(DOCS)
    Syncer(parts).sync(DOCS, connector=Listed(*PAGES, Whole()))
    with pytest.raises(Cancelled):
        Syncer(parts).sync(DOCS, connector=Listed(*PAGES[10:], Whole()), progress=after(3))
    assert len(ids(parts)) == 20


def test_a_walk_over_pages_that_did_not_change_can_be_stopped_too(parts: Parts) -> None:
    from copilot.ports import Kept

    Sources(parts.database).add(DOCS)
    told: list[int] = []

    def stop(done: int, total: int) -> None:
        told.append(done)
        after(2)(done, total)

    with pytest.raises(Cancelled):
        Syncer(parts).sync(DOCS, connector=Listed(PAGES[0], *(Kept(raw.origin) for raw in PAGES[1:])), progress=stop)
    assert (told, ids(parts)) == ([1, 2], ["p00"])


def test_a_cancelled_ingest_is_resumed_without_reading_anything_twice(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = many(tmp_path / "docs")
    monkeypatch.setattr("ingest.progress.REPORT_SECONDS", 0.0)
    job = parts.jobs.add(W, "ingest", {"paths": [str(folder)]})
    thread = JobThread(parts)

    def stopping(parts: Parts, job: Job, progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        def told(far: dict[str, Any]) -> None:
            if far["done"] == 5:
                parts.jobs.cancel(W, job.id)
            progress(far)

        return ingest_job(parts, job, told)

    thread._handlers["ingest"] = stopping
    running = parts.jobs.claim()
    assert running is not None
    thread._run(running)
    stopped = parts.jobs.get(W, job.id)
    assert (stopped.state, stopped.cancelling, stopped.result) == ("cancelled", False, None)
    assert len(parts.ledger.known(W, str(folder))) == 5
    parts.jobs.resume(W, job.id)
    thread._handlers["ingest"] = ingest_job
    running = parts.jobs.claim()
    assert running is not None
    thread._run(running)
    done = parts.jobs.get(W, job.id)
    assert done.result is not None
    assert (done.state, done.error, done.result["unchanged"], done.result["added"]) == ("done", None, 5, 35)


def test_a_running_job_is_told_over_http_and_stops(parts: Parts, door: TestClient) -> None:
    thread = JobThread(parts)
    begun, endless = endless_job()

    thread._handlers["sync"] = endless
    job = parts.jobs.add(W, "sync", {"source": None})
    thread.start()
    until(lambda: bool(begun))
    assert door.post(f"/v1/jobs/{job.id}/cancel").json()["cancelling"] is True
    until(lambda: parts.jobs.get(W, job.id).state == "cancelled")
    again = door.post(f"/v1/jobs/{job.id}/resume")
    assert again.status_code == 202
    until(lambda: len(begun) == 2)
    thread.stop()
    assert parts.jobs.get(W, job.id).state == "queued", "a server that ends leaves it to the next one"


def until(holds: Callable[[], bool]) -> None:
    for _ in range(400):
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError("it never came to be")


def test_after_a_crash_a_job_goes_on_by_itself_unless_it_had_been_told_to_stop(parts: Parts) -> None:
    first, second = (parts.jobs.add(W, "sync", {"source": name}) for name in ("a", "b"))
    parts.jobs.claim(), parts.jobs.claim()
    parts.jobs.cancel(W, second.id)
    parts.jobs.requeue()
    assert [parts.jobs.get(W, job.id).state for job in (first, second)] == ["queued", "cancelled"]


@pytest.mark.parametrize("state", ["done", "failed"])
def test_what_is_over_cannot_be_cancelled(parts: Parts, door: TestClient, state: str) -> None:
    job = parts.jobs.add(W, "ingest", {"paths": []})
    parts.jobs.finish(job.id, {}, "broken" if state == "failed" else None)
    assert door.post(f"/v1/jobs/{job.id}/cancel").status_code == 409
    resumed = door.post(f"/v1/jobs/{job.id}/resume").status_code
    assert resumed == (202 if state == "failed" else 409)


@pytest.mark.parametrize("kind", ["compact", "repair", "erase", "remove-source"])
def test_work_that_must_not_be_half_done_runs_to_its_end(parts: Parts, kind: str) -> None:
    job = parts.jobs.add(W, kind, {})
    parts.jobs.claim()
    with pytest.raises(Conflict, match="runs to its end"):
        parts.jobs.cancel(W, job.id)


def test_another_workspaces_job_is_neither_cancelled_nor_resumed(parts: Parts, door: TestClient) -> None:
    job = parts.jobs.add("other", "ingest", {"paths": []})
    for verb in ("cancel", "resume"):
        assert door.post(f"/v1/jobs/{job.id}/{verb}").status_code == 404
    assert parts.jobs.get("other", job.id).state == "queued"


def test_an_agents_key_stops_nothing(parts: Parts, door: TestClient) -> None:
    _, secret = parts.accounts.create(W, ["agent"])
    job = parts.jobs.add(W, "ingest", {"paths": []})
    answer = door.post(f"/v1/jobs/{job.id}/cancel", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 403


def test_the_same_sync_is_asked_for_once(parts: Parts) -> None:
    first = parts.jobs.add_once(W, "sync", {"source": "a"})
    assert parts.jobs.add_once(W, "sync", {"source": "a"}).id == first.id
    assert parts.jobs.add_once(W, "sync", {"source": "b"}).id != first.id
    parts.jobs.claim()
    parts.jobs.cancel(W, first.id)
    assert parts.jobs.add_once(W, "sync", {"source": "a"}).id != first.id, "one that is about to stop is none"


def test_progress_tells_the_rate_of_late_and_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 1.1, 2.0, 5.0, 6.0])
    monkeypatch.setattr("ingest.progress.perf_counter", lambda: next(clock))
    told: list[dict[str, Any]] = []
    report = reporter(told.append)
    for done, total in ((10, 100), (11, 100), (20, 100), (3, 0), (10, 10)):
        report(done, total)
    assert told[0] == {"done": 10, "total": 100, "rate": 10.0, "eta_seconds": 9}
    assert told[1] == {"done": 20, "total": 100, "rate": 10.0, "eta_seconds": 8}, "the one between came too soon"
    assert told[2] == {"done": 10, "total": 10, "rate": 10.0, "eta_seconds": 0}, "the next source has its own pace"


def test_jobs_are_listed_cancelled_and_resumed_at_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from copilot.store.database import Database
    from copilot.store.jobs import Jobs

    monkeypatch.setenv("COPILOT_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    jobs = Jobs(Database(f"sqlite:///{tmp_path}/home/copilot.db"))
    job = jobs.add(W, "sync", {"source": "docs"})
    jobs.progress(job.id, {"done": 3, "total": None, "rate": 1.0, "eta_seconds": None})
    app, run = Typer(), CliRunner().invoke
    job_commands.register(app)
    app.command("other")(lambda: None)
    assert "3/?" in run(app, ["jobs"]).output
    assert "is cancelled" in run(app, ["jobs", "cancel", job.id[:8]]).output
    (listed,) = json.loads(run(app, ["jobs", "--json"]).output)
    assert listed["state"] == "cancelled"
    assert "goes on" in run(app, ["jobs", "resume", job.id[:8]]).output
    assert jobs.get(W, job.id).state == "queued"
    with pytest.raises(NotFound):
        jobs.find(W, "none")
    jobs.add(W, "sync", {})
    with pytest.raises(InputError, match="Several"):
        jobs.find(W, "")
    done = jobs.add(W, "ingest", {})
    jobs.progress(done.id, {"done": 2, "total": 19, "rate": 1.0, "eta_seconds": 8})
    jobs.finish(done.id, {}, None)
    assert "8 s left" not in run(app, ["jobs"]).output, "nothing is left of what is done"


def test_an_upload_that_was_cancelled_can_still_be_resumed(parts: Parts, door: TestClient) -> None:
    sent = door.post("/v1/documents", files={"file": ("valve.md", b"# Valve\n\nTurn the red lever to the right.")})
    id = sent.json()["id"]
    door.post(f"/v1/jobs/{id}/cancel")
    door.post(f"/v1/jobs/{id}/resume")
    job = parts.jobs.claim()
    assert job is not None
    assert ingest_job(parts, job, lambda progress: None)["added"] == 1


def uploaded(parts: Parts, door: TestClient, pages: int = 1) -> tuple[str, Path]:
    """An upload that waits for its job: the job's id, and the file."""
    rows = [
        {"doc_id": f"d{at}", "title": f"Valve {at}", "text": f"Turn lever {at} to the right."} for at in range(pages)
    ]
    file = ("valves.jsonl", "\n".join(map(json.dumps, rows)).encode())
    id: str = door.post("/v1/documents", files={"file": file}, data={"kind": "article"}).json()["id"]
    return id, Path(parts.jobs.get(W, id).payload["paths"][0])


def test_an_upload_whose_job_is_cancelled_while_it_runs_leaves_no_file_and_is_asked_for_again(
    parts: Parts, door: TestClient
) -> None:
    id, file = uploaded(parts, door)
    thread = JobThread(parts)

    def stopping(parts: Parts, job: Job, progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        parts.jobs.cancel(W, job.id)
        progress({"done": 1, "total": None, "rate": 1.0, "eta_seconds": None})
        raise AssertionError("it was told to stop")

    thread._handlers["ingest"] = stopping
    thread.start()
    until(lambda: parts.jobs.get(W, id).state == "cancelled")
    until(lambda: not file.parent.exists())
    thread._handlers["ingest"] = ingest_job
    parts.jobs.resume(W, id)
    until(lambda: parts.jobs.get(W, id).state == "failed")
    thread.stop()
    error = parts.jobs.get(W, id).error or ""
    assert "Upload it again" in error
    assert str(parts.settings.home) not in error


def test_a_server_that_ends_keeps_the_upload_that_it_was_reading(parts: Parts, door: TestClient) -> None:
    id, file = uploaded(parts, door)
    thread = JobThread(parts)
    begun, endless = endless_job()

    thread._handlers["ingest"] = endless
    thread.start()
    until(lambda: bool(begun))
    thread.stop()
    assert (parts.jobs.get(W, id).state, file.exists()) == ("queued", True)


def test_the_next_start_drops_uploads_that_no_job_waits_for(parts: Parts, door: TestClient) -> None:
    (cancelled, gone), (_, waits) = uploaded(parts, door), uploaded(parts, door)
    door.post(f"/v1/jobs/{cancelled}/cancel")
    left, coming = waits.parent.parent / "left", waits.parent.parent / "coming"
    for folder, age in ((left, 3600), (coming, 5)):
        folder.mkdir()
        (folder / "raw.jsonl").write_text("words", encoding="utf-8")
        os.utime(folder, (time.time() - age,) * 2)
    thread = JobThread(parts)
    thread._stopping.set()  # it begins, and does no job
    thread.start()
    thread.stop()
    assert [file.exists() for file in (gone, waits, left, coming)] == [False, True, False, True]
