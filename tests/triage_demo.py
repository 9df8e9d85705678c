"""What the demo company's triage says of the messages in tests/triage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from copilot.domain import Conversation, Triage
from copilot.ports import Embedder
from copilot.query import search_text
from copilot.triage import Triager
from ingest.demo import __file__ as demo
from tests.conftest import asks

TAXONOMY = Path(demo).with_name("taxonomy.yaml")
FOLDER = Path(__file__).parent / "triage"


def listed(name: str) -> Any:
    """What a file in tests/triage holds."""
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


class Desk:
    """Triage as the demo company has it."""

    def __init__(self, embedder: Embedder, models: Path) -> None:
        self.embedder, self.triager = embedder, Triager(embedder, TAXONOMY, models)

    def read(self, conversation: Conversation) -> Triage:
        """The tags of a conversation."""
        return self.triager.read(conversation, self.embedder.embed([search_text(conversation)], "query")[0])

    def hears(self, text: str) -> Triage:
        """The tags of a single message."""
        return self.read(asks(text))
