"""Whatever is done to a source, in whatever order, and wherever it is cut off: the index is what a plain dict says."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from threading import Event, Thread

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from copilot import crash
from copilot.adapters import chroma
from copilot.build import Parts
from copilot.errors import NotFound
from copilot.store.frames import View
from copilot.store.values import now
from ingest.compact import compact
from ingest.load import Reading
from ingest.pipeline import Indexer
from ingest.reembed import reembed
from ingest.repair import repair
from ingest.verify import verify
from tests.killing import OTHER, Hashed, open_parts, seen, with_embedder

NAMES = st.sampled_from("abcdef")
VERSIONS = st.integers(1, 6)
EXAMPLES = int(
    os.environ.get("LEDGER_EXAMPLES", "0")
)  # of 50 steps each; without it a small run of always the same ones


STEPS, KEPT = [0], [0]


class Killed(BaseException):
    """Stands for the end of the process."""


class Machine(RuleBasedStateMachine):
    """Files, and what was last ingested of them, as dicts; beside them the real thing."""

    @initialize()
    def begin(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="machine"))
        (self.place / "docs").mkdir()
        self.files: dict[str, int] = {}
        self.folders: dict[str, str] = {}
        self.stored: dict[str, int] = {}
        self.unsure = False
        self.parts: Parts = open_parts(self.place / "home")

    def path(self, name: str) -> Path:
        return self.place / "docs" / self.folders.get(name, "") / f"{name}.md"

    def text(self, name: str, version: int) -> str:
        return f"---\ndoc_id: {name}\n---\n\n# Matter {name}\n\nThe answer is {name}{version}x.\n\n## More\n\nMore of {name}{version}y.\n"

    @rule(name=NAMES, version=VERSIONS)
    def write(self, name: str, version: int) -> None:
        """Add a file or edit it."""
        self.files[name] = version
        self.path(name).parent.mkdir(exist_ok=True)
        self.path(name).write_text(self.text(name, version))

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        if self.files.pop(name, None) is not None:
            self.path(name).unlink()

    @rule(name=NAMES, folder=st.sampled_from(["", "one", "two"]))
    def move(self, name: str, folder: str) -> None:
        old = self.path(name)
        self.folders[name] = folder
        if name in self.files and old != self.path(name):
            self.path(name).parent.mkdir(exist_ok=True)
            shutil.move(old, self.path(name))

    @rule()
    def ingest(self) -> None:
        Indexer(self.parts).ingest("default", self.place / "docs", Reading(), allow_mass_delete=True)
        self.stored, self.unsure = dict(self.files), False

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        if name in self.stored and not self.unsure:
            Indexer(self.parts).retire("default", [name])
            del self.stored[name]

    @rule()
    def compact(self) -> None:
        if self.known():
            compact(self.parts)

    @rule()
    def change_model(self) -> None:
        """To the other model, or back."""
        if self.known():
            reembed(self.parts, self.other())

    def other(self) -> Parts:
        return with_embedder(self.parts, OTHER if self.parts.embedder.fingerprint == "hashed" else Hashed())

    @rule(what=st.sampled_from(["ingest", "compact", "reembed"]))
    def beside_readers(self, what: str) -> None:
        """Whoever reads meanwhile sees each document whole, as it was or as it will be, and never an error."""
        before, errors, stop = dict(self.stored), list[BaseException](), Event()

        def read() -> None:
            while not stop.is_set():
                try:
                    for name, version in self.found().items():
                        assert self.unsure or version in (before.get(name), self.files.get(name))
                except BaseException as error:
                    errors.append(error)
                    return

        readers = [Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        try:
            {"ingest": self.ingest, "compact": self.compact, "reembed": self.change_model}[what]()
        finally:
            stop.set()
            for reader in readers:
                reader.join()
        assert errors == []

    @rule(
        at=st.sampled_from(crash.POINTS),
        visit=st.integers(1, 4),
        what=st.sampled_from(["ingest", "compact", "reembed"]),
    )
    def crash(self, at: str, visit: int, what: str) -> None:
        """Cut off at a point: old or new is there, never a mixture; the next ingest or repair makes it whole."""
        visits = [0]

        def hook(name: str) -> None:
            visits[0] += name == at
            if name == at and visits[0] == visit:
                raise Killed

        before = dict(self.stored)
        crash.install(hook)
        try:
            if what == "ingest":
                Indexer(self.parts).ingest("default", self.place / "docs", Reading(), allow_mass_delete=True)
                self.stored, self.unsure = dict(self.files), False
            elif self.known() and what == "compact":
                compact(self.parts)
            elif self.known():
                reembed(self.parts, self.other())
        except Killed:
            self.unsure = self.unsure or what == "ingest"
        finally:
            crash.install(None)
        self.restart()
        if self.known():
            repair(self.parts)
            assert verify(self.parts).problems == []
        for name, version in self.found().items():
            assert version in (before.get(name), self.files.get(name), self.stored.get(name)) or self.unsure

    @rule()
    def restart(self) -> None:
        self.parts.close()
        self.parts = open_parts(self.place / "home")

    def known(self) -> bool:
        """Whether anything was ever ingested."""
        return bool(self.parts.ledger.known("default", str((self.place / "docs").resolve())) or self.stored)

    def found(self) -> dict[str, int]:
        view = View(workspace="default", audiences=None, as_of=now())
        listed = self.parts.library.documents(view, kind=None, after=None, limit=99)
        found = {}
        for document, _ in listed:
            try:
                text = self.parts.library.text("default", document.id).text
            except NotFound:
                continue  # deleted since it was listed
            version = next(v for v in range(1, 7) if f"{document.id}{v}x" in text)
            assert f"{document.id}{version}y" in text, "half of one version, half of another"
            found[document.id] = version
        return found

    @invariant()
    def the_index_is_what_the_dict_says(self) -> None:
        if not hasattr(self, "parts"):
            return
        STEPS[0] += 1
        found = self.found()
        if not self.unsure:
            assert found == self.stored
        for shelf in self.parts.lexical.shelves():
            for name, version in found.items():
                assert seen(self.parts, shelf, f"{name}{version}y") == {name}

    def teardown(self) -> None:
        if hasattr(self, "parts"):
            if self.known():
                self.ingest()
                assert verify(self.parts).problems == []
                assert self.found() == self.files
            self.parts.close()
            shutil.rmtree(self.place)


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=EXAMPLES or 8, stateful_step_count=50 if EXAMPLES else 15, deadline=None, derandomize=not EXAMPLES,
    database=None, suppress_health_check=list(HealthCheck),
)  # fmt: skip


def setup_module() -> None:
    """So few deletions make the vector index anew that it happens all the time."""
    chroma.WORN, KEPT[0] = 4, chroma.WORN


def teardown_module() -> None:
    """The long form says how long it was: `LEDGER_EXAMPLES=200 pytest -s tests/test_ingest_machine.py` takes 10,000 steps."""
    chroma.WORN = KEPT[0]
    if EXAMPLES:
        print(f"\n{STEPS[0]} steps in {EXAMPLES} examples", flush=True)  # noqa: T201
