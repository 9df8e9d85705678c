"""Handlers of the upkeep jobs: the same as the commands, inside the process that owns the indexes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from copilot.build import Parts
from copilot.store.jobs import Job
from ingest.compact import compact
from ingest.repair import repair
from ingest.verify import verify

Progress = Callable[[dict[str, Any]], None]


def verify_job(parts: Parts, job: Job, progress: Progress) -> dict[str, Any]:
    """What verify found."""
    report = verify(parts)
    return {**asdict(report), "clean": report.clean}


def repair_job(parts: Parts, job: Job, progress: Progress) -> dict[str, Any]:
    """What repair did, and what verify finds after it."""
    return {**asdict(repair(parts)), **verify_job(parts, job, progress)}


def compact_job(parts: Parts, job: Job, progress: Progress) -> dict[str, Any]:
    """What compact carried over and gave back."""
    return asdict(compact(parts, lambda done, all: progress({"done": done, "total": all})))
