"""Insights over a small company, through HTTP and the command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from starlette.testclient import TestClient
from typer.testing import CliRunner

from copilot.build import Parts, build
from copilot.domain import Conversation, Message, Principal
from copilot.settings import Settings
from copilot.store import schema as t
from ingest.erase import erase
from ingest.insights.claims import claim
from ingest.insights.proposals import Proposals, propose_job
from ingest.insights.report import Insights
from ingest.pipeline import Indexer
from tests.conftest import ADMIN, AGENT, asks, client_of, ingest, write_tickets

MANAGER = Principal(id="manager", workspace="default", roles=frozenset({"knowledge_manager"}))
OLD = "2021-03-01T00:00:00Z"
TILES = "Open Settings and choose Clear tiles. Then start the Orbita app again and the map loads anew."


def article(id: str, title: str, text: str, **head: str) -> str:
    lines = "".join(f"{name}: {value}\n" for name, value in {"doc_id": id, "title": title, **head}.items())
    return f"---\n{lines}---\n\n{text}\n"


ARTICLES = {
    "return": article(
        "return", "Return an item", "You can return unused items within 30 days of delivery. Print the label from the order page and drop "
        "the parcel at any parcel shop.", updated_at="2025-01-01T00:00:00Z",
    ),
    "return-again": article(
        "return-again", "How do I send something back?", "Unused items can be returned within 30 days of delivery. Print the label from the "
        "order page and drop the parcel at a parcel shop.", updated_at="2025-02-01T00:00:00Z",
    ),
    "summer": article("summer", "Summer offer", "Every second lamp is half price in our summer offer.", valid_until="2025-08-31T00:00:00Z"),
    "secret": article(
        "secret", "Return limits for agents", "You can return unused items within 45 days of delivery when the customer is KRAKATOA.",
        audience="internal", updated_at="2025-05-01T00:00:00Z",
    ),
    "walled": article(
        "walled", "Return an item, claims desk", "You can return unused items within 30 days of delivery. Print the label from the order page "
        "and drop the parcel at any parcel shop. ZIGGURAT.", audience="team:claims", updated_at="2025-05-02T00:00:00Z",
    ),
}  # fmt: skip


def ticket(id: str, subject: str, message: str, solution: str, customer: str = "c-9") -> dict[str, Any]:
    turn = {"role": "agent", "author": "Maud", "created": "2025-09-01 12:00:00 +0000", "text": solution}
    return {
        "ticket_id": id, "created": "2025-09-01 10:00:00 +0000", "customer": customer, "subject": subject, "message": message,
        "thread": [turn], "solution": solution, "status": "solved", "topic": "map",
    }  # fmt: skip


GREY = (
    ("map-1", "Map stays grey", "The map in the Orbita app stays grey and shows no tiles.", TILES, "c-1"),
    (
        "map-2",
        "Map is grey",
        "Since yesterday the map in the Orbita app is grey, no tiles at all.",
        f"{TILES} Tiles need 200 MB of room.",
        "c-2",
    ),
    (
        "map-3",
        "Grey map in the app",
        "My map in the Orbita app stays grey without any tiles.",
        "Choose Clear tiles in Settings, never Reset.",
        "c-3",
    ),
)
TICKETS = [
    *(ticket(*grey) for grey in GREY),
    ticket(
        "days", "Return after six weeks", "May I return unused items so late?",
        "Unused items can now be returned within 60 days of delivery, with the label from the order page.",
    ),
]  # fmt: skip


@pytest.fixture
def stocked(parts: Parts, tmp_path: Path) -> Parts:
    """A company with something wrong of each kind."""
    folder = tmp_path / "kb"
    folder.mkdir()
    for name, text in ARTICLES.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    write_tickets(folder / "tickets.jsonl", TICKETS)
    assert ingest(parts, folder).failed == 0
    return parts


@pytest.fixture
def http(stocked: Parts) -> Iterator[TestClient]:
    with client_of(stocked) as made:
        yield made


def quotes_hold(parts: Parts, found: Any) -> int:
    """Every quote in an answer is the stored words; how many there were."""
    if isinstance(found, list):
        return sum(quotes_hold(parts, one) for one in found)
    if not isinstance(found, dict):
        return 0
    if {"quote", "document_id", "revision"} <= found.keys():
        stored = parts.library.text("default", found["document_id"], found["revision"]).text
        assert stored[found["start"] : found["end"]] == found["quote"]
        return 1
    return sum(quotes_hold(parts, one) for one in found.values())


@pytest.mark.parametrize("kind", ["duplicates", "contradictions", "stale"])
def test_each_finding_shows_the_exact_words_it_rests_on(http: TestClient, stocked: Parts, kind: str) -> None:
    answer = http.get(f"/v1/insights/{kind}").json()
    assert answer["kind"] == kind
    assert answer["total"] == len(answer["items"]) > 0
    assert quotes_hold(stocked, answer["items"]) >= answer["total"]


def test_two_articles_that_say_the_same_are_named_once_the_newer_second(http: TestClient) -> None:
    pairs = [
        (one["first"]["document_id"], one["second"]["document_id"])
        for one in http.get("/v1/insights/duplicates").json()["items"]
    ]
    assert ("return", "return-again") in pairs
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)


def test_an_article_that_a_newer_ticket_contradicts_is_told_with_both_numbers(http: TestClient, stocked: Parts) -> None:
    found = http.get("/v1/insights/contradictions").json()["items"]
    (one,) = [
        one for one in found if one["article"]["document_id"] == "return" and one["against"]["document_id"] == "days"
    ]
    (differs,) = one["differs"]
    assert one["what"] == "number"
    assert (differs["article"]["quote"], differs["against"]["quote"]) == ("30 days", "60 days")
    text = stocked.library.text("default", "days").text
    assert text[differs["against"]["start"] : differs["against"]["end"]] == "60 days"


def test_the_same_store_gives_the_same_findings_byte_for_byte(stocked: Parts) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    again = [
        repr(Insights.of(stocked, ADMIN, at).contradictions(50)) + repr(Insights.of(stocked, ADMIN, at).duplicates(50))
        for _ in range(2)
    ]
    assert again[0] == again[1]


def test_a_teams_words_reach_nobody_outside_the_team(stocked: Parts) -> None:
    for who, sees in ((ADMIN, True), (MANAGER, False)):
        told = repr(
            [
                Insights.of(stocked, who).duplicates(50),
                Insights.of(stocked, who).contradictions(50),
                Insights.of(stocked, who).stale(50),
            ]
        )
        assert ("ZIGGURAT" in told or "walled" in told) is sees
    assert "default" not in repr(Insights.of(stocked, ADMIN).duplicates(50).index_revision)


def test_a_deleted_documents_findings_are_gone_when_the_call_returns(http: TestClient) -> None:
    assert "return-again" in http.get("/v1/insights/duplicates").text
    assert http.delete("/v1/documents/return-again").status_code == 204
    assert all(
        "return-again" not in http.get(f"/v1/insights/{kind}").text
        for kind in ("duplicates", "contradictions", "stale", "unused")
    )


def test_questions_without_an_answer_come_together_redacted_and_go_with_their_customer(
    http: TestClient, stocked: Parts
) -> None:
    for at, words in enumerate((
        "Do you sell gift cards for your shop?", "Can I buy a gift card for a friend in your shop? Mail me: anna.ruiz@example.com",
        "I would like to buy gift cards, do you sell them?", "Is my invoice paid in Danish crowns?",
    )):  # fmt: skip
        body = {
            "conversation": {
                "id": f"v-{at}",
                "customer": {"id": f"g-{at}", "name": "Anna Ruiz"},
                "messages": [{"author": "customer", "text": words}],
            }
        }
        assert http.post("/v1/suggestions", json=body).json()["status"] == "abstained"
    (gap,) = http.get("/v1/insights/gaps").json()["items"]
    assert gap["size"] == 3
    assert {"gift"} <= set(gap["terms"])
    assert "anna.ruiz@example.com" not in json.dumps(gap)
    assert "[email-1]" in json.dumps(gap)
    assert {one["conversation_id"] for one in gap["examples"]} == {"v-0", "v-1", "v-2"}
    erase(stocked, "default", "g-1")
    assert http.get("/v1/insights/gaps").json()["items"] == []


def test_a_gap_that_an_older_version_kept_without_its_vector_is_embedded_once(http: TestClient, stocked: Parts) -> None:
    for at in range(3):
        stocked.copilot.suggest(AGENT, asks("Do you sell gift cards in your shop?", id=f"w-{at}"))
        stocked.records.put_conversation("default", asks("Do you sell gift cards in your shop?", id=f"w-{at}"))
    with stocked.database.write() as connection:
        connection.execute(update(t.gaps).values(vector=None, embedder=None))
    assert Insights.of(stocked, ADMIN).gaps(5).total == 1
    with stocked.database.read() as connection:
        assert all(connection.execute(select(t.gaps.c.vector)).scalars())


def test_what_agents_report_is_a_gap_too_though_the_copilot_had_an_answer(http: TestClient) -> None:
    for at in range(3):
        words = "Until when can I return an unused item, and where is the label?"
        made = http.post("/v1/suggestions", json={"conversation": {"id": f"r-{at}", "messages": [{"text": words}]}})
        assert made.json()["abstention"] is None
        assert http.post(f"/v1/suggestions/{made.json()['id']}/gap", json={}).status_code == 200
    (gap,) = http.get("/v1/insights/gaps").json()["items"]
    assert (gap["size"], gap["nearest"]) == (3, [])
    assert http.get("/v1/insights").json()["counts"]["gaps"] == 1


def test_a_thread_that_was_edited_until_no_word_is_left_of_what_was_asked_is_no_gap(
    http: TestClient, stocked: Parts
) -> None:
    words = Message(text="Do you sell gift cards in your shop?")
    for at in range(4):
        body = {"conversation": {"id": f"g-{at}", "messages": [{"text": words.text}]}}
        assert http.post("/v1/suggestions", json=body).json()["status"] == "abstained"
    greeted = Conversation(id="g-3", messages=(Message(author="agent", text="Welcome!"), words))
    stocked.records.put_conversation("default", greeted)  # as by a stream whose client went away before its suggestion
    (gap,) = http.get("/v1/insights/gaps").json()["items"]
    assert {one["conversation_id"] for one in gap["examples"]} == {"g-0", "g-1", "g-2"}


def test_what_suggestions_rest_on_is_used_and_what_they_only_list_is_not(stocked: Parts) -> None:
    made = stocked.copilot.suggest(AGENT, asks("Until when can I return an unused item, and where is the label?"))
    cited = {c.document_id for s in (made.draft.statements if made.draft else ()) for c in s.citations}
    assert cited
    with stocked.database.read() as connection:
        used = set(connection.execute(select(t.mentions.c.document_id).where(t.mentions.c.used)).scalars())
        listed = set(connection.execute(select(t.mentions.c.document_id)).scalars())
    assert cited <= used < listed


def test_an_article_that_many_suggestions_passed_by_is_unused_until_one_rests_on_it(stocked: Parts) -> None:
    later, made = (
        datetime.now(UTC) + timedelta(days=200),
        stocked.copilot.suggest(AGENT, asks("May I return an unused item?")),
    )
    row = {
        "workspace": "default",
        "conversation": "x",
        "status": "abstained",
        "body": {},
        "created_at": datetime.now(UTC),
    }
    with stocked.database.write() as connection:
        connection.execute(insert(t.suggestions), [{"id": f"s-{at}", **row} for at in range(25)])
    unused = {one.document.document_id for one in Insights.of(stocked, ADMIN, later).unused(50).items}
    assert "return" not in unused or "return-again" not in unused
    assert made.draft is not None
    with stocked.database.write() as connection:
        connection.execute(
            insert(t.mentions), [{"suggestion": "s-1", "document_id": id, "used": True} for id in unused]
        )
    assert Insights.of(stocked, ADMIN, later).unused(50).total == 0


def test_the_command_lists_a_kind_for_a_person_and_all_counts_for_a_program(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer import Typer

    from ingest.insights.commands import register

    made = build(settings)
    (tmp_path / "kb").mkdir()
    for name in ("return", "return-again"):
        (tmp_path / "kb" / f"{name}.md").write_text(ARTICLES[name], encoding="utf-8")
    ingest(made, tmp_path / "kb")
    made.close()
    monkeypatch.setenv("COPILOT_HOME", str(settings.home))
    app = Typer()
    register(app)
    app.command()(lambda: None)
    listed = CliRunner().invoke(app, ["insights", "duplicates"])
    assert listed.exit_code == 0, listed.output
    assert "How do I send something back?" in listed.output
    counts = json.loads(CliRunner().invoke(app, ["insights", "--json"]).output)["counts"]
    assert counts == {"gaps": 0, "duplicates": 1, "contradictions": 0, "stale": 0, "unused": 0, "proposals": 0}


# ---- proposals ----


@pytest.fixture
def queue(http: TestClient, stocked: Parts) -> dict[str, Any]:
    """The one proposal that the company's tickets give."""
    job = stocked.jobs.get("default", http.post("/v1/proposals").json()["id"])
    assert propose_job(stocked, job, lambda progress: None) == {"proposed": 1}
    assert propose_job(stocked, job, lambda progress: None) == {"proposed": 0}
    (one,) = http.get("/v1/proposals").json()["items"]
    assert isinstance(one, dict)
    return one


