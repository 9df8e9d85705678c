"""Asks the copilot as an agent does, over an index of the suite's own: in this process, or over HTTP from a server of its own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from copilot.build import Parts
from copilot.domain import Conversation, Kind, Options, Principal, Suggestion
from copilot.errors import ConfigurationError, CopilotError, InputError
from copilot.jobs import owning
from copilot.query import search_text
from copilot.retrieve import Query
from copilot.settings import Settings
from eval.cases import Case, beir_corpus
from eval.metrics import Outcome
from eval.suite import Suite
from ingest.load import Reading
from ingest.pipeline import Indexer
from ingest.repair import build_repaired

Door = Literal["process", "http"]
Step = Callable[[str, int, int], None]
"""Told how far it is: what is being done, how many of how many."""
RANKED = 10
KINDS: tuple[Kind, ...] = ("article", "ticket")
QUERY_CHARS = 4000
PATHS = ("taxonomy", "policy", "entities")
INDEXING = ("embedder", "engine", "window", "chunk_tokens")
START_SECONDS = 60.0
SUGGESTION = TypeAdapter(Suggestion)


class Desk(Protocol):
    """What an agent's screen can ask."""

    def suggest(self, conversation: Conversation, options: Options) -> Suggestion:
        """The suggestion for a conversation."""

    def search(self, text: str, kind: Kind, options: Options) -> tuple[str, ...]:
        """Ids of the documents of a kind, best first."""

    def text(self, document_id: str, revision: int) -> str:
        """A stored revision's text."""


@dataclass(frozen=True, slots=True)
class ProcessDesk:
    """Asks parts in this process."""

    parts: Parts
    workspace: str

    @property
    def agent(self) -> Principal:
        """Who asks: an agent without a team, who sees what every agent sees."""
        return Principal(id="evaluation", workspace=self.workspace, roles=frozenset({"agent"}))

    def suggest(self, conversation: Conversation, options: Options) -> Suggestion:
        """The suggestion for a conversation."""
        return self.parts.copilot.suggest(self.agent, conversation, options)

    def search(self, text: str, kind: Kind, options: Options) -> tuple[str, ...]:
        """Ids of the documents of a kind, best first."""
        query = Query(text=text, limit=RANKED, kinds=(kind,), before=options.before)
        return tuple(hit.document_id for hit in self.parts.copilot.search(self.agent, query).results)

    def text(self, document_id: str, revision: int) -> str:
        """A stored revision's text."""
        return self.parts.library.text(self.workspace, document_id, revision).text


@dataclass(frozen=True, slots=True)
class HttpDesk:
    """Asks a server, as a help desk does."""

    client: httpx.Client

    def suggest(self, conversation: Conversation, options: Options) -> Suggestion:
        """The suggestion for a conversation."""
        body = {"conversation": _wire(conversation), "options": {"before": _time(options), "limit": options.limit}}
        return SUGGESTION.validate_python(self._json("POST", "/v1/suggestions", json=body))

    def search(self, text: str, kind: Kind, options: Options) -> tuple[str, ...]:
        """Ids of the documents of a kind, best first."""
        asked = {"q": text, "kind": kind, "limit": RANKED, "before": _time(options)}
        found = self._json(
            "GET", "/v1/search", params={name: value for name, value in asked.items() if value is not None}
        )
        return tuple(hit["document_id"] for hit in found["results"])

    def text(self, document_id: str, revision: int) -> str:
        """A stored revision's text."""
        return str(
            self._json("GET", f"/v1/documents/{quote(document_id, safe='')}", params={"revision": revision})["text"]
        )

    def _json(self, method: str, path: str, **request: Any) -> Any:
        answer = self.client.request(method, path, **request)
        if answer.is_error:
            said = answer.json()
            where = "".join(f" {one['where']}: {one['detail']}." for one in said.get("errors", ()))
            raise CopilotError(
                f"{method} {path} answered {answer.status_code}: {said.get('detail', answer.text)}{where}"
            )
        return answer.json()


def _time(options: Options) -> str | None:
    return options.before.isoformat() if options.before else None


def _wire(conversation: Conversation) -> dict[str, Any]:
    """A conversation as the HTTP interface takes it, without the fields that nobody filled in."""
    body: dict[str, Any] = to_jsonable_python(conversation, exclude_none=True)
    return body


def ask(desk: Desk, case: Case) -> Outcome:
    """Everything that the copilot says to a case, with only what was known when it was written. Raises InputError where it has no words."""
    options, text = Options(before=case.created), words_of(case)
    suggestion = desk.suggest(case.conversation, options)
    ranked: dict[str, tuple[str, ...]] = {kind: desk.search(text, kind, options) for kind in KINDS}
    return Outcome(case=case, suggestion=suggestion, ranked=ranked, texts=dict(_texts(desk, suggestion)))


