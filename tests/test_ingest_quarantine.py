"""Hostile files harm nobody: each is reported in time and within its memory, and the rest of the folder is taken."""

from __future__ import annotations

import gzip
import io
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from copilot.build import Parts
from copilot.errors import Overrun, UnreadableFile
from copilot.settings import Settings
from ingest.demo import FOLDER
from ingest.load import Reading
from ingest.pipeline import Indexer
from ingest.quarantine import MOST_BRACKETS, Parser, heavy
from ingest.verify import verify
from tests.conftest import ingest
from tests.hostile_parsers import breaks, dies, eats, sleeps

PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
RELS = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
OFFICE_97 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How a Word document begins that is locked with a password, or older than 2007."""
SECONDS = 30
"""A busy machine gets three times the 10 seconds that a quiet one needs at most."""
MEGABYTES = 300


def docx(document: bytes, **others: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        types = f'<Types xmlns="{PACKAGE}/content-types"><Override PartName="/word/document.xml" ContentType="{MAIN}"/>{RELS}</Types>'
        rels = f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{OFFICE}" Target="word/document.xml"/></Relationships>'
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("_rels/.rels", rels)
        archive.writestr("word/document.xml", document)
        for name, data in others.items():
            archive.writestr(name, data)
    return made.getvalue()


WORD = b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>%s</w:body></w:document>'


def zip_bomb() -> bytes:
    return docx(WORD % b"", bomb=bytes(600_000_000))


def zip_bomb_within_the_limit() -> bytes:
    return docx(WORD % (b"<w:p><w:r><w:t>" + b"a" * 450_000_000 + b"</w:t></w:r></w:p>"))


def lying_zip() -> bytes:
    """A member that says it is small and is not."""
    data = bytearray(docx(WORD % (b"<w:p><w:r><w:t>" + b"a" * 200_000_000 + b"</w:t></w:r></w:p>")))
    at = data.rindex(b"PK\1\2")
    data[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    return bytes(data)


def billion_laughs() -> bytes:
    entities = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 12))
    return docx(b'<!DOCTYPE x [<!ENTITY l0 "ha">' + entities + b"]>" + WORD % b"<w:p><w:r><w:t>&l11;</w:t></w:r></w:p>")


def yaml_laughs() -> bytes:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return ("---\ntitle: x\n" + "\n".join(lines) + "\n---\n\nwords\n").encode()


def zipped() -> bytes:
    """An archive with a document in it, which leads out of wherever it is unpacked."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("../../up.md", "# Up\n\nWords from outside.\n")
    return made.getvalue()


def pdf_pages(count: int) -> bytes:
    from pypdf import PdfWriter

    writer = PdfWriter()
    for _ in range(count):
        writer.add_blank_page(100, 100)
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


