import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.domain import Link, Source
from copilot.errors import NotKnowledge, UnreadableFile
from ingest.tickets import distil

IBAN, MAIL, NOTE, GUESS = "NL91 ABNA 0417 1643 00", "ana.sousa@mail.example", "NOTE-OBELISK", "GUESS-ZIGGURAT"
REPLY = "Hi Ana,\n\nhold the button for 10 seconds.\n\n1. Wait.\n2. Pair it again.\n\nKind regards,\nMaud\nTarnbrook Support"


def turn(text: str, role: str = "agent", day: int = 2, **more: Any) -> dict[str, Any]:
    author = "Maud" if role == "agent" else "Ana Sousa"
    return {"role": role, "author": author, "created": f"2026-03-{day:02}T08:00:00Z", "text": text, **more}


TICKET: dict[str, Any] = {
    "ticket_id": "T-1",
    "url": "https://desk.example/t/1",
    "created": "2026-03-01T08:00:00Z",
    "customer": "cus_1",
    "subject": "Re: Hub red, order TB-251447",
    "message": f"Hello,\n\nmy hub is red. Refund {IBAN}, mail {MAIL}.\n\nBest,\nAna Sousa\nElm Street 5",
    "thread": [
        turn(f"{NOTE}: always complains", visibility="private"),
        turn(f"Did you try {GUESS}? https://help.example/hub-red", day=2),
        turn(REPLY, day=3),
        turn("Works, thanks Maud!", "customer", day=4),
    ],
    "status": "solved",
    "solution": REPLY,
    "solution_by": "agent",
    "topic": "hub",
    "language": "en",
    "tags": ["led", "hub"],
    "cited_docs": ["hub-red"],
}


def distilled(**changes: Any) -> Source:
    return distil({**TICKET, **changes}, {}, None)


def shown(source: Source) -> str:
    return f"{source.document.title}\n{source.document.url}\n{source.text}"


# ---- what becomes of a solved ticket ----


@pytest.mark.parametrize("status", ["solved", "open"])
def test_a_tag_or_topic_that_holds_personal_data_is_left_out(status: str) -> None:
    tags = ["led", MAIL, "+49 170 1234567", "ana sousa", "Sousa", "order TB-251447", "Hub 2", "v3.8.2", "led"]
    document = distilled(topic=IBAN, tags=tags, status=status).document
    assert document.topics == ("led", "Hub 2", "v3.8.2")


def test_a_solved_ticket_is_its_problem_and_what_solved_it() -> None:
    source = distilled()
    document = source.document
    assert (
        source.text[: source.answer_start]
        == "Hub red, order [order-1]\n\nmy hub is red. Refund [iban-1], mail [email-1].\n\n"
    )
    assert source.text[source.answer_start :] == "Hold the button for 10 seconds.\n\n1. Wait.\n2. Pair it again."
    assert (document.id, document.kind, document.title, document.audience) == (
        "T-1",
        "ticket",
        "Hub red, order [order-1]",
        "public",
    )
    assert (document.url, document.language, document.topics) == ("https://desk.example/t/1", "en", ("hub", "led"))
    assert (document.solution_by, source.use) == ("agent", "answers")
    assert document.created_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert document.resolved_at == datetime(2026, 3, 3, 8, tzinfo=UTC)
    assert source.links == (Link(document_id="hub-red", at=datetime(2026, 3, 2, 8, tzinfo=UTC)),)


def test_private_notes_personal_data_and_other_turns_never_get_in() -> None:
    words = shown(distilled(url=f"https://desk.example/t/1?requester={MAIL}"))
    for canary in (NOTE, GUESS, MAIL, IBAN, IBAN.replace(" ", ""), "Ana", "Sousa", "Maud", "TB-251447", "Elm Street"):
        assert canary not in words


@pytest.mark.parametrize("status", ["open", "pending", "", "escalated"])
def test_an_unsolved_ticket_is_its_question_alone_and_ranks_what_was_linked(status: str) -> None:
    source = distilled(status=status, solution=f"{GUESS} maybe")
    assert source.use == "ranking"
    assert source.text == "Hub red, order [order-1]\n\nmy hub is red. Refund [iban-1], mail [email-1]."
    assert source.answer_start == 0
    assert source.document.solution_by is None
    assert source.document.resolved_at == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert GUESS not in shown(source)


def test_an_unsolved_ticket_without_links_is_left_out() -> None:
    with pytest.raises(NotKnowledge, match="not solved"):
        distilled(status="open", cited_docs=[])
    with pytest.raises(NotKnowledge, match="not solved"):
        distilled(solution=" ", cited_docs=[])


@pytest.mark.parametrize("status", ["spam", "Deleted", "junk"])
def test_spam_is_left_out_even_where_it_was_answered(status: str) -> None:
    with pytest.raises(NotKnowledge, match=status.lower()):
        distilled(status=status)


