"""LangChain's own standard tests, and our promises through its door."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.retrievers import BaseRetriever
from langchain_tests.integration_tests import RetrieversIntegrationTests

from copilot.adapters.langchain import CopilotRetriever
from copilot.build import Parts
from tests.conftest import ADMIN, AGENT


class TestStandard(RetrieversIntegrationTests):
    parts: Parts

    @pytest.fixture(autouse=True)
    def _give_parts(self, filled: Parts) -> None:
        self.parts = filled

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return CopilotRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"retriever": self.parts.retriever, "principal": ADMIN}

    @property
    def retriever_query_example(self) -> str:
        return "folder messages password refund"


def test_a_document_carries_the_place_of_its_words(filled: Parts) -> None:
    found = CopilotRetriever(retriever=filled.retriever, principal=AGENT, k=1).invoke(
        "how long is the reset link valid"
    )
    (document,) = found
    text = filled.library.text("default", document.metadata["document_id"], document.metadata["revision"]).text
    assert text[document.metadata["start"] : document.metadata["end"]] == document.page_content
    assert "30 minutes" in document.page_content
