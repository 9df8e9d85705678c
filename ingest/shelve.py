"""Where the chunks of staged revisions go: by shelf, and as the lexical index reads them."""

from __future__ import annotations

from collections.abc import Iterable

from copilot.domain import Chunk
from copilot.ports import LexicalEntry, Shelf
from copilot.store.ledger import Staged


def by_shelf(staged: Iterable[Staged]) -> dict[Shelf, list[tuple[str, Chunk, str]]]:
    """Chunk ids, chunks and their document's title, by the shelf that they go to."""
    shelves: dict[Shelf, list[tuple[str, Chunk, str]]] = {}
    for one in staged:
        for shelf in one.shelves:
            shelves.setdefault(shelf, []).extend((id, chunk, one.document.title) for id, chunk in one.chunks)
    return {shelf: some for shelf, some in shelves.items() if some}


def entry(id: str, chunk: Chunk, title: str) -> LexicalEntry:
    """What the lexical index reads of a chunk."""
    return LexicalEntry(id=id, title=title, headings=" ".join(chunk.headings), body=chunk.text)
