"""The demo company is whole, coherent, and what its labels say."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import frontmatter
import pytest
import yaml

from copilot.assist import Copilot
from copilot.build import Parts
from copilot.domain import Conversation, Customer, Message, Source
from copilot.errors import NotKnowledge
from copilot.intents import IntentHead, intent_key
from copilot.ports import Embedder, Raw
from copilot.taxonomy import intent_examples
from ingest.demo import FOLDER
from ingest.load import Reading, scan
from tests.conftest import AGENT, ingest

ARTICLES = {file.stem: frontmatter.load(str(file)) for file in sorted((FOLDER / "articles").glob("*.md"))}
TICKETS = [
    json.loads(line)
    for file in sorted((FOLDER / "tickets").glob("*.jsonl"))
    for line in file.read_text(encoding="utf-8").splitlines()
]
INCOMING = [
    json.loads(line) for line in (FOLDER / "incoming" / "incoming.jsonl").read_text(encoding="utf-8").splitlines()
]


def test_it_is_large_enough_to_show() -> None:
    audiences = Counter(post["audience"] for post in ARTICLES.values())
    assert len(ARTICLES) >= 40
    assert audiences["public"] >= 30
    assert audiences["internal"] >= 10
    assert len(list((FOLDER / "macros").glob("*.md"))) == 12
    assert sum(ticket["status"] == "solved" for ticket in TICKETS) >= 150
    assert {ticket["channel"] for ticket in TICKETS} == {"email", "chat", "phone", "social", "form"}
    assert sum(ticket["status"] != "solved" for ticket in TICKETS) >= 15
    assert len(INCOMING) == 60


def test_every_link_and_label_points_to_something_that_exists() -> None:
    public = {id for id, post in ARTICLES.items() if post["audience"] == "public"}
    labels = {
        intent["label"] for intent in yaml.safe_load((FOLDER / "taxonomy.yaml").read_text(encoding="utf-8"))["intents"]
    }
    for ticket in TICKETS:
        assert set(ticket["cited_docs"]) <= public, ticket["ticket_id"]
    for case in INCOMING:
        assert set(case["gold_docs"]) <= public, case["id"]
        assert case["intent"] in labels | {"other"}, case["id"]
        assert bool(case["gold_docs"]) == case["answerable"], case["id"]
        assert bool(case["escalate_reason"]) == case["escalate"], case["id"]


def test_each_solution_is_a_public_turn_word_for_word() -> None:
    for ticket in TICKETS:
        if ticket["status"] == "solved":
            public = [turn["text"] for turn in ticket["thread"] if turn.get("visibility", "public") == "public"]
            assert ticket["solution"] in public, ticket["ticket_id"]


def test_no_ticket_that_is_not_solved_becomes_an_answer_and_no_private_turn_gets_in() -> None:
    private = {turn["text"] for ticket in TICKETS for turn in ticket["thread"] if turn.get("visibility") == "private"}
    sources = [source for raw in scan(FOLDER / "tickets", Reading()) if (source := _parsed(raw)) is not None]
    solved = {ticket["ticket_id"] for ticket in TICKETS if ticket["status"] == "solved"}
    assert {source.document.id for source in sources if source.use == "answers"} <= solved
    assert len(private) >= 30
    for source in sources:
        assert not any(note in source.text for note in private)


def _parsed(raw: Any) -> Source | None:
    assert isinstance(raw, Raw), raw
    try:
        return raw.read()
    except NotKnowledge:
        return None


def test_its_shipped_head_belongs_to_its_taxonomy(embedder: Embedder) -> None:
    key = intent_key(intent_examples(FOLDER / "taxonomy.yaml"), embedder)
    assert IntentHead.load(FOLDER / "intents.npz", key) is not None


@pytest.fixture(scope="module")
def tarnbrook(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    from copilot.build import build
    from copilot.settings import Settings

    made = build(Settings(home=tmp_path_factory.mktemp("tarnbrook"), taxonomy=FOLDER / "taxonomy.yaml"))
    for name in ("articles", "macros", "tickets"):
        assert ingest(made, FOLDER / name).failed == 0
    return made


def test_most_of_what_it_can_answer_is_answered_and_most_of_the_rest_is_not(tarnbrook: Parts) -> None:
    made = [(case, _suggest(tarnbrook.copilot, case)) for case in INCOMING]
    drafted = [suggestion.draft is not None for case, suggestion in made if case["answerable"]]
    refused = [suggestion.draft is None for case, suggestion in made if not case["answerable"]]
    found = [
        bool(set(case["gold_docs"]) & {hit.document_id for hit in suggestion.passages[:5]})
        for case, suggestion in made
        if case["answerable"]
    ]
    assert sum(drafted) / len(drafted) >= 0.8
    assert sum(refused) / len(refused) >= 0.7
    assert sum(found) / len(found) >= 0.75


def test_no_draft_quotes_what_customers_must_never_see(tarnbrook: Parts) -> None:
    hidden = {id for id, post in ARTICLES.items() if post["audience"] != "public"}
    for case in INCOMING:
        draft = _suggest(tarnbrook.copilot, case).draft
        cited = {c.document_id for statement in draft.statements for c in statement.citations} if draft else set()
        assert not cited & hidden, case["id"]


def _suggest(copilot: Copilot, case: dict[str, Any]) -> Any:
    messages = tuple(Message(author=turn["author"], text=turn["text"]) for turn in case["messages"])
    customer = Customer(name=case["customer"].get("name"), locale=case["customer"].get("locale"))
    return copilot.suggest(
        AGENT, Conversation(channel=case["channel"], subject=case["subject"], customer=customer, messages=messages)
    )
