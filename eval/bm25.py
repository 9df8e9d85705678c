"""What BM25 alone finds of a workspace's solved tickets: the yardstick that stands beside the product's own ranking in the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from copilot.build import Parts
from copilot.domain import Principal
from copilot.ports import Shelf
from copilot.query import search_text
from copilot.retrieve import visible_to
from copilot.store.frames import Frame, Mask, View
from copilot.store.ledger import now
from eval.cases import Case
from eval.desk import QUERY_CHARS, RANKED

EVERYONE = visible_to(Principal(id="evaluation", workspace="", roles=frozenset({"agent"})))


def timely(parts: Parts, workspace: str, cases: Sequence[Case]) -> list[Case]:
    """The cases without the gold tickets that were not solved when the case was asked; those that have no other gold go with them."""
    if not any(case.gold_tickets for case in cases):
        return list(cases)
    frame = parts.frames.at(workspace)
    kept = (replace(case, gold_tickets=_solved(frame, workspace, case) or None) for case in cases)
    return [case for case, was in zip(kept, cases, strict=True) if case.answers or not was.answers]


def by_words(parts: Parts, workspace: str, cases: Sequence[Case]) -> dict[str, tuple[str, ...]]:
    """Case id -> the ids of the best solved tickets by BM25 of problem and resolution (k1 1.2, b .75, stemmed), of what was known then.

    Asked of those cases that name a ticket like theirs.
    """
    frame = parts.frames.at(workspace) if any(case.gold_tickets for case in cases) else None
    return {case.id: _best(parts, frame, workspace, case) for case in cases if case.gold_tickets and frame is not None}


def _solved(frame: Frame, workspace: str, case: Case) -> tuple[str, ...]:
    wanted = case.gold_tickets or ()
    seen = _seen(frame, workspace, case)
    return tuple(frame.heads[at].id for at in frame.find(wanted).tolist() if seen[at])


def _best(parts: Parts, frame: Frame, workspace: str, case: Case) -> tuple[str, ...]:
    text, seen = search_text(case.conversation)[:QUERY_CHARS], _seen(frame, workspace, case)
    said: dict[str, float] = {}
    for shelf in (Shelf(workspace, "ticket", "public"), Shelf(workspace, "ticket", "internal")):
        for id, score in parts.lexical.search(shelf, text, len(frame.ids)):
            at = frame.owner[frame.place[id]] if id in frame.place else None
            if at is not None and seen[at]:
                said[frame.heads[at].id] = max(said.get(frame.heads[at].id, 0.0), round(score, 6))
    return tuple(sorted(said, key=lambda id: (-said[id], id))[:RANKED])


def _seen(frame: Frame, workspace: str, case: Case) -> Mask:
    view = View(workspace=workspace, audiences=EVERYONE, as_of=case.created or now(), before=case.created)
    return frame.visible(view, ("ticket",))
