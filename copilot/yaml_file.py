"""YAML files as plain data, read by libyaml where it is there: ten times as fast, and a start reads a few of them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

_OWN_NAMES = re.compile(r" or instance of \w+|^Value error, ")
_IN_YAML = (
    ("Extra inputs are not permitted", "no such field: look for a slip of the pen"),
    ("Field required", "is missing"),
    ("a valid tuple", "a list, as in [one, two]"),
    ("a valid list", "a list, as in [one, two]"),
)


def explained(error: Exception) -> str:
    """What is wrong with a file and where in it, in the words of somebody who writes YAML: at most three things."""
    if not isinstance(error, ValidationError):
        return str(error)
    # where a value may be a text or a table, pydantic tells both branches: the text's is left out, the other's name too
    told = [one for one in error.errors() if one["loc"][-1:] != ("str",)][:3]
    where = (".".join(part for part in map(str, one["loc"]) if "(" not in part) for one in told)
    return "; ".join(f"{at or 'it'}: {_plain(one['msg'])}" for at, one in zip(where, told, strict=True))


def _plain(message: str) -> str:
    for said, meant in _IN_YAML:
        message = message.replace(said, meant)
    return _OWN_NAMES.sub("", message)


def read(path: Path) -> Any:
    """What the file says; a key that is there twice is refused. Raises OSError, ValueError, yaml.YAMLError."""
    return told(path.read_text(encoding="utf-8"))


def told(words: str) -> Any:
    """What a file of these words says; a key that is there twice is refused. Raises ValueError, yaml.YAMLError."""
    import yaml

    return yaml.load(words, Loader=_loader())


@cache
def _loader() -> Any:
    """YAML would take the later of two equal keys without a word."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"`{key.value}` is there twice: keep one", key.start_mark
                    )
                seen.add((key.tag, str(key.value)))
            return super().construct_mapping(node, deep)

    return Loader
