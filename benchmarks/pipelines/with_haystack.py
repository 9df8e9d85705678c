"""Haystack's tutorial on preprocessing files: Markdown converter, cleaner, splitter (150 words, 50 over), embedder, writer, in-memory store.

The store lives as long as the program, so a second ingest is a second run of the indexing pipeline into it.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from haystack import Pipeline
from haystack.components.converters import MarkdownToDocument
from haystack.components.preprocessors import DocumentCleaner, DocumentSplitter
from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
from haystack.components.writers import DocumentWriter
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)

from benchmarks.pipelines.measure import Found, Query, TorchMeter, pages, run

PACKAGES = ("haystack-ai", "sentence-transformers-haystack", "sentence-transformers")


class Haystack:
    """An indexing pipeline and a query pipeline on one store."""

    def __init__(self, model: str, store: Any) -> None:
        self.store = store
        self.indexing = Pipeline()
        self.indexing.add_component("converter", MarkdownToDocument(progress_bar=False))
        self.indexing.add_component("cleaner", DocumentCleaner())
        self.indexing.add_component("splitter", DocumentSplitter(split_by="word", split_length=150, split_overlap=50))
        self.indexing.add_component("embedder", SentenceTransformersDocumentEmbedder(model=model, progress_bar=False))
        self.indexing.add_component("writer", DocumentWriter(store))
        for one, other in pairwise(("converter", "cleaner", "splitter", "embedder", "writer")):
            self.indexing.connect(one, other)
        self.querying = Pipeline()
        self.querying.add_component("embedder", SentenceTransformersTextEmbedder(model=model, progress_bar=False))
        self.querying.add_component("retriever", InMemoryEmbeddingRetriever(document_store=store))
        self.querying.connect("embedder.embedding", "retriever.query_embedding")
        self.indexing.warm_up()
        self.querying.warm_up()

    def ingest(self, folder: Path) -> None:
        """Run the indexing pipeline on the files."""
        self.indexing.run({"converter": {"sources": list(pages(folder))}})

    def search(self, query: Query, depth: int) -> Sequence[Found]:
        """The nearest documents of the store."""
        answer = self.querying.run({"embedder": {"text": query.text}, "retriever": {"top_k": depth}})
        return [Found(Path(doc.meta["file_path"]).stem, doc.content) for doc in answer["retriever"]["documents"]]

    def entries(self) -> int:
        """Documents in the store."""
        return int(self.store.count_documents())


def main() -> None:
    """Run the job that the command line names, all of it on one store."""
    store = InMemoryDocumentStore()
    run(lambda job: Haystack(str(job.model), store), TorchMeter(), PACKAGES)


if __name__ == "__main__":
    main()
