"""A web page's main content: what the page is there for, without what is around it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby, islice
from typing import TYPE_CHECKING

from ingest import plain
from ingest.marks import counted, counts_in, first_number

if TYPE_CHECKING:
    from bs4 import BeautifulSoup
    from bs4.element import PageElement, Tag

MAX_ELEMENTS = 20_000  # of a page whose main content is looked for: that takes time with the square of a table's width
_AROUND = ("nav", "footer", "aside")
_WORD = re.compile(r"\w")
_SENTENCE = re.compile(r".{40}|.*[.!?:;]\s*\Z", re.S)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_SENTENCES = {  # a list of links alone leads elsewhere
    "a": ("p",), "button": ("p", "li", "td", "b", "strong", "dt", "summary", *_HEADINGS),
    **dict.fromkeys(("time", "label", "output", "q"), ("p", "li", "td", "th", "dd", "dt", "b", "strong", "em", "i", "span", *_HEADINGS)),
}  # fmt: skip
_AS_HTML = {"item": "li", "row": "tr", "cell": "td", "lb": "br", "quote": "blockquote", "hi": "span"}
_WRITTEN = frozenset({"p", "ul", "ol", "dl", "table", "pre", "blockquote", *_HEADINGS})
_CALLOUT = re.compile(
    r"(?<![a-z])(?:note|tip|hint|(?<!article.)(?<!author.)(?<!contact.)(?<!meta.)(?<!page.)(?<!post.)(?<!site.)(?<!user.)info|warning|caution|danger|important|attention|alert|callout|admonition)(?![a-z])",
    re.I,
)
_FACTS = re.compile(
    r"(?<![a-z])(?:(?:info|fact)[-_]?box|(?:product|device|key|quick|tech|technical)[-_]?(?:info|information|facts?|data|details|specs)|"
    r"facts|specs|specifications?|data-?sheet)(?![a-z])",
    re.I,
)
_FURNITURE = re.compile(r"(?<![a-z])(?:menu|nav|navbar|navigation|footer|cookies?|sidebar|breadcrumbs?)(?![a-z])", re.I)
_FURNITURE_MOST = 0.3
"""The share of a page's text from which a frame is no furniture, whatever it is called: "has-sidebar" is the whole page."""
_MOST = 0.6
"""The share of a page's written words that its main frame holds; the rest is in a foot, comments and the like."""
_MANY = 1000
"""A frame of more children is no writer's."""
_BARE = 0.4
"""The share that stands in the body itself where a page has no frames."""
_TITLES = ("h1", "h2", "h3")
_CHAPTER = 0.1
"""What another chapter beside it has at least of what the main frame holds."""
_LONG_CELL = 2000
"""A cell of more characters lays out a page and holds no value."""


def main_content(soup: BeautifulSoup) -> BeautifulSoup | None:
    """What the page is there for. None where nothing stands out, or all of it is meant: then what is around it is emptied."""
    import trafilatura
    from bs4 import BeautifulSoup

    _protect(soup)
    config = trafilatura.settings.use_config()
    config.set("DEFAULT", "MIN_EXTRACTED_SIZE", "0")  # a short article is still an article
    small = len(soup.find_all(True)) <= MAX_ELEMENTS
    found = small and _is_named(soup) and trafilatura.extract(
        str(soup), output_format="xml", include_tables=True, include_links=False, include_formatting=True,
        include_comments=False, config=config,
    )  # fmt: skip
    for tag in soup.find_all(_AROUND):
        tag.clear()
    if not found and soup.body is not None:
        most = _FURNITURE_MOST * len(soup.body.get_text())
        for tag in soup.body.find_all(_is_furniture):
            if len(tag.get_text()) <= most:
                tag.clear()
    return _to_html(BeautifulSoup(found, "xml"), _starts(soup)) if found else None


