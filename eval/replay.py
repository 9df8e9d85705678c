"""A workspace's own solved tickets as cases: each asked again with only what existed before it, its draft held against the true reply.

It reads any index, so that a new one can be judged on real work before it goes live.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from copilot.build import Parts
from copilot.domain import Conversation, Document, Message, Principal
from copilot.errors import InputError
from copilot.retrieve import visible_to
from copilot.settings import Settings
from copilot.store.frames import View
from copilot.store.values import now
from eval.bm25 import before_own
from eval.cases import Case
from eval.desk import ProcessDesk, Step, ask_all, opened
from eval.record import Run
from eval.run import asked_of, scored
from eval.suite import CaseFile, Suite

GATES = ("retrieval.article.hit@5", "retrieval.article.hit@1", "drafts.token_f1", "citations.recall.lexical")
PAGE = 500


def replay(
    settings: Settings,
    since: datetime,
    step: Step,
    *,
    index: Path | None = None,
    limit: int | None = None,
    seed: int = 7,
) -> Run:
    """The solved tickets since then, replayed as a run. Raises InputError where there is none, IndexesOwned where a server has the index."""
    settings = settings.model_copy(update={"home": index, "database": None} if index else {})
    suite = _suite(settings, since, seed)
    with opened(settings) as parts:
        taught = _taught_until(parts)
        all = before_own(parts, settings.workspace, list(solved(parts, settings.workspace, since)))
        cases = _drawn(
            [case for case in all if taught is None or (case.created and case.created > taught)], limit, seed
        )
        if not cases:
            known = (
                f"; the embedding model in force was taught by those until {taught:%Y-%m-%d}" if taught and all else ""
            )
            raise InputError(
                f"The workspace {settings.workspace!r} has no ticket solved since {since:%Y-%m-%d} that can be asked again{known}. "
                "Give another --since."
            )
        asked = asked_of(parts, settings, lambda: ask_all(ProcessDesk(parts, settings.workspace), cases, step))
    return scored(suite, asked, {}, "process", step)


def _taught_until(parts: Parts) -> datetime | None:
    """The last moment that the embedding model in force knows, where tickets taught it: no earlier one can be asked as if it were new."""
    mine = (one.trained_until for _, one in parts.trained.embedders() if one.fits == parts.embedder.fingerprint)
    return next(mine, None)


def solved(parts: Parts, workspace: str, since: datetime) -> Iterator[Case]:
    """Each solved ticket that an agent may see as a case: the customer's problem, the reply that solved it, the articles that were sent."""
    agent = Principal(id="replay", workspace=workspace, roles=frozenset({"agent"}))
    view = View(workspace=workspace, audiences=visible_to(agent), as_of=now(), before=None, language=None)
    links = parts.library.links(workspace)
    for document in _tickets(parts, view):
        if document.created_at and document.resolved_at and document.resolved_at >= since:
            yield _case(parts, workspace, document, links)


def _tickets(parts: Parts, view: View) -> Iterator[Document]:
    after: str | None = None
    while page := parts.library.documents(view, kind="ticket", after=after, limit=PAGE):
        yield from (document for document, _ in page)
        after = page[-1][0].id


def _case(parts: Parts, workspace: str, document: Document, links: Mapping[str, tuple[str, ...]]) -> Case:
    stored = parts.library.text(workspace, document.id)
    problem, reply = stored.text[: stored.answer_start].strip(), stored.text[stored.answer_start :].strip()
    conversation = Conversation(
        subject=document.title, channel="form", messages=(Message(text=problem or document.title),)
    )
    return Case(
        id=document.id, conversation=conversation, created=document.created_at, gold_docs=links.get(document.id) or None,
        answerable=True, reference_reply=reply, slices={"topic": document.topics[0]} if document.topics else {},
    )  # fmt: skip


def _drawn(cases: list[Case], limit: int | None, seed: int) -> list[Case]:
    """All cases, or so many at random, oldest first."""
    kept = random.Random(seed).sample(cases, limit) if limit is not None and limit < len(cases) else cases
    return sorted(kept, key=lambda case: (case.created, case.id))


def _suite(settings: Settings, since: datetime, seed: int) -> Suite:
    return Suite(
        name="replay", about="Solved tickets of the workspace, asked again.", workspace=settings.workspace, corpus=(str(settings.home),),
        cases=(CaseFile(path="solved tickets"),), metrics=("retrieval", "citations", "drafts", "claims", "abstention", "speed"), gates=GATES,
        slices=("topic",), split=f"tickets of {settings.workspace} solved since {since:%Y-%m-%d}", seed=seed,
    )  # fmt: skip
