"""What the report plots: retrieval, abstention, confidence, mistaken labels, speed and slices.

A plot whose data the run does not have is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, get_args

from eval.abstention import risk_coverage
from eval.cases import Mood
from eval.drawing import ACCENT, BAD, INK, LINE, MUTED, SECOND, SMALL, Plot, Sketch, drawn
from eval.metrics import HEADLINES
from eval.record import Run, Score, SliceScore
from eval.worst import unknown_intents, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 10
MOST_LABELS = 24
MOST_SLICES = 40
PANELS = 3


def plots(run: Run) -> tuple[Plot, ...]:
    """All plots that the run has data for."""
    parts = (_curves, _risk, _reliability, _latency, _confusion, _slices)
    return tuple(drawn(sketch) for part in parts for sketch in part(run))


# ---- retrieval ----


def _curves(run: Run) -> Iterator[Sketch]:
    for kind in ("article", "ticket"):
        lines = {name: _at_k(run, f"retrieval.{kind}.{name}@") for name in ("hit", "recall")}
        lines = {name: points for name, points in lines.items() if len(points) > 1}
        if lines:
            yield Sketch(
                f"retrieval-{kind}", f"Finding the right {kind}",
                f"How many results an agent must look at: a curve that starts high needs few. Bars are 95 % intervals over {_n(lines)} cases.",
                lambda page, lines=lines: _paint_curves(page.add_subplot(), lines),  # type: ignore[misc]
            )  # fmt: skip


def _at_k(run: Run, prefix: str) -> list[tuple[int, Score]]:
    """The scores of a metric by k, smallest first."""
    found = [(name[len(prefix) :], one) for one in run.scores if (name := one.name).startswith(prefix)]
    return sorted(
        ((int(k), one) for k, one in found if k.isdecimal() and _known(one.value)), key=lambda point: point[0]
    )


def _n(lines: Mapping[str, list[tuple[int, Score]]]) -> int:
    return max(one.n for points in lines.values() for _, one in points)


def _paint_curves(ax: Axes, lines: Mapping[str, list[tuple[int, Score]]]) -> None:
    looks = {"hit": (ACCENT, "o", "-", "hit@k: at least one"), "recall": (SECOND, "s", "--", "recall@k: share of all")}
    for name, points in lines.items():
        colour, marker, line, label = looks[name]
        shift = 0.06 if name == "recall" else -0.06
        places = [k + shift for k, _ in points]
        values = [one.value for _, one in points]
        ax.errorbar(places, values, yerr=_arms([one for _, one in points]), color=colour, ecolor=colour, elinewidth=1, label=label,
                    marker=marker, markersize=4, linestyle=line, linewidth=1.6, clip_on=False)  # fmt: skip
    ks = sorted({k for points in lines.values() for k, _ in points})
    ax.set_xticks(ks, [str(k) for k in ks])
    _share_axis(ax)
    ax.set_xlabel("results looked at (k)")
    ax.legend(loc="lower right")


def _arms(scores: Sequence[Score]) -> list[list[float]]:
    """Each interval as lengths below and above its value; an unknown end is as long as nothing."""
    below = [max(0.0, one.value - one.low) if _known(one.low) else 0.0 for one in scores]
    above = [max(0.0, one.high - one.value) if _known(one.high) else 0.0 for one in scores]
    return [below, above]


# ---- abstention ----


def _risk(run: Run) -> Iterator[Sketch]:
    rows = _pairs(run, "abstention.", "aurc")
    if len(rows) < 2:
        return
    answered = {record.id for record in run.records if record.suggestion.get("draft")}
    yield Sketch(
        "risk-coverage", "Answering less, erring less",
        f"Of the {len(rows)} cases whose right documents are labelled or which have no answer, the surest ones: wrong is a case without an "
        "answer, or with none of its right documents among the first five found, draft or not. Low on the left is good: then confidence can be "
        "trusted; the far left may start high, as it rests on a few cases. The ring is what this run drafted.",
        lambda page: _paint_risk(page.add_subplot(), rows, answered),
    )  # fmt: skip


def _paint_risk(ax: Axes, rows: Mapping[str, tuple[float, float]], answered: set[str]) -> None:
    points = risk_coverage(list(rows.values()))
    ax.plot(*zip(*points, strict=True), color=ACCENT, linewidth=1.6, drawstyle="steps-post", clip_on=False)
    kept = [rows[id][1] for id in sorted(answered & rows.keys())]
    if kept:
        here = (len(kept) / len(rows), sum(kept) / len(kept))
        label = f"this run: a draft for {len(kept)} of {len(rows)}, {round(sum(kept))} of them wrong"
        ax.plot(
            *here,
            marker="o",
            markersize=9,
            markerfacecolor="none",
            markeredgecolor=BAD,
            markeredgewidth=1.8,
            linestyle="none",
            label=label,
            clip_on=False,
        )
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.01), borderaxespad=0)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, min(1.0, 1.1 * max(0.2, *(risk for _, risk in points))))
    _percent(ax, "x")
    _percent(ax, "y")
    ax.grid(axis="y")
    ax.set_xlabel("cases answered")
    ax.set_ylabel("of these, wrong")


# ---- triage ----


def _reliability(run: Run) -> Iterator[Sketch]:
    for name, what in (("intent", "intent"), ("sentiment", "mood")):
        rows = list(_pairs(run, f"triage.{name}.", "ece15").values())
        if rows:
            yield Sketch(
                f"reliability-{name}", f"Is stated confidence true? ({what})",
                "Dots on the diagonal are honest; below it the copilot is too sure of itself. A dot's area shows how many cases it stands for."
                + (_caveat(run) if name == "intent" else ""),
                lambda page, rows=rows: _paint_reliability(page.add_subplot(), rows),  # type: ignore[misc]
            )  # fmt: skip


def _caveat(run: Run) -> str:
    """What makes the intents look worse than they are, if anything does."""
    unknown = unknown_intents(run)
    truths = [truth for record in run.records if (truth := record.case.get("intent")) is not None]
    missed = sum(truth in unknown for truth in truths)
    says = f" {missed} of the {len(truths)} labels are none that this copilot has: it cannot but miss them."
    return says if missed else ""


def _paint_reliability(ax: Axes, rows: Sequence[tuple[float, float]]) -> None:
    bins: dict[int, list[tuple[float, float]]] = {}
    for confidence, right in rows:
        bins.setdefault(min(int(confidence * BINS), BINS - 1), []).append((confidence, right))
    points = [(_mean(c for c, _ in some), _mean(r for _, r in some), len(some)) for _, some in sorted(bins.items())]
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":")
    for stated, right, _ in points:
        ax.plot([stated, stated], [stated, right], color=BAD, linewidth=1, alpha=0.7)
    sizes = [12 + 500 * n / len(rows) for *_, n in points]
    ax.scatter(
        [p[0] for p in points],
        [p[1] for p in points],
        s=sizes,
        color=ACCENT,
        alpha=0.85,
        linewidths=0,
        zorder=3,
        clip_on=False,
    )
    ax.set_xlim(0, 1)
    _share_axis(ax)
    _percent(ax, "x")
    ax.set_xlabel("stated confidence")
    ax.set_ylabel("right")


def _confusion(run: Run) -> Iterator[Sketch]:
    for name, what in (("intent", "intents"), ("sentiment", "moods")):
        pairs = _label_pairs(run, f"triage.{name}.")
        if pairs:
            shown = _shown_labels(pairs)
            side = 1.9 + 0.29 * len(shown)
            yield Sketch(
                f"confusion-{name}", f"Which {what} are taken for which",
                "Rows are the truth, columns what the copilot said; the strongest cell off the diagonal is the mistake to look at first."
                + (_caveat(run) if name == "intent" else ""),
                lambda page, pairs=pairs, shown=shown: _paint_confusion(page.add_subplot(), pairs, shown),  # type: ignore[misc]
                (max(SMALL[0], side + 0.5), max(SMALL[1], side)),
            )  # fmt: skip


def _shown_labels(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Moods by their scale, other labels most frequent first; the rarest share the last row where there are too many."""
    counted = Counter(label for pair in pairs for label in pair)
    moods = get_args(Mood)
    if counted.keys() <= set(moods):
        return [mood for mood in moods if mood in counted]
    ordered = sorted(counted, key=lambda label: (-sum(true == label for _, true in pairs), label))
    return ordered if len(ordered) <= MOST_LABELS else [*ordered[: MOST_LABELS - 1], "(all others)"]


