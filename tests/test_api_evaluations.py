"""Evaluations over HTTP: a job that the server's thread runs, its report, its comparison."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from copilot.build import Parts
from copilot.store.jobs import Job
from eval.jobs import compare_job, evaluate_job
from tests.conftest import client_of, write_company
from tests.test_eval_run import CASES, SUITE


@pytest.fixture(scope="module")
def suites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that stands for the shipped suites."""
    folder = tmp_path_factory.mktemp("suites")
    (folder / "company").mkdir()
    write_company(folder / "company")
    (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in CASES), encoding="utf-8")
    (folder / "small.yaml").write_text(SUITE, encoding="utf-8")
    return folder


@pytest.fixture
def shipped(suites: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eval.suite.FOLDER", suites)


@pytest.fixture
def desk(parts: Parts) -> Iterator[TestClient]:
    with client_of(parts) as client:
        yield client


def work(parts: Parts) -> list[dict[str, Any]]:
    """What the job thread does, here and now; the progress that it told."""
    told: list[dict[str, Any]] = []
    handlers = {"evaluate": evaluate_job, "compare": compare_job}
    while job := parts.jobs.claim():
        parts.jobs.finish(job.id, done(handlers[job.kind](parts, job, told.append)), None)
    return told


def done(result: dict[str, Any]) -> dict[str, Any]:
    """As the database keeps it."""
    kept: dict[str, Any] = json.loads(json.dumps(result))
    return kept


@pytest.mark.usefixtures("shipped")
def test_a_run_is_started_followed_read_and_compared(desk: TestClient, parts: Parts) -> None:
    started = desk.post("/v1/evaluations", json={"suite": "small"})
    assert started.status_code == 202
    id = started.json()["id"]
    assert desk.get(f"/v1/evaluations/{id}/report").status_code == 404  # not yet
    other = desk.post(
        "/v1/evaluations", json={"suite": "small", "changes": {"lexical_weight": 0.9, "resamples": 200}}
    ).json()["id"]
    told = work(parts)
    assert {"ingest", "ask", "measure", "intervals"} <= {one["stage"] for one in told}

    shown = desk.get(f"/v1/evaluations/{id}").json()
    assert shown["state"] == "done"
    assert "retrieval.article.hit@1" in [score["name"] for score in shown["result"]["scores"]]
    assert "lexical_weight=0.9" in desk.get(f"/v1/evaluations/{other}").json()["result"]["protocol"]
    results = desk.get(f"/v1/evaluations/{id}/results").json()
    assert results["protocol"]["suite"] == "small"
    assert "event: done" in desk.get(f"/v1/evaluations/{id}/events").text

    cases = desk.get(f"/v1/evaluations/{id}/cases").json()["cases"]
    assert [one["badness"] for one in cases] == sorted((one["badness"] for one in cases), reverse=True)
    assert cases[0]["faults"][0]["why"] == cases[0]["verdict"]
    worst = desk.get(f"/v1/evaluations/{id}/cases/{cases[0]['id']}").json()
    assert worst["case"]["conversation"]["messages"][0]["text"].startswith(cases[0]["asked"][:20])
    assert worst["suggestion"]["status"] == cases[0]["status"]
    assert desk.get(f"/v1/evaluations/{id}/cases/none").status_code == 404

    report = desk.get(f"/v1/evaluations/{id}/report")
    assert report.headers["content-type"].startswith("text/html")
    assert "sandbox" in report.headers["content-security-policy"]
    assert "Compact" in report.text

    compared = desk.post("/v1/evaluations/compare", json={"a": id, "b": other})
    assert compared.status_code == 202
    work(parts)
    found = desk.get(f"/v1/evaluations/{compared.json()['id']}").json()["result"]
    assert "retrieval.article.hit@1" in [one["name"] for one in found["differences"]]
    assert len(desk.get("/v1/evaluations").json()["evaluations"]) == 3


def test_another_workspaces_run_is_not_found(desk: TestClient, parts: Parts) -> None:
    job = parts.jobs.add("elsewhere", "evaluate", {"suite": "demo", "changes": []})
    for path in ("", "/events", "/report", "/results"):
        assert desk.get(f"/v1/evaluations/{job.id}{path}").status_code == 404
    assert desk.post("/v1/evaluations/compare", json={"a": job.id, "b": job.id}).status_code == 404


@pytest.mark.parametrize("id", ["0" * 32, "none", "run-7"])
def test_an_unknown_evaluation_is_not_found_however_its_id_is_written(desk: TestClient, id: str) -> None:
    for path in ("", "/events", "/report", "/results", "/cases", "/cases/one"):
        answer = desk.get(f"/v1/evaluations/{id}{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), path
    assert desk.post("/v1/evaluations/compare", json={"a": id, "b": id}).status_code == 404


def test_a_job_of_another_kind_is_no_evaluation(desk: TestClient, parts: Parts) -> None:
    job = parts.jobs.add("default", "ingest", {"paths": []})
    assert desk.get(f"/v1/evaluations/{job.id}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"suite": "../secrets"}, {"suite": "/etc/passwd.yaml"}, {"suite": "demo", "changes": {"llm_base_url": 1}},
        {"suite": "demo", "changes": {"taxonomy": 1}}, {"suite": "demo", "changes": {"lexical_weight": "x"}}, {},
    ],
)  # fmt: skip
def test_no_path_and_no_address_is_taken_from_a_request(desk: TestClient, body: dict[str, Any]) -> None:
    assert desk.post("/v1/evaluations", json=body).status_code == 422


def test_an_unknown_suite_fails_with_words_that_help(parts: Parts) -> None:
    from copilot.errors import InputError

    job = Job(
        id="0" * 32, workspace="default", kind="evaluate", payload={"suite": "none", "changes": []}, state="running", progress={},
        result=None, error=None, created_at=parts.jobs.add("default", "x", {}).created_at, finished_at=None,
    )  # fmt: skip
    with pytest.raises(InputError, match="demo"):
        evaluate_job(parts, job, lambda progress: None)
