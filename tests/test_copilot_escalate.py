"""When a person should step in: the shipped policy, its reasons and the words they quote, and mistakes in a policy file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from copilot.domain import Author, Channel, Conversation, Escalation, Message, Reason, Sentiment, Tag, Trend, Triage
from copilot.errors import ConfigurationError
from copilot.escalate import Policy, escalate
from copilot.policy_check import check
from copilot.settings import DEFAULTS, Settings
from copilot.words import without_quotes
from tests.conftest import asks

POLICY = Policy.load(DEFAULTS / "policy.yaml")
LIMIT = 150.0
CODES = {
    "asks_for_person", "legal_threat", "safety", "security_incident", "personal_data", "refund_above_limit", "churn_threat",
    "repeated_contact", "worsening_mood", "damage_claim", "minors", "accessibility", "press", "data_loss", "payment_dispute", "self_harm",
    "no_evidence",
}  # fmt: skip
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def triage(mood: str = "neutral", trend: Trend = "steady", intent: str = "how_to", confidence: float = 0.9) -> Triage:
    tag = Tag(label="normal", confidence=confidence, level="high")
    return Triage(
        intent=Tag(label=intent, confidence=confidence, level="high"),
        sentiment=Sentiment(label=mood, confidence=confidence, level="high", trend=trend),
        language=Tag(label="en", confidence=confidence, level="high"),
        urgency=tag,
    )


def decide(
    conversation: Conversation | str, read: Triage | None = None, *, abstained: bool = False, limit: float = LIMIT
) -> Escalation:
    made = asks(conversation) if isinstance(conversation, str) else conversation
    return escalate(POLICY, made, read or triage(), abstained, limit)


def codes(conversation: Conversation | str) -> set[str]:
    return {reason.code for reason in decide(conversation).reasons}


def talk(*turns: tuple[Author, str]) -> Conversation:
    return Conversation(messages=tuple(Message(author=author, text=text) for author, text in turns), channel="chat")


# ---- the shipped policy ----


def test_the_shipped_policy_passes_its_own_examples() -> None:
    assert check(POLICY) == []


def test_the_shipped_policy_knows_every_code_and_each_rule_with_words_has_four_examples_of_both_kinds() -> None:
    assert {rule.code for rule in POLICY.rules} == CODES
    for rule in POLICY.rules:
        if rule.words:
            assert rule.test is not None
            assert min(len(rule.test.fires), len(rule.test.quiet)) >= 4, rule.code


def test_no_near_miss_of_one_rule_makes_another_recommend_stepping_in() -> None:
    near = [text for rule in POLICY.rules if rule.test for text in rule.test.quiet if isinstance(text, str)]
    disputed = "Someone took 40 euros from my card without my permission."  # no matter of personal data, but of money
    assert [text for text in near if decide(text).recommended] == [disputed]


def test_the_examples_are_checked_at_the_refund_limit_of_the_settings() -> None:
    assert Settings.model_fields["refund_limit"].default == LIMIT


@pytest.mark.parametrize(
    ("text", "code", "quote"),
    [
        ("Hello. can i speak to a real human plz", "asks_for_person", "can i speak to a real human"),
        ("I don’t want to talk to a bot", "asks_for_person", "don’t want to talk to a bot"),
        ("Je voudrais être rappelé demain.", "asks_for_person", "être rappelé"),
        ("Könnten Sie mich bitte zurückrufen?", "asks_for_person", "Könnten Sie mich bitte zurückrufen"),
        ("If not, you will hear from\nmy lawyer.", "legal_threat", "hear from\nmy lawyer"),
        ("Nobody was hurt, but the charger caught fire", "safety", "caught fire"),
        ("I want my €480 back", "refund_above_limit", "€480"),
        ("I want a refund of USD 5k", "refund_above_limit", "USD 5k"),
        ("I have written twice and still no answer", "repeated_contact", "written twice"),
        ("Somebody hacked my account", "security_incident", "hacked my account"),
        ("ALL MY PHOTOS ARE GONE", "data_loss", "ALL MY PHOTOS ARE GONE"),
    ],
)
def test_a_reason_quotes_the_words_that_gave_it(text: str, code: str, quote: str) -> None:
    reason = {one.code: one for one in decide(text).reasons}[code]
    assert quote in reason.quote or reason.quote in quote
    assert text[reason.start : reason.end] == reason.quote


@pytest.mark.parametrize(
    "text",
    [
        "Where is my parcel?",
        "no need to call me",
        "I spoke to a representative yesterday, thanks",
        "How do I delete all my emails at once?",
        "There is no smoke and nothing smells, it simply stopped.",
        "Is the app GDPR compliant?",
        "Please cancel my subscription at the end of the month.",
        "Wo finde ich die Seriennummer?",
        "",
    ],
)
def test_an_everyday_message_needs_nobody(text: str) -> None:
    assert decide(text) == Escalation(recommended=False, level=None, team=None, score=0, reasons=())


def test_a_negation_cancels_only_its_own_clause() -> None:
    assert "asks_for_person" not in codes("No need to call me")
    assert "asks_for_person" in codes("No need to refund it, but please call me back today")
    assert codes("I don't want a lawyer, I want a manager") == {"asks_for_person"}


# ---- what is read ----


@pytest.mark.parametrize(
    "quoted",
    [
        "> I want to speak to your manager, or I will sue you",
        "   > I want to speak to your manager",
        "On Tue, 3 Mar 2026 at 09:14, Ana wrote:\nI want to speak to your manager",
        "-----Original Message-----\nI want to speak to your manager",
        "From: Ana Ruiz\nSent: Tuesday\nTo: Support\n\nI want to speak to your manager",
        "Am 3. März 2026 um 09:14 schrieb Ana:\nI want to speak to your manager",
        "On Tue, Mar 3, 2026 at 9:14 AM Ana\n<ana@shop.example> wrote:\n\nI want to speak to your manager",
        "Begin forwarded message:\n\nFrom: Ana\nSubject: RE: it\n\nI want to speak to your manager",
        "##- Please type your reply above this line -##\n\nI want to speak to your manager",
        "From: Ana <a@x.example>\nDate: Tuesday\nTo: Support\nSubject: it\n\nI want to speak to your manager",
        "-- \nTom Baker\nLawsuits | I will sue you | Data Breach Response",
        "Kind regards\nTom Baker\nData Breach Response | Litigation",
        "CONFIDENTIAL: unauthorised use leads to legal action and is a data breach.",
    ],
)
def test_quoted_older_text_gives_no_reason(quoted: str) -> None:
    assert codes(f"Thanks, that is clear.\n\n{quoted}") == set()
    assert codes(f"I want a human.\n\n{quoted}") == {"asks_for_person"}


@pytest.mark.parametrize(
    "text",
    [
        "It is broken.\n\nThanks\nI want a human",
        "It is broken.\nTHANKS\nI WANT A HUMAN",
        "It is broken.\n--\nAnd I want a human.",
        "It is broken.\n\nThanks for putting me through to a human",
        "It is broken.\n\nRegards\nAna\n\nPS I want a human now",
    ],
)
def test_a_last_sentence_is_no_signature(text: str) -> None:
    assert codes(text) == {"asks_for_person"}


@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from(["> a\n", "b\r\n", "On Monday 3 May Ana wrote:\n", "é", "\ud800"])).map("".join)
)
def test_hiding_quotes_moves_nothing(text: str) -> None:
    shown = without_quotes(text)
    assert len(shown) == len(text)
    assert all(a in (b, "\0") for a, b in zip(shown, text, strict=True))


@pytest.mark.parametrize("author", ["agent", "bot", "system"])
def test_only_the_customer_gives_reasons(author: Author) -> None:
    threat = "I want to speak to your manager, or I will sue you"
    assert decide(talk(("customer", "Hello"), (author, threat))).reasons == ()


def test_a_private_note_gives_no_reason() -> None:
    note = Message(text="I want to speak to your manager", visibility="private")
    assert decide(Conversation(messages=(Message(text="Hello"), note))).reasons == ()


def test_a_conversation_without_a_customer_message_needs_nobody() -> None:
    assert not decide(talk(("agent", "Hello?")), triage("very_negative", "worsening"), abstained=True).reasons


def test_the_latest_words_are_quoted_with_the_number_of_their_message() -> None:
    reasons = decide(
        talk(("customer", "human please"), ("bot", "Try this."), ("customer", "I said: a human please"))
    ).reasons
    assert [(one.message, one.weight) for one in reasons] == [(2, 0.7)]


def test_words_that_an_agent_has_answered_count_half() -> None:
    answered = decide(
        talk(("customer", "human please"), ("agent", "I am one."), ("customer", "Ah, then where is my parcel?"))
    )
    assert [(one.code, one.message, one.weight) for one in answered.reasons] == [("asks_for_person", 0, 0.35)]
    assert not answered.recommended


def test_a_legal_threat_stands_even_when_answered() -> None:
    made = decide(
        talk(("customer", "My lawyer will be in touch"), ("agent", "I see."), ("customer", "So where is it?"))
    )
    assert made.recommended
    assert made.reasons[0].weight == 0.7


def test_a_threat_in_the_subject_counts_without_a_quote() -> None:
    made = decide(asks("See above.", subject="I want to speak to a manager"))
    assert [(one.code, one.quote, one.start, one.end) for one in made.reasons] == [("asks_for_person", "", 0, 0)]


TRIGGERS = [
    "human please",
    "my lawyer",
    "it caught fire",
    "I want €900 back",
    "still no reply",
    "my account was hacked",
]


@hypothesis_settings(deadline=None)
@given(
    before=st.text(max_size=60) | st.sampled_from(["ß", "😀 ", "e\u0301 ", "\ud800", "İ", "> quoted\n", "\r\n"]),
    trigger=st.sampled_from(TRIGGERS),
    after=st.text(max_size=60),
)
def test_a_quote_is_exactly_the_text_at_its_place(before: str, trigger: str, after: str) -> None:
    text = f"{before} {trigger} {after}"
    for reason in decide(text).reasons:
        assert text[reason.start : reason.end] == reason.quote
        assert reason.quote


# ---- conditions that are not words ----


def test_a_refund_counts_from_the_limit_that_is_set() -> None:
    text = "Please refund the 90 euros."
    assert not decide(text).reasons
    assert [one.code for one in decide(text, limit=50).reasons] == ["refund_above_limit"]


def test_the_amount_that_is_asked_back_counts_and_not_another_one() -> None:
    assert codes("I paid €900 last year. Now please refund the €12 shipping.") == set()
    assert codes("I paid €900 for it last year. Now I want a refund.") == {"refund_above_limit"}


def mails(*days: float, channel: Channel = "email", zone: bool = True) -> Conversation:
    times = [MONDAY + timedelta(days=day) for day in days]
    texts = ["Where is my parcel?", "Any news on the parcel?", "And the parcel?"]
    messages = (
        Message(text=text, at=at if zone else at.replace(tzinfo=None)) for text, at in zip(texts, times, strict=False)
    )
    return Conversation(messages=tuple(messages), channel=channel)


def test_the_third_letter_without_a_reply_calls_for_a_person() -> None:
    assert decide(mails(0, 3, 6)).recommended
    assert [one.code for one in decide(mails(0, 3, 6)).reasons] == ["repeated_contact"]
    assert not decide(mails(0, 3)).recommended
    assert decide(mails(0, 3)).reasons


def test_lines_sent_one_after_another_are_one_contact() -> None:
    assert decide(mails(0, 0.001, 0.002, channel="chat")).reasons == ()


def test_who_thanked_and_writes_again_later_did_not_wait() -> None:
    asked, third = mails(0, 3).messages[0], mails(9).messages[0]
    reply = Message(author="agent", text="Please restart it.", at=asked.at)
    thanks = Message(
        text="That did the trick, it's online again, thanks!", at=third.at and third.at - timedelta(days=8)
    )
    later = Message(text="Hello again, the light is amber.", at=third.at)
    thread = Conversation(channel="email", messages=(asked, reply, thanks, later))
    assert "repeated_contact" not in {one.code for one in decide(thread).reasons}
    again = replace(thanks, text="It did not help.")
    waits = Conversation(channel="email", messages=(asked, reply, again, later))
    assert "repeated_contact" in {one.code for one in decide(waits).reasons}


def test_letters_without_times_count_and_chat_lines_do_not() -> None:
    texts = tuple(Message(text=text) for text in ("Hello", "Where is it?", "And now?"))
    assert decide(Conversation(messages=texts, channel="email")).recommended
    assert decide(Conversation(messages=texts, channel="chat")).reasons == ()


def test_a_reply_begins_the_count_anew() -> None:
    first, second, third = mails(0, 3, 6).messages
    reply = Message(author="agent", text="We are looking into it.", at=MONDAY + timedelta(days=4))
    assert decide(Conversation(messages=(first, second, reply, third))).reasons == ()


def test_times_with_and_without_a_zone_compare() -> None:
    mixed = (*mails(0).messages, *mails(3, zone=False).messages, *mails(6).messages)
    assert decide(Conversation(messages=mixed)).recommended


def test_a_worsening_mood_counts_once_it_is_negative() -> None:
    assert decide("So?", triage("very_negative", "worsening")).recommended
    assert not decide("So?", triage("neutral", "worsening")).recommended
    assert not decide("So?", triage("very_negative", "steady")).recommended
    assert not decide("So?", triage("negative", "worsening", confidence=0.3)).recommended


def test_an_intent_counts_from_its_confidence() -> None:
    assert decide("So?", triage(intent="security_incident", confidence=0.85)).recommended
    assert not decide("So?", triage(intent="security_incident", confidence=0.5)).recommended


def test_having_no_answer_is_a_note_and_alone_calls_nobody() -> None:
    made = decide("Where is the moon?", abstained=True)
    assert (made.recommended, made.level, [one.code for one in made.reasons]) == (False, "note", ["no_evidence"])


@pytest.mark.parametrize(
    "text",
    [
        "Since the pipe broke the kitchen cupboards have swollen and the doors stick.",
        "My brother keeps his own password, it is not mine to change.",
        "The sale of our house fell through because of the bank.",
        "The pendant lamp is dead.",
        "The clasp of the silver pendant does not work any more.",
        "What happens when the fall alarm is not working during a power cut?",
    ],
)
def test_words_of_danger_or_theft_that_mean_something_else_call_nobody(text: str) -> None:
    assert not codes(text) & {"safety", "security_incident"}


@pytest.mark.parametrize(
    "text",
    [
        "The power bank has swollen and the door of its case is open",
        "She fell because of your ladder",
        "My mother's pendant alarm is dead",
        "the alarm pendant my dad wears doesnt respond any more",
        "De alarmhanger van mijn moeder reageert niet meer",
    ],
)
def test_danger_in_like_words_still_calls_the_safety_team(text: str) -> None:
    assert decide(text).team == "safety"


# ---- the decision ----


def test_what_was_learned_names_the_team_only_where_no_rule_does() -> None:
    seen = Reason(code="reads_like_one", message=0, start=0, end=0, quote="", weight=0.95)
    learned = replace(triage(), attention=seen)
    assert decide("I was charged twice for one month.", learned).team == "billing"
    assert decide("The weather is fine.", learned).team == "lead"


def test_score_level_and_team_come_from_the_reasons() -> None:
    made = decide("The charger caught fire. My lawyer will be in touch, I want to speak to a manager.")
    weights = {one.code: one.weight for one in made.reasons}
    assert weights == {"safety": 0.9, "legal_threat": 0.7, "asks_for_person": 0.7}
    assert made.score == pytest.approx(1 - 0.1 * 0.3 * 0.3)
    assert (made.recommended, made.level, made.team) == (True, "emergency", "safety")
    assert [one.code for one in made.reasons] == ["safety", "legal_threat", "asks_for_person"]


def test_two_rules_of_one_code_give_one_reason_the_stronger() -> None:
    first, second, third = mails(0, 3, 6).messages
    third = Message(text="Still no reply from you!", at=third.at)
    made = decide(Conversation(messages=(first, second, third)))
    assert [(one.code, one.weight) for one in made.reasons] == [("repeated_contact", 0.55)]


@pytest.mark.parametrize(
    "piece", ["a ", "i want ", "all my mails ", "don't ", "refund €500 ", "no need to ", "> x\n", "but ", "é", "...", "\n", "human please, "]
)  # fmt: skip
def test_a_hundred_thousand_characters_take_no_time_to_speak_of(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    started = perf_counter()
    decide(text)
    assert perf_counter() - started < 3


# ---- a policy of one's own ----

MINE = """
version: 1
threshold: 0.5
terms:
  boss: [chief, head honcho]
