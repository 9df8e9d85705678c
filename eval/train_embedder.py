"""`copilot train embedder`: the embedding model, taught by the workspace's own cases; judged on the newest of them before it makes anybody's vectors.

Each question is a lesson with the resolution that solved it, and with each article that its reply sent; beside each stands the best wrong
text that the model in force finds. The taught model fills a shadow of the whole index, answers the newest fifth of the cases through the
whole of retrieval beside the model in force, each case with only what was known before its reply, and takes over where it wins. Else the
shadow and the weights are destroyed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from copilot.adapters import tuning
from copilot.adapters.onnx import graphs, sha256
from copilot.adapters.tuning import Example, Recipe
from copilot.build import Parts, judged, model_of, successor, weights_of, with_model
from copilot.domain import Kind, Principal
from copilot.errors import InputError, NotFound
from copilot.ports import Vectors
from copilot.retrieve import Query, Retriever
from copilot.store.cases import Case, Cases
from copilot.store.makers import Makers, Model
from copilot.store.trained import Figures, Lesson, Trained
from eval.train import HELD_OUT, Check, Training, check, keep
from ingest.reembed import fill, reembed
from ingest.split import embedded

Progress = Callable[[int, int], None]

RECIPE = Recipe()
MOST_LESSONS = 3000
FEWEST_CASES = 50
MOST_ASKED = 400
WITHIN = 10
LEAST_GAIN = 0.01
"""A mean reciprocal rank that gains less is not worth making every vector anew."""
QUESTION_CHARS = 4000
SHORTEST = 20
"""A resolution of fewer characters ("Thanks, solved") answers nothing."""
NEAR_MISS = 0.95
"""A wrong text must be farther from the question than this share of the right one's cosine: nearer ones are often right and only not sent."""


def train_embedder(
    parts: Parts, workspace: str, progress: Progress = lambda done, all: None, until: datetime | None = None, *, shared: bool = False
) -> Training:  # fmt: skip
    """Teach the embedding model, and make it the index's where it wins. Raises InputError, NotFound, ConfigurationError.

    `until` leaves out what was known later; `shared` lets the model serve the home's other workspaces too, where it serves none of them worse.
    """
    tuning.require()
    served = _served(parts, workspace, until, shared)
    cases = known_cases(parts, workspace, until)
    early, late = split(cases)
    if len([case for case in cases if case.sent]) < FEWEST_CASES:
        raise InputError(
            f"{FEWEST_CASES} dated cases whose replies sent an article are the least to judge an embedding model by; there are "
            f"{len([case for case in cases if case.sent])}. Ingest more solved tickets with their threads."
        )
    examples = Teacher(parts, workspace).examples(early)
    model = _taught(parts, examples, progress)
    try:
        return _judged(parts, workspace, model, early, {workspace: late, **served}, examples, progress)
    except Exception:
        Makers(parts.database).abandon()
        raise
    finally:
        sweep(parts)


def undo(parts: Parts, workspace: str, progress: Progress = lambda done, all: None) -> int | None:
    """Give the index back to the model before the one in force, by embedding everything again; the number of that one, None for what is
    shipped or set. Raises NotFound."""  # fmt: skip
    one = next((one for one in parts.trained.all(workspace, "embedder") if one.in_force), None)
    if one is None and go_back(parts, progress):
        return None
    if one is None:
        raise NotFound("No embedding model that this workspace taught is in force. See `copilot train list`.")
    _go_to(parts, _before(parts, one), progress)
    number = parts.trained.embedder_undone(workspace, one.number)
    sweep(parts)
    return number


def go_back(parts: Parts, progress: Progress = lambda done, all: None) -> bool:
    """Where something that taught the model in force was deleted: give the index back to the model before it; whether that was so."""
    mine = [one for _, one in parts.trained.embedders() if one.fits == parts.embedder.fingerprint]
    fallen = bool(mine) and not any(one.state == "active" for one in mine)
    if fallen:
        _go_to(parts, _before(parts, mine[0]), progress)
    sweep(parts)
    return fallen


