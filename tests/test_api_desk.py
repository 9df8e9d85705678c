"""The desk in a real browser: its frame, its door, and the knowledge manager's day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from api.desk import PAGES
from copilot.settings import Settings
from copilot.store.people import People
from copilot.store.sources import Sources, Upstream
from tests.browser import Desk, barriers, look, running, shifted, shifts, window
from tests.servers import Server, html, serving

PASSWORD = "correct horse battery"
KETTLE = "---\ndoc_id: kettle\ntitle: {title}\nurl: {url}\naudience: public\n---\n\n{text}\n"
OVERRIDE = "\u202egnp.exe"
HOSTILE_TITLE = f'<img src=x onerror=alert(1)> {OVERRIDE} "><script>alert(1)</script>'
HOSTILE_TEXT = """Press the button for 5 seconds. <script>alert(1)</script> <svg onload=alert(1)>

![pixel](https://evil.example/pixel.png) ![x](javascript:alert(1))

[click me](javascript:alert(1)) and [data](data:text/html,<script>alert(1)</script>) \U0001f600 \u202eright to left

Ask Mrs. Okafor for the KETTLEWORD.
"""


def test_the_frame_works_by_keyboard_in_both_themes_and_at_both_widths(page: Page) -> None:
    for one in (page for page in PAGES if page.name in ("documents", "audit")):
        shifts(page)
        page.goto(f"/desk{one.path}")
        expect(page.get_by_role("heading", level=1)).to_have_text(one.title)
        look(page, one.name)
    page.goto("/desk/documents")
    expect(page.get_by_text("Single-user mode")).to_be_visible()
    expect(page.get_by_role("table")).to_be_visible()
    assert shifted(page) < 0.1
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("?")
    shown = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(shown).to_contain_text("Go to Sources")
    assert barriers(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search")).to_be_focused()
    page.keyboard.type("g s")
    expect(page).to_have_url(re.compile("/desk/documents"))
    page.get_by_role("heading", level=1).click()
    page.keyboard.type("gs")
    expect(page).to_have_url(re.compile("/desk/sources$"))


def test_the_menu_of_a_phone_opens_closes_and_leads_on(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/desk/audit")
    menu = page.get_by_role("button", name="Menu")
    link = page.get_by_role("link", name="Retrieval test")
    expect(link).to_be_hidden()
    menu.focus()
    page.keyboard.press("Enter")
    expect(link).to_be_visible()
    assert barriers(page) == []
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    expect(menu).to_be_focused()
    menu.click()
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Retrieval test")


def test_an_article_is_uploaded_edited_compared_and_deleted(page: Page) -> None:
    page.goto("/desk/sources")
    upload(
        page,
        "kettle.md",
        KETTLE.format(title="Descale the kettle", url="https://help.example/kettle", text="Soak it for 30 minutes."),
    )
    upload(
        page,
        "kettle.md",
        KETTLE.format(title="Descale the kettle", url="https://help.example/kettle", text="Soak it for 45 minutes."),
    )
    expect(page.get_by_role("list", name="Uploads")).to_contain_text("1 changed")
    look(page, "sources")
    page.get_by_role("link", name="kettle", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Descale the kettle")
    expect(page.get_by_role("tabpanel")).to_contain_text("45 minutes")
    look(page, "document")
    page.get_by_role("tab", name="Text", exact=True).focus()
    for name, shown in (("Plain text", "45 minutes"), ("Chunks", "Chunk 1"), ("Revisions (2)", "What changed")):
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name=name)).to_be_focused()
        expect(page.get_by_role("tabpanel")).to_contain_text(shown)
    expect(page.locator(".diff del")).to_have_text("30")
    expect(page.locator(".diff ins")).to_have_text("45")
    look(page, "document-revisions")
    page.get_by_role("link", name="Revision 1").click()
    expect(page.get_by_text("This is an older revision")).to_be_visible()
    expect(page.get_by_role("tabpanel")).to_contain_text("30 minutes")
    page.goto("/desk/documents?q=kettle")
    expect(page.get_by_role("row", name=re.compile("Descale the kettle"))).to_be_visible()
    page.get_by_role("link", name="Descale the kettle").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile("/desk/documents$"))
    page.goto("/desk/documents?q=kettle")
    expect(page.get_by_text("No document is like that")).to_be_visible()


def upload(page: Page, name: str, text: str) -> None:
    """Drop one file on the page, and wait until it was taken in."""
    done = page.locator("ul[aria-label=Uploads] > li")
    before = done.count()
    content = page.evaluate_handle(
        "([name, text]) => { const data = new DataTransfer(); data.items.add(new File([text], name)); return data; }",
        [name, text],
    )
    page.locator(".drop").dispatch_event("drop", {"dataTransfer": content})
    expect(done.locator(".notice")).to_have_count(before + 1)


def test_hostile_documents_stay_text(page: Page, desk: Desk) -> None:
    page.goto("/desk/sources")
    title = '"' + HOSTILE_TITLE.replace('"', '\\"') + '"'
    upload(
        page,
        f"{OVERRIDE}.md",
        KETTLE.replace("kettle", "hostile").format(title=title, url='"javascript:alert(1)"', text=HOSTILE_TEXT),
    )
    page.goto("/desk/documents/hostile")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("<script>alert(1)</script>")
    assert heading.locator("bdi").evaluate("one => getComputedStyle(one).unicodeBidi") == "isolate"
    panel = page.get_by_role("tabpanel")
    expect(panel).to_contain_text("KETTLEWORD")
    assert page.locator("main img, main script, main iframe, main [onload], main [onerror]").count() == 0
    assert [
        one
        for one in page.eval_on_selector_all("a", "all => all.map(one => one.protocol)")
        if one not in ("http:", "https:")
    ] == []
    text = desk.parts.library.text("default", "hostile").text
    start = text.index("KETTLEWORD")
    page.goto(f"/desk/documents/hostile?revision=1&start={start}&end={start + len('KETTLEWORD')}")
    expect(page.locator("mark")).to_have_text("KETTLEWORD")
    expect(page.locator("mark")).to_be_in_viewport()
    for address in (
        "/desk/retrieval?kind=article&q=click+me+and+data,+right+to+left,+KETTLEWORD",
        "/desk/documents?q=%3Cscript%3E",
        "/desk/documents?q=onerror",
    ):
        page.goto(address)
        expect(page.get_by_role("link", name=re.compile("onerror")).first).to_be_visible()
        assert page.locator("main img, main script").count() == 0
    look(page, "documents-hostile")
    page.goto("/desk/documents/hostile")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile("/desk/documents$"))


def test_a_document_or_source_that_is_not_there_is_said_to_be_missing(chromium: Browser, desk: Desk) -> None:
    with window(chromium, desk.url, expected=("404",)) as page:
        page.goto("/desk/documents/nosuch")
        expect(page.get_by_role("heading", name="There is no such document")).to_be_visible()
        look(page, "document-missing")
        page.goto("/desk/sources/nosuch")
        expect(page.get_by_role("alert")).to_contain_text("nosuch")


@pytest.fixture
def site(desk: Desk) -> Iterator[Server]:
    """A help site, and the source that the server's operator added for it."""
    with serving() as server:
        words = [
            f"<html><main><h1>Toaster {n}</h1><p>Press lever number {n} for {n} seconds.</p></main></html>"
            for n in range(3)
        ]
        links = "".join(f'<a href="/{n}">toaster</a>' for n in range(3))
        server.answers["/"] = html(
            f"<html><main><h1>Toasters</h1><p>All about our toasters, old and new.</p>{links}</main></html>"
        )
        server.answers |= {f"/{n}": html(words[n]) for n in range(3)}
        options = {"private_host": "127.0.0.1", "delay": "0"}
        made = Upstream(workspace="default", id="toasters", connector="web", address=server.url + "/", options=options)
        Sources(desk.parts.database).add(made)
        yield server


def test_a_source_is_tried_synced_changed_and_removed(page: Page, site: Server) -> None:
    page.goto("/desk/sources")
    page.get_by_role("button", name="Dry run of toasters").click()
    expect(page.get_by_text("4 would be added")).to_be_visible()
    expect(page.get_by_text("never synced").first).to_be_visible()
    page.get_by_role("button", name="Sync toasters").click()
    expect(page.get_by_text("4 added").first).to_be_visible()
    expect(page.get_by_text("up to date")).to_be_visible()
    look(page, "sources-synced")
    site.answers["/1"] = html("<html><main><h1>Toaster 1</h1><p>Press lever number 1 for 99 seconds.</p></main></html>")
    page.get_by_role("link", name="toasters", exact=True).click()
    page.get_by_role("button", name="Dry run").click()
    expect(page.get_by_text("1 would change")).to_be_visible()
    page.get_by_role("button", name="Sync", exact=True).click()
    expect(page.get_by_text("1 changed").first).to_be_visible()
    look(page, "source")
    page.get_by_role("link", name="Its documents").click()
    expect(page.get_by_role("row")).to_have_count(5)
    page.go_back()
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page).to_have_url(re.compile("/desk/sources$"))
    expect(page.get_by_role("link", name="toasters", exact=True)).to_have_count(0)


