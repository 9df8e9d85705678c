"""Draws plots as parts of a page: inline SVG that takes its colours from the page, so that it reads in light, in dark and on paper.

The same plot gives the same bytes.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, MUTED, LINE, ACCENT, SECOND, BAD = "#000001", "#000002", "#000003", "#000004", "#000005", "#000006"
"""Stand-ins that become the page's own colours."""
COLOURS = {
    INK: "currentColor",
    MUTED: "var(--muted)",
    LINE: "var(--line)",
    ACCENT: "var(--accent)",
    SECOND: "var(--second)",
    BAD: "var(--bad)",
}
STYLE: dict[str, Any] = {
    "svg.fonttype": "none", "text.parse_math": False, "font.size": 8.5, "font.family": "DejaVu Sans",
    "text.color": INK, "axes.labelcolor": MUTED, "xtick.labelcolor": MUTED, "ytick.labelcolor": MUTED,
    "axes.edgecolor": LINE, "xtick.color": LINE, "ytick.color": LINE, "grid.color": LINE, "grid.linewidth": 0.6,
    "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True, "xtick.major.size": 0, "ytick.major.size": 0,
    "axes.titlesize": 8.5, "axes.titlelocation": "left", "legend.frameon": False, "axes.unicode_minus": False,
}  # fmt: skip
SMALL = (4.4, 3.1)
"""Inches: two of these stand side by side on a page."""
SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A plot with its heading and one sentence that says what to look for."""

    key: str
    title: str
    says: str
    svg: str
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Sketch:
    """A plot before it is drawn."""

    key: str
    title: str
    says: str
    paint: Callable[[Figure], None]
    size: tuple[float, float] = SMALL

    @property
    def wide(self) -> bool:
        """Whether it needs the whole width of the page."""
        return self.size[0] > SMALL[0]


def drawn(sketch: Sketch) -> Plot:
    """The plot as it stands in the page."""
    import matplotlib
    from matplotlib.figure import Figure

    kept = io.StringIO()
    style: Any = {**STYLE, "svg.hashsalt": sketch.key}
    with matplotlib.rc_context(style), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a sign that the measuring font lacks: the reader's own fonts draw it
        page = Figure(figsize=sketch.size, layout="constrained")
        sketch.paint(page)
        page.savefig(
            kept, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    return Plot(
        key=sketch.key, title=sketch.title, says=sketch.says, svg=_inline(kept.getvalue(), sketch), wide=sketch.wide
    )


def _inline(drawing: str, sketch: Sketch) -> str:
    """The drawing as a part of a page: named, scalable, in the page's colours, with ids of its own."""
    root = ElementTree.fromstring(drawing)
    for parent in list(root.iter()):
        for child in [one for one in parent if one.tag in (f"{SVG}metadata", f"{SVG}style")]:
            parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.removeprefix(SVG)
        element.attrib = {_local(name): _own(_local(name), value, sketch.key) for name, value in element.attrib.items()}
    named = ElementTree.Element("title", {"id": f"{sketch.key}-title"})
    named.text = sketch.title
    root.insert(0, named)
    width = float(root.attrib["viewBox"].split()[2])
    root.attrib = {"viewBox": root.attrib["viewBox"], "class": "plot", "role": "img", "aria-labelledby": f"{sketch.key}-title",
                   "style": f"--drawn: {width:.0f}"}  # fmt: skip
    return ElementTree.tostring(root, encoding="unicode")


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _own(name: str, value: str, key: str) -> str:
    """An attribute's value with the page's colours, and with ids that no other drawing on the page has."""
    if name == "id":
        return f"{key}-{value}"
    if name == "href":
        return value.replace("#", f"#{key}-", 1)
    own = value.replace("url(#", f"url(#{key}-")
    return re.sub(r"#00000[1-6]", lambda found: COLOURS[found[0]], own) if name == "style" else own
