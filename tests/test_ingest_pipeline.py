"""What the index holds after an ingest, through the command's own door."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from benchmarks.embedders import Recorder
from copilot.build import Parts
from copilot.domain import Chunk, Document, Link, Source
from copilot.errors import IndexMismatch, InputError, MassDeletion, NotFound
from copilot.mapping import FEWEST
from copilot.retrieve import Query
from copilot.store.arrivals import Place
from copilot.store.ledger import Ledger
from ingest import embed
from ingest.ahead import ahead
from ingest.brake import one_by_one
from ingest.load import Reading
from ingest.pipeline import Indexer
from ingest.verify import verify
from tests.conftest import ADMIN, AGENT, TICKETS, asks, ingest, write_tickets


def found(parts: Parts, text: str) -> list[str]:
    return [
        hit.document_id
        for hit in parts.copilot.search(ADMIN, Query(text=text, kinds=("article", "ticket", "macro"))).results
    ]


def test_a_first_ingest_adds_what_is_knowledge_and_a_second_does_nothing(parts: Parts, folder: Path) -> None:
    first = ingest(parts, folder)
    assert (first.added, first.failed, first.embedded > 0) == (5, 0, True)
    clock = parts.library.clock("default")
    second = ingest(parts, folder)
    assert (second.added, second.changed, second.unchanged, second.embedded) == (0, 0, 5, 0)
    assert parts.library.clock("default") == clock, "nothing was written"
    assert verify(parts).clean


def test_an_edited_article_embeds_only_its_changed_chunks_and_its_old_revision_stays_citable(
    filled: Parts, folder: Path
) -> None:
    file = folder / "compact-folders.md"
    file.write_text(file.read_text(encoding="utf-8").replace("about 3 minutes", "about 7 minutes"), encoding="utf-8")
    summary = ingest(filled, folder)
    assert (summary.changed, summary.unchanged, summary.embedded) == (1, 4, 1)
    assert "about 7 minutes" in filled.library.text("default", "compact-folders").text
    assert "about 3 minutes" in filled.library.text("default", "compact-folders", 1).text
    assert verify(filled).clean


def test_the_next_suggestion_cites_the_new_text(filled: Parts, folder: Path) -> None:
    file = folder / "reset-password.md"
    file.write_text(file.read_text(encoding="utf-8").replace("30 minutes", "45 minutes"), encoding="utf-8")
    ingest(filled, folder)
    made = filled.copilot.suggest(AGENT, asks("how long is the password reset link in the e-mail valid"))
    assert made.draft is not None
    assert "45 minutes" in made.draft.text
    assert {c.revision for s in made.draft.statements for c in s.citations} == {2}


def test_a_vanished_file_is_retired_and_its_text_is_gone_from_every_file(filled: Parts, folder: Path) -> None:
    (folder / "refund-limits.md").unlink()
    assert ingest(filled, folder).retired == 1
    with pytest.raises(NotFound):
        filled.library.text("default", "refund-limits")
    assert "refund-limits" not in found(filled, "refund limits for agents KRAKATOA")
    assert verify(filled).clean


def test_a_deleted_document_is_gone_when_the_call_returns(filled: Parts) -> None:
    assert "reset-password" in found(filled, "reset my password")
    Indexer(filled).retire("default", ["reset-password"])
    assert "reset-password" not in found(filled, "reset my password")
    assert verify(filled).clean
    with pytest.raises(NotFound, match="never-there"):
        Indexer(filled).retire("default", ["never-there"])


def test_a_broken_file_is_reported_and_the_rest_is_taken(parts: Parts, folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 truncated")
    (folder / "binary.md").write_bytes(bytes(range(256)) * 20)
    summary = ingest(parts, folder)
    assert (summary.added, summary.failed) == (5, 2)
    assert {problem.origin for problem in summary.problems} == {"broken.pdf", "binary.md"}
    assert all(problem.reason for problem in summary.problems)


def test_a_file_that_breaks_keeps_its_last_good_revision(filled: Parts, folder: Path) -> None:
    (folder / "reset-password.md").write_bytes(b"\x00\xff\xfe" * 100)
    summary = ingest(filled, folder)
    assert (summary.failed, summary.retired) == (1, 0)
    assert "30 minutes" in filled.library.text("default", "reset-password").text


def test_a_broken_row_retires_no_ticket_of_its_file(filled: Parts, folder: Path) -> None:
    (folder / "tickets.jsonl").write_text("{this is no json\n", encoding="utf-8")
    summary = ingest(filled, folder)
    assert (summary.failed, summary.retired) == (1, 0)
    assert "t-1" in found(filled, "Sent folder is empty after the update")


def test_a_document_that_changes_its_id_leaves_no_twin(filled: Parts, folder: Path) -> None:
    file = folder / "compact-folders.md"
    file.write_text(
        file.read_text(encoding="utf-8").replace("doc_id: compact-folders", "doc_id: compacting"), encoding="utf-8"
    )
    summary = ingest(filled, folder)
    assert (summary.added, summary.retired) == (1, 1)
    assert [id for id in found(filled, "compact folders to free disk space") if id.startswith("compact")] == [
        "compacting"
    ]


def test_a_moved_file_with_its_id_is_the_same_document(filled: Parts, folder: Path) -> None:
    (folder / "sub").mkdir()
    shutil.move(folder / "compact-folders.md", folder / "sub" / "renamed.md")
    summary = ingest(filled, folder)
    assert (summary.added, summary.retired, summary.embedded) == (0, 0, 0)
    assert found(filled, "compact folders").count("compact-folders") == 1


def test_the_same_id_twice_fails_the_second_and_keeps_the_first(parts: Parts, folder: Path) -> None:
    shutil.copy(folder / "compact-folders.md", folder / "twin.md")
    summary = ingest(parts, folder)
    assert summary.failed == 1
    assert "compact-folders" in summary.problems[0].reason


def test_after_one_edit_the_next_draft_says_the_new_words_and_one_document_was_embedded(
    filled: Parts, folder: Path
) -> None:
    question = asks("How long is the password link in the e-mail valid?")
    before = filled.copilot.suggest(AGENT, question).draft
    assert before is not None
    assert "30 minutes" in before.text
    file = folder / "reset-password.md"
    file.write_text(file.read_text(encoding="utf-8").replace("30 minutes", "45 minutes"), encoding="utf-8")
    summary = ingest(filled, folder)
    assert (summary.changed, summary.unchanged, summary.embedded) == (1, 4, 1), "of its two chunks the edited one"
    after = filled.copilot.suggest(AGENT, question).draft
    assert after is not None
    assert "45 minutes" in after.text
    assert "30 minutes" not in after.text


def test_a_dry_run_counts_and_changes_nothing(parts: Parts, folder: Path) -> None:
    dry = Indexer(parts).ingest("default", folder, Reading(), dry_run=True)
    assert dry.added == 5
    with pytest.raises(NotFound):
        parts.library.clock("default")


def test_a_reopened_ticket_is_knowledge_no_more(filled: Parts, folder: Path) -> None:
    write_tickets(folder / "tickets.jsonl", [{**TICKETS[0], "status": "open", "solution": ""}, TICKETS[1]])
    summary = ingest(filled, folder)
    assert (summary.skipped, summary.retired) == (1, 1)
    assert "t-1" not in found(filled, "Sent folder is empty after the update")


def test_another_embedder_is_refused(filled: Parts, folder: Path) -> None:
    other = replace(filled, ledger=Ledger(filled.database, "another-model"))
    with pytest.raises(IndexMismatch):
        ingest(other, folder)


def test_a_path_that_does_not_exist_retires_nothing(filled: Parts, folder: Path) -> None:
    shutil.move(folder, folder.with_name("elsewhere"))
    with pytest.raises(InputError, match="nothing at"):
        ingest(filled, folder)
    assert "reset-password" in found(filled, "reset my password")


def test_an_ingest_cut_off_before_the_switch_leaves_no_trace(
    filled: Parts, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "new.md").write_text("# New\n\nHALFWRITTEN words about dragons.\n", encoding="utf-8")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(filled.ledger, "switch", killed)
    with pytest.raises(KeyboardInterrupt):
        ingest(filled, folder)
    monkeypatch.undo()
    assert "new" not in found(filled, "HALFWRITTEN words about dragons")
    assert not verify(filled).clean
    assert ingest(filled, folder).added == 1
    assert "new" in found(filled, "HALFWRITTEN words about dragons")
    assert verify(filled).clean


CANARIES = ("PRIVATE-OBELISK", "UNSOLVED-ZIGGURAT", "anna.ruiz@example.com")


@pytest.mark.parametrize("canary", CANARIES)
def test_private_notes_unsolved_replies_and_addresses_reach_no_file_and_no_log(
    parts: Parts, folder: Path, canary: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ingest(parts, folder)
    made = parts.copilot.suggest(AGENT, asks(f"My Sent folder is empty after the update, disk full {canary[:7]}"))
    parts.close()
    held = [file for file in parts.settings.home.rglob("*") if file.is_file() and canary.encode() in file.read_bytes()]
    assert held == []
    assert canary not in caplog.text
    assert canary not in repr(made)


def test_an_unsolved_question_informs_the_ranking_and_nothing_else(filled: Parts) -> None:
    query = "deleting mails does not help, disk is full because the mail file has grown to 60 gigabytes"
    assert "t-2" not in found(filled, query)
    results = filled.copilot.search(ADMIN, Query(text=query, kinds=("article",))).results
    assert results[0].document_id == "compact-folders"
    assert results[0].scores["votes"] == 1
    shown = json.dumps([hit.title for hit in results]) + repr(results)
    assert "UNSOLVED-QUESTION" not in shown
    assert "60 gigabytes" not in shown


def test_verify_tells_what_is_wrong(filled: Parts) -> None:
    shelf = next(shelf for shelf in filled.vectors.shelves() if shelf.kind == "article" and shelf.side == "public")
    ids = sorted(filled.vectors.ids(shelf))
    filled.vectors.delete(shelf, ids[:1])
    filled.lexical.delete(shelf, ids[1:2])
    report = verify(filled)
    assert not report.clean
    assert any("vector index" in problem and ids[0] in problem for problem in report.problems)
    assert any("lexical index" in problem and ids[1] in problem for problem in report.problems)


def test_a_small_batch_goes_ahead_only_while_the_model_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "BATCH_CHUNKS", 5)
    monkeypatch.setattr(embed, "FEWEST_CHUNKS", 2)
    place = Place(workspace="default", root="/docs", origin="a.md", fingerprint="1")
    source = Source(document=Document(id="a", kind="article", title="A"), text="text")
    chunk = Chunk(start=0, end=4, headings=(), text="text", embedded="text")
    some = [embed.Ready(place, source, ((chunk, True),), None)] * 12
    waits = iter([True, False, True])
    sizes = [len(batch) for batch in embed.in_batches(some, lambda: next(waits, False))]
    assert sizes == [2, 5, 4, 1], (
        "after a small one twice as many are wanted; a full one waits for nobody and changes nothing"
    )
    assert [len(batch) for batch in embed.in_batches(some, lambda: True)] == [2, 4, 5, 1]


def test_what_learns_the_map_is_loaded_while_the_model_works_and_only_for_many_cases(
    filled: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    recorder = Recorder(filled.embedder)
    monkeypatch.setattr(embed, "get_ready", lambda: asked.append(len(recorder.texts)))
    place = Place(workspace="default", root="/docs", origin="a.md", fingerprint="1")
    document = Document(id="a", kind="ticket", title="A")
    source = Source(document=document, text="text", use="ranking", links=(Link(document_id="b", at=datetime.now(UTC)),))

    def batch(size: int, number: int) -> list[embed.Ready]:
        chunk = Chunk(start=0, end=4, headings=(), text="text", embedded=f"text {number}")
        return [embed.Ready(place, source, ((chunk, True),), None)] * size

    list(embed.embedded([batch(FEWEST - 1, 0)], filled.ledger, recorder))
    assert asked == []
    list(embed.embedded([batch(FEWEST - 1, 1), batch(1, 2), batch(9, 3)], filled.ledger, recorder))
    assert asked == [2], "before the batch that makes them enough is embedded"


def test_whoever_makes_items_ahead_knows_that_the_next_is_awaited() -> None:
    awaited, seen = Event(), list[bool]()

    def items() -> Iterator[int]:
        for number in range(3):
            seen.append(awaited.wait(5))
            yield number

    with ahead(items(), awaited=awaited) as taken:
        assert [(number, awaited.is_set()) for number in taken] == [(0, False), (1, False), (2, False)]
    assert seen == [True, True, True]


def test_a_folder_that_was_emptied_is_asked_about_before_anything_is_retired(filled: Parts, folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    (folder / "new.md").write_text("# New\n\nThe lamp blinks twice.\n", encoding="utf-8")
    indexer = Indexer(filled)
    told = indexer.ingest("default", folder, Reading(), dry_run=True)
    assert "5 of 5 documents would be retired" in told.problems[0].reason
    with pytest.raises(MassDeletion, match="--allow-mass-delete"):
        indexer.ingest("default", folder, Reading())
    assert len(filled.ledger.known("default", str(folder))) == 6, "what is new was taken"
    assert indexer.ingest("default", folder, Reading(), allow_mass_delete=True).retired == 5


def test_files_that_were_renamed_are_no_loss(parts: Parts, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.md").write_text(f"# The {name} lamp\n\nIt blinks.\n", encoding="utf-8")
    ingest(parts, tmp_path)
    for name in ("one", "two"):
        (tmp_path / f"{name}.md").rename(tmp_path / f"new-{name}.md")
    made = Indexer(parts).ingest("default", tmp_path, Reading())
    assert (made.added, made.retired, made.failed) == (2, 2, 0)


def test_a_folder_that_the_brake_stops_does_not_stop_the_next(parts: Parts, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.md").write_text(f"# {name}\n\nThe {name} lamp.\n", encoding="utf-8")
        ingest(parts, tmp_path / name)
    (tmp_path / "a" / "a.md").unlink()
    (tmp_path / "b" / "c.md").write_text("# c\n\nThe c lamp.\n", encoding="utf-8")
    indexer = Indexer(parts)
    made = one_by_one(lambda path: indexer.ingest("default", path, Reading()), [tmp_path / "a", tmp_path / "b"])
    assert (made.failed, made.added) == (1, 1)
    assert "--allow-mass-delete" in made.problems[0].reason


def test_a_guessed_encoding_is_told(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes("# Kessel\n\nDen Knopf gedrückt halten.\n".encode("cp1252"))
    (tmp_path / "b.txt").write_text("Den Knopf gedrückt halten.", encoding="utf-16")
    summary = ingest(parts, tmp_path)
    assert (summary.added, summary.failed) == (2, 0)
    assert [(note.origin, note.reason) for note in summary.notes] == [
        ("a.md", "it is not UTF-8, read as cp1252: check its words")
    ]
    assert "gedrückt" in parts.library.text("default", "a").text
