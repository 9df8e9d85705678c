"""Brings the index to the state of its sources: read, split, embed what is new, switch revisions, let go of what is gone."""

from __future__ import annotations

import hashlib
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

import numpy as np

from copilot.build import Parts
from copilot.crash import point
from copilot.disk import storage_failure
from copilot.domain import Chunk, Source
from copilot.errors import (
    Cancelled,
    CopilotError,
    InputError,
    MassDeletion,
    NotFound,
    NotKnowledge,
    Refused,
    SourceFailed,
)
from copilot.memory import give_back
from copilot.ports import Broken, Raw
from copilot.redact import OURS
from copilot.store.arrivals import Place
from copilot.store.contents import by_shelf, is_case
from copilot.store.customers import Customers
from copilot.store.jobs import Job
from copilot.store.ledger import Known
from copilot.store.quarantine import Quarantine
from copilot.store.uploads import drop, is_upload
from copilot.store.values import digest
from ingest.ahead import ahead
from ingest.brake import NOTHING, objection, one_by_one
from ingest.embed import Embedded, Ready, embedded, in_batches
from ingest.load import Reading, expected, scan
from ingest.owners import Owners
from ingest.places import Inner, home, inner, noted, part, sheltered
from ingest.progress import Progress, reporter
from ingest.quarantine import Parser, Ward
from ingest.repair import put_in_step, renew_worn
from ingest.split import split, split_ticket
from ingest.summary import Problem, Summary

log = logging.getLogger(__name__)

MOST_REFUSED = 10
"""So many refusals are the source's trouble: it is asked for all of them again the next time."""


@dataclass(slots=True)
class Run:
    """One ingest of one root: what was known of it, and which documents are still there."""

    workspace: str
    root: str
    known: dict[str, Known]
    summary: Summary
    allowed: frozenset[str] | None = None
    dry_run: bool = False
    kept: dict[str, str] = field(default_factory=dict)  # document id -> origin
    dropped: set[str] = field(default_factory=set)  # origins of what turned out to be no knowledge
    fallen: set[int] = field(default_factory=set)  # keys of what went with an article that it rested on
    refused: int = 0  # documents that the source would not give, but for those that it does not have any more
    cancelled: bool = False

    def parse(self, raw: Raw, ward: Ward) -> Source | None:
        """The document, or None with the reason counted. A file that cannot be read keeps what was known of it."""
        try:
            made = ward.parse(raw.parse) if raw.apart else raw.parse()
            source = made if isinstance(made, Source) else ward.parse(made)
        except NotKnowledge:
            self.summary.skipped += 1
            self.dropped.add(raw.origin)
            return None
        except SourceFailed as error:
            if not isinstance(error, Refused):
                raise
            self.refused += not error.missing
            if self.refused >= MOST_REFUSED:
                raise SourceFailed(f"{MOST_REFUSED} documents were refused; the last one: {error}") from error
            return self.failed(raw.origin, str(error))
        except CopilotError as error:
            return self.failed(raw.origin, str(error))
        except Exception as error:
            log.exception("the parser broke on %s", raw.origin)
            return self.failed(raw.origin, f"its parser broke ({type(error).__name__}); the log has the details")
        if self.kept.get(source.document.id, raw.origin) != raw.origin:
            same = f"{self.kept[source.document.id]} has the same id: {source.document.id}"
            return self.failed(raw.origin, f"{same}; give one of them an id of its own (doc_id), or rename it")
        self.kept[source.document.id] = raw.origin
        if source.note:
            self.summary.notes.append(Problem(raw.origin, source.note))
        return source

    def gone(self, broken: Iterable[str]) -> list[int]:
        """Keys of known documents that are not there any more. What could not be opened (`broken`) may hold them still: it loses none."""
        holds = sheltered(broken)
        return [known.key for origin, known in self.known.items() if known.id not in self.kept and not holds(origin)]

    def failed(self, origin: str, reason: str) -> Source | None:
        """Count the failure; the document that was known there stays."""
        self.summary.fail(origin, reason)
        if origin in self.known:
            self.kept.setdefault(self.known[origin].id, origin)
        return None


