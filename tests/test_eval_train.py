"""What is learned from a workspace: checked on what was held out, put in force at once, taken back at once, gone with what taught it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from copilot.build import Parts, build
from copilot.choices import Corrected, Feedback
from copilot.domain import Suggestion, Verdict
from copilot.errors import Conflict, InputError, NotFound
from copilot.retrieve import Query
from copilot.settings import Settings
from copilot.store.customers import Customers
from copilot.store.records import Records
from copilot.store.trained import Lesson, TrainedStore
from eval.train_commands import register, trained
from eval.train_intents import train_intents
from eval.train_ranking import train_ranking
from ingest.pipeline import Indexer
from tests.conftest import AGENT, asks, ingest, write_company, write_tickets
from tests.test_copilot_triage import SMALL

W = "default"
START = datetime(2025, 1, 1, 9, tzinfo=UTC)
PARCELS = ["the courier lost my box", "my box never came", "box still missing after a week", "nobody brought my box"]
SIGNS = ["the PIN pad says no", "my PIN is refused", "PIN pad locked me out", "the pad wants another PIN"]
TABLES = {
    "cables": ("Cables and plugs", "Use the cable with the yellow plug. Push it in until it clicks."),
    "lamps": ("Lamps and bulbs", "Turn the bulb to the left and take it out. Put the new one in."),
}


@pytest.fixture
def stocked(tmp_path: Path) -> Iterator[Parts]:
    """A workspace with the small company in it, and its own taxonomy."""
    (tmp_path / "taxonomy.yaml").write_text(SMALL, encoding="utf-8")
    made = build(Settings(home=tmp_path / "home", taxonomy=tmp_path / "taxonomy.yaml", exact=True))
    folder = tmp_path / "company"
    folder.mkdir()
    ingest(made, write_company(folder))
    yield made
    made.close()


def labelled(folder: Path, **of: Sequence[str]) -> Path:
    """A file of messages by label, a day apart, the labels taking turns."""
    rows = [
        {"id": f"m-{n}-{label}", "message": text, "intent": label, "created": (START + timedelta(days=n)).isoformat()}
        for label, texts in of.items()
        for n, text in enumerate(texts)
    ]
    file = folder / "labelled.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def intent(parts: Parts, text: str, before: datetime | None = None) -> str:
    from copilot.domain import Options

    return parts.copilot.suggest(AGENT, asks(text), Options(before=before)).triage.intent.label


# ---- the store ----


def test_the_highest_active_number_is_in_force_and_undoing_goes_back(stocked: Parts) -> None:
    store, clock = stocked.trained, stocked.library.clock(W)
    for words in (b"one", b"two"):
        store.keep(W, Lesson(kind="ranking", payload=words, figures={}), active=True)
    store.keep(W, Lesson(kind="ranking", payload=b"three", figures={"cases": 3}), active=False)
    assert [(one.number, one.state, one.in_force) for one in store.all(W)] == [
        (3, "candidate", False), (2, "active", True), (1, "active", False),
    ]  # fmt: skip
    assert store.undo(W, "ranking") == 1
    assert store.undo(W, "ranking") is None
    with pytest.raises(NotFound, match="as shipped"):
        store.undo(W, "ranking")
    assert [(one.number, one.why) for one in store.switches(W)] == [
        (1, "trained"),
        (2, "trained"),
        (1, "undone"),
        (None, "undone"),
    ]
    assert int(stocked.library.clock(W)) == int(clock) + 4, "each switch is an index revision of its own"


def test_nothing_is_kept_of_what_was_deleted_while_it_was_learned(stocked: Parts) -> None:
    with pytest.raises(Conflict, match="deleted meanwhile"):
        stocked.trained.keep(
            W, Lesson(kind="ranking", payload=b"x", figures={}, basis=frozenset({"document/999"})), active=True
        )


def test_what_a_deleted_ticket_taught_goes_with_it_and_the_one_before_is_in_force(stocked: Parts) -> None:
    store, key = stocked.trained, stocked.ledger.key(W, "t-1")
    store.keep(W, Lesson(kind="ranking", payload=b"old", figures={}), active=True)
    kept = store.keep(
        W, Lesson(kind="ranking", payload=b"new", figures={}, basis=frozenset({f"document/{key}"})), active=True
    )
    Indexer(stocked).retire(W, ["t-1"])
    assert store.payload(W, kept) == b""
    assert [(one.number, one.state, one.in_force) for one in store.all(W)] == [
        (2, "dropped", False),
        (1, "active", True),
    ]
    assert store.switches(W)[-1].why == "deleted"


def test_workspaces_learn_apart(stocked: Parts) -> None:
    stocked.trained.keep(W, Lesson(kind="ranking", payload=b"x", figures={}), active=True)
    assert stocked.trained.all("other") == []
    with pytest.raises(NotFound, match="no workspace"):
        stocked.trained.keep("other", Lesson(kind="ranking", payload=b"x", figures={}), active=True)


# ---- intents ----


def test_labelled_messages_teach_what_the_taxonomy_does_not_say(stocked: Parts, tmp_path: Path) -> None:
    file = labelled(tmp_path, delivery=PARCELS, account=SIGNS)
    asked = "PIN refused at the pad"
    first = intent(stocked, asked)
    found = train_intents(stocked, W, file)
    assert found.switched, found.why
    assert intent(stocked, asked) == "account" != first
    made = stocked.copilot.suggest(AGENT, asks(asked))
    assert made.provenance.trained == ("intents 1",)
    assert {one.name: one.n for one in found.checks} == {"held out": 2, "shipped": 6}


def test_undoing_intents_brings_the_old_answer_back(stocked: Parts, tmp_path: Path) -> None:
    asked = "PIN refused at the pad"
    first = stocked.copilot.suggest(AGENT, asks(asked)).triage
    train_intents(stocked, W, labelled(tmp_path, delivery=PARCELS, account=SIGNS))
    stocked.trained.undo(W, "intents")
    again = stocked.copilot.suggest(AGENT, asks(asked))
    assert (again.triage, again.provenance.trained) == (first, ())


def test_a_message_is_never_read_by_what_was_learned_after_it(stocked: Parts, tmp_path: Path) -> None:
    asked = "PIN refused at the pad"
    first = intent(stocked, asked)
    train_intents(stocked, W, labelled(tmp_path, delivery=PARCELS, account=SIGNS))
    assert intent(stocked, asked, before=START + timedelta(days=1)) == first
    assert intent(stocked, asked, before=START + timedelta(days=30)) == "account"


def test_labels_that_lie_are_not_put_in_force(stocked: Parts, tmp_path: Path) -> None:
    sound = [
        "where is the parcel now",
        "has my parcel arrived",
        "when does the parcel come",
        "parcel delivery date please",
    ]
    signs = ["forgot the password again", "I cannot log in", "login refuses my password", "password forgotten, help"]
    lying = [*sound[:3], "parcel not delivered yet"], [*signs[:3], "still cannot sign in"]
    rows = labelled(tmp_path, account=lying[0], delivery=lying[1]).read_text().splitlines()
    told = [json.loads(row) for row in rows]
    for row in told:  # the newest are labelled rightly: they are held out
        if "-3-" in row["id"]:
            row["intent"] = "delivery" if row["intent"] == "account" else "account"
    (tmp_path / "lying.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told), encoding="utf-8")
    found = train_intents(stocked, W, tmp_path / "lying.jsonl")
    assert not found.switched
    assert "before" in found.why
    assert found.trained.state == "candidate"
    assert stocked.copilot.suggest(AGENT, asks("where is my parcel")).provenance.trained == ()


def test_a_label_that_the_taxonomy_lacks_is_refused_by_name(stocked: Parts, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'poetry'"):
        train_intents(stocked, W, labelled(tmp_path, poetry=["a sonnet please"]))


def test_without_anything_labelled_it_says_what_to_give(stocked: Parts) -> None:
    with pytest.raises(InputError, match="--labelled"):
        train_intents(stocked, W)


def test_training_twice_on_the_same_proves_nothing_and_says_so(stocked: Parts, tmp_path: Path) -> None:
    file = labelled(tmp_path, delivery=PARCELS, account=SIGNS)
    train_intents(stocked, W, file)
    with pytest.raises(InputError, match="nothing is new"):
        train_intents(stocked, W, file)


def put_right(parts: Parts, text: str, label: str, customer: str = "c-9") -> Suggestion:
    """An agent answers a message of a kept conversation and corrects its intent."""
    from copilot.domain import Customer

    records = Records(parts.database)
    conversation = records.keep_conversation(W, asks(text, customer=Customer(id=customer)))
    made = parts.copilot.suggest(AGENT, conversation)
    given = Feedback(verdict="rejected", corrected=Corrected(intent=label))
    records.keep_feedback(W, made.id, AGENT.id, given, 1.0)
    return made


def test_corrections_teach_and_go_with_the_customer_who_wrote_them(stocked: Parts) -> None:
    for text in SIGNS:
        put_right(stocked, text, "account")
    found = train_intents(stocked, W)
    assert found.switched, found.why
    assert found.trained.figures["corrections"] == len(SIGNS)
    assert intent(stocked, "PIN refused at the pad") == "account"
    Customers(stocked.database).forget(W, "c-9")
    assert stocked.trained.all(W)[0].state == "dropped"
    assert stocked.copilot.suggest(AGENT, asks("PIN refused at the pad")).provenance.trained == ()


def test_a_workspace_may_have_a_taxonomy_of_its_own(stocked: Parts) -> None:
    other = SMALL.replace("label: delivery", "label: shipping")
    stocked.trained.keep(W, Lesson(kind="taxonomy", payload=other.encode(), figures={}), active=True)
    assert intent(stocked, "my package is late, where is it") == "shipping"
    assert stocked.copilot.intents(W) == ("shipping", "account", "other")
    stocked.trained.undo(W, "taxonomy")
    assert intent(stocked, "my package is late, where is it") == "delivery"


def test_a_new_taxonomy_puts_the_old_ones_head_out_of_force(stocked: Parts, tmp_path: Path) -> None:
    train_intents(stocked, W, labelled(tmp_path, delivery=PARCELS, account=SIGNS))
    other = SMALL.replace("label: delivery", "label: shipping")
    stocked.trained.keep(W, Lesson(kind="taxonomy", payload=other.encode(), figures={}), active=True)
    assert stocked.copilot.suggest(AGENT, asks("where is my parcel")).provenance.trained == ("taxonomy 1",)


# ---- ranking ----


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Parts]:
    """Two articles whose words say little, and sixty cases that were answered with one of them."""
    made = build(Settings(home=tmp_path / "home", exact=True))
    folder = tmp_path / "docs"
    folder.mkdir()
    for id, (title, text) in TABLES.items():
        head = f"---\ndoc_id: {id}\ntitle: {title}\nurl: https://help.example/{id}\n---\n\n"
        (folder / f"{id}.md").write_text(f"{head}{text}\n", encoding="utf-8")
    write_tickets(folder / "tickets.jsonl", [case(n) for n in range(60)])
    ingest(made, folder)
    yield made
    made.close()


def case(n: int) -> dict[str, Any]:
    about = ("cables", "lamps")[n % 2]
    words = ("The power lead is loose again", "It is dark in the hall again")[n % 2]
    at = START + timedelta(days=n)
    return {
        "ticket_id": f"w-{n}", "created": f"{at:%Y-%m-%d %H:%M:%S} +0000", "subject": words, "message": f"{words}, number {n}.",
        "thread": [{"role": "agent", "author": "Tom", "created": f"{at + timedelta(hours=2):%Y-%m-%d %H:%M:%S} +0000",
                    "text": f"Please read https://help.example/{about}"}],
        "status": "open", "solution": "", "cited_docs": [about],
    }  # fmt: skip


def ranked(parts: Parts, text: str) -> list[str]:
    return [hit.document_id for hit in parts.retriever.search(AGENT, Query(text=text, kinds=("article",))).results]


def test_ranking_is_learned_checked_and_undone(workshop: Parts) -> None:
    first = workshop.retriever.search(AGENT, Query(text="The lead is loose", kinds=("article",))).results
    found = train_ranking(workshop, W)
    assert found.switched, found.why
    assert found.checks[0].no_worse
    assert found.trained.trained_until is not None
    assert workshop.copilot.suggest(AGENT, asks("The lead is loose")).provenance.trained == ("ranking 1",)
    assert workshop.trained.undo(W, "ranking") is None
    assert workshop.retriever.search(AGENT, Query(text="The lead is loose", kinds=("article",))).results == first


def test_the_same_cases_teach_the_same_ranking(workshop: Parts) -> None:
    one, two = train_ranking(workshop, W), train_ranking(workshop, W)
    assert workshop.trained.payload(W, one.trained) == workshop.trained.payload(W, two.trained)


def test_nothing_to_learn_from_is_said(stocked: Parts) -> None:
    with pytest.raises(InputError, match="50 cases"):
        train_ranking(stocked, W)


def judge(parts: Parts, text: str, verdict: Verdict) -> None:
    records = Records(parts.database)
    conversation = records.keep_conversation(W, asks(text))
    made = parts.copilot.suggest(AGENT, conversation)
    assert made.draft is not None
    records.keep_feedback(W, made.id, AGENT.id, Feedback(verdict=verdict), 0.0)


def test_a_source_that_is_often_rejected_sinks_and_by_no_more_than_a_bound(workshop: Parts) -> None:
    asked = "How do I change the bulb of a lamp with the cable?"
    before = {
        hit.document_id: hit for hit in workshop.retriever.search(AGENT, Query(text=asked, kinds=("article",))).results
    }
    for n in range(12):
        judge(workshop, f"How do I put in a new bulb, number {n}?", "rejected")
    found = train_ranking(workshop, W)
    assert found.switched, found.why
    ranking = workshop.learned.ranking(W, workshop.library.clock(W), None)
    assert ranking is not None
    assert 0.5 < ranking.disliked["lamps"] < 1
    assert 0 < ranking.weights.disliked <= 0.3
    after = {
        hit.document_id: hit for hit in workshop.retriever.search(AGENT, Query(text=asked, kinds=("article",))).results
    }
    fell = {id: after[id].score - before[id].score for id in after}
    assert fell["lamps"] < fell["cables"]


# ---- commands ----


def test_the_commands_list_and_undo(stocked: Parts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import typer

    stocked.trained.keep(W, Lesson(kind="ranking", payload=b"x", figures={"cases.after": 0.5}), active=True)
    monkeypatch.setenv("COPILOT_HOME", str(tmp_path / "home"))
    app = typer.Typer()
    register(app)
    listed = CliRunner().invoke(app, ["train", "list", "--json"])
    assert [one["number"] for one in json.loads(listed.stdout)["trained"]] == [1]
    assert "as shipped" in CliRunner().invoke(app, ["train", "undo", "ranking"]).stdout
    assert isinstance(CliRunner().invoke(app, ["train", "undo", "poetry"]).exception, InputError)
    (tmp_path / "mine.yaml").write_text(SMALL.replace("delivery", "shipping"), encoding="utf-8")
    assert "taxonomy 1 is in force" in CliRunner().invoke(app, ["taxonomy", "set", str(tmp_path / "mine.yaml")]).stdout
    assert "label: shipping" in CliRunner().invoke(app, ["taxonomy", "show"]).stdout
    assert TrainedStore(stocked.database, "e").all(W, "taxonomy")[0].in_force


def test_a_job_trains_as_the_command_does(stocked: Parts, tmp_path: Path) -> None:
    file = labelled(tmp_path, delivery=PARCELS, account=SIGNS)
    result = trained(stocked, W, {"what": "intents", "labelled": str(file), "until": None}, lambda done, all: None)
    assert (result["name"], result["switched"]) == ("intents 1", True)
    json.dumps(result)
