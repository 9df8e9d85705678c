"""Memory that nobody uses goes back to the system."""

from __future__ import annotations

import ctypes
import gc
import platform

import psutil
import pytest

from copilot.memory import BLANK_MEMORY, collect_rarely, give_back, keep_together

BLOCK, BLOCKS = 3000, 50_000
needs_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left alone")


def resident() -> int:
    return int(psutil.Process().memory_info().rss)


@needs_glibc
def test_free_memory_between_blocks_in_use_goes_back() -> None:
    blocks = [bytes(BLOCK) for _ in range(BLOCKS)]
    in_use, full = blocks[::100], resident()
    del blocks
    give_back()
    assert resident() < full - BLOCK * BLOCKS / 2
    assert len(in_use) == BLOCKS / 100


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    keep_together()
    give_back()
    with BLANK_MEMORY:
        pass


def test_garbage_is_sought_less_often_by_a_process_of_the_command() -> None:
    before = gc.get_threshold()
    try:
        collect_rarely()
        assert gc.isenabled()
        assert gc.get_threshold()[0] > before[0]
    finally:
        gc.set_threshold(*before)
