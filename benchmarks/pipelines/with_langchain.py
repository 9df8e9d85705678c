"""LangChain's semantic-search tutorial: recursive character splitter (1000, 200), HuggingFaceEmbeddings, the Chroma store kept on disk."""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from langchain_chroma import Chroma
from langchain_core.documents import Document
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter

from benchmarks.pipelines.measure import Found, Job, Query, TorchMeter, pages, run

PACKAGES = (
    "langchain",
    "langchain-chroma",
    "langchain-huggingface",
    "langchain-text-splitters",
    "sentence-transformers",
)


class LangChain:
    """`vector_store.add_documents(splitter.split_documents(docs))`, then `similarity_search`."""

    def __init__(self, job: Job) -> None:
        embeddings = HuggingFaceEmbeddings(model_name=str(job.model))
        self.store = Chroma(
            collection_name="example_collection", embedding_function=embeddings, persist_directory=str(job.store)
        )

    def ingest(self, folder: Path) -> None:
        """Load, split, add."""
        docs = [
            Document(page_content=file.read_text(encoding="utf-8"), metadata={"source": str(file)})
            for file in pages(folder)
        ]
        splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200, add_start_index=True)
        self.store.add_documents(documents=splitter.split_documents(docs))

    def search(self, query: Query, depth: int) -> Sequence[Found]:
        """The nearest chunks."""
        found = self.store.similarity_search(query.text, k=depth)
        return [Found(Path(doc.metadata["source"]).stem, doc.page_content) for doc in found]

    def entries(self) -> int:
        """Chunks in the store."""
        return len(self.store.get(include=[])["ids"])


if __name__ == "__main__":
    run(LangChain, TorchMeter(), PACKAGES)
