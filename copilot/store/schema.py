"""The tables. Alembic's migrations make them; nothing else does."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from copilot.store.columns import UtcDateTime
from copilot.store.columns import metadata as metadata
from copilot.store.doors import audit as audit
from copilot.store.doors import keys as keys
from copilot.store.doors import sessions as sessions
from copilot.store.doors import users as users

workspaces = Table(
    "workspaces", metadata,
    Column("id", String(64), primary_key=True),
    Column("clock", Integer, nullable=False),  # a logical clock: each switch or deletion moves it by one
    Column("embedder", String(64)),  # what made the vectors of this workspace's index; null while it is empty
    Column("created_at", UtcDateTime, nullable=False),
)  # fmt: skip

documents = Table(  # the head of the active revision, spread out for filtering
    "documents", metadata,
    Column("key", Integer, primary_key=True),
    Column("workspace", ForeignKey("workspaces.id"), nullable=False),
    Column("id", String(512), nullable=False),
    Column("active_revision", Integer),  # null: pending for the first time
    Column("kind", String(16), nullable=False),
    Column("use", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("url", Text),
    Column("audience", String(64), nullable=False),
    Column("language", String(16)),
    Column("updated_at", UtcDateTime),
    Column("resolved_at", UtcDateTime),
    Column("known_since", UtcDateTime),
    Column("valid_from", UtcDateTime),
    Column("valid_until", UtcDateTime),
    Column("solution_by", String(16)),
    Column("products", JSON),  # what it is for, with versions where it is bound to some; null: nothing said
    Column("root", Text, nullable=False),  # the ingested folder or file that it came from
    Column("origin", Text, nullable=False),  # its place within the root
    Column("fingerprint", String(64), nullable=False),
    UniqueConstraint("workspace", "id"),
    Index(None, "workspace", "root"),
    Index(None, "workspace", "valid_from"),
    Index(None, "workspace", "valid_until"),
    sqlite_autoincrement=True,
)  # fmt: skip

revisions = Table(
    "revisions", metadata,
    Column("document", ForeignKey("documents.key", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("status", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("answer_start", Integer, nullable=False),  # a ticket's resolution begins here; 0 for the rest
    Column("head", JSON, nullable=False),  # the document as of this revision: title, url, audience, dates
    Column("use", String(16), nullable=False),
    Column("links", JSON, nullable=False),  # become rows of `links` when the revision becomes active
    Column("root", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),  # raw bytes, metadata and pipeline: unchanged means equal
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "status"),
)  # fmt: skip

chunks = Table(
    "chunks", metadata,
    Column("id", String(64), primary_key=True),  # document key . revision . ordinal
    Column("document", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("headings", JSON, nullable=False),
    Column("vector", String(64), nullable=False),  # hash of the embedded text
    Column("searchable", Boolean, nullable=False),  # tickets are found by their problem, quoted from their resolution
    ForeignKeyConstraint(["document", "revision"], ["revisions.document", "revisions.number"], ondelete="CASCADE"),
    Index(None, "document", "revision"),
    Index(None, "vector"),
)  # fmt: skip

vectors = Table(
    "vectors", metadata,
    Column("embedder", String(64), primary_key=True),
    Column("hash", String(64), primary_key=True),
    Column("vector", LargeBinary, nullable=False),  # float32, little endian, unit length
)  # fmt: skip

makers = Table(  # how each embedding model is loaded; `filling`: a shadow, `switched`: in force, but the vector index does not follow yet
    "makers", metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("embedder", Text, nullable=False),
    Column("engine", String(16), nullable=False),
    Column("window", Integer, nullable=False),
    Column("wished", Text, nullable=False),  # what the settings said when it came into force
    Column("state", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)  # fmt: skip

doomed = Table(  # chunk ids that are still in an index although their revision is not active any more
    "doomed", metadata,
    Column("id", String(64), primary_key=True),
    Column("side", String(16), primary_key=True),
    Column("workspace", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
)  # fmt: skip

links = Table(  # what an agent's public reply sent a customer to: ranking learns from it, no other door reads it
    "links", metadata,
    Column("document", ForeignKey("documents.key", ondelete="CASCADE"), primary_key=True),
    Column("target", String(512), primary_key=True),
    Column("at", UtcDateTime),
)  # fmt: skip

customers = Table(  # whose ticket a document came from, as a hash: what erasing a person looks for
    "customers", metadata,
    Column("document", ForeignKey("documents.key", ondelete="CASCADE"), primary_key=True),
    Column("customer", String(64), primary_key=True),
    Index(None, "customer"),
)  # fmt: skip

erased = Table(  # customers whose tickets no ingest brings back
    "erased", metadata,
    Column("workspace", String(64), primary_key=True),
    Column("customer", String(64), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)  # fmt: skip

quarantine = Table(  # documents that overran their parser, by the state in which they did
    "quarantine", metadata,
    Column("workspace", String(64), primary_key=True),
    Column("root", String(1024), primary_key=True),
    Column("origin", String(1024), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)  # fmt: skip

maps = Table(  # what turns queries towards the articles that such questions were answered with; dropped with any part of its basis
    "maps", metadata,
    Column("workspace", ForeignKey("workspaces.id"), primary_key=True),
    Column("embedder", String(64), primary_key=True),
    Column("matrix", LargeBinary),  # float32, little endian, square; null: none helps
    Column("trained_until", UtcDateTime),  # null: some case has no date
    Column("basis", JSON, nullable=False),  # "key.revision" of each case and article that it was learned from
    Column("created_at", UtcDateTime, nullable=False),
)  # fmt: skip

trained = Table(  # what was learned from a workspace: of each kind the highest active number is in force; dropped with any part of its basis
    "trained", metadata,
    Column("workspace", ForeignKey("workspaces.id"), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("embedder", String(64), nullable=False),
    Column("fits", String(64), nullable=False),  # a hash of what else it depends on; empty: nothing
    Column("state", String(16), nullable=False),  # candidate, active, undone
    Column("trained_until", UtcDateTime),  # null: some of what taught it has no date
    Column("payload", LargeBinary, nullable=False),
    Column("figures", JSON, nullable=False),
    Column("basis", JSON, nullable=False),  # "document/KEY" and "suggestion/ID" of all that taught it
    Column("created_at", UtcDateTime, nullable=False),
)  # fmt: skip

switches = Table(  # each change of what is in force
    "switches", metadata,
    Column("id", Integer, primary_key=True),
    Column("workspace", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("number", Integer),  # in force from then on; null: what is shipped
    Column("why", String(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "workspace", "kind"),
)  # fmt: skip

conversations = Table(
    "conversations", metadata,
    Column("workspace", String(64), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("body", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),  # of its messages: what was read or suggested before is of another state
    Column("resolved_at", UtcDateTime),
    Index(None, "workspace", "changed_at"),
    Index(None, "workspace", "resolved_at"),
)  # fmt: skip

inbox = Table(  # what the state `read_of` of a conversation says at a glance; it goes with its conversation
    "inbox", metadata,
    Column("workspace", String(64), primary_key=True),
    Column("conversation", String(128), primary_key=True),
    Column("read_of", UtcDateTime, nullable=False),
    Column("customer", String(128)),
    Column("rank", Integer, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("escalated", Boolean, nullable=False),
    Column("urgency", String(16)),
    Column("intent", String(64)),
    Column("mood", String(16)),
    Column("language", String(16)),
    Column("words", Text, nullable=False),
    Column("body", JSON, nullable=False),
    ForeignKeyConstraint(["workspace", "conversation"], ["conversations.workspace", "conversations.id"], ondelete="CASCADE"),
    Index(None, "workspace", "rank", "since"),
    Index(None, "workspace", "customer"),
)  # fmt: skip

suggestions = Table(
    "suggestions", metadata,
    Column("id", String(64), primary_key=True),
    Column("workspace", String(64), nullable=False),
    Column("conversation", String(128), nullable=False),
    Column("status", String(16), nullable=False),
    Column("body", JSON, nullable=False),
    Column("turns", Integer),  # how many messages of the conversation it was made from
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "workspace", "conversation"),
)  # fmt: skip

mentions = Table(  # which documents a stored suggestion shows text of, so that deletion reaches them all
    "mentions", metadata,
    Column("suggestion", ForeignKey("suggestions.id", ondelete="CASCADE"), primary_key=True),
    Column("document_id", String(512), primary_key=True),
    Column("used", Boolean, nullable=False, server_default=true()),  # cited, or shown as guidance or macro
    Index(None, "document_id"),
)  # fmt: skip

feedback = Table(
    "feedback", metadata,
    Column("id", Integer, primary_key=True),
    Column("suggestion", ForeignKey("suggestions.id", ondelete="CASCADE"), nullable=False),
    Column("principal", String(64), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("final_text", Text),
    Column("reason", Text),
    Column("edit_distance", Float, nullable=False),
    Column("shown_at", UtcDateTime),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("copied", Boolean, nullable=False, server_default=false()),
    Column("intent", String(64)),  # what the suggestion said, and what made it: acceptance is counted by these
    Column("generator", String(128)),
    Column("prompt_version", String(64)),
    Column("corrected_intent", String(64)),
    Column("corrected_mood", String(16)),
    Column("corrected_escalation", Boolean),
    Index(None, "suggestion"),
)  # fmt: skip

fates = Table(  # what became of each cited statement that an agent decided on, without its words
    "fates", metadata,
    Column("feedback", ForeignKey("feedback.id", ondelete="CASCADE"), primary_key=True),
    Column("statement", Integer, primary_key=True),
    Column("document_id", String(512), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("clicked_at", UtcDateTime),
    Index(None, "document_id"),
)  # fmt: skip

learned = Table(  # solved tickets made of sent replies, under their conversation's id, and where each comes from
    "learned", metadata,
    Column("workspace", String(64), primary_key=True),
    Column("document_id", String(512), primary_key=True),
    Column("suggestion", String(64), nullable=False),
    Column("principal", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("undone_at", UtcDateTime),
)  # fmt: skip

gaps = Table(
    "gaps", metadata,
    Column("suggestion", ForeignKey("suggestions.id", ondelete="CASCADE"), primary_key=True),
    Column("workspace", String(64), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("note", Text),
    Column("reported_at", UtcDateTime),  # null: no agent did, an abstention alone
    Column("embedder", String(64)),
    Column("vector", LargeBinary),  # of the message, as `vectors` has them; its words are in the conversation alone
)  # fmt: skip

proposals = Table(  # articles drafted from solved tickets; their text is read from the tickets, part by part
    "proposals", metadata,
    Column("workspace", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("title", Text),  # as it was approved; null: the first ticket's
    Column("created_at", UtcDateTime, nullable=False),
    Column("document_id", String(512)),  # the article that it became
    Column("decided_at", UtcDateTime), Column("decided_by", String(64)), Column("reason", Text),
)  # fmt: skip

proposal_parts = Table(  # a stretch of a ticket's revision; gone with the ticket
    "proposal_parts", metadata,
    Column("workspace", String(64), primary_key=True),
    Column("proposal", String(64), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("document", ForeignKey("documents.key", ondelete="CASCADE"), nullable=False),
    *(Column(name, Integer, nullable=False) for name in ("revision", "start", "end")),
    ForeignKeyConstraint(["workspace", "proposal"], ["proposals.workspace", "proposals.id"], ondelete="CASCADE"),
    Index(None, "document"),
)  # fmt: skip

idempotency = Table(
    "idempotency", metadata,
    Column("workspace", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("suggestion", ForeignKey("suggestions.id", ondelete="CASCADE")),  # null while in flight
    Column("created_at", UtcDateTime, nullable=False),
)  # fmt: skip

jobs = Table(
    "jobs", metadata,
    Column("id", String(32), primary_key=True),
    Column("workspace", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("cancelling", Boolean, nullable=False, server_default=false()),  # asked to stop at its next document
    Column("progress", JSON, nullable=False),
    Column("result", JSON),
    Column("error", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Index(None, "state"),
)  # fmt: skip

sources = Table(
    "sources", metadata,
    Column("workspace", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("connector", String(32), nullable=False),
    Column("address", Text, nullable=False),
    Column("credentials", Text),  # env:NAME or file:/path; the secret itself is never here
    Column("audience", String(64)),
    Column("options", JSON, nullable=False),
    Column("every_minutes", Integer),
    Column("cursor", Text),  # where the next sync begins; null: at the beginning
    Column("basis", String(64)),  # what the cursor was made with: another embedder or option reads everything again
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("outcome", JSON),  # the counts of the last sync, or its error
)  # fmt: skip

attempts = Table(  # failed sign-ins by the hash of a name or an address, until when the next one has to wait
    "attempts", metadata,
    Column("who", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
)  # fmt: skip