class Indexer:
    """Writes to the ledger and both indexes, one change at a time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._settings, self._ledger, self._embedder = parts.settings, parts.ledger, parts.embedder
        self._vectors, self._lexical = parts.vectors, parts.lexical
        self._customers, self._quarantine = Customers(parts.database), Quarantine(parts.database)
        self._parser, self._owners = Parser(parts.settings), Owners(parts.database, parts.settings)
        self._writing, self._mapper, self._redactor = parts.writing, parts.mapper, parts.redactor

    def ingest(
        self,
        workspace: str,
        path: Path,
        reading: Reading,
        *,
        dry_run: bool = False,
        allow_mass_delete: bool = False,
        progress: Progress = lambda done, all: None,
    ) -> Summary:
        """Bring the documents of a folder or file up to date. A broken file is reported and never stops the rest.

        What lies in a folder that was ingested before is brought up to date as a part of it. A path that was deleted retires what came from it,
        where as much may be retired as is gone. Raises InputError where there is nothing at a path, IndexMismatch where another embedder made the
        index, MassDeletion where more of a folder would be retired than may be without being told to, Cancelled where `progress` does.
        """
        started, summary, path = perf_counter(), Summary(), path.resolve()
        there, uploaded = path.exists(), is_upload(self._settings, path)
        if not (there or allow_mass_delete):
            raise InputError(NOTHING.format(path=path))
        folder = path if uploaded else home(self._parts.database, workspace, path)
        # An upload waits in a folder of its own; the next one of that name is compared with it, and retires nothing of it.
        root = str(path.parent.parent / path.name if uploaded else folder)
        run = self.begin(workspace, root, summary, allowed=reading.allowed, dry_run=dry_run)
        only = "" if folder == path else path.relative_to(folder).as_posix()
        found = scan(folder, replace(reading, redactor=self._redactor), only) if folder.exists() else iter(())
        if folder != path:
            run.known, rest = part(folder, path, run.known)
            run.kept.update(rest)
        about = expected(path, reading) if there else 0
        broken: list[str] = []
        try:
            self.take(run, noted(found, broken), lambda done: progress(done, max(done, about)))
        except Cancelled:
            self.let_go(run, ())
            raise
        gone = [] if uploaded else run.gone(broken)
        others = Inner()
        if not uploaded:
            others = inner(self._parts.database, run, folder, path, broken)
            gone += others.gone
        if not (there or run.known or others.many):
            raise InputError(NOTHING.format(path=path))
        if path.is_dir() and not allow_mass_delete:
            self._brake(run, gone, others)
        self.let_go(run, [*gone, *others.taken])
        self.tidy(run)
        summary.seconds = round(perf_counter() - started, 3)
        return summary

    def _brake(self, run: Run, gone: Collection[int], others: Inner) -> None:
        """Raise MassDeletion where this is suspiciously much; what was taken stays, and a file that was renamed is no loss. A dry run tells it."""
        lost = set(gone)
        here = self._ledger.known(run.workspace, run.root).values()
        renamed = {known.fingerprint for known in here if known.key not in lost}
        had = [*run.known.values(), *others.gone.values()]
        ids = sorted(one.id for one in had if one.key in lost and one.fingerprint not in renamed)
        said = objection(ids, len(run.known) + others.many, self._settings.mass_delete_share)
        if said is None:
            return
        if not run.dry_run:
            self.let_go(run, ())
            raise MassDeletion(said)
        run.summary.problems.append(Problem(run.root, said))

    def begin(
        self,
        workspace: str,
        root: str,
        summary: Summary,
        *,
        allowed: frozenset[str] | None = None,
        dry_run: bool = False,
    ) -> Run:
        """A run over one root, whose counts go into `summary`. Raises InputError for a bad workspace, IndexMismatch."""
        if not dry_run:
            self._prepare(workspace)
        return Run(workspace, root, self._ledger.known(workspace, root), summary, allowed, dry_run)

    def take(
        self, run: Run, found: Iterable[Raw | Broken], progress: Callable[[int], None] = lambda done: None
    ) -> None:
        """Read what is new or changed of these and commit it; when this returns it can be found.

        One batch is read while another is embedded and a third is written; `progress` is called by the thread that reads. Raises Cancelled
        where `progress` does: then what was read until that moment is committed, each document whole.
        """
        awaited = Event()
        batches = in_batches(self._fresh(run, found, progress), awaited.is_set)
        with self._parser, ahead(batches, awaited=awaited) as batches:
            if run.dry_run:
                deque(batches, maxlen=0)
            else:
                with ahead(embedded(batches, self._ledger, self._embedder)) as ready:
                    for one in ready:
                        self._commit(run, one)
        if run.cancelled:
            raise Cancelled("It was told to stop: what was read before that is there.")

    def let_go(self, run: Run, keys: Collection[int]) -> None:
        """End a run: retire the documents that their source does not have any more, and let ranking learn from what changed."""
        run.summary.retired += len(keys)
        if not run.dry_run:
            self._retire(run.workspace, keys)
            if run.summary.added or run.summary.changed or keys:
                self._mapper.refit(run.workspace)

    def tidy(self, run: Run) -> None:
        """Give memory back, and room where an index has become mostly what was deleted; if that fails now, the next run tries again."""
        summary = run.summary
        if run.dry_run or not (summary.added or summary.changed or summary.retired):
            return
        try:
            renew_worn(self._parts)
        except Exception as error:
            said = storage_failure(error) or type(error).__name__
            log.warning("the vector index keeps the room of what was deleted until the next time: %s", said)
        give_back()

    def retire(self, workspace: str, document_ids: Collection[str]) -> None:
        """Delete documents; when this returns nothing finds, quotes or shows them. Raises NotFound for an unknown id, before any is gone."""
        keys = {id: self._ledger.key(workspace, id) for id in document_ids}
        if unknown := [id for id, key in keys.items() if key is None]:
            raise NotFound(f"There is no document {min(unknown)!r}.")
        learned = self._mapper.stored(workspace)
        self._retire(workspace, [key for key in keys.values() if key is not None])
        if learned and not self._mapper.stored(workspace):
            self._parts.jobs.add(workspace, "refit", {})

    def _retire(self, workspace: str, keys: Collection[int]) -> None:
        with self._writing:
            self._ledger.retire(workspace, keys)
            self._sweep_or_leave()

    def _sweep_or_leave(self) -> None:
        """Sweep; an index that fails is swept the next time, since nothing finds what the ledger does not have."""
        try:
            self._sweep()
        except Exception as error:
            said = storage_failure(error) or type(error).__name__
            log.warning("the indexes keep the ids of what was deleted until the next time: %s", said)

    def _prepare(self, workspace: str) -> None:
        """Make the workspace if it is new, and clear what a crash left half done."""
        with self._writing:
            self._ledger.open(workspace)
            self._ledger.recover()
            put_in_step(self._parts)
            self._sweep()

    def _fresh(self, run: Run, found: Iterable[Raw | Broken], progress: Callable[[int], None]) -> Iterator[Ready]:
        """What is new or changed, read and split; everything else is only counted."""
        for done, raw in enumerate(found, 1):
            ready = self._ready(run, raw)
            if ready is not None:
                yield ready
            try:
                progress(done)
            except Cancelled:
                run.cancelled = True
                return

    def _ready(self, run: Run, raw: Raw | Broken) -> Ready | None:
        if isinstance(raw, Broken):
            run.summary.fail(raw.origin, raw.reason)
            return None
        place = Place(workspace=run.workspace, root=run.root, origin=raw.origin, fingerprint=self._fingerprint(raw))
        before = run.known.get(raw.origin)
        if before is not None and before.fingerprint == place.fingerprint:
            run.summary.unchanged += 1
            run.kept[before.id] = raw.origin
            return None
        source = self._parsed(run, raw, place)
        if source is None:
            return None
        if self._customers.is_erased(run.workspace, source.customers):
            del run.kept[source.document.id]  # whatever is left of it goes too
            run.summary.skipped += 1
            return None
        existing = self._ledger.head(run.workspace, source.document.id)
        if run.allowed is not None and not {source.document.audience, *existing.audiences} <= run.allowed:
            run.summary.fail(raw.origin, f"{source.document.id} belongs to an audience that is not yours")
            return None
        if objection := self._owners.objection(run.workspace, run.root, raw.origin, existing):
            run.failed(raw.origin, f"{source.document.id}: {objection}")
            return None
        run.summary.take(source.document, existing)
        return Ready(place, source, self._split(source), existing.key)

    def _parsed(self, run: Run, raw: Raw, place: Place) -> Source | None:
        """The document, or None with the reason counted."""
        mine = (run.workspace, run.root, raw.origin, digest(f"{place.fingerprint}|{self._parser.bounds}"))
        return run.parse(raw, Ward(self._parser, self._quarantine, mine, remembers=not run.dry_run))

    def _fingerprint(self, raw: Raw) -> str:
        """Unchanged means: the same bytes, read, redacted and split the same way; what embedded them all is the workspace's own matter."""
        made = f"{raw.fingerprint}|{self._settings.chunk_tokens}|{self._settings.window}"
        made += "" if self._redactor == OURS else f"|{self._redactor.fingerprint}"
        return hashlib.sha256(made.encode()).hexdigest()

    def _split(self, source: Source) -> tuple[tuple[Chunk, bool], ...]:
        title, count = source.document.title, self._embedder.count_tokens
        target, window = self._settings.chunk_tokens, self._settings.window
        if is_case(source):
            problem, answer = split_ticket(
                source.text, title, source.answer_start, count=count, target=target, window=window
            )
            return (*((chunk, True) for chunk in problem), *((chunk, False) for chunk in answer))
        return tuple((chunk, True) for chunk in split(source.text, title, count=count, target=target, window=window))

    def _commit(self, run: Run, ready: Embedded) -> None:
        """Vectors and pending revisions first, then both indexes, then the switch: readers see the old until the new is whole."""
        with self._writing:
            # Those that were found too: a deletion may have let go of one since.
            self._ledger.keep_vectors(ready.vectors)
            point("embed.after")
            batch = [one for one in ready.batch if self._wanted(run, one)]
            staged = self._ledger.stage(run.workspace, batch)
            for shelf, some in by_shelf(zip(staged, (one.source for one in batch), strict=True)).items():
                rows = np.stack([ready.vectors[digest(chunk.embedded)] for chunk, _ in some])
                self._vectors.upsert(shelf, [words.id for _, words in some], rows)
                point("index.vectors")
                if shelf.side != "ranking":
                    self._lexical.upsert(shelf, [words for _, words in some])
                    point("index.lexical")
            run.fallen.update(self._ledger.switch(run.workspace, staged))
            self._sweep()
        run.summary.embedded += ready.fresh
        run.summary.chunks += sum(len(one.chunks) for one in batch)

    def _wanted(self, run: Run, ready: Ready) -> bool:
        """Not what somebody deleted since it was read: a deletion is not undone by an ingest that was already running. What this ingest
        itself let go of is no deletion."""
        if ready.replaces is None or ready.replaces in run.fallen:
            return True
        return self._ledger.key(run.workspace, ready.source.document.id) == ready.replaces

    def _sweep(self) -> None:
        """Let the indexes go of what the ledger has doomed."""
        for shelf, ids in self._ledger.doomed().items():
            self._vectors.delete(shelf, ids)
            point("sweep.vectors")
            self._lexical.delete(shelf, ids)
            point("sweep.lexical")
            self._ledger.gone(shelf, ids)
            point("sweep.after")


