"""Articles and macros: a file's text and its front matter to a Source."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from copilot.domain import INTERNAL, PUBLIC, Document, Kind, Source
from copilot.errors import NotKnowledge, UnreadableFile
from copilot.text import normalise
from ingest.clean import MARKDOWN, clean, decode
from ingest.plain import HEADING, one_line

if TYPE_CHECKING:
    from frontmatter.default_handlers import YAMLHandler

MAX_FRONT_MATTER = 20_000
MAX_ID = 512
_MAX_TITLE = 300
_AUDIENCE = re.compile(r"public|internal|team:[\w.-]{1,59}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})?")
_FIELD = re.compile(r"^(?P<key>[A-Za-z_]\w{0,40}):[ \t]+(?P<value>[^\s\[{|>].*)$", re.M)
_TOML = re.compile(r"\A\+\+\+[ \t]*\r?\n(.*?)^\+\+\+[ \t]*(?:\r?\n|\Z)", re.S | re.M)
_NOTHING = ("", "~", "null")
_YES, _NO = ("true", "yes", "on"), ("false", "no", "off")


def article(data: bytes, origin: str, kind: Kind | None, audience: str | None) -> Source:
    """A file as a document. `origin` is its place in the folder; `kind` and `audience` are what was said of the whole folder.

    Raises NotKnowledge for a draft, UnreadableFile for what cannot be read.
    """
    place = PurePosixPath(origin)
    meta, body = _front_matter(data) if place.suffix.lower() in MARKDOWN else (FrontMatter({}), data)
    if meta.is_draft:
        raise NotKnowledge("its front matter says that it is a draft")
    text = clean(body, place.suffix.lower())
    heading = HEADING.search(text)
    title = (meta.line("title") or (heading[2] if heading else place.stem))[:_MAX_TITLE]
    if heading and _flat(heading[2]) == _flat(title):
        text = (text[: heading.start()] + text[heading.end() :].lstrip("\n")).strip("\n")
    summary = meta.line("summary") or ""
    if _flat(summary).rstrip(".!?…") not in _flat(text):
        text = f"{summary}\n\n{text}".strip("\n")
    if not re.search(r"\w", HEADING.sub("", text)):
        raise UnreadableFile("no text found in it: if it is a scan or holds pictures of text, add the words themselves")
    return Source(document=_document(meta, place, title, kind, audience), text=text)


def _document(meta: FrontMatter, place: PurePosixPath, title: str, kind: Kind | None, audience: str | None) -> Document:
    return Document(
        id=_id(meta.line("doc_id") or normalise(str(place.with_suffix("")))),
        kind=_kind(kind or meta.line("kind") or "article"),
        title=title,
        url=web_address(meta.line("url")),
        audience=narrower(meta.line("audience"), audience),
        language=language(meta.line("language")),
        products=meta.lines("products"),
        topics=meta.lines("topics"),
        created_at=meta.time("created_at"),
        updated_at=meta.time("updated_at"),
        valid_from=meta.time("valid_from"),
        valid_until=meta.time("valid_until"),
    )


def _flat(words: str) -> str:
    return " ".join(words.split()).casefold()


# ---- front matter ----


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stands between the `---` lines at a file's head, every value as it was written."""

    values: Mapping[str, object]

    @property
    def is_draft(self) -> bool:
        """Whether whoever wrote it does not publish it yet, as the generators of static sites are told so."""
        draft, published = (str(self.values.get(key, "")).strip().lower() for key in ("draft", "published"))
        return draft in _YES or published in _NO

    def line(self, key: str) -> str | None:
        """A value of one line, or None where there is none."""
        value = self.values.get(key)
        if not isinstance(value, str | None):
            raise UnreadableFile(f"front matter: {key} is a list or a table: write it as one line of text")
        words = one_line(value or "")
        return None if words in _NOTHING else words

    def lines(self, key: str) -> tuple[str, ...]:
        """The values of a list, or of one line with commas."""
        value = self.values.get(key)
        values = value if isinstance(value, list) else (self.line(key) or "").split(",")
        return tuple(words for one in values if isinstance(one, str) and (words := one_line(one)))

    def time(self, key: str) -> datetime | None:
        """A date or time; without a zone it is UTC, without a time that day's first moment."""
        words = self.line(key)
        if words is None:
            return None
        try:
            time = datetime.fromisoformat(re.sub(r" (?=[+-]\d|Z)", "", words))
            return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            raise UnreadableFile(f"front matter: {key} is {words[:40]!r}: write a date as 2026-01-31") from None


