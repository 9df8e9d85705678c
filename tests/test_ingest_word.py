"""Word documents."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

import pytest
from docx import Document
from docx.document import Document as DocumentType
from docx.enum.style import WD_STYLE_TYPE
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn

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


def _list(document: DocumentType, *kinds: str) -> None:
    """A list of number 99 whose levels count in these, and in the list of number 98 the first one in capitals from 3 on."""
    numbering = document.part.numbering_part.element
    level = "<w:lvl w:ilvl='{0}'><w:start w:val='{1}'/><w:numFmt w:val='{2}'/><w:lvlText w:val='%1.'/></w:lvl>"
    levels = "".join(level.format(at, 1, kind) for at, kind in enumerate(kinds))
    numbering.insert(0, parse_xml(f"<w:abstractNum {nsdecls('w')} w:abstractNumId='99'>{levels}</w:abstractNum>"))
    changed = f"<w:lvlOverride w:ilvl='0'>{level.format(0, 3, 'upperLetter')}</w:lvlOverride>"
    for number, change in [(99, ""), (98, changed)]:
        numbering.append(
            parse_xml(f"<w:num {nsdecls('w')} w:numId='{number}'><w:abstractNumId w:val='99'/>{change}</w:num>")
        )


def test_lists_that_count_in_letters_or_roman_numbers_keep_them() -> None:
    document = Document()
    _list(document, "decimal", "lowerLetter", "lowerRoman")
    said = [
        ("Open it.", 0),
        ("Left.", 1),
        ("Press.", 2),
        ("Hold.", 2),
        ("Right.", 1),
        ("Repeat step b.", 0),
        ("Left.", 1),
    ]
    for which, (words, level) in [*((99, one) for one in said), (98, ("Call us.", 0)), (98, ("Wait.", 0))]:
        properties = document.add_paragraph(words)._p.get_or_add_pPr()._add_numPr()
        properties._add_numId().val = which
        properties._add_ilvl().val = level
    assert clean(_saved(document), ".docx") == (
        "1. Open it.\n  a) Left.\n    i) Press.\n    ii) Hold.\n  b) Right.\n2. Repeat step b.\n  a) Left.\nC) Call us.\nD) Wait."
    )


def test_styles_that_are_based_on_headings_and_lists_are_such() -> None:
    document = Document()
    for name, base in [("Acme Title", "Title"), ("Acme Head", "Heading 2"), ("Acme Step", "List Number")]:
        document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = document.styles[base]
    for style, words in [
        ("Acme Title", "Hub"),
        ("TOC Heading", "Contents"),
        ("Acme Head", "Reset"),
        ("Acme Step", "Open it."),
        ("Acme Step", "Close it."),
    ]:
        document.add_paragraph(words, style=style)
    assert clean(_saved(document), ".docx") == "# Hub\n\n## Reset\n\n1. Open it.\n2. Close it."


def test_body_text_that_looks_like_a_heading_is_none() -> None:
    document = Document()
    style = document.styles.add_style("Acme Intro", WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = document.styles["Heading 1"]
    level = OxmlElement("w:outlineLvl")
    level.set(qn("w:val"), "9")
    style.element.get_or_add_pPr().append(level)
    document.add_paragraph("This is body text.", style="Acme Intro")
    assert clean(_saved(document), ".docx") == "This is body text."


def test_struck_out_words_are_left_out() -> None:
    document = Document()
    paragraph = document.add_paragraph("It costs ")
    paragraph.add_run("50 ").font.strike = True
    paragraph.add_run("55 ").font.double_strike = True
    paragraph.add_run("60 ").font.strike = False
    paragraph.add_run("euros.")
    assert clean(_saved(document), ".docx") == "It costs 60 euros."


def test_cells_of_a_merged_table_stand_in_their_columns() -> None:
    document = Document()
    table = document.add_table(rows=4, cols=3)
    for cell, words in zip(table._cells, "Plan|Region|Price|Pro|EU|10||US|12|All others||15".split("|"), strict=True):
        cell.text = words
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(3, 0).merge(table.cell(3, 1))
    assert clean(_saved(document), ".docx") == "Plan | Region | Price\nPro | EU | 10\nPro | US | 12\nAll others | | 15"


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


def _added(document: DocumentType, xml: str) -> None:
    """Put a block of Word's own markup at the document's end."""
    name, _, rest = xml.partition(">")
    body = document.element.body
    spaces = (
        nsdecls("w")
        + ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:v="urn:schemas-microsoft-com:vml"'
    )
    body.insert(len(body) - 1, parse_xml(f"{name} {spaces}>{rest}"))


def _p(words: str) -> str:
    return f"<w:p><w:r><w:t>{words}</w:t></w:r></w:p>"


def test_what_stands_in_controls_is_read_where_it_stands() -> None:
    document = Document()
    _added(
        document,
        f"<w:sdt><w:sdtContent><w:sdt><w:sdtContent>{_p('nested')}</w:sdtContent></w:sdt></w:sdtContent></w:sdt>",
    )
    _added(document, f"<w:customXml>{_p('custom')}</w:customXml>")
    control = f"<w:sdt><w:sdtContent><w:tc>{_p('Pro')}</w:tc></w:sdtContent></w:sdt>"
    rows = f"<w:sdt><w:sdtContent><w:tr><w:tc>{_p('Days')}</w:tc><w:tc>{_p('30')}</w:tc></w:tr></w:sdtContent></w:sdt>"
    gone = f"<w:tr><w:trPr><w:del w:id='1'/></w:trPr><w:tc>{_p('old')}</w:tc><w:tc>{_p('old')}</w:tc></w:tr>"
    _added(document, f"<w:tbl><w:tr><w:tc>{_p('Plan')}</w:tc>{control}</w:tr>{rows}{gone}</w:tbl>")
    frame = f"<w:tbl><w:tr><w:tc>{_p('E1')}</w:tc><w:tc>{_p('no power')}</w:tc></w:tr></w:tbl>"
    _added(document, f"<w:tbl><w:tr><w:tc>{_p('framed')}{frame}</w:tc></w:tr></w:tbl>")
    assert clean(_saved(document), ".docx") == "nested\n\ncustom\n\nPlan | Pro\nDays | 30\n\nframed\n\nE1 | no power"


def test_a_text_box_is_read_once_after_its_paragraph() -> None:
    document = Document()
    box = f"<w:txbxContent>{_p('Never open it')}{_p('under power.')}</w:txbxContent>"
    both = f"<mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent>"
    _added(document, f"<w:p><w:r><w:t>The lid</w:t></w:r><w:r>{both}</w:r><w:r><w:t> is white.</w:t></w:r></w:p>")
    _added(document, f"<w:p><w:r><w:pict><v:textbox>{box}</v:textbox></w:pict></w:r></w:p>")
    warning = "Never open it\n\nunder power."
    assert clean(_saved(document), ".docx") == f"The lid is white.\n\n{warning}\n\n{warning}"


def test_a_text_box_in_a_table_is_read_once() -> None:
    document = Document()
    box = f"<w:txbxContent>{_p('Never open it')}</w:txbxContent>"
    both = f"<mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent>"
    cell = f"<w:tc><w:p><w:r><w:t>The lid</w:t></w:r><w:r>{both}</w:r></w:p></w:tc>"
    _added(document, f"<w:tbl><w:tr><w:tc>{_p('Part')}</w:tc>{cell}</w:tr></w:tbl>")
    assert clean(_saved(document), ".docx") == "Part | The lid Never open it"


def test_notes_stand_after_what_refers_to_them() -> None:
    document = Document()
    notes = "".join(
        f'<w:footnote w:id="{id}">{_p(words)}</w:footnote>'
        for id, words in [(1, "Not to islands."), (2, "Nobody refers to this.")]
    )
    name = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    part = Part(
        PackURI("/word/footnotes.xml"),
        name,
        f"<w:footnotes {nsdecls('w')}>{notes}</w:footnotes>".encode(),
        document.part.package,
    )
    document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
    _added(
        document,
        "<w:p><w:r><w:t>Ships in 5 days</w:t></w:r><w:r><w:footnoteReference w:id='1'/></w:r><w:r><w:t>.</w:t></w:r></w:p>",
    )
    _added(document, _p("Free of charge."))
    assert clean(_saved(document), ".docx") == "Ships in 5 days.\n\nNot to islands.\n\nFree of charge."


def test_arrows_that_word_makes_are_kept_and_a_table_of_contents_is_not() -> None:
    document = Document()
    _added(
        document, "<w:p><w:pPr><w:pStyle w:val='TOC1'/></w:pPr><w:r><w:t>Wi-Fi</w:t><w:tab/><w:t>3</w:t></w:r></w:p>"
    )
    arrow = "<w:r><w:sym w:font='Wingdings' w:char='F0E0'/></w:r>"
    _added(
        document,
        f"<w:p><w:r><w:t xml:space='preserve'>Settings </w:t></w:r>{arrow}<w:r><w:t xml:space='preserve'> Wi-Fi</w:t></w:r></w:p>",
    )
    assert clean(_saved(document), ".docx") == "Settings → Wi-Fi"


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
