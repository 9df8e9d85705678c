"""What generators of static sites put between the words of Markdown (Hugo, Jekyll, Docusaurus, MkDocs): the machinery goes, the words stay.

Boxes and tabs that `ingest.dialects` knows have become words before.
"""

from __future__ import annotations

import re

_FENCE = re.compile(r"[ ]{0,12}(`{3,}|~{3,})")
_COLONS = re.compile(
    r"[ ]{0,12}:{3,}(?:[ ]?(\w[\w-]{0,40}))?(?:\[([^\]]{0,200})\]|[ ]+([^{\n]{1,200}?))?[ ]*(?:\{[^}]{0,200}\})?[ ]*"
)
_IMPORT = re.compile(r"import[ ]+[\w{},*$ ]{1,200}[ ]+from[ ]+['\"][@./][^'\"]{1,200}['\"];?[ ]*")
_LIQUID = re.compile(r"[ ]{0,12}\{%-?[ ]*(include|highlight|endhighlight|raw|endraw)\b(.{0,500}?)-?%\}[ ]*")
_CONTENT = re.compile(r"\bcontent[ ]?=[ ]?\"([^\"]{1,400})\"")
_SHORTCODE = re.compile(r"\{\{[<%][^{}\n]{0,300}[%>]\}\}")
_LINKED = re.compile(r"\]\(\{\{[<%][^{}\n]{0,300}[%>]\}\}[^()\s]{0,100}\)")
_ATTRIBUTES = re.compile(r"[ ]{0,12}\{:[^{}\n]{0,200}\}[ ]*")
_CONTENTS = re.compile(r"^[*+-] TOC\n(?=\{:[ ]?toc)", re.M | re.I)
_ANCHOR = re.compile(r"(#{1,6}[ ].{1,300}?)[ ]+\{:?[ ]?[#.][^{}\n]{1,100}\}[ ]*")
_COMPONENT = re.compile(r"[ ]{0,12}<(/?)([A-Z]\w{0,40})((?:[ ][^<>\n]{0,300})?)[ ]*(/?)>[ ]*")
_LABEL = re.compile(r"\b(?:label|title)=\"([^\"]{1,200})\"")


def without_machinery(text: str) -> str:
    """The same text without import lines, shortcodes and attributes; what frames text is its title."""
    lines = _CONTENTS.sub("", text).split("\n")
    ended = {found[2] for line in lines if (found := _COMPONENT.fullmatch(line)) and (found[1] or found[4])}
    made: list[str] = []
    fence = ""
    for line in lines:
        if mark := _FENCE.match(line):
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
            made.append(line)
        else:
            made += [line] if fence else _read(line, ended)
    return "\n".join(made)


def _read(line: str, ended: set[str]) -> list[str]:
    """What is left of a line outside of code."""
    if box := _COLONS.fullmatch(line):
        return ["", box[2] or box[3] or "", ""]
    if _IMPORT.fullmatch(line) or _ATTRIBUTES.fullmatch(line):
        return [""]
    if liquid := _LIQUID.fullmatch(line):
        told = _CONTENT.search(liquid[2])
        return ["```"] if "highlight" in liquid[1] else ["", told[1] if told else "", ""]
    if (component := _COMPONENT.fullmatch(line)) and component[2] in ended:
        label = _LABEL.search(component[3])
        return ["", label[1] if label else "", ""]
    if anchored := _ANCHOR.fullmatch(line):
        line = anchored[1]
    return [_SHORTCODE.sub("", _LINKED.sub("](#)", line))]
