"""Solved tickets as knowledge: the problem in the customer's words and what solved it, without private notes and personal data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from copilot.domain import PUBLIC, Author, Document, Link, Source
from copilot.errors import NotKnowledge, UnreadableFile
from copilot.names import GREETED, INTRODUCED, named
from copilot.redact import OURS, Redactor, redact
from copilot.text import normalise, own_words
from ingest.article import MAX_ID, narrower
from ingest.clean import markdown
from ingest.plain import one_line

SOLVED = frozenset({"solved", "resolved", "closed"})
NEVER = frozenset({"spam", "junk", "deleted"})
TITLE_CHARS = 80
MESSAGE_CHARS = 50_000
"""How much of one message is read: what stands beyond is a pasted log, and no help to anybody's search."""
MARKUP_CHARS = 20_000
"""How long a message may be to be read as Markdown."""
MOST = 200
"""Names and links that one ticket may have."""


def distil(
    row: Mapping[str, object], columns: Mapping[str, str], audience: str | None, redactor: Redactor = OURS
) -> Source:
    """A solved ticket's problem and resolution; of an unsolved one that was answered with articles, its question for ranking.

    `columns` maps our field names to the table's. Raises NotKnowledge for what is left out, UnreadableFile for what cannot be read.
    """
    ticket = read(row, columns)
    if ticket.status in NEVER:
        raise NotKnowledge(f"its status is {ticket.status}")
    names, links, whose = _names(ticket), _links(ticket), _customers(row, columns)
    question, ticket = _question(ticket, names), _labelled(ticket, names, redactor)
    if ticket.status in SOLVED and ticket.solution.strip():
        solution = _solution(ticket)
        redacted = redactor.redact(f"{question}\n\n{_reply(solution.text, names)}", names, orders=True)
        start = redacted.offset(len(question) + 2)
        document = _document(ticket, redacted.text[:start], audience, _solved_at(ticket, solution), solution.role)
        return Source(document=document, text=redacted.text, answer_start=start, links=links, customers=whose)
    if not links:
        raise NotKnowledge("it is not solved")
    asked = redactor.redact(question, names, orders=True).text
    linked_at = max([ticket.created, *(link.at for link in links if link.at)])
    document = _document(ticket, asked, audience, linked_at, None)
    return Source(document=document, text=asked, use="ranking", links=links, customers=whose)


def _customers(row: Mapping[str, object], columns: Mapping[str, str]) -> tuple[str, ...]:
    """The ids under which the asker may be known; erasing a person finds the ticket by each."""
    value = row.get(columns.get("customer", "customer"))
    named = [value.get("id"), value.get("email"), value.get("name")] if isinstance(value, Mapping) else [value]
    return tuple(dict.fromkeys(words for one in named if isinstance(one, str | int) and (words := str(one).strip())))


def _labelled(ticket: Ticket, names: frozenset[str], redactor: Redactor) -> Ticket:
    """The ticket without a topic or tag that holds personal data."""
    told = {one for one in (ticket.topic, *ticket.tags) if redactor.redact(one, names, orders=True).found}
    topic = "" if ticket.topic in told else ticket.topic
    return ticket.model_copy(update={"topic": topic, "tags": [one for one in ticket.tags if one not in told]})


def _document(ticket: Ticket, asked: str, audience: str | None, known_at: datetime, solver: Author | None) -> Document:
    return Document(
        id=ticket.ticket_id,
        kind="ticket",
        title=asked.partition("\n\n")[0] if _subject(ticket) else _first_words(asked),
        url=_shareable(ticket.url),
        audience=_narrower(ticket.audience, audience),
        language=ticket.language or None,
        created_at=ticket.created,
        resolved_at=known_at,
        topics=tuple(dict.fromkeys(filter(None, (ticket.topic, *ticket.tags)))),
        solution_by=solver,
    )


def _first_words(text: str) -> str:
    """The text's first words, on one line."""
    words = " ".join(text[: 4 * TITLE_CHARS].split())
    return words if len(words) <= TITLE_CHARS else f"{words[:TITLE_CHARS].rpartition(' ')[0] or words[:TITLE_CHARS]}…"


