"""Damage of every kind is told by verify and put right by repair, from the ledger and without the model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, insert, select, update

from copilot.build import Parts, build
from copilot.errors import IndexBroken, IndexMismatch
from copilot.ports import LexicalEntry, Shelf
from copilot.retrieve import Query
from copilot.store import schema as t
from copilot.store.ledger import Ledger
from ingest.repair import build_anyway, build_repaired, repair
from ingest.verify import verify
from tests.conftest import ADMIN, ingest

ARTICLES = Shelf("default", "article", "public")


def found(parts: Parts, text: str) -> list[str]:
    return [hit.document_id for hit in parts.copilot.search(ADMIN, Query(text=text)).results]


class NoModel:
    """Stands where the embedder was and can do nothing."""

    def __init__(self, parts: Parts) -> None:
        self.fingerprint, self.dimensions = parts.embedder.fingerprint, parts.embedder.dimensions


def without_model(parts: Parts) -> Parts:
    return replace(parts, embedder=NoModel(parts))  # type: ignore[arg-type]


def lose_vectors(parts: Parts) -> None:
    parts.vectors.delete(ARTICLES, sorted(parts.vectors.ids(ARTICLES))[:2])


def lose_words(parts: Parts) -> None:
    parts.lexical.delete(ARTICLES, sorted(parts.lexical.ids(ARTICLES))[:2])


def orphan_vector(parts: Parts) -> None:
    parts.vectors.upsert(ARTICLES, ["999.1.0"], np.eye(1, 384, dtype=np.float32))


def orphan_words(parts: Parts) -> None:
    parts.lexical.upsert(ARTICLES, [LexicalEntry(id="999.1.0", title="", headings="", body="nobody's words")])


def altered_vector(parts: Parts) -> None:
    parts.vectors.upsert(ARTICLES, sorted(parts.vectors.ids(ARTICLES))[:1], np.eye(1, 384, dtype=np.float32))


def foreign_shelf(parts: Parts) -> None:
    parts.vectors.upsert(Shelf("nobody", "article", "public"), ["1.1.0"], np.eye(1, 384, dtype=np.float32))


def doomed_rows(parts: Parts) -> None:
    with parts.database.write() as connection:
        row = {"id": "999.1.0", "side": "public", "workspace": "default", "kind": "article"}
        connection.execute(insert(t.doomed).values(row))


def orphan_vector_row(parts: Parts) -> None:
    with parts.database.write() as connection:
        row = {"embedder": parts.embedder.fingerprint, "hash": "0" * 64, "vector": b"0000"}
        connection.execute(insert(t.vectors).values(row))


DAMAGE = [
    (lose_vectors, "vector index .* lacks 2"), (lose_words, "lexical index .* lacks 2"),
    (orphan_vector, "vector index .* 1 orphans"), (orphan_words, "lexical index .* 1 orphans"),
    (altered_vector, "1 vectors that are not the ledger's"), (foreign_shelf, "nobody.* 1 orphans"),
    (doomed_rows, "1 chunks wait"), (orphan_vector_row, "1 stored vectors belong to no chunk"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "told"), DAMAGE, ids=[damage.__name__ for damage, _ in DAMAGE])
def test_damage_is_told_and_repaired_without_the_model(
    filled: Parts, damage: Callable[[Parts], None], told: str
) -> None:
    import re

    before = found(filled, "compact folders to free disk space")
    damage(filled)
    report = verify(filled)
    assert any(re.search(told, problem) for problem in report.problems), report.problems
    repair(without_model(filled))
    assert verify(filled).problems == []
    assert found(filled, "compact folders to free disk space") == before


@pytest.mark.parametrize("where", ["chroma", "tantivy"])
@pytest.mark.parametrize("harm", ["garbage", "gone"])
def test_an_index_that_cannot_be_opened_is_made_anew(filled: Parts, where: str, harm: str) -> None:
    settings, before = filled.settings, found(filled, "reset my password")
    filled.close()
    names = ("chroma.sqlite3",) if where == "chroma" else ("meta.json",)
    for file in [file for name in names for file in (settings.home / where).rglob(name)]:
        file.write_bytes(b"garbage" * 99) if harm == "garbage" else file.unlink()
    if harm == "garbage":
        with pytest.raises(IndexBroken, match="copilot repair"):
            build(settings).vectors.shelves()
    parts = build_anyway(settings)
    assert not verify(parts).clean
    repair(without_model(parts))
    assert verify(parts).problems == []
    assert found(parts, "reset my password") == before
    parts.close()


def test_a_lexical_index_of_an_older_form_is_made_again_where_asked(filled: Parts) -> None:
    """The index had a field for each part of an entry once."""
    from tantivy import Index, SchemaBuilder

    settings, before = filled.settings, found(filled, "reset my password")
    filled.close()
    builder = SchemaBuilder()
    for name in ("id", "title", "headings", "body"):
        builder.add_text_field(name, stored=name == "id")
    older = builder.build()
    for described in list((settings.home / "tantivy").rglob("shelf.json")):
        for file in described.parent.iterdir():
            if file != described:
                file.unlink()
        Index(older, path=str(described.parent))
    with pytest.raises(IndexBroken, match="copilot repair"):
        build(settings)
    with closing(build_repaired(settings)) as parts:
        assert verify(parts).clean
        assert found(parts, "reset my password") == before


def test_what_the_ledger_itself_lost_is_read_again_by_the_next_ingest(filled: Parts, folder: Path) -> None:
    id = min(filled.vectors.ids(ARTICLES))
    with filled.database.write() as connection:
        hash = connection.execute(select(t.chunks.c.vector).where(t.chunks.c.id == id)).scalar_one()
        connection.execute(delete(t.vectors).where(t.vectors.c.hash == hash))
    assert any(f"chunk {id}: it has no vector" in problem for problem in verify(filled).problems)
    done = repair(filled)
    assert len(done.reread) == 1
    assert not verify(filled).clean, "a vector cannot be made without the model"
    summary = ingest(filled, folder)
    assert (summary.changed, summary.embedded) == (1, 1)
    assert verify(filled).problems == []


def test_a_changed_text_is_told_and_read_again(filled: Parts, folder: Path) -> None:
    with filled.database.write() as connection:
        connection.execute(update(t.revisions).where(t.revisions.c.document == 1).values(text="somebody else's words"))
    problems = verify(filled).problems
    assert any("differs from its hash" in problem for problem in problems)
    assert any("lies outside its text" in problem for problem in problems)
    assert repair(filled).reread == ["compact-folders"]
    assert ingest(filled, folder).changed == 1
    assert any("revision 1 differs" in problem for problem in verify(filled).problems), "history is not invented"
    assert "3 minutes" in filled.library.text("default", "compact-folders").text


def test_repairing_what_is_whole_changes_nothing(filled: Parts) -> None:
    done = repair(filled)
    assert (done.added, done.removed, done.rebuilt, done.reread) == (0, 0, [], [])


def test_another_embedder_drops_nobodys_vectors(filled: Parts) -> None:
    other = replace(filled, ledger=Ledger(filled.database, "another-model"))
    with pytest.raises(IndexMismatch):
        repair(other)
    assert verify(filled).clean


def test_entries_in_chinese_of_an_older_version_are_written_again(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "zh.md").write_text("# 忘记密码怎么办\n\n打开登录页面，点击忘记密码。", encoding="utf-8")
    (tmp_path / "en.md").write_text("# Sign in\n\nOpen the page, press Café.", encoding="utf-8")
    with monkeypatch.context() as older:
        older.setattr("copilot.adapters.tantivy.spread", str)
        ingest(parts, tmp_path)
    (problem,) = verify(parts).problems
    assert "lacks 1 chunks" in problem
    done = repair(without_model(parts))
    assert (done.added, done.removed, verify(parts).problems) == (1, 0, [])
    assert parts.lexical.search(ARTICLES, "密码", 5)