def sweep(parts: Parts) -> None:
    """Destroy the weights that are neither in force nor listed as active, with the graphs made from them."""
    wanted = {str(one.figures.get("model")) for _, one in parts.trained.embedders() if one.state == "active"}
    wanted.add(parts.settings.embedder)
    folder = parts.settings.embedders()
    for path in folder.iterdir() if folder.exists() else ():
        if f"trained:{path.name}" not in wanted:
            shutil.rmtree(path, ignore_errors=True)
            for graph in graphs(path.name, parts.settings.models):
                graph.unlink(missing_ok=True)


# ---- who is asked ----


def known_cases(parts: Parts, workspace: str, until: datetime | None) -> list[Case]:
    """The dated cases, oldest first: an undated one might know what the held-out ones are asked."""
    articles = {one.id for one in Cases(parts.database).articles(workspace)}
    found = []
    for case in Cases(parts.database).tickets(workspace):
        sent = tuple(id for id in case.sent if id in articles)
        if case.known and (until is None or case.known <= until) and (sent or len(case.resolution) >= SHORTEST):
            found.append(replace(case, sent=sent))
    return sorted(found, key=lambda case: (case.known, case.id))


def split(cases: Sequence[Case]) -> tuple[list[Case], list[Case]]:
    """What teaches, and what judges: the newest fifth of the cases that sent an article, and all that was known before the first of them."""
    sent = [case for case in cases if case.sent]
    late = sent[len(sent) - max(1, round(HELD_OUT * len(sent))) :] if sent else []
    return [case for case in cases if not late or _known(case) < _known(late[0])], late[-MOST_ASKED:]


def _served(parts: Parts, workspace: str, until: datetime | None, shared: bool) -> dict[str, list[Case]]:
    """The cases that judge the model for the other workspaces of the home: an index has one model for all of them."""
    others = [name for name in Makers(parts.database).workspaces() if name != workspace]
    if others and not shared:
        raise InputError(
            f"{others[0]!r} has its vectors from the same model, and nothing that one workspace learned may bear on another. Train in a "
            "COPILOT_HOME of its own; or say --shared, where all workspaces here are one company's."
        )
    return {name: split(known_cases(parts, name, until))[1] for name in others}


def _known(case: Case) -> datetime:
    assert case.known is not None
    return case.known


# ---- what teaches ----


@dataclass(frozen=True, slots=True)
class Shelf:
    """Texts that may answer, with where each is from and its vector."""

    texts: Sequence[str]
    sources: Sequence[str]
    vectors: Vectors

    def lesson(self, question: str, asked: Vectors, source: str, answers: tuple[str, ...]) -> Example | None:
        """The source's nearest text, beside the nearest that is not right; None where the source has no text here."""
        near = np.round(self.vectors.astype(np.float64) @ asked.astype(np.float64), 6)
        names = np.array(self.sources)
        mine = np.flatnonzero(names == source)
        if not len(mine):
            return None
        right = int(mine[near[mine].argmax()])
        misses = np.flatnonzero(~np.isin(names, answers) & (near < NEAR_MISS * near[right]))
        if not len(misses):
            return Example(question=question, right=self.texts[right], source=source, answers=answers)
        wrong = int(misses[near[misses].argmax()])
        return Example(
            question=question, right=self.texts[right], source=source, answers=answers, wrong=self.texts[wrong], wrong_source=names[wrong]
        )  # fmt: skip


