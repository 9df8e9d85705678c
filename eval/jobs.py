"""Handlers of the evaluation jobs, which the server's job thread runs: the same as the commands, followed over HTTP.

A run's folder is `COPILOT_HOME/eval/runs/ID`, where ID is the job's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from copilot.build import Parts
from copilot.errors import NotFound
from copilot.jobs import Progress
from copilot.settings import Settings
from copilot.store.jobs import Job
from eval.compare import compare
from eval.publish import publish
from eval.record import Run, read
from eval.run import run
from eval.suite import load

HEADLINE = 12
EVERY = 5


def folder_of(settings: Settings, id: str) -> Path:
    """Where the run of a job lies."""
    return settings.home / "eval" / "runs" / id


def evaluate_job(parts: Parts, job: Job, progress: Progress) -> dict[str, Any]:
    """Run the payload's `suite` with its `changes`; the result holds the gated scores, the folder the rest."""
    suite, overrides = load(job.payload["suite"], job.payload.get("changes") or ())

    def step(stage: str, done: int, total: int) -> None:
        if done % EVERY == 0 or done == total:
            progress({"stage": stage, "done": done, "total": total})

    made = run(suite, overrides, step, base=parts.settings)
    publish(made, folder_of(parts.settings, job.id), suite.records)
    return {"suite": made.name, "protocol": made.protocol.line(), "scores": _headline(made, suite.gates)}


def compare_job(parts: Parts, job: Job, progress: Progress) -> dict[str, Any]:
    """The payload's runs `a` and `b`, compared. Raises NotFound for a run that this workspace did not make."""
    first, second = (_run(parts, job.workspace, job.payload[name]) for name in ("a", "b"))
    compared: dict[str, Any] = to_jsonable_python(compare(first, second))
    return compared


def _run(parts: Parts, workspace: str, id: str) -> Run:
    job = parts.jobs.get(workspace, id)
    if job.kind != "evaluate" or job.state != "done":
        raise NotFound(f"The job {id!r} is no finished evaluation.")
    return read(folder_of(parts.settings, id))


def _headline(made: Run, gates: tuple[str, ...]) -> list[dict[str, Any]]:
    shown = [score for name in gates if (score := made.score(name)) is not None] or list(made.scores)
    return [{"name": s.name, "value": s.value, "low": s.low, "high": s.high, "n": s.n} for s in shown[:HEADLINE]]