def test_a_ticket_that_asks_nothing_is_left_out() -> None:
    with pytest.raises(NotKnowledge, match="asks nothing"):
        distilled(subject="", message=" \n ")


# ---- which words solved it ----


@pytest.mark.parametrize(
    "hidden",
    [{"visibility": "private"}, {"visibility": "internal"}, {"public": False}, {"private": True}, {"internal": "true"}],
)
def test_for_a_private_solution_the_last_public_reply_of_an_agent_stands_in(hidden: dict[str, Any]) -> None:
    source = distilled(
        solution=f"{NOTE} swap it",
        thread=[turn("Is it on?"), turn(f"{NOTE} swap it", day=3, **hidden), turn("ok", "customer", 4)],
    )
    assert source.text[source.answer_start :] == "Is it on?"
    assert source.document.resolved_at == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert NOTE not in shown(source)


@pytest.mark.parametrize("solution", [f"{NOTE} swap it", f"{NOTE}  swap\nit.", f"{NOTE} swap"])
def test_a_solution_that_only_a_private_note_says_is_left_out(solution: str) -> None:
    with pytest.raises(NotKnowledge, match="private note"):
        distilled(solution=solution, thread=[turn(f"{NOTE} swap it", visibility="private"), turn("hm", "customer")])


def test_a_customers_own_solution_counts() -> None:
    source = distilled(
        solution="It was the fuse!",
        solution_by="customer",
        thread=[turn("Try a, b, c"), turn("It was the fuse!", "customer", 5)],
    )
    assert source.text[source.answer_start :] == "It was the fuse!"
    assert source.document.solution_by == "customer"


def test_a_solution_beyond_the_kept_thread_counts_from_the_last_turn_that_is_known() -> None:
    source = distilled(
        solution="Swap the fuse.", solution_by="helper", thread=[turn("Is it on?", day=2), turn("Yes", "customer", 5)]
    )
    assert source.text.endswith("\n\nSwap the fuse.")
    assert source.document.solution_by == "agent"
    assert source.document.resolved_at == datetime(2026, 3, 5, 8, tzinfo=UTC)
    assert distilled(solution="Swap.", resolved="2026-03-09").document.resolved_at == datetime(2026, 3, 9, tzinfo=UTC)


def test_quotes_and_markup_of_messages_become_plain_text() -> None:
    reply = (
        "> it leaks\n\nTry **this**:\n* [the page](https://help.example/x)\n* `reset`\nThen wait\nand see.\n\n"
        "On Mon, 2 Mar 2026 at 9:00, Ana wrote:\n> help"
    )
    source = distilled(solution=reply, thread=[turn(reply)])
    assert source.text[source.answer_start :] == "Try this:\n\n- the page\n- reset\n\nThen wait\nand see."


def test_without_a_subject_the_first_words_are_the_title() -> None:
    message = "app shuts down as soon as i tap rooms, since yesterday, on my old phone and also on the tablet"
    title = distilled(subject="", message=f"{message}, ana is my name").document.title
    assert title == "app shuts down as soon as i tap rooms, since yesterday, on my old phone and…"
    assert distilled(subject="", message="x" * 500).document.title == "x" * 80 + "…"


# ---- links ----


def test_links_are_read_from_urls_where_the_table_names_none() -> None:
    row = {name: value for name, value in TICKET.items() if name != "cited_docs"}
    thread = [
        turn("see https://other.example/a/b", "customer"),
        turn("https://help.example/secret", visibility="private"),
        turn("try [this](https://help.example/en/kb/hub-red#w_x). Or https://help.example/reset-hub/.", day=3),
        turn("again https://help.example/hub-red", day=4),
    ]
    links = distil({**row, "thread": thread, "status": "open"}, {}, None).links
    third = datetime(2026, 3, 3, 8, tzinfo=UTC)
    assert links == (Link(document_id="hub-red", at=third), Link(document_id="reset-hub", at=third))


def test_a_cited_article_counts_from_the_first_reply_that_has_it_else_from_the_last_reply() -> None:
    thread = [
        turn("Your warranty is fine"),
        turn("https://help.example/warranty", day=3),
        turn("Done", day=5),
        turn("ok", "customer", 6),
    ]
    links = distilled(thread=thread, cited_docs=["warranty", "sent-by-macro", "warranty"]).links
    assert [(link.document_id, link.at and link.at.day) for link in links] == [("warranty", 3), ("sent-by-macro", 5)]


def test_a_link_in_a_private_note_is_no_link() -> None:
    with pytest.raises(NotKnowledge):
        distilled(status="open", thread=[turn("https://help.example/hub-red", visibility="private")])


# ---- reading rows ----


