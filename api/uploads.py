"""Uploaded files on disk: under a name of our own making, in a folder of the workspace's own."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import uuid
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from copilot.errors import TooLarge, UnreadableFile
from copilot.settings import Settings

SUFFIXES = frozenset({".md", ".markdown", ".html", ".htm", ".txt", ".pdf", ".docx", ".jsonl", ".csv"})
BLOCK = 1 << 20
_OTHER = re.compile("[^A-Za-z0-9_-]+")


def folder(settings: Settings, workspace: str) -> Path:
    """Where the workspace's uploads are."""
    return settings.uploads() / hashlib.sha256(workspace.encode()).hexdigest()[:16]


def save(settings: Settings, workspace: str, given: str, content: BinaryIO) -> Path:
    """The file, whole, under its safe name in a folder of its own: no upload replaces or retires another. Raises UnreadableFile, TooLarge."""
    target = folder(settings, workspace) / uuid.uuid4().hex / safe_name(given)
    target.parent.mkdir(parents=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            _copy(content, file, settings.max_file_bytes)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    return target


def safe_name(given: str) -> str:
    """Letters, digits, dashes and the suffix of the client's name, never its path; a changed name gets a hash, so that two stay two."""
    name = PurePosixPath(given.replace("\\", "/")).name
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise UnreadableFile(f"Files of this type are not read. Send one of: {', '.join(sorted(SUFFIXES))}.")
    plain = _OTHER.sub("-", stem)[:80].strip("-")
    return (
        plain + suffix
        if plain == stem
        else f"{plain or 'file'}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}{suffix}"
    )


def _copy(content: BinaryIO, file: BinaryIO, limit: int) -> None:
    left = limit
    while block := content.read(BLOCK):
        left -= len(block)
        if left < 0:
            raise TooLarge(f"The file is longer than {limit} bytes. Split it, or raise COPILOT_MAX_FILE_BYTES.")
        file.write(block)
