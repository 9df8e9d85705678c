"""Mail kept in files: mbox and EML, brought together into threads; a thread that staff answered last is a solved ticket.

Which addresses are staff's must be said (option `staff`). Mail among staff is private; attachments are left out.
"""

from __future__ import annotations

import hashlib
import mailbox
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from copilot.build import redactor_of
from copilot.domain import Source
from copilot.errors import InputError, SourceFailed, UnreadableFile
from copilot.ports import Broken, Change, Connector, Expected, Gone, Raw, Whole
from copilot.redact import Redactor
from copilot.settings import Settings
from copilot.store.sources import Upstream
from ingest import letters, tickets
from ingest.letters import Envelope
from ingest.load import WATCH
from ingest.page import fingerprint, several
from ingest.threads import thread

OPTIONS = frozenset({"staff", WATCH})
MOST_LETTERS = 200
"""Letters that one thread may have: beyond it, somebody's references tie together what does not belong together."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail where it lies, and what its envelope says."""

    box: mailbox.mbox | Path
    key: str
    envelope: Envelope

    def read(self) -> bytes:
        """All of it."""
        return self.box.read_bytes() if isinstance(self.box, Path) else self.box.get_bytes(self.key)


@dataclass(slots=True)
class Threads:
    """Which mails belong together: whoever refers to a mail, or to one that it refers to, is of its thread."""

    parents: dict[str, str] = field(default_factory=dict)
    letters: dict[str, Letter] = field(default_factory=dict)

    def add(self, letter: Letter) -> None:
        """Put a mail where it belongs; the same mail a second time is none."""
        if letter.envelope.id in self.letters:
            return
        self.letters[letter.envelope.id] = letter
        for other in letter.envelope.answers:
            self.parents[self._root(other)] = self._root(letter.envelope.id)

    def all(self) -> list[list[Letter]]:
        """Each thread, its oldest mail first."""
        found: dict[str, list[Letter]] = {}
        for id, letter in self.letters.items():
            found.setdefault(self._root(id), []).append(letter)
        return sorted((sorted(some, key=_age) for some in found.values()), key=lambda some: _age(some[0]))

    def _root(self, id: str) -> str:
        while (above := self.parents.get(id, id)) != id:
            self.parents[id] = self.parents.get(above, above)
            id = above
        return id


@dataclass(frozen=True, slots=True)
class Mail:
    """A file or folder of mail."""

    path: Path
    name: str
    staff: tuple[str, ...]
    audience: str | None
    max_bytes: int
    redactor: Redactor

    def changes(self, since: str | None) -> Iterator[Change]:
        """All that is there. Raises SourceFailed where the path is not: an unmounted disk is no deletion."""
        if not self.path.exists():
            raise SourceFailed(f"There is nothing at {self.path}: mount it, or correct the source.")
        threads, broken = Threads(), False
        with ExitStack() as opened:
            for found in self._found(opened):
                if isinstance(found, Broken):
                    broken = True
                    yield found
                else:
                    threads.add(found)
            grouped = threads.all()
            yield Expected(len(grouped))
            for letters_ in grouped:
                yield self._thread(letters_)
        if not broken:  # what could not be read may hold any thread
            yield Whole()

    def _found(self, opened: ExitStack) -> Iterator[Letter | Broken]:
        for path in _files(self.path):
            place = path.name if path == self.path else path.relative_to(self.path).as_posix()
            try:
                yield from self._letters(path, place, opened)
            except OSError as error:
                yield Broken(place, f"it cannot be opened ({error.strerror}): check that it is there and may be read")

    def _letters(self, path: Path, place: str, opened: ExitStack) -> Iterator[Letter | Broken]:
        if path.suffix.lower() == ".eml":
            yield self._letter(path, "", path.stat().st_size, place)
            return
        if not _has_lines(path, self.max_bytes):
            yield Broken(place, f"it has a line of more than {self.max_bytes:,} bytes: it is no mbox")
            return
        box = opened.enter_context(closing(mailbox.mbox(path, create=False)))
        for number, key in enumerate(box.iterkeys(), 1):
            with closing(box.get_file(key)) as file:
                file.seek(0, 2)
                size = file.tell()
            yield self._letter(box, key, size, f"{place}#{number}")

    def _letter(self, box: mailbox.mbox | Path, key: str, size: int, place: str) -> Letter | Broken:
        if size > self.max_bytes:
            return Broken(
                place, f"it is larger than {self.max_bytes:,} bytes: raise COPILOT_MAX_FILE_BYTES, or take it out"
            )
        data = box.read_bytes() if isinstance(box, Path) else box.get_bytes(key)
        try:
            return Letter(box, key, letters.envelope(data))
        except UnreadableFile as error:
            return Broken(place, str(error))

    def _thread(self, some: list[Letter]) -> Change:
        id = f"threads/{_short(some[0].envelope.id)}"
        if len(some) > MOST_LETTERS:
            return Broken(id, f"its thread has more than {MOST_LETTERS} mails: it is none that could be understood")
        if not letters.is_answered([letter.envelope for letter in some], self.staff):
            return Gone(id)
        mails = tuple(letter.read() for letter in some)
        made = fingerprint(self.name, self.audience, self.staff, [hashlib.sha256(mail).hexdigest() for mail in mails])
        return Raw(
            id,
            made,
            partial(_read, mails, f"{self.name}/{id}", self.staff, self.audience, self.redactor),
            any(map(letters.is_risky, mails)),
        )


