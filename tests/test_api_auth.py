from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from starlette.testclient import TestClient

from api.auth import ROLES, is_loopback
from api.routes import inbox
from copilot.build import Parts
from copilot.domain import Role
from copilot.errors import DrafterFailed, NotFound
from copilot.store.accounts import Accounts
from copilot.store.database import Database
from ingest.pipeline import ingest_job
from tests.conftest import client_of, ingest
from tests.test_copilot_rewrite import Says

SEARCH = "/v1/search?q=folder"


@pytest.fixture
def keyed(company: Parts, tmp_path: Path) -> Iterator[Parts]:
    """The small company with a key store of its own, in which one key exists."""
    database = Database(f"sqlite:///{tmp_path / 'keys.db'}")
    accounts = Accounts(database)
    accounts.create("default", ["agent"])
    yield replace(company, accounts=accounts)
    database.close()


def bearer(parts: Parts, *roles: Role, workspace: str = "default", teams: tuple[str, ...] = ()) -> dict[str, str]:
    _, secret = parts.accounts.create(workspace, roles, teams)
    return {"Authorization": f"Bearer {secret}"}


def operations(client: TestClient) -> list[str]:
    paths = client.get("/openapi.json").json()["paths"]
    return [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]


def test_every_route_of_v1_says_who_may_and_no_line_is_left_over(client: TestClient) -> None:
    assert {operation for operation in operations(client) if " /v1/" in operation} == set(ROLES)


def test_no_route_can_be_reached_with_the_wrong_role_or_without_a_key(
    keyed: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "STREAM_SECONDS", 0.0)  # else its news would last ten minutes
    headers = {role: bearer(keyed, role) for role in get_args(Role)}
    with client_of(keyed) as client:
        for operation in ROLES:
            method, path = operation.split()
            path = path.replace("{", "").replace("}", "")
            assert client.request(method, path).status_code == 401, operation
            for role in get_args(Role):
                refused = client.request(method, path, headers=headers[role]).status_code == 403
                assert refused == (role not in ROLES[operation]), (operation, role)


MATRIX = {
    "agent": {
        "suggest": True,
        "conversations": True,
        "upload": False,
        "delete": False,
        "jobs": False,
        "feedback": True,
    },
    "evaluator": {
        "suggest": True,
        "conversations": False,
        "upload": False,
        "delete": False,
        "jobs": False,
        "feedback": False,
    },
    "knowledge_manager": {
        "suggest": False,
        "conversations": False,
        "upload": True,
        "delete": True,
        "jobs": True,
        "feedback": False,
    },
    "admin": {"suggest": True, "conversations": True, "upload": True, "delete": True, "jobs": True, "feedback": True},
}
NAMED = {
    "suggest": "POST /v1/suggestions",
    "conversations": "POST /v1/conversations",
    "upload": "POST /v1/documents",
    "delete": "DELETE /v1/documents/{document_id}",
    "jobs": "GET /v1/jobs",
    "feedback": "POST /v1/suggestions/{suggestion_id}/feedback",
}


@pytest.mark.parametrize("role", get_args(Role))
def test_each_role_may_do_what_it_is_for(role: Role) -> None:
    assert {name: role in ROLES[operation] for name, operation in NAMED.items()} == MATRIX[role]
    assert role in ROLES["GET /v1/search"]
    assert role in ROLES["GET /v1/documents/{document_id}"]


@pytest.mark.parametrize("header", [None, "Bearer sc_wrong", "Bearer", "Basic abc", "sc_wrong", "Bearer \x7f\xe9"])
def test_without_a_key_in_force_the_answer_is_401_and_says_which_scheme(keyed: Parts, header: str | None) -> None:
    with client_of(keyed) as client:
        answer = client.get(SEARCH, headers={b"Authorization": header.encode("latin-1")} if header else None)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "copilot keys create" in answer.json()["detail"]


def test_a_revoked_key_stops_at_once_and_the_door_stays_shut(keyed: Parts) -> None:
    headers = bearer(keyed, "agent")
    with client_of(keyed) as client:
        assert client.get(SEARCH, headers=headers).status_code == 200
        for key in keyed.accounts.list():
            keyed.accounts.revoke(key.id)
        assert client.get(SEARCH, headers=headers).status_code == 401
        assert client.get(SEARCH).status_code == 401


def test_a_key_works_in_its_own_workspace_only(keyed: Parts) -> None:
    headers = bearer(keyed, "agent")
    with client_of(keyed) as client:
        assert client.get(SEARCH, headers={**headers, "X-Workspace": "default"}).status_code == 200
        assert client.get(SEARCH, headers={**headers, "X-Workspace": "other"}).status_code == 404


