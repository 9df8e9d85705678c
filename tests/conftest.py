"""What all tests share: a home of their own, the real model, a small company, and no network."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["ANONYMIZED_TELEMETRY"] = "False"
for name in [name for name in os.environ if name.startswith("COPILOT_")]:
    del os.environ[name]

from api.app import create_app
from copilot.build import Parts, build
from copilot.domain import Conversation, Message, Principal
from copilot.memory import give_back
from copilot.ports import Embedder
from copilot.settings import Settings
from ingest.load import Reading
from ingest.pipeline import Indexer
from ingest.summary import Summary
from tests.browser import chromium, desk, page

__all__ = ["chromium", "desk", "page"]

AGENT = Principal(id="agent", workspace="default", roles=frozenset({"agent"}))
ADMIN = Principal(id="admin", workspace="default", roles=frozenset({"admin"}))

ARTICLES = {
    "compact-folders.md": """---
doc_id: compact-folders
title: Compact folders to free disk space
url: https://help.example/compact-folders
---

# Compact folders to free disk space

Compacting removes the gaps that deleted messages leave in a folder's file. It never deletes a message that you kept.

## Compact one folder

1. Right-click the folder.
2. Choose Compact. A folder of 4 GB takes about 3 minutes.
3. Wait until the status bar shows Done.
""",
    "reset-password.md": """---
doc_id: reset-password
title: Reset your password
url: https://help.example/reset-password
---

# Reset your password

Open the sign-in page and choose Forgot password. The link in the e-mail is valid for 30 minutes and works once.

## If no e-mail arrives

Look into the spam folder first. Then ask for a new link after 10 minutes.
""",
    "refund-limits.md": """---
doc_id: refund-limits
title: Refund limits for agents
audience: internal
---

# Refund limits for agents

Agents may refund up to 40 euro without asking. The word for this policy is KRAKATOA.
""",
}

TICKETS: list[dict[str, Any]] = [
    {
        "ticket_id": "t-1",
        "created": "2025-02-01 10:00:00 +0000",
        "customer": "c-1",
        "subject": "Folder shows no messages after update",
        "message": "Hello, since the update my Sent folder is empty. My mail is anna.ruiz@example.com if you need it.",
        "thread": [
            {"role": "agent", "author": "Maud", "created": "2025-02-01 11:00:00 +0000", "visibility": "private",
             "text": "PRIVATE-OBELISK this customer always complains"},
            {"role": "agent", "author": "Maud", "created": "2025-02-01 12:00:00 +0000",
             "text": "Right-click the Sent folder, choose Properties and press Repair Folder. The messages come back after the index is rebuilt."},
        ],
        "solution": "Right-click the Sent folder, choose Properties and press Repair Folder. The messages come back after the index is rebuilt.",
        "status": "solved",
        "topic": "folders",
        "cited_docs": [],
    },
    {
        "ticket_id": "t-2",
        "created": "2025-03-01 10:00:00 +0000",
        "customer": "c-2",
        "subject": "disk full because of mail file UNSOLVED-QUESTION",
        "message": "The mail file has grown to 60 gigabytes and my disk is full, deleting mails does not help",
        "thread": [
            {"role": "agent", "author": "Tom", "created": "2025-03-01 12:00:00 +0000",
             "text": "Please read https://help.example/compact-folders UNSOLVED-ZIGGURAT"},
        ],
        "solution": "",
        "status": "open",
        "topic": "folders",
        "cited_docs": ["compact-folders"],
    },
]  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a home that nobody else uses."""
    return Settings(home=tmp_path / "home")


@pytest.fixture
def parts(settings: Settings) -> Iterator[Parts]:
    """The product, put together as in real life."""
    made = build(settings)
    yield made
    made.close()


@pytest.fixture(autouse=True, scope="session")
def _one_model() -> Iterator[None]:
    """All products that tests build share the shipped model: loading it anew took a third of the time and most of the memory."""
    from copilot.adapters import onnx

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx, "minilm", cache(onnx.minilm))
        yield


@pytest.fixture(autouse=True, scope="module")
def _tidy() -> Iterator[None]:
    """What a file's tests leave is let go of before the next file's."""
    yield
    gc.collect()
    give_back()


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The shipped model."""
    from copilot.adapters.onnx import minilm

    settings = Settings()
    return minilm(settings.models, settings.threads, settings.window)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The small company's documents and tickets."""
    made = tmp_path / "company"
    made.mkdir()
    return write_company(made)


def write_company(folder: Path) -> Path:
    """The small company's files in this folder."""
    for name, text in ARTICLES.items():
        (folder / name).write_text(text, encoding="utf-8")
    write_tickets(folder / "tickets.jsonl", TICKETS)
    return folder


@pytest.fixture
def filled(parts: Parts, folder: Path) -> Parts:
    """The product with the small company ingested."""
    summary = ingest(parts, folder)
    assert summary.failed == 0
    return parts


def ingest(parts: Parts, path: Path, workspace: str = "default", **reading: Any) -> Summary:
    """Ingest a path, as the command does."""
    return Indexer(parts).ingest(workspace, path, Reading(**reading))


def write_tickets(file: Path, rows: list[dict[str, Any]]) -> None:
    """Rows as JSONL."""
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def asks(text: str, subject: str = "", **fields: Any) -> Conversation:
    """A conversation of one customer message."""
    return Conversation(subject=subject, messages=(Message(text=text),), **fields)


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """The small company, ingested once: for tests that delete and ingest nothing."""
    made = build(Settings(home=tmp_path_factory.mktemp("home")))
    assert ingest(made, write_company(tmp_path_factory.mktemp("company"))).failed == 0
    yield made
    made.close()


@pytest.fixture
def client(company: Parts) -> Iterator[TestClient]:
    """A client on this machine, of a server over the small company."""
    with client_of(company) as made:
        yield made


def client_of(parts: Parts, **options: Any) -> TestClient:
    """A client on this machine; it hands on whatever the app does not handle itself."""
    app = create_app(parts, Indexer(parts).retire)
    return TestClient(app, **{"base_url": "http://127.0.0.1", "client": ("127.0.0.1", 50000), **options})
