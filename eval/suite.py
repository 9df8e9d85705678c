"""A suite: which corpus, which cases, what is measured and what must not fall. A YAML file says it.

Paths are looked for beside the file, then in the folder that COPILOT_EVAL_DATA names; `demo:` is the demo company.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

import ingest.demo
from copilot import yaml_file
from copilot.errors import InputError
from copilot.settings import Settings
from eval.cases import Case, graded, load_beir, load_jsonl, refuse_doubles
from ingest.tickets import moment

FOLDER = Path(__file__).parent / "suites"
DATA = "COPILOT_EVAL_DATA"
Group = Literal["retrieval", "citations", "drafts", "claims", "abstention", "triage", "escalation", "speed"]
GROUPS: tuple[Group, ...] = (
    "retrieval",
    "citations",
    "drafts",
    "claims",
    "abstention",
    "triage",
    "escalation",
    "speed",
)


def _day(value: object) -> object:
    """YAML reads a bare day as a date; help desks write times in many ways."""
    return moment(value.isoformat() if isinstance(value, date) else value)


Moment = Annotated[datetime | None, BeforeValidator(_day)]


class Strict(BaseModel):
    """Unknown fields are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)


NOT_HERE = {
    "home": "a suite keeps an index of its own in COPILOT_HOME; set that in the environment",
    "database": "a suite keeps a database of its own in COPILOT_HOME; leave it out",
    "workspace": "write `workspace:` beside `settings:`",
    "seed": "write `seed:` beside `settings:`",
    "resamples": "write `resamples:` beside `settings:`",
}
"""What no suite sets under `settings`, and what to do instead."""


class CaseFile(Strict):
    """A file of cases, or a BEIR folder, and which of its cases count."""

    path: str
    format: Literal["jsonl", "beir"] = "jsonl"
    since: Moment = None
    until: Moment = None
    labelled: bool = False
    """Only cases with gold documents."""
    foreign: bool = False
    """Another company's questions: nothing here answers them, and a good copilot says so."""
    similar: bool = False
    """Asked for the solved tickets that each case's `similar_tickets` name and that were solved by then, not for articles."""
    grades: str | None = None
    """A file that says which solved tickets readers found useful for which case: those are asked for, of the cases that were read."""
    limit: int | None = Field(None, ge=1)
    """So many at random, by the suite's seed."""


class Suite(Strict):
    """What is asked of what, and what is made of the answers."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    about: str
    workspace: str = "default"
    corpus: tuple[str, ...] = Field(min_length=1)
    cases: tuple[CaseFile, ...] = Field(min_length=1)
    metrics: tuple[Group, ...] = GROUPS
    gates: tuple[str, ...] = ()
    slices: tuple[str, ...] = ("channel",)
    settings: dict[str, str | int | float | bool] = {}
    split: str = "all cases"
    seed: int = 7
    resamples: int = Field(1000, ge=100, le=100_000)
    home: Path = FOLDER
    """The folder that relative paths start from; set by `load`."""

    @property
    def records(self) -> Path:
        """Where this suite's recorded run is kept: with the harness for a shipped suite, else beside its file."""
        return FOLDER.parent if self.home == FOLDER else self.home

    def find(self, path: str) -> Path:
        """A path of the suite on this machine. Raises InputError where it is not there, with what to set."""
        if path.startswith("demo:"):
            return ingest.demo.FOLDER / path.removeprefix("demo:")
        data = os.environ.get(DATA)
        places = [self.home / path, *([Path(data) / path] if data else [])]
        for place in places:
            if place.exists():
                return place.resolve()
        where = f"It is not in {data} either." if data else f"Set {DATA} to the folder that holds it."
        raise InputError(f"The suite {self.name} needs {path}, which is not beside it. {where}")

    def load_cases(self) -> list[Case]:
        """All cases, in the order of the files. Another company's carry no gold, and their ids tell where they are from."""
        cases = [case for file in self.cases for case in self._of(file)]
        if not cases:
            raise InputError(f"The suite {self.name} has no case left: look at its since, until and labelled.")
        refuse_doubles(cases, f"The cases of the suite {self.name}")
        return cases

    def _of(self, file: CaseFile) -> list[Case]:
        path = self.find(file.path)
        cases = load_beir(path) if file.format == "beir" else load_jsonl(path, similar=file.similar)
        cases = graded(cases, self.find(file.grades)) if file.grades else cases
        cases = [case for case in cases if _counts(case, file)]
        if file.limit is not None and file.limit < len(cases):
            kept = set(random.Random(self.seed).sample([case.id for case in cases], file.limit))
            cases = [case for case in cases if case.id in kept]
        return [
            _foreign(case) if file.foreign or case.workspace not in (None, self.workspace) else case for case in cases
        ]


def _counts(case: Case, file: CaseFile) -> bool:
    if file.labelled and not case.answers:
        return False
    if case.created is None:
        return file.since is None and file.until is None
    return (file.since is None or case.created >= file.since) and (file.until is None or case.created < file.until)


def _foreign(case: Case) -> Case:
    """The same words asked of a company that they do not concern. What they were called elsewhere means nothing here."""
    return Case(
        id=f"foreign-{case.id}", conversation=replace(case.conversation, id=None), answerable=False, locale=case.locale,
        slices={**case.slices, "origin": "foreign"},
    )  # fmt: skip


def load(name: str, changes: Sequence[str] = ()) -> tuple[Suite, dict[str, str]]:
    """A shipped suite by its name, or a file of your own; `changes` are `key=value` for the suite or the product's settings.

    The second part tells what was changed. Raises InputError.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.yaml")))
        raise InputError(f"There is no suite {name!r}. Shipped suites: {known}; or give the path of a YAML file.")
    overrides = dict(_pair(change) for change in changes)
    try:
        written: dict[str, Any] = yaml_file.read(path) or {}
        if not isinstance(written, dict):
            raise TypeError("it is no list of fields and their values, such as name: mine")
        if "home" in written:
            raise ValueError(f"home: {NOT_HERE['home']}.")
        own = {key: value for key, value in overrides.items() if key in ("seed", "resamples")}
        settings = {**(written.get("settings") or {}), **{k: v for k, v in overrides.items() if k not in own}}
        _refuse(settings)
        return Suite(**{**written, **own, "settings": settings, "home": path.parent}), overrides
    except (ValueError, yaml.YAMLError, TypeError, OSError) as error:
        raise InputError(f"The suite {path.name} cannot be used: {_explained(error)}") from error


def _refuse(settings: Mapping[str, Any]) -> None:
    """Raise ValueError for a setting that the product does not have or a suite cannot change: left as it is, it would change nothing."""
    for name in settings:
        if name in NOT_HERE:
            raise ValueError(f"settings.{name}: {NOT_HERE[name]}.")
        if name not in Settings.model_fields:
            near = get_close_matches(str(name).lower().removeprefix("copilot_"), Settings.model_fields, 1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise ValueError(
                f"settings.{name}: there is no such setting. {hint}docs/settings.md names them; leave COPILOT_ out and write small letters."
            )


def _pair(change: str) -> tuple[str, str]:
    name, equals, value = change.partition("=")
    if not (name and equals):
        raise InputError(f"--set {change} is no key=value, as in --set lexical_weight=0.3.")
    return name, value


def _explained(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:3])