def test_nothing_of_one_workspace_is_found_from_another(keyed: Parts) -> None:
    keyed.ledger.open("other")
    mine, theirs = bearer(keyed, "admin"), bearer(keyed, "admin", workspace="other")
    body = {"conversation": {"messages": [{"text": "How do I compact a folder?"}]}}
    with client_of(keyed) as client:
        made = client.post("/v1/suggestions", json=body, headers=mine).json()
        job = keyed.jobs.add("default", "ingest", {"paths": []})
        paths = [
            f"/v1/suggestions/{made['id']}", f"/v1/conversations/{made['conversation_id']}", f"/v1/jobs/{job.id}",
            f"/v1/jobs/{job.id}/events", "/v1/documents/compact-folders",
        ]  # fmt: skip
        keyed.jobs.finish(job.id, {}, None)
        for path in paths:
            assert client.get(path, headers=mine).status_code == 200, path
            assert client.get(path, headers=theirs).status_code == 404, path
        assert client.delete("/v1/documents/compact-folders", headers=theirs).status_code == 404
        assert client.get(SEARCH, headers=theirs).json()["results"] == []
        assert client.get("/v1/documents", headers=theirs).json()["documents"] == []
        assert client.get("/v1/jobs", headers=theirs).json()["jobs"] == []


# -- while there is no key ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost:8000", "LOCALHOST", "[::1]:8000", "[::1]"])
def test_without_any_key_this_machine_is_served(client: TestClient, host: str) -> None:
    assert client.get(SEARCH, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("address", ["10.0.0.7", "192.168.1.2", "::ffff:10.0.0.7", "testclient", ""])
def test_without_any_key_no_other_machine_is_served(company: Parts, address: str) -> None:
    with client_of(company, client=(address, 1)) as client:
        answer = client.get(SEARCH)
    assert answer.status_code == 403
    assert "copilot keys create" in answer.json()["detail"]


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "localhost.", "", "["]
)
def test_a_name_that_was_pointed_at_this_machine_is_not_served(client: TestClient, host: str) -> None:
    answer = client.get(SEARCH, headers={"Host": host})
    assert answer.status_code == 421
    assert "copilot keys create" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1", 200), ("http://evil.example", 403), ("null", 403), ("http://127.0.0.1:3000", 403),
        ("http://127.0.0.1.evil.example", 403), ("", 403),
    ],
)  # fmt: skip
def test_a_page_of_another_origin_is_not_served(client: TestClient, origin: str, status: int) -> None:
    assert client.get(SEARCH, headers={"Origin": origin}).status_code == status


@pytest.mark.parametrize("workspace", ["nobody", "../default", "a b", "", "x" * 65, "é"])
def test_an_unknown_workspace_is_a_404(client: TestClient, workspace: str) -> None:
    headers = {b"X-Workspace": workspace.encode()}
    for method, path, body in (
        ("GET", SEARCH, None),
        ("GET", "/v1/documents", None),
        ("POST", "/v1/suggestions", {"conversation": {"messages": [{"text": "a folder"}]}}),
        ("POST", "/v1/conversations", {"messages": [{"text": "a folder"}]}),
    ):
        assert client.request(method, path, headers=headers, json=body).status_code == 404, path


