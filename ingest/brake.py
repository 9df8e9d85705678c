"""The brake: what would retire suspiciously much of what there was retires nothing until it is told to."""

from __future__ import annotations

from collections.abc import Sequence

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
