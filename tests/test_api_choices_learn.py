"""Forty choices on the demo company: what agents put right is learned, what they reject sinks, an evaluation shows both, and both are undone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import mean
from typing import Any

import pytest
from starlette.testclient import TestClient

import ingest.demo
from copilot.build import Parts, build
from copilot.settings import Settings
from eval.cases import Case
from eval.desk import ProcessDesk, ask_all
from eval.run import measure
from eval.stats import score
from eval.train_intents import train_intents
from eval.train_ranking import train_ranking
from ingest.load import Reading
from ingest.pipeline import Indexer
from tests.conftest import asks, client_of

INTENT = "product_question"
OLD, NEW = "returns-policy-2024", "returns-and-refunds"
INSURANCE = [
    f"{ask}.{more}"
    for ask, more in product(
        (
            "My insurer wants a paper that says the Sluice is fitted",
            "The insurance company asks for proof of a shut-off valve",
            "I need a letter about the leak detector for my home insurance",
            "The broker wants something in writing about the water alarm",
            "My policy gets cheaper if you confirm that it is installed",
        ),
        ("", " Can you send it?", " They ask by Friday.", " What do I give them?"),
    )
]
RETURNS = [
    f"{ask}?{more}"
    for ask, more in product(
        (
            "How many days after delivery may I return it", "What does a return cost me", "Who pays the postage when I send my order back",
            "How do I return my order", "Can I send my order back after two weeks",
        ),
        ("", " It is unopened.", " I changed my mind.", " I bought it in your shop."),
    )
]  # fmt: skip
CASES = [
    Case(id=f"insurance-{n}", conversation=asks(text), intent=INTENT)
    for n, text in enumerate((
        "The insurance agent wants a document that shows our house is protected.",
        "Allianz needs a statement from you about the detectors before they lower my premium.",
        "Could you write to my insurer that I have your leak protection?",
        "For the household insurance I must hand in evidence of the alarm.",
        "My insurer will not give the discount without paperwork on the valve.",
        "What do I show the insurance people to prove that I have it?",
    ))
] + [
    Case(id=f"return-{n}", conversation=asks(text), gold_docs=(NEW,))
    for n, text in enumerate((
        "Do I have to pay for shipping a return?", "Until when can I send the order back?", "Is returning my order free?",
        "How long may I take to decide to send it back?", "What is the deadline for a return?",
        "Do you refund me if I return it after 20 days?",
    ))
]  # fmt: skip


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """The demo company's articles, for agents who choose; somebody touched the outdated one lately, so that its date does not give it away."""
    home = tmp_path_factory.mktemp("choosing")
    articles = shutil.copytree(ingest.demo.FOLDER / "articles", home / "articles")
    outdated = articles / f"{OLD}.md"
    outdated.write_text(re.sub(r"(?m)^updated_at: .*$", "updated_at: 2026-06-24", outdated.read_text("utf-8")), "utf-8")
    made = build(Settings(home=home / "home", taxonomy=ingest.demo.FOLDER / "taxonomy.yaml", exact=True))
    Indexer(made).ingest("default", articles, Reading())
    yield made
    made.close()


@dataclass(frozen=True)
class Figures:
    """An evaluation of messages that no agent has seen: intents right, and how near the top the right and the outdated article are."""

    intents: float
    right_article: float
    outdated: float


def evaluated(parts: Parts) -> Figures:
    outcomes = ask_all(ProcessDesk(parts, "default"), CASES, quiet)
    metrics = {one.name: one for one in measure(("triage", "retrieval"), outcomes, parts.embedder, quiet)}
    value = {
        name: score(metrics[name], 7, 200).value for name in ("triage.intent.accuracy", "retrieval.article.mrr@10")
    }
    returns = [outcome.ranked["article"] for outcome in outcomes if outcome.case.gold_docs]
    return Figures(
        value["triage.intent.accuracy"],
        value["retrieval.article.mrr@10"],
        mean(1 / (1 + ranked.index(OLD)) if OLD in ranked else 0.0 for ranked in returns),
    )


def quiet(stage: str, done: int, total: int) -> None:
    """Nobody watches."""


def chosen(client: TestClient, text: str, intent: str | None = None) -> str:
    """An agent's choice on a message, over HTTP: a draft that repeats the outdated policy is rejected, any other is accepted."""
    made: dict[str, Any] = client.post("/v1/suggestions", json={"conversation": {"messages": [{"text": text}]}}).json()
    statements: Sequence[dict[str, Any]] = made["draft"]["statements"] if made["draft"] else ()
    cited = {citation["document_id"] for one in statements for citation in one["citations"]}
    verdict = "rejected" if OLD in cited or not cited else "accepted"
    told = {"verdict": verdict, "corrected": {"intent": intent} if intent else {}}
    client.post(f"/v1/suggestions/{made['id']}/feedback", json=told).raise_for_status()
    return verdict


def test_after_forty_choices_an_intent_is_learned_and_a_rejected_source_sinks(company: Parts) -> None:
    before = evaluated(company)
    with client_of(company) as client:
        for text in INSURANCE:
            chosen(client, text, INTENT)
        verdicts = [chosen(client, text) for text in RETURNS]
        assert verdicts.count("rejected") >= 10
    intents, ranking = train_intents(company, "default"), train_ranking(company, "default")
    assert intents.switched, intents.why
    assert ranking.switched, ranking.why
    after = evaluated(company)
    assert before.intents < 0.5 < 0.8 <= after.intents, (before, after)
    assert after.outdated < before.outdated, (before, after)
    assert after.right_article > before.right_article, (before, after)

    company.trained.undo("default", "intents")
    company.trained.undo("default", "ranking")
    assert evaluated(company) == before
