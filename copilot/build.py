"""The composition root: the one place that names adapters."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, fields
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from copilot.adapters import generations
from copilot.adapters.centred import centred
from copilot.adapters.chroma import ChromaIndex
from copilot.adapters.extractive import ExtractiveDrafter
from copilot.adapters.presidio import PresidioRecogniser
from copilot.adapters.remembering import Remembering
from copilot.adapters.tantivy import TantivyIndex
from copilot.ask import Asker
from copilot.assist import Copilot
from copilot.entities import Own, Products
from copilot.errors import ConfigurationError, CopilotError
from copilot.escalate import Policy
from copilot.familiar import Anywhere
from copilot.handoff import Summariser
from copilot.inbox import Inbox
from copilot.intents import intent_head
from copilot.learned import Learned, wanted
from copilot.mapping import Mapper
from copilot.memory import keep_together
from copilot.ports import Embedder, LexicalIndex, Reranker, VectorIndex
from copilot.redact import KEEPABLE, Redactor
from copilot.retrieve import Retriever
from copilot.settings import DEFAULTS, Settings
from copilot.spelling import Spelling
from copilot.store.accounts import Accounts
from copilot.store.database import Database
from copilot.store.frames import Frames
from copilot.store.gaps import Gaps
from copilot.store.inbox import Glances
from copilot.store.jobs import Jobs
from copilot.store.ledger import Ledger
from copilot.store.library import Library
from copilot.store.makers import Makers, Model
from copilot.store.maps import Maps
from copilot.store.records import Records
from copilot.store.trained import TrainedStore
from copilot.taxonomy import intent_examples
from copilot.triage import Triager, language

if TYPE_CHECKING:
    from copilot.adapters.langchain import LangChainDrafter

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Parts:
    """The product, put together. Whoever needs a part later takes it from here then: a new embedding model may have changed it."""

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
    frames: Frames
    mapper: Mapper
    trained: TrainedStore
    learned: Learned
    copilot: Copilot
    redactor: Redactor
    inbox: Inbox
    summariser: Summariser
    asker: Asker
    gaps: Gaps
    writing: RLock
    """Held by whoever changes the index: an ingest and a deletion must not meet half-way."""

    def become(self, other: Parts) -> None:
        """Take the other's place: requests that are under way end with what they began with, the next ones get the other's parts."""
        for field in fields(self):
            setattr(self, field.name, getattr(other, field.name))

    def close(self) -> None:
        """Let go of the database and the indexes."""
        self.vectors.close()
        self.lexical.close()
        self.database.close()


def build(settings: Settings) -> Parts:
    """Every part, wired. The caller owns the indexes of `settings.home` (see `copilot.jobs.owning`). Raises ConfigurationError, IndexBroken.

    The embedding model is the one that made the index: another one in the settings is a wish, which `copilot reembed` fulfils.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    _one_thread_for_numpy()
    keep_together()
    database = Database(settings.database_url())
    settings, embedder = _in_force(settings, database)
    vectors, lexical = indexes(settings)
    return _wired(settings, database, embedder, vectors, lexical, RLock())


def successor(parts: Parts, settings: Settings) -> Parts:
    """The same database and indexes with the embedding model that these settings name; it finds nothing until it has vectors of its own.

    Raises ConfigurationError where the model cannot be loaded.
    """
    embedder = embedder_of(settings)
    try:
        assert embedder.fingerprint, "it has no weights"
    except CopilotError:
        raise
    except Exception as error:
        raise ConfigurationError(
            f"The model {model_of(settings)} cannot be loaded ({error}). COPILOT_EMBEDDER is a folder, or a name that its cache holds."
        ) from error
    return _wired(settings, parts.database, embedder, parts.vectors, parts.lexical, parts.writing)


def judged(parts: Parts) -> Retriever:
    """Searches all vectors that the parts' model made, in force or not: what a new model is judged by before it takes over."""
    settings, fingerprint = parts.settings.model_copy(update={"exact": True}), parts.embedder.fingerprint
    frames = Frames(parts.database, fingerprint, settings.memory_chunks, shadow=True)
    mapper = Mapper(frames, Maps(parts.database, fingerprint))
    return Retriever(
        parts.library, frames, mapper, parts.learned, parts.embedder, parts.vectors, parts.lexical, settings,
        _language,
    )  # fmt: skip


def _wired(
    settings: Settings, database: Database, embedder: Embedder, vectors: VectorIndex, lexical: LexicalIndex, writing: RLock
) -> Parts:  # fmt: skip
    embedder = Remembering(embedder, settings.queries_kept)
    library, records = Library(database), Records(database)
    frames = Frames(database, embedder.fingerprint, settings.memory_chunks)
    mapper = Mapper(frames, Maps(database, embedder.fingerprint))
    redactor = redactor_of(settings)
    trained = TrainedStore(database, embedder.fingerprint, wanted(settings.taxonomy_file()))
    learned = Learned(trained, embedder, settings.taxonomy_file(), settings.models)
    retriever = Retriever(
        library, frames, mapper, learned, embedder, vectors, lexical, settings, _language, reranker_of(settings), _spelling(settings, embedder),
        _anywhere(settings, embedder),
    )  # fmt: skip
    model, extractive = _model(settings), ExtractiveDrafter(settings.resolution_from)
    copilot = Copilot(
        settings=settings, embedder=embedder, retriever=retriever, library=library, records=records, learned=learned,
        triager=Triager(embedder, settings.taxonomy_file(), settings.models, Own.load(settings.entities, Products(frames).of)),
        policy=Policy.load(settings.policy_file()), redactor=redactor, extractive=extractive, model=model,
    )  # fmt: skip
    return Parts(
        settings=settings, database=database, ledger=Ledger(database, embedder.fingerprint), library=library, records=records,
        jobs=Jobs(database), accounts=Accounts(database), embedder=embedder, vectors=vectors, lexical=lexical,
        retriever=retriever, frames=frames, mapper=mapper, trained=trained, learned=learned, copilot=copilot, redactor=redactor,
        inbox=Inbox(Glances(database), copilot),
        summariser=Summariser(model, settings.llm_prompt_tokens, redactor), writing=writing,
        asker=Asker(settings, embedder, retriever, library, extractive), gaps=Gaps(database),
    )  # fmt: skip


