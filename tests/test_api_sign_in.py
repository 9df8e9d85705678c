"""The desk's door: signing in, the session, and what other sites can make a browser do with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.desk import PAGES, own_address
from api.sessions import COOKIE
from copilot.build import Parts
from copilot.store.audit import Audit
from copilot.store.people import People
from tests.conftest import client_of

PASSWORD = "correct horse battery"


@pytest.fixture
def staffed(filled: Parts) -> Parts:
    """The small company with an agent and an admin."""
    people = People(filled.database)
    people.add("default", "ada", PASSWORD, ["agent"])
    people.add("default", "root", PASSWORD, ["admin"])
    return filled


@pytest.fixture
def browser(staffed: Parts) -> Iterator[TestClient]:
    with client_of(staffed, follow_redirects=False) as made:
        yield made


def sign_in(browser: TestClient, name: str = "ada", password: str = PASSWORD, **more: str) -> Any:
    return browser.post("/desk/sign-in", data={"name": name, "password": password, **more})


def token(browser: TestClient) -> str:
    found = re.search('data-csrf="([0-9a-f]{64})"', browser.get("/desk/documents").text)
    assert found is not None
    return found[1]


def test_without_users_and_keys_the_desk_serves_this_machine_and_says_so(client: TestClient) -> None:
    page = client.get("/desk")
    assert page.url.path == "/desk/inbox"
    assert "Single-user mode" in page.text
    assert client.get("/desk/sign-in").url.path == "/desk/inbox"
    assert client.get("/desk", headers={"Host": "evil.example"}).status_code == 421
    missing = client.get("/desk/no-such-page")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_a_stranger_sees_the_sign_in_page_alone(browser: TestClient) -> None:
    for page in PAGES:
        answer = browser.get(f"/desk{page.path}")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/desk/sign-in?next=/desk/")
    assert browser.get("/v1/documents").status_code == 401
    assert browser.get("/v1/documents", headers={"Cookie": f"{COOKIE}=made-up"}).status_code == 401
    assert sign_in(browser, password="wrong password").status_code == 401
    assert sign_in(browser, name="nobody").status_code == 401
    assert COOKIE not in browser.cookies


def test_who_signs_in_goes_on_with_a_cookie_that_no_script_and_no_other_site_uses(browser: TestClient) -> None:
    answer = sign_in(browser, "  Ada ", next="/desk/documents?q=folder")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/documents?q=folder")
    cookie = answer.headers["set-cookie"].lower()
    assert {"httponly", "samesite=lax", "path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "secure" not in cookie, "this test's server speaks plain http"
    page = browser.get("/desk/documents").text
    assert "Single-user mode" not in page
    assert "ada" in page
    assert browser.get("/v1/documents").json()["documents"]
    assert browser.get("/v1/documents", headers={"X-Workspace": "other"}).status_code == 404


def test_over_https_the_cookie_never_travels_in_the_clear(staffed: Parts) -> None:
    with client_of(staffed, base_url="https://127.0.0.1", follow_redirects=False) as browser:
        assert "secure" in sign_in(browser).headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "given",
    ["https://evil.example/", "//evil.example", "/desk\\evil", "/deskevil", "/v1/documents", "/desk/\nSet-Cookie: x=y", "javascript:alert(1)"],
)  # fmt: skip
def test_sign_in_leads_nowhere_but_into_the_desk(browser: TestClient, given: str) -> None:
    assert own_address(given) == "/desk"
    assert sign_in(browser, next=given).headers["location"] == "/desk"


def test_a_change_needs_the_sessions_token_and_our_own_origin(browser: TestClient) -> None:
    sign_in(browser)
    asked = {"conversation": {"messages": [{"text": "How do I compact a folder?"}]}}
    assert browser.post("/v1/suggestions", json=asked).status_code == 403
    mine = {"X-CSRF-Token": token(browser)}
    assert browser.post("/v1/suggestions", json=asked, headers=mine).status_code == 200
    assert browser.post("/v1/suggestions", json=asked, headers={b"X-CSRF-Token": b"\xe9" * 64}).status_code == 403
    abroad = {**mine, "Origin": "https://evil.example"}
    assert browser.post("/v1/suggestions", json=asked, headers=abroad).status_code == 403
    assert browser.get("/v1/documents", headers=abroad).headers.get("access-control-allow-origin") is None
    forged = browser.post(
        "/desk/sign-in", data={"name": "ada", "password": PASSWORD}, headers={"Origin": "https://evil.example"}
    )
    assert forged.status_code == 403


def test_roles_hold_at_the_pages_as_over_http(browser: TestClient) -> None:
    sign_in(browser)
    assert browser.get("/desk").headers["location"] == "/desk/inbox"
    refused = browser.get("/desk/sources")
    assert (refused.status_code, "knowledge_manager" in refused.text) == (403, True)
    assert "/desk/sources" not in browser.get("/desk/documents").text, "it is not in the navigation either"
    assert browser.get("/v1/sources").status_code == 403
    assert browser.get("/v1/audit").status_code == 403


def test_who_signs_out_is_out(browser: TestClient) -> None:
    sign_in(browser)
    kept = browser.cookies[COOKIE]
    assert browser.post("/desk/sign-out", data={"csrf": "guessed"}).status_code == 403
    assert browser.post("/desk/sign-out", data={"csrf": token(browser)}).headers["location"] == "/desk/sign-in"
    assert browser.get("/v1/documents", headers={"Cookie": f"{COOKIE}={kept}"}).status_code == 401


def test_guessing_is_slowed_down_for_the_guesser(browser: TestClient) -> None:
    for _ in range(6):
        sign_in(browser, password="a wrong password")
    refused = sign_in(browser)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert COOKIE not in browser.cookies
    assert sign_in(browser, name="root").status_code == 303, "another name is not slowed"


def test_an_oversized_or_malformed_form_is_refused(browser: TestClient) -> None:
    assert browser.post("/desk/sign-in", content=b"x" * 3_000_000).status_code == 413
    assert sign_in(browser, name="a" * 100_000).status_code in (400, 401, 413)
    files = {"password": ("p.txt", b"a file")}
    assert browser.post("/desk/sign-in", files=files).status_code in (400, 401)


def test_the_audit_log_tells_admins_who_saw_and_did_what(browser: TestClient, staffed: Parts) -> None:
    sign_in(browser)
    browser.get("/v1/documents/reset-password")
    browser.get("/v1/documents/no-such-document")
    browser.cookies.clear()
    sign_in(browser, "root")
    browser.delete("/v1/documents/reset-password", headers={"X-CSRF-Token": token(browser)})
    entries = browser.get("/v1/audit").json()["entries"]
    told = [(one["name"], one["action"], one["object"]) for one in entries]
    assert told == [
        ("root", "document.delete", "reset-password"), ("root", "sign-in", None),
        ("ada", "document.read", "reset-password"), ("ada", "sign-in", None),
    ]  # fmt: skip
    ada = entries[-1]["principal"]
    assert {one["name"] for one in browser.get(f"/v1/audit?principal={ada}").json()["entries"]} == {"ada"}
    assert "audit.read" in [
        one.action for one in Audit(staffed.database).list("default", principal=None, before=None, limit=9)
    ]
    page = browser.get("/v1/audit?limit=2").json()
    assert len(page["entries"]) == 2
    assert browser.get(f"/v1/audit?before={page['next']}").json()["entries"][0]["id"] < page["next"]
