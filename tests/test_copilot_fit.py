"""Which section answers: by the words of the message and of what agents replied to similar customers, the newer page before the older."""

from __future__ import annotations

from dataclasses import replace

from copilot.domain import Draft, Evidence, Hit, Passage
from copilot.draft import evidence
from copilot.fit import asked, fitted, words_of
from tests.test_copilot_compose import article, drafted, text, ticket

PAGE = """The Lamp and what it tells.

## Buy a lamp

The lamp costs 20 euro in the shop and comes with a cable of one metre.

## Blinking

Press the small button at the back until it clicks, and let the lamp cool for an hour.

## Colours

Choose another colour in the menu under Settings.
"""


def hit(page: str, *found: str) -> Hit:
    passages = tuple(
        Passage(start=page.index(words), end=page.index(words) + len(words), text=words, headings=(), score=0.5, scores={"dense": 0.5})
        for words in found
    )  # fmt: skip
    return Hit(
        document_id="lamp", kind="article", title="Lamp", url=None, audience="public", revision=1, score=0.5,
        scores={"dense": 0.5}, passages=passages,
    )  # fmt: skip


def chosen(message: str, solved: str = "") -> Evidence:
    """The best section where the passage that was found is the shop's."""
    found = [hit(PAGE, "The lamp costs 20 euro")]
    tickets = [replace(found[0], document_id="t", kind="ticket", scores={"dense": 0.8})] if solved else []
    texts = {("lamp", 1): (PAGE, 0), ("t", 1): (solved, 0)}
    return evidence(message, found, tickets, texts, {"lamp": "2026-01-01"})[0]


def test_a_section_that_was_not_found_is_read_too_and_taken_where_it_fits_better() -> None:
    assert chosen("What does the lamp cost?").text.startswith("## Buy")
    assert chosen("How can I choose another colour for it in the settings menu?").text.startswith("## Colours")


def test_what_agents_replied_to_similar_customers_tells_which_section_answers() -> None:
    message = "It flickers all the time, help"
    replied = "Press the small button at the back until it clicks, then let it cool for an hour."
    assert not chosen(message).text.startswith("## Blinking")
    assert chosen(message, replied).text.startswith("## Blinking")


def test_a_reply_to_a_customer_who_is_hardly_alike_tells_less() -> None:
    sections = [
        article(f"## {name}\n\n{words}")
        for name, words in (("Care", "Rinse the bowl."), ("Noise", "Tighten both screws."))
    ]
    told = []
    for near in (0.9, 0.4):
        solved = ticket("Please tighten both screws.", score=near)
        scores = fitted("It rattles", sections, [replace(solved, words=words_of(solved))])
        told.append(scores[1][0] - scores[0][0])
    assert told[0] > 2 * abs(told[1])


def test_every_section_is_judged_by_what_was_found_in_it() -> None:
    page = PAGE.replace("Blinking", "Lights")
    found = hit(page, "The lamp costs 20 euro", "Press the small button", "Choose another colour")
    near = tuple(
        replace(one, scores={"dense": cosine}) for one, cosine in zip(found.passages, (0.3, 0.2, 0.7), strict=True)
    )
    made = evidence("Which one?", [replace(found, passages=near)], [], {("lamp", 1): (page, 0)}, {})
    assert {one.text.split()[1]: one.near for one in made} == {"Buy": 0.3, "Lights": 0.2, "Colours": 0.7}
    far = replace(near[2], scores={"dense": 0.1})
    many = (*near[:1], *near[:1], *near[:1], *near[1:2], far)
    made = evidence("Which one?", [replace(found, passages=many)], [], {("lamp", 1): (page, 0)}, {})
    assert {one.text.split()[1]: one.near for one in made}["Colours"] == 0.1


def test_a_section_whose_heading_the_customer_says_comes_first() -> None:
    body = "Open the menu and follow what it shows, then wait a minute."
    sections = [article(f"## {name}\n\n{body}") for name in ("Invoice address", "Delivery address", "Power saving")]
    scores = [score for score, _ in fitted("the delivery address is wrong", sections, [])]
    assert max(scores) == scores[1]


