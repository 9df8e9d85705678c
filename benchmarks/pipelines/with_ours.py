"""Support Copilot with its shipped settings: the same pages, and solved tickets too where the job names some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from benchmarks.embedders import Recorder
from benchmarks.pipelines.measure import Found, Job, Query, read_job, run
from copilot.build import build
from copilot.domain import Conversation, Message, Principal
from copilot.query import search_text
from copilot.retrieve import Query as Asked
from copilot.settings import Settings
from ingest.load import Reading
from ingest.pipeline import Indexer

PACKAGES = ("support-copilot", "onnxruntime", "chromadb", "tantivy")
READER = Principal(id="bench", workspace="default", roles=frozenset({"agent"}))
ENTRIES_A_PAGE = 5
FRAME = 2


class Ours:
    """`copilot ingest FOLDER`, then `copilot search`, with only what existed before the message came."""

    def __init__(self, job: Job) -> None:
        self.settings, self.tickets, self.folder = Settings(home=job.store, queries_kept=0), job.tickets, job.folder
        self.parts = build(self.settings)
        self.recorder = Recorder(self.parts.embedder)
        self.indexer = Indexer(replace(self.parts, embedder=self.recorder))
        self.parts.embedder.embed(["warm"], "query")

    def ingest(self, folder: Path) -> None:
        """Bring the index up to date with the folder, and with the tickets."""
        for path in (folder, *self.tickets):
            self.indexer.ingest(READER.workspace, path, Reading())

    def search(self, query: Query, depth: int) -> Sequence[Found]:
        """The best articles with their best passages."""
        conversation = Conversation(subject=query.subject, messages=(Message(text=query.message),))
        before = datetime.fromisoformat(query.created) if query.created else None
        asked = Asked(text=search_text(conversation), kinds=("article",), limit=depth // ENTRIES_A_PAGE, before=before)
        hits = self.parts.copilot.search(READER, asked).results
        return [Found(hit.document_id, "\n".join(passage.text for passage in hit.passages)) for hit in hits]

    def entries(self) -> int:
        """Entries of the vector index."""
        return sum(len(self.parts.vectors.ids(shelf)) for shelf in self.parts.vectors.shelves())

    def tokens(self) -> int:
        """Tokens embedded so far: what lies beyond the model's window is not read."""
        most = self.settings.window - FRAME
        return sum(min(most, self.parts.embedder.count_tokens(text)) for text in self.recorder.texts)


def main() -> None:
    """Run the job that the command line names."""
    ours = Ours(read_job())
    run(lambda job: ours, ours.tokens, PACKAGES)


if __name__ == "__main__":
    main()