def test_a_source_is_added_by_hand_and_a_wrong_one_says_why(chromium: Browser, desk: Desk) -> None:
    with window(chromium, desk.url, expected=("422", "web address")) as page:
        page.goto("/desk/sources")
        page.keyboard.press("n")
        box = page.get_by_role("dialog", name="Add a source")
        assert barriers(page) == []
        box.get_by_label("Name").fill("faq")
        box.get_by_label("Address").fill("ftp://help.example/faq")
        box.get_by_role("button", name="Add source").click()
        expect(page.locator(".toast")).to_contain_text("http")
        box.get_by_label("Address").fill("https://help.example/faq")
        box.get_by_role("button", name="Add source").click()
        expect(box).to_have_count(0)
        expect(page.get_by_role("link", name="faq", exact=True)).to_be_visible()
    Sources(desk.parts.database).remove("default", "faq")


def test_the_retrieval_test_shows_scores_by_arm_and_what_was_cut(page: Page) -> None:
    page.goto("/desk/retrieval")
    page.get_by_label("Query").fill("how do I reset the hub")
    page.get_by_label("Audience").select_option("public")
    page.get_by_label("Results").fill("3")
    page.keyboard.press("Enter")
    results = page.get_by_role("list", name="Results").get_by_role("heading", level=2)
    expect(results).to_have_count(3)
    expect(page.get_by_role("meter", name="meaning").first).to_be_visible()
    expect(page.get_by_text("below the limit").first).to_be_visible()
    expect(page.get_by_text("another audience").first).to_be_visible()
    look(page, "retrieval")
    page.get_by_role("link", name="In the document").first.click()
    expect(page.locator("mark")).to_be_in_viewport()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with an admin and an agent."""
    with running(Settings(home=tmp_path_factory.mktemp("guarded"))) as made:
        made.parts.ledger.open("default")
        people = People(made.parts.database)
        people.add("default", "root", PASSWORD, ["admin"])
        people.add("default", f"ada {OVERRIDE[1:]}", PASSWORD, ["agent"])
        yield made


def test_people_sign_in_see_their_pages_and_sign_out(chromium: Browser, guarded: Desk) -> None:
    with window(chromium, guarded.url, expected=("401", "403")) as page:
        page.goto("/desk/audit")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        look(page, "sign-in")
        page.get_by_label("Name").fill("root")
        page.get_by_label("Password").fill("not this one")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("not right")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Audit log")
        expect(page.get_by_role("row").nth(1)).to_contain_text("sign-in")
        expect(page.get_by_text("Single-user mode")).to_have_count(0)
        page.evaluate("sessionStorage.setItem(`desk.unsaved.${document.body.dataset.user}.a`, 'words')")
        page.reload()
        assert page.evaluate("sessionStorage.length") == 1, "one's own unsaved words stay"
        page.evaluate("sessionStorage.setItem('desk.unsaved.somebody.a', 'words')")
        page.reload()
        assert page.evaluate("sessionStorage.length") == 1, "another user's do not"
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/desk/sign-in")  # who comes next is not led to the page of who was here
        assert page.evaluate("sessionStorage.length") == 0
        page.goto("/desk/audit")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        page.get_by_label("Name").fill(f"ada {OVERRIDE[1:]}")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/desk/audit**")
        expect(page.get_by_role("heading", level=1)).to_have_text("Forbidden")
        page.get_by_role("link", name="Back to the desk").click()
        expect(page.get_by_role("link", name="Inbox")).to_be_visible()
        expect(page.get_by_role("link", name="Sources")).to_have_count(0)


def test_a_session_that_ends_while_a_page_is_open_leads_to_sign_in_and_back(chromium: Browser, guarded: Desk) -> None:
    with window(chromium, guarded.url, expected=("401",)) as page:
        page.goto("/desk/documents")
        page.get_by_label("Name").fill("root")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Documents")
        expect(page.get_by_text("No documents yet")).to_be_visible()  # what the page asks for at first has come
        page.context.clear_cookies()
        page.get_by_role("searchbox", name="Search").fill("anything")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        assert "q%3Danything" in page.url


def test_every_module_and_template_belongs_to_a_page_or_to_all() -> None:
    web = Path(__file__).parent.parent / "api" / "web" / "desk"
    names = {page.name for page in PAGES}
    assert {file.stem for file in (web / "templates" / "pages").glob("*.html")} == names
    assert names <= {file.stem for file in (web / "assets" / "js" / "pages").glob("*.js")}
    for file in web.rglob("*"):
        if file.suffix in (".js", ".css", ".html"):
            text = file.read_text(encoding="utf-8")
            assert not re.search(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text
            ), file
            assert not re.search(r"""<script(?![^>]*\bsrc=)|\sstyle=["']|\son\w+=["']""", text), file
            assert not re.search(r"""(?:src|href|from|url)\W{1,4}(?:https?:)?//""", text), file