class Teacher:
    """Makes lessons of cases, by what the model in force finds near them."""

    def __init__(self, parts: Parts, workspace: str) -> None:
        self._parts, self._workspace = parts, workspace

    def examples(self, cases: Sequence[Case]) -> list[Example]:
        """The newest lessons, as many as a training may take; the same cases give the same lessons."""
        newest = list(self._newest(cases))
        articles, solved = self._articles(), self._solved([case for case in cases if case.resolution])
        found = []
        for case, sources in newest:
            question = case.question[:QUESTION_CHARS]
            asked = self._parts.embedder.embed([question], "query")[0]
            answers = (_ticket(case), *case.sent)
            for source in sources:
                shelf = solved if source == _ticket(case) else articles
                found.append(shelf.lesson(question, asked, source, answers))
        return [one for one in found if one is not None]

    def _newest(self, cases: Sequence[Case]) -> Iterator[tuple[Case, tuple[str, ...]]]:
        """Each case with its sources, newest first, up to the most lessons."""
        left = MOST_LESSONS
        for case in reversed(cases):
            sources = (*((_ticket(case),) if len(case.resolution) >= SHORTEST else ()), *case.sent)[:left]
            left -= len(sources)
            if sources:
                yield case, sources

    def _articles(self) -> Shelf:
        """The passages of articles, as the model reads them."""
        parts, frame = self._parts, self._parts.frames.at(self._workspace)
        texts, sources, rows = [], [], []
        taught = {one.id: one.text for one in Cases(parts.database).articles(self._workspace)}
        for at in frame.find(sorted(taught)).tolist():
            head = frame.heads[at]
            for row in range(int(frame.first[at]), int(frame.first[at + 1])):
                span = frame.span(row)
                words = taught[head.id][span.start : span.end]
                count, window = parts.embedder.count_tokens, parts.settings.window
                texts.append(embedded(head.title, span.headings, words, count=count, window=window))
                sources.append(head.id)
                rows.append(row)
        return Shelf(texts, sources, frame.vectors[rows])

    def _solved(self, cases: Sequence[Case]) -> Shelf:
        texts = [case.resolution for case in cases]
        return Shelf(texts, [_ticket(case) for case in cases], self._parts.embedder.embed(texts, "document"))


def _ticket(case: Case) -> str:
    """A ticket's name among the sources, which no article's id can be."""
    return f"ticket/{case.key}"


# ---- the model ----


def _taught(parts: Parts, examples: Sequence[Example], progress: Progress) -> Model:
    """The model that these lessons make of the one that the home began with, in its folder."""
    folder = parts.settings.embedders()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    base = with_model(parts.settings, base_of(parts))
    with tempfile.TemporaryDirectory(dir=folder, prefix="new-") as made:
        target = Path(made) / "model"
        tuning.taught(weights_of(base), examples, target, RECIPE, parts.settings, progress)
        name = sha256(target / "model.safetensors")[:16]
        if not (folder / name).exists():
            os.replace(target, folder / name)
    return Model(f"trained:{name}", parts.settings.engine, parts.settings.window)


def base_of(parts: Parts) -> Model:
    """What each training begins with: the model in force, or the one that it was taught from: lessons are never piled on lessons."""
    mine = (one for _, one in parts.trained.embedders() if one.fits == parts.embedder.fingerprint)
    one = next(mine, None)
    return _model(one.figures, "base") if one else model_of(parts.settings)


def _before(parts: Parts, one: Trained) -> Model:
    """The model that was in force before this one; where its weights are gone, the one that both were taught from."""
    former = _model(one.figures, "former")
    there = Path(with_model(parts.settings, former).embedder_path())
    return former if not former.embedder.startswith("trained:") or there.exists() else _model(one.figures, "base")


def _model(figures: Figures, name: str) -> Model:
    engine = str(figures[f"{name}.engine"])
    assert engine in ("onnx", "onnx-int8", "torch")
    return Model(str(figures[f"{name}.embedder"]), engine, int(figures[f"{name}.window"]))  # type: ignore[arg-type]


def _go_to(parts: Parts, model: Model, progress: Progress) -> None:
    reembed(parts, successor(parts, with_model(parts.settings, model)), progress, _wished(parts))


def _wished(parts: Parts) -> str:
    """What the operator's settings said when the index began: nobody is reminded of it because a training won."""
    maker = Makers(parts.database).in_force()
    return maker.wished if maker else str(model_of(parts.settings))


# ---- the verdict ----


