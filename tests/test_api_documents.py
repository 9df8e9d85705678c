from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.uploads import folder, safe_name
from copilot.build import Parts
from copilot.errors import UnreadableFile
from copilot.jobs import JobThread
from tests.conftest import client_of, ingest

ASKED = {"conversation": {"messages": [{"text": "How do I compact a folder to free disk space?"}]}}


@pytest.fixture
def mine(filled: Parts) -> Iterator[TestClient]:
    """A client of a server of one's own."""
    with client_of(filled) as made:
        yield made


def test_documents_are_listed_by_id_page_by_page(client: TestClient) -> None:
    whole = [one["document"]["id"] for one in client.get("/v1/documents").json()["documents"]]
    assert whole == sorted(whole)
    paged, after = list[str](), None
    while True:
        page = client.get("/v1/documents", params={"limit": 1} | ({"after": after} if after else {})).json()
        paged += [one["document"]["id"] for one in page["documents"]]
        after = page["next"]
        if after is None:
            break
    assert paged == whole
    assert {one["document"]["kind"] for one in client.get("/v1/documents?kind=ticket").json()["documents"]} == {
        "ticket"
    }


def test_an_unsolved_ticket_is_neither_listed_nor_read(client: TestClient) -> None:
    assert "t-2" not in client.get("/v1/documents").text
    assert client.get("/v1/documents/t-2").status_code == 404


def test_an_edited_document_shows_both_its_revisions(mine: TestClient, filled: Parts, folder: Path) -> None:
    file = folder / "reset-password.md"
    file.write_text(file.read_text().replace("30 minutes", "45 minutes"))
    ingest(filled, folder)
    document = mine.get("/v1/documents/reset-password").json()
    assert (document["revision"], document["status"]) == (2, "active")
    assert "45 minutes" in document["text"]
    assert [(one["revision"], one["status"]) for one in document["revisions"]] == [(1, "retired"), (2, "active")]
    older = mine.get("/v1/documents/reset-password?revision=1").json()
    assert "30 minutes" in older["text"]
    assert older["content_hash"] != document["content_hash"]
    assert mine.get("/v1/documents/reset-password?revision=3").status_code == 404


@pytest.mark.parametrize("revision", ["0", "-1", "x", "99999999999999999999"])
def test_a_revision_is_a_number_from_one(client: TestClient, revision: str) -> None:
    assert client.get(f"/v1/documents/reset-password?revision={revision}").status_code == 422


@pytest.mark.parametrize("path", ["", "%00", "%ED%A0%80", "a/b/../c", "x" * 513, "%2e%2e%2fetc"])
def test_a_strange_id_is_refused_and_never_a_fault(client: TestClient, path: str) -> None:
    assert client.get(f"/v1/documents/{path}").status_code in (200, 404, 422)
    assert client.delete(f"/v1/documents/{path}").status_code in (404, 405, 422)


def test_an_id_may_hold_slashes(mine: TestClient, filled: Parts, tmp_path: Path) -> None:
    file = tmp_path / "more" / "guides" / "deep" / "page.md"
    file.parent.mkdir(parents=True)
    file.write_text("# A page\n\nSome text about pages.")
    ingest(filled, tmp_path / "more")
    (id,) = [
        one["document"]["id"]
        for one in mine.get("/v1/documents").json()["documents"]
        if "page" in one["document"]["id"]
    ]
    assert "/" in id
    assert mine.get(f"/v1/documents/{id}").json()["document"]["id"] == id
    assert mine.delete(f"/v1/documents/{id}").status_code == 204


def test_what_is_deleted_is_gone_from_every_door_when_the_call_returns(mine: TestClient) -> None:
    made = mine.post("/v1/suggestions", json=ASKED).json()
    assert "Choose Compact" in json.dumps(made)
    answer = mine.delete("/v1/documents/compact-folders")
    assert (answer.status_code, answer.content) == (204, b"")
    shown = mine.get(f"/v1/suggestions/{made['id']}")
    assert "withdrawn" in {one["support"] for one in shown.json()["draft"]["statements"]}
    doors = [
        shown, mine.get("/v1/search", params={"q": "compact a folder"}), mine.get("/v1/documents"),
        mine.get("/v1/documents/compact-folders"), mine.get("/v1/documents/compact-folders?revision=1"),
        mine.post("/v1/suggestions", json=ASKED),
    ]  # fmt: skip
    assert not [door.request.url for door in doors if "Choose Compact" in door.text]
    assert mine.delete("/v1/documents/compact-folders").status_code == 404


