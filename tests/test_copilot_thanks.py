"""Who only says thanks is thanked, and not told the same steps again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from copilot.build import Parts
from copilot.domain import Channel, Conversation, Customer, Message
from copilot.thanks import only_thanks
from tests.conftest import AGENT, asks

ASKED = asks("How do I reset my password?", "password", customer=Customer(name="Ana Sousa"))


def then(turn: str, channel: Channel = "email") -> Conversation:
    answered = Message(author="agent", text="Open Settings and choose Reset password. Did that help?\nMaria")
    messages = (*ASKED.messages, answered, Message(author="customer", text=turn))
    return replace(ASKED, messages=messages, channel=channel)


@pytest.mark.parametrize(
    "turn",
    [
        "ok thanks that worked!",
        "Thanks a lot, it works now. You can close the ticket.",
        "Thank you Maria, perfect 👍 Have a nice day!\nAna",
        "Super, danke, jetzt geht es wieder!",
        "Merci beaucoup, ça marche. Bonne journée",
        "Bedankt, het werkt weer!",
        "¡Muchas gracias, ya funciona todo!",
        "Yes, that helped, thanks.",
        "Thanks again, it works again now. You can close this.",
        "Danke, es läuft wieder, hat geklappt",
        "Thank you very much for your quick help.",
        "Vielen Dank für die schnelle Hilfe, es funktioniert wieder!",
        "Perfect, it is green again! I had changed the Wi-Fi name last week and forgot. Thank you Maria.",
        "That did the trick, it's online again, thanks!",
        "Found them in my drawer and it worked!! You saved my day, thank you so much",
        "Approved it in the app just now and it went through. Thanks!",
        "Never mind, she found it in spam. All good now!",
        "Perfect, works like a charm. Cheers",
        "no thanks, that is all",
        "Perfect, it is green again",
        "Top, hij doet het weer!",
        "Thanks so much Maria, that's sorted it. Have a lovely weekend!",
        "Thanks so much Joe, that's sorted it. Have a lovely weekend!",  # who did not sign
        "Thank you Amy! All sorted now, enjoy your weekend",
        "ok ta, bye",
        "Great, all sorted then. No need to reply.",
        "Thanks!\n\nOn 2 May Maud wrote:\n> Open Settings. Did that help?",
        "Hat sich erledigt, danke.",
        "Danke, hat sich schon erledigt!",
        "Das Problem hat sich inzwischen von selbst erledigt.",
        "Ist bereits gelöst, danke.",
        "C'est réglé, merci.",
        "Le problème est enfin résolu, merci beaucoup.",
        "Is opgelost, bedankt",
        "Het is inmiddels al geregeld, dankjewel!",
        "Ya está solucionado.",
        "El problema ya se ha resuelto, gracias.",
        "Ya se solucionó, gracias.",
    ],
)
def test_thanks_and_nothing_else_are_known(turn: str) -> None:
    assert only_thanks(then(turn))


@pytest.mark.parametrize(
    "turn",
    [
        "ok",
        "Thanks, but it does not work",
        "Thanks for nothing.",
        "Thanks, I use Android",
        "Thanks, Android.",
        "Thank you. The order number is TB-204518.",
        "Thanks, and how do I change my e-mail address?",
        "It worked for a day.",
        "is it working now thanks",
        "Please close my account, thanks",
        "Danke, aber es geht nicht",
        "Merci, et pour ma femme",
        "Thanks, Not resolved",
        "Danke Kündigung",
        "Thanks so much Visa",
        "Great, but I need a reply then, thanks",
        "Thank you, now it has closed again",
        "thanks, can you help",
        "OK thanks. I closed it and it is the case again now",
        "Es hat funktioniert, jetzt wieder alles",
        "Help is appreciated, thanks",
        "thanks, I just appreciate an answer",
        "Yes, thank you",
        "Thanks, but it is as large as before.",
        "It is not working again.",
        "The problem is back, thanks.",
        "Thank you. I want to cancel my plan.",
        "Es funktioniert nicht.",
        "Merci, mais ça ne marche pas.",
        "👍",
        "It works now. The second sensor is offline since Monday.",
        "It works now. Your sensor beeps all night.",
        "It works now on the phone, the tablet shows an error.",
        "Thanks, that worked. I need an invoice.",
        "Never mind, I will send it back.",
        "It worked once, now it is red again",
        "That's all I get: a blank screen",
        "Nothing else works",
        "It is working again but the light is amber",
        "It works fine, I have a question about the plan",
        "I found it in my drawer, the light blinks amber",
        "That was all a waste of time",
        "It worked. Now the app wants a code",
        "All good now?",
        "You used my card twice. All good now thanks.",
        "It made a loud bang. All good now.",
        "It used to smoke. It works now.",
        "I found it in flames",
        "It helped. You made me sick.",
        "We changed our address to 7 Oak Lane. All good.",
        "Hat sich nicht erledigt",
        "Das Problem hat sich leider noch nicht erledigt, danke.",
        "Hat sich das erledigt",
        "Hat sich erledigt?",
        "Ist das Problem gelöst, danke",
        "Die Bestellung hat sich erledigt, danke",
        "Hat sich erledigt, ich möchte kündigen.",
        "Ich dachte, das Problem ist gelöst.",
        "Ce n'est pas réglé, merci",
        "C'est réglé ? merci",
        "C'est réglé mais il manque une pièce",
        "Tout est bon sauf la facture",
        "Is nog niet opgelost",
        "Is dat opgelost, bedankt",
        "Is opgelost, maar nu piept hij",
        "No está solucionado, gracias",
        "Ya no está resuelto",
        "¿Ya está solucionado?",
        "Sigue sin estar solucionado",
    ],
)
def test_whoever_says_more_is_answered(turn: str) -> None:
    assert not only_thanks(then(turn))


def test_all_that_was_written_since_the_reply_counts() -> None:
    asked, advised, *_ = then("Thanks!").messages
    more, thanks = Message(text="Where is that on a Mac?"), Message(text="Thank you!")
    works = Message(text="It works now.")
    noted = Message(author="agent", text="She thanks us.", visibility="private")
    assert only_thanks(replace(ASKED, messages=(asked, advised, works, thanks, noted)))
    assert not only_thanks(replace(ASKED, messages=(asked, advised, more, thanks)))
    assert not only_thanks(replace(ASKED, messages=(asked, thanks)))


def test_that_it_is_solved_answers_a_reply() -> None:
    assert not only_thanks(asks("Perfect, it is green again", ""))


def test_thanks_below_a_subject_that_nobody_has_answered_are_no_end() -> None:
    assert not only_thanks(asks("Thanks a lot!", "My refund has not come"))
    assert only_thanks(asks("Thanks a lot!", ""))


@pytest.mark.parametrize(
    ("channel", "reply"),
    [
        ("chat", "Hi Ana,\n\nThat is good to read, thank you."),
        ("email", "Hi Ana,\n\nThat is good to read, thank you.\n\nBest regards"),
    ],
)
def test_the_reply_to_thanks_is_short_and_claims_nothing(filled: Parts, channel: Channel, reply: str) -> None:
    made = filled.copilot.suggest(AGENT, then("Thanks, that worked!", channel))
    assert made.status == "drafted"
    assert made.draft is not None
    assert made.draft.text == reply


@pytest.mark.parametrize(
    "turn",
    [
        "Hat sich erledigt, danke.",
        "Hat sich erledigt.",
        "C'est réglé, merci.",
        "Is opgelost.",
        "Ya está solucionado, gracias.",
    ],
)
def test_that_it_is_settled_gets_thanks_and_no_steps_in_any_of_our_languages(filled: Parts, turn: str) -> None:
    made = filled.copilot.suggest(AGENT, then(turn))
    assert made.draft is not None
    assert [one for one in made.draft.statements if one.citations] == []
    assert made.triage.sentiment.label in ("neutral", "positive", "very_positive")
    assert not made.escalation.recommended
    assert made.abstention is None
    assert {statement.support for statement in made.draft.statements} == {"no_claim"}
