"""What Markdown's dialects add to CommonMark, in words that CommonMark has: call-outs, tabs, definitions, footnotes, tick boxes."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator

_KINDS = (
    "note|tip|hint|info|information|important|warning|caution|danger|attention|error|success|example|question|abstract|"
    "summary|bug|failure|quote"
)
_SILENT = "details|tabs?|cards?|columns?|steps?|stepper|row|grid|callout|alert|expand|accordion"
"""What frames text and says nothing."""
_FENCE = re.compile(r"[ >]*(`{3,}|~{3,})")
CODE = r"(?P<code>(?<!`)(?P<ticks>`+)(?!`).{1,500}?(?<!`)(?P=ticks)(?!`))"
"""Code within a sentence, for patterns that leave it alone."""
_ALERT = re.compile(rf"([ >]*>[ ]?)\[!({_KINDS})\][+-]?[ ]*(.{{0,200}})\Z", re.I)
_BOLD = re.compile(rf"([ >]*>[ ]?)\*\*({_KINDS})(?::\*\*|\*\*:|\*\*(?=[ ]*\Z))", re.I)
_BLOCK = re.compile(
    rf"[ ]*:{{3,}}[ ]*(?:\{{?\.?({_KINDS}|{_SILENT})\}}?)?(?:\[([^\]]{{0,200}})\]|(?<=[\w}}])[ ]+(.{{0,200}}))?[ ]*\Z",
    re.I,
)
_MARKED = re.compile(
    rf"([ ]*)(?:!!!|\?\?\?\+?)[ ]+({_KINDS})(?:[ ]+[\w-]{{1,30}}){{0,3}}[ ]*(?:\"([^\"]{{0,200}})\")?[ ]*\Z", re.I
)
_TAB = re.compile(r"([ ]*)={3}\+?[!]?[ ]+\"([^\"]{1,200})\"[ ]*\Z")
_BEGIN, _CLOSE = r"\{(?:%-?|\{[<%])[ ]*", r"\b(?:(?![%>]\}).){0,500}(?:[>%]\}|%)\}"
_TAG = re.compile(rf"[ ]*{_BEGIN}/?(?:end)?({_KINDS}|{_SILENT}){_CLOSE}[ ]*\Z", re.I)
_ANY_TAG = re.compile(rf"{CODE}|{_BEGIN}/?(?:end)?(?:{_KINDS}|{_SILENT}|include|highlight){_CLOSE}", re.I)
_MARKER = re.compile(r"[ ]*(?:(?:[-*+]|\d{1,9}[.)])[ ]+)?")
_STYLE = re.compile(rf"\b(?:style|type|kind)=[\"']?({_KINDS})\b", re.I)
_END = re.compile(rf"[ ]*{_BEGIN}(?:/|end)", re.I)
_TITLE = re.compile(r"(?:(?:title|name|label)=|\b(?:tab|details|expand|accordion)[ ])[\"']([^\"'\n]{1,200})[\"']")
_BOX = re.compile(r"\A([ >]*(?:[-*+]|\d{1,9}[.)])[ ]+)\[[ xX]\][ ]+(?=\S)")
_NOTED = re.compile(r"\A[ ]{0,3}\[\^([^\]\s]{1,60})\]:[ ]*")
_NOTE = re.compile(rf"{CODE}|(?<=\S) ?\[\^([^\]\s]{{1,60}})\](?!\()")
_DEFINED = re.compile(r"[ ]{0,3}:[ ]{1,3}(?=\S)")
_TERM = re.compile(r"(?![ ]{0,3}(?:[-*+#>|:]|\d{1,9}[.)])[ ]?)[ ]{0,3}\S.{0,200}\Z")
_ITEM = re.compile(r"[ ]*(?:[-*+]|\d{1,9}[.)])(?:[ ]|\Z)")
_BARE = re.compile(r"[ ]*(?:[-*+]|\d{1,9}[.)])[ ]*\Z")
_LIST = re.compile(r"[ >]*(?:[-*+]|\d{1,9}[.)]|#{1,6}|\|)(?:[ ]|\Z)")
_ENDED = (".", "!", "?", ":")


def common(text: str) -> str:
    """The text in CommonMark: `[!WARNING]`, `:::warning` and `!!! warning` as `Warning:`, `=== "Mac"` as `Mac:`, a term beside its definition."""
    return "\n".join(_lines(text.split("\n"))) if any(sign in text for sign in _SIGNS) else text


_SIGNS = ("[!", ":::", "!!!", "???", "===", "{%", "{{", "[ ]", "[x]", "[X]", "[^", "\n:", "\n :", "> **")


def _lines(lines: list[str]) -> list[str]:
    """Each line as it is to be read; what stands in code stays."""
    label, inside, term, listed, out = "", -1, False, False, list[str]()
    parts = [part for whole, code in fenced(lines) for part in ([whole] if code else _parts(whole))]
    notes = {found[1] for line in parts if (found := _NOTED.match(line.lstrip()))}
    for line, code in fenced(parts):
        line, inside = _moved_out(line, inside)
        if not code and (made := _opened(line)) is not None:
            out += [label] if label else []
            place = line[: len(line) - len(line.lstrip())] if listed else ""
            line, label, inside = "", made[0] and place + made[0], made[1] if made[1] >= 0 else inside
            if out and _BARE.match(out[-1]):
                continue  # an item that begins with two empty lines has no text
        elif not code:
            line = _plain(line, notes)
            listed = bool(_ITEM.match(line)) or (listed and line[:1] in ("", " "))
        if label and line.strip():
            apart = _LIST.match(line) or code
            out += [label, "", line] if apart else [f"{label} {line.lstrip()}"]
            label, term = "", False
        elif not code and (term or (out and _TERM.match(out[-1]))) and (found := _DEFINED.match(line)):
            joint = " " if term or out[-1].rstrip().endswith(_ENDED) else ": "
            out[-1] = f"{out[-1].rstrip()}{joint}{line[found.end() :]}"
            term = True
        else:
            out.append(line)
            term = False
    return [*out, label] if label else out


def fenced(lines: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it is code between fences or such a fence."""
    fence = ""
    for line in lines:
        if found := _FENCE.match(line):
            fence = "" if fence and found[1].startswith(fence) else fence or found[1]
        yield line, bool(fence or found)