def test_what_becomes_internal_leaves_stored_drafts_and_their_replays_at_once(
    mine: TestClient, filled: Parts, folder: Path
) -> None:
    ask = {"conversation": {"id": "c-5", **ASKED["conversation"]}}
    made = mine.post("/v1/suggestions", json=ask, headers={"Idempotency-Key": "k"}).json()
    assert "Choose Compact" in made["draft"]["text"]
    file = folder / "compact-folders.md"
    head, rest = file.read_text().split("\n", 1)
    file.write_text(f"{head}\naudience: internal\n{rest}")
    assert ingest(filled, folder).changed == 1
    for door in (f"/v1/suggestions/{made['id']}", "/v1/conversations/c-5/suggestion"):
        draft = mine.get(door).json()["draft"]
        assert "Choose Compact" not in draft["text"]
        assert "withdrawn" in {one["support"] for one in draft["statements"]}
    again = mine.post("/v1/suggestions", json=ask, headers={"Idempotency-Key": "k"}).json()
    assert again["id"] != made["id"]
    assert "Choose Compact" not in json.dumps(again["draft"])


def test_a_question_that_is_kept_for_ranking_may_be_deleted(mine: TestClient, filled: Parts) -> None:
    assert filled.ledger.key("default", "t-2") is not None
    assert mine.delete("/v1/documents/t-2").status_code == 204
    assert filled.ledger.key("default", "t-2") is None


# -- uploads and the jobs that read them -------------------------------------------------------------------------


@pytest.fixture
def working(parts: Parts) -> Iterator[TestClient]:
    """A client of an empty server that does its jobs."""
    jobs = JobThread(parts)
    jobs.start()
    with client_of(parts) as made:
        yield made
    jobs.stop()


def send(client: TestClient, name: str, content: bytes, **form: str) -> dict[str, Any]:
    answer = client.post("/v1/documents", files={"file": (name, content)}, data=form)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


def finished(client: TestClient, id: str) -> dict[str, Any]:
    for _ in range(200):
        job: dict[str, Any] = client.get(f"/v1/jobs/{id}").json()
        if job["state"] in ("done", "failed"):
            return job
        time.sleep(0.05)
    raise AssertionError(f"still {job}")


PAGE = b"---\ndoc_id: valve\ntitle: Close the valve\n---\n\n# Close the valve\n\nTurn the red lever to the right until it clicks.\n"


def test_an_uploaded_file_is_cited_by_the_next_suggestion_and_gone_with_its_document(
    working: TestClient, parts: Parts
) -> None:
    job = finished(working, send(working, "valve.md", PAGE, audience="public")["id"])
    assert (job["state"], job["result"]["added"]) == ("done", 1)
    asked = {"conversation": {"messages": [{"text": "How do I close the valve?"}]}}
    made = working.post("/v1/suggestions", json=asked).json()
    assert "red lever" in made["draft"]["text"]
    assert list(folder(parts.settings, "default").iterdir()) == [], "the database has all that is needed of it"
    assert working.delete("/v1/documents/valve").status_code == 204
    again = working.post("/v1/suggestions", json=asked).json()
    assert "red lever" not in str(again)
    assert "red lever" not in str(working.get(f"/v1/suggestions/{made['id']}").json())


def test_the_same_file_again_changes_nothing_and_an_edited_one_is_a_new_revision(working: TestClient) -> None:
    for content, outcome in ((PAGE, "added"), (PAGE, "unchanged"), (PAGE.replace(b"right", b"left"), "changed")):
        job = finished(working, send(working, "valve.md", content)["id"])
        assert job["result"][outcome] == 1
    assert working.get("/v1/documents/valve").json()["revision"] == 2


