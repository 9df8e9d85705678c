"""What triage says of a conversation: intent, mood and its trend, urgency, language, and the facts that are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from copilot.critical import Critical, key_of
from copilot.domain import Conversation, Customer, Message, Triage
from copilot.entities import entities, in_message, value
from copilot.errors import ConfigurationError
from copilot.intents import IntentHead, intent_key
from copilot.learn import OTHER
from copilot.moods import Moods, shipped_key
from copilot.ports import Embedder
from copilot.probe import Probes
from copilot.query import search_text
from copilot.settings import DEFAULTS
from copilot.taxonomy import intent_examples
from copilot.triage import Given, Triager, language
from tests.conftest import asks
from tests.test_copilot_learn import Counting

SMALL = """
version: 1
intents:
  - label: delivery
    description: Where a parcel is, when it arrives.
    examples: ["where is my parcel", "the package has not arrived", "when will it be delivered"]
  - label: account
    description: Signing in, passwords.
    examples: ["I forgot my password", "cannot sign in", "the login page refuses me"]
other_examples: ["what is the capital of Mongolia", "tell me a joke"]
"""


@pytest.fixture(scope="module")
def triager(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Triager:
    return Triager(embedder, DEFAULTS / "taxonomy.yaml", tmp_path_factory.mktemp("models"))


@cache
def shipped(mood_key: str, critical_key: str) -> Probes:
    """The shipped probes: what is given to be read is made by them, so that a triager's own passes can be counted."""
    felt = Moods.load(DEFAULTS / "mood.npz", mood_key)
    alike = Critical.load(DEFAULTS / "critical.npz", critical_key)
    assert felt
    assert alike
    return Probes(felt.probe, alike.probe)


def read(triager: Triager, embedder: Embedder, conversation: Conversation) -> Triage:
    probes = shipped(shipped_key(embedder), key_of(embedder))
    return triager.read(conversation, Given(*probes.encoded(embedder, search_text(conversation))))


def thread(*texts: str, author: Literal["customer", "agent"] = "customer") -> Conversation:
    """Customer turns with an agent's reply between them."""
    turns = [Message(author=author, text=text) for text in texts]
    reply = Message(author="agent", text="Thank you, could you try that once more?")
    return Conversation(messages=tuple(m for turn in turns for m in (turn, reply))[:-1])


# ---- the shipped heads ----


def test_the_shipped_intents_were_fitted_on_the_shipped_taxonomy(embedder: Embedder) -> None:
    key = intent_key(intent_examples(DEFAULTS / "taxonomy.yaml"), embedder)
    assert IntentHead.load(DEFAULTS / "intents.npz", key) is not None, "intents.npz is old: run refit_defaults"


def test_nothing_is_fitted_where_the_defaults_are_used(embedder: Embedder, tmp_path: Path) -> None:
    counting = Counting(embedder)
    Triager(counting, DEFAULTS / "taxonomy.yaml", tmp_path / "models")
    assert counting.texts == 0
    assert not (tmp_path / "models").exists()


# ---- intent ----


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("My parcel should have been here on Monday and the tracking has not moved since.", "order_status"),
        ("You took the monthly fee from my card twice. Please check the invoice.", "billing_payment"),
        ("I can't log in any more, the password reset e-mail never arrives.", "account_access"),
        ("Please cancel my subscription, I don't need it any longer.", "cancel_subscription"),
        ("Please delete all personal data that you have stored about me.", "privacy_data"),
        ("Thank you so much, your colleague was wonderful!", "praise"),
    ],
)
def test_a_plain_message_gets_its_intent(triager: Triager, embedder: Embedder, text: str, intent: str) -> None:
    assert read(triager, embedder, asks(text)).intent.label == intent


@pytest.mark.parametrize("text", ["asdf jkl qwer uiop", "Who will win the football match tonight in Ulan Bator?"])
def test_what_fits_nothing_is_other(triager: Triager, embedder: Embedder, text: str) -> None:
    assert read(triager, embedder, asks(text)).intent.label == OTHER


