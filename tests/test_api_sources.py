"""Sources over HTTP: what may be added from afar, and what a sync does as a job."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from copilot.build import Parts
from copilot.jobs import JobThread
from copilot.store import schema as t
from copilot.store.jobs import Job
from copilot.store.sources import Sources, Upstream
from copilot.store.values import now
from ingest.schedule import Schedule
from ingest.sync import sync_job
from tests.conftest import client_of
from tests.servers import Server, html, serving

WEB = {"id": "help", "connector": "web", "address": "https://help.example/"}


@pytest.fixture
def desk(parts: Parts) -> Iterator[TestClient]:
    with client_of(parts) as client:
        yield client


@pytest.fixture
def manager(parts: Parts, desk: TestClient) -> dict[str, str]:
    _, secret = parts.accounts.create("default", ["knowledge_manager"])
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def site(parts: Parts) -> Iterator[Server]:
    """A page, and the source that the operator of the server added for it."""
    with serving() as server:
        server.answers["/"] = html("<html><main><h1>Kettle</h1><p>Press the button for five seconds.</p></main></html>")
        options = {"private_host": "127.0.0.1", "delay": "0"}
        made = Upstream(workspace="default", id="site", connector="web", address=server.url + "/", options=options)
        Sources(parts.database).add(made)
        yield server


def work(parts: Parts) -> list[dict[str, Any]]:
    """What the job thread does, here and now."""
    results = []
    while job := parts.jobs.claim():
        results.append(json.loads(json.dumps(sync_job(parts, job, lambda progress: None))))
        parts.jobs.finish(job.id, results[-1], None)
    return results


def test_a_source_is_added_shown_and_removed(desk: TestClient) -> None:
    made = desk.post("/v1/sources", json={**WEB, "options": {"max_pages": "10"}, "every_minutes": 60})
    assert (made.status_code, made.json()["options"], made.json()["outcome"]) == (201, {"max_pages": "10"}, None)
    assert desk.get("/v1/sources/help").json() == made.json()
    assert [one["id"] for one in desk.get("/v1/sources").json()["sources"]] == ["help"]
    assert desk.post("/v1/sources", json=WEB).status_code == 409
    assert desk.delete("/v1/sources/help").status_code == 204
    assert desk.get("/v1/sources/help").status_code == 404


@pytest.mark.usefixtures("site")
def test_a_sync_is_a_job_and_removal_takes_the_documents(desk: TestClient, parts: Parts) -> None:
    asked = desk.post("/v1/sources/site/sync", json={})
    assert asked.status_code == 202
    assert desk.post("/v1/sources/site/sync", json={}).json()["id"] == asked.json()["id"], "one of it is enough"
    assert [result["added"] for result in work(parts)] == [1]
    job = desk.get(f"/v1/jobs/{asked.json()['id']}").json()
    assert (job["state"], job["result"]["added"]) == ("done", 1)
    assert desk.get("/v1/sources/site").json()["outcome"]["added"] == 1
    assert desk.get("/v1/documents/site/").json()["document"]["title"] == "Kettle"
    assert desk.delete("/v1/sources/site").status_code == 204
    assert desk.get("/v1/documents/site/").status_code == 404
    assert desk.get("/v1/search", params={"q": "kettle button"}).json()["results"] == []


@pytest.mark.usefixtures("site")
def test_a_dry_run_changes_nothing(desk: TestClient, parts: Parts) -> None:
    desk.post("/v1/sources/site/sync", json={"dry_run": True})
    assert [result["added"] for result in work(parts)] == [1]
    assert desk.get("/v1/sources/site").json()["outcome"] is None
    assert parts.ledger.known("default", "source:site") == {}


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"connector": "files", "address": "/etc"}, 403),
        ({"options": {"private_host": "10.0.0.1"}}, 403),
        ({"connector": "fax"}, 422),
        ({"options": {"mood": "good"}}, 422),
        ({"address": "ftp://help.example"}, 422),
        ({"address": "https://me:secret@help.example"}, 422),
        ({"credentials": "env:AWS_SECRET_ACCESS_KEY"}, 422),
        ({"credentials": "file:/etc/shadow"}, 422),
        ({"credentials": "hunter2"}, 422),
        ({"id": "../etc"}, 422),
        ({"surprise": 1}, 422),
    ],
)
def test_what_would_open_the_server_is_refused(desk: TestClient, wrong: dict[str, Any], status: int) -> None:
    answer = desk.post("/v1/sources", json={**WEB, **wrong})
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert desk.get("/v1/sources").json()["sources"] == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8080", "10.0.0.7", "[::1]", "169.254.169.254"])
def test_an_address_inside_the_network_is_refused_when_it_is_added(desk: TestClient, host: str) -> None:
    answer = desk.post("/v1/sources", json={**WEB, "address": f"http://{host}/"})
    assert answer.status_code == 422
    assert "inside a private network. If that is meant, add the source on the command line" in answer.json()["detail"]
    assert desk.get("/v1/sources").json()["sources"] == []


def test_a_name_server_that_hangs_keeps_no_source_from_being_added(
    desk: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = Event()
    monkeypatch.setattr("ingest.fetch.LOOKUP_SECONDS", 0.1)
    monkeypatch.setattr("ingest.fetch.socket.getaddrinfo", lambda *args, **kwargs: go_on.wait(20) and [])
    assert desk.post("/v1/sources", json=WEB).status_code == 201
    assert not go_on.is_set()
    go_on.set()


def test_only_an_admin_names_credentials(desk: TestClient, manager: dict[str, str]) -> None:
    body = {**WEB, "credentials": "env:COPILOT_SOURCE_HELP"}
    assert desk.post("/v1/sources", json=body, headers=manager).status_code == 403
    assert desk.post("/v1/sources", json=WEB, headers=manager).status_code == 201


def test_another_teams_or_workspaces_source_is_not_there(
    desk: TestClient, parts: Parts, manager: dict[str, str]
) -> None:
    for workspace, id, audience in (("default", "theirs", "team:legal"), ("other", "far", None)):
        Sources(parts.database).add(
            Upstream(workspace=workspace, id=id, connector="web", address="https://a.example/", audience=audience)
        )
    assert desk.get("/v1/sources", headers=manager).json()["sources"] == []
    for id in ("theirs", "far", "none"):
        assert desk.get(f"/v1/sources/{id}", headers=manager).status_code == 404
        assert desk.delete(f"/v1/sources/{id}", headers=manager).status_code == 404
        assert desk.post(f"/v1/sources/{id}/sync", json={}, headers=manager).status_code == 404
    answer = desk.post("/v1/sources", json={**WEB, "audience": "team:legal"}, headers=manager)
    assert answer.status_code == 403


def waiting(parts: Parts) -> list[Job]:
    """The syncs that wait, once the clock has had its say."""
    for _ in range(100):
        if jobs := parts.jobs.list("default"):
            time.sleep(0.1)  # for one too many
            return [job for job in jobs if not job.finished]
        time.sleep(0.02)
    return []


def test_what_is_due_is_synced_once_however_many_runs_were_missed(parts: Parts) -> None:
    """The server was down for three days of an hourly source: one run catches up, and the next is due an hour after it."""
    sources = Sources(parts.database)
    hourly = Upstream(workspace="default", id="h", connector="web", address="https://a.example/", every_minutes=60)
    sources.add(hourly)
    sources.add(Upstream(workspace="default", id="by-hand", connector="web", address="https://b.example/"))
    with parts.database.write() as connection:
        connection.execute(update(t.sources).values(started_at=now() - timedelta(days=3)))
    schedule = Schedule(parts)
    schedule.start()
    (first,) = waiting(parts)
    assert (first.kind, first.payload["source"]) == ("sync", "h")
    schedule.look()
    assert [job.id for job in waiting(parts)] == [first.id], "it waits already"
    sources.started(hourly)
    parts.jobs.finish(first.id, {}, None)
    schedule.look()
    assert waiting(parts) == []
    schedule.stop()


def test_a_row_that_cannot_be_timed_stops_no_other_and_no_watch(
    parts: Parts, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sources = Sources(parts.database)
    for id in ("bad", "good"):
        sources.add(
            Upstream(workspace="default", id=id, connector="web", address="https://a.example/", every_minutes=1)
        )
    sources.add(
        Upstream(workspace="default", id="docs", connector="files", address=str(folder), options={"watch": "true"})
    )
    with parts.database.write() as connection:
        connection.execute(update(t.sources).where(t.sources.c.id == "bad").values(every_minutes=99_999_999_999_999))
    schedule = Schedule(parts)
    schedule.start()
    until(lambda: {job.payload["source"] for job in waiting(parts)} == {"good", "docs"})
    schedule.look()
    assert caplog.text.count("default/bad cannot be synced at its interval") == 1
    schedule.stop()


def test_a_source_that_was_removed_is_not_due_any_more(parts: Parts) -> None:
    sources = Sources(parts.database)
    sources.add(Upstream(workspace="default", id="h", connector="web", address="https://a.example/", every_minutes=1))
    schedule = Schedule(parts)
    schedule.start()
    (first,) = waiting(parts)
    parts.jobs.finish(first.id, {}, None)
    sources.remove("default", "h")
    schedule.look()
    assert [job.id for job in schedule.clock.get_jobs()] == ["look"]
    schedule.stop()


def test_a_watched_folder_of_a_running_server_is_synced_when_a_file_in_it_changes(parts: Parts, folder: Path) -> None:
    Sources(parts.database).add(
        Upstream(workspace="default", id="docs", connector="files", address=str(folder), options={"watch": "true"})
    )
    schedule, thread = Schedule(parts), JobThread(parts)
    schedule.start()
    thread.start()
    until(lambda: len(parts.ledger.known("default", "source:docs")) == 5)
    (folder / "new.md").write_text("# New\n\nThe lamp blinks twice when it is charged.", encoding="utf-8")
    until(lambda: "new.md" in parts.ledger.known("default", "source:docs"))
    schedule.stop()
    thread.stop()


def until(holds: Callable[[], bool]) -> None:
    for _ in range(400):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it never came to be")