def test_a_proposal_is_the_tickets_own_words_each_stretch_cited(queue: dict[str, Any], stocked: Parts) -> None:
    assert {one["document_id"] for one in queue["sources"]} <= {"map-1", "map-2", "map-3"}
    assert quotes_hold(stocked, queue) == len(queue["statements"]) > 1
    for one in queue["statements"]:
        assert queue["text"][one["start"] : one["end"]] == one["citations"][0]["quote"]
    covered = "".join(queue["text"][one["start"] : one["end"]] for one in queue["statements"])
    assert "".join(queue["text"].split()) == "".join(covered.split())


def test_an_approved_proposal_is_an_article_and_a_withdrawn_one_waits_again(
    http: TestClient, queue: dict[str, Any]
) -> None:
    approved = http.post(f"/v1/proposals/{queue['id']}/approve", json={"title": "Grey map"}).json()
    assert approved["state"] == "approved"
    read = http.get(f"/v1/documents/{approved['document_id']}").json()
    assert (read["document"]["title"], read["text"]) == ("Grey map", queue["text"])
    found = http.get("/v1/search", params={"q": "grey map clear tiles", "kind": "article"}).json()["results"]
    assert found[0]["document_id"] == approved["document_id"]
    back = http.post(f"/v1/proposals/{queue['id']}/withdraw").json()
    assert (back["state"], back["document_id"], back["text"]) == ("waiting", None, queue["text"])
    assert http.get(f"/v1/documents/{approved['document_id']}").status_code == 404


