"""Named moments at which the process may die: tests stop it at each, to prove that nothing is ever half. Off, a point costs one look."""

from __future__ import annotations

from collections.abc import Callable

POINTS = (
    "stage.before", "stage.inside", "stage.after",
    "index.vectors", "index.lexical",
    "switch.before", "switch.inside", "switch.after",
    "sweep.vectors", "sweep.lexical", "sweep.after",
    "embed.before", "embed.after",
    "recover.inside", "recover.after",
    "retire.before", "retire.inside", "retire.after", "retire.forgotten",
    "compact.begun", "compact.vectors", "compact.lexical", "compact.filled", "compact.half", "compact.adopted", "compact.vacuumed",
    "generation.made", "generation.named", "generation.switched", "generation.swept",
    "restore.checked", "restore.emptied", "restore.loaded",
    "backup.copied", "backup.written",
    "erase.retired", "erase.done",
    "reembed.begun", "reembed.page", "reembed.filled", "reembed.twin", "reembed.inside", "reembed.switched", "reembed.adopted", "reembed.done",
)  # fmt: skip
"""Every point there is; a test holds the list to the code."""

_hook: Callable[[str], None] | None = None


def point(name: str) -> None:
    """Nothing, unless a test installed a hook."""
    if _hook is not None:
        _hook(name)


def install(hook: Callable[[str], None] | None) -> None:
    """Call this at every point from now on; None switches it off."""
    global _hook
    _hook = hook