def test_in_another_language_other_is_no_answer(triager: Triager, embedder: Embedder) -> None:
    intent = read(triager, embedder, asks("Wann kommt mein Paket endlich an? Ich warte seit zwei Wochen.")).intent
    assert intent.label != OTHER
    assert intent.level != "high"


def test_alternatives_are_the_next_best_in_order(triager: Triager, embedder: Embedder) -> None:
    intent = read(triager, embedder, asks("The invoice is wrong and I want my money back.")).intent
    confidences = [intent.confidence, *(one.confidence for one in intent.alternatives)]
    assert len(intent.alternatives) == 3
    assert intent.label not in {one.label for one in intent.alternatives}
    assert confidences == sorted(confidences, reverse=True)
    assert sum(confidences) <= 1.0001


def test_a_higher_level_is_a_higher_confidence(triager: Triager, embedder: Embedder) -> None:
    texts = [example.text for example in intent_examples(DEFAULTS / "taxonomy.yaml")[::9]]
    tags = [read(triager, embedder, asks(text)).intent for text in texts]
    levels = [tag.level for tag in sorted(tags, key=lambda tag: tag.confidence)]
    assert levels == sorted(levels, key=("low", "medium", "high").index)
    assert len(set(levels)) > 1


FIRST = {
    "connectivity": "The wifi is down in my flat since yesterday",
    "account_access": "I can't log in, the code never arrives",
    "order_status": "Where is my order 445566? It is late.",
}


@pytest.mark.parametrize("first", FIRST.values())
@pytest.mark.parametrize(
    ("latest", "intent"),
    [
        ("Forget it. Cancel my subscription.", "cancel_subscription"),
        ("My account was hacked!", "security_incident"),
        ("I want a refund instead.", "return_refund"),
        ("Delete my data please.", "privacy_data"),
        ("and please cancel my subscription", "cancel_subscription"),
        ("Perfect, thanks a lot!", "praise"),
    ],
)
def test_a_short_turn_that_stands_by_itself_is_what_is_asked(
    triager: Triager, embedder: Embedder, first: str, latest: str, intent: str
) -> None:
    assert read(triager, embedder, thread(first, latest)).intent.label == intent


@pytest.mark.parametrize("intent", FIRST)
@pytest.mark.parametrize(
    "latest",
    ["For how long?", "and for my wife's account?", "order number 445566", "no idea", "did that. still nothing", "last Monday",
     "my email is tom@example.com", "yes, twice", "how long will it take?", "Nope, same error.", "Thanks, but it's still red."],
)  # fmt: skip
def test_a_short_turn_that_goes_on_with_the_one_before_keeps_its_intent(
    triager: Triager, embedder: Embedder, intent: str, latest: str
) -> None:
    assert read(triager, embedder, thread(FIRST[intent], latest)).intent.label == intent


def test_most_short_switches_and_all_follow_ups_of_a_list_are_told_apart(triager: Triager, embedder: Embedder) -> None:
    listed = yaml.safe_load((Path(__file__).parent / "triage" / "short_turns.yaml").read_text(encoding="utf-8"))
    firsts = listed["first"].items()
    asked = {one["text"]: one["intents"] for one in listed["switches"]}
    switched = [
        read(triager, embedder, thread(first, text)).intent.label in intents
        for text, intents in asked.items()
        for _, first in firsts
    ]
    kept = [
        read(triager, embedder, thread(first, text)).intent.label == intent
        for text in listed["follow_ups"]
        for intent, first in firsts
    ]
    assert np.mean(switched) >= 0.75
    assert np.mean(kept) >= 0.97


def test_what_goes_on_with_a_short_switch_is_about_that(triager: Triager, embedder: Embedder) -> None:
    said = [FIRST["connectivity"], "Forget it. Cancel my subscription.", "the premium one"]
    assert read(triager, embedder, thread(*said)).intent.label == "cancel_subscription"


