"""Jobs: long work and how far it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from api.auth import Guarded
from api.deps import PartsOf, PathId, Who
from api.stream import KEEP_ALIVE, EventStream, documented, frame
from api.visible import sees_job
from api.words import cleaned
from copilot.build import Parts
from copilot.domain import Principal
from copilot.errors import NotFound
from copilot.store.jobs import Job, Jobs, JobState
from copilot.store.sources import Sources

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=Guarded)

LOOK_SECONDS = 0.3
LOOKED_AT = 1000
QUIET_LOOKS = 50  # then a comment keeps proxies from closing the stream


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job as it is shown: without its payload, which holds the server's paths. `cancelling`: it was told to stop and runs on to where it can."""

    id: str
    kind: str
    state: JobState
    progress: dict[str, Any]
    result: dict[str, Any] | None
    error: str | None
    created_at: datetime
    finished_at: datetime | None
    cancelling: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobList:
    """The newest jobs first."""

    jobs: tuple[JobView, ...]


def _theirs(parts: Parts, who: Principal, id: str) -> Job:
    """The job. Raises NotFound, where it is on another team's documents as if it were not there."""
    job = parts.jobs.get(who.workspace, id)
    if not sees_job(who, job, {one.id: one for one in Sources(parts.database).list(who.workspace)}):
        raise NotFound(f"There is no job {id!r}.")
    return job


def view(job: Job) -> JobView:
    """What is shown of a job. File names that are no UTF-8 may stand in its report, so it is cleaned."""
    return JobView(
        id=job.id, kind=job.kind, state=job.state, progress=cleaned(job.progress), result=cleaned(job.result),
        error=cleaned(job.error), created_at=job.created_at, finished_at=job.finished_at, cancelling=job.cancelling,
    )  # fmt: skip


@router.get("")
def newest(parts: PartsOf, who: Who, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> JobList:
    """The newest jobs, but for those on another team's documents."""
    sources = {one.id: one for one in Sources(parts.database).list(who.workspace)}
    seen = (job for job in parts.jobs.list(who.workspace, LOOKED_AT) if sees_job(who, job, sources))
    return JobList(jobs=tuple(view(job) for job in islice(seen, limit)))


@router.get("/{job_id}")
def show(job_id: PathId, parts: PartsOf, who: Who) -> JobView:
    """One job: its state, its progress, and what came of it."""
    return view(_theirs(parts, who, job_id))


@router.post("/{job_id}/cancel")
def cancel(job_id: PathId, parts: PartsOf, who: Who) -> JobView:
    """Stop it: at once where it waits, at its next whole document where it runs. What it has committed stays."""
    _theirs(parts, who, job_id)
    return view(parts.jobs.cancel(who.workspace, job_id))


@router.post("/{job_id}/resume", status_code=202)
def resume(job_id: PathId, parts: PartsOf, who: Who) -> JobView:
    """Go on with one that was cancelled or failed, from its last committed document."""
    _theirs(parts, who, job_id)
    return view(parts.jobs.resume(who.workspace, job_id))


EVENTS = documented(
    "`progress` at each step, then `done`, `failed` or `cancelled`.", ("progress", "done", "failed", "cancelled")
)


@router.get("/{job_id}/events", response_class=StreamingResponse, responses=EVENTS)
def follow(job_id: PathId, parts: PartsOf, who: Who) -> Response:
    """The job's progress as server-sent events until it is finished."""
    _theirs(parts, who, job_id)
    return EventStream(followed(parts.jobs, who.workspace, job_id))


async def followed(jobs: Jobs, workspace: str, id: str) -> AsyncIterator[bytes]:
    """A frame at each change. Between two looks it waits without a thread, so that many may follow."""
    shown, quiet = b"", 0
    while True:
        job = await run_in_threadpool(jobs.get, workspace, id)
        seen = to_json(view(job))
        if seen != shown:
            yield frame(job.state if job.finished else "progress", seen)
        if job.finished:
            return
        quiet = 0 if seen != shown else quiet + 1
        if quiet and quiet % QUIET_LOOKS == 0:
            yield KEEP_ALIVE
        shown = seen
        await anyio.sleep(LOOK_SECONDS)
