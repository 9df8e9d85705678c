"""The disk is full, or fails, at any write: a clear error, nothing torn, and all well again by itself when there is room."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.failing import ACTS

ROOT = Path(__file__).parent.parent
EVERY = os.environ.get("DISK_EVERY")
"""DISK_EVERY=1 fails each write of each act in turn, twice; without it a few of each."""
PIECE = [int(number) for number in os.environ.get("DISK_PIECE", "0/1").split("/")]
"""DISK_PIECE=0/5, 1/5, … cuts the long form into pieces."""
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
            full = {**base, "error": errno.ENOSPC, "restart": bool(at % 2)}
            fault = {**base, "error": errno.EIO, "once": True, "restart": not at % 2}
            made += [full, fault] if EVERY or at % 2 else [full]
    return made


@needs_compiler
@pytest.mark.timeout(3600)
def test_a_failing_write_tears_nothing_and_passes(tmp_path: Path) -> None:
    counted = run(tmp_path / "disk", [{"act": act, "write": 0, "error": 0} for act in ACTS])
    assert [one["faults"] for one in counted] == [[]] * len(ACTS)
    assert all(one["writes"] > 10 for one in counted), "the writes are not seen: this test would prove nothing"
    results = run(tmp_path / "disk", failures(counted)[PIECE[0] :: PIECE[1]])
    if EVERY:
        faulty = sum(bool(one["faults"]) for one in results)
        print(f"\n{len(results)} failures of", {one["act"]: one["writes"] for one in counted}, f"{faulty} with faults")  # noqa: T201
    assert [one for one in results if one["faults"]] == []
    assert all(one["failed"] for one in results if one["write"] == 1 and not one["faults"])
    assert all(
        one["said"] for one in results if one["error"] == errno.ENOSPC and one["act"] == "ingest" and one["write"] == 1
    )
