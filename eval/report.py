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
from typing import TYPE_CHECKING

from eval.drawing import Plot
from eval.metrics import HEADLINES, Value
from eval.plots import plots
from eval.record import Run, Score
from eval.shown import Shown, shown
from eval.worst import Finding, findings

if TYPE_CHECKING:
    from eval.compare import Comparison, Difference

TEMPLATES = Path(__file__).parent / "templates"
TOP = 10
DETAILED = 60
"""So many of the worst cases are shown in full; the others are rows of a table."""
TURNED = 40
CARDS = 8
BY_CONSTRUCTION = (
    "citations.recall.", "citations.precision.", "citations.f1.", "citations.coverage", "claims.faithfulness", "claims.hallucination",
    "claims.self_knowledge",
)  # fmt: skip
"""What a draft made of its sources' own words cannot miss: no news at the head of the report."""
PROMISES = {
    "citations.exactness": "every citation equals the stored words",
    "citations.validity": "every citation leads to a document that can be read",
}
GROUPS = {
    "retrieval": "Retrieval", "citations": "Citations", "claims": "Claims", "drafts": "Drafts", "abstention": "Abstention",
    "triage": "Triage", "escalation": "Escalation", "judge": "Judge",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Something that must hold on every case, and on how many of how many it did."""

    score: Score
    says: str
    ids: tuple[str, ...]
    """The cases on which it does not hold."""

    @property
    def kept(self) -> bool:
        """Whether it holds everywhere."""
        return self.score.value >= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many cases fail how badly, and how many drafts nobody can judge by an answer."""

    cases: int
    grave: int
    lesser: int
    labels: int
    """Cases with nothing but a wrong label, or a person not called."""
    drafts: int
    unjudged: int
    judged: int
    """Cases with a right answer to hold the reply against, silence among them."""


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
    promises: tuple[Promise, ...]
    cards: tuple[Card, ...]
    cases: tuple[Shown, ...]
    rest: tuple[Shown, ...]
    counts: Counts
    unknown: tuple[int, int]
    """How many labelled intents the taxonomy does not have, of how many."""
    blames: Mapping[str, int]
    """Part of the product -> how many cases have a fault of it."""
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

    @property
    def compared(self) -> bool:
        """Whether there is a recorded run to stand against."""
        return self.recorded or self.comparison is not None or bool(self.turned)


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
    made.filters |= {"score": _score, "signed": _signed, "place": _place}
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    page = _page(run, recorded, comparison, earlier)
    return made.get_template("report.html.j2").render(
        page=page, css=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")), js=Markup(script), js_hash=_hash(script),
        data=Markup(_data((*page.cases, *page.rest))), top=TOP,
    )  # fmt: skip


def _page(
    run: Run,
    recorded: Mapping[str, float] | None,
    comparison: Comparison | None,
    earlier: Mapping[str, Mapping[str, Value]] | None,
) -> Page:
    every = findings(run)
    slices, statistics = (
        tuple(dict.fromkeys(one.slice for one in run.slices)),
        {one.name: one.statistic for one in run.scores},
    )
    bad = tuple(
        shown(number, one, slices, statistics) for number, one in enumerate((one for one in every if one.faults), 1)
    )
    turned = tuple(_turned(run, earlier or {}, {one.finding.record.id: one.anchor for one in bad}))
    differences = comparison.differences if comparison else ()
    return Page(
        run=run, promises=tuple(_promises(run)), cards=tuple(_cards(run, every, recorded or {})), cases=bad[:DETAILED], rest=bad[DETAILED:],
        counts=_counts(every), unknown=_unknown(every), blames=_counted(blame for one in bad for blame in one.blames),
        kinds=_counted(kind for one in bad for kind in one.kinds), slices=_values(bad), plots=plots(run), groups=_groups(run),
        recorded=bool(recorded), comparison=comparison, worse=tuple(one for one in differences if one.verdict == "worse"),
        fell=tuple(one for one in differences if one.verdict == "same" and _fell(one)),
        turned=turned[:TURNED], more_turned=max(0, len(turned) - TURNED),
    )  # fmt: skip


# ---- the headline ----


def _promises(run: Run) -> Iterator[Promise]:
    """Every promise that the run measured, broken ones first."""
    for score in sorted((one for one in run.scores if one.invariant), key=lambda one: one.value >= 1):
        rows = ((record.id, record.rows.get(score.name)) for record in run.records)
        ids = tuple(id for id, row in rows if isinstance(row, float | int) and row < 1)
        yield Promise(score=score, says=PROMISES.get(score.name, score.name), ids=ids)


def _cards(run: Run, every: Sequence[Finding], recorded: Mapping[str, float]) -> Iterator[Card]:
    """The telling scores first; none that could not be otherwise, or that labels unknown to the copilot pull down."""
    dull = BY_CONSTRUCTION if _extractive(every) else ()
    mute = "triage.intent." if _unknown(every)[0] else "\0"
    scores = {
        one.name: one
        for one in run.scores
        if not one.invariant and one.value == one.value and not one.name.startswith((*dull, mute))
    }
    names = (*(name for name in HEADLINES if name in scores), *(name for name in scores if name not in HEADLINES))
    for name in names[:CARDS]:
        yield Card(title=HEADLINES.get(name, name), score=scores[name], recorded=recorded.get(name))


def _extractive(every: Sequence[Finding]) -> bool:
    """Whether every draft is made of its sources' own words."""
    drafts = [one.suggestion.draft for one in every if one.suggestion.draft]
    return bool(drafts) and all(draft.generator == "extractive" for draft in drafts)


def _unknown(every: Sequence[Finding]) -> tuple[int, int]:
    return sum(one.unknown_intent for one in every), sum(one.case.intent is not None for one in every)


def _counts(every: Sequence[Finding]) -> Counts:
    bad = [one for one in every if one.faults]
    of_reply = [one for one in bad if any(fault.blame != "triage" for fault in one.faults)]
    drafts = [one for one in every if one.suggestion.draft]
    return Counts(
        cases=len(every), grave=sum(one.grave for one in bad), lesser=sum(not one.grave for one in of_reply),
        labels=len(bad) - len(of_reply), drafts=len(drafts), unjudged=sum(not one.judged for one in drafts),
        judged=sum(one.judged for one in every),
    )  # fmt: skip


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