def _parts(line: str) -> list[str]:
    """A line that begins with a tag or ends with the end of one, each tag on a line of its own: so it reads like the long form."""
    marker = _MARKER.match(line)
    at = marker.end() if marker else 0
    tags = [tag for tag in _ANY_TAG.finditer(line, at) if not tag["code"]]
    if not tags or line.startswith((">", "|"), at):
        return [line]
    if tags[0].start() > at and not (tags[-1].end() == len(line.rstrip()) and _END.match(tags[-1][0])):
        return [line]
    cut = _ANY_TAG.sub(lambda tag: tag["code"] or f"\n{tag[0]}\n", line[at:])
    parts = [" " * at + part.strip(" ") for part in cut.split("\n") if part.strip()]
    return [line[:at], *parts] if line[:at].strip() else parts


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


def _plain(line: str, notes: Container[str]) -> str:
    if found := _ALERT.match(line):
        title = found[3].strip()
        return f"{found[1]}{_called(found[2], title)}{'  ' if title and not title.endswith(_ENDED) else ''}"
    if found := _BOLD.match(line):  # what follows is its text, that may go on in the next line
        line = f"{found[1]}{found[2].capitalize()}:{line[found.end() :]}"
    line = _NOTED.sub("", _BOX.sub(r"\1", line))
    return _NOTE.sub(lambda mark: "" if mark[3] in notes else mark[0], line)  # `[^a-z]` is no note