def words_of(case: Case) -> str:
    """What is searched for. Raises InputError where the case has no words."""
    try:
        return search_text(case.conversation)[:QUERY_CHARS]
    except InputError as error:
        raise InputError(f"The case {case.id!r} cannot be asked: {error}") from error


def _texts(desk: Desk, suggestion: Suggestion) -> Iterator[tuple[tuple[str, int], str]]:
    """What the store holds of everything cited or shown; what it does not hold is missing here, and a citation of it counts as broken."""
    cited = {
        (c.document_id, c.revision)
        for s in (suggestion.draft.statements if suggestion.draft else ())
        for c in s.citations
    }
    shown = {(hit.document_id, hit.revision) for hit in suggestion.passages}
    for id, revision in sorted(cited | shown):
        try:
            yield (id, revision), desk.text(id, revision)
        except CopilotError:
            continue


# ---- the suite's own index ----


def settings_of(suite: Suite, base: Settings | None = None) -> Settings:
    """The product's settings for a suite: those in force, then what the suite changes. Raises ConfigurationError."""
    base = base or Settings()
    changes: dict[str, Any] = {
        name: suite.find(str(value)) if name in PATHS else value for name, value in suite.settings.items()
    }
    try:
        made = Settings(**{**base.model_dump(), **changes})
    except ValidationError as error:
        wrong = error.errors()[0]
        raise ConfigurationError(
            f"The setting {'.'.join(map(str, wrong['loc']))} cannot be {wrong.get('input')!r}: {wrong['msg']}."
        ) from error
    return made.model_copy(
        update={
            "home": base.home / "eval" / "indexes" / _key(suite, made),
            "database": None,
            "workspace": suite.workspace,
        }
    )


def _key(suite: Suite, settings: Settings) -> str:
    """Suites over one corpus share an index; a setting that changes the index has one of its own."""
    made = [suite.workspace, suite.corpus, *(str(getattr(settings, name)) for name in INDEXING)]
    return f"{suite.workspace}-{hashlib.sha256(json.dumps(made).encode()).hexdigest()[:12]}"


def bring_in(suite: Suite, parts: Parts, step: Step) -> None:
    """Ingest the suite's corpus; the second time nothing is embedded. Raises InputError where a document cannot be read."""
    indexer = Indexer(parts)
    for path in suite.corpus:
        folder = _readable(suite.find(path), parts.settings.home)
        summary = indexer.ingest(
            suite.workspace, folder, Reading(), progress=lambda done, all: step("ingest", done, all)
        )
        if summary.failed:
            first = summary.problems[0]
            raise InputError(
                f"{summary.failed} documents of {path} cannot be read, the first is {first.origin}: {first.reason}"
            )


def _readable(path: Path, home: Path) -> Path:
    """The path; a BEIR corpus as a folder of Markdown files."""
    if not (path / "corpus.jsonl").exists():
        return path
    folder = home / "corpora" / path.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, (id, title, text) in enumerate(beir_corpus(path)):
        head = f"---\ndoc_id: {json.dumps(id)}\ntitle: {json.dumps(title)}\n---\n\n"
        (folder / f"{number:06d}.md").write_text(head + text, encoding="utf-8")
    return folder


@contextmanager
def opened(settings: Settings) -> Iterator[Parts]:
    """The parts over an index in this process, which owns it meanwhile; one of an older version is made again first. Raises IndexesOwned."""
    with owning(settings), closing(build_repaired(settings)) as parts:
        yield parts


@contextmanager
def served(settings: Settings) -> Iterator[httpx.Client]:
    """A client of a server of its own over the index. Raises CopilotError where it does not start."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "copilot", "serve", "--port", str(port)], env=_environment(settings),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    headers = {"X-Workspace": settings.workspace}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60, trust_env=False) as client:
            _wait_for(client, server)
            yield client
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(client: httpx.Client, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise CopilotError(
        "The server that the evaluation started did not answer. Start `copilot serve` by hand to see why."
    )


def _environment(settings: Settings) -> Mapping[str, str]:
    """This process's environment with the settings in it, as `copilot serve` reads them."""
    shown: Mapping[str, Any] = settings.model_dump(mode="json", exclude_none=True, exclude={"llm_api_key"})
    lines = {
        f"COPILOT_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in shown.items()
    }
    if settings.llm_api_key:
        lines["COPILOT_LLM_API_KEY"] = settings.llm_api_key.get_secret_value()
    return {**os.environ, **lines}


def ask_all(desk: Desk, cases: Sequence[Case], step: Step) -> list[Outcome]:
    """Every case in turn."""
    outcomes = []
    for done, case in enumerate(cases, 1):
        outcomes.append(ask(desk, case))
        step("ask", done, len(cases))
    return outcomes
