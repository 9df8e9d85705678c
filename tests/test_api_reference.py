from __future__ import annotations

import re
from pathlib import Path

from starlette.testclient import TestClient

from api.errors import STATUS

REFERENCE = (Path(__file__).parent.parent / "docs" / "http.md").read_text(encoding="utf-8")


def test_every_route_has_its_heading_and_every_heading_its_route(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    routes = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert set(re.findall(r"^### ((?:GET|POST|PUT|PATCH|DELETE) \S+)$", REFERENCE, re.MULTILINE)) == routes


def test_every_status_of_a_callers_error_is_explained() -> None:
    explained = {int(status) for status in re.findall(r"^\| (\d{3}) \|", REFERENCE, re.MULTILINE)}
    assert {status for status in STATUS.values() if status != 500} <= explained
