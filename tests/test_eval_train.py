"""What is learned from a workspace: checked on what was held out, put in force at once, taken back at once, gone with what taught it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from copilot.build import Parts, build
from copilot.choices import Corrected, Feedback
from copilot.domain import Customer, Message, Options, Principal, Suggestion
from copilot.errors import Conflict, InputError, NotFound
from copilot.learn import packed, unpacked
from copilot.ranking import RANKING
from copilot.retrieve import Query
from copilot.settings import Settings
from copilot.store.customers import Customers
from copilot.store.trained import Lesson, Trained, TrainedStore
from eval.lessons import Memory, key_of
from eval.train_commands import register, trained
from eval.train_intents import train_intents
from eval.train_ranking import gathered, train_ranking
from ingest.pipeline import Indexer
from tests.conftest import AGENT, asks, ingest, write_company, write_tickets
from tests.test_copilot_triage import SMALL

START = datetime(2025, 1, 1, 9, tzinfo=UTC)
PARCELS = ["the courier lost my box", "my box never came", "box still missing after a week", "nobody brought my box"]
SIGNS = ["the PIN pad says no", "my PIN is refused", "PIN pad locked me out", "the pad wants another PIN"]
TABLES = {
    "cables": ("Cables and plugs", "Use the cable with the yellow plug. Push it in until it clicks."),
    "lamps": ("Lamps and bulbs", "Turn the bulb to the left and take it out. Put the new one in."),
}


@dataclass(frozen=True)
class Shop:
    """A workspace of its own in a home that all tests share."""

    parts: Parts
    name: str

    @property
    def agent(self) -> Principal:
        return replace(AGENT, workspace=self.name)

    @property
    def clock(self) -> str:
        return self.parts.library.clock(self.name)

    def ask(self, text: str, before: datetime | None = None) -> Suggestion:
        return self.parts.copilot.suggest(self.agent, asks(text), Options(before=before))

    def answered(self, text: str, given: Feedback, customer: str | None = None) -> None:
        """An agent gives a verdict on the suggestion for a kept conversation."""
        conversation = replace(asks(text, customer=Customer(id=customer)), id=f"{self.name} {text}")
        self.parts.records.keep_conversation(self.name, conversation)
        made = self.parts.copilot.suggest(self.agent, conversation)
        self.parts.records.keep_feedback(self.name, made.id, AGENT.id, given, 0.0)

    def keep(self, payload: bytes, basis: frozenset[str] = frozenset(), *, active: bool = True) -> Trained:
        lesson = Lesson(kind="ranking", payload=payload, figures={"cases.after": 0.5}, basis=basis, fits=RANKING)
        return self.parts.trained.keep(self.name, lesson, active=active)

    def take(self, taxonomy: str) -> None:
        lesson = Lesson(kind="taxonomy", payload=taxonomy.encode(), figures={})
        self.parts.trained.keep(self.name, lesson, active=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    folder = tmp_path_factory.mktemp("train")
    (folder / "taxonomy.yaml").write_text(SMALL, encoding="utf-8")
    made = build(Settings(home=folder / "home", taxonomy=folder / "taxonomy.yaml", exact=True))
    yield made
    made.close()


@pytest.fixture
def stocked(home: Parts, tmp_path: Path) -> Shop:
    """A workspace with the small company in it."""
    folder = tmp_path / "company"
    folder.mkdir()
    shop = Shop(home, f"w-{uuid4().hex[:8]}")
    ingest(home, write_company(folder), shop.name)
    return shop


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


def intent(shop: Shop, text: str, before: datetime | None = None) -> str:
    return shop.ask(text, before).triage.intent.label


# ---- the store ----


def test_the_highest_active_number_is_in_force_and_undoing_goes_back(stocked: Shop) -> None:
    store, name, clock = stocked.parts.trained, stocked.name, stocked.clock
    stocked.keep(b"one")
    stocked.keep(b"two")
    stocked.keep(b"three", active=False)
    assert [(one.number, one.state, one.in_force) for one in store.all(name)] == [
        (3, "candidate", False), (2, "active", True), (1, "active", False),
    ]  # fmt: skip
    assert store.undo(name, "ranking") == 1
    assert store.undo(name, "ranking") is None
    with pytest.raises(NotFound, match="as shipped"):
        store.undo(name, "ranking")
    assert [(one.number, one.why) for one in store.switches(name)] == [
        (1, "trained"), (2, "trained"), (1, "undone"), (None, "undone"),
    ]  # fmt: skip
    assert int(stocked.clock) == int(clock) + 4, "each switch is an index revision of its own"


def test_nothing_is_kept_of_what_was_deleted_while_it_was_learned(stocked: Shop) -> None:
    with pytest.raises(Conflict, match="deleted meanwhile"):
        stocked.keep(b"x", frozenset({"document/999999"}))


def test_what_a_deleted_ticket_taught_goes_with_it_and_the_one_before_is_in_force(stocked: Shop) -> None:
    store, name = stocked.parts.trained, stocked.name
    stocked.keep(b"old")
    kept = stocked.keep(b"new", frozenset({f"document/{stocked.parts.ledger.key(name, 't-1')}"}))
    Indexer(stocked.parts).retire(name, ["t-1"])
    assert store.payload(name, kept) == b""
    assert [(one.number, one.state, one.in_force) for one in store.all(name)] == [
        (2, "dropped", False), (1, "active", True),
    ]  # fmt: skip
    assert store.switches(name)[-1].why == "deleted"


def test_workspaces_learn_apart(stocked: Shop) -> None:
    stocked.keep(b"x")
    assert stocked.parts.trained.all("other") == []
    with pytest.raises(NotFound, match="no workspace"):
        Shop(stocked.parts, "other").keep(b"x")


# ---- intents ----


def test_labelled_messages_teach_what_the_taxonomy_does_not_say(stocked: Shop, tmp_path: Path) -> None:
    file = labelled(tmp_path, delivery=PARCELS, account=SIGNS)
    asked = "PIN refused at the pad"
    first = intent(stocked, asked)
    made = train_intents(stocked.parts, stocked.name, file)
    assert made.switched, made.why
    assert intent(stocked, asked) == "account" != first
    answer = stocked.ask(asked)
    assert answer.provenance.trained == ("intents 1",)
    assert {one.name: one.n for one in made.checks} == {"held out": 8, "shipped": 6}, "few, so each is left out in turn"


def test_undoing_intents_brings_the_old_answer_back(stocked: Shop, tmp_path: Path) -> None:
    asked = "PIN refused at the pad"
    first = stocked.ask(asked).triage
    train_intents(stocked.parts, stocked.name, labelled(tmp_path, delivery=PARCELS, account=SIGNS))
    stocked.parts.trained.undo(stocked.name, "intents")
    again = stocked.ask(asked)
    assert (again.triage, again.provenance.trained) == (first, ())


def test_a_message_is_never_read_by_what_was_learned_after_it(stocked: Shop, tmp_path: Path) -> None:
    asked = "PIN refused at the pad"
    first = intent(stocked, asked)
    train_intents(stocked.parts, stocked.name, labelled(tmp_path, delivery=PARCELS, account=SIGNS))
    assert intent(stocked, asked, before=START + timedelta(days=1)) == first
    assert intent(stocked, asked, before=START + timedelta(days=30)) == "account"


def test_labels_that_lie_are_not_put_in_force(stocked: Shop, tmp_path: Path) -> None:
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
    made = train_intents(stocked.parts, stocked.name, tmp_path / "lying.jsonl")
    assert not made.switched
    assert "before" in made.why
    assert made.trained.state == "candidate"
    assert stocked.ask("where is my parcel").provenance.trained == ()


def test_what_the_head_in_force_learned_stays_and_is_measured(stocked: Shop, tmp_path: Path) -> None:
    train_intents(stocked.parts, stocked.name, labelled(tmp_path, delivery=PARCELS, account=SIGNS))
    made = train_intents(
        stocked.parts, stocked.name, labelled(tmp_path, delivery=["my crate is late", "crate not here"])
    )
    assert made.switched, made.why
    assert {one.name: one.n for one in made.checks} == {"held out": 2, "shipped": 6, "earlier": 8}
    assert (made.trained.figures["labelled"], made.trained.figures["new"]) == (10, 2)
    assert intent(stocked, "PIN refused at the pad") == "account"


def test_what_costs_the_earlier_lessons_is_not_put_in_force(stocked: Shop, tmp_path: Path) -> None:
    train_intents(stocked.parts, stocked.name, labelled(tmp_path, delivery=PARCELS, account=SIGNS))
    lies = [f"{text} {more}" for text in SIGNS for more in ("today", "again", "since Monday")]
    made = train_intents(stocked.parts, stocked.name, labelled(tmp_path, delivery=lies))
    assert not made.switched
    assert "earlier: " in made.why
    assert stocked.ask("PIN refused at the pad").provenance.trained == ("intents 1",)


def test_a_lesson_is_relabelled_by_the_same_words_with_another_label(stocked: Shop, tmp_path: Path) -> None:
    wrong = ["my PIN is wrong"]
    train_intents(stocked.parts, stocked.name, labelled(tmp_path, delivery=[*PARCELS, *wrong], account=SIGNS))
    made = train_intents(stocked.parts, stocked.name, labelled(tmp_path, account=wrong))
    assert made.switched, made.why
    assert made.trained.figures["labelled"] == 9
    found = stocked.parts.learned.taught(stocked.name, stocked.clock)
    assert found is not None
    assert [one.label for one in Memory.of(found[1]).messages if one.key == key_of(wrong[0])] == ["account"]


def test_of_a_lesson_no_text_is_kept(stocked: Shop, tmp_path: Path) -> None:
    train_intents(stocked.parts, stocked.name, labelled(tmp_path, delivery=PARCELS, account=SIGNS))
    found = stocked.parts.learned.taught(stocked.name, stocked.clock)
    assert found is not None
    kept = b"".join(array.tobytes() for array in found[1].values())
    assert b"account" in kept.replace(b"\0", b"")
    assert not any(word in kept.replace(b"\0", b"").lower() for word in (b"courier", b"refused", b"locked"))
    assert len(Memory.of(found[1]).messages) == len(PARCELS) + len(SIGNS)


def test_a_lesson_of_a_deleted_ticket_does_not_come_back(stocked: Shop, tmp_path: Path) -> None:
    file = labelled(tmp_path, delivery=PARCELS, account=SIGNS)
    rows = [json.loads(row) for row in file.read_text("utf-8").splitlines()]
    rows[0]["id"] = "t-1"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    train_intents(stocked.parts, stocked.name, file)
    more = labelled(tmp_path, delivery=["my crate is late", "crate not here"])
    train_intents(stocked.parts, stocked.name, more)
    Indexer(stocked.parts).retire(stocked.name, ["t-1"])
    assert [one.state for one in stocked.parts.trained.all(stocked.name, "intents")] == ["dropped", "dropped"]
    made = train_intents(stocked.parts, stocked.name, more)
    assert made.trained.figures["labelled"] == 2


def test_a_head_made_before_lessons_were_kept_asks_for_all_of_them(stocked: Shop, tmp_path: Path) -> None:
    file = labelled(tmp_path, delivery=PARCELS, account=SIGNS)
    made = train_intents(stocked.parts, stocked.name, file).trained
    payload = stocked.parts.trained.payload(stocked.name, made)
    head = {name: array for name, array in unpacked(payload or b"").items() if not name.startswith("taught")}
    lesson = Lesson(kind="intents", payload=packed(**head), figures=made.figures, fits=made.fits)
    stocked.parts.trained.keep(stocked.name, lesson, active=True)
    with pytest.raises(InputError, match="intents 2 learned from 8 messages"):
        train_intents(stocked.parts, stocked.name, labelled(tmp_path, delivery=["my crate is late"]))
    more = labelled(tmp_path, delivery=[*PARCELS, "my crate is late"], account=SIGNS)
    assert train_intents(stocked.parts, stocked.name, more).trained.figures["labelled"] == 9


def test_of_many_new_messages_the_newest_fifth_is_held_out(stocked: Shop, tmp_path: Path) -> None:
    signs = [f"{text} {n}" for n in range(13) for text in SIGNS]
    file = labelled(tmp_path, delivery=[f"{text} {n}" for n in range(13) for text in PARCELS], account=signs)
    made = train_intents(stocked.parts, stocked.name, file)
    assert made.switched, made.why
    assert {one.name: one.n for one in made.checks} == {"held out": 21, "shipped": 6}


def test_a_label_that_the_taxonomy_lacks_is_refused_by_name(stocked: Shop, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'poetry'"):
        train_intents(stocked.parts, stocked.name, labelled(tmp_path, poetry=["a sonnet please"]))


def test_without_anything_labelled_it_says_what_to_give(stocked: Shop) -> None:
    with pytest.raises(InputError, match="--labelled"):
        train_intents(stocked.parts, stocked.name)


def test_training_twice_on_the_same_proves_nothing_and_says_so(stocked: Shop, tmp_path: Path) -> None:
    file = labelled(tmp_path, delivery=PARCELS, account=SIGNS)
    train_intents(stocked.parts, stocked.name, file)
    with pytest.raises(InputError, match="nothing is new"):
        train_intents(stocked.parts, stocked.name, file)


def test_corrections_teach_and_go_with_the_customer_who_wrote_them(stocked: Shop) -> None:
    for text in SIGNS:
        stocked.answered(text, Feedback(verdict="rejected", corrected=Corrected(intent="account")), "c-9")
    made = train_intents(stocked.parts, stocked.name)
    assert made.switched, made.why
    assert made.trained.figures["corrections"] == len(SIGNS)
    assert intent(stocked, "PIN refused at the pad") == "account"
    Customers(stocked.parts.database).forget(stocked.name, "c-9")
    assert stocked.parts.trained.all(stocked.name)[0].state == "dropped"
    assert stocked.ask("PIN refused at the pad").provenance.trained == ()


def test_a_correction_of_a_thread_whose_words_its_help_desk_took_back_teaches_nothing(stocked: Shop) -> None:
    for text in SIGNS:
        stocked.answered(text, Feedback(verdict="rejected", corrected=Corrected(intent="account")))
    empty = replace(asks("-"), id=f"{stocked.name} {SIGNS[0]}", messages=(Message(author="agent", text="Hello!"),))
    stocked.parts.records.put_conversation(stocked.name, empty)
    assert train_intents(stocked.parts, stocked.name).trained.figures["corrections"] == len(SIGNS) - 1
    assert len(gathered(stocked.parts, stocked.name, lambda done, all: None, None).choices) < len(SIGNS)


def test_a_workspace_may_have_a_taxonomy_of_its_own(stocked: Shop) -> None:
    other = SMALL.replace("label: delivery", "label: shipping")
    stocked.take(other)
    assert intent(stocked, "my package is late, where is it") == "shipping"
    assert stocked.parts.copilot.intents(stocked.name) == ("shipping", "account", "other")
    stocked.parts.trained.undo(stocked.name, "taxonomy")
    assert intent(stocked, "my package is late, where is it") == "delivery"


def test_a_new_taxonomy_puts_the_old_ones_head_out_of_force(stocked: Shop, tmp_path: Path) -> None:
    train_intents(stocked.parts, stocked.name, labelled(tmp_path, delivery=PARCELS, account=SIGNS))
    other = SMALL.replace("label: delivery", "label: shipping")
    stocked.take(other)
    assert stocked.ask("where is my parcel").provenance.trained == ("taxonomy 1",)


def test_a_head_that_no_longer_fits_is_not_said_to_be_in_force(stocked: Shop, tmp_path: Path) -> None:
    store, name = stocked.parts.trained, stocked.name
    train_intents(stocked.parts, name, labelled(tmp_path, delivery=PARCELS, account=SIGNS))
    stocked.take(SMALL.replace("label: delivery", "label: shipping"))
    assert [one.name for one in store.all(name) if one.in_force] == ["taxonomy 1"]
    with pytest.raises(NotFound, match="Nothing trained is in force for intents"):
        store.undo(name, "intents")
    train_intents(stocked.parts, name, labelled(tmp_path, shipping=PARCELS, account=SIGNS))
    assert [one.name for one in store.all(name) if one.in_force] == ["intents 2", "taxonomy 1"]
    assert store.undo(name, "taxonomy") is None
    assert [one.name for one in store.all(name) if one.in_force] == ["intents 1"]
    assert stocked.ask("where is my box").provenance.trained == ("intents 1",)
    assert store.undo(name, "intents") is None
    assert (store.all(name)[0].state, store.switches(name)[-1].number) == ("active", None)


# ---- ranking ----


@pytest.fixture(scope="module")
def bench(home: Parts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two articles whose words say little, and sixty cases that were answered with one of them."""
    folder = tmp_path_factory.mktemp("bench")
    for id, (title, text) in TABLES.items():
        head = f"---\ndoc_id: {id}\ntitle: {title}\nurl: https://help.example/{id}\n---\n\n"
        (folder / f"{id}.md").write_text(f"{head}{text}\n", encoding="utf-8")
    write_tickets(folder / "tickets.jsonl", [case(n) for n in range(60)])
    return folder