def test_a_job_is_followed_to_its_end_by_events(working: TestClient) -> None:
    job = send(working, "valve.md", PAGE)
    with working.stream("GET", f"/v1/jobs/{job['id']}/events") as answer:
        lines = [line for line in answer.iter_lines() if line.startswith(("event: ", "data: "))]
    assert set(lines[0:-2:2]) <= {"event: progress"}
    assert lines[-2] == "event: done"
    assert json.loads(lines[-1].removeprefix("data: "))["result"]["added"] == 1


def test_a_file_that_its_parser_refuses_is_reported_with_a_reason(working: TestClient) -> None:
    job = finished(working, send(working, "broken.pdf", b"%PDF-1.7 cut off")["id"])
    assert job["result"]["failed"] == 1
    assert job["result"]["problems"][0]["reason"]


def test_a_job_does_not_show_the_servers_paths(client: TestClient, company: Parts) -> None:
    job = company.jobs.add("default", "ingest", {"paths": ["/srv/secret/place"]})
    company.jobs.finish(job.id, {"problems": [{"origin": "caf\udce9.md"}]}, None)
    for path in ("/v1/jobs", f"/v1/jobs/{job.id}", f"/v1/jobs/{job.id}/events"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "/srv/secret" not in answer.text
    assert client.get(f"/v1/jobs/{job.id}").json()["result"]["problems"][0]["origin"] == "caf\ufffd.md"
    assert client.get("/v1/jobs/unknown").status_code == 404
    assert client.get("/v1/jobs/unknown/events").status_code == 404


HOSTILE_NAMES = [
    "../../../etc/passwd.md",
    "..\\..\\boot.md",
    "/etc/cron.d/x.md",
    "a\x00b.md",
    "con.md",
    " .md",
    "x" * 300 + ".md",
    "é\u202e.md",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_the_clients_name_never_chooses_a_place(name: str) -> None:
    made = safe_name(name)
    assert Path(made).name == made
    assert made.isascii()
    assert not made.startswith(".")
    assert len(made) <= 100
    assert made.endswith(".md")


def test_a_plain_name_is_kept_and_two_names_stay_two() -> None:
    assert safe_name("reset-password.md") == "reset-password.md"
    assert len({safe_name("a b.md"), safe_name("a_b.md"), safe_name("a-b.md"), safe_name("a  b.md")}) == 4


@pytest.mark.parametrize("name", ["run.exe", "noending", "x.md.sh", ".md", ""])
def test_a_file_of_another_type_is_refused(name: str) -> None:
    with pytest.raises(UnreadableFile, match="Send one of"):
        safe_name(name)


@pytest.mark.parametrize(
    ("files", "form"),
    [
        ({}, {}), ({"file": ("a.exe", b"MZ")}, {}), ({"file": ("a.md", b"x")}, {"audience": "everyone"}),
        ({"file": ("a.md", b"x")}, {"kind": "secret"}), ({"file": ("", b"x")}, {}), ({"other": ("a.md", b"x")}, {}),
    ],
)  # fmt: skip
def test_an_upload_that_cannot_be_used_is_refused_and_leaves_nothing(
    parts: Parts, files: dict[str, tuple[str, bytes]], form: dict[str, str]
) -> None:
    with client_of(parts) as client:
        assert client.post("/v1/documents", files=files, data=form).status_code in (400, 422)
    assert not (parts.settings.home / "uploads").exists()
    assert parts.jobs.list("default") == []


def test_several_files_in_one_request_are_refused(parts: Parts) -> None:
    with client_of(parts) as client:
        files = [("file", ("a.md", b"x")), ("file", ("b.md", b"y"))]
        assert client.post("/v1/documents", files=files).status_code in (400, 422)


def test_two_uploads_of_one_name_are_two_uploads(parts: Parts) -> None:
    with client_of(parts) as client:  # no job thread yet: both wait
        first = send(client, "faq.md", b"# Public\n\nHarmless words.\n", audience="public")
        second = send(client, "faq.md", b"# Secret\n\nThe dodo margin.\n", audience="team:finance")
    jobs = JobThread(parts)
    jobs.start()
    try:
        with client_of(parts) as client:
            assert finished(client, first["id"])["state"] == "done"
            assert finished(client, second["id"])["state"] == "done"
            read = client.get("/v1/documents/faq").json()
    finally:
        jobs.stop()
    assert (read["document"]["audience"], "dodo" in read["text"]) == ("team:finance", True)
