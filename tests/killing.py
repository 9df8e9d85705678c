"""Kills a process at a named point, then looks at what it left: run as a program, since each death needs a process of its own.

Reads a list of trials as JSON from stdin and writes one verdict a line. It forks, so that every trial starts warm; the embedder is a hash,
since what is tried is the ledger.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import RLock, Timer
from time import monotonic
from typing import Any, cast

import numpy as np
from sqlalchemy import select

from copilot import crash
from copilot.adapters import chroma
from copilot.build import Parts, empty_indexes, indexes, redactor_of
from copilot.errors import IndexBroken
from copilot.mapping import Mapper
from copilot.ports import Raw, Shelf, Vectors
from copilot.settings import Settings
from copilot.store import schema as t
from copilot.store.accounts import Accounts
from copilot.store.contents import Contents
from copilot.store.database import Database
from copilot.store.frames import Frames, View
from copilot.store.gaps import Gaps
from copilot.store.jobs import Jobs
from copilot.store.ledger import Ledger
from copilot.store.library import Library
from copilot.store.makers import Makers
from copilot.store.maps import Maps
from copilot.store.records import Records
from copilot.store.values import now
from ingest import embed, pipeline, reembed
from ingest.backup import backup, check, restore
from ingest.compact import compact
from ingest.erase import erase
from ingest.load import Reading, scan
from ingest.repair import repair
from ingest.verify import verify

DIMENSIONS = 16
DOCUMENTS = 5
CUSTOMER = "c-7"


@dataclass(frozen=True)
class Trial:
    """What to do and at which visit of which point to die; `seconds` kills at a moment instead. `first` is done, and dies, before it."""

    name: str
    act: str
    point: str | None = None
    visit: int = 1
    seconds: float | None = None
    first: str | None = None


@dataclass(frozen=True)
class Hashed:
    """Unit vectors from a hash: the same text has the same vector, and nothing has to be loaded."""

    fingerprint: str = "hashed"
    dimensions: int = DIMENSIONS

    def embed(self, texts: Sequence[str], kind: str) -> Vectors:
        rows = [
            np.random.default_rng(list(hashlib.sha256(text.encode()).digest())).normal(size=self.dimensions)
            for text in texts
        ]
        made = np.asarray(rows, dtype=np.float32).reshape(len(texts), self.dimensions)
        return cast("Vectors", made / np.linalg.norm(made, axis=1, keepdims=True))

    def probed(self, text: str, probe: Callable[[Vectors], Vectors]) -> tuple[Vectors, Vectors]:
        vectors = self.embed([text], "query")
        return vectors[0], probe(vectors)

    def count_tokens(self, text: str) -> int:
        return len(text.split())


OTHER = Hashed("hashed otherwise", DIMENSIONS + 8)


def open_parts(home: Path) -> Parts:
    """The parts that keep the ledger, with the embedder that made its vectors; nothing that suggests."""
    settings = Settings(home=home)
    database = Database(settings.database_url())
    try:
        vectors, lexical = indexes(settings)
        vectors.shelves()  # opens when it is first asked
    except IndexBroken:
        empty_indexes(settings)
        vectors, lexical = indexes(settings)
    made = Parts(
        settings=settings, database=database, ledger=cast("Any", None), library=Library(database),
        records=Records(database), jobs=Jobs(database), accounts=Accounts(database), embedder=cast("Any", None),
        vectors=vectors, lexical=lexical, retriever=cast("Any", None), mapper=cast("Any", None),
        trained=cast("Any", None), learned=cast("Any", None),
        copilot=cast("Any", None), summariser=cast("Any", None), asker=cast("Any", None), gaps=Gaps(database),
        inbox=cast("Any", None), frames=cast("Any", None), redactor=redactor_of(settings), writing=RLock(),
    )  # fmt: skip
    return with_embedder(made, Hashed() if Makers(database).made_all("hashed") else OTHER)


def with_embedder(parts: Parts, embedder: Hashed) -> Parts:
    """The same parts with another embedder in them."""
    database, name = parts.database, embedder.fingerprint
    frames = Frames(database, name, parts.settings.memory_chunks)
    mapper = Mapper(frames, Maps(database, name))
    return replace(parts, embedder=cast("Any", embedder), ledger=Ledger(database, name), frames=frames, mapper=mapper)


def text(document: int, version: int) -> str:
    """A document's words in a version; its one word `vNdM` is found by the lexical index."""
    more = "".join(f"\n\n## Part {at}\n\nMore words of part {at}, v{version}d{document}p{at}.\n" for at in range(3))
    return f"# Matter {document}\n\nThe answer is v{version}d{document} here.\n{more}"