def _is_named(soup: BeautifulSoup) -> bool:
    """Whether the page says which frame is its main one; else the one that holds most of what is written is named here.

    False where that is the body itself, as word processors save their documents: all of such a page is meant.
    """
    if said := soup.find(role="main"):
        said.name = "main"
    if soup.body is None or soup.find(("main", "article")):
        return True
    blocks = _blocks(soup.body)
    own = {id(block) for block in blocks}
    lengths, titles = Counter[int](), Counter[int]()
    for block in blocks:
        lengths[id(block)], titles[id(block)] = len(block.get_text(strip=True)), block.name in _TITLES
    for tag in reversed(soup.body.find_all(True)):  # what is inside comes first, so that each is added up once
        lengths[id(tag.parent)] += lengths[id(tag)]
        titles[id(tag.parent)] += titles[id(tag)]
    place, enough = soup.body, _MOST * lengths[id(soup.body)]
    while inner := next((one for one in place.find_all(True, recursive=False) if lengths[id(one)] > enough), None):
        place = inner
    for frame in list(place.parents):
        if frame is soup.body:
            break
        beside = any(id(one) in own for one in frame.find_all(True, recursive=False))
        more = lengths[id(frame)] - lengths[id(place)]
        if beside or (titles[id(frame)] > titles[id(place)] and more > _CHAPTER * lengths[id(place)]):
            place = frame  # what is written beside a frame belongs to what is in it, and so do other chapters
    bare = sum(len(one.get_text(strip=True)) for one in soup.body.find_all(True, recursive=False) if id(one) in own)
    if place is soup.body or bare > _BARE * lengths[id(soup.body)]:
        return bare <= _BARE * lengths[id(soup.body)]
    article = soup.new_tag("article")  # within it, since a cell of a table can be no article itself
    article.extend(place.contents[:])
    place.append(article)
    return True


def _blocks(body: Tag) -> list[Tag]:
    """The paragraphs, headings, lists and tables that are in no other; not lists of links, and not tables that lay out a page."""
    found: list[Tag] = []
    within: set[int] = set()
    for tag in body.find_all(True):
        written = tag.name in _WRITTEN and not (tag.name == "table" and tag.find(("table", *_HEADINGS)))
        if id(tag.parent) in within or written or tag.name in _AROUND:
            if written and id(tag.parent) not in within and not _leads_elsewhere(tag):
                found.append(tag)
            within.add(id(tag))
    return found


def _is_furniture(tag: Tag) -> bool:
    """Whether a frame is called a menu, a foot, a cookie notice or the like."""
    return tag.name in ("div", "section", "ul", "p") and bool(_FURNITURE.search(_called(tag)))


def _called(tag: Tag) -> str:
    return " ".join(str(tag.get(name, "")) for name in ("class", "id", "aria-label"))


def _leads_elsewhere(tag: Tag) -> bool:
    return tag.name in ("ul", "ol") and all(item.find("a") for item in tag.find_all("li", recursive=False))


def _protect(soup: BeautifulSoup) -> None:
    """What the extraction would lose: code without `<code>`, words in a bare `<div>`, lists in cells, tables in items, boxes; links and buttons
    in a sentence."""
    for tag in soup.find_all("aside"):
        if _belongs(tag):
            tag.name, tag.attrs = "div", {}
            for heading in tag.find_all(_HEADINGS):  # what follows the box stands under the heading before it
                heading.name = "p"
    for tag in soup.find_all("pre"):
        if tag.find("code", recursive=False) is None:
            code = soup.new_tag("code")
            code.extend(tag.contents[:])
            tag.append(code)
        if tag.code is not None and "\n" not in tag.get_text():  # told from code in a sentence by its lines
            tag.code.append("\n")
    for tag in soup.find_all(("td", "th")):
        if tag.find(("ul", "ol", "table")) and not tag.find(_HEADINGS) and len(tag.get_text()) < _LONG_CELL:
            _flatten(tag)
    for tag in soup.find_all("table"):
        if tag.find_parent("li") is not None and not tag.find(("table", *_HEADINGS)):
            _lines(soup, tag)
    for tag in soup.find_all("div"):
        _frame(soup, tag)
    for tag in soup.find_all(list(_SENTENCES)):
        if tag.parent is not None and tag.parent.name in _SENTENCES[tag.name]:
            tag.name = "span"


def _belongs(aside: Tag) -> bool:
    """Whether what is put aside is part of the text: a call-out, or a box of facts."""
    called = _called(aside)
    if _CALLOUT.search(called) or _FACTS.search(called):
        return True
    linked = sum(len(link.get_text()) for link in aside.find_all("a"))
    return aside.find(("dl", "table")) is not None and 2 * linked < len(aside.get_text(strip=True))


