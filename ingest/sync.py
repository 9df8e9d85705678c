"""One sync of a source: take what is new or changed, then retire what is gone, unless that is suspiciously much."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from filelock import FileLock, Timeout

from copilot.build import Parts
from copilot.errors import Cancelled, Conflict, CopilotError, MassDeletion
from copilot.ports import Broken, Change, Connector, Expected, Gone, Kept, Mark, Raw, Whole
from copilot.store.jobs import Job
from copilot.store.sources import Sources, Upstream
from ingest.brake import objection
from ingest.connect import connector_of
from ingest.load import PIPELINE
from ingest.pipeline import Indexer, Run
from ingest.places import inner, sheltered
from ingest.progress import Progress, reporter
from ingest.summary import Problem, Summary, total

TOLD = 20
"""So many problems of its last sync stand in a source's row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a sync is to be done."""

    dry_run: bool = False
    full: bool = False
    allow_mass_delete: bool = False


@dataclass(slots=True)
class Stream:
    """A connector's changes on their way into the index, and what they said so far."""

    changes: Iterator[Change]
    known: Container[str]
    progress: Progress
    seen: dict[str, str] = field(
        default_factory=dict
    )  # origin -> fingerprint, empty where the source says only that it is as it was
    gone: set[str] = field(default_factory=set)
    whole: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    expected: int = 0
    cursor: str | None = None
    done: int = 0
    ended: bool = False
    cancelled: bool = False

    def documents(self) -> Iterator[Raw | Broken]:
        """The documents up to the next mark, or to the end; a page that is repeated gives nothing twice."""
        for change in self.changes:
            match change:
                case Raw():
                    if self.seen.get(change.origin) != change.fingerprint:
                        self._take(change)
                        yield change
                case Broken():
                    self.broken.append(change.origin)
                    yield change
                case Mark():
                    self.cursor = change.cursor
                    return
                case Expected():
                    self.expected = max(self.expected, change.total)
                case Kept() | Gone() | Whole():
                    self._note(change)
                    if not self._goes_on(change):
                        return
        self.ended = True

    def passed(self) -> None:
        """One more is done with. Raises Cancelled where the sync is to stop."""
        self.done += 1
        self.progress(self.done, self.expected if self.expected >= self.done else 0)

    def _goes_on(self, change: Kept | Gone | Whole) -> bool:
        """Whether to go on; what came before a stop is still to be committed, so nothing is raised in its midst."""
        try:
            if not isinstance(change, Whole):
                self.passed()
        except Cancelled:
            self.cancelled = True
        return not self.cancelled

    def _take(self, raw: Raw) -> None:
        self.seen[raw.origin] = raw.fingerprint
        self.gone.discard(raw.origin)

    def _note(self, change: Kept | Gone | Whole) -> None:
        match change:
            case Kept():
                self.seen.setdefault(change.origin, "")
                self.gone.discard(change.origin)
            case Gone():
                if change.origin in self.known or change.origin in self.seen:
                    self.gone.add(change.origin)
                self.seen.pop(change.origin, None)
            case Whole():
                self.whole.append(change.prefix)

    @property
    def owes(self) -> bool:
        """Whether documents are to be retired at the end: until then the next sync must hear of them again."""
        return bool(self.gone or self.whole)

    def lost(self, origin: str) -> bool:
        """Whether the source does not have this any more."""
        return origin in self.gone or (origin not in self.seen and origin.startswith(tuple(self.whole)))


