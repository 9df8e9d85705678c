from __future__ import annotations

import math
from dataclasses import replace

import pytest

from benchmarks import answerability as table
from copilot.answerable import FEATURES, WEIGHTS, answerability, few, names
from copilot.build import Parts
from copilot.domain import Hit
from tests.conftest import AGENT, asks

HIT = Hit(
    document_id="a", kind="article", title="A", url=None, audience="public", revision=1, score=1.0, scores={"dense": 0.7}, passages=()
)  # fmt: skip


def test_the_shipped_weights_are_those_that_the_table_gives() -> None:
    import yaml

    shipped = yaml.safe_load(WEIGHTS.read_text(encoding="utf-8"))
    assert {**shipped["weights"], "bias": shipped["bias"]} == table.weights(table.fit(table.read()))


def test_on_a_company_held_out_most_foreign_messages_are_refused_and_most_own_ones_answered() -> None:
    rows = table.read()
    for company in sorted({row.company for row in rows}):
        model = table.fit([row for row in rows if row.company != company])
        mine = [row for row in rows if row.company == company]
        answered = model.predict_proba([row.features for row in mine])[:, 1] >= 0.42
        foreign = [refused for row, refused in zip(mine, ~answered, strict=True) if not row.answerable]
        own = [refused for row, refused in zip(mine, ~answered, strict=True) if row.answerable]
        assert sum(foreign) / len(foreign) >= 0.94
        assert sum(own) / len(own) <= 0.17


def test_what_few_tickets_excuse_is_what_the_table_gives_and_a_company_held_out_is_answered_more_often() -> None:
    import yaml

    model, young = table.fit(table.read()), table.read(table.YOUNG)
    shipped = float(yaml.safe_load(WEIGHTS.read_text(encoding="utf-8"))["few"])
    assert shipped == table.excuse(model, [row for row in young if row.company != table.HELD_OUT])
    mine = [row for row in young if row.company == table.HELD_OUT]
    base = model.decision_function([row.features for row in mine])
    edge = math.log(0.42 / 0.58)
    own = [place for place, row in enumerate(mine) if row.answerable]
    refused = [sum(base[place] + added * few(50) < edge for place in own) for added in (0.0, shipped)]
    assert refused[0] > 0.3 * len(own)
    assert refused[1] <= 0.15 * len(own)


def test_where_few_tickets_are_solved_less_is_asked_of_the_nearest() -> None:
    tickets = [replace(HIT, document_id=id, kind="ticket", scores={"dense": 0.35}) for id in "bcd"]
    scores = [
        answerability("My gadget is dead", [HIT], tickets, ["x"], solved).score for solved in (40, 50, 120, 180, 900)
    ]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == scores[1] > scores[2] > scores[3] == scores[4]
    alone = [answerability("My gadget is dead", [HIT], tickets[:2], ["x"], solved).score for solved in (50, 900)]
    assert alone[0] == alone[1]


def test_nearer_sources_and_known_names_make_an_answer_likelier() -> None:
    message = "How do I pair my Weir with the Sluice?"
    near = answerability(message, [HIT], [], ["The Weir and the Sluice."])
    far = answerability(message, [replace(HIT, scores={"dense": 0.2})], [], ["The Weir and the Sluice."])
    strange = answerability(message, [HIT], [], ["Something else."])
    assert near.score > far.score
    assert near.score > strange.score
    assert strange.strange == ("Weir", "Sluice")
    assert len(near.features) == len(FEATURES)


def test_nothing_found_is_no_answer() -> None:
    assert answerability("Help", [], [], []).score < 0.01


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