def test_a_row_of_a_csv_table_is_read_by_its_columns() -> None:
    row = {
        "ID": "7",
        "Date": "2026-03-01 10:00 +0200",
        "State": "Closed",
        "Body": "it leaks",
        "Fix": "Turn the wheel.",
        "Docs": "a-b, c-d",
        "thread": "",
    }
    columns = {
        "ticket_id": "ID",
        "created": "Date",
        "status": "State",
        "message": "Body",
        "solution": "Fix",
        "cited_docs": "Docs",
    }
    source = distil(row, columns, None)
    assert (source.document.id, source.text, source.links) == ("7", "it leaks\n\nTurn the wheel.", ())
    assert source.document.created_at == source.document.resolved_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    with_thread = distil({**row, "thread": json.dumps([turn("see c-d")])}, columns, None)
    assert [link.document_id for link in with_thread.links] == ["a-b", "c-d"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"created": "yesterday"}, r"created .*2026-03-04T08:12:00Z"),
        ({"created": 1700000000}, r"created .*2026-03-04T08:12:00Z"),
        ({"created": None}, r"created .*2026-03-04T08:12:00Z"),
        ({"message": ["a"]}, r"message .*text"),
        ({"ticket_id": ""}, r"ticket_id .*1 to 512"),
        ({"thread": "no json"}, r"thread.0 .*turn"),
        ({"thread": "[" * 100_000}, r"thread .*turns"),
        ({"thread": {"role": "agent"}}, r"thread .*turns"),
        ({"thread": [turn("x", "robot")]}, r"thread.0.role .*customer, agent, bot or system"),
        ({"thread": [{**turn("x"), "created": "0001-01-01T00:00:00+23:00"}]}, r"thread.0.created .*date"),
        ({"solution_by": "nobody"}, r"solution_by .*customer, agent"),
        ({"cited_docs": 3}, r"cited_docs .*list"),
        ({"language": "the English language"}, r"language .*code"),
        ({"audience": "everybody"}, r"audience .*public, internal"),
    ],
)
def test_a_wrong_value_is_told_with_its_field_and_what_is_expected(changes: dict[str, object], told: str) -> None:
    with pytest.raises(UnreadableFile, match=told):
        distilled(**changes)


@pytest.mark.parametrize("field", ["ticket_id", "created", "status", "message"])
def test_a_missing_column_is_told_with_the_option_that_names_it(field: str) -> None:
    row = {name: value for name, value in TICKET.items() if name != field}
    with pytest.raises(UnreadableFile, match=f"{field} is missing.*--map {field}=COLUMN"):
        distil(row, {}, None)


@pytest.mark.parametrize(
    ("own", "given_audience", "audience"),
    [
        ("", None, "public"),
        ("internal", None, "internal"),
        ("public", "internal", "internal"),
        ("team:billing", "internal", "team:billing"),
    ],
)
def test_the_narrower_audience_counts(own: str, given_audience: str | None, audience: str) -> None:
    assert distil({**TICKET, "audience": own}, {}, given_audience).document.audience == audience


def test_an_unknown_audience_of_the_table_is_told() -> None:
    with pytest.raises(UnreadableFile, match="audience is 'staff'"):
        distil(TICKET, {}, "staff")


def test_a_crowd_of_participants_takes_no_seconds() -> None:
    thread = [{**turn(f"https://help.example/doc-{n}"), "author": f"Person Number{n}"} for n in range(5000)]
    started = time.perf_counter()
    assert (
        len(distilled(message="word " * 10_000, thread=thread, cited_docs=[f"doc-{n}" for n in range(5000)]).links)
        <= 200
    )
    assert time.perf_counter() - started < 8


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://desk.example/1", "https://[", "", f"https://desk.example/?mail={MAIL}"]
)
def test_only_a_web_address_that_names_nobody_is_kept(url: str) -> None:
    assert distilled(url=url).document.url is None


LINES = st.lists(
    st.sampled_from(
        [
            "it leaks",
            "Hi Ana,",
            "Ana Sousa",
            MAIL,
            IBAN,
            "TB-123456",
            "> quoted",
            "- item",
            "Regards",
            "password:",
            "",
            "`",
            "**",
            "[name-1]",
        ]
    ),
    max_size=8,
)


@given(LINES.map("\n".join), LINES.map("\n".join))
def test_the_resolution_starts_after_a_blank_line_whatever_was_redacted(message: str, reply: str) -> None:
    source = distilled(message=message, solution=f"Turn it. {reply}", thread=[])
    assert source.text[source.answer_start - 2 : source.answer_start] == "\n\n"
    assert source.text[source.answer_start :].startswith("Turn it.")
    assert MAIL not in source.text
    assert IBAN not in source.text


@pytest.mark.parametrize("unit", ["word ", "*a _b [c](d) ", "Hi\n", "> x\n", "Thanks,\nBob\n", "x", f"{MAIL} "])
def test_a_million_characters_take_no_seconds(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    started = time.perf_counter()
    distilled(message=text, solution=text, thread=[turn(text)])
    assert time.perf_counter() - started < 8
