"""The disk is full, or fails, at any write: a clear error, nothing torn, and all well again by itself when there is room."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import pytest

from copilot.disk import storage_failure
from tests.failing import ACTS

ROOT = Path(__file__).parent.parent
EVERY = os.environ.get("DISK_EVERY")
"""DISK_EVERY=1 fails each write of each act in turn, twice; without it a few of each."""
LOG, SECONDS = os.environ.get("DISK_LOG"), float(os.environ.get("DISK_SECONDS", "inf"))
"""DISK_LOG=FILE keeps what came of each failure, and the next run goes on from there; DISK_SECONDS=100 ends after so long."""
TOGETHER, KEYS = 10, ("act", "write", "error", "once", "restart")
needs_compiler = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("gcc") is None,
    reason="writes fail by a C library put in front of the system's: that needs Linux and gcc",
)


def run(base: Path, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    base.mkdir(exist_ok=True)
    library, plan = base / "failing.so", base / "plan"
    if not library.exists():
        source = ROOT / "tests" / "failing_writes.c"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True)
    plan.write_bytes(bytes(4096))
    for old in ("template", "place", "warm"):
        shutil.rmtree(base / old, ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.failing", str(base)], input="".join(json.dumps(one) + "\n" for one in given), text=True, cwd=ROOT,
        capture_output=True, check=False, timeout=3000,
        env={**os.environ, "LD_PRELOAD": str(library), "FAIL_PLAN": str(plan), "FAIL_UNDER": str(base / "place" / "home")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    (base / "stderr").write_text(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def failures(counted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each act writes to fail, from the first to the last: full for good, then one error of the device."""
    made = []
    for one in counted:
        step = int(EVERY) if EVERY else max(1, one["writes"] // 5)
        for at, write in enumerate(range(1, one["writes"] + 1, step)):
            base = {"act": one["act"], "write": write}
            full = {**base, "error": errno.ENOSPC, "once": False, "restart": bool(at % 2)}
            fault = {**base, "error": errno.EIO, "once": True, "restart": not at % 2}
            made += [full, fault] if EVERY or at % 2 else [full]
    return made


def in_pieces(base: Path, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What came of all of them that were tried so far, in this run or an earlier one; in an order that makes a part of them a fair sample."""
    log, until = Path(LOG) if LOG else base / "log", monotonic() + SECONDS
    done = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    known = {tuple(one[key] for key in KEYS) for one in done}
    todo = [one for one in given if tuple(one[key] for key in KEYS) not in known]
    Random(1).shuffle(todo)
    while todo and monotonic() < until:
        made = run(base, todo[:TOGETHER])
        with log.open("a") as file:
            file.writelines(json.dumps(one) + "\n" for one in made)
        done, todo = done + made, todo[TOGETHER:]
    print(f"\n{len(done)} of {len(given)} failures tried, {sum(bool(one['faults']) for one in done)} with faults")  # noqa: T201
    return done


@pytest.mark.parametrize(
    "said",
    ["Failed to apply logs to the hnsw segment writer", "Error in compaction: Failed to get hnsw segment writer"],
)
def test_chromas_own_words_for_a_failing_disk_are_known(said: str) -> None:
    from chromadb.errors import InternalError

    found = storage_failure(InternalError(said))
    assert found
    assert "make room" in str(found)
    assert storage_failure(InternalError("Collection does not exist")) is None


@needs_compiler
@pytest.mark.timeout(36000)
@pytest.mark.skipif(not EVERY, reason="DISK_EVERY=1 fails each write in turn, for an hour")
def test_each_write_that_fails_tears_nothing_and_passes(tmp_path: Path) -> None:
    base = tmp_path / "disk"
    counts = Path(f"{LOG}.counts") if LOG else tmp_path / "counts"
    if not counts.exists():
        counts.write_text(json.dumps(run(base, [{"act": act, "write": 0, "error": 0} for act in ACTS])))
    assert [one for one in in_pieces(base, failures(json.loads(counts.read_text()))) if one["faults"]] == []


@needs_compiler
@pytest.mark.timeout(600)
@pytest.mark.skipif(bool(EVERY), reason="the long form is run")
def test_a_failing_write_tears_nothing_and_passes(tmp_path: Path) -> None:
    counted = run(tmp_path / "disk", [{"act": act, "write": 0, "error": 0} for act in ACTS])
    assert [one["faults"] for one in counted] == [[]] * len(ACTS)
    assert all(one["writes"] > 10 for one in counted), "the writes are not seen: this test would prove nothing"
    results = run(tmp_path / "disk", failures(counted))
    assert [one for one in results if one["faults"]] == []
    assert all(one["failed"] for one in results if one["write"] == 1)
    assert all(
        one["said"] for one in results if one["error"] == errno.ENOSPC and one["act"] == "ingest" and one["write"] == 1
    )