@pytest.fixture
def workshop(home: Parts, bench: Path) -> Shop:
    shop = Shop(home, f"b-{uuid4().hex[:8]}")
    ingest(home, bench, shop.name)
    return shop


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


def found(shop: Shop, text: str) -> dict[str, float]:
    """Articles with their scores, best first."""
    hits = shop.parts.retriever.search(shop.agent, Query(text=text, kinds=("article",))).results
    return {hit.document_id: hit.score for hit in hits}


def test_ranking_is_learned_checked_and_undone(workshop: Shop) -> None:
    first = found(workshop, "The lead is loose")
    made = train_ranking(workshop.parts, workshop.name)
    assert made.switched, made.why
    assert made.checks[0].no_worse
    assert made.trained.trained_until is not None
    assert workshop.ask("The lead is loose").provenance.trained == ("ranking 1",)
    assert workshop.parts.trained.undo(workshop.name, "ranking") is None
    assert found(workshop, "The lead is loose") == first


def test_a_ranking_goes_with_an_article_that_a_case_was_sent_and_with_no_other(workshop: Shop, tmp_path: Path) -> None:
    (tmp_path / "chairs.md").write_text(
        "---\ntitle: Chairs\nproducts: [Swivel]\n---\n\nA chair has four legs.", encoding="utf-8"
    )
    ingest(workshop.parts, tmp_path, workshop.name)
    made = train_ranking(workshop.parts, workshop.name)
    assert made.switched, made.why
    assert "wivel" not in str(workshop.parts.trained.payload(workshop.name, made.trained))
    Indexer(workshop.parts).retire(workshop.name, ["chairs"])
    assert workshop.ask("The lead is loose").provenance.trained == ("ranking 1",)
    Indexer(workshop.parts).retire(workshop.name, ["lamps"])
    assert workshop.ask("The lead is loose").provenance.trained == ()