def test_a_subject_is_the_first_turns_alone(triager: Triager, embedder: Embedder) -> None:
    later = "Good. I think somebody hacked my account, there are logins from Brazil that were not mine."
    talk = replace(thread("The wifi is down.", later), subject="Wifi down")
    assert read(triager, embedder, talk).intent.label == "security_incident"
    short = replace(thread("Please see above.", "any news?"), subject="Wifi down in my flat")
    assert read(triager, embedder, short).intent.label == "connectivity"


@pytest.mark.parametrize(
    "text",
    ["I can't log in and I'm furious, you don't answer!", "You've charged me twice, that's a joke and I won't pay."],
)
def test_an_apostrophe_is_one_however_it_is_written(triager: Triager, embedder: Embedder, text: str) -> None:
    plain, curly = (read(triager, embedder, asks(one)) for one in (text, text.replace("'", "’")))
    assert (plain.intent, plain.sentiment.label, plain.urgency.label) == (
        curly.intent,
        curly.sentiment.label,
        curly.urgency.label,
    )
    assert curly.sentiment.reasons
    for reason in (*curly.sentiment.reasons, *filter(None, (curly.attention,))):
        assert text.replace("'", "’")[reason.start : reason.end] == reason.quote
    assert "’" in curly.sentiment.reasons[0].quote


def test_a_quoted_phrase_ends_at_no_stop_within_a_number(triager: Triager, embedder: Embedder) -> None:
    text = "You thieves took €1.99 from me, this is outrageous!!!"
    (reason,) = read(triager, embedder, asks(text)).sentiment.reasons
    assert "€1.99" in reason.quote


# ---- a taxonomy of one's own ----


