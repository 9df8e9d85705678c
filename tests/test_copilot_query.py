from __future__ import annotations

import pytest

from copilot.domain import Conversation, Customer, Message
from copilot.errors import EmptyMessage
from copilot.query import as_asked, asked_in, carried, missing_facts, said, search_text, stands_from
from tests.eval_cases import tag, triage

PLEA = "honestly this goes round in circles and I would really like somebody to read what I wrote before"


def turns(*texts: str, subject: str = "") -> Conversation:
    messages = []
    for text in texts:
        messages += [Message(text=text), Message(author="agent", text="Have you tried again?")]
    return Conversation(channel="chat", subject=subject, messages=tuple(messages[:-1]))


def test_a_thread_without_a_subject_is_about_what_the_customer_wrote_first() -> None:
    assert search_text(turns("the kiln stops at 600 degrees", PLEA)) == f"the kiln stops at 600 degrees\n\n{PLEA}"


def test_a_subject_says_what_a_thread_is_about() -> None:
    assert search_text(turns("the kiln stops", PLEA, subject="Kiln")) == f"Kiln\n\n{PLEA}"


@pytest.mark.parametrize("text", ["", " \n", "\u200b"])
def test_a_mail_that_is_all_subject_asks_what_its_subject_says(text: str) -> None:
    assert search_text(turns(text, subject="How do I clean the kiln?")) == "How do I clean the kiln?"
    assert said(turns(text, "it is dirty", subject="The kiln")) == ["it is dirty"]
    with pytest.raises(EmptyMessage):
        search_text(turns(text, subject=" "))
    with pytest.raises(EmptyMessage):
        search_text(Conversation(subject="How do I clean it?", messages=(Message(author="agent", text="Hello"),)))


@pytest.mark.parametrize("subject", ["", "Kiln"])
@pytest.mark.parametrize(
    ("turn", "alone"),
    [
        ("I have another problem: how do I cancel the monthly plan?", True),
        ("Noch eine andere Frage: wie kündige ich den monatlichen Tarif?", True),
        ("Another question: does it also stop at 900 degrees without the lid?", False),
        ("How do I cancel the monthly plan that I took in spring?", False),
    ],
)
def test_who_asks_something_else_is_not_asking_what_they_wrote_first(subject: str, turn: str, alone: bool) -> None:
    found = search_text(turns("the kiln stops at 600 degrees", turn, subject=subject))
    assert (found == turn) is alone
    assert found.endswith(turn)
    assert search_text(turns(turn, subject=subject)).startswith(subject or turn), "nothing was written before it"


@pytest.mark.parametrize(
    "turn",
    [
        "That did not help at all. Do you have something else to suggest?",
        "I received something else",
        "Is there something else I can try?",
        "J'ai reçu autre chose",
        "There is another problem with my cancellation",
    ],
)
def test_something_else_in_the_same_matter_keeps_it(turn: str) -> None:
    assert search_text(turns("the kiln stops", turn, subject="The kiln")).startswith("The kiln")


def test_what_was_asked_first_does_not_come_back_behind_another_question() -> None:
    other = "I have another question. How do I cancel my plan?"
    found = search_text(
        turns(
            "the kiln stops", other, "I opened the account page, and there is no such button on it.", subject="The kiln"
        )
    )
    assert "kiln" not in found
    assert "cancel my plan" in found


def test_what_is_carried_along_is_what_is_searched_for() -> None:
    for words in (
        ["the kiln stops", "I have another question. How do I cancel?"],
        ["the kiln stops", "Another matter: my plan.", "And when?"],
    ):
        asked = turns(*words, subject="The kiln")
        assert as_asked(search_text(asked), words) == carried(words)


def test_a_long_first_message_does_not_drown_the_latest() -> None:
    found = search_text(turns("word " * 500, PLEA))
    assert found.endswith(PLEA)
    assert len(found.split()) <= 40 + len(PLEA.split())


def test_a_short_follow_up_brings_the_turns_before_it_along_once() -> None:
    assert search_text(turns("the kiln stops", "no, still not")) == "the kiln stops\n\nno, still not"


def test_an_apostrophe_is_searched_for_as_one_however_it_is_written() -> None:
    assert search_text(turns("it doesn’t heat", subject="It’s cold")) == "It's cold\n\nit doesn't heat"


def test_carried_turns_are_found_again_in_what_is_asked() -> None:
    said = ["the kiln\n\nstops", "no, still not"]
    asked = asked_in("Kiln", said).replace("kiln", "oven")
    assert as_asked(asked, said) == ["the oven\n\nstops", "no, still not"]
    assert as_asked("", []) == []


@pytest.mark.parametrize(
    ("turn", "from_"),
    [("Cancel my plan.", 0.6), ("Refund order 445566", 0.6), ("Forget it. Cancel my plan.", 0.6), ("Perfect, thanks a lot!", 0.3),
     ("Cancel it now please", 0.9), ("Hello?", 0.9), ("and for my wife?", None), ("order number 445566", None), ("me@shop.example", None)],
)  # fmt: skip
def test_how_sure_a_short_turns_own_intent_must_be(turn: str, from_: float | None) -> None:
    assert stands_from(turn) == from_


