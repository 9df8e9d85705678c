"""Word documents to plain structured text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

from copilot.errors import UnreadableFile
from ingest.marks import counted
from ingest.plain import Writer

MAX_UNPACKED = 500_000_000

_SHOWN_RUNS = (
    ".//w:r[not(ancestor::w:del or ancestor::w:moveFrom)]"
    "[not(w:rPr/*[self::w:vanish or self::w:strike or self::w:dstrike][not(@w:val='0' or @w:val='false')])]"
    "[count(ancestor::w:txbxContent) = {boxes}]"
)
_BOXES = ".//w:txbxContent[count(ancestor::w:txbxContent) = {boxes}][not(ancestor::*[local-name() = 'Fallback'])]"
"""The text boxes that hang at a paragraph; Word writes each a second time for programs that do not know the first form."""
_PARAGRAPHS = ".//w:p[not(ancestor::*[local-name() = 'Fallback'])]"
_WRAPPERS = frozenset({"sdt", "sdtContent", "customXml", "smartTag", "ins", "moveTo"})
"""Elements around blocks, rows or cells: controls that are filled in, and tracked insertions."""
_SIGNS = {"DF": "←", "E0": "→", "E7": "←", "E8": "→", "F3": "⇔", "FB": "✗", "FC": "✓"}
"""What Word's own corrections put for `-->` and the like: signs of Wingdings, by the last two digits of their number."""
_CONTENTS = re.compile(r"toc (?:[1-9]|heading)|toc[1-9]|table of figures", re.I)
"""Styles of a table of contents, which says what the headings say."""
_NOTES = ("footnotes", "endnotes")
_MOST_BASES = 10
_REPEATED = 100
"""Longer words of a merged cell are not told in each row that it reaches into."""


def docx(data: bytes) -> str:
    """A Word document's headings, paragraphs, lists, tables, text boxes and notes; hidden and deleted text is left out."""
    from docx import Document

    _check_archive(data)
    document = Document(BytesIO(data))
    reader = _WordReader(document)
    reader.blocks(document.element.body)
    return reader.out.text()


def _check_archive(data: bytes) -> None:
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableFile("it is an old or an encrypted Word file: save it as .docx without a password")
    try:
        members = {info.filename: info.file_size for info in ZipFile(BytesIO(data)).infolist()}
    except BadZipFile:
        raise UnreadableFile("it is damaged or not a Word document: open it in Word and save it as .docx") from None
    if "word/document.xml" not in members:
        raise UnreadableFile("it is a zip archive without a Word document in it: save the document as .docx")
    if sum(members.values()) > MAX_UNPACKED:
        raise UnreadableFile(
            f"it unpacks to more than {MAX_UNPACKED // 1_000_000} MB: make its pictures smaller or split it"
        )


class _WordReader:
    """Writes the blocks of a Word document; knows how its lists are numbered."""

    def __init__(self, document: Any) -> None:
        self.out = Writer()
        self._styles = {style.style_id: style for style in document.styles}
        self._levels = _list_levels(document)
        self._numbers: dict[tuple[str, int], int] = {}
        self._notes = _notes(document)

    def blocks(self, place: Any) -> None:
        """The paragraphs and tables of a body, cell or text box, in order."""
        for block in _inside(place, "p", "tbl"):
            if _name(block) == "tbl":
                self.table(block)
            else:
                self.paragraph(block)

    def paragraph(self, block: Any) -> None:
        """One paragraph, as its style says, and after it the text boxes and notes that hang at it."""
        styles = _with_bases(self._styles.get(block.style))
        names = [str(style.name) for style in styles] or [str(block.style or "")]
        if not _CONTENTS.fullmatch(names[0]):
            self._write(block, styles, names)
        for box in block.xpath(_BOXES.format(boxes=_boxes_around(block))):
            self.blocks(box)
        for note in self._noted(block):
            self.blocks(note)

    def _noted(self, block: Any) -> list[Any]:
        """The notes that a paragraph refers to, in order, each told where it is first referred to."""
        marks = [
            mark for run in _shown_runs(block) for mark in run.xpath("./w:footnoteReference | ./w:endnoteReference")
        ]
        return [
            note for mark in marks if (note := self._notes.pop((_name(mark)[:3], _get(mark, "w:id")), None)) is not None
        ]

    def _write(self, block: Any, styles: list[Any], names: list[str]) -> None:
        words = _words(block)
        if level := _heading_level(names):
            self.out.heading(level, words)
        elif words.strip() and (place := _list_place(block, styles, names)):
            self.out.item(words, self._marker(*place), place[1] + 1, "list")
        else:
            self.out.paragraph(words)

    def table(self, block: Any) -> None:
        """A table's rows; a row of one cell is a frame around its paragraphs."""
        noted: list[Any] = []
        above: dict[int, str] = {}
        for row in _inside(block, "tr"):
            cells = [] if row.xpath("./w:trPr/w:del") else list(_inside(row, "tc"))
            if len(cells) > 1:
                self.out.row(list(_row(cells, above)), id(block))
                noted += [note for paragraph in row.xpath(_PARAGRAPHS) for note in self._noted(paragraph)]
            else:
                for cell in cells:
                    self.blocks(cell)
        for note in noted:  # below the table, whose rows stand together
            self.blocks(note)

    def _marker(self, which: str, level: int) -> str:
        how = self._levels.get((which, level), self._levels.get((which, 0)))
        if how is None:
            return "- "
        start, kind = how
        for deeper in range(level + 1, 9):
            self._numbers.pop((which, deeper), None)
        number = self._numbers.get((which, level), start - 1) + 1
        self._numbers[which, level] = number
        return counted(number, kind)


