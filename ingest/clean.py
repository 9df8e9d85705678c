"""Files to plain structured text, one function a format.

What cannot be read raises UnreadableFile, which says why and what to do.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

from copilot.errors import UnreadableFile
from copilot.scripts import MARKED
from copilot.text import normalise
from ingest import plain
from ingest.charset import likely
from ingest.content import main_content
from ingest.dialects import common
from ingest.machinery import without_machinery
from ingest.pages import Page, joined, without_running
from ingest.word import docx

if TYPE_CHECKING:
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token
    from pypdf import PdfReader

MAX_CHARS = 10_000_000  # of text with markup, whose tree takes a hundred times its memory, and of a PDF
MAX_PAGES = 2000


def clean(data: bytes, suffix: str) -> str:
    """The plain structured text of a file with this suffix."""
    with _quiet():
        try:
            return CLEANERS[suffix](data)
        except (UnreadableFile, ImportError):
            raise
        except Exception as error:  # parsers raise all sorts on damaged files
            reason = normalise(f"{type(error).__name__}: {error}")[:200]
            raise UnreadableFile(
                f"it is damaged or not a {suffix} file ({reason}): open it and save it anew"
            ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing of the parsers' own warnings and logs: the error says what the reader needs."""
    for name in ("pypdf", "trafilatura", "htmldate", "charset_normalizer"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# ---- bytes to text ----

_MAGIC = {b"%PDF-": "a PDF: rename it to .pdf", b"PK\3\4": "a zip archive: unpack it, or rename it if it is a .docx"}
_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\v\f\r\b\x1b"))
_SAVE_AS_TEXT = "open it in the program that made it and save it as UTF-8 text"


def decode(data: bytes) -> str:
    """A text file's text: by its byte order mark, else UTF-8, else the encoding that it looks like."""
    for magic, what in _MAGIC.items():
        if data.startswith(magic):
            raise UnreadableFile(f"it is {what}")
    marked = next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)
    if not marked and _binary(data[:65536]):
        raise UnreadableFile(f"it is not a text file: {_SAVE_AS_TEXT}")
    try:
        return data.decode(marked or "utf-8")
    except UnicodeDecodeError:
        return data.decode(_encoding(data[:1_000_000]), "replace")


def guessed(data: bytes) -> str | None:
    """The encoding that a text is read in because it is not UTF-8 and has no byte order mark; None where nothing was guessed."""
    if data.startswith(tuple(_MARKS)):
        return None
    try:
        data.decode()
    except UnicodeDecodeError:
        return _encoding(data[:1_000_000])
    return None


def _binary(sample: bytes) -> bool:
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return controls > len(sample) / 50


def _encoding(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    if western := likely(sample):
        return western
    best = from_bytes(sample[: sample.rfind(b"\n") + 1] or sample).best()
    if best is None:
        raise UnreadableFile(f"its encoding is unknown: {_SAVE_AS_TEXT}")
    return best.encoding


def _markup(data: bytes) -> str:
    text = decode(data)
    if len(text) > MAX_CHARS:
        raise UnreadableFile(f"it has more than {MAX_CHARS:,} characters: split it into several files")
    return text


# ---- markdown ----

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)]) ")
_LOOSE_BOLD = re.compile(r"(?<![\w*])\*\*(?!\*)|(?<!\*)\*\*(?![\w*])")
_LOOSE_LINK = re.compile(r"\[([^\]\n]{1,200})\]\((?:https?|mailto):[^)\n]{1,500}\)")
_PATH = re.compile(r"""(?:\b[A-Za-z]:|%\w{1,40}%)(?:\\[^\\\n*?|"]{0,60})*\\[<"'*%]\Z""")


def _commonmark(text: str) -> str:
    """The text without what dialects and site generators add to Markdown."""
    return without_machinery(common(text.replace("\0", "").replace("\r\n", "\n")))


