"""A page's tree as it is seen: merged cells in each row that they reach into, lists inside lists in an item, no signs of links."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bs4 import BeautifulSoup
    from bs4.element import Tag

_LISTS = ("ol", "ul", "menu")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_SIGNS = frozenset("¶#§🔗")
"""What generators of sites put into headings to link to them."""
_NOTE = re.compile(r"\W{0,2}\w{0,3}\W{0,2}")
"""What stands for a note: `1`, `[12]`, `*`."""
_WIDEST, _TALLEST = 50, 500
"""A cell is not merged over more columns and rows."""
_MOST = 5000
"""So many cells are put in; a page that asks for more is hostile."""
_REPEATED = 100
"""Longer words are not told in each row that their cell reaches into."""


def mend(soup: BeautifulSoup) -> None:
    """Change the tree so that what is read of it, tag by tag, is what is seen."""
    for tag in soup.find_all("a"):
        if tag.get_text().strip() in _SIGNS and tag.find_parent(_HEADINGS) is not None:
            tag.clear()
        elif str(tag.get("href", "")).startswith("#") and (mark := tag.find_parent("sup")) is not None:
            words = tag.get_text(strip=True)
            if _NOTE.fullmatch(words):
                tag.extract()  # it would be read as a part of the number before it
                mark.name = "sup" if mark.get_text(strip=True) else "span"
    for tag in soup.find_all(_LISTS):
        _list(tag)
    _tables(soup)


def _list(tag: Tag) -> None:
    """What stands between two items belongs to the first: editors write lists inside lists so."""
    from bs4.element import Tag

    items = tag.find_all("li", recursive=False)
    if tag.name == "ol" and items and items[0].has_attr("value") and not tag.has_attr("start"):
        tag["start"] = items[0]["value"]
    if not items or len(items) == sum(isinstance(child, Tag) for child in tag.children):
        return
    children, before = tag.contents[:], None
    tag.clear()
    for child in children:
        if isinstance(child, Tag) and child.name == "li":
            before = child
        elif before is not None:
            before.append(child)
            continue
        tag.append(child)


def _tables(soup: BeautifulSoup) -> None:
    room = _MOST
    for table in soup.find_all("table"):
        if table.find(_merged) is not None:
            room = _square(soup, table, room)


def _merged(tag: Tag) -> bool:
    return tag.name in ("td", "th") and (tag.has_attr("rowspan") or tag.has_attr("colspan"))


def _square(soup: BeautifulSoup, table: Tag, room: int) -> int:
    """A cell for each column in each row of the table, as far as there is room for more cells; how much is left."""
    reaching: dict[int, tuple[Tag, int]] = {}  # by column, what reaches down from above and how far
    for row in table.find_all("tr"):
        if row.find_parent("table") is not table:
            continue
        cells = row.find_all(("td", "th"), recursive=False)
        below, column = {}, 0
        for cell in [*cells, None]:
            while column in reaching:
                above, left = reaching.pop(column)
                if left > 1:
                    below[column] = above, left - 1
                copy = _copy(soup, above)
                row.append(copy) if cell is None else cell.insert_before(copy)
                column, room = column + 1, room - 1
            if cell is None:
                continue
            wide, tall = _span(cell, "colspan", _WIDEST), _span(cell, "rowspan", _TALLEST)
            del cell["rowspan"], cell["colspan"]
            beside = [cell]
            ends = (
                cell is cells[-1] and tall == 1 and (cell.name == "td" or not column)
            )  # a title, or no column follows
            for _ in range(1, 1 if ends else wide):
                beside.append(_copy(soup, cell) if cell.name == "th" else soup.new_tag("td"))
                beside[-2].insert_after(beside[-1])
            for further, one in enumerate(beside if tall > 1 else []):
                below[column + further] = one, tall - 1
            column, room = column + wide, room - len(beside) + 1
            if room < 0:
                return 0
        reaching = {**reaching, **below}
    return room


def _copy(soup: BeautifulSoup, cell: Tag) -> Tag:
    copy, words = soup.new_tag(cell.name), cell.get_text(" ", strip=True)
    copy.string = words if len(words) <= _REPEATED else ""
    return copy


def _span(cell: Tag, name: str, most: int) -> int:
    """Over how many columns or rows a cell goes; 0 rows are all that follow."""
    said = str(cell.get(name, "1")).strip()
    if name == "rowspan" and said == "0":
        return most
    return min(int(said), most) if said.isascii() and said.isdigit() and 0 < len(said) < 6 and int(said) else 1
