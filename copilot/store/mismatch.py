"""What is told where vectors and an embedding model do not go together."""

from __future__ import annotations

from sqlalchemy import Connection, select

from copilot.errors import IndexMismatch
from copilot.store import schema as t


def mismatch(connection: Connection, workspace: str, embedder: str) -> IndexMismatch:
    """The error that says which two embedders do not go together, and how to bring them together."""
    made_by = connection.execute(select(t.workspaces.c.embedder).where(t.workspaces.c.id == workspace)).scalar()
    return IndexMismatch(
        f"The index of workspace {workspace!r} was made by {made_by}, the model at hand is {embedder}. `copilot reembed` makes its vectors "
        "anew with what COPILOT_EMBEDDER, COPILOT_ENGINE and COPILOT_WINDOW say; or set them back. A server started before needs a restart."
    )
