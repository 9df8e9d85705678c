"""Plain structured text, the form in which revisions are stored and quoted.

`# Heading` lines, paragraphs between blank lines, `1. ` and `- ` items nested by two spaces, `cell | cell` rows, code as is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from copilot.errors import UnreadableFile
from copilot.scripts import LETTERED
from copilot.text import normalise
from ingest.marks import counted, counts_in, first_number
from ingest.mended import mend

if TYPE_CHECKING:
    from bs4 import BeautifulSoup
    from bs4.element import NavigableString, Tag

HEADING = re.compile(r"^(#{1,6}) (\S[^\n]{0,199})$", re.MULTILINE)
"""A heading line, its level and its words; a longer line is text, however it begins."""

_DEEPEST = 8  # list levels that indentation shows; more would make the text grow with the square of its depth
_KEPT_SPACE = "\xa0"  # stands for a space that tidying must leave alone
_EMPTY_VARIANT = re.compile(r"\[[a-z0-9][\w, .-]{0,40}:(?:\s|!\[[^\]\n]{0,200}\]\([^)\n]{0,500}\))*\]")
_LOST_ICON = re.compile(r"(?<=[^\s,.:;]),? (?=[,.](?:\s|\Z))")  # "click the button ." where the icon was
_HEADING_LIKE = re.compile(r"^(?=#{1,6} )", re.MULTILINE)


class Writer:
    """Plain structured text in the making: what it is given is normalised, and only headings look like headings."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._group: object = None

    def heading(self, level: int, words: str) -> None:
        """A heading line; one too long to be a heading becomes a paragraph."""
        line = f"{'#' * level} {one_line(words)}"
        if HEADING.fullmatch(line):
            self._put(line)
        else:
            self.paragraph(words)

    def paragraph(self, words: str) -> None:
        """A paragraph of its own."""
        self._put(_guard(_tidy(words)))

    def item(self, words: str, marker: str, depth: int, group: object) -> None:
        """A list item (without a marker: more of one) at a depth from 1 on; a group stands line by line."""
        deep = "  " * min(depth, _DEEPEST)
        lines = _tidy(words).replace("\n", "\n" + deep)
        self._put(_guard((deep[2:] if marker else deep) + marker + lines) if lines else "", group)

    def row(self, cells: Sequence[str], group: object) -> None:
        """A row of a table; rows of one group stand line by line."""
        self._put(_guard(row_line(cells)), group)

    def verbatim(self, words: str) -> None:
        """Code, its line breaks and indentation kept."""
        lines = normalise(words.expandtabs(4)).split("\n")
        self._put(_guard("\n".join(line.rstrip() for line in lines).strip("\n")))

    def text(self) -> str:
        """All of it."""
        return "".join(self._parts)

    def _put(self, block: str, group: object = None) -> None:
        if not block:
            return
        if self._parts:
            self._parts.append("\n" if group is not None and group == self._group else "\n\n")
        self._parts.append(block)
        self._group = group


def row_line(cells: Sequence[str]) -> str:
    """A table's row on one line; nothing where its cells are empty."""
    line = " ".join(" | ".join(one_line(cell) for cell in cells).split())
    return line if line.strip(" |") else ""


def one_line(words: str) -> str:
    """The words on one line, with single spaces."""
    return " ".join(_tidy(words).split())


def without_empty_variants(text: str) -> str:
    """The text without `[win: ]`, of which only a picture was for Windows."""
    for _ in range(2):  # they nest
        text = _EMPTY_VARIANT.sub("", text)
    return text


def _tidy(words: str) -> str:
    lines = (" ".join(filter(None, line.split(" "))) for line in without_empty_variants(normalise(words)).split("\n"))
    said = "\n".join(line for line in lines if line and not _rule(line))
    return _LOST_ICON.sub("", said).replace(_KEPT_SPACE, " ")


def _rule(line: str) -> bool:
    """Whether it is the line under a table's head, or one across the page."""
    return "---" in line and not line.strip("|:- ")


def _guard(block: str) -> str:
    return _HEADING_LIKE.sub(" ", block)


# ---- from HTML ----