def test_the_same_cases_teach_the_same_ranking(workshop: Shop) -> None:
    one, two = train_ranking(workshop.parts, workshop.name), train_ranking(workshop.parts, workshop.name)
    assert workshop.parts.trained.payload(workshop.name, one.trained) == workshop.parts.trained.payload(
        workshop.name, two.trained
    )


def test_nothing_to_learn_from_is_said(stocked: Shop) -> None:
    with pytest.raises(InputError, match="50 cases"):
        train_ranking(stocked.parts, stocked.name)


def test_a_source_that_is_often_rejected_sinks_and_by_no_more_than_a_bound(workshop: Shop) -> None:
    asked = "How do I change the bulb of a lamp with the cable?"
    before = found(workshop, asked)
    for n in range(12):
        workshop.answered(f"How do I put in a new bulb, number {n}?", Feedback(verdict="rejected"))
    made = train_ranking(workshop.parts, workshop.name)
    assert made.switched, made.why
    ranking = workshop.parts.learned.ranking(workshop.name, workshop.clock, None)
    assert ranking is not None
    assert 0.5 < ranking.disliked["lamps"] < 1
    assert 0 < ranking.weights.disliked <= 0.3
    after = found(workshop, asked)
    fell = {id: after[id] - before[id] for id in after}
    assert fell["lamps"] < fell["cables"]


