"""The composition root: the one place that names adapters."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from copilot.adapters import generations
from copilot.adapters.chroma import ChromaIndex
from copilot.adapters.extractive import ExtractiveDrafter
from copilot.adapters.remembering import Remembering
from copilot.adapters.tantivy import TantivyIndex
from copilot.ask import Asker
from copilot.assist import Copilot
from copilot.errors import ConfigurationError
from copilot.escalate import Policy
from copilot.handoff import Summariser
from copilot.inbox import Inbox
from copilot.mapping import Mapper
from copilot.ports import Embedder, LexicalIndex, VectorIndex
from copilot.retrieve import Retriever
from copilot.settings import Settings
from copilot.store.accounts import Accounts
from copilot.store.database import Database
from copilot.store.frames import Frames
from copilot.store.gaps import Gaps
from copilot.store.inbox import Glances
from copilot.store.jobs import Jobs
from copilot.store.ledger import Ledger
from copilot.store.library import Library
from copilot.store.maps import Maps
from copilot.store.records import Records
from copilot.triage import Triager, teams

if TYPE_CHECKING:
    from copilot.adapters.langchain import LangChainDrafter


@dataclass(frozen=True, slots=True)
class Parts:
    """The product, put together."""

    settings: Settings
    database: Database
    ledger: Ledger
    library: Library
    records: Records
    jobs: Jobs
    accounts: Accounts
    embedder: Embedder
    vectors: VectorIndex
    lexical: LexicalIndex
    retriever: Retriever
    mapper: Mapper
    copilot: Copilot
    inbox: Inbox
    summariser: Summariser
    asker: Asker
    gaps: Gaps
    writing: RLock
    """Held by whoever changes the index: an ingest and a deletion must not meet half-way."""

    def close(self) -> None:
        """Let go of the database and the indexes."""
        self.vectors.close()
        self.lexical.close()
        self.database.close()


def build(settings: Settings) -> Parts:
    """Every part, wired. The caller owns the indexes of `settings.home` (see `copilot.jobs.owning`). Raises ConfigurationError, IndexBroken."""
    settings.home.mkdir(parents=True, exist_ok=True)
    _one_thread_for_numpy()
    database = Database(settings.database_url())
    embedder = Remembering(embedder_of(settings), settings.queries_kept)
    library, records = Library(database), Records(database)
    frames = Frames(database, embedder.fingerprint, settings.memory_chunks)
    mapper = Mapper(frames, Maps(database, embedder.fingerprint))
    vectors, lexical = indexes(settings)
    retriever = Retriever(library, frames, mapper, embedder, vectors, lexical, settings)
    model, extractive = _model(settings), ExtractiveDrafter(settings.resolution_from)
    copilot = Copilot(
        settings=settings, embedder=embedder, retriever=retriever, library=library, records=records,
        triager=Triager(embedder, settings.taxonomy_file(), settings.models), policy=Policy.load(settings.policy_file()),
        extractive=extractive, model=model,
        teams=teams(settings.taxonomy_file()),
    )  # fmt: skip
    return Parts(
        settings=settings, database=database, ledger=Ledger(database, embedder.fingerprint), library=library, records=records,
        jobs=Jobs(database), accounts=Accounts(database), embedder=embedder, vectors=vectors, lexical=lexical,
        retriever=retriever, mapper=mapper, copilot=copilot, inbox=Inbox(Glances(database), copilot),
        summariser=Summariser(model, settings.llm_prompt_tokens), writing=RLock(),
        asker=Asker(settings, embedder, retriever, library, extractive), gaps=Gaps(database),
    )  # fmt: skip


def _one_thread_for_numpy() -> None:
    """numpy's threads wait by spinning, on the cores that the model needs: with them an embedding takes twice as long."""
    from threadpoolctl import threadpool_limits

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for what is loaded later
    threadpool_limits(1, "blas")


def indexes(settings: Settings) -> tuple[VectorIndex, LexicalIndex]:
    """Both indexes of `settings.home`. Raises IndexBroken; the vector index when it is first asked."""
    chroma, tantivy = _folders(settings)
    return ChromaIndex(chroma), TantivyIndex(tantivy)


def empty_indexes(settings: Settings) -> None:
    """Put empty indexes in place of those of `settings.home`, whatever state they are in; none may be open."""
    for folder in _folders(settings):
        generations.renew(folder)


def _folders(settings: Settings) -> tuple[Path, Path]:
    return settings.home / "chroma", settings.home / "tantivy"


def embedder_of(settings: Settings) -> Embedder:
    """The embedding model in force; it needs no index. Raises ConfigurationError."""
    if settings.embedder == "minilm" and settings.engine != "torch":
        from copilot.adapters.onnx import minilm

        return minilm(
            settings.models, settings.threads, settings.window, "int8" if settings.engine == "onnx-int8" else "fp32"
        )
    if settings.engine != "torch":
        raise ConfigurationError(f"COPILOT_EMBEDDER={settings.embedder} runs on torch: set COPILOT_ENGINE=torch.")
    from copilot.adapters.onnx import package_folder
    from copilot.adapters.sbert import SentenceTransformerEmbedder

    name = str(package_folder()) if settings.embedder == "minilm" else settings.embedder
    return SentenceTransformerEmbedder(name, settings.threads, settings.window)


def _model(settings: Settings) -> LangChainDrafter | None:
    if settings.llm is None:
        return None
    from copilot.adapters.langchain import LangChainDrafter, chat_model

    return LangChainDrafter(settings, chat_model(settings))
