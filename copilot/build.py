"""The composition root: the one place that names adapters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import TypeVar

from copilot.adapters import generations
from copilot.adapters.chroma import ChromaIndex
from copilot.adapters.extractive import ExtractiveDrafter
from copilot.adapters.tantivy import TantivyIndex
from copilot.assist import Copilot
from copilot.errors import ConfigurationError, IndexBroken
from copilot.escalate import Policy
from copilot.learned import Learned
from copilot.mapping import Mapper
from copilot.ports import Drafter, Embedder, LexicalIndex, Reranker, VectorIndex
from copilot.retrieve import Retriever
from copilot.settings import Settings
from copilot.store.accounts import Accounts
from copilot.store.database import Database
from copilot.store.frames import Frames
from copilot.store.jobs import Jobs
from copilot.store.ledger import Ledger
from copilot.store.library import Library
from copilot.store.maps import Maps
from copilot.store.records import Records
from copilot.store.trained import TrainedStore
from copilot.triage import Triager

Index = TypeVar("Index")


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
    trained: TrainedStore
    learned: Learned
    copilot: Copilot
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
    database = Database(settings.database_url())
    embedder = embedder_of(settings)
    library, records = Library(database), Records(database)
    frames = Frames(database, embedder.fingerprint, settings.memory_chunks)
    mapper = Mapper(frames, Maps(database, embedder.fingerprint))
    vectors, lexical = indexes(settings)
    trained = TrainedStore(database, embedder.fingerprint)
    learned = Learned(trained, embedder, settings.taxonomy_file(), settings.models)
    retriever = Retriever(library, frames, mapper, learned, embedder, vectors, lexical, settings, reranker_of(settings))
    copilot = Copilot(
        settings=settings, embedder=embedder, retriever=retriever, library=library, records=records, learned=learned,
        triager=Triager(embedder, settings.taxonomy_file(), settings.models), policy=Policy.load(settings.policy_file()),
        extractive=ExtractiveDrafter(settings.resolution_from), model=_model(settings),
    )  # fmt: skip
    return Parts(
        settings=settings, database=database, ledger=Ledger(database, embedder.fingerprint), library=library, records=records,
        jobs=Jobs(database), accounts=Accounts(database), embedder=embedder, vectors=vectors, lexical=lexical,
        retriever=retriever, mapper=mapper, trained=trained, learned=learned, copilot=copilot, writing=RLock(),
    )  # fmt: skip


def indexes(settings: Settings) -> tuple[VectorIndex, LexicalIndex]:
    """Both indexes of `settings.home`. Raises IndexBroken."""
    chroma, tantivy = _folders(settings)
    return _opened("vector", ChromaIndex, chroma), _opened("lexical", TantivyIndex, tantivy)


def empty_indexes(settings: Settings) -> None:
    """Put empty indexes in place of those of `settings.home`, whatever state they are in; none may be open."""
    for folder in _folders(settings):
        generations.renew(folder)


def _folders(settings: Settings) -> tuple[Path, Path]:
    return settings.home / "chroma", settings.home / "tantivy"


def _opened(name: str, open: Callable[[Path], Index], folder: Path) -> Index:
    try:
        return open(folder)
    except Exception as error:
        raise IndexBroken(
            f"The {name} index in {folder} cannot be opened ({error}). `copilot repair` makes it again from the database."
        ) from error


def embedder_of(settings: Settings) -> Embedder:
    """The embedding model in force; it needs no index. Raises ConfigurationError."""
    if settings.embedder == "minilm" and settings.engine == "onnx":
        from copilot.adapters.onnx import minilm

        return minilm(settings.models, settings.threads, settings.window)
    folder = Path(settings.embedder)
    if settings.engine == "onnx" and (folder / "model.safetensors").is_file():
        from copilot.adapters.onnx import trained_folder

        return trained_folder(folder, settings.models, settings.threads, settings.window)
    if settings.engine == "onnx":
        raise ConfigurationError(f"COPILOT_EMBEDDER={settings.embedder} runs on torch: set COPILOT_ENGINE=torch.")
    from copilot.adapters.onnx import package_folder
    from copilot.adapters.sbert import SentenceTransformerEmbedder

    name = str(package_folder()) if settings.embedder == "minilm" else settings.embedder
    return SentenceTransformerEmbedder(name, settings.threads, settings.window)


def reranker_of(settings: Settings) -> Reranker | None:
    """The reranker in force; None where there is none."""
    from copilot.adapters.rerankers import CrossEncoderReranker, WordReranker

    if settings.reranker is None:
        return None
    if settings.reranker == "words":
        return WordReranker()
    return CrossEncoderReranker(settings.reranker, settings.threads, 2 * settings.window)


def _model(settings: Settings) -> Drafter | None:
    if settings.llm is None:
        return None
    from copilot.adapters.langchain import LangChainDrafter, chat_model

    return LangChainDrafter(settings, chat_model(settings))
