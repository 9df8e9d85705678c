"""Makes the n-th write of an act fail, with `failing_writes.c` in front of the C library, then looks at what is left and does it again.

Run as a program under LD_PRELOAD, with FAIL_PLAN and FAIL_UNDER set; reads trials as JSON lines from stdin and writes one verdict a line.
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import mmap
import os
import shutil
import sys
import traceback
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from copilot.adapters import chroma
from copilot.build import Parts
from copilot.disk import storage_failure
from copilot.errors import NotFound
from ingest import embed, pipeline, reembed
from ingest.summary import Summary
from ingest.verify import verify
from tests.killing import Trial, act, documents, fork, open_parts, template, warm

HANGS = 60
"""Seconds after which a process that does not end is a fault."""
ACTS = ("ingest", "delete", "compact", "reembed", "erase")


class Plan(ctypes.Structure):
    """What `failing_writes.c` looks at before each write: writes until the first failure (negative: none fails)."""

    _fields_ = (
        ("left", ctypes.c_long), ("error", ctypes.c_long), ("once", ctypes.c_long), ("seen", ctypes.c_long),
        ("failed", ctypes.c_long),
    )  # fmt: skip


@dataclass(frozen=True)
class Failure:
    """Of which act which write fails (0: none, they are counted), how, whether only that one, and whether the process starts anew after it."""

    act: str
    write: int
    error: int
    once: bool = False
    restart: bool = False


def attempt(base: Path, plan: Plan, failure: Failure) -> dict[str, object]:
    """One failure and what came of it."""
    place = base / "place"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(base / "template", place)
    verdict = base / "verdict"
    verdict.unlink(missing_ok=True)

    def first() -> None:
        faulthandler.dump_traceback_later(HANGS, exit=True)
        parts = open_parts(place / "home")
        found = failing(parts, place, plan, failure)
        if not failure.restart:
            found["faults"] = [*found["faults"], *recovered(parts, place, failure)]  # type: ignore[misc]
        verdict.write_text(json.dumps(found))

    def again() -> None:
        faulthandler.dump_traceback_later(HANGS, exit=True)
        found = json.loads(verdict.read_text())
        with closing(open_parts(place / "home")) as parts:
            found["faults"] += recovered(parts, place, failure)
        verdict.write_text(json.dumps(found))

    status = fork(first) or (failure.restart and fork(again))
    plan.left = -1
    found = json.loads(verdict.read_text()) if not status else {"faults": [f"the process ended with {status}"]}
    return {**asdict(failure), **found}


def failing(parts: Parts, place: Path, plan: Plan, failure: Failure) -> dict[str, object]:
    """Do the act while the disk fails: what it said, and what is wrong with what is there meanwhile."""
    plan.error, plan.once, plan.seen, plan.failed = failure.error, failure.once, 0, 0
    plan.left = failure.write - 1 if failure.write else -1
    said, faults = "", []
    try:
        act(failure.act, parts, place)
    except Exception as error:
        known = storage_failure(error)
        said = str(known) if known else ""
        if known is None:
            faults.append(f"no clear error: {type(error).__name__}: {error}\n{traceback.format_exc()[-1500:]}")
    faults += documents(parts, Trial("", failure.act), False)
    faults += vectors(parts)
    plan.left = -1
    return {"said": said, "writes": plan.seen, "failed": plan.failed, "faults": faults}


def vectors(parts: Parts) -> list[str]:
    """The vector index answers, or says that it is the disk: after a failed write it is opened again, and to open it writes."""
    try:
        if any(shelf.kind == "article" and parts.vectors.ids(shelf) for shelf in parts.vectors.shelves()):
            return []
        return ["the vector index is empty"]
    except Exception as error:
        return [] if storage_failure(error) else [f"no clear error of the vectors: {type(error).__name__}: {error}"]


def recovered(parts: Parts, place: Path, failure: Failure) -> list[str]:
    """What is wrong once there is room again and the act was done again, with no repair."""
    try:
        act(failure.act, parts, place)
    except NotFound:
        pass  # the deletion had been done
    except Exception as error:
        return [f"not again: {type(error).__name__}: {error}\n{traceback.format_exc()[-2500:]}"]
    if failure.act in ("delete", "erase"):
        pipeline.Indexer(parts).begin("default", "/nowhere", Summary())
    found = verify(parts).problems
    return found + list(documents(parts, Trial("", failure.act), True))


def main() -> None:
    """Failures in, verdicts out."""
    base = Path(sys.argv[1])
    with open(os.environ["FAIL_PLAN"], "r+b") as file:
        plan = Plan.from_buffer(mmap.mmap(file.fileno(), 4096))
    plan.left = -1
    warm(base / "warm")
    embed.BATCH_CHUNKS, reembed.PAGE, chroma.WORN = 8, 8, 4
    template(base)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(attempt(base, plan, Failure(**json.loads(line)))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