# ---- commands ----


def test_the_commands_list_and_undo(stocked: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import typer

    stocked.keep(b"x")
    monkeypatch.setenv("COPILOT_HOME", str(stocked.parts.settings.home))
    monkeypatch.setenv("COPILOT_WORKSPACE", stocked.name)
    app = typer.Typer()
    register(app)
    listed = CliRunner().invoke(app, ["train", "list", "--json"])
    assert [one["number"] for one in json.loads(listed.stdout)["trained"]] == [1]
    assert "as shipped" in CliRunner().invoke(app, ["train", "undo", "ranking"]).stdout
    assert isinstance(CliRunner().invoke(app, ["train", "undo", "poetry"]).exception, InputError)
    (tmp_path / "mine.yaml").write_text(SMALL.replace("delivery", "shipping"), encoding="utf-8")
    assert "taxonomy 1 is in force" in CliRunner().invoke(app, ["taxonomy", "set", str(tmp_path / "mine.yaml")]).stdout
    assert "label: shipping" in CliRunner().invoke(app, ["taxonomy", "show"]).stdout
    assert TrainedStore(stocked.parts.database, "e").all(stocked.name, "taxonomy")[0].in_force


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("where is my parcel", " ", "'delivery' has an example without words"),
        ("I forgot my password", "Where is  my PARCEL", "is under 'delivery' and under 'account'"),
        ("the package has not arrived", "where is my parcel", "'where is my parcel' is twice under 'delivery'"),
        ("version: 1", "version: 1\nversion: 1", "`version` is there twice"),
        ("tell me a joke", "where is my parcel", "under 'delivery' and under 'other'"),
    ],
)
def test_a_taxonomy_that_teaches_nothing_or_two_things_is_refused(
    stocked: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, was: str, becomes: str, told: str
) -> None:
    import typer

    monkeypatch.setenv("COPILOT_HOME", str(stocked.parts.settings.home))
    monkeypatch.setenv("COPILOT_WORKSPACE", stocked.name)
    app = typer.Typer()
    register(app)
    assert was in SMALL
    (tmp_path / "mine.yaml").write_text(SMALL.replace(was, becomes), encoding="utf-8")
    error = CliRunner().invoke(app, ["taxonomy", "set", str(tmp_path / "mine.yaml")]).exception
    assert isinstance(error, InputError)
    assert told in str(error)
    assert stocked.parts.trained.all(stocked.name) == []


def test_a_job_trains_as_the_command_does(stocked: Shop, tmp_path: Path) -> None:
    file = labelled(tmp_path, delivery=PARCELS, account=SIGNS)
    result = trained(
        stocked.parts, stocked.name, {"what": "intents", "labelled": str(file), "until": None}, lambda done, all: None
    )
    assert (result["name"], result["switched"]) == ("intents 1", True)
    json.dumps(result)