def _shareable(url: str) -> str | None:
    """A web address that names nobody."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    is_web = parts.scheme in ("http", "https") and parts.netloc and " " not in url
    return url if is_web and not redact(url).found else None


def _narrower(own: str, given: str | None) -> str:
    """Of the row's audience and the whole table's the smaller one: no row opens what its table keeps inside."""
    if given and not re.fullmatch(_AUDIENCE, given):
        raise UnreadableFile(f"audience is {given[:40]!r}: write {_EXPECTED['audience']}")
    return narrower(own or PUBLIC, given or PUBLIC)


# ---- the question, the names in it, and what solved it ----

_REPLY_MARK = re.compile(r"(?:(?:re|fwd?|aw|wg|tr|rv|antw)\s?:\s?){1,9}", re.I)


def _question(ticket: Ticket, names: frozenset[str]) -> str:
    message = _plain(_unsigned(own_words(ticket.message), names))
    question = "\n\n".join(filter(None, (_subject(ticket), message)))
    if not re.search(r"\w", question):
        raise NotKnowledge("it asks nothing: subject and message are empty")
    return question


def _subject(ticket: Ticket) -> str:
    subject = " ".join(ticket.subject.split())
    mark = _REPLY_MARK.match(subject)
    return subject[mark.end() :] if mark else subject


def _names(ticket: Ticket) -> frozenset[str]:
    """Who takes part: named in fields, introduced by themselves, greeted by an agent (a customer may greet the product)."""
    names = [ticket.customer, *sorted(named(ticket.message, INTRODUCED))]
    for turn in ticket.turns:
        names += [turn.author] if turn.role in ("customer", "agent") else []
        names += sorted(named(turn.text, GREETED if turn.role == "agent" else INTRODUCED))
    return frozenset(list(dict.fromkeys(filter(None, names)))[:MOST])


def _solution(ticket: Ticket) -> Turn:
    """The turn that solved it; for what only a private note says, the last public reply of an agent stands in."""
    key = _key(ticket.solution)
    for turn in ticket.turns:
        if _key(turn.text) == key:
            return turn.model_copy(update={"role": ticket.solution_by or turn.role})
    if not any(key in note or (len(note) > 40 and note in key) for note in ticket.notes):
        return Turn(role=ticket.solution_by or "agent", text=ticket.solution)
    if replies := _replies(ticket):
        return replies[-1]
    raise NotKnowledge("only a private note says what solved it")


def _key(text: str) -> str:
    """What is left of a text when spacing, case and punctuation do not count."""
    return "".join(re.findall(r"\w+", text)).casefold() or text.strip()


def _replies(ticket: Ticket) -> list[Turn]:
    return [turn for turn in ticket.turns if turn.role == "agent" and re.search(r"\w", turn.text)]


def _solved_at(ticket: Ticket, solution: Turn) -> datetime:
    last = max((turn.created for turn in ticket.turns if turn.created), default=ticket.created)
    return max(ticket.created, solution.created or ticket.resolved or ticket.updated or last)


# ---- words ----

_BULLET = re.compile(r"(?m)^( {0,3})[•●▪‣◦–] ?(?=\S)")
_WRAPPED = re.compile(r"(?<=[^\n]{55})(?<=[\w,;])\n(?=[a-zäöüßéèà(])")  # by the mail program, within a sentence
_BLANK = re.compile(r"(?<! ) *\n(?: *\n)+")
_AFTER_LIST = re.compile(r"(?m)^( {0,3}(?:[-+*]|\d{1,3}[.)]) [^\n]*)\n(?=[^\s\d>*+-])")
_LINE_END = re.compile(r"(?<=\S) *\n(?= *\S)")
_MARKUP = re.compile(r"[*_`#\[<&\\|~]|^ *(?:>|[-+] |\d{1,3}[.)] |    )", re.MULTILINE)


def _plain(words: str) -> str:
    """A message as plain structured text; its line ends are meant, unless a mail program wrapped the line."""
    words = _BLANK.sub("\n\n", _WRAPPED.sub(" ", _BULLET.sub(r"\1- ", words))).strip()
    if len(words) > MARKUP_CHARS or not _MARKUP.search(words):
        return words
    return markdown(_LINE_END.sub("  \n", _AFTER_LIST.sub(r"\1\n\n", words))) or words


def _reply(text: str, names: frozenset[str]) -> str:
    """A reply that can be quoted: without greeting, signature and the agent's own name."""
    own = own_words(text)
    reply = _plain(_unsigned(own, names))
    first = reply.split(maxsplit=1)[:1]
    return reply[:1].upper() + reply[1:] if own != text and first and first[0].islower() else reply


