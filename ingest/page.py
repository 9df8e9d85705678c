"""What a help desk or web site sends, as a document: the head is known, the words are cleaned here."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from html import escape

from copilot.domain import Document, Source
from copilot.errors import InputError, UnreadableFile
from copilot.ports import Rest
from copilot.redact import REDACTOR
from ingest.article import article, narrower
from ingest.load import PIPELINE
from ingest.plain import one_line
from ingest.quarantine import heavy

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def page(document: Document, markup: str, audience: str | None, suffix: str = ".html") -> Source:
    """HTML or Markdown as a document; of its own and the source's audience the narrower one counts. Raises UnreadableFile where it has no words."""
    title = one_line(document.title)
    plain = _MARKS.sub(r"\\\1", title)
    heading = f"<h1>{escape(title)}</h1>\n" if suffix == ".html" else f"# {plain}\n\n"
    read = article((heading + markup).encode("utf-8", "replace"), f"page{suffix}", None, None)
    head = replace(document, title=read.document.title, audience=narrower(document.audience, audience))
    return replace(read, document=head)


def offered(document: Document, markup: str, audience: str | None, suffix: str = ".html") -> Source | Rest:
    """The same; of markup that could take a parser down, how to read it in the parser's own process."""
    rest = partial(page, document, markup, audience, suffix)
    return rest if heavy(markup) else rest()


def fingerprint(*made_of: object) -> str:
    """What changes when any of this changes, or how it is read."""
    return hashlib.sha256(json.dumps([PIPELINE, REDACTOR, *made_of], sort_keys=True, default=str).encode()).hexdigest()


def language(locale: object) -> str | None:
    """`en` of `en-us`: drafts are asked for in a language, not in a country's form of it."""
    words = str(locale or "").split("-")[0].split("_")[0].lower()
    return words if 2 <= len(words) <= 3 and words.isascii() and words.isalpha() else None


def moment(value: object) -> datetime | None:
    """A time as help desks write it: ISO 8601, or seconds since 1970. Raises UnreadableFile."""
    if value in (None, "", 0):
        return None
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        time = datetime.fromisoformat(str(value))
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        raise UnreadableFile(f"{str(value)[:40]!r} is no time") from None


def words(row: Mapping[str, object], key: str) -> str:
    """A field's text; nothing where it is missing or null."""
    value = row.get(key)
    return "" if value is None else str(value)


def choice(options: Mapping[str, str], name: str, among: Sequence[str]) -> tuple[str, ...]:
    """An option's words between commas, all of them where it is not given. Raises InputError for one that is not among these."""
    chosen = several(options, name) or tuple(among)
    if unknown := [word for word in chosen if word not in among]:
        raise InputError(f"{name} is {unknown[0]!r}: write {', '.join(among)}, or several with a comma.")
    return chosen


def several(options: Mapping[str, str], name: str) -> tuple[str, ...]:
    """An option's words between commas."""
    return tuple(word.strip() for word in options.get(name, "").split(",") if word.strip())


def teams(options: Mapping[str, str]) -> dict[str, str]:
    """The option `teams`, such as `Legal=legal,7=billing`: what the source calls a group -> the audience here. Raises InputError."""
    given = [pair.partition("=") for pair in several(options, "teams")]
    if wrong := [name for name, _, team in given if not re.fullmatch(r"[\w.-]{1,59}", team.strip())]:
        raise InputError(f"teams has no team for {wrong[0]!r}: write GROUP=TEAM, several with a comma.")
    return {name.strip(): f"team:{team.strip()}" for name, _, team in given}
