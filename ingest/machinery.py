"""What generators of static sites put between the words of Markdown (Hugo, Jekyll, Docusaurus, MkDocs): the machinery goes, the words stay.

Boxes and tabs that `ingest.dialects` knows have become words before.
"""

from __future__ import annotations

import re

from ingest.dialects import CODE, fenced

_COLONS = re.compile(
    r"[ ]{0,12}:{3,}(?:[ ]?(\w[\w-]{0,40}))?(?:\[([^\]]{0,200})\]|[ ]+([^{\n]{1,200}?))?[ ]*(?:\{[^}]{0,200}\})?[ ]*"
)
_IMPORT = re.compile(r"import[ ]+([\w{},*$ ]{1,200})[ ]+from[ ]+['\"]([@./][^'\"]{1,200})['\"];?[ ]*")
_OWN_MODULE = re.compile(r"@(?:theme|site|docusaurus)/|.*\.mdx?\Z")
"""What only pages import, so that it is machinery anywhere in the text."""
_PROSE = re.compile(r"[ ]*[^\s#<{]")
_INDENTED = re.compile(r" {4}|\t")
_LIST_ITEM = re.compile(r"[ ]*(?:[-*+]|\d{1,9}[.)])(?:[ ]|\Z)")
_NAMES = frozenset([
    "Accordion", "AccordionGroup", "AccordionItem", "Accordions", "Admonition", "Alert", "Aside", "Callout", "Card", "CardGrid",
    "CardGroup", "Cards", "Caution", "Check", "CodeGroup", "Column", "Columns", "Danger", "Details", "Expandable", "Frame",
    "Hint", "Image", "Info", "LinkCard", "Note", "Snippet", "Step", "Steps", "Tab", "TabItem", "Tabs", "Tip", "Video", "Warning",
])  # fmt: skip
"""Components of site generators; another is one where it is imported or has a title, else it is XML or a placeholder."""
_LIQUID = re.compile(r"[ ]{0,12}\{%-?[ ]*(include|highlight|endhighlight)\b((?:(?!%\}).){0,500})%\}[ ]*")
_RAW = re.compile(rf"{CODE}|\{{%-?[ ]*(?:end)?raw[ ]*-?%\}}")
_CONTENT = re.compile(r"\bcontent[ ]?=[ ]?\"([^\"]{1,400})\"")
_SHORTCODE = re.compile(rf"{CODE}|\{{\{{[<%][^{{}}\n]{{0,300}}[%>]\}}\}}")
_LINKED = re.compile(r"\]\(\{\{[<%][^{}\n]{0,300}[%>]\}\}[^()\s]{0,100}\)")
_ATTRIBUTES = re.compile(r"[ ]{0,12}\{:[^{}\n]{0,200}\}[ ]*")
_CONTENTS = re.compile(r"^[*+-] TOC\n(?=\{:[ ]?toc)", re.M | re.I)
_ANCHOR = re.compile(r"(#{1,6}[ ].{1,300}?)[ ]+\{:?[ ]?[#.][^{}\n]{1,100}\}[ ]*")
_COMPONENT = re.compile(r"[ ]{0,12}<(/?)([A-Z]\w{0,40})((?:[ ][^<>\n]{0,300}?)?)[ ]*(/?)>[ ]*")
_NAMED = re.compile(rf"\s*</?(?:{'|'.join(_NAMES)})\b")
_LABEL = re.compile(r"\b(?:label|title)=\"([^\"]{1,200})\"")


def without_machinery(text: str) -> str:
    """The same text without import lines, shortcodes and attributes; what frames text is its title."""
    lines = _CONTENTS.sub("", text).split("\n")
    ended = {found[2] for line in lines if (found := _COMPONENT.fullmatch(line)) and (found[1] or found[4])}
    names, made, prose, listed, before = set(_NAMES), list[str](), False, False, ""
    for line, code in fenced(lines):
        if not code and (found := _IMPORT.fullmatch(line)) and (not prose or _OWN_MODULE.match(found[2])):
            names |= set(re.findall(r"\w+", found[1]))
            line = ""
        listed = bool(_LIST_ITEM.match(line)) or (listed and line[:1] in ("", " "))
        shown = not listed and not before.strip() and _INDENTED.match(line) and not _NAMED.match(line)
        made += [line] if code or shown else _read(line, ended, names)
        prose = prose or code or bool(_PROSE.match(line))
        before = "" if shown else line  # indented code goes on
    return "\n".join(made)


def _read(line: str, ended: set[str], names: set[str]) -> list[str]:
    """What is left of a line outside of code."""
    place = line[: len(line) - len(line.lstrip())]
    if box := _COLONS.fullmatch(line):
        return ["", place + (box[2] or box[3] or ""), ""]
    if _ATTRIBUTES.fullmatch(line):
        return [""]
    if liquid := _LIQUID.fullmatch(line):
        told = _CONTENT.search(liquid[2])
        return ["```"] if "highlight" in liquid[1] else ["", place + told[1] if told else "", ""]
    if (component := _COMPONENT.fullmatch(line)) and component[2] in ended:
        label = _LABEL.search(component[3])
        if label or component[2] in names:
            return ["", place + label[1] if label else "", ""]
    if anchored := _ANCHOR.fullmatch(line):
        line = anchored[1]
    line = _RAW.sub(lambda tag: tag["code"] or "", line)
    return [_SHORTCODE.sub(lambda tag: tag["code"] or "", _LINKED.sub("](#)", line))]
