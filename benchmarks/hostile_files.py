"""Hostile files: `python -m benchmarks.hostile_files [NAME…]` ingests each beside a good one and prints what is said of it, seconds and memory.

Memory is what this process and its parser's take at most, above what they took before. The files are those of
`tests/test_ingest_quarantine.py`, links that leave the folder, and files whose name or encoding lies. The embedder is a hash: nothing here
depends on the model. The exit code says whether each was reported in 10 seconds and 300 MB with the good file taken.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic

from benchmarks.machine import machine
from copilot.build import Parts
from ingest.load import Reading
from ingest.pipeline import Indexer
from ingest.verify import verify
from tests.killing import open_parts
from tests.test_ingest_quarantine import HOSTILE, Peak

SECONDS, MEGABYTES = 10, 300
GOOD = "# Good\n\nA good document beside a bad one.\n"


def put(data: Callable[[], bytes]) -> Callable[[Path], None]:
    """Writes these bytes."""

    def write(file: Path) -> None:
        file.write_bytes(data())

    return write


def leads_to(target: str) -> Callable[[Path], None]:
    """Makes a link there."""
    return lambda file: file.symlink_to(target)


KINDS: list[tuple[str, Callable[[Path], None]]] = [
    *((name, put(make)) for name, make in HOSTILE),
    ("passwd.md", leads_to("/etc/passwd")), ("up.md", leads_to("../../../../../../etc/hostname")), ("etc", leads_to("/etc")),
    ("itself.md", leads_to("itself.md")),
]  # fmt: skip


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("names", nargs="*", help="only these")
    wanted = arguments.parse_args().names
    logging.disable(logging.CRITICAL)
    print("| file | MB | said | seconds | MB above idle |\n|---|--:|---|--:|--:|")
    with home() as parts:
        held = [measured(parts, name, make) for name, make in KINDS if not wanted or name in wanted]
    print(machine().line())
    raise SystemExit(not all(held))


@contextmanager
def home() -> Iterator[Parts]:
    """An empty one, which must verify clean at the end."""
    base = Path(tempfile.mkdtemp(prefix="hostile"))
    with closing(open_parts(base / "home")) as parts:
        yield parts
        assert not (problems := verify(parts).problems), problems
    shutil.rmtree(base)


def measured(parts: Parts, name: str, make: Callable[[Path], None]) -> bool:
    """Whether the file was reported within its bounds, and the good one beside it taken."""
    folder = parts.settings.home.parent / f"docs-{name}"
    folder.mkdir()
    make(folder / name)
    (folder / "good.md").write_text(GOOD)
    with Peak() as peak:
        started = monotonic()
        summary = Indexer(parts).ingest("default", folder, Reading())
        seconds = monotonic() - started
    said = "; ".join(problem.reason for problem in summary.problems if problem.origin.split("#")[0].startswith(name))
    size = (folder / name).lstat().st_size / 1e6
    print(f"| {name} | {size:.1f} | {said or 'NOTHING'} | {seconds:.1f} | {peak.most:.0f} |", flush=True)
    Indexer(parts).retire("default", ["good"])
    shutil.rmtree(folder)
    return bool(said) and summary.added == 1 and seconds < SECONDS and peak.most < MEGABYTES


if __name__ == "__main__":
    main()
