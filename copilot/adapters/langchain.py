"""LangChain where it is strong: any chat model as a drafter, and our retriever for those who build on LangChain."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from queue import Empty, Full, Queue
from threading import BoundedSemaphore, Event, Thread
from time import monotonic, sleep
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from copilot.adapters.breaker import Breaker
from copilot.answers import numbers, objects
from copilot.domain import Evidence, Principal
from copilot.errors import ConfigurationError, DrafterFailed
from copilot.ports import DraftRequest, Proposed
from copilot.reading import ADDRESSED
from copilot.redact import PLACEHOLDER
from copilot.retrieve import Query, Retriever
from copilot.rewrite import CHARS_A_TOKEN, RULES_CHARS
from copilot.sayable import says
from copilot.settings import Settings
from copilot.text import normalise, sentences
from prompts import fenced, render, unfenced

ARTICLES, TICKETS = 4, 2
SOURCE_CHARS = 1_500
ANSWER_CHARS_A_TOKEN = 8
"""More than any language has: an answer beyond it comes of a server that keeps to no budget."""
LINE_CHARS = 20_000
QUEUED = 1_000
INVENTED = -1
NOTHING = frozenset({"", "```", "```json", "[]", "[", "]"})
WAIT_SECONDS = (0.1, 0.4)
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
MARKS = {"**": re.compile(r"(?<![\w*])\*\*(?=\S)(.+?)(?<=\S)\*\*(?![\w*])"), "`": re.compile(r"`([^`]*)`")}
"""Marks that models put around words; a reply is plain text."""
BULLET = re.compile(r"[-*•>]\s+(?!\d)")
NUMBERED = re.compile(r"\d{1,2}[.)]\s+(?!\d)")
"""A step's number is no claim of its own; its place in the list stays."""
CODE = re.compile(r"[a-z]+(?:_[a-z]+)*")
KEY = "It refuses the key: set COPILOT_LLM_API_KEY, or the provider's own variable."
REFUSED = "It refuses what it is asked: the prompt may be too long (COPILOT_LLM_PROMPT_TOKENS), or the model knows one of the parameters not."
ADVICE = {
    400: REFUSED, 401: KEY, 403: KEY, 413: REFUSED, 422: REFUSED,
    404: "It knows no such model or address: look at COPILOT_LLM and COPILOT_LLM_BASE_URL (most end in /v1).",
    429: "It has too many requests, or no credit is left.",
}  # fmt: skip
"""What to look at, by the status that the provider answers with."""


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
        self._answer_chars = settings.llm_answer_tokens * ANSWER_CHARS_A_TOKEN
        self._breaker = Breaker(settings.llm_failures, settings.llm_pause_seconds)
        self._places = BoundedSemaphore(settings.llm_at_once)

    def stream(self, request: DraftRequest) -> Iterator[Proposed]:
        """The model's statements in order, none where it writes nothing. Raises DrafterFailed past the deadline, on an error, and where no line of
        what it wrote can be read."""
        with self._placed(), self._counted():
            yield from self._statements(request)

    def lines(self, prompt: str) -> Iterator[str]:
        """The model's answer to any words of ours, line by line. Raises DrafterFailed."""
        with self._placed(), self._counted():
            yield from self._patient_lines(prompt)

    @contextmanager
    def _placed(self) -> Iterator[None]:
        """A place at the model; who finds none does not wait for one, since each who waits holds one of the server's threads."""
        if not self._places.acquire(blocking=False):
            raise DrafterFailed("all places at it are taken (COPILOT_LLM_AT_ONCE)")
        try:
            yield
        finally:
            self._places.release()

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
        prompt, sources = self._prompt(request)
        marks = [mark for mark in MARKS if mark not in prompt]
        read, wrote = 0, False

        def heard() -> Iterator[str]:
            nonlocal wrote
            for line in self._patient_lines(prompt):
                wrote = wrote or line.strip() not in NOTHING
                yield line

        for value in objects(heard()):
            proposed = _proposed(value, sources, marks, first=read == 0)
            if proposed is None:
                continue
            read += 1
            if request.rewrite and request.rewrite.task == "translate":
                yield replace(proposed, text=proposed.text.replace("\n", " "))
            else:  # a true sentence must not carry another one along
                yield from _apart(proposed)
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
                wait = max(random.uniform(*WAIT_SECONDS) * 2**attempt, _asked_to_wait(error))
                if said or not _passes(error) or attempt == self._retries or monotonic() + wait > end:
                    raise
                sleep(wait)

    def _lines(self, prompt: str, end: float) -> Iterator[str]:
        """The answer line by line. The model runs in a thread of its own: a client that ignores its timeout must not hold the agent."""
        chunks: Queue[str | Exception | None] = Queue(QUEUED)
        stop = Event()
        Thread(target=self._run, args=(prompt, chunks, stop), daemon=True).start()
        rest, heard = "", 0
        try:
            while (left := end - monotonic()) > 0:
                chunk = chunks.get(timeout=left)
                if chunk is None:
                    yield rest
                    return
                if isinstance(chunk, Exception):
                    raise DrafterFailed(_why(chunk)) from chunk
                heard += len(chunk)
                *whole, rest = (rest + chunk).split("\n")
                yield from whole
                if heard > self._answer_chars:  # the whole lines count, as of an answer that was cut
                    return
                if len(rest) > LINE_CHARS:
                    raise DrafterFailed("the model's answer is not one statement a line")
        except Empty:
            pass
        finally:
            stop.set()
        raise DrafterFailed(f"no whole answer within {self._deadline:g} s")

    def _run(self, prompt: str, chunks: Queue[str | Exception | None], stop: Event) -> None:
        try:
            for chunk in self._chunks(prompt):
                if stop.is_set():
                    return
                chunks.put(chunk, timeout=self._deadline)
            chunks.put(None, timeout=self._deadline)
        except Full:
            return  # nobody reads any more
        except Exception as error:
            if not stop.is_set():
                chunks.put(error)

    def _chunks(self, prompt: str) -> Iterator[str]:
        """The answer as it comes; whole where the server does not stream, which LangChain tells by a ValueError once nothing came."""
        came = False
        try:
            for chunk in self._model.stream(prompt):
                came = True
                yield str(chunk.text)
        except ValueError as error:
            if came or "No generation" not in str(error):
                raise
            yield str(self._model.invoke(prompt).text)