def test_what_a_team_made_of_a_proposal_is_the_teams(queue: dict[str, Any], stocked: Parts) -> None:
    keys = {
        team: {"Authorization": f"Bearer {stocked.accounts.create('default', ['knowledge_manager'], (team,))[1]}"}
        for team in ("claims", "sales")
    }
    path, wanted = f"/v1/proposals/{queue['id']}", {"title": "OBSIDIAN map", "audience": "team:claims"}
    with client_of(stocked) as client:
        assert client.post(f"{path}/approve", json=wanted, headers=keys["sales"]).status_code == 403
        made = client.post(f"{path}/approve", json=wanted, headers=keys["claims"]).json()
        assert made["state"] == "approved"
        assert client.get("/v1/proposals", headers=keys["sales"]).json()["items"] == []
        for act in ("approve", "reject", "withdraw"):
            assert client.post(f"{path}/{act}", json={}, headers=keys["sales"]).status_code == 404
        assert client.get(f"/v1/documents/{made['document_id']}", headers=keys["claims"]).status_code == 200
        assert client.post(f"{path}/withdraw", headers=keys["claims"]).json()["state"] == "waiting"
        assert len(client.get("/v1/proposals", headers=keys["sales"]).json()["items"]) == 1


def test_deleting_a_ticket_takes_its_words_out_of_the_article_and_the_proposal(
    http: TestClient, queue: dict[str, Any], stocked: Parts
) -> None:
    approved = http.post(f"/v1/proposals/{queue['id']}/approve", json={}).json()
    gone = queue["statements"][0]["citations"][0]
    assert http.delete(f"/v1/documents/{gone['document_id']}").status_code == 204
    assert http.get(f"/v1/documents/{approved['document_id']}").status_code == 404
    assert gone["quote"] not in http.get("/v1/search", params={"q": "grey map clear tiles"}).text.replace(TILES, "")
    (left,) = http.get("/v1/proposals").json()["items"]
    assert left["state"] == "waiting"
    assert gone["document_id"] not in json.dumps(left)


