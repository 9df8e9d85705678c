"""An optional reader of drafts: any chat model, asked three times, its answers kept. Never part of a gate.

A model's opinion is worth what its agreement with people is: that is measured on labelled examples in the same run, and printed beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from copilot.errors import CopilotError
from copilot.settings import Settings
from eval.desk import Step
from eval.metrics import Metric
from eval.record import CaseRecord, Run
from eval.stats import score
from prompts import render

VOTES = 3
EXAMPLES = Path(__file__).parent / "data" / "judge.jsonl"
ABOUT = "Share of drafts that the model {model} finds {what}; an opinion, not a measurement, and never gated."
Ask = Callable[[str], str]


class Verdict(BaseModel):
    """What one reading said."""

    model_config = ConfigDict(strict=True, frozen=True)

    answers: bool
    supported: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A draft to be read: what was asked, what is answered, and on what it rests."""

    message: str
    draft: str
    sources: tuple[str, ...]


class Reader:
    """Reads drafts by majority of three; each answer is kept under the hash of the model and all that it read."""

    def __init__(self, name: str, ask: Ask, kept: Path) -> None:
        self.name, self._ask, self._kept = name, ask, kept

    def read(self, reading: Reading) -> Verdict | None:
        """The majority's verdict; None where no answer can be read."""
        found = [verdict for vote in range(VOTES) if (verdict := self._vote(reading, vote)) is not None]
        if not found:
            return None
        half = len(found) / 2
        return Verdict(answers=sum(v.answers for v in found) > half, supported=sum(v.supported for v in found) > half)

    def _vote(self, reading: Reading, vote: int) -> Verdict | None:
        """One of the votes: the sources stand in another order each time, so that three votes at temperature 0 are three readings."""
        turned = (
            reading.sources[vote % max(1, len(reading.sources)) :]
            + reading.sources[: vote % max(1, len(reading.sources))]
        )
        prompt = render("judge", {"message": reading.message, "draft": reading.draft, "sources": turned})
        file = self._kept / f"{hashlib.sha256(f'{self.name}|{vote}|{prompt}'.encode()).hexdigest()}.txt"
        if not file.exists():
            answer = self._ask(prompt)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(answer, encoding="utf-8")
        return _verdict(file.read_text(encoding="utf-8"))


def judged(run: Run, model: str, settings: Settings, step: Step) -> Run:
    """The run with the model's scores and how far it agrees with people. Raises ConfigurationError, CopilotError where the model fails."""
    reader = Reader(model, _asking(settings.model_copy(update={"llm": model})), settings.home / "eval" / "judge")
    drafted = [record for record in run.records if record.suggestion.get("draft")]
    verdicts: dict[str, Verdict] = {}
    for done, record in enumerate(drafted, 1):
        if verdict := reader.read(_reading(record)):
            verdicts[record.id] = verdict
        step("judge", done, len(drafted))
    metrics = _metrics(verdicts, model)
    scores = tuple(score(metric, run.protocol.seed, run.protocol.resamples) for metric in metrics if metric.rows)
    rows = {id: {metric.name: metric.rows[id] for metric in metrics} for id in verdicts}
    records = tuple(replace(record, rows={**record.rows, **rows.get(record.id, {})}) for record in run.records)
    notes = (
        *run.notes,
        agreement(reader),
        f"{model} gave no answer that can be read for {len(drafted) - len(verdicts)} of {len(drafted)} drafts.",
    )
    return replace(run, scores=(*run.scores, *scores), records=records, notes=notes)


def agreement(reader: Reader) -> str:
    """One sentence: on how many labelled examples the reader says what people said (Cohen's kappa tells how much is chance)."""
    pairs = [(verdict, row) for row in _examples() if (verdict := reader.read(_example(row))) is not None]
    if not pairs:
        return f"{reader.name} could not be held against labelled examples: none of its answers can be read."
    parts = []
    for name in ("answers", "supported"):
        said, true = [getattr(verdict, name) for verdict, _ in pairs], [row[name] for _, row in pairs]
        parts.append(f"{name} {sum(map(bool.__eq__, said, true))}/{len(true)}, kappa {_kappa(said, true):.2f}")
    return f"{reader.name} against {len(pairs)} labelled examples: {'; '.join(parts)}. Never part of a gate."


def _kappa(said: Sequence[bool], true: Sequence[bool]) -> float:
    """Cohen (1960): agreement beyond what the two readers' own rates give by chance."""
    n = len(true)
    same = sum(map(bool.__eq__, said, true)) / n
    chance = (sum(said) * sum(true) + (n - sum(said)) * (n - sum(true))) / n**2
    return (same - chance) / (1 - chance) if chance < 1 else 1.0


def _metrics(verdicts: dict[str, Verdict], model: str) -> list[Metric]:
    return [
        Metric(
            name=f"judge.{name}", rows={id: float(getattr(verdict, name)) for id, verdict in verdicts.items()}, better="neither",
            about=ABOUT.format(model=model, what=what),
        )
        for name, what in (("answers", "to answer the message"), ("supported", "supported by its sources"))
    ]  # fmt: skip


def _reading(record: CaseRecord) -> Reading:
    messages = [one["text"] for one in record.case["conversation"]["messages"] if one["author"] == "customer"]
    draft = record.suggestion["draft"]
    quotes = [citation["quote"] for statement in draft["statements"] for citation in statement["citations"]]
    return Reading(message="\n\n".join(messages), draft=draft["text"], sources=tuple(dict.fromkeys(quotes)))


def _examples() -> Iterator[dict[str, Any]]:
    yield from map(json.loads, EXAMPLES.read_text(encoding="utf-8").splitlines())


def _example(row: dict[str, Any]) -> Reading:
    return Reading(message=row["message"], draft=row["draft"], sources=tuple(row["sources"]))


def _verdict(answer: str) -> Verdict | None:
    """The first JSON object in the answer; models like to talk around it."""
    start, end = answer.find("{"), answer.find("}")
    try:
        return Verdict.model_validate(from_json(answer[start : end + 1]))
    except (ValidationError, ValueError):
        return None


def _asking(settings: Settings) -> Ask:
    """The configured model as a function from words to words."""
    from copilot.adapters.langchain import chat_model

    model = chat_model(settings)

    def ask(prompt: str) -> str:
        try:
            return str(model.invoke(prompt).content)
        except Exception as error:  # every provider has errors of its own
            raise CopilotError(
                f"The judge {settings.llm} failed ({type(error).__name__}: {error}). The run without --judge needs none."
            ) from error

    return ask
