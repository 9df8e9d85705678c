"""Knows a full or failing disk by what the database and the indexes say of it, each in its own words."""

from __future__ import annotations

import errno
from collections.abc import Collection, Iterator, Sequence

from copilot.errors import StorageFailed

_FULL_CODES = {errno.ENOSPC, errno.EDQUOT}
_FULL_WORDS = ("no space left on device", "disk is full", "disk quota exceeded")
_CODES = {*_FULL_CODES, errno.EIO, errno.EFBIG, errno.EROFS}
_WORDS = (
    *_FULL_WORDS, "disk i/o error", "input/output error", "file too large", "read-only file system", "readonly database",
    "unable to open database file", "failed to apply logs", "failed to get hnsw segment writer",
)  # fmt: skip
_FOREIGN = ("sqlite3", "sqlalchemy", "chromadb", "builtins")
"""Whose errors may say so in words only; tantivy's are plain ValueErrors. A customer's words are in none of these."""


def storage_failure(error: BaseException) -> StorageFailed | None:
    """The error to tell instead where the disk is the cause; None where it is not."""
    if isinstance(error, StorageFailed):
        return error
    found = _found(error, _CODES, _WORDS)
    return None if found is None else _failed(found)


def full_disk(error: BaseException) -> StorageFailed | None:
    """The same where it is only for want of room: a file that cannot be opened then is whole, which after an error of the disk is not sure."""
    found = _found(error, _FULL_CODES, _FULL_WORDS)
    return None if found is None else _failed(found)


def _found(error: BaseException, codes: Collection[int], known: Sequence[str]) -> str | None:
    """What the error, or one that it came from, says of the disk."""
    for one in _causes(error):
        if isinstance(one, OSError) and one.errno in codes:
            return one.strerror or "the disk fails"
        if type(one).__module__.split(".")[0] in _FOREIGN:
            said = str(one).lower()
            if found := next((words for words in known if words in said), None):
                return found
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