rules:
  - code: wants_boss
    level: lead
    team: office
    weight: 0.6
    words:
      - (get|fetch) the <boss>
    unless:
      - don't ... <boss>
    test:
      fires: [Get the chief!, please fetch the head  honcho]
      quiet: [dont get the chief, get the chef]
"""


def load(tmp_path: Path, text: str) -> Policy:
    file = tmp_path / "policy.yaml"
    file.write_text(text, encoding="utf-8")
    return Policy.load(file)


def test_a_policy_of_ones_own_decides(tmp_path: Path) -> None:
    mine = load(tmp_path, MINE)
    assert check(mine) == []
    made = escalate(mine, asks("Now get the CHIEF"), triage(), False, LIMIT)
    assert (made.recommended, made.team, made.reasons[0].quote) == (True, "office", "get the CHIEF")


def test_check_says_which_example_fails_and_on_which_words(tmp_path: Path) -> None:
    wrong = load(tmp_path, MINE.replace("Get the chief!", "call the chief").replace("get the chef", "get the chief"))
    assert check(wrong) == [
        "wants_boss: does not fire on 'call the chief'",
        "wants_boss: fires on 'get the chief', at 'get the chief'",
    ]


def test_check_asks_for_examples_where_there_are_none(tmp_path: Path) -> None:
    untested = load(tmp_path, MINE[: MINE.index("    test:")])
    assert check(untested) == ["wants_boss: has no test"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("weight: 0.6", "weight: 6"), r"rule 1 \(wants_boss\).*weight"),
        (("level: lead", "level: king"), r"rule 1 \(wants_boss\).*level"),
        (("team: office", "squad: office"), r"rule 1 \(wants_boss\).*squad"),
        (("code: wants_boss", "name: x"), r"rule 1 \(without a code\).*code"),
        (("(get|fetch) the <boss>", "(get the <boss>"), r"rule 1 \(wants_boss\).*RE2"),
        (("(get|fetch) the <boss>", "(?!get) the <boss>"), r"rule 1 \(wants_boss\).*RE2"),
        (("(get|fetch) the <boss>", "get the <bos>"), r"rule 1 \(wants_boss\).*<bos>"),
        (("(get|fetch) the <boss>", "(get)?"), r"rule 1 \(wants_boss\).*every message"),
        (
            ("words:\n      - (get|fetch) the <boss>", "words: get the chief"),
            r"rule 1 \(wants_boss\).*list of patterns",
        ),
        (("    words:\n      - (get|fetch) the <boss>\n", ""), r"rule 1 \(wants_boss\).*need `words`|no condition"),
        (("threshold: 0.5", "threshold: 5"), "threshold"),
        (("version: 1", "version: 2"), "version"),
        (("rules:", "rulez:"), "rulez|rules"),
        (("version: 1", "version: ["), "cannot be read"),
    ],
)
def test_a_mistake_in_a_policy_is_named_with_its_rule(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    assert change[0] in MINE
    with pytest.raises(ConfigurationError, match=says):
        load(tmp_path, MINE.replace(*change))


def test_a_rule_without_any_condition_is_refused(tmp_path: Path) -> None:
    raw = yaml.safe_load(MINE)
    raw["rules"].append({"code": "always", "level": "note", "team": "x", "weight": 0.1})
    with pytest.raises(ConfigurationError, match=r"rule 2 \(always\).*no condition"):
        load(tmp_path, yaml.safe_dump(raw))


def test_an_absent_policy_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml"):
        Policy.load(tmp_path / "nowhere.yaml")


# ---- words that are doubted ----

DOUBTED = MINE.replace("    weight: 0.6\n", "    weight: 0.6\n    doubted_below: 0.3\n")


@pytest.mark.parametrize(("chance", "recommended"), [(0.1, False), (0.29, False), (0.3, True), (None, True)])
def test_doubted_words_are_only_a_note_where_little_else_calls_for_a_person(
    tmp_path: Path, chance: float | None, recommended: bool
) -> None:
    text = "Get the chief!"
    attention = (
        None if chance is None else Reason(code="reads_like_one", message=0, start=0, end=0, quote="", weight=chance)
    )
    made = escalate(load(tmp_path, DOUBTED), asks(text), replace(triage(), attention=attention), False, LIMIT)
    assert made.recommended is recommended
    assert [one.code for one in made.reasons] == ["wants_boss"]
    assert made.level == ("lead" if recommended else "note")
