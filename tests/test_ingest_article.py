"""What a file says about itself, and what it becomes."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.domain import Source
from copilot.errors import NotKnowledge, UnreadableFile
from ingest.article import MAX_FRONT_MATTER, article


def _read(text: str, origin: str = "faq/returns.md", audience: str | None = None) -> Source:
    return article(text.encode(), origin, None, audience)


def _head(**lines: str) -> str:
    return "---\n" + "".join(f"{key}: {value}\n" for key, value in lines.items()) + "---\nSome text."


def test_front_matter_gives_the_metadata() -> None:
    source = _read(
        """---
doc_id: returns
title: "Returns: how they work"
url: https://shop.example/returns
summary: All about returns.
kind: macro
audience: team:care
products: [shop, app]
topics:
  - refunds
  - 007
language: no
created_at: 2026-01-31
updated_at: 2026-02-01T10:00:00+02:00
valid_from: "2026-02-01 10:00:00 +0200"
valid_until: 2026-12-31 23:59
licence: unknown keys are no matter
---
# Returns: How they  work

Send it back.
"""
    )
    document = source.document
    assert (document.id, document.title, document.kind, document.audience) == (
        "returns", "Returns: how they work", "macro", "team:care",
    )  # fmt: skip
    assert (document.url, document.language) == ("https://shop.example/returns", "no")
    assert (document.products, document.topics) == (("shop", "app"), ("refunds", "007"))
    assert document.created_at == datetime(2026, 1, 31, tzinfo=UTC)
    assert document.updated_at == document.valid_from == datetime(2026, 2, 1, 8, tzinfo=UTC)
    assert document.valid_until == datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    assert source.text == "All about returns.\n\nSend it back."


@pytest.mark.parametrize(
    "head",
    [
        "---\ndraft: true\n---\n",
        "---\nDRAFT: no\ndraft: 'Yes'\n---\n",
        "---\npublished: false\n---\n",
        "+++\ndraft = true\n+++\n",
    ],
)
def test_what_its_writer_calls_a_draft_is_left_out(head: str) -> None:
    with pytest.raises(NotKnowledge, match="draft"):
        _read(head + "Nobody may see this yet.")


@pytest.mark.parametrize("field", ["draft: false", "published: true", "published: 2026-01-31", "draft:", "published:"])
def test_what_is_published_is_read_whatever_else_its_fields_say(field: str) -> None:
    assert _read(f"---\n{field}\n---\nSome text.").text == "Some text."


def test_front_matter_between_pluses_is_read() -> None:
    source = _read(
        '+++\r\ntitle = "Close the valve"\r\ntopics = ["valve", 7]\r\nupdated_at = 2026-02-01\r\ndraft = false\r\n[menu]\r\nweight = 3\r\n'
        "+++\r\n\r\nTurn it.\r\n\r\n+++\r\n"
    )
    assert (source.document.title, source.document.topics, source.text) == (
        "Close the valve",
        ("valve", "7"),
        "Turn it.\n\n+++",
    )
    assert source.document.updated_at == datetime(2026, 2, 1, tzinfo=UTC)
    with pytest.raises(UnreadableFile, match="broken front matter"):
        _read("+++\ntitle = Close\n+++\nText.")
    assert _read("+++ more\nText.").text.startswith("+++ more")


def test_without_front_matter_the_place_gives_the_id_and_the_first_heading_the_title() -> None:
    source = _read("## Returns\n\nSend it back.\n\n## Refunds\n\nSoon.", "faq/de/returns.v2.md")
    assert (source.document.id, source.document.title) == ("faq/de/returns.v2", "Returns")
    assert (source.document.kind, source.document.audience) == ("article", "public")
    assert source.text == "Send it back.\n\n## Refunds\n\nSoon."


def test_without_a_heading_the_file_name_is_the_title() -> None:
    assert _read("Send it back.").document.title == "returns"


def test_a_first_heading_that_is_not_the_title_stays() -> None:
    assert _read("---\ntitle: Returns\n---\n# Steps\n\nSend it back.").text == "# Steps\n\nSend it back."


def test_a_summary_that_the_text_holds_is_not_said_twice() -> None:
    text = "---\ntitle: Returns\nsummary: Send it back.\n---\nSend  it\nback, and we pay."
    assert _read(text).text == "Send it back, and we pay."


def test_rules_of_dashes_are_no_front_matter() -> None:
    assert _read("---\n\nJust a text.\n\n---\n\nMore text.").text == "Just a text.\n\nMore text."
    assert _read("---\nOne rule only.").text == "One rule only."


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://a.example", "/kb/returns", "https://", "http://[x", "~"])
def test_only_web_addresses_are_kept(url: str) -> None:
    assert _read(_head(url=url)).document.url is None


@pytest.mark.parametrize(
    ("own", "folder", "audience"),
    [
        (None, None, "public"),
        (None, "internal", "internal"),
        ("internal", "public", "internal"),
        ("public", "internal", "internal"),
        ("internal", "team:care", "team:care"),
    ],
)
def test_of_the_files_and_the_folders_audience_the_narrower_counts(
    own: str | None, folder: str | None, audience: str
) -> None:
    text = _head(audience=own) if own else "Some text."
    assert _read(text, audience=folder).document.audience == audience


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("---\ntitle: a\nb: [x\nc: d\n---\ntext", "broken front matter in line 4"),
        ("---\n\ntitle: a\n  b: c\n---\ntext", "broken front matter in line 4"),
        ("---\na: " + "[" * 5000 + "\n---\ntext", "nested too deeply"),
        ("---\na: " + "x" * MAX_FRONT_MATTER + "\n---\ntext", "is the closing --- missing"),
        (_head(title="[a, b]"), "title is a list"),
        (_head(audience="everyone"), "audience is 'everyone': write public, internal or team:NAME"),
        (_head(audience="'team:'"), "audience is"),
        (_head(kind="ticket"), "a document is an article or a macro"),
        (_head(created_at="2026-02-30"), "created_at is '2026-02-30': write a date as 2026-01-31"),
        (_head(valid_from="0001-01-01T00:00:00+05:00"), "valid_from is"),
        (_head(language="English"), "write a code such as en"),
        (_head(doc_id="x" * 513), "doc_id has 513 characters"),
        ("", "no text found"),
        ("# Only\n\n## Headings", "no text found"),
        ("![picture](x.png)", "no text found"),
        ("---\ntitle: Returns\n---\n", "no text found"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text: str, reason: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        _read(text)
    assert reason in str(caught.value)


def test_the_folders_audience_is_checked_too() -> None:
    with pytest.raises(UnreadableFile, match="audience is 'world'"):
        _read("Some text.", audience="world")


def test_a_value_with_a_colon_or_another_sign_of_yaml_in_it_is_taken_as_it_is_written() -> None:
    head = '---\ntitle: Returns: who pays, and when\nsummary: "Free" for members: read on\naudience: public\ntopics: @home, *new*\n---\n'
    found = _read(head + "Members send things back free of charge.")
    assert found.document.title == "Returns: who pays, and when"
    assert found.document.topics == ("@home", "*new*")
    assert found.text.startswith('"Free" for members: read on\n')


def test_aliases_in_front_matter_cannot_blow_up() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefghijk", "bcdefghijkl", strict=True)
    )
    assert _read(f"---\n{bomb}products: *l\ntitle: t\n---\nSome text.").document.products == ()


@given(st.text(st.sampled_from("ab:-[]{}&*!|>'\"#%@,?\n \t"), max_size=60))
def test_any_front_matter_is_read_or_refused(head: str) -> None:
    with suppress(UnreadableFile):
        assert _read(f"---\n{head}\n---\nSome text.").text.endswith("Some text.")


def test_two_different_teams_fail_the_document() -> None:
    with pytest.raises(UnreadableFile, match="team:sales and that of its folder or source team:legal"):
        _read(_head(audience="team:sales"), audience="team:legal")
    assert _read(_head(audience="team:legal"), audience="team:legal").document.audience == "team:legal"
