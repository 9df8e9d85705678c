"""What a suite scored when it was last recorded: the bands of the gate, the rows of each case, the README's table.

`expected.yaml` is for people, `data/SUITE.recorded.json` holds the gated metrics' rows: case ids, numbers and labels, never words.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from copilot.errors import InputError
from eval.compare import rows
from eval.metrics import Better, Value
from eval.record import Run, Score
from eval.stats import DIGITS

FOLDER = Path(__file__).parent
SLACK = 0.01
"""How much worse than recorded the interval's worse end may become; in a small suite it is 2/n, so that a case may flip."""
START, END = "<!-- results -->", "<!-- /results -->"
_HEAD = f"""\
# What each suite scored when `copilot eval record` kept it; the README's table is made from this file.
# `band` is the worst end of the 95 % interval that the gate lets pass: the recorded low less {SLACK}, or less 2/n where that is more
# (the recorded high and as much more where lower is better; 1 for a promise). A band may be changed by hand; recording makes it anew.
"""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A gated metric as it was recorded, with the band that its interval must not leave."""

    value: float
    low: float
    high: float
    band: float
    n: int
    better: Better


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A suite as it was recorded."""

    date: datetime.date
    protocol: str
    metrics: Mapping[str, Mark]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The cases of a recorded run, and each gated metric's row of those that it applies to."""

    statistics: Mapping[str, str]
    """Metric -> the statistic that sums its rows up."""
    cases: Mapping[str, Sequence[Value | None]]
    """Case id -> its row of each metric, in the order of `statistics`; None where the metric does not apply."""

    def rows(self, metric: str) -> dict[str, Value]:
        """The metric's row of each case that it applied to."""
        if metric not in self.statistics:
            return {}
        place = list(self.statistics).index(metric)
        return {case: row for case, found in self.cases.items() if (row := found[place]) is not None}


def record(run: Run, gated: Sequence[str], today: datetime.date, folder: Path = FOLDER) -> Expected:
    """Keep the run as what its suite is expected to score. Raises InputError where a gated metric is missing or has no direction."""
    suite = _checked(run.protocol.suite)
    scores = [_gateable(run, name) for name in gated]
    expected = Expected(
        date=today, protocol=run.protocol.line(), metrics={score.name: _mark(score) for score in scores}
    )
    everything = {**load_all(folder), suite: expected}
    file = _rows_file(folder, suite)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_compact(_recorded(run, scores)), encoding="utf-8")
    _write_yaml(everything, folder / "expected.yaml")
    return expected


def load(suite: str, folder: Path = FOLDER) -> tuple[Recorded | None, Expected | None]:
    """The suite's recorded rows and bands, None where nothing is recorded. Raises InputError where a file cannot be read."""
    file = _rows_file(folder, _checked(suite))
    expected = load_all(folder).get(suite)
    if expected is None or not file.exists():
        return None, expected
    try:
        recorded = TypeAdapter(Recorded).validate_json(file.read_bytes())
    except (ValidationError, OSError) as error:
        raise InputError(f"{file} cannot be read; write it anew with `copilot eval record`. {error}") from error
    if any(len(found) != len(recorded.statistics) for found in recorded.cases.values()):
        raise InputError(
            f"{file} is damaged: a case has more or fewer rows than metrics. Write it anew with `copilot eval record`."
        )
    return recorded, expected


def load_all(folder: Path = FOLDER) -> dict[str, Expected]:
    """All suites that are recorded, by name. Raises InputError where expected.yaml cannot be read."""
    file = folder / "expected.yaml"
    try:
        written = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else None
        return TypeAdapter(dict[str, Expected]).validate_python(written or {})
    except (ValidationError, yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{file} cannot be read; mend it or write it anew with `copilot eval record`. {error}"
        ) from error


def table(expected: Mapping[str, Expected]) -> str:
    """The results as a markdown table, and below it each suite's protocol."""
    if not expected:
        return "Nothing is recorded yet: `copilot eval record` fills this table."
    lines = ["| metric | suite | value | 95 % interval | n |", "|---|---|--:|:-:|--:|"]
    for suite, one in sorted(expected.items()):
        lines += [
            f"| {name} | {suite} | {mark.value:.3f} | {mark.low:.3f} – {mark.high:.3f} | {mark.n} |"
            for name, mark in one.metrics.items()
        ]
    notes = [f"- {one.date}, {one.protocol}" for _, one in sorted(expected.items())]
    return "\n".join([*lines, "", *notes])


def write_table(readme: Path, table: str) -> None:
    """Put the table between the file's two markers. Raises InputError where they are not there once each, in order."""
    text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end) or START in rest or END in before + after:
        raise InputError(f"{readme} needs the lines {START} and {END}, once each and in this order, around its table.")
    readme.write_text(f"{before}{START}\n{table}\n{END}{after}", encoding="utf-8")


# ---- what is written ----


def _checked(suite: str) -> str:
    if not _NAME.fullmatch(suite):
        raise InputError(f"{suite!r} is no name of a suite: use small letters, digits and hyphens.")
    return suite


def _rows_file(folder: Path, suite: str) -> Path:
    return folder / "data" / f"{suite}.recorded.json"


def _gateable(run: Run, name: str) -> Score:
    score = run.score(name)
    if score is None or isnan(score.value):
        raise InputError(
            f"The run has no {name}, which the suite gates. Run the whole suite, or take the gate out of it."
        )
    if score.better == "neither":
        raise InputError(
            f"{name} is good in neither direction, so it cannot be gated. Take it out of the suite's gates."
        )
    return score


def _mark(score: Score) -> Mark:
    slack = max(SLACK, 2 / score.n)
    band = score.high + slack if score.better == "lower" else score.low - slack
    kept = 1.0 if score.invariant else round(band, DIGITS)
    return Mark(value=score.value, low=score.low, high=score.high, band=kept, n=score.n, better=score.better)


def _recorded(run: Run, scores: Sequence[Score]) -> Recorded:
    found = [rows(run, score.name) for score in scores]
    return Recorded(
        statistics={score.name: score.statistic for score in scores},
        cases={record.id: [one.get(record.id) for one in found] for record in run.records},
    )


def _compact(recorded: Recorded) -> str:
    """JSON with one case a line, so that a diff shows which cases moved."""
    head = to_json(recorded.statistics).decode()
    cases = ",\n".join(
        f"{to_json(case).decode()}:{to_json(row).decode()}" for case, row in sorted(recorded.cases.items())
    )
    return f'{{"statistics":{head},"cases":{{\n{cases}\n}}}}\n'


def _write_yaml(everything: Mapping[str, Expected], file: Path) -> None:
    plain = {suite: asdict(one) for suite, one in sorted(everything.items())}
    file.write_text(
        _HEAD + yaml.safe_dump(plain, sort_keys=False, default_flow_style=None, width=10_000), encoding="utf-8"
    )
