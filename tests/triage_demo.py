"""What the demo company's triage says of the messages in tests/triage."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from copilot.domain import Conversation, Triage
from copilot.ports import Embedder
from copilot.query import search_text
from copilot.signals import counted
from copilot.spelling import Spelling
from copilot.taxonomy import intent_examples
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
        examples = [one.text for one in intent_examples(TAXONOMY)]
        self.spelling = Spelling(examples, lambda word: embedder.count_tokens(word) == 1)
        articles = TAXONOMY.with_name("articles").rglob("*.md")
        self.titles = counted(re.findall(r"^title: .+$", "\n".join(one.read_text("utf-8") for one in articles), re.M))

    def read(self, conversation: Conversation) -> Triage:
        """The tags of a conversation."""
        meant = self.spelling.read(search_text(conversation), self.titles)
        return self.triager.read(conversation, self.triager.encoded(meant), asked=meant)

    def hears(self, text: str) -> Triage:
        """The tags of a single message."""
        return self.read(asks(text))
