"""Suggestions take turns: a few are worked on at a time, and nobody waits for a reader who takes them slowly."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError, Event

import pytest

from api.turns import Turns
from copilot.settings import Settings

SECONDS = 5.0


def met(turns: Turns, together: int) -> bool:
    """Whether so many hold a turn at the same time."""
    barrier = Barrier(together)

    def work() -> bool:
        with turns.one:
            try:
                barrier.wait(0.3)
            except BrokenBarrierError:
                return False
            return True

    with ThreadPoolExecutor(together) as pool:
        met = [pool.submit(work) for _ in range(together)]
        return all(one.result(SECONDS) for one in met)


@pytest.mark.parametrize("threads", [1, 2])
def test_one_more_is_worked_on_than_the_model_has_threads(threads: int) -> None:
    turns = Turns(Settings(threads=threads))
    assert met(turns, threads + 1)
    assert not met(turns, threads + 2)


def test_where_a_model_writes_as_many_more_as_may_wait_for_it() -> None:
    turns = Turns(Settings(threads=1, llm="openai:some-model", llm_at_once=10))
    assert met(turns, 12)
    assert not met(turns, 13)


def test_a_reader_who_takes_the_steps_slowly_holds_nobody_up() -> None:
    turns = Turns(Settings(threads=1))
    slow = [turns.each(iter("abc")) for _ in range(4)]
    assert [next(steps) for steps in slow] == ["a"] * 4
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(list, turns.each(iter("abc"))).result(SECONDS) == ["a", "b", "c"]


def test_a_step_that_fails_gives_its_turn_back() -> None:
    turns, begun = Turns(Settings(threads=1)), Event()

    def steps() -> Iterator[str]:
        begun.set()
        raise ValueError("it cannot be answered")
        yield ""

    for _ in range(4):
        with pytest.raises(ValueError, match="cannot be answered"):
            list(turns.each(steps()))
    assert begun.is_set()
    assert met(turns, 2)