def _read(
    mails: tuple[bytes, ...], id: str, staff: tuple[str, ...], audience: str | None, redactor: Redactor
) -> Source:
    """The thread as a ticket."""
    read = [letters.read(mail) for mail in mails]
    asker = next((one.envelope for one in read if not letters.is_staff(one.envelope.sender, staff)), read[0].envelope)
    turns = [letters.turn(one, staff) for one in read]
    row: dict[str, object] = {
        "ticket_id": id, "created": _iso(asker), "status": "solved", "subject": asker.subject,
        "customer": {"id": asker.sender, "email": asker.sender, "name": asker.name}, **thread(turns),
    }  # fmt: skip
    return tickets.distil(row, {}, audience, redactor)


def _iso(envelope: Envelope) -> str | None:
    return envelope.at.isoformat() if envelope.at else None


def _age(letter: Letter) -> tuple[float, str]:
    at = letter.envelope.at
    return at.timestamp() if at else 0.0, letter.envelope.id


def _short(id: str) -> str:
    return hashlib.sha256(id.encode("utf-8", "replace")).hexdigest()[:20]


def _has_lines(path: Path, most: int) -> bool:
    """Whether no line is longer than this: mbox is read line by line, and a line is held in memory."""
    run = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            first, last = block.find(b"\n"), block.rfind(b"\n")
            run = len(block) - last - 1 if first >= 0 and run + first <= most else run + len(block)
            if run > most:
                return False
    return True


def _files(path: Path) -> list[Path]:
    """The mail in a folder, in order; hidden files and links that lead out of it are left out."""
    if path.is_file():
        return [path]
    home = path.resolve()
    found = (one for one in path.rglob("*") if one.suffix.lower() in (".mbox", ".eml") and one.is_file())
    inside = (one for one in found if one.resolve().is_relative_to(home))
    return sorted(one for one in inside if not any(part.startswith(".") for part in one.relative_to(path).parts))


def connect(upstream: Upstream, settings: Settings, secret: str | None) -> Connector:
    """The connector over `address`, an .mbox or .eml file or a folder of them. Options: `staff` (addresses, or @domains), `watch`."""
    staff = tuple(word.lower() for word in several(upstream.options, "staff"))
    if not staff or not all("@" in word for word in staff):
        raise InputError("A source of mail needs --option staff=ADDRESS or staff=@DOMAIN: who writes the answers.")
    return Mail(
        Path(upstream.address).resolve(),
        upstream.id,
        staff,
        upstream.audience,
        settings.max_file_bytes,
        redactor_of(settings),
    )
