"""Small runs for the tests of the report: say only what the test is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_jsonable_python

from copilot.domain import Suggestion
from eval.cases import Case
from eval.metrics import Better, Value
from eval.record import CaseRecord, Protocol, Run, Score, SliceScore, Times
from tests.eval_cases import case, suggestion

PROTOCOL = Protocol(
    suite="tiny", corpus="c0ffee", documents=3, index_revision="r1", cases="ca5e", split="all", unit="a message", model="minilm",
    llm=None, prompts="p", settings="s", overrides={}, seed=0, resamples=10, commit="abc", door="process",
)  # fmt: skip
VOLATILE = ("id", "conversation_id", "created_at", "timings_ms")


def record(
    asked: Case | None = None, said: Suggestion | None = None, ranked: Mapping[str, Sequence[str]] | None = None, **rows: Value
) -> CaseRecord:  # fmt: skip
    """A case as a run keeps it; `__` in a row's name stands for the dot."""
    asked = asked or case()
    made = to_jsonable_python(said or suggestion())
    return CaseRecord(
        id=asked.id, rows={name.replace("__", "."): row for name, row in rows.items()}, case=to_jsonable_python(asked),
        suggestion={name: value for name, value in made.items() if name not in VOLATILE},
        ranked={kind: tuple(ids) for kind, ids in (ranked or {}).items()},
    )  # fmt: skip


def score(
    name: str, value: float = 0.5, *, statistic: str = "mean", better: Better = "higher", invariant: bool = False, about: str = "About."
) -> Score:  # fmt: skip
    return Score(
        name=name, value=value, low=value - 0.1, high=value + 0.1, n=7, statistic=statistic, better=better, invariant=invariant,
        about=about,
    )  # fmt: skip


def sliced(name: str, slice: str, value: str, score: float = 0.5) -> SliceScore:
    return SliceScore(slice=slice, value=value, name=name, score=score, low=score - 0.1, high=score + 0.1, n=5)


def run(*records: CaseRecord, scores: Sequence[Score] = (), **rest: Any) -> Run:
    made: dict[str, Any] = {"slices": (), "notes": (), **rest}
    return Run(name="tiny", protocol=PROTOCOL, scores=tuple(scores), records=records, **made)


def times(*totals: float) -> Times:
    return Times(ended="2026-01-01T00:00:00Z", seconds=1.0, machine="a laptop", totals_ms=totals)
