"""Conditions over what is known beside the words, and the examples in the policy file that prove them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from copilot.domain import Conversation, Customer, Escalation, Message
from copilot.entities import Own, entities
from copilot.errors import ConfigurationError
from copilot.escalate import Mood, Policy, escalate
from copilot.labelled import MOODS
from copilot.policy_check import check, unknown_intents
from copilot.settings import DEFAULTS
from copilot.taxonomy import taxonomy
from tests.test_copilot_escalate import triage

MINE = """
version: 1
threshold: 0.5
rules:
  - {code: gold_waits, level: lead, team: vip, weight: 0.6, tier: [Gold, platinum], waiting_hours: 8,
     test: {fires: [{turns: ["Where is it?", "Hello?"], hours: [0, 9], tier: GOLD}],
            quiet: [{turns: ["Where is it?", "Hello?"], hours: [0, 9], tier: silver},
                    {turns: ["Where is it?", "Hello?"], hours: [0, 7], tier: gold}]}}
  - {code: three_in_two_days, level: lead, team: desk, weight: 0.6, repeats: 3, within_hours: 48,
     test: {fires: [{turns: [a b, c d, e f], hours: [0, 20, 40]}], quiet: [{turns: [a b, c d, e f], hours: [0, 40, 80]}]}}
  - {code: error_unknown, level: specialist, team: technical, weight: 0.6, entities: [error], answerability_below: 0.5,
     test: {fires: [{turns: [It shows error code E-204 again], answerability: 0.3}],
            quiet: [{turns: [It shows error code E-204 again], answerability: 0.9}, {turns: [It shows nothing], answerability: 0.3}]}}
