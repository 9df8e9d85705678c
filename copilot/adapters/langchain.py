"""LangChain where it is strong: any chat model as a drafter, and our retriever for those who build on LangChain."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, Full, Queue
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from copilot.adapters.breaker import Breaker
from copilot.domain import Evidence, Principal
from copilot.errors import ConfigurationError, DrafterFailed
from copilot.ports import DraftRequest, Proposed
from copilot.reading import ADDRESSED
from copilot.redact import PLACEHOLDER
from copilot.retrieve import Query, Retriever
from copilot.sayable import says
from copilot.settings import Settings
from copilot.text import normalise, sentences
from prompts import fenced, render, unfenced

ARTICLES, TICKETS = 4, 2
SOURCE_CHARS = 1_500
CHARS_A_TOKEN = 4
RULES_CHARS = 1_500
LINE_CHARS = 4_000
QUEUED = 1_000
INVENTED = -1
NOTHING = frozenset({"", "```", "```json", "[]", "[", "]"})
WAIT_SECONDS = (0.1, 0.4)
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


def chat_model(settings: Settings) -> BaseChatModel:
    """The model that COPILOT_LLM names. Raises ConfigurationError where LangChain does not know it or its package is missing."""
    from langchain.chat_models import init_chat_model

    assert settings.llm is not None
    given: dict[str, Any] = {"timeout": settings.llm_deadline_seconds, "max_retries": 0, "temperature": 0}
    given["max_tokens"] = settings.llm_answer_tokens
    if settings.llm_base_url:
        given["base_url"] = settings.llm_base_url
        given["api_key"] = "none"  # a server of one's own often asks for none, but its client insists on some
    if settings.llm_api_key:
        given["api_key"] = settings.llm_api_key.get_secret_value()
    try:
        model: BaseChatModel = init_chat_model(settings.llm, **given)
    except Exception as error:
        raise ConfigurationError(
            f"COPILOT_LLM={settings.llm} cannot be used: {error}. Write it as provider:model."
        ) from error
    return model


class LangChainDrafter:
    """Asks a chat model for one JSON statement a line and passes each on as soon as its line is whole."""

    def __init__(self, settings: Settings, model: BaseChatModel) -> None:
        assert settings.llm is not None
        self.name, self._model, self._deadline = settings.llm, model, settings.llm_deadline_seconds
        self._retries, self._prompt_chars = settings.llm_retries, settings.llm_prompt_tokens * CHARS_A_TOKEN
        self._breaker = Breaker(settings.llm_failures, settings.llm_pause_seconds)

    def stream(self, request: DraftRequest) -> Iterator[Proposed]:
        """The model's statements in order, none where it writes nothing. Raises DrafterFailed past the deadline, on an error, and where no line of
        what it wrote can be read."""
        with self._counted():
            yield from self._statements(request)

    def lines(self, prompt: str) -> Iterator[str]:
        """The model's answer to any words of ours, line by line. Raises DrafterFailed."""
        with self._counted():
            yield from self._patient_lines(prompt)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """What fails in here counts against the model, and one that failed too often is not asked."""
        if not self._breaker.closed():
            raise DrafterFailed("the model failed too often and is left alone for a while")
        try:
            yield
        except DrafterFailed:
            self._breaker.failed()
            raise
        self._breaker.succeeded()

    def _statements(self, request: DraftRequest) -> Iterator[Proposed]:
        prompt, numbers = self._prompt(request)
        read, wrote = 0, False
        for line in self._patient_lines(prompt):
            wrote = wrote or line.strip() not in NOTHING
            proposed = _proposed(line, numbers, first=read == 0)
            if proposed is not None:
                read += 1
                yield proposed
        if read == 0 and wrote:  # to write nothing is what it is asked for where no source answers
            raise DrafterFailed("the model's answer holds no statement that can be read")

    def _prompt(self, request: DraftRequest) -> tuple[str, list[int]]:
        """The words for the model, and for each source's number its index in the evidence."""
        rewrite = request.rewrite
        if rewrite and rewrite.task == "translate":
            statements = [fenced(statement) for statement in rewrite.statements]
            asked = {"statements": statements, "language": rewrite.language}
            return render("translate", asked), list(range(len(statements)))
        chars = self._prompt_chars - RULES_CHARS
        message = fenced(request.message[: chars // 2])
        chars -= len(message) + len(rewrite.text if rewrite else "")
        numbers, sources = list[int](), list[dict[str, str]]()
        for index in _sources(request.evidence):
            source = request.evidence[index]
            words = _sayable(source)
            text = fenced(PLACEHOLDER.sub("…", words[: min(SOURCE_CHARS, chars)]))
            if len(text) < min(len(words), SOURCE_CHARS) and chars < SOURCE_CHARS:
                break
            if not text:
                continue
            chars -= len(text)
            numbers.append(index)
            sources.append({"title": fenced(source.title), "text": text})
        inputs = {
            "message": message, "sources": sources, "language": request.language, "tone": request.tone,
            "channel": request.conversation.channel,
        }  # fmt: skip
        if rewrite:
            asked = {"task": rewrite.task, "instruction": fenced(rewrite.instruction), "text": fenced(rewrite.text)}
            return render("rewrite", {**inputs, **asked}), numbers
        return render("reply", inputs), numbers

    def _patient_lines(self, prompt: str) -> Iterator[str]:
        """The answer's lines; a failure that may pass, before anything was said, is tried again after a moment, within the deadline."""
        end = monotonic() + self._deadline
        for attempt in range(self._retries + 1):
            said = False
            try:
                for line in self._lines(prompt, end):
                    said = True
                    yield line
                return
            except DrafterFailed as error:
                wait = random.uniform(*WAIT_SECONDS) * 2**attempt
                if said or not _passes(error) or attempt == self._retries or monotonic() + wait > end:
                    raise
                sleep(wait)

    def _lines(self, prompt: str, end: float) -> Iterator[str]:
        """The answer line by line. The model runs in a thread of its own: a client that ignores its timeout must not hold the agent."""
        chunks: Queue[str | Exception | None] = Queue(QUEUED)
        stop = Event()
        Thread(target=self._run, args=(prompt, chunks, stop), daemon=True).start()
        rest = ""
        try:
            while (left := end - monotonic()) > 0:
                chunk = chunks.get(timeout=left)
                if chunk is None:
                    yield rest
                    return
                if isinstance(chunk, Exception):
                    raise DrafterFailed(f"{type(chunk).__name__}: {str(chunk)[:200]}") from chunk
                *whole, rest = (rest + chunk).split("\n")
                yield from whole
                if len(rest) > LINE_CHARS:
                    raise DrafterFailed("the model's answer is not one statement a line")
        except Empty:
            pass
        finally:
            stop.set()
        raise DrafterFailed(f"no whole answer within {self._deadline:g} s")

    def _run(self, prompt: str, chunks: Queue[str | Exception | None], stop: Event) -> None:
        try:
            for chunk in self._model.stream(prompt):
                if stop.is_set():
                    return
                chunks.put(str(chunk.text), timeout=self._deadline)
            chunks.put(None, timeout=self._deadline)
        except Full:
            return  # nobody reads any more
        except Exception as error:
            if not stop.is_set():
                chunks.put(error)


def _sources(evidence: Sequence[Evidence]) -> list[int]:
    """Which evidence a model gets to read: sections of articles first, then what solved similar cases."""
    articles = [index for index, one in enumerate(evidence) if one.kind == "article"][:ARTICLES]
    tickets = [index for index, one in enumerate(evidence) if one.kind == "ticket" and one.solution_by != "customer"]
    return [*articles, *tickets[:TICKETS]]


def _sayable(source: Evidence) -> str:
    """The text of an article; of a solved ticket the sentences that another customer may read, and its line ends."""
    if source.kind != "ticket":
        return source.text
    kept, done = "", 0
    for start, end in sentences(source.text):
        gap, done = source.text[done:start], end
        if says(source, words := ADDRESSED.sub("", source.text[start:end]).lstrip(" ,")):
            kept += ("\n" if "\n" in gap else " ") * bool(kept) + words
    return kept


def _passes(error: DrafterFailed) -> bool:
    """Whether the failure may be gone in a moment: no connection, too many requests, an error of the server."""
    cause = error.__cause__
    status = getattr(cause, "status_code", None)
    return (
        status in PASSING
        if status is not None
        else isinstance(cause, ConnectionError) or "Connection" in type(cause).__name__
    )


def _proposed(line: str, numbers: Sequence[int], first: bool) -> Proposed | None:
    """The statement in a line, or None where the line holds none (a fence, a remark, half a JSON object)."""
    line = line.strip().removeprefix("- ").rstrip(",")
    try:
        value = json.loads(line)
        text, sources = value["text"], value.get("sources", [])
        given = [number for number in sources if type(number) is int]
        indexes = tuple(numbers[number - 1] if 1 <= number <= len(numbers) else INVENTED for number in given)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if not isinstance(text, str) or not text.strip():
        return None
    text = unfenced(normalise(text).strip())
    return Proposed(text=text, evidence=indexes, lead="" if first else " ")


class CopilotRetriever(BaseRetriever):
    """Support Copilot's search as a LangChain retriever: what the principal may see, best passages first."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    retriever: Retriever
    principal: Principal
    k: int = Field(4, ge=1, le=50)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        found = self.retriever.search(self.principal, Query(text=query, limit=k or self.k))
        return [
            Document(
                id=f"{hit.document_id}@{hit.revision}",
                page_content=hit.passages[0].text,
                metadata={
                    "document_id": hit.document_id, "revision": hit.revision, "kind": hit.kind, "title": hit.title,
                    "url": hit.url, "start": hit.passages[0].start, "end": hit.passages[0].end, "score": hit.score,
                },
            )
            for hit in found.results
        ]  # fmt: skip