_UNSEEN = frozenset([
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "embed", "applet", "canvas",
    "audio", "video", "map", "img", "picture", "input", "select", "textarea", "datalist", "del", "s", "strike", "rp",
])  # fmt: skip
_BLOCKS = frozenset([
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header",
    "hgroup", "hr", "legend", "li", "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody",
    "td", "tfoot", "th", "thead", "tr", "ul",
])  # fmt: skip
_LISTS = frozenset(("ol", "ul", "menu"))
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_CODE = frozenset(("code", "kbd", "samp", "tt", "var"))
_PHRASES = frozenset([
    "a", "abbr", "b", "bdi", "bdo", "big", "br", "button", "cite", "col", "colgroup", "data", "dfn", "em", "font", "i", "ins",
    "label", "mark", "meter", "option", "output", "progress", "q", "rt", "ruby", "small", "span", "strong", "sub", "sup",
    "time", "u", "wbr",
])  # fmt: skip
_EMPTY = frozenset(("br", "col", "embed", "hr", "img", "input", "wbr"))
ELEMENTS = _BLOCKS | _PHRASES | _CODE | _EMPTY
"""The tags of HTML that a Markdown text may hold anywhere."""
HIDING_ELEMENTS = _UNSEEN - _EMPTY
"""The tags that take the text up to their end tag out of sight."""
MAX_DEPTH = 500
_ENDS, _JOINT = ".!?:", (": ", " ")
_SURROGATE = re.compile("[\ud800-\udfff]")
_HIDING = re.compile(r"display:none|visibility:hidden|(?:opacity|font-size):0(?:\.0+)?(?:px|pt|r?em|%)?(?:;|!|\Z)")
_SPACE = re.compile(r"\s+")
_LINE_END = re.compile(
    rf"\n(?!(?:\d{{1,3}}[.)]|{LETTERED}) )"
)  # but a step whose list was broken off before it keeps its line


def parse(html: str) -> BeautifulSoup:
    """The document's tree, its scripts, pictures, struck-out and hidden elements emptied."""
    from bs4 import BeautifulSoup

    _check_depth(html)
    soup = BeautifulSoup(_SURROGATE.sub("\ufffd", html.replace("\0", "")), "lxml")
    for tag in soup.find_all(_unseen):
        tag.clear()  # taking it out would search its place among its siblings, for each of a million of them
    for tag in soup.find_all("dd"):
        _define(tag)
    mend(soup)
    return soup


def _define(said: Tag) -> None:
    """Put a term in front of what defines it: alone it says nothing, and without it nobody knows what is defined."""
    from bs4.element import Tag

    term = said.find_previous_sibling(("dt", "dd"))
    words = term.get_text().strip() if isinstance(term, Tag) and term.name == "dt" else ""
    if isinstance(term, Tag) and words:
        first = next((one for one in said.contents if isinstance(one, Tag) or str(one).strip()), None)
        (first if isinstance(first, Tag) and first.name == "p" else said).insert(
            0, f"{words}{_JOINT[words[-1] in _ENDS]}"
        )
        term.clear()


def _check_depth(html: str) -> None:
    """Building a tree takes time with the square of its depth; following its tags does not."""
    etree = import_module("lxml.etree")
    parser = etree.HTMLParser(target=_Depth(), encoding="utf-8", huge_tree=True)
    parser.feed(html.encode("utf-8", "replace"))
    parser.close()


@dataclass(slots=True)
class _Depth:
    now: int = 0

    def start(self, name: str, attributes: object) -> None:
        self.now += 1
        if self.now > MAX_DEPTH:
            raise UnreadableFile(f"its elements are nested more than {MAX_DEPTH} deep: simplify it")

    def end(self, name: str) -> None:
        self.now -= 1

    def close(self) -> None:
        """Asked for by the parser."""


def _unseen(tag: Tag) -> bool:
    style = tag.get("style")
    hidden = isinstance(style, str) and _HIDING.search("".join(style.lower().split()))
    folded = tag.get("hidden") == "until-found"
    return tag.name in _UNSEEN or (tag.has_attr("hidden") and not folded) or bool(hidden) or _only_tabs(tag)


def _only_tabs(tag: Tag) -> bool:
    """Whether it is the row of names of a page's tabs, and not what they open."""
    if tag.get("role") != "tablist" or tag.find(_told) is not None:
        return False
    from bs4.element import NavigableString

    words = (text for text in tag.find_all(string=True) if type(text) is NavigableString and text.strip())
    return all(text.find_parent(role="tab") is not None for text in words)  # comments are no words


def _told(tag: Tag) -> bool:
    return tag.name in _HEADINGS or tag.name == "p" or tag.get("role") == "tabpanel"


def is_block(tag: Tag) -> bool:
    """Whether it begins a new line."""
    return tag.name in _BLOCKS


def from_html(tree: Tag) -> str:
    """A parsed tree's text as plain structured text."""
    from bs4.element import CData, NavigableString, Tag

    reader = _Reader()
    todo: list[tuple[object, bool]] = [(tree, True)]
    while todo:
        node, entering = todo.pop()
        if isinstance(node, NavigableString):
            if type(node) in (NavigableString, CData):  # the other kinds are comments, scripts and the like
                reader.string(node)
        elif isinstance(node, Tag) and not entering:
            reader.leave(node)
        elif isinstance(node, Tag) and reader.enter(node):
            todo.append((node, False))
            todo.extend((child, True) for child in reversed(node.contents))
    reader.flush()
    return reader.out.text()