def write(folder: Path, version: int) -> None:
    """The source in a version; version 2 lacks the last document and has a new one."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.md"):
        file.unlink()
    for at in range(DOCUMENTS) if version == 1 else (*range(DOCUMENTS - 1), DOCUMENTS):
        (folder / f"d{at}.md").write_text(text(at, version))
    row = {"ticket_id": "t-1", "created": "2025-01-01T00:00:00Z", "status": "solved", "customer": CUSTOMER}
    words = {"message": "My thing is broken beyond words", "solution": "Turn the wheel to the left until it clicks."}
    (folder / "tickets.jsonl").write_text(json.dumps({**row, **words}) + "\n")


def act(name: str, parts: Parts, place: Path) -> None:
    """Do what the trial is about."""
    indexer = pipeline.Indexer(parts)
    if name == "ingest":
        write(place / "docs", 2)
        indexer.ingest("default", place / "docs", Reading())
    elif name == "delete":
        indexer.retire("default", ["d0", "d1"])
    elif name == "compact":
        compact(parts)
    elif name == "repair":
        parts.vectors.delete(parts.vectors.shelves()[0], sorted(parts.vectors.ids(parts.vectors.shelves()[0])))
        repair(parts)
    elif name == "backup":
        backup(parts.settings, place / "kept")
    elif name == "erase":
        erase(parts, "default", CUSTOMER)
    elif name == "reembed":
        reembed.reembed(parts, with_embedder(parts, OTHER))
    elif name == "restore":
        parts.close()
        restore(parts.settings, place / "before", replace=True)
        with closing(open_parts(parts.settings.home)) as opened:
            repair(opened)


def fork(work: Callable[[], None]) -> int:
    """Run in a child; its wait status."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitpid(child, 0)[1]


def dying(name: str, place: Path, point: str | None, visit: int, seconds: float | None) -> Callable[[], None]:
    """The act, until it dies; `done` is written when the call has returned, with how long it took."""

    def work() -> None:
        visits = Counter[str]()

        def hook(at: str) -> None:
            visits[at] += 1
            if at == point and visits[at] == visit:
                os.kill(os.getpid(), signal.SIGKILL)

        parts = open_parts(place / "home")
        crash.install(hook)
        if seconds is not None:
            Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL)).start()
        started = monotonic()
        act(name, parts, place)
        (place / f"done.{name}").write_text(str(monotonic() - started))

    return work


def faults(place: Path, trial: Trial) -> list[str]:
    """What is wrong with what the dead process left, before and after repair, and after doing it again."""
    found: list[str] = []
    if (place / "kept").exists() and (place / "kept" / "manifest.json").exists():
        check(place / "kept")
    with closing(open_parts(place / "home")) as parts:
        dirty = verify(parts).problems
        if dirty:
            repair(parts)
        found += verify(parts).problems
        found += documents(parts, trial, (place / f"done.{trial.act}").exists())
        if trial.act == "reembed" and (place / "done.reembed").exists() and parts.embedder != OTHER:
            found.append("the change of the model was acknowledged and is not in force")
        if trial.act not in ("backup", "restore", "delete", "erase"):
            act(trial.act, parts, place)
            found += verify(parts).problems
            found += documents(parts, trial, True)
    return found


