"""txtai's introduction: `Embeddings(path=…, content=True).index(rows)`, a row a file, kept with `save`; texts are not split."""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from txtai import Embeddings

from benchmarks.pipelines.measure import Found, Job, Query, TorchMeter, pages, run

PACKAGES = ("txtai", "faiss-cpu", "transformers")


class Txtai:
    """The index is built anew by each run, as the introduction has it, and written over the one before."""

    def __init__(self, job: Job) -> None:
        self.embeddings = Embeddings(path=str(job.model), content=True)
        self.folder = job.store

    def ingest(self, folder: Path) -> None:
        """Index and save."""
        self.embeddings.index((file.stem, file.read_text(encoding="utf-8")) for file in pages(folder))
        self.embeddings.save(str(self.folder))

    def search(self, query: Query, depth: int) -> Sequence[Found]:
        """The nearest rows; the query goes in as a parameter, so that it is never read as SQL."""
        sql = "select id, text, score from txtai where similar(:query, :depth)"
        found = self.embeddings.search(sql, limit=depth, parameters={"query": query.text, "depth": depth})
        return [Found(row["id"], row["text"]) for row in found]

    def entries(self) -> int:
        """Rows in the index."""
        return int(self.embeddings.count()) if self.embeddings.ann else 0


if __name__ == "__main__":
    run(Txtai, TorchMeter(), PACKAGES)