def ingest_job(parts: Parts, job: Job, progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Handler of `ingest` jobs: the same as the command, inside the process that owns the indexes."""
    reading = Reading(
        kind=job.payload.get("kind"), audience=job.payload.get("audience"), columns=job.payload.get("columns") or {},
        allowed=frozenset(job.payload["allowed"]) if job.payload.get("allowed") is not None else None,
        max_bytes=parts.settings.max_file_bytes,
    )  # fmt: skip
    indexer, report = Indexer(parts), reporter(progress)
    paths = [Path(path) for path in job.payload["paths"]]
    wish = {name: bool(job.payload.get(name)) for name in ("dry_run", "allow_mass_delete")}
    if any(is_upload(parts.settings, path) and not path.exists() for path in paths):
        raise InputError("The uploaded file is gone: it is deleted when its job ends. Upload it again.")
    try:
        made = one_by_one(lambda path: indexer.ingest(job.workspace, path, reading, **wish, progress=report), paths)
    except Cancelled:
        raise  # by somebody's wish, then the job thread drops what was uploaded; or the server ends, and its next start reads on
    except Exception:
        drop(parts.settings, paths)  # what failed is not worth keeping somebody's raw words for
        raise
    drop(parts.settings, paths)  # the database has all that is needed of them
    return asdict(made)
