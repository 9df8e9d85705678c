"""Knows a full or failing disk by what the database and the indexes say of it, each in its own words."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from copilot.errors import StorageFailed

_CODES = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EROFS}
_WORDS = (
    "no space left on device", "disk is full", "disk i/o error", "input/output error", "file too large", "disk quota exceeded",
    "read-only file system", "readonly database", "unable to open database file",
)  # fmt: skip
_FOREIGN = ("sqlite3", "sqlalchemy", "chromadb", "builtins")
"""Whose errors may say so in words only; tantivy's are plain ValueErrors. A customer's words are in none of these."""


def storage_failure(error: BaseException) -> StorageFailed | None:
    """The error to tell instead where the disk is the cause; None where it is not."""
    if isinstance(error, StorageFailed):
        return error
    for one in _causes(error):
        if isinstance(one, OSError) and one.errno in _CODES:
            return _failed(one.strerror or "the disk fails")
        if type(one).__module__.split(".")[0] in _FOREIGN:
            said = str(one).lower()
            if found := next((words for words in _WORDS if words in said), None):
                return _failed(found)
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it came from."""
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__


def _failed(said: str) -> StorageFailed:
    return StorageFailed(
        f"The disk that holds COPILOT_HOME is full or fails ({said}). What was not finished is not there, nothing is half: make room, then "
        "do it again."
    )
