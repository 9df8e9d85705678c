"""What a figure needs beside it: the machine, the versions, the commit, the command, the time."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("onnxruntime", "chromadb", "tantivy", "tokenizers", "sqlalchemy", "numpy", "fastapi", "uvicorn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where and with what something was measured."""

    when: str
    commit: str
    cpu: str
    cores: int
    memory_gb: float
    load: float
    """Processes that wanted a core when the run began: above 0.5, somebody else was at work."""
    python: str
    versions: dict[str, str]
    command: str

    def line(self) -> str:
        """All of it on one line."""
        packages = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return (
            f"{self.when}, commit {self.commit}; {self.cores} cores ({self.cpu}), {self.memory_gb:.0f} GB, load {self.load:.1f} at the start; "
            f"Python {self.python}, {packages}; {self.command}"
        )


def machine(packages: Sequence[str] = PACKAGES) -> Machine:
    """This machine, now."""
    return Machine(
        when=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", commit=commit(), cpu=_cpu(), cores=os.cpu_count() or 0,
        memory_gb=_memory() / 1e9, load=os.getloadavg()[0], python=platform.python_version(),
        versions={name: _version(name) for name in packages}, command=_command(),
    )  # fmt: skip


def commit() -> str:
    """The commit that is checked out, with `+` where files differ from it; `unknown` outside a checkout."""
    try:
        return f"{_git('rev-parse', '--short', 'HEAD')}{'+' if _git('status', '--porcelain') else ''}"
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", "--no-optional-locks", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> int:
    import psutil

    return int(psutil.virtual_memory().total)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _command() -> str:
    """The command without this machine's folders."""
    module = getattr(sys.modules["__main__"].__spec__, "name", None) or Path(sys.argv[0]).name
    given = (Path(word).name if "/" in word else word for word in sys.argv[1:])
    return " ".join(["python -m", module, *given])