_DASHES = re.compile(r"[\s–—-]{0,9}")
_HERE = re.compile(r" here[.,!:]? ")
_AFTER_NAME = re.compile(r"(?: from [\w .]{2,40})?[\s.]{0,9}", re.I)


def _unsigned(text: str, names: frozenset[str]) -> str:
    """The text without "Ann here, " before it and the names below it; no pattern is made of the names, since each ticket has others."""
    introduced = next(
        (found for name in names if text.startswith(name) and (found := _HERE.match(text, len(name)))), None
    )
    lines = text[introduced.end() if introduced else 0 :].split("\n")
    while len(lines) > 1 and _is_signature(lines[-1][:120], names):
        lines.pop()
    return "\n".join(lines)


def _is_signature(line: str, names: frozenset[str]) -> bool:
    dashes = _DASHES.match(line)
    name_on = line[dashes.end() if dashes else 0 :]
    return not line.strip() or any(
        name_on[: len(name)].lower() == name.lower() and _AFTER_NAME.fullmatch(name_on, len(name)) for name in names
    )


# ---- links ----

_URL = re.compile(r"https?://[^\s<>\"'()\[\]]+")


def _links(ticket: Ticket) -> tuple[Link, ...]:
    """Each article that an agent's public reply sent, with the time of the first that did."""
    sent = [(turn, tuple(_linked(turn.text))) for turn in _replies(ticket)]
    cited = ticket.cited_docs if ticket.cited_docs is not None else [name for _, linked in sent for name in linked]
    ids = list(dict.fromkeys(filter(None, cited)))[:MOST] if sent else []
    return tuple(Link(document_id=name, at=_first_reply(name, sent).created) for name in ids)


def _linked(text: str) -> Iterator[str]:
    """The last path segment of each URL."""
    for url in _URL.findall(text):
        path = re.split(r"[?#]", url, maxsplit=1)[0].rstrip("/.,;:!*_")
        if path.count("/") > 2:
            yield path.rpartition("/")[2]


def _first_reply(name: str, sent: list[tuple[Turn, tuple[str, ...]]]) -> Turn:
    """The first reply with this article's URL or id in it, else the last of all; an id of one plain word is no sign."""
    word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])") if "-" in name else re.compile(r"(?!)")
    return next((turn for turn, linked in sent if name in linked or word.search(turn.text)), sent[-1][0])


# ---- a row of the table ----

_ROLES = {
    **dict.fromkeys(("helper", "staff", "admin"), "agent"),
    **dict.fromkeys(("user", "requester", "end-user"), "customer"),
}


def moment(value: object) -> object:
    """A time as help desks write it, in UTC; None for nothing. Raises ValueError."""
    if value in (None, ""):
        return None
    if not isinstance(value, str):
        raise ValueError("no text")
    time = datetime.fromisoformat(re.sub(r"\s{1,3}(?=[+-]\d\d:?\d\d$|Z$)|(?<=\d) UTC$", "", value.strip()[:40]))
    try:
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except OverflowError:  # in the first or last hours of all time
        raise ValueError("out of range") from None


def _words(value: object) -> object:
    if not isinstance(value, str):
        return "" if value is None else value
    if len(value) > MESSAGE_CHARS:
        value = " ".join(value[:MESSAGE_CHARS].rsplit(maxsplit=1)[:1])  # no word is cut in two
    return normalise(value)


def _person(value: object) -> object:
    """A name or id; some help desks write the person as an object."""
    return _words(value.get("name") or value.get("id") if isinstance(value, Mapping) else value)


def _id(value: object) -> object:
    return one_line(value) if isinstance(value, str) else value


def _label(value: object) -> object:
    words = _words(value)
    return words.strip().lower() if isinstance(words, str) else words


def _role(value: object) -> object:
    label = _label(value)
    return _ROLES.get(label, label or None) if isinstance(label, str) else label