def test_each_section_carries_its_place_its_day_and_its_words() -> None:
    one = chosen("What does the lamp cost?")
    assert PAGE[one.start : one.end] == one.text
    assert one.date == "2026-01-01"
    assert one.words == words_of(one)


def test_the_score_is_the_same_whatever_else_is_asked_of_it() -> None:
    sections = [article("Press the button."), article("Choose a colour.")]
    assert fitted("Which colour?", sections, []) == fitted("Which colour?", sections, [])


def test_what_is_asked_is_told_from_what_is_only_said() -> None:
    said = "The lamp is new. Can I change its colour? I would like to know the price. It is nice."
    assert asked(said) == ["Can I change its colour?", "I would like to know the price."]


def test_what_is_asked_is_told_without_a_question_mark_and_in_other_languages() -> None:
    assert asked("We moved in May. I just want my kettle to stop beeping. The dog hates it.") == [
        "I just want my kettle to stop beeping."
    ]
    assert asked("Der Topf ist neu. Können Sie mir den Deckel nachschicken") == [
        "Können Sie mir den Deckel nachschicken"
    ]
    assert asked("All gone over night. any chance of having them back or must we type it all in. bye") == [
        "any chance of having them back or must we type it all in."
    ]


def test_a_story_without_a_question_is_about_where_it_ends() -> None:
    assert asked("It was fine. Then it fell. Now it hums. It smells of tar.") == ["Now it hums.", "It smells of tar."]


def test_two_questions_are_both_answered_each_from_its_section() -> None:
    colour = "## Change the colour\n\nChoose another colour in the menu under Settings of the lamp."
    price = "## Spare parts\n\nA spare cable costs 5 euro and is sent by post within a week."
    one, two = article(colour, start=10), article(price, start=400, fit=-1.0)
    made = text(one, two, message="How can I change the colour of the lamp? And what does a spare cable cost by post?")
    assert "Choose another colour" in made
    assert "A spare cable costs 5 euro" in made
    assert "cable" not in text(one, two, message="How can I change the colour of the lamp?")


def test_of_two_pages_of_one_title_the_one_that_was_changed_much_later_comes_first() -> None:
    old = article(
        "Send the parcel back within 14 days and pay the stamp.", id="old", title="Returns", fit=1.0, date="2024-03-01"
    )
    new = article(
        "Send the parcel back within 30 days, the stamp is free.", id="new", title="Returns", date="2026-03-01"
    )
    asks = {"message": "How do I send the parcel back?"}
    assert "30 days" in text(old, new, **asks).partition("Two of our pages")[0]
    assert "14 days" in text(replace(old, date=""), new, **asks).partition("Two of our pages")[0]
    assert "14 days" in text(replace(old, title="Stamps and post"), new, **asks).partition("Two of our pages")[0]


def test_what_the_agent_said_already_is_not_said_again_where_something_else_is_there() -> None:
    first = article("Pull the plug of the router and wait for a minute.", id="one", fit=0.5)
    second = article("Hold the small button at its back until all lamps of it blink twice.", id="two")
    asks = {"message": "The router does not work"}
    assert "Pull the plug" in text(first, second, **asks)
    assert "Hold the small button" in text(
        first, second, replies=("Pull the plug of the router and wait for a minute. Restart.",), **asks
    )


def test_a_name_that_a_machine_gave_another_customer_is_not_quoted() -> None:
    words = (
        "Open the folder c9224fqm1 in the profiles. Click the button above the list and wait until it is there again."
    )
    made = drafted(ticket(words), message="My list is gone")
    assert isinstance(made, Draft)
    assert "c9224fqm1" not in made.text
    assert "Click the button" in made.text


def test_a_section_that_gives_a_time_answers_a_question_for_one() -> None:
    sections = [
        article(f"## Parcels\n\nParcels go {words}.", start=at) for at, words in ((0, "by van"), (9, "in 2 days"))
    ]
    (van, _), (days, _) = fitted("How long does it take?", sections, [])
    assert days > van
    (van, _), (days, _) = fitted("Who takes it?", sections, [])
    assert days == van
