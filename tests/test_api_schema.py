"""Schemathesis: whatever the OpenAPI description allows, and what it does not, is answered without a fault and as described."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import create_app
from api.auth import ROLES
from api.routes import inbox
from copilot.build import Parts
from copilot.store.records import CONVERSATION
from copilot.store.sources import Sources, Upstream
from tests.conftest import AGENT

HEADERS = {"Host": "127.0.0.1", "X-Workspace": "default"}
PLAIN = ("GET /healthz", "GET /readyz", "GET /metrics")  # nothing about them can be wrong
ATTEMPTS = [(one, GenerationMode.POSITIVE) for one in (*ROLES, *PLAIN)] + [
    (one, GenerationMode.NEGATIVE) for one in ROLES
]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EVERY_EXAMPLE = settings(
    max_examples=15, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def on_this_machine(app: ASGIApp) -> ASGIApp:
    """The app, with a client that is loopback."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "client": ("127.0.0.1", 50000)}, receive, send)

    return wrapped


@pytest.fixture(scope="module")
def described(company: Parts) -> Any:
    return schemathesis.openapi.from_asgi(
        "/openapi.json", on_this_machine(create_app(company, lambda workspace, ids: None))
    )


@pytest.fixture(autouse=True)
def short_news(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream of news ends at once instead of after ten minutes."""
    monkeypatch.setattr(inbox, "STREAM_SECONDS", 0.0)


@pytest.fixture(scope="module")
def known(company: Parts) -> dict[str, str]:
    """Ids that exist, by their parameter's name: invented ones are all 404."""
    kept = CONVERSATION.validate_python({"id": "known", "messages": [{"text": "How do I compact a folder?"}]})
    company.records.keep_conversation("default", kept)
    made = company.copilot.suggest(AGENT, kept)
    job = company.jobs.add("default", "ingest", {"paths": []})
    company.jobs.finish(job.id, {}, None)
    run = company.jobs.add("default", "evaluate", {"suite": "demo", "changes": []})
    company.jobs.finish(run.id, {}, None)
    folder = company.settings.home / "eval" / "runs" / run.id
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("<!DOCTYPE html>", encoding="utf-8")
    (folder / "results.json").write_text("{}", encoding="utf-8")
    (folder / "findings.json").write_text("[]", encoding="utf-8")
    kept_case = '{"id": "known", "case": {}, "suggestion": {}, "ranked": {}, "rows": {}}'
    (folder / "cases.jsonl").write_text(kept_case, encoding="utf-8")
    Sources(company.database).add(
        Upstream(workspace="default", id="known", connector="web", address="https://help.example/")
    )
    return {
        "conversation_id": "known", "suggestion_id": made.id, "document_id": "compact-folders", "job_id": job.id,
        "source_id": "known", "evaluation_id": run.id, "case_id": "known", "customer_id": "known",
    }  # fmt: skip


@pytest.mark.parametrize(("operation", "mode"), ATTEMPTS)
def test_no_request_is_a_fault_of_the_server(
    described: Any, known: dict[str, str], operation: str, mode: GenerationMode
) -> None:
    method, path = operation.split()
    answered: list[int] = []

    @EVERY_EXAMPLE
    @given(case=described[path][method].as_strategy(generation_mode=mode), exists=st.booleans())
    def attempt(case: Any, exists: bool) -> None:
        if exists and isinstance(case.path_parameters, dict):
            case.path_parameters |= {name: known.get(name, given) for name, given in case.path_parameters.items()}
        answer = case.call_and_validate(headers=HEADERS, checks=CHECKS)
        answered.append(answer.status_code)

    attempt()
    assert answered
    assert max(answered) < 500
