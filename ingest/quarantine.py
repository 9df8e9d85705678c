"""Parses a document in a process of its own, within bounds of time and memory, so that a hostile one harms nobody else."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self, TypeVar, cast

from copilot.errors import NotKnowledge, Overrun, UnreadableFile
from copilot.settings import Settings
from copilot.store.quarantine import Quarantine, Tried

T = TypeVar("T")
TRIES = 2
START_SECONDS = 30.0  # a machine under load takes its time to start a process; the parser's own time begins after it
Answer = tuple[str, object]
APART_BYTES = 200_000
MOST_BRACKETS = 2000
"""Each `[` that none closes costs a Markdown parser a hundred steps."""
MOST_MARKS = 20_000
_MARKS = tuple(b"<[*_`&|~=\\")


def heavy(text: str | bytes) -> bool:
    """Whether a text is parsed apart: it is long, or so full of markup that its parser could take seconds. An ordinary article is neither."""
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if len(data) > APART_BYTES or data.count(b"[") > MOST_BRACKETS:
        return True
    return sum(map(data.count, _MARKS)) > MOST_MARKS


class Parser:
    """A process that parses one document after another; it starts with the first, and anew after a death."""

    def __init__(self, settings: Settings) -> None:
        self._seconds, self._megabytes = settings.parse_seconds, settings.parse_megabytes
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    @property
    def bounds(self) -> str:
        """What a document that was set aside overran: with other bounds it is tried again."""
        return f"{self._seconds:g} seconds, {self._megabytes} MB"

    def parse(self, parse: Callable[[], T]) -> T:
        """What `parse` returns, or its UnreadableFile or NotKnowledge. Raises Overrun where it died or took too much."""
        pipe = self._started()
        try:
            pipe.send(parse)
            if not pipe.poll(self._seconds):
                raise Overrun(
                    f"its parser took more than {self._seconds:g} seconds: split it, or raise COPILOT_PARSE_SECONDS"
                )
            kind, said = pipe.recv()
        except (EOFError, OSError):
            self._end()
            raise Overrun("its parser died on it: open it in the program that made it and save it anew") from None
        except Overrun:
            self._end()
            raise
        if kind == "made":
            return cast(T, said)
        raise self._refusal(kind, said)

    def _refusal(self, kind: str, said: object) -> NotKnowledge | UnreadableFile:
        if kind == "memory":
            self._end()
            return Overrun(
                f"its parser needs more than {self._megabytes} MB: split it, or raise COPILOT_PARSE_MEGABYTES"
            )
        return (NotKnowledge if kind == "left out" else UnreadableFile)(str(said))

    def _started(self) -> Connection:
        if self._pipe is None:
            spawn = multiprocessing.get_context("spawn")
            self._pipe, theirs = spawn.Pipe()
            self._process = spawn.Process(target=_serve, args=(theirs, self._megabytes), daemon=True)
            self._process.start()
            theirs.close()
            if not self._pipe.poll(START_SECONDS) or self._pipe.recv() != "ready":
                self._end()
                raise Overrun("no process to parse it could be started: look at the machine's load and memory")
        return self._pipe

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None


@dataclass(frozen=True, slots=True)
class Ward:
    """The parser for one document, and the memory of how often it overran."""

    parser: Parser
    quarantine: Quarantine
    document: tuple[str, str, str, str]
    """Workspace, root, origin and fingerprint: with other bytes or other bounds it is tried again."""
    remembers: bool

    def parse(self, parse: Callable[[], T]) -> T:
        """What `parse` returns. Raises UnreadableFile also for one that overran its parser twice: it is left alone until it changes."""
        before = self.quarantine.tried(*self.document)
        if before.times >= TRIES:
            raise UnreadableFile(f"set aside after {before.times} tries until it changes: {before.reason}")
        try:
            return self.parser.parse(parse)
        except Overrun as error:
            if self.remembers:
                self.quarantine.note(*self.document, Tried(before.times + 1, str(error)))
            raise


def _serve(pipe: Connection, megabytes: int) -> None:
    """The process's life: answer until the other side hangs up."""
    import ingest.load

    assert ingest.load
    _bound(megabytes)
    pipe.send("ready")
    while True:
        try:
            parse = pipe.recv()
        except (EOFError, MemoryError):  # what does not even fit in here was too much for it
            return
        pipe.send(_tried(parse))


def _tried(parse: Callable[[], object]) -> Answer:
    try:
        return "made", parse()
    except NotKnowledge as error:
        return "left out", str(error)
    except UnreadableFile as error:
        return ("memory", "") if _out_of_memory(error) else ("unreadable", str(error))
    except MemoryError:
        return "memory", ""
    except RecursionError:
        return "unreadable", "it is nested too deeply: make it simpler"
    except Exception as error:
        return "unreadable", f"its parser broke ({type(error).__name__})"


def _out_of_memory(error: BaseException) -> bool:
    """Whether a cleaner's word for a damaged file hides that memory ran out."""
    return isinstance(error.__cause__, MemoryError)


def _bound(megabytes: int) -> None:
    """Let this process grow by so much and no more. Linux and the BSDs keep to it; elsewhere only time is bounded."""
    try:
        import resource

        with open("/proc/self/statm", encoding="ascii") as status:
            size = int(status.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (size + megabytes * 1_000_000,) * 2)
    except (ImportError, OSError, ValueError):
        return
