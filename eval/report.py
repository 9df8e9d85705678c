"""The report: one HTML file that shows how good a run is, where it fails and why. It needs no network and loads nothing.

Everything said by customers, documents and models is hostile: it is escaped, and the page's own policy lets no other script run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.drawing import Plot
from eval.metrics import Value
from eval.plots import plots
from eval.record import Run, Score
from eval.shown import Shown, shown
from eval.worst import Finding, worst

if TYPE_CHECKING:
    from eval.compare import Comparison, Difference

TEMPLATES = Path(__file__).parent / "templates"
TOP = 10
DETAILED = 60
"""So many of the worst cases are shown in full; the others are rows of a table."""
TURNED = 40
HEADLINES = {
    "retrieval.article.hit@5": "Right article among the first five",
    "citations.gold_recall": "Right documents that drafts cite",
    "claims.faithfulness": "Statements true to what was found",
    "drafts.token_f1": "Words shared with the true reply",
    "abstention.false_abstain": "Silent though it could answer",
    "abstention.correct_refusal": "Silent where it must be",
    "triage.intent.accuracy": "Intent right",
    "triage.sentiment.within_one": "Mood right, or one step off",
    "escalation.recall": "Needed escalations seen",
    "retrieval.article.mrr@10": "How near the top the right article is",
    "retrieval.ticket.hit@5": "Right ticket among the first five",
    "citations.recall.lexical": "Statements that their sources bear out",
    "drafts.answered": "Cases with a draft",
    "triage.urgency.accuracy": "Urgency right",
    "escalation.average_precision": "Escalation ranking",
}
"""The scores that head the report, as far as the run has them, the first eight."""
CARDS = 8
GROUPS = {
    "retrieval": "Retrieval", "citations": "Citations", "claims": "Claims", "drafts": "Drafts", "abstention": "Abstention",
    "triage": "Triage", "escalation": "Escalation", "judge": "Judge",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A promise that did not hold, and on which cases."""

    score: Score
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A headline score; `change` is against the recorded run."""

    title: str
    score: Score
    recorded: float | None

    @property
    def change(self) -> float | None:
        """By how much it differs from the recorded run."""
        return None if self.recorded is None else self.score.value - self.recorded

    @property
    def tone(self) -> str:
        """Whether the change is `good` or `bad`; `level` where the recorded value lies within the interval."""
        change = self.change or 0.0
        within = self.recorded is None or self.score.low <= self.recorded <= self.score.high
        if within or self.score.better == "neither":
            return "level"
        return "good" if (change > 0) == (self.score.better == "higher") else "bad"

    @property
    def share(self) -> bool:
        """Whether it lies between 0 and 1, so that a bar can show it."""
        return all(0 <= one <= 1 for one in (self.score.value, self.score.low, self.score.high))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """A case that was right in the recorded run and is wrong now."""

    id: str
    metrics: tuple[str, ...]
    anchor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the template shows."""

    run: Run
    broken: tuple[Broken, ...]
    cards: tuple[Card, ...]
    cases: tuple[Shown, ...]
    rest: tuple[Finding, ...]
    blames: Mapping[str, int]
    kinds: Mapping[str, int]
    slices: Mapping[str, Sequence[str]]
    plots: tuple[Plot, ...]
    groups: Mapping[str, Sequence[Score]]
    recorded: bool
    comparison: Comparison | None
    worse: tuple[Difference, ...]
    fell: tuple[Difference, ...]
    turned: tuple[Turned, ...]
    more_turned: int


