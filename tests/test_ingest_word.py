"""Word documents."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

import pytest
from docx import Document
from docx.document import Document as DocumentType
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from copilot.errors import UnreadableFile
from ingest import word
from ingest.clean import clean


def _saved(document: DocumentType) -> bytes:
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def _zip(**members: str) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/"), text)
    return file.getvalue()


def test_a_word_document_keeps_its_structure() -> None:
    document = Document()
    document.add_heading("Returns", 0)
    document.add_heading("Steps", 2)
    document.add_paragraph("Do this:")
    for style, words in [("List Number", "Open it"), ("List Bullet 2", "gently"), ("List Number", "Close it")]:
        document.add_paragraph(words, style=style)
    document.add_paragraph("Then\nwait.")
    table = document.add_table(rows=2, cols=2)
    for cell, words in zip(table._cells, ["Plan", "Days", "Basic", "30"], strict=True):
        cell.text = words
    document.add_table(rows=1, cols=1).cell(0, 0).text = "A framed note"
    assert clean(_saved(document), ".docx") == (
        "# Returns\n\n## Steps\n\nDo this:\n\n1. Open it\n  - gently\n2. Close it\n\nThen\nwait.\n\n"
        "Plan | Days\nBasic | 30\n\nA framed note"
    )


def test_items_numbered_without_a_list_style_are_numbered() -> None:
    document = Document()
    for words, level in [("one", 0), ("deeper", 1), ("two", 0), ("deeper", 1)]:
        properties = document.add_paragraph(words)._p.get_or_add_pPr()._add_numPr()
        properties._add_numId().val = 5  # a numbered list of the template
        properties._add_ilvl().val = level
    assert clean(_saved(document), ".docx") == "1. one\n  1. deeper\n2. two\n  1. deeper"


def test_hidden_and_deleted_words_are_left_out_and_inserted_ones_kept() -> None:
    document = Document()
    paragraph = document.add_paragraph("seen")
    paragraph.add_run(" secret").font.hidden = True
    for name, words in [("w:del", " secret"), ("w:ins", " too")]:
        change = OxmlElement(name)
        run = OxmlElement("w:r")
        text = OxmlElement("w:t")
        text.text = words
        text.set(qn("xml:space"), "preserve")
        run.append(text)
        change.append(run)
        paragraph._p.append(change)
    assert clean(_saved(document), ".docx") == "seen too"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no zip at all", "save it as .docx"),
        (_saved(Document())[:3000], "damaged or not a Word document"),
        (_zip(readme="x"), "zip archive without a Word document"),
        (_zip(word__document__xml="x"), "zip archive without a Word document"),
        (b"\xd0\xcf\x11\xe0 as old Word files begin", "old or an encrypted Word file"),
    ],
)
def test_what_is_no_word_document_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        clean(data, ".docx")


def test_a_zip_that_only_looks_like_a_word_document_is_refused() -> None:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<not really")
    with pytest.raises(UnreadableFile, match=r"damaged or not a \.docx file"):
        clean(file.getvalue(), ".docx")


def test_a_document_that_unpacks_to_too_much_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    data = _saved(Document())
    monkeypatch.setattr(word, "MAX_UNPACKED", 1000)
    with pytest.raises(UnreadableFile, match="it unpacks to more than"):
        clean(data, ".docx")
