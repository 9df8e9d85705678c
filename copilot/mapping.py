"""Which learned map turns a query: fitted on the workspace's own solved cases, never on one that the query must not know."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import floor, log
from threading import Lock

import numpy as np

from copilot.domain import INTERNAL, PUBLIC
from copilot.linear_map import Lesson, apply, fit
from copilot.ports import Vectors
from copilot.store.active import EVER, Places
from copilot.store.frames import Frame, Frames, View
from copilot.store.maps import LearnedMap, Maps

FEWEST = 50
MOST_CASES = 2000
MOST_ARTICLES = 1000
HELD_OUT = 0.2
CHANGED = 0.1
"""A map is fitted anew when what it is learned from has changed by this share."""
KEPT = 8
TRIES = 3
STAFF = frozenset({PUBLIC, INTERNAL})
"""A map bears on everybody's results, so only what every agent may see teaches it."""


@dataclass(frozen=True, slots=True)
class Case:
    """A question that an agent answered with articles (their places among the lesson's), and when."""

    document: int
    at: float
    sent: tuple[int, ...]


class Mapper:
    """Finds or fits the map that a view may use."""

    def __init__(self, frames: Frames, maps: Maps) -> None:
        self._frames, self._maps = frames, maps
        self._fitted: OrderedDict[tuple[str, str, int], LearnedMap] = OrderedDict()
        self._lock = Lock()

    def at(self, frame: Frame, view: View) -> Vectors | None:
        """The stored map; where that knows more than the view may, one fitted on what was known by then."""
        stored = frame.learned
        if stored is not None and (view.before is None or _until(stored) <= view.before.timestamp()):
            return stored.matrix
        return None if view.before is None else self._then(frame, view.workspace, view.before.timestamp())

    def stored(self, workspace: str) -> bool:
        """Whether the workspace has a map, or the finding that none helps."""
        return self._maps.there(workspace)

    def refit(self, workspace: str) -> bool:
        """Fit and store the workspace's map where it has none or what teaches it has changed by a tenth; whether that was so."""
        for _ in range(TRIES):
            frame = self._frames.at(workspace)
            cases, articles = _known(frame, EVER)
            if len(cases) < FEWEST or not _outdated(frame, cases, articles):
                return False
            if self._maps.keep(workspace, frame.revision, _learn(frame, cases, articles)):
                return True
        return False

    def _then(self, frame: Frame, workspace: str, until: float) -> Vectors | None:
        """A map from the first cases in time, as many as there are steps of a tenth: few fits serve many moments."""
        cases, articles = _known(frame, until)
        if len(cases) < FEWEST:
            return None
        count = floor(FEWEST * (1 + CHANGED) ** floor(log(len(cases) / FEWEST, 1 + CHANGED) + 1e-9))
        key = (workspace, frame.revision, count)
        with self._lock:
            if key not in self._fitted:
                self._fitted[key] = _learn(frame, cases[:count], articles)
            self._fitted.move_to_end(key)
            while len(self._fitted) > KEPT:
                self._fitted.popitem(last=False)
            return self._fitted[key].matrix


def _known(frame: Frame, until: float) -> tuple[list[Case], Places]:
    """The cases answered by then, oldest first, and the articles there were."""
    open = frame.open_to(STAFF)
    articles = frame.articles[open[frame.articles] & (frame.known[frame.articles] <= until)]
    place = {frame.heads.id[at]: n for n, at in enumerate(articles.tolist())}
    cases = []
    for at in frame.asked[open[frame.asked]].tolist():
        sent = [link for link in frame.heads.links[at] if link.at <= until and link.target in place]
        if sent:
            cases.append(Case(at, max(link.at for link in sent), tuple(place[link.target] for link in sent)))
    return sorted(cases, key=lambda case: (case.at, frame.heads[case.document].id)), articles


def _outdated(frame: Frame, cases: Sequence[Case], articles: Places) -> bool:
    """Whether a tenth of what teaches has changed, or of the articles alone: many cases would hide that these have become others."""
    if frame.learned is None:
        return True
    then, now = frame.learned.basis, _basis(frame, cases, articles)
    tickets = set(frame.heads.key[frame.heads.kind == "ticket"].tolist())
    before, after = (
        {version for version in some if int(version.partition(".")[0]) not in tickets} for some in (then, now)
    )
    return len(now ^ then) >= CHANGED * len(now) or len(after ^ before) >= CHANGED * len(after)


def _basis(frame: Frame, cases: Sequence[Case], articles: Places) -> frozenset[str]:
    return frozenset(frame.heads[at].version for at in (*(case.document for case in cases), *articles.tolist()))


def _learn(frame: Frame, cases: Sequence[Case], articles: Places) -> LearnedMap:
    """The map, if it ranks the last fifth of the cases no worse than none does after learning from the rest; else the finding."""
    recent = cases[-MOST_CASES:]
    early = recent[: -max(1, round(HELD_OUT * len(recent)))]
    late = _lesson(frame, recent[len(early) :], articles)
    tried = fit(_lesson(frame, early, articles))
    helps = _success(late, apply(late.questions, tried)) >= _success(late, late.questions)
    matrix = fit(_lesson(frame, recent, articles)) if helps else None
    last = max(case.at for case in cases)
    until = None if last == EVER else datetime.fromtimestamp(last, UTC)
    return LearnedMap(matrix=matrix, trained_until=until, basis=_basis(frame, cases, articles))


def _lesson(frame: Frame, cases: Sequence[Case], articles: Places) -> Lesson:
    """The cases as vectors, over the articles that were sent and as many others as there is room for."""
    sent = sorted({place for case in cases for place in case.sent})
    others = sorted(set(range(len(articles))) - set(sent))[: max(0, MOST_ARTICLES - len(sent))]
    column = {place: n for n, place in enumerate(sorted((*sent, *others)))}
    answers = np.zeros((len(cases), len(column)), dtype=np.float32)
    for row, case in enumerate(cases):
        for place in case.sent:
            answers[row, column[place]] = 1 / len(case.sent)
    questions = frame.means(np.array([case.document for case in cases], dtype=np.int64))
    return Lesson(questions, frame.means(articles[list(column)]), answers)


def _success(lesson: Lesson, questions: Vectors) -> float:
    """Mean reciprocal rank of the best answer among the articles."""
    scores = questions @ lesson.articles.T
    best = np.where(lesson.answers > 0, scores, -np.inf).max(axis=1, keepdims=True)
    return float((1 / (scores >= best).sum(axis=1)).mean())


def _until(learned: LearnedMap) -> float:
    return EVER if learned.trained_until is None else learned.trained_until.timestamp()
