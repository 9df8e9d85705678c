"""The words for models and for templates, as files: a head that says what for and with which inputs, then the words.

`render(name, inputs)` gives the words; `version()` is a hash over all of them, which each suggestion carries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from jinja2 import Environment, StrictUndefined, Template

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "de", "fr", "nl", "es")
"""The languages that what a customer reads is written in."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A file of words: what it is for, what it needs, and the words."""

    purpose: str
    inputs: frozenset[str]
    words: str


@cache
def load(name: str) -> Prompt:
    """The prompt of that name. Raises FileNotFoundError."""
    _, head, words = (FOLDER / f"{name}.md").read_text(encoding="utf-8").split("---\n", 2)
    described = yaml.safe_load(head)
    return Prompt(described["purpose"], frozenset(described["inputs"]), words.strip())


def render(name: str, inputs: Mapping[str, object]) -> str:
    """The words with the inputs in place. Raises KeyError where a declared input is missing; others are ignored."""
    prompt = load(name)
    given = {key: inputs[key] for key in prompt.inputs}
    return str(_compiled(prompt.words).render(given)).strip()


def fenced(text: str) -> str:
    """Text that cannot close the tag it stands in; `unfenced` turns the marks back."""
    return text.replace("<", "‹").replace(">", "›")


def unfenced(text: str) -> str:
    """What a model says of fenced text, with the marks as they were."""
    return text.replace("‹", "<").replace("›", ">")


@cache
def version() -> str:
    """A hash of every file of words."""
    files = sorted(FOLDER.glob("*.md"))
    return hashlib.sha256(b"\0".join(file.name.encode() + file.read_bytes() for file in files)).hexdigest()[:12]


@cache
def _compiled(words: str) -> Template:
    # The words are ours and the output is plain text: nothing to escape, and inputs are never templates.
    return Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(words)