def _judged(
    parts: Parts, workspace: str, model: Model, early: Sequence[Case], asked: Mapping[str, Sequence[Case]], examples: Sequence[Example],
    progress: Progress,
) -> Training:  # fmt: skip
    """The model beside the one in force; it takes over where it wins."""
    makers, other = Makers(parts.database), successor(parts, with_model(parts.settings, model))
    if other.embedder.fingerprint == parts.embedder.fingerprint:
        raise InputError("These cases make the model that is in force already: nothing is new since it was taught.")
    makers.begin(other.embedder.fingerprint, model, _wished(parts))
    fill(parts, other, progress)
    checks = [one for name, cases in asked.items() for one in _checks(parts, other, name, cases, own=name == workspace)]
    why = verdict(checks)
    lesson = _lesson(parts, workspace, other, model, early, examples)
    made = keep(parts.trained, workspace, lesson, checks, switch=not why, why=why or "it wins on what was held out")
    if why:
        makers.abandon()
        return made
    reembed(parts, other, progress, _wished(parts))
    parts.trained.embedder_switched(workspace)
    return made


def _lesson(
    parts: Parts, workspace: str, other: Parts, model: Model, early: Sequence[Case], examples: Sequence[Example]
) -> Lesson:
    """What is kept of a training: no weights, but how to load them, where the index was before, and all that taught it."""
    figures: dict[str, float | int | str | bool] = {"lessons": len(examples), "model": model.embedder}
    for name, was in (("base", base_of(parts)), ("former", model_of(parts.settings))):
        figures |= {f"{name}.{key}": value for key, value in asdict(was).items()}
    return Lesson(
        kind="embedder", payload=b"", figures=figures, fits=other.embedder.fingerprint, trained_until=max(map(_known, early), default=None),
        basis=_basis(parts, workspace, early, examples),
    )  # fmt: skip


def _basis(parts: Parts, workspace: str, cases: Sequence[Case], examples: Sequence[Example]) -> frozenset[str]:
    """The cases, and the articles that they were sent or that stood in a lesson as what does not answer."""
    named = {id for case in cases for id in case.sent} | {one.wrong_source for one in examples}
    articles = (one.key for one in Cases(parts.database).articles(workspace) if one.id in named)
    return frozenset(f"document/{key}" for key in (*(case.key for case in cases), *articles))


def verdict(checks: Sequence[Check]) -> str:
    """Why it is not switched; empty where it is: the own cases must gain enough, nothing else may lose."""
    lost = [one for one in checks if (not _gains(one) if one.name == "cases" else one.worse)]
    return "; ".join(one.words for one in lost)


def _gains(own: Check) -> bool:
    return own.no_worse and own.difference >= LEAST_GAIN


def _checks(parts: Parts, other: Parts, workspace: str, cases: Sequence[Case], *, own: bool) -> Iterator[Check]:
    """The mean reciprocal rank of the right article, and of a ticket that was answered with the same one."""
    named = "cases" if own else f"cases of {workspace}"
    before, after = (_ranks(judged(one), one, workspace, cases) for one in (parts, other))
    for kind, name in (("article", named), ("ticket", f"similar tickets{'' if own else f' of {workspace}'}")):
        if before[kind]:
            yield check(name, before[kind], after[kind])


def _ranks(retriever: Retriever, parts: Parts, workspace: str, cases: Sequence[Case]) -> dict[str, dict[str, float]]:
    """By kind and case 1 / the place of the first right document, 0 past the first ten; each asked with what was known before its reply."""
    who = Principal(id="training", workspace=workspace, roles=frozenset({"agent"}))
    past, found = (
        Cases(parts.database).tickets(workspace),
        {"article": dict[str, float](), "ticket": dict[str, float]()},
    )
    limits: dict[Kind, int] = {"article": WITHIN, "ticket": WITHIN}
    for case in cases:
        at = _known(case) - timedelta(seconds=1)
        alike = {
            one.id
            for one in past
            if one.resolution and one.known and one.known <= at and set(one.sent) & set(case.sent)
        }
        text = case.question[:QUESTION_CHARS]
        ranked = retriever.kinds(who, Query(text=text, before=at), parts.embedder.embed([text], "query")[0], limits)
        for kind, right in (("article", set(case.sent)), ("ticket", alike)):
            if right:
                found[kind][case.id] = _reciprocal([hit.document_id for hit in ranked.hits[kind]], right)  # type: ignore[index]
    return found


def _reciprocal(ids: Sequence[str], right: set[str]) -> float:
    return next((1 / place for place, id in enumerate(ids, 1) if id in right), 0.0)
