"""One document from within: rendered, cut, compared; and what the catalogue lists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.changes import MOST_LINES, changes
from api.rendered import rendered
from copilot.build import Parts
from tests.conftest import client_of, ingest

HOSTILE = """# <script>alert(1)</script> A title

![a picture](https://evil.example/pixel.png) ![](javascript:alert(1)) <img src=x onerror=alert(1)>

[click](javascript:alert(1)) [data](data:text/html;base64,PHNjcmlwdD4=) [vb](vbscript:x)
[fine](https://help.example/a) [mail](mailto:help@help.example)

<svg onload=alert(1)><style>*{display:none}</style><iframe src="https://evil.example"></iframe>

<a href="https://evil.example" onclick="alert(1)" style="position:fixed">x</a> &lt;script&gt; `<b>`

| a | b |
|---|---|
| 1 | 2 |
"""


@pytest.fixture
def edited(filled: Parts, folder: Path) -> Iterator[TestClient]:
    """The small company after one article was edited."""
    file = folder / "reset-password.md"
    file.write_text(file.read_text().replace("30 minutes", "45 minutes"))
    ingest(filled, folder)
    with client_of(filled) as made:
        yield made


def test_rendered_markdown_loads_runs_and_hides_nothing() -> None:
    html = rendered(HOSTILE)
    for forbidden in (
        "<script",
        "<img",
        "<svg",
        "<style",
        "<iframe",
        "<b>",
        'href="javascript:',
        'href="data:',
        'href="vbscript:',
    ):
        assert forbidden not in html, forbidden
    assert '<a href="https://help.example/a" rel="noopener noreferrer nofollow">fine</a>' in html
    assert 'href="mailto:help@help.example"' in html
    assert "[picture: a picture]" in html
    assert "<td>1</td>" in html


def test_what_changed_is_told_line_by_line_and_word_by_word(edited: TestClient) -> None:
    told = edited.get("/v1/documents/reset-password/changes?old=1&new=2").json()
    (block,) = told["blocks"]
    removed, added = ([line for line in block if line["op"] == op] for op in ("removed", "added"))
    assert [piece["text"] for line in removed for piece in line["pieces"] if piece["changed"]] == ["30"]
    assert [piece["text"] for line in added for piece in line["pieces"] if piece["changed"]] == ["45"]
    assert edited.get("/v1/documents/reset-password/changes?old=2&new=2").json()["blocks"] == []
    assert edited.get("/v1/documents/reset-password/changes?old=1&new=9").status_code == 404


LINES = st.lists(st.text(alphabet="ab \u202e\U0001f600", max_size=6), max_size=12).map("\n".join)


@given(old=LINES, new=LINES)
def test_the_changes_of_two_texts_lead_from_the_one_to_the_other(old: str, new: str) -> None:
    before, after = old.splitlines(), new.splitlines()
    lines = [line for block in changes(old, new) for line in block]
    for line in lines:
        text = "".join(piece.text for piece in line.pieces)
        assert line.old is None or before[line.old - 1] == text
        assert line.new is None or after[line.new - 1] == text
    gone = {line.old for line in lines if line.op == "removed"}
    come = {line.new for line in lines if line.op == "added"}
    kept_old = [text for at, text in enumerate(before, 1) if at not in gone]
    kept_new = [text for at, text in enumerate(after, 1) if at not in come]
    assert kept_old == kept_new


def test_two_long_texts_without_a_common_line_are_compared_at_once() -> None:
    count = 5 * MOST_LINES
    old, new = ("same\n" + "".join(f"{side}{at}\n" for at in range(count)) + "end" for side in ("a", "b"))
    (block,) = changes(old, new)
    assert sum(line.op == "removed" for line in block) == sum(line.op == "added" for line in block) == count
    assert [line.op for line in (block[0], block[-1])] == ["same", "same"]


def test_chunks_are_the_stretches_of_the_text_that_search_finds(edited: TestClient) -> None:
    read = edited.get("/v1/documents/t-1").json()
    cut = edited.get("/v1/documents/t-1/chunks").json()
    assert 0 < cut["answer_start"] < len(read["text"])
    for chunk in cut["chunks"]:
        assert read["text"][chunk["start"] : chunk["end"]].strip()
        assert chunk["searchable"] == (chunk["start"] < cut["answer_start"])
    assert edited.get("/v1/documents/reset-password/chunks?revision=1").json()["revision"] == 1


def test_what_may_not_be_read_is_neither_rendered_cut_nor_compared(filled: Parts, tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("---\ndoc_id: secret\ntitle: Secret\naudience: team:legal\n---\n\nThe word is ZANZIBAR.\n")
    ingest(filled, secret)
    _, key = filled.accounts.create("default", ["knowledge_manager"])
    with client_of(filled, headers={"Authorization": f"Bearer {key}"}) as client:
        for view in ("", "/rendered", "/chunks", "/changes?old=1&new=1"):
            assert client.get(f"/v1/documents/secret{view}").status_code == 404
        for listed in ("/v1/documents?state=any", "/v1/documents?q=secret", "/v1/search?q=ZANZIBAR&explain=true"):
            answer = client.get(listed)
            assert answer.status_code == 200
            assert "secret" not in answer.text
            assert "ZANZIBAR" not in answer.text


def test_the_catalogue_tells_state_source_and_words(filled: Parts, tmp_path: Path) -> None:
    for name, dates in (("old", "valid_until: 2020-01-01"), ("next", "valid_from: 2090-01-01")):
        file = tmp_path / f"{name}.md"
        file.write_text(
            f"---\ndoc_id: {name}\ntitle: The {name} 100%_rule\n{dates}\n---\n\nRules of the {name} kind.\n"
        )
        ingest(filled, file)
    with client_of(filled) as client:

        def ids(query: str) -> set[str]:
            return {one["document"]["id"] for one in client.get(f"/v1/documents?{query}").json()["documents"]}

        assert ids("state=expired") == {"old"}
        assert ids("state=waiting") == {"next"}
        assert not {"old", "next"} & ids("")
        assert {"old", "next", "reset-password"} <= ids("state=any")
        assert ids("state=any&q=100%25_R") == {"old", "next"}
        assert ids("q=%25") == set(), "a wildcard is a character like any other"
        (tmp_path / "accent.md").write_text(f"---\ndoc_id: accent\ntitle: {normalize('NFD', 'Zürich')}\n---\n\nText.\n")
        ingest(filled, tmp_path / "accent.md")
        assert {frozenset(ids(f"q={normalize(form, 'ürich')}")) for form in ("NFC", "NFD")} == {frozenset({"accent"})}
        assert ids("source=nothing") == set()
        (one,) = (
            one for one in client.get("/v1/documents").json()["documents"] if one["document"]["id"] == "reset-password"
        )
        assert (one["state"], one["source"], one["revision"]) == ("in_force", None, 1)
        assert one["chunks"] >= 1


def test_a_search_that_is_to_explain_tells_which_filter_cut_what(filled: Parts, tmp_path: Path) -> None:
    for name, head in (
        ("expired", "valid_until: 2020-01-01"),
        ("french", "language: fr"),
        ("young", "created_at: 2026-01-01"),
    ):
        file = tmp_path / f"{name}.md"
        file.write_text(
            f"---\ndoc_id: {name}\ntitle: Reset your password ({name})\n{head}\n---\n\nChoose Forgot password on the sign-in page.\n"
        )
        ingest(filled, file)
    with client_of(filled) as client:
        query: dict[str, str | int | bool] = {
            "q": "reset your password",
            "explain": True,
            "language": "en",
            "before": "2025-12-01T00:00:00Z",
            "audience": "public",
            "kind": "article",
            "limit": 1,
        }
        found = client.get("/v1/search", params=query).json()
        cut = {one["hit"]["document_id"]: one["by"] for one in found["cut"]}
        assert [hit["document_id"] for hit in found["results"]] == ["reset-password"]
        assert cut["expired"] == ["expired"]
        assert cut["french"] == ["language"]
        assert cut["young"] == ["before"]
        assert cut["refund-limits"] == ["audience"]
        assert cut["t-1"] == ["kind"]
        assert cut["compact-folders"] == ["limit"]
        assert "t-2" not in cut, "a question that is kept for ranking alone is nobody's to see"
        assert client.get("/v1/search", params={**query, "explain": False}).json()["cut"] is None