def _paint_confusion(ax: Axes, pairs: Sequence[tuple[str, str]], shown: Sequence[str]) -> None:
    place = {label: number for number, label in enumerate(shown)}
    last = len(shown) - 1
    cells = Counter((place.get(true, last), place.get(predicted, last)) for predicted, true in pairs)
    totals = Counter(place.get(true, last) for _, true in pairs)
    for (row, column), n in sorted(cells.items()):
        _paint_cell(ax, row, column, n, n / totals[row])
    names = [_short(words(label)) for label in shown]
    ax.set_xticks(range(len(shown)), names, rotation=90)
    ax.set_yticks(range(len(shown)), [f"{name}  {totals[number]:>3}" for number, name in enumerate(names)])
    ax.set_ylabel("truth, with how many")
    ax.set_xlabel("said")
    ax.xaxis.set_label_position("top")
    ax.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False)
    ax.set_xlim(-0.5, last + 0.5)
    ax.set_ylim(last + 0.5, -0.5)
    ax.set_aspect("equal")
    ax.spines[:].set_visible(False)
    for edge in range(len(shown) + 1):
        ax.axhline(edge - 0.5, color=LINE, linewidth=0.5)
        ax.axvline(edge - 0.5, color=LINE, linewidth=0.5)


def _paint_cell(ax: Axes, row: int, column: int, n: int, share: float) -> None:
    from matplotlib.patches import Rectangle

    colour = ACCENT if row == column else BAD
    ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, alpha=0.08 + 0.42 * share, linewidth=0))
    ax.text(column, row, str(n), ha="center", va="center", fontsize=8)


