"""What is found in folders, files and tables."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from weakref import WeakSet

import pytest

from copilot.build import Parts
from copilot.domain import Source
from copilot.errors import NotKnowledge, UnreadableFile
from copilot.ports import Broken, Raw
from ingest import load
from ingest.load import MAX_BROKEN_ROWS, Reading, expected, scan
from ingest.pipeline import Indexer


def _found(root: Path, **options: object) -> list[Raw | Broken]:
    return list(scan(root, Reading(**options)))  # type: ignore[arg-type]


def _origins(root: Path) -> list[str]:
    return [one.origin for one in _found(root)]


def _only(found: list[Raw | Broken]) -> Raw | Broken:
    assert len(found) == 1
    return found[0]


def _write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_md", ".md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def _table(root: Path, name: str, text: str | bytes) -> Path:
    path = root / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def _lines(*rows: object) -> str:
    return "\n".join(json.dumps(row) for row in rows)


# ---- folders and files ----


def test_a_folder_gives_its_documents_sorted_and_passes_over_the_rest(tmp_path: Path) -> None:
    _write(tmp_path, b__z_md="Z", b__a_md="A", c_md="C", _hidden_md="no", b__deep__x_md="X")
    for name in ("photo.png", ".hidden.md", "~$open.docx", "index.json"):
        (tmp_path / name).write_text("x")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.md").write_text("x")
    assert _origins(tmp_path) == ["_hidden.md", "b/a.md", "b/deep/x.md", "b/z.md", "c.md"]


def test_a_document_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    _write(tmp_path, faq__returns_md="# Returns\n\nSend it back.")
    raw = _only(_found(tmp_path, kind="macro", audience="internal"))
    assert isinstance(raw, Raw)
    source = raw.read()
    assert (source.document.id, source.document.title, source.text) == ("faq/returns", "Returns", "Send it back.")
    assert (source.document.kind, source.document.audience) == ("macro", "internal")


@pytest.mark.parametrize("suffix", ["md", "MD", "markdown", "txt", "html", "htm"])
def test_one_file_is_a_root_of_its_own(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"returns.{suffix}"
    path.write_text("Send it back.", encoding="utf-8")
    raw = _only(_found(path))
    assert isinstance(raw, Raw)
    assert (raw.origin, raw.read().document.id) == (path.name, "returns")


def test_one_file_that_cannot_be_read_as_anything_is_told(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"x")
    assert "use one of .md," in getattr(_only(_found(path)), "reason", "")


def test_nothing_at_a_path_is_an_error_and_no_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="give a folder or a file"):
        _found(tmp_path / "missing")


def test_the_fingerprint_follows_the_bytes_and_how_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(tmp_path, a_md="A") / "a.md"

    def fingerprint(**options: object) -> str:
        return getattr(_only(_found(path, **options)), "fingerprint", "")

    first = fingerprint()
    assert first == fingerprint() == fingerprint(columns={"ticket_id": "ID"}, max_bytes=100)
    seen = {first, fingerprint(kind="macro"), fingerprint(audience="internal")}
    path.write_text("B", encoding="utf-8")
    seen.add(fingerprint())
    monkeypatch.setattr(load, "PIPELINE", "another")
    seen.add(fingerprint())
    assert len(seen) == 5
    assert all(len(one) == 64 for one in seen)


def test_a_file_that_changed_after_the_scan_is_not_taken_for_what_it_was(tmp_path: Path) -> None:
    path = _write(tmp_path, a_md="A") / "a.md"
    raw = _only(_found(path))
    path.write_text("B", encoding="utf-8")
    assert isinstance(raw, Raw)
    with pytest.raises(UnreadableFile, match="changed while it was read"):
        raw.read()


def test_a_file_above_the_limit_is_told_and_not_read(tmp_path: Path) -> None:
    _write(tmp_path, a_md="x" * 11)
    assert "it is larger than 10 bytes" in getattr(_only(_found(tmp_path, max_bytes=10)), "reason", "")
    assert isinstance(_only(_found(tmp_path, max_bytes=11)), Raw)


def test_links_lead_to_files_inside_only(tmp_path: Path) -> None:
    root = _write(tmp_path / "root", a_md="A", sub__b_md="B")
    outside = _write(tmp_path / "outside", secret_md="S")
    (root / "in.md").symlink_to(root / "a.md")
    (root / "out.md").symlink_to(outside / "secret.md")
    (root / "gone.md").symlink_to(root / "missing.md")
    (root / "self.md").symlink_to(root / "self.md")
    (root / "folder_out").symlink_to(outside)
    (root / "folder_in").symlink_to(root / "sub")
    (root / "loop").symlink_to(root)
    found = {one.origin: getattr(one, "reason", "") for one in _found(root)}
    assert {origin for origin, reason in found.items() if not reason} == {"a.md", "in.md", "sub/b.md"}
    assert "leaves the folder" in found["out.md"]
    assert "leaves the folder" in found["folder_out"]
    assert "cannot be opened" in found["gone.md"]
    assert set(found) == {"a.md", "in.md", "sub/b.md", "out.md", "gone.md", "self.md", "folder_out"}


def test_a_pipe_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    assert getattr(_only(_found(tmp_path)), "reason", "") == "it is not a regular file"


def test_a_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md")).write_text("x")
    assert _only(_found(tmp_path)) == Broken("caf\ufffd.md", "its name is not UTF-8: rename it")


def test_what_may_not_be_opened_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, a_md="A", closed__b_md="B", denied_md="D")
    listed, read = os.scandir, Path.read_bytes

    def scandir(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    def read_bytes(path: Path) -> bytes:
        if path.name == "denied.md":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    found = _found(tmp_path)
    assert [(one.origin, isinstance(one, Broken)) for one in found] == [
        ("a.md", False), ("closed/", True), ("denied.md", True),
    ]  # fmt: skip
    assert all("Permission denied" in one.reason for one in found if isinstance(one, Broken))


# ---- tables ----


def test_each_row_of_a_table_is_a_document(tmp_path: Path) -> None:
    _table(tmp_path, "a.jsonl", "\ufeff" + _lines({"ticket_id": "t-1"}, {"ticket_id": 2}) + "\n\n")
    _table(tmp_path, "b.ndjson", _lines({"ticket_id": "t-3"}))
    _table(tmp_path, "c.csv", '\ufeffticket_id;message\r\nt-4;"two\nlines; one cell"\r\n\r\nt-5;short')
    assert _origins(tmp_path) == ["a.jsonl#t-1", "a.jsonl#2", "b.ndjson#t-3", "c.csv#t-4", "c.csv#t-5"]


def test_a_solved_ticket_is_read_from_its_row(tmp_path: Path) -> None:
    row = {
        "Number": "t-1", "status": "solved", "subject": "Cannot print", "message": "My printer prints nothing at all.",
        "created": "2026-01-01T10:00:00Z", "solution": "Turn it on with the button on its left side.",
    }  # fmt: skip
    raw = _only(_found(_table(tmp_path, "a.jsonl", _lines(row)), columns={"ticket_id": "Number"}))
    assert isinstance(raw, Raw)
    source = raw.read()
    assert (raw.origin, source.document.id, source.document.kind) == ("a.jsonl#t-1", "t-1", "ticket")
    assert "Turn it on" in source.text[source.answer_start :]


def test_a_rows_fingerprint_is_its_own(tmp_path: Path) -> None:
    def fingerprints(*rows: object, **options: object) -> list[str]:
        return [
            getattr(one, "fingerprint", "") for one in _found(_table(tmp_path, "a.jsonl", _lines(*rows)), **options)
        ]

    first = fingerprints({"ticket_id": "1", "a": 1}, {"ticket_id": "2"})
    assert fingerprints({"ticket_id": "2"}, {"a": 1, "ticket_id": "1"}) == first[::-1]
    assert fingerprints({"ticket_id": "1", "a": 2}, {"ticket_id": "2"})[1:] == first[1:]
    assert first[0] not in fingerprints({"ticket_id": "1", "a": 2})
    assert first[0] not in fingerprints({"ticket_id": "1", "a": 1}, audience="internal")
    assert first[0] not in fingerprints({"ticket_id": "1", "a": 1}, columns={"message": "a"})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{broken", "it is not JSON"),
        (b'["a", "list"]', "it is JSON but no object"),
        (b'{"ticket_id": "caf\xe9"}', "it is not UTF-8"),
        (b"[" * 100_000, "it is not JSON"),
        (b'{"ticket_id": ' + b"9" * 5000 + b"}", "it is not JSON"),
        (
            b'{"subject": "no id"}',
            "it has no ticket_id: name its column with --map ticket_id=COLUMN, or bring articles in by",
        ),
        (b'{"ticket_id": " "}', "it has no ticket_id"),
        (b'{"ticket_id": true}', "it has no ticket_id"),
        (b'{"ticket_id": ["x"]}', "it has no ticket_id"),
        (b'{"ticket_id": "t-1"}', "the same ticket_id again: t-1"),
    ],
)
def test_a_broken_row_is_told_with_its_line_and_the_rest_goes_on(tmp_path: Path, line: bytes, reason: str) -> None:
    path = _table(tmp_path, "a.jsonl", b'{"ticket_id": "t-1"}\n' + line + b'\n{"ticket_id": "t-2"}\n')
    first, broken, last = _found(path)
    assert (first.origin, last.origin) == ("a.jsonl#t-1", "a.jsonl#t-2")
    assert isinstance(broken, Broken)
    assert broken.origin == "a.jsonl#line 2"
    assert broken.reason.startswith(f"line 2: {reason}")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ticket_id,message\nt-1,a\nt-2,b,c\nt-3,d\n", "line 3: it has 3 cells, the head only 2"),
        ("ticket_id,message\nt-1,a\n,b\nt-3,d\n", "line 3: it has no ticket_id"),
        ('ticket_id,message\nt-1,a\n"t-2"x,b\nt-3,d\n', "line 3: it is not CSV"),
    ],
)
def test_a_broken_line_of_a_csv_is_told_and_the_rest_goes_on(tmp_path: Path, text: str, reason: str) -> None:
    first, broken, last = _found(_table(tmp_path, "a.csv", text))
    assert (first.origin, last.origin) == ("a.csv#t-1", "a.csv#t-3")
    assert getattr(broken, "reason", "").startswith(reason)


def test_a_quote_that_is_never_closed_is_told(tmp_path: Path) -> None:
    (broken,) = _found(_table(tmp_path, "a.csv", 'ticket_id,message\nt-1,"open\nt-2,x\n'))
    assert "it is not CSV (unexpected end of data)" in getattr(broken, "reason", "")


@pytest.mark.parametrize("head", ["sep=;\r\n", "\ufeffsep=;\n"])
def test_a_csv_that_excel_wrote_may_name_its_separator_first(tmp_path: Path, head: str) -> None:
    assert _origins(_table(tmp_path, "a.csv", f"{head}ticket_id;message\nt-1;one, two\n")) == ["a.csv#t-1"]


def test_a_csv_cell_may_be_as_long_as_the_file(tmp_path: Path) -> None:
    assert _origins(_table(tmp_path, "a.csv", "ticket_id,message\nt-1," + "x" * 200_000)) == ["a.csv#t-1"]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_a_csv_may_have_another_encoding(tmp_path: Path, encoding: str) -> None:
    words = "ticket_id,message\nä-1,Grüße aus Köln und vielen Dank für die schöne Hilfe\n"
    assert _origins(_table(tmp_path, "a.csv", words.encode(encoding))) == ["a.csv#ä-1"]


def test_a_utf_16_jsonl_is_read(tmp_path: Path) -> None:
    assert _origins(_table(tmp_path, "a.jsonl", _lines({"ticket_id": "ä"}).encode("utf-16"))) == ["a.jsonl#ä"]


def test_incoming_messages_are_told_once_and_not_row_by_row(tmp_path: Path) -> None:
    path = _table(tmp_path, "incoming.jsonl", _lines(*({"id": str(n), "messages": []} for n in range(300))))
    broken = _only(_found(path))
    assert isinstance(broken, Broken)
    assert broken.origin == "incoming.jsonl#line 1"
    assert "as incoming messages have" in broken.reason


def test_after_too_many_broken_rows_the_rest_of_a_table_is_not_read(tmp_path: Path) -> None:
    path = _table(tmp_path, "a.jsonl", "nonsense\n" * 5000 + _lines({"ticket_id": "t-1"}))
    found = _found(path)
    assert len(found) == MAX_BROKEN_ROWS + 1
    assert found[-1] == Broken("a.jsonl", "20 of its rows are broken: the rest was not read; correct those first")


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_an_empty_table_holds_nothing(tmp_path: Path, name: str) -> None:
    assert _found(_table(tmp_path, name, "")) == []


def test_a_binary_file_named_csv_is_told(tmp_path: Path) -> None:
    broken = _only(_found(_table(tmp_path, "a.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")))
    assert isinstance(broken, Broken)
    assert (broken.origin, broken.reason.partition(":")[0]) == ("a.csv", "it is not a text file")


def test_about_how_many_there_are_is_known_before_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# A\n\nWords.\n", encoding="utf-8")
    (tmp_path / "t.jsonl").write_text('{"ticket_id": "1"}\n{"ticket_id": "2"}', encoding="utf-8")
    (tmp_path / "notes.log").write_text("none of ours", encoding="utf-8")
    assert expected(tmp_path, Reading()) == 3
    assert expected(tmp_path / "a.md", Reading()) == 1
    assert expected(tmp_path / "t.jsonl", Reading()) == 2
    assert expected(tmp_path / "t.jsonl", Reading(max_bytes=10)) == 1
    assert expected(tmp_path / "gone.jsonl", Reading()) == 1


def test_an_ingest_holds_few_of_a_table_s_rows_at_once(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Row:
        pass

    alive, most = WeakSet[Row](), 0

    def parse(row: Row) -> Source:
        raise NotKnowledge("a row like any other")

    def rows(root: Path, reading: Reading, only: str) -> Iterator[Raw]:
        nonlocal most
        for n in range(2000):
            row = Row()
            alive.add(row)
            yield Raw(f"t.jsonl#{n}", str(n), partial(parse, row))
            most = max(most, len(alive))

    monkeypatch.setattr("ingest.pipeline.scan", rows)
    assert Indexer(parts).ingest("default", tmp_path, Reading()).skipped == 2000
    assert 0 < most < 100
