"""Words in tantivy: BM25, incremental, on disk; one index a shelf, so that one workspace's words never weigh in another's scores."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Self

from copilot.adapters import generations
from copilot.ports import LexicalEntry, Shelf
from copilot.scripts import LETTERS, spread

if TYPE_CHECKING:
    from tantivy import Index, IndexWriter, Query, Schema, TextAnalyzer

TIMES = {"title": 3, "headings": 2, "body": 1}
"""How often each part of an entry is said in the one field that is searched: a word of a title weighs as much as one said three times, and a
question of fifty words is fifty terms to look up, not fifty in each of three fields."""
ANALYSER = "support"
HEAP_BYTES = 30_000_000
QUERY_TERMS = 200
UNPAIRED = f".*[{LETTERS}].*[^{LETTERS}].*|.*[^{LETTERS}].*[{LETTERS}].*|[{LETTERS}]{{3,}}"
"""A term that holds more than a pair of letters which `spread` parts: an entry of a version that did not part them."""


class TantivyIndex:
    """BM25 over stemmed words, those of titles and headings counted more often. Stores ids and terms, no text."""

    def __init__(self, folder: Path) -> None:
        generations.sweep(folder)
        self._folder, self._lock = folder, RLock()
        self._schema, self._analyser = _schema(), _analyser()
        self._last: tuple[str, Query | None] = "", None
        with generations.opening("lexical", folder):
            self._open_at(generations.current(folder))

    def _open_at(self, place: Path) -> None:
        self._place = place
        self._indexes: dict[Shelf, Index] = {}
        for described in sorted(place.glob("*/shelf.json")):
            shelf = Shelf(**json.loads(described.read_text(encoding="utf-8")))
            self._indexes[shelf] = self._open(shelf)

    def upsert(self, shelf: Shelf, entries: Sequence[LexicalEntry]) -> None:
        """Put the entries in; durable when it returns."""
        from tantivy import Document

        with self._lock:
            index = self._indexes.get(shelf) or self._open(shelf)
            self._indexes[shelf] = index
            writer = _writer(index)
            try:
                for entry in entries:
                    writer.delete_documents_by_term("id", entry.id)
                    said = " ".join(part for name, times in TIMES.items() for part in [getattr(entry, name)] * times)
                    writer.add_document(Document(id=entry.id, words=spread(said)))
            except ValueError:
                writer.commit()  # its thread failed: this raises what it failed of
                raise
            writer.commit()
            writer.wait_merging_threads()
            index.reload()

    def delete(self, shelf: Shelf, ids: Sequence[str]) -> None:
        """Take the ids out; unknown ids are no error."""
        with self._lock:
            if shelf not in self._indexes or not ids:
                return
            writer = _writer(self._indexes[shelf])
            for id in ids:
                writer.delete_documents_by_term("id", id)
            writer.commit()
            writer.wait_merging_threads()
            self._indexes[shelf].reload()

    def search(self, shelf: Shelf, text: str, limit: int) -> list[tuple[str, float]]:
        """The best ids with their BM25 score, best first. Words are matched, never parsed: no text is a syntax error."""
        index = self._indexes.get(shelf)
        query = self._asked(text)
        if index is None or query is None or limit < 1:
            return []
        searcher = index.searcher()
        hits = searcher.search(query, limit, count=False).hits
        return [(searcher.doc(address)["id"][0], float(score)) for score, address in hits]

    def ids(self, shelf: Shelf) -> set[str]:
        """Every id on the shelf whose words stand there as they are asked for: what an older version wrote otherwise counts as missing."""
        from tantivy import Query

        old = Query.regex_query(self._schema, "words", UNPAIRED)
        return self._matching(shelf, Query.all_query()) - self._matching(shelf, old)

    def _matching(self, shelf: Shelf, query: Query) -> set[str]:
        index = self._indexes.get(shelf)
        if index is None:
            return set()
        searcher = index.searcher()
        hits = searcher.search(query, max(1, searcher.num_docs), count=False).hits
        return {searcher.doc(address)["id"][0] for _, address in hits}

    def shelves(self) -> list[Shelf]:
        """Every shelf that has an index."""
        return sorted(self._indexes, key=lambda s: (s.workspace, s.kind, s.side))

    def twin(self) -> Self:
        """An empty index beside this one."""
        made = type(self).__new__(type(self))
        made._folder, made._lock, made._schema, made._analyser = self._folder, RLock(), self._schema, self._analyser
        made._last = "", None
        made._open_at(generations.begin(self._folder))
        return made

    def adopt(self, twin: Self) -> None:
        """Answer from the twin, and remove the old generation's files; open searchers keep theirs until they end."""
        with self._lock:
            generations.switch(self._folder, twin._place)
            self._place, self._indexes = twin._place, twin._indexes
            twin._indexes = {}
        generations.sweep(self._folder)

    def close(self) -> None:
        """Let go of files and memory."""
        self._indexes = {}

    def _asked(self, text: str) -> Query | None:
        """One question is put to several shelves in a row: it is analysed once."""
        asked, query = self._last
        if asked != text:
            query = self._query(text)
            self._last = text, query
        return query

    def _query(self, text: str) -> Query | None:
        """A word that the customer repeats counts as often as it stands; past a bound only the first words do."""
        from tantivy import Occur, Query

        counts = Counter(self._analyser.analyze(spread(text)))
        terms = [
            (Occur.Should, Query.boost_query(Query.term_query(self._schema, "words", term, "freq"), float(count)))
            for term, count in list(counts.items())[:QUERY_TERMS]
        ]
        return Query.boolean_query(terms) if terms else None

    def _open(self, shelf: Shelf) -> Index:
        from tantivy import Index

        described = {"workspace": shelf.workspace, "kind": shelf.kind, "side": shelf.side}
        name = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:24]
        folder = self._place / name
        folder.mkdir(parents=True, exist_ok=True)
        index = Index(self._schema, path=str(folder), reuse=True)
        index.register_tokenizer(ANALYSER, self._analyser)
        if not (folder / "shelf.json").exists():
            (folder / "shelf.new").write_text(json.dumps(described), encoding="utf-8")
            (folder / "shelf.new").replace(folder / "shelf.json")  # a crash never leaves half a description
        return index


def _writer(index: Index) -> IndexWriter:
    """A writer, with the files of a commit that failed out of its way: it would give its own the same names, and fail at them for ever."""
    writer = index.writer(HEAP_BYTES, 1)
    writer.garbage_collect_files()
    return writer


def _schema() -> Schema:
    from tantivy import SchemaBuilder

    builder = SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("words", stored=False, tokenizer_name=ANALYSER, index_option="freq")
    return builder.build()


def _analyser() -> TextAnalyzer:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    builder = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.remove_long(40)).filter(Filter.lowercase())
    return (
        builder.filter(Filter.ascii_fold()).filter(Filter.stopword("english")).filter(Filter.stemmer("english")).build()
    )