def replied(first: str, reply: str, then: str, subject: str = "The kiln") -> Conversation:
    reply_message = Message(author="agent", text=reply)
    return Conversation(subject=subject, messages=(Message(text=first), reply_message, Message(text=then)))


@pytest.mark.parametrize(
    "turn",
    ["Yes please", "yes", "Yes, that would be great. Thanks!", "Sure, go ahead", "ok", "Ja, gerne!", "Ja graag",
     "Oui, s’il vous plaît", "Sí, por favor", "Yes please\n\nOn 2 May Maud wrote:\n> Shall I send you the steps for cleaning the kiln?"],
)  # fmt: skip
def test_a_yes_to_an_offer_asks_for_what_was_offered(turn: str) -> None:
    reply = "Hi Ana,\n\nthat is dust. Shall I send you the steps for cleaning the kiln?\n\nRegards\nMaud"
    asked = replied("My kiln smokes.", reply, turn)
    assert search_text(asked) == "The kiln\n\nMy kiln smokes.\n\nShall I send you the steps for cleaning the kiln?"
    assert said(asked)[-1].startswith(turn[:2]), "the customer's own words stay"


def test_an_offer_that_points_back_comes_with_what_it_points_to() -> None:
    reply = "The ash box must be emptied. Would you like to know how to open it?"
    assert search_text(replied("My kiln smokes.", reply, "Yes please")).endswith(reply)
    reply = "You need a new gasket. I can send you the steps if you like."
    assert search_text(replied("My kiln smokes.", reply, "please")).endswith("I can send you the steps if you like.")


@pytest.mark.parametrize(
    ("reply", "turn"),
    [
        ("Is the door closed?", "Yes"),
        ("Shall I send you the steps for cleaning it?", "Yes please, but for the small kiln"),
        ("Shall I send you the steps for cleaning it?", "no thanks"),
        ("Shall I cancel your plan now?", "Please don't"),
        ("Shall I cancel your plan now?", "ok I don't like that"),
        ("I have sent it.", "ok"),
    ],
)
def test_no_other_answer_is_a_yes_to_an_offer(reply: str, turn: str) -> None:
    assert search_text(replied("My kiln smokes.", reply, turn)) == f"The kiln\n\nMy kiln smokes.\n\n{turn}"


@pytest.mark.parametrize(
    "turn",
    [
        "It's the large one from 2019, without a chimney of its own.",
        "Here you are: serial K1-22-0817, photo and receipt attached as asked.",
        "Ja, ist eingeschaltet, beide Türen haben ein eigenes Schloss.",
    ],
)
def test_an_answer_brings_what_was_asked_along_though_it_is_not_short(turn: str) -> None:
    assert carried(["My kiln smokes.", turn]) == ["My kiln smokes.", turn]


def test_answers_do_not_keep_what_was_asked_from_coming_along() -> None:
    words = ["How long does a heating coil last in the kiln?", "It is the 2nd generation.", "Bought eight months ago"]
    assert carried(words) == words


@pytest.mark.parametrize(
    "turn",
    [
        "It is closed now. How do I switch the whole kiln off?",
        "And I would like to know what the warranty covers",
        "It worked for a year and then from one day to the next it began to smoke a lot",
    ],
)
def test_what_asks_or_tells_much_stands_alone(turn: str) -> None:
    assert carried(["My kiln smokes.", turn]) == [turn]


def test_a_thread_that_begins_in_fragments_is_about_all_of_them() -> None:
    lines = [
        "hi",
        "my kiln",
        "does not close any more",
        "I pulled the lever twice and it is still open as before, sadly",
    ]
    asked = Conversation(channel="chat", messages=tuple(Message(text=line) for line in lines))
    assert search_text(asked) == f"hi my kiln does not close any more\n\n{lines[-1]}"


@pytest.mark.parametrize("above", ["Please change the name on my account to", "My name is:"])
def test_a_last_line_that_the_line_above_asks_for_stays(above: str) -> None:
    told = f"{above}\nAna Sousa"
    assert said(Conversation(customer=Customer(name="Ana Sousa"), messages=(Message(text=told),))) == [told]


@pytest.mark.parametrize("last", ["Ana", "Ana Sousa", "- ana,"])
def test_a_last_line_that_is_the_customers_own_name_says_nothing(last: str) -> None:
    asked = Conversation(customer=Customer(name="Ana Sousa"), messages=(Message(text=f"My kiln smokes.\n\n{last}"),))
    assert said(asked) == ["My kiln smokes."]
    assert said(Conversation(customer=Customer(name="Ana Sousa"), messages=(Message(text=last),))) == [last]
    assert said(Conversation(messages=asked.messages)) == [f"My kiln smokes.\n\n{last}"]


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("A missed appointment costs £15.", "what exactly happens"),
        ("Tell us the order number of your kettle.", "order number"),
        ("Nennen Sie uns die Bestellnummer.", "order number"),
    ],
)
def test_only_what_the_sources_know_of_is_asked_for(source: str, asked: str) -> None:
    assert missing_facts(triage(tag("order_status")), [source])[0].startswith(asked)