def test_a_taxonomy_of_ones_own_is_fitted_once_and_kept(embedder: Embedder, tmp_path: Path) -> None:
    (tmp_path / "taxonomy.yaml").write_text(SMALL, encoding="utf-8")
    counting = Counting(embedder)
    mine = Triager(counting, tmp_path / "taxonomy.yaml", tmp_path / "models")
    fitted = counting.texts
    assert fitted > 0
    assert read(mine, embedder, asks("my package is late, where is it")).intent.label == "delivery"
    Triager(counting, tmp_path / "taxonomy.yaml", tmp_path / "models")
    assert counting.texts == fitted


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("label: account", "label: delivery"), "label twice"),
        (("label: account", "label: other"), "never listed"),
        (("label: account", "label: Account Access"), "intents.1.label"),
        (('["I forgot my password", "cannot sign in", "the login page refuses me"]', '["one"]'), "intents.1.examples"),
        (("version: 1", "version: 7"), "version"),
        (("intents:", "intents: ["), "cannot be used"),
    ],
)
def test_a_mistake_in_a_taxonomy_is_named(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    file = tmp_path / "taxonomy.yaml"
    file.write_text(SMALL.replace(*change), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=says):
        intent_examples(file)


def test_an_absent_taxonomy_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml"):
        intent_examples(tmp_path / "nowhere.yaml")


# ---- mood, trend, urgency ----


@pytest.mark.parametrize(
    ("text", "moods"),
    [
        ("This is OUTRAGEOUS. You are liars and thieves, I am furious!!!", {"very_negative"}),
        ("I'm really disappointed that it still does not work after the repair.", {"negative", "very_negative"}),
        ("Where do I find the serial number of my device?", {"neutral"}),
        ("Love the new app, thank you so much, you made my day!", {"positive", "very_positive"}),
    ],
)
def test_the_mood_of_a_plain_message(triager: Triager, embedder: Embedder, text: str, moods: set[str]) -> None:
    assert read(triager, embedder, asks(text)).sentiment.label in moods


def test_a_quoted_angry_mail_does_not_change_the_mood(triager: Triager, embedder: Embedder) -> None:
    own = "Thanks, that answers my question about the serial number."
    quoted = "\n\nOn Tue, 3 Mar 2026 at 09:14, Ana wrote:\n> This is OUTRAGEOUS, you are liars and thieves!!!"
    assert read(triager, embedder, asks(own)).sentiment == read(triager, embedder, asks(own + quoted)).sentiment


@pytest.mark.parametrize(
    ("texts", "trend"),
    [
        (["Where do I find the serial number?", "You are useless, I am furious about this joke of a service!!!"], "worsening"),
        (["You are useless, I am furious!!!", "It works now, thank you so much, you are brilliant!"], "improving"),
        (["Where do I find the serial number?", "And where is the purchase date shown?"], "steady"),
        (["You are useless, I am furious about this joke of a service!!!"], "steady"),
        (["Great service so far!", "Where do I find the invoice?"], "steady"),
        (["Thank you so much, that helped a lot!", "Hm, it broke again."], "worsening"),
        (["Bought a used hub on eBay. The app says it belongs to another account.", "No, he does not answer any more."], "steady"),
        (["We use Home Assistant. Is there one?", "Thanks, found it. It asks for a token. Where do I get one?", "I am on Care."], "steady"),
    ],
)  # fmt: skip
def test_the_trend_over_the_customers_turns(triager: Triager, embedder: Embedder, texts: list[str], trend: str) -> None:
    assert read(triager, embedder, thread(*texts)).sentiment.trend == trend


def test_only_the_customers_public_turns_make_a_trend(triager: Triager, embedder: Embedder) -> None:
    furious = Message(author="agent", text="I am furious, this is outrageous, you are liars!!!")
    noted = Message(text="I am furious, this is outrageous, you are liars!!!", visibility="private")
    last = Message(text="Where do I find the serial number of my device, please?")
    assert read(triager, embedder, Conversation(messages=(furious, noted, last))).sentiment.trend == "steady"


def test_one_message_is_read_from_its_own_vector_alone(embedder: Embedder, tmp_path: Path) -> None:
    counting = Counting(embedder)
    triager = Triager(counting, DEFAULTS / "taxonomy.yaml", tmp_path)
    read(triager, embedder, asks("Where is my parcel? It was due on Monday."))
    assert counting.texts == 0


def test_earlier_turns_are_embedded_once_and_at_most_five_of_them(embedder: Embedder, tmp_path: Path) -> None:
    counting = Counting(embedder)
    triager = Triager(counting, DEFAULTS / "taxonomy.yaml", tmp_path)
    turns = [f"This is message number {n} about my parcel." for n in range(9)]
    talk = replace(thread(*turns), subject="My parcel")
    first = read(triager, embedder, talk)
    assert counting.texts == 6 + 1, "six turns for the mood, and the latest without the subject for the intent"
    assert read(triager, embedder, talk) == first
    assert counting.texts == 7 + 1
    more = "This is one more message about my parcel."
    read(triager, embedder, replace(thread(*turns, more), subject="My parcel"))
    assert counting.texts == 8 + 2


def test_without_a_subject_the_latest_ask_is_embedded_alone(embedder: Embedder, tmp_path: Path) -> None:
    counting = Counting(embedder)
    triager = Triager(counting, DEFAULTS / "taxonomy.yaml", tmp_path)
    read(
        triager,
        embedder,
        thread("My parcel has not arrived yet.", "Another thing, how do I change my password for the shop?"),
    )
    assert counting.texts == 3


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("Our whole shop is down, no customer can pay, we lose money every minute. Please help NOW.", "high"),
        ("It would be nice to have a dark mode some day, no hurry at all.", "low"),
    ],
)
def test_the_urgency_of_a_plain_message(triager: Triager, embedder: Embedder, text: str, urgency: str) -> None:
    assert read(triager, embedder, asks(text)).urgency.label == urgency