def _front_matter(data: bytes) -> tuple[FrontMatter, bytes]:
    """A Markdown file's front matter and the rest of it."""
    from frontmatter.default_handlers import YAMLHandler

    text = decode(data).lstrip("\ufeff")
    if toml := _TOML.match(text):
        return FrontMatter(_toml(toml[1])), text[toml.end() :].encode()
    handler = YAMLHandler()
    try:
        head, body = handler.split(text) if handler.detect(text) else ("", text)
    except ValueError:  # a rule of dashes, not front matter
        head, body = "", text
    values = _load(handler, head, text.count("\n", 0, text.find(head, 1)))
    if values is not None and not isinstance(values, dict):  # text between two rules
        values, body = None, text
    return FrontMatter(values or {}), body.encode()


def _load(handler: YAMLHandler, head: str, lines_before: int) -> object:
    import yaml

    if len(head) > MAX_FRONT_MATTER:
        raise UnreadableFile(
            f"its front matter is longer than {MAX_FRONT_MATTER} characters: is the closing --- missing?"
        )
    head = normalise(head)
    try:
        # The plain-text loader, in Python: `no` stays Norwegian, 007 keeps its zeros, and deep nesting is an error, not a crash.
        return handler.load(head, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        with suppress(yaml.YAMLError, RecursionError):
            return handler.load(_FIELD.sub(_quoted, head), Loader=yaml.BaseLoader)
        mark = getattr(error, "problem_mark", None)
        where = f" in line {lines_before + mark.line + 1}" if mark else ""
        raise UnreadableFile(
            f"broken front matter{where} ({getattr(error, 'problem', None) or 'YAML'}): correct it"
        ) from None
    except RecursionError:
        raise UnreadableFile("broken front matter: it is nested too deeply") from None


def _toml(head: str) -> dict[str, object]:
    """The head of a page for Hugo or Zola, its values as text."""
    if len(head) > MAX_FRONT_MATTER:
        raise UnreadableFile(f"its front matter is longer than {MAX_FRONT_MATTER} characters: shorten it")
    try:
        values = tomllib.loads(normalise(head))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UnreadableFile(f"broken front matter ({str(error)[:100]}): correct it") from None
    return {key: _as_text(value) for key, value in values.items()}


def _as_text(value: object) -> object:
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    return value if isinstance(value, dict) else str(value).lower() if isinstance(value, bool) else str(value)


def _quoted(field: re.Match[str]) -> str:
    """A field of one line that YAML cannot read, `title: Returns: who pays`, as a person reads it."""
    import yaml

    try:
        yaml.load(field[0], Loader=yaml.BaseLoader)
    except yaml.YAMLError:
        return f"{field['key']}: {json.dumps(field['value'].strip(), ensure_ascii=False)}"
    return field[0]


# ---- one value each ----


def _id(words: str) -> str:
    name = one_line(words)
    if not 0 < len(name) <= MAX_ID:
        raise UnreadableFile(f"its doc_id has {len(name)} characters: give it one of 1 to {MAX_ID}")
    return name


def _kind(words: str) -> Kind:
    kinds: Mapping[str, Kind] = {"article": "article", "macro": "macro"}
    if words in kinds:
        return kinds[words]
    raise UnreadableFile(f"kind is {words[:40]!r}: a document is an article or a macro; tickets come as .jsonl or .csv")


def web_address(words: str | None) -> str | None:
    """The address, where it is one of the web."""
    try:
        parts = urlsplit(words or "")
    except ValueError:
        return None
    return words if parts.scheme in ("http", "https") and parts.netloc and " " not in (words or "") else None


def language(words: str | None) -> str | None:
    """The code as it stands. Raises UnreadableFile for what is none."""
    if words is not None and not _LANGUAGE.fullmatch(words):
        raise UnreadableFile(f"front matter: language is {words[:40]!r}: write a code such as en or de-AT")
    return words


def narrower(own: str | None, given: str | None) -> str:
    """Of the document's own audience and the whole folder's or source's the smaller one: no option opens what a document keeps inside.

    Raises UnreadableFile for two teams, neither of which is the smaller one.
    """
    audiences = [words for words in (own, given) if words is not None]
    for words in audiences:
        if not _AUDIENCE.fullmatch(words):
            raise UnreadableFile(f"audience is {words[:40]!r}: write public, internal or team:NAME")
    if len({words for words in audiences if words not in (PUBLIC, INTERNAL)}) > 1:
        raise UnreadableFile(
            f"its audience is {own} and that of its folder or source {given}: nobody may be meant by both; correct one of them"
        )
    return max(audiences, key=lambda words: (words != PUBLIC) + (words not in (PUBLIC, INTERNAL)), default=PUBLIC)