def test_erasing_the_customers_leaves_no_proposal(http: TestClient, queue: dict[str, Any], stocked: Parts) -> None:
    http.post(f"/v1/proposals/{queue['id']}/approve", json={})
    for customer in ("c-1", "c-2", "c-3"):
        erase(stocked, "default", customer)
    assert http.get("/v1/proposals").json() == {"total": 0, "items": []}
    assert "Clear tiles" not in http.get("/v1/search", params={"q": "Clear tiles"}).text


def test_a_rejected_proposal_stays_out_until_it_is_taken_back(http: TestClient, queue: dict[str, Any]) -> None:
    rejected = http.post(f"/v1/proposals/{queue['id']}/reject", json={"reason": "in the manual"}).json()
    assert (rejected["state"], rejected["reason"]) == ("rejected", "in the manual")
    assert http.post(f"/v1/proposals/{queue['id']}/approve", json={}).status_code == 409
    assert http.post(f"/v1/proposals/{queue['id']}/withdraw").json()["state"] == "waiting"
    assert http.post(f"/v1/proposals/{queue['id']}/withdraw").status_code == 409


def test_an_unknown_proposal_and_another_workspaces_are_404(
    http: TestClient, queue: dict[str, Any], stocked: Parts
) -> None:
    assert http.post("/v1/proposals/p-nothing/reject", json={}).status_code == 404
    Indexer(stocked).begin("other", "x", summary=_summary())
    assert (
        http.post(f"/v1/proposals/{queue['id']}/reject", json={}, headers={"X-Workspace": "other"}).status_code == 404
    )


