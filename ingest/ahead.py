"""Stages that overlap: while one batch is written the next is embedded, and the one after that is read and split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")
POLL_SECONDS = 0.1


@contextmanager
def ahead(items: Iterable[T], depth: int = 1, awaited: Event | None = None) -> Iterator[Iterator[T]]:
    """The same items in the same order, made in a thread of their own, at most `depth` of them before they are asked for.

    `awaited` is set while somebody waits for the next one. What the items' maker raises is raised after the items that came before it. When
    the block ends, so does the making.
    """
    worker = _Worker(items, depth, awaited or Event())
    worker.thread.start()
    try:
        yield worker.taken()
    finally:
        worker.end()


class _Worker(Generic[T]):
    """A thread that fills a bounded queue with functions: each gives an item, or raises what the maker raised."""

    def __init__(self, items: Iterable[T], depth: int, awaited: Event) -> None:
        self._items, self._over, self._awaited = items, Event(), awaited
        self._queue: Queue[Callable[[], T] | None] = Queue(depth)
        self.thread = Thread(target=self._make, name="ahead", daemon=True)

    def taken(self) -> Iterator[T]:
        """The items as they are made."""
        while (take := self._next()) is not None:
            yield take()

    def _next(self) -> Callable[[], T] | None:
        self._awaited.set()
        try:
            return self._queue.get()
        finally:
            self._awaited.clear()

    def end(self) -> None:
        """Stop after the item in the making, and wait for it."""
        self._over.set()
        while self.thread.is_alive():
            try:
                self._queue.get_nowait()
            except Empty:
                self.thread.join(POLL_SECONDS)

    def _make(self) -> None:
        try:
            for item in self._items:
                if not self._put(partial(_same, item)):
                    return
        except BaseException as error:
            self._put(partial(_raise, error))
        self._put(None)

    def _put(self, take: Callable[[], T] | None) -> bool:
        """Whether it is still wanted."""
        while not self._over.is_set():
            try:
                self._queue.put(take, timeout=POLL_SECONDS)
            except Full:
                continue
            return True
        return False


def _same(item: T) -> T:
    return item


def _raise(error: BaseException) -> NoReturn:
    raise error
