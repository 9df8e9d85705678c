"""Parses a document in a process of its own, within bounds of time and memory, so that a hostile one harms nobody else."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

from copilot.domain import Source
from copilot.errors import NotKnowledge, Overrun, UnreadableFile
from copilot.settings import Settings

TRIES = 2
START_SECONDS = 30.0  # a machine under load takes its time to start a process; the parser's own time begins after it
Answer = tuple[str, object]


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

    def parse(self, parse: Callable[[], Source]) -> Source:
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
        return self._answer(kind, said)

    def _answer(self, kind: str, said: object) -> Source:
        if isinstance(said, Source):
            return said
        if kind == "memory":
            self._end()
            raise Overrun(
                f"its parser needs more than {self._megabytes} MB: split it, or raise COPILOT_PARSE_MEGABYTES"
            )
        raise (NotKnowledge if kind == "left out" else UnreadableFile)(str(said))

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


def _serve(pipe: Connection, megabytes: int) -> None:
    """The process's life: answer until the other side hangs up."""
    import ingest.load

    assert ingest.load
    _bound(megabytes)
    pipe.send("ready")
    while True:
        try:
            parse = pipe.recv()
        except EOFError:
            return
        pipe.send(_tried(parse))


def _tried(parse: Callable[[], Source]) -> Answer:
    try:
        return "source", parse()
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