def test_an_article_made_of_internal_tickets_is_never_public(parts: Parts, tmp_path: Path) -> None:
    write_tickets(tmp_path / "t.jsonl", [{**row, "audience": "internal"} for row in TICKETS[:3]])
    ingest(parts, tmp_path / "t.jsonl")
    proposals = Proposals(parts)
    assert proposals.propose(ADMIN) == 1
    (one,) = proposals.list(ADMIN)
    made = proposals.approve(ADMIN, one.id, audience="public")
    assert parts.library.text("default", made.document_id or "").document.audience == "internal"


def _summary() -> Any:
    from ingest.summary import Summary

    return Summary()


# ---- facts with their places ----


@pytest.mark.parametrize(
    ("text", "type", "value", "words"),
    [
        ("Refunds arrive within 14 working days.", "amount:s", "1.2096e+06", "14 working days"),
        ("Your refund takes two weeks.", "amount:s", "1.2096e+06", "two weeks"),
        ("A file may have 1.5 GB.", "amount:mb", "1500", "1.5 GB"),
        ("It costs €1,500.50 a year.", "amount:€", "1500.5", "€1,500.50"),
        ("We close on 31 August 2025.", "date", "2025-08-31", "31 August 2025"),
        ("We close at 6 pm.", "time", "18:00", "6 pm"),
        ("The bridge needs firmware 2.4 or newer.", "version:", "2.4", "firmware 2.4"),
        (
            "Go to Settings > Privacy > Backup and switch it on.",
            "path",
            "settings>privacy>backup",
            "Settings > Privacy > Backup",
        ),
        ("1. Hold the button for five seconds.", "amount:s", "5", "five seconds"),
    ],
)
def test_a_fact_is_read_in_one_spelling_and_keeps_its_place(text: str, type: str, value: str, words: str) -> None:
    (fact,) = [fact for fact in claim(text).facts if fact.type == type]
    assert (fact.value, text[fact.start : fact.end]) == (value, words)