def render(
    run: Run,
    recorded: Mapping[str, float] | None = None,
    comparison: Comparison | None = None,
    earlier: Mapping[str, Mapping[str, Value]] | None = None,
) -> str:
    """The run as one HTML page. The same run gives the same bytes.

    `recorded` holds the recorded run's values by metric, `earlier` its rows by metric and case, `comparison` how this run differs from it.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"score": _score, "signed": _signed, "place": _place, "row": _row}
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    page = _page(run, recorded, comparison, earlier)
    return made.get_template("report.html.j2").render(
        page=page, css=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")), js=Markup(script), js_hash=_hash(script),
        data=Markup(_data(page.cases)), top=TOP,
    )  # fmt: skip


def _page(
    run: Run,
    recorded: Mapping[str, float] | None,
    comparison: Comparison | None,
    earlier: Mapping[str, Mapping[str, Value]] | None,
) -> Page:
    bad = worst(run)
    slices = tuple(dict.fromkeys(one.slice for one in run.slices))
    cases = tuple(shown(number, finding, slices) for number, finding in enumerate(bad[:DETAILED], 1))
    turned = tuple(_turned(run, earlier or {}, {one.finding.record.id: one.anchor for one in cases}))
    differences = comparison.differences if comparison else ()
    return Page(
        run=run, broken=tuple(_broken(run)), cards=tuple(_cards(run, recorded or {})), cases=cases, rest=bad[DETAILED:],
        blames=_counted(finding.faults[0].blame for finding in bad),
        kinds=_counted(kind for one in cases for kind in one.kinds), slices=_values(cases), plots=plots(run), groups=_groups(run),
        recorded=bool(recorded), comparison=comparison, worse=tuple(one for one in differences if one.verdict == "worse"),
        fell=tuple(one for one in differences if one.verdict == "same" and _fell(one)),
        turned=turned[:TURNED], more_turned=max(0, len(turned) - TURNED),
    )  # fmt: skip


# ---- the headline ----


def _broken(run: Run) -> Iterator[Broken]:
    for score in run.scores:
        if score.invariant and not score.value >= 1:
            rows = ((record.id, record.rows.get(score.name)) for record in run.records)
            yield Broken(score=score, ids=tuple(id for id, row in rows if isinstance(row, float | int) and row < 1))


def _cards(run: Run, recorded: Mapping[str, float]) -> Iterator[Card]:
    scores = {score.name: score for score in run.scores if not score.invariant and score.value == score.value}
    for name in [*(name for name in HEADLINES if name in scores), *(name for name in scores if name not in HEADLINES)][
        :CARDS
    ]:
        yield Card(title=HEADLINES.get(name, name), score=scores[name], recorded=recorded.get(name))


def _groups(run: Run) -> Mapping[str, Sequence[Score]]:
    groups: dict[str, list[Score]] = {}
    for score in run.scores:
        first = score.name.split(".")[0]
        groups.setdefault(GROUPS.get(first, first), []).append(score)
    return groups


# ---- the worst cases ----


def _counted(names: Iterable[str]) -> Mapping[str, int]:
    """How often each occurs, the most frequent first."""
    return dict(sorted(Counter(names).items(), key=lambda one: (-one[1], one[0])))


def _values(cases: Sequence[Shown]) -> Mapping[str, Sequence[str]]:
    """The values of each slice that these cases have."""
    values: dict[str, set[str]] = {}
    for case in cases:
        for name, value in case.slices.items():
            values.setdefault(name, set()).add(value)
    return {name: sorted(some) for name, some in values.items()}


def _data(cases: Sequence[Shown]) -> str:
    """What the filter needs to know, as JSON that cannot end its element early."""
    known = [
        {
            "id": one.anchor,
            "kinds": one.kinds,
            "blames": one.blames,
            "slices": [f"{k}: {v}" for k, v in one.slices.items()],
        }
        for one in cases
    ]
    return json.dumps(known, ensure_ascii=True).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(script: str) -> str:
    """The script's hash for the page's policy: no other script runs."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


# ---- what got worse ----


def _fell(one: Difference) -> bool:
    return one.difference > 0 if one.better == "lower" else one.difference < 0


def _turned(run: Run, earlier: Mapping[str, Mapping[str, Value]], anchors: Mapping[str, str]) -> Iterator[Turned]:
    """The cases that were right and are wrong now, those with most such metrics first."""
    found: dict[str, list[str]] = {}
    for score in run.scores:
        before = earlier.get(score.name, {})
        for record in run.records:
            if (
                record.id in before
                and _right(score, before[record.id])
                and _right(score, record.rows.get(score.name)) is False
            ):
                found.setdefault(record.id, []).append(score.name)
    for id, names in sorted(found.items(), key=lambda one: (-len(one[1]), one[0])):
        yield Turned(id=id, metrics=tuple(names), anchor=anchors.get(id))


def _right(score: Score, row: Value | None) -> bool | None:
    """Whether a case went right or wrong by this metric; None where it is neither, as half a score is."""
    if row is None or score.better == "neither":
        return None
    if isinstance(row, tuple):
        return row[0] == row[1] if score.statistic in ("macro_f1", "precision", "recall", "f1") else None
    return {1.0: score.better == "higher", 0.0: score.better == "lower"}.get(row)


# ---- numbers in words ----


def _score(value: float) -> str:
    """A score as tables show it: three decimals, fewer where it is large."""
    if value != value:
        return "–"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _signed(value: float) -> str:
    return "–" if value != value else ("±0" if abs(value) < 0.0005 else f"{value:+.3f}".replace("-", "−"))


def _place(value: float) -> str:
    """A share as a CSS length."""
    return f"{min(1.0, max(0.0, value)) * 100:.2f}%"


def _row(value: Any) -> str:
    """A case's row as one short text."""
    if isinstance(value, tuple | list):
        return ", ".join(_row(one) for one in value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)