def _row(cells: list[Any], above: dict[int, str]) -> Iterator[str]:
    """The words for each column: a merged cell's in each row that it reaches into, which `above` keeps, and in the first of its columns."""
    column = 0
    for cell in cells:
        words = " ".join(map(_words, cell.xpath(_PARAGRAPHS)))
        if merged := cell.xpath("./w:tcPr/w:vMerge"):
            begins = _get(merged[0], "w:val") == "restart"
            words = above[column] = words if begins or words.strip() else above.get(column, "")
            above[column] = words if len(words) <= _REPEATED else ""
        wide = int([*cell.xpath("./w:tcPr/w:gridSpan/@w:val"), "1"][0])
        yield words
        yield from [""] * min(wide - 1, 50)
        column += wide


def _with_bases(style: Any) -> list[Any]:
    """A style and those that it is based on, the nearest first: templates of firms have their own headings and lists."""
    found: list[Any] = []
    while style is not None and len(found) < _MOST_BASES:
        found.append(style)
        body = style.element.xpath("./w:pPr/w:outlineLvl[@w:val='9']")  # text, though it looks like a heading
        style = None if body else getattr(style, "base_style", None)
    return found


def _heading_level(names: list[str]) -> int | None:
    """The level of a heading by the names of its styles; None of any other paragraph."""
    found = (re.fullmatch(r"Title|Heading ([1-6])", name) for name in names)
    return next((int(one[1] or 1) for one in found if one), None)


def _words(block: Any) -> str:
    return "".join(run.text + _sign(run) for run in _shown_runs(block))


def _shown_runs(block: Any) -> list[Any]:
    return list(block.xpath(_SHOWN_RUNS.format(boxes=_boxes_around(block))))


def _boxes_around(block: Any) -> int:
    return int(block.xpath("count(ancestor::w:txbxContent)"))


def _sign(run: Any) -> str:
    """The sign that a run of a symbol font stands for, where it is one of those that sentences need."""
    return "".join(
        _SIGNS.get(_get(sign, "w:char")[-2:].upper(), "") for sign in run.xpath("./w:sym[@w:font='Wingdings']")
    )


def _inside(place: Any, *names: str) -> Iterator[Any]:
    """The children of these names, those within wrappers too."""
    for child in place:
        name = _name(child)
        if name in names:
            yield child
        elif name in _WRAPPERS:
            yield from _inside(child, *names)


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _notes(document: Any) -> dict[tuple[str, str], Any]:
    """The texts of foot- and endnotes, by the first letters of their kind and their number."""
    from docx.oxml import parse_xml

    notes: dict[tuple[str, str], Any] = {}
    for related in document.part.rels.values():
        kind = str(related.reltype).rpartition("/")[2]
        if kind in _NOTES and not related.is_external:
            for note in parse_xml(related.target_part.blob):
                notes[kind[:3], _get(note, "w:id")] = note
    return notes


def _list_place(block: Any, styles: list[Any], names: list[str]) -> tuple[str, int] | None:
    """The list that a paragraph is in, and its level from 0."""
    own = block.xpath("./w:pPr/w:numPr/w:numId/@w:val")
    styled = [id for style in styles for id in style.element.xpath("./w:pPr/w:numPr/w:numId/@w:val")]
    which = [*own, *styled, "0"][0]
    name = next((name for name in names if name.startswith(("List Bullet", "List Number"))), "")
    if which == "0" and not name:
        return None
    of_style = [level for style in styles for level in style.element.xpath("./w:pPr/w:numPr/w:ilvl/@w:val")]
    level = [*block.xpath("./w:pPr/w:numPr/w:ilvl/@w:val"), *of_style, "0"][0]
    by_name = re.fullmatch(r"List (?:Bullet|Number) ([2-5])", name)
    return which, int(by_name[1]) - 1 if by_name else min(int(level), 8)


def _list_levels(document: Any) -> dict[tuple[str, int], tuple[int, str]]:
    """The first number of each level of the numbered lists, and as what its numbers are written; bulleted ones are not in it."""
    try:
        numbering = document.part.numbering_part.element
    except (KeyError, NotImplementedError):  # a document without lists
        return {}
    kinds = {_get(kind, "w:abstractNumId"): kind for kind in numbering.xpath("./w:abstractNum")}
    levels: dict[tuple[str, int], tuple[int, str]] = {}
    for which in numbering.xpath("./w:num"):
        id = _get(which, "w:numId")
        changed = _children(which, "w:lvlOverride")
        for level in (
            *_children(kinds.get(_value(which, "w:abstractNumId")), "w:lvl"),
            *(level for change in changed for level in _children(change, "w:lvl")),
        ):
            place, kind = (id, int(_get(level, "w:ilvl"))), _value(level, "w:numFmt")
            levels.pop(place, None)
            if kind not in ("bullet", "none"):
                levels[place] = int(_value(level, "w:start") or 1), kind
        for change in changed:
            place = id, int(_get(change, "w:ilvl"))
            if place in levels and (start := _value(change, "w:startOverride")):
                levels[place] = int(start), levels[place][1]
    return levels


def _children(element: Any, name: str) -> list[Any]:
    from docx.oxml.ns import qn

    return [] if element is None else list(element.findall(qn(name)))


def _get(element: Any, name: str) -> str:
    from docx.oxml.ns import qn

    return str(element.get(qn(name), ""))


def _value(element: Any, name: str) -> str:
    """The `w:val` of a child, or nothing."""
    return next((_get(child, "w:val") for child in _children(element, name)), "")
