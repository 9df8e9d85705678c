"""The brake: what would retire suspiciously much of what there was retires nothing until it is told to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from copilot.errors import MassDeletion
from ingest.summary import Summary, total

NOTHING = "There is nothing at {path}. Give a folder or a file; if it was deleted and its documents are to go too, say --allow-mass-delete."
FEW = 5
"""So many deletions never ask, unless they are more than half of what there was."""
SHOWN = 5


def objection(lost: Sequence[str], had: int, share: float) -> str | None:
    """Why these documents do not go unasked, of so many that there were; None where they may."""
    if len(lost) <= share * had or (len(lost) <= FEW and 2 * len(lost) <= had):
        return None
    listed = ", ".join(lost[:SHOWN]) + (" …" if len(lost) > SHOWN else "")
    return (
        f"{len(lost)} of {had} documents would be retired, more than {share:.0%} ({listed}). If they are meant to go, "
        "say so once with --allow-mass-delete (over HTTP: allow_mass_delete); else correct the source or the folder."
    )


def one_by_one(ingest: Callable[[Path], Summary], paths: Sequence[Path]) -> Summary:
    """What came of each in turn: of several, one that the brake stops is told as failed, and the others go on."""
    made = []
    for path in paths:
        try:
            made.append(ingest(path))
        except MassDeletion as error:
            if len(paths) == 1:
                raise
            stopped = Summary()
            stopped.fail(str(path), str(error))
            made.append(stopped)
    return total(made)
