"""What the words of a question find, and its language, looked up beside the embedding of it: the one does not need the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from copilot.domain import Kind
from copilot.ports import LexicalIndex, Shelf

Matches = list[tuple[str, float]]
THREADS = 2


@dataclass(frozen=True, slots=True)
class Lookup:
    """A look-up under way, of words and language, and the index revision at which it began: at a later one it may lack what came meanwhile."""

    revision: str
    found: Future[tuple[Mapping[Shelf, Matches], str]]


class Words:
    """Asks the lexical index and for the language, at once or in a thread of its own."""

    def __init__(self, lexical: LexicalIndex, most: int, language: Callable[[str], str]) -> None:
        self._lexical, self._most, self._language = lexical, most, language
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="words")

    def begin(self, workspace: str, revision: str, text: str, kinds: Collection[Kind]) -> Lookup:
        """Look up what the words find among these kinds, and the language, while the caller does something else."""
        asked = [shelf for kind in kinds for shelf in shelves(workspace, kind)]
        return Lookup(revision, self._threads.submit(lambda: (self._all(asked, text), self._language(text))))

    def matches(self, workspace: str, kind: Kind, revision: str, text: str, lookup: Lookup | None) -> Matches:
        """The best ids of a kind with their BM25, from the look-up where it is of this revision, else asked now."""
        asked = shelves(workspace, kind)
        current = lookup is not None and lookup.revision == revision
        found = lookup.found.result()[0] if lookup and current else self._all(asked, text)
        return [match for shelf in asked for match in found[shelf]]

    def language(self, text: str, lookup: Lookup | None) -> str:
        """The text's language, from the look-up where there is one."""
        return lookup.found.result()[1] if lookup else self._language(text)

    def _all(self, asked: Collection[Shelf], text: str) -> dict[Shelf, Matches]:
        return {shelf: self._lexical.search(shelf, text, self._most) for shelf in asked}


def shelves(workspace: str, kind: Kind) -> tuple[Shelf, Shelf]:
    """Where chunks of a kind that answer stand."""
    return Shelf(workspace, kind, "public"), Shelf(workspace, kind, "internal")
