"""What plain BM25 finds of a workspace's solved tickets: the yardstick that stands beside the product's own ranking in the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from copilot.adapters.tantivy import TantivyIndex
from copilot.build import Parts
from copilot.domain import Principal
from copilot.ports import LexicalEntry, LexicalIndex, Shelf
from copilot.query import search_text
from copilot.retrieve import visible_to
from copilot.store.cases import Cases
from copilot.store.frames import Frame, Mask, View
from copilot.store.values import now
from eval.cases import Case
from eval.desk import QUERY_CHARS, RANKED

EVERYONE = visible_to(Principal(id="evaluation", workspace="", roles=frozenset({"agent"})))
SECOND = timedelta(seconds=1)
SHELF = Shelf("yardstick", "ticket", "public")


def before_own(parts: Parts, workspace: str, cases: Sequence[Case]) -> list[Case]:
    """The cases; one that is a solved ticket here, known from the very moment that the case is asked at, is asked a second earlier.

    A table that does not tell when its tickets were solved has them known from when they were written: each would find its own answer.
    """
    if not cases:
        return []
    frame = parts.frames.at(workspace)
    return [replace(case, created=_before_own(frame, case)) for case in cases]


def _before_own(frame: Frame, case: Case) -> datetime | None:
    own = [at for at in frame.find((case.id,)).tolist() if frame.heads.kind[at] == "ticket"]
    known_then = case.created and own and frame.known[own[0]] == case.created.timestamp()
    return case.created - SECOND if case.created and known_then else case.created


def timely(parts: Parts, workspace: str, cases: Sequence[Case]) -> list[Case]:
    """The cases without the gold tickets that were not solved when the case was asked; those that have no other gold go with them."""
    if not any(case.gold_tickets for case in cases):
        return list(cases)
    frame = parts.frames.at(workspace)
    kept = (replace(case, gold_tickets=_solved(frame, workspace, case) or None) for case in cases)
    return [case for case, was in zip(kept, cases, strict=True) if case.answers or not was.answers]


def by_words(parts: Parts, workspace: str, cases: Sequence[Case]) -> dict[str, tuple[str, ...]]:
    """Case id -> the ids of the best solved tickets of those known then, for the cases that name a ticket like theirs.

    BM25 with k1 1.2 and b .75 over subject, problem and resolution as one text, stemmed, a repeated word counting as often.
    """
    asked = [case for case in cases if case.gold_tickets]
    if not asked:
        return {}
    solved = [one for one in Cases(parts.database).tickets(workspace) if one.resolution]
    entries = [LexicalEntry(one.id, "", "", f"{one.question}\n\n{one.resolution}") for one in solved]
    with TemporaryDirectory() as folder:
        index = TantivyIndex(Path(folder))
        index.upsert(SHELF, entries)
        found = {case.id: _best(index, parts.frames.at(workspace), workspace, case, len(entries)) for case in asked}
        index.close()
    return found


def _solved(frame: Frame, workspace: str, case: Case) -> tuple[str, ...]:
    seen = _seen(frame, workspace, case)
    return tuple(frame.heads[at].id for at in frame.find(case.gold_tickets or ()).tolist() if seen[at])


def _best(index: LexicalIndex, frame: Frame, workspace: str, case: Case, most: int) -> tuple[str, ...]:
    text = search_text(case.conversation)[:QUERY_CHARS]
    found = {id: round(score, 6) for id, score in index.search(SHELF, text, most)}
    seen = _seen(frame, workspace, case)
    known = [frame.heads[at].id for at in frame.find(sorted(found)).tolist() if seen[at]]
    return tuple(sorted(known, key=lambda id: (-found[id], id))[:RANKED])


def _seen(frame: Frame, workspace: str, case: Case) -> Mask:
    view = View(workspace=workspace, audiences=EVERYONE, as_of=case.created or now(), before=case.created)
    return frame.visible(view, ("ticket",))