# ---- language ----


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I cannot find the button that the manual talks about.", "en"),
        ("Ich finde den Knopf nicht,\nvon dem die Anleitung spricht.", "de"),
        ("Je ne trouve pas le bouton dont parle le mode d'emploi.", "fr"),
        ("Ik kan de knop waar de handleiding het over heeft niet vinden.", "nl"),
        ("No encuentro el botón del que habla el manual de usuario.", "es"),
    ],
)
def test_the_language_of_a_sentence(text: str, expected: str) -> None:
    tag = language(text, "en-GB")
    assert tag.label == expected
    assert 0.5 <= tag.confidence <= 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我要找人工客服", "zh"), ("注文した商品がまだ届きません。", "ja"), ("환불해 주세요", "ko"),
        ("أريد استرداد أموالي", "ar"), ("پولم را پس بدهید", "fa"), ("Πού είναι;", "el"),
        ("Где мой заказ?", "ru"), ("Де моє замовлення?", "uk"), ("איפה ההזמנה", "he"), ("คืนเงิน", "th"),
        ("app打不开", "zh"), ("WeChat (微信) fails", "en"), ("Café Ångström", "en"),
    ],
)  # fmt: skip
def test_a_short_message_is_in_a_language_of_its_script(text: str, expected: str) -> None:
    assert language(text, None).label == expected


def test_where_a_script_has_several_languages_the_locale_tells() -> None:
    assert language("注文番号", "ja-JP").label == "ja"


@pytest.mark.parametrize(
    ("locale", "expected"), [("de-AT", "de"), ("fr", "fr"), ("pt_BR", "pt"), (None, "en"), ("", "en"), ("??", "en")]
)
def test_a_message_too_short_to_tell_takes_the_locale(locale: str | None, expected: str) -> None:
    tag = language("OK 123", locale)
    assert (tag.label, tag.level) == (expected, "medium")


ODD = st.text(max_size=300) | st.sampled_from(
    ["\ud800" * 30, "\0" * 30, "🤷" * 40, "a" * 3000, "\n\r\u2028 " * 40, "> \n" * 30]
)


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(ODD, min_size=1, max_size=3), subject=ODD)
def test_odd_text_is_read_without_an_error(
    triager: Triager, embedder: Embedder, texts: Sequence[str], subject: str
) -> None:
    conversation = Conversation(messages=tuple(Message(text=text) for text in texts), subject=subject)
    made = triager.read(conversation, triager.encoded("Hello"))
    assert made.sentiment.label
    assert made.language.label.isalpha()


def test_a_conversation_without_a_customer_message_is_read_too(triager: Triager, embedder: Embedder) -> None:
    conversation = Conversation(messages=(Message(author="agent", text="Hello?"),), customer=Customer(locale="nl-BE"))
    made = triager.read(conversation, triager.encoded("Hello"))
    assert (made.language.label, made.sentiment.trend, made.entities) == ("nl", "steady", ())


