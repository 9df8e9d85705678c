"""Evaluations: started as jobs, followed, compared, and their reports read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi import Body as Content
from fastapi import Path as PathParameter
from pydantic import Field, StringConstraints
from pydantic_core import from_json
from starlette.responses import FileResponse, Response, StreamingResponse

from api.auth import Guarded
from api.bodies import Body, Words
from api.deps import PartsOf, PathId, Who
from api.examples import COMPARE, EVALUATE
from api.routes.jobs import EVENTS, JobView, followed, view
from api.stream import EventStream
from copilot.build import Parts
from copilot.domain import Principal
from copilot.errors import NotFound
from copilot.store.jobs import Job

router = APIRouter(prefix="/v1/evaluations", tags=["evaluations"], route_class=Guarded)

CaseId = Annotated[Words, PathParameter(max_length=512)]
Setting = Literal[
    "lexical_weight",
    "votes_weight",
    "map_weight",
    "letters_weight",
    "covered_weight",
    "recency_weight",
    "candidates",
    "abstain_below",
    "resolution_from",
    "seed",
    "resamples",
]
"""What a run may change over HTTP: numbers of the ranking and the draft, never paths or addresses."""


class EvaluateBody(Body):
    """A shipped suite, and what is different from its settings in this run."""

    suite: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")] = Field(examples=["demo"])
    changes: dict[Setting, Annotated[float, Field(ge=0, le=1_000_000)]] = Field({}, examples=[{"lexical_weight": 0.3}])


class CompareBody(Body):
    """Two finished runs."""

    a: Annotated[Words, Field(max_length=128)]
    b: Annotated[Words, Field(max_length=128)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationList:
    """The newest runs and comparisons first."""

    evaluations: tuple[JobView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """The cases of a run, worst first: id, the words that were asked, status, badness, verdict, faults."""

    cases: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case as a run keeps it, in the shapes of the suite's file and of a suggestion."""

    id: str
    case: dict[str, Any]
    suggestion: dict[str, Any]
    ranked: dict[str, list[str]]
    rows: dict[str, Any]


@router.post("", status_code=202)
def start(body: Annotated[EvaluateBody, Content(openapi_examples=EVALUATE)], parts: PartsOf, who: Who) -> JobView:
    """Run a suite over an index of its own; the job that is answered tells how far it is and what came of it."""
    changes = [f"{name}={value:g}" for name, value in body.changes.items()]
    return view(parts.jobs.add(who.workspace, "evaluate", {"suite": body.suite, "changes": changes}))


@router.get("")
def newest(parts: PartsOf, who: Who) -> EvaluationList:
    """The newest runs and comparisons with their scores."""
    jobs = parts.jobs.list(who.workspace, kinds=KINDS)
    return EvaluationList(evaluations=tuple(view(job) for job in jobs))


@router.post("/compare", status_code=202)
def compare(body: Annotated[CompareBody, Content(openapi_examples=COMPARE)], parts: PartsOf, who: Who) -> JobView:
    """What changed from run a to run b, metric by metric; the job's result is the comparison."""
    for id in (body.a, body.b):
        _finished(parts, who, id)
    return view(parts.jobs.add(who.workspace, "compare", {"a": body.a, "b": body.b}))


@router.get("/{evaluation_id}")
def show(evaluation_id: PathId, parts: PartsOf, who: Who) -> JobView:
    """One run or comparison: its state, its progress, and its scores."""
    return view(_job(parts, who, evaluation_id))


@router.get("/{evaluation_id}/events", response_class=StreamingResponse, responses=EVENTS)
def follow(evaluation_id: PathId, parts: PartsOf, who: Who) -> Response:
    """Its progress as server-sent events until it is finished."""
    _job(parts, who, evaluation_id)
    return EventStream(followed(parts.jobs, who.workspace, evaluation_id))


@router.get("/{evaluation_id}/report", response_class=FileResponse, responses={200: {"content": {"text/html": {}}}})
def report(evaluation_id: PathId, parts: PartsOf, who: Who) -> Response:
    """The report of a finished run: one page, sandboxed, that loads nothing."""
    return FileResponse(_file(parts, who, evaluation_id, "report.html"), media_type="text/html")


@router.get("/{evaluation_id}/results")
def results(evaluation_id: PathId, parts: PartsOf, who: Who) -> dict[str, Any]:
    """Every score of a finished run with its interval, its slices, and the protocol."""
    found: dict[str, Any] = from_json(_file(parts, who, evaluation_id, "results.json").read_bytes())
    return found


@router.get("/{evaluation_id}/cases")
def cases(evaluation_id: PathId, parts: PartsOf, who: Who) -> Cases:
    """The cases of a finished run, worst first, each with what is wrong with it."""
    return Cases(cases=from_json(_file(parts, who, evaluation_id, "findings.json").read_bytes()))


@router.get("/{evaluation_id}/cases/{case_id:path}")
def case(evaluation_id: PathId, case_id: CaseId, parts: PartsOf, who: Who) -> CaseView:
    """One case of a finished run: the message and what is known of its answer, the suggestion, what search found, and its row of each metric."""
    with _file(parts, who, evaluation_id, "cases.jsonl").open("rb") as lines:
        found = next((record for record in map(from_json, lines) if record["id"] == case_id), None)
    if found is None:
        raise NotFound(f"The evaluation {evaluation_id!r} has no case {case_id!r}.")
    return CaseView(**found)


KINDS = ("evaluate", "compare")


def _job(parts: Parts, who: Principal, id: str) -> Job:
    job = parts.jobs.get(who.workspace, id)
    if job.kind not in KINDS:
        raise NotFound(f"There is no evaluation {id!r}.")
    return job


def _finished(parts: Parts, who: Principal, id: str) -> None:
    job = _job(parts, who, id)
    if job.kind != "evaluate" or job.state != "done":
        raise NotFound(f"The evaluation {id!r} is no finished run. `GET /v1/evaluations/{id}` tells its state.")


def _file(parts: Parts, who: Principal, id: str, name: str) -> Path:
    """A file of a finished run, which `eval.jobs` wrote. Raises NotFound."""
    _finished(parts, who, id)
    path = parts.settings.home.resolve() / "eval" / "runs" / id / name
    if not path.exists():
        raise NotFound(f"The files of the evaluation {id!r} are gone. Run it again.")
    return path
