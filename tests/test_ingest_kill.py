"""Killed at every registered point: after a restart verify is clean or repair makes it so, nothing acknowledged is lost, nothing is half."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from copilot import crash

ROOT = Path(__file__).parent.parent
INGEST = ("embed", "stage", "index", "switch", "sweep", "recover")
COMPACT = ("compact", "generation")
NEVER = 60.0


def trials() -> list[dict[str, Any]]:
    """Every point in an act that passes it; those that are passed often also at a later visit."""
    made: list[dict[str, Any]] = []
    for point in crash.POINTS:
        family = point.split(".")[0]
        acts = ["ingest"] if family in INGEST else ["compact"] if family in COMPACT else []
        acts += {"retire": ["delete"], "sweep": ["delete"], "erase": ["erase"], "backup": ["backup"]}.get(family, [])
        acts += {"restore": ["restore"], "generation": ["restore", "ingest"], "reembed": ["reembed"]}.get(family, [])
        for act in acts:
            made.append({"name": f"{act}-{point}", "act": act, "point": point})
            if act == "ingest" and family == "generation":
                continue  # it makes one index anew
            if family in ("stage", "switch", "generation", "retire") and not point.endswith(
                ("forgotten", "retire.after", "retire.before")
            ):
                made.append({"name": f"{act}-{point}-2", "act": act, "point": point, "visit": 2})
    made.append({"name": "reembed-second-page", "act": "reembed", "point": "reembed.page", "visit": 2})
    made.append({"name": "twice", "act": "ingest", "point": "recover.inside", "first": "switch.before"})
    return [one for one in made if one["name"] not in ("ingest-recover.inside", "ingest-recover.inside-2")]


def run(base: Path, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    base.mkdir(exist_ok=True)
    lines = "".join(json.dumps(one) + "\n" for one in given)
    done = subprocess.run(
        [sys.executable, "-m", "tests.killing", str(base)], input=lines, capture_output=True, text=True, cwd=ROOT, check=False, timeout=1500
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    results = [json.loads(line) for line in done.stdout.splitlines()]
    for one in results:
        one["stderr"] = done.stderr[-3000:] if one["faults"] else ""
    return results


def test_every_point_in_the_code_is_registered_and_every_registered_one_is_in_the_code() -> None:
    files = [
        file for folder in ("copilot", "ingest") for file in (ROOT / folder).rglob("*.py") if file.name != "crash.py"
    ]
    used = {name for file in files for name in re.findall(r'\bpoint\("([\w.]+)"\)', file.read_text(encoding="utf-8"))}
    assert used == set(crash.POINTS)
    assert len(used) >= 25


def test_a_death_at_any_point_leaves_nothing_half_and_loses_nothing(tmp_path: Path) -> None:
    results = run(tmp_path / "kill", trials())
    assert [one for one in results if one["faults"]] == []
    assert [one["name"] for one in results if not one["killed"]] == [], "a point that is not passed proves nothing"
    assert {one["point"] for one in results} == set(crash.POINTS)


@pytest.mark.skipif("KILL_MOMENTS" not in os.environ, reason="KILL_MOMENTS=100 kills at so many random moments")
@pytest.mark.timeout(1600)
def test_a_death_at_any_moment_leaves_nothing_half_and_loses_nothing(tmp_path: Path) -> None:
    """KILL_SEED=1, 2, … take other moments: a long run may be cut into short ones. `pytest -s` prints what came of them."""
    chance = random.Random(int(os.environ.get("KILL_SEED", "7")))
    acts = ("ingest", "delete", "compact", "restore", "erase", "reembed")
    whole = run(tmp_path / "whole", [{"name": act, "act": act, "seconds": NEVER} for act in acts])
    lasts = {one["act"]: one["took"] for one in whole}
    given = [
        {"name": f"moment{at}", "act": act, "seconds": chance.uniform(0.0, lasts[act])}
        for at, act in zip(range(int(os.environ["KILL_MOMENTS"])), itertools.cycle(acts), strict=False)
    ]
    results = run(tmp_path / "kill", given)
    for act in acts:
        mine = [one for one in results if one["act"] == act]
        died, faulty = sum(one["killed"] for one in mine), sum(bool(one["faults"]) for one in mine)
        print(f"\n{act}: {len(mine)} moments, {died} died before the call returned, {faulty} with faults", end="")  # noqa: T201
    assert [one for one in results if one["faults"]] == []
    deaths = sum(one["killed"] for one in results)
    assert deaths >= len(results) / 3, f"only {deaths} of {len(results)} died before their work was done"