"""
START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def load(tmp_path: Path, text: str) -> Policy:
    file = tmp_path / "policy.yaml"
    file.write_text(text, encoding="utf-8")
    return Policy.load(file)


def decided(
    policy: Policy, *turns: tuple[str, float], tier: str | None = None, answerability: float = 1.0
) -> Escalation:
    messages = tuple(Message(text=text, at=START + timedelta(hours=hours)) for text, hours in turns)
    asked = Conversation(messages=messages, customer=Customer(tier=tier))
    return escalate(policy, asked, replace(triage(), entities=entities(asked)), False, 150.0, answerability)


def test_every_new_condition_passes_its_own_examples(tmp_path: Path) -> None:
    assert check(load(tmp_path, MINE)) == []


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        ("waiting_hours: 8", "waiting_hours: 10", "gold_waits: does not fire on"),
        ("tier: [Gold, platinum], waiting", "tier: [silver, gold], waiting", "gold_waits: fires on"),
        ("within_hours: 48,", "within_hours: 90,", "three_in_two_days: fires on"),
        ("answerability_below: 0.5", "answerability_below: 0.95", "error_unknown: fires on"),
        ("entities: [error]", "entities: [order]", "error_unknown: does not fire on"),
    ],
)
def test_a_wrong_condition_is_told_by_its_example(tmp_path: Path, was: str, becomes: str, fault: str) -> None:
    (told,) = check(load(tmp_path, MINE.replace(was, becomes)))
    assert told.startswith(fault)


def test_a_gold_customer_who_waits_gets_a_person(tmp_path: Path) -> None:
    policy = load(tmp_path, MINE)
    turns = ("Where is it?", 0), ("Hello?", 10)
    assert decided(policy, *turns, tier="gold").team == "vip"
    assert not decided(policy, *turns).recommended
    assert not decided(policy, ("Where is it?", 0), tier="gold").recommended


def test_a_reason_for_a_named_fact_quotes_it(tmp_path: Path) -> None:
    (reason,) = decided(load(tmp_path, MINE), ("Again the error code E-204 on start", 0), answerability=0.2).reasons
    assert (reason.code, reason.quote) == ("error_unknown", "E-204")


@pytest.mark.parametrize(
    "wrong", ["within_hours: 3", "waiting_hours: -1", "answerability_below: 2", "tiers: [gold]", "tier: []"]
)
def test_a_wrong_rule_is_refused_with_its_code(tmp_path: Path, wrong: str) -> None:
    text = f"version: 1\nthreshold: 0.5\nrules:\n  - {{code: odd, level: lead, team: desk, weight: 0.5, {wrong}}}\n"
    with pytest.raises(ConfigurationError, match="odd"):
        load(tmp_path, text)


def test_an_example_has_a_time_for_each_turn_or_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="one time for each"):
        load(tmp_path, MINE.replace("hours: [0, 20, 40]", "hours: [0, 20]"))


def rule(rest: str) -> str:
    return f"version: 1\nthreshold: 0.5\nrules:\n  - {{code: odd, level: lead, team: desk, weight: 0.5, {rest}}}\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty or a mere list. Start from a copy of the shipped one"),
        ("- a list", "is empty or a mere list"),
        (rule("words: ['[unclosed']"), r"odd\): words: the pattern '\[unclosed' is no RE2 expression: missing \]"),
        (rule("words: [bar], level: emergency"), "`level` is there twice: keep one"),
        (rule("sentiment: [negativ]"), "odd.*sentiment.*'very_negative', 'negative', 'neutral'"),
        (rule("tier: ['']"), "odd.*tier.*at least 1 character"),
        (rule("words: [bar]").replace("team: desk", "team: ''"), "odd.*team.*at least 1 character"),
        (rule("waiting_hours: .inf"), "odd.*waiting_hours.*finite"),
        (rule("repeats: 2, within_hours: 1.0e12"), "odd.*within_hours.*less than or equal to 876000"),
        (rule("tier: [a], test: {fires: [{turns: [a, b], hours: [0, .inf]}], quiet: []}"), "odd.*hours.*finite"),
        (
            rule("tier: [a], test: {fires: [{turns: [a, b], hours: [0, 1.0e+12]}], quiet: []}"),
            r"odd\): test\.fires\.0\.hours\.1: Input .*876000",
        ),
        (rule("words: [a], test: {fires: [{turns: [a], sentiment: bad}], quiet: []}"), "odd.*sentiment.*'negative'"),
        (
            rule("words: [bar]").replace("version: 1", "version: 1\nlearned: high"),
            "learned: Input should be a valid dictionary$",
        ),
    ],
)
def test_a_mistake_is_told_with_what_to_do(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as told:
        load(tmp_path, text)
    assert "b'" not in str(told.value)
    assert "_File" not in str(told.value)


def test_a_test_without_messages_is_no_test(tmp_path: Path) -> None:
    assert check(load(tmp_path, rule("words: [zzz], test: {fires: [], quiet: []}"))) == [
        "odd: has no message in `test.fires`: give one that must fire it",
        "odd: has no message in `test.quiet`: give one that comes near and must not",
    ]


def test_an_intent_that_the_taxonomy_lacks_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    labels = taxonomy(DEFAULTS / "taxonomy.yaml").labels
    assert unknown_intents(load(tmp_path, rule("intent: return_refnd")), labels) == [
        "odd: asks for the intent 'return_refnd', which the taxonomy does not have: is it 'return_refund'?"
    ]
    assert unknown_intents(load(tmp_path, rule("intent: zzz")), labels) == [
        "odd: asks for the intent 'zzz', which the taxonomy does not have"
    ]
    assert unknown_intents(Policy.load(DEFAULTS / "policy.yaml"), labels) == []


def test_a_rule_may_ask_for_a_fact_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "entities.yaml"
    file.write_text("version: 1\nworkspaces: {acme: [{type: device, pattern: 'BX-\\d{4}'}]}", encoding="utf-8")
    policy = load(
        tmp_path, rule("entities: [device], test: {fires: [{turns: [My BX-2041 broke]}], quiet: [{turns: [It broke]}]}")
    )
    assert check(policy, Own.load(file).patterns) == []
    assert len(check(policy)) == 1


def test_a_bare_text_for_a_rule_without_words_is_told_what_to_write(tmp_path: Path) -> None:
    (fault,) = check(load(tmp_path, rule("tier: [gold], test: {fires: [Hello there], quiet: [Hello]}")))
    assert "write {turns: [the text]}" in fault


@pytest.mark.parametrize(
    ("fields", "says"),
    [("tier: gold", "tier: Input should be a list"), ("tiers: [gold], tier: [gold]", "tiers: no such field")],
)
def test_what_is_no_list_or_no_field_is_told_in_plain_words(tmp_path: Path, fields: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        load(tmp_path, rule(fields))


def test_a_mood_of_a_rule_is_one_that_is_read() -> None:
    assert get_args(Mood) == MOODS
