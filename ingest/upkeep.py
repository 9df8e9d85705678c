"""Handlers of the upkeep jobs: the same as the commands, inside the process that owns the indexes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from copilot.build import Parts
from copilot.store.jobs import Job
from ingest.compact import compact
from ingest.erase import Erased, erase
from ingest.repair import repair
from ingest.verify import verify

log = logging.getLogger(__name__)

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


def refit_job(parts: Parts, job: Job, progress: Progress) -> dict[str, Any]:
    """Whether ranking learned a new map, after a deletion took the former."""
    return {"fitted": parts.mapper.refit(job.workspace)}


def refit_waiting(parts: Parts, workspace: str) -> None:
    """Do the refits that a deletion left: for a command that owned the indexes, since no server may follow it."""
    for job in parts.jobs.list(workspace, kinds=("refit",)):
        if job.state == "queued":
            try:
                parts.jobs.finish(job.id, {"fitted": parts.mapper.refit(workspace)}, None)
            except Exception as error:  # what was deleted is gone all the same
                log.warning("ranking learned no new map, the next server tries again: %s", error)


def erase_job(parts: Parts, job: Job, progress: Progress) -> dict[str, Any]:
    """What was destroyed of the customer, and which backups still hold something."""
    customer = job.payload.get(
        "customer"
    )  # none: a crash came after everything was done, and the job row forgot them too
    return asdict(erase(parts, job.workspace, customer) if customer else Erased(0, 0, 0, 0))
