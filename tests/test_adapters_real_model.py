"""A real small model behind the seam, SmolLM2-135M loaded through transformers; off unless REAL_MODEL_GGUF names its file."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field

from copilot.adapters.langchain import LangChainDrafter
from copilot.build import Parts
from copilot.domain import Draft
from copilot.draft import write
from copilot.errors import DrafterFailed
from copilot.ports import DraftRequest
from copilot.settings import Settings
from tests.conftest import AGENT, asks
from tests.test_copilot_compose import STEPS, article

log = logging.getLogger(__name__)
GGUF = os.environ.get("REAL_MODEL_GGUF", "")
pytestmark = pytest.mark.skipif(
    not GGUF, reason="set REAL_MODEL_GGUF to the file of SmolLM2-135M-Instruct (docs/evaluation-drafts.md)"
)


class Transformers(BaseChatModel):
    """A chat model in this process, greedy, so that it says the same each time."""

    file: Path
    tokens: int = 160
    said: list[str] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "transformers"

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        where = {"pretrained_model_name_or_path": str(self.file.parent), "gguf_file": self.file.name}
        return AutoTokenizer.from_pretrained(**where), AutoModelForCausalLM.from_pretrained(**where)

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **_: Any
    ) -> ChatResult:  # fmt: skip
        tokenizer, model = self._loaded
        said = [{"role": "user", "content": str(message.content)} for message in messages]
        given = tokenizer.apply_chat_template(said, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        made = model.generate(**given, max_new_tokens=self.tokens, do_sample=False)
        text = tokenizer.decode(made[0][given["input_ids"].shape[1] :], skip_special_tokens=True)
        self.said.append(text)
        log.warning("the model wrote:\n%s", text)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(content=text))])

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None, **_: Any
    ) -> Iterator[ChatGenerationChunk]:  # fmt: skip
        text = self._generate(messages).generations[0].message.text
        yield ChatGenerationChunk(message=AIMessageChunk(content=str(text)))


@pytest.fixture(scope="module")
def chat() -> Transformers:
    return Transformers(file=Path(GGUF))


@pytest.fixture(scope="module")
def drafter(chat: Transformers) -> LangChainDrafter:
    settings = Settings(llm="transformers:smollm2-135m", llm_deadline_seconds=120, llm_prompt_tokens=1500)
    return LangChainDrafter(settings, chat)


@pytest.mark.filterwarnings("ignore")
def test_a_real_small_model_says_nothing_that_no_source_holds_or_says_that_it_failed(
    chat: Transformers, drafter: LangChainDrafter
) -> None:
    conversation = asks("How do I restart the router?", "router")
    request = DraftRequest(
        conversation=conversation, message="How do I restart the router?", evidence=(article(STEPS),), language="en", sentiment="neutral"
    )  # fmt: skip
    try:
        made = [step for step in write(drafter, request) if isinstance(step, Draft)]
    except DrafterFailed as error:
        log.warning("no statement could be read: %s", error)
        made = []
    assert chat.said, "the model was not loaded"
    for draft in made:
        log.warning("the draft:\n%s\ndropped: %s", draft.text, draft.dropped)
        for one in draft.statements:
            assert (one.support == "no_claim") == (not one.citations)
            assert all(citation.quote in STEPS for citation in one.citations)


@pytest.mark.filterwarnings("ignore")
def test_with_a_real_small_model_the_agent_has_a_draft_whatever_it_writes(
    filled: Parts, drafter: LangChainDrafter
) -> None:
    filled.copilot._model = drafter  # the seam's own settings name no model that LangChain knows
    made = filled.copilot.suggest(AGENT, asks("How do I reset my password? The link does not work.", "password"))
    log.warning("%s: %s", made.status, made.draft and made.draft.text)
    assert made.status in ("drafted", "extractive")
    assert made.draft is not None
    assert all(one.citations or one.support == "no_claim" for one in made.draft.statements)
