"""LlamaIndex's starter tutorial: SimpleDirectoryReader, VectorStoreIndex.from_documents (sentence splitter 1024, 200), kept with `persist`."""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llama_index.core import Settings, SimpleDirectoryReader, VectorStoreIndex
from llama_index.embeddings.huggingface import HuggingFaceEmbedding

from benchmarks.pipelines.measure import Found, Job, Query, TorchMeter, run

PACKAGES = (
    "llama-index-core",
    "llama-index-embeddings-huggingface",
    "llama-index-readers-file",
    "sentence-transformers",
)


class LlamaIndex:
    """The index is built anew by each run, as the tutorial has it, and written over the one before."""

    def __init__(self, job: Job) -> None:
        Settings.embed_model = HuggingFaceEmbedding(model_name=str(job.model))
        self.folder = job.store
        self.index: Any = None

    def ingest(self, folder: Path) -> None:
        """Load, index, persist."""
        documents = SimpleDirectoryReader(str(folder), recursive=True).load_data()
        self.index = VectorStoreIndex.from_documents(documents)
        self.index.storage_context.persist(persist_dir=str(self.folder))

    def search(self, query: Query, depth: int) -> Sequence[Found]:
        """The nearest nodes."""
        found = self.index.as_retriever(similarity_top_k=depth).retrieve(query.text)
        return [Found(Path(node.metadata["file_path"]).stem, node.text) for node in found]

    def entries(self) -> int:
        """Nodes in the store."""
        return len(self.index.docstore.docs) if self.index else 0


if __name__ == "__main__":
    run(LlamaIndex, TorchMeter(), PACKAGES)
