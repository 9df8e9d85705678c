"""What Markdown's dialects add to CommonMark, in words that CommonMark has: call-outs, tabs, definitions, footnotes, tick boxes."""

from __future__ import annotations

import re

_KINDS = (
    "note|tip|hint|info|information|important|warning|caution|danger|attention|error|success|example|question|abstract|"
    "summary|bug|failure|quote"
)
_SILENT = "details|tabs?|cards?|columns?|steps?|stepper|row|grid|callout|alert|expand|accordion"
"""What frames text and says nothing."""
_FENCE = re.compile(r"[ >]*(`{3,}|~{3,})")
_ALERT = re.compile(rf"([ >]*>[ ]?)(?:\[!({_KINDS})\][+-]?|\*\*({_KINDS}):?\*\*)[ ]*(.{{0,200}})\Z", re.I)
_BLOCK = re.compile(
    rf"[ ]*:{{3,}}[ ]*(?:\{{?\.?({_KINDS}|{_SILENT})\}}?)?(?:\[([^\]]{{0,200}})\]|(?<=[\w}}])[ ]+(.{{0,200}}))?[ ]*\Z",
    re.I,
)
_MARKED = re.compile(
    rf"([ ]*)(?:!!!|\?\?\?\+?)[ ]+({_KINDS})(?:[ ]+[\w-]{{1,30}}){{0,3}}[ ]*(?:\"([^\"]{{0,200}})\")?[ ]*\Z", re.I
)
_TAB = re.compile(r"([ ]*)={3}\+?[!]?[ ]+\"([^\"]{1,200})\"[ ]*\Z")
_TAG = re.compile(
    rf"[ ]*\{{(?:%|\{{[<%])[ ]*/?(?:end)?({_KINDS}|{_SILENT})\b[^\n]{{0,300}}(?:%|[>%]\}})\}}[ ]*\Z", re.I
)
_STYLE = re.compile(rf"\b(?:style|type|kind)=[\"']?({_KINDS})\b", re.I)
_END = re.compile(r"[ ]*\{(?:%|\{[<%])[ ]*(?:/|end)", re.I)
_TITLE = re.compile(r"(?:(?:title|name|label)=|\b(?:tab|details|expand|accordion)[ ])[\"']([^\"'\n]{1,200})[\"']")
_BOX = re.compile(r"([ >]*(?:[-*+]|\d{1,9}[.)])[ ]+)\[[ xX]\][ ]+(?=\S)")
_NOTED = re.compile(r"[ ]{0,3}\[\^[^\]\s]{1,60}\]:[ ]*")
_NOTE = re.compile(r"(?<=\S) ?\[\^[^\]\s]{1,60}\](?!\()")
_DEFINED = re.compile(r"[ ]{0,3}:[ ]{1,3}(?=\S)")
_TERM = re.compile(r"(?![ ]{0,3}(?:[-*+#>|:]|\d{1,9}[.)])[ ]?)[ ]{0,3}\S.{0,200}\Z")
_LIST = re.compile(r"[ >]*(?:[-*+]|\d{1,9}[.)]|#{1,6}|\|)(?:[ ]|\Z)")
_ENDED = (".", "!", "?", ":")


def common(text: str) -> str:
    """The text in CommonMark: `[!WARNING]`, `:::warning` and `!!! warning` as `Warning:`, `=== "Mac"` as `Mac:`, a term beside its definition."""
    return "\n".join(_lines(text.split("\n"))) if any(sign in text for sign in _SIGNS) else text


_SIGNS = ("[!", ":::", "!!!", "???", "===", "{%", "{{", "[ ]", "[x]", "[X]", "[^", "\n:", "\n :", "> **")


def _lines(lines: list[str]) -> list[str]:
    """Each line as it is to be read; what stands in code stays."""
    fence, label, inside, term, out = "", "", -1, False, list[str]()
    for line in lines:
        line, inside = _moved_out(line, inside)
        if found := _FENCE.match(line):
            fence = "" if fence and found[1].startswith(fence) else fence or found[1]
        elif not fence and (made := _opened(line)) is not None:
            out += [label] if label else []
            line, label, inside = "", made[0], made[1] if made[1] >= 0 else inside
        elif not fence:
            line = _plain(line)
        if label and line.strip():
            apart = _LIST.match(line) or found
            out += [label, "", line] if apart else [f"{label} {line.lstrip()}"]
            label, term = "", False
        elif not fence and (term or (out and _TERM.match(out[-1]))) and (found := _DEFINED.match(line)):
            joint = " " if term or out[-1].rstrip().endswith(_ENDED) else ": "
            out[-1] = f"{out[-1].rstrip()}{joint}{line[found.end() :]}"
            term = True
        else:
            out.append(line)
            term = False
    return [*out, label] if label else out


def _moved_out(line: str, inside: int) -> tuple[str, int]:
    """A line without the four spaces that say to which call-out or tab it belongs, and how far in that stands (-1: no further)."""
    if inside < 0 or not line.strip():
        return line, inside
    if not line[inside : inside + 4].isspace() or line[:inside].strip():
        return line, -1
    return line[:inside] + line[inside + 4 :], inside


def _opened(line: str) -> tuple[str, int] | None:
    """The words that a line of a dialect stands for, and how far in stands what belongs to it (-1: no further); None of any other line."""
    if found := _MARKED.match(line):
        return _called(found[2], found[3] or ""), len(found[1])
    if found := _TAB.match(line):
        return f"{found[2]}:", len(found[1])
    if found := _BLOCK.match(line):
        return _called(found[1] or "", found[2] or found[3] or ""), -1
    if found := _TAG.match(line):
        title, style = _TITLE.search(line), _STYLE.search(line)
        kind = "" if _END.match(line) else style[1] if style else found[1]
        return (f"{title[1]}:" if title else _called(kind, "")), -1
    return None


def _called(kind: str, title: str) -> str:
    """`Warning: Its title.`; of what only frames text, the title."""
    shown = f"{kind.capitalize()}:" if re.fullmatch(_KINDS, kind, re.I) else ""
    return f"{shown} {title}{'' if title.endswith(_ENDED) or not title else '.'}".strip()


def _plain(line: str) -> str:
    if found := _ALERT.match(line):
        rest = found[4].strip()
        return f"{found[1]}{_called(found[2] or found[3], rest)}{'  ' if rest and not rest.endswith(_ENDED) else ''}"
    return _NOTE.sub("", _NOTED.sub("", _BOX.sub(r"\1", line)))
