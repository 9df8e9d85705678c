"""Mail as it comes, however badly written: envelope, words, and whose they are. Nothing in it can raise but UnreadableFile."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from hashlib import sha256

from copilot.domain import Author
from copilot.errors import UnreadableFile
from ingest.clean import decode
from ingest.plain import one_line
from ingest.quarantine import APART_BYTES
from ingest.threads import Said, letter

MOST_HEADER = 20_000
MOST_PARTS = 200
MOST_TEXT = 1_000_000
"""Bytes of one mail's words that are read: a customer's message is cut far below that."""
_ID = re.compile(r"<([^<>\s]{1,500})>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who wrote to whom, when, in answer to what. `sender` and `to` are addresses in small letters."""

    id: str
    sender: str
    name: str
    to: tuple[str, ...]
    subject: str
    at: datetime | None
    answers: tuple[str, ...]
    automatic: bool
    unwanted: bool


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail: its envelope, its own words with what it quotes, and the names of its attachments."""

    envelope: Envelope
    text: str
    attachments: tuple[str, ...] = ()


def envelope(data: bytes) -> Envelope:
    """The envelope of a mail. Raises UnreadableFile for what has none."""
    head = re.split(rb"\r?\n\r?\n", data[: 10 * MOST_HEADER], maxsplit=1)[0]
    return _envelope(_parsed(head + b"\n\n"), data)


def is_risky(data: bytes) -> bool:
    """Whether reading it could take a parser down."""
    return len(data) > APART_BYTES or b"html" in data.lower()


def read(data: bytes) -> Mail:
    """The mail with its words: plain ones where it has them, else those of its HTML. Raises UnreadableFile."""
    message = _parsed(data)
    bodies, attached = list[_Body](), list[str]()
    for part, is_choice in _parts(message):
        name = _filename(part)
        if part.get_content_disposition() == "attachment" or name:
            attached.append(name or part.get_content_type())
        elif part.get_content_type() in ("text/plain", "text/html"):
            bodies.append(_Body(_text(part), part.get_content_subtype() == "html", is_choice))
    return Mail(_envelope(message, data), _chosen(bodies), tuple(attached))


@dataclass(frozen=True, slots=True)
class _Body:
    words: str
    is_html: bool
    is_choice: bool
    """Whether it stands beside others that say the same."""


def _chosen(bodies: Sequence[_Body]) -> str:
    """The plain words where there are any; HTML that says much more than they do, and is not offered for them, with them."""
    plain = "\n\n".join(one.words for one in bodies if not one.is_html)
    if not plain.strip():
        return "\n\n".join(letter(one.words) for one in bodies)
    if not any(one.is_html and not one.is_choice for one in bodies):
        return plain
    whole = "\n\n".join(
        letter(one.words) if one.is_html else one.words for one in bodies if not (one.is_html and one.is_choice)
    )
    return whole if len(whole.split()) > 3 * len(plain.split()) else plain  # of a list's foot below a mail in HTML


def is_staff(address: str, staff: Sequence[str]) -> bool:
    """Whether an address is among these, or of one of these domains (`@acme.example`)."""
    return address in staff or f"@{address.rpartition('@')[2]}" in staff


def is_answered(thread: Sequence[Envelope], staff: Sequence[str]) -> bool:
    """Whether somebody from outside asked, and the last mail that a person wrote to them is of the staff."""
    people = [one for one in thread if not one.automatic and not _is_private(one, staff)]
    asked = any(not is_staff(one.sender, staff) and not one.unwanted for one in people)
    return asked and is_staff(people[-1].sender, staff)


def turn(mail: Mail, staff: Sequence[str]) -> Said:
    """A mail as a turn; what staff wrote to staff alone is private."""
    one = mail.envelope
    role: Author = "bot" if one.automatic else "agent" if is_staff(one.sender, staff) else "customer"
    public = not _is_private(one, staff) and not one.unwanted
    return Said(role=role, text=mail.text, public=public, author=one.name, at=one.at)


def _is_private(one: Envelope, staff: Sequence[str]) -> bool:
    return is_staff(one.sender, staff) and all(is_staff(address, staff) for address in one.to)


# ---- the message ----


def _parsed(data: bytes) -> Message:
    try:
        return message_from_bytes(data, policy=policy.compat32)
    except RecursionError:
        raise UnreadableFile("its parts are nested too deeply: take it out") from None
    except (MessageError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnreadableFile(f"it is no mail that can be read ({type(error).__name__}): take it out") from None


def _parts(message: Message) -> Iterator[tuple[Message, bool]]:
    """The leaves of the tree, and whether each is one of several forms; a mail within the mail is an attachment, not its words."""
    todo, seen = [(message, False)], 0
    while todo and seen < MOST_PARTS:
        part, is_choice = todo.pop(0)
        seen += 1
        inner = part.get_payload()
        if part.get_content_maintype() == "message" and part is not message:
            continue
        if isinstance(inner, list):
            below = is_choice or part.get_content_subtype() == "alternative"
            todo[:0] = [(one, below) for one in inner if isinstance(one, Message)]
        else:
            yield part, is_choice


def _text(part: Message) -> str:
    """The part's words in whatever they are really written: what a mail says of its encoding is a hint."""
    try:
        packed = part.get_payload(decode=True)
    except (ValueError, LookupError, AttributeError, AssertionError):
        return ""
    data = packed[:MOST_TEXT] if isinstance(packed, bytes) else b""
    named = part.get_param("charset", "utf-8")
    for charset in (named if isinstance(named, str) else "utf-8", "utf-8"):
        try:
            return data.decode(charset)
        except (UnicodeError, LookupError, ValueError):
            continue
    try:
        return decode(data)
    except UnreadableFile:
        return data.decode("utf-8", "replace")