class Syncer:
    """Syncs sources, one at a time each, across processes."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._indexer, self._sources = parts, Indexer(parts), Sources(parts.database)

    def sync(
        self, upstream: Upstream, wish: Wish = Wish(), progress: Progress = lambda done, all: None,
        connector: Connector | None = None,
    ) -> Summary:  # fmt: skip
        """Bring the documents of a source up to date, beginning where the last sync came to.

        Raises SourceFailed where the source breaks off (what came before that is taken, and the next sync goes on from there), MassDeletion
        where more would be retired than may be without being told to, Conflict while another sync of it runs, Cancelled where `progress` does.
        """
        with self._alone(upstream), self._told(upstream, wish) as summary:
            connector = connector or connector_of(upstream, self._parts.settings)
            self._run(upstream, connector, wish, summary, progress)
        return summary

    def remove(self, workspace: str, id: str) -> int:
        """Remove a source and retire its documents; how many those were. Raises NotFound, Conflict while it is synced."""
        upstream = self._sources.get(workspace, id)
        with self._alone(upstream):
            known = self._parts.ledger.known(workspace, upstream.root)
            if known:
                self._indexer.retire(workspace, [one.id for one in known.values()])
            self._sources.remove(workspace, id)
        return len(known)

    def _run(self, upstream: Upstream, connector: Connector, wish: Wish, summary: Summary, progress: Progress) -> None:
        basis = self._basis(upstream)
        run = self._indexer.begin(upstream.workspace, upstream.root, summary, dry_run=wish.dry_run)
        since = None if wish.full else self._since(upstream, basis)
        stream = Stream(connector.changes(since), run.known, progress)
        try:
            self._take(upstream, run, stream, basis)
            summary.unchanged += sum(1 for origin, said in stream.seen.items() if not said and origin in run.known)
            keys, ids = self._lost(run, stream)
            for id in ids:
                summary.name("retired", id, self._parts.ledger.head(upstream.workspace, id).audiences)
            self._brake(run, ids, wish)
        except CopilotError:
            self._indexer.let_go(run, ())  # what came before stays
            raise
        if upstream.connector == "files":  # what came by hand from the same files goes: each is one document
            folder = Path(upstream.address).resolve()
            keys += inner(self._parts.database, run, folder, folder, stream.broken).taken
        self._indexer.let_go(run, keys)
        self._indexer.tidy(run)
        if stream.cursor is not None and not wish.dry_run:
            self._sources.reached(upstream, stream.cursor, basis)

    def _take(self, upstream: Upstream, run: Run, stream: Stream, basis: str) -> None:
        """All that the source gives, up to each mark in turn; a mark is passed once nothing before it is owed."""
        while not stream.ended:
            self._indexer.take(run, stream.documents(), lambda done: stream.passed())
            if stream.cancelled:
                raise Cancelled("It was told to stop: what was read before that is there.")
            owed = stream.owes or run.dropped & run.known.keys()
            if stream.cursor is not None and not (run.dry_run or owed):
                self._sources.reached(upstream, stream.cursor, basis)

    def _since(self, upstream: Upstream, basis: str) -> str | None:
        """Where the last sync came to, unless documents would be read differently now."""
        progress = self._sources.progress(upstream.workspace, upstream.id)
        return progress.cursor if progress.basis == basis else None

    def _basis(self, upstream: Upstream) -> str:
        settings, embedder = self._parts.settings, self._parts.embedder.fingerprint
        made = [PIPELINE, self._parts.redactor.fingerprint, embedder, settings.chunk_tokens, settings.window, upstream.connector, upstream.address,
                upstream.audience, sorted(upstream.options.items())]  # fmt: skip
        return hashlib.sha256(json.dumps(made).encode()).hexdigest()

    def _lost(self, run: Run, stream: Stream) -> tuple[list[int], list[str]]:
        """Keys and ids of what is to be retired. One that moved within the source has its id elsewhere, and stays."""
        holds = sheltered(stream.broken)
        lost = [
            one
            for origin, one in sorted(self._parts.ledger.known(run.workspace, run.root).items())
            if (stream.lost(origin) or origin in run.dropped)
            and run.kept.get(one.id, origin) == origin
            and not holds(origin)
        ]
        return [one.key for one in lost], [one.id for one in lost]

    def _brake(self, run: Run, lost: list[str], wish: Wish) -> None:
        said = objection(lost, len(run.known), self._parts.settings.mass_delete_share)
        if said is None or wish.allow_mass_delete:
            return
        if not wish.dry_run:
            raise MassDeletion(said)
        run.summary.problems.append(Problem(run.root, said))

    @contextmanager
    def _alone(self, upstream: Upstream) -> Iterator[None]:
        folder = self._parts.settings.home / "syncs"
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(f"{upstream.workspace}/{upstream.id}".encode()).hexdigest()[:16]
        lock = FileLock(folder / f"{name}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise Conflict(f"The source {upstream.id!r} is being synced. Wait until that is done.") from None
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _told(self, upstream: Upstream, wish: Wish) -> Iterator[Summary]:
        """A summary whose counts, or whose error, stand in the source's row at the end; a dry run leaves no trace."""
        summary, started = Summary(), perf_counter()
        if not wish.dry_run:
            self._sources.started(upstream)
        error: str | None = None
        try:
            yield summary
        except Exception as failed:
            error = str(failed) if isinstance(failed, CopilotError) else f"internal error ({type(failed).__name__})"
            raise
        finally:
            summary.seconds = round(perf_counter() - started, 3)
            if not wish.dry_run:
                counts = {
                    name: count for name, count in asdict(summary).items() if name not in ("problems", "notes", "ids")
                }
                problems = [asdict(one) for one in summary.problems[:TOLD]]
                self._sources.finished(upstream, {**counts, "problems": problems, "error": error})


def sync_job(parts: Parts, job: Job, progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Handler of `sync` jobs."""
    return sync_payload(parts, job.workspace, job.payload, reporter(progress))


def sync_payload(parts: Parts, workspace: str, payload: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Sync the payload's `source`, or every source of the workspace, as `dry_run`, `full` and `allow_mass_delete` say."""
    sources, id = Sources(parts.database), payload.get("source")
    wish = Wish(**{name: bool(payload.get(name)) for name in ("dry_run", "full", "allow_mass_delete")})
    chosen = sources.list(workspace) if id is None else [sources.get(workspace, id)]
    return asdict(sync_all(parts, chosen, wish, progress))


def sync_all(parts: Parts, chosen: list[Upstream], wish: Wish, progress: Progress) -> Summary:
    """Sync several sources: one that fails is reported and the others go on; one alone raises its error."""
    syncer, made = Syncer(parts), []
    for upstream in chosen:
        try:
            made.append(syncer.sync(upstream, wish, progress))
        except Cancelled:
            raise
        except CopilotError as error:
            if len(chosen) == 1:
                raise
            failed = Summary()
            failed.fail(upstream.root, str(error))
            made.append(failed)
    return total(made)


def remove_job(parts: Parts, job: Job, progress: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Handler of `remove-source` jobs."""
    return {"retired": Syncer(parts).remove(job.workspace, job.payload["source"])}