def _why(error: Exception) -> str:
    """What failed and what to look at. The provider's own sentences are left out: they may repeat the key, or the prompt."""
    status = getattr(error, "status_code", None)
    given = (getattr(error, name, None) for name in ("code", "param"))
    told = [
        type(error).__name__,
        *([str(status)] if status else []),
        *(str(one) for one in given if CODE.fullmatch(str(one)) and one),
    ]
    if "Connection" in told[0]:
        advice = "No connection: look at COPILOT_LLM_BASE_URL and whether the model's server runs."
    elif "Timeout" in told[0]:
        advice = "It is slower than COPILOT_LLM_DEADLINE_SECONDS."
    elif status:
        advice = ADVICE.get(status, "The fault is on its side.")
    else:
        advice = "What came is no answer of a model: look at COPILOT_LLM_BASE_URL (most end in /v1)."
    return f"{' '.join(told)}. {advice}"


def _asked_to_wait(error: DrafterFailed) -> float:
    """The seconds that the provider asks to be left alone for, 0 where it does not say."""
    headers = getattr(getattr(error.__cause__, "response", None), "headers", {})
    try:
        return float(headers.get("retry-after", 0))
    except (TypeError, ValueError):
        return 0.0


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


def _proposed(value: Mapping[str, Any], sources: Sequence[int], marks: Sequence[str], first: bool) -> Proposed | None:
    """The statement that an object holds, without the marks that no source has and those of lists, or None where its text is none."""
    text = value["text"]
    if not isinstance(text, str):
        return None
    lines = [" ".join(line.split()) for line in unfenced(normalise(text)).splitlines()]
    steps = sum(bool(NUMBERED.match(line)) for line in lines) > 1
    for mark in marks:
        lines = [MARKS[mark].sub(r"\1", line) for line in lines]
    heads = (BULLET, NUMBERED) if steps else (BULLET,)
    begins = ((line, next(filter(None, (head.match(line) for head in heads)), None)) for line in lines)
    lines = [line[begin.end() :] if begin else line for line, begin in begins]
    text = "\n".join(filter(None, lines))
    if not text:
        return None
    given = numbers(value.get("sources", value.get("source")))
    indexes = tuple(sources[number - 1] if 1 <= number <= len(sources) else INVENTED for number in given)
    return Proposed(text=text, evidence=indexes, lead="" if first else " ")


def _apart(proposed: Proposed) -> Iterator[Proposed]:
    """Its sentences, each on its line."""
    done = 0
    for start, end in sentences(proposed.text):
        lead = "\n" if "\n" in proposed.text[done:start] else " "
        yield replace(proposed, text=proposed.text[start:end], lead=lead if done else proposed.lead)
        done = end


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