def _filename(part: Message) -> str:
    try:
        return _flat(part.get_filename() or "")[:200]
    except (ValueError, LookupError, TypeError, AttributeError):
        return "attachment"


# ---- the envelope ----


def _envelope(message: Message, data: bytes) -> Envelope:
    (name, sender), *_ = *_addresses(message, "From"), ("", "")
    if not sender:
        raise UnreadableFile("it has no sender: it is no mail, or its head is damaged")
    own = _ID.findall(_raw(message, "Message-ID"))
    answers = [*_ID.findall(_raw(message, "References")), *_ID.findall(_raw(message, "In-Reply-To"))]
    to = [address for field in ("To", "Cc", "Bcc", "Reply-To") for _, address in _addresses(message, field)]
    return Envelope(
        id=own[0] if own else f"sha256-{sha256(data).hexdigest()}", sender=sender, name=name, to=tuple(filter(None, to)),
        subject=_words(message, "Subject"), at=_date(message), answers=tuple(dict.fromkeys(answers)),
        automatic=_is_automatic(message), unwanted=_raw(message, "X-Spam-Flag").strip().lower() == "yes",
    )  # fmt: skip


def _is_automatic(message: Message) -> bool:
    submitted = _raw(message, "Auto-Submitted").strip().lower()
    if any(_raw(message, name).strip() for name in ("X-Autoreply", "X-Autorespond")):
        return True
    return submitted not in ("", "no") or _raw(message, "Precedence").strip().lower() in ("bulk", "junk", "auto_reply")


def _addresses(message: Message, field: str) -> list[tuple[str, str]]:
    try:
        pairs = getaddresses([_raw(message, field)])
    except (ValueError, IndexError, TypeError, RecursionError):  # comments within comments
        return []
    return [(_decoded(name), address.strip().lower()) for name, address in pairs if "@" in address]


def _date(message: Message) -> datetime | None:
    try:
        at = parsedate_to_datetime(_raw(message, "Date"))
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError, RecursionError):
        return None


def _words(message: Message, field: str) -> str:
    return _decoded(_raw(message, field))


def _raw(message: Message, field: str) -> str:
    """A header as it stands, its bytes beyond ASCII read as UTF-8 where they are."""
    first = (str(value) for name, value in message.raw_items() if name.lower() == field.lower())
    value = next(first, "")[:MOST_HEADER]
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _decoded(value: str) -> str:
    """Encoded words read; those of an unknown encoding as they stand."""
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError, TypeError, RecursionError):
        return _flat(value)
    return _flat("".join(_piece(piece, charset) for piece, charset in pieces))


def _piece(piece: bytes | str, charset: str | None) -> str:
    if isinstance(piece, str):
        return piece
    try:
        return piece.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return piece.decode("utf-8", "replace")


def _flat(words: str) -> str:
    return one_line(words)