def markdown(text: str) -> str:
    """CommonMark with tables and what its dialects add, as plain structured text; struck-out and hidden parts are left out."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": True, "maxNesting": 100}).enable(["table", "strikethrough"])
    reader.inline.ruler.at("escape", _escape)
    tokens = reader.parse(plain.without_empty_variants(_commonmark(text)))
    for token in tokens:
        if token.type == "code_block" and _ITEM.match(token.content):  # a list that was indented too far
            token.type, token.content = "html_block", reader.render(token.content)
        _repair(token)
    return plain.from_html(plain.parse(reader.renderer.render(tokens, reader.options, {})))


def _escape(state: StateInline, silent: bool) -> bool:
    """As CommonMark has it, but the backslashes of `C:\\Users\\<name>` are part of the name."""
    from markdown_it.rules_inline import escape

    return not _PATH.search(state.src, max(0, state.pos - 160), state.pos + 2) and escape(state, silent)


def _repair(token: Token) -> None:
    """Take off what markup was meant and did not work; keep `<account name>`, which was never meant as a tag."""
    if token.type == "html_block":
        token.content = _TAG.sub(lambda tag: tag[0] if _is_element(tag) else "&lt;" + tag[0][1:], token.content)
    ended: set[str] = set()
    for child in reversed(token.children or ()):
        if child.type == "text":
            child.content = _LOOSE_BOLD.sub("", _LOOSE_LINK.sub(r"\1", child.content))
        elif child.type == "html_inline" and (tag := _TAG.match(child.content)):
            if not _is_meant(tag, ended):
                child.content = "&lt;" + child.content[1:]
            (ended.add if tag[1] else ended.discard)(tag[2].lower())


def _is_element(tag: re.Match[str]) -> bool:
    return tag[2].lower() in plain.ELEMENTS | plain.HIDING_ELEMENTS


def _is_meant(tag: re.Match[str], ended: set[str]) -> bool:
    """Whether it is a tag: one that hides text only where the same sentence ends it."""
    name = tag[2].lower()
    return name in plain.ELEMENTS or (name in plain.HIDING_ELEMENTS and (bool(tag[1]) or name in ended))


# ---- HTML ----

_PAGE = re.compile(r"<(?:html|body|main|article)\b", re.IGNORECASE)


def html(text: str) -> str:
    """A page's main content, or the whole of a fragment, as plain structured text; a page's title is its first heading."""
    soup = plain.parse(text)
    main = main_content(soup) if _PAGE.search(text) else None
    words = plain.from_html(main or soup.body or soup)
    title = soup.h1 or soup.title
    if title is None or words.startswith("# ") or "\n# " in words:
        return words
    return f"# {plain.one_line(title.get_text())[:190]}\n\n{words}"


# ---- plain text ----

_BULLET = re.compile(r"(?m)^[ \t]*[•‣▪●◦–*+\x7f\uf0a7\uf0b7-][ \t]+(?=\S)")  # three as PDFs have them
_OWN_LINE = re.compile(rf"{MARKED}|#{{1,6}} ")
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")


def txt(text: str) -> str:
    """Paragraphs between blank lines, wrapped lines joined; `# ` headings and list items stay lines."""
    text = normalise(_BULLET.sub("- ", text))
    full = _full_line(text)
    out = plain.Writer()
    for block in _BLANK_LINES.split(text):
        _write_block(out, _unwrap(block, full))
    return out.text()


def _full_line(text: str) -> float:
    """From which length on a line was broken for want of room (never, where lines are too long to be wrapped ones)."""
    lengths = sorted(len(line) for line in text.split("\n") if line.strip())
    width = lengths[len(lengths) * 9 // 10] if lengths else 0
    return 0.7 * width if 40 <= width <= 130 else float("inf")


def _unwrap(block: str, full: float) -> list[str]:
    lines: list[list[str]] = []
    previous = ""
    for line in block.split("\n"):
        if len(previous) >= full and not _OWN_LINE.match(line):
            lines[-1].append(line)
        else:
            lines.append([line])
        previous = line
    return [" ".join(parts) for parts in lines]


def _write_block(out: plain.Writer, lines: list[str]) -> None:
    paragraph: list[str] = []
    for line in lines:
        if heading := plain.HEADING.fullmatch(line.strip()):
            out.paragraph("\n".join(paragraph))
            paragraph = []
            out.heading(len(heading[1]), heading[2])
        else:
            paragraph.append(line)
    out.paragraph("\n".join(paragraph))


# ---- PDF ----


def pdf(data: bytes) -> str:
    """The pages' texts, one after the other, what runs along at their heads and feet only once."""
    from pypdf import PdfReader

    reader = PdfReader(BytesIO(data))
    if reader.is_encrypted and not _opens_without_password(reader):
        raise UnreadableFile("it is encrypted: save a copy without a password")
    if len(reader.pages) > MAX_PAGES:
        raise UnreadableFile(f"it has more than {MAX_PAGES} pages: split it into several files")
    pages: list[Page] = []
    room = MAX_CHARS
    for page in reader.pages:
        pages.append(Page.of(page))
        room -= len(pages[-1].text)
        if room < 0:
            raise UnreadableFile(f"it has more than {MAX_CHARS:,} characters: split it into several files")
    return txt(joined(without_running(pages)))


def _opens_without_password(reader: PdfReader) -> bool:
    try:
        return bool(reader.decrypt(""))
    except Exception:  # a cipher that is not installed, or broken keys
        return False


MARKDOWN = (".md", ".markdown")
CLEANERS: Mapping[str, Callable[[bytes], str]] = {
    **dict.fromkeys(MARKDOWN, lambda data: markdown(_markup(data))),
    ".html": lambda data: html(_markup(data)),
    ".htm": lambda data: html(_markup(data)),
    ".txt": lambda data: txt(decode(data)),
    ".pdf": pdf,
    ".docx": docx,
}
"""The suffixes that hold one document each, and what reads them."""
