"""Settings: each option, its default and why. Read once, by build()."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULTS = Path(__file__).parent / "defaults"


class Settings(BaseSettings):
    """Options from the environment (`COPILOT_*`) or from code; unknown names are refused in code and ignored in the environment."""

    model_config = SettingsConfigDict(env_prefix="COPILOT_", extra="forbid", frozen=True)

    home: Path = Field(
        Path(".copilot"), description="Where all data lives: the database, both indexes and the owner's lock."
    )
    database: str | None = Field(
        None, description="SQLAlchemy URL of the database; a SQLite file in `home` where unset."
    )
    models: Path = Field(
        default_factory=lambda: user_cache_path("support-copilot") / "models",
        description="Exported models. A cache: it may be deleted and is made again in seconds.",
    )
    workspace: str = Field("default", description="The workspace that commands and keyless requests work in.")

    embedder: str = Field(
        "minilm",
        description="`minilm` (its package), the path or name of any sentence-transformers model, or `trained:HASH`, "
        "which `copilot train embedder` made.",
    )
    engine: Literal["onnx", "onnx-int8", "torch"] = Field(
        "onnx",
        description="What runs the embedding model. ONNX Runtime takes a third of torch's time, in int8 half of that, for a little recall.",
    )
    threads: int = Field(
        2, ge=1, le=64, description="Threads of one forward pass. More than the free cores makes it slower, not faster."
    )
    window: int = Field(
        256,
        ge=32,
        le=8192,
        description="Tokens that the model reads of one document's chunk; of a question, on ONNX Runtime, up to 512 and its end.",
    )
    chunk_tokens: int = Field(
        128, ge=32, le=1024, description="Aimed-at tokens a chunk; 128 to 512 retrieve alike, small ones cite closer."
    )

    lexical_weight: float = Field(
        0.1,
        ge=0,
        le=2,
        description="What the best match of words adds to a document's cosine; others add their share.",
    )
    ticket_lexical_weight: float = Field(
        0.2,
        ge=0,
        le=2,
        description="The same for a solved ticket, whose problem and resolution are matched as one text.",
    )
    recency_weight: float = Field(
        0.15,
        ge=0,
        le=2,
        description="What a solved ticket of today gains over one of long ago (1/e of it after 180 days).",
    )
    agent_weight: float = Field(
        0.02,
        ge=0,
        le=2,
        description="What a solved ticket gains whose resolution an agent gave rather than the customer.",
    )
    votes_weight: float = Field(
        0.35,
        ge=0,
        le=2,
        description="What solved cases near the message add to the article they speak for most, as far as they are many and near.",
    )
    map_weight: float = Field(
        1.2,
        ge=0,
        le=2,
        description="Weight of an article's cosine after the map, as far as many solved cases taught it; 0 is off.",
    )
    letters_weight: float = Field(
        0.2,
        ge=0,
        le=2,
        description="What an article's title gains that shares letters with a question not in English; 0 for a multilingual model.",
    )
    covered_weight: float = Field(
        0.35,
        ge=0,
        le=2,
        description="What an article gains, where there are few, whose best passage has all telling words of a question in English, "
        "Chinese or Japanese; 0 is off.",
    )
    reranker: str | None = Field(
        None,
        description="A cross-encoder (its path or name) that reads the best articles again, or `words`; unset is off.",
    )
    reranker_seconds: float = Field(
        0.5, gt=0, le=60, description="When it has not answered by then, the order stays as it was."
    )
    candidates: int = Field(
        50,
        ge=10,
        le=2000,
        description="Documents and chunks that each arm proposes for each kind before they are ranked.",
    )
    queries_kept: int = Field(
        512, ge=0, description="Queries whose vector and findings are remembered for when they come again; 0 is off."
    )
    memory_chunks: int = Field(
        300_000, ge=0, description="Chunks held in memory over all workspaces (2 kB each); one workspace always is."
    )
    exact: bool = Field(
        False, description="Score every visible vector instead of asking the approximate index (evaluation does)."
    )
    abstain_below: float = Field(
        0.36, ge=0, le=1, description="Answerability, 0 to 1, under which the copilot gives no answer."
    )
    resolution_from: float = Field(
        0.75, ge=0, le=1, description="Cosine from which a solved ticket's resolution may carry the draft."
    )

    llm: str | None = Field(
        None, description="A LangChain chat model as `provider:model`; unset means extractive drafts only."
    )
    llm_base_url: str | None = Field(
        None, description="Address of an OpenAI-compatible server, for a model run by yourself."
    )
    llm_api_key: SecretStr | None = Field(
        None, description="The model provider's key; its own environment variable works too."
    )
    llm_deadline_seconds: float = Field(
        8.0, gt=0, le=120, description="After this the extractive draft is shown instead."
    )

    llm_retries: int = Field(
        1,
        ge=0,
        le=5,
        description="How often a model that fails at once (429, 5xx, no connection) is asked again, within the deadline.",
    )
    llm_failures: int = Field(
        3, ge=1, le=100, description="Failures in a row after which the model is left alone for a while."
    )
    llm_pause_seconds: float = Field(
        60.0, gt=0, le=3600, description="How long it is left alone; then one request tries it."
    )
    llm_at_once: int = Field(
        20,
        ge=1,
        le=32,
        description="How many may wait for the model at once; the next gets the extractive draft, so that nobody else waits.",
    )
    llm_prompt_tokens: int = Field(
        6_000,
        ge=500,
        le=200_000,
        description="Budget of one prompt, at four characters a token; sources beyond it are left out.",
    )
    llm_answer_tokens: int = Field(700, ge=50, le=20_000, description="Budget of one answer.")

    redactor: Literal["patterns", "presidio"] = Field(
        "patterns",
        description="`presidio` looks for names and places by a language model too: extra `pii`, English, slower.",
    )
    redact_keep: tuple[str, ...] = Field(
        (), description="Kinds of personal data that stay in tickets and prompts, as `order` or `place`."
    )

    taxonomy: Path | None = Field(None, description="A taxonomy file of your own; the general one is shipped.")
    policy: Path | None = Field(None, description="An escalation policy file of your own; the general one is shipped.")
    entities: Path | None = Field(
        None, description="Patterns of your own for facts that messages name, beside the shipped ones."
    )
    refund_limit: float = Field(
        150.0, ge=0, description="An amount asked back above this goes to a lead; the currency is not converted."
    )

    max_message_chars: int = Field(
        100_000, ge=1, description="A longer message is refused with 413, so that none costs seconds."
    )
    max_body_bytes: int = Field(
        2_000_000, ge=1000, description="A longer request is refused with 413 before it is parsed."
    )
    max_file_bytes: int = Field(50_000_000, ge=1000, description="A longer file is reported as failed and not read.")
    mass_delete_share: float = Field(
        0.2, ge=0, le=1, description="A sync that would retire a larger share of its source's documents asks first."
    )
    parse_seconds: float = Field(
        8.0, gt=0, le=600, description="A document whose parser takes longer is failed, and set aside the second time."
    )
    parse_megabytes: int = Field(
        200, ge=50, description="Memory that parsing one document may take; beyond it the same happens."
    )
    learned_tickets: Literal["off", "internal", "public"] = Field(
        "public",
        description="What a sent reply becomes once its conversation is resolved: a solved ticket that drafts may quote "
        "(`public`), one for the eyes of staff (`internal`), or nothing (`off`). Redacted, and undone with one call.",
    )
    retention_days: int = Field(
        365,
        ge=1,
        description="Conversations whose thread did not change for so long, with their suggestions, and older suggestions "
        "are deleted at start.",
    )
    audit_days: int = Field(365, ge=1, description="Entries of the audit log older than this are deleted at start.")
    session_idle_hours: float = Field(
        12.0, gt=0, le=8760, description="Whoever does nothing at the desk for so long must sign in again."
    )
    session_days: float = Field(7.0, gt=0, le=365, description="After so long everybody must sign in again.")
    allowed_hosts: tuple[str, ...] = Field(
        ("127.0.0.1", "localhost", "[::1]"), description="Host names answered to while no key and no user exists."
    )

    def database_url(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database or f"sqlite:///{(self.home / 'copilot.db').resolve()}"

    def embedders(self) -> Path:
        """Where embedding models are kept that this home's tickets taught, each in a folder named by the hash of its weights."""
        return self.home.resolve() / "embedders"

    def embedder_path(self) -> str:
        """The path or name that the embedding model is loaded by."""
        kind, _, name = self.embedder.partition(":")
        return str(self.embedders() / name) if kind == "trained" else self.embedder

    def uploads(self) -> Path:
        """Where uploaded files wait to be ingested."""
        return self.home.resolve() / "uploads"

    def taxonomy_file(self) -> Path:
        """The taxonomy in force."""
        return self.taxonomy or DEFAULTS / "taxonomy.yaml"

    def policy_file(self) -> Path:
        """The escalation policy in force."""
        return self.policy or DEFAULTS / "policy.yaml"

    def hash(self) -> str:
        """A short hash of the options that change what a suggestion says; it stands in each suggestion's provenance."""
        shown = self.model_dump(mode="json", include=set(ANSWERING))
        return hashlib.sha256(repr(sorted(shown.items())).encode()).hexdigest()[:12]


ANSWERING = (
    "embedder", "engine", "window", "chunk_tokens", "lexical_weight", "ticket_lexical_weight", "recency_weight", "agent_weight",
    "votes_weight", "map_weight", "letters_weight", "reranker", "candidates", "exact", "abstain_below", "resolution_from", "llm", "llm_base_url",
    "llm_prompt_tokens", "llm_answer_tokens", "taxonomy", "policy", "entities", "refund_limit",
)  # fmt: skip