# ---- speed ----


def _latency(run: Run) -> Iterator[Sketch]:
    totals = [one for one in (run.times.totals_ms if run.times else ()) if _known(one)]
    if len(totals) > 1:
        yield Sketch(
            "latency", "How long a suggestion takes",
            "The bulk should stand well to the left of p95; what is slower than twice that is named, not drawn.",
            lambda page: _paint_latency(page.add_subplot(), totals),
        )  # fmt: skip


def _paint_latency(ax: Axes, totals: Sequence[float]) -> None:
    import numpy as np
    from matplotlib.ticker import MaxNLocator

    end = 2 * float(np.percentile(totals, 95))
    drawn_ms = [one for one in totals if one <= end]
    ax.hist(drawn_ms, bins=min(30, max(8, len(totals) // 5)), color=ACCENT, alpha=0.75, rwidth=0.92)
    for p, style in ((50, "-"), (95, "--"), (99, ":")):
        value = float(np.percentile(totals, p))
        ax.axvline(value, color=INK, linewidth=1.1, linestyle=style, label=f"p{p}: {value:.0f} ms")
    if beyond := len(totals) - len(drawn_ms):
        ax.plot([], [], linestyle="none", label=f"{beyond} more, up to {max(totals):.0f} ms")
    ax.legend(loc="upper right")
    ax.set_xlim(0, end or 1)
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.grid(axis="y")
    ax.set_xlabel("milliseconds")
    ax.set_ylabel("suggestions")


# ---- slices ----


def _slices(run: Run) -> Iterator[Sketch]:
    """One plot over the slices, a panel for each of a few metrics."""
    known = [one for one in run.slices if _known(one.score)]
    names = _panel_names(run, known)
    places = list(dict.fromkeys((one.slice, one.value) for one in known if one.name in names))[:MOST_SLICES]
    if len(places) > 1:
        yield Sketch(
            "slices", "Who is served worse",
            "A slice whose whole interval lies off the dotted line (all cases) likely fares differently; one in twenty does so by luck.",
            lambda page: _paint_panels(page, run, known, names, places),
            (2.1 + 1.9 * len(names), 0.9 + 0.25 * (len(places) + len({slice for slice, _ in places}))),
        )  # fmt: skip


def _panel_names(run: Run, slices: Sequence[SliceScore]) -> list[str]:
    """The metrics to show by slice: one of each group first, in the order of the scores."""
    sliced = {one.name for one in slices}
    scores = [one.name for one in run.scores if one.name in sliced and not one.invariant]
    firsts = {name.split(".")[0]: name for name in reversed(scores)}
    return sorted(scores, key=lambda name: (name not in firsts.values(), scores.index(name)))[:PANELS]


def _paint_panels(
    page: Figure, run: Run, known: Sequence[SliceScore], names: Sequence[str], places: Sequence[tuple[str, str]]
) -> None:
    panels = page.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for ax, name in zip(panels, names, strict=True):
        _paint_slices(ax, run.score(name), {(one.slice, one.value): one for one in known if one.name == name}, places)


def _paint_slices(
    ax: Axes, whole: Score | None, slices: Mapping[tuple[str, str], SliceScore], places: Sequence[tuple[str, str]]
) -> None:
    from matplotlib.ticker import MaxNLocator

    ticks: list[tuple[float, str]] = []
    y, before = 0.0, ""
    for place in places:
        y += 1.8 if place[0] != before and before else 1
        before = place[0]
        ticks.append((y, _short(f"{words(place[0])}: {words(place[1])}", 30)))
        ax.axhline(y, color=LINE, linewidth=0.5)
        if one := slices.get(place):
            ax.plot([one.low, one.high], [y, y], color=ACCENT, linewidth=1.4)
            ax.plot(one.score, y, marker="o", markersize=4.5, color=ACCENT, linestyle="none")
    if whole is not None:
        ax.axvline(whole.value, color=MUTED, linewidth=1, linestyle=":")
        ax.set_title(fill(HEADLINES.get(whole.name, whole.name), 24))
    ax.set_yticks([at for at, _ in ticks], [text for _, text in ticks])
    ax.set_ylim(y + 0.8, 0.2)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(4))


# ---- the rows ----


def _pairs(run: Run, prefix: str, statistic: str) -> dict[str, tuple[float, float]]:
    """The rows of pairs that the group's metric with this statistic keeps, by case."""
    name = _named(run, prefix, statistic)
    rows = {record.id: record.rows.get(name) for record in run.records}
    return {id: (float(row[0]), float(row[1])) for id, row in rows.items() if isinstance(row, tuple) and len(row) == 2}


def _label_pairs(run: Run, prefix: str) -> list[tuple[str, str]]:
    name = _named(run, prefix, "macro_f1")
    rows = [record.rows.get(name) for record in run.records]
    return [(str(row[0]), str(row[1])) for row in rows if isinstance(row, tuple) and len(row) == 2]


def _named(run: Run, prefix: str, statistic: str) -> str:
    return next((one.name for one in run.scores if one.name.startswith(prefix) and one.statistic == statistic), "")


def _known(value: float) -> bool:
    return value == value and abs(value) != float("inf")


def _mean(values: Iterator[float]) -> float:
    some = list(values)
    return sum(some) / len(some)


def _short(text: str, most: int = 22) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


# ---- drawing ----


def _share_axis(ax: Axes) -> None:
    ax.set_ylim(0, 1)
    _percent(ax, "y")
    ax.grid(axis="y")


def _percent(ax: Axes, which: str) -> None:
    from matplotlib.ticker import PercentFormatter

    (ax.xaxis if which == "x" else ax.yaxis).set_major_formatter(PercentFormatter(1, decimals=0))