@dataclass(slots=True)
class _List:
    group: object
    number: int | None
    kind: str
    marker: str = ""

    def next(self) -> None:
        self.marker = "- " if self.number is None else counted(self.number, self.kind)
        self.number = None if self.number is None else self.number + 1


@dataclass(slots=True)
class _Reader:
    """Follows a walk through a tree: collects words until a block ends, then writes it."""

    out: Writer = field(default_factory=Writer)
    words: list[str] = field(default_factory=list)
    lists: list[_List] = field(default_factory=list)
    heading: int = 0
    row: Tag | None = None  # a row of several cells: blocks inside it are only words
    cells: list[str] = field(default_factory=list)
    counted: dict[int, int] = field(default_factory=dict)  # items so far of the numbered lists in this row
    pre: Tag | None = None  # code: words are kept as they are

    def string(self, node: NavigableString) -> None:
        """Words on the way."""
        if self.pre is not None:
            self.words.append(node)
            return
        words = _LINE_END.sub(" ", _SPACE.sub(lambda run: "\n" if "\n" in run[0] else " ", node))
        in_code = node.parent is not None and node.parent.name in _CODE
        self.words.append(words.replace(" ", _KEPT_SPACE) if in_code else words)

    def enter(self, tag: Tag) -> bool:
        """What a tag's beginning means; whether to go inside."""
        if tag.name in _BLOCKS and self.pre is None:
            self.flush()
        if tag.name == "a" and (address := _elided(tag)):
            self.words.append(address)
            return False
        self._inline(tag)
        if self.pre is None:
            self._open(tag)
        return True

    def _inline(self, tag: Tag) -> None:
        if tag.name == "br":
            self.words.append("\n")
        elif tag.name == "sup" and self.words and self.words[-1][-1:].isdigit():
            self.words.append("^")  # 10<sup>6</sup> is not 106

    def _open(self, tag: Tag) -> None:
        if tag.name == "pre":
            self.pre = tag
        elif self.row is not None:
            self._count(tag)
        elif tag.name in _LISTS:
            number = first_number(tag) if tag.name == "ol" else None
            self.lists.append(_List(self.lists[0].group if self.lists else id(tag), number, counts_in(tag)))
        elif tag.name == "li" and self.lists:
            self.lists[-1].next()
        elif tag.name == "tr" and len(tag.find_all(["td", "th"], recursive=False)) > 1:
            self.row = tag
        elif tag.name in _HEADINGS and not self.lists and tag.find_parent("aside") is None:
            self.heading = int(tag.name[1])

    def _count(self, tag: Tag) -> None:
        """The number of a numbered item in a table's row."""
        if tag.name == "li" and tag.parent is not None and tag.parent.name == "ol":
            number = self.counted.get(id(tag.parent), first_number(tag.parent))
            self.counted[id(tag.parent)] = number + 1
            self.words.append(counted(number, counts_in(tag.parent)))

    def leave(self, tag: Tag) -> None:
        """What a tag's end means."""
        if tag is self.pre:
            self.pre = None
            self._code()
        elif self.pre is not None:
            return
        elif tag is self.row:
            self._end_row(tag)
        elif self.row is not None and tag.parent is self.row:
            self.cells.append("".join(self.words))
            self.words = []
        elif tag.name in _BLOCKS:
            self.flush()
            self._close(tag)

    def _end_row(self, tag: Tag) -> None:
        if self.lists:  # it is more of its item, and the list goes on after it
            self._item(row_line(self.cells))
        else:
            self.out.row(self.cells, id(tag.find_parent("table")))
        self.row, self.cells, self.words, self.counted = None, [], [], {}

    def _close(self, tag: Tag) -> None:
        if self.row is None:
            self.heading = 0
            if tag.name in _LISTS:
                self.lists.pop()

    def flush(self) -> None:
        """The words so far as a block; in a table's row, a space."""
        if self.row is not None:
            self.words.append(" ")
            return
        words, self.words = "".join(self.words), []
        if self.lists:
            self._item(words)
        elif self.heading:
            self.out.heading(self.heading, words)
        else:
            self.out.paragraph(words)

    def _item(self, words: str) -> None:
        if words.strip():
            here = self.lists[-1]
            self.out.item(words, here.marker, len(self.lists), here.group)
            here.marker = ""

    def _code(self) -> None:
        if self.row is None and not self.lists:
            self.out.verbatim("".join(self.words))
            self.words = []
        else:
            self.words = ["".join(self.words).expandtabs(4).replace(" ", _KEPT_SPACE)]
            self.flush()


def _elided(tag: Tag) -> str | None:
    """The whole address of a link that shows it shortened, as `https://example.org/a.../z`."""
    shown = str(tag.contents[0]).strip() if len(tag.contents) == 1 else ""
    address = str(tag.get("href", ""))
    begin, dots, end = shown.replace("…", "...").partition("...")
    whole = dots and begin.startswith(("http://", "https://")) and address.startswith(begin) and address.endswith(end)
    return address if whole else None
