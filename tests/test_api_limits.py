from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from copilot.build import Parts
from tests.conftest import client_of

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def small(company: Parts) -> Iterator[TestClient]:
    """A client of a server that takes 1,000 bytes, and files of 2,000."""
    settings = company.settings.model_copy(update={"max_body_bytes": 1000, "max_file_bytes": 2000})
    with client_of(replace(company, settings=settings)) as made:
        yield made


def chunks(total: int) -> Iterator[bytes]:
    for _ in range(total // 100):
        yield b" " * 100


def test_a_long_body_is_refused_by_its_header_before_it_is_read(small: TestClient) -> None:
    answer = small.post("/v1/suggestions", content=b" " * 1001, headers=JSON)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert "1000" in answer.json()["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_long_body_that_does_not_say_its_length_is_refused_where_it_passes_the_limit(small: TestClient) -> None:
    answer = small.post("/v1/suggestions", content=chunks(5000), headers=JSON)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_at_the_limit_is_read(small: TestClient) -> None:
    assert small.post("/v1/suggestions", content=b" " * 1000, headers=JSON).status_code == 400
    assert small.post("/v1/suggestions", content=chunks(1000), headers=JSON).status_code == 400


def test_a_length_that_is_no_number_is_not_trusted(small: TestClient) -> None:
    for length in ("-1", "1e9", "٣", "9" * 5000):
        answer = small.post(
            "/v1/suggestions",
            content=chunks(5000),
            headers={b"Content-Type": b"application/json", b"Content-Length": length.encode()},
        )
        assert answer.status_code == 413


def test_a_compressed_body_is_refused_with_what_to_do(small: TestClient) -> None:
    body = gzip.compress(b'{"conversation": {"messages": [{"text": "How do I compact a folder?"}]}}')
    answer = small.post("/v1/suggestions", content=body, headers={**JSON, "Content-Encoding": "gzip"})
    assert answer.status_code == 415
    assert "without Content-Encoding" in answer.json()["detail"]
    assert answer.headers["accept-encoding"] == "identity"
    plain = small.post("/v1/suggestions", content=b"{}", headers={**JSON, "Content-Encoding": "identity"})
    assert plain.status_code == 422


def test_files_have_a_limit_of_their_own(small: TestClient) -> None:
    assert small.post("/v1/documents", files={"file": ("a.md", b"x" * 2001)}).status_code == 413
    assert small.post("/v1/documents", files={"file": ("a.md", b"x" * 60_000)}).status_code == 413
    assert small.post("/v1/documents", files={"file": ("a.exe", b"x" * 1500)}).status_code == 422


def test_a_megabyte_in_one_message_is_a_413_and_not_a_wait(client: TestClient) -> None:
    body = {"conversation": {"messages": [{"text": "folder " * 150_000}]}}
    assert client.post("/v1/suggestions", json=body).status_code == 413
