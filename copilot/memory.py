"""What becomes of memory: blank where it might be written to a file, given back where it is not needed any more, and how often garbage is sought."""

from __future__ import annotations

import ctypes
import gc
from threading import RLock

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_PERTURB, M_ARENA_MAX = -1, -3, -6, -8
ARENAS = 2
LARGE = 4_000_000
"""From so many bytes on a block is taken from the system by itself, and goes back to it by itself."""
SPARE = 32_000_000
"""So much free memory is kept at hand: to fetch it anew for every array of a search took three times as long as to fill it."""

NEW_OBJECTS = 20_000
"""So many are made before garbage is sought among them (Python's own measure is 700)."""


class _BlankMemory:
    """While anybody is inside, the C library hands out zeroed memory: Chroma writes some of its memory to its files unused, with whatever
    words, messages or secrets stood there before."""

    def __init__(self) -> None:
        self._lock, self._inside = RLock(), 0

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            _fill(255)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                _fill(0)


def _fill(byte: int) -> None:
    """New memory is filled with the complement of this byte, freed memory with the byte; 0 leaves both alone."""
    _libc("mallopt", M_PERTURB, byte)


def keep_together() -> None:
    """Let threads share their memory, so that what one has freed serves the next; to be called before there are many."""
    _libc("mallopt", M_ARENA_MAX, ARENAS)
    _libc("mallopt", M_MMAP_THRESHOLD, LARGE)
    _libc("mallopt", M_TRIM_THRESHOLD, SPARE)


def collect_rarely() -> None:
    """Seek garbage less often, in all of the process: what a start makes stays to the end, and walking through it took an eighth of the start."""
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])


def give_back() -> None:
    """Hand memory that nobody uses back to the system, which the C library does only in part."""
    _libc("malloc_trim", 0)


def _libc(name: str, *arguments: int) -> None:
    try:
        getattr(ctypes.CDLL(None), name)(*arguments)
    except (AttributeError, OSError, TypeError):
        return  # another C library: nothing of the kind is known there


BLANK_MEMORY = _BlankMemory()
