"""Harms that are plainly denied call nobody; what sounds alike and tells of a harm does; and who is suddenly ill is heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from copilot import yaml_file
from copilot.denied import hidden, left
from copilot.domain import Conversation, Escalation, Message
from copilot.escalate import escalate
from copilot.ports import Embedder
from copilot.query import search_text
from copilot.settings import DEFAULTS
from copilot.triage import Triager
from copilot.words import HIDDEN, fold
from tests.conftest import asks
from tests.test_copilot_escalate import POLICY, decide

MESSAGES = yaml_file.read(Path(__file__).parent / "triage" / "denials.yaml")
ACUTE = yaml_file.read(Path(__file__).parent / "triage" / "acute.yaml")


@pytest.fixture(scope="module")
def triager(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Triager:
    return Triager(embedder, DEFAULTS / "taxonomy.yaml", tmp_path_factory.mktemp("models"))


def decided(triager: Triager, embedder: Embedder, text: str) -> Escalation:
    asked = asks(text)
    triage = triager.read(asked, triager.encoded(search_text(asked)))
    return escalate(POLICY, asked, triage, False, 150.0)


def assert_stands(text: str) -> None:
    """Nothing of the text is taken for a denied harm, neither by the rules nor by what was learned."""
    assert left(text) == text
    assert hidden(fold(text)) == fold(text)


def test_plain_denials_rarely_call_a_person_and_harms_still_do(triager: Triager, embedder: Embedder) -> None:
    called = {
        kind: sum(decided(triager, embedder, text).recommended for text in texts) for kind, texts in MESSAGES.items()
    }
    assert called["denials"] <= 8
    assert called["harms"] >= 50


@pytest.mark.parametrize(
    "text",
    [
        "None of my photos are missing after the update, great work.",
        "No customer data was leaked, our audit is complete.",
        "I have not been charged twice, sorry for the noise.",
        "It wasn't fraud after all, my husband used the card.",
        "No data was lost.",
        "No me han hackeado, solo quiero cambiar mi contraseña.",
        "Nadie está herido, solo quiero otra lámpara.",
    ],
)
def test_a_denied_harm_counts_neither_by_rules_nor_by_what_was_learned(
    triager: Triager, embedder: Embedder, text: str
) -> None:
    assert not decided(triager, embedder, text).recommended


@pytest.mark.parametrize(
    "text",
    [
        "No data was lost until today, now everything is gone.",
        "No money was stolen from me, but from my mother's account you let a fraudster take 3,000 euros.",
        "I don't believe nobody was hurt, my son is in hospital because of your scooter.",
        "They told me nobody has been charged twice, yet I was charged twice and want a chargeback.",
        "I was not hurt, my daughter was: the blade cut her hand.",
        "Nobody was hurt when the battery exploded in the kitchen.",
    ],
)
def test_a_harm_beside_a_denial_still_calls_a_person(triager: Triager, embedder: Embedder, text: str) -> None:
    assert decided(triager, embedder, text).recommended


@pytest.mark.parametrize(
    "text",
    [
        "No, my son is injured, send someone.",
        "No, the battery is swollen.",
        "No heating, flat is flooded, please come.",
        "No, my account was hacked.",
        "No my account was hacked.",
        "No… it was hacked again",
        "Your reset link? No, the account was hacked again.",
        "No, my card was stolen.",
        "No—my card was stolen.",
        "No response - account got hacked",
        "No, my data is lost.",
        "No access, files are gone.",
        "There is no backup, everything is lost.",
        "Keine Antwort, Konto wurde gehackt.",
        "No, me han hackeado la cuenta.",
        "No, me han robado la cuenta y el dinero.",
        "Did that help?\nNo\n\nMy account was hacked",
    ],
)
def test_an_answer_of_no_denies_nothing_that_follows(text: str) -> None:
    assert_stands(text)


@pytest.mark.parametrize(
    "text",
    [
        "We've never had a data breach of this size.",
        "We have never had a data leak like this one.",
        "We have never lost data like this.",
        "I've never been scammed like this.",
        "It is false that no customer data was leaked.",
        "It is not true that no data was lost.",
        "No data was lost? Then where are my files?",
        "No data was lost in the move? Then where are my files?",
        "According to your statement no data was leaked. My passport is for sale online.",
        "Nothing is stolen, you say? 400 euros left my account on Monday.",
        "Nobody was hurt, really? My colleague lost two fingers.",
        "Nobody is hurt? You must be joking, I'm in hospital.",
    ],
)
def test_a_denial_that_is_doubted_quoted_or_says_never_so_bad_denies_nothing(text: str) -> None:
    assert_stands(text)


@pytest.mark.parametrize(
    "text",
    [
        "Sie behaupten, es wurden keine Daten gestohlen.",
        "Ihr Support sagt, es wurde niemand verletzt.",
        "They claim that no data was stolen, but my passport is for sale.",
        "They claim, no data was stolen.",
        "You keep saying: nobody was hurt.",
        "Your engineer told us, after the update, that no data was lost.",
        "According to your statement, no data was leaked.",
        "No data was stolen, they claim.",
        "Ze beweren: er zijn geen gegevens gestolen.",
        "Ils prétendent que, lors de l'attaque, aucune donnée n'a été volée.",
        "Afirman que, según la auditoría, no se ha perdido nada.",
    ],
)
def test_what_somebody_else_claims_is_denied_by_nobody(text: str) -> None:
    assert_stands(text)


@pytest.mark.parametrize(
    ("text", "harm"),
    [
        ("My colleague looked, no data was lost.", "lost"),
        ("We checked it twice, no data was stolen.", "stolen"),
        ("They claim we owe 20 euros. No data was lost.", "lost"),
        ("Ils sont venus vite, personne n'est blessé.", "blessé"),
        ("Ich versichere Ihnen, es wurden keine Daten gestohlen.", "gestohlen"),
        ("Your update ran at night, no data was lost.", "lost"),
    ],
)
def test_a_denial_of_ones_own_counts_whoever_claims_something_else(text: str, harm: str) -> None:
    assert harm not in left(text)


@pytest.mark.parametrize(
    "text",
    [
        "None of my personal data was erased and you keep mailing me.",
        "No personal data was deleted, though I asked for erasure twice.",
        "Nothing has been deleted, my profile is still public.",
        "None of my records were wiped.",
        "Nobody is affected by my GDPR request, it seems.",
    ],
)
def test_data_that_was_not_erased_is_no_harm_denied(text: str) -> None:
    assert_stands(text)


@pytest.mark.parametrize(
    ("text", "harm"),
    [
        ("Es sind keine Daten verloren gegangen, ich frage nur nach dem neuen Tarif.", "verloren"),
        ("Er zijn geen bestanden beschadigd, ik wil alleen de nieuwe versie.", "beschadigd"),
        ("No se perdió ningún archivo, gracias.", "perdió"),
    ],
)
def test_a_harm_is_denied_in_the_order_of_words_of_other_languages(text: str, harm: str) -> None:
    assert harm not in left(text)
    assert left(text).strip()
    doubted = f"{text.partition(',')[0]}? {text}"
    assert harm in left(doubted), "a question repeats what somebody else said"


@pytest.mark.parametrize(
    "text",
    [
        "No files were lost, except ten years of photos.",
        "Er zijn geen bestanden verloren gegaan, behalve mijn foto's.",
        "Es wurden keine Daten gestohlen bis gestern.",
        "Er zijn nog geen gegevens verwijderd, ik vroeg dat in mei.",
        "Bei mir wurden keine Daten gelöscht. Ich hatte Sie zur Löschung aufgefordert.",
        "Es sind keine Daten verloren außer allen Fotos der letzten zehn Jahre.",
        "Es sind keine Daten verloren, nur meine Fotos sind weg.",
        "No se perdió ningún archivo, solo todas las fotos de mi hija.",
        "No se ha perdido nada más que todo mi dinero.",
        "Angeblich wurden keine Daten gestohlen.",
        "Zogenaamd zijn er geen gegevens gestolen.",
        "Es mentira que no se perdió nada.",
    ],
)
def test_a_denial_with_an_exception_or_a_doubt_in_other_languages_denies_nothing(text: str) -> None:
    assert left(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Er is geen ambulance hier gewond",
        "Es ist kein Arzt da verletzt",
        "Achtung das ist keine Übung Kollegin verletzt",
        "Das ist kein Scherz Konto gehackt",
        "Mein Konto wurde keine Stunde später gehackt.",
        "Es wurden keine Kleinigkeiten gestohlen.",
    ],
)
def test_a_no_before_another_thing_denies_no_harm_behind_it(text: str) -> None:
    assert_stands(text)


@pytest.mark.parametrize("text", ["No, my son is injured, send someone.", "No heating, flat is flooded, please come."])
def test_a_harm_after_an_answer_of_no_is_an_emergency(triager: Triager, embedder: Embedder, text: str) -> None:
    assert decided(triager, embedder, text).level == "emergency"


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("My card was not stolen, someone is using it online right now.", "lead"),
        ("No money was lost. Only my wedding photos, 10 years of them.", "specialist"),
        ("I'm not hurt, my child is.", "emergency"),
    ],
)
def test_a_harm_that_follows_a_denial_without_its_word_is_read(
    triager: Triager, embedder: Embedder, text: str, level: str
) -> None:
    assert left(text) == text
    assert decided(triager, embedder, text).level == level


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("No data was lost.", "."),
        ("Nobody was hurt when it exploded", "when it exploded"),
        ("I was not hacked, just curious", "I , just curious"),
        ("There was no fire and no smoke, the fuse tripped", ", the fuse tripped"),
        ("My data was not deleted although I asked", "My data was not deleted although I asked"),
        ("Nothing was deleted by me", "Nothing was deleted by me"),
        ("There was no fire alarm", "There was no fire alarm"),
        ("I do not want to die", "I do not want to die"),
        ("Es wurde niemand verletzt, danke", "Es wurde niemand verletzt, danke"),
        ("Keine Daten sind verloren gegangen", "gegangen"),
    ],
)
def test_a_denial_is_left_out_up_to_the_word_for_the_harm(text: str, rest: str) -> None:
    assert " ".join(left(text).split()) == rest


def test_a_denial_counts_in_a_mail_that_is_all_subject(triager: Triager) -> None:
    told = "Nothing was stolen and nobody was hurt, how do I change my address?"
    calls = [
        triager.read(asked, triager.encoded(search_text(asked))).attention
        for asked in (asks(told), Conversation(subject=told, messages=(Message(text=""),)))
    ]
    assert all(one is not None and one.weight < 0.1 for one in calls)


def test_what_is_asked_behind_a_but_takes_no_denial_back() -> None:
    asked = "There was no breach, but can you explain the login e-mail?"
    assert left(asked).strip() == ", but can you explain the login e-mail?"
    for told in (
        "No money was stolen from us, but from a customer.",
        "We have not been robbed but was scammed for 900 euros.",
        "Nothing was stolen but what is gone is my whole photo library.",
        "No money was stolen but when I looked today somebody had hacked my account.",
    ):
        assert left(told) == told


def test_what_is_hidden_keeps_its_place_and_what_was_learned_stands_before_a_but() -> None:
    text = "No emails were lost, but my screen is blue."
    shown = hidden(fold(text))
    assert len(shown) == len(text)
    assert shown == HIDDEN * len("No emails were lost") + ", but my screen is blue."
    assert left(text) == text


@pytest.mark.parametrize(("kind", "found"), [("acute", True), ("everyday", False)])
def test_who_is_hurt_or_suddenly_ill_is_an_emergency(kind: str, found: bool) -> None:
    levels = [decide(text).level for text in ACUTE[kind]]
    assert [level == "emergency" for level in levels] == [found] * len(levels)


def test_a_denied_harm_is_no_reason_for_urgency(triager: Triager, embedder: Embedder) -> None:
    for text, codes in (("There was no fire, it is late.", []), ("There is a fire, it is late.", ["safety"])):
        asked = asks(text)
        read = triager.read(asked, triager.encoded(search_text(asked)))
        assert [one.code for one in read.urgency.reasons if one.code == "safety"] == codes
