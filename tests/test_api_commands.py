from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import typer
from typer.testing import CliRunner, Result

from api.commands import PathOnly, log_config, refuse_open_door, register
from copilot.errors import ConfigurationError, InputError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COPILOT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "home"


def copilot(*arguments: str) -> Result:
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, arguments)


def created(*arguments: str) -> dict[str, str]:
    made: dict[str, str] = json.loads(copilot("keys", "create", "--json", *arguments).stdout)
    return made


def listed() -> list[dict[str, object]]:
    keys: list[dict[str, object]] = json.loads(copilot("keys", "list", "--json").stdout)
    return keys


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(home: Path) -> None:
    made = created("--role", "agent", "--role", "evaluator", "--team", "billing", "--workspace", "shop")
    assert made["key"].startswith("sc_")
    (key,) = listed()
    assert (key["id"], key["workspace"], key["roles"], key["teams"]) == (
        made["id"],
        "shop",
        ["agent", "evaluator"],
        ["billing"],
    )
    for shown in (copilot("keys", "list"), copilot("keys", "list", "--json")):
        assert made["id"] in shown.stdout
        assert made["key"] not in shown.stdout
    assert copilot("keys", "revoke", made["id"]).exit_code == 0
    assert listed()[0]["revoked_at"] is not None


def test_a_key_is_an_agents_where_nothing_else_is_said(home: Path) -> None:
    made = copilot("keys", "create")
    assert listed()[0]["roles"] == ["agent"]
    assert made.stdout.splitlines()[0].startswith("sc_")


def test_an_unknown_role_is_refused_and_makes_no_key(home: Path) -> None:
    result = copilot("keys", "create", "--role", "agent", "--role", "king")
    assert isinstance(result.exception, InputError)
    assert "knowledge_manager" in str(result.exception)
    assert listed() == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.4", "example.com"])
def test_without_a_key_the_server_listens_to_nobody_else(host: str) -> None:
    with pytest.raises(ConfigurationError, match="copilot keys create"):
        refuse_open_door(host, keyless=True)
    refuse_open_door(host, keyless=False)


def test_the_command_refuses_before_it_builds_anything(home: Path) -> None:
    result = copilot("serve", "--host", "0.0.0.0")
    assert isinstance(result.exception, ConfigurationError)
    assert not (home / "chroma").exists()


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/v1/search?q=CANARY%20words", "/v1/search"),
        ("/v1/customers/CANARY%40example.com/timeline?x=1", "/v1/customers/-/timeline"),
        ("/v1/customers/CANARY/9", "/v1/customers/-"),
    ],
)
def test_the_access_log_holds_no_query_string_and_no_customer(path: str, shown: str) -> None:
    record = logging.LogRecord(
        "uvicorn.access", logging.INFO, __file__, 1, '%s - "%s %s HTTP/%s" %d', ("127.0.0.1:5", "GET", path, "1.1", 200), None,
    )  # fmt: skip
    assert PathOnly().filter(record)
    assert record.getMessage() == f'127.0.0.1:5 - "GET {shown} HTTP/1.1" 200'
    assert log_config()["handlers"]["access"]["filters"] == ["path"]


# -- the real server ---------------------------------------------------------------------------------------------


@contextmanager
def serving(home: Path, *arguments: str) -> Iterator[tuple[str, Path]]:
    """`copilot serve` in a process of its own: its address and its log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = home.parent / "server.log"
    command = [sys.executable, "-m", "copilot", "serve", "--port", str(port), *arguments]
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "COPILOT_HOME": str(home)})
    try:
        _await(f"http://127.0.0.1:{port}/healthz", server, log)
        yield f"http://127.0.0.1:{port}", log
    finally:
        server.terminate()
        assert server.wait(30) in (0, -15), log.read_text()


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        assert server.poll() is None, log.read_text()
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(log.read_text())


PAGE = b"---\ndoc_id: valve\ntitle: Close the valve\n---\n\n# Close the valve\n\nTurn the red lever to the right until it clicks.\n"


def test_a_real_server_takes_a_file_cites_it_and_logs_no_customers_word(home: Path) -> None:
    with serving(home) as (address, log), httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
        assert client.get("/readyz").status_code == 503
        job = client.post("/v1/documents", files={"file": ("valve.md", PAGE)}).json()
        with client.stream("GET", f"/v1/jobs/{job['id']}/events") as events:
            assert "event: done" in list(events.iter_lines())
        assert client.get("/readyz").status_code == 200
        body = {"conversation": {"messages": [{"text": "CANARY-MESSAGE: how do I close the valve?"}]}}
        assert "red lever" in client.post("/v1/suggestions", json=body).json()["draft"]["text"]
        assert client.get("/v1/search", params={"q": "CANARY-QUERY valve"}).json()["results"]
        assert "127.0.0.1" in log.read_text()
    assert "CANARY" not in log.read_text()
    assert "Traceback" not in log.read_text()


def test_a_real_server_stops_reading_a_body_that_is_too_long(home: Path) -> None:
    with serving(home) as (address, _):

        def endless() -> Iterator[bytes]:
            for _ in range(100):
                yield b" " * 100_000

        answer = httpx.post(
            f"{address}/v1/suggestions",
            content=endless(),
            headers={"Content-Type": "application/json"},
            trust_env=False,
        )
        assert answer.status_code == 413
