from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import answerability as table
from copilot.answerable import FEATURES, WEIGHTS, answerability, names
from copilot.build import Parts
from copilot.domain import Hit
from copilot.familiar import FEWEST, Anywhere, Familiar
from copilot.settings import Settings
from tests.conftest import AGENT, asks

HIT = Hit(
    document_id="a", kind="article", title="A", url=None, audience="public", revision=1, score=1.0, scores={"dense": 0.7}, passages=()
)  # fmt: skip


USUAL = Familiar(belongs=0.0, general=0.4)


def test_the_shipped_weights_are_those_that_the_table_gives() -> None:
    import yaml

    shipped = yaml.safe_load(WEIGHTS.read_text(encoding="utf-8"))
    assert {**shipped["weights"], "bias": shipped["bias"]} == table.weights(table.fit(table.read()))


def test_of_companies_that_nothing_was_fitted_on_most_own_messages_are_answered_and_most_foreign_ones_refused() -> None:
    rows, threshold = table.read(), Settings().abstain_below
    model = table.fit(rows)
    found = [table.shares(model, table.of(rows, company), threshold) for company in table.HELD_OUT]
    assert sum(own for own, *_ in found) / len(found) <= 0.1
    assert sum(foreign for _, foreign, _ in found) / len(found) >= 0.65


def test_a_company_with_many_tickets_refuses_nearly_all_foreign_messages_even_when_its_own_taught_nothing() -> None:
    rows = table.read()
    for company in ("thunderbird", "tarnbrook", "outdoor"):
        model = table.fit(rows, (*table.HELD_OUT, company))
        own, foreign, _ = table.shares(model, table.of(rows, company), Settings().abstain_below)
        assert own <= 0.12
        assert foreign >= 0.85


def test_where_few_tickets_are_solved_less_is_asked_of_the_nearest() -> None:
    tickets = [replace(HIT, document_id=id, kind="ticket", scores={"dense": 0.35}) for id in "bcd"]
    scores = [
        answerability("My gadget is dead", [HIT], tickets, ["x"], solved, USUAL).score
        for solved in (40, 50, 120, 180, 900)
    ]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == scores[1] > scores[2] > scores[3] == scores[4]
    alone = [answerability("My gadget is dead", [HIT], tickets[:2], ["x"], solved, USUAL).score for solved in (50, 900)]
    assert alone[0] == alone[1]


def test_nearer_sources_and_known_names_make_an_answer_likelier() -> None:
    message = "How do I pair my Weir with the Sluice?"
    near = answerability(message, [HIT], [], ["The Weir and the Sluice."], 180, USUAL)
    far = answerability(message, [replace(HIT, scores={"dense": 0.2})], [], ["The Weir and the Sluice."], 180, USUAL)
    strange = answerability(message, [HIT], [], ["Something else."], 180, USUAL)
    assert near.score > far.score
    assert near.score > strange.score
    assert strange.strange == ("Weir", "Sluice")
    assert len(near.features) == len(FEATURES)


def test_a_message_that_is_nearer_to_what_is_asked_anywhere_is_less_likely_answered() -> None:
    scores = [
        answerability("My gadget is dead", [HIT], [], ["x"], 180, familiar).score
        for familiar in (Familiar(0.1, 0.3), USUAL, Familiar(-0.1, 0.6))
    ]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[1] > scores[2]


def test_how_familiar_a_message_is_rests_on_solved_tickets_and_where_there_are_few_on_public_articles(
    filled: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = filled.frames.at("default")
    none, every = np.zeros(len(frame.heads), dtype=np.bool_), np.ones(len(frame.heads), dtype=np.bool_)
    mine, other = frame.vectors[0], -frame.vectors[0]
    anywhere = Anywhere(np.stack([other, other]))
    own = anywhere.familiar(frame, every, none, mine)
    assert own.belongs > 0 > anywhere.familiar(frame, every, none, other).belongs
    assert own.general == pytest.approx(-1, abs=1e-5)
    assert anywhere.familiar(frame, none, none, mine).belongs == 0
    tickets = np.array([head.kind == "ticket" for head in frame.heads])
    assert 0 < tickets.sum() < FEWEST
    assert anywhere.familiar(frame, every, tickets, mine) == own
    monkeypatch.setattr("copilot.familiar.FEWEST", 1)
    assert anywhere.familiar(frame, every, tickets, mine) == anywhere.familiar(frame, none, tickets, mine) != own


def test_nothing_found_is_no_answer() -> None:
    assert answerability("Help", [], [], [], 0, USUAL).score < 0.01


def test_names_are_told_apart_from_first_words() -> None:
    assert names("The hub is dead. Please help, my Weir is out", ["about the WEIR"]) == ((), ("Weir",))


def test_a_suggestion_tells_how_answerable_its_message_is(filled: Parts) -> None:
    made = filled.copilot.suggest(AGENT, asks("How do I reset my password? The link in the e-mail does not work."))
    assert made.answerability == pytest.approx(made.answerability, abs=1e-9)
    assert made.answerability is not None
    assert made.answerability >= filled.settings.abstain_below
    refused = filled.copilot.suggest(AGENT, asks("What is the boiling point of Tungsten in Kelvin?"))
    assert refused.answerability is not None
    assert refused.answerability < filled.settings.abstain_below
    assert refused.abstention is not None
    assert "none mentions Tungsten, Kelvin" in refused.abstention.reason


def test_a_customers_own_number_is_nothing_that_a_source_should_mention(filled: Parts) -> None:
    words = f"What is the boiling point of Tungsten in my order TB-400219, {'W' * 200}?"
    refused = filled.copilot.suggest(AGENT, asks(words)).abstention
    assert refused is not None
    assert refused.reason.endswith("and none mentions Tungsten")
