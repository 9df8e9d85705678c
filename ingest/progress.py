"""How far long work is: a count as it goes on, and what a job tells of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Any

Progress = Callable[[int, int], None]
"""Takes how many are done, of how many; a total of 0 is unknown. May raise Cancelled, where the work is to stop."""
REPORT_SECONDS = 0.25
RECENT = 40


def reporter(progress: Callable[[dict[str, Any]], None]) -> Progress:
    """Tells a job how far it is, how fast it was of late, and when it will be done; a total of 0 is unknown."""
    marks: deque[tuple[float, int]] = deque([(perf_counter(), 0)], maxlen=RECENT)

    def report(done: int, total: int) -> None:
        at = perf_counter()
        if done < marks[-1][1]:  # the next folder or source begins
            marks.clear()
            marks.append((at, 0))
        if done != total and at - marks[-1][0] < REPORT_SECONDS:
            return
        rate = (done - marks[0][1]) / max(at - marks[0][0], 1e-6)
        marks.append((at, done))
        left = round((total - done) / rate) if rate and total else None
        progress({"done": done, "total": total or None, "rate": round(rate, 1), "eta_seconds": left})

    return report