def documents(parts: Parts, trial: Trial, done: bool) -> Sequence[str]:
    """Each document is wholly of one version, and that one is found by its words; what was acknowledged is so."""
    found = []
    view = View(workspace="default", audiences=None, as_of=now())
    stored = {doc.id: number for doc, number in parts.library.documents(view, kind="article", after=None, limit=99)}
    must = {f"d{at}" for at in range(DOCUMENTS)}
    versions = {1}
    if trial.act == "ingest":
        must = must - {f"d{DOCUMENTS - 1}"} | ({f"d{DOCUMENTS}"} if done else set())
        versions = {2} if done else {1, 2}
    if trial.act == "delete":
        must = must - {"d0", "d1"}
        if done and stored.keys() & {"d0", "d1"}:
            found.append("a deleted document is there")
    if missing := must - stored.keys():
        found.append(f"lost: {sorted(missing)}")
    shelf = next(s for s in parts.lexical.shelves() if s.kind == "article")
    for id in stored:
        words = parts.library.text("default", id).text
        version = next((v for v in versions if f"v{v}{id} here" in words), None)
        if (
            version is None
            or any(f"v{version}{id}p{at}." not in words for at in range(3))
            or f"v{3 - version}{id}" in words
        ):
            found.append(f"{id} is half, or of the wrong version")
            continue
        for word, wanted in ((f"v{version}{id}", True), (f"v{3 - version}{id}", False)):
            if (id in seen(parts, shelf, word)) is not wanted:
                found.append(f"search for {word} is wrong")
    return found


def seen(parts: Parts, shelf: Shelf, word: str) -> set[str]:
    """The ids of the documents in force that the word finds on the shelf."""
    held = Contents(parts.database, parts.embedder.fingerprint).held().get(shelf, {})
    keys = {int(id.split(".")[0]) for id, _ in parts.lexical.search(shelf, word, 10) if id in held}
    known = select(t.documents.c.id).where(t.documents.c.key.in_(keys))
    with parts.database.read() as connection:
        return set(connection.execute(known).scalars())


def attempt(base: Path, trial: Trial) -> dict[str, object]:
    """One death and what came of it."""
    place = base / "place"  # always the same: a root's name is part of the ledger
    shutil.copytree(base / "template", place)
    if trial.first:
        fork(dying(trial.act, place, trial.first, 1, None))
    status = fork(dying(trial.act, place, trial.point, trial.visit, trial.seconds))
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    verdict = place / "verdict"

    def judge() -> None:
        verdict.write_text(json.dumps(faults(place, trial)))

    look = fork(judge)
    found = json.loads(verdict.read_text()) if look == 0 else ["looking at it failed"]
    done = place / f"done.{trial.act}"
    finished, took = done.exists(), float(done.read_text() or 0) if done.exists() else 0.0
    shutil.rmtree(place)
    return {**asdict(trial), "killed": killed, "finished": finished, "took": took, "faults": found}


def template(base: Path) -> None:
    """A home with version 1, a backup of it, and some deletions behind it."""
    place = base / "place"

    def work() -> None:
        with closing(open_parts(place / "home")) as parts:
            write(place / "docs", 1)
            pipeline.Indexer(parts).ingest("default", place / "docs", Reading())
            backup(parts.settings, place / "before")

    if fork(work):
        raise SystemExit("the template could not be made")
    place.rename(base / "template")


def warm(folder: Path) -> None:
    """Import what every trial needs, before the forks."""
    import alembic.command
    import chromadb
    import tantivy

    import copilot.mapping

    assert alembic.command
    assert chromadb
    assert tantivy
    assert copilot.mapping
    write(folder, 1)
    for raw in scan(folder, Reading()):
        if isinstance(raw, Raw):
            raw.parse()


def main() -> None:
    """Trials in, verdicts out."""
    base = Path(sys.argv[1])
    warm(base / "warm")
    embed.BATCH_CHUNKS = 8  # two documents a batch
    chroma.WORN = 4  # so that an ingest makes the vector index anew
    reembed.PAGE = 8
    template(base)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(attempt(base, Trial(**json.loads(line)))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