def _list(value: object) -> object:
    """A list as it is, as JSON text, or as a table's cell has it: with commas."""
    if not isinstance(value, str):
        return [] if value is None else value
    if not value.lstrip().startswith(("[", "{")):
        return [part.strip() for part in re.split(r"[,;|]", value) if part.strip()]
    try:
        return json.loads(value)
    except RecursionError:
        raise ValueError("nested too deeply") from None


_AUDIENCE = r"public|internal|team:[\w.-]{1,59}"
Words = Annotated[str, BeforeValidator(_words)]
Label = Annotated[str, BeforeValidator(_label)]
Person = Annotated[str, BeforeValidator(_person)]
Time = Annotated[datetime | None, BeforeValidator(moment)]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID), BeforeValidator(_id)]
Audience = Annotated[str, StringConstraints(pattern=rf"^({_AUDIENCE})?$"), BeforeValidator(_words)]
Language = Annotated[
    str, StringConstraints(pattern=r"^([A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})?)?$"), BeforeValidator(_words)
]


class Turn(BaseModel):
    """One message of the thread."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    role: Annotated[Author, BeforeValidator(_role)]
    text: Words = ""
    author: Person = ""
    created: Time = None
    visibility: Label = "public"
    public: bool = True
    private: bool = False
    internal: bool = False

    @property
    def is_public(self) -> bool:
        """Whether the customer could read it; whatever says otherwise counts."""
        return self.visibility in ("", "public") and self.public and not (self.private or self.internal)


class Ticket(BaseModel):
    """A row of the table, checked; `turns` and `notes` are its thread's public and private sides."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    ticket_id: Identifier
    created: Annotated[datetime, BeforeValidator(moment)]
    status: Label
    message: Words
    subject: Words = ""
    thread: Annotated[list[Turn], BeforeValidator(_list)] = []
    solution: Words = ""
    solution_by: Annotated[Author | None, BeforeValidator(_role)] = None
    url: Words = ""
    customer: Person = ""
    topic: Words = ""
    tags: Annotated[list[Words], BeforeValidator(_list)] = []
    cited_docs: Annotated[list[Words] | None, BeforeValidator(_list)] = None
    language: Language = ""
    audience: Audience = ""
    resolved: Time = None
    updated: Time = None

    @property
    def turns(self) -> list[Turn]:
        """The public turns: nothing else of the thread is read."""
        return [turn for turn in self.thread if turn.is_public]

    @property
    def notes(self) -> list[str]:
        """Private notes, bare of all but letters, to tell whether a solution comes from one."""
        return [_key(turn.text) for turn in self.thread if not turn.is_public]


_DATE = "a date and time such as 2026-03-04T08:12:00Z"
_ROLE = "customer, agent, bot or system"
_EXPECTED = {
    "ticket_id": f"an id of 1 to {MAX_ID} characters", "created": _DATE, "resolved": _DATE, "updated": _DATE, "role": _ROLE, "solution_by": _ROLE,
    "thread": "a list of turns, or one as JSON text", "tags": "a list", "cited_docs": "a list of article ids",
    "language": "a code such as en", "audience": "public, internal or team:NAME", "public": "true or false", "private": "true or false",
    "internal": "true or false",
}  # fmt: skip


def read(row: Mapping[str, object], columns: Mapping[str, str]) -> Ticket:
    """A row as a ticket. Raises UnreadableFile that names the field and what is expected of it."""
    known = {name: columns.get(name, name) for name in Ticket.model_fields}
    try:
        return Ticket.model_validate({name: row[column] for name, column in known.items() if column in row})
    except ValidationError as error:
        raise UnreadableFile(_explain(error, columns)) from None


def _explain(error: ValidationError, columns: Mapping[str, str]) -> str:
    first = error.errors(include_url=False)[0]
    field = str(first["loc"][0])
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "missing" and len(first["loc"]) == 1:
        return f"{columns.get(field, field)} is missing: add it, or name its column with --map {field}=COLUMN"
    name = next((part for part in reversed(first["loc"]) if isinstance(part, str)), field)
    is_turn = name == "thread" and first["loc"][-1:] != (name,)
    expected = "a turn with role, created and text" if is_turn else _EXPECTED.get(name, "text")
    return f"{place} cannot be read: write {expected}"
