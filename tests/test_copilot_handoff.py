"""What the next agent is told of a conversation, and on which words it rests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from copilot.domain import Author, Conversation, Customer, Message
from copilot.errors import DrafterFailed
from copilot.handoff import NAMES, HandOff, Summariser

BLENDER = Conversation(
    id="c-1",
    subject="Blender does not start",
    customer=Customer(name="Ana Sousa"),
    messages=(
        Message(
            text="Hello,\n\nmy blender B-200 does not start since this morning, the light stays red.\nI already unplugged it for ten minutes.\n"
            "What can I do?\n\nBest regards\nAna Sousa"
        ),
        Message(
            author="agent", text="Hi Ana,\n\nPlease press and hold the power button for 15 seconds.\n\nKind regards"
        ),
        Message(author="agent", visibility="private", text="Asked the workshop whether the B-200 is recalled."),
        Message(
            text="The light is still red after that. I also changed the socket. Can you send me a new one?\n\n"
            "On Tue, 3 Mar 2026 at 09:14, Support wrote:\n> Please press and hold the power button for 15 seconds."
        ),
    ),
)


def lines(made: HandOff) -> dict[str, list[str]]:
    return {section.name: [line.text for line in section.lines] for section in made.sections}


def summed(*said: tuple[Author, str]) -> dict[str, list[str]]:
    thread = Conversation(messages=tuple(Message(author=author, text=text) for author, text in said))
    return lines(Summariser(None, 6_000).summary(thread))


class Says:
    """A model that answers what it is told to."""

    name = "fake:model"

    def __init__(self, *answers: object) -> None:
        self.answers, self.prompts = answers, list[str]()

    def lines(self, prompt: str) -> Iterator[str]:
        self.prompts.append(prompt)
        for answer in self.answers:
            if isinstance(answer, Exception):
                raise answer
            yield answer if isinstance(answer, str) else json.dumps(answer)


def test_a_conversation_is_summed_up_in_four_sections() -> None:
    made = Summariser(None, 6_000).summary(BLENDER)
    assert [section.name for section in made.sections] == list(NAMES)
    told = lines(made)
    assert told["situation"] == ["my blender B-200 does not start since this morning, the light stays red."]
    assert told["tried"] == [
        "I already unplugged it for ten minutes.",
        "Please press and hold the power button for 15 seconds.",
        "Asked the workshop whether the B-200 is recalled.",
        "I also changed the socket.",
    ]
    assert told["result"] == ["The light is still red after that."]
    assert told["open"] == ["Can you send me a new one?"]


def test_every_line_names_the_words_that_it_rests_on() -> None:
    made = Summariser(None, 6_000).summary(BLENDER)
    for line in (line for section in made.sections for line in section.lines):
        (span,) = line.spans
        said = BLENDER.messages[span.message]
        assert said.text[span.start : span.end] == span.quote
        assert (" ".join(span.quote.split()), said.author) == (line.text, line.author)


def test_where_we_spoke_last_our_question_and_our_promise_are_open() -> None:
    ours = Message(author="agent", text="We will send the invoice again. Which address is it for?")
    made = Summariser(None, 6_000).summary(Conversation(messages=(Message(text="The invoice is missing."), ours)))
    assert lines(made)["open"] == ["We will send the invoice again.", "Which address is it for?"]


def test_a_wrapped_sentence_is_one_line() -> None:
    text = "Since the last update on Monday morning my printer\nprints nothing but empty pages."
    made = Summariser(None, 6_000).summary(Conversation(messages=(Message(text=text),)))
    assert lines(made)["situation"] == [text.replace("\n", " ")]


def test_a_sentence_behind_a_greeting_is_told_and_nothing_that_was_tried_is_the_situation() -> None:
    texts: tuple[tuple[Author, str], ...] = (
        ("customer", "Hi, my frame shows a blank display since the update.\r\nI tried to restart it twice."),
        ("agent", "Hi Tom, please hold the back button for 12 seconds."),
        ("customer", "Hello Maud, it is still blank. Hi, can you help?"),
    )
    thread = Conversation(messages=tuple(Message(author=author, text=text) for author, text in texts))
    made = Summariser(None, 6_000).summary(thread)
    assert lines(made) == {
        "situation": ["my frame shows a blank display since the update."],
        "tried": ["I tried to restart it twice.", "please hold the back button for 12 seconds."],
        "result": ["it is still blank."],
        "open": ["Hi, can you help?"],
    }
    for line in (line for section in made.sections for line in section.lines):
        (span,) = line.spans
        assert thread.messages[span.message].text[span.start : span.end] == span.quote
    tried = Conversation(messages=(Message(text="I tried to restart it twice."),))
    assert lines(Summariser(None, 6_000).summary(tried))["situation"] == []


def test_what_we_asked_for_is_told_and_a_single_word_answers() -> None:
    made = summed(
        ("customer", "Hi, my kiln smokes since Monday."),
        ("agent", "Which generation is it? It is printed underneath."),
        ("customer", "It is the 2nd generation. I bought it in May from a shop in Utrecht."),
        ("agent", "And which gasket is in it?"),
        ("customer", "Felt"),
    )
    assert made["situation"] == ["my kiln smokes since Monday.", "It is the 2nd generation.", "Felt"]
    assert made["open"] == [], "our question was answered"


def test_how_it_ended_is_the_last_result() -> None:
    made = summed(
        ("customer", "My hub blinks amber."),
        ("agent", "If there is a code, write it down. Touch the button on the back."),
        ("customer", "I did that. Still blinking amber. It went off again at night."),
        ("agent", "Did you change the network?"),
        ("customer", "Perfect, it is green again! Thank you."),
    )
    assert made["tried"] == ["If there is a code, write it down.", "Touch the button on the back.", "I did that."]
    assert made["result"] == ["Still blinking amber.", "It went off again at night.", "Perfect, it is green again!"]


def test_a_chat_that_begins_in_fragments_has_its_matter_told() -> None:
    made = summed(
        ("customer", "hi there"),
        ("customer", "my kiln door does not close"),
        ("agent", "Since when?"),
        ("customer", "it's me again, since Monday"),
    )
    assert "my kiln door does not close" in made["situation"]
    assert made["result"] == []


def test_a_name_behind_the_last_sentence_is_no_line() -> None:
    made = summed(("customer", "Push is not enough for me at night. Regards, Ruth Adler"))
    assert made["situation"] == ["Push is not enough for me at night."]


def test_a_thread_without_a_customers_word_has_four_empty_sections() -> None:
    assert lines(
        Summariser(None, 6_000).summary(Conversation(messages=(Message(author="system", text="opened"),)))
    ) == {name: [] for name in NAMES}


def test_a_models_lines_stand_where_the_messages_they_name_say_so() -> None:
    model = Says(
        {"section": "situation", "text": "The blender B-200 does not start and the light stays red.", "messages": [1]},
        {"section": "result", "text": "The light is still red.", "messages": [3]},
        {"section": "result", "text": "The customer was refunded 40 euro.", "messages": [2]},
        {"section": "open", "text": "The light is still red after that.", "messages": [9]},
        "no JSON at all",
    )
    made = Summariser(model, 6_000).summary(BLENDER)
    assert (made.generator, made.fallback) == ("fake:model", False)
    told = lines(made)
    assert told["situation"] == ["The blender B-200 does not start and the light stays red."]
    assert told["result"] == ["The light is still red."]
    assert told["open"] == []
    assert made.sections[2].lines[0].spans[0].message == 3


def test_a_models_lines_are_read_from_a_fence_too() -> None:
    told = [{"section": "result", "text": "The light is still red.", "messages": ["3"]}]
    made = Summariser(Says(*f"```json\n{json.dumps(told, indent=2)}\n```".split("\n")), 6_000).summary(BLENDER)
    assert (made.generator, lines(made)["result"]) == ("fake:model", ["The light is still red."])


def test_a_private_note_goes_to_the_next_agent_and_never_to_the_model() -> None:
    model = Says({"section": "result", "text": "The light is still red.", "messages": [3]})
    made = Summariser(model, 6_000).summary(BLENDER)
    assert "workshop" not in model.prompts[0]
    assert lines(made)["tried"] == ["Asked the workshop whether the B-200 is recalled."]


def test_personal_data_never_reaches_the_model_and_is_back_in_the_summary() -> None:
    mail = "Please write to ana.sousa@example.com when the parcel is there."
    model = Says({"section": "open", "text": "Please write to [email-1] when the parcel is there.", "messages": [1]})
    asked = Conversation(messages=(Message(text=mail),), customer=Customer(name="Ana Sousa"))
    made = Summariser(model, 6_000).summary(asked)
    assert "ana.sousa" not in model.prompts[0]
    assert lines(made)["open"] == [mail]


def test_the_names_of_both_sides_never_reach_the_model_and_no_other_word_is_cut() -> None:
    messages = (
        Message(text="The manager of the lamp is off, says Ana.\n\nRegards,\nAna Sous\u200ba"),
        Message(author="agent", text="Dear Ms Sousa, please wait.\n\nKind regards\nMaud Kessler"),
        Message(text="Maud told me to wait. Can ana get a new anagram?"),
    )
    model = Says({"section": "open", "text": "Can [name-6] get a new anagram?", "messages": [3]})
    made = Summariser(model, 6_000).summary(Conversation(messages=messages))
    assert not re.search(r"\b(?:ana|sousa|maud|kessler)\b", model.prompts[0], re.IGNORECASE), model.prompts[0]
    assert "manager of the lamp" in model.prompts[0]
    assert "new anagram" in model.prompts[0]
    assert made.generator == "fake:model"


@pytest.mark.parametrize(
    "answers", [(DrafterFailed("slow"),), ("{}",), ({"section": "open", "text": "", "messages": []},)]
)
def test_a_model_that_fails_costs_nothing_but_its_words(answers: tuple[object, ...]) -> None:
    made = Summariser(Says(*answers), 6_000).summary(BLENDER)
    assert (made.generator, made.fallback) == ("extractive", True)
    assert lines(made) == lines(Summariser(None, 6_000).summary(BLENDER))


def test_the_summary_is_one_request_away(client: TestClient) -> None:
    thread = {"id": "hand-off-1", "messages": [{"text": "My lamp is broken. Can I send it back?"}]}
    assert client.post("/v1/conversations", json=thread).status_code == 201
    made = client.post("/v1/conversations/hand-off-1/summary").json()
    assert made["conversation_id"] == "hand-off-1"
    assert made["sections"][3]["lines"][0]["text"] == "Can I send it back?"
    assert client.post("/v1/conversations/none/summary").status_code == 404