# ---- entities ----


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("My order TB-417733 was paid on 3 March 2026.", [("order", "TB-417733"), ("date", "3 March 2026")]),
        ("order number: 88214, invoice 2026-0881, #123456", [("order", "88214"), ("order", "2026-0881"), ("order", "123456")]),
        ("Bestellnummer 4711-22 vom 3. März", [("order", "4711-22"), ("date", "3. März")]),
        ("It cost €1.234,50, not $12 or 250,- EUR.", [("amount", "€1.234,50"), ("amount", "$12"), ("amount", "250,- EUR")]),
        ("Error 0x80070057, then E21, then NS_ERROR_FAILURE", [("error", "0x80070057"), ("error", "E21"), ("error", "NS_ERROR_FAILURE")]),
        ("error code 404 in version 115.6.0 on Windows 11", [("error", "404"), ("version", "115.6.0"), ("version", "Windows 11")]),
        ("on 3 February. Le 3 févr. 2025, 14 juil.", [("date", "3 February"), ("date", "3 févr. 2025"), ("date", "14 juil")]),
        ("since 2026-01-02, or 12.05.2024, or May 3rd", [("date", "2026-01-02"), ("date", "12.05.2024"), ("date", "May 3rd")]),
        ("le 14 août, el 3 de mayo de 2026, op 1 maart", [("date", "14 août"), ("date", "3 de mayo de 2026"), ("date", "1 maart")]),
        ("I may order 12 drums for 5 people in 2024 from 192.168.1.1", []),
        ("Order no. 55-1029, Bestellung 300-991122, ticket SUP-123", [("order", "55-1029"), ("order", "300-991122"), ("order", "SUP-123")]),
        ("tracking 1Z999AA10123456784, Sendungsnummer 00340434161094042557", [("order", "1Z999AA10123456784"), ("order", "00340434161094042557")]),
        ("invoice INV2024/0815, order 12345/refund", [("order", "INV2024/0815"), ("order", "12345")]),
        ("tel. #12345, my PIN is #4411, color #336699, but #778812", [("order", "778812")]),
        ("HTTP 404, then a 502 error, status 503, 500 errors", [("error", "404"), ("error", "502"), ("error", "503")]),
        ("ERR-1001 and ORA-00942, not AB-1001", [("error", "ERR-1001"), ("error", "ORA-00942"), ("order", "AB-1001")]),
        ("Firefox 128.0, Office 2019", [("version", "Firefox 128.0"), ("version", "Office 2019")]),
        ("on macOS Sonoma 14.4, not 14.5", [("version", "macOS Sonoma 14.4")]),
        ("500 руб, ₽500, Rs. 500, R$ 5000, 3 hours 500 m", [("amount", "500 руб"), ("amount", "₽500"), ("amount", "Rs. 500"), ("amount", "R$ 5000")]),
        ("USD 5k. £1m, $5 km", [("amount", "USD 5k"), ("amount", "£1m"), ("amount", "$5")]),
        ("3.5k dollars, 2 million euros", [("amount", "3.5k dollars"), ("amount", "2 million euros")]),
        ("31/02/2026, 02/30/2026, 31.02.2026, 2026/02/29", []),
        ("29/02/2024, 02/28/2026, 2026-03-15T10:00:00Z", [("date", "29/02/2024"), ("date", "02/28/2026"), ("date", "2026-03-15")]),
    ],
)  # fmt: skip
def test_the_facts_that_a_message_names(text: str, found: list[tuple[str, str]]) -> None:
    assert [(one.type, one.text) for one in in_message(text, 0)] == found


def test_only_the_customers_messages_name_facts_and_each_says_which_one() -> None:
    messages = (
        Message(author="agent", text="Is it order TB-111111?"),
        Message(text="It is order TB-222222."),
        Message(text="Note: order TB-333333", visibility="private"),
        Message(text="And €40 for the second."),
    )
    found = entities(Conversation(messages=messages))
    assert [(one.text, one.message) for one in found] == [("TB-222222", 1), ("€40", 3)]


@given(
    st.lists(
        st.sampled_from(
            [
                "€",
                "1.2",
                " ",
                "E12",
                "order ",
                "#",
                "5k",
                "руб",
                "31/02/2026",
                "tel. ",
                "HTTP 404",
                "R$",
                "2026-01-02",
                "ü",
                "😀",
                "\ud800",
                "v1.2.3",
                "May 3",
                "x",
            ]
        ),
        max_size=40,
    )
)
def test_a_facts_place_is_exact_and_no_two_overlap(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = in_message(text, 0)
    assert all(text[one.start : one.end] == one.text and one.text for one in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@pytest.mark.parametrize(
    ("amount", "number"),
    [("€1.234,50", 1234.5), ("1,234.50 USD", 1234.5), ("1.234 €", 1234), ("2 300 euros", 2300), ("49,90", 49.9),
     ("USD 5k", 5000), ("£1.5m", 1.5e6), ("2 million euros", 2e6), ("5 Mio. €", 5e6), ("5 MXN", 5), ("5 kr", 5),
     ("1’200 CHF", 1200), ("£1.234.567,8", 1234567.8), ("250,- €", 250), ("no number", 0)],
)  # fmt: skip
def test_the_number_that_an_amount_names(amount: str, number: float) -> None:
    assert value(amount) == number