def pdf_bomb() -> bytes:
    """One page whose content unpacks to a gigabyte."""
    import zlib

    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b"(a) Tj " * 1_000_000) for _ in range(140)) + packer.flush()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed),
    ]  # fmt: skip
    made, offsets = b"%PDF-1.4\n", list[int]()
    for number, body in enumerate(objects, 1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(made)
    return made + b"xref\n0 5\n0000000000 65535 f \n" + table + end


def encrypted_pdf() -> bytes:
    from pypdf import PdfWriter

    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


HOSTILE: list[tuple[str, Callable[[], bytes]]] = [
    ("bomb.docx", zip_bomb), ("wide.docx", zip_bomb_within_the_limit), ("lying.docx", lying_zip), ("laughs.docx", billion_laughs),
    ("gzip.html", lambda: gzip.compress(bytes(500_000_000))), ("bomb.pdf", pdf_bomb),
    ("pages.pdf", lambda: pdf_pages(10_000)), ("locked.pdf", encrypted_pdf), ("cut.pdf", lambda: pdf_pages(50)[:2000]),
    ("cut.docx", lambda: docx(WORD % b"")[:300]), ("deep.html", lambda: b"<div>" * 1_000_000 + b"words"),
    ("line.txt", lambda: b"word " * 9_999_999), ("line.md", lambda: b"*a _b " * 8_000_000), ("line.html", lambda: b"<p>word " * 6_000_000),
    ("line.jsonl", lambda: b'{"ticket_id": "x", "message": "' + b"word " * 9_999_000 + b'"}'),
    ("line.csv", lambda: b"ticket_id,message\nx," + b"word " * 9_999_000), ("wrong.pdf", lambda: b"no pdf at all"),
    ("archive.docx", zipped), ("wrong.docx", lambda: b"words, no archive"), ("wrong.md", lambda: pdf_pages(2)),
    ("wrong.txt", lambda: docx(WORD % b"")), ("charset.md", lambda: "No byte order mark".encode("utf-16-le")),
    ("up.docx", lambda: docx(WORD % b"", **{"../../../up.md": b"# Up"})), ("office.docx", lambda: OFFICE_97 + bytes(4096)),
    ("stars.md", lambda: b"*" * 3_000_000), ("brackets.md", lambda: b"[" * 3_000_000),
    ("pictures.md", lambda: b"![" * 99_500),
]  # fmt: skip


class Peak(threading.Thread):
    """The most memory that this process and its children take while the block runs, above what it took before."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most, self._stop_it = 0.0, threading.Event()
        self._me = psutil.Process()
        self._command = self._me.cmdline()
        self._before = self._now()

    def _now(self) -> float:
        total = self._me.memory_info().rss
        for child in self._me.children(recursive=True):
            try:
                if child.cmdline() != self._command:  # between fork and exec its memory is this process's
                    total += child.memory_full_info().uss
            except psutil.NoSuchProcess:
                continue
        return float(total) / 1e6

    def run(self) -> None:
        while not self._stop_it.wait(0.02):
            self.most = max(self.most, self._now() - self._before)

    def __enter__(self) -> Peak:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_it.set()
        self.join()


@pytest.mark.parametrize(("name", "make"), HOSTILE, ids=[name for name, _ in HOSTILE])
def test_a_hostile_file_is_reported_in_time_and_the_rest_is_taken(
    parts: Parts, folder: Path, name: str, make: Callable[[], bytes]
) -> None:
    ingest(parts, folder)
    (folder / name).write_bytes(make())
    (folder / "good.md").write_text("# Good\n\nA good document beside a bad one.\n")
    with Peak() as peak:
        started = time.monotonic()
        summary = ingest(parts, folder)
        seconds = time.monotonic() - started
    assert [problem.origin.split("#")[0] for problem in summary.problems] == [name]
    assert summary.added == 1
    assert seconds < SECONDS
    assert peak.most < MEGABYTES
    assert verify(parts).problems == []


def test_a_billion_laughs_in_front_matter_are_not_laughed(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "laughs.md").write_bytes(yaml_laughs())
    with Peak() as peak:
        assert ingest(parts, tmp_path / "laughs.md").added == 1, "its title is a title; the rest is no key that is read"
    assert peak.most < MEGABYTES


@pytest.mark.parametrize(
    ("parse", "told"), [(sleeps, "more than 3 seconds"), (dies, "died"), (eats, "more than 200 MB")]
)
def test_a_parser_beyond_its_bounds_is_ended_and_the_next_one_works(parse: Callable[[], None], told: str) -> None:
    settings = Settings(parse_seconds=3)
    with Parser(settings) as parser:
        with pytest.raises(Overrun, match=told):
            parser.parse(parse)
        with pytest.raises(UnreadableFile, match="its parser broke"):
            parser.parse(breaks)


def test_a_document_is_set_aside_after_two_tries_and_tried_again_when_it_changes(parts: Parts, tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "slow.html").write_text("<p>The first words of it.</p>" * 3)
    hasty = replace(parts, settings=parts.settings.model_copy(update={"parse_seconds": 1e-6}))
    reasons = [ingest(hasty, folder).problems[0].reason for _ in range(2)]
    assert all("more than" in reason for reason in reasons)
    aside = ingest(hasty, folder)
    assert "set aside after 2 tries" in aside.problems[0].reason
    assert (aside.added, aside.failed) == (0, 1)
    (folder / "slow.html").write_text("<p>Other words.</p>")
    assert "set aside" not in ingest(hasty, folder).problems[0].reason, "it changed: it is tried again"
    assert ingest(parts, folder).added == 1, "with other bounds too"


def test_a_dry_run_counts_no_try(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "slow.html").write_text("<p>The first words of it.</p>")
    hasty = replace(parts, settings=parts.settings.model_copy(update={"parse_seconds": 1e-6}))
    for _ in range(3):
        Indexer(hasty).ingest("default", tmp_path / "slow.html", Reading(), dry_run=True)
    assert ingest(parts, tmp_path / "slow.html").added == 1


def test_ordinary_texts_are_parsed_where_they_are_and_slow_ones_apart() -> None:
    docs = Path(__file__).parent.parent / "docs"
    for file in (*(FOLDER / "articles").glob("*.md"), *docs.glob("*.md")):
        assert not heavy(file.read_bytes()), file
    assert not heavy("<p class='a'>Press the <b>button</b>.</p>" * 1000)
    assert heavy("[" * (MOST_BRACKETS + 1))
    assert heavy("<i>x" * 20_001)
    assert heavy("words " * 40_000)