def test_loopback_is_told_from_what_only_looks_like_it() -> None:
    assert [
        host
        for host in ("127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "::ffff:127.0.0.1")
        if not is_loopback(host)
    ] == []
    assert [
        host for host in ("0.0.0.0", "::", "10.0.0.1", "127.0.0.1.evil.example", "example.com", "") if is_loopback(host)
    ] == []


# -- who may see what --------------------------------------------------------------------------------------------


def test_a_document_of_a_team_is_read_by_the_team_and_is_a_404_for_others(filled: Parts, tmp_path: Path) -> None:
    (tmp_path / "team.md").write_text("---\ndoc_id: vip\ntitle: VIP folders\n---\n\nThe VIP folder code is OBSIDIAN.\n")
    ingest(filled, tmp_path / "team.md", audience="team:vip")
    member, stranger = bearer(filled, "agent", teams=("vip",)), bearer(filled, "agent")
    with client_of(filled) as client:
        body = {"conversation": {"messages": [{"text": "What is the VIP folder code?"}]}}
        made = client.post("/v1/suggestions", json=body, headers=member)
        assert "OBSIDIAN" in made.text
        for path in ("/v1/documents/vip", "/v1/documents/vip?revision=1"):
            assert client.get(path, headers=member).status_code == 200
            assert client.get(path, headers=stranger).status_code == 404
        assert "OBSIDIAN" not in client.get(f"/v1/suggestions/{made.json()['id']}", headers=stranger).text
        assert client.get(f"/v1/suggestions/{made.json()['id']}", headers=member).json() == made.json()
        assert "vip" not in client.get("/v1/documents", headers=stranger).text
        assert "OBSIDIAN" not in client.get("/v1/search?q=VIP+folder+code", headers=stranger).text


def test_nobody_uploads_for_a_team_that_is_not_theirs(parts: Parts) -> None:
    headers = bearer(parts, "knowledge_manager", teams=("billing",))
    with client_of(parts) as client:
        files = {"file": ("a.md", b"# A\n\nText.", "text/markdown")}
        refused = client.post("/v1/documents", files=files, data={"audience": "team:legal"}, headers=headers)
        taken = client.post("/v1/documents", files=files, data={"audience": "team:billing"}, headers=headers)
    assert (refused.status_code, taken.status_code) == (403, 202)


def test_a_document_that_went_behind_a_team_wall_leaves_stored_suggestions_of_others(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "valve.md").write_text(
        "---\ntitle: Close the valve\n---\n\nTurn the SECRETLEVER to the right.\n", encoding="utf-8"
    )
    ingest(parts, docs)
    _, agent = parts.accounts.create("default", ["agent"])
    headers = {"Authorization": f"Bearer {agent}"}
    with client_of(parts) as client:
        asked = {"conversation": {"messages": [{"text": "How do I close the valve?"}]}}
        made = client.post("/v1/suggestions", json=asked, headers=headers).json()
        assert "SECRETLEVER" in made["draft"]["text"]
        (docs / "old.md").write_text("# Close the old valve\n\nTo close the valve of the old pump, turn it.\n")
        (docs / "valve.md").write_text(
            "---\ntitle: Close the valve\naudience: team:billing\n---\n\nTurn it.\n", encoding="utf-8"
        )
        ingest(parts, docs)
        path = f"/v1/suggestions/{made['id']}"
        judged = client.post(f"{path}/feedback", json={"verdict": "accepted"}, headers=headers)
        assert judged.json()["statements"] == []
        assert client.post("/v1/suggestions", json=asked, headers=headers).json()["draft"]
        monkeypatch.setattr(parts.copilot, "_model", Says(DrafterFailed("slow")))
        wish = {"rewrite": {"task": "instruct", "instruction": "Shorter."}}
        answers = [
            client.get(path, headers=headers),
            client.get(f"{path}/feedback", headers=headers),
            client.post(f"{path}/regenerate", json=wish, headers=headers),
        ]
    assert "SECRETLEVER" not in str([one.json() for one in answers])
    assert {one.status_code for one in answers[:2]} == {200}
    assert "there is no draft to rewrite" in answers[2].json()["detail"].lower()


def test_a_job_on_another_teams_documents_is_neither_listed_nor_found(parts: Parts) -> None:
    who = {team: bearer(parts, "knowledge_manager", teams=(team,)) for team in ("alpha", "beta")}
    who["none"], who["admin"] = bearer(parts, "knowledge_manager"), bearer(parts, "admin")
    files = {"file": ("ALPHA.pdf", b"no pdf", "application/pdf")}
    source = {"id": "alphas", "connector": "web", "address": "https://alpha.example/", "audience": "team:alpha"}

    def job(path: str, of: str = "alpha", **sent: Any) -> str:
        made: str = client.post(path, headers=who[of], **sent).json()["id"]
        return made

    with client_of(parts) as client:
        client.post("/v1/sources", json=source, headers=who["alpha"])
        theirs = {
            job("/v1/documents", files=files, data={"audience": "team:alpha"}),
            job("/v1/documents", files=files),  # it may name its team itself
            job("/v1/sources/alphas/sync", json={}),
            parts.jobs.add("default", "sync", {"source": None}).id,
        }
        gone = {parts.jobs.add("default", "sync", {"source": "gone"}).id}
        shared = {
            job("/v1/documents", files=files, data={"audience": "internal"}),
            job("/v1/documents", of="none", files=files),
            parts.jobs.add("default", "ingest", {"paths": ["kb"], "audience": None}).id,
            parts.jobs.add("default", "compact", {}).id,
        }
        everything = theirs | gone | shared
        for name, seen in {"alpha": theirs | shared, "beta": shared, "none": shared, "admin": everything}.items():
            assert {one["id"] for one in client.get("/v1/jobs", headers=who[name]).json()["jobs"]} == seen, name
            for id in everything - seen:
                for how, to in (("GET", ""), ("GET", "/events"), ("POST", "/cancel"), ("POST", "/resume")):
                    assert client.request(how, f"/v1/jobs/{id}{to}", headers=who[name]).status_code == 404


def test_nobody_replaces_a_document_of_another_team_by_uploading_its_name(parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "pricing.md").write_text(
        "---\naudience: team:alpha\n---\n\n# Pricing\n\nALPHAWORDS.\n", encoding="utf-8"
    )
    ingest(parts, tmp_path)
    for text in ("# Pricing\n\nTaken over.\n", "---\naudience: team:alpha\ndoc_id: planted\n---\n\nPlanted.\n"):
        upload = parts.settings.uploads() / "w" / "one" / "pricing.md"
        upload.parent.mkdir(parents=True)
        upload.write_text(text, encoding="utf-8")
        payload = {
            "paths": [str(upload)],
            "kind": None,
            "audience": None,
            "allowed": ["internal", "public", "team:beta"],
        }
        job = parts.jobs.add("default", "ingest", payload)
        assert ingest_job(parts, job, lambda progress: None)["failed"] == 1
    assert "ALPHAWORDS" in parts.library.text("default", "pricing").text
    with pytest.raises(NotFound):
        parts.library.text("default", "planted")