def _flatten(cell: Tag) -> None:
    """Only words and numbers, as a row of a table shows them."""
    row = cell.find_parent("tr")
    if row is None or len(row.find_all(("td", "th"), recursive=False)) < 2:
        return
    for tag in cell.find_all("ol"):
        for number, item in enumerate(tag.find_all("li", recursive=False), first_number(tag)):
            item.insert(0, counted(number, counts_in(tag)))
    for tag in cell.find_all(plain.is_block):
        tag.insert_before(" ")
        tag.insert_after(" ")
        tag.unwrap()


def _lines(soup: BeautifulSoup, table: Tag) -> None:
    """Its caption and rows as paragraphs, with the signs that stand between cells; a frame around other things stays."""
    rows = [row.find_all(("td", "th"), recursive=False) for row in table.find_all("tr")]
    if not any(len(cells) > 1 for cells in rows):
        return
    paragraphs: list[Tag] = []
    for cells in [[caption] for caption in table.find_all("caption")] + rows:
        paragraphs.append(soup.new_tag("p"))
        for cell in cells:
            for block in cell.find_all(lambda tag: plain.is_block(tag) or tag.name == "br"):
                block.insert_before(" ")
                block.insert_after(" ")
                block.unwrap()
            paragraphs[-1].extend([" | "] if paragraphs[-1].contents else [])
            paragraphs[-1].extend(cell.contents[:])
    table.clear()
    table.name = "div"
    if table.parent is not None and table.parent.name == "figure":  # the extraction drops one without a table
        table.parent.name = "div"
    table.extend(paragraphs)


def _frame(soup: BeautifulSoup, div: Tag) -> None:
    """Words that stand in a bare `<div>`, alone or between blocks, become paragraphs."""
    if div.find(plain.is_block) is None:
        if div.find(string=_WORD, recursive=False) or _SENTENCE.match(_said(div.contents)):
            div.name = "p"
        return
    if len(div.contents) > _MANY:
        return
    for is_block, run in groupby(div.contents[:], _is_block):
        words = list(run)
        if not is_block and _SENTENCE.match(_said(words)):
            paragraph = soup.new_tag("p")
            words[0].insert_before(paragraph)
            paragraph.extend(words)


def _is_block(node: PageElement) -> bool:
    from bs4.element import Tag

    return isinstance(node, Tag) and (plain.is_block(node) or node.find(plain.is_block) is not None)


def _said(nodes: Iterable[PageElement]) -> str:
    """The words of a line, without those that lead elsewhere or can be pressed."""
    from bs4.element import NavigableString, Tag

    words = [
        text for node in nodes
        for text in ([node] if type(node) is NavigableString else node.find_all(string=True) if isinstance(node, Tag) else [])
        if type(text) is NavigableString and text.find_parent(("a", "button", "label")) is None
    ]  # fmt: skip
    return " ".join("".join(words).split())


def _to_html(tree: BeautifulSoup, starts: Mapping[str, tuple[str, str]]) -> BeautifulSoup:
    for tag in tree.find_all(True):
        if tag.name == "list":
            tag.name = str(tag.get("rend", "ul"))
            tag["start"], tag["type"] = starts.get(_beginning(tag), ("1", ""))
        elif tag.name == "head":
            tag.name = str(tag.get("rend", "h2"))
        elif tag.name == "code" and (tag.parent is None or tag.parent.name == "main" or "\n" in tag.get_text()):
            tag.name = "pre"
        tag.name = "sup" if tag.get("rend") == "#sup" else _AS_HTML.get(tag.name, tag.name)
    return tree


def _starts(soup: BeautifulSoup) -> dict[str, tuple[str, str]]:
    """Where numbered lists begin that do not begin at 1, and what they count in, by their first words: the extraction loses that."""
    return {_beginning(tag): (str(tag.get("start", "1")), counts_in(tag)) for tag in soup.find_all(_marked)}


def _marked(tag: Tag) -> bool:
    return tag.name == "ol" and (tag.has_attr("start") or bool(counts_in(tag)))


def _beginning(tag: Tag) -> str:
    return "".join("".join(islice(tag.stripped_strings, 8)).split())[:60]
