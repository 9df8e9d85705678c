"""Parsers that misbehave: in a module of their own, since the process that runs them imports it."""

from __future__ import annotations

import os
import time


def sleeps() -> None:
    time.sleep(60)


def dies() -> None:
    os._exit(1)


def eats() -> None:
    assert bytearray(2_000_000_000)


def breaks() -> int:
    return int("words")
