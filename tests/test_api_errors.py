from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import pytest
from starlette.testclient import TestClient

import api.app
from api.errors import STATUS, problem_of
from copilot.build import Parts
from copilot.errors import ConfigurationError, CopilotError, IndexesOwned, NotFound
from tests.conftest import client_of

ADDRESS = "/v1/search?q=folder"
CANARY = "words-of-the-customer"


def tree(root: type[CopilotError]) -> Iterator[type[CopilotError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


def test_every_error_of_the_tree_has_a_status() -> None:
    assert api.app  # everything that defines an error is imported
    ours = {
        cls for cls in tree(CopilotError) if cls.__module__.partition(".")[0] in ("copilot", "api", "ingest", "eval")
    }
    assert ours == set(STATUS)
    assert all(400 <= HTTPStatus(status) < 600 for status in STATUS.values())


def test_a_kind_of_error_that_is_not_listed_has_the_status_of_its_parent() -> None:
    unlisted = type("Unlisted", (NotFound,), {"__module__": "tests"})
    assert problem_of(unlisted("gone"), "r").status == 404


@pytest.mark.parametrize("error", [ConfigurationError("the path /secret is wrong"), IndexesOwned("/secret is owned")])
def test_what_is_the_operators_business_is_told_to_the_log_alone(
    error: CopilotError, caplog: pytest.LogCaptureFixture
) -> None:
    problem = problem_of(error, "request-7")
    assert problem.status >= 500
    assert "secret" not in problem.detail
    assert "request-7" in problem.detail
    assert "secret" in caplog.text


class Broken:
    """A copilot that fails with a customer's words in its message."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"the customer wrote {CANARY}")


def test_an_unforeseen_error_is_a_500_that_says_nothing_and_logs_no_word_of_the_customer(
    company: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    broken: Any = Broken()
    with caplog.at_level(logging.INFO), client_of(replace(company, copilot=broken)) as client:
        answer = client.get(ADDRESS)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert CANARY not in answer.text
    assert CANARY not in caplog.text
    assert "RuntimeError" in caplog.text
    assert answer.headers["x-request-id"] in caplog.text
    assert answer.json()["instance"] == f"urn:request:{answer.headers['x-request-id']}"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("PUT", "/v1/search", 405), ("GET", "/v1/search", 422), ("GET", "/v1/jobs/nope", 404)],
)
def test_every_error_is_a_problem(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"] == HTTPStatus(status).phrase
    assert problem["detail"]
    assert None not in problem.values()


def test_a_refused_field_is_named(client: TestClient) -> None:
    body = {"conversation": {"messages": [{"text": "hello", "mood": "good"}]}, "options": {"limit": 99}}
    errors = client.post("/v1/suggestions", json=body).json()["errors"]
    assert {one["where"] for one in errors} == {"body.conversation.messages.0.mood", "body.options.limit"}


def test_a_wrong_method_is_told_which_are_right(client: TestClient) -> None:
    assert client.put("/v1/search").headers["allow"] == "GET"


HOSTILE = {
    "broken": b'{"conversation": ',
    "cut in a string": b'{"conversation": "',
    "not utf-8": b'{"conversation": "\xff\xfe"}',
    "nested": b"[" * 200_000,
    "nested objects": b'{"a":' * 200_000,
    "long number": b'{"options": {"limit": ' + b"9" * 6000 + b"}}",
    "not a number": b'{"options": {"limit": NaN}}',
    "surrogate as a name": b'{"\\ud800": 1}',
    "null": b"null",
    "empty": b"",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_json_is_refused_as_a_problem(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/suggestions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()["status"] == answer.status_code
