"""What intents there are: a workspace's own list, or the shipped one; each with what it means, whose it is, and examples."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from copilot import yaml_file
from copilot.errors import ConfigurationError, InputError
from copilot.learn import OTHER, Example

MOST_CHARS = 2_000_000
_CLAUSE_ENDS = re.compile(r"[,;:.] | - | or | and ")


class Intent(BaseModel):
    """A label with its meaning, the team that answers it, its priority and messages that say it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    label: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    description: str
    team: str = "frontline"
    priority: Literal["low", "normal", "high"] = "normal"
    examples: tuple[str, ...] = Field(min_length=2)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: Literal[1]
    intents: tuple[Intent, ...] = Field(min_length=2)
    other_examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taxonomy:
    """The intents of a workspace, and messages that fit none."""

    intents: tuple[Intent, ...]
    other: tuple[str, ...]
    words: str

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that a message may have, `other` among them."""
        return (*(intent.label for intent in self.intents), OTHER)

    @cached_property
    def teams(self) -> dict[str, str]:
        """The team of each label."""
        return {intent.label: intent.team for intent in self.intents}

    @cached_property
    def hash(self) -> str:
        """What the file said, as one hash."""
        return hashlib.sha256(self.words.encode()).hexdigest()

    def examples(self) -> list[Example]:
        """What it teaches: descriptions as anchors, examples, and what fits no label."""
        anchors = [
            Example(words, one.label, anchor=True)
            for one in self.intents
            for words in describing(one.label, one.description)
        ]
        messages = [Example(text, intent.label) for intent in self.intents for text in intent.examples]
        return anchors + messages + [Example(text, OTHER) for text in self.other]


def taxonomy(path: Path) -> Taxonomy:
    """The taxonomy in a YAML file. Raises ConfigurationError."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, InputError) as error:
        raise ConfigurationError(f"The taxonomy {path} cannot be used: {error}") from error


def parse(words: str) -> Taxonomy:
    """The taxonomy that a YAML text describes. Raises InputError with what is wrong in it."""
    import yaml

    if len(words) > MOST_CHARS:
        raise InputError(f"it has more than {MOST_CHARS:,} characters.")
    try:
        read = _File.model_validate(yaml.load(words, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise InputError(yaml_file.explained(error)) from error
    labels = [intent.label for intent in read.intents]
    if OTHER in labels or len(set(labels)) < len(labels):
        raise InputError("it has a label twice, or lists `other`, which is never listed.")
    return Taxonomy(read.intents, read.other_examples, words)


def checked(words: str) -> Taxonomy:
    """The same, of a text that is to be put in force: every example has to say something, and nothing twice. Raises InputError."""
    import yaml

    found = parse(words)
    try:
        yaml_file.told(words)
    except yaml.YAMLError as error:  # a field that is there twice, of which only the later one would count
        raise InputError(str(error)) from error
    seen: dict[str, str] = {}
    listed = [(intent.label, example) for intent in found.intents for example in intent.examples]
    for label, example in [*listed, *((OTHER, example) for example in found.other)]:
        said = " ".join(example.casefold().split())
        if not said:
            raise InputError(
                f"{label!r} has an example without words ({example!r}). Write what a customer would, or leave it out."
            )
        if said in seen:
            under = f"under {seen[said]!r} and under {label!r}" if seen[said] != label else f"twice under {label!r}"
            raise InputError(f"the example {example!r} is {under}. Keep it once, where it belongs.")
        seen[said] = label
    return found


def intent_examples(path: Path) -> list[Example]:
    """What the taxonomy in a file teaches. Raises ConfigurationError."""
    return taxonomy(path).examples()


def describing(label: str, description: str) -> list[str]:
    """The label's own words, its description and the description's clauses: each is worth about an example."""
    clauses = [clause.strip(" .") for clause in _CLAUSE_ENDS.split(description)]
    said = [label.replace("_", " "), description, *(clause for clause in clauses if len(clause) > 3)]
    return list(dict.fromkeys(words for words in said if words.strip()))