def _spelling(settings: Settings, embedder: Embedder) -> Spelling:
    examples = (one.text for one in intent_examples(settings.taxonomy_file()))
    return Spelling(examples, lambda word: embedder.count_tokens(word) == 1)


def _anywhere(settings: Settings, embedder: Embedder) -> Anywhere:
    """What is asked of any company: the shipped examples of intents, whatever taxonomy is in force."""
    shipped = DEFAULTS / "taxonomy.yaml"
    head = intent_head(intent_examples(shipped), embedder, shipped.with_name("intents.npz"), settings.models)
    return Anywhere(head.examples)


def _language(text: str) -> str:
    return language(text, None).label


def redactor_of(settings: Settings) -> Redactor:
    """What takes personal data out of texts. Raises ConfigurationError for a kind that there is not, and where Presidio is missing."""
    if unknown := sorted(set(settings.redact_keep) - KEEPABLE):
        raise ConfigurationError(f"COPILOT_REDACT_KEEP names {unknown[0]!r}. There are: {', '.join(sorted(KEEPABLE))}.")
    recogniser = PresidioRecogniser() if settings.redactor == "presidio" else None
    redactor = Redactor(frozenset(settings.redact_keep), recogniser)
    _ = redactor.fingerprint  # names what is not installed now, not at the first ticket
    return redactor


def _one_thread_for_numpy() -> None:
    """numpy's threads wait by spinning, on the cores that the model needs: with them an embedding takes twice as long."""
    from threadpoolctl import threadpool_limits

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # for what is loaded later
    threadpool_limits(1, "blas")


def model_of(settings: Settings) -> Model:
    """The embedding model that the settings name."""
    return Model(settings.embedder, settings.engine, settings.window)


def with_model(settings: Settings, model: Model) -> Settings:
    """The settings with this embedding model in them."""
    return settings.model_copy(update={"embedder": model.embedder, "engine": model.engine, "window": model.window})


def _in_force(settings: Settings, database: Database) -> tuple[Settings, Embedder]:
    """The settings with the model that made the index, and that model; the settings' own where it cannot be loaded: then nothing is found."""
    makers, wish = Makers(database), model_of(settings)
    maker = makers.in_force()
    if maker is None or maker.model == wish:
        embedder = embedder_of(settings)
        makers.note(embedder.fingerprint, wish)
        return settings, embedder
    if maker.wished != str(wish):
        log.warning(
            "The settings name %s, the index was made by %s, which stays until `copilot reembed`.", wish, maker.model
        )
    changed = with_model(settings, maker.model)
    try:
        embedder = embedder_of(changed)
        assert embedder.fingerprint
    except Exception as error:
        log.warning(
            "%s, which made the index, cannot be loaded (%s): nothing is found until `copilot reembed`.",
            maker.model,
            error,
        )
        return settings, embedder_of(settings)
    return changed, embedder


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
    folder = Path(settings.embedder_path())
    if settings.engine != "torch" and (folder / "model.safetensors").is_file():
        from copilot.adapters.onnx import Dtype, from_folder

        dtype: Dtype = "int8" if settings.engine == "onnx-int8" else "fp32"
        return centred(from_folder(folder, settings.models, settings.threads, settings.window, dtype), settings.models)
    if settings.engine != "torch":
        raise ConfigurationError(f"COPILOT_EMBEDDER={settings.embedder} runs on torch: set COPILOT_ENGINE=torch.")
    from copilot.adapters.sbert import SentenceTransformerEmbedder

    return centred(
        SentenceTransformerEmbedder(weights_of(settings), settings.threads, settings.window), settings.models
    )


def weights_of(settings: Settings) -> str:
    """The path or name by which sentence-transformers loads the embedding model. Raises ConfigurationError."""
    from copilot.adapters.onnx import package_folder

    return str(package_folder()) if settings.embedder == "minilm" else settings.embedder_path()


def reranker_of(settings: Settings) -> Reranker | None:
    """The reranker in force, loaded; None where there is none. Raises ConfigurationError where it cannot be loaded."""
    from copilot.adapters.rerankers import CrossEncoderReranker, WordReranker

    if settings.reranker is None:
        return None
    if settings.reranker == "words":
        return WordReranker()
    reranker = CrossEncoderReranker(settings.reranker, settings.threads, 2 * settings.window)
    reranker.load()
    return reranker


def _model(settings: Settings) -> LangChainDrafter | None:
    if settings.llm is None:
        return None
    from copilot.adapters.langchain import LangChainDrafter, chat_model

    return LangChainDrafter(settings, chat_model(settings))
