"""What a help desk or web site sends, as a document: the head is known, the words are cleaned here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from html import escape

from copilot.domain import Document, Source
from copilot.errors import UnreadableFile
from copilot.redact import REDACTOR
from ingest.article import article, narrower
from ingest.load import PIPELINE
from ingest.plain import one_line


def page(document: Document, markup: str, audience: str | None) -> Source:
    """HTML as a document; of its own and the source's audience the narrower one counts. Raises UnreadableFile where it has no words."""
    heading = f"<h1>{escape(one_line(document.title))}</h1>\n"
    read = article((heading + markup).encode(), "page.html", None, None)
    head = replace(document, title=read.document.title, audience=narrower(document.audience, audience))
    return replace(read, document=head)


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
