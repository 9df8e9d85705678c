"""Asks the server that owns the indexes, where one runs, so that commands work beside it."""

from __future__ import annotations

import os
from typing import Any

import httpx

from copilot.errors import CopilotError, IndexesOwned

TIMEOUT_SECONDS = 60.0


def ask(address: str, method: str, path: str, workspace: str, **request: Any) -> Any:
    """The server's JSON answer. Raises IndexesOwned where it does not answer, CopilotError with the server's own words where it refuses."""
    headers = {"X-Workspace": workspace}
    if key := os.environ.get("COPILOT_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    try:
        with httpx.Client(base_url=address, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            answer = client.request(method, path, **request)
    except httpx.HTTPError as error:
        raise IndexesOwned(f"A server at {address} owns the indexes and does not answer ({error}).") from error
    if answer.status_code == 401:
        raise CopilotError("The server asks for a key: set COPILOT_API_KEY. `copilot keys create` makes one.")
    if answer.is_error:
        raise CopilotError(str(answer.json().get("detail", answer.text)))
    return answer.json()
