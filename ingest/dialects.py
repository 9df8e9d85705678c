"""What generators of static sites add to Markdown (Hugo, Jekyll, Docusaurus, MkDocs, GitHub), as CommonMark: the words stay, the machinery goes."""

from __future__ import annotations

import re

_FENCE = re.compile(r"[ ]{0,12}(`{3,}|~{3,})")
_BOX = re.compile(
    r"([ ]{0,12})(?:!!!|\?\?\?\+?)[ ]+\w[\w -]{0,40}?(?:[ ]+\"([^\"]{0,200})\")?[ ]*"
)  # MkDocs, its words indented
_TAB = re.compile(r"([ ]{0,12})===[!+]?[ ]+\"([^\"]{1,200})\"[ ]*")
_COLONS = re.compile(
    r"[ ]{0,12}:{3,}(?:[ ]?(\w[\w-]{0,40}))?(?:\[([^\]]{0,200})\]|[ ]+([^{\n]{1,200}?))?[ ]*(?:\{[^}]{0,200}\})?[ ]*"
)
_ALERT = re.compile(r"([ ]{0,3}>[ ]?)\[!(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ ]*", re.I)
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


def common(text: str) -> str:
    """The same text without import lines, shortcodes and attributes; boxes and tabs are their title and their words."""
    lines = _CONTENTS.sub("", text.replace("\r\n", "\n")).split("\n")
    ended = {found[2] for line in lines if (found := _COMPONENT.fullmatch(line)) and (found[1] or found[4])}
    made: list[str] = []
    inner: list[int] = []  # how far the boxes that are open stand from the margin
    fence = ""
    for line in lines:
        indent = len(line) - len(line.lstrip(" "))
        while inner and line.strip() and indent <= inner[-1]:
            inner.pop()
        line = line[min(indent, 4 * len(inner)) :]
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) else fence
            made.append(line)
        elif mark:
            fence = mark[1]
            made.append(line)
        elif box := _BOX.fullmatch(line) or _TAB.fullmatch(line):
            inner.append(indent)
            made += ["", box[1] + (box[2] or ""), ""]
        else:
            made += _read(line, ended)
    return "\n".join(made)


def _read(line: str, ended: set[str]) -> list[str]:
    """What is left of a line outside of code."""
    if box := _COLONS.fullmatch(line):
        return ["", box[2] or box[3] or "", ""]
    if alert := _ALERT.fullmatch(line):
        return [alert[1]]
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
